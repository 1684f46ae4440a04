"""The cube: one Zarr store a region, one slot a day, in physical units."""

from __future__ import annotations

from banet.cube.info import CubeInfo
from banet.cube.store import Cube, open_cube
from banet.cube.window import CubeWindow

__all__ = ["Cube", "CubeInfo", "CubeWindow", "open_cube"]
