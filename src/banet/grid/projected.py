"""Rasters in any projection, cut along the cells of a region.

Each pixel is taken as the quadrilateral of its corners on a cylindrical equal-area map of the ellipsoid,
where cells are rectangles, and what each cell shares with it is exact. Neighbours have their corners in
common: no area is gained or lost. A pixel's true edges bend away from straight ones by centimetres in a
kilometre.

What share of a cell lies under a mask, which may have very many pixels, is told by points of the cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region, authalic
from banet.grid.sinusoidal import Ints, Reals
from banet.grid.sinusoidal_cuts import Cuts, expand

if TYPE_CHECKING:
    from affine import Affine

__all__ = ["ProjectedGrid", "cut_projected", "lookup_fraction", "lookup_fractions"]

_LOOKUPS = 5
_POINTS_AT_ONCE = 2_000_000
_PIXELS_AT_ONCE = 100_000
_PIECES_AT_ONCE = 200_000
_BESIDE = 1e-9
"""Degrees from a meridian to a place that lies beside it."""
_SLIVER = 1e-9
"""Part of a cell that edges may share by rounding alone."""
_LEVEL = 1e-6
"""Cells by which a side may rise and its mean height be that of its middle."""


@dataclass(frozen=True)
class ProjectedGrid:
    """A raster in a projected coordinate reference system.

    Attributes:
        crs: anything that pyproj understands, as text.
        coefficients: of the affine transform from (column, row) to coordinates.
        shape: (rows, columns).
    """

    crs: str
    coefficients: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]

    @classmethod
    def from_transform(cls, crs: str, transform: Affine, shape: tuple[int, int]) -> ProjectedGrid:
        """Make the grid of a raster."""
        a, b, c, d, e, f = tuple(transform)[:6]
        return cls(crs, (a, b, c, d, e, f), (int(shape[0]), int(shape[1])))

    def lonlat(self, rows: Reals | Ints, cols: Reals | Ints) -> tuple[Reals, Reals]:
        """Return longitude and latitude of places given as real row and column; 0.5 is a pixel's centre."""
        from pyproj import Transformer

        a, b, c, d, e, f = self.coefficients
        x, y = c + a * cols + b * rows, f + d * cols + e * rows
        lon, lat = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True).transform(x, y)
        return np.asarray(lon), np.asarray(lat)

    def pixel_of(self, longitude: Reals, latitude: Reals) -> tuple[Reals, Reals]:
        """Return (row, column) of points as real numbers."""
        from affine import Affine
        from pyproj import Transformer

        x, y = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True).transform(longitude, latitude)
        a, b, c, d, e, f = tuple(~Affine(*self.coefficients))[:6]
        x, y = np.asarray(x), np.asarray(y)
        return d * x + e * y + f, a * x + b * y + c

    def window_on(self, region: Region) -> tuple[slice, slice]:
        """Return the rows and columns that can touch a region; empty slices where none does."""
        # 180 degrees east is where a map of the world ends, and where it begins: it is walked on either side.
        east, seam = region.east - _BESIDE, [180 - _BESIDE, 180 + _BESIDE]
        meridians = [region.west, east, *(seam if region.west < 180 < east else ())]
        lon = np.concatenate([np.linspace(region.west, east, 41), meridians])
        lat = np.linspace(region.south, region.north, 41)
        # Every edge is walked along, for in a projection the corners are not the extremes.
        edge_lon = np.concatenate([lon, lon, np.repeat(meridians, lat.size)])
        ends = np.repeat([region.south, region.north], lon.size)
        edge_lat = np.concatenate([ends, np.tile(lat, len(meridians))])
        row, col = self.pixel_of((edge_lon + 180) % 360 - 180, edge_lat)
        known = np.isfinite(row) & np.isfinite(col)
        if not known.any():
            return slice(0, 0), slice(0, 0)
        margin = 2  # the walk has gaps
        return (
            _clipped(row[known].min() - margin, row[known].max() + margin, self.shape[0]),
            _clipped(col[known].min() - margin, col[known].max() + margin, self.shape[1]),
        )

    def window(self, rows: slice, cols: slice) -> ProjectedGrid:
        """Return the grid of a block of pixels."""
        r0, r1, _ = rows.indices(self.shape[0])
        c0, c1, _ = cols.indices(self.shape[1])
        a, b, c, d, e, f = self.coefficients
        moved = (a, b, c + a * c0 + b * r0, d, e, f + d * c0 + e * r0)
        return ProjectedGrid(self.crs, moved, (max(r1 - r0, 0), max(c1 - c0, 0)))


def _clipped(low: float, high: float, size: int) -> slice:
    first, last = (int(np.clip(v, 0, size)) for v in (math.floor(low), math.ceil(high)))
    return slice(first, max(first, last))


def cut_projected(grid: ProjectedGrid, rows: Ints, cols: Ints, region: Region) -> Cuts:
    """Cut single pixels along the cells of a region.

    Returns:
        The pieces; `run` is the index into `rows`. For a pixel inside the region they sum to its area, and
        pixels that cover a cell fill it, to rounding.
    """
    none = np.zeros(0, np.intp)
    parts = [Cuts(none, none, none, np.zeros(0))]
    for first in range(0, rows.size, _PIXELS_AT_ONCE):
        some = slice(first, first + _PIXELS_AT_ONCE)
        x, y = _corners(grid, rows[some], cols[some], region)
        for turn in (-360, 0, 360):
            parts += _pieces(first, x + turn * region.shape[1] / (region.east - region.west), y, region)
    return Cuts(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("run", "row", "col", "fraction")))


