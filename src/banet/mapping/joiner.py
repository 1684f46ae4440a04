"""Joining tiles as they come, in memory bounded by what overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from banet.errors import InputError
from banet.mapping.layout import Cells, Tile, Tiling

__all__ = ["Block", "Joiner"]


@dataclass(frozen=True, eq=False)
class Block:
    """A part of the region whose daily probabilities are final.

    Attributes:
        rows, cols: its cells in the region.
        probability: (days, rows, columns) float32.
        index: (row, column) of the tile with which it was finished.
    """

    rows: slice
    cols: slice
    probability: Cells
    index: tuple[int, int]


class Joiner:
    """Joins the tiles of a tiling, given in its order, and hands out each block once it is final.

    It holds the overlaps of the tiles in flight: about (days, overlap, columns of the region).

    Args:
        tiling: the tiles and their weights.
    """

    def __init__(self, tiling: Tiling) -> None:
        self._tiling = tiling
        self._tiles = iter(tiling)
        self._columns: dict[int, Cells] = {}

    def add(self, tile: Tile, probability: Cells | None) -> Block:
        """Add a tile and return the block that it finishes.

        Args:
            tile: the next tile of the tiling.
            probability: (days, rows, columns) float32 of the tile's cells inside the region; None where it
                contributes nothing, and then the block holds no days if no other tile contributed.

        Raises:
            InputError: if it is not the next tile, or the array is of another shape.
        """
        expected = next(self._tiles, None)
        if expected is None or expected.index != tile.index:
            raise InputError(f"tile {tile.index} came where {expected and expected.index} was due")
        if probability is not None:
            self._spread(tile, probability)
        return self._finish(tile)

    def _spread(self, tile: Tile, probability: Cells) -> None:
        if probability.ndim != 3 or probability.shape[1:] != tile.shape:
            raise InputError(
                f"tile {tile.index}: {probability.shape} is not (days, {tile.shape[0]}, {tile.shape[1]})"
            )
        rows, cols = self._tiling.rows, self._tiling.cols
        i, j = tile.index
        first = rows.opens[i]
        weighted = (
            probability[:, first - tile.rows.start :] * self._tiling.weights(tile)[first - tile.rows.start :]
        )
        for column in cols.touched(j):
            block = cols.block(column)
            start, stop = max(block.start, tile.cols.start), min(block.stop, tile.cols.stop)
            held = self._room(column, len(probability), tile.rows.stop - first, block.stop - block.start)
            held[:, : tile.rows.stop - first, start - block.start : stop - block.start] += weighted[
                :, :, start - tile.cols.start : stop - tile.cols.start
            ]

    def _room(self, column: int, days: int, height: int, width: int) -> Cells:
        """Return what is held of a column of blocks, grown to `height` rows below the first open one."""
        held = self._columns.get(column)
        if held is None or held.shape[1] < height:
            grown = np.zeros((days, height, width), np.float32)
            if held is not None:
                grown[:, : held.shape[1]] = held
            self._columns[column] = held = grown
        return held

    def _finish(self, tile: Tile) -> Block:
        i, j = tile.index
        rows, cols = self._tiling.rows.block(i), self._tiling.cols.block(j)
        height, width = rows.stop - rows.start, cols.stop - cols.start
        held = self._columns.pop(j, None)
        if held is None:
            return Block(rows, cols, np.zeros((0, height, width), np.float32), tile.index)
        if held.shape[1] > height:
            self._columns[j] = held[:, height:].copy()
        elif held.shape[1] < height:  # the last tile contributed nothing
            held = np.pad(held, ((0, 0), (0, height - held.shape[1]), (0, 0)))
        return Block(rows, cols, held[:, :height], tile.index)
