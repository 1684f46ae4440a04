"""Rasters: the window that a region needs, the grid that it lies on, and where a raster says nothing."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning, InputError, UnreadableFileError, first_line
from banet.grid.average import LatLonGrid
from banet.grid.cutting import Grid
from banet.grid.projected import ProjectedGrid
from banet.grid.region import Region
from banet.grid.sinusoidal import EARTH_RADIUS, SinusoidalGrid

__all__ = [
    "RasterWindow",
    "centre_of",
    "grid_of",
    "missing",
    "read_described",
    "read_window",
    "same_cells",
    "scaled",
]

# A scale such as 0.1 is not exact: 3 times it is 0.30000000000000004.
_INEXACT = 1e-6
_FARTHEST, _FARTHEST_DEGREES = 1e10, 1e3
"""Coordinates beyond are none on earth, in whatever unit of length, and in degrees."""
_LEAST_STEP = 1e-12
"""Sizes of cells below that part of their coordinates are none."""


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


def scaled(
    values: npt.NDArray[Any], nodata: float | None, scale: float | None, offset: float | None
) -> tuple[npt.NDArray[Any], float | None]:
    """Return values by the scale and offset that a file states, and what then says nothing.

    The value for nothing is one of those stored: it is found first.

    Args:
        values: any shape, as stored.
        nodata: the value that the file names for nothing; None if it names none.
        scale: to multiply by; None or 0 for 1.
        offset: to add; None for 0.

    Returns:
        float64 values of the same shape and their value for nothing; both as given where the file states
        neither scale nor offset.

    >>> scaled(np.array([100, 255]), 255, 0.5, 0.0)
    (array([ 50. , 127.5]), 127.5)
    """
    by, more = scale or 1.0, offset or 0.0
    if by == 1 and more == 0:
        return values, nodata
    gone = missing(values, nodata)
    found = values * np.float64(by) + more
    nothing = None if nodata is None else float(nodata * by + more)
    return np.where(gone, np.nan if nothing is None else nothing, found), nothing


@dataclass(frozen=True, eq=False)
class RasterWindow:
    """The part of a raster that can touch a region.

    Attributes:
        grid: where its pixels are.
        values: (rows, columns), as stored, but by the scale and offset that the file states.
        nodata: the value that means nothing among these; None if the file names none.
        masked: where the file's mask or alpha band says that there is nothing, (rows, columns) bool; None if
            it has neither.
        tags: text metadata of the file.
        by: scale and offset by which the values are.
    """

    grid: Grid
    values: npt.NDArray[Any]
    nodata: float | None
    masked: npt.NDArray[np.bool_] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    by: tuple[float, float] = (1.0, 0.0)

    def missing(self, meanings: Collection[float] = ()) -> npt.NDArray[np.bool_]:
        """Return where the file says nothing: by its values (see `missing`), its mask or its alpha band."""
        found = missing(self.values, self.nodata, meanings)
        return found if self.masked is None else found | self.masked

    def whole(
        self, filling: int, meanings: Collection[float], name: str, *, what: str, expected: tuple[int, int]
    ) -> npt.NDArray[np.int16]:
        """Return codes as whole numbers, (rows, columns), `filling` where the file says nothing.

        Codes are decided by the values after scale and offset. Where a code of the product is stored as such,
        and scale and offset make another value of it, nobody can tell which is meant: that is refused.

        Args:
            filling: put where the file says nothing.
            meanings: values that mean something in this product.
            name: of the file, for messages.
            what: the values are, for messages.
            expected: least and greatest value, both included.

        Raises:
            UnreadableFileError: if a value is no whole number (a raster of codes must not be interpolated),
                or none of those expected, or a code is another by scale and offset than as stored.

        Warns:
            BanetWarning: if the file names 0 for nothing, and 0 means something.
        """
        if self.nodata == 0 and self.nodata in meanings:
            warnings.warn(
                f"{name}: the file names 0 as its value for nothing; 0 means unburned in this product and is "
                "taken for that",
                BanetWarning,
                stacklevel=2,
            )
        gone = self.missing(meanings)
        held = self.values[~gone]
        self._check_codes(held, {*meanings, filling} if meanings else (), name)
        odd = held[np.abs(held - np.round(held)) > _INEXACT]
        if odd.size:
            raise UnreadableFileError(
                f"{name}: the value {odd[0]:g} is no whole number; codes must be brought to a grid by "
                "nearest cell"
            )
        if held.size and not (held.min() >= expected[0] and held.max() <= expected[1]):
            raise UnreadableFileError(
                f"{name}: {what} from {held.min():.12g} to {held.max():.12g}; expected {expected[0]} to "
                f"{expected[1]}; set the value for no data in the file"
            )
        whole = np.full(self.values.shape, filling, np.int16)
        whole[~gone] = np.round(held)
        return whole

    def _check_codes(self, held: npt.NDArray[Any], codes: Collection[float], name: str) -> None:
        """Make sure that no code of a product was stored as such and is another value by scale and offset.

        Raises:
            UnreadableFileError: if one was.
        """
        scale, offset = self.by
        for code in sorted(codes, reverse=True):
            other = code * scale + offset
            if abs(other - code) > _INEXACT and (np.abs(held - other) < _INEXACT).any():
                raise UnreadableFileError(
                    f"{name}: {code:g} is stored, a code of this product, and is {other:g} by the file's "
                    f"scale {scale:g} and offset {offset:g}: write values as they are meant, without these "
                    "tags"
                )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a raster that says where it lies.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged (also where it is read later), or has no
            coordinate reference system or no place in it.
    """
    import rasterio
    from pyproj.exceptions import ProjError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # told below
            raster = rasterio.open(path)
        with raster:
            if raster.crs is None:
                raise UnreadableFileError(f"{path.name} has no coordinate reference system")
            if raster.transform.is_identity:
                raise UnreadableFileError(
                    f"{path.name} does not say where its cells lie (it has no geotransform)"
                )
            if not _is_place(raster):
                raise UnreadableFileError(
                    f"{path.name} is damaged: its cells cannot lie where it says "
                    f"({', '.join(f'{each:g}' for each in tuple(raster.transform)[:6])})"
                )
            yield raster
    except rasterio.errors.RasterioError as error:
        raise UnreadableFileError(f"{path.name} is no readable GeoTIFF: {error}") from error
    except ProjError as error:
        raise UnreadableFileError(
            f"{path.name}: its coordinate reference system is damaged: {first_line(error)}"
        ) from error


