"""Which tiles and blocks of a run can be made now: bookkeeping alone, whoever makes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from banet.mapping.layout import Tiling

__all__ = ["Schedule", "Task"]

Index = tuple[int, int]


@dataclass(frozen=True)
class Task:
    """A tile to predict, or a block to join.

    Attributes:
        kind: `tile` or `block`.
        index: (row, column) of it.
        missing: of a block, the tiles that could not be made.
    """

    kind: Literal["tile", "block"]
    index: Index
    missing: tuple[Index, ...] = ()


class Schedule:
    """The order of a run's tasks: tiles row by row, and each block as soon as all its tiles are settled.

    Blocks go first, so that the tiles that are kept on disk stay few: those of about two rows of tiles.

    Args:
        tiling: what is made.
        finished: blocks that are there already.
        kept: tiles that are there already.
    """

    def __init__(self, tiling: Tiling, finished: Collection[Index], kept: Collection[Index]) -> None:
        self._tiling = tiling
        self._done = set(finished)
        self._failed: set[Index] = set()
        todo = [tile.index for tile in tiling if tile.index not in self._done]
        self._waiting = {block: set(tiling.touching(block)) - set(kept) for block in todo}
        needed = set().union(*self._waiting.values())
        self._tiles = deque(tile.index for tile in tiling if tile.index in needed)
        self._blocks = deque(block for block in todo if not self._waiting[block])

    def next(self) -> Task | None:
        """Take the next task; None if all that can be made now is being made."""
        if self._blocks:
            block = self._blocks.popleft()
            missing = [tile for tile in self._tiling.touching(block) if tile in self._failed]
            return Task("block", block, tuple(missing))
        return Task("tile", self._tiles.popleft()) if self._tiles else None

    def settle(self, task: Task, *, failed: bool = False) -> list[Index]:
        """Take note that a task has come to its end.

        Returns:
            the kept tiles that no block needs any more.
        """
        if task.kind == "tile":
            if failed:
                self._failed.add(task.index)
            self._release(task.index)
            return []
        if failed or task.missing:
            return []  # another run will need these tiles
        self._done.add(task.index)
        return [
            tile
            for tile in self._tiling.touching(task.index)
            if tile not in self._failed and self._done.issuperset(self._tiling.touched(tile))
        ]

    def _release(self, tile: Index) -> None:
        for block in self._tiling.touched(tile):
            waits = self._waiting.get(block)
            if waits is not None and tile in waits:
                waits.discard(tile)
                if not waits:
                    self._blocks.append(block)
