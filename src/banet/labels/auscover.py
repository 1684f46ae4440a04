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
from banet.burned_area.known_part import known_enough, over_time
from banet.burned_area.unknown import UnknownDays
from banet.days import Day, month_days, parse_period
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.cutting import covered, cut_pixels
from banet.grid.rasters import RasterWindow, centre_of, read_window
from banet.grid.region import Region
from banet.grid.sinusoidal import Reals
from banet.io.files import PathLike
from banet.labels.monthly_files import listed_paths

__all__ = ["MONTH_UNCERTAINTY", "is_auscover", "read_auscover"]

MONTH_UNCERTAINTY = 16
"""Days that the middle of a month may be from the day of burning."""

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
# A year that no month or day follows; metres or kilometres may follow it.
_YEAR_ALONE = re.compile(r"(?<!\d)(?:19|20)\d{2}(?![-_.]?\d{1,4}(?![\dmk]))")
_AUSTRALIA = (109.0, -45.0, 161.0, -9.0)
_MONTHS = (0, 12)
_MEANINGS = (0,)
_SLIVER = 1e-6
"""Part of a cell that a pixel beside it may seem to cover, for its edge is rounded."""


def is_auscover(path: Path) -> bool:
    """Return whether a GeoTIFF is an AusCover file by what its name and place say.

    Its name holds `auscover`; or it holds `burnt` or `burned`, `albers` and a year without a month, and the
    middle of the raster lies in Australia.
    """
    name = path.stem.lower()
    if "auscover" in name:
        return True
    if "albers" not in name or not re.search("burn(t|ed)", name) or not _YEAR_ALONE.search(name):
        return False
    west, south, east, north = _AUSTRALIA
    try:
        lon, lat = centre_of(path)
    except UnreadableFileError:
        return True  # its reader says in which way it is damaged
    return west <= lon <= east and south <= lat <= north


def read_auscover(paths: PathLike | Iterable[PathLike], region: Region, start: Any, end: Any) -> BurnedArea:
    """Read yearly AusCover files to burned fractions on a region's grid, dated to the middle of the month.

    Args:
        paths: GeoTIFFs in any projection, with the year in their names, or folders with files that
            `is_auscover` knows.
        region: the grid to put them on.
        start: first month or day.
        end: last month or day.

    Returns:
        Dated fractions with an uncertainty of 16 days. A cell is known in the years whose files cover at
        least half of it; fractions and hectares are of the whole cell, and `known_share` tells the part that
        is known. A month of which only some days are asked does not tell whether they are those on
        which its cells burned: the burned cells of such a month are not known on its days.

    Raises:
        NotFoundError: if there is no file, or none of a year of the period that touches the region.
        InputError: if a name holds no year, or two files are of one year.
        UnreadableFileError: if a file is damaged or holds other values than months.

    Warns:
        BanetWarning: if years of the period have no file of the region, or cells burned in a month of which
            only some days are asked; both are in `unknown_days`.
    """
    first, stop = parse_period(start, end)
    files = _by_year(listed_paths(paths, _listed, "AusCover file (*.tif)"))
    years = range(first.astype(object).year, (stop - 1).astype(object).year + 1)
    shares: dict[int, Reals] = {year: np.zeros(region.shape) for year in years}
    parts, partly = [], []
    for year in years:
        window = read_window(files[year], region) if year in files else None
        if window is None or not window.values.size:
            continue
        shares[year] = covered(window.grid, ~window.missing(_MEANINGS), region)
        whole, undated = _split(_fractions(window, year, region, files[year].name), first, stop)
        parts.append(whole)
        undated = [
            UnknownDays(one.start, one.stop, one.cells & known_enough(shares[year])) for one in undated
        ]
        partly += [one for one in undated if one.cells.any()]
    if not parts:
        have = ", ".join(str(year) for year in sorted(files))
        raise NotFoundError(
            f"no AusCover file touches {region.name} in {first} to {stop - 1}; there are {have}"
        )
    known = {year: known_enough(share) for year, share in shares.items()}
    ever = np.any(list(known.values()), axis=0)
    lacking = [str(year) for year in years if not known[year].any()]
    notes = [f"AusCover of {region.name}: nothing of {', '.join(lacking)}; not known"] if lacking else []
    notes += [
        f"AusCover of {region.name}: {int(one.cells.sum())} cells burned in {str(one.start)[:7]}, of which "
        f"no day is told; they are not known from {one.start} to {one.stop - 1}"
        for one in partly
    ]
    for note in notes:
        warnings.warn(note, BanetWarning, stacklevel=2)
    dated = DatedFractions.join(parts)
    by_year: dict[np.datetime64, Reals] = {
        np.datetime64(f"{year:04d}", "Y"): share for year, share in shares.items()
    }
    return BurnedArea.from_dated(
        dated,
        name="AusCover",
        known=ever,
        start=first,
        stop=stop,
        unknown_days=[
            UnknownDays(Day(f"{year:04d}-01-01"), Day(f"{year + 1:04d}-01-01"), ever & ~cells)
            for year, cells in known.items()
            if (ever & ~cells).any()
        ]
        + partly,
        known_share=over_time(by_year, dated.main_day()[0]),
        notes=notes,
    )


def _listed(path: Path) -> bool:
    return path.suffix.lower() in {".tif", ".tiff"} and bool(_YEAR.search(path.stem)) and is_auscover(path)


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


def _fractions(window: RasterWindow, year: int, region: Region, name: str) -> DatedFractions:
    months = window.whole(0, _MEANINGS, name, what="months", expected=_MONTHS)
    row, col = np.nonzero(months)
    cuts = cut_pixels(window.grid, row, col, region)
    day = _middle(year, months[row, col].astype(np.int64))[cuts.run]
    spread = np.full(day.size, float(MONTH_UNCERTAINTY))
    return DatedFractions.from_pieces(region, cuts.row, cuts.col, day, cuts.fraction, spread)


def _split(dated: DatedFractions, first: Day, stop: Day) -> tuple[DatedFractions, list[UnknownDays]]:
    """Return what burned in months that lie within a period, and the burned cells of those partly in it."""
    begins = first.astype("datetime64[M]")
    if begins.astype("datetime64[D]") < first:
        begins += 1
    ends = stop.astype("datetime64[M]")
    partly = []
    for month in np.unique(dated.day.astype("datetime64[M]")):
        opens, closes = month_days(month)
        if opens < stop and closes > first and not begins <= month < ends:
            burned = dated.between(opens, closes).total() > _SLIVER
            partly.append(UnknownDays(max(opens, first), min(closes, stop), burned))
    return dated.between(begins.astype("datetime64[D]"), ends.astype("datetime64[D]")), partly


def _middle(year: int, month: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    months = np.datetime64(f"{year:04d}-01", "M") + (month - 1)
    return months.astype("datetime64[D]") + 15
