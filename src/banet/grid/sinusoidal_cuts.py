"""Pixels of the sinusoidal grid cut along a region's cells: no area gained or lost.

On the sphere the sinusoidal projection keeps areas, its pixel rows are bands of latitude, and so are the rows
of a region. The cut is therefore exact along latitude; along longitude every pixel is cut on a few parallels
within each band, so that no area is gained or lost, whatever the slant of the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region
from banet.grid.sinusoidal import EARTH_RADIUS, Ints, Parallels, Reals, SinusoidalGrid, branches, parallels

__all__ = ["Cuts", "cut_runs", "expand", "mask_fraction", "pixels_under"]

_PARALLELS_A_PIXEL = 8
_MOST_PARALLELS = 48


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
    lines = _lines(grid, region, finest)
    order = np.argsort(lines.pixel_row, kind="stable")
    first = np.searchsorted(lines.pixel_row[order], rows, side="left")
    last = np.searchsorted(lines.pixel_row[order], rows, side="right")
    run, line = expand(first, last)
    line = order[line]
    degrees = np.degrees(1 / (EARTH_RADIUS * np.cos(np.radians(lines.latitude[line]))))
    # Beyond 180 degrees lie the corners of the projection's rectangle, which are no place on Earth.
    west = np.clip((grid.left + starts[run] * grid.pixel) * degrees, -180, 180)
    east = np.clip((grid.left + stops[run] * grid.pixel) * degrees, -180, 180)
    parts = [_cut(run, line, west - turn, east - turn, lines, region) for turn in branches(region)]
    pieces = Cuts(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("run", "row", "col", "fraction")
        )
    )
    return _merged(pieces, region)


def _lines(grid: SinusoidalGrid, region: Region, finest: int = _MOST_PARALLELS) -> Parallels:
    """Parallels so close that a pixel's edge moves by at most an eighth of a pixel between two."""
    return parallels(grid, region, a_pixel=_PARALLELS_A_PIXEL, least=min(2, finest), most=finest)


def _cut(
    run: Ints,
    line: Ints,
    west: Reals,
    east: Reals,
    lines: Parallels,
    region: Region,
) -> Cuts:
    columns = region.shape[1]
    size = (region.east - region.west) / columns
    begin = np.clip((west - region.west) / size, 0, columns)
    end = np.clip((east - region.west) / size, 0, columns)
    piece, col = expand(np.floor(begin).astype(np.intp), np.ceil(end).astype(np.intp))
    width = np.minimum(end[piece], col + 1) - np.maximum(begin[piece], col)
    cut = line[piece]
    return Cuts(run[piece], lines.cell_row[cut], col, width * lines.weight[cut])


def pixels_under(grid: SinusoidalGrid, region: Region, rows: Ints, cols: Ints) -> tuple[Ints, Ints, Reals]:
    """Cut cells of a region along the pixels of a grid that reaches over all of it.

    Args:
        grid: where the pixels are.
        region: where the cells are.
        rows: of each cell, (n,).
        cols: of each cell, (n,).

    Returns:
        Of each piece the index of its cell, its pixel in the flattened grid, and its area as a fraction of
        the cell's, (m,). Those of a cell sum to 1; a pixel may come several times.
    """
    lines = _lines(grid, region, _PARALLELS_A_PIXEL)
    order = np.argsort(lines.cell_row, kind="stable")
    first, last = (np.searchsorted(lines.cell_row[order], rows, side=side) for side in ("left", "right"))
    cell, line = expand(first, last)
    line = order[line]
    size = (region.east - region.west) / region.shape[1]
    lon = region.west + cols[cell] * size
    lon = np.where(lon + size / 2 > 180, lon - 360, lon)
    width = grid.shape[1]
    begin, end = (
        np.clip(grid.pixel_of(edge, lines.latitude[line])[1], 0, width) for edge in (lon, lon + size)
    )
    piece, col = expand(np.floor(begin).astype(np.intp), np.ceil(end).astype(np.intp))
    share = (np.minimum(end[piece], col + 1) - np.maximum(begin[piece], col)) / (end - begin)[piece]
    cut = line[piece]
    return cell[piece], lines.pixel_row[cut] * width + col, share * lines.weight[cut]


def _merged(cuts: Cuts, region: Region) -> Cuts:
    """Add up the pieces that one run leaves in one cell on different parallels."""
    rows, cols = region.shape
    key = (cuts.run.astype(np.int64) * rows + cuts.row) * cols + cuts.col
    unique, inverse = np.unique(key, return_inverse=True)
    fraction = np.asarray(np.bincount(inverse, cuts.fraction, minlength=unique.size), np.float64)
    cell = unique % (rows * cols)
    return Cuts((unique // (rows * cols)).astype(np.intp), cell // cols, cell % cols, fraction)


def expand(first: Ints, last: Ints) -> tuple[Ints, Ints]:
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
    lines = _lines(grid, region)
    size = edges[1] - edges[0]
    columns = np.arange(grid.shape[1] + 1)
    occupied = np.asarray(mask.any(axis=1))
    row, total = -1, np.zeros(columns.size)
    for k in np.flatnonzero(occupied[lines.pixel_row]):
        if lines.pixel_row[k] != row:
            row = int(lines.pixel_row[k])
            total = np.concatenate([[0], np.cumsum(mask[row])])
        scale = EARTH_RADIUS * math.cos(math.radians(lines.latitude[k])) / grid.pixel
        for turn in branches(region):
            at = np.radians(np.clip(edges + turn, -180, 180)) * scale - grid.left / grid.pixel
            width = np.diff(np.interp(at, columns, total)) / (math.radians(size) * scale)
            yield int(lines.cell_row[k]), width * lines.weight[k]
