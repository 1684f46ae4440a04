"""Planes with coordinates, turned so that they lie as the cells of a region do."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.errors import InputError
from banet.grid.region import Region

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LATITUDE", "LONGITUDE", "order_on", "plane_on"]

LATITUDE = ("latitude", "lat", "y")
LONGITUDE = ("longitude", "lon", "x")
"""Names that the axes in space may have."""

_NEAR = 0.01
"""How far a coordinate may be from a cell's centre, in cells: coordinates may have been float32."""


def order_on(region: Region, axis: str, held: npt.ArrayLike) -> npt.NDArray[np.intp] | None:
    """Return the order in which coordinates are those of a region's cells; None if they are others.

    Args:
        region: the grid.
        axis: `latitude` or `longitude`; longitudes may be written a turn apart.
        held: degrees, (n,).
    """
    degrees = np.asarray(held, np.float64).ravel()
    wanted = region.latitudes if axis == "latitude" else region.longitudes
    order = np.argsort(-degrees if axis == "latitude" else (degrees - region.west) % 360, kind="stable")
    if degrees.size != wanted.size:
        return None
    off = (degrees[order] - wanted + 180) % 360 - 180
    return order if (np.abs(off) <= _NEAR * region.pixel_size).all() else None


def plane_on(region: Region, plane: Any, what: str) -> npt.NDArray[Any]:
    """Return a plane as an array that lies as the cells of a region do; its shape is for others to check.

    A `DataArray` of xarray, or a table of pandas, is turned by its coordinates `latitude` and `longitude`
    (or `lat` and `lon`, `y` and `x`), or by the names of its axes where it has none; anything else is taken
    as it lies, north first.

    Args:
        region: the grid.
        plane: an array, a `DataArray` or a `DataFrame`.
        what: the plane is, for errors, such as `the water mask`.

    Raises:
        InputError: if its coordinates are not those of the cells or have other names, there is but one of
            its two axes, or it is a dataset.
    """
    import xarray as xr

    if isinstance(plane, xr.Dataset):
        raise InputError(f"{what} is a dataset; give one of its variables: {', '.join(map(str, plane))}")
    if isinstance(plane, pd.DataFrame):
        plane = xr.DataArray(plane)
    if not isinstance(plane, xr.DataArray):
        return np.asarray(plane)
    found = [_along(plane, names) for names in (LATITUDE, LONGITUDE)]
    axes = [dim for dim, _ in found]
    if len(plane.dims) != len(axes) or axes.count(None) == 1 or len(set(plane.dims) - set(axes)) == 1:
        raise InputError(f"{what} lies along {', '.join(map(str, plane.dims))}, not latitude, longitude")
    known = {dim for dim, held in found if held is not None}
    for name, held in plane.coords.items():
        if set(held.dims) - known:
            raise InputError(
                f"the coordinates {name} of {what} are no row of latitudes or longitudes by their name; "
                "rename them, or give its array with north first"
            )
    if None not in axes:
        plane = plane.transpose(*axes)
    for axis, (dim, held) in zip(("latitude", "longitude"), found, strict=True):
        if held is not None:
            order = order_on(region, axis, held) if held.dtype.kind in "fiu" else None
            if order is None:
                raise InputError(
                    f"the {axis}s of {what} are not those of region {region.name}; bring it onto that grid"
                )
            plane = plane.isel({dim: order})
    return np.asarray(plane)


def _along(plane: xr.DataArray, names: tuple[str, ...]) -> tuple[Hashable, npt.NDArray[Any] | None]:
    """Return the dimension of an axis that has one of several names in any case, and its coordinates."""
    rows = {str(name).lower(): held for name, held in plane.coords.items() if held.ndim == 1}
    held = next((rows[name] for name in names if name in rows), None)
    if held is not None:
        return held.dims[0], held.values
    return next((dim for dim in plane.dims if str(dim).lower() in names), None), None
