"""What a map is trained on and held against: where, how much and when each cell of a region burned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dated import NO_UNCERTAINTY, DatedFractions
from banet.days import Day, Days, as_day, as_month
from banet.errors import InputError
from banet.grid.average import LatLonGrid, average, cut_cells
from banet.grid.region import Region

if TYPE_CHECKING:
    from banet.burned_area.burnmap import BurnMap

__all__ = ["Quality", "Reference", "daily_fraction", "period", "regrid"]

_KNOWN_ENOUGH = 0.5
"""A cell counts as known where no more than half of its area is missing from the source."""


@dataclass(frozen=True, eq=False)
class Quality:
    """What a burned-area product says of its own quality, by cell.

    Attributes:
        first_day, last_day: days between which all pixels of the cell could be mapped reliably,
            (rows, columns) datetime64[D]; NaT where the product says nothing.
        qa: the product's QA bits that hold on most of the cell's mapped area, (rows, columns) uint8
            (MCD64A1: bit 0 land, 1 enough valid data, 2 shortened period, 3 relabelled, 5-7 special code).
    """

    first_day: Days
    last_day: Days
    qa: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Reference:
    """Burned fraction and date of each cell of a region, from any source other than the map to be judged.

    Attributes:
        region: where the cells are.
        burned_fraction: part of the cell's area that burned, (rows, columns) float32; NaN = not known.
        burn_date: day on which most of it burned, (rows, columns) datetime64[D]; NaT where nothing did.
        uncertainty: days, (rows, columns) uint8, 255 where not known; None if the source gives none.
        valid: cells that the source knows, (rows, columns) bool. Water is known, and unburned.
        name: of the source, such as `VNP64A1.002`.
        start, stop: the days that it covers, half-open; None if it does not say.
        dated: the fractions by day, where the source gives more than one date a cell.
        water: cells mostly under water, (rows, columns) bool; None if the source does not tell.
        quality: of products that carry it.
        confidence: percent, mean over what burned in the cell, (rows, columns) float32, NaN where nothing
            did; None if the source gives none.
        notes: a line for whatever was left out.

    Raises:
        InputError: if shapes differ from the region's, or a burned cell has no date.
    """

    region: Region
    burned_fraction: npt.NDArray[np.float32]
    burn_date: Days
    uncertainty: npt.NDArray[np.uint8] | None
    valid: npt.NDArray[np.bool_]
    name: str
    start: Day | None = None
    stop: Day | None = None
    dated: DatedFractions | None = None
    water: npt.NDArray[np.bool_] | None = None
    quality: Quality | None = None
    confidence: npt.NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("burned_fraction", "burn_date", "uncertainty", "valid", "water", "confidence"):
            plane = getattr(self, name)
            if plane is not None and plane.shape != self.region.shape:
                raise InputError(
                    f"reference {self.name}: {name} is {plane.shape}, the region {self.region.name} "
                    f"is {self.region.shape}"
                )
        undated = (self.burned_fraction > 0) & np.isnat(self.burn_date)
        if undated.any():
            raise InputError(f"reference {self.name}: {int(undated.sum())} burned cells have no burn date")

    @classmethod
    def from_dated(
        cls,
        dated: DatedFractions,
        *,
        name: str,
        valid: npt.NDArray[np.bool_] | None = None,
        start: Day | None = None,
        stop: Day | None = None,
        water: npt.NDArray[np.bool_] | None = None,
        quality: Quality | None = None,
        confidence: npt.NDArray[np.float32] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Reference:
        """Make a reference from fractions by day, kept to `start`..`stop` where these are given.

        Cells that are not `valid` get NaN as burned fraction; None means that all are known.
        """
        first = dated.day.min() if start is None and dated.day.size else start
        last = dated.day.max() + 1 if stop is None and dated.day.size else stop
        kept = dated if first is None or last is None else dated.between(first, last)
        known = np.ones(dated.region.shape, bool) if valid is None else valid
        date, spread = kept.main_day()
        stated = None if np.isnan(kept.uncertainty).all() else spread
        fraction = np.where(known, kept.total(), np.nan).astype(np.float32)
        return cls(
            region=dated.region,
            burned_fraction=fraction,
            burn_date=date,
            uncertainty=stated,
            valid=known,
            name=name,
            start=start,
            stop=stop,
            dated=kept,
            water=water,
            quality=quality,
            confidence=confidence,
            notes=notes,
        )

    @classmethod
    def from_map(cls, burnmap: BurnMap, name: str = "map") -> Reference:
        """Take a map as the reference: what it observed is known, what it shows burned is burned.

        Fractions below the map's threshold, which carry no date, count as unburned.
        """
        burned = np.asarray(burnmap.burned)
        water = np.asarray(burnmap.water, bool)
        known = np.asarray(burnmap.observed_days) > 0
        fraction = np.where(burned, burnmap.burned_fraction, 0)
        fraction = np.where(known | burned | water, fraction, np.nan).astype(np.float32)
        date = np.where(burned, burnmap.burn_date, np.datetime64("NaT", "D"))
        valid = np.isfinite(fraction)
        spread = np.where(burned, burnmap.uncertainty, NO_UNCERTAINTY).astype(np.uint8)
        return cls(
            burnmap.region, fraction, date, spread, valid, name, burnmap.start, burnmap.stop, water=water
        )

    @property
    def burned_area_ha(self) -> float:
        """Burned hectares of the known cells, on the WGS84 ellipsoid."""
        return float(np.nansum(self.burned_fraction * self.region.cell_area_ha[:, None]))

    def dates(self) -> DatedFractions:
        """Return the fractions by day; where the source has one date a cell, the whole fraction is on it."""
        if self.dated is not None:
            return self.dated
        row, col = np.nonzero(self.burned_fraction > 0)
        spread = None
        if self.uncertainty is not None:
            days = self.uncertainty[row, col]
            spread = np.where(days == NO_UNCERTAINTY, np.nan, days)
        return DatedFractions.from_pieces(
            self.region, row, col, self.burn_date[row, col], self.burned_fraction[row, col], spread
        )

    def between(self, start: Any, stop: Any) -> Reference:
        """Return what burned from `start` up to, not including, `stop`; other cells become unburned."""
        first, last = as_day(start), as_day(stop)
        return self.from_dated(
            self.dates(),
            name=self.name,
            valid=self.valid,
            start=first if self.start is None else max(first, self.start),
            stop=last if self.stop is None else min(last, self.stop),
            water=self.water,
            quality=self.quality,
            confidence=self.confidence,
            notes=self.notes,
        )

    def to(self, region: Region) -> Reference:
        """Return the reference on another region's grid, by area: hectares stay what they were.

        A cell is known where the source knows at least half of its area. Quality is not carried over.
        """
        if region == self.region:
            return self
        grid = LatLonGrid.of(self.region)
        valid = average(grid, self.valid, region) >= _KNOWN_ENOUGH - 1e-9
        water = None if self.water is None else average(grid, self.water, region) > _KNOWN_ENOUGH
        return self.from_dated(
            regrid(self.dates(), region),
            name=self.name,
            valid=valid,
            start=self.start,
            stop=self.stop,
            water=water,
            notes=self.notes,
        )


def regrid(dated: DatedFractions, region: Region) -> DatedFractions:
    """Return dated fractions on another region's grid, each share of area going where it lies."""
    cuts = cut_cells(LatLonGrid.of(dated.region), dated.row, dated.col, region)
    return DatedFractions.from_pieces(
        region,
        cuts.row,
        cuts.col,
        dated.day[cuts.run],
        dated.fraction[cuts.run] * cuts.fraction,
        dated.uncertainty[cuts.run],
    )


