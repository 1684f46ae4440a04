"""Burns across the edge of a period, against arithmetic by hand."""

from __future__ import annotations

import numpy as np
import pytest

from banet.burned_area.dating import DatingRule, summarise
from banet.burned_area.period_edges import EDGE_DAYS, whole_burns

DAYS, EDGE = 90, 45
HALF = DatingRule(0.8, 0.5)


def daily(*days):
    """One cell of which some days hold a probability, {day: probability}, as (days, 1, 1)."""
    found = np.zeros((DAYS, 1, 1), np.float32)
    for day, value in days:
        found[day] = value
    return found


def of_period(probability, start, stop, threshold=0.5):
    """Summarise the days from start to stop, given those around them that their map would sum."""
    first, last = max(start - EDGE_DAYS, 0), min(stop + EDGE_DAYS, DAYS)
    return summarise(probability[first:last], threshold, HALF, slice(start - first, stop - first))


@pytest.mark.parametrize(
    ("days", "earlier", "later", "fractions"),
    [
        ([(44, 0.3), (45, 0.4)], None, 0, (0, 0.7)),  # in neither, each by itself
        ([(44, 0.4), (45, 0.3)], 44, None, (0.7, 0)),
        ([(43, 0.6), (46, 0.7)], None, 1, (0, 1)),  # in both, each by itself
        ([(44, 0.5), (45, 0.5)], 44, None, (1, 0)),  # the earlier where both hold the same
        ([(30, 0.9), (45, 0.6)], 30, 0, (0.9, 0.6)),  # 15 days apart: two burns
        ([(36, 0.55), (54, 0.6)], 36, 9, (0.55, 0.6)),  # two burns, each near the edge
        ([(44, 0.2), (45, 0.2)], None, None, (0.4, 0)),  # too little in all
        ([(44, 0.3), (45, 0.1), (47, 0.5)], None, 2, (0, 0.9)),
    ],
)
def test_a_burn_across_an_edge_is_in_one_period(days, earlier, later, fractions):
    probability = daily(*days)
    before, after = of_period(probability, 14, EDGE), of_period(probability, EDGE, 76)
    expected = [-1 if day is None else day for day in (earlier, later)]
    assert [before.day.item() + 14 if before.day.item() >= 0 else -1, after.day.item()] == expected
    assert (before.burned_fraction.item(), after.burned_fraction.item()) == pytest.approx(fractions)


def test_periods_that_follow_one_another_share_out_all_that_was_given():
    rng = np.random.default_rng(3)
    probability = (rng.random((DAYS, 20, 30)) ** 30).astype(np.float32)
    probability[:10] = probability[80:] = 0  # nothing crosses the outer edges
    parts = [(0, 20), (20, 45), (45, 76), (76, 90)]
    kept = np.zeros_like(probability)
    for start, stop in parts:
        first, last = max(start - EDGE_DAYS, 0), min(stop + EDGE_DAYS, DAYS)
        kept[first:last] += whole_burns(probability[first:last], slice(start - first, stop - first))
    for day in range(DAYS):
        assert np.isin(kept[day], [0, *np.unique(probability[day])]).all(), "counted once or not at all"
    assert kept.sum() == pytest.approx(probability.sum(), rel=1e-6)


def test_the_uncertainty_holds_the_days_on_either_side_and_the_date_is_in_the_period():
    probability = daily((41, 0.1), (43, 0.2), (45, 0.2), (47, 0.2))
    found = of_period(probability, EDGE, 76)
    assert (found.day.item(), found.uncertainty.item()) == (0, 2)
    assert found.burned_fraction.item() == pytest.approx(0.7)


def test_without_days_around_nothing_changes():
    probability = np.random.default_rng(0).random((30, 4, 5)).astype(np.float32)
    assert whole_burns(probability, slice(0, 30)) is probability


@pytest.mark.parametrize(
    ("days", "stop"),
    [
        ([(19, 0.9), (22, 0.6), (27, 0.55)], 26),
        ([(19, 0.9), (22, 0.6), (25, 0.001), (27, 0.55)], 26),  # a trace of the day that stays
        ([(19, 0.5), (21, 0.6), (27, 0.7)], 26),  # given to the later one, with the days before
        ([(19, 0.5), (21, 0.6), (24, 0.7)], 23),
    ],
)
def test_a_short_period_takes_nothing_in_place_of_what_it_gave_away(days, stop):
    found = of_period(daily(*days), 20, stop)
    assert found.day.item() == -1
    assert found.burned_fraction.item() < 0.01


def test_a_record_that_begins_shortly_before_the_edge_is_compared_as_in_the_earlier_map():
    """A few days of record before the edge are held against five after it, by both maps."""
    probability = daily((43, 0.4), (46, 0.1), (49, 0.4))
    earlier = of_period(probability, 42, EDGE)
    later = summarise(probability[42:], 0.5, HALF, slice(3, 34))
    assert earlier.burned_fraction.item() == 0
    assert later.burned_fraction.item() == pytest.approx(0.9)
