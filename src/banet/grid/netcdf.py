"""Layers of a NetCDF-4 file on a grid in degrees: the window that a region needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError
from banet.grid.average import LatLonGrid
from banet.grid.rasters import RasterWindow, scaled
from banet.grid.region import Region
from banet.io.hdf5 import check_stored, number, opened

__all__ = ["read_layers"]

_LATITUDES, _LONGITUDES = ("lat", "latitude", "y"), ("lon", "longitude", "x")
# Centres written as float32 wander by some millionths of a degree.
_UNEVEN = 0.05


def read_layers(
    path: Path, region: Region, layers: Mapping[str, Sequence[str]]
) -> dict[str, RasterWindow | None]:
    """Read the windows of some layers that a region needs.

    Args:
        path: the file, with coordinates of the centres of its cells in degrees.
        region: the grid to read for.
        layers: for each key the names that the layer may have.

    Returns:
        A window for each key, its values scaled where the file says how; None where there is no such layer.

    Raises:
        UnreadableFileError: if it is no NetCDF-4 file, is damaged, or does not lie on a regular grid.
    """
    with opened(path) as file:
        grid, turned = _grid(file, path)
        rows, cols = grid.window_on(region)
        kept = grid.window(rows, cols)
        found: dict[str, RasterWindow | None] = {}
        for key, names in layers.items():
            name = next((each for each in names if isinstance(file.get(each), h5py.Dataset)), None)
            found[key] = None
            if name is not None:
                values, nodata = _window(file[name], grid.shape, (rows, cols), turned, path)
                found[key] = RasterWindow(kept, values, nodata)
        return found


def _grid(file: h5py.File, path: Path) -> tuple[LatLonGrid, bool]:
    """Return the grid with row 0 in the north, and whether the file has it in the south."""
    lat, lon = (_axis(file, names, path) for names in (_LATITUDES, _LONGITUDES))
    turned = bool(lat[0] < lat[-1])
    lat = lat[::-1] if turned else lat
    height, width = (lat[0] - lat[-1]) / (lat.size - 1), (lon[-1] - lon[0]) / (lon.size - 1)
    uneven = max(
        np.abs(lat - np.linspace(lat[0], lat[-1], lat.size)).max() / height if height > 0 else np.inf,
        np.abs(lon - np.linspace(lon[0], lon[-1], lon.size)).max() / width if width > 0 else np.inf,
    )
    if not uneven < _UNEVEN:
        raise UnreadableFileError(f"{path.name}: its latitudes or longitudes are not evenly spaced")
    west, north = float(lon[0] - width / 2), float(lat[0] + height / 2)
    return LatLonGrid(west, north, float(width), float(height), (lat.size, lon.size)), turned


def _axis(file: h5py.File, names: Sequence[str], path: Path) -> npt.NDArray[np.float64]:
    held = next((file[name] for name in names if isinstance(file.get(name), h5py.Dataset)), None)
    if held is None or held.ndim != 1 or held.size < 2 or not np.issubdtype(held.dtype, np.number):
        raise UnreadableFileError(f"{path.name} has no coordinate {' or '.join(names[:2])} of its cells")
    values: npt.NDArray[np.float64] = held[()].astype(np.float64)
    if not np.isfinite(values).all():
        raise UnreadableFileError(f"{path.name}: the coordinate {held.name} has values that are none")
    return values


def _window(
    held: h5py.Dataset, shape: tuple[int, int], part: tuple[slice, slice], turned: bool, path: Path
) -> tuple[npt.NDArray[Any], float | None]:
    if held.shape[-2:] != shape or any(size != 1 for size in held.shape[:-2]):
        raise UnreadableFileError(
            f"{path.name}: {held.name} is {held.shape}, the coordinates {shape}; give files of one time"
        )
    rows, cols = part
    stored = slice(shape[0] - rows.stop, shape[0] - rows.start) if turned else rows
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return np.zeros((0, 0), held.dtype), None
    check_stored(held, (slice(0, 1),) * (held.ndim - 2) + (stored, cols))
    values = held[(0,) * (held.ndim - 2) + (stored, cols)]
    nodata = number(held, ("_FillValue", "missing_value"))
    scale, offset = number(held, ("scale_factor",)), number(held, ("add_offset",))
    values, nodata = scaled(values, nodata, scale, offset)
    return values[::-1] if turned else values, nodata
