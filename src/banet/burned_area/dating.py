"""From daily probabilities to a burned fraction, a date and its uncertainty: arithmetic on arrays alone.

The sum is the rule of Pinto et al. (2020), and so is the date where weights have no calibration; calibrated
weights date by a quantile (`DatingRule`). The uncertainty is read from the same daily probabilities, in the
sense of the `Burn Date Uncertainty` of MCD64A1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from banet.burned_area.period_edges import whole_burns
from banet.errors import InputError

__all__ = [
    "MASS",
    "MAX_UNCERTAINTY",
    "NO_UNCERTAINTY",
    "DatingRule",
    "DaySummary",
    "check_threshold",
    "date_at",
    "date_uncertainty",
    "summarise",
]

MASS = 0.8
"""Share of the summed probability within the uncertainty of the date, for weights without calibration."""

NO_UNCERTAINTY = 255
MAX_UNCERTAINTY = 254

# Daily probabilities are float32: without this slack their rounding would decide a share of exactly 0.8.
_SLACK = 1e-6
_CELLS_AT_ONCE = 4096


@dataclass(frozen=True)
class DatingRule:
    """Rule by which a date and its uncertainty follow from the daily probabilities of a cell.

    Attributes:
        mass: share of their sum that lies within the uncertainty.
        quantile: the date is the first day by which this share of their sum is reached; None for the day of
            the largest, the rule of Pinto et al. (2020).
    """

    mass: float = MASS
    quantile: float | None = None

    @classmethod
    def of(cls, calibration: Mapping[str, Any] | None) -> Self:
        """Return the dating of a calibration, as `attrs["calibration"]` holds it; the default for None."""
        if not calibration:
            return cls()
        return cls(calibration.get("date_mass", MASS), calibration.get("date_quantile"))


@dataclass(frozen=True, eq=False)
class DaySummary:
    """Burned fraction, day and uncertainty of each cell from a sequence of daily probabilities.

    Attributes:
        burned_fraction: sum over the days, at most 1, (rows, columns) float32.
        day: index of the date by the `DatingRule`, -1 where not burned, (rows, columns) int32.
        uncertainty: days before or after it, 255 where not burned, (rows, columns) uint8.
    """

    burned_fraction: npt.NDArray[np.float32]
    day: npt.NDArray[np.int32]
    uncertainty: npt.NDArray[np.uint8]

    def capped(self, land: npt.NDArray[np.float32], threshold: float) -> DaySummary:
        """Return it with burned fractions of at most the share of land, 0-1, (rows, columns).

        A cell that thereby falls below the threshold did not burn.
        """
        fraction = np.minimum(self.burned_fraction, land)
        burned = (self.day >= 0) & (fraction >= np.float32(threshold))
        return DaySummary(
            fraction,
            np.where(burned, self.day, np.int32(-1)),
            np.where(burned, self.uncertainty, np.uint8(NO_UNCERTAINTY)),
        )


def summarise(
    probability: npt.NDArray[np.float32],
    threshold: float = 0.5,
    dating: DatingRule | None = None,
    mapped: slice | None = None,
) -> DaySummary:
    """Sum daily probabilities and date what burned.

    Args:
        probability: (days, rows, columns) float32.
        threshold: a cell burned where its sum, at most 1, reaches this.
        dating: how to date; by default by the largest probability.
        mapped: place of the days that are mapped; by default all. Those around them say which burns across
            its first and last day are its own (`whole_burns`); indices of dates count from its first.

    Raises:
        InputError: if there is no day, a value is not finite, or the threshold is not in (0, 1].
    """
    check_threshold(threshold)
    if probability.ndim != 3 or len(probability) == 0:
        raise InputError(
            f"daily probabilities of shape {probability.shape}; they need days, rows and columns"
        )
    mapped = mapped or slice(0, len(probability))
    probability = whole_burns(probability, mapped)
    total, day = _sum_and_peak(probability)
    if not np.isfinite(total).all():
        raise InputError(
            "daily probabilities hold values that are not finite; was a missing value not masked?"
        )
    fraction = np.minimum(total, np.float32(1))
    burned = fraction >= np.float32(threshold)
    uncertainty = np.full(fraction.shape, NO_UNCERTAINTY, np.uint8)
    cells = np.flatnonzero(burned)
    flat = probability.reshape(len(probability), -1).take(cells, axis=1)
    dating = dating or DatingRule()
    if dating.quantile is not None:
        day.flat[cells] = date_at(flat, dating.quantile)
    day = np.clip(day, mapped.start, mapped.stop - 1)
    uncertainty.flat[cells] = date_uncertainty(flat, day.flat[cells], dating.mass)
    return DaySummary(fraction, np.where(burned, day - np.int32(mapped.start), np.int32(-1)), uncertainty)


def date_at(probability: npt.NDArray[np.float32], quantile: float) -> npt.NDArray[np.int32]:
    """Return the first day by which a share of the summed probability is reached.

    Args:
        probability: (days, cells) float32, with a sum above 0 in each cell.
        quantile: share of the sum, 0-1.

    Returns:
        (cells,) int32.
    """
    running = np.cumsum(probability, axis=0, dtype=np.float64)
    return np.asarray((running >= running[-1] * (quantile - _SLACK)).argmax(0), np.int32)


def date_uncertainty(
    probability: npt.NDArray[np.float32], day: npt.NDArray[np.int32], mass: float = MASS
) -> npt.NDArray[np.uint8]:
    """Return the smallest h such that the days within `day` +- h hold `mass` of the summed probability.

    Days before the first and after the last count as holding nothing.

    Args:
        probability: (days, cells) float32, with a sum above 0 in each cell.
        day: (cells,) index of the date.
        mass: share of the sum, 0-1.

    Returns:
        (cells,) uint8 days, at most 254.
    """
    result = np.empty(day.shape, np.uint8)
    for start in range(0, day.size, _CELLS_AT_ONCE):
        cells = slice(start, start + _CELLS_AT_ONCE)
        result[cells] = _widths(probability[:, cells], day[cells], mass)
    return result


def first_look(day: npt.NDArray[np.int32], looks: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return the days from each cell's burn date to the first look at it on a later day.

    Args:
        day: (rows, columns) index of the date, -1 where not burned.
        looks: whether each cell was seen clearly on the days from the first on, (days, rows, columns); they
            may go on after the last day that can be a date.

    Returns:
        (rows, columns) uint8 from 1, at most 254; 255 where not burned or not seen again.
    """
    row, col = np.nonzero(day >= 0)
    date = day[row, col]
    later = looks[:, row, col] & (np.arange(len(looks))[:, None] > date)
    wait = np.minimum(later.argmax(0) - date, MAX_UNCERTAINTY)
    found = np.full(day.shape, NO_UNCERTAINTY, np.uint8)
    found[row, col] = np.where(later.any(0), wait, NO_UNCERTAINTY)
    return found


