"""Scores by fire, class, threshold, block and age: hand-worked cases, and others' functions as oracles."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.linking import label_fires
from banet.errors import InputError
from banet.evaluation import Scores, Sums, compare
from banet.evaluation.convergence import Convergence, replay
from banet.evaluation.evaluate import by_class, by_month
from banet.evaluation.measures import Pair
from banet.evaluation.measures.dates import dating_to_fires
from banet.evaluation.measures.gaps import observation_gap
from banet.evaluation.measures.proportions import Shares
from banet.evaluation.measures.reliability import Reliability
from banet.evaluation.measures.sizes import Sizes
from banet.evaluation.measures.thresholds import Thresholds
from banet.grid.region import Region

START, STOP = np.datetime64("2020-12-01"), np.datetime64("2021-03-01")
NAT = np.datetime64("NaT", "D")
REGION = Region("T", (10, 40, 10.4, 40.4), 0.01)
DAY = START + 40


def a_map(fraction, date=DAY, *, region=REGION, threshold=0.5, stop=STOP):
    fraction = np.asarray(fraction, np.float32)
    burned = fraction >= threshold
    when = np.broadcast_to(np.asarray(date, "datetime64[D]"), fraction.shape)
    return BurnedArea(
        region=region,
        start=START,
        stop=stop,
        burned_fraction=fraction,
        burn_date=np.where(burned, when, NAT),
        uncertainty=np.where(burned, 1, 255).astype(np.uint8),
        observed_days=np.full(fraction.shape, 9, np.int16),
        water=np.zeros(fraction.shape, bool),
        threshold=threshold,
    )


def a_reference(fraction, date=DAY, *, region=REGION):
    fraction = np.asarray(fraction, np.float32)
    when = np.broadcast_to(np.asarray(date, "datetime64[D]"), fraction.shape)
    dated = np.where(fraction > 0, when, NAT)
    return BurnedArea(region, START, STOP, fraction, dated, threshold=0, name="truth")


def scores_by_size(pair):
    """Scores by label of the size."""
    return {row["fire_size"]: SimpleNamespace(**row) for row in Sizes().of(pair)["sizes"]}


def proportion_fit(pair, **settings):
    """The line, with the shares that it goes through."""
    measure = Shares(**settings)
    reference, mapped = measure.shares(pair)
    return SimpleNamespace(reference=reference, map=mapped, **measure.of(pair)["proportions"])


def threshold_curve(pair, *steps):
    """The curve as arrays."""
    said = Thresholds(*steps).of(pair)
    names = said["thresholds"][0]
    columns = {name: np.array([row[name] for row in said["thresholds"]]) for name in names}
    return SimpleNamespace(best=said["best_threshold"], rows=said["thresholds"], **columns)


def reliability(pair, of="fraction", **settings):
    """The curve as arrays, with its scores."""
    said = Reliability(of, **settings).of(pair)[of]
    return SimpleNamespace(**{k: np.array(v) if isinstance(v, list) else v for k, v in said.items()})


def block(rows, cols, value=1.0):
    out = np.zeros(REGION.shape)
    out[rows, cols] = value
    return out


# Fires.


def test_fires_are_joined_in_space_and_time():
    burned = np.zeros((6, 12), bool)
    date = np.full(burned.shape, DAY)
    burned[0, [0, 2, 5]] = True  # gaps of two and three columns
    burned[3, [0, 1]] = True
    date[3, 1] = DAY + 6
    burned[5, 9] = burned[4, 11] = True  # two columns and a row apart
    label = label_fires(burned, date)
    assert label[0, 0] == label[0, 2] != label[0, 5]
    assert label[3, 0] != label[3, 1]
    assert label[5, 9] == label[4, 11]
    assert label.max() == 5
    assert label_fires(burned, date, max_gap_days=6)[3, 0] == label_fires(burned, date, max_gap_days=6)[3, 1]
    assert label_fires(burned, date, max_gap_cells=1).max() == 7
    assert label_fires(burned & False, date).max() == 0


def test_a_cell_without_a_date_joins_its_neighbours():
    burned = np.ones((1, 3), bool)
    date = np.array([[DAY, NAT, DAY + 100]])
    assert label_fires(burned, date, max_gap_cells=1).max() == 1


def test_faults_of_fires():
    with pytest.raises(InputError, match="at least 1"):
        label_fires(np.ones((2, 2), bool), np.full((2, 2), DAY), max_gap_cells=0)
    with pytest.raises(InputError, match="differ in shape"):
        label_fires(np.ones((2, 2), bool), np.full((3, 2), DAY))


def test_scores_by_size_of_fire():
    truth = block(slice(0, 1), slice(0, 1)) + block(slice(10, 13), slice(10, 13))
    mapped = block(slice(10, 12), slice(10, 13)) + block(slice(30, 31), slice(30, 31))
    got = scores_by_size(compare(a_map(mapped), a_reference(truth)))
    small, large = got["0-100 ha"], got["500-1000 ha"]
    assert (small.fires, small.found, small.recall) == (1, 0, 0)
    assert (large.fires, large.found) == (1, 1)
    assert large.recall == pytest.approx(2 / 3, rel=1e-3)
    assert (small.map_fires, small.false_fires, small.commission) == (1, 1, 1)
    assert large.map_fires + got["500-1000 ha"].false_fires == large.map_fires
    assert sum(c.fires for c in got.values()) == 2
    assert sum(c.map_ha for c in got.values()) == pytest.approx(
        (mapped * REGION.cell_area_ha[:, None]).sum(), rel=1e-9
    )
    assert math.isnan(got["over 20000 ha"].recall)


# Proportions.


def test_proportions_of_blocks_by_hand_and_by_scipy():
    rng = np.random.default_rng(0)
    truth = (rng.random(REGION.shape) < np.linspace(0, 1, 40)[:, None]) * 1.0
    mapped = np.where(rng.random(REGION.shape) < 0.8, truth, 0)
    fit = proportion_fit(compare(a_map(mapped), a_reference(truth)))
    # 5 km are 4 rows of 1.11 km and 6 columns of 0.85 km at 40.2 degrees: 10 x 7 blocks.
    assert fit.blocks == 70
    area = np.broadcast_to(REGION.cell_area_ha[:, None], REGION.shape)
    first = (slice(0, 4), slice(0, 6))
    assert fit.reference[0] == pytest.approx((area * truth)[first].sum() / area[first].sum())
    line = stats.linregress(fit.reference, fit.map)
    assert fit.slope == pytest.approx(line.slope)
    assert fit.intercept == pytest.approx(line.intercept)
    assert fit.r2 == pytest.approx(line.rvalue**2)
    assert fit.slope == pytest.approx(0.8, abs=0.05)
    assert fit.block_km == pytest.approx((4.4, 5.1), abs=0.1)
    names = {"block_km", "blocks", "slope", "intercept", "r2", "rmse", "blocks_by_share"}
    assert set(Shares().of(compare(a_map(mapped), a_reference(truth)))["proportions"]) == names


def test_a_perfect_map_has_slope_one_and_an_empty_one_none():
    truth = block(slice(5, 20), slice(3, 30))
    fit = proportion_fit(compare(a_map(truth), a_reference(truth)))
    assert (fit.slope, fit.r2) == pytest.approx((1, 1))
    assert fit.rmse == pytest.approx(0, abs=1e-9)
    nothing = proportion_fit(compare(a_map(truth), a_reference(truth * 0)))
    assert math.isnan(nothing.slope)
    assert nothing.rmse > 0
    soft = proportion_fit(compare(a_map(truth * 0.4), a_reference(truth * 0.4)), soft=True)
    assert soft.slope == pytest.approx(1)
    with pytest.raises(InputError, match="positive"):
        proportion_fit(compare(a_map(truth), a_reference(truth)), km=0)


def test_blocks_with_little_valid_area_are_left_out():
    truth = block(slice(5, 20), slice(3, 30))
    valid = np.zeros(REGION.shape, bool)
    valid[:4, :6] = valid[4:6, :2] = True
    assert proportion_fit(compare(a_map(truth), a_reference(truth), valid=valid)).blocks == 1


# Thresholds and calibration.


def noisy(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random(REGION.shape) < 0.3
    p = np.clip(np.where(truth, 0.7, 0.2) + rng.normal(0, 0.2, REGION.shape), 0, 1)
    return p, truth * 1.0


def test_threshold_curve_is_the_score_at_each_threshold():
    p, truth = noisy()
    reference = a_reference(truth)
    curve = threshold_curve(compare(a_map(p), reference))
    for k in (0, 5, 9, 18):
        at = float(curve.threshold[k])
        area = np.broadcast_to(REGION.cell_area_ha[:, None], REGION.shape).ravel()
        guess = np.float32(p).ravel() >= np.float32(at)
        expected = metrics.f1_score(truth.ravel() > 0, guess, sample_weight=area)
        assert curve.dice[k] == pytest.approx(expected, rel=1e-6)
    assert curve.dice[np.argmin(abs(curve.threshold - curve.best))] == curve.dice.max()
    assert (np.diff(curve.omission) >= 0).all()
    assert len(curve.rows) == 19
    with pytest.raises(InputError, match="above 0"):
        threshold_curve(compare(a_map(p), reference), [0.0, 0.5])


def test_threshold_curve_without_a_burn():
    assert math.isnan(threshold_curve(compare(a_map(block(0, 0, 0)), a_reference(block(0, 0, 0)))).best)


def test_brier_score_agrees_with_scikit_learn():
    p, truth = noisy()
    area = np.broadcast_to(REGION.cell_area_ha[:, None], REGION.shape).ravel()
    got = reliability(compare(a_map(p), a_reference(truth)), hard=True)
    expected = metrics.brier_score_loss(truth.ravel() > 0, np.float32(p).ravel(), sample_weight=area)
    assert got.brier == pytest.approx(expected, rel=1e-6)
    assert got.hectares.sum() == pytest.approx(area.sum())
    assert 0 < got.skill < 1


def test_reliability_curve_agrees_with_scikit_learn():
    """One row of cells, so that all have one area, as scikit-learn counts them."""
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(3)
    row = Region("R", (10, 40, 30, 40.01), 0.01)
    p = rng.random(row.shape)
    truth = (rng.random(row.shape) < p**2) * 1.0
    stated = a_map(p, region=row).confidence / 100
    pair = compare(a_map(p, region=row), a_reference(truth, region=row))
    got = reliability(pair, of="confidence", hard=True)
    observed, mapped = calibration_curve(truth.ravel(), np.minimum(stated.ravel() + 1e-9, 1), n_bins=20)
    np.testing.assert_allclose(got.mapped, mapped, atol=1e-6)
    np.testing.assert_allclose(got.observed, observed, atol=1e-9)
    shown = slice(1, None)  # the classes from 5 % on
    gap = np.abs(got.mapped - got.observed)[shown] @ got.hectares[shown] / got.hectares[shown].sum()
    assert got.calibration_error_from_5_percent == pytest.approx(gap)
    rows = Reliability("confidence").rows(Reliability("confidence").of(pair))
    assert [row["from"] for row in rows][:3] == pytest.approx([0, 0.05, 0.1])


def test_confidence_may_say_something_else_than_the_fraction():
    """A product's own confidence, here of FireCCI's kind, is what is held against cells that burned."""
    from dataclasses import replace

    burned = block(slice(0, 20), slice(0, 40))
    stated = np.where(burned > 0, 75, np.nan).astype(np.float32)
    product = replace(a_reference(burned), stated_confidence=stated)
    pair = compare(product, a_reference(block(slice(0, 15), slice(0, 40))))
    got = reliability(pair, of="confidence", hard=True)
    assert got.observed[15] == pytest.approx(0.75, abs=2e-3)
    assert got.calibration_error == pytest.approx(0, abs=2e-3)
    assert reliability(pair, hard=True).observed[19] == pytest.approx(0.75, abs=2e-3)


def test_a_calibrated_map_has_no_calibration_error():
    truth = np.tile([0.0, 0.2, 0.6, 1.0], (40, 10))
    got = reliability(compare(a_map(truth), a_reference(truth)))
    assert got.calibration_error == pytest.approx(0, abs=1e-6)
    assert got.brier == pytest.approx(0, abs=1e-9)
    assert got.skill == pytest.approx(1)
    assert np.isnan(got.mapped[6])
    low = reliability(compare(a_map(truth * 0.5), a_reference(truth)))
    assert low.calibration_error == pytest.approx(0.225, rel=1e-4)
    with pytest.raises(InputError, match="at least 1"):
        reliability(compare(a_map(truth), a_reference(truth)), classes=0)


def test_skill_of_nothing_is_undefined():
    assert math.isnan(reliability(compare(a_map(block(0, 0, 0)), a_reference(block(0, 0, 0)))).skill)


# Dates.


def spots(rows):
    lon, lat, when, kind = zip(*rows)
    return pd.DataFrame(
        {
            "longitude": lon,
            "latitude": lat,
            "time": pd.to_datetime([str(w) for w in when]),
            "type": pd.array(kind, "Int8"),
        }
    )


def test_dates_against_the_nearest_or_first_fire():
    got_map = a_map(block(slice(0, 1), slice(0, 2)))
    here = (10.005, 40.395)
    table = spots(
        [
            (*here, DAY - 4, 0),
            (*here, DAY + 1, 0),
            (*here, DAY, 2),
            (*here, DAY - 60, 0),
            (12.0, 41.0, DAY, 0),
        ]
    )
    near = dating_to_fires(got_map, table, radius_km=0.5)
    assert (near.cells, near.mean) == (1, -1)
    first = dating_to_fires(got_map, table, radius_km=0.5, pick="first")
    assert (first.cells, first.mean) == (1, 4)
    both = dating_to_fires(got_map, table, radius_km=1.0)
    assert both.cells == 2
    all_kinds = dating_to_fires(got_map, table, radius_km=0.5, vegetation_only=False)
    assert all_kinds.mean == 0
    assert dating_to_fires(got_map, table[:0]).cells == 0
    # By default 1 km, or what reaches the corners of a larger cell.
    coarse = BurnedArea.from_dates(Region("C", (10, 40, 10.4, 40.4), 0.1), DAY, DAY + 5, np.full((4, 4), DAY))
    corner = spots([(10.09, 40.31, DAY, 0)])
    assert dating_to_fires(coarse, corner, radius_km=1.0).cells == 0
    assert dating_to_fires(coarse, corner).cells == 3  # beside it too
    with pytest.raises(InputError, match="radius above 0"):
        dating_to_fires(got_map, table, radius_km=0)


def test_dates_by_group():
    truth = block(slice(0, 2), slice(0, 4))
    late = np.full(REGION.shape, DAY)
    late[1] = DAY + 3
    group = np.full(REGION.shape, -1)
    group[0], group[1] = 5, 7
    got = by_class(compare(a_map(truth, late), a_reference(truth)), group)
    assert (got["5"].dating.mean, got["7"].dating.mean) == (0, 3)
    assert set(got) == {"5", "7"}
    with pytest.raises(InputError, match="do not fit"):
        by_class(compare(a_map(truth), a_reference(truth)), group[:2])


def test_gaps_between_observations():
    days = np.arange(START, START + 10)
    observed = np.zeros((10, 1, 4), bool)
    observed[[2, 6], 0, 0] = True
    observed[[2, 6], 0, 1] = True
    observed[2, 0, 2] = True
    date = np.array([[START + 4, START + 6, START + 4, NAT]])
    assert observation_gap(observed, days, date).tolist() == [[4, 4, 366, -1]]
    observed[5, 0, 1] = True
    assert observation_gap(observed, days, date)[0, 1] == 1
    observed[0] = True
    assert (observation_gap(observed, days, np.full((1, 4), START)) == 366).all(), "nothing was seen before"


# Groups.


def test_scores_by_class_of_cells():
    p, truth = noisy()
    cover = np.zeros(REGION.shape, int)
    cover[20:] = 1
    cover[39] = -1
    got = by_class(compare(a_map(p), a_reference(truth)), cover, {0: "forest", 1: "shrub"})
    assert set(got) == {"forest", "shrub"}
    assert got["forest"].cells == 800
    assert got["shrub"].cells == 760
    with pytest.raises(InputError, match="do not fit"):
        by_class(compare(a_map(p), a_reference(truth)), cover[:3])


def test_scores_by_month_count_a_wrong_month_twice():
    truth = block(slice(0, 2), slice(0, 4))
    days = np.full(REGION.shape, np.datetime64("2020-12-20"))
    days[1] = np.datetime64("2021-01-10")
    mapped = days.copy()
    mapped[0, 0] = np.datetime64("2021-01-01")
    got = by_month(compare(a_map(truth, mapped), a_reference(truth, days)))
    assert set(got) == {"2020-12", "2021-01"}
    assert got["2020-12"].omission == pytest.approx(0.25)
    assert got["2021-01"].commission == pytest.approx(0.2, rel=1e-3)


def test_by_month_a_fraction_without_a_date_counts_where_the_reference_dates_it():
    truth = block(slice(0, 2), slice(0, 4)).astype(float)
    truth[2, :4] = truth[5, :4] = 0.3
    days = np.full(REGION.shape, np.datetime64("2020-12-20"))
    days[:, 2:] = np.datetime64("2021-01-10")
    cells = compare(a_map(truth, np.where(truth < 0.5, np.datetime64("NaT"), days)), a_reference(truth, days))
    got = by_month(cells)
    assert set(got) == {"2020-12", "2021-01"}
    for scores in got.values():
        assert scores.soft.dice == pytest.approx(1) and scores.soft.relative_bias == pytest.approx(0)


def test_regions_pooled():
    p, truth = noisy()
    one, two = compare(a_map(p), a_reference(truth)), compare(a_map(p * 0), a_reference(truth))
    sums = [Sums.of(Pair.of(each, 20)) for each in (one, two)]
    first, second, together = (Scores.of(each) for each in (*sums, Sums.join(sums)))
    assert together.hard.both == pytest.approx(first.hard.both + second.hard.both)
    assert second.omission == 1


# Convergence.


def test_replay_of_a_map_that_comes_late():
    """A fire on DAY is mapped two days later, a day too late; a false alarm shows for one day."""
    truth = a_reference(block(slice(10, 20), slice(10, 20)))
    final = a_map(block(slice(10, 20), slice(10, 20)))

    def map_at(day):
        fraction = block(slice(10, 20), slice(10, 20)) if day >= DAY + 2 else block(0, 0, 0)
        date = np.full(REGION.shape, DAY + 1 if day < DAY + 4 else DAY)
        if day == DAY + 3:
            fraction[30:35, 30:35] = 1
            date[30:35, 30:35] = DAY + 2
        return a_map(fraction, date, stop=max(day + 1, DAY + 2))

    got = replay(map_at, np.arange(DAY - 1, DAY + 6), final, truth, oldest=6)
    assert got.curve["dice_truth"][:2].tolist() == [0, 0]
    assert got.curve["dice_truth"][2] == 1
    assert got.curve["recall"][:5].tolist() == [0, 0, 1, 1, 1]
    assert got.curve["date_change"][2:6].tolist() == [1, 1, 0, 0]
    assert (
        got.curve["dice_final"][1] == 0
    )  # nothing of the final map yet, and the false alarm of the day before
    assert math.isnan(got.curve["dice_truth"][6])
    assert len(got.fires) == 1
    assert got.fires[0].delay == 2
    assert got.delays(1e6).size == 0
    assert got.settled() == 2
    assert len(got.rows()) == 7
    area = (block(slice(10, 20), slice(10, 20)) * REGION.cell_area_ha[:, None]).sum()
    assert got.curve["hectares"][:6] == pytest.approx(area)


def test_replay_of_the_final_map_is_perfect_at_once():
    days = START + np.add.outer(np.arange(40), np.zeros(40, int))
    truth = a_reference(block(slice(0, 40), slice(3, 9)), days)
    final = a_map(block(slice(0, 40), slice(3, 9)), days)

    def map_at(day):
        return a_map(np.where(days <= day, block(slice(0, 40), slice(3, 9)), 0), days)

    got = replay(map_at, np.arange(START, START + 40), final, truth)
    np.testing.assert_allclose(got.curve["dice_final"], 1)
    np.testing.assert_allclose(got.curve["dice_truth"], 1)
    assert got.delays()[0] == 0


def test_fires_from_before_the_replay_are_left_out_and_late_ones_are_not_judged():
    first, last = block(slice(0, 5), slice(0, 5)), block(slice(30, 36), slice(30, 36))
    days = np.where(first > 0, DAY - 5, DAY + 2)
    truth, final = a_reference(first + last, days), a_map(first + last, days)
    got = replay(
        lambda day: a_map((first + last) * (days <= day), days), [DAY, DAY + 1, DAY + 2], final, truth
    )
    assert len(got.fires) == 1
    assert (got.fires[0].delay, got.fires[0].followed) == (0, 0)
    assert got.mapped_within(0) == (1, 1)
    assert got.mapped_within(1) == (0, 0), "it was followed for no day more"
    row = got.fire_rows()[1]
    assert (row["least_ha"], row["fires"], row["within_0_days"], row["never"]) == (100.0, 1, 1.0, 0)
    assert math.isnan(row["within_5_days"])


def test_a_fire_counts_as_mapped_when_a_tenth_of_it_is():
    truth = block(slice(10, 20), slice(10, 20))
    shown = {DAY: block(slice(10, 15), 10), DAY + 1: block(slice(10, 20), slice(10, 12))}  # 5 and 20 %
    got = replay(lambda day: a_map(shown[day]), shown, a_map(truth), a_reference(truth))
    assert got.fires["delay"].tolist() == [1]


def test_replays_of_several_scenes_add_up():
    truth, final = a_reference(block(slice(0, 9), slice(0, 9))), a_map(block(slice(0, 9), slice(0, 9)))
    good = replay(lambda day: final, [DAY, DAY + 1], final, truth, oldest=5)
    bad = replay(lambda day: a_map(block(0, 0, 0)), [DAY, DAY + 1], final, truth, oldest=4)
    both = Convergence.join([good, bad])
    assert both.curve["age"].size == 5
    assert both.curve["recall"][:2].tolist() == [0.5, 0.5]
    assert len(both.fires) == 2
    with pytest.raises(InputError, match="no replay"):
        Convergence.join([])


def test_a_fire_that_is_never_mapped():
    truth = a_reference(block(slice(10, 12), slice(10, 12)))
    got = replay(lambda day: a_map(block(0, 0, 0)), [DAY, DAY + 1], a_map(block(0, 0, 0)), truth)
    assert math.isinf(got.fires[0].delay)
    with pytest.raises(InputError, match="at least one day"):
        replay(lambda day: a_map(block(0, 0, 0)), [], a_map(block(0, 0, 0)), truth)
    small = Region("S", (10, 40, 10.02, 40.02), 0.01)
    with pytest.raises(InputError, match="on one grid"):
        replay(lambda day: None, [DAY], a_map(np.zeros((2, 2)), region=small), truth)
