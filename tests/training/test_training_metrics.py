"""Scores of training against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from banet.burned_area.dating import DatingRule
from banet.evaluation.measures import HEADLINE
from banet.evaluation.sums import Sums
from banet.training.metrics import active_fire_map, measured, scores_of


def days(*rows: list[float]) -> np.ndarray:
    """(T, 1, cells) from one row a day."""
    return np.array(rows, np.float32)[:, None, :]


# Cells: burned and mapped a day late; burned, missed; mapped, unburned; low fraction; neither.
TRUTH = days([0.9, 0.3, 0.0, 0.2, 0.0], [0.0, 0.3, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0])
DAILY = days([0.1, 0.1, 0.1, 0.1, 0.0], [0.6, 0.1, 0.2, 0.0, 0.0], [0.1, 0.1, 0.4, 0.0, 0.1])


def test_counts_by_hand() -> None:
    scores = scores_of(measured(DAILY, TRUTH))
    assert scores["dice"] == 0.5 and scores["commission"] == 0.5 and scores["omission"] == 0.5
    assert scores["date_error"] == 1 and scores["date_bias"] == 1
    # True fractions: 0.2 missed, 0.6 missed, 0.9 mapped.
    assert scores["recall_10_25"] == 0 and scores["recall_25_50"] is None
    assert scores["recall_50_75"] == 0 and scores["recall_75_100"] == 1


def test_fractions_on_an_edge_belong_to_the_upper_class_and_half_is_burned() -> None:
    said = measured(days([1.0, 1.0, 1.0]), days([0.25, 0.5, 1.0])).value(HEADLINE)
    assert [one.cells for one in said["classes"]] == [0, 0, 0, 1, 1, 1]
    assert (said["hard"].both, said["hard"].map_only) == (2, 1)


def test_cells_that_are_not_known_do_not_count() -> None:
    truth = TRUTH.copy()
    truth[1, 0, 2] = np.nan
    assert measured(DAILY, truth).value(HEADLINE)["hard"].map_only == 0


def test_sums_of_chips_add_up() -> None:
    one = measured(DAILY, TRUTH)
    both = Sums.join([one, one, measured(np.zeros_like(TRUTH), np.zeros_like(TRUTH))])
    assert scores_of(both) == scores_of(one)
    assert both.value(HEADLINE)["hard"].both == 2
    assert both.value(HEADLINE)["dating"].cells == 2


def test_a_perfect_map_and_an_empty_scene() -> None:
    scores = scores_of(measured(TRUTH, TRUTH))
    assert scores["dice"] == 1 and scores["date_error"] == 0
    nothing = scores_of(measured(np.zeros_like(TRUTH), np.zeros_like(TRUTH)))
    assert nothing["dice"] is None and set(nothing.values()) <= {None, 0.0}


def test_early_dates_have_a_negative_bias() -> None:
    early = measured(days([1, 0], [0, 0], [0, 1]), days([0, 0], [0, 0], [1, 1]))
    assert scores_of(early)["date_error"] == 1 and scores_of(early)["date_bias"] == -1
    both = scores_of(measured(days([1, 0], [0, 0], [0, 1]), days([0, 1], [0, 0], [1, 0])))
    assert both["date_error"] == 2 and both["date_bias"] == pytest.approx(0)


def test_dates_are_those_of_the_map() -> None:
    """By a share of the sum the first cell dates on the second day, by the largest value on the third."""
    daily, truth = days([0.2], [0.3], [0.4]), days([0.0], [1.0], [0.0])
    assert scores_of(measured(daily, truth))["date_bias"] == 1
    assert scores_of(measured(daily, truth, dating=DatingRule(0.8, 0.5)))["date_bias"] == 0


def test_active_fires_are_dated_by_the_first() -> None:
    frp = days([0, 5, np.nan], [3, 5, 0], [3, 0, 0])
    np.testing.assert_array_equal(active_fire_map(frp), days([0, 1, 0], [1, 0, 0], [0, 0, 0]))
