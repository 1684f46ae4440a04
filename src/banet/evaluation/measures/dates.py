"""Differences of dates in days, counted exactly up to a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.evaluation.measures.measure import Arrays, Measure, Pair, Reals, Tree, ratio

__all__ = ["LONGEST", "SHARES", "Dates", "Dating", "date_columns", "days_of", "histogram", "trimmed"]

LONGEST = 366
"""Differences are kept exactly up to a year; longer ones count as a year and a day."""
SHARES = (0, 1, 2, 5, 10)
BINS = 2 * LONGEST + 3


def days_of(count: int) -> npt.NDArray[np.int64]:
    """Return the difference in days that each of `count` bins stands for."""
    return np.arange(count) - count // 2


def binned(difference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bin of each difference in days, 0 to 734."""
    return np.clip(np.asarray(difference, np.int64), -LONGEST - 1, LONGEST + 1) + LONGEST + 1


def histogram(difference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count differences from -367 to 367 days, (735,) int64."""
    return np.bincount(binned(difference), minlength=BINS).astype(np.int64)


def trimmed(counts: npt.NDArray[Any], limit: int) -> npt.NDArray[Any]:
    """Return the counts from -limit to limit days; what lies beyond is in the outermost."""
    days = np.clip(days_of(counts.size), -limit, limit) + limit
    return np.bincount(days, counts, minlength=2 * limit + 1).astype(counts.dtype)


def _figures(counts: npt.NDArray[Any]) -> dict[str, Reals]:
    """Return mean, mean absolute and mean square of differences, and shares within days, of many histograms.

    Args:
        counts: (..., bins).
    """
    days, n = days_of(counts.shape[-1]), counts.sum(axis=-1)
    shares = {f"within_{day}": ratio(counts @ (np.abs(days) <= day), n) for day in SHARES}
    means = {"mean_days": days, "mean_absolute_days": np.abs(days), "square": days**2}
    return {name: ratio(counts @ one, n) for name, one in means.items()} | shares


@dataclass(frozen=True)
class Dating:
    """Days from a reference's dates to a map's; late is positive.

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
    def from_histogram(cls, counts: npt.NDArray[Any], stated: float = 0, covered: float = 0) -> Dating:
        """Read the figures from counts of differences (`histogram`)."""
        figures = {name: float(value) for name, value in _figures(counts).items()}
        mean, absolute, square = (figures[name] for name in ("mean_days", "mean_absolute_days", "square"))
        within = {day: figures[f"within_{day}"] for day in SHARES}
        means = mean, _median(counts), absolute, float(np.sqrt(square))
        return cls(int(counts.sum()), *means, within, int(stated), float(ratio(covered, stated)))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        days = {f"{name}_days": getattr(self, name) for name in ("mean", "median", "mean_absolute", "rmse")}
        within = {str(day): share for day, share in self.within.items()}
        told = {"stated_cells": self.stated, "covered_by_stated_uncertainty": self.covered}
        return {"cells": self.cells, **days, "within": within, **told}


def date_columns(dating: Tree) -> dict[str, Any]:
    """Return the figures of `Dating.to_dict` as columns of a table."""
    kept = {name: dating[name] for name in ("mean_days", "median_days", "mean_absolute_days")}
    within = {f"within_{day}_days": share for day, share in dating["within"].items()}
    covered = "covered_by_stated_uncertainty"
    return {"dated_cells": dating["cells"], **kept, **within, covered: dating[covered]}


def _median(counts: npt.NDArray[Any]) -> float:
    """The mean of the two middle values, as numpy.median gives it."""
    running, n = np.cumsum(counts), int(counts.sum())
    if not n:
        return float("nan")
    low, high = np.searchsorted(running, [(n - 1) // 2, n // 2], side="right")
    return float((low + high) / 2 - counts.size // 2)


class Dates(Measure):
    """Date differences over cells that both sides show burned and date, map minus reference."""

    name = "dates"

    def sums(self, pair: Pair) -> Arrays:
        """Return counts by day of difference, and of cells with a stated uncertainty, all and covered."""
        days = pair.add(pair.both_dated, 1, binned(pair.late), BINS)
        return {"days": days, "stated": pair.columns(pair.both_dated, *pair.stated)}

    def value(self, sums: Arrays) -> Tree:
        """Return the figures, and the counts from -30 to 30 days."""
        return {
            "dating": Dating.from_histogram(sums["days"], *sums["stated"]),
            "dates": {"first_days": -30, "cells": [int(n) for n in trimmed(sums["days"], 30)]},
        }

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return mean, mean absolute, shares within 0 and 2 days, and how many are covered."""
        figures, names = _figures(sums["days"]), ("mean_days", "mean_absolute_days", "within_0", "within_2")
        covered = ratio(sums["stated"][..., 1], sums["stated"][..., 0])
        return {name: figures[name] for name in names} | {"covered": covered}
