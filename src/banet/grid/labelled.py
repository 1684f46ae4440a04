"""Planes with coordinates, turned so that they lie as the cells of a region do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region

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

    A `DataArray` of xarray is turned by its coordinates, or by the names of its axes where it has none;
    anything else is taken as it lies, north first.

    Args:
        region: the grid.
        plane: an array, or a `DataArray`.
        what: the plane is, for errors, such as `the water mask`.

    Raises:
        InputError: if its coordinates are not those of the cells, or there is but one of its two axes.
    """
    if not hasattr(plane, "coords"):
        return np.asarray(plane)
    axes = [next((dim for dim in plane.dims if dim in names), None) for names in (LATITUDE, LONGITUDE)]
    if len(plane.dims) != len(axes) or axes.count(None) == 1:
        raise InputError(f"{what} lies along {', '.join(map(str, plane.dims))}, not latitude, longitude")
    if None not in axes:
        plane = plane.transpose(*axes)
    for axis, dim in zip(("latitude", "longitude"), axes, strict=True):
        if dim in plane.coords:
            order = order_on(region, axis, plane[dim].values)
            if order is None:
                raise InputError(
                    f"the {axis}s of {what} are not those of region {region.name}; bring it onto that grid"
                )
            plane = plane.isel({dim: order})
    return np.asarray(plane)
