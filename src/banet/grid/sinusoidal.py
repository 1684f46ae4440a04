"""The sinusoidal grid of MODIS and VIIRS land products: tiles, pixels and the parallels to cut them on.

The grid: sphere of radius 6371007.181 m, 36 x 18 tiles, upper left corner at (-pi R, pi R / 2); latitude and
longitude of the sphere are taken as those of WGS84, as the products do (MODIS land tile documentation).
Pixel rows are bands of latitude, and so are the rows of a region: what is cut along them is exact along
latitude, and along each parallel on which the slanted edges of the pixels are taken.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import PathLike

if TYPE_CHECKING:
    from affine import Affine

Reals = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.signedinteger[Any]]

__all__ = [
    "EARTH_RADIUS",
    "TILE_SIZE",
    "Parallels",
    "SinusoidalGrid",
    "branches",
    "parallels",
    "tile_grid",
    "tile_of",
    "tiles_of_region",
]

EARTH_RADIUS = 6371007.181
TILE_SIZE = 2 * math.pi * EARTH_RADIUS / 36


@dataclass(frozen=True)
class SinusoidalGrid:
    """A raster in the sinusoidal projection.

    Attributes:
        left, top: metres of the upper left corner.
        pixel: edge of a pixel in metres.
        shape: (rows, columns).
    """

    left: float
    top: float
    pixel: float
    shape: tuple[int, int]

    @classmethod
    def from_transform(cls, transform: Affine, shape: tuple[int, int]) -> SinusoidalGrid:
        """Make the grid of a raster from its affine transform.

        Raises:
            InputError: if the pixels are rotated or not square.
        """
        if (
            transform.b
            or transform.d
            or transform.a <= 0
            or abs(transform.a + transform.e) > 1e-6 * transform.a
        ):
            raise InputError(
                f"the raster's pixels are not upright squares with north up: {tuple(transform)[:6]}"
            )
        return cls(transform.c, transform.f, transform.a, (int(shape[0]), int(shape[1])))

    @property
    def pixel_area_ha(self) -> float:
        """Area of a pixel in hectares (21.4656 in a tile of 2400 x 2400)."""
        return self.pixel**2 / 1e4

    @property
    def latitude_edges(self) -> Reals:
        """Latitudes of the edges of the pixel rows, (rows + 1,), north to south, degrees."""
        edges: Reals = np.degrees((self.top - np.arange(self.shape[0] + 1) * self.pixel) / EARTH_RADIUS)
        return edges

    def pixel_of(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Reals, Reals]:
        """Return (row, column) of points as real numbers: 0.5 is the centre of the first pixel."""
        lat = np.radians(np.asarray(latitude, np.float64))
        x = EARTH_RADIUS * np.radians(np.asarray(longitude, np.float64)) * np.cos(lat)
        return (self.top - EARTH_RADIUS * lat) / self.pixel, (x - self.left) / self.pixel

    def window_on(self, region: Region) -> tuple[slice, slice]:
        """Return the rows and columns that can touch a region; empty slices where none does."""
        west, south, east, north = region.bbox
        lon = np.array([side + turn for turn in branches(region) for side in (west, east)])
        _, columns = self.pixel_of(lon[:, None], _extreme_parallels(south, north)[None, :])
        rows, _ = self.pixel_of(np.zeros(2), np.array([north, south]))
        row = np.clip([math.floor(rows[0]), math.ceil(rows[1])], 0, self.shape[0])
        col = np.clip([math.floor(columns.min()), math.ceil(columns.max())], 0, self.shape[1])
        return slice(int(row[0]), int(row[1])), slice(int(col[0]), int(col[1]))

    def window(self, rows: slice, cols: slice) -> SinusoidalGrid:
        """Return the grid of a block of pixels."""
        height, width = self.shape
        r0, r1, _ = rows.indices(height)
        c0, c1, _ = cols.indices(width)
        left, top = self.left + c0 * self.pixel, self.top - r0 * self.pixel
        return SinusoidalGrid(left, top, self.pixel, (max(r1 - r0, 0), max(c1 - c0, 0)))


def tile_grid(h: int, v: int, size: int = 2400) -> SinusoidalGrid:
    """Return the grid of tile hHHvVV with `size` x `size` pixels.

    Raises:
        InputError: if there is no such tile.

    >>> round(tile_grid(19, 5).pixel_area_ha, 4)
    21.4659
    """
    if not (0 <= h < 36 and 0 <= v < 18):
        raise InputError(f"there is no tile h{h:02d}v{v:02d}; h is 0-35 and v is 0-17")
    left, top = (h - 18) * TILE_SIZE, (9 - v) * TILE_SIZE
    return SinusoidalGrid(left, top, TILE_SIZE / size, (size, size))


def tile_of(path: PathLike) -> tuple[int, int]:
    """Return (h, v) from `.hHHvVV.` in a file's name.

    Raises:
        InputError: if the name holds no tile.

    >>> tile_of("VNP64A1.A2021213.h19v05.002.2023198172838.hdf")
    (19, 5)
    """
    found = re.search(r"(?:^|[._])h(\d{2})v(\d{2})(?=[._]|$)", Path(path).name)
    if not found:
        raise InputError(f"{Path(path).name} names no tile; expected .hHHvVV. in it")
    return int(found[1]), int(found[2])


def tiles_of_region(region: Region) -> tuple[tuple[int, int], ...]:
    """Return the tiles (h, v) that touch a region, north-west first."""
    tiles = ((h, v) for v in range(18) for h in range(36))
    return tuple(tile for tile in tiles if _touches(tile_grid(*tile), region))


def _touches(grid: SinusoidalGrid, region: Region) -> bool:
    """Tell whether a tile and a region have area in common; a shared edge is none."""
    north = min(region.north, grid.latitude_edges[0])
    south = max(region.south, grid.latitude_edges[-1])
    if north - south < 1e-9:
        return False
    left, right = 1e-6, grid.shape[1] - 1e-6
    for turn in branches(region):
        box = region.west + turn, region.east + turn
        _, columns = grid.pixel_of(np.array(box)[:, None], _extreme_parallels(south, north)[None, :])
        if columns[0].min() < right and columns[1].max() > left:
            return True
    return False


def _extreme_parallels(south: float, north: float) -> Reals:
    """Parallels on which a meridian is farthest from and nearest to the central one."""
    return np.array([south, north, 0.0] if south < 0 < north else [south, north])


def branches(region: Region) -> tuple[float, ...]:
    """Degrees to take from a region's longitudes to meet those of the grid, which are in -180..180."""
    return (0.0, -360.0) if region.east > 180 else (0.0,)


