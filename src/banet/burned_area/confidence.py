"""Confidence of a burned-area source in percent: as it states it, or by the calibration of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve

from banet.burned_area.burned_planes import NO_CONFIDENCE, UNBURNED, BurnedPlanes

__all__ = ["burned_probability", "has_tenth", "of_half", "of_tenth", "with_neighbours"]

_EIGHT = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32) / 8


def of_half(source: BurnedPlanes) -> npt.NDArray[np.uint8]:
    """Return the percent that at least half of each cell burned; see `BurnedArea.confidence`."""
    return _whole(source, _half(source))


def burned_probability(source: BurnedPlanes) -> npt.NDArray[np.float64]:
    """Return the probability that at least half of each cell burned, unrounded, (rows, columns), 0-1.

    NaN on water and where the cell was not observed.
    """
    return np.where(source.status >= UNBURNED, np.asarray(_half(source), np.float64) / 100, np.nan)


def _half(source: BurnedPlanes) -> npt.NDArray[Any]:
    stated = source.stated_confidence
    told = _calibrated(source, "burned", source.burned_fraction) if stated is None else None
    percent = 100 * source.burned_fraction if told is None else told
    return percent if stated is None else np.where(np.isfinite(stated), stated, percent)


def of_tenth(source: BurnedPlanes) -> npt.NDArray[np.uint8] | None:
    """Return the percent that more than a tenth of each cell burned; see `BurnedArea.over_tenth`."""
    if not has_tenth(source):
        return None
    share = source.attrs["calibration"].get("neighbour_share", 0.0)
    told = _calibrated(source, "tenth", with_neighbours(source.burned_fraction, share))
    return None if told is None else _whole(source, told)


def has_tenth(source: BurnedPlanes) -> bool:
    """Return whether the weights of a source were calibrated for `of_tenth`."""
    return bool((source.attrs.get("calibration") or {}).get("tenth"))


def with_neighbours(fraction: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.float32]:
    """Blend the burned fraction of each cell with that of those around it.

    A cell of which a tenth burned lies at the edge of a scar: its neighbours tell of it.

    Args:
        fraction: (rows, columns), 0-1, NaN where not known.
        share: weight of the mean of the eight neighbours, 0-1. Those not known, or outside, count as 0.

    Returns:
        The same shape.
    """
    if not share:
        return fraction
    beside = convolve(np.nan_to_num(fraction), _EIGHT, mode="constant")
    return np.asarray((1 - share) * fraction + share * beside, np.float32)


def _calibrated(
    source: BurnedPlanes, curve: str, fraction: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64] | None:
    known = source.attrs.get("calibration") or {}
    if not known.get(curve):
        return None
    told = np.asarray(100 * np.interp(fraction, known["mapped"], known[curve]), np.float64)
    tables = known.get("by_evidence") or ()
    for number, table in enumerate(tables if source.evidence is not None else ()):
        here = source.evidence == number
        told[here] = 100 * np.interp(fraction[here], known["mapped"], table[curve])
    return told


def _whole(source: BurnedPlanes, percent: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.where(source.status >= UNBURNED, np.round(percent), NO_CONFIDENCE).astype(np.uint8)
