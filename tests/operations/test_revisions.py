"""What one morning's map says differently from the last, with its cause, made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from banet.errors import InputError
from banet.operations.revisions import Cause, Change, Looks, revisions
from made_maps import map_of

SHAPE = (4, 5)
DAYS = 6
START = np.datetime64("2021-08-01")
CELL = (1, 2)


def looks(first=0, *, seen=(), fires=(), weights="w", **settings):
    """Everything is seen but on the days of a cell that `seen` takes away."""
    observed = np.ones((DAYS, *SHAPE), bool)
    hotspot = np.zeros((DAYS, *SHAPE), bool)
    for day, row, col in seen:
        observed[day - first, row, col] = False
    for day, row, col in fires:
        hotspot[day - first, row, col] = True
    return replace(Looks.of(START + first + np.arange(DAYS), observed, hotspot, weights), settings=settings)


def burned(first=0, **cells):
    offset = np.full(SHAPE, -1)
    for (row, col), day in cells.pop("at", {}).items():
        offset[row, col] = day - first
    return map_of(offset, start=START + first, days=DAYS)


def one(before, after, then, now):
    table = revisions(before, after, then, now)
    assert len(table) == 1
    return table.iloc[0]


def test_nothing_changes_when_a_day_leaves_the_window():
    table = revisions(burned(at={CELL: 0, (3, 3): 4}), burned(1, at={(3, 3): 4}), looks(), looks(1))
    assert table.empty


@pytest.mark.parametrize(
    ("then", "now", "cause"),
    [
        (looks(), looks(1, weights="other"), Cause.WEIGHTS),
        (looks(threshold="0.5"), looks(1, threshold="0.9", fires=[(3, 1, 2)]), Cause.SETTINGS),
        (looks(water="a"), looks(1, water="b"), Cause.SETTINGS),
        (looks(), looks(1, water="b"), Cause.NEW_LOOK),  # the state of an older version does not tell
        (looks(polygons=""), looks(1, polygons="a"), Cause.NEW_LOOK),  # a cell that both mornings hold
        (looks(), looks(1, fires=[(3, 1, 2)]), Cause.HOTSPOT_CAME),
        (looks(), looks(1, fires=[(6, 0, 1)]), Cause.HOTSPOT_CAME),
        (looks(fires=[(3, 2, 3)]), looks(1), Cause.HOTSPOT_WENT),
        (looks(seen=[(3, 1, 2)]), looks(1), Cause.LATE),
        (looks(seen=[(4, 1, 2), (5, 1, 2)]), looks(1, seen=[(4, 1, 2), (5, 1, 2)]), Cause.CLOUD_GONE),
        (looks(), looks(1), Cause.NEW_LOOK),
        (looks(seen=[(5, 1, 2)]), looks(1, seen=[(5, 1, 2)]), Cause.NEW_LOOK),  # two days before it was seen
        (looks(), looks(1, seen=[(6, 1, 2)]), Cause.CONTEXT),
        (looks(), looks(1, fires=[(3, 1, 4)]), Cause.NEW_LOOK),
    ],
)
def test_an_added_cell_has_its_cause(then, now, cause):
    change = one(burned(), burned(1, at={CELL: 3}), then, now)
    assert change["kind"] == Change.ADDED
    assert change["cause"] == cause
    assert pd.isna(change["before"])
    assert change["after"] == pd.Timestamp("2021-08-04")
    assert (change["longitude"], change["latitude"]) == pytest.approx((-7.975, 39.985))


def test_cells_are_withdrawn_and_dated_anew():
    table = revisions(burned(at={CELL: 3, (2, 2): 4}), burned(1, at={(2, 2): 5}), looks(), looks(1))
    assert table["kind"].tolist() == [Change.WITHDRAWN, Change.REDATED]


def test_the_same_day_mapped_again_after_a_late_granule():
    change = one(burned(), burned(at={CELL: 3}), looks(seen=[(3, 1, 2)]), looks())
    assert change["cause"] == Cause.LATE


def test_two_regions_are_not_compared():
    other = map_of(np.full(SHAPE, -1), start=START, days=DAYS, west=3.0)
    with pytest.raises(InputError, match="two regions"):
        revisions(burned(), other, looks(), looks())


def test_cells_that_another_polygon_leaves_out():
    before, after = burned(at={CELL: 3, (3, 3): 4}), burned(1, at={(3, 3): 5})
    after.observed_days[CELL] = 0
    causes = revisions(before, after, looks(polygons="a"), looks(1, polygons="b"))["cause"]
    assert causes.tolist() == [Cause.SETTINGS, Cause.NEW_LOOK]
