"""Rasters: the window that a region needs, the grid that it lies on, and where a raster says nothing."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning, UnreadableFileError
from banet.grid.average import LatLonGrid
from banet.grid.cutting import Grid
from banet.grid.projected import ProjectedGrid
from banet.grid.region import Region
from banet.grid.sinusoidal import SinusoidalGrid

__all__ = ["RasterWindow", "check_placed", "missing", "read_window", "whole_numbers"]


def missing(
    values: npt.NDArray[Any], nodata: float | None, meanings: Collection[float] = ()
) -> npt.NDArray[np.bool_]:
    """Return where a raster says nothing: NaN, infinity, or the value that the file names for it.

    Exports of masked images name 0 as nothing, and other programs a value that has a meaning in the product
    (burn dates: 0 unburned, -2 water). Such a tag does not take the meaning from the value.

    Args:
        values: any shape, as stored.
        nodata: the value that the file names; None if it names none.
        meanings: values that mean something in this product.

    >>> missing(np.array([0, -1, 218]), 0).tolist(), missing(np.array([0, -1, 218]), 0, (0,)).tolist()
    ([True, False, False], [False, False, False])
    """
    found = np.zeros(values.shape, bool)
    if np.issubdtype(values.dtype, np.floating):
        found |= ~np.isfinite(values)
    if nodata is not None and not np.isnan(nodata) and nodata not in meanings:
        # A tag such as -3.4e38 may not be exact in the file's own type.
        found |= np.isclose(values, nodata, rtol=1e-6, atol=0)
    return found


def whole_numbers(
    values: npt.NDArray[Any], nodata: float | None, meanings: Collection[float], filling: int, name: str
) -> npt.NDArray[np.int16]:
    """Return codes as whole numbers, `filling` where they are missing; see `missing`.

    Args:
        values: (rows, columns) of any type.
        nodata: the value that the file names for nothing; None if it names none.
        meanings: values that mean something in this product.
        filling: put where the file says nothing.
        name: of the file, for messages.

    Raises:
        UnreadableFileError: if a value is no whole number (a raster of codes must not be interpolated).

    Warns:
        BanetWarning: if the file names 0 for nothing, and 0 means something.
    """
    if nodata == 0 and nodata in meanings:
        warnings.warn(
            f"{name}: the file names 0 as its value for nothing; 0 means unburned in this product and is "
            "taken for that",
            BanetWarning,
            stacklevel=2,
        )
    wide = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.int64)
    there = np.where(missing(values, nodata, meanings), filling, wide)
    if np.issubdtype(there.dtype, np.floating) and (there != np.round(there)).any():
        odd = there[there != np.round(there)][0]
        raise UnreadableFileError(
            f"{name}: the value {odd:g} is no whole number; codes must be brought to a grid by nearest cell"
        )
    limits = np.iinfo(np.int16)
    return np.clip(there, limits.min, limits.max).astype(np.int16)


@dataclass(frozen=True, eq=False)
class RasterWindow:
    """The part of a raster that can touch a region.

    Attributes:
        grid: where its pixels are.
        values: (rows, columns), as stored.
        nodata: the value that means nothing; None if the file names none.
    """

    grid: Grid
    values: npt.NDArray[Any]
    nodata: float | None

    def missing(self, meanings: Collection[float] = ()) -> npt.NDArray[np.bool_]:
        """Return where the file says nothing; see `missing`."""
        return missing(self.values, self.nodata, meanings)

    def whole(self, filling: int, meanings: Collection[float], name: str) -> npt.NDArray[np.int16]:
        """Return codes as whole numbers, `filling` where the file says nothing; see `whole_numbers`."""
        return whole_numbers(self.values, self.nodata, meanings, filling, name)


def check_placed(raster: Any, name: str) -> None:
    """Make sure that an open raster says where it lies.

    Raises:
        UnreadableFileError: if it has no coordinate reference system, or no place in it.
    """
    if raster.crs is None:
        raise UnreadableFileError(f"{name} has no coordinate reference system")
    if raster.transform.is_identity:
        raise UnreadableFileError(f"{name} does not say where its cells lie (it has no geotransform)")


def read_window(path: Path, region: Region) -> RasterWindow:
    """Read the window of a GeoTIFF's first band that a region needs.

    A raster whose first row lies in the south is turned.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged, or does not say where it lies.
        InputError: if its pixels are rotated.
    """
    import rasterio
    from rasterio.windows import Window

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # told below
            opened = rasterio.open(path)
        with opened as raster:
            check_placed(raster, path.name)
            height = raster.height
            turned = raster.transform.e > 0 and not raster.transform.b and not raster.transform.d
            grid = _grid(raster.crs, _north_up(raster.transform, height), (height, raster.width))
            rows, cols = grid.window_on(region)
            stored = slice(height - rows.stop, height - rows.start) if turned else rows
            empty = rows.start >= rows.stop or cols.start >= cols.stop
            values = np.zeros((0, 0), raster.dtypes[0])
            if not empty:
                values = raster.read(1, window=Window.from_slices(stored, cols))
            nodata = raster.nodata
    except rasterio.errors.RasterioError as error:
        raise UnreadableFileError(f"{path.name} is no readable GeoTIFF: {error}") from error
    kept = grid.window(slice(0, 0), slice(0, 0)) if empty else grid.window(rows, cols)
    return RasterWindow(kept, values[::-1] if turned else values, nodata)


def _north_up(transform: Any, height: int) -> Any:
    """Return the transform of the same raster with its first row in the north."""
    from affine import Affine

    a, b, c, d, e, f = tuple(transform)[:6]
    return Affine(a, b, c, d, -e, f + e * height) if e > 0 and not b and not d else transform


def _grid(crs: Any, transform: Any, shape: tuple[int, int]) -> Grid:
    if crs.is_geographic:
        return LatLonGrid.from_transform(transform, shape)
    text = crs.to_wkt()
    # The sphere of the land products; a sinusoidal raster on another figure takes the general way.
    if "sinusoidal" in text.lower() and "6371007.181" in text:
        return SinusoidalGrid.from_transform(transform, shape)
    return ProjectedGrid.from_transform(text, transform, shape)