def daily_fraction(reference: Reference, days: Days) -> npt.NDArray[np.float32]:
    """Return the fraction of each cell that burned on each day: the target that a network learns.

    Args:
        reference: where and when it burned.
        days: (T,) datetime64[D], all different, in any order.

    Returns:
        (T, rows, columns) float32; NaN in cells that the reference does not know. What burned on other days
        is left out.
    """
    target = reference.dates().daily(days)
    target[:, ~reference.valid] = np.nan
    return target


def period(start: Any, end: Any) -> tuple[Day, Day]:
    """Return the half-open range of days from `start` to `end`, both included; either may be a month.

    Raises:
        InputError: if it ends before it starts.

    >>> period("2021-08", "2021-08")
    (np.datetime64('2021-08-01'), np.datetime64('2021-09-01'))
    """
    first = _day_or_month(start, 0)
    stop = _day_or_month(end, 1)
    if stop <= first:
        raise InputError(f"the period ends ({stop - 1}) before it starts ({first})")
    return first, stop


def _day_or_month(value: Any, after: int) -> Day:
    is_month = isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] == "M"
    if is_month or (isinstance(value, str) and len(value.strip()) == 7):
        return as_day((as_month(value) + after).astype("datetime64[D]"))
    return as_day(value) + np.timedelta64(after, "D")
