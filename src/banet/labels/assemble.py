"""Monthly burned-area files, of whatever product, to one reference: months joined, pixels cut to cells."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.burned_area.joining import SAME_BURN_DAYS
from banet.burned_area.known_part import known_enough, over_time
from banet.burned_area.quality import Quality
from banet.burned_area.unknown import UnknownDays
from banet.days import LAST_DAY_OF_YEAR, Day, Days, month_range
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.cutting import Grid, covered, cut_pixels
from banet.grid.region import Region, check_region
from banet.grid.sinusoidal import Ints, Reals
from banet.labels.monthly_files import MISSING, WATER, Layers, MonthlyFile, resolve_year
from banet.labels.quality import QualityBuilder

__all__ = ["DUPLICATE_DAYS", "assemble"]

DUPLICATE_DAYS = SAME_BURN_DAYS
"""A pixel that two months show burned within so many days burned once, on the first of them.

The products' dates are off by up to 8 days, and each month is mapped by itself, so a fire of the last days of
a month may be found again in the first days of the next. A second fire on one pixel within ten days is not
something that a 500 m pixel can show.
"""


@dataclass(frozen=True, eq=False)
class _Burns:
    """Burned pixels of one place: (n,) arrays, indices in its grid.

    Confidence in percent, NaN if unknown; share: part of the pixel that burned.
    """

    grid: Grid
    row: Ints
    col: Ints
    day: Days
    uncertainty: Reals
    confidence: Reals
    share: Reals


def assemble(
    files: list[MonthlyFile],
    read: Callable[[MonthlyFile, Region], Layers],
    region: Region,
    days: tuple[Day, Day],
    *,
    duplicate_days: int = DUPLICATE_DAYS,
    quality: bool = True,
) -> BurnedArea:
    """Read monthly files to a reference.

    A cell is known in a month where its files know at least half of its area. Burned fractions and hectares
    are of the whole cell, what is known to have burned: pixels of which nothing is known add no hectares.
    `known_share` tells their part of the cell, which training targets and evaluation leave out.

    Args:
        files: of one product.
        read: gives the part of a file that can touch the region.
        region: the grid to put them on.
        days: (start, stop), half-open.
        duplicate_days: see `DUPLICATE_DAYS`; 0 keeps everything.
        quality: whether to gather QA, first and last day.

    Raises:
        NotFoundError: if no file touches the region in the period.
        InputError: if files of one place differ in grid.
        UnreadableFileError: if the dates of a file are of another month than its name.

    Warns:
        BanetWarning: if months of the period have no file, or one of their tiles has none. Their days are not
            known there: the period ends with the last month that has a file, and other days are in
            `unknown_days`. Also if a file holds day 366 of a year that has 365: such pixels are not known.
    """
    check_region(region)
    first, stop = days
    months = month_range(first, stop - 1)
    burns: dict[str, list[_Burns]] = {}
    cover = _Coverage(region, quality)
    touched: list[np.datetime64] = []
    notes: list[str] = []
    # The month before tells which pixels burned just before the period and are not to be counted again.
    for month in month_range(months[0] - 1, months[-1]):
        pieces: dict[str, tuple[Grid, Layers]] = {}
        for file in (f for f in files if f.month == month):
            layers = read(file, region)
            if layers.burn.size:
                layers = _dated(layers, file, notes)
                _check_month(layers, file)
                pieces[file.place] = layers.grid, layers
                burns.setdefault(file.place, []).append(_burned(layers, month))
        if month >= months[0] and pieces:
            touched.append(month)
            cover.add_month(month, pieces)
    if not touched:
        raise NotFoundError(
            f"no {files[0].source} file touches {region.name} in {months[0]} to {months[-1]}; "
            f"the files are of {files[0].month} to {files[-1].month}"
        )
    first = max(first, touched[0].astype("datetime64[D]"))
    stop = min(stop, (touched[-1] + 1).astype("datetime64[D]"))
    notes += _lacking(months, cover.places, f"{files[0].source} of {region.name}")
    places = [_once(place, duplicate_days) for place in burns.values()]
    parts = [_fractions(place, region) for place in places]
    dated = DatedFractions.join(parts)
    return BurnedArea.from_dated(
        dated,
        name=files[0].source,
        known=cover.known,
        start=first,
        stop=stop,
        water=cover.water,
        quality=cover.quality,
        confidence=_confidence(places, region, first, stop),
        unknown_days=cover.unknown_days(),
        known_share=cover.known_share(dated.between(first, stop).main_day()[0]),
        notes=notes,
    )


def _lacking(
    months: npt.NDArray[np.datetime64], places: Mapping[np.datetime64, set[str]], what: str
) -> list[str]:
    """Return, and warn by, a line for the months that have no file, and one for the tiles that lack some."""
    everywhere = set[str]().union(*places.values())
    without: dict[str, list[np.datetime64]] = {}
    for month in months:
        for place in sorted(everywhere - places[month]) if month in places else [""]:
            without.setdefault(place, []).append(month)
    notes = []
    for place, lacking in without.items():
        which = "that month" if len(lacking) == 1 else "those months"
        notes.append(
            f"{what}: no file of {', '.join(str(month) for month in lacking)}{place and f' for {place}'}; "
            f"the days of {which} are not known{place and ' there'}"
        )
        warnings.warn(notes[-1], BanetWarning, stacklevel=4)
    return notes


class _Coverage:
    """Cells that the files of each month cover, and what they say of their quality.

    Attributes:
        places: tiles or windows of each month that touch the region.
    """

    def __init__(self, region: Region, quality: bool) -> None:
        self.region = region
        self.places: dict[np.datetime64, set[str]] = {}
        self._builder = QualityBuilder(region) if quality else None
        self._share: dict[np.datetime64, Reals] = {}
        self._water = np.zeros(region.shape)

    def add_month(self, month: np.datetime64, pieces: Mapping[str, tuple[Grid, Layers]]) -> None:
        known, water = np.zeros(self.region.shape), np.zeros(self.region.shape)
        for grid, layers in pieces.values():
            known += covered(grid, layers.burn != MISSING, self.region)
            water += covered(grid, layers.burn == WATER, self.region)
        self.places[month] = set(pieces)
        self._share[month] = np.minimum(known, 1)
        self._water = np.maximum(self._water, water)
        if self._builder is not None:
            self._builder.add_month(month, list(pieces.values()))

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether a cell is known in at least one month."""
        return np.asarray(np.any([known_enough(share) for share in self._share.values()], axis=0), bool)

    def known_share(self, date: Days) -> npt.NDArray[np.float32] | None:
        """Return the part of each cell that is known; see `banet.burned_area.known_part.over_time`."""
        return over_time(self._share, date)

    def unknown_days(self) -> list[UnknownDays]:
        """Return the months, between those with a file, of which nothing is known of some known cells."""
        known, touched = self.known, sorted(self._share)
        found = []
        for month in month_range(touched[0], touched[-1]):
            cells = known & ~known_enough(self._share[month]) if month in self._share else known
            if cells.any():
                start, stop = (each.astype("datetime64[D]") for each in (month, month + 1))
                found.append(UnknownDays(start, stop, cells))
        return found

    @property
    def water(self) -> npt.NDArray[np.bool_]:
        return self._water > 0.5

    @property
    def quality(self) -> Quality | None:
        return self._builder.build() if self._builder is not None and self._builder.any else None