@dataclass(frozen=True, eq=False)
class Parallels:
    """Parallels to cut on: each stands for a band of latitudes within one pixel row and one row of cells.

    Attributes:
        pixel_row, cell_row: which, (n,).
        latitude: degrees, (n,).
        weight: share of the cells' area that the band has, (n,) float64.
    """

    pixel_row: Ints
    cell_row: Ints
    latitude: Reals
    weight: Reals


def parallels(grid: SinusoidalGrid, region: Region, *, a_pixel: float, least: int, most: int) -> Parallels:
    """Return the parallels on which the pixels of a grid are cut along the cells of a region.

    Within a band of latitudes there are so many that a pixel's edge moves by at most 1 / `a_pixel` of a pixel
    from one to the next, but at least `least` and at most `most`. Their number depends on the region alone,
    so that a window of a tile is cut as the whole tile is.
    """
    cells = np.linspace(region.north, region.south, region.shape[0] + 1)
    pixels = grid.latitude_edges
    edges = np.unique(np.concatenate([cells, pixels]))[::-1]
    edges = edges[(edges <= min(cells[0], pixels[0])) & (edges >= max(cells[-1], pixels[-1]))]
    # Cell and pixel rows may share an edge but for rounding; a band of no height belongs to neither.
    edges = edges[np.diff(edges, prepend=np.inf) < -1e-10]
    if edges.size < 2:
        none = np.zeros(0, np.intp)
        return Parallels(none, none, np.zeros(0), np.zeros(0))
    count = int(np.clip(math.ceil(a_pixel * _slant(region)), least, most))
    step = (np.arange(count) + 0.5) / count
    lat = (edges[:-1, None] + np.diff(edges)[:, None] * step).ravel()
    height = np.repeat(-np.diff(edges) / count, count)
    pixel_row = np.searchsorted(-pixels, -lat, side="right") - 1
    cell_row = np.searchsorted(-cells, -lat, side="right") - 1
    whole = -np.diff(np.sin(np.radians(cells)))[cell_row]
    weight = np.cos(np.radians(lat)) * np.radians(height) / whole
    return Parallels(pixel_row, cell_row, lat, weight)


def _slant(region: Region) -> float:
    """Pixels by which a pixel's edge moves over the height of a pixel where it moves most."""
    farthest = max(min(abs(region.west), 180.0), min(abs(region.east), 180.0))
    return math.radians(farthest) * math.sin(math.radians(max(abs(region.south), abs(region.north))))
