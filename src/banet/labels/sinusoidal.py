"""The sinusoidal grid of MODIS and VIIRS land products, and its pixels cut along a region's cells.

On the sphere the sinusoidal projection keeps areas, its pixel rows are bands of latitude, and so are the rows
of a region. The cut is therefore exact along latitude; along longitude every pixel is cut on a few parallels
within each band, so that no area is gained or lost, whatever the slant of the pixels.

The grid: sphere of radius 6371007.181 m, 36 x 18 tiles, upper left corner at (-pi R, pi R / 2); latitude and
longitude of the sphere are taken as those of WGS84, as the products do (MODIS land tile documentation).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.files import PathLike
from banet.region import Region

if TYPE_CHECKING:
    from affine import Affine

Reals = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.signedinteger[Any]]

__all__ = [
    "EARTH_RADIUS",
    "TILE_SIZE",
    "Cuts",
    "SinusoidalGrid",
    "cut_runs",
    "mask_fraction",
    "tile_grid",
    "tile_of",
    "tiles_of_region",
]

EARTH_RADIUS = 6371007.181
TILE_SIZE = 2 * math.pi * EARTH_RADIUS / 36

_PARALLELS_A_PIXEL = 8
_MOST_PARALLELS = 48


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
        lon = np.array([side + turn for turn in _branches(region) for side in (west, east)])
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
    for turn in _branches(region):
        box = region.west + turn, region.east + turn
        _, columns = grid.pixel_of(np.array(box)[:, None], _extreme_parallels(south, north)[None, :])
        if columns[0].min() < right and columns[1].max() > left:
            return True
    return False


def _extreme_parallels(south: float, north: float) -> Reals:
    """Parallels on which a meridian is farthest from and nearest to the central one."""
    return np.array([south, north, 0.0] if south < 0 < north else [south, north])


def _branches(region: Region) -> tuple[float, ...]:
    """Degrees to take from a region's longitudes to meet those of the grid, which are in -180..180."""
    return (0.0, -360.0) if region.east > 180 else (0.0,)


@dataclass(frozen=True, eq=False)
class Cuts:
    """Pieces of runs of pixels, each inside one cell.

    Attributes:
        run: index of the run that the piece belongs to, (n,).
        row, col: the cell, (n,).
        fraction: the piece's area as a fraction of the cell's, (n,) float64.
    """

    run: Ints
    row: Ints
    col: Ints
    fraction: Reals


@dataclass(frozen=True, eq=False)
class _Parallels:
    """Parallels on which pixel rows are cut: each stands for a band within one pixel row and one cell row."""

    pixel_row: Ints
    cell_row: Ints
    latitude: Reals
    weight: Reals  # share of the cell's height, weighted by the cosine of latitude


def _parallels(grid: SinusoidalGrid, region: Region, finest: int = _MOST_PARALLELS) -> _Parallels:
    rows = region.shape[0]
    cell_edges = np.linspace(region.north, region.south, rows + 1)
    edges = np.unique(np.concatenate([cell_edges, grid.latitude_edges]))[::-1]
    keep = (edges <= min(cell_edges[0], grid.latitude_edges[0])) & (
        edges >= max(cell_edges[-1], grid.latitude_edges[-1])
    )
    edges = edges[keep]
    # Cell and pixel rows may share an edge but for rounding; a band of no height belongs to neither.
    edges = edges[np.diff(edges, prepend=np.inf) < -1e-10]
    if edges.size < 2:
        none = np.zeros(0, np.intp)
        return _Parallels(none, none, np.zeros(0), np.zeros(0))
    count = _parallels_a_band(region, finest)
    step = (np.arange(count) + 0.5) / count
    lat = (edges[:-1, None] + np.diff(edges)[:, None] * step).ravel()
    height = np.repeat(-np.diff(edges) / count, count)
    pixel_row = np.searchsorted(-grid.latitude_edges, -lat, side="right") - 1
    cell_row = np.searchsorted(-cell_edges, -lat, side="right") - 1
    sines = np.sin(np.radians(cell_edges))
    weight = np.cos(np.radians(lat)) * np.radians(height) / -np.diff(sines)[cell_row]
    return _Parallels(pixel_row, cell_row, lat, weight)


def _parallels_a_band(region: Region, finest: int) -> int:
    """So many that a pixel's edge moves by at most an eighth of a pixel from one parallel to the next.

    An edge moves by longitude x sin(latitude) pixels, both in radians, over the height of a pixel. It depends
    on the region alone, so that a window of a tile is cut as the whole tile is.
    """
    farthest = max(min(abs(region.west), 180.0), min(abs(region.east), 180.0))
    steepest = math.sin(math.radians(max(abs(region.south), abs(region.north))))
    return int(np.clip(math.ceil(_PARALLELS_A_PIXEL * math.radians(farthest) * steepest), 2, finest))


