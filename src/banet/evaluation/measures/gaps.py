"""Date differences by the days between the clear looks before and after the reference's date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.cube.variables import CLEAR_RED
from banet.days import Days
from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.measures.dates import BINS, Dating, binned, date_columns
from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree
from banet.io.tables import Number, Row

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["Gaps", "gap_classes", "observation_gap"]

CLASSES = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 366))
"""Days from the last observation before a fire to the first one on its day or after."""

LABELS = tuple(
    str(low) if low == high else f"{low}-{high}" if high < 366 else f"{low} and more" for low, high in CLASSES
)
_MARGIN_DAYS, _ROWS_AT_ONCE = 30, 64


def _dated(whole: Tree) -> list[Row]:
    """One row a class, if any cell is in one."""
    return list(whole["gaps"]) if any(row["dated_cells"] for row in whole["gaps"]) else []


class Gaps(Measure):
    """Dates by the class `gap` of the cells (`gap_classes`); nothing where the pair has none."""

    name = "gaps"
    file = "dates_by_gap"
    tables = (
        MeasureTable(
            "gaps",
            "Dates by gap between clear looks",
            "Mean absolute difference in days, by the days from the last clear look before the fire to "
            "the first on its day or after. A look is clear where red is below 0.3.",
            lambda w: {f"{one['gap_days']} d": Number(one["mean_absolute_days"], 2) for one in _dated(w)},
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return, as one group, counts by class and day of difference, and stated uncertainties."""
        plane = pair.classes.get("gap", np.full(pair.group.shape, -1))
        kind, count = plane[pair.both_dated], len(CLASSES)
        inside = kind >= 0
        days = np.bincount(kind[inside] * BINS + binned(pair.late)[inside], minlength=count * BINS)
        stated = [np.bincount(kind[inside & part], minlength=count) for part in pair.stated]
        return {"days": days.reshape(1, count, BINS), "stated": np.stack(stated, axis=-1)[None]}

    def value(self, sums: Arrays) -> Tree:
        """Return one entry a class."""
        found = zip(LABELS, sums["days"], sums["stated"], strict=True)
        named = {label: Dating.from_histogram(days, *stated) for label, days, stated in found}
        return {
            "gaps": [{"gap_days": label} | date_columns(one.to_dict()) for label, one in named.items()],
            "dates_by_gap": named if any(one.cells for one in named.values()) else {},
        }

    def rows(self, whole: Tree) -> list[Row]:
        """Return one row a class, if any cell is in one."""
        return _dated(whole)


def observation_gap(observed: npt.NDArray[np.bool_], days: Days, date: Days) -> npt.NDArray[np.int64]:
    """Return the days between the last observation before a date and the first one on it or after.

    Args:
        observed: (T, rows, columns).
        days: (T,) consecutive days.
        date: (rows, columns) datetime64[D].

    Returns:
        (rows, columns) int64; -1 where there is no date; 366 where one of the two observations is missing.
    """
    count = len(days)
    index = np.arange(count)[:, None, None]
    before = np.maximum.accumulate(np.where(observed, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(observed, index, count)[::-1], axis=0)[::-1]
    at = np.where(np.isnat(date), 0, (date - days[0]).astype(np.int64))
    inside = ~np.isnat(date) & (at >= 1) & (at < count)
    safe = np.clip(at, 1, count - 1)[None]
    last = np.take_along_axis(before, safe - 1, axis=0)[0]
    first = np.take_along_axis(after, safe, axis=0)[0]
    gap = np.where(inside & (last >= 0) & (first < count), first - last, 366)
    return np.where(np.isnat(date), -1, gap).astype(np.int64)


def gap_classes(comparison: Comparison, cube: Cube) -> npt.NDArray[np.int64]:
    """Return the class (`CLASSES`) of the gap between clear looks around the reference's date.

    A look is clear where red, NIR and MIR are there and red is below 0.3; thin cloud and smoke pass as clear,
    snow and the brightest sand do not.

    Args:
        comparison: map and reference on the cube's grid.
        cube: what was observed.

    Returns:
        (rows, columns) int64; -1 where the reference has no date.

    Raises:
        InputError: if the grids differ.
    """
    if cube.region != comparison.region:
        raise InputError(f"gaps need a comparison on the cube's grid {cube.region.name} {cube.region.shape}")
    days = comparison.start - _MARGIN_DAYS, comparison.stop + _MARGIN_DAYS
    gap = np.full(comparison.region.shape, -1)
    for first in range(0, cube.region.shape[0], _ROWS_AT_ONCE):
        rows = slice(first, min(first + _ROWS_AT_ONCE, cube.region.shape[0]))
        window = cube.read(*days, rows=rows, variables=("red", "nir", "mir"))
        clear = window.observed & (np.nan_to_num(window.red, nan=1) < CLEAR_RED)
        gap[rows] = observation_gap(clear, window.days, comparison.reference_date[rows])
    kind = np.searchsorted([low for low, _ in CLASSES], gap, side="right") - 1
    return kind.astype(np.int64)
