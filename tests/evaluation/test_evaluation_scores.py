"""Scores: hand-worked examples, other people's metrics as oracles, and what must hold for any map."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from banet.burned_area.burned_area import BurnedArea
from banet.errors import InputError
from banet.evaluation import Scores, Sums, compare, score
from banet.evaluation.measures import HEADLINE, Pair
from banet.evaluation.measures.agreement import ErrorMatrix, figures_of
from banet.evaluation.measures.dates import Dating, histogram
from banet.evaluation.sums import intervals
from banet.grid.region import Region
from banet.io.tables import to_markdown

REGION = Region("T", (10, 40, 10.04, 40.04), 0.01)
START, STOP = np.datetime64("2020-12-01"), np.datetime64("2021-02-01")
NAT = np.datetime64("NaT", "D")


def a_map(fraction, date=None, *, region=REGION, unseen=None, water=None, uncertainty=2, threshold=0.5):
    fraction = np.asarray(fraction, np.float32)
    water = np.zeros(fraction.shape, bool) if water is None else water
    burned = (fraction >= threshold) & ~water
    when = np.broadcast_to(np.asarray(START + 10 if date is None else date, "datetime64[D]"), fraction.shape)
    observed = np.full(fraction.shape, 20, np.int16)
    if unseen is not None:
        observed[unseen] = 0
    return BurnedArea(
        region=region,
        start=START,
        stop=STOP,
        burned_fraction=np.where(water | ((observed == 0) & ~burned), np.nan, fraction).astype(np.float32),
        burn_date=np.where(burned, when, NAT),
        uncertainty=np.where(burned, np.uint8(uncertainty), np.uint8(255)).astype(np.uint8),
        observed_days=observed,
        water=water,
        threshold=threshold,
    )


def a_reference(fraction, date=None, *, region=REGION, valid=None, start=START, stop=STOP):
    fraction = np.asarray(fraction, np.float32)
    when = np.broadcast_to(np.asarray(START + 10 if date is None else date, "datetime64[D]"), fraction.shape)
    known = np.ones(fraction.shape, bool) if valid is None else valid
    return BurnedArea(
        region,
        start,
        stop,
        np.where(known, fraction, np.nan).astype(np.float32),
        np.where(known & (fraction > 0), when, NAT),
        threshold=0,
        name="truth",
    )


def tally(comparison, block=None):
    return Sums.of(Pair.of(comparison, block), HEADLINE)


AREA = REGION.cell_area_ha
A = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]], float)
B = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], float)


def test_hand_worked_error_matrix():
    got = score(a_map(A), a_reference(B))
    both = AREA[0] + AREA[1]
    map_only = AREA[0] + AREA[3]
    reference_only = AREA[1]
    assert got.hard.both == pytest.approx(both)
    assert got.hard.map_only == pytest.approx(map_only)
    assert got.hard.reference_only == pytest.approx(reference_only)
    assert got.hard.total == pytest.approx(4 * AREA.sum(), rel=1e-12)
    assert got.dice == pytest.approx(2 * both / (2 * both + map_only + reference_only))
    assert got.commission == pytest.approx(map_only / (both + map_only))
    assert got.omission == pytest.approx(reference_only / (both + reference_only))
    assert got.relative_bias == pytest.approx((map_only - reference_only) / (both + reference_only))
    assert got.cells == 16


def test_hand_worked_soft_matrix():
    """Map 0.8, 0.2 against reference 0.5, 0.6: common 0.5 and 0.2, false 0.3, missed 0.4."""
    p, r = np.zeros((4, 4)), np.zeros((4, 4))
    p[0, :2], r[0, :2] = [0.8, 0.2], [0.5, 0.6]
    got = score(a_map(p), a_reference(r))
    assert got.soft.both == pytest.approx(0.7 * AREA[0], rel=1e-6)
    assert got.soft.map_only == pytest.approx(0.3 * AREA[0], rel=1e-6)
    assert got.soft.reference_only == pytest.approx(0.4 * AREA[0], rel=1e-6)
    assert got.soft.total == pytest.approx(4 * AREA.sum(), rel=1e-9)
    assert got.soft_dice == pytest.approx(1.4 / 2.1, rel=1e-6)
    assert got.hard.both == pytest.approx(AREA[0])
    assert got.hard.reference_only == pytest.approx(AREA[0])


def test_a_map_against_itself_is_perfect():
    truth = a_map(np.clip(A * 0.7, 0, 1), START + np.arange(16).reshape(4, 4))
    got = score(truth, truth)
    assert got.dice == 1
    assert got.soft_dice == pytest.approx(1)
    assert (got.commission, got.omission, got.relative_bias) == (0, 0, 0)
    assert (got.dating.mean, got.dating.median, got.dating.mean_absolute) == (0, 0, 0)
    assert got.dating.within[0] == 1
    assert got.dating.covered == 1


def test_shifted_by_one_day_it_has_bias_one():
    days = START + np.arange(16).reshape(4, 4)
    got = score(a_map(A, days + 1), a_reference(A, days))
    assert (got.dating.mean, got.dating.median, got.dating.mean_absolute) == (1, 1, 1)
    assert (got.dating.within[0], got.dating.within[1]) == (0, 1)
    early = score(a_map(A, days), a_reference(A, days + 1))
    assert early.dating.mean == -1


def test_shifted_by_half_a_cell_it_has_the_error_of_geometry():
    """A square of 10 x 10 cells moved east by half a cell: one twentieth is gained, as much is lost."""
    fine = Region("F", (10, 40, 10.2, 40.2), 0.005)
    truth = np.zeros((40, 40))
    truth[10:30, 10:30] = 1
    moved = np.roll(truth, 1, axis=1)
    got = score(a_map(moved, region=fine), a_reference(truth, region=fine))
    assert got.commission == pytest.approx(1 / 20, rel=1e-3)
    assert got.omission == pytest.approx(1 / 20, rel=1e-3)
    assert got.dice == pytest.approx(0.95, rel=1e-3)
    coarse = Region("C", (10, 40, 10.2, 40.2), 0.01)
    both = score(a_map(moved, region=fine), a_reference(truth[::2, ::2], region=coarse))
    assert both.soft.map_only / both.soft.map_burned == pytest.approx(1 / 20, rel=1e-3)
    assert both.soft.relative_bias == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_agrees(seed):
    rng = np.random.default_rng(seed)
    region = Region("L", (10, 40, 10.5, 40.4), 0.01)
    p, r = (rng.random(region.shape) < 0.3 for _ in range(2))
    valid = rng.random(region.shape) < 0.8
    got = score(a_map(p * 1.0, region=region), a_reference(r * 1.0, region=region, valid=valid))
    weight = np.broadcast_to(region.cell_area_ha[:, None], region.shape)[valid]
    truth, guess = r[valid], p[valid]
    assert got.dice == pytest.approx(metrics.f1_score(truth, guess, sample_weight=weight), rel=1e-9)
    assert 1 - got.commission == pytest.approx(metrics.precision_score(truth, guess, sample_weight=weight))
    assert 1 - got.omission == pytest.approx(metrics.recall_score(truth, guess, sample_weight=weight))
    assert got.hard.figures["iou"] == pytest.approx(metrics.jaccard_score(truth, guess, sample_weight=weight))
    assert got.hard.figures["accuracy"] == pytest.approx(
        metrics.accuracy_score(truth, guess, sample_weight=weight)
    )


fractions = hnp.arrays(np.float32, (4, 4), elements=st.floats(0, 1, width=32))


@settings(max_examples=40, deadline=None)
@given(p=fractions, r=fractions)
def test_symmetry_bounds_and_sums(p, r):
    one, two = score(a_map(p), a_reference(r)), score(a_map(r), a_reference(p))
    for forward, back in ((one.hard, two.hard), (one.soft, two.soft)):
        assert forward.total == pytest.approx(4 * AREA.sum(), rel=1e-6)
        assert (forward.map_only, forward.both) == pytest.approx((back.reference_only, back.both), rel=1e-6)
        if math.isfinite(forward.dice):
            assert forward.dice == pytest.approx(back.dice, rel=1e-6)
            assert 0 <= forward.dice <= 1
        for value in (forward.commission, forward.omission):
            assert math.isnan(value) or 0 <= value <= 1
    cells = [c.cells for c in one.classes]
    assert sum(cells) == 16
    assert sum(c.reference_ha for c in one.classes) == pytest.approx(
        one.soft.reference_burned, rel=1e-5, abs=1e-3
    )


@settings(max_examples=20, deadline=None)
@given(p=fractions, r=fractions, cut=st.integers(1, 3))
def test_splitting_the_region_changes_nothing(p, r, cut):
    days = START + np.arange(16).reshape(4, 4)
    whole = score(a_map(p, days + 3), a_reference(r, days))
    parts = []
    for rows in (slice(0, cut), slice(cut, 4)):
        region = REGION.window(rows, slice(0, 4))
        parts.append(
            tally(
                compare(
                    a_map(p[rows], days[rows] + 3, region=region),
                    a_reference(r[rows], days[rows], region=region),
                )
            )
        )
    joined = Scores.of(Sums.join(parts))
    assert joined.hard.both == pytest.approx(whole.hard.both, rel=1e-9)
    assert joined.soft.both == pytest.approx(whole.soft.both, rel=1e-9)
    assert joined.dating == whole.dating or whole.dating.cells == joined.dating.cells == 0
    assert [c.cells for c in joined.classes] == [c.cells for c in whole.classes]


def test_blocks_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    p, r = rng.random((4, 4)), rng.random((4, 4))
    comparison = compare(a_map(p), a_reference(r))
    one, many = tally(comparison), tally(comparison, 3)
    assert len(one.arrays["agreement"]["cells"]) == 1
    assert len(many.arrays["agreement"]["cells"]) == 4
    for measure in HEADLINE:
        whole = one.total(measure.name)
        assert whole
        for name, part in many.total(measure.name).items():
            np.testing.assert_allclose(part, whole[name], rtol=1e-12)
    with pytest.raises(InputError, match="at least 1 cell"):
        tally(comparison, 0)


def test_recall_by_burned_fraction():
    p, r = np.zeros((4, 4)), np.zeros((4, 4))
    r[0] = [0.05, 0.1, 0.3, 0.9]
    p[0] = [0.0, 0.6, 0.2, 0.9]
    got = {c.label: c for c in score(a_map(p), a_reference(r)).classes}
    assert list(got) == ["unburned", "0-0.1", "0.1-0.25", "0.25-0.5", "0.5-0.75", "0.75-1"]
    assert got["unburned"].cells == 12
    assert got["0-0.1"].cells == 1
    assert (got["0-0.1"].recall, got["0.1-0.25"].recall) == (0, 1)
    assert got["0.1-0.25"].cell_recall == 1
    assert got["0.25-0.5"].soft_recall == pytest.approx(2 / 3, rel=1e-6)
    assert got["0.1-0.25"].relative_bias == pytest.approx(5, rel=1e-5)
    assert math.isnan(got["0.5-0.75"].recall)
    assert got["unburned"].cell_recall == 0


def test_what_was_not_observed_is_left_out_or_counted():
    unseen = np.zeros((4, 4), bool)
    unseen[0, 0] = True
    p = np.where(unseen, 0, A)
    got = score(a_map(p, unseen=unseen), a_reference(B))
    assert got.cells == 15
    assert got.unseen_burned_ha == pytest.approx(AREA[0])
    counted = score(a_map(p, unseen=unseen), a_reference(B), unobserved="unburned")
    assert counted.cells == 16
    assert counted.hard.reference_only == pytest.approx(got.hard.reference_only + AREA[0])
    assert counted.unseen_ha == 0


def test_water_is_unburned_and_the_unknown_does_not_count():
    water = np.zeros((4, 4), bool)
    water[3, 3] = True
    valid = np.ones((4, 4), bool)
    valid[0, 1] = False
    got = score(a_map(A, water=water), a_reference(B, valid=valid))
    assert got.hard.map_only == 0
    assert got.cells == 15


def test_thresholds_on_both_sides():
    p, r = np.zeros((4, 4)), np.zeros((4, 4))
    p[0, :3], r[0, :3] = [0.6, 0.3, 0.9], [0.3, 0.3, 0.6]
    assert score(a_map(p), a_reference(r)).hard.both == pytest.approx(AREA[0])
    low = score(a_map(p), a_reference(r), threshold=0.2, reference_threshold=0.25)
    assert low.hard.both == pytest.approx(3 * AREA[0])
    assert low.dating.cells == 2  # below the map's own threshold no date is given
    half = score(a_map(np.full((4, 4), 0.5)), a_reference(np.full((4, 4), np.float32(0.5))))
    assert half.dice == 1


def test_days_and_cells_around_other_burns():
    region = Region("W", (10, 40, 10.2, 40.01), 0.01)
    r, days = np.zeros((1, 20)), np.full((1, 20), START + 5)
    r[0, [2, 3, 10]] = 1
    days[0, 10] = START + 30
    p = np.zeros((1, 20))
    p[0, [2, 12, 13, 18]] = 1
    when = np.full((1, 20), START + 5)
    when[0, 18] = START + 40
    inside = (START, START + 10)
    reference, burnmap = a_reference(r, days, region=region), a_map(p, when, region=region)
    plain = score(burnmap, reference, days=inside)
    area = region.cell_area_ha[0]
    assert plain.hard.to_dict()["both_ha"] == pytest.approx(area)
    assert plain.hard.map_only == pytest.approx(
        2 * area
    )  # the cell dated outside the days counts as unburned
    assert plain.hard.reference_only == pytest.approx(area)
    assert plain.cells == 20
    near = score(burnmap, reference, days=inside, exclude_within=2)
    assert near.cells == 15
    assert near.hard.map_only == pytest.approx(area)
    assert score(burnmap, reference, days=inside, exclude_within=0).cells == 19
    # A cell that burned within the days counts even beside one that burned outside them.
    days[0, 3] = START + 30
    beside = score(burnmap, a_reference(r, days, region=region), days=inside, exclude_within=2)
    assert beside.hard.both == pytest.approx(area)


def test_only_common_days_are_compared():
    late = np.full((4, 4), START + 40)
    got = score(a_map(A, late), a_reference(A, late).between(START, START + 20))
    assert math.isnan(got.dice)
    with pytest.raises(InputError, match="no day in common"):
        score(a_map(A), a_reference(A, STOP + 1, start=STOP, stop=STOP + 5))
    with pytest.raises(InputError, match="hold no day"):
        score(a_map(A), a_reference(A), days=(START, START))
    with pytest.raises(InputError, match="are a pair"):
        score(a_map(A), a_reference(A), days=START)
    assert score(a_map(A), a_reference(A), days=np.array([START, STOP])).dice == 1


def test_another_grid_is_met_by_area():
    coarse = Region("C", REGION.bbox, 0.02)
    quarter = np.zeros((2, 2))
    quarter[0, 0] = 0.75
    quarter[1, 1] = 0.25
    got = score(a_map(A), a_reference(quarter, region=coarse))
    assert got.soft_dice == pytest.approx(1, abs=1e-4)
    assert got.cells == 4
    assert got.hectares == pytest.approx(4 * AREA.sum(), rel=1e-9)
    swapped = score(a_map(quarter, region=coarse), a_reference(A))
    assert swapped.soft_dice == pytest.approx(1, abs=1e-4)


def test_faults():
    far = Region("Far", (50, 40, 50.04, 40.04), 0.01)
    with pytest.raises(InputError, match="no valid cell in common"):
        score(a_map(A), a_reference(B, region=far))
    with pytest.raises(InputError, match="validity mask"):
        score(a_map(A), a_reference(B), valid=np.ones((2, 2), bool))
    with pytest.raises(InputError, match="neither a map nor a reference"):
        score(A, a_reference(B))
    with pytest.raises(InputError, match="does not fit"):
        compare(a_map(A), a_reference(B)).narrowed(np.ones((2, 2), bool))
    with pytest.raises(InputError, match="nothing was compared"):
        Sums.join([])


def test_narrowed_to_a_class_of_cells():
    north = np.zeros((4, 4), bool)
    north[:2] = True
    comparison = compare(a_map(A), a_reference(B))
    assert Scores.of(tally(comparison.narrowed(north))).cells == 8


def test_nothing_burned_on_either_side_is_not_perfect_but_undefined():
    got = score(a_map(A * 0), a_reference(A * 0))
    assert math.isnan(got.dice)
    assert got.hard.figures["accuracy"] == 1
    assert json.loads(json.dumps(got.to_dict()))["hard"]["dice"] is None


# Dates.


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(-300, 300)))
def test_measures_from_a_histogram_are_those_of_the_values(days):
    got = Dating.from_histogram(histogram(days))
    assert got.cells == days.size
    assert got.mean == pytest.approx(days.mean())
    assert got.median == np.median(days)
    assert got.mean_absolute == pytest.approx(np.abs(days).mean())
    assert got.rmse == pytest.approx(math.sqrt((days**2).mean()))
    assert got.within[5] == pytest.approx((np.abs(days) <= 5).mean())


def test_differences_beyond_a_year_are_kept_as_long():
    assert Dating.from_histogram(histogram(np.array([5000, -5000]))).mean_absolute == 367


def test_coverage_of_the_stated_uncertainty():
    days = np.full((4, 4), START + 10)
    late = days.copy()
    late[0, 0] += 3
    got = score(a_map(A, late, uncertainty=2), a_reference(A, days))
    assert got.dating.stated == 4
    assert got.dating.covered == 0.75


def test_no_dates_no_measures():
    got = Dating.from_histogram(histogram(np.array([], int)))
    assert got.cells == 0
    assert math.isnan(got.median)
    assert all(math.isnan(v) for v in got.within.values())


# Intervals.


def test_intervals_hold_the_score_narrow_with_size_and_repeat():
    rng = np.random.default_rng(3)

    def one(n):
        region = Region("L", (10, 40, 10 + n / 100, 40.4), 0.01)
        r = rng.random(region.shape) < 0.3
        p = r ^ (rng.random(region.shape) < 0.1)
        return a_map(p * 1.0, region=region), a_reference(r * 1.0, region=region)

    small, large = (score(*one(n), block=5, draws=300, seed=1) for n in (20, 160))
    for got in (small, large):
        low, high = got.intervals["dice"]
        assert low <= got.dice <= high
    assert np.diff(large.intervals["dice"]) < np.diff(small.intervals["dice"])
    pair = one(20)
    assert score(*pair, draws=50, seed=4).intervals == score(*pair, draws=50, seed=4).intervals
    assert score(*pair).intervals == {}


def test_intervals_have_their_stated_coverage():
    """Blocks that are independent: the true omission of 0.2 lies in about 95 % of the intervals."""
    rng = np.random.default_rng(5)
    region = Region("L", (10, 0, 10.3, 0.3), 0.01)
    hits = 0
    for _ in range(60):
        p = rng.random(region.shape) < 0.8
        got = score(
            a_map(p * 1.0, region=region),
            a_reference(np.ones(region.shape), region=region),
            block=3,
            draws=100,
        )
        low, high = got.intervals["omission"]
        hits += low <= 0.2 <= high
    assert 50 <= hits <= 60


def test_an_interval_of_what_is_never_defined():
    sums = tally(compare(a_map(A * 0), a_reference(A * 0)), 2)
    low, high = intervals(sums, HEADLINE, draws=10)["dice"]
    assert math.isnan(low)
    assert math.isnan(high)


def test_many_matrices_at_once_are_one_at_a_time():
    cells = np.array([[5.0, 2, 1, 9], [0, 0, 0, 4], [0, 3, 0, 1]])
    many = figures_of(cells)
    for k, row in enumerate(cells):
        one = ErrorMatrix(*row)
        for name in ("dice", "commission", "omission", "relative_bias"):
            np.testing.assert_equal(many[name][k], getattr(one, name))


# Tables.


def test_markdown_has_one_cell_a_column():
    got = score(a_map(A), a_reference(B), name="x", draws=20, block=2)
    head, rule, row = to_markdown([got.row()]).split("\n")
    assert head.count("|") == rule.count("|") == row.count("|")
    assert row.startswith("| x | 0.571 (")
    assert "| - |" in to_markdown([score(a_map(A * 0), a_reference(B)).row()])


def test_json_holds_everything():
    got = json.loads(json.dumps(score(a_map(A), a_reference(B), draws=20).to_dict()))
    assert got["hard"]["both_ha"] == pytest.approx(AREA[0] + AREA[1])
    assert got["dating"]["within"]["2"] == 1
    assert len(got["classes"]) == 6
    assert set(got["intervals"]) >= {"dice", "commission", "omission", "mean_days"}
