"""The planes of a map while its blocks come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY, Dating, summarise
from banet.days import Days
from banet.grid.region import Region
from banet.mapping.joiner import Block

__all__ = ["Canvas", "Planes", "block_planes"]

Planes = Mapping[str, npt.NDArray[Any]]


def block_planes(block: Block, seen: Planes, threshold: float, dating: Dating | None = None) -> Planes:
    """Return the planes of a map in a block of final probabilities.

    Args:
        block: its probabilities.
        seen: `observed_days` and `water` of the block's cells.
        threshold: burned fraction from which on a cell counts as burned.
        dating: how dates follow from the probabilities.
    """
    probability = block.probability
    if not len(probability):  # no tile gave any: nothing burned as far as anybody knows
        probability = np.zeros((1, *probability.shape[1:]), np.float32)
    summary = summarise(probability, threshold, dating)
    return {
        "burned_fraction": summary.burned_fraction,
        "day": summary.day,
        "uncertainty": summary.uncertainty,
        **seen,
    }


class Canvas:
    """The planes of a region's map, filled block by block.

    Args:
        region: the grid.
        days: (days,) datetime64[D] that are mapped.
    """

    def __init__(self, region: Region, days: Days) -> None:
        self._region, self._days = region, days
        self._planes: dict[str, npt.NDArray[Any]] = {
            "burned_fraction": np.zeros(region.shape, np.float32),
            "day": np.full(region.shape, -1, np.int32),
            "uncertainty": np.full(region.shape, NO_UNCERTAINTY, np.uint8),
            "observed_days": np.zeros(region.shape, np.int16),
            "water": np.zeros(region.shape, np.int8),
        }

    def put(self, rows: slice, cols: slice, planes: Planes) -> None:
        """Write the planes of `block_planes` in their place."""
        for name, plane in self._planes.items():
            plane[rows, cols] = planes[name]

    def finish(self, threshold: float, attrs: Mapping[str, Any]) -> BurnedArea:
        """Return the map."""
        planes = dict(self._planes)
        planes["water"] = planes["water"] > 0
        return BurnedArea.from_summary(self._region, self._days, **planes, threshold=threshold, attrs=attrs)
