"""A map and a reference brought together: one grid, one period, and the cells that both could see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.burned_area.dated import NO_UNCERTAINTY, DatedFractions
from banet.burned_area.reference import Reference, regrid
from banet.days import Day, Days, as_day
from banet.errors import InputError
from banet.grid.average import LatLonGrid, average
from banet.grid.region import Region

if TYPE_CHECKING:
    from banet.burned_area.burnmap import BurnMap

__all__ = ["Comparison", "Side", "common_grid", "compare"]

_NAT = np.datetime64("NaT", "D")
_HALF = 0.5 - 1e-9


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two things compared, map or reference, in the same terms.

    Attributes:
        region: the grid.
        fraction: burned part of each cell, (rows, columns) float64; 0 where nothing is known.
        date: day that the cell counts on, (rows, columns) datetime64[D]; NaT where none is given.
        uncertainty: days, (rows, columns) float64; NaN where not stated.
        seen: cells of which something is known, (rows, columns) bool.
        confidence: stated chance of having burned, (rows, columns) float64 in 0..1; the burned fraction where
            the source states none.
        start, stop: the days covered, half-open; None where not stated.
    """

    region: Region
    fraction: npt.NDArray[np.floating[Any]]
    date: Days
    uncertainty: npt.NDArray[np.float64]
    seen: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.floating[Any]]
    start: Day | None = None
    stop: Day | None = None

    @classmethod
    def of(cls, source: BurnMap | Reference | Side) -> Side:
        """Take a map or a reference. Water is known, and did not burn.

        Raises:
            InputError: if it is neither.
        """
        if isinstance(source, Side):
            return source
        if isinstance(source, Reference):
            seen, spread = source.valid, source.uncertainty
        elif hasattr(source, "observed_days"):
            seen = (source.observed_days > 0) | source.water | source.burned
            spread = source.uncertainty
        else:
            raise InputError(f"a {type(source).__name__} is neither a map nor a reference")
        stated = np.full(seen.shape, np.nan)
        if spread is not None:
            stated[spread != NO_UNCERTAINTY] = spread[spread != NO_UNCERTAINTY]
        known: npt.NDArray[np.float64] = np.zeros(seen.shape, np.float64)
        known[seen] = np.nan_to_num(source.burned_fraction[seen])
        sure = _confidence(source, known)
        return cls(source.region, known, source.burn_date, stated, seen, sure, source.start, source.stop)

    def to(self, region: Region) -> Side:
        """Return it on another grid, by area; a cell is seen where at least half of it is."""
        if region == self.region:
            return self
        grid = LatLonGrid.of(self.region)
        row, col = np.nonzero(~np.isnat(self.date) & (self.fraction > 0))
        dated = DatedFractions.from_pieces(
            self.region,
            row,
            col,
            self.date[row, col],
            self.fraction[row, col],
            self.uncertainty[row, col],
        )
        date, spread = regrid(dated, region).main_day()
        return Side(
            region,
            average(grid, self.fraction, region),
            date,
            np.where(spread == NO_UNCERTAINTY, np.nan, spread),
            average(grid, self.seen, region) >= _HALF,
            average(grid, self.confidence, region),
            self.start,
            self.stop,
        )

    def within(self, start: Day, stop: Day) -> Side:
        """Return it with cells dated outside the days as unburned; undated ones stay."""
        outside = (self.date < start) | (self.date >= stop)
        return replace(
            self,
            fraction=np.where(outside, 0, self.fraction),
            confidence=np.where(outside, 0, self.confidence),
            date=np.where(outside, _NAT, self.date),
            uncertainty=np.where(outside, np.nan, self.uncertainty),
        )


