"""Sums of all measures of one map, or of several maps added up, and their way to and from a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.errors import InputError
from banet.evaluation.measures import MEASURES, Measure, Pair, Tree
from banet.evaluation.measures.measure import Arrays, total
from banet.io.arrays import load_arrays, save_arrays

__all__ = ["Interval", "Sums", "check_draws", "intervals"]

Interval = tuple[float, float]
_AT_ONCE = 200
_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums by name of the measure and of the sum, groups first."""

    arrays: Mapping[str, Arrays]

    @classmethod
    def of(cls, pair: Pair, measures: Iterable[Measure] = MEASURES) -> Sums:
        """Measure a pair."""
        return cls({measure.name: measure.sums(pair) for measure in measures})

    @classmethod
    def join(cls, parts: Sequence[Sums]) -> Sums:
        """Return several maps as one, their groups one after another.

        Raises:
            InputError: if there is none.
        """
        if not parts:
            raise InputError("nothing was compared; there is nothing to join")
        return cls({name: _joined([part.arrays[name] for part in parts]) for name in parts[0].arrays})

    def total(self, measure: str) -> Arrays:
        """Return the sums of a measure over all groups."""
        return total(self.arrays[measure])

    def value(self, measures: Iterable[Measure] = MEASURES) -> Tree:
        """Return what the measures say."""
        found: dict[str, object] = {}
        for measure in measures:
            found |= measure.value(self.total(measure.name))
        return found

    def save(self, path: Path) -> None:
        """Write the sums to an .npz file, whole or not at all."""
        parts = self.arrays.items()
        save_arrays(path, {f"{m}.{name}": part for m, arrays in parts for name, part in arrays.items()})

    @classmethod
    def load(cls, path: Path, measures: Iterable[Measure] = MEASURES) -> Sums:
        """Read the sums from the file that `save` wrote; an UnreadableFileError says that it is damaged."""
        arrays: dict[str, Arrays] = {measure.name: {} for measure in measures}
        for key, part in load_arrays(path).items():
            measure, _, name = key.partition(".")
            arrays.setdefault(measure, {})[name] = part
        return cls(arrays)


def _joined(parts: Sequence[Arrays]) -> Arrays:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in names}


def check_draws(draws: int) -> None:
    """Make sure that a number of bootstrap draws is one.

    Raises:
        InputError: if it is below 0, or 1, which makes no interval.
    """
    if draws < 0 or draws == 1:
        raise InputError(f"{draws} draws; give 0 for no intervals, or more than 1, such as 1000")


def intervals(
    sums: Sums, measures: Sequence[Measure], *, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Return (low, high) of each figure of some measures: 95 % of the draws of a block bootstrap.

    Neighbouring cells burn together, so cells are no independent sample; square blocks wider than most fires
    nearly are. Blocks are drawn with replacement, their sums added, the figures computed from the sums. An
    interval is NaN where the figure is defined in fewer than two blocks: one block does not tell how far
    another would differ.

    Args:
        sums: by block; all these measures have the same blocks.
        measures: that have figures.
        draws: number of draws.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    varying = {measure: sums.arrays[measure.name] for measure in measures}
    told = {measure: measure.figures(arrays) for measure, arrays in varying.items()}
    varying = {measure: arrays for measure, arrays in varying.items() if told[measure]}
    several = {
        name: np.count_nonzero(np.isfinite(figure)) > 1 for of in told.values() for name, figure in of.items()
    }
    groups = {len(part) for arrays in varying.values() for part in arrays.values()}
    if len(groups) != 1:
        raise InputError(f"measures of {sorted(groups)} blocks cannot be drawn together")
    count = groups.pop()
    values: dict[str, list[np.ndarray]] = defaultdict(list)
    for first in range(0, draws, _AT_ONCE):
        size = min(_AT_ONCE, draws - first)
        # Whole numbers as float64 are exact up to 2**53, and multiply a hundred times faster.
        times = rng.multinomial(count, np.full(count, 1 / count), size=size).astype(np.float64)
        for measure, arrays in varying.items():
            drawn = {name: np.tensordot(times, part.astype(np.float64), 1) for name, part in arrays.items()}
            for name, figure in measure.figures(drawn).items():
                values[name].append(figure)
    return {
        name: _interval(np.concatenate(parts)) if several[name] else (float("nan"), float("nan"))
        for name, parts in values.items()
    }


def _interval(values: np.ndarray) -> Interval:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
