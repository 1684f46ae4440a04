"""Monthly burned-area files of the MCD64A1 family: HDF4 tiles and GeoTIFF windows, as they are stored.

Layout from the Collection 6.1 user guide (Giglio et al. 2022): int16 `Burn Date` (1-366; 0 unburned, -1
missing, -2 water), uint8 `Burn Date Uncertainty` in days, uint8 `QA`, int16 `First Day` and `Last Day`.
VNP64A1 is the same. GeoTIFFs hold one of these each, found by their names, or several as bands, found by
their descriptions.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.days import LAST_DAY_OF_YEAR, NO_DATE, Day, Days, as_day, as_month, from_day_of_year, month_days
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.cutting import Grid
from banet.grid.rasters import read_described, read_window, same_cells
from banet.grid.region import Region
from banet.grid.sinusoidal import SinusoidalGrid, tile_grid, tile_of
from banet.io.files import PathLike, visible_files
from banet.io.hdf4 import read_arrays

__all__ = [
    "MEANINGS",
    "MISSING",
    "WATER",
    "Layers",
    "MonthlyFile",
    "checked",
    "find_monthly_files",
    "latest",
    "listed_paths",
    "piece_of",
    "read_layers",
    "resolve_year",
]

_HDF_NAMES = ("Burn Date", "Burn Date Uncertainty", "QA", "First Day", "Last Day")
_PRODUCT = re.compile(r"^(MCD64A1|VNP64A1|VJ[12]64A1|MCD64monthly|MCD45A1)", re.IGNORECASE)
# A2020214 (NASA), doy2020214 and doy2020214000000 (AppEEARS, old and new), 2020_214 (MODIStsp), and what
# other programs make of them: 2020214, 2020_08_01, 20200801.
_DATE = re.compile(
    r"(?:[._-]A|doy|[._-])(?P<year>\d{4})"
    r"(?:[_-]?(?P<doy>\d{3})(?:T?\d{6})?|(?P<gap>[_-]?)(?P<month>\d{2})(?P=gap)(?P<day>\d{2}))(?=\D|$)"
)
_VERSION = re.compile(r"[._](\d{3})[._]")
# Earth Engine cuts a large export into pieces and adds the first row and column of each.
_PIECE = re.compile(r"-(\d{10}-\d{10})$")
_BURN_DATE_TIF = re.compile(r"burn[_-]?date(?!.*uncert)", re.IGNORECASE)
_TIFS = {".tif", ".tiff"}
_BURN_DATE_BAND = "Burn_Date"
# What other layers are called in the names of files, and as bands of a raster of several (Earth Engine).
_TIF_LAYERS: dict[str, tuple[tuple[str, ...], Any]] = {
    "uncertainty": (("Burn_Date_Uncertainty", "Uncertainty"), np.uint8),
    "qa": (("QA",), np.uint8),
    "first": (("First_Day",), np.int16),
    "last": (("Last_Day",), np.int16),
}
MISSING, WATER = -1, -2
MEANINGS = (0, WATER)
"""Burn dates that mean something even where a file names one of them as its value for nothing."""


@dataclass(frozen=True, order=True)
class MonthlyFile:
    """One file and what its name says.

    Attributes:
        month: the month that it covers.
        place: tile, window or piece, such as `h19v05`; files of one place share a grid.
        product: such as `VNP64A1`.
        version: collection, such as `061`; empty if the name has none.
        path: where it is.
    """

    month: np.datetime64
    place: str
    product: str
    version: str
    path: Path

    @classmethod
    def from_name(cls, path: PathLike) -> MonthlyFile:
        """Read a file's name.

        Raises:
            InputError: if it does not say which month.
        """
        file = Path(path)
        product, date = _PRODUCT.match(file.name), _DATE.search(file.name)
        if not product or not date:
            raise InputError(
                f"{file.name} is not named like MCD64A1.AYYYYDDD.hHHvVV.061.*.hdf (VNP64A1 and .tif likewise)"
            )
        try:
            month = as_month(_day_of(date))
        except InputError as error:
            raise InputError(f"{file.name}: {error}") from error
        version = _VERSION.search(file.name.replace(date[0], ""))
        place = re.search(r"(?<=[._])(h\d{2}v\d{2}|Win\d{2}|aid\d+)(?=[._]|$)", file.name, re.IGNORECASE)
        where = piece_of(file, place[1] if place else "")
        return cls(month, where, product[1].upper(), version[1] if version else "", file)

    @property
    def source(self) -> str:
        """Product and collection, such as `VNP64A1.002`."""
        return f"{self.product}.{self.version}" if self.version else self.product


@dataclass(frozen=True, eq=False)
class Layers:
    """The part of the rasters of one file that can touch a region.

    Attributes:
        grid: where the pixels are.
        burn: day of year, (rows, columns) int16; 0 unburned, -1 missing, -2 water.
        uncertainty: days, (rows, columns) uint8; None if the file has none.
        qa: bits, (rows, columns) uint8; None if the file has none.
        first, last: day of year, (rows, columns) int16, below 1 where there is none; None as above.
        confidence: percent, (rows, columns) uint8; None as above.
        fraction: part of a burned pixel that burned, (rows, columns) float32; None where all of it did.
    """

    grid: Grid
    burn: npt.NDArray[np.int16]
    uncertainty: npt.NDArray[np.uint8] | None = None
    qa: npt.NDArray[np.uint8] | None = None
    first: npt.NDArray[np.int16] | None = None
    last: npt.NDArray[np.int16] | None = None
    confidence: npt.NDArray[np.uint8] | None = None
    fraction: npt.NDArray[np.float32] | None = None


def piece_of(path: Path, place: str) -> str:
    """Return the place of a file, and the piece of it if the name is of a raster that was cut into pieces.

    >>> piece_of(Path("MCD64A1_BurnDate_2020_08_01-0000000000-0000023296.tif"), "")
    '0000000000-0000023296'
    """
    found = _PIECE.search(path.stem)
    return " ".join(filter(None, (place, found[1] if found else "")))


def find_monthly_files(paths: PathLike | Iterable[PathLike]) -> list[MonthlyFile]:
    """List the burn-date files among paths and folders, in order of month and place.

    Of several productions of one month and place the last one made is taken.

    Raises:
        NotFoundError: if a path does not exist or there is no such file.
        InputError: if the files are of different products or collections.
    """
    found = listed_paths(paths, _is_burn_date, "MCD64A1 or VNP64A1 file (*.hdf, *burn*date*.tif)")
    return latest([MonthlyFile.from_name(path) for path in found])


def latest(files: list[MonthlyFile]) -> list[MonthlyFile]:
    """Return the last production of each month and place, in their order.

    Raises:
        InputError: if the files are of different products or collections, or rasters of one month and place
            do not lie on the same cells.
        UnreadableFileError: if one of several rasters of one month and place is damaged.

    Warns:
        BanetWarning: if earlier productions are left out.
    """
    sources = sorted({file.source for file in files})
    if len(sources) > 1:
        raise InputError(f"the files are of different products: {', '.join(sources)}; give one at a time")
    # Names end in the time of production: in sorted order the last one stays.
    last: dict[tuple[np.datetime64, str], MonthlyFile] = {}
    for file in sorted(files, key=lambda f: (f.month, f.place, f.path.name)):
        older = last.get((file.month, file.place))
        if older is not None and older.path.name != file.path.name:
            where = f"{file.month} of {file.place}" if file.place else f"{file.month}"
            _check_same_cells(older.path, file.path, where)
            warnings.warn(
                f"{older.path.name} and {file.path.name} are both of {where}: the latter is taken",
                BanetWarning,
                stacklevel=3,
            )
        last[file.month, file.place] = file
    return list(last.values())


def _check_same_cells(one: Path, other: Path, where: str) -> None:
    """Make sure that two rasters are two productions, and no parts of one."""
    if {one.suffix.lower(), other.suffix.lower()} <= _TIFS and not same_cells(one, other):
        raise InputError(
            f"{one.name} and {other.name} are both of {where} but do not lie on the same cells; merge them "
            "into one file if they are parts of one raster, or give one of them"
        )


def listed_paths(
    paths: PathLike | Iterable[PathLike], wanted: Callable[[Path], bool], what: str
) -> list[Path]:
    """Return files that are given, and those in given folders that are wanted.

    Args:
        paths: a file or folder, or several.
        wanted: tells whether a file in a folder is one.
        what: such files are called in the error.

    Raises:
        NotFoundError: if a path does not exist or there is no such file.
    """
    given = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            files += filter(wanted, visible_files(path))
        elif path.is_file():
            files.append(path)
        else:
            raise NotFoundError(f"the file or folder {path} does not exist")
    if not files:
        where = ", ".join(str(p) for p in given) or "an empty list"
        raise NotFoundError(f"no {what} in {where}")
    return files


def _day_of(date: re.Match[str]) -> Day:
    if date["doy"]:
        return from_day_of_year(int(date["year"]), int(date["doy"]))
    return as_day("-".join(date[part] for part in ("year", "month", "day")))


def _is_burn_date(path: Path) -> bool:
    if not _PRODUCT.match(path.name) or not _DATE.search(path.name):
        return False
    if path.suffix.lower() == ".hdf":
        return True
    return path.suffix.lower() in _TIFS and bool(_BURN_DATE_TIF.search(path.name))


def read_layers(file: MonthlyFile, region: Region) -> Layers:
    """Read the part of a file's rasters that can touch a region; it may be empty.

    Raises:
        UnreadableFileError: if it is damaged, or lacks what its name promises.
    """
    tif = file.path.suffix.lower() in _TIFS
    return checked(_read_tif(file.path, region) if tif else _read_hdf(file.path, region), file.path.name)


def checked(layers: Layers, name: str) -> Layers:
    """Return the layers after making sure that they fit together and hold dates.

    Raises:
        UnreadableFileError: if they do not.
    """
    shape = layers.burn.shape
    for part in ("uncertainty", "qa", "first", "last", "confidence", "fraction"):
        plane = getattr(layers, part)
        if plane is not None and plane.shape != shape:
            raise UnreadableFileError(
                f"{name}: {part} is {plane.shape}, the burn date is {shape}; download it again"
            )
    if layers.burn.size and not (layers.burn.min() >= WATER and layers.burn.max() <= LAST_DAY_OF_YEAR):
        found = f"burn dates from {layers.burn.min()} to {layers.burn.max()}"
        raise UnreadableFileError(f"{name}: {found}; expected {WATER} to {LAST_DAY_OF_YEAR}")
    return layers


def _read_hdf(path: Path, region: Region) -> Layers:
    held = read_arrays(path, _HDF_NAMES)
    burn, uncertainty, qa, first, last = (held[name].values for name in _HDF_NAMES)
    if len({plane.shape for plane in (burn, uncertainty, qa, first, last)}) > 1:
        raise UnreadableFileError(f"{path.name}: its layers differ in shape; download it again")
    if burn.ndim != 2 or burn.shape[0] != burn.shape[1]:
        raise UnreadableFileError(f"{path.name}: the burn date is {burn.shape}; a tile is square")
    grid = tile_grid(*tile_of(path), size=burn.shape[0])
    _check_corner(path, grid, str(held["Burn Date"].file_attributes.get("StructMetadata.0", "")))
    rows, cols = grid.window_on(region)
    return Layers(
        grid.window(rows, cols),
        burn[rows, cols].astype(np.int16),
        uncertainty[rows, cols].astype(np.uint8),
        qa[rows, cols].astype(np.uint8),
        first[rows, cols].astype(np.int16),
        last[rows, cols].astype(np.int16),
    )


def _check_corner(path: Path, grid: SinusoidalGrid, metadata: str) -> None:
    """Make sure that the file lies where its name says."""
    found = re.search(r"UpperLeftPointMtrs=\(([-\d.]+),([-\d.]+)\)", metadata)
    if found and max(abs(float(found[1]) - grid.left), abs(float(found[2]) - grid.top)) > 1:
        raise UnreadableFileError(
            f"{path.name}: its metadata put the upper left corner at ({found[1]}, {found[2]}) m, its name at "
            f"({grid.left:.3f}, {grid.top:.3f}); was it renamed?"
        )


def _read_tif(path: Path, region: Region) -> Layers:
    burn = read_window(path, region, (_BURN_DATE_BAND,))
    dates = burn.whole(MISSING, MEANINGS, path.name, what="burn dates", expected=(WATER, LAST_DAY_OF_YEAR))
    within = read_described(path, region, {part: names for part, (names, _) in _TIF_LAYERS.items()})
    planes: dict[str, Any] = {}
    for part, (names, kind) in _TIF_LAYERS.items():
        other = path.with_name(path.name.replace(_BURN_DATE_BAND, names[0]))
        beside = other != path and other.is_file()
        window = read_window(other, region, names) if beside else within.get(part)
        if window is not None:
            limits = (int(np.iinfo(np.int16).min), int(min(np.iinfo(kind).max, np.iinfo(np.int16).max)))
            name = other.name if beside else path.name
            plane = window.whole(0, (), name, what=f"values of {names[0]}", expected=limits)
            planes[part] = np.maximum(plane, 0).astype(kind)
    return Layers(burn.grid, dates, **planes)


def resolve_year(day_of_year: npt.NDArray[np.int16], month: np.datetime64, side: str = "near") -> Days:
    """Turn days of year of a monthly file into days.

    A January file may hold December's days and the other way round, so the year is the one that brings
    the day nearest to the month (`near`: burn dates), not after its end (`before`: first days of reliable
    mapping), or not before its start (`after`: last days).

    Args:
        day_of_year: any shape, int16; values below 1 become NaT, and so does 366 of a year that has 365 days.
        month: the month that the file covers.
        side: `near`, `before` or `after`.

    Returns:
        datetime64[D] of the same shape.
    """
    first, stop = month_days(month)
    year = month.astype("datetime64[Y]")
    days = np.asarray(day_of_year, np.int64)
    starts = [(year + turn).astype("datetime64[D]") for turn in (-1, 0, 1)]
    choices = np.stack([start + (days - 1) for start in starts])
    if side == "near":
        best = _distance(choices, first, stop).argmin(axis=0)
    elif side == "before":
        best = np.where(choices[1] < stop, 1, 0)
    else:
        best = np.where(choices[1] >= first, 1, 2)
    chosen = np.take_along_axis(choices, best[None], axis=0)[0]
    there = (days >= 1) & (chosen.astype("datetime64[Y]") == year + best - 1)
    return np.where(there, chosen, NO_DATE)


def _distance(days: Days, first: Day, stop: Day) -> npt.NDArray[np.int64]:
    """Days by which each lies outside the month; 0 inside."""
    before, after = (first - days).astype(np.int64), (days - (stop - 1)).astype(np.int64)
    return np.maximum(np.maximum(before, after), 0)
