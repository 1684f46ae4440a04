"""Scores over thresholds, and how well a map's burned fraction is calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.matrix import measures

__all__ = ["Reliability", "ThresholdCurve", "reliability", "threshold_curve"]

Reals = npt.NDArray[np.float64]


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


def threshold_curve(comparison: Comparison, thresholds: npt.ArrayLike | None = None) -> ThresholdCurve:
    """Score the map at many thresholds on its burned fraction.

    Args:
        comparison: map and reference; the reference's threshold stays.
        thresholds: above 0 and at most 1; 0.05 to 0.95 by default.

    Raises:
        InputError: if a threshold is out of range.
    """
    steps = np.arange(0.05, 0.96, 0.05) if thresholds is None else np.asarray(thresholds, np.float64)
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
    matrix = np.stack([both, map_only, mass[0].sum() - both, mass[1].sum() - map_only], axis=-1)
    return ThresholdCurve(threshold=steps, **measures(matrix))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Burned fraction as mapped against as it was, by class of mapped fraction.

    Attributes:
        edges: of the classes, (n + 1,).
        hectares: valid area in each class, (n,).
        mapped, observed: area-weighted mean fraction of map and reference, (n,); NaN in empty classes.
        brier: area mean of the squared difference of the fractions.
        skill: 1 - brier / that of the reference's own mean everywhere; NaN where nothing burned.
        error: expected calibration error: area mean of |mapped - observed| over the classes.
    """

    edges: Reals
    hectares: Reals
    mapped: Reals
    observed: Reals
    brier: float
    skill: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        arrays = {name: getattr(self, name).tolist() for name in ("edges", "hectares", "mapped", "observed")}
        return arrays | {"brier": self.brier, "skill": self.skill, "calibration_error": self.error}


def reliability(comparison: Comparison, classes: int = 10, *, hard: bool = False) -> Reliability:
    """Hold the map's burned fraction against the reference's.

    Args:
        comparison: map and reference.
        classes: number of classes of mapped fraction, of equal width.
        hard: take the reference as burned or not, in place of its fraction.

    Raises:
        InputError: if there are no classes.
    """
    if classes < 1:
        raise InputError(f"{classes} classes; give at least 1")
    valid = comparison.valid
    p, area = comparison.map_fraction[valid], comparison.area[valid]
    truth = comparison.reference_burned if hard else comparison.reference_fraction
    r = truth[valid].astype(np.float64)
    edges = np.linspace(0, 1, classes + 1)
    kind = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, classes - 1)
    hectares = np.asarray(np.bincount(kind, area, minlength=classes), np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mapped = np.bincount(kind, area * p, minlength=classes) / hectares
        observed = np.bincount(kind, area * r, minlength=classes) / hectares
        total = area.sum()
        brier = float((area * (p - r) ** 2).sum() / total)
        mean = (area * r).sum() / total
        climate = float((area * (r - mean) ** 2).sum() / total)
        error = float(np.nansum(hectares * np.abs(mapped - observed)) / total)
    skill = 1 - brier / climate if climate > 0 else float("nan")
    return Reliability(edges, hectares, mapped, observed, brier, skill, error)
