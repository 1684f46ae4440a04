"""Shapes on the globe: what crosses the antimeridian is cut there, as RFC 7946 asks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.grid.region import Region

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["areas_of", "box_around", "box_of", "extent", "long_edged", "unwrapped", "within_180"]

Reals = npt.NDArray[np.float64]

_WHOLE_TURN = 1e-6
"""Degrees by which an edge around the whole globe may be shorter than it."""


def box_of(region: Region) -> BaseGeometry:
    """Return a region's outline, two boxes if it crosses the antimeridian."""
    from shapely.geometry import box

    return within_180(box(region.west, region.south, region.east, region.north))


def within_180(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape with the parts that reach past 180 degrees on either side moved by whole turns.

    >>> from shapely.geometry import box
    >>> within_180(box(179, 0, 181, 1)).bounds
    (-180.0, 0.0, 180.0, 1.0)
    """
    from shapely import union_all
    from shapely.affinity import translate
    from shapely.geometry import box

    if shape.is_empty or (shape.bounds[0] >= -180 and shape.bounds[2] <= 180):
        return shape
    first = math.floor((shape.bounds[0] + 180) / 360)
    last = math.ceil((shape.bounds[2] - 180) / 360)
    parts = []
    for turn in range(first, last + 1):
        west = -180 + 360 * turn
        part = shape.intersection(box(west, -90, west + 360, 90))
        if shape.area:  # without the lines along which it only touches the cut
            part = union_all([one for one in _deep(part) if one.area > 0])
        parts.append(translate(part, -360 * turn))
    return union_all([part for part in parts if not part.is_empty])


def extent(bounds: Reals) -> tuple[float, float, float, float]:
    """Return the smallest box around some boxes, across the antimeridian if that is the shorter way.

    Args:
        bounds: (n, 4) west, south, east, north of each, degrees within 180; at least one.

    Returns:
        west (-180 to 180), south, east (beyond 180 if the box crosses the antimeridian), north.

    >>> extent(np.array([[-180.0, 52, -178, 53], [179, 52, 180, 53]]))
    (179.0, 52.0, 182.0, 53.0)
    """
    order = np.argsort(bounds[:, 0])
    west, reach = bounds[order, 0], np.maximum.accumulate(bounds[order, 2])
    gaps = np.append(west[1:] - reach[:-1], west[0] + 360 - reach[-1])
    widest = int(gaps.argmax())
    if widest == len(west) - 1:
        left, right = float(west[0]), float(reach[-1])
    else:
        left, right = float(west[widest + 1]), float(reach[widest]) + 360
    return left, float(bounds[:, 1].min()), right, float(bounds[:, 3].max())


def box_around(shapes: npt.NDArray[np.object_]) -> tuple[float, float, float, float]:
    """Return the smallest box around shapes, across the antimeridian if that is the shorter way.

    Args:
        shapes: (n,) shapely polygons and multipolygons, degrees within 180; at least one. The parts of one
            may lie on both sides of the antimeridian.

    Returns:
        west, south, east, north, as `extent` returns them.
    """
    from shapely import bounds, get_parts

    return extent(bounds(get_parts(shapes)))


def unwrapped(shape: BaseGeometry, jump: float = 180.0) -> BaseGeometry:
    """Return polygons whose rings jump from one side of the antimeridian to the other as rings in one piece.

    A projection that knows nothing of the antimeridian gives longitudes of -179 and 179 to neighbouring
    vertices; drawn as they are, such a ring spans the globe. Its longitudes are carried on past 180 degrees;
    `within_180` then cuts it. A ring around a pole stays as it is.

    Args:
        shape: polygon or multipolygon, degrees.
        jump: degrees, 180 or more. A ring with an edge of more than 180 degrees but less than this stays as
            it is, too, and so does a sliver of that width that reaches over more than 90 degrees of latitude:
            both look like zones around the globe. At 180, no ring counts as such.

    Returns:
        The shape itself where no ring jumps.
    """
    from shapely import get_parts
    from shapely.geometry import MultiPolygon, Polygon

    if shape.is_empty or shape.bounds[2] - shape.bounds[0] <= 180:
        return shape
    parts, jumped = [], False
    for part in get_parts(shape):
        if part.is_empty:
            continue
        ring = np.asarray(part.exterior.coords)[:, :2]
        shell = _carried_on(ring, jump)
        jumped = jumped or not np.array_equal(shell, ring, equal_nan=True)
        middle = float(shell[:, 0].mean())
        holes = [_carried_on(np.asarray(hole.coords)[:, :2], jump, middle) for hole in part.interiors]
        parts.append(Polygon(shell, holes))
    if not jumped:
        return shape
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def long_edged(shape: BaseGeometry) -> bool:
    """Return whether an edge spans more than 180 degrees of longitude and yet not the whole globe.

    Such an edge may have been meant the other way round, across the antimeridian.

    >>> from shapely.geometry import box
    >>> long_edged(box(-170, 50, 170, 70)), long_edged(box(-180, 50, 180, 70))
    (True, False)
    """
    from shapely import get_coordinates, get_parts

    for part in get_parts(shape):
        steps = np.abs(np.diff(get_coordinates(part.exterior)[:, 0]))
        if ((steps > 180) & (steps < 360 - _WHOLE_TURN)).any():
            return True
    return False


def areas_of(shape: BaseGeometry) -> BaseGeometry | None:
    """Return the polygons of a shape, of a collection too, made valid; None if it has none."""
    from shapely import make_valid
    from shapely.geometry import MultiPolygon, Polygon

    polygons = [part for part in _deep(make_valid(shape)) if isinstance(part, Polygon) and part.area > 0]
    if not polygons:
        return None
    if len(polygons) == 1:
        return polygons[0]
    joined = MultiPolygon(polygons)
    # Polygons of a collection may overlap, which those of a multipolygon may not.
    valid = joined if joined.is_valid else make_valid(joined)
    return MultiPolygon([part for part in _deep(valid) if isinstance(part, Polygon)])


def _deep(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the single parts of a shape, however deep collections hold them."""
    inside = getattr(shape, "geoms", None)
    return [shape] if inside is None else [part for each in inside for part in _deep(each)]


def _carried_on(ring: Reals, jump: float, near: float | None = None) -> Reals:
    """Carry a ring's longitudes on past 180 degrees where they jump, and bring the ring near a longitude."""
    lon = ring[:, 0]
    steps = np.diff(lon)
    turns = np.concatenate([[0.0], np.cumsum(-360.0 * np.round(steps / 360.0))])
    carried = lon + turns
    width = carried.max() - carried.min()
    short = bool(((np.abs(steps) > 180) & (np.abs(steps) < jump)).any())
    sliver = jump > 180 and width < 360 - jump and np.ptp(ring[:, 1]) > 90
    if turns[-1] != 0 or not 0 < width < 180 or short or sliver:
        carried = lon
    if near is not None:
        carried = carried + 360.0 * np.round((near - carried.mean()) / 360.0)
    return np.stack([carried, ring[:, 1]], axis=1)