def _is_place(raster: Any) -> bool:
    """Return whether the cells of a raster have a size, and coordinates that there are."""
    a, b, c, d, e, f = tuple(raster.transform)[:6]
    ends = c, f, c + a * raster.width + b * raster.height, f + d * raster.width + e * raster.height
    farthest = float(np.max(np.abs(ends)))  # NaN where one is
    if not farthest <= (_FARTHEST_DEGREES if raster.crs.is_geographic else _FARTHEST):
        return False
    return bool(min(np.hypot(a, d), np.hypot(b, e)) > _LEAST_STEP * max(farthest, 1))


def grid_of(path: Path) -> Grid:
    """Return the grid of a whole GeoTIFF, its first row in the north.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged, or does not say where it lies.
        InputError: if its pixels are rotated.
    """
    with _opened(path) as raster:
        return _grid(raster)


def same_cells(one: Path, other: Path) -> bool:
    """Return whether two GeoTIFFs lie on the same cells, to a hundredth of a cell, whichever row is first.

    Raises:
        UnreadableFileError: if one is no GeoTIFF, is damaged, or does not say where it lies.
    """
    with _opened(one) as mine, _opened(other) as theirs:
        if mine.shape != theirs.shape or mine.crs != theirs.crs:
            return False
        # Sorted, for the bottom of a raster whose first row lies in the south is above its top.
        here, there = ([b.left, b.right, *sorted((b.bottom, b.top))] for b in (mine.bounds, theirs.bounds))
        return bool(np.allclose(here, there, rtol=0, atol=abs(mine.transform.a) / 100))


def centre_of(path: Path) -> tuple[float, float]:
    """Return longitude and latitude, in degrees, of the middle of a GeoTIFF.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged, or does not say where it lies.
    """
    from rasterio.warp import transform

    with _opened(path) as raster:
        left, bottom, right, top = raster.bounds
        middle = [(left + right) / 2], [(bottom + top) / 2]
        longitudes, latitudes = transform(raster.crs, "EPSG:4326", *middle)
    return float(longitudes[0]), float(latitudes[0])


def read_window(path: Path, region: Region | None, names: Sequence[str] = ()) -> RasterWindow:
    """Read the window of a GeoTIFF's band that a region needs.

    A raster whose first row lies in the south is turned, and its values are scaled where the file says how.
    An alpha band is a mask.

    Args:
        path: the file.
        region: the grid to read for; None for the whole raster.
        names: the band may have, where there are several; case and signs do not matter.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged, or does not say where it lies.
        InputError: if its pixels are rotated, or it has several bands, not exactly one of which has the name.
    """
    with _opened(path) as raster:
        return _window(raster, _band(raster, names, path.name), region)


def read_described(
    path: Path, region: Region, wanted: Mapping[str, Sequence[str]]
) -> dict[str, RasterWindow]:
    """Read the windows of the bands that a GeoTIFF describes by some names.

    Args:
        path: the file.
        region: the grid to read for.
        wanted: for each key the names that the band may have.

    Returns:
        A window for each key whose band there is.

    Raises:
        UnreadableFileError, InputError: as `read_window`.
    """
    with _opened(path) as raster:
        found = {key: _described(raster, names) for key, names in wanted.items()}
        return {key: _window(raster, bands[0], region) for key, bands in found.items() if len(bands) == 1}


