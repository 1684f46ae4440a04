"""Rasters of longitude and latitude cut along, or averaged to, the cells of a region.

Areas are those between parallels on the ellipsoid, so the averages are exact: rows and columns separate, and
each target cell takes from each source cell the share of area that they have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from banet.errors import InputError
from banet.grid.region import Region, authalic
from banet.grid.sinusoidal import Ints, Reals
from banet.grid.sinusoidal_cuts import Cuts

if TYPE_CHECKING:
    from affine import Affine

__all__ = ["LatLonGrid", "average", "cut_cells"]


@dataclass(frozen=True)
class LatLonGrid:
    """A raster in degrees of longitude and latitude, row 0 in the north.

    Attributes:
        west, north: degrees of the upper left corner.
        width, height: degrees of a cell.
        shape: (rows, columns).
    """

    west: float
    north: float
    width: float
    height: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, region: Region) -> LatLonGrid:
        """Return the grid of a region."""
        rows, cols = region.shape
        width, height = (region.east - region.west) / cols, (region.north - region.south) / rows
        return cls(region.west, region.north, width, height, (rows, cols))

    @classmethod
    def from_transform(cls, transform: Affine, shape: tuple[int, int]) -> LatLonGrid:
        """Make the grid of a raster from its affine transform.

        Raises:
            InputError: if it is rotated, or its rows do not run from north to south.
        """
        if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
            raise InputError(f"the raster is rotated or upside down: {tuple(transform)[:6]}")
        return cls(transform.c, transform.f, transform.a, -transform.e, (int(shape[0]), int(shape[1])))

    def window_on(self, region: Region) -> tuple[slice, slice]:
        """Return the rows and columns that can touch a region; empty slices where none does."""
        turns = self._turns(region)
        top = math.floor((self.north - region.north) / self.height - 1e-9)
        bottom = math.ceil((self.north - region.south) / self.height + 1e-9)
        row = np.clip([top, bottom], 0, self.shape[0])
        if not turns:
            return slice(int(row[0]), int(row[1])), slice(0, 0)
        left = min(math.floor((region.west + t - self.west) / self.width - 1e-9) for t in turns)
        right = max(math.ceil((region.east + t - self.west) / self.width + 1e-9) for t in turns)
        col = np.clip([left, right], 0, self.shape[1])
        return slice(int(row[0]), int(row[1])), slice(int(col[0]), int(col[1]))

    def window(self, rows: slice, cols: slice) -> LatLonGrid:
        """Return the grid of a block of cells."""
        r0, r1, _ = rows.indices(self.shape[0])
        c0, c1, _ = cols.indices(self.shape[1])
        west, north = self.west + c0 * self.width, self.north - r0 * self.height
        return LatLonGrid(west, north, self.width, self.height, (max(r1 - r0, 0), max(c1 - c0, 0)))

    def _turns(self, region: Region) -> tuple[float, ...]:
        """Whole turns to add to a region's longitudes so that they meet this raster's."""
        east = self.west + self.shape[1] * self.width
        turns = (-720.0, -360.0, 0.0, 360.0, 720.0)
        return tuple(t for t in turns if region.east + t > self.west + 1e-9 and region.west + t < east - 1e-9)

    def _row_shares(self, region: Region) -> sparse.csr_array:
        """(region rows, raster rows): part of each cell's area, by height, that lies in a raster's row."""
        mine = authalic(self.north - np.arange(self.shape[0] + 1) * self.height)
        theirs = authalic(np.linspace(region.north, region.south, region.shape[0] + 1))
        return _shares(-theirs, -mine)

    def _col_shares(self, region: Region) -> sparse.csr_array:
        """(region columns, raster columns): part of each cell's width that lies in a raster's column."""
        mine = self.west + np.arange(self.shape[1] + 1) * self.width
        theirs = np.linspace(region.west, region.east, region.shape[1] + 1)
        total = sparse.csr_array((region.shape[1], self.shape[1]))
        for turn in self._turns(region):
            total = total + _shares(theirs + turn, mine)
        return total


def _shares(target: Reals, source: Reals) -> sparse.csr_array:
    """Return the share of each target interval that each source interval covers; edges ascend."""
    first = np.clip(np.searchsorted(source, target[:-1], side="right") - 1, 0, source.size - 1)
    last = np.clip(np.searchsorted(source, target[1:], side="left"), 0, source.size - 1)
    count = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(count.size), count)
    other = np.arange(owner.size) - (np.cumsum(count) - count - first)[owner]
    common = np.minimum(target[owner + 1], source[other + 1]) - np.maximum(target[owner], source[other])
    share = np.maximum(common, 0) / np.diff(target)[owner]
    # Edges that differ by rounding alone leave slivers; they are no overlap.
    keep = share > 1e-9
    shape = (target.size - 1, source.size - 1)
    return sparse.csr_array((share[keep], (owner[keep], other[keep])), shape=shape)


def average(grid: LatLonGrid, values: npt.NDArray[np.generic], region: Region) -> Reals:
    """Return the area mean of a raster over each cell of a region; what lies outside the raster counts as 0.

    Args:
        grid: where the values are.
        values: (raster rows, raster columns), finite.
        region: where the cells are.

    Returns:
        (rows, columns) float64.

    Raises:
        InputError: if values and grid differ in shape.
    """
    if values.shape != grid.shape:
        raise InputError(f"values of {values.shape} do not fit a grid of {grid.shape}")
    across = grid._col_shares(region) @ np.asarray(values, np.float64).T
    return np.asarray(grid._row_shares(region) @ across.T)


def cut_cells(grid: LatLonGrid, rows: Ints, cols: Ints, region: Region) -> Cuts:
    """Cut cells of a raster along the cells of a region.

    Args:
        grid: where the raster's cells are.
        rows: row of each cell to cut, (n,).
        cols: its column, (n,).
        region: where the cells are that they fall into.

    Returns:
        The pieces; `run` is the index into `rows`. For a cell inside the region their areas sum to its own.
    """
    down, across = grid._row_shares(region).tocsc(), grid._col_shares(region).tocsc()
    owner, row, height = _entries(down, np.asarray(rows, np.intp))
    piece, col, width = _entries(across, np.asarray(cols, np.intp)[owner])
    return Cuts(owner[piece], row[piece], col, height[piece] * width)


def _entries(shares: sparse.csc_array, columns: Ints) -> tuple[Ints, Ints, Reals]:
    """Return (index into `columns`, row, value) of every entry in the given columns of a sparse matrix."""
    first, last = shares.indptr[columns], shares.indptr[columns + 1]
    count = last - first
    owner = np.repeat(np.arange(columns.size), count)
    at = np.arange(owner.size) - (np.cumsum(count) - count - first)[owner]
    return owner, shares.indices[at].astype(np.intp), shares.data[at]
