"""How tiles lie over a region, and how much each counts at each cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from banet.errors import InputError

__all__ = ["Axis", "Cells", "Tile", "Tiling", "check_sizes"]

Cells = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tile:
    """One tile of a region.

    Attributes:
        rows, cols: the cells of the region that it covers.
        size: (rows, columns) that the network gets; what lies beyond the region is missing.
        index: (row of tiles, column of tiles).
        weighty: the rows and columns of the tile in which it has weight.
    """

    rows: slice
    cols: slice
    size: tuple[int, int]
    index: tuple[int, int]
    weighty: tuple[slice, slice]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the part inside the region."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


@dataclass(frozen=True, eq=False)
class Axis:
    """How tiles lie along the rows or the columns of a region.

    Attributes:
        extent: number of cells of the region.
        size: number of cells of a tile.
        starts: (tiles,) first cell of each tile, rising from 0.
        opens: (tiles,) first cell at which a tile has weight; the first opens at 0.
        weights: (tiles, size) float32.
    """

    extent: int
    size: int
    starts: tuple[int, ...]
    opens: tuple[int, ...]
    weights: Cells = field(repr=False)

    def cells(self, k: int) -> slice:
        """The cells of the region that tile `k` covers."""
        return slice(self.starts[k], min(self.starts[k] + self.size, self.extent))

    def block(self, k: int) -> slice:
        """The cells that no later tile has weight in, and some earlier one has not finished."""
        return slice(self.opens[k], self.opens[k + 1] if k + 1 < len(self.opens) else self.extent)

    def weight(self, k: int) -> Cells:
        """Weights of tile `k` at the cells that it covers."""
        cells = self.cells(k)
        return self.weights[k, : cells.stop - cells.start]

    def weighty(self, k: int) -> slice:
        """The cells in which tile `k` has weight."""
        inside = np.flatnonzero(self.weight(k)) + self.starts[k]
        return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)

    def touched(self, k: int) -> range:
        """The blocks in which tile `k` may have weight."""
        stop = self.cells(k).stop
        return range(k, max(j for j in range(len(self.opens)) if self.opens[j] < stop) + 1)

    def touching(self, k: int) -> list[int]:
        """The tiles that may have weight in block `k`."""
        return [tile for tile in range(k + 1) if k in self.touched(tile)]


@dataclass(frozen=True, eq=False)
class Tiling:
    """Tiles over a region, row by row from the north-west.

    Attributes:
        rows, cols: how the tiles lie along each axis.
        name: `original` or `blend`.
        margin: (lead, trail) cells at the inner borders of a tile that get no weight.
    """

    rows: Axis
    cols: Axis
    name: str
    margin: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the region."""
        return self.rows.extent, self.cols.extent

    def __len__(self) -> int:
        return len(self.rows.starts) * len(self.cols.starts)

    def __iter__(self) -> Iterator[Tile]:
        for i in range(len(self.rows.starts)):
            for j in range(len(self.cols.starts)):
                yield self.at((i, j))

    def at(self, index: tuple[int, int]) -> Tile:
        """Return the tile of an index."""
        size = (self.rows.size, self.cols.size)
        rows, cols = self.rows.cells(index[0]), self.cols.cells(index[1])
        within = (_shifted(self.rows.weighty(index[0]), rows), _shifted(self.cols.weighty(index[1]), cols))
        return Tile(rows, cols, size, index, within)

    def weighty(self, index: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns of the region in which the tile of an index has weight."""
        return self.rows.weighty(index[0]), self.cols.weighty(index[1])

    def block(self, index: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns of the region that are final with the tile of an index."""
        return self.rows.block(index[0]), self.cols.block(index[1])

    def weights(self, tile: Tile) -> Cells:
        """Return the weights of a tile at its cells inside the region, (rows, columns) float32."""
        return np.multiply.outer(self.rows.weight(tile.index[0]), self.cols.weight(tile.index[1]))

    def touched(self, index: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the indices of the blocks to which the tile of an index may contribute."""
        i, j = index
        return [(k, m) for k in self.rows.touched(i) for m in self.cols.touched(j)]

    def touching(self, index: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the indices of the tiles that may contribute to the block of an index, in their order."""
        i, j = index
        return [(k, m) for k in self.rows.touching(i) for m in self.cols.touching(j)]

    def describe(self) -> dict[str, object]:
        """Return what a manifest says of the tiling."""
        return {
            "name": self.name,
            "tile": [self.rows.size, self.cols.size],
            "starts": [list(self.rows.starts), list(self.cols.starts)],
            "margin": list(self.margin),
        }


def _shifted(cells: slice, origin: slice) -> slice:
    return slice(max(0, cells.start - origin.start), max(0, cells.stop - origin.start))


def check_sizes(shape: tuple[int, int], tile: int, step: int) -> None:
    """Make sure that a region, its tiles and their steps hold at least one cell.

    Raises:
        InputError: if not.
    """
    if min(shape) < 1 or tile < 1 or step < 1:
        raise InputError(
            f"a region of {shape}, tiles of {tile} and steps of {step} cells: none may be below 1"
        )
