"""Land cover, regions or any other classes of cells, from a raster or polygons, brought to a grid by area."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning, InputError
from banet.grid.cutting import covered_by_class
from banet.grid.rasters import read_window
from banet.grid.region import Region
from banet.grid.vectors import zone_names
from banet.io.counts import listed
from banet.io.files import PathLike, existing_file
from banet.labels.shares import RASTERS, polygons_of, read_shares, shares_by_class

__all__ = ["MOST_CLASSES", "Classes", "read_classes", "read_validity"]

MOST_CLASSES = 64
Classes = tuple[npt.NDArray[np.int64], dict[int, str]]

_ROUNDING = 1e-3
"""Share of a cell by which areas may be off."""


def read_classes(
    path: PathLike, region: Region, *, field: str | None = None, layer: str | None = None
) -> Classes:
    """Read the class that covers most of each cell, and the names of the classes.

    Args:
        path: a GeoTIFF of whole numbers in any projection, or a vector file of polygons.
        region: the grid.
        field: of the polygons, with the class; by default the first of name, region, id that they have, or
            else their rows are numbered.
        layer: of the file of polygons, where it has several.

    Returns:
        (rows, columns) int64, -1 where the file says nothing of most of the cell; names by number.

    Raises:
        NotFoundError, UnreadableFileError: if there is no such file, or it cannot be read.
        InputError: if it holds none or more than 64 classes within the region, no whole numbers, or lacks the
            field; if a field or layer of a raster is asked for.

    Warns:
        BanetWarning: of features that were left out or repaired, of classes of polygons that no cell is of,
            and of those that lie under others: a cell is of one class alone, where several cover it alike of
            the first in the file.
    """
    file = existing_file(path, "file of classes")
    raster = file.suffix.lower() in RASTERS
    if raster and (field or layer):
        raise InputError(f"{file.name} is a raster, which has no fields or layers to choose from")
    numbers, names = _of_raster(file, region) if raster else _of_polygons(file, region, field, layer)
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
    numbers = np.unique(window.values[known]).astype(np.int64)
    _check_count(file, numbers.size)
    names = numbers.tolist()
    planes = covered_by_class(window.grid, window.values, known, names, region) if names else ()
    return _largest(dict(zip(names, planes, strict=True)), region), {n: str(n) for n in names}


def _of_polygons(file: Path, region: Region, field: str | None, layer: str | None) -> Classes:
    found = polygons_of(file, layer)
    labels = zone_names(found, field).tolist()
    names = list(dict.fromkeys(labels))
    place = {name: k for k, name in enumerate(names)}
    shares, count = dict[int, npt.NDArray[np.float64]](), 0
    for number, plane in shares_by_class(found, region, np.array([place[one] for one in labels])):
        count += 1
        if count <= MOST_CLASSES:
            shares[number] = plane
    _check_count(file, count)
    numbers = _largest(shares, region, sum(plane for _, plane in shares_by_class(found, region)))
    for note in _lost(numbers, shares, names) if (numbers >= 0).any() else ():
        warnings.warn(f"{found.name}: {note}", BanetWarning, stacklevel=3)
    return numbers, {k: names[k] for k in shares}


def _lost(
    numbers: npt.NDArray[np.int64], shares: Mapping[int, npt.NDArray[np.float64]], names: Sequence[str]
) -> Iterator[str]:
    """Yield a note on polygons that no cell is of, and one on those that lie under others."""
    there = set(np.unique(numbers).tolist())
    if none := [name for k, name in enumerate(names) if k not in there]:
        yield f"outside the region, too small, or under others, so that no cell is theirs: {listed(none, 10)}"
    under = {
        names[k]: np.count_nonzero((plane > 0.5 + _ROUNDING) & (numbers != k)) for k, plane in shares.items()
    }
    if lost := [f"{name} lost {count:,}" for name, count in under.items() if count]:
        yield (
            "polygons overlap, and a cell is of one alone, where they cover it alike of the first in the "
            f"file; cells under others: {listed(lost, 10)}"
        )


def _largest(
    shares: Mapping[int, npt.NDArray[Any]], region: Region, covered_by_any: Any = None
) -> npt.NDArray[np.int64]:
    """Return the class with the largest share of each cell; -1 where more of it is without a class.

    `covered_by_any` is the part of each cell under any class, where classes may overlap.
    """
    if not shares:
        return np.full(region.shape, -1, np.int64)
    numbers, planes = np.array(list(shares)), np.stack(list(shares.values()))
    most, within = planes.max(axis=0), planes.sum(axis=0) if covered_by_any is None else covered_by_any
    there = (most > 0) & (most >= 1 - within - _ROUNDING)
    return np.where(there, numbers[planes.argmax(axis=0)], -1).astype(np.int64)


def _check_count(file: Path, count: int) -> None:
    if count > MOST_CLASSES:
        raise InputError(f"{file.name} holds {count} classes within the region; at most {MOST_CLASSES}")
