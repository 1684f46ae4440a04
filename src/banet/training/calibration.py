"""What a trained network's numbers mean, measured on held-out chips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from banet.mapping.rules import MASS, date_uncertainty
from banet.model.config import Calibration

__all__ = ["COVERAGE", "Evidence", "calibrate"]

Floats = npt.NDArray[np.float32]

COVERAGE = 0.8
"""Share of true days that the stated interval shall hold."""

_KNOTS = np.linspace(0, 1, 21)
_MASSES = np.round(np.arange(0.30, 0.991, 0.01), 2)
_HALF = 0.5 - 1e-6


@dataclass
class Evidence:
    """Mapped and true values of held-out scenes, gathered scene by scene."""

    mapped: list[Floats] = field(default_factory=list)
    burned: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    within: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def add(self, daily: Floats, truth: Floats, threshold: float = 0.5) -> None:
        """Add a scene.

        Args:
            daily: (T, rows, columns) mapped daily probability.
            truth: (T, rows, columns) true daily burned fraction; cells with a NaN are left out.
            threshold: of a burned cell of the map, whose date is judged.
        """
        known = np.isfinite(truth).all(0)
        sums = np.minimum(daily.sum(0), 1.0)[known].astype(np.float32)
        fraction = truth.sum(0)[known]
        # The many cells of which nothing is said and nothing is true would only fill the memory.
        kept = (sums > 1e-3) | (fraction > 0)
        self.mapped.append(sums[kept])
        self.burned.append(fraction[kept] >= _HALF)
        both = known & (np.minimum(daily.sum(0), 1.0) >= threshold) & (np.nan_to_num(truth).sum(0) > 0)
        if both.any():
            cells, day = daily[:, both], daily[:, both].argmax(0).astype(np.int32)
            apart = np.abs(truth[:, both].argmax(0) - day)
            widths = [date_uncertainty(cells, day, float(mass)) for mass in _MASSES]
            self.within.append(apart[None] <= np.stack(widths))


def calibrate(scenes: Iterable[tuple[Floats, Floats]], threshold: float = 0.5) -> Calibration | None:
    """Measure how often cells burned by what was mapped, and which interval holds four true days in five.

    Args:
        scenes: (daily probability, true daily burned fraction), both (T, rows, columns), of each scene.
        threshold: of a burned cell of the map.

    Returns:
        The calibration; None where no scene has a mapped or burned cell.
    """
    evidence = Evidence()
    for daily, truth in scenes:
        evidence.add(daily, truth, threshold)
    mapped = np.concatenate(evidence.mapped) if evidence.mapped else np.empty(0, np.float32)
    if not mapped.size:
        return None
    shares = _shares(mapped, np.concatenate(evidence.burned))
    return Calibration(
        mapped=tuple(round(float(knot), 4) for knot in _KNOTS),
        burned=tuple(round(float(share), 4) for share in shares),
        date_mass=_mass(evidence.within),
    )


def _shares(mapped: Floats, burned: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Fit a curve that never falls through the share burned in bins about the knots."""
    edges = (_KNOTS[:-1] + _KNOTS[1:]) / 2
    bins = np.searchsorted(edges, mapped)
    count = np.bincount(bins, minlength=len(_KNOTS)).astype(float)
    # A cell's worth at the knot itself keeps empty bins where the map says they are.
    share = (np.bincount(bins, burned, len(_KNOTS)) + _KNOTS) / (count + 1)
    fitted = isotonic_regression(share, weights=count + 1).x
    return np.clip(np.asarray(fitted, np.float64), 0, 1)


def _mass(within: list[npt.NDArray[np.bool_]]) -> float:
    """Return the mass whose intervals hold `COVERAGE` of the true days, or come nearest to it."""
    if not within:
        return MASS
    coverage = np.concatenate(within, axis=1).mean(1)
    return float(_MASSES[np.abs(coverage - COVERAGE).argmin()])
