"""Another author's land: what burned is seen to burn, on its day, under clouds of its own."""

from __future__ import annotations

import numpy as np
import pytest

from banet.simulation.other_land import images_of

DAYS = np.arange("2021-07-01", "2021-07-31", dtype="datetime64[D]")
NEVER = np.datetime64("NaT", "D")


@pytest.fixture(scope="module")
def scene():
    date = np.full((48, 64), NEVER)
    date[10:30, 20:44] = DAYS[15]
    fraction = np.where(np.isnat(date), 0, 1).astype(np.float32)
    fraction[10:12, 20:44] = 0.2
    return date, fraction


def index(images):
    _, nir, mir = images
    return (nir - mir) / (nir + mir)


def test_the_index_falls_where_it_burned_and_when(scene):
    date, fraction = scene
    got = index(images_of(date, fraction, DAYS, 3))

    def fall(first, day, last, cells):
        return np.nanmedian(got[first:day, cells]) - np.nanmedian(got[day:last, cells])

    whole, faint, never = fraction == 1, (fraction > 0) & (fraction < 1), fraction == 0
    assert fall(5, 15, 25, whole) > 0.25
    assert abs(fall(5, 15, 25, never)) < 0.12, "land dries, and clouds hide other parts of it"
    assert fall(5, 15, 25, never) < fall(5, 15, 25, faint) < 0.5 * fall(5, 15, 25, whole)
    assert abs(fall(0, 10, 15, whole)) < 0.05, "nothing falls before its day"


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_reflectance_is_physical_and_some_of_it_is_lost(scene, seed):
    images = np.stack(images_of(*scene, DAYS, seed))
    assert images.dtype == np.float32
    assert images.shape == (3, len(DAYS), 48, 64)
    lost = np.isnan(images)
    assert (lost[0] == lost[1]).all(), "a cloud hides every band"
    assert 0.1 < lost.mean() < 0.7
    assert np.nanmin(images) > 0
    assert np.nanmax(images) < 1


def test_the_seed_decides(scene):
    one, same, other = (images_of(*scene, DAYS, seed)[1] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.isin(one[np.isfinite(one)], other).mean() < 0.05
