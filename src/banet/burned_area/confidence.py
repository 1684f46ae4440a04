"""Confidence of a burned-area source in percent: as it states it, or by the calibration of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_planes import NO_CONFIDENCE, UNBURNED, BurnedPlanes

__all__ = ["burned_probability", "of_half", "of_tenth"]


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
    told = _calibrated(source, "burned") if stated is None else None
    percent = 100 * source.burned_fraction if told is None else told
    return percent if stated is None else np.where(np.isfinite(stated), stated, percent)


def of_tenth(source: BurnedPlanes) -> npt.NDArray[np.uint8] | None:
    """Return the percent that more than a tenth of each cell burned; see `BurnedArea.over_tenth`."""
    told = _calibrated(source, "tenth")
    return None if told is None else _whole(source, told)


def _calibrated(source: BurnedPlanes, curve: str) -> npt.NDArray[np.float64] | None:
    known = source.attrs.get("calibration") or {}
    if not known.get(curve):
        return None
    told = np.asarray(100 * np.interp(source.burned_fraction, known["mapped"], known[curve]), np.float64)
    tables = known.get("by_evidence") or ()
    for number, table in enumerate(tables if source.evidence is not None else ()):
        here = source.evidence == number
        told[here] = 100 * np.interp(source.burned_fraction[here], known["mapped"], table[curve])
    return told


def _whole(source: BurnedPlanes, percent: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.where(source.status >= UNBURNED, np.round(percent), NO_CONFIDENCE).astype(np.uint8)
