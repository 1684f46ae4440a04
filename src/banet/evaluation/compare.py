"""A map and a reference brought together: one grid, one period, and the cells that both could see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.joining import undated_period
from banet.burned_area.unknown import UnknownDays, comparable, within
from banet.days import NO_DATE, Day, Days, as_day
from banet.errors import InputError
from banet.grid.average import LatLonGrid, average
from banet.grid.labelled import plane_on
from banet.grid.region import Region
from banet.io.settings import Frozen

__all__ = ["Comparison", "common_grid", "compare"]

_HALF = 0.5

Bools = npt.NDArray[np.bool_]
Threshold = Annotated[float, Field(gt=0, le=1)]


class Comparing(Frozen):
    """Options of `compare`.

    Attributes:
        threshold: burned fraction from which a cell of the map counts as burned; None for the map's own.
        reference_threshold: the same for the reference.
        exclude_within: leave out cells within so many cells (between centres) of what the reference shows
            burned outside the days, unless they burned within them; None leaves out nothing.
        unobserved: what to do with cells that the map did not observe: leave them out, or count them as
            mapped unburned.
        reliable: leave out cells for which the reference, such as MCD64A1 with its First Day and Last Day,
            does not say that it saw all the compared days reliably. References that say nothing of this stay.
    """

    threshold: Threshold | None = None
    reference_threshold: Threshold = 0.5
    exclude_within: Annotated[float, Field(ge=0)] | None = None
    unobserved: Literal["exclude", "unburned"] = "exclude"
    reliable: bool = False

    @classmethod
    def asked(cls, function: str, settings: Mapping[str, Any], *own: str) -> Self:
        """Return the options among the keywords of a function that compares, such as `score`.

        Args:
            function: its name, for errors.
            settings: what it hands on to `compare`: options, `days` and `valid`.
            own: further keywords of its own, for the advice on one that does not exist.

        Raises:
            TypeError: if there is no such option.
            InputError: if a value does not fit.
        """
        options = {name: one for name, one in settings.items() if name not in ("days", "valid")}
        return cls.of_keywords(function, options, ("days", "valid", *own))

    def map_threshold(self, burnmap: BurnedArea) -> float:
        """Return the burned fraction from which a cell of this map counts as burned."""
        return self.threshold or burnmap.dated_from or _HALF


@dataclass(frozen=True, eq=False)
class Comparison:
    """A map and a reference, cell by cell on one grid.

    Attributes:
        region: the grid.
        area: hectares of each cell, without the part that a side of finer cells or pixels does not know (of
            two parts the smaller counts), (rows, columns) float64.
        valid: cells that count, (rows, columns) bool.
        unseen: cells that the reference knows and the map did not observe, (rows, columns) bool.
        map_fraction, reference_fraction: burned part of what is known of the cell, (rows, columns) float64 in
            0..1.
        map_burned, reference_burned: whether it reaches the threshold, (rows, columns) bool.
        reference_known: cells of which the reference says something on these days, (rows, columns) bool,
            whether they count or not.
        map_date, reference_date: (rows, columns) datetime64[D], NaT where not burned or not dated.
        map_uncertainty: days, (rows, columns) float64, NaN where not stated.
        map_first_look: days from the date to the first look on a later day, (rows, columns) float64, NaN
            where not seen again or not told.
        map_confidence: (rows, columns) float64 in 0..1.
        start, stop: the days compared, half-open.
        map_unknown_days, reference_unknown_days: those of them on which a side says nothing of some cells;
            empty for the map where what it did not observe counts as unburned.
    """

    region: Region
    area: npt.NDArray[np.float64]
    valid: Bools
    unseen: Bools
    map_fraction: npt.NDArray[np.floating[Any]]
    reference_fraction: npt.NDArray[np.floating[Any]]
    map_burned: Bools
    reference_burned: Bools
    reference_known: Bools
    map_date: Days
    reference_date: Days
    map_uncertainty: npt.NDArray[np.float64]
    map_first_look: npt.NDArray[np.float64]
    map_confidence: npt.NDArray[np.floating[Any]]
    start: Day
    stop: Day
    map_unknown_days: tuple[UnknownDays, ...] = ()
    reference_unknown_days: tuple[UnknownDays, ...] = ()

    def holds(self, first: Day, after: Day) -> bool:
        """Return whether the days compared hold all from `first` up to, not including, `after`."""
        return _hold((self.start, self.stop), first, after)

    def narrowed(self, keep: Bools) -> Comparison:
        """Return the comparison over fewer cells, such as one land cover or one fire.

        Raises:
            InputError: if the mask has another shape.
        """
        if keep.shape != self.region.shape:
            raise InputError(f"a mask of {keep.shape} does not fit the {self.region.shape} cells compared")
        return replace(self, valid=self.valid & keep, unseen=self.unseen & keep)


def _side(
    source: BurnedArea, known: Bools, share: npt.NDArray[np.float64], days: tuple[Day, Day], threshold: float
) -> dict[str, Any]:
    """Return the planes of a side; nothing burned where it is not known or is dated outside the days.

    `share` is the part of each cell that the side knows: that part decides what the cell is.
    """
    outside = (source.burn_date < days[0]) | (source.burn_date >= days[1])
    part = np.where(known, share, 1)
    fraction = np.where(known, np.nan_to_num(source.burned_fraction), 0).astype(np.float64) / part
    # Fractions come as float32: half of a cell must not fail to be half by rounding.
    burned = (fraction >= threshold - 1e-6) & (fraction > 0)
    stated = source.stated_confidence
    percent = (source.confidence if stated is None else stated).astype(np.float64)
    with np.errstate(invalid="ignore"):
        sure = np.where(percent <= 100, percent / part / 100, fraction)
    return {
        "fraction": np.clip(np.where(outside, 0, fraction), 0, 1),
        "burned": burned & ~outside,
        "date": np.where(outside, NO_DATE, source.burn_date),
        "uncertainty": _days(source.uncertainty, outside),
        "first_look": _days(source.first_look, outside),
        "confidence": np.clip(np.where(outside, 0, sure), 0, 1),
        "burned_outside": burned & outside,
    }


def _days(plane: npt.NDArray[np.uint8] | None, outside: Bools) -> npt.NDArray[np.float64]:
    """Return a plane of days as numbers, NaN where it says nothing."""
    if plane is None:
        return np.full(outside.shape, np.nan)
    return np.where(outside | (plane == NO_UNCERTAINTY), np.nan, plane)


def _without_undated(side: dict[str, Any], source: BurnedArea, days: tuple[Day, Day]) -> dict[str, Any]:
    """Return the planes of a side without what has no date, where that may have burned on other days.

    A fraction without a date is of the whole period of its source, of which nobody can cut a part.
    """
    if _hold(days, *undated_period(source)):
        return side
    gone = np.isnat(side["date"])
    nothing = {name: np.where(gone, 0, side[name]) for name in ("fraction", "confidence")}
    return side | nothing | {"burned": side["burned"] & ~gone}


def _hold(days: tuple[Day, Day], first: Day, after: Day) -> bool:
    return bool(days[0] <= first and after <= days[1])


def compare(
    burnmap: BurnedArea,
    reference: BurnedArea,
    *,
    days: tuple[Any, Any] | None = None,
    valid: Bools | None = None,
    **options: Any,
) -> Comparison:
    """Bring a map and a reference together.

    Where the grids differ, both are averaged by area to the coarser one. A cell of which a side knows less
    than half, there or in the pixels of a product read onto the grid, is not known; of another the part that
    it knows decides, and that part alone counts: the smaller part where both know one. Each cell counts
    whole on the day on which most of it burned; where that day lies outside the compared days, it counts as
    unburned. Cells that one side shows burned on a day of which the other says nothing, such as a
    month without a file, are left out. Of a source of further days, cells without a date count as unburned:
    their fractions may be of any of its days. Water is known: what its source shows burned did.

    Args:
        burnmap: the map (or another reference) to judge.
        reference: what it is held against.
        days: (start, stop), half-open, to compare, of those that both cover; None for all of these.
        valid: cells of the compared grid that may count, (rows, columns); a `DataArray` is turned by its
            coordinates.
        options: fields of `Comparing`: threshold, reference_threshold, exclude_within, unobserved, reliable.

    Raises:
        InputError: if the two have no cell or no day in common, `valid` has another shape, or an option is
            none of its choices.
        TypeError: if there is no such option.
    """
    asked = Comparing.asked("compare", options)
    for source in (burnmap, reference):
        if not isinstance(source, BurnedArea):
            raise InputError(f"a {type(source).__name__} is neither a map nor a reference")
    region = common_grid(burnmap, reference)
    start, stop = _common_days(burnmap, reference, days)
    mapped, expected = burnmap.to(region), reference.to(region)
    # Water is known, whether or not anybody saw it.
    seen, known = (one.known | one.water for one in (mapped, expected))
    seen &= comparable(mapped.unknown_days, start, stop, expected.burn_date)
    known &= comparable(expected.unknown_days, start, stop, mapped.burn_date)
    counting = asked.unobserved == "unburned"
    mine_share = np.ones(region.shape) if counting else mapped.known_part
    their_share = expected.known_part
    mine = _side(mapped, seen, mine_share, (start, stop), asked.map_threshold(burnmap))
    theirs = _side(expected, known, their_share, (start, stop), asked.reference_threshold)
    mine, theirs = (
        _without_undated(side, source, (start, stop))
        for side, source in ((mine, burnmap), (theirs, reference))
    )
    limits = {} if valid is None else {"the mask allows": _allowed(valid, region)}
    if asked.reliable:
        limits["the reference saw reliably"] = _reliable(reference, start, stop, region)
    told = known.copy()
    known &= np.all([*limits.values()], axis=0)
    if asked.exclude_within is not None and theirs["burned_outside"].any():
        far = ndimage.distance_transform_edt(~theirs["burned_outside"]) > asked.exclude_within
        known &= far | theirs["burned"]
    unseen = known & ~seen
    counted = known if counting else known & seen
    if not (counted.any() or unseen.any()):
        raise InputError(_nothing(burnmap, reference, start, stop, (seen, told), limits))
    planes = {f"map_{name}": plane for name, plane in mine.items() if name != "burned_outside"}
    planes |= {f"reference_{name}": theirs[name] for name in ("fraction", "burned", "date")}
    planes["reference_known"] = told
    # How two parts overlap is not told: gaps of one cause lie within each other, and the smaller is in both.
    part = np.minimum(np.where(seen, mine_share, 1), np.where(told, their_share, 1))
    area = region.cell_area_ha[:, None] * part
    return Comparison(
        region,
        area,
        counted,
        unseen,
        **planes,
        start=start,
        stop=stop,
        map_unknown_days=() if counting else within(mapped.unknown_days, start, stop),
        reference_unknown_days=within(expected.unknown_days, start, stop),
    )


def common_grid(one: BurnedArea, other: BurnedArea) -> Region:
    """Return the grid on which two maps or references are compared: the coarser of the two."""
    return one.region if one.region.pixel_size >= other.region.pixel_size else other.region


def _reliable(reference: BurnedArea, start: Day, stop: Day, region: Region) -> Bools:
    """Return the cells of `region` that the reference saw reliably on all days, all if it says nothing."""
    quality = reference.quality
    if quality is None:
        return np.ones(region.shape, bool)
    # NaT, where the product says nothing, compares as false.
    whole = (quality.first_day <= start) & (quality.last_day >= stop - 1) & reference.known
    if region == reference.region:
        return whole
    return average(LatLonGrid.of(reference.region), whole, region) >= _HALF - 1e-9


def _allowed(valid: Bools, region: Region) -> Bools:
    mask = plane_on(region, valid, "the validity mask")
    if mask.shape != region.shape:
        raise InputError(f"the validity mask is {mask.shape}; the grid compared is {region.shape}")
    return mask.astype(bool)


def _common_days(mine: BurnedArea, theirs: BurnedArea, days: tuple[Any, Any] | None) -> tuple[Day, Day]:
    sides = {"the map": (mine.start, mine.stop), "the reference": (theirs.start, theirs.stop)}
    if days is not None:
        try:
            begin, end = days
        except (TypeError, ValueError) as error:
            wanted = "the days to compare are a pair (start, stop), half-open"
            raise InputError(f"{wanted}; found {days!r}") from error
        first, after = as_day(begin), as_day(end)
        if after <= first:
            raise InputError(f"the days to compare, {first} to {after} (not included), hold no day")
        sides["the days to compare"] = first, after
    start, stop = max(s for s, _ in sides.values()), min(s for _, s in sides.values())
    if stop <= start:
        told = " and ".join(f"{name} ({s} to {e - 1})" for name, (s, e) in sides.items())
        raise InputError(f"{told} have no day in common")
    return start, stop


def _nothing(
    mine: BurnedArea,
    theirs: BurnedArea,
    start: Day,
    stop: Day,
    known: tuple[Bools, Bools],
    limits: Mapping[str, Bools],
) -> str:
    """Return why no cell counts: another place, or cells that a side does not know or a limit leaves out."""
    names = f"the map of {mine.region.name} and the reference of {theirs.region.name}"
    text = f"{names} have no valid cell in common"
    if not _meet(mine.region, theirs.region):
        return f"{text}; do they cover the same place? {mine.region.bbox} and {theirs.region.bbox}"
    planes = {"the map observed": known[0], "the reference knows": known[1]} | dict(limits)
    counts = ", ".join(f"{words} {np.count_nonzero(plane)}" for words, plane in planes.items())
    return f"{text} on {start} to {stop - 1}: of {known[0].size} cells {counts}"


def _meet(one: Region, other: Region) -> bool:
    """Tell whether two regions share ground, whichever longitudes they are given in."""
    height = min(one.north, other.north) - max(one.south, other.south)
    turns = (-360, 0, 360)
    width = max(min(one.east, other.east + t) - max(one.west, other.west + t) for t in turns)
    return height > 0 and width > 0
