"""A map's dataset with all that the CF conventions and archives ask for: bounds, time, source and history."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

    from banet.burned_area.burned_area import BurnedArea
    from banet.io.manifest import Manifest

__all__ = ["CALENDAR", "EPOCH", "GRID_MAPPING", "to_cf"]

EPOCH = "days since 1970-01-01"
CALENDAR = {"calendar": "proleptic_gregorian"}
GRID_MAPPING = "spatial_ref"


def to_cf(burnmap: BurnedArea, manifest: Manifest | None = None) -> xr.Dataset:
    """Return the dataset of a map, as it is written to a file.

    To `BurnedArea.to_dataset` it adds the bounds of cells and of the period, links between variables, and who
    made it from what. `BurnedArea.from_dataset` reads it as well.
    """
    dataset = burnmap.to_dataset()
    _add_bounds(dataset, burnmap)
    _link(dataset)
    dataset.attrs.update(_about(burnmap, manifest))
    return dataset


def _add_bounds(dataset: xr.Dataset, burnmap: BurnedArea) -> None:
    region = burnmap.region
    rows, cols = region.shape
    for name, first, last, count in (
        ("lat", region.north, region.south, rows),
        ("lon", region.west, region.east, cols),
    ):
        dataset[f"{name}_bnds"] = ((name, "nv"), _edges(first, last, count))
        dataset[name].attrs["bounds"] = f"{name}_bnds"
    period = np.array([burnmap.start, burnmap.stop], "datetime64[D]").astype(np.int64).astype(np.int32)
    attrs = {"standard_name": "time", "axis": "T", "units": EPOCH, **CALENDAR, "bounds": "time_bnds"}
    dataset.coords["time"] = ((), period[0], attrs)
    dataset["time_bnds"] = (("nv",), period)


def _edges(first: float, last: float, count: int) -> npt.NDArray[np.float64]:
    edges = np.linspace(first, last, count + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _link(dataset: xr.Dataset) -> None:
    dataset["burned_fraction"].attrs["ancillary_variables"] = "confidence status"
    dataset["burn_date"].attrs.update(standard_name="time", ancillary_variables="uncertainty status")
    # xarray would read a variable in "days" as a time span, not as a number.
    dataset["uncertainty"].attrs["units"] = "day"
    dataset["confidence"].attrs["valid_range"] = np.array([0, 100], np.uint8)
    dataset["status"].attrs.setdefault("long_name", "what is known of the cell")


def _about(burnmap: BurnedArea, manifest: Manifest | None) -> dict[str, Any]:
    last = burnmap.stop - np.timedelta64(1, "D")
    attrs = {
        "title": f"Burned area of {burnmap.region.name}, {burnmap.start} to {last}",
        "source": "banet: daily satellite images and active fires, read by a neural network (BA-Net)",
        "references": "https://doi.org/10.1016/j.isprsjprs.2019.12.014",
        "time_coverage_end": str(last),
        "history": "written by banet",
    }
    if manifest is not None:
        words = shlex.join(manifest.command) or "banet"
        attrs["history"] = f"banet {manifest.version}: {words}"
    return attrs
