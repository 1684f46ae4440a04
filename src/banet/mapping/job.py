"""The parts of a run that any process can make by itself: a tile, and a block out of tiles that are kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.mapping.canvas import Planes, block_planes
from banet.mapping.gaps import lost_cells, unseen, without
from banet.mapping.joiner import Block
from banet.mapping.layout import Cells
from banet.mapping.run import Run, tile_planes
from banet.mapping.schedule import Task
from banet.mapping.scratch import Scratch

__all__ = ["GAPPED", "Job"]

GAPPED = "gapped"
"""Kind under which a block is kept of which something is missing: no later run takes it for finished."""

Index = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Job:
    """A run and the folder of its results. It travels to other processes; the arrays stay in the folder.

    Attributes:
        run: what is mapped, with what, and how it is cut.
        store: where tiles and blocks go.
        threshold: burned fraction from which on a cell counts as burned.
    """

    run: Run
    store: Scratch
    threshold: float

    @property
    def needs(self) -> tuple[Path, ...]:
        """What a process must see to take part."""
        return self.run.cube.path, self.store.marker

    def do(self, task: Task) -> None:
        """Make a tile or a block."""
        if task.kind == "tile":
            self.tile(task.index)
        else:
            self.block(task.index, task.missing)

    def tile(self, index: Index) -> None:
        """Predict a tile and keep it, unless it is kept already."""
        if not self.store.holds("tile", index):
            (prediction,) = self.run.predictions([self.run.tiling.at(index)])
            self.store.save("tile", index, tile_planes(prediction))

    def block(self, index: Index, failed: Collection[Index] = ()) -> None:
        """Join the kept tiles of a block, sum and date them, and keep the planes of the map.

        Every cell gets what a run in one process gives it, bit for bit: the tiles add up in the same order.

        Args:
            index: of the block.
            failed: tiles that could not be made.
        """
        lost = lost_cells(self.run.tiling, index, failed)
        if lost is not None:
            self.store.save(GAPPED, index, without(self._planes(index, failed), lost))
        elif not self.store.holds("block", index):
            self.store.save("block", index, self._planes(index, failed))

    def _planes(self, index: Index, failed: Collection[Index]) -> Planes:
        tiling = self.run.tiling
        rows, cols = tiling.block(index)
        total: Cells | None = None
        seen = {name: plane.copy() for name, plane in unseen(rows, cols).items()}
        for which in tiling.touching(index):
            if which in failed:
                continue
            tile, found = tiling.at(which), self.store.load("tile", which)
            here, there = _common((rows, cols), (tile.rows, tile.cols))
            for name, plane in seen.items():
                plane[here] = found[name][there]
            probability = found["probability"]
            if total is None:
                shape = (len(probability), rows.stop - rows.start, cols.stop - cols.start)
                total = np.zeros(shape, np.float32)
            # Weighted and added as `Joiner` does.
            total[:, *here] += probability[:, *there] * tiling.weights(tile)[there]
        if total is None:
            total = np.zeros((0, rows.stop - rows.start, cols.stop - cols.start), np.float32)
        return block_planes(Block(rows, cols, total, index), seen, self.threshold, self.run.dating)


Box = tuple[slice, slice]


def _common(block: Box, tile: Box) -> tuple[Box, Box]:
    """Return where block and tile overlap, as slices of each."""
    spans = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(block, tile, strict=True)]
    here, there = (
        [slice(start - part.start, stop - part.start) for (start, stop), part in zip(spans, box, strict=True)]
        for box in (block, tile)
    )
    return (here[0], here[1]), (there[0], there[1])