def _confidence(source: Any, fraction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the stated confidence in 0..1; percent in the source, above 100 or NaN where it says nothing."""
    percent = getattr(source, "confidence", None)
    if percent is None:
        return fraction
    value = np.asarray(percent, np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(value <= 100, value / 100, fraction)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A map and a reference, cell by cell on one grid.

    Attributes:
        region: the grid.
        area: hectares of each cell, (rows, columns) float64.
        valid: cells that count, (rows, columns) bool.
        unseen: cells that the reference knows and the map did not observe, (rows, columns) bool.
        map_fraction, reference_fraction: burned part of the cell, (rows, columns) float64 in 0..1.
        map_burned, reference_burned: whether it reaches the threshold, (rows, columns) bool.
        map_date, reference_date: (rows, columns) datetime64[D], NaT where not burned or not dated.
        map_uncertainty: days, (rows, columns) float64, NaN where not stated.
        map_confidence: (rows, columns) float64 in 0..1.
        start, stop: the days compared, half-open; None where neither side says.
    """

    region: Region
    area: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    unseen: npt.NDArray[np.bool_]
    map_fraction: npt.NDArray[np.floating[Any]]
    reference_fraction: npt.NDArray[np.floating[Any]]
    map_burned: npt.NDArray[np.bool_]
    reference_burned: npt.NDArray[np.bool_]
    map_date: Days
    reference_date: Days
    map_uncertainty: npt.NDArray[np.float64]
    map_confidence: npt.NDArray[np.floating[Any]]
    start: Day | None = None
    stop: Day | None = None

    def narrowed(self, keep: npt.NDArray[np.bool_]) -> Comparison:
        """Return the comparison over fewer cells, such as one land cover or one fire.

        Raises:
            InputError: if the mask has another shape.
        """
        if keep.shape != self.region.shape:
            raise InputError(f"a mask of {keep.shape} does not fit the {self.region.shape} cells compared")
        return replace(self, valid=self.valid & keep, unseen=self.unseen & keep)

    @property
    def date_difference(self) -> npt.NDArray[np.int64]:
        """Days from the reference's date to the map's in valid cells that both show burned and date, (n,)."""
        both = self.valid & self.map_burned & self.reference_burned
        both &= ~np.isnat(self.map_date) & ~np.isnat(self.reference_date)
        return (self.map_date[both] - self.reference_date[both]).astype(np.int64)


def compare(
    burnmap: BurnMap | Reference | Side,
    reference: BurnMap | Reference | Side,
    *,
    threshold: float | None = None,
    reference_threshold: float = 0.5,
    days: tuple[Any, Any] | None = None,
    exclude_within: float | None = None,
    valid: npt.NDArray[np.bool_] | None = None,
    unobserved: Literal["exclude", "unburned"] = "exclude",
    reliable: bool = False,
) -> Comparison:
    """Bring a map and a reference together.

    Where the grids differ, both are averaged by area to the coarser one. Each cell counts whole on the day on
    which most of it burned; where that day lies outside the compared days, it counts as unburned.

    Args:
        burnmap: the map (or another reference) to judge.
        reference: what it is held against.
        threshold: burned fraction from which a cell of the map counts as burned; None for the map's own.
        reference_threshold: the same for the reference.
        days: (start, stop), half-open, to compare; None for the days that both cover.
        exclude_within: leave out cells within so many cells (between centres) of what the reference shows
            burned outside the days, unless they burned within them; None leaves out nothing.
        valid: cells of the reference's grid that may count, where the grids are the same.
        unobserved: what to do with cells that the map did not observe: leave them out, or count them as
            mapped unburned.
        reliable: leave out cells for which the reference, such as MCD64A1 with its First Day and Last Day,
            does not say that it saw all the compared days reliably. References that say nothing of this stay.

    Raises:
        InputError: if the two have no cell or no day in common, or `valid` has another shape.
    """
    mine, theirs = Side.of(burnmap), Side.of(reference)
    least = _own_threshold(burnmap) if threshold is None else threshold
    region = common_grid(mine, theirs)
    start, stop = _common_days(mine, theirs, days)
    if reliable:
        theirs = _reliable(theirs, reference, start, stop)
    mine, theirs = mine.to(region), theirs.to(region)
    others = _burned(theirs, reference_threshold)
    if start is not None and stop is not None:
        mine = mine.within(start, stop)
        theirs, whole = theirs.within(start, stop), others
        others = whole & ~_burned(theirs, reference_threshold)
    known = theirs.seen & _allowed(valid, region)
    if exclude_within is not None and others.any() and start is not None:
        near = ndimage.distance_transform_edt(~others) <= exclude_within
        known &= ~near | _burned(theirs, reference_threshold)
    unseen = known & ~mine.seen
    counted = known & mine.seen if unobserved == "exclude" else known
    if not (counted.any() or unseen.any()):
        raise InputError(
            f"the map of {mine.region.name} and the reference of {theirs.region.name} have no valid cell in "
            "common; do they cover the same place?"
        )
    return Comparison(
        region=region,
        area=np.broadcast_to(region.cell_area_ha[:, None], region.shape),
        valid=counted,
        unseen=unseen,
        map_fraction=np.clip(mine.fraction, 0, 1),
        reference_fraction=np.clip(theirs.fraction, 0, 1),
        map_burned=_burned(mine, least),
        reference_burned=_burned(theirs, reference_threshold),
        map_date=mine.date,
        reference_date=theirs.date,
        map_uncertainty=mine.uncertainty,
        map_confidence=np.clip(mine.confidence, 0, 1),
        start=start,
        stop=stop,
    )


def common_grid(one: Any, other: Any) -> Region:
    """Return the grid on which two maps or references are compared: the coarser of the two."""
    mine: Region = one.region
    theirs: Region = other.region
    return mine if mine.pixel_size >= theirs.pixel_size else theirs


def _reliable(side: Side, reference: Any, start: Day | None, stop: Day | None) -> Side:
    quality = getattr(reference, "quality", None)
    if quality is None or start is None or stop is None:
        return side
    # NaT, where the product says nothing, compares as false.
    whole = (quality.first_day <= start) & (quality.last_day >= stop - np.timedelta64(1, "D"))
    return replace(side, seen=side.seen & whole)


def _own_threshold(source: Any) -> float:
    return float(getattr(source, "threshold", 0.5))


def _burned(side: Side, threshold: float) -> npt.NDArray[np.bool_]:
    # Fractions come as float32: half of a cell must not fail to be half by rounding.
    burned: npt.NDArray[np.bool_] = (side.fraction >= threshold - 1e-6) & (side.fraction > 0)
    return burned


def _allowed(valid: npt.NDArray[np.bool_] | None, region: Region) -> npt.NDArray[np.bool_]:
    if valid is None:
        return np.ones(region.shape, bool)
    if valid.shape != region.shape:
        raise InputError(f"the validity mask is {valid.shape}; the grid compared is {region.shape}")
    return np.asarray(valid, bool)


def _common_days(mine: Side, theirs: Side, days: tuple[Any, Any] | None) -> tuple[Day | None, Day | None]:
    if days is not None:
        start, stop = as_day(days[0]), as_day(days[1])
        if stop <= start:
            raise InputError(f"the days to compare, {start} to {stop} (not included), hold no day")
        return start, stop
    starts = [side.start for side in (mine, theirs) if side.start is not None]
    stops = [side.stop for side in (mine, theirs) if side.stop is not None]
    if not starts or not stops:
        return None, None
    start, stop = max(starts), min(stops)
    if stop <= start:
        raise InputError(
            f"the map ({mine.start} to {mine.stop}) and the reference ({theirs.start} to {theirs.stop}) "
            "have no day in common"
        )
    return start, stop
