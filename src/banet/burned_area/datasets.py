"""Burned-area sources as xarray datasets after the CF conventions, and back without loss."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area import confidence, unknown
from banet.burned_area.burned_planes import NO_CONFIDENCE, BurnedPlanes
from banet.burned_area.dated import DatedFractions
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.meaning import made_by, meanings
from banet.burned_area.quality import Quality
from banet.days import ONE_DAY, as_day
from banet.errors import InputError
from banet.grid.labelled import order_on
from banet.grid.region import Region

if TYPE_CHECKING:
    import xarray as xr

    from banet.io.manifest import Manifest

__all__ = ["CALENDAR", "EPOCH", "GRID", "GRID_MAPPING", "UTC_DAYS", "fields_of", "to_dataset"]

GRID = ("latitude", "longitude")
EPOCH = "days since 1970-01-01"
CALENDAR = {"calendar": "proleptic_gregorian"}
UTC_DAYS = {"units_metadata": "leap_seconds: none"}
GRID_MAPPING = "spatial_ref"

_ATTRIBUTES = ("banet_region", "time_coverage_start", "time_coverage_stop", "burned_threshold", "banet_attrs")
_PLANES = ("burned_fraction", "burn_date", "uncertainty", "observed_days", "water")
_LINKS = {"burned_fraction": "confidence status", "burn_date": "uncertainty status"}
_DAYS = {"units": EPOCH, "dtype": "int32", "_FillValue": np.int32(-(2**31)), **CALENDAR}
"""Encoding of planes of days, the same in every file."""
_ENTRIES = {"row": "row", "column": "col", "day": "day", "fraction": "fraction", "uncertainty": "uncertainty"}
_QUALITY = {"first_day": "first_reliable_day", "last_day": "last_reliable_day", "qa": "qa"}


def to_dataset(source: BurnedPlanes, manifest: Manifest | None = None) -> xr.Dataset:
    """Return a source as a dataset in EPSG:4326, with bounds of cells and of the period.

    Planes are (latitude, longitude), north first; `time` is the first day, its bounds the period. Datasets of
    several months join along it with `xarray.concat`. Besides the planes it holds `confidence`, `status` and,
    where the weights were calibrated for it, `over_tenth`, which follow from them; where there are several
    dates a cell, the entries by cell and day along `entry`. Encodings keep types and missing values through a
    NetCDF file.

    Args:
        source: map, product, perimeters or truth.
        manifest: what made it, for the history.
    """
    import xarray as xr

    said = meanings(source)
    planes = {name: getattr(source, name) for name in (*_PLANES, "status")}
    planes["confidence"] = confidence.of_half(source)
    some = {"over_tenth": confidence.of_tenth(source), "evidence": source.evidence}
    some["first_look"] = source.first_look
    planes |= {name: plane for name, plane in some.items() if plane is not None}
    planes["burn_date"] = source.burn_date.astype("datetime64[s]")
    variables: dict[str, Any] = {
        name: (GRID, plane, {**said[name].cf(), "grid_mapping": GRID_MAPPING})
        for name, plane in planes.items()
    }
    for name, others in _LINKS.items():
        variables[name][2]["ancillary_variables"] = others
    dataset = xr.Dataset(
        {
            **variables,
            **_quality(source),
            **_entries(source),
            **unknown.variables(source.unknown_days, GRID),
        },
        _coordinates(source),
        _attributes(source, manifest),
    ).copy(deep=True)  # what is done to it must not reach the map
    dataset["burn_date"].encoding = dict(_DAYS)
    for name in {"uncertainty", "confidence", "over_tenth", "evidence", "first_look"} & set(planes):
        dataset[name].encoding = {"dtype": "uint8", "_FillValue": np.uint8(NO_CONFIDENCE)}
    for name in (*_QUALITY.values(), "entry_day", "gap_start", "gap_stop"):
        if name in dataset and dataset[name].dtype.kind == "M":
            dataset[name].encoding = dict(_DAYS)
    return dataset


def fields_of(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the fields of the source from which `to_dataset` made a dataset, in copies.

    Axes may come in another order, and run either way.

    Raises:
        InputError: if a variable or attribute is missing or not as `to_dataset` writes it, or coordinates are
            not those of the whole region that the attributes name.
    """
    missing = [name for name in (*_PLANES, *GRID) if name not in dataset.variables]
    missing += [name for name in _ATTRIBUTES if name not in dataset.attrs]
    if missing:
        raise InputError(f"the dataset is not a map of banet; it lacks {', '.join(missing)}")
    dataset = _one_period(dataset)
    try:
        region = Region.from_dict(json.loads(dataset.attrs["banet_region"]))
        attrs = json.loads(dataset.attrs["banet_attrs"])
    except (TypeError, json.JSONDecodeError) as error:
        raise InputError(f"the dataset is not a map of banet; an attribute is no JSON: {error}") from error
    dataset = _upright(dataset, region).copy(deep=True)
    stated = dataset["stated_confidence"].values if "stated_confidence" in dataset else None
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
        "name": str(dataset.attrs.get("banet_name", "map")),
        "dated": _dated_of(dataset, region),
        "quality": _quality_of(dataset),
        "stated_confidence": stated,
        "evidence": _undecoded(dataset["evidence"].values) if "evidence" in dataset else None,
        "first_look": _undecoded(dataset["first_look"].values) if "first_look" in dataset else None,
        "unknown_days": unknown.of_dataset(dataset),
        "known_share": dataset["known_share"].values if "known_share" in dataset else None,
        "attrs": attrs,
    }


