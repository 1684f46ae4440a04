"""The mean of overlapping tiles in the tiling of Pinto et al. (2020).

It is kept for parity with their maps, seams and all, and runs in one process.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from banet.mapping.cores import Box, Core, Index, Tile, Tiling, shifted
from banet.mapping.tiles import Prediction

__all__ = ["MeanOfTiles"]


class MeanOfTiles:
    """The mean of the tiles that touch a core; each tile is predicted once if cores come in their order.

    Args:
        tiling: of `original_tiling`.
        predict: predicts a whole tile.
    """

    def __init__(self, tiling: Tiling, predict: Callable[[Tile], Prediction]) -> None:
        self._tiling, self._predict = tiling, predict
        self._kept: dict[Index, Prediction] = {}

    def __call__(self, core: Core) -> Prediction:
        """Return the mean probabilities of a core, and what its own tile saw of it."""
        for index in [i for i in self._kept if _last_touched(self._tiling, i) < core.index]:
            del self._kept[index]
        total: npt.NDArray[np.float32] | None = None
        for index in _touching(self._tiling, core.index):
            tile, found = self._tiling.tile(index), self._tile(index)
            here, there = _common((core.rows, core.cols), (tile.rows, tile.cols))
            if total is None:
                total = np.zeros((len(found.probability), *core.shape), np.float32)
            total[:, *here] += found.probability[:, *there] * _weights(self._tiling, tile)[there]
        own, tile = self._tile(core.index), self._tiling.tile(core.index)
        box = shifted(core.rows, tile.rows.start), shifted(core.cols, tile.cols.start)
        assert total is not None, "every core is touched by its own tile"
        seen = own.observed_days[box], own.water[box], own.evidence[box], own.partial_days[box]
        return Prediction(total, *seen, own.looks[:, *box])

    def _tile(self, index: Index) -> Prediction:
        if index not in self._kept:
            self._kept[index] = self._predict(self._tiling.tile(index))
        return self._kept[index]


def _touching(tiling: Tiling, index: Index) -> list[Index]:
    """The tiles that cover cells of a core, in their order."""
    i, j = index
    rows = [k for k in range(i + 1) if tiling.rows.spans[k][1] > tiling.rows.borders[i]]
    cols = [k for k in range(j + 1) if tiling.cols.spans[k][1] > tiling.cols.borders[j]]
    return [(row, col) for row in rows for col in cols]


def _last_touched(tiling: Tiling, index: Index) -> Index:
    """The last core of which a tile covers cells."""
    sides = zip((tiling.rows, tiling.cols), index, strict=True)
    row, col = (sum(border < axis.tile(k).stop for border in axis.borders[:-1]) - 1 for axis, k in sides)
    return row, col


def _weights(tiling: Tiling, tile: Tile) -> npt.NDArray[np.float32]:
    """One over the number of tiles at each cell of a tile, (rows, columns) float32."""
    sides = ((tiling.rows, tile.rows), (tiling.cols, tile.cols))
    down, across = (
        np.float32(1) / sum(((s <= at) & (at < e)).astype(np.float32) for s, e in axis.spans)
        for axis, at in ((axis, np.arange(cells.start, cells.stop)) for axis, cells in sides)
    )
    return np.multiply.outer(down, across)


def _common(core: Box, tile: Box) -> tuple[Box, Box]:
    """Return the cells that a core and a tile share, as slices of each."""
    spans = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(core, tile, strict=True)]
    here, there = ([shifted(s, part.start) for s, part in zip(spans, b, strict=True)] for b in (core, tile))
    return (here[0], here[1]), (there[0], there[1])
