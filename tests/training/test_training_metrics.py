"""Scores of training against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from banet.training.metrics import Tally, active_fire_map


def days(*rows: list[float]) -> np.ndarray:
    """(T, 1, cells) from one row a day."""
    return np.array(rows, np.float32)[:, None, :]


# Cells: burned and mapped a day late; burned, missed; mapped, unburned; low fraction; neither.
TRUTH = days([0.9, 0.3, 0.0, 0.2, 0.0], [0.0, 0.3, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0])
DAILY = days([0.1, 0.1, 0.1, 0.1, 0.0], [0.6, 0.1, 0.2, 0.0, 0.0], [0.1, 0.1, 0.4, 0.0, 0.1])


def tally() -> Tally:
    made = Tally()
    made.add(DAILY, TRUTH)
    return made


def test_counts_by_hand() -> None:
    made = tally()
    assert (made.true_positive, made.false_positive, made.false_negative) == (1, 1, 1)
    scores = made.scores()
    assert scores["dice"] == 0.5 and scores["commission"] == 0.5 and scores["omission"] == 0.5
    assert scores["date_error"] == 1 and scores["date_bias"] == 1
    # True fractions: 0.2 missed, 0.6 missed, 0.9 mapped.
    assert scores["recall_10_25"] == 0 and scores["recall_25_50"] is None
    assert scores["recall_50_75"] == 0 and scores["recall_75_100"] == 1


def test_fractions_on_an_edge_belong_to_the_upper_class_and_half_is_burned() -> None:
    made = Tally()
    made.add(days([1.0, 1.0, 1.0]), days([0.25, 0.5, 1.0]))
    assert made.cells_by_class == [0, 1, 1, 1]
    assert made.true_positive == 2 and made.false_positive == 1


def test_cells_that_are_not_known_do_not_count() -> None:
    truth = TRUTH.copy()
    truth[1, 0, 2] = np.nan
    made = Tally()
    made.add(DAILY, truth)
    assert made.false_positive == 0


def test_tallies_add_up() -> None:
    both, one = tally(), tally()
    both.merge(one)
    both.merge(Tally())
    assert both.scores() == one.scores()
    assert both.true_positive == 2 * one.true_positive and both.date_errors == {1: 2}


def test_a_perfect_map_and_an_empty_scene() -> None:
    made = Tally()
    made.add(TRUTH, TRUTH)
    assert made.dice == 1 and made.date_error == 0
    nothing = Tally()
    nothing.add(np.zeros_like(TRUTH), np.zeros_like(TRUTH))
    assert nothing.dice is None and set(nothing.scores().values()) <= {None, 0.0}


def test_early_dates_have_a_negative_bias() -> None:
    made = Tally()
    made.add(days([1, 0], [0, 0], [0, 1]), days([0, 1], [0, 0], [1, 0]))
    assert made.date_errors == {-2: 1, 2: 1}
    assert made.date_error == 2 and made.date_bias == pytest.approx(0)


def test_active_fires_are_dated_by_the_first() -> None:
    frp = days([0, 5, np.nan], [3, 5, 0], [3, 0, 0])
    np.testing.assert_array_equal(active_fire_map(frp), days([0, 1, 0], [1, 0, 0], [0, 0, 0]))
