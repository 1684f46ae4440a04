"""Differences of dates in days, as a histogram: histograms add up, and every measure follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LONGEST", "SHARES", "Dating", "histogram"]

LONGEST = 366
"""Differences are kept exactly up to a year; longer ones count as a year and a day."""

SHARES = (0, 1, 2, 5, 10)


def histogram(difference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count differences from -367 to 367 days, (735,) int64."""
    edge = LONGEST + 1
    clipped = np.clip(np.asarray(difference, np.int64), -edge, edge)
    return np.bincount(clipped + edge, minlength=2 * edge + 1).astype(np.int64)


@dataclass(frozen=True)
class Dating:
    """How far a map's dates lie from a reference's: map minus reference, in days; late is positive.

    Attributes:
        cells: number of cells that both date.
        mean, median, mean_absolute, rmse: days; NaN without cells.
        within: share of the cells whose dates differ by at most 0, 1, 2, 5 and 10 days.
        stated: number of cells for which the map states an uncertainty.
        covered: share of these whose difference is within what is stated.
    """

    cells: int
    mean: float
    median: float
    mean_absolute: float
    rmse: float
    within: dict[int, float]
    stated: int
    covered: float

    @classmethod
    def from_histogram(cls, counts: npt.NDArray[np.int64], stated: int = 0, covered: int = 0) -> Dating:
        """Read the measures from counts of differences (`histogram`)."""
        days = np.arange(counts.size) - counts.size // 2
        n = int(counts.sum())
        if not n:
            nan = float("nan")
            return cls(0, nan, nan, nan, nan, dict.fromkeys(SHARES, nan), 0, nan)
        return cls(
            cells=n,
            mean=float((days * counts).sum() / n),
            median=_median(days, counts),
            mean_absolute=float((np.abs(days) * counts).sum() / n),
            rmse=float(np.sqrt((days**2 * counts).sum() / n)),
            within={d: float(counts[np.abs(days) <= d].sum() / n) for d in SHARES},
            stated=int(stated),
            covered=float(covered / stated) if stated else float("nan"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the measures by name."""
        return {
            "cells": self.cells,
            "mean_days": self.mean,
            "median_days": self.median,
            "mean_absolute_days": self.mean_absolute,
            "rmse_days": self.rmse,
            "within": {str(day): share for day, share in self.within.items()},
            "stated_cells": self.stated,
            "covered_by_stated_uncertainty": self.covered,
        }


def _median(days: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> float:
    """The mean of the two middle values, as numpy.median gives it."""
    running, n = np.cumsum(counts), int(counts.sum())
    low, high = np.searchsorted(running, [(n - 1) // 2, n // 2], side="right")
    return float((days[low] + days[high]) / 2)
