"""Monthly burned-area files, of whatever product, to one reference: months joined, pixels cut to cells."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import UNKNOWN_DAYS, BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.burned_area.quality import Quality
from banet.days import Day, Days, month_range
from banet.errors import BanetWarning, InputError, NotFoundError
from banet.grid.cutting import Grid, covered, cut_pixels
from banet.grid.region import Region
from banet.grid.sinusoidal import Ints, Reals
from banet.labels.monthly_files import MISSING, WATER, Layers, MonthlyFile, resolve_year
from banet.labels.quality import QualityBuilder

__all__ = ["DUPLICATE_DAYS", "assemble"]

DUPLICATE_DAYS = 10
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

    Warns:
        BanetWarning: if months of the period have no file. Their days are not known: the period ends with the
            last month that has one, and months between are in the attribute `unknown_days`.
    """
    first, stop = days
    months = month_range(first, stop - 1)
    burns: dict[str, list[_Burns]] = {}
    cover = _Coverage(region, quality)
    touched: list[np.datetime64] = []
    # The month before tells which pixels burned just before the period and are not to be counted again.
    for month in month_range(months[0] - 1, months[-1]):
        pieces = []
        for file in (f for f in files if f.month == month):
            layers = read(file, region)
            if layers.burn.size:
                pieces.append((layers.grid, layers))
                burns.setdefault(file.place, []).append(_burned(layers, month))
        if month >= months[0] and pieces:
            touched.append(month)
            cover.add_month(month, pieces)
    if not touched:
        raise NotFoundError(
            f"no {files[0].source} file touches {region.name} in {months[0]} to {months[-1]}; "
            f"the files are of {files[0].month} to {files[-1].month}"
        )
    first, stop, unknown, notes = _months_without(
        months, touched, days, f"{files[0].source} of {region.name}"
    )
    places = [_once(place, duplicate_days) for place in burns.values()]
    parts = [_fractions(place, region) for place in places]
    found = BurnedArea.from_dated(
        DatedFractions.join(parts),
        name=files[0].source,
        known=cover.known,
        start=first,
        stop=stop,
        water=cover.water,
        quality=cover.quality,
        confidence=_confidence(places, region),
        notes=notes,
    )
    return replace(found, attrs={**found.attrs, UNKNOWN_DAYS: unknown}) if unknown else found


def _months_without(
    months: npt.NDArray[np.datetime64], touched: list[np.datetime64], days: tuple[Day, Day], what: str
) -> tuple[Day, Day, list[list[str]], list[str]]:
    """Tell of the months that have no file: nothing is known of their days, of others it is.

    Returns:
        first day and the day after the last that the files speak of; first and last days of the months
        without a file between them; a line that names all months without one.
    """
    lacking = [month for month in months if month not in touched]
    start = max(days[0], touched[0].astype("datetime64[D]"))
    stop = min(days[1], (touched[-1] + 1).astype("datetime64[D]"))
    if not lacking:
        return start, stop, [], []
    note = (
        f"{what}: no file of {', '.join(str(month) for month in lacking)}; "
        f"the days of {'that month' if len(lacking) == 1 else 'those months'} are not known"
    )
    warnings.warn(note, BanetWarning, stacklevel=4)
    inner = [month for month in lacking if touched[0] < month < touched[-1]]
    unknown = [
        [str(month.astype("datetime64[D]")), str((month + 1).astype("datetime64[D]") - 1)] for month in inner
    ]
    return start, stop, unknown, [note]


class _Coverage:
    """What the files of each month cover of a region, and what they say of its quality."""

    def __init__(self, region: Region, quality: bool) -> None:
        self.region = region
        self._builder = QualityBuilder(region) if quality else None
        self._known = np.ones(region.shape)
        self._water = np.zeros(region.shape)

    def add_month(self, month: np.datetime64, pieces: list[tuple[Grid, Layers]]) -> None:
        known, water = np.zeros(self.region.shape), np.zeros(self.region.shape)
        for grid, layers in pieces:
            known += covered(grid, layers.burn != MISSING, self.region)
            water += covered(grid, layers.burn == WATER, self.region)
        self._known = np.minimum(self._known, known)
        self._water = np.maximum(self._water, water)
        if self._builder is not None:
            self._builder.add_month(month, pieces)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        return self._known >= 0.5

    @property
    def water(self) -> npt.NDArray[np.bool_]:
        return self._water > 0.5

    @property
    def quality(self) -> Quality | None:
        return self._builder.build() if self._builder is not None and self._builder.any else None


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


def _confidence(places: list[_Burns], region: Region) -> npt.NDArray[np.float32] | None:
    """Area mean of the confidence of what burned in each cell; None where the product states none."""
    if not any(np.isfinite(place.confidence).any() for place in places):
        return None
    weight, total = np.zeros(region.shape), np.zeros(region.shape)
    for place in places:
        cuts = cut_pixels(place.grid, place.row, place.col, region)
        known = np.isfinite(place.confidence[cuts.run])
        at, part = (cuts.row[known], cuts.col[known]), cuts.fraction[known]
        np.add.at(weight, at, part)
        np.add.at(total, at, part * place.confidence[cuts.run][known])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)
