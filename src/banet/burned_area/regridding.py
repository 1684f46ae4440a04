"""A burned-area source on another region's grid, by area."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area import attributes, confidence
from banet.burned_area.burned_planes import BurnedPlanes
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import NO_DATE
from banet.grid.average import LatLonGrid, average
from banet.grid.region import Region

__all__ = ["fields_on"]

_KNOWN_ENOUGH = 0.5
"""A cell counts as known where no more than half of its area is missing from the source."""


def fields_on(source: BurnedPlanes, region: Region) -> dict[str, Any]:
    """Return the fields that change when a source goes to another region's grid; see `BurnedArea.to`."""
    grid = LatLonGrid.of(source.region)
    dated = source.dates().to(region)
    share = average(grid, source.known, region)
    known = share >= _KNOWN_ENOUGH - 1e-9
    undated = average(grid, np.where(source.burned, 0, np.nan_to_num(source.burned_fraction)), region)
    seen = average(grid, source.observed_days.astype(np.float64), region)
    days = np.where(known, np.maximum(np.round(seen / np.where(known, share, 1)), 1), 0)
    date, spread = dated.main_day()
    burned = known & ~np.isnat(date)
    fraction = np.minimum(dated.total() + undated, 1).astype(np.float32)
    return {
        "region": region,
        "burned_fraction": np.where(known, fraction, np.float32(np.nan)),
        "burn_date": np.where(burned, date, NO_DATE),
        "uncertainty": np.where(burned, spread, np.uint8(NO_UNCERTAINTY)),
        "observed_days": days.astype(np.int16),
        "water": average(grid, source.water, region) > _KNOWN_ENOUGH,
        "dated": dated,
        "quality": None,
        "evidence": None,
        "first_look": None,
        "unknown_days": tuple(
            replace(
                one, cells=known & (average(grid, source.known & ~one.cells, region) < _KNOWN_ENOUGH - 1e-9)
            )
            for one in source.unknown_days
        ),
        "stated_confidence": _confidence_on(source, region, grid),
        "attrs": attributes.regridded(source.attrs, source.region, region),
    }


def _confidence_on(source: BurnedPlanes, region: Region, grid: LatLonGrid) -> npt.NDArray[np.float32] | None:
    """Return the area mean of the confidence where it is not the burned fraction itself."""
    if source.stated_confidence is None and not source.attrs.get("calibration"):
        return None
    percent = confidence.of_half(source).astype(np.float64)
    if source.stated_confidence is not None:
        percent = np.where(np.isfinite(source.stated_confidence), source.stated_confidence, percent)
    nothing = percent > 100
    percent[nothing] = 100 * np.nan_to_num(source.burned_fraction[nothing])
    return average(grid, percent, region).astype(np.float32)
