"""Cores that partition a region, and the tile around each that the network sees.

What the network says of a core is final: its tile reaches as far past the core as any cell of the core can
feel, so cores put side by side equal one pass over the whole region, whatever the weights. Tiles begin and
end on multiples of the network's alignment, by which it halves the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from banet.errors import InputError

__all__ = [
    "ALIGN",
    "MARGIN",
    "Axis",
    "Box",
    "Core",
    "Index",
    "Tile",
    "Tiling",
    "margin_of",
    "original_tiling",
    "seamless_tiling",
    "shifted",
]

ALIGN = 32
"""The published network halves the grid five times: tiles on multiples of 32 are cut as the whole is."""

MARGIN = (64, 32)
"""`margin_of` the published kernels: cells to the north-west and south-east of a cell that it feels."""

Index = tuple[int, int]
Box = tuple[slice, slice]


@dataclass(frozen=True)
class Core:
    """Cells that one task answers for.

    Attributes:
        index: (row of cores, column of cores).
        rows, cols: its cells in the region.
    """

    index: Index
    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the core."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


@dataclass(frozen=True)
class Tile:
    """Cells that the network gets at once.

    Attributes:
        index: of its core.
        rows, cols: the cells of the region that it covers.
        size: (rows, columns) that the network gets; beyond the region they are missing.
        inner: rows and columns of the tile of which the answer is wanted.
    """

    index: Index
    rows: slice
    cols: slice
    size: tuple[int, int]
    inner: Box

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the part inside the region."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


@dataclass(frozen=True)
class Axis:
    """Cores and tiles along the rows or the columns of a region.

    Attributes:
        borders: first cell of each core, rising from 0, and the number of cells of the region.
        spans: first cell of each tile, and the one after its last, which may lie beyond the region.
    """

    borders: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def core(self, k: int) -> slice:
        """Cells of core `k`."""
        return slice(self.borders[k], self.borders[k + 1])

    def tile(self, k: int) -> slice:
        """Cells of tile `k` inside the region."""
        start, stop = self.spans[k]
        return slice(start, min(stop, self.borders[-1]))


@dataclass(frozen=True)
class Tiling:
    """Cores and tiles of a region, row by row from the north-west.

    Attributes:
        name: `seamless`, or `original` for that of Pinto et al. (2020), where tiles are wanted whole.
        rows, cols: the two axes.
        margin: (lead, trail) least cells of a tile before and after its core at inner borders.
    """

    name: str
    rows: Axis
    cols: Axis
    margin: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the region."""
        return self.rows.borders[-1], self.cols.borders[-1]

    @property
    def original(self) -> bool:
        """Whether it is the tiling of Pinto et al. (2020)."""
        return self.name == "original"

    def __len__(self) -> int:
        return len(self.rows.spans) * len(self.cols.spans)

    @property
    def cores(self) -> list[Core]:
        """All cores; every cell of the region is in one."""
        down, across = range(len(self.rows.spans)), range(len(self.cols.spans))
        return [Core((i, j), self.rows.core(i), self.cols.core(j)) for i in down for j in across]

    def tile(self, index: Index) -> Tile:
        """Return the tile of a core."""
        sides = ((self.rows, index[0]), (self.cols, index[1]))
        height, width = (axis.spans[k][1] - axis.spans[k][0] for axis, k in sides)
        rows, cols = (axis.tile(k) for axis, k in sides)
        wanted = (rows, cols) if self.original else (self.rows.core(index[0]), self.cols.core(index[1]))
        inner = shifted(wanted[0], rows.start), shifted(wanted[1], cols.start)
        return Tile(index, rows, cols, (height, width), inner)

    def describe(self) -> dict[str, object]:
        """Return what a manifest says of the tiling."""
        return {
            "name": self.name,
            "cores": [list(self.rows.borders), list(self.cols.borders)],
            "tiles": [[list(span) for span in axis.spans] for axis in (self.rows, self.cols)],
            "margin": list(self.margin),
        }

    @property
    def cells_computed(self) -> int:
        """Cells of all tiles, which the network computes."""
        down, across = (sum(stop - start for start, stop in axis.spans) for axis in (self.rows, self.cols))
        return down * across


def shifted(cells: slice, origin: int) -> slice:
    """Return cells counted from another one."""
    return slice(cells.start - origin, cells.stop - origin)


