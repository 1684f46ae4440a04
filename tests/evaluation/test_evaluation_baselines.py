"""Baselines: what each maps on small cubes made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from banet.cube import Cube
from banet.errors import InputError
from banet.evaluation.baselines import (
    active_fires,
    change_at,
    grown_fires,
    index_drop,
    index_of,
    largest_drop,
    median_without_missing,
)
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("T", (10, 40, 10.3, 40.3), 0.01)
DAYS = np.arange("2020-12-10", "2021-01-21", dtype="datetime64[D]")
BURNED = np.zeros(REGION.shape, bool)
BURNED[8:14, 8:16] = True
FIRES = np.zeros(REGION.shape, bool)
FIRES[9:12, 9:12] = True
NIGHT = 21  # index of the day it burned: 31 December


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """Vegetation burns in a block on one day, hot spots show a part; a third of the cells is clouded."""
    rng = np.random.default_rng(0)
    cube = Cube.create(tmp_path_factory.mktemp("cube") / "c.zarr", REGION, sensor="test", mir_band="M12")
    for k, day in enumerate(DAYS):
        if k == 5:
            continue  # a day that nobody observed
        after = BURNED & (k > NIGHT)
        nir = np.where(after, 0.12, 0.30) + rng.normal(0, 0.01, REGION.shape)
        mir = np.where(after, 0.14, 0.10) + rng.normal(0, 0.005, REGION.shape)
        red = np.full(REGION.shape, 0.08)
        cloud = rng.random(REGION.shape) < 0.3
        planes = [np.where(cloud, np.nan, band).astype(np.float32) for band in (red, nir, mir)]
        frp = np.zeros(REGION.shape, np.float32)
        if k in (NIGHT, NIGHT + 1):
            frp[FIRES] = 12
        count = (~cloud).astype(np.uint8)
        cube.write_day(day, DayPlanes(*planes, np.full(REGION.shape, 20, np.float32), count), frp)
    return cube


def test_active_fires_are_dated_by_the_first(cube):
    got = active_fires(cube, "2020-12-15", "2021-01-10")
    np.testing.assert_array_equal(got.burned, FIRES)
    assert (got.burn_date[FIRES] == np.datetime64("2020-12-31")).all()
    assert (got.burned_fraction[FIRES] == 1).all()
    assert (got.start, got.stop) == (np.datetime64("2020-12-15"), np.datetime64("2021-01-11"))
    assert (got.observed_days == 26).all()  # one of the 27 days has no file
    assert got.attrs["method"] == "active fires"
    january = active_fires(cube, "2021-01", "2021-01")
    assert (january.burn_date[FIRES] == np.datetime64("2021-01-01")).all()
    assert not active_fires(cube, "2021-01-02", "2021-01-05").burned.any()


def test_fires_on_water_do_not_count(cube):
    water = np.zeros(REGION.shape, bool)
    water[9] = True
    cube.set_water(water)
    got = active_fires(cube, "2020-12", "2021-01")
    cube.set_water(np.zeros(REGION.shape, bool))
    assert not got.burned[9].any()
    assert got.burned[10].any()


def test_grown_fires_fill_what_changed_and_stop_where_nothing_did(cube):
    got = grown_fires(cube, "2020-12-15", "2021-01-10", reach=5)
    assert (got.burned & BURNED).sum() >= 0.95 * BURNED.sum()
    assert (got.burned & ~BURNED).sum() <= 0.05 * BURNED.sum()
    assert (got.burn_date[got.burned] == np.datetime64("2020-12-31")).all()


def test_growth_is_bounded_and_without_fires_there_is_none(cube):
    one = grown_fires(cube, "2020-12-15", "2021-01-10", reach=1)
    assert one.burned.sum() == 25  # 3 x 3 fires and one ring, all of it burned
    none = grown_fires(cube, "2021-01-03", "2021-01-10")
    assert not none.burned.any()
    with pytest.raises(InputError, match="at least 1"):
        grown_fires(cube, "2020-12", "2020-12", reach=0)


def test_a_detection_beside_the_fire_is_dropped_when_confirmation_is_asked_for(tmp_path):
    """Twelve fires on cells that changed, three on cells that did not."""
    cube = Cube.create(tmp_path / "c.zarr", REGION, sensor="test", mir_band="M12")
    changed = np.zeros(REGION.shape, bool)
    changed[5:8, 5:9] = True
    beside = np.zeros(REGION.shape, bool)
    beside[5:8, 9] = True
    ones = np.ones(REGION.shape, np.uint8)
    for k, day in enumerate(DAYS[:20]):
        nir = np.where(changed & (k > 10), 0.12, 0.3).astype(np.float32)
        mir = np.full(REGION.shape, 0.1, np.float32)
        frp = ((changed | beside) & (k == 10)).astype(np.float32)
        cube.write_day(day, DayPlanes(mir, nir, mir, mir, ones), frp)
    loose = grown_fires(cube, "2020-12-10", "2020-12-29")
    strict = grown_fires(cube, "2020-12-10", "2020-12-29", confirm=True)
    np.testing.assert_array_equal(loose.burned, changed | beside)
    np.testing.assert_array_equal(strict.burned, changed)


def test_grown_fires_take_no_cell_that_changed_less_than_quiet_ones_do(tmp_path):
    """Where nothing burned the index of a fifth falls by 0.4; two cells by the fire fall by 0.3 and 0.45."""
    cube = Cube.create(tmp_path / "c.zarr", REGION, sensor="test", mir_band="M12")
    drop = np.zeros(REGION.shape)
    drop[:, ::5] = 0.4
    drop[10:20, 10:20] = 0
    drop[15, 15], drop[15, 14], drop[15, 16] = 0.5, 0.3, 0.45
    ones = np.ones(REGION.shape, np.float32)
    for k, day in enumerate(DAYS[:3]):
        nir = (0.2 * (1.5 - drop * (k == 2))).astype(np.float32)
        frp = ((drop == 0.5) & (k == 1)).astype(np.float32)
        cube.write_day(day, DayPlanes(ones * 0.1, nir, 0.4 - nir, ones, ones.astype(np.uint8)), frp)
    got = grown_fires(cube, DAYS[1], DAYS[1], days=1)
    assert list(zip(*np.nonzero(got.burned), strict=True)) == [(15, 15), (15, 16)]


def test_index_drop_finds_the_burn_without_hot_spots(cube):
    got = index_drop(cube, "2020-12-15", "2021-01-10")
    assert (got.burned & BURNED).sum() >= 0.95 * BURNED.sum()
    assert (got.burned & ~BURNED).sum() == 0
    error = (got.burn_date[got.burned] - np.datetime64("2021-01-01")).astype(int)
    assert np.median(error) == 0
    assert np.abs(error).mean() < 2
    assert got.observed_days.max() <= 27
    with pytest.raises(InputError, match="at least 2"):
        index_drop(cube, "2020-12", "2020-12", days=1)


def test_median_leaves_out_what_is_missing():
    rng = np.random.default_rng(1)
    values = rng.random((7, 5, 6)).astype(np.float32)
    values[rng.random(values.shape) < 0.4] = np.nan
    values[:, 0, 0] = np.nan
    got = median_without_missing(values)
    assert np.isnan(got[0, 0])
    known = np.isfinite(values).any(axis=0)
    np.testing.assert_allclose(got[known], np.nanmedian(values[:, known], axis=0), rtol=1e-6)
    assert np.isnan(median_without_missing(values[:0])).all()


def test_change_at_needs_both_sides():
    days = np.arange("2021-01-01", "2021-01-06", dtype="datetime64[D]")
    values = np.array([1, 1, 5, 3, 3], np.float32)[:, None, None]
    cells = (np.zeros(3, int), np.zeros(3, int))
    got = change_at(
        values, days, cells, np.array(["2021-01-03", "2021-01-01", "2021-01-05"], "datetime64[D]"), 2
    )
    assert got[0] == -2
    assert np.isnan(got[1:]).all()


def test_index_of_nothing_is_missing():
    got = index_of(np.array([0.3, 0.0, np.nan], np.float32), np.array([0.1, 0.0, 0.1], np.float32))
    assert got[0] == pytest.approx(0.5)
    assert np.isnan(got[1:]).all()


def test_a_single_day_is_no_drop():
    values = np.full((10, 1, 1), 0.5, np.float32)
    values[4] = -0.5
    inside = np.ones(10, bool)
    assert largest_drop(values, values, inside, 4).index_drop[0, 0] < 0.6
    values[4:] = -0.5
    found = largest_drop(values, values, inside, 4)
    assert (found.day[0, 0], found.index_drop[0, 0], found.nir_drop[0, 0]) == (4, 1, 1)
