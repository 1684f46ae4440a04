"""Change of reflectance around a day: medians before and after, missing days left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.days import Days

__all__ = ["LargestDrop", "change_at", "index_of", "largest_drop", "median_without_missing"]

Block = npt.NDArray[np.floating[Any]]


def index_of(nir: Block, mir: Block) -> npt.NDArray[np.float32]:
    """Return (NIR - MIR) / (NIR + MIR), float32; NaN where one is missing or both are nothing (water)."""
    total = nir + mir
    with np.errstate(invalid="ignore", divide="ignore"):
        index = (nir - mir) / total
        return np.where(total > 0.01, index, np.nan).astype(np.float32)


def median_without_missing(values: Block) -> npt.NDArray[np.float32]:
    """Return the median along the first axis of what is not NaN; NaN where there is nothing.

    Sorting puts NaN last, which is many times faster than `numpy.nanmedian` on tall stacks.
    """
    if not len(values):
        return np.full(values.shape[1:], np.nan, np.float32)
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(ordered) - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2, np.nan).astype(np.float32)


def change_at(
    values: Block, days: Days, cells: tuple[npt.NDArray[np.intp], ...], dates: Days, reach: int
) -> npt.NDArray[np.float32]:
    """Return median before minus median after a date for single cells, (n,) float32; a drop is positive.

    Args:
        values: (T, rows, columns).
        days: (T,) consecutive days.
        cells: rows and columns, (n,) each.
        dates: the date of each cell, (n,); it belongs to neither side. NaN where one side has no value.
        reach: number of days on each side.
    """
    at = (dates - days[0]).astype(np.int64)
    return _around(values, at, cells, (range(-reach, 0), range(1, reach + 1)))


def _around(
    values: Block, at: npt.NDArray[Any], cells: tuple[npt.NDArray[np.intp], ...], sides: tuple[range, range]
) -> npt.NDArray[np.float32]:
    """Return the median over one range of days from `at` minus that over the other, (n,), of single cells."""
    medians = []
    for side in sides:
        day = at[None, :] + np.array(side)[:, None]
        part = values[np.clip(day, 0, len(values) - 1), *cells]
        medians.append(median_without_missing(np.where((day >= 0) & (day < len(values)), part, np.nan)))
    return medians[0] - medians[1]


@dataclass(frozen=True, eq=False)
class LargestDrop:
    """The day on which the index of each cell fell most, (rows, columns) each.

    Attributes:
        day: index of the day.
        index_drop: float32; NaN where it could not be told on any day.
        nir_drop: drop of NIR around that day, float32.
    """

    day: npt.NDArray[np.intp]
    index_drop: npt.NDArray[np.float32]
    nir_drop: npt.NDArray[np.float32]


def largest_drop(index: Block, nir: Block, inside: npt.NDArray[np.bool_], days: int) -> LargestDrop:
    """Find the largest drop from the median of the days before to that of the day and those after.

    Args:
        index: (T, rows, columns).
        nir: (T, rows, columns).
        inside: days that may be taken, (T,).
        days: number of days on each side.
    """
    shape = index.shape[1:]
    best = np.full(shape, -np.inf, np.float32)
    fall = np.full(shape, np.nan, np.float32)
    day = np.zeros(shape, np.intp)
    for t in np.flatnonzero(inside):
        before, after = index[max(t - days, 0) : t], index[t : t + days]
        drop = median_without_missing(before) - median_without_missing(after)
        (low, count), (high, left) = (_mean(side) for side in (before, after))
        # Medians stay the same for some days around a change; the means tell which day it is.
        rank = drop + low - high
        # A single clear day is no median: it may be a cloud's shadow or a bright cloud.
        better = (count >= 2) & (left >= 2) & (rank > best)
        best[better], fall[better], day[better] = rank[better], drop[better], t
    cells = tuple(part.ravel() for part in np.indices(shape))
    change = _around(nir, day.ravel(), cells, (range(-days, 0), range(days)))
    return LargestDrop(day, fall, change.reshape(shape))


def _mean(values: Block) -> tuple[Block, npt.NDArray[np.intp]]:
    """Return the mean along the first axis of what is not NaN, and how many values it is of."""
    count = np.count_nonzero(np.isfinite(values), axis=0)
    return np.nansum(values, axis=0) / np.maximum(count, 1), count
