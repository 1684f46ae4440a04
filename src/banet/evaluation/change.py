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
    row, col = cells
    at = (dates - days[0]).astype(np.int64)
    sides = []
    for offsets in (np.arange(-reach, 0), np.arange(1, reach + 1)):
        day = at[None, :] + offsets[:, None]
        inside = (day >= 0) & (day < len(days))
        part = values[np.clip(day, 0, len(days) - 1), row, col]
        sides.append(median_without_missing(np.where(inside, part, np.nan)))
    return sides[0] - sides[1]


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
        # Medians stay the same for some days around a change; the means tell which day it is.
        rank = drop + _mean(before) - _mean(after)
        # A single clear day is no median: it may be a cloud's shadow or a bright cloud.
        better = _seen(before) & _seen(after) & (rank > best)
        best[better], fall[better], day[better] = rank[better], drop[better], t
    grid = tuple(np.asarray(part) for part in np.indices(shape))
    sides = (range(-days, 0), range(days))
    low, high = (median_without_missing(np.stack([_shifted(nir, day + k, grid) for k in s])) for s in sides)
    return LargestDrop(day, fall, low - high)


def _mean(values: Block) -> Block:
    count = np.count_nonzero(np.isfinite(values), axis=0)
    mean: Block = np.nansum(values, axis=0) / np.maximum(count, 1)
    return mean


def _seen(values: Block) -> npt.NDArray[np.bool_]:
    enough: npt.NDArray[np.bool_] = np.count_nonzero(np.isfinite(values), axis=0) >= 2
    return enough


def _shifted(values: Block, at: npt.NDArray[np.intp], grid: tuple[npt.NDArray[np.intp], ...]) -> Block:
    inside = (at >= 0) & (at < len(values))
    taken: Block = np.where(inside, values[np.clip(at, 0, len(values) - 1), *grid], np.nan)
    return taken