def looks_kept(
    wait: npt.NDArray[np.uint8] | None, kept: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8] | None:
    """Return a plane of `first_look` of which only some cells keep their date; None if there is none."""
    return None if wait is None else np.where(kept, wait, np.uint8(NO_UNCERTAINTY))


def check_threshold(threshold: float) -> None:
    """Make sure that a threshold on the burned fraction is above 0 and at most 1.

    Raises:
        InputError: if it is not.
    """
    try:
        sound = 0 < threshold <= 1
    except TypeError:  # no number
        sound = False
    if not sound:
        raise InputError(f"threshold {threshold} is not above 0 and at most 1")


def _widths(
    probability: npt.NDArray[np.float32], day: npt.NDArray[np.int32], mass: float
) -> npt.NDArray[np.uint8]:
    """The rule of `date_uncertainty` for as many cells as stay in the processor's cache."""
    days, count = probability.shape
    running = np.zeros((days + 1, count), np.float64)
    for index, plane in enumerate(probability):
        np.add(running[index], plane, out=running[index + 1])
    needed = running[-1] * (mass - _SLACK)
    result = np.full(count, MAX_UNCERTAINTY, np.uint8)
    cells = np.arange(count)
    for h in range(min(days, MAX_UNCERTAINTY)):
        first, after = np.maximum(day[cells] - h, 0), np.minimum(day[cells] + h + 1, days)
        within = running[after, cells] - running[first, cells] >= needed[cells]
        result[cells[within]] = h
        cells = cells[~within]
        if not cells.size:
            break
    return result


def _sum_and_peak(
    probability: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Sum over the days and find the first day of the largest value, one pass, one day at a time."""
    total = probability[0].astype(np.float32)
    largest = total.copy()
    day = np.zeros(total.shape, np.int32)
    for index, plane in enumerate(probability[1:], 1):
        total += plane
        np.putmask(day, plane > largest, np.int32(index))
        np.maximum(largest, plane, out=largest)
    return total, day
