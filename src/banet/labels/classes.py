"""Land cover, regions or any other classes of cells, from a raster or polygons, brought to a grid by area."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.cutting import covered
from banet.grid.rasters import read_window
from banet.grid.region import Region
from banet.io.files import PathLike, existing_file
from banet.labels.shares import RASTERS, polygons_of, read_shares, shares_by_class

__all__ = ["MOST_CLASSES", "Classes", "read_classes", "read_validity"]

MOST_CLASSES = 64
Classes = tuple[npt.NDArray[np.int64], dict[int, str]]
_FIELDS = ("name", "NAME", "region", "id", "ID")


_ROUNDING = 1e-3
"""Share of a cell by which areas may be off."""


def read_classes(path: PathLike, region: Region, *, field: str | None = None) -> Classes:
    """Read the class that covers most of each cell, and the names of the classes.

    Args:
        path: a GeoTIFF of whole numbers in any projection, or a vector file of polygons.
        region: the grid.
        field: of the polygons, with the class; by default the first of name, region, id that they have.

    Returns:
        (rows, columns) int64, -1 where the file says nothing of most of the cell; names by number.

    Raises:
        NotFoundError, UnreadableFileError: if there is no such file, or it cannot be read.
        InputError: if it holds none or more than 64 classes within the region, no whole numbers, or lacks the
            field.
    """
    file = existing_file(path, "file of classes")
    raster = file.suffix.lower() in RASTERS
    numbers, names = _of_raster(file, region) if raster else _of_polygons(file, region, field)
    if (numbers < 0).all():
        raise InputError(f"{file.name} gives no cell of {region} a class; does it lie elsewhere?")
    return numbers, names


def read_validity(path: PathLike, region: Region) -> npt.NDArray[np.bool_]:
    """Read which cells may count: those of which at least half lies under non-zero pixels or in polygons.

    Args:
        path: a GeoTIFF in any projection, or a vector file of polygons.
        region: the grid.

    Raises:
        NotFoundError, UnreadableFileError: if there is no such file, or it cannot be read.
    """
    return read_shares(path, region, "validity mask") >= 0.5 - 1e-3


def _of_raster(file: Path, region: Region) -> Classes:
    window = read_window(file, region)
    if not np.issubdtype(window.values.dtype, np.integer):
        raise InputError(f"{file.name} holds {window.values.dtype}; classes are whole numbers")
    known = ~window.missing() & (window.values >= 0)
    numbers = [int(n) for n in np.unique(window.values[known])]
    _check_count(file, len(numbers))
    shares = {n: covered(window.grid, known & (window.values == n), region) for n in numbers}
    return _largest(shares, region), {n: str(n) for n in numbers}


def _of_polygons(file: Path, region: Region, field: str | None) -> Classes:
    found = polygons_of(file)
    table = found.table
    column = field or next((name for name in _FIELDS if name in table.columns), None)
    if column is None or column not in table.columns:
        raise InputError(
            f"{file.name} has no field {field or ' or '.join(_FIELDS)}; it has {', '.join(table.columns)}"
        )
    labels = table[column].astype(str)
    names = sorted(labels.unique())
    _check_count(file, len(names))
    shares = shares_by_class(found, region, labels.map(names.index).to_numpy(np.int64))
    return _largest(shares, region), dict(enumerate(names))


def _largest(shares: dict[int, npt.NDArray[Any]], region: Region) -> npt.NDArray[np.int64]:
    """Return the class with the largest share of each cell; -1 where more of it is without a class."""
    if not shares:
        return np.full(region.shape, -1, np.int64)
    numbers, planes = np.array(list(shares)), np.stack(list(shares.values()))
    most, without = planes.max(axis=0), 1 - planes.sum(axis=0)
    there = (most > 0) & (most >= without - _ROUNDING)
    return np.where(there, numbers[planes.argmax(axis=0)], -1).astype(np.int64)


def _check_count(file: Path, count: int) -> None:
    if count > MOST_CLASSES:
        raise InputError(f"{file.name} holds {count} classes within the region; at most {MOST_CLASSES}")
