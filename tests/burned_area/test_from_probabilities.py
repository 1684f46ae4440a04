"""The rules from daily probabilities to a map, and the map's own arithmetic."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import MAX_UNCERTAINTY, date_at, date_uncertainty, summarise
from banet.days import day_range
from banet.errors import InputError
from banet.grid.region import Region

NAT = np.datetime64("NaT", "D")
SHAPE = (3, 4)
REGION = Region("T", (10, 40, 10.04, 40.03), 0.01)
DAYS = day_range(np.datetime64("2020-12-30"), np.datetime64("2021-01-03"))


def summarised_by_hand(p, threshold):
    """The rules for one cell, written as they are told."""
    total = sum(float(v) for v in p)
    fraction = min(1.0, total)
    if fraction < threshold:
        return fraction, -1, 255
    day = max(range(len(p)), key=lambda t: (p[t], -t))
    h = 0
    while sum(float(p[t]) for t in range(max(0, day - h), min(len(p), day + h + 1))) < 0.8 * total * (
        1 - 1e-7
    ):
        h += 1
    return fraction, day, min(h, 254)


PROBABILITIES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(1, 3)),
    # Twentieths make equal days and shares of exactly 0.8 common.
    elements=st.integers(0, 20).map(lambda n: float(np.float32(n / 20))),
)


@settings(max_examples=150, deadline=None)
@given(p=PROBABILITIES, threshold=st.sampled_from([0.05, 0.32, 0.73, 1.0]))
def test_the_rules_are_those_told_cell_by_cell(p, threshold):
    got = summarise(p, threshold)
    for row, col in np.ndindex(p.shape[1:]):
        fraction, day, uncertainty = summarised_by_hand(p[:, row, col], np.float32(threshold) - 1e-7)
        assert got.burned_fraction[row, col] == pytest.approx(fraction, abs=1e-6)
        assert got.day[row, col] == day
        assert got.uncertainty[row, col] == uncertainty


def test_a_share_is_reached_though_float32_rounds_it_off():
    daily = np.array([0.1, 0.2, 0.4, 0.3], np.float32)[:, None]
    assert daily[:2].sum(dtype=float) < 0.3 * daily.sum(dtype=float)
    assert date_at(daily, 0.3).tolist() == [1]
    assert date_at(daily, 0.31).tolist() == [2]


def test_golden_cells():
    cells = {
        "one day": ([0, 0, 0.9, 0, 0], 0.9, 2, 0),
        "two equal days take the first": ([0, 0.4, 0, 0.4, 0], 0.8, 1, 2),
        "four fifths exactly on one day": ([0.1, 0.8, 0, 0, 0.1], 1.0, 1, 0),
        "spread evenly": ([0.2] * 5, 1.0, 0, 3),
        "more than one": ([0.9, 0.9, 0, 0, 0], 1.0, 0, 1),
        "the threshold itself burns": ([0, 0, 0, 0.25, 0.25], 0.5, 3, 1),
        "below it does not": ([0, 0, 0, 0.25, 0.2], 0.45, -1, 255),
    }
    p = np.array([cell[0] for cell in cells.values()], np.float32).T[:, :, None]
    got = summarise(p)
    for index, (name, (_, fraction, day, uncertainty)) in enumerate(cells.items()):
        assert got.burned_fraction[index, 0] == pytest.approx(fraction, abs=1e-6), name
        assert (got.day[index, 0], got.uncertainty[index, 0]) == (day, uncertainty), name


def test_uncertainty_stops_at_254_days():
    p = np.zeros((400, 1), np.float32)
    p[0], p[399] = 0.6, 0.5
    assert date_uncertainty(p, np.array([0], np.int32))[0] == MAX_UNCERTAINTY


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_probabilities_must_be_finite(bad):
    p = np.zeros((4, 2, 2), np.float32)
    p[1, 0, 1] = bad
    with pytest.raises(InputError, match="not finite"):
        summarise(p)


def test_rules_refuse_wrong_shapes_and_thresholds():
    with pytest.raises(InputError, match="days, rows and columns"):
        summarise(np.zeros((0, 2, 2), np.float32))
    with pytest.raises(InputError, match="days, rows and columns"):
        summarise(np.zeros((2, 2), np.float32))
    for threshold in (0, -0.1, 1.1, np.nan):
        with pytest.raises(InputError, match="threshold"):
            summarise(np.zeros((1, 2, 2), np.float32), threshold)


@pytest.fixture
def planes():
    """Row 0: burned, a cell a day. Row 1: unburned. Row 2: water and unobserved cells, some with burning."""
    p = np.zeros((4, *SHAPE), np.float32)
    p[np.arange(4), 0, np.arange(4)] = [0.5, 0.6, 0.7, 0.8]
    p[:, 1, 1] = 0.1
    p[3, 2, 0] = p[2, 2, 2] = 0.9
    p[0, 2, 3] = 0.2
    observed = np.ones(p.shape, bool)
    observed[1:, 1, 0] = False
    observed[:, 2, 1:] = False
    water = np.zeros(SHAPE, bool)
    water[2, 0] = True
    return p, observed, water


@pytest.fixture
def burnmap(planes):
    return BurnedArea.from_probabilities(
        REGION, DAYS, *planes, attrs={"weights": [{"name": "x"}], "notes": []}
    )


def test_the_four_things_a_cell_can_be(burnmap):
    status = [[1, 1, 1, 1], [0, 0, 0, 0], [-2, -1, 1, -1]]
    assert np.array_equal(burnmap.status, status)
    assert np.array_equal(burnmap.burned, np.equal(status, 1))
    assert np.array_equal(burnmap.burn_doy, [[365, 366, 1, 2], [0, 0, 0, 0], [-2, -1, 1, -1]])
    assert np.array_equal(burnmap.confidence, [[50, 60, 70, 80], [0, 40, 0, 0], [255, 255, 90, 255]])
    assert np.array_equal(burnmap.uncertainty, [[0] * 4, [255] * 4, [255, 255, 0, 255]])
    assert np.array_equal(np.isnan(burnmap.burned_fraction), np.less(status, 0))
    assert np.array_equal(burnmap.observed_days, [[4, 4, 4, 4], [1, 4, 4, 4], [4, 0, 0, 0]])
    assert np.array_equal(np.isnat(burnmap.burn_date), np.not_equal(status, 1))
    assert (burnmap.start, burnmap.stop) == (DAYS[0], np.datetime64("2021-01-03"))
    assert burnmap.burn_doy.dtype == np.int16
    assert burnmap.confidence.dtype == burnmap.uncertainty.dtype == np.uint8


def test_hectares_by_day_are_of_true_cells(burnmap):
    areas = REGION.cell_area_ha
    series = burnmap.daily_area_ha()
    assert list(series.index.strftime("%Y-%m-%d")) == ["2020-12-30", "2020-12-31", "2021-01-01", "2021-01-02"]
    expected = [0.5 * areas[0], 0.6 * areas[0], 0.7 * areas[0] + 0.9 * areas[2], 0.8 * areas[0]]
    np.testing.assert_allclose(series, expected, rtol=1e-6)
    assert burnmap.burned_area_ha == pytest.approx(sum(expected), rel=1e-6)
    whole = burnmap.daily_area_ha(weighted=False)
    np.testing.assert_allclose(whole, [areas[0], areas[0], areas[0] + areas[2], areas[0]])
    # About 1.11 km by 0.85 km at 40 degrees north.
    assert 94 < areas[0] < 96


def test_the_way_through_a_dataset_changes_nothing(burnmap):
    assert_same(BurnedArea.from_dataset(burnmap.to_dataset()), burnmap)


def test_the_way_through_a_file_changes_nothing(burnmap, tmp_path):
    import xarray as xr

    file = tmp_path / "map.nc"
    burnmap.to_dataset().to_netcdf(file, engine="h5netcdf")
    with xr.open_dataset(file, engine="h5netcdf") as dataset:
        assert dataset["uncertainty"].encoding["dtype"] == np.uint8
        assert_same(BurnedArea.from_dataset(dataset.load()), burnmap)
        assert dataset["uncertainty"].dtype.kind == "f"


def test_a_dataset_says_where_it_lies(burnmap):
    dataset = burnmap.to_dataset()
    assert dataset.spatial_ref.attrs["GeoTransform"].split()[0] == "10.0"
    assert "4326" in dataset.spatial_ref.attrs["crs_wkt"]
    np.testing.assert_allclose(dataset.latitude, [40.025, 40.015, 40.005])
    assert dataset.attrs["Conventions"] == "CF-1.11"
    assert np.array_equal(dataset.status, burnmap.status)


def assert_same(got, expected):
    for field in dataclasses.fields(BurnedArea):
        first, second = getattr(got, field.name), getattr(expected, field.name)
        if isinstance(second, np.ndarray):
            assert first.dtype == second.dtype, field.name
            np.testing.assert_array_equal(first, second, err_msg=field.name)
        else:
            assert first == second, field.name


def test_a_dataset_that_is_no_map(burnmap):
    dataset = burnmap.to_dataset()
    with pytest.raises(InputError, match="lacks burn_date, banet_attrs"):
        broken = dataset.drop_vars("burn_date")
        del broken.attrs["banet_attrs"]
        BurnedArea.from_dataset(broken)
    with pytest.raises(InputError, match="no JSON"):
        BurnedArea.from_dataset(dataset.assign_attrs(banet_region="{"))


def test_a_higher_threshold(burnmap, planes):
    higher = burnmap.at_threshold(0.65)
    assert_same(
        higher,
        BurnedArea.from_probabilities(REGION, DAYS, *planes, threshold=0.65, attrs=dict(burnmap.attrs)),
    )
    with pytest.raises(InputError, match="map again with threshold 0.4"):
        burnmap.at_threshold(0.4)


def test_a_higher_threshold_forgets_what_was_burned_but_never_observed(burnmap):
    assert burnmap.status[2, 2] == 1
    assert burnmap.at_threshold(0.95).status[2, 2] == -1


def test_a_crop_is_the_map_of_its_cells(burnmap):
    part = burnmap.crop(slice(1, 3), slice(2, 4), "part")
    assert part.region.bbox == (10.02, 40.0, 10.04, 40.02)
    assert np.array_equal(part.status, burnmap.status[1:3, 2:4])
    np.testing.assert_allclose(part.region.cell_area_ha, REGION.cell_area_ha[1:3])


def test_bands_of_a_large_region_join(monkeypatch, planes):
    whole = BurnedArea.from_probabilities(REGION, DAYS, *planes)
    monkeypatch.setattr("banet.burned_area.burned_area._MAX_CELLS_AT_ONCE", 20)
    assert_same(BurnedArea.from_probabilities(REGION, DAYS, *planes), whole)


def test_no_mask_means_no_water(planes):
    p, observed, _ = planes
    assert BurnedArea.from_probabilities(REGION, DAYS, p, observed).status[2, 0] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"burned_fraction": np.zeros((2, 4), np.float32)}, r"burned_fraction is \(2, 4\), not \(3, 4\)"),
        ({"uncertainty": np.zeros(SHAPE, np.float32)}, "uncertainty is float32, not uint8"),
        ({"water": np.zeros(SHAPE, np.uint8)}, "water is uint8, not bool"),
        ({"burn_date": np.full(SHAPE, NAT)}, "cells are dated but burned less"),
        ({"burned_fraction": np.zeros(SHAPE, np.float32)}, "cells are dated but burned less"),
        ({"threshold": -0.1}, "threshold"),
        ({"threshold": 0.0}, "dated but burned nothing, or the reverse"),
        ({"stop": "2020-12-30"}, "holds no day"),
        ({"stop": "2021-01-02"}, "reach outside"),
        ({"start": "2020-12-31"}, "reach outside"),
    ],
)
def test_a_map_that_contradicts_itself(burnmap, change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(burnmap, **change)


def test_probabilities_that_do_not_fit(planes):
    p, observed, water = planes
    with pytest.raises(InputError, match="without gaps"):
        BurnedArea.from_probabilities(REGION, DAYS[[0, 1, 3, 2]], p, observed, water)
    with pytest.raises(InputError, match="do not fit 3 days"):
        BurnedArea.from_probabilities(REGION, DAYS[:3], p, observed, water)
    with pytest.raises(InputError, match="do not fit 4 days"):
        BurnedArea.from_probabilities(REGION, DAYS, p, observed[:3], water)