def _dated(layers: Layers, file: MonthlyFile, notes: list[str]) -> Layers:
    """Return layers whose every burn date is a day of the calendar; note and warn of others, left out."""
    burned = layers.burn > 0
    none = burned & np.isnat(resolve_year(layers.burn, file.month))
    if not none.any():
        return layers
    notes.append(
        f"{file.path.name}: {int(none.sum())} of {int(burned.sum())} burn dates are day {LAST_DAY_OF_YEAR} "
        "of a year that has 365; these pixels are not known"
    )
    warnings.warn(notes[-1], BanetWarning, stacklevel=4)
    return replace(layers, burn=np.where(none, np.int16(MISSING), layers.burn))


def _check_month(layers: Layers, file: MonthlyFile) -> None:
    """Make sure that the dates of a file are of its month, or a few days outside."""
    dates = resolve_year(np.unique(layers.burn[layers.burn > 0]), file.month)
    if not dates.size or (dates.astype("datetime64[M]") == file.month).any():
        return
    first, last = file.month.astype("datetime64[D]"), (file.month + 1).astype("datetime64[D]") - 1
    far = max(first - dates.min(), dates.max() - last)
    if far.astype(np.int64) > DUPLICATE_DAYS:
        raise UnreadableFileError(
            f"{file.path.name}: its burn dates are of {dates.min()} to {dates.max()}, none of {file.month}, "
            "the month of its name; was it renamed?"
        )


def _burned(layers: Layers, month: np.datetime64) -> _Burns:
    row, col = np.nonzero(layers.burn > 0)
    day = resolve_year(layers.burn[row, col], month)
    planes = (layers.uncertainty, layers.confidence)
    known = (np.full(row.size, np.nan) if p is None else p[row, col].astype(np.float64) for p in planes)
    share = np.ones(row.size) if layers.fraction is None else layers.fraction[row, col].astype(np.float64)
    uncertainty, confidence = known
    return _Burns(layers.grid, row, col, day, uncertainty, confidence, share)


def _once(months: list[_Burns], within: int) -> _Burns:
    """Join the months of one place, keeping the first of the dates of a pixel that lie close together."""
    grid = months[0].grid
    if any(month.grid != grid for month in months):
        raise InputError("the files of one tile or window differ in grid; give files of one product and size")
    parts = {
        name: np.concatenate([getattr(month, name) for month in months])
        for name in ("row", "col", "day", "uncertainty", "confidence", "share")
    }
    row, col, day = parts["row"], parts["col"], parts["day"]
    order = np.lexsort((day, col, row))
    row, col, day = row[order], col[order], day[order]
    again = np.zeros(row.size, bool)
    same = (row[1:] == row[:-1]) & (col[1:] == col[:-1])
    again[1:] = same & (np.diff(day).astype(np.int64) <= within) & (within > 0)
    return _Burns(grid, **{name: part[order[~again]] for name, part in parts.items()})


def _fractions(burns: _Burns, region: Region) -> DatedFractions:
    cuts = cut_pixels(burns.grid, burns.row, burns.col, region)
    return DatedFractions.from_pieces(
        region,
        cuts.row,
        cuts.col,
        burns.day[cuts.run],
        cuts.fraction * burns.share[cuts.run],
        burns.uncertainty[cuts.run],
    )


def _confidence(
    places: list[_Burns], region: Region, first: Day, stop: Day
) -> npt.NDArray[np.float32] | None:
    """Area mean of the confidence of what burned in each cell on some days; None where none is stated."""
    if not any(np.isfinite(place.confidence).any() for place in places):
        return None
    weight, total = np.zeros(region.shape), np.zeros(region.shape)
    for place in places:
        cuts = cut_pixels(place.grid, place.row, place.col, region)
        inside = (place.day >= first) & (place.day < stop)
        known = (inside & np.isfinite(place.confidence))[cuts.run]
        at, part = (cuts.row[known], cuts.col[known]), cuts.fraction[known]
        np.add.at(weight, at, part)
        np.add.at(total, at, part * place.confidence[cuts.run][known])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)
