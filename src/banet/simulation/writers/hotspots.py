"""FIRMS standard-processing tables: one CSV a satellite, columns and number formats of the real files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.io.files import writing

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write"]

SOURCES = {"N": "VIIRS_SNPP_SP", "N20": "VIIRS_NOAA20_SP", "N21": "VIIRS_NOAA21_SP"}


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write one table a satellite, with its header even where it detected nothing."""
    paths = []
    for satellite in scene.world.fire_satellites:
        path = folder / f"{SOURCES[satellite]}_{scene.days[0]}.csv"
        rows = scene.hotspots[scene.hotspots["satellite"] == satellite]
        with writing(path) as part:
            rows.to_csv(part, index=False)
        paths.append(path)
    return tuple(paths)
