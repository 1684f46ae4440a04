"""Water found in the images themselves, for cubes that came without a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["estimate_water", "water_evidence"]

CLEAR_RED = 0.15
"""Red reflectance below which an observation is taken as free of thick cloud, snow and glint."""

DARK_NIR = 0.06
"""NIR reflectance below which an observation may be water; fresh char lies at 0.07 to 0.12."""

ENOUGH = 5
AT_LEAST = 3


def estimate_water(window: Any) -> npt.NDArray[np.bool_]:
    """Tell which cells are water: most clear observations are dark in NIR and no brighter than in red.

    Vegetation, soil and char reflect more in NIR than in red; water reflects less, at any depth of haze. An
    observation is clear where red is below 0.15, and dark where NIR is below 0.06. At least 5 clear
    observations are needed (3 in a window of fewer than 16 days); more than half of them must agree, so a
    cell under smoke or char for part of the window stays land. A cell with a hot spot is never water here:
    off nadir a coastal fire's hot spot may lie in a sea cell, which then counts as unburned or burned land.

    Args:
        window: red, nir, frp as (days, rows, columns) float32, reflectance and MW, NaN where missing.

    Returns:
        (rows, columns) bool.
    """
    return water_evidence(window) > 0


def water_evidence(window: Any) -> npt.NDArray[np.int8]:
    """Return 1 where `estimate_water` finds water, -1 where it finds land, 0 where too little was seen.

    The sign of the sum over several windows is the answer for all of them.
    """
    days = len(window.red)
    clear_days, water_days = (np.zeros(window.red.shape[1:], np.int16) for _ in range(2))
    fire = np.zeros(window.red.shape[1:], bool)
    # Day by day: the window itself is the largest thing in memory. NaN compares as False.
    with np.errstate(invalid="ignore"):
        for red, nir, frp in zip(window.red, window.nir, window.frp, strict=True):
            clear = (red < CLEAR_RED) & ~np.isnan(nir)
            clear_days += clear
            water_days += clear & (nir < DARK_NIR) & (nir <= red)
            fire |= frp > 0
    enough = clear_days >= (ENOUGH if days >= 16 else AT_LEAST)
    water = (2 * water_days > clear_days) & ~fire
    return np.where(enough | fire, np.where(water, 1, -1), 0).astype(np.int8)
