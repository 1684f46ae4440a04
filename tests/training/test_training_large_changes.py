"""Large changes put into episodes: scars of which all planes tell the same, and decoys that are no fire."""

from __future__ import annotations

import numpy as np
import pytest

from banet.training.large_changes import add_decoys, add_scars

DAYS, SIZE = 24, 48
GRASS = np.array([0.08, 0.30, 0.10], np.float32)


@pytest.fixture
def planes() -> np.ndarray:
    """Grass that is clear on every day."""
    planes = np.zeros((4, DAYS, SIZE, SIZE), np.float32)
    planes[:3] = GRASS.reshape(3, 1, 1, 1)
    return planes


def _burned(planes: np.ndarray, seed: int, target: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    got = planes.copy()
    truth = np.zeros(planes.shape[1:], np.float32) if target is None else target.copy()
    add_scars(got, truth, np.random.default_rng(seed))
    return got, truth


@pytest.mark.parametrize("seed", range(8))
def test_images_change_where_it_burned_from_that_day_on(planes: np.ndarray, seed: int) -> None:
    got, truth = _burned(planes, seed)
    assert truth.sum(0).max() <= 1 + 1e-6
    changed = np.nan_to_num(np.abs(got[:3] - planes[:3])).max(0) > 1e-4
    before = np.cumsum(truth, axis=0) == 0
    assert not (changed & before).any()
    untouched = truth.sum(0) == 0
    assert not changed[:, untouched].any()
    # A day after, every cell of which much burned has the lower NIR of char.
    day = np.minimum(truth.argmax(0) + 1, DAYS - 1)
    well = (truth.sum(0) > 0.9) & (truth.argmax(0) < DAYS - 1)
    after = np.take_along_axis(got[1], day[None], axis=0)[0]
    assert (np.isnan(after) | (after < GRASS[1]))[well].all()


@pytest.mark.parametrize("seed", range(8))
def test_hot_spots_lie_on_the_day_of_burning_or_two_after_and_a_cell_away_at_most(
    planes: np.ndarray, seed: int
) -> None:
    got, truth = _burned(planes, seed)
    day, row, col = np.nonzero(got[3])
    for d, r, c in zip(day, row, col, strict=True):
        near = truth[max(d - 2, 0) : d + 1, max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2]
        assert near.any()


def test_scars_are_deep_often_and_of_many_contrasts(planes: np.ndarray) -> None:
    from scipy.ndimage import distance_transform_edt

    depths, lows = [], []
    for seed in range(40):
        got, truth = _burned(planes, seed)
        whole = truth.sum(0) > 0.9
        depths.append(distance_transform_edt(np.pad(whole, 1)).max())
        if whole.any() and np.isfinite(got[1, -1, whole]).any():
            lows.append(np.nanmedian(got[1, -1, whole]))
    assert np.mean(np.array(depths) > 8) > 0.25
    assert np.min(lows) < 0.1
    assert np.max(lows) > 0.2


def test_what_burns_anyway_and_water_stay(planes: np.ndarray) -> None:
    target = np.zeros((DAYS, SIZE, SIZE), np.float32)
    target[5, :, ::2] = 0.6
    planes[:3, :, ::3] = 0.02
    for seed in range(8):
        got, truth = _burned(planes, seed, target)
        stays = (target.sum(0) > 0) | (np.arange(SIZE) % 3 == 0)[:, None]
        assert np.array_equal(truth[:, stays], target[:, stays])
        seen = np.isfinite(got[:3, :, stays])
        assert np.array_equal(got[:3, :, stays][seen], planes[:3, :, stays][seen])


def test_days_that_nobody_saw_stay_so(planes: np.ndarray) -> None:
    planes[:3, 4:9] = np.nan
    got, _ = _burned(planes, 3)
    assert np.isnan(got[:3, 4:9]).all()


def test_neither_scars_nor_decoys_show_through_opaque_cloud(planes: np.ndarray) -> None:
    cloudy = planes.copy()
    cloudy[:3, DAYS // 2 :] = np.array([0.6, 0.65, 0.3], np.float32).reshape(3, 1, 1, 1)
    burned = 0
    for seed in range(12):
        scarred, truth = _burned(cloudy, seed)
        changed = cloudy.copy()
        add_decoys(changed, np.zeros_like(truth), np.random.default_rng(seed), told=True)
        for got in (scarred, changed):
            late = got[:3, DAYS // 2 :]
            assert np.array_equal(late[np.isfinite(late)], cloudy[:3, DAYS // 2 :][np.isfinite(late)])
        burned += int((truth[: DAYS // 2].sum(0) > 0.5).sum())
    assert burned > 100


def test_the_ground_of_a_band_is_the_median_of_its_own_looks(planes: np.ndarray) -> None:
    """A MIR band lost on most days does not make the scar brighter than the ground it burned."""
    lossy = planes.copy()
    lossy[2, ::2] = np.nan
    lossy[2, 1::4] = np.nan
    for seed in range(8):
        got, _ = _burned(lossy, seed)
        burned, _ = _burned(planes, seed)
        seen = np.isfinite(got[2]) & np.isfinite(burned[2])
        np.testing.assert_allclose(got[2][seen], burned[2][seen], atol=1e-6)


def test_nothing_burns_where_nobody_ever_looked(planes: np.ndarray) -> None:
    planes[:3] = np.nan
    got, truth = _burned(planes, 3)
    assert np.isnan(got[:3]).all()
    assert not truth.any()
    assert not got[3].any()


def test_decoys_change_images_alone_and_leave_what_burned(planes: np.ndarray) -> None:
    target = np.zeros((DAYS, SIZE, SIZE), np.float32)
    target[5, :12] = 0.6
    planes[3, 6] = 4
    planes[:3, 10] = np.nan
    changed = 0
    for seed in range(30):
        got, truth = planes.copy(), target.copy()
        add_decoys(got, truth, np.random.default_rng(seed))
        assert np.array_equal(truth, target)
        assert np.array_equal(got[3], planes[3])
        assert np.array_equal(np.isnan(got), np.isnan(planes))
        assert np.array_equal(got[:, :, :12], planes[:, :, :12], equal_nan=True)
        assert np.nanmin(got) >= 0
        changed += not np.array_equal(got, planes, equal_nan=True)
    assert changed > 25


def test_soil_that_looks_like_char_is_turned_only_where_hot_spots_tell(planes: np.ndarray) -> None:
    def dark(told: bool) -> int:
        found = 0
        for seed in range(60):
            got = planes.copy()
            add_decoys(got, np.zeros(planes.shape[1:], np.float32), np.random.default_rng(seed), told=told)
            last = got[:3, -1]
            found += bool(((last[1] < 0.17) & (last[2] > 0.115) & (last[0] > 0.05)).any())
        return found

    assert dark(told=True) > dark(told=False) + 8
