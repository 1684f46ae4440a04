"""Shares of cells inside polygons: exact along an edge, whole inside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.grid.polygons import areas_of
from banet.grid.region import WGS84_A, WGS84_E2, Region, authalic

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["cell_shares", "hectares_of"]

_LEAF = 8
"""Edge in cells of the blocks whose cells are cut one by one."""
_WHOLE = 1e-7
"""Cells that a block may lack of its area and count as whole: the rounding of the cut."""
_FINE = 0.02
"""Degrees after which an edge gets a further vertex before its latitudes are bent."""

Piece = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]


def cell_shares(shape: BaseGeometry, region: Region) -> Piece:
    """Return the cells that a polygon touches and the share of each one's area that lies inside it.

    Args:
        shape: polygon or multipolygon in longitude and latitude, valid, within 180 degrees.
        region: the grid.

    Returns:
        row, column, share (0-1, float64), each (n,); no cell twice.
    """
    rows, cols = region.shape
    size = np.array([(region.east - region.west) / cols, (region.south - region.north) / rows])
    found: list[Piece] = []
    for turn in (0.0, 360.0) if region.east > 180 else (0.0,):
        _cut(_in_cells(shape, np.array([region.west - turn, region.north]), size), (0, rows, 0, cols), found)
    if not found:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    row, col, share = (np.concatenate(column) for column in zip(*found, strict=True))
    # The two sides of the antimeridian may lie in one cell.
    cell, inverse = np.unique(row * cols + col, return_inverse=True)
    return cell // cols, cell % cols, np.minimum(np.bincount(inverse, share), 1.0)


def _in_cells(
    shape: BaseGeometry, corner: npt.NDArray[np.float64], size: npt.NDArray[np.float64]
) -> BaseGeometry:
    """Return a shape in columns and rows, counted from a corner."""
    import shapely

    return shapely.transform(shape, lambda xy: (xy - corner) / size)


def _cut(shape: BaseGeometry, block: tuple[int, int, int, int], found: list[Piece]) -> None:
    """Cut a shape, in units of cells, along the cells of a block, which is quartered until it is small."""
    import shapely

    top, bottom, left, right = block
    west, north, east, south = shape.bounds if not shape.is_empty else (0.0, 0.0, 0.0, 0.0)
    if east <= left or west >= right or south <= top or north >= bottom:
        return
    inside = shapely.intersection(shape, shapely.box(left, top, right, bottom))
    if inside.geom_type not in ("Polygon", "MultiPolygon"):
        inside = areas_of(inside) or shapely.Polygon()
    if inside.is_empty:
        return
    if (bottom - top) * (right - left) - inside.area < _WHOLE:
        row, col = np.mgrid[top:bottom, left:right]
        found.append((row.ravel(), col.ravel(), np.ones(row.size)))
    elif max(bottom - top, right - left) <= _LEAF:
        row, col = (axis.ravel() for axis in np.mgrid[top:bottom, left:right])
        share = shapely.area(shapely.intersection(inside, shapely.box(col, row, col + 1, row + 1)))
        kept = share > 1e-12
        found.append((row[kept], col[kept], share[kept]))
    else:
        middle, centre = (top + bottom) // 2, (left + right) // 2
        for y0, y1 in ((top, middle), (middle, bottom)):
            for x0, x1 in ((left, centre), (centre, right)):
                if y1 > y0 and x1 > x0:
                    _cut(inside, (y0, y1, x0, x1), found)


def hectares_of(shape: BaseGeometry) -> float:
    """Return the area of a shape in degrees on the WGS84 ellipsoid, its edges straight in degrees.

    >>> from shapely.geometry import box
    >>> region = Region("T", (-8, 40, -7, 41), 0.5)
    >>> bool(abs(hectares_of(box(*region.bbox)) - 2 * region.cell_area_ha.sum()) < 0.01)
    True
    """
    import shapely

    if shape.is_empty:
        return 0.0
    scale = WGS84_A**2 / 2 * (1 - WGS84_E2) / 1e4

    def bent(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.stack([np.radians(xy[:, 0]), scale * authalic(xy[:, 1])], axis=1)

    return float(math.fabs(shapely.transform(shapely.segmentize(shape, _FINE), bent).area))
