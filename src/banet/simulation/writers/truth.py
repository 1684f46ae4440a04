"""The exact truth of a scene as one NetCDF-CF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from banet.io.files import writing
from banet.simulation.spectra import Cover

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["dataset", "write"]


def dataset(scene: Scene) -> xr.Dataset:
    """Return the truth of a scene.

    Per cell: the burned fraction, the day on which most of it burned, the water mask and the dominant land
    cover. Per burned cell and day, along `entry`: row, column, day and the fraction that burned on it.
    """
    days = scene.days.astype("datetime64[ns]")
    day, row, col = np.nonzero(scene.burned_fraction_daily)
    grid = ("latitude", "longitude")
    codes = list(Cover)
    result = xr.Dataset(
        {
            "burned_fraction": (grid, scene.burned_fraction, {"long_name": "burned fraction", "units": "1"}),
            "burn_date": (
                grid,
                scene.burn_date.astype("datetime64[ns]"),
                {"long_name": "day on which most of the cell's burned area burned"},
            ),
            "water": (
                grid,
                scene.water.astype(np.uint8),
                {"long_name": "more than half of the cell is water"},
            ),
            "land_cover": (
                grid,
                scene.land_cover,
                {
                    "long_name": "most frequent land cover",
                    "flag_values": np.array(codes, np.uint8),
                    "flag_meanings": " ".join(c.name.lower() for c in codes),
                },
            ),
            "entry_row": ("entry", row.astype(np.int32)),
            "entry_column": ("entry", col.astype(np.int32)),
            "entry_day": ("entry", days[day]),
            "entry_fraction": ("entry", scene.burned_fraction_daily[day, row, col], {"units": "1"}),
        },
        coords={
            "latitude": ("latitude", scene.region.latitudes, {"units": "degrees_north"}),
            "longitude": ("longitude", scene.region.longitudes, {"units": "degrees_east"}),
            "time": ("time", days),
        },
        attrs={
            "Conventions": "CF-1.10",
            "title": f"Simulated truth of {scene.region.name}",
            "source": f"banet.simulation, climate {scene.world.climate.name}, seed {scene.world.seed}",
            "crs": "EPSG:4326",
            "pixel_size": scene.region.pixel_size,
        },
    )
    for name in ("burn_date", "entry_day", "time"):
        result[name].encoding = {"units": f"days since {scene.days[0]}", "dtype": "float32"}
    return result


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write `{region}_truth.nc`."""
    path = folder / f"{scene.region.name}_truth.nc"
    with writing(path) as part:
        dataset(scene).to_netcdf(part, engine="h5netcdf")
    return (path,)
