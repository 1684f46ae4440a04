"""AusCover burned area of Australia: one GeoTIFF a year whose values are the month of burning."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.burned_area.unknown import UnknownDays
from banet.days import Day, parse_period
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.cutting import covered, cut_pixels
from banet.grid.rasters import RasterWindow, read_window
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.labels.monthly_files import listed_paths

__all__ = ["MONTH_UNCERTAINTY", "read_auscover"]

MONTH_UNCERTAINTY = 16
"""Days that the middle of a month may be from the day of burning."""

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")


def read_auscover(paths: PathLike | Iterable[PathLike], region: Region, start: Any, end: Any) -> BurnedArea:
    """Read yearly AusCover files to burned fractions on a region's grid, dated to the middle of the month.

    Args:
        paths: GeoTIFFs in any projection, with the year in their names, or folders of them.
        region: the grid to put them on.
        start: first month (or day; whole months are counted).
        end: last month.

    Returns:
        Dated fractions with an uncertainty of 16 days. A cell is known in the years whose files cover at
        least half of it.

    Raises:
        NotFoundError: if there is no file, or none of a year of the period that touches the region.
        InputError: if a name holds no year, or two files are of one year.
        UnreadableFileError: if a file is damaged or holds other values than months.

    Warns:
        BanetWarning: if years of the period have no file of the region; they are in `unknown_days`.
    """
    first, stop = parse_period(start, end)
    files = _by_year(listed_paths(paths, _is_tif, "AusCover file (*.tif)"))
    years = range(first.astype(object).year, (stop - 1).astype(object).year + 1)
    known = {year: np.zeros(region.shape, bool) for year in years}
    parts = []
    for year in years:
        window = read_window(files[year], region) if year in files else None
        if window is None or not window.values.size:
            continue
        _check(window, files[year].name)
        known[year] = covered(window.grid, ~window.missing((0,)), region) >= 0.5
        parts.append(_fractions(window, year, region))
    if not parts:
        have = ", ".join(str(year) for year in sorted(files))
        raise NotFoundError(
            f"no AusCover file touches {region.name} in {first} to {stop - 1}; there are {have}"
        )
    ever = np.any(list(known.values()), axis=0)
    lacking = [str(year) for year in years if not known[year].any()]
    notes = [f"AusCover of {region.name}: nothing of {', '.join(lacking)}; not known"] if lacking else []
    for note in notes:
        warnings.warn(note, BanetWarning, stacklevel=2)
    return BurnedArea.from_dated(
        DatedFractions.join(parts),
        name="AusCover",
        known=ever,
        start=first,
        stop=stop,
        unknown_days=[
            UnknownDays(Day(f"{year:04d}-01-01"), Day(f"{year + 1:04d}-01-01"), ever & ~cells)
            for year, cells in known.items()
            if (ever & ~cells).any()
        ],
        notes=notes,
    )


def _is_tif(path: Path) -> bool:
    return path.suffix.lower() in {".tif", ".tiff"} and bool(_YEAR.search(path.stem))


def _by_year(paths: list[Path]) -> dict[int, Path]:
    files: dict[int, Path] = {}
    for path in paths:
        found = _YEAR.findall(path.stem)
        if not found:
            raise InputError(f"{path.name} has no year in its name")
        year = int(found[-1])
        if year in files:
            raise InputError(f"{files[year].name} and {path.name} are both of {year}; give one")
        files[year] = path
    return files


def _check(window: RasterWindow, name: str) -> None:
    held = np.unique(window.values[~window.missing((0,))])
    if held.size and not (held.min() >= 0 and held.max() <= 12):
        raise UnreadableFileError(
            f"{name}: values from {held.min()} to {held.max()}; expected months, 0 to 12"
        )


def _fractions(window: RasterWindow, year: int, region: Region) -> DatedFractions:
    row, col = np.nonzero((window.values > 0) & ~window.missing((0,)))
    cuts = cut_pixels(window.grid, row, col, region)
    month = window.values[row, col].astype(np.int64)
    day = _middle(year, month)[cuts.run]
    spread = np.full(day.size, float(MONTH_UNCERTAINTY))
    return DatedFractions.from_pieces(region, cuts.row, cuts.col, day, cuts.fraction, spread)


def _middle(year: int, month: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    months = np.datetime64(f"{year:04d}-01", "M") + (month - 1)
    return months.astype("datetime64[D]") + 15
