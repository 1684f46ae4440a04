"""Mapping: from a cube and a network to maps of burned area, core by core."""

from __future__ import annotations

from banet.mapping.maps import map_burned, map_months, map_nrt, period_scratch, predict
from banet.mapping.options import Block, MapOptions
from banet.mapping.windows import Window, month_window, nrt_window

__all__ = [
    "Block",
    "MapOptions",
    "Window",
    "map_burned",
    "map_months",
    "map_nrt",
    "month_window",
    "nrt_window",
    "period_scratch",
    "predict",
]
