"""Connected fires: burned cells linked where they lie near each other in space and time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import InputError

__all__ = ["MAX_GAP_CELLS", "SCORED_GAP_DAYS", "label_fires", "link"]

MAX_GAP_CELLS = 2
"""Largest difference of rows and of columns of two cells of one fire: that of Pinto et al. (2020)."""

SCORED_GAP_DAYS = 5
"""Largest difference of dates of two cells of one fire where maps are scored and seasons replayed.

`find_events` takes the 2 days of Pinto et al. (2020), and may part what is one fire here.
"""

_WIDEST_GAP_CELLS = 100
"""Offsets are looked up one by one, and their number grows with the square: within so many cells 20,000."""

Raster = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


def label_fires(
    burned: npt.NDArray[np.bool_],
    date: Days,
    *,
    max_gap_cells: int = MAX_GAP_CELLS,
    max_gap_days: int = SCORED_GAP_DAYS,
) -> Index:
    """Number the fires: burned cells within so many cells and days of each other belong together.

    Args:
        burned: (rows, columns).
        date: (rows, columns) datetime64[D]; burned cells without a date join whatever is near them.
        max_gap_cells: largest difference of rows and of columns of two cells that belong together.
        max_gap_days: largest difference of dates of two such cells.

    Returns:
        (rows, columns) int64 from 1; 0 where nothing burned. Fires are numbered by their first cell.

    Raises:
        InputError: if the limits are not positive, the gap is wider than 100 cells, or shapes differ.
    """
    if max_gap_cells < 1 or max_gap_days < 0:
        raise InputError(
            f"fires joined over {max_gap_cells} cells and {max_gap_days} days; give at least 1 and 0"
        )
    if burned.shape != date.shape:
        raise InputError(f"burned cells {burned.shape} and dates {date.shape} differ in shape")
    row, col = np.nonzero(burned)
    grid = np.full(burned.shape, -1, np.int32)
    grid[row, col] = np.arange(row.size, dtype=np.int32)
    when = date[row, col]
    day = np.where(np.isnat(when), np.nan, when.astype(np.int64).astype(np.float64))
    out = np.zeros(burned.shape, np.int64)
    out[row, col] = link([grid], day, max_gap_days, max_gap_cells) + 1
    return out


def link(grids: Sequence[Raster], day: Reals, gap_days: int, gap: int, *, wraps: bool = False) -> Index:
    """Return the number of the fire of each burned cell, from 0, fires numbered by their first cell.

    Neighbours are looked up one offset at a time and merged at once, so memory is that of the cells and not
    of the pairs.

    Args:
        grids: rasters of one region, each with the index of its burned cells and -1 elsewhere,
            (rows, columns) int32; of several maps the indices go on.
        day: of each cell by its index, (n,) float64; NaN where not dated, which links whatever is near.
        gap_days: largest difference of days of two cells that belong together.
        gap: largest difference of rows and of columns.
        wraps: whether the last column is beside the first.

    Raises:
        InputError: if the gap is wider than 100 cells.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if gap > _WIDEST_GAP_CELLS:
        raise InputError(f"fires joined over {gap:,} cells; give at most {_WIDEST_GAP_CELLS}")
    label = np.arange(day.size)
    for one, other, offset in _pairs(grids, day, gap_days, gap):
        a, b = _neighbours(one, other, offset, wraps)
        together = ~(np.abs(day[a] - day[b]) > gap_days) & (label[a] != label[b])
        if together.any():
            ends = (label[a[together]], label[b[together]])
            graph = coo_array((np.ones(ends[0].size, bool), ends), shape=(label.size, label.size))
            label = connected_components(graph, directed=False)[1].astype(np.int64)[label]
    return label


def _pairs(
    grids: Sequence[Raster], day: Reals, gap_days: int, gap: int
) -> Iterator[tuple[Raster, Raster, tuple[int, int]]]:
    """Give pairs of rasters near enough in time, and offsets; within one raster each pair of cells once."""
    reach = range(-gap, gap + 1)
    around = sorted(((y, x) for y in reach for x in reach), key=lambda o: (max(map(abs, o)), o))
    burned = [(grid, day[grid[grid >= 0]]) for grid in grids if (grid >= 0).any()]
    for (one, first), (other, second) in itertools.combinations_with_replacement(burned, 2):
        apart = np.maximum(second.min() - first.max(), first.min() - second.max())
        if not apart > gap_days:
            for offset in around:
                if one is not other or offset > (0, 0):
                    yield one, other, offset


def _neighbours(one: Raster, other: Raster, offset: tuple[int, int], wraps: bool) -> tuple[Index, Index]:
    """Return the cells of `one` that have a burned cell of `other` at an offset, and that cell."""
    rows, cols = one.shape
    row, col = np.nonzero(one >= 0)
    to_row, to_col = row + offset[0], col + offset[1]
    if wraps:
        to_col %= cols
    inside = (to_row >= 0) & (to_row < rows) & (to_col >= 0) & (to_col < cols)
    found = np.full(row.size, -1, np.int64)
    found[inside] = other[to_row[inside], to_col[inside]]
    return one[row, col][found >= 0].astype(np.int64), found[found >= 0]
