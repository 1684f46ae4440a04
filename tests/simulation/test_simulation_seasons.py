"""Seasons, nights and latitudes: what the sun, the hemisphere and the year do to a scene."""

from __future__ import annotations

import numpy as np
import pytest

from banet.errors import InputError
from banet.grid.region import Region
from banet.simulation import simulate, write_scene
from banet.simulation.climates import climate_named
from banet.simulation.land_surface import greenness
from banet.simulation.observe import observations
from banet.simulation.overpasses import solar_zenith
from banet.simulation.spectra import Cover
from banet.simulation.world import World, build_world


def world_of(climate: str, west: float, south: float, start: str, seed: int = 0, days: int = 10) -> World:
    place = Region("P", (west, south, west + 0.16, south + 0.16))
    return build_world(place, np.datetime64(start), days, seed, climate_named(climate))


def test_the_polar_night_has_no_reflectance(tmp_path):
    scene = simulate(Region("DARK", (25, 69.8, 25.16, 69.96)), "2020-12-15", days=2, seed=3, climate="boreal")
    assert scene.world.image_overpasses
    for plane in (scene.red, scene.nir, scene.mir, scene.view_zenith):
        assert np.isnan(plane).all()
    kinds = ("viirs750-gridded", "viirs375-gridded", "viirs750-swath", "surface")
    written = write_scene(scene, tmp_path, formats=kinds)
    assert [len(written[kind]) for kind in kinds] == [0, 0, 0, 0]


def test_the_part_of_an_overpass_in_the_sun_is_kept():
    region = Region("EDGE", (25, 60, 25.4, 62.6), 0.04)
    world = build_world(region, np.datetime64("2020-12-15"), 4, 3, climate_named("boreal"))
    cut = 0
    for view in observations(world):
        lit = view.geometry.solar_zenith <= 85
        inside = view.geometry.view_zenith <= 69.5
        seen = np.isfinite(view.reflectance[0])
        assert not seen[~lit].any()
        if world.missing_rows(view.overpass) == (0, 0):
            assert seen[lit & inside].all()
        cut += lit.any() and not lit.all()
    assert cut


def test_a_view_in_the_sun_is_taken_where_a_better_one_is_in_the_dark():
    region = Region("DUSK", (25, -58, 25.32, -57.68), 0.04)
    start = np.datetime64("2024-06-15")
    fleet = {"satellites": ("N", "N20", "N21"), "start": start, "days": 8, "climate": "boreal", "seed": 3}
    scene = simulate(region, **fleet)
    lon, lat = np.meshgrid(region.longitudes, region.latitudes)
    lit = np.zeros((8, *region.shape), bool)
    for view in observations(scene.world):
        sun = solar_zenith(start, view.overpass.time_h, lon, lat)
        lit[int(view.overpass.time_h // 24)] |= (sun < 84.9) & np.isfinite(view.reflectance[0])
    assert lit.any()
    assert np.isfinite(scene.red)[lit].all()


@pytest.mark.parametrize("start", ["2020-10-15", "2020-12-15", "2020-12-31", "2021-01-01", "2021-03-01"])
def test_snow_lies_in_boreal_winter_and_melts_in_spring(start):
    worlds = [world_of("boreal", -150, 64, start, seed) for seed in range(15)]
    snowy = [world.changes for world in worlds if world.changes.snow is not None]
    assert len(snowy) >= 8
    assert {str(np.datetime64(start) + round(changes.thaw))[:7] for changes in snowy} == {"2021-04"}
    white = max(snowy, key=lambda changes: changes.snow.mean())
    white.moisture[:] = 0
    flat = np.full((3, 16, 16), 0.1, np.float32)
    first, late = (white.apply(flat.copy(), day)[0] for day in (0, 9))
    assert np.median(first) > 0.3
    assert np.median(late) > 0.3


def test_no_snow_lies_at_the_start_of_summer_and_autumn():
    for start in ("2020-06-15", "2020-10-10"):
        assert all(world_of("boreal", -150, 64, start, seed).changes.snow is None for seed in range(6))


@pytest.mark.parametrize(
    ("south", "start", "day"),
    [(38, "2020-05-31", 23), (-36, "2020-12-05", 18), (-36, "2020-01-01", -8), (38, "2020-12-31", 174)],
)
def test_the_harvest_is_that_of_the_half_years_about_the_start(south, start, day):
    harvests = [world_of("mediterranean", -6, south, start, seed).changes.harvest for seed in range(8)]
    assert np.median(harvests) == pytest.approx(day, abs=25)


@pytest.mark.parametrize("climate", ["mozambique", "cerrado", "australia"])
def test_a_climate_of_the_south_has_the_seasons_of_the_north_there(climate):
    def green(south: float, start: str) -> float:
        worlds = [world_of(climate, 35, south, start, seed) for seed in range(3)]
        return float(np.mean([world.surface.green[0, Cover.GRASS] for world in worlds]))

    for month, half_a_year_on in (("2020-02-10", "2020-08-10"), ("2020-08-10", "2020-02-09")):
        assert green(8, month) == pytest.approx(green(-17, half_a_year_on), abs=0.05)


@pytest.mark.parametrize("climate", ["mediterranean", "cerrado", "mozambique", "boreal"])
def test_every_year_is_as_green_as_the_first(climate):
    drawn = [
        greenness(climate_named(climate), np.arange(1, 1097.0), np.random.default_rng(k)) for k in range(8)
    ]
    years = np.stack([np.mean(drawn, 0)[365 * i : 365 * (i + 1)] for i in (1, 2)])
    assert years[:, :, Cover.GRASS].max(1).min() > 0.8
    np.testing.assert_allclose(years[0], years[1], atol=0.03)
    assert np.abs(np.diff(np.mean(drawn, 0), axis=0)).max() < 0.05  # no leap where a drought ends


def test_a_record_of_half_a_year_has_one_drought():
    climate, days = climate_named("cerrado"), 200 + np.arange(183.0)
    whole = greenness(climate, days, np.random.default_rng(1))
    np.testing.assert_array_equal(whole[:64], greenness(climate, days[:64], np.random.default_rng(1)))


def test_regions_beyond_72_degrees_are_refused():
    for box in ((20, 71.8, 20.3, 72.1), (20, -75, 20.3, -74.7)):
        with pytest.raises(InputError, match=r"reaches to 7[25].* give one within 72 degrees"):
            simulate(Region("POLE", box), days=2)
    assert simulate(Region("NORTH", (20, 71.7, 20.3, 72.0)), days=1, climate="boreal").red.shape[0] == 1
