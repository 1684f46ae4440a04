"""Share of provisional cells that stay, by hand and from a replay."""

from __future__ import annotations

import numpy as np
import pytest

from banet.errors import InputError, UnreadableFileError
from banet.operations.precision import AFTER, Precision, measure
from made_maps import map_of

START = np.datetime64("2021-06-01")


def pair():
    """Six cells of a morning and what became of them: stays, moves a day, moves 9, goes, left, new."""
    early = map_of(np.array([[40, 50, 50, 60, 10, -1]]), start=START, days=64)
    late = map_of(np.array([[10, 21, 29, -1, -1, 12]]), start=START + AFTER, days=64)
    since = np.array([[5, 5, 0, 0, 60, 255]], np.uint8)
    return early, since, late


def test_cells_are_counted_by_the_days_seen_since():
    found = Precision.of(*pair())
    assert found.shown.sum() == 4  # the fifth had left the window, the sixth was not shown
    assert (found.shown[5], found.stayed[5], found.same[5]) == (2, 2, 2)
    assert (found.shown[0], found.stayed[0], found.same[0]) == (2, 0, 0)


def test_shares_need_a_hundred_cells_and_go_to_each_cell_in_percent():
    shown = np.zeros(34, np.int64)
    shown[[0, 1, 2]] = 200, 99, 1000
    stayed = np.zeros(34, np.int64)
    stayed[[0, 1, 2]] = 150, 0, 900
    found = Precision(shown, stayed, stayed, "w", "made by hand")
    assert found.shares[:4].tolist() == [0.75, 0.75, 0.9, 0.9]
    since = np.array([[0, 1, 2, 63, 254, 255]], np.uint8)
    assert found.percent(since).tolist() == [[75, 75, 90, 90, 90, 255]]


def test_ages_of_few_cells_before_the_first_of_many_have_its_share(tmp_path):
    """They had none, and a morning that nobody could judge said that nothing of it stays."""
    shown = np.zeros(34, np.int64)
    shown[2] = 5000
    found = Precision(shown, shown // 2, shown, "w", "made by hand")
    assert found.percent(np.array([[0, 1, 2, 3]], np.uint8)).tolist() == [[50, 50, 50, 50]]
    few = Precision(shown // 100, shown, shown, "w", "")
    assert np.isnan(few.shares).all()
    with pytest.raises(UnreadableFileError, match="no age of it has 100 cells"):
        Precision.load(few.save(tmp_path / "few.json"))


def test_it_is_written_and_read_and_added_up(tmp_path):
    found = Precision.of(*pair())
    path = Precision.join([found] * 50, "often").save(tmp_path / "p.json")
    again = Precision.load(path)
    assert again.shown.tolist() == (50 * found.shown).tolist()
    assert (again.source, again.weights) == ("often", found.weights)
    path.write_text(path.read_text().replace("30", "31"))
    with pytest.raises(UnreadableFileError, match="ages"):
        Precision.load(path)
    other = Precision(found.shown, found.stayed, found.same, "others", "")
    with pytest.raises(InputError, match="same weights"):
        Precision.join([found, other], "")


def test_the_table_that_ships_rises_with_age():
    shares = Precision.shipped().shares
    assert np.isfinite(shares).all()
    assert 0.5 < shares[0] < shares[10:].mean() <= 1


def test_mornings_that_lie_too_close_tell_nothing(tmp_path):
    assert measure({START: tmp_path, START + 1: tmp_path}, "") is None
