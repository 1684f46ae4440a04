"""Scores over thresholds, and how well a map's confidence and burned fraction are calibrated.

Both are read from sums by class, and sums of regions or scenes add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.matrix import measures

__all__ = [
    "THRESHOLDS",
    "Reliability",
    "ThresholdCurve",
    "reliability",
    "reliability_sums",
    "threshold_curve",
    "threshold_sums",
]

Reals = npt.NDArray[np.float64]

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))
_SHOWN = 0.05


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """Measures of the hard map at each threshold on its burned fraction.

    Attributes:
        threshold, dice, commission, omission, relative_bias: (n,) float64.
    """

    threshold: Reals
    dice: Reals
    commission: Reals
    omission: Reals
    relative_bias: Reals

    @classmethod
    def from_sums(cls, sums: Reals, thresholds: npt.ArrayLike = THRESHOLDS) -> ThresholdCurve:
        """Read the curve from the sums of `threshold_sums`, (n, 4)."""
        return cls(threshold=np.asarray(thresholds, np.float64), **measures(sums))

    @property
    def best(self) -> float:
        """Threshold of the largest Dice; NaN where none is defined."""
        if not np.isfinite(self.dice).any():
            return float("nan")
        return float(self.threshold[np.nanargmax(self.dice)])

    def rows(self) -> list[dict[str, float]]:
        """Return one row a threshold."""
        names = ("threshold", "dice", "commission", "omission", "relative_bias")
        return [{name: float(getattr(self, name)[k]) for name in names} for k in range(self.threshold.size)]


def threshold_curve(comparison: Comparison, thresholds: npt.ArrayLike = THRESHOLDS) -> ThresholdCurve:
    """Score the map at many thresholds on its burned fraction.

    Args:
        comparison: map and reference; the reference's threshold stays.
        thresholds: above 0 and at most 1; 0.05 to 0.95 by default.

    Raises:
        InputError: if a threshold is out of range.
    """
    return ThresholdCurve.from_sums(threshold_sums(comparison, thresholds), thresholds)


def threshold_sums(comparison: Comparison, thresholds: npt.ArrayLike = THRESHOLDS) -> Reals:
    """Return the error matrix at each threshold, (n, 4) hectares: both, map only, reference only, neither.

    Raises:
        InputError: if a threshold is out of range.
    """
    steps = np.asarray(thresholds, np.float64)
    if not (steps.size and steps.min() > 0 and steps.max() <= 1):
        raise InputError(f"thresholds {steps.tolist()} must be above 0 and at most 1")
    valid = comparison.valid
    p, area = comparison.map_fraction[valid], comparison.area[valid]
    burned = comparison.reference_burned[valid]
    order = np.argsort(p)
    p, mass = p[order], np.stack([area * burned, area * ~burned])[:, order]
    # Hectares above each threshold, burned and unburned in the reference, from one running sum.
    above = np.concatenate([np.cumsum(mass[:, ::-1], axis=1)[:, ::-1], np.zeros((2, 1))], axis=1)
    both, map_only = above[:, np.searchsorted(p, steps - 1e-6, side="left")]
    return np.stack([both, map_only, mass[0].sum() - both, mass[1].sum() - map_only], axis=-1)


@dataclass(frozen=True, eq=False)
class Reliability:
    """What a map states against what was, by class of what it states.

    Attributes:
        edges: of the classes, (n + 1,).
        hectares: valid area in each class, (n,).
        mapped, observed: area-weighted mean of map and reference, (n,); NaN in empty classes.
        brier: area mean of the squared difference of the two, cell by cell.
        skill: 1 - brier / that of the reference's own mean everywhere; NaN where nothing burned.
        error: expected calibration error: area mean of |mapped - observed| over the classes.
        error_shown: the same over classes from 5 % on, so that land which nobody doubts to be unburned does
            not hide the rest; NaN where the map states no such value.
    """

    edges: Reals
    hectares: Reals
    mapped: Reals
    observed: Reals
    brier: float
    skill: float
    error: float
    error_shown: float

    @classmethod
    def from_sums(cls, sums: Reals) -> Reliability:
        """Read the curve from the sums of `reliability_sums`, (n, 5)."""
        hectares, stated, true, square, wrong = sums.T
        total = float(hectares.sum())
        edges = np.linspace(0, 1, len(sums) + 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mapped, observed = stated / hectares, true / hectares
        gap = np.nan_to_num(np.abs(mapped - observed)) * hectares
        shown = edges[:-1] >= _SHOWN - 1e-9
        mean = true.sum() / total if total else float("nan")
        climate = float(square.sum() / total - mean**2) if total else float("nan")
        brier = float(wrong.sum() / total) if total else float("nan")
        return cls(
            edges=edges,
            hectares=hectares,
            mapped=mapped,
            observed=observed,
            brier=brier,
            skill=1 - brier / climate if climate > 0 else float("nan"),
            error=float(gap.sum() / total) if total else float("nan"),
            error_shown=float(gap[shown].sum() / hectares[shown].sum())
            if hectares[shown].sum() > 0
            else float("nan"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        arrays = {name: getattr(self, name).tolist() for name in ("edges", "hectares", "mapped", "observed")}
        return arrays | {
            "brier": self.brier,
            "skill": self.skill,
            "calibration_error": self.error,
            "calibration_error_from_5_percent": self.error_shown,
        }

    def rows(self) -> list[dict[str, float]]:
        """Return one row a class."""
        return [
            {
                "from": float(self.edges[k]),
                "to": float(self.edges[k + 1]),
                "hectares": float(self.hectares[k]),
                "mapped": float(self.mapped[k]),
                "observed": float(self.observed[k]),
            }
            for k in range(self.hectares.size)
        ]


def reliability(
    comparison: Comparison,
    classes: int = 20,
    *,
    of: Literal["fraction", "confidence"] = "fraction",
    hard: bool = False,
) -> Reliability:
    """Hold the map's burned fraction or confidence against the reference.

    Args:
        comparison: map and reference.
        classes: number of classes of what the map states, of equal width.
        of: which of the two.
        hard: take the reference as burned or not, in place of its fraction.

    Raises:
        InputError: if there are no classes.
    """
    return Reliability.from_sums(reliability_sums(comparison, classes, of=of, hard=hard))


def reliability_sums(
    comparison: Comparison,
    classes: int = 20,
    *,
    of: Literal["fraction", "confidence"] = "fraction",
    hard: bool = False,
) -> Reals:
    """Return what `reliability` is read from; sums of regions or scenes add up.

    Returns:
        (classes, 5) float64: hectares of each class of what the map states, and hectares times map,
        reference, reference squared and squared difference.

    Raises:
        InputError: if there are no classes.
    """
    if classes < 1:
        raise InputError(f"{classes} classes; give at least 1")
    valid = comparison.valid
    stated = comparison.map_fraction if of == "fraction" else comparison.map_confidence
    truth = comparison.reference_burned if hard else comparison.reference_fraction
    p, r = stated[valid].astype(np.float64), truth[valid].astype(np.float64)
    area = comparison.area[valid]
    edges = np.linspace(0, 1, classes + 1)
    # Confidence comes in percent: 0.35 shall not fall below its class by rounding.
    kind = np.clip(np.searchsorted(edges, p + 1e-9, side="right") - 1, 0, classes - 1)
    parts = (np.ones_like(p), p, r, r**2, (p - r) ** 2)
    sums = [np.bincount(kind, area * part, minlength=classes) for part in parts]
    return np.asarray(np.stack(sums, axis=-1), np.float64)