def _one_period(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset of one period without its dimension `time`."""
    if dataset.sizes.get("time", 1) > 1:
        raise InputError(
            f"the dataset holds {dataset.sizes['time']} periods; read each file with read_map and join the "
            "maps: first.join(*others)"
        )
    if dataset.sizes.get("time", 1) < 1:
        told = dataset.attrs["time_coverage_start"]
        raise InputError(f"the dataset holds no time; its one period stands under its first day, {told}")
    dataset = dataset.squeeze("time") if "time" in dataset.dims else dataset
    if "time" in dataset.variables and dataset["time"].dtype.kind == "M":
        first, told = as_day(dataset["time"].values), as_day(dataset.attrs["time_coverage_start"])
        if first != told:
            raise InputError(
                f"the dataset holds the period from {first} and the attributes of that from {told}, as a "
                "part of joined files does; read the file itself with read_map"
            )
    return dataset


def _upright(dataset: xr.Dataset, region: Region) -> xr.Dataset:
    """Return a dataset with its planes north to south and west to east, as the region's cells lie."""
    for axis in GRID:
        order = order_on(region, axis, dataset[axis].values)
        if order is None:
            raise InputError(
                f"the {axis}s of the dataset are not those of its region {region.name}; cut a map with "
                "BurnedArea.crop, and bring it onto another grid with BurnedArea.to"
            )
        if (order != np.arange(order.size)).any():
            dataset = dataset.isel({axis: order})
    for name in _PLANES:
        if set(dataset[name].dims) != set(GRID):
            raise InputError(f"{name} of the dataset lies along {', '.join(map(str, dataset[name].dims))}")
    return dataset.transpose(..., *GRID)


def _undecoded(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Undo what xarray makes of whole numbers with a fill value: floats with NaN."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), NO_UNCERTAINTY, values)
    return values.astype(np.uint8)


def _coordinates(source: BurnedPlanes) -> dict[str, Any]:
    region, (rows, cols) = source.region, source.region.shape
    period = np.array([source.start, source.stop], "datetime64[D]").astype("datetime64[s]")
    time = {"standard_name": "time", "long_name": "first day of the period (UTC)", "axis": "T"}
    encoding = {"units": EPOCH, "dtype": "int32", **CALENDAR}
    return {
        "time": ((), period[0], {**time, **UTC_DAYS, "bounds": "time_bnds"}, encoding),
        "latitude": ("latitude", region.latitudes, _axis("latitude", "degrees_north", "Y")),
        "longitude": ("longitude", region.longitudes, _axis("longitude", "degrees_east", "X")),
        "time_bnds": (("nv",), period, {}, encoding),
        "latitude_bnds": (("latitude", "nv"), _edges(region.north, region.south, rows)),
        "longitude_bnds": (("longitude", "nv"), _edges(region.west, region.east, cols)),
        GRID_MAPPING: ((), np.int32(4326), _grid_mapping(region)),
    }


def _axis(name: str, units: str, axis: str) -> dict[str, str]:
    return {"standard_name": name, "long_name": name, "units": units, "axis": axis, "bounds": f"{name}_bnds"}


def _edges(first: float, last: float, count: int) -> npt.NDArray[np.float64]:
    edges = np.linspace(first, last, count + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _grid_mapping(region: Region) -> dict[str, Any]:
    from pyproj import CRS

    attrs = dict(CRS.from_epsg(4326).to_cf())
    transform = " ".join(repr(float(value)) for value in region.transform.to_gdal())
    return {
        "long_name": "coordinate reference system",
        **attrs,
        "spatial_ref": attrs["crs_wkt"],
        "GeoTransform": transform,
    }


def _attributes(source: BurnedPlanes, manifest: Manifest | None) -> dict[str, Any]:
    last = source.stop - ONE_DAY
    history = "written by banet"
    if manifest is not None:
        history = f"banet {manifest.version}: {shlex.join(manifest.command) or 'banet'}"
    return {
        "Conventions": "CF-1.11",
        "title": f"Burned area of {source.region.name}, {source.start} to {last}",
        "source": made_by(source),
        "references": "https://doi.org/10.1016/j.isprsjprs.2019.12.014",
        "history": history,
        "time_coverage_start": str(source.start),
        "time_coverage_end": str(last),
        "time_coverage_stop": str(source.stop),
        "burned_threshold": float(source.threshold),
        "banet_name": source.name,
        "banet_region": json.dumps(source.region.to_dict()),
        "banet_attrs": json.dumps(dict(source.attrs), sort_keys=True),
    }


def _quality(source: BurnedPlanes) -> dict[str, Any]:
    """Planes that only products have."""
    found: dict[str, Any] = {}
    if source.stated_confidence is not None:
        about = {"long_name": "confidence of what burned, as the source states it", "units": "percent"}
        found["stated_confidence"] = (GRID, source.stated_confidence, {**about, "grid_mapping": GRID_MAPPING})
    if source.known_share is not None:
        about = {"long_name": "part of each cell that the source knows, water included", "units": "1"}
        found["known_share"] = (GRID, source.known_share, {**about, "grid_mapping": GRID_MAPPING})
    if source.quality is not None:
        for field, name in _QUALITY.items():
            plane = getattr(source.quality, field)
            plane = plane.astype("datetime64[s]") if plane.dtype.kind == "M" else plane
            about = {"long_name": name.replace("_", " "), "grid_mapping": GRID_MAPPING}
            about |= UTC_DAYS if plane.dtype.kind == "M" else {}
            found[name] = (GRID, plane, about)
    return found


def _quality_of(dataset: xr.Dataset) -> Quality | None:
    if not set(_QUALITY.values()) <= set(dataset.variables):
        return None
    first, last, qa = (dataset[name].values for name in _QUALITY.values())
    return Quality(first.astype("datetime64[D]"), last.astype("datetime64[D]"), qa.astype(np.uint8))


def _entries(source: BurnedPlanes) -> dict[str, Any]:
    """Return the fractions by cell and day as variables along `entry`."""
    if source.dated is None:
        return {}
    dated, about = (
        source.dated,
        {"fraction": {"units": "1"}, "uncertainty": {"units": "day"}, "day": UTC_DAYS},
    )
    kinds = {"row": np.int32, "column": np.int32, "day": "datetime64[s]"}
    return {
        f"entry_{name}": (
            "entry",
            getattr(dated, field).astype(kinds.get(name, np.float64)),
            {"long_name": f"{name} of what burned in a cell on a day", **about.get(name, {})},
        )
        for name, field in _ENTRIES.items()
    }


def _dated_of(dataset: xr.Dataset, region: Region) -> DatedFractions | None:
    if "entry_row" not in dataset:
        return None
    row, col, day, fraction, spread = (dataset[f"entry_{name}"].values for name in _ENTRIES)
    days = day.astype("datetime64[D]")
    return DatedFractions(region, row.astype(np.int64), col.astype(np.int64), days, fraction, spread)