def _corners(grid: ProjectedGrid, rows: Ints, cols: Ints, region: Region) -> tuple[Reals, Reals]:
    """Return the corners of pixels in columns of a region and as `authalic`, each (n, 4); NaN off the map."""
    lon, lat = grid.lonlat(rows[:, None] + np.array([0, 1, 1, 0]), cols[:, None] + np.array([0, 0, 1, 1]))
    known = (np.isfinite(lon) & np.isfinite(lat)).all(axis=1, keepdims=True)
    lon, lat = np.where(known, lon, np.nan), np.where(known, lat, np.nan)
    lon = lon - 360 * np.round((lon - lon[:, :1]) / 360)
    return (lon - region.west) / (region.east - region.west) * region.shape[1], authalic(lat)


def _pieces(first: int, x: Reals, y: Reals, region: Region) -> Iterator[Cuts]:
    """Yield the pieces of pixels whose corners are given, counted from `first`, some at a time."""
    height, width = region.shape
    edges = authalic(np.linspace(region.north, region.south, height + 1))
    touched = np.flatnonzero((x.max(axis=1) > 0) & (x.min(axis=1) < width))  # NaN is none
    x, y = x[touched], y[touched]
    low, high = np.clip(np.floor(x.min(axis=1)), 0, None), np.clip(np.ceil(x.max(axis=1)), None, width)
    top = np.searchsorted(-edges, -y.max(axis=1), side="right") - 1
    bottom = np.searchsorted(-edges, -y.min(axis=1), side="left")
    pixel, row = expand(np.maximum(top, 0), np.minimum(bottom, height))
    piece, col = expand(low[pixel].astype(np.intp), high[pixel].astype(np.intp))
    for begin in range(0, piece.size, _PIECES_AT_ONCE):
        some = slice(begin, begin + _PIECES_AT_ONCE)
        p, r, c = pixel[piece[some]], row[piece[some]], col[some]
        down = (edges[r, None] - y[p]) / (edges[r] - edges[r + 1])[:, None]
        fraction = _inside(x[p] - c[:, None], down)
        kept = fraction > _SLIVER
        yield Cuts(touched[p[kept]] + first, r[kept], c[kept], fraction[kept])


def _inside(x: Reals, y: Reals) -> Reals:
    """Return the area of polygons inside the unit square, (n,); corners are (n, corners), in order.

    Every side adds, or takes where it runs back, what of the square lies between it and the axis of x.
    """
    run, rise = np.roll(x, -1, axis=1) - x, np.roll(y, -1, axis=1) - y
    begin, end = np.clip(x, 0, 1), np.clip(x + run, 0, 1)
    slope = rise / np.where(run == 0, np.inf, run)
    low, high = y + slope * (begin - x), y + slope * (end - x)
    change = high - low
    steep = np.abs(change) > _LEVEL
    mean = (_below(high) - _below(low)) / np.where(steep, change, 1)
    area = (end - begin) * np.where(steep, mean, np.clip((low + high) / 2, 0, 1))
    return np.asarray(np.abs(area.sum(axis=1)), np.float64)


def _below(y: Reals) -> Reals:
    """Return the integral up to y of y held within 0 and 1."""
    held: Reals = np.clip(y, 0, 1) ** 2 / 2 + np.maximum(y - 1, 0)
    return held


def lookup_fraction(grid: ProjectedGrid, mask: npt.NDArray[np.bool_], region: Region) -> Reals:
    """Return the share of each cell that lies under the true pixels of a mask, by a lattice of look-ups.

    Raises:
        InputError: if mask and grid differ in shape.
    """
    return np.asarray(lookup_fractions(grid, mask.astype(np.int8) - np.int8(1), 1, region)[0])


def lookup_fractions(grid: ProjectedGrid, numbers: Ints, count: int, region: Region) -> Reals:
    """Return the share of each cell that lies under the pixels of each class, by a lattice of look-ups.

    Args:
        grid: of the pixels.
        numbers: class of each pixel, 0 up to `count`, -1 for none.
        count: of the classes.
        region: the cells.

    Returns:
        (classes, rows, columns) float64.

    Raises:
        InputError: if classes and grid differ in shape.
    """
    if numbers.shape != grid.shape:
        raise InputError(f"a mask of {numbers.shape} does not fit a grid of {grid.shape}")
    out = np.zeros((count, *region.shape))
    if not (numbers >= 0).any():
        return out
    step = (np.arange(_LOOKUPS) + 0.5) / _LOOKUPS - 0.5
    size = region.pixel_size
    band = max(1, _POINTS_AT_ONCE // (region.shape[1] * _LOOKUPS**2))
    for first in range(0, region.shape[0], band):
        lat = region.latitudes[first : first + band, None, None, None] + step[:, None] * size
        lon = region.longitudes[:, None, None] + step * size
        lon, lat = np.broadcast_arrays((lon + 180) % 360 - 180, lat)
        row, col = (np.floor(part) for part in grid.pixel_of(lon, lat))
        inside = (row >= 0) & (row < grid.shape[0]) & (col >= 0) & (col < grid.shape[1])
        at = np.where(inside, row, 0).astype(np.intp), np.where(inside, col, 0).astype(np.intp)
        found = np.where(inside, numbers[at], -1).reshape(-1, _LOOKUPS**2)
        cell, _ = np.nonzero(found >= 0)
        hits = np.bincount(cell * count + found[found >= 0], minlength=len(found) * count)
        shares = hits.reshape(-1, region.shape[1], count) / _LOOKUPS**2
        out[:, first : first + band] = np.moveaxis(shares, -1, 0)
    return out
