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
    middle = counts.size // 2
    shown = np.array(counts[middle - limit : middle + limit + 1])
    shown[0] += counts[: middle - limit].sum()
    shown[-1] += counts[middle + limit + 1 :].sum()
    return shown


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
        days, n = days_of(counts.size), float(counts.sum())
        return cls(
            cells=int(n),
            mean=float(ratio(counts @ days, n)),
            median=_median(days, counts),
            mean_absolute=float(ratio(counts @ np.abs(days), n)),
            rmse=float(np.sqrt(ratio(counts @ days**2, n))),
            within={d: float(ratio(counts[np.abs(days) <= d].sum(), n)) for d in SHARES},
            stated=int(stated),
            covered=float(ratio(covered, stated)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
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


def date_columns(dating: Tree) -> dict[str, Any]:
    """Return the figures of `Dating.to_dict` as columns of a table."""
    return {
        "dated_cells": dating["cells"],
        **{key: dating[key] for key in ("mean_days", "median_days", "mean_absolute_days")},
        **{f"within_{day}_days": share for day, share in dating["within"].items()},
        "covered_by_stated_uncertainty": dating["covered_by_stated_uncertainty"],
    }


def _median(days: npt.NDArray[np.int64], counts: npt.NDArray[Any]) -> float:
    """The mean of the two middle values, as numpy.median gives it."""
    running, n = np.cumsum(counts), int(counts.sum())
    if not n:
        return float("nan")
    low, high = np.searchsorted(running, [(n - 1) // 2, n // 2], side="right")
    return float((days[low] + days[high]) / 2)


class Dates(Measure):
    """Date differences over cells that both sides show burned and date, map minus reference."""

    name = "dates"

    def sums(self, pair: Pair) -> Arrays:
        """Return counts by day of difference, and of cells with a stated uncertainty, all and covered."""
        stated = [pair.add(pair.both_dated, part) for part in pair.stated]
        return {
            "days": pair.add(pair.both_dated, 1, binned(pair.late), BINS),
            "stated": np.concatenate(stated, axis=1),
        }

    def value(self, sums: Arrays) -> Tree:
        """Return the figures, and the counts from -30 to 30 days."""
        shown = trimmed(sums["days"], 30)
        return {
            "dating": Dating.from_histogram(sums["days"], *sums["stated"]),
            "dates": {"first_days": -30, "cells": [int(n) for n in shown]},
        }

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return mean, mean absolute, shares within 0 and 2 days, and how many are covered."""
        counts = sums["days"]
        days, n = days_of(counts.shape[-1]), counts.sum(axis=-1)
        return {
            "mean_days": ratio(counts @ days, n),
            "mean_absolute_days": ratio(counts @ np.abs(days), n),
            "within_0": ratio(counts @ (days == 0), n),
            "within_2": ratio(counts @ (np.abs(days) <= 2), n),
            "covered": ratio(sums["stated"][..., 1], sums["stated"][..., 0]),
        }
