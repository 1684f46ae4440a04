"""A map as an xarray dataset after the CF conventions, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import as_day
from banet.errors import InputError
from banet.grid.region import Region

if TYPE_CHECKING:
    import xarray as xr

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["fields_of", "to_dataset"]

GRID = ("lat", "lon")
# UDUNITS knows "d" too; of "days" xarray would make spans of time when it reads a file.
_DAYS = "d"
_MAPPED = {"grid_mapping": "spatial_ref"}
_ATTRIBUTES = ("banet_region", "time_coverage_start", "time_coverage_stop", "burned_threshold", "banet_attrs")
_PLANES = ("burned_fraction", "burn_date", "uncertainty", "observed_days", "water")


def to_dataset(burnmap: BurnedArea) -> xr.Dataset:
    """Return a map as a dataset in EPSG:4326.

    Dimensions lat (north to south) and lon. Besides the planes of the map it holds `confidence` and `status`,
    which follow from them. Encodings keep types and missing values through a NetCDF file.
    """
    import xarray as xr

    date = burnmap.burn_date.astype("datetime64[s]")
    variables = {
        "burned_fraction": (GRID, burnmap.burned_fraction, _about("fraction of the cell that burned", "1")),
        "burn_date": (GRID, date, {"long_name": "UTC day on which the cell burned", **_MAPPED}),
        "uncertainty": (
            GRID,
            burnmap.uncertainty,
            _about("days before or after the burn date that hold 80 percent of the probability", _DAYS),
        ),
        "observed_days": (GRID, burnmap.observed_days, _about("days on which the cell was observed", "1")),
        "water": (GRID, burnmap.water, {"long_name": "whether the cell is water", **_MAPPED}),
        "confidence": (GRID, burnmap.confidence, _about("confidence that the cell burned", "percent")),
        "status": (GRID, burnmap.status, _STATUS),
    }
    coordinates = {
        "lat": ("lat", burnmap.region.latitudes, _axis("latitude", "degrees_north", "Y")),
        "lon": ("lon", burnmap.region.longitudes, _axis("longitude", "degrees_east", "X")),
        "spatial_ref": ((), np.int32(4326), _grid_mapping(burnmap.region)),
    }
    dataset = xr.Dataset(variables, coordinates, _attributes(burnmap))
    dataset["burn_date"].encoding = {
        "units": f"days since {burnmap.start}",
        "dtype": "int32",
        "_FillValue": np.int32(-1),
        "calendar": "proleptic_gregorian",
    }
    dataset["uncertainty"].encoding = {"dtype": "uint8", "_FillValue": np.uint8(NO_UNCERTAINTY)}
    dataset["confidence"].encoding = {"dtype": "uint8", "_FillValue": np.uint8(255)}
    return dataset


def fields_of(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the fields of the map from which `to_dataset` made a dataset.

    Raises:
        InputError: if a variable or attribute is missing or not as `to_dataset` writes it.
    """
    missing = [name for name in _PLANES if name not in dataset]
    missing += [name for name in _ATTRIBUTES if name not in dataset.attrs]
    if missing:
        raise InputError(f"the dataset is not a map of banet; it lacks {', '.join(missing)}")
    try:
        region = Region.from_dict(json.loads(dataset.attrs["banet_region"]))
        attrs = json.loads(dataset.attrs["banet_attrs"])
    except (TypeError, json.JSONDecodeError) as error:
        raise InputError(f"the dataset is not a map of banet; an attribute is no JSON: {error}") from error
    return {
        "region": region,
        "start": as_day(dataset.attrs["time_coverage_start"]),
        "stop": as_day(dataset.attrs["time_coverage_stop"]),
        "burned_fraction": dataset["burned_fraction"].values,
        "burn_date": dataset["burn_date"].values.astype("datetime64[D]"),
        "uncertainty": _undecoded(dataset["uncertainty"].values),
        "observed_days": dataset["observed_days"].values,
        "water": dataset["water"].values.astype(bool),
        "threshold": float(dataset.attrs["burned_threshold"]),
        "attrs": attrs,
    }


def _undecoded(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Undo what xarray makes of whole numbers with a fill value: floats with NaN."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), NO_UNCERTAINTY, values)
    return values.astype(np.uint8)


def _attributes(burnmap: BurnedArea) -> dict[str, Any]:
    return {
        "Conventions": "CF-1.8",
        "title": f"Burned area of {burnmap.region.name}",
        "time_coverage_start": str(burnmap.start),
        "time_coverage_stop": str(burnmap.stop),
        "burned_threshold": float(burnmap.threshold),
        "banet_region": json.dumps(burnmap.region.to_dict()),
        "banet_attrs": json.dumps(dict(burnmap.attrs), sort_keys=True),
    }


def _about(name: str, units: str) -> dict[str, Any]:
    return {"long_name": name, "units": units, **_MAPPED}


def _axis(name: str, units: str, axis: str) -> dict[str, str]:
    return {"standard_name": name, "units": units, "axis": axis}


def _grid_mapping(region: Region) -> dict[str, Any]:
    from pyproj import CRS

    attrs = dict(CRS.from_epsg(4326).to_cf())
    transform = " ".join(repr(float(value)) for value in region.transform.to_gdal())
    return {**attrs, "spatial_ref": attrs["crs_wkt"], "GeoTransform": transform}


_STATUS = {
    "standard_name": "status_flag",
    "flag_values": np.array([0, 1, -1, -2], np.int8),
    "flag_meanings": "unburned burned not_observed water",
    **_MAPPED,
}
