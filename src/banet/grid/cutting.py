"""One way to cut and to average pixels, whichever projection their grid is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.grid.average import LatLonGrid, average, cut_cells
from banet.grid.projected import ProjectedGrid, cut_projected, lookup_fraction, lookup_fractions
from banet.grid.region import Region
from banet.grid.sinusoidal import Ints, Reals, SinusoidalGrid
from banet.grid.sinusoidal_cuts import Cuts, cut_runs, mask_fraction

__all__ = ["Grid", "covered", "cut", "cut_pixels"]

Grid = SinusoidalGrid | LatLonGrid | ProjectedGrid


def covered(grid: Grid, mask: npt.NDArray[np.bool_], region: Region) -> Reals:
    """Return the fraction of each cell's area under the true pixels of a mask, (rows, columns) float64."""
    if isinstance(grid, SinusoidalGrid):
        return mask_fraction(grid, mask, region)
    if isinstance(grid, ProjectedGrid):
        return lookup_fraction(grid, mask, region)
    return average(grid, mask, region)


def covered_by_class(
    grid: Grid, values: npt.NDArray[Any], known: npt.NDArray[np.bool_], classes: Sequence[int], region: Region
) -> Reals:
    """Return the fraction of each cell's area under known pixels of each class, (classes, rows, columns)."""
    if not isinstance(grid, ProjectedGrid):
        return np.stack([covered(grid, known & (values == one), region) for one in classes])
    numbers = np.full(values.shape, -1, np.int16)
    for number, one in enumerate(classes):
        numbers[known & (values == one)] = number
    return lookup_fractions(grid, numbers, len(classes), region)


def cut_pixels(grid: Grid, rows: Ints, cols: Ints, region: Region) -> Cuts:
    """Cut single pixels, given by row and column, along the cells of a region."""
    return cut(grid, rows, cols, np.asarray(cols) + 1, region)


def cut(
    grid: Grid, rows: Ints, starts: Ints, stops: Ints, region: Region, *, finest: int | None = None
) -> Cuts:
    """Cut runs of pixels (columns `starts` to `stops`, half-open) along the cells of a region."""
    if isinstance(grid, SinusoidalGrid):
        return cut_runs(grid, rows, starts, stops, region, **({} if finest is None else {"finest": finest}))
    count = np.asarray(stops) - starts
    run = np.repeat(np.arange(count.size), count)
    cols = np.arange(run.size) - (np.cumsum(count) - count - starts)[run]
    across = cut_projected if isinstance(grid, ProjectedGrid) else cut_cells
    cuts = across(grid, np.asarray(rows)[run], cols, region)  # type: ignore[arg-type]
    return Cuts(run[cuts.run], cuts.row, cuts.col, cuts.fraction)