def _data_bands(raster: Any) -> list[int]:
    from rasterio.enums import ColorInterp

    kinds = zip(raster.indexes, raster.colorinterp, strict=True)
    return [band for band, kind in kinds if kind != ColorInterp.alpha] or list(raster.indexes)


def _described(raster: Any, names: Sequence[str]) -> list[int]:
    wanted = {_plain(name) for name in names}
    return [band for band in _data_bands(raster) if _plain(raster.descriptions[band - 1] or "") in wanted]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _band(raster: Any, names: Sequence[str], name: str) -> int:
    """Return the number of the one band that is meant."""
    bands = _data_bands(raster)
    if len(bands) == 1:
        return bands[0]
    found = _described(raster, names)
    if len(found) == 1:
        return found[0]
    held = ", ".join(raster.descriptions[band - 1] or "no name" for band in bands)
    called = f" called {names[0]}" if names else ""
    raise InputError(
        f"{name} holds {len(bands)} bands ({held}), of which one{called} is read; save the one that is meant "
        "as a file of its own"
    )


def _window(raster: Any, band: int, region: Region | None) -> RasterWindow:
    from rasterio.windows import Window

    grid, height, nodata = _grid(raster), raster.height, raster.nodatavals[band - 1]
    scale, offset = raster.scales[band - 1], raster.offsets[band - 1]
    rows, cols = slice(0, height), slice(0, raster.width)
    if region is not None:
        rows, cols = grid.window_on(region)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        nothing = slice(0, 0)
        return RasterWindow(grid.window(nothing, nothing), np.zeros((0, 0), raster.dtypes[band - 1]), nodata)
    turned = _south_up(raster.transform)
    stored = slice(height - rows.stop, height - rows.start) if turned else rows
    part = Window.from_slices(stored, cols)
    values, masked = raster.read(band, window=part), _masked(raster, band, part)
    if turned:
        values, masked = values[::-1], None if masked is None else masked[::-1]
    values, nodata = scaled(values, nodata, scale, offset)
    by = scale or 1.0, offset or 0.0
    return RasterWindow(grid.window(rows, cols), values, nodata, masked, raster.tags(), by)


def _masked(raster: Any, band: int, part: Any) -> npt.NDArray[np.bool_] | None:
    """Return where a mask or alpha band says that there is nothing; None if there is neither.

    The value that a band names for nothing is left to `missing`, which knows the meanings of values.
    """
    from rasterio.enums import ColorInterp, MaskFlags

    found = None
    flags = raster.mask_flag_enums[band - 1]
    if flags not in ([MaskFlags.all_valid], [MaskFlags.nodata]):
        found = raster.read_masks(band, window=part) == 0
    # GDAL takes alpha for the mask only of some types, and not beside a value for nothing.
    for index, kind in zip(raster.indexes, raster.colorinterp, strict=True):
        if kind == ColorInterp.alpha and index != band and MaskFlags.alpha not in flags:
            clear = raster.read(index, window=part) == 0
            found = clear if found is None else found | clear
    return found


def _south_up(transform: Any) -> bool:
    return bool(transform.e > 0 and not transform.b and not transform.d)


def _grid(raster: Any) -> Grid:
    try:
        return _north_up(raster)
    except InputError as error:
        raise InputError(f"{Path(raster.name).name}: {error}") from error


def _north_up(raster: Any) -> Grid:
    from affine import Affine

    transform, shape = raster.transform, (raster.height, raster.width)
    if _south_up(transform):
        a, b, c, d, e, f = tuple(transform)[:6]
        transform = Affine(a, b, c, d, -e, f + e * raster.height)
    text = raster.crs.to_wkt()
    if raster.crs.is_geographic and _in_degrees(text):
        return LatLonGrid.from_transform(transform, shape)
    if _is_land_grid(text):
        return SinusoidalGrid.from_transform(transform, shape)
    return ProjectedGrid.from_transform(text, transform, shape)


def _in_degrees(text: str) -> bool:
    """Return whether a geographic system counts degrees from Greenwich."""
    from pyproj import CRS

    crs = CRS.from_wkt(text)
    meridian = crs.prime_meridian
    degrees = all(math.isclose(axis.unit_conversion_factor, math.pi / 180) for axis in crs.axis_info[:2])
    return degrees and (meridian is None or meridian.longitude == 0)


def _is_land_grid(text: str) -> bool:
    """Return whether a system is that of the land products: sinusoidal about Greenwich, on their sphere.

    Another figure, meridian or origin takes the general way.
    """
    from pyproj import CRS

    if "sinusoidal" not in text.lower() or str(EARTH_RADIUS) not in text:
        return False
    crs = CRS.from_wkt(text)
    operation = crs.coordinate_operation
    origin = [] if operation is None else [one.value for one in operation.params]
    return not any(origin) and all(axis.unit_conversion_factor == 1 for axis in crs.axis_info[:2])
