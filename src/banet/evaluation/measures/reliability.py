"""Calibration: what a map states of a cell, its confidence or burned fraction, against what was."""

from __future__ import annotations

from typing import Literal

import numpy as np

from banet.errors import InputError
from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["Reliability"]

_SHOWN = 0.05


def _line(whole: Tree) -> Row:
    sure, scores = whole["confidence"], whole["scores"]
    covered = scores["dating"]["covered_by_stated_uncertainty"]
    return {
        "Brier score": Number(sure["brier"], 5),
        "skill": Number(sure["skill"]),
        "calibration error": Number(sure["calibration_error"], 5),
        "from 5 % on": Number(sure["calibration_error_from_5_percent"]),
        "date interval holds the day": Number(covered, interval=scores["intervals"].get("covered")),
        "mean stated days": Number(whole["uncertainty"]["mean_days"], 2),
    }


_TABLE = MeasureTable(
    "calibration",
    "Calibration",
    "Confidence against cells of which at least {reference} burned. The calibration error is the mean of "
    "|stated - observed| over classes of 5 %, weighted by area; 'from 5 % on' leaves out cells that nobody "
    "calls burned. The last two columns are the share of cells whose true day lies within the stated days of "
    "the map's date, and the mean of what is stated.",
    _line,
)


class Reliability(Measure):
    """Stated against observed by class of what is stated, Brier score and calibration error.

    The calibration error is the area mean of |stated - observed| over the classes; from 5 percent on, so that
    land which nobody doubts to be unburned does not hide the rest. The skill is against stating the
    reference's mean everywhere.

    Args:
        of: confidence, against cells burned or not, or burned fraction, against the reference's.
        hard: take the reference as burned or not; None does for confidence.
        classes: number of classes of equal width.

    Raises:
        InputError: if there are no classes.
    """

    file = "calibration"

    def __init__(self, of: Literal["confidence", "fraction"], *, hard: bool | None = None, classes: int = 20):
        if classes < 1:
            raise InputError(f"{classes} classes; give at least 1")
        self.name = of  # type: ignore[misc]  # two of this class are in the list
        self.hard, self.classes = of == "confidence" if hard is None else hard, classes
        # One table for both: it stands beside the stated dates.
        self.tables = (_TABLE,) if of == "confidence" else ()

    def sums(self, pair: Pair) -> Arrays:
        """Return hectares of each class, and hectares times map, reference, its square, squared error."""
        c = pair.cells
        stated = c.map_fraction if self.name == "fraction" else c.map_confidence
        truth = c.reference_burned if self.hard else c.reference_fraction
        p, r = stated[c.valid].astype(np.float64), truth[c.valid].astype(np.float64)
        edges = np.linspace(0, 1, self.classes + 1)
        # Confidence comes in percent: 0.35 shall not fall below its class by rounding.
        kind = np.clip(np.searchsorted(edges, p + 1e-9, side="right") - 1, 0, self.classes - 1)
        parts = (pair.area * part for part in (np.ones_like(p), p, r, r**2, (p - r) ** 2))
        sums = pair.columns(c.valid, *parts, kind=kind, kinds=self.classes)
        return {"classes": sums.reshape(-1, self.classes, 5)}

    def value(self, sums: Arrays) -> Tree:
        """Return the curve and its scores."""
        hectares, stated, true, square, wrong = sums["classes"].T
        whole = hectares.sum()
        edges = np.linspace(0, 1, hectares.size + 1)
        mapped, observed = ratio(stated, hectares), ratio(true, hectares)
        gap = np.nan_to_num(np.abs(mapped - observed)) * hectares
        shown = edges[:-1] >= _SHOWN - 1e-9
        climate = float(ratio(square.sum(), whole) - ratio(true.sum(), whole) ** 2)
        brier = float(ratio(wrong.sum(), whole))
        curve = {"edges": edges, "hectares": hectares, "mapped": mapped, "observed": observed}
        scores = {
            "brier": brier,
            "skill": 1 - brier / climate if climate > 0 else float("nan"),
            "calibration_error": float(ratio(gap.sum(), whole)),
            "calibration_error_from_5_percent": float(ratio(gap[shown].sum(), hectares[shown].sum())),
        }
        return {self.name: {name: part.tolist() for name, part in curve.items()} | scores}

    def rows(self, whole: Tree) -> list[Row]:
        """Return one row a class."""
        curve = whole[self.name]
        names = ("hectares", "mapped", "observed")
        rows = zip(curve["edges"][:-1], curve["edges"][1:], *(curve[name] for name in names), strict=True)
        of = "burned fraction" if self.name == "fraction" else self.name
        return [dict(zip(("of", "from", "to", *names), (of, *row), strict=True)) for row in rows]
