"""Differences of dates in days, counted exactly up to a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.measures.measure import Arrays, Measure, Pair, Reals, Tree, ratio
from banet.grid.region import KM_PER_DEGREE
from banet.observations.hotspots import of_vegetation

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["Dates", "Dating", "date_columns", "dating_to_fires", "histogram", "trimmed"]

LONGEST = 366
"""Differences are kept exactly up to a year; longer ones count as a year and a day."""
EARTH_KM = 6371.0
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


def dating_to_fires(
    burnmap: BurnedArea,
    table: pd.DataFrame,
    *,
    radius_km: float | None = None,
    days: int = 30,
    pick: Literal["nearest", "first"] = "nearest",
    vegetation_only: bool = True,
) -> Dating:
    """Measure the difference of burn dates to active fires in the cell or beside it, map minus fire.

    Hot spots are both an input of the network and this reference: the figure says how well dates follow the
    fires that were detected, not how good they are where none was.

    Args:
        burnmap: the map.
        table: of hot spots (`read_hotspots`).
        radius_km: hot spots within so far of the cell's centre count; 1 km if None, or half the diagonal
            of a cell where that is more.
        days: hot spots within so many days of the burn date count.
        pick: of those, the nearest in time (ties: nearest in space), or the first one detected.
        vegetation_only: leave out hot spots whose type says that no vegetation burned.

    Raises:
        InputError: if radius or days are not positive.
    """
    if radius_km is None:
        radius_km = max(1.0, burnmap.region.pixel_size * KM_PER_DEGREE / np.sqrt(2))
    if not radius_km > 0 or days < 0:
        raise InputError(f"hot spots within {radius_km} km and {days} days; give a radius above 0 and days")
    from scipy.spatial import cKDTree

    row, col = np.nonzero(burnmap.burned)
    keep = of_vegetation(table) if vegetation_only else np.ones(len(table), bool)
    when = table["time"].to_numpy()[keep].astype("datetime64[D]").astype(np.int64)
    if not row.size or not when.size:
        return Dating.from_histogram(histogram(np.zeros(0, np.int64)))
    spots = _on_sphere(table["longitude"].to_numpy()[keep], table["latitude"].to_numpy()[keep])
    cells = _on_sphere(burnmap.region.longitudes[col], burnmap.region.latitudes[row])
    pairs = cKDTree(cells).sparse_distance_matrix(cKDTree(spots), radius_km, output_type="ndarray")
    cell, spot, distance = pairs["i"], pairs["j"], pairs["v"]
    difference = burnmap.burn_date[row, col].astype(np.int64)[cell] - when[spot]
    near = np.abs(difference) <= days
    cell, difference, distance = cell[near], difference[near], distance[near]
    by = np.abs(difference) if pick == "nearest" else -difference
    order = np.lexsort((distance, by, cell))
    first = np.unique(cell[order], return_index=True)[1]
    return Dating.from_histogram(histogram(difference[order][first]))


def _on_sphere(
    longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Points in km, so that chords are as good as distances at this scale."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return EARTH_KM * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


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
