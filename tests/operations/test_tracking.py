"""Fires of mornings: those that shrink, leave the window of days, or are too small for a name."""

from __future__ import annotations

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.grid.region import Region
from banet.operations.revisions import Looks
from banet.operations.state import MorningState
from banet.operations.tracking import track

REGION = Region("M", (-8.0, 40.0, -7.9, 40.1), 0.01)
DAY = np.datetime64("2020-06-01", "D")
LOOKS = Looks(np.arange(DAY, DAY + 1), np.zeros((1, 10, 10), bool), np.zeros((1, 10, 10), bool), "w")


def morning(first, cells, before=None, least=150):
    """Track the fires of 64 days; `cells` holds the day of each burned cell, by row and column."""
    dates = np.full(REGION.shape, np.datetime64("NaT", "D"))
    for place, day in cells.items():
        dates[place] = DAY + day
    start = DAY + first
    tracked = track(BurnedArea.from_dates(REGION, start, start + 64, dates), before, least)
    return tracked, MorningState(
        REGION, "x.nc", tracked.register, tracked.fraction, tracked.uncertainty, LOOKS
    )


def test_a_fire_of_which_little_is_left_in_the_window_is_not_withdrawn():
    first, state = morning(0, {(4, 4): 0, (4, 5): 1, (4, 6): 2, (9, 0): 30})
    assert first.events.left_out[0] == 1
    later, state = morning(2, {(4, 6): 2, (9, 0): 30}, state)
    assert later.fires["id"].tolist() == first.fires["id"].tolist()
    assert later.fires["cells"].tolist() == [3]
    assert later.fires["area_ha"].tolist() == first.fires["area_ha"].tolist()
    assert later.fires["status"].tolist() == ["quiet"]
    assert later.gone.empty
    last, _ = morning(3, {(9, 0): 30}, state)
    assert last.fires.empty
    assert last.gone.empty
    assert [fire.status for fire in last.register.fires.values()] == ["ended"]


def test_a_fire_that_the_map_takes_back_is_withdrawn_and_keeps_its_name_when_it_returns():
    first, state = morning(0, {(4, 4): 20, (4, 5): 20})
    gone, state = morning(1, {}, state)
    assert gone.fires.empty
    assert gone.gone["id"].tolist() == first.fires["id"].tolist()
    assert gone.gone["status"].tolist() == ["withdrawn"]
    back, _ = morning(2, {(4, 4): 21}, state)
    assert back.fires["id"].tolist() == first.fires["id"].tolist()


def test_a_small_piece_of_a_fire_that_parts_gets_no_name():
    whole, state = morning(0, {(4, 4): 20, (4, 5): 20, (4, 6): 20, (4, 7): 20, (4, 8): 20})
    parts, _ = morning(1, {(4, 4): 20, (4, 5): 20, (4, 8): 20}, state)
    assert parts.fires["id"].tolist() == whole.fires["id"].tolist()
    assert parts.fires["cells"].tolist() == [2]
    assert parts.events.left_out[0] == 1


def test_a_fire_of_just_the_least_size_gets_a_name():
    cell = REGION.cell_area_ha[4]
    for least, count in ((cell, 1), (cell + 0.01, 0)):
        tracked, _ = morning(0, {(4, 4): 20}, least=least)
        assert (len(tracked.fires), tracked.events.left_out[0]) == (count, 1 - count)
