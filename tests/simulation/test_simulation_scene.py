"""Scenes: determinism, invariants of the truth, physical ranges, climates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from banet.errors import InputError
from banet.grid.region import Region
from banet.simulation import CLIMATES, sample, simulate
from banet.simulation.climates import climate_named
from banet.simulation.ground import burned_per_day
from banet.simulation.observe import observations
from banet.simulation.spectra import BURNABLE, Band, Cover
from banet.simulation.world import build_world, find_hotspots

START = np.datetime64("2020-07-20")
PLACE = Region("T", (22.0, 37.5, 22.48, 37.98), 0.01)


@pytest.fixture(scope="module")
def scene():
    return simulate(PLACE, start=START, days=20, seed=7, climate="australia")


def test_the_same_seed_gives_the_same_arrays(scene):
    again = simulate(PLACE, start="2020-07-20", days=20, seed=7, climate="australia")
    for name in ("red", "nir", "mir", "frp", "view_zenith", "burned_fraction_daily", "water"):
        np.testing.assert_array_equal(getattr(scene, name), getattr(again, name))
    assert scene.hotspots.equals(again.hotspots)


def test_other_seeds_climates_and_starts_differ(scene):
    for change in ({"seed": 8}, {"climate": "california"}, {"start": "2020-07-21"}):
        other = simulate(
            **{"region": PLACE, "start": START, "days": 3, "seed": 7, "climate": "australia"} | change
        )
        assert not np.array_equal(other.nir[0], scene.nir[0], equal_nan=True)


def test_shapes_and_types(scene):
    cube = (20, *PLACE.shape)
    for name in ("red", "nir", "mir", "frp", "view_zenith", "burned_fraction_daily"):
        array = getattr(scene, name)
        assert array.shape == cube, name
        assert array.dtype == np.float32, name
    assert scene.days[0] == START
    assert len(scene.days) == 20
    assert scene.water.shape == PLACE.shape


def test_reflectance_is_physical_and_nan_goes_through_all_bands(scene):
    seen = np.isfinite(scene.red)
    assert seen.mean() > 0.8
    for name, top in (("red", 1.1), ("nir", 1.1), ("mir", 1.6)):
        values = getattr(scene, name)
        assert np.array_equal(np.isfinite(values), seen)
        assert np.nanmin(values) >= 0
        assert np.nanmax(values) < top
    assert np.array_equal(np.isfinite(scene.view_zenith), seen)
    assert np.nanmin(scene.view_zenith) >= 0 and np.nanmax(scene.view_zenith) < 70


def test_truth_is_a_fraction_of_whole_sub_cells(scene):
    daily = scene.burned_fraction_daily
    assert daily.min() >= 0
    assert daily.sum(0).max() <= 1 + 1e-6
    parts = daily * scene.world.subcells**2
    np.testing.assert_allclose(parts, np.round(parts), atol=1e-4)
    assert daily.sum() > 0


def test_nothing_burns_twice_or_where_nothing_can(scene):
    burns = scene.world.burns
    assert len(np.unique(burns.index)) == len(burns.index)
    assert BURNABLE[scene.world.surface.cover.ravel()[burns.index]].all()
    assert not scene.burned_fraction[scene.world.surface.water == 1].any()


def test_area_is_the_same_by_sub_cell_and_by_cell(scene):
    burns, world = scene.world.burns, scene.world
    inside = (burns.hour >= 0) & (burns.hour < 24 * 20)
    fine_row = burns.index[inside] // world.surface.cover.shape[1]
    area = PLACE.cell_area_ha[fine_row // world.subcells].sum() / world.subcells**2
    assert scene.truth().burned_area_ha == pytest.approx(area, rel=1e-5)


def test_arrival_lies_within_the_fire(scene):
    burns = scene.world.burns
    span = burns.spans[burns.fire]
    assert (burns.hour >= span[:, 0] - 1e-3).all()
    assert (burns.hour <= span[:, 1] + 1e-3).all()
    assert (np.diff(burns.hour) >= 0).all()


def test_hot_spots_of_fires_lie_within_them_in_space_and_time(scene):
    found = find_hotspots(scene.world)
    burns = scene.world.burns
    real = found.fire >= 0
    assert real.sum() > 20
    first, last = burns.spans[found.fire[real]].T
    assert (found.time_h[real] >= first - 0.01).all()
    # Smouldering goes on for three days at most.
    assert (found.time_h[real] <= last + 72.01).all()
    fine = np.zeros(scene.world.surface.cover.shape, bool)
    fine.ravel()[burns.index] = True
    away = ndimage.distance_transform_edt(~fine) / scene.world.subcells
    spot = (np.floor(found.row[real] * 4).astype(int), np.floor(found.col[real] * 4).astype(int))
    assert np.quantile(away[spot], 0.95) < 2


def test_false_alarms_are_few_and_static_heat_is_marked(scene):
    kinds = scene.hotspots["type"].value_counts()
    assert set(kinds.index) <= {0, 2, 3}
    vegetation = scene.hotspots[scene.hotspots["type"] == 0]
    assert vegetation["frp"].sum() == pytest.approx(float(scene.frp.sum()), rel=1e-4)


def test_burning_darkens_the_near_infrared():
    burning = dataclasses.replace(climate_named("california"), fires=60)
    world = build_world(PLACE, START, 24, 3, burning)
    burned = burned_per_day(world.burns, 24, world.shape, 4)
    whole = burned[:12].sum(0) > 0.9
    assert whole.sum() > 5
    views = [v for v in observations(world) if not np.isnan(v.reflectance).any()]
    early = next(v for v in views if v.overpass.time_h > 0)
    late = next(v for v in views if v.overpass.time_h > 24 * 14 and (v.depth[whole] < 0.05).mean() > 0.5)
    dark = late.reflectance[Band.NIR][whole & (late.depth < 0.05)].mean()
    calm = burned.sum(0) == 0
    rest = late.reflectance[Band.NIR][calm & (late.depth < 0.05) & (world.surface.water == 0)].mean()
    assert dark < 0.8 * rest
    assert early.reflectance.shape == late.reflectance.shape


def test_a_fire_does_not_depend_on_who_watches():
    two = [simulate(PLACE, start=START, days=8, seed=5, satellites=s) for s in (("N",), ("N", "N20"))]
    np.testing.assert_array_equal(two[0].burned_fraction_daily, two[1].burned_fraction_daily)
    np.testing.assert_array_equal(two[0].frp, two[1].frp)
    assert np.nanmean(two[1].view_zenith) < np.nanmean(two[0].view_zenith)


def test_bands_look_the_same_in_any_company():
    world = build_world(PLACE, START, 3, 11, climate_named("cerrado"))
    wide = world.with_bands((Band.RED, Band.NIR, Band.M10, Band.M12))
    for a, b in zip(observations(world), observations(wide)):
        # To the last bit but one: matrix products round by their shape.
        np.testing.assert_allclose(a.reflectance[0], b.reflectance[0], atol=1e-6)
        np.testing.assert_allclose(a.reflectance[2], b.reflectance[3], atol=1e-6)
    assert world.with_bands(world.bands) is world


@pytest.mark.parametrize("name", list(CLIMATES))
def test_cloud_cover_is_that_of_the_climate(name):
    climate = climate_named(name)
    shares = []
    for seed in range(12):
        world = build_world(Region("C", (10, 10, 10.32, 10.32), 0.01), START, 40, seed, climate)
        shares += [
            float((world.weather.clouds(2 * d).over(world.shape) > 0.2).mean()) for d in range(0, 40, 3)
        ]
    # Veils of cirrus come on top of the cover; 170 scenes with a memory of days leave some scatter.
    assert climate.clouds - 0.10 < np.mean(shares) < climate.clouds + 0.17
    assert np.std(shares) > 0.1


@pytest.mark.parametrize("name", list(CLIMATES))
def test_every_climate_makes_samples(name):
    planes, target = sample(3, days=8, size=32, climate=name)
    assert planes.shape == (4, 8, 32, 32)
    assert target.shape == (8, 32, 32)
    assert planes.dtype == target.dtype == np.float32
    assert np.isfinite(planes[3]).all() and planes[3].min() >= 0
    assert (target.sum(0) <= 1 + 1e-6).all()


def test_samples_follow_their_seed():
    first, second, other = sample(5, days=4, size=24), sample(5, days=4, size=24), sample(6, days=4, size=24)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0], equal_nan=True)


def test_covers_take_about_their_share():
    shares = []
    for seed in range(6):
        world = build_world(
            Region("C", (10, 10, 10.64, 10.64), 0.01), START, 2, seed, climate_named("mediterranean")
        )
        land = 1 - world.surface.water.mean()
        shares.append(world.surface.fractions.mean((1, 2)) / land)
        np.testing.assert_allclose(world.surface.fractions.sum(0), 1, atol=1e-6)
    wanted = climate_named("mediterranean").covers
    total = sum(wanted.values())
    for cover, weight in wanted.items():
        assert np.mean([s[cover] for s in shares]) == pytest.approx(weight / total, abs=0.12), cover
    assert Cover.BOREAL not in wanted
    assert max(s[Cover.BOREAL] for s in shares) == 0


def test_truth_is_a_dated_reference(scene):
    truth = scene.truth()
    assert (truth.start, truth.stop) == (START, START + 20)
    np.testing.assert_allclose(truth.burned_fraction, scene.burned_fraction, atol=1e-6)
    assert (np.isnat(truth.burn_date) == (scene.burned_fraction == 0)).all()
    part = truth.between(START, START + 5)
    np.testing.assert_allclose(part.burned_fraction, scene.burned_fraction_daily[:5].sum(0), atol=1e-6)


def test_hectares_are_those_of_the_truth_wherever_they_are_told():
    coast = simulate(Region("NS", (-8, 38, -7.5, 38.3)), "2020-07-15", days=20, seed=11, climate="mozambique")
    assert coast.burned_fraction[coast.water].any(), "no burned cell is mostly water"
    assert coast.burned_area_ha == coast.truth().burned_area_ha
    assert f"{coast.truth().burned_area_ha:,.0f} ha burned" in repr(coast)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"climate": "mediteranean"}, "did you mean 'mediterranean'"),
        ({"days": 0}, "give 1 to 3660"),
        ({"seed": -1}, "negative"),
        ({"mir_band": "M13"}, "M12, M11 or M10"),
        ({"satellites": ("NPP",)}, "unknown satellite 'NPP'"),
        ({"region": Region("S", (0, 0, 0.05, 0.05), 0.01)}, "at least 8 x 8"),
        ({"start": "yesterday"}, "YYYY-MM-DD"),
        ({"region": "PT"}, "a str is no region; banet.Region.load reads one"),
        ({"days": "3"}, "days '3' is no whole number"),
        ({"seed": 1.5}, "seed 1.5 is no whole number"),
    ],
)
def test_wrong_arguments_say_how_to_mend_them(wrong, message):
    with pytest.raises(InputError, match=message):
        simulate(**({"size": 16, "days": 2} | wrong))


def test_wrong_samples_are_refused():
    with pytest.raises(InputError, match="give days >= 1"):
        sample(0, days=0)


def test_the_minute_by_which_half_had_burned_agrees_with_the_days() -> None:
    scene = simulate(days=12, seed=5, climate="mozambique", size=40)
    time, daily = scene.burn_time, scene.burned_fraction_daily
    assert (np.isnat(time) == (daily.sum(0) == 0)).all()
    for row, col in np.argwhere(~np.isnat(time))[:60]:
        day = int((time[row, col].astype("datetime64[D]") - scene.days[0]).astype(int))
        total = daily[:, row, col].sum()
        assert daily[:day, row, col].sum() < total / 2 + 1e-6
        assert daily[: day + 1, row, col].sum() >= total / 2 - 1e-6


def test_passes_differ_from_cell_to_cell_by_a_measured_amount():
    region = Region("T", (21.0, 38.0, 21.64, 38.64), 0.01)
    bands = (Band.RED, Band.NIR, Band.M11)
    world = build_world(
        region, np.datetime64("2021-08-01"), 8, 3, climate_named("mediterranean"), bands=bands
    )
    common, red, nir, _ = world.unevenness.reshape(4, -1).std(1)
    assert common == pytest.approx(0.08, rel=0.3)
    assert red == pytest.approx(0.09, rel=0.3)
    assert nir < common / 2


@pytest.mark.parametrize("climate", ["boreal", "mediterranean", "cerrado"])
def test_masks_of_confounders_hold_the_ground_that_changed_without_fire(climate):
    scene = simulate(start="2020-05-10", seed=11, climate=climate, size=64, days=60)
    changes = scene.world.changes
    flat = np.full((3, *scene.region.shape), 0.2, np.float32)
    days = [changes.apply(flat.copy(), day) for day in range(60)]
    moved = np.ptp(np.stack(days), axis=0).max(0)
    grounds = {name: mask for name, mask in scene.confounders.items() if name != "coast"}
    masked = np.logical_or.reduce(list(grounds.values()))
    assert grounds, "this seed has none"
    assert np.median(moved[masked]) > 1.8 * np.median(moved[~masked])
    assert masked.mean() < 0.7


def test_coast_is_land_that_is_part_water():
    scene = simulate(start="2020-07-10", seed=11, climate="boreal", size=64, days=8)
    coast, share = scene.confounders["coast"], scene.world.surface.fractions[0]
    assert coast.any()
    assert not coast[scene.water].any()
    assert (share[coast] > 0.05).all()
    assert (share[~coast & ~scene.water] <= 0.05).all()
