"""Datasets in any projection, brought onto the grid of a region."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning, InputError, one_line
from banet.grid.region import Region, check_region
from banet.ingest.plausible import (
    FILL,
    REFLECTANCES,
    all_gone,
    check_power,
    check_reflectance,
    check_variable,
    in_percent,
    without_fill,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["check_dataset", "check_geographic", "to_region"]

_EASTWARD = ("x", "lon", "longitude", "easting")
_UNEVEN = 0.1
"""How far a coordinate may be from a regular grid, in pixels; float32 keeps northings to half a metre."""
_RESAMPLING = {"frp": "sum", "count": "max"}
"""What a cell gets of its pixels where it is not their mean: power adds up, and overpasses are shared."""


def to_region(ds: xr.Dataset, region: Region, *, crs: Any = None) -> xr.Dataset:
    """Bring a dataset in UTM or any other projection onto the grid of a region, for `from_dataset`.

    Each cell gets the mean of the pixels that it covers, weighted by area; of `frp` the sum, so that power
    stays what it was, and of `count` the largest. Pixels that are missing, or that attributes call nothing
    as in `from_dataset`, count for nothing, and a cell of which no pixel is known is missing.

    Args:
        ds: variables along `time` and two axes in space, whose coordinates are evenly spaced.
        region: the grid.
        crs: reference system of the axes, such as `"EPSG:32629"`; by default what the dataset says in its
            grid mapping (as rioxarray and odc-geo write it).

    Returns:
        The variables with two axes in space, as float32 along `time`, `latitude`, `longitude`.

    Raises:
        InputError: if the dataset does not say its reference system and `crs` is not given, has no axes in
            space, or uneven ones, or lies elsewhere, or a value cannot be what its variable says.

    Warns:
        BanetWarning: if attributes take all values of a variable away.
    """
    from odc.geo.xr import xr_reproject

    check_dataset(ds)
    check_region(region)
    known = _with_crs(ds, crs)
    bands = [str(name) for name, one in known.data_vars.items() if one.odc.spatial_dims is not None]
    if not bands or known.odc.geobox is None:
        raise InputError(f"no variable of the dataset has two axes in space; it has {dict(ds.sizes)}")
    made = {}
    for name in bands:
        axes = sorted(known[name].odc.spatial_dims, key=lambda axis: str(axis).lower() in _EASTWARD)
        for axis in axes:
            _check_even(str(axis), known[axis].values)
        check_variable(name, known[name])
        source = without_fill(name, known[name]).transpose(..., *axes)
        if np.isfinite(known[name]).any() and not np.isfinite(source).any():
            warnings.warn(all_gone(name, known[name].attrs), BanetWarning, stacklevel=2)
        _check_values(source, name, known[name].dtype.kind == "f")
        how: dict[str, Any] = {
            "resampling": _RESAMPLING.get(name, "average"),
            "src_nodata": np.nan,
            "dst_nodata": np.nan,
        }
        found = xr_reproject(source, region.geobox, **how)
        attrs = {key: value for key, value in known[name].attrs.items() if key not in FILL}
        made[name] = ((*found.dims[:-2], "latitude", "longitude"), found.values, attrs)
    if not any(np.isfinite(values).any() for _, values, _ in made.values()):
        raise InputError(f"nothing of the dataset lies in region {region.name}, {region.bbox}")
    places = {"latitude": region.latitudes, "longitude": region.longitudes}
    times = {"time": ds["time"].variable} if "time" in ds.coords else {}
    return type(ds)(made, {**times, **places})


def _check_values(variable: xr.DataArray, name: str, scaled: bool) -> None:
    """Refuse fill values before they are averaged with their neighbours; counts and scaled integers pass."""
    units = variable.attrs.get("units")
    timed = "time" in variable.dims
    days = [str(day)[:10] for day in variable["time"].values] if timed else ["the dataset"]
    for index, day in enumerate(days):
        values = (variable.isel(time=index) if timed else variable).values.ravel()
        values = values[np.isfinite(values)]
        if name == "frp":
            check_power(values, day)
        elif name in REFLECTANCES and scaled:
            check_reflectance(name, values / 100 if in_percent(units) else values, day)
        elif name in REFLECTANCES:  # integers are scaled later; what lies below 0 is none by any scale
            check_reflectance(name, values.clip(max=1), day)


def _check_even(axis: str, values: npt.NDArray[Any]) -> None:
    """Make sure that the coordinates of an axis are evenly spaced; a grid is told from its ends alone."""
    even = np.linspace(values[0], values[-1], len(values))
    step = abs(float(values[-1] - values[0])) / max(1, len(values) - 1)
    worst = float(np.abs(values - even).max())
    if len(values) > 1 and not worst <= _UNEVEN * step:
        raise InputError(f"the axis {axis} of the dataset is not evenly spaced: one is {worst:g} off")


def check_dataset(ds: Any) -> None:
    """Make sure that a dataset is one.

    Raises:
        InputError: if it is something else.
    """
    import xarray as xr

    if not isinstance(ds, xr.Dataset):
        raise InputError(
            f"a dataset is an xarray.Dataset of several variables, such as xarray.open_dataset gives; found "
            f"{type(ds).__name__}"
        )


def check_geographic(ds: xr.Dataset, lat: str, lon: str) -> None:
    """Make sure that the axes of a dataset are in degrees.

    Raises:
        InputError: if its reference system is projected, coordinates are no degrees or those of the other
            axis by their units, or they only count pixels.
    """
    import odc.geo.xr  # noqa: F401 - it gives datasets their .odc

    for name in (lat, lon):
        if ds[name].dtype.kind not in "fiu" or not np.isfinite(ds[name].values).all():
            raise InputError(f"the coordinates {name} of the dataset are not all finite numbers")
    found = ds.odc.crs
    largest = max(float(np.abs(ds[name].values).max(initial=0)) for name in (lat, lon))
    if (found is None or found.geographic) and largest <= 361:
        for name, pole in ((lat, "n(orth)?|lat(itude)?"), (lon, "e(ast)?|lon(gitude)?")):
            units = str(ds[name].attrs.get("units") or "").strip()
            if units and not re.fullmatch(
                rf"dd|((decimal|arc)[ _]?)?(deg|degrees?|°)([ _]?({pole}))?", units, re.IGNORECASE
            ):
                raise InputError(
                    f"the coordinates {name} of the dataset are in {units!r}; give {lat} in degrees north "
                    f"and {lon} in degrees east, or bring a projection onto a region: banet.to_region"
                )
        if found is None and all(_counts_pixels(ds[name]) for name in (lat, lon)):
            raise InputError(
                f"{lat} and {lon} of the dataset count its pixels; give the centres of its cells in degrees: "
                f"ds.assign_coords({lat}=latitudes, {lon}=longitudes)"
            )
        return
    named, more = "a projection that it does not name", ', crs="EPSG:..."'
    if found is not None:
        named, more = f"EPSG:{found.epsg}" if found.epsg else str(found)[:60], ""
    raise InputError(
        f"the dataset is in {named}, with {lat} and {lon} up to {largest:g}, and not in degrees; bring it "
        f"onto the grid of a region first: banet.to_region(ds, region{more})"
    )


def _counts_pixels(axis: xr.DataArray) -> bool:
    """Tell whether coordinates may be numbers of pixels: whole, one after the other, without units."""
    whole = axis.name in ("y", "x") and axis.dtype.kind in "iu" and "units" not in axis.attrs
    return whole and bool((np.abs(np.diff(axis.values.astype(np.int64))) == 1).all())


def _with_crs(ds: xr.Dataset, crs: Any) -> xr.Dataset:
    """Return the dataset with its reference system assigned."""
    import odc.geo.xr  # noqa: F401 - it gives datasets their .odc

    if crs is None and ds.odc.crs is None:
        raise InputError(
            "the dataset does not say its reference system; name it: "
            'banet.to_region(ds, region, crs="EPSG:32629")'
        )
    try:
        known: xr.Dataset = ds if crs is None else ds.odc.assign_crs(crs)
    except Exception as error:  # pyproj's, which is no public type of odc
        raise InputError(f"{crs!r} is no reference system: {one_line(error)}") from error
    return known
