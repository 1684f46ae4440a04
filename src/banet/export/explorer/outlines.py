"""Coasts and borders of a region, from Natural Earth's countries at 1:10 million."""

from __future__ import annotations

import functools
import gzip
import importlib.resources
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.grid.region import Region

__all__ = ["outlines_of"]

_ASSETS = "banet.export.explorer"
_DECIMALS = 4
Line = npt.NDArray[np.float64]


def outlines_of(region: Region, around: float = 1.0) -> dict[str, list[list[list[float]]]]:
    """Return the coasts and the borders in and around a region.

    Args:
        region: the box; one that crosses 180 degrees has longitudes beyond it, and so have the lines.
        around: degrees beyond the box, in which lines are shown as well.

    Returns:
        Lines of `[longitude, latitude]` under `coast` and `border`.

    Source: Natural Earth, public domain, as packed by world-atlas 2.0.2.
    """
    from shapely import LineString, clip_by_rect

    box = (region.west - around, region.south - around, region.east + around, region.north + around)
    found: dict[str, list[list[list[float]]]] = {"coast": [], "border": []}
    for line, coast in _lines():
        for turn in (-360, 0, 360):
            west, east = line[:, 0].min() + turn, line[:, 0].max() + turn
            outside = east < box[0] or west > box[2] or line[:, 1].max() < box[1] or line[:, 1].min() > box[3]
            if outside or len(line) < 2:
                continue
            part = clip_by_rect(LineString(line + np.array([turn, 0])), *box)
            pieces = [piece for piece in getattr(part, "geoms", [part]) if not piece.is_empty]
            kept = [np.round(np.asarray(piece.coords), _DECIMALS).tolist() for piece in pieces]
            found["coast" if coast else "border"] += kept
    return found


@functools.cache
def _lines() -> tuple[tuple[Line, bool], ...]:
    packed = (importlib.resources.files(_ASSETS) / "assets" / "outlines.json.gz").read_bytes()
    return tuple(_decoded(json.loads(gzip.decompress(packed))))


def _decoded(packed: dict[str, Any]) -> Iterator[tuple[Line, bool]]:
    """Undo TopoJSON's differences and scale, line by line."""
    scale, start = np.array(packed["transform"]["scale"]), np.array(packed["transform"]["translate"])
    coasts = set(packed["coasts"])
    for number, arc in enumerate(packed["arcs"]):
        line = np.cumsum(np.array(arc, np.float64), axis=0) * scale + start
        # A line that crosses 180 degrees goes on beyond it, as a region does.
        line[:, 0] = np.unwrap(line[:, 0], period=360)
        yield line, number in coasts
