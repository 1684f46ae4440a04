"""Cubes of drawn days for tests of mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from banet.cube import Cube
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

FIRST = np.datetime64("2021-06-15")


def land(rng: np.random.Generator, shape: tuple[int, int], spread: float = 0.03) -> np.ndarray:
    """Red, NIR and MIR of vegetation, (3, rows, columns) float32."""
    return rng.normal([[[0.1]], [[0.25]], [[0.12]]], spread, (3, *shape)).astype(np.float32)


def made_cube(
    folder: Path,
    shape: tuple[int, int],
    days: Iterable[int],
    draw: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]],
) -> Cube:
    """Make a cube from 15 June 2021 on; `draw` gives bands, NaN where not seen, and power of each day."""
    rows, cols = shape
    region = Region("T", (20, 38, round(20 + cols / 100, 2), round(38 + rows / 100, 2)), 0.01)
    made = Cube.create(folder / "T.zarr", region, sensor="VIIRS S-NPP", mir_band="M12")
    rng = np.random.default_rng(0)
    for day in days:
        planes, frp = draw(rng, day)
        seen = np.isfinite(planes[0])
        zenith = np.where(seen, np.float32(20), np.float32(np.nan))
        made.write_day(FIRST + day, DayPlanes(*planes, zenith, seen.astype(np.uint8)), frp)
    return made