def seamless_tiling(
    shape: tuple[int, int], tile: int = 256, margin: tuple[int, int] = MARGIN, align: int = ALIGN
) -> Tiling:
    """Cut a region into cores such that the network computes the fewest cells.

    Args:
        shape: (rows, columns) of the region.
        tile: a tile holds at most `tile` x `tile` cells, and is not square where that means less work.
        margin: (lead, trail) cells that a tile sees before and after its core, rounded up to multiples of
            `align`; by default as far as the published network feels.
        align: multiple on which tiles begin and end.

    Raises:
        InputError: if a size is not positive, or the tile is no multiple of `align` or too small for the
            margin.
    """
    if min(*shape, tile, align) < 1:
        raise InputError(f"a region of {shape} and tiles of {tile} cells: none may be below 1")
    if tile % align:
        raise InputError(f"tile {tile} is not a multiple of {align}, which the network needs")
    if min(margin) < 0:
        raise InputError(f"margin {margin} is negative")
    lead, trail = (-(-cells // align) for cells in margin)
    whole = [-(-extent // align) for extent in shape]
    counts = _least_work(whole, (tile // align) ** 2, lead + trail)
    if counts is None:
        least = (lead + trail + 1) * align
        raise InputError(f"tile {tile} is too small for the margin {margin}; take {least} or more")
    plans = zip(shape, whole, counts, strict=True)
    rows, cols = (_axis(extent, units, count, (lead, trail), align) for extent, units, count in plans)
    return Tiling("seamless", rows, cols, (lead * align, trail * align))


def original_tiling(shape: tuple[int, int], tile: int = 128, step: int = 100) -> Tiling:
    """Return the tiling of Pinto et al. (2020): tiles at fixed steps; what lies past the region is missing.

    A core is what no later tile begins in: it is final once its own tile and those before it are there.

    Raises:
        InputError: if a size is not positive, or the steps would leave cells between tiles.
    """
    if min(*shape, tile, step) < 1:
        raise InputError(
            f"a region of {shape}, tiles of {tile} and steps of {step} cells: none may be below 1"
        )
    if step >= tile:
        raise InputError(
            f"step {step} is not below tile {tile}; the original tiling then leaves cells uncovered"
        )
    rows, cols = (_original_axis(extent, tile, step) for extent in shape)
    return Tiling("original", rows, cols)


def _original_axis(extent: int, tile: int, step: int) -> Axis:
    starts = tuple(range(0, extent - 1, step)) or (0,)
    return Axis((*starts, extent), tuple((start, start + tile) for start in starts))


def margin_of(space_kernels: Sequence[int]) -> tuple[int, int]:
    """Return how far a network of the BA-Net family feels, from the sides of its convolutions.

    A cell of the bottom stands for 32 x 32 cells and, through the kernels above it, sees from 34 cells before
    its first to 34 after it. Cells of a tile whose bottom cell sees past the tile's border are in the margin.

    Args:
        space_kernels: cells a side of each stage's convolution, as in `BANetConfig`.

    Returns:
        (lead, trail) in cells.

    >>> margin_of((7, 3, 3, 3, 3))
    (64, 32)
    """
    align = 2 ** len(space_kernels)
    lead = trail = 0
    for depth in range(len(space_kernels) + 1):
        kernels = (*space_kernels, 3)[: depth + 1]
        reach = kernels[0] // 2 + sum(k // 2 * 2**i for i, k in enumerate(kernels[1:]))
        lead, trail = max(lead, reach), max(trail, reach + 1 - 2**depth)
    return -(-lead // align) * align, -(-trail // align) * align


def _least_work(whole: Sequence[int], area: int, overlap: int) -> tuple[int, int] | None:
    """Choose rows and columns of tiles: the fewest units computed, then the fewest tiles, then squares.

    Args:
        whole: (rows, columns) of the region in units of the alignment.
        area: most units of a tile.
        overlap: units that neighbouring tiles share.

    Returns:
        (rows, columns) of tiles, or None if no tile is large enough to leave a core.
    """
    best: tuple[tuple[int, int, int], tuple[int, int]] | None = None
    for down in range(1, max(1, whole[0] - overlap) + 1):
        rows = whole[0] + (down - 1) * overlap
        height = -(-rows // down)
        widest = area // height
        if widest >= whole[1]:
            across = 1
        elif widest > overlap:
            across = -(-(whole[1] - overlap) // (widest - overlap))
        else:
            continue
        cols = whole[1] + (across - 1) * overlap
        cost = rows * cols, down * across, abs(height - -(-cols // across))
        if best is None or cost < best[0]:
            best = cost, (down, across)
    return None if best is None else best[1]


def _axis(extent: int, whole: int, count: int, margin: tuple[int, int], align: int) -> Axis:
    """Spread tiles evenly: their sizes differ by one unit at most, and overlap by the margin alone."""
    lead, trail = margin
    total = whole + (count - 1) * (lead + trail)
    starts = [k * total // count - k * (lead + trail) for k in range(count)]
    stops = [start + lead + trail for start in starts[1:]] + [whole]
    borders = [0, *((start + lead) * align for start in starts[1:]), extent]
    spans = tuple((start * align, stop * align) for start, stop in zip(starts, stops, strict=True))
    return Axis(tuple(borders), spans)
