"""The task of a run: from a core to the planes of the map in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from banet.burned_area.dating import first_look, summarise
from banet.mapping.cores import Core
from banet.mapping.options import Block
from banet.mapping.original import MeanOfTiles
from banet.mapping.run import Run
from banet.mapping.store import Planes, Store
from banet.mapping.tiles import Ahead, Planned, Prediction, predict_tile, read_tile

__all__ = ["Task"]


class Task:
    """The one kind of task of a run: from a core to the planes of the map in it.

    It travels to other processes with the run; the reading ahead stays at home.

    Args:
        run: what is mapped.
        cores: those that will be asked for, in their order, so that the next is read ahead.
        store: where planes are kept; None keeps none.
        on_block: called with the probabilities of each core.
    """

    def __init__(
        self,
        run: Run,
        cores: Sequence[Core] = (),
        store: Store | None = None,
        on_block: Callable[[Block], None] | None = None,
    ) -> None:
        self._run, self._store, self._on_block = run, store, on_block
        windows = range(len(run.windows))
        order = [(*core.index, number) for core in cores for number in windows]
        # Neither knows the task: in a circle with it, run and engine would outlive their last use.
        self._ahead = Ahead(partial(_read, run), order)
        self._tile = partial(predict_tile, run, take=self._ahead.take)
        self._mean = MeanOfTiles(run.tiling, self._tile) if run.tiling.original else None

    def __reduce__(self) -> tuple[Any, ...]:
        return Task, (self._run, (), self._store)

    def __call__(self, core: Core) -> Planes:
        """Return the planes of the map in a core, and keep them."""
        known = None if self._store is None else self._store.read(core)
        if known is not None:
            return known
        found = self.predict(core)
        if self._on_block is not None:
            self._on_block(Block(core.rows, core.cols, found.probability[self._run.mapped]))
        summary = summarise(found.probability, self._run.threshold, self._run.dating, self._run.mapped)
        if self._run.water.share is not None:
            land = 1 - self._run.water.share[core.rows, core.cols]
            summary = summary.capped(land, self._run.threshold)
        planes: Planes = {
            "burned_fraction": summary.burned_fraction,
            "day": summary.day,
            "uncertainty": summary.uncertainty,
            "observed_days": found.observed_days,
            "water": found.water,
            "evidence": found.evidence,
            "first_look": first_look(summary.day, found.looks),
            "partial_days": found.partial_days,
            "overcast": (found.observed_days > 0) & ~found.looks.any(0),
        }
        if self._store is not None:
            self._store.write(core, planes)
        return planes

    def predict(self, core: Core) -> Prediction:
        """Return the final probabilities of a core on the summed days."""
        return self._tile(self._run.tiling.tile(core.index)) if self._mean is None else self._mean(core)

    def close(self) -> None:
        """Stop reading ahead, and give back what the engine keeps for a next tile."""
        self._ahead.close()
        rest = getattr(self._run.ensemble.engine, "rest", None)
        if rest is not None:
            rest()


def _read(run: Run, wanted: Planned) -> Any:
    row, col, number = wanted
    window, tile = run.windows[number], run.tiling.tile((row, col))
    return read_tile(run.cube, tile, window, run.ensemble.engine.spec, quiet=window in run.quiet)
