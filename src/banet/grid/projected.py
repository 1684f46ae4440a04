"""Rasters in any projection, cut along the cells of a region by points.

Each pixel is taken as a lattice of points, and its area on the ellipsoid, from its corners, is dealt out to
the cells in which its points lie. No area is gained or lost; on which side of a cell's edge it falls is known
to a tenth of a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import WGS84_A, WGS84_E2, Region, authalic
from banet.grid.sinusoidal import Ints, Reals
from banet.grid.sinusoidal_cuts import Cuts

if TYPE_CHECKING:
    from affine import Affine

__all__ = ["ProjectedGrid", "cut_projected", "lookup_fraction"]

_LATTICE = 10
_LOOKUPS = 5
_POINTS_AT_ONCE = 2_000_000


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
        lon = np.linspace(region.west, region.east, 41)
        lat = np.linspace(region.south, region.north, 41)
        # Every edge is walked along, for in a projection the corners are not the extremes.
        edge_lon = np.concatenate([lon, lon, np.full(41, region.west), np.full(41, region.east)])
        edge_lat = np.concatenate([np.full(41, region.south), np.full(41, region.north), lat, lat])
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
        The pieces; `run` is the index into `rows`. For a pixel inside the region they sum to its area.
    """
    step = (np.arange(_LATTICE) + 0.5) / _LATTICE
    down, across = (part.ravel() for part in np.meshgrid(step, step, indexing="ij"))
    parts = []
    chunk = max(1, _POINTS_AT_ONCE // down.size)
    for first in range(0, rows.size, chunk):
        r, c = rows[first : first + chunk, None], cols[first : first + chunk, None]
        area = _pixel_area_ha(grid, r[:, 0], c[:, 0])
        row, col, inside = region.cells_of(*grid.lonlat(r + down, c + across))
        pixel = np.broadcast_to(np.arange(r.size)[:, None], row.shape)[inside]
        cell = row[inside] * region.shape[1] + col[inside]
        key, count = np.unique(pixel * (region.shape[0] * region.shape[1]) + cell, return_counts=True)
        pixel, cell = np.divmod(key, region.shape[0] * region.shape[1])
        row, col = np.divmod(cell, region.shape[1])
        fraction = count / down.size * area[pixel] / region.cell_area_ha[row]
        parts.append(Cuts(pixel + first, row, col, fraction))
    if not parts:
        none = np.zeros(0, np.intp)
        return Cuts(none, none, none, np.zeros(0))
    return Cuts(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("run", "row", "col", "fraction")))


def _pixel_area_ha(grid: ProjectedGrid, rows: Ints, cols: Ints) -> Reals:
    """Area on the ellipsoid of the quadrilateral of a pixel's corners, in a cylindrical equal-area plane."""
    corners = [grid.lonlat(rows + i, cols + j) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    x = np.stack([lon for lon, _ in corners])
    x = np.radians(x - x[0] - 360 * np.round((x - x[0]) / 360))
    y = np.stack([authalic(lat) for _, lat in corners])
    doubled = (x * np.roll(y, -1, axis=0) - np.roll(x, -1, axis=0) * y).sum(axis=0)
    area: Reals = np.abs(doubled) / 2 * WGS84_A**2 * (1 - WGS84_E2) / 2 / 1e4
    return area


def lookup_fraction(grid: ProjectedGrid, mask: npt.NDArray[np.bool_], region: Region) -> Reals:
    """Return the share of each cell that lies under the true pixels of a mask, by a lattice of look-ups.

    Raises:
        InputError: if mask and grid differ in shape.
    """
    if mask.shape != grid.shape:
        raise InputError(f"a mask of {mask.shape} does not fit a grid of {grid.shape}")
    out = np.zeros(region.shape)
    if not mask.any():
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
        out[first : first + band] = (mask[at] & inside).mean(axis=(2, 3))
    return out
