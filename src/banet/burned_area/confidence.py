"""Probability that a cell burned: by the calibration of what mapped it, or as its source states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.burned_area.meaning import NO_CONFIDENCE, UNBURNED

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["burned_probability", "percent"]


def burned_probability(source: BurnedArea) -> npt.NDArray[np.float64]:
    """Return the probability that at least half of each cell burned, (rows, columns), 0-1.

    It is what the source states, or what the burned fraction means by the calibration of the weights
    (`attrs["calibration"]`), or the burned fraction itself where there is neither; NaN on water and where the
    cell was not observed.
    """
    known = source.status >= UNBURNED
    share = np.where(known, source.burned_fraction, 0).astype(np.float64)
    calibration = source.attrs.get("calibration")
    if calibration and source.stated_confidence is None:
        share = np.interp(share, calibration["mapped"], calibration["burned"])
    if source.stated_confidence is not None:
        stated = np.isfinite(source.stated_confidence)
        share = np.where(stated, source.stated_confidence / 100.0, share)
    return np.where(known, share, np.nan)


def percent(source: BurnedArea) -> npt.NDArray[np.uint8]:
    """Return that probability in percent, (rows, columns); 255 on water and where not observed."""
    probability = burned_probability(source)
    known = np.isfinite(probability)
    return np.where(known, np.round(100 * np.where(known, probability, 0)), NO_CONFIDENCE).astype(np.uint8)
