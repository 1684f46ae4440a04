"""Share of each cell that lies under the polygons or the non-zero pixels of a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning
from banet.grid.average import LatLonGrid, average
from banet.grid.cutting import covered
from banet.grid.rasters import read_window
from banet.grid.region import Region
from banet.grid.vectors import Polygons, read_polygons
from banet.io.files import PathLike, existing_file
from banet.labels.perimeter_dates import FireDates
from banet.labels.perimeters import burned_of_polygons

__all__ = ["RASTERS", "polygons_of", "read_shares", "shares_by_class"]

RASTERS = (".tif", ".tiff")


def read_shares(path: PathLike, region: Region, what: str) -> npt.NDArray[np.float64]:
    """Return how much of each cell a file covers, 0-1, (rows, columns).

    Args:
        path: a GeoTIFF in any projection, or a vector file of polygons. Pixels count where they are not zero;
            a raster of decimals from 0 to 1 in degrees holds shares itself.
        region: the grid.
        what: the file is, for errors.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it cannot be read.
    """
    file = existing_file(path, what)
    if file.suffix.lower() not in RASTERS:
        total = np.zeros(region.shape)
        for _, share in shares_by_class(polygons_of(path), region):
            total += share
        return np.minimum(total, 1.0)
    window = read_window(file, region)
    known = ~window.missing((0,))
    values = np.where(known, window.values, 0)
    decimals = values.dtype.kind == "f" and values.size and values.min() >= 0 and values.max() <= 1
    if decimals and isinstance(window.grid, LatLonGrid):
        return np.asarray(average(window.grid, values, region), np.float64)
    return np.asarray(covered(window.grid, values != 0, region), np.float64)


def polygons_of(path: PathLike, layer: str | None = None) -> Polygons:
    """Read polygons, and warn of features that were left out or mended."""
    found = read_polygons(path, layer=layer, wide=True)
    told = [f"{count} features {reason} left out" for reason, count in found.left_out] + [*found.notes]
    if told:
        warnings.warn(f"{found.name}: {', '.join(told)}", BanetWarning, stacklevel=4)
    return found


def shares_by_class(
    polygons: Polygons, region: Region, number: npt.NDArray[np.int64] | None = None
) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Yield each class that reaches into a region, and the part of each cell under its polygons.

    They are drawn as finely as fire perimeters are, each class by itself.
    """
    each = np.zeros(len(polygons.geometry), np.int64) if number is None else number
    for one in np.unique(each):
        shapes = polygons.geometry[each == one]
        undated = FireDates(np.zeros(len(shapes), "datetime64[D]"), np.zeros(len(shapes)))
        drawn = burned_of_polygons(shapes, undated, region)
        if len(drawn.row):
            plane = np.zeros(region.shape)
            plane[drawn.row, drawn.col] = drawn.fraction
            yield int(one), plane
