"""The exact truth of a scene as a NetCDF file, laid out like any map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.netcdf import write_netcdf
from banet.simulation.spectra import Cover

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write"]


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write `{region}_truth.nc`: fraction and day of every part of a cell, water and dominant land cover."""
    path = folder / f"{scene.region.name}_truth.nc"
    codes = list(Cover)
    cover = {
        "long_name": "most frequent land cover",
        "flag_values": np.array(codes, np.uint8),
        "flag_meanings": " ".join(code.name.lower() for code in codes),
    }
    return (write_netcdf(scene.truth(), path, extra={"land_cover": (scene.land_cover, cover)}),)
