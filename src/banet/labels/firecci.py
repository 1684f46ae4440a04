"""Monthly products of ESA and Copernicus (FireCCI, C3S, CLMS) to burned fraction by cell and day.

Names of files and layers are in `banet.labels.monthly_products`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.days import LAST_DAY_OF_YEAR, parse_period
from banet.errors import InputError, UnreadableFileError
from banet.grid.netcdf import read_layers
from banet.grid.rasters import RasterWindow, read_window
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.labels.assemble import DUPLICATE_DAYS, assemble
from banet.labels.monthly_files import (
    MISSING,
    WATER,
    Layers,
    MonthlyFile,
    checked,
    latest,
    listed_paths,
)
from banet.labels.monthly_products import Product, named, product_of

__all__ = ["read_firecci"]

_PERCENT = 100.0
_LEAST_FLAG = -32768
_BANDS = {
    "date": ("JD", "BurnDate", "DOB"),
    "confidence": ("CL", "ConfidenceLevel", "CP"),
    "fraction": ("BF",),
}
"""What the band of a layer may be called in a raster of several."""


def read_firecci(
    paths: PathLike | Iterable[PathLike],
    region: Region,
    start: Any,
    end: Any,
    *,
    minimum_confidence: int = 0,
    duplicate_days: int = DUPLICATE_DAYS,
) -> BurnedArea:
    """Read pixel files of FireCCI, FireCCISFD, C3S or CLMS (300 m) to burned fractions on a region's grid.

    Args:
        paths: files with the day of burning (`JD`, `DOB`, or a NetCDF of all layers), or folders that hold
            them; rasters of the other layers are found beside them.
        region: the grid to put them on.
        start: first day, or the month whose first day it is.
        end: last day, or the month whose last day it is.
        minimum_confidence: percent below which a burned pixel counts as unburned; needs the `CL` files.
        duplicate_days: pixels that two months show burned within so many days count once.

    Returns:
        Dated fractions; what is not burnable counts as water: known and unburned.

    Raises:
        NotFoundError: if there is no file, or none that touches the region in the period.
        InputError: if files are misnamed or of different products, or confidence is asked for and not there.
        UnreadableFileError: if a file is damaged.
    """
    found = listed_paths(paths, lambda path: product_of(path.name) is not None, "FireCCI file (*-JD.tif)")
    files = latest([named(path) for path in found])
    reader = _reader(minimum_confidence)
    days = parse_period(start, end)
    return assemble(files, reader, region, days, duplicate_days=duplicate_days, quality=False)


def _reader(minimum: int) -> Callable[[MonthlyFile, Region], Layers]:
    def read(file: MonthlyFile, region: Region) -> Layers:
        known = product_of(file.path.name)
        assert known is not None  # the list holds none else
        windows = (_of_netcdf if known[0].netcdf else _of_rasters)(known[0], file.path, region)
        layers = checked(_layers(known[0], windows, file.path.name), file.path.name)
        if minimum > 0:
            if layers.confidence is None:
                raise InputError(f"no CL file beside {file.path.name}; a confidence of {minimum} needs it")
            layers.burn[(layers.burn > 0) & (layers.confidence < minimum)] = 0
        return layers

    return read


def _of_netcdf(product: Product, path: Path, region: Region) -> dict[str, RasterWindow | None]:
    wanted = {"date": product.date, "confidence": product.confidence, "fraction": product.fraction}
    windows = read_layers(path, region, wanted)
    if windows["date"] is None:
        raise UnreadableFileError(f"{path.name} lacks the layer {' or '.join(product.date)}")
    return windows


def _of_rasters(product: Product, path: Path, region: Region) -> dict[str, RasterWindow | None]:
    windows: dict[str, RasterWindow | None] = {"date": read_window(path, region, _BANDS["date"])}
    for layer, mine, theirs in product.beside:
        other = path.with_name(re.sub(mine, theirs, path.name, flags=re.IGNORECASE))
        there = other != path and other.is_file()
        windows[layer] = read_window(other, region, _BANDS[layer]) if there else None
    return windows


def _layers(product: Product, windows: dict[str, RasterWindow | None], name: str) -> Layers:
    date = windows["date"]
    assert date is not None
    # What a file names for nothing may be a value that means something: 0 unburned, -2 not burnable.
    meanings, least = ((0, MISSING, WATER), WATER) if product.water else ((0,), _LEAST_FLAG)
    burn = date.whole(MISSING, meanings, name, what="burn dates", expected=(least, LAST_DAY_OF_YEAR))
    if not product.water:
        burn[burn < 0] = MISSING
    confidence, fraction = _scaled(windows.get("confidence"), _PERCENT), _scaled(windows.get("fraction"), 1.0)
    return Layers(
        date.grid,
        burn,
        confidence=None if confidence is None else np.nan_to_num(np.round(confidence)).astype(np.uint8),
        fraction=None if fraction is None else np.where(fraction > 0, fraction, 1).astype(np.float32),
    )


def _scaled(window: RasterWindow | None, whole: float) -> npt.NDArray[np.float64] | None:
    """Return a probability or fraction such that 1 or 100 of the file is `whole`; NaN where missing."""
    if window is None:
        return None
    values = np.where(window.missing((0,)), np.nan, window.values).astype(np.float64)
    values[~((values >= 0) & (values <= _PERCENT))] = np.nan
    percent = bool(np.nanmax(values, initial=0) > 1) or np.issubdtype(window.values.dtype, np.integer)
    scaled: npt.NDArray[np.float64] = values * (whole / (_PERCENT if percent else 1.0))
    return scaled
