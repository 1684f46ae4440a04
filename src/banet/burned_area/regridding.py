"""A burned-area source on another region's grid, by area."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area import attributes, confidence
from banet.burned_area.burned_planes import BurnedPlanes
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.known_part import known_enough, plane_of
from banet.days import NO_DATE, Days
from banet.grid.average import LatLonGrid, average
from banet.grid.region import Region

__all__ = ["fields_on"]

_MOSTLY = 0.5


def fields_on(source: BurnedPlanes, region: Region) -> dict[str, Any]:
    """Return the fields that change when a source goes to another region's grid; see `BurnedArea.to`."""
    grid = LatLonGrid.of(source.region)
    dated = source.dates().to(region)
    part = source.known_part
    share = average(grid, source.known * part, region)
    known = known_enough(share)
    water = average(grid, source.water, region) > _MOSTLY
    undated = average(grid, np.nan_to_num(source.undated), region)
    seen = average(grid, source.observed_days * part, region)
    days = np.where(known, np.maximum(np.round(seen / np.where(known, share, 1)), 1), 0)
    date, spread = dated.main_day()
    burned = known & ~np.isnat(date)
    fraction = np.minimum(dated.total() + undated, 1).astype(np.float32)
    dated_from = {"dated_from": source.dated_from} if source.dated_from else {}
    return {
        "region": region,
        "burned_fraction": np.where(known, fraction, np.float32(np.nan)),
        "burn_date": np.where(burned, date, NO_DATE),
        "uncertainty": np.where(burned, spread, np.uint8(NO_UNCERTAINTY)),
        "observed_days": days.astype(np.int16),
        "water": water,
        "threshold": 0.0,
        "dated": dated,
        "quality": None,
        "evidence": None,
        "first_look": None,
        "unknown_days": tuple(
            replace(
                one, cells=known & ~known_enough(average(grid, (source.known & ~one.cells) * part, region))
            )
            for one in source.unknown_days
        ),
        "known_share": plane_of(_told(source, region, grid, date), known | water),
        "stated_confidence": _confidence_on(source, region, grid),
        "attrs": attributes.regridded(source.attrs, source.region, region) | dated_from,
    }


def _told(source: BurnedPlanes, region: Region, grid: LatLonGrid, date: Days) -> npt.NDArray[np.float64]:
    """Return the part of each cell that a source knows, water included, on the date where there is one."""
    told = average(grid, (source.known | source.water) * source.known_part, region)
    for one in source.unknown_days:
        then = average(grid, ((source.known & ~one.cells) | source.water) * source.known_part, region)
        within = (date >= one.start) & (date < one.stop) & known_enough(then)
        told = np.where(within, np.minimum(told, then), told)
    return np.asarray(told, np.float64)


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
