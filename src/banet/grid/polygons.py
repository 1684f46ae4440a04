"""Shapes on the globe: what crosses the antimeridian is cut there, as RFC 7946 asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from banet.grid.region import Region

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["box_of", "within_180"]


def box_of(region: Region) -> BaseGeometry:
    """Return a region's outline, two boxes if it crosses the antimeridian."""
    from shapely.geometry import box

    return within_180(box(region.west, region.south, region.east, region.north))


def within_180(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape whose longitudes reach past 180 degrees with that part moved to the west.

    >>> from shapely.geometry import box
    >>> within_180(box(179, 0, 181, 1)).bounds
    (-180.0, 0.0, 180.0, 1.0)
    """
    from shapely import union_all
    from shapely.affinity import translate
    from shapely.geometry import box

    if shape.is_empty or shape.bounds[2] <= 180:
        return shape
    parts = [
        shape.intersection(box(-180, -90, 180, 90)),
        translate(shape.intersection(box(180, -90, 540, 90)), -360),
    ]
    return union_all([part for part in parts if not part.is_empty])