def cut_runs(
    grid: SinusoidalGrid,
    rows: Ints,
    starts: Ints,
    stops: Ints,
    region: Region,
    *,
    finest: int = _MOST_PARALLELS,
) -> Cuts:
    """Cut runs of pixels along the cells of a region.

    Args:
        grid: where the pixels are.
        rows: pixel row of each run, (n,).
        starts: first column of each run, (n,).
        stops: column after the last of each run, (n,).
        region: where the cells are.
        finest: most parallels within a band; 1 is enough to know which cells a run touches.

    Returns:
        The pieces. For a run that lies inside the region their areas sum to the run's to rounding.
    """
    lines = _parallels(grid, region, finest)
    order = np.argsort(lines.pixel_row, kind="stable")
    first = np.searchsorted(lines.pixel_row[order], rows, side="left")
    last = np.searchsorted(lines.pixel_row[order], rows, side="right")
    run, line = _expand(first, last)
    line = order[line]
    degrees = np.degrees(1 / (EARTH_RADIUS * np.cos(np.radians(lines.latitude[line]))))
    # Beyond 180 degrees lie the corners of the projection's rectangle, which are no place on Earth.
    west = np.clip((grid.left + starts[run] * grid.pixel) * degrees, -180, 180)
    east = np.clip((grid.left + stops[run] * grid.pixel) * degrees, -180, 180)
    parts = [_cut(run, line, west - turn, east - turn, lines, region) for turn in _branches(region)]
    pieces = Cuts(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("run", "row", "col", "fraction")
        )
    )
    return _merged(pieces, region)


def _cut(
    run: Ints,
    line: Ints,
    west: Reals,
    east: Reals,
    lines: _Parallels,
    region: Region,
) -> Cuts:
    columns = region.shape[1]
    size = (region.east - region.west) / columns
    begin = np.clip((west - region.west) / size, 0, columns)
    end = np.clip((east - region.west) / size, 0, columns)
    piece, col = _expand(np.floor(begin).astype(np.intp), np.ceil(end).astype(np.intp))
    width = np.minimum(end[piece], col + 1) - np.maximum(begin[piece], col)
    cut = line[piece]
    return Cuts(run[piece], lines.cell_row[cut], col, width * lines.weight[cut])


def _merged(cuts: Cuts, region: Region) -> Cuts:
    """Add up the pieces that one run leaves in one cell on different parallels."""
    rows, cols = region.shape
    key = (cuts.run.astype(np.int64) * rows + cuts.row) * cols + cuts.col
    unique, inverse = np.unique(key, return_inverse=True)
    fraction = np.asarray(np.bincount(inverse, cuts.fraction, minlength=unique.size), np.float64)
    cell = unique % (rows * cols)
    return Cuts((unique // (rows * cols)).astype(np.intp), cell // cols, cell % cols, fraction)


def _expand(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return (owner, value) of every value in the ranges first[i]..last[i]."""
    count = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(count.size), count)
    return owner, np.arange(owner.size) - (np.cumsum(count) - count - first)[owner]


def mask_fraction(grid: SinusoidalGrid, mask: npt.NDArray[np.bool_], region: Region) -> Reals:
    """Return the fraction of each cell's area that the true pixels of a mask cover.

    Args:
        grid: where the pixels are.
        mask: (pixel rows, pixel columns).
        region: where the cells are.

    Returns:
        (rows, columns) float64 in 0..1; 0 where the grid does not reach.

    Raises:
        InputError: if mask and grid differ in shape.
    """
    if mask.shape != grid.shape:
        raise InputError(f"a mask of {mask.shape} does not fit a grid of {grid.shape}")
    out = np.zeros(region.shape)
    edges = np.linspace(region.west, region.east, region.shape[1] + 1)
    for cell_row, width in _covered_widths(grid, mask, region, edges):
        out[cell_row] += width
    return np.clip(out, 0, 1)


def _covered_widths(
    grid: SinusoidalGrid, mask: npt.NDArray[np.bool_], region: Region, edges: Reals
) -> Iterator[tuple[int, Reals]]:
    """Yield (cell row, weighted width of true pixels in each cell) on each parallel that meets any."""
    lines = _parallels(grid, region)
    size = edges[1] - edges[0]
    columns = np.arange(grid.shape[1] + 1)
    occupied = np.asarray(mask.any(axis=1))
    row, total = -1, np.zeros(columns.size)
    for k in np.flatnonzero(occupied[lines.pixel_row]):
        if lines.pixel_row[k] != row:
            row = int(lines.pixel_row[k])
            total = np.concatenate([[0], np.cumsum(mask[row])])
        scale = EARTH_RADIUS * math.cos(math.radians(lines.latitude[k])) / grid.pixel
        for turn in _branches(region):
            at = np.radians(np.clip(edges + turn, -180, 180)) * scale - grid.left / grid.pixel
            width = np.diff(np.interp(at, columns, total)) / (math.radians(size) * scale)
            yield int(lines.cell_row[k]), width * lines.weight[k]
