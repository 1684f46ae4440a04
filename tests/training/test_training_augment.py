"""Variations: what each may change and what it must leave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banet.training.augment import (
    add_discs,
    add_false_hotspots,
    add_fields,
    add_noise,
    augment,
    change_contrast,
    change_gains,
    constant_square,
    drop_days,
    keep_span,
    keep_span_around,
    lose_band,
    lose_weeks,
    remove_hotspot_days,
    remove_hotspot_squares,
    spill_hotspots,
    thin_hotspots,
    turn,
    withhold_hotspots,
    withhold_images,
)
from banet.training.config import AugmentConfig

NOTHING = AugmentConfig(
    flips=False,
    frp_all=0,
    frp_days=0,
    frp_squares=0,
    frp_thin=0,
    frp_false=0,
    images_all=0,
    images_span=0,
    days_dropped=0,
    constant_square=0,
    gain=0,
    noise=0,
)
SHAPE = (4, 16, 24, 24)


@pytest.fixture
def planes() -> np.ndarray:
    rng = np.random.default_rng(0)
    planes = rng.uniform(0.02, 0.6, SHAPE).astype(np.float32)
    planes[:3, rng.random(SHAPE[1:]) < 0.2] = np.nan
    planes[3] = np.where(rng.random(SHAPE[1:]) < 0.2, 10, 0)
    return planes


@pytest.fixture
def target(planes: np.ndarray) -> np.ndarray:
    return (planes[3] > 0).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_with_all_off_nothing_changes(
    planes: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> None:
    got, same = augment(planes.copy(), target.copy(), NOTHING, rng)
    np.testing.assert_array_equal(got, planes)
    np.testing.assert_array_equal(same, target)


@pytest.mark.parametrize("seed", range(12))
def test_truth_follows_the_planes_and_the_seed_decides(
    planes: np.ndarray, target: np.ndarray, seed: int
) -> None:
    config = NOTHING.model_copy(update={"flips": True})
    got, truth = augment(planes.copy(), target.copy(), config, np.random.default_rng(seed))
    np.testing.assert_array_equal(truth, got[3] > 0)
    everything = AugmentConfig()
    one, _ = augment(planes.copy(), target.copy(), everything, np.random.default_rng(seed))
    two, _ = augment(planes.copy(), target.copy(), everything, np.random.default_rng(seed))
    np.testing.assert_array_equal(one, two)
    assert (np.nan_to_num(one[3], nan=-1) >= 0).all()


def test_one_setting_does_not_change_what_another_draws(planes: np.ndarray, target: np.ndarray) -> None:
    gain = NOTHING.model_copy(update={"gain": 1.0})
    both = gain.model_copy(update={"frp_false": 1.0, "frp_all": 1.0})
    one, _ = augment(planes.copy(), target, gain, np.random.default_rng(1))
    two, _ = augment(planes.copy(), target, both, np.random.default_rng(1))
    np.testing.assert_array_equal(one[:3], two[:3])


def test_the_eight_turns_are_different_and_each_can_be_undone() -> None:
    square = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    images = [turn(square, i).tobytes() for i in range(8)]
    assert len(set(images)) == 8
    for i in range(8):
        assert any(np.array_equal(turn(turn(square, i), j), square) for j in range(8))


def test_withholding(planes: np.ndarray) -> None:
    before = planes.copy()
    withhold_hotspots(planes)
    assert np.isnan(planes[3]).all()
    withhold_hotspots(planes, 0.0)
    assert not planes[3].any()
    np.testing.assert_array_equal(planes[:3], before[:3])
    planes = before.copy()
    withhold_images(planes)
    assert np.isnan(planes[:3]).all()
    np.testing.assert_array_equal(planes[3], before[3])


def test_removed_hot_spot_days_are_one_run(planes: np.ndarray, rng: np.random.Generator) -> None:
    planes[3] = 7
    remove_hotspot_days(planes, rng)
    gone = (planes[3] == 0).all((1, 2))
    assert 4 <= gone.sum() <= 16 and (planes[3][~gone] == 7).all()
    assert (np.abs(np.diff(gone.astype(int))) == 1).sum() <= 2


def test_removed_squares_reach_through_all_days(planes: np.ndarray, rng: np.random.Generator) -> None:
    planes[3] = 7
    remove_hotspot_squares(planes, rng)
    gone = planes[3] == 0
    assert gone.any()
    assert (gone == gone[0]).all()


@given(st.floats(0, 1), st.integers(0, 99))
def test_thinning_only_removes(rate: float, seed: int) -> None:
    planes = np.ones((4, 4, 16, 16), np.float32)
    planes[3, :2] = 0
    thin_hotspots(planes, rate, np.random.default_rng(seed))
    assert set(np.unique(planes[3])) <= {0.0, 1.0}
    left = planes[3, 2:].mean()
    assert abs(left - (1 - rate)) < 0.15
    assert (planes[:3] == 1).all()


def test_false_hot_spots_recur_in_few_cells_and_only_add(
    planes: np.ndarray, rng: np.random.Generator
) -> None:
    before = planes.copy()
    add_false_hotspots(planes, rng)
    more = planes[3] - before[3]
    assert (more >= 0).all()
    assert 0 < (more.sum(0) > 0).sum() <= 6
    np.testing.assert_array_equal(planes[:3], before[:3])


def test_dropped_days_are_whole_and_about_as_many_as_asked(rng: np.random.Generator) -> None:
    planes = np.ones((4, 400, 2, 2), np.float32)
    drop_days(planes, 0.3, rng)
    lost = np.isnan(planes[:3])
    assert (lost.all((0, 2, 3)) == lost.any((0, 2, 3))).all()
    assert 0.2 < lost.mean() < 0.4
    assert np.isfinite(planes[3]).all()


def test_a_kept_span_is_one_run(rng: np.random.Generator) -> None:
    planes = np.ones((4, 40, 2, 2), np.float32)
    keep_span(planes, rng)
    seen = np.isfinite(planes[:3]).all((0, 2, 3))
    assert 5 <= seen.sum() <= 40
    assert (np.abs(np.diff(np.pad(seen.astype(int), 1))) == 1).sum() == 2
    assert (planes[3] == 1).all()


def test_a_constant_square_keeps_what_is_missing(planes: np.ndarray, rng: np.random.Generator) -> None:
    before = planes.copy()
    constant_square(planes, rng)
    np.testing.assert_array_equal(np.isnan(planes), np.isnan(before))
    np.testing.assert_array_equal(planes[3], before[3])
    changed = np.isfinite(before[:3]) & (planes[:3] != before[:3])
    for band in range(3):
        assert len(np.unique(planes[band][changed[band]])) == 1


def test_gains_are_one_factor_a_band_and_day(planes: np.ndarray, rng: np.random.Generator) -> None:
    before = planes.copy()
    change_gains(planes, AugmentConfig(mir_offset=0.0), rng)
    ratio = planes[:3] / before[:3]
    spread = np.nanmax(ratio, axis=(2, 3)) - np.nanmin(ratio, axis=(2, 3))
    assert (spread < 1e-5).all()
    assert np.nanstd(ratio[:, :, 0, 0], axis=1).max() > 0.005
    np.testing.assert_array_equal(planes[3], before[3])


def test_noise_has_the_asked_deviation_and_keeps_gaps(rng: np.random.Generator) -> None:
    planes = np.zeros((4, 8, 50, 50), np.float32)
    planes[0, 0] = np.nan
    add_noise(planes, 0.01, rng)
    assert np.isnan(planes[0, 0]).all() and np.isfinite(planes[1:]).all()
    assert planes[1:3].std() == pytest.approx(0.01, rel=0.05)
    assert not planes[3].any()


def test_a_run_of_images_holds_a_day_of_fire_or_begins_soon_after(
    planes: np.ndarray, rng: np.random.Generator
) -> None:
    target = np.zeros(SHAPE[1:], np.float32)
    target[11, 3, 4] = 1
    lengths, late = set(), 0
    for _ in range(120):
        left = planes.copy()
        keep_span_around(left, target, 5, rng)
        seen = np.isfinite(left[:3]).any((0, 2, 3))
        days = np.flatnonzero(seen)
        assert seen[11] or days[0] in (12, 13)
        late += not seen[11]
        assert np.array_equal(days, np.arange(days[0], days[-1] + 1))
        assert np.array_equal(left[3], planes[3])
        lengths.add(len(days))
    assert min(lengths) == 4
    assert max(lengths) > 10
    assert 0 < late < 60


def test_a_run_of_images_without_any_fire_lies_anywhere(planes: np.ndarray, rng: np.random.Generator) -> None:
    keep_span_around(planes, np.full(SHAPE[1:], np.nan, np.float32), 5, rng)
    assert 4 <= np.isfinite(planes[:3]).any((0, 2, 3)).sum() <= 16


def test_lost_weeks_are_whole_days_without_images(planes: np.ndarray, rng: np.random.Generator) -> None:
    before = planes.copy()
    lose_weeks(planes, rng)
    lost = ~np.isfinite(planes[:3]).any((0, 2, 3))
    assert 4 <= lost.sum() < SHAPE[1] + 1
    assert np.array_equal(planes[:, ~lost], before[:, ~lost], equal_nan=True)
    assert np.array_equal(planes[3], before[3])


def test_a_lost_band_is_gone_on_a_run_of_days_everywhere_or_in_a_square(planes: np.ndarray) -> None:
    bands, whole = set(), 0
    for seed in range(60):
        left = planes.copy()
        lose_band(left, np.random.default_rng(seed))
        gone = np.isnan(left) & ~np.isnan(planes)
        changed = gone.any((1, 2, 3))
        assert np.array_equal(left[~gone], planes[~gone], equal_nan=True)
        assert changed.sum() == 1
        assert not changed[3]
        bands.add(int(changed.argmax()))
        days = np.flatnonzero(gone.any((0, 2, 3)))
        assert len(days) < SHAPE[1] + 1
        whole += bool(np.isnan(left[changed][0, days]).all())
    assert bands == {0, 1, 2}
    assert 10 < whole < 60


def test_a_band_is_lost_by_the_setting_alone(planes: np.ndarray, target: np.ndarray) -> None:
    settings = NOTHING.model_copy(update={"band_lost": 1.0})
    varied, _ = augment(planes.copy(), target, settings, np.random.default_rng(1))
    kept, _ = augment(planes.copy(), target, NOTHING, np.random.default_rng(1))
    assert np.isnan(varied[:3]).sum() > np.isnan(kept[:3]).sum()


def test_single_cells_lose_all_their_hot_spots(planes: np.ndarray, target: np.ndarray) -> None:
    planes[3] = 5.0
    planes[3, :, :4] = np.nan
    settings = NOTHING.model_copy(update={"frp_cells": 1.0})
    varied, _ = augment(planes.copy(), target, settings, np.random.default_rng(1))
    assert np.array_equal(np.isnan(varied[3]), np.isnan(planes[3])), "where nobody looked nothing is told"
    dark = (varied[3] == 0).any(0)
    assert (varied[3][:, dark] == 0).all()
    assert 0 < dark.mean() < 0.15
    assert (varied[3][:, 4:][:, ~dark[4:]] == 5).all()


def test_powers_keep_their_places_and_days(planes: np.ndarray, target: np.ndarray) -> None:
    settings = NOTHING.model_copy(update={"frp_power": 1.0})
    varied, _ = augment(planes.copy(), target, settings, np.random.default_rng(1))
    assert np.array_equal(varied[3] > 0, planes[3] > 0)
    assert np.array_equal(varied[:3], planes[:3], equal_nan=True)
    hot = planes[3] > 0
    ratio = np.log(varied[3][hot] / planes[3][hot])
    assert ratio.std() > 0.3 and ratio.mean() < 0.5


def test_hot_spots_outside_a_short_record_may_be_not_known(planes: np.ndarray, target: np.ndarray) -> None:
    settings = NOTHING.model_copy(update={"frp_span": 1.0})
    planes[:3, :5], planes[:3, 12:] = np.nan, np.nan
    varied, _ = augment(planes.copy(), target, settings, np.random.default_rng(1))
    assert np.isnan(varied[3, :5]).all() and np.isnan(varied[3, 12:]).all()
    assert np.array_equal(varied[3, 5:12], planes[3, 5:12])
    blind = planes.copy()
    blind[:3] = np.nan
    varied, _ = augment(blind.copy(), target, settings, np.random.default_rng(1))
    assert np.array_equal(varied[3], planes[3]), "without an image the hot spots are all there is"


def test_removed_hot_spots_may_be_such_that_nobody_looked(planes: np.ndarray, target: np.ndarray) -> None:
    settings = NOTHING.model_copy(update={"frp_all": 1.0, "frp_unknown": 1.0})
    varied, _ = augment(planes, target, settings, np.random.default_rng(1))
    assert np.isnan(varied[3]).all()


def test_wide_gains_stay_within_their_range(planes: np.ndarray, target: np.ndarray) -> None:
    settings = NOTHING.model_copy(
        update={"gain": 1.0, "gain_spread": 0.0, "mir_gain_spread": 0.0, "day_gain_spread": 0.0,
                "mir_offset": 0.0, "most_gain": 2.0}
    )  # fmt: skip
    ratios = []
    for seed in range(40):
        varied, _ = augment(planes.copy(), target, settings, np.random.default_rng(seed))
        ratio = (varied[:3] / planes[:3]).reshape(3, -1)
        assert np.nanstd(ratio, 1).max() < 1e-4
        ratios.append(np.nanmean(ratio, 1))
    assert np.min(ratios) >= 0.5 - 1e-4
    assert np.max(ratios) <= 2 + 1e-4
    assert np.min(ratios) < 0.65 < 1.5 < np.max(ratios)


def test_fields_change_what_did_not_burn_from_a_day_on(planes: np.ndarray, target: np.ndarray) -> None:
    changed = 0
    for seed in range(20):
        got = planes.copy()
        add_fields(got, target, np.random.default_rng(seed))
        np.testing.assert_array_equal(got[3], planes[3])
        np.testing.assert_array_equal(np.isnan(got), np.isnan(planes))
        moved = (got[:3] != planes[:3]) & np.isfinite(planes[:3])
        burned = np.nan_to_num(target).sum(0) >= 1
        assert not moved[:, :, burned].any()
        changed += bool(moved.any())
    assert changed > 15


def test_discs_lose_brighten_or_darken_round_places_on_some_days(rng: np.random.Generator) -> None:
    planes = np.full((4, 40, 48, 48), 0.2, np.float32)
    add_discs(planes, rng)
    assert (planes[3] == np.float32(0.2)).all(), "hot spots stay"
    lost = np.isnan(planes[:3])
    assert (lost[0] == lost[1]).all()
    assert lost.any()
    assert not lost.all((2, 3)).all()
    assert (planes[:3] > 0.2).any()
    assert (planes[:3] < 0.19).any()
    untouched = (planes[:3] == np.float32(0.2)).all((0, 2, 3))
    assert untouched.any()
    assert not untouched.all()


def test_contrast_keeps_the_order_of_values_and_their_gaps(
    planes: np.ndarray, rng: np.random.Generator
) -> None:
    got = planes.copy()
    change_contrast(got, 1.3, rng)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(planes))
    np.testing.assert_array_equal(got[3], planes[3])
    for before, after in zip(planes[:3], got[:3], strict=True):
        known = np.isfinite(before) & (before > 0.001)
        order = np.argsort(before[known])
        assert (np.diff(after[known][order]) >= 0).all()
        power = np.log(after[known][order[-1]] / after[known][order[0]])
        power /= np.log(before[known][order[-1]] / before[known][order[0]])
        assert 1 / 1.3 - 1e-3 <= power <= 1.3 + 1e-3
    same = planes.copy()
    change_contrast(same, 1.0, rng)
    np.testing.assert_array_equal(same, planes)


def test_thinned_hot_spots_are_kept_to_shares_even_in_their_logarithm(target: np.ndarray) -> None:
    config = NOTHING.model_copy(update={"frp_thin": 1.0, "most_thinned": 1.0})
    kept = []
    for seed in range(300):
        planes = np.full((4, *target.shape), 1, np.float32)
        got, _ = augment(planes, target, config, np.random.default_rng(seed))
        kept.append(float((got[3] > 0).mean()))
    shares = np.array(kept)
    assert shares.min() < 0.02
    assert 0.4 < (shares < 0.1).mean() < 0.6
    assert (shares > 0.5).mean() > 0.1


def test_spilt_hot_spots_lie_beside_others_of_their_day() -> None:
    planes = np.zeros((4, 6, 40, 40), np.float32)
    planes[3, 2, 10:30:6, 10:30:6] = 10
    more = []
    for seed in range(10):
        got = planes.copy()
        spill_hotspots(got, np.random.default_rng(seed))
        more.append((got[3] > 0).sum() - (planes[3] > 0).sum())
        assert np.array_equal(got[:3], planes[:3])
        assert (got[3] >= planes[3]).all()
        assert not got[3, [0, 1, 3, 4, 5]].any()
        for row, col in np.argwhere(got[3, 2] > 0):
            assert planes[3, 2, row - 2 : row + 3, col - 2 : col + 3].any()
    assert 0 < max(more) <= (planes[3] > 0).sum()
