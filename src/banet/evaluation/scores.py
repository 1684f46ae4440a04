"""What a map is worth against a reference, in the measures of the field, with intervals."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation.bootstrap import Interval, intervals
from banet.evaluation.compare import compare
from banet.evaluation.dating import Dating
from banet.evaluation.matrix import ErrorMatrix
from banet.evaluation.tables import plain
from banet.evaluation.tally import CLASS_EDGES, CLASS_SUMS, Tally, tally

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["FractionClass", "Scores", "score", "score_tally"]

MARKDOWN_HEADER = (
    "| map | Dice | commission | omission | bias | soft Dice | days, median | days, mean abs. | same day | "
    "within 2 days | hectares | cells |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class FractionClass:
    """How a map does where the reference shows a given part of the cell burned.

    Attributes:
        low, high: the class of reference burned fraction, low included; (0, 0) for unburned cells.
        cells: number of cells.
        reference_ha, map_ha: hectares burned in the reference and in the map.
        recall: share of the reference's burned area in cells that the map shows burned.
        soft_recall: share of the reference's burned area that the map's fractions hold.
        cell_recall: share of the cells that the map shows burned (of unburned cells: false alarms).
        relative_bias: (map - reference) / reference.
    """

    low: float
    high: float
    cells: int
    reference_ha: float
    map_ha: float
    recall: float
    soft_recall: float
    cell_recall: float
    relative_bias: float

    @property
    def label(self) -> str:
        """Such as `0.1-0.25`."""
        return "unburned" if self.high == 0 else f"{self.low:g}-{self.high:g}"


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
        intervals: 95 % intervals by block bootstrap, by name of the measure; empty if not asked for.
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

    @property
    def dice(self) -> float:
        """Dice coefficient of the hard matrix."""
        return self.hard.dice

    @property
    def commission(self) -> float:
        """Commission error of the hard matrix."""
        return self.hard.commission

    @property
    def omission(self) -> float:
        """Omission error of the hard matrix."""
        return self.hard.omission

    @property
    def relative_bias(self) -> float:
        """Relative bias of the hard matrix."""
        return self.hard.relative_bias

    @property
    def soft_dice(self) -> float:
        """Dice coefficient of the soft matrix."""
        return self.soft.dice

    @property
    def hectares(self) -> float:
        """Hectares that were compared."""
        return self.hard.total

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON: what is not defined is None."""
        fields = {
            "name": self.name,
            "reference": self.reference,
            "cells": self.cells,
            "hectares": self.hectares,
            "unseen_ha": self.unseen_ha,
            "unseen_burned_ha": self.unseen_burned_ha,
            "hard": self.hard.to_dict(),
            "soft": self.soft.to_dict(),
            "dating": self.dating.to_dict(),
            "classes": [{"class": c.label} | _public(c) for c in self.classes],
            "intervals": {name: list(value) for name, value in self.intervals.items()},
        }
        return dict(plain(fields))

    def markdown_row(self) -> str:
        """Return a row of the table whose head is `markdown_header()`; intervals in brackets."""
        dates = self.dating
        cells = [
            self.name,
            self._with_interval("dice", self.dice),
            self._with_interval("commission", self.commission),
            self._with_interval("omission", self.omission),
            _number(self.relative_bias, sign=True),
            _number(self.soft_dice),
            _number(dates.median, 1, sign=True),
            _number(dates.mean_absolute, 1),
            _number(dates.within[0]),
            _number(dates.within[2]),
            f"{self.hard.map_burned:,.0f}",
            f"{self.cells:,}",
        ]
        return "| " + " | ".join(cells) + " |"

    @staticmethod
    def markdown_header() -> str:
        """Return the head of a Markdown table of scores."""
        return MARKDOWN_HEADER

    def _with_interval(self, name: str, value: float) -> str:
        if name not in self.intervals:
            return _number(value)
        low, high = self.intervals[name]
        return f"{_number(value)} ({_number(low)}-{_number(high)})"


def score(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    name: str = "map",
    threshold: float | None = None,
    reference_threshold: float = 0.5,
    valid: npt.NDArray[np.bool_] | None = None,
    days: tuple[Any, Any] | None = None,
    exclude_within: float | None = None,
    unobserved: Any = "exclude",
    block: int = 20,
    draws: int = 0,
    seed: int = 0,
) -> Scores:
    """Score a map against a reference.

    Args:
        burnmap: the map.
        reference: the truth, or what stands for it.
        name: of the map in tables.
        threshold: as in `compare`, like the next five.
        reference_threshold: burned fraction from which a cell of the reference counts as burned.
        valid: cells that may count.
        days: (start, stop), half-open, to compare.
        exclude_within: cells to leave out around what burned outside the days.
        unobserved: `exclude` or `unburned`.
        block: edge in cells of the blocks that the bootstrap draws; wider than most fires, so that blocks
            are nearly independent.
        draws: number of bootstrap draws; 0 for no intervals.
        seed: of the draws.

    Raises:
        InputError: if the two have no cell or day in common, or a mask has another shape.
    """
    comparison = compare(
        burnmap,
        reference,
        threshold=threshold,
        reference_threshold=reference_threshold,
        days=days,
        exclude_within=exclude_within,
        valid=valid,
        unobserved=unobserved,
    )
    return score_tally(tally(comparison, block), name=name, reference=reference.name, draws=draws, seed=seed)


def score_tally(
    sums: Tally, *, name: str = "map", reference: str = "reference", draws: int = 0, seed: int = 0
) -> Scores:
    """Read the scores from sums by block, which may be of several regions or scenes."""
    total = sums.total()
    stated, covered = (int(v) for v in total.stated[0])
    return Scores(
        name=name,
        reference=reference,
        cells=int(total.cells[0]),
        hard=ErrorMatrix(*(float(v) for v in total.hard[0])),
        soft=ErrorMatrix(*(float(v) for v in total.soft[0])),
        dating=Dating.from_histogram(total.dates[0], stated, covered),
        classes=_classes(total.classes[0]),
        unseen_ha=float(total.unseen[0, 0]),
        unseen_burned_ha=float(total.unseen[0, 1]),
        intervals=intervals(sums, draws=draws, seed=seed) if draws else {},
    )


def _classes(sums: npt.NDArray[np.float64]) -> tuple[FractionClass, ...]:
    edges = [(0.0, 0.0), *itertools.pairwise(CLASS_EDGES)]
    return tuple(_class(low, high, row) for (low, high), row in zip(edges, sums, strict=True))


def _class(low: float, high: float, row: npt.NDArray[np.float64]) -> FractionClass:
    value = dict(zip(CLASS_SUMS, (float(v) for v in row), strict=True))
    burned = value["reference_ha"]
    return FractionClass(
        low=low,
        high=high,
        cells=int(value["cells"]),
        reference_ha=burned,
        map_ha=value["map_ha"],
        recall=_ratio(value["found_ha"], burned),
        soft_recall=_ratio(value["common_ha"], burned),
        cell_recall=_ratio(value["found_cells"], value["cells"]),
        relative_bias=_ratio(value["map_ha"] - burned, burned),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _number(value: float, digits: int = 3, *, sign: bool = False) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _public(item: FractionClass) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}
