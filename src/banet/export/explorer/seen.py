"""Days on which the land of a map was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.mapping.tiles import looks_of

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["seen_by_day"]


def seen_by_day(cube: Cube, burned: BurnedArea) -> dict[str, float]:
    """Return the share of the land that was observed on each day of a map with images, 0-1."""
    land = ~burned.water
    count = max(1, int(land.sum()))
    found = {}
    for day in np.intersect1d(burned.days, cube.days):
        seen = looks_of(cube.read(day, day + 1, variables=("red", "nir", "mir")))[0][0]
        if seen.any():
            found[str(day)] = round(float((seen & land).sum()) / count, 3)
    return found
