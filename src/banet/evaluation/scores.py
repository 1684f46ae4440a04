"""Scores of a map against a reference in the measures of the field, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from banet.evaluation.compare import Comparing, Comparison, compare
from banet.evaluation.measures import HEADLINE, Pair, Tree
from banet.evaluation.measures.agreement import ErrorMatrix, shortcut
from banet.evaluation.measures.dates import Dating
from banet.evaluation.measures.fractions import FractionClass
from banet.evaluation.sums import Interval, Sums, check_draws, intervals
from banet.io.tables import Number, Row, plain

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["Scores", "headline", "score"]

_PARTS = ("hard", "soft", "dating", "classes", "intervals")
_NAMES = ("name", "reference", "cells", "hectares", "unseen_ha", "unseen_burned_ha", *_PARTS)


@dataclass(frozen=True)
class Scores:
    """Scores of one map against one reference.

    Attributes:
        name, reference: what was compared.
        cells: number of valid cells.
        hard: error matrix in hectares of cells burned by threshold.
        soft: error matrix in hectares by burned fraction.
        dating: date differences, map minus reference.
        classes: unburned cells and the five classes of reference burned fraction.
        unseen_ha: hectares known to the reference that the map did not observe, and left out.
        unseen_burned_ha: hectares of these that burned.
        intervals: 95 % intervals by block bootstrap, by name of the figure; empty if not asked for.
    """

    name: str
    reference: str
    cells: int
    hard: ErrorMatrix
    soft: ErrorMatrix
    dating: Dating
    classes: tuple[FractionClass, ...]
    unseen_ha: float
    unseen_burned_ha: float
    intervals: dict[str, Interval]

    @classmethod
    def of(
        cls, sums: Sums, *, name: str = "map", reference: str = "reference", draws: int = 0, seed: int = 0
    ) -> Scores:
        """Read the scores from sums by block, which may be of several regions or scenes."""
        said = {key: value for key, value in sums.value(HEADLINE).items() if key in cls.__dataclass_fields__}
        drawn = intervals(sums, HEADLINE, draws=draws, seed=seed) if draws else {}
        return cls(name=name, reference=reference, intervals=drawn, **said)

    @classmethod
    def between(cls, comparison: Comparison, *, block: int = 20, **known: Any) -> Scores:
        """Score a comparison, dealt out to blocks of so many cells; further arguments of `of`."""
        return cls.of(Sums.of(Pair.of(comparison, block), HEADLINE), **known)

    dice = shortcut("dice", "Dice coefficient of the hard matrix.", "hard")
    commission = shortcut("commission", "Commission error of the hard matrix.", "hard")
    omission = shortcut("omission", "Omission error of the hard matrix.", "hard")
    relative_bias = shortcut("relative_bias", "Relative bias of the hard matrix.", "hard")
    soft_dice = shortcut("dice", "Dice coefficient of the soft matrix.", "soft")

    @property
    def hectares(self) -> float:
        """Hectares that were compared."""
        return self.hard.total

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON: what is not defined is None."""
        return dict(plain({name: getattr(self, name) for name in _NAMES}))

    def row(self) -> Row:
        """Return the line of a table of scores."""
        return {"map": self.name} | headline(self.to_dict())


def headline(scores: Tree) -> Row:
    """Return the columns of the head table, with intervals, from the dict of scores."""
    hard, dates, known = scores["hard"], scores["dating"], scores["intervals"]

    def ranged(name: str, value: float | None, digits: int = 3) -> Number:
        return Number(value, digits, interval=known.get(name))

    return {
        "Dice": ranged("dice", hard["dice"]),
        "commission": ranged("commission", hard["commission"]),
        "omission": ranged("omission", hard["omission"]),
        "bias": Number(hard["relative_bias"], 2, sign=True),
        "bias of fractions": Number(scores["soft"]["relative_bias"], 2, sign=True),
        "mean abs. days": ranged("mean_absolute_days", dates["mean_absolute_days"], 2),
        "date bias": Number(dates["mean_days"], 2, sign=True),
        "same day": Number(dates["within"]["0"], 2),
        "within 2 days": Number(dates["within"]["2"], 2),
    }


def score(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    name: str = "map",
    block: int = 20,
    draws: int = 0,
    seed: int = 0,
    **settings: Any,
) -> Scores:
    """Score a map against a reference.

    Args:
        burnmap: the map.
        reference: the truth, or what stands for it.
        name: of the map in tables.
        block: edge in cells of the blocks that the bootstrap draws; wider than most fires, so that blocks
            are nearly independent.
        draws: number of bootstrap draws; 0 for no intervals.
        seed: of the draws.
        settings: of `compare`: threshold, reference_threshold, days, exclude_within, valid, unobserved,
            reliable.

    Raises:
        InputError: as `compare`, or if the number of draws is below 0.
        TypeError: if there is no such setting.
    """
    check_draws(draws)
    Comparing.asked("score", settings, "name", "block", "draws", "seed")
    pair = compare(burnmap, reference, **settings)
    return Scores.between(pair, name=name, reference=reference.name, block=block, draws=draws, seed=seed)
