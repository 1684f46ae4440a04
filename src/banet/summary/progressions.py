"""Whole dated progressions drawn from a map: the burns that its probabilities allow, near cells together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import ndtr, ndtri

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.confidence import burned_probability
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.unknown import days_told
from banet.grid.region import KM_PER_DEGREE
from banet.summary.noise import CellNoise

__all__ = ["LEAST", "MODEL", "ErrorModel", "Progressions"]

LEAST = 0.001
"""Cells that burned with less probability than this are never drawn."""

_MAPPED = (0.0, 0.0065, 0.016, 0.035, 0.07, 0.143, 0.246, 0.39, 0.5, 0.6, 0.8, 0.935, 0.985, 0.999, 1.0)
_IF_BURNED = (0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.643, 0.778, 0.872, 0.89, 0.95, 0.974)
_IF_NOT = (0.0, 0.0015, 0.007, 0.0165, 0.036, 0.085, 0.15, 0.23, 0.25, 0.27, 0.225, 0.17, 0.16, 0.155, 0.155)
"""Mean part of a cell that burned, by its mapped fraction, where at least half of it did and where not."""

FAR_KM = 25.0
"""A drawn cell takes its date from the nearest dated one up to this distance."""

_HELD = 0.8
"""Share of true days that an uncertainty holds where a map does not tell it."""
_ERA = 10**6  # days before 1970 have no negative seed


@dataclass(frozen=True)
class ErrorModel:
    """Correlation of the errors of a map: shares of the variance of a normal value behind every cell.

    Attributes:
        common: share that all cells of a map have in common.
        near: share that is alike in cells near each other.
        reach_km: distance at which that likeness has fallen to 1/e.
        dates: share of the error of a date that is alike in cells near each other.
        dates_reach_km: distance at which that likeness has fallen to 1/e.
    """

    common: float
    near: float
    reach_km: float
    dates: float
    dates_reach_km: float


MODEL = ErrorModel(common=0.2, near=0.5, reach_km=6.0, dates=0.5, dates_reach_km=1.2)
"""Chosen on simulated seasons by benchmarks/zone_intervals.py; see docs/summaries.md."""


class Progressions:
    """Progressions that a map allows, each a set of burned cells with dates.

    Behind each cell stands a normal value; those of near cells are alike, as the model says. At least half of
    the cell burns with its calibrated probability, see `burned_probability`, and the lower the value the more
    of it, so that the mean part is that of simulated seasons. The date moves about that of the map so that
    the stated uncertainty holds it in as many draws as it holds true days by the calibration of the map, in
    four of five where that is not told. A cell that the map does not date takes date and uncertainty of the
    nearest dated cell within `FAR_KM`, and any day that the map tells of where there is none.

    Args:
        source: a map of a network.
        seed: draws of one seed are the same whichever other maps are drawn, and in any order.
        model: correlation of the errors.

    Attributes:
        cell: numbers of the cells that may burn, row by row, (n,).
        probability: that at least half of each burned, (n,).
        undated: how many of them lie far from any date.
    """

    def __init__(self, source: BurnedArea, *, seed: int = 0, model: ErrorModel = MODEL) -> None:
        self._source, self._seed, self._model = source, seed, model
        held = np.nan_to_num(burned_probability(source)).ravel()
        self.cell = np.flatnonzero(held >= LEAST)
        self.probability = held[self.cell]
        mapped = source.burned_fraction.ravel()[self.cell]
        # Powers of a uniform number: of all laws with one parameter they come nearest to what is measured.
        self._powers = tuple(
            0.5 / np.maximum(lacking, 1e-4) - 1
            for lacking in (1 - np.interp(mapped, _MAPPED, _IF_BURNED), np.interp(mapped, _MAPPED, _IF_NOT))
        )
        row, col = np.divmod(self.cell, source.region.shape[1])
        reaches = (model.reach_km, model.dates_reach_km)
        self._noise, self._noise_of_dates = (CellNoise(row, col, _in_cells(source, km)) for km in reaches)
        self._day, self._spread, self._far = _dates(source, row, col)
        self._told = list(_kinds(source, self.cell))
        self.undated = int(self._far.sum())

    def draw(self, number: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the part of each cell that burns in a draw, 0-1, and the day of the map on which, (n,)."""
        model = self._model
        common = np.random.default_rng([self._seed, number]).standard_normal()
        first = int(self._source.start.astype(np.int64)) + _ERA
        rng = np.random.default_rng([self._seed, number, first])
        value = math.sqrt(model.common) * common + _values(rng, self._noise, model.near, 1 - model.common)
        days = self._days(_values(rng, self._noise_of_dates, model.dates, 1.0))
        return self._part(ndtr(value)), days

    def _part(self, uniform: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the part that burned by a number in 0-1: at least half where it is below the probability."""
        likely, (much, little) = self.probability, self._powers
        half = 0.5 * np.minimum(uniform / likely, 1) ** much
        less = 0.5 * (np.clip(1 - uniform, 0, 1) / np.maximum(1 - likely, 1e-12)).clip(max=1) ** little
        return np.asarray(np.where(uniform < likely, 1 - half, less), np.float64)

    def _days(self, value: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        moved, drawn = self._day + np.rint(value * self._spread), np.empty(value.shape, np.int64)
        for cells, told in self._told:
            nearest = told[np.searchsorted((told[1:] + told[:-1]) / 2, moved[cells])]
            place = np.floor(ndtr(value[cells]) * told.size).astype(np.int64)
            drawn[cells] = np.where(self._far[cells], told[np.minimum(place, told.size - 1)], nearest)
        return drawn


def _kinds(
    source: BurnedArea, cell: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield cells that a map tells of on the same days, by their index in `cell`, and those days.

    A day of which the map says nothing is none on which it could show a burn.
    """
    if not cell.size:
        return
    gaps = source.unknown_days
    lacking = np.zeros((len(gaps) + 1, cell.size), np.bool_)
    for number, one in enumerate(gaps):
        lacking[number] = one.cells.ravel()[cell]
    kinds, which = np.unique(lacking, axis=1, return_inverse=True)
    for number in range(kinds.shape[1]):
        here, alike = np.flatnonzero(which.ravel() == number), np.zeros(source.region.shape, np.bool_)
        alike.flat[cell[here]] = True
        told = days_told(gaps, alike, source.days)
        yield here, np.flatnonzero(told if told.any() else ~told)


def _values(rng: np.random.Generator, noise: CellNoise, near: float, all_: float) -> npt.NDArray[np.float32]:
    """Return normal values of variance `all_`, of which `near` is alike in cells near each other."""
    own = rng.standard_normal(noise.count, np.float32)
    return np.asarray(math.sqrt(near) * noise.draw(rng) + math.sqrt(all_ - near) * own, np.float32)


def _in_cells(source: BurnedArea, km: float) -> tuple[float, float]:
    """Return a distance in cells, down and across."""
    region = source.region
    down = km / (region.pixel_size * KM_PER_DEGREE)
    middle = math.radians((region.south + region.north) / 2)
    return down, down / max(math.cos(middle), 0.05)


def _dates(
    source: BurnedArea, row: npt.NDArray[np.intp], col: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return day of the map, standard deviation in days, and whether no date is near, of each cell."""
    burned = source.burned & ~source.water
    if not burned.any():
        return np.zeros(len(row), np.int64), np.zeros(len(row)), np.ones(len(row), bool)
    down, across = _in_cells(source, 1.0)
    found: Any = ndimage.distance_transform_edt(~burned, sampling=(1 / down, 1 / across), return_indices=True)
    distance, nearest = found
    at = tuple(axis[row, col] for axis in nearest)
    day = (source.burn_date[at] - source.start).astype(np.int64)
    stated = source.uncertainty[at]
    held = (source.attrs.get("calibration") or {}).get("date_coverage", _HELD)
    deviations = ndtri((1 + held) / 2)
    spread = np.where(stated == NO_UNCERTAINTY, 0.0, (stated + 0.5) / deviations)
    return day, spread, distance[row, col] > FAR_KM
