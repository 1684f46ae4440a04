"""From a cube and a network to maps: which days, which tiles, and what the probabilities mean."""

from __future__ import annotations

from banet.burned_area.dating import DaySummary, summarise
from banet.mapping.predict import map_burned, map_months, map_nrt, map_windows, predict
from banet.mapping.tiling import Block, Joiner, Tile, Tiling, blend_tiling, make_tiling, original_tiles
from banet.mapping.water import estimate_water
from banet.mapping.windows import Window, month_window, nrt_window

__all__ = [
    "Block",
    "DaySummary",
    "Joiner",
    "Tile",
    "Tiling",
    "Window",
    "blend_tiling",
    "estimate_water",
    "make_tiling",
    "map_burned",
    "map_months",
    "map_nrt",
    "map_windows",
    "month_window",
    "nrt_window",
    "original_tiles",
    "predict",
    "summarise",
]
