"""Burned area of a region: one type for maps, products, perimeters and truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from banet.burned_area import attributes, confidence, datasets, hectares, joining, regridding, unknown
from banet.burned_area.burned_planes import BURNED, PLANES, BurnedPlanes
from banet.burned_area.dated import DatedFractions
from banet.burned_area.dating import NO_UNCERTAINTY, DatingRule, check_threshold, looks_kept, summarise
from banet.burned_area.evidence import NO_EVIDENCE
from banet.burned_area.quality import Quality
from banet.burned_area.unknown import UnknownDays
from banet.days import NO_DATE, ONE_DAY, Days, as_day, day_of_year
from banet.errors import InputError
from banet.grid.region import Region, check_region

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["BurnedArea", "as_maps"]

_MAX_CELLS_AT_ONCE = 2**24


@dataclass(frozen=True, eq=False, repr=False)
class BurnedArea(BurnedPlanes):
    """Burned fraction and date of each cell of a region in a period, from whatever source.

    A cell burned where it has a date. It is one of four things, in this order: burned, water, not observed
    (on no day of the period, and no evidence of burning), unburned.

    Attributes:
        region: the grid.
        start, stop: the UTC days that the source covers, half-open.
        burned_fraction: part of the cell that burned, 0-1, (rows, columns) float32; NaN where nothing is
            known. Maps leave water NaN; products count it as known and unburned.
        burn_date: day on which most of the cell burned, (rows, columns) datetime64[D], NaT where not burned.
        uncertainty: days before or after the date, (rows, columns) uint8; 255 where not burned or not stated.
            By default 255 everywhere.
        observed_days: number of days of the period on which the cell was observed, (rows, columns) int16. A
            source that only knows a cell or not gives all days of the period but the unknown ones where it
            does, which is the default: where the burned fraction is a number.
        water: (rows, columns) bool; by default none.
        threshold: burned fraction from which on a cell has a date, 0-1; 0 for a source that dates every part
            that burned, and for a map on another grid (`to`), where `dated_from` is the threshold of its own.
        name: of the source, such as `VNP64A1.002`.
        dated: fractions by cell and day, where the source gives more than one date a cell.
        quality: of products that carry it.
        stated_confidence: percent that the source itself states of what burned, (rows, columns) float32, NaN
            where it says nothing; None if it states none.
        evidence: class of what maps know about each cell's day, (rows, columns) uint8, an index of
            `banet.burned_area.evidence.CLASSES`, 255 where that is not known; None for other sources.
        first_look: days from the burn date to the first look at the cell on a later day, (rows, columns)
            uint8 from 1; 255 where not burned or not seen again; None for other sources than maps. Products
            that date what burned by the first look at burned ground give the burn date or a day up to it.
        unknown_days: days of the period on which the source says nothing of some cells that it knows on
            others.
        known_share: part of each cell's area that the source knows, water included, (rows, columns) float32
            in 0-1, at least half where the cell is known, 1 where it is not; None where all are known whole.
            Burned fraction, entries and hectares are of the whole cell, so that hectares hold no more than
            what is known to have burned; `daily_fraction` and `banet.evaluation` let the known part decide.
        attrs: how it was made: values that JSON can hold. `notes` lists in words what was left out.

    Raises:
        InputError: if a plane has another shape or type than the region asks for, a date lies outside the
            period, or dates and burned fraction contradict each other.
    """

    def __repr__(self) -> str:
        rows, cols = self.region.shape
        grid = f"{self.name!r} of {self.region.name}, {rows} x {cols} cells"
        return f"BurnedArea({grid}, {self.start} to {self.days[-1]}: {hectares.in_words(self)})"

    def _repr_html_(self) -> str:
        from banet.burned_area.display import to_html

        return to_html(self)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the burn dates on matplotlib axes in degrees, those of a new figure where None."""
        from banet.burned_area.display import plot

        return plot(self, axes)

    def explore(self, **options: Any) -> Any:
        """Return an interactive map with its fires, for a notebook; see `banet.explore`."""
        import banet

        return banet.explore(self, **options)

    @property
    def confidence(self) -> npt.NDArray[np.uint8]:
        """Confidence that at least half of the cell burned, percent, (rows, columns).

        It is what the source states, or what the burned fraction means by the calibration of the weights
        (`attrs["calibration"]`) and the evidence, or the burned fraction itself where there is neither; 255
        on water and where the cell was not observed.
        """
        return confidence.of_half(self)

    @property
    def over_tenth(self) -> npt.NDArray[np.uint8] | None:
        """Probability that more than a tenth of the cell burned, percent, (rows, columns), 255 as above.

        It is read from the burned fractions of the cell and of the eight around it, those outside counting as
        0. None where the weights were not calibrated for it.
        """
        return confidence.of_tenth(self)

    @property
    def burn_doy(self) -> npt.NDArray[np.int16]:
        """Day of year of the burn date (1-366) as in MCD64A1: 0 unburned, -1 not observed, -2 water.

        The year is that of the date; a map over New Year holds days of both years.
        """
        status = self.status
        return np.where(status == BURNED, day_of_year(self.burn_date), status.astype(np.int16))

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines of `attrs["notes"]`: what was left out and what to keep in mind."""
        return tuple(self.attrs.get("notes", ()))

    @property
    def burned_area_ha(self) -> float:
        """Hectares of the burned cells on the WGS84 ellipsoid, each counted by what burned on its dates."""
        return hectares.total(self)

    def daily_area_ha(self, *, weighted: bool = True) -> pd.Series[float]:
        """Return the hectares that burned on each day; cells without a date count for nothing.

        Args:
            weighted: count a burned cell by its burned fraction; otherwise by its whole area, as products
                that only say burned or not are read.

        Returns:
            float64 by day (a DatetimeIndex), zero on days without burning.
        """
        return hectares.by_day(self, weighted=weighted)

    def daily_fraction(self, days: Days) -> npt.NDArray[np.float32]:
        """Return the fraction of each cell that burned on each day: the target that a network learns.

        Args:
            days: (T,) datetime64[D], all different, in any order.

        Returns:
            (T, rows, columns) float32, of what is known of the cell; NaN in cells that are not known, and on
            days that are not. What burned on other days is left out.
        """
        target = self.dates_of_known().daily(days)
        target[:, ~self.known] = np.nan
        unknown.blank(target, self.unknown_days, days)
        return target

    def between(self, start: Any, stop: Any) -> Self:
        """Return what burned from `start` up to, not including, `stop`; other cells become unburned.

        Fractions below the threshold, which carry no date, stay: nobody can cut them, and
        `attrs["undated_days"]` says of which days they are, half-open. Of the days of observation no more
        than the new period holds are kept.

        Raises:
            InputError: if the source covers none of these days.
        """
        first, last = max(as_day(start), self.start), min(as_day(stop), self.stop)
        if first >= last:
            raise InputError(
                f"{self.title} covers {self.start} to {self.stop - ONE_DAY}, no day from {start} to "
                f"{as_day(stop) - ONE_DAY}"
            )
        if (first, last) == (self.start, self.stop):
            return self
        return replace(self, **joining.fields_between(self, first, last))

    def to(self, region: Region) -> Self:
        """Return it on another region's grid, by area: hectares stay what they were in cells that are known.

        A cell is known where the source knows at least half of its area, and water where more than half is:
        beyond the edge of the source nothing is. Days of observation are the mean of what is known. Burned
        fractions hold the undated ones below the threshold too, hectares do not. They are what is known to
        have burned of the whole cell: of a cell known in part the rest adds nothing, which keeps hectares.
        `known_share` tells that part. A cell has a date if any part of it has one, so that the threshold is 0
        from then on; `dated_from` stays that of the map. Quality and evidence are not carried over.
        """
        check_region(region)
        return self if region == self.region else replace(self, **regridding.fields_on(self, region))

    def join(self, *others: BurnedArea) -> BurnedArea:
        """Join it with others of the same region whose periods do not overlap, such as months to a season.

        See `banet.burned_area.joining.join` for the rule.

        Raises:
            InputError: if grids, thresholds or periods do not fit together.
        """
        return joining.join([self, *others])

    def at_threshold(self, threshold: float) -> Self:
        """Return it at a higher threshold; cells that no longer burned lose date and uncertainty.

        Raises:
            InputError: if it is lower than the one it was made with: those cells have no date. Map again.
        """
        if threshold == self.threshold:
            return self
        check_threshold(threshold)
        if threshold < self.dated_from:
            raise InputError(
                f"the map was made with threshold {self.dated_from:g} and dates no cell below it; "
                f"map again with threshold {threshold}"
            )
        kept = self.burned & (self.burned_fraction >= np.float32(threshold))
        return replace(
            self,
            threshold=threshold,
            burned_fraction=np.where(
                kept | (self.observed_days > 0), self.burned_fraction, np.float32(np.nan)
            ),
            burn_date=np.where(kept, self.burn_date, NO_DATE),
            uncertainty=np.where(kept, self.uncertainty, np.uint8(NO_UNCERTAINTY)),
            first_look=looks_kept(self.first_look, kept),
            dated=None if self.dated is None else self.dated.only(kept[self.dated.row, self.dated.col]),
        )

    def named(self, name: str) -> Self:
        """Return it under another name."""
        return replace(self, name=name)

    def crop(self, rows: slice, cols: slice, name: str | None = None) -> Self:
        """Return the part in a block of cells, `name` being that of its region."""
        region = self.region.window(rows, cols, name)
        held = {plane: getattr(self, plane) for plane in PLANES}
        planes = {plane: value[rows, cols].copy() for plane, value in held.items() if value is not None}
        return replace(
            self,
            region=region,
            unknown_days=tuple(replace(one, cells=one.cells[rows, cols]) for one in self.unknown_days),
            dated=None if self.dated is None else self.dated.crop(rows, cols, region),
            quality=None if self.quality is None else self.quality.crop(rows, cols),
            attrs=attributes.regridded(self.attrs, self.region, region),
            **planes,
        )

    def to_dataset(self) -> xr.Dataset:
        """Return it as an xarray dataset with CF attributes; `from_dataset` gives it back exactly."""
        return datasets.to_dataset(self)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Make a map from the dataset of `to_dataset`, also after a way through a NetCDF file.

        Raises:
            InputError: if a variable or attribute is missing.
        """
        return cls(**datasets.fields_of(dataset))

    @classmethod
    def from_probabilities(
        cls,
        region: Region,
        days: Days,
        probability: npt.NDArray[np.float32],
        observed: npt.NDArray[np.bool_],
        water: npt.NDArray[np.bool_] | None = None,
        threshold: float = 0.5,
        attrs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a map from the probability of burning on each day.

        Burned fraction and date are those of `banet.burned_area.dating.summarise`, dated as the calibration
        in `attrs["calibration"]` says.

        Args:
            region: the grid.
            days: (T,) datetime64[D] without gaps.
            probability: (T, rows, columns) float32.
            observed: (T, rows, columns) bool.
            water: (rows, columns) bool; None for none.
            threshold: 0-1.
            attrs: how the probabilities were made.

        Raises:
            InputError: if shapes differ, days are missing or a probability is not finite.
        """
        days = np.asarray(days, "datetime64[D]")
        if days.size == 0 or (np.diff(days) != ONE_DAY).any():
            raise InputError("the days of a map must follow one another without gaps")
        if probability.shape != (days.size, *region.shape) or observed.shape != probability.shape:
            raise InputError(
                f"probabilities {probability.shape} and observations {observed.shape} do not fit "
                f"{days.size} days of {region.shape} cells"
            )
        step = max(1, _MAX_CELLS_AT_ONCE // (days.size * region.shape[1]))
        bands = [slice(row, row + step) for row in range(0, region.shape[0], step)]
        attrs = {"calibration": None, **(attrs or {})}
        dating = DatingRule.of(attrs["calibration"])
        parts = [summarise(probability[:, band], threshold, dating) for band in bands]
        return cls.from_summary(
            region,
            days,
            np.concatenate([part.burned_fraction for part in parts]),
            np.concatenate([part.day for part in parts]),
            np.concatenate([part.uncertainty for part in parts]),
            np.count_nonzero(observed, axis=0).astype(np.int16),
            np.zeros(region.shape, bool) if water is None else water,
            threshold,
            attrs,
        )

    @classmethod
    def from_summary(
        cls,
        region: Region,
        days: Days,
        burned_fraction: npt.NDArray[np.float32],
        day: npt.NDArray[np.int32],
        uncertainty: npt.NDArray[np.uint8],
        observed_days: npt.NDArray[np.int16],
        water: npt.NDArray[np.bool_],
        threshold: float = 0.5,
        attrs: Mapping[str, Any] | None = None,
        evidence: npt.NDArray[np.uint8] | None = None,
        first_look: npt.NDArray[np.uint8] | None = None,
    ) -> Self:
        """Make a map from the planes of `banet.burned_area.dating.summarise`.

        Water is taken out, and what was not observed.
        """
        burned = (day >= 0) & ~water
        known = ~water & (burned | (observed_days > 0))
        return cls(
            region=region,
            start=days[0],
            stop=days[-1] + ONE_DAY,
            burned_fraction=np.where(known, burned_fraction, np.float32(np.nan)),
            burn_date=np.where(burned, days[np.maximum(day, 0)], NO_DATE),
            uncertainty=np.where(burned, uncertainty, np.uint8(NO_UNCERTAINTY)),
            observed_days=observed_days,
            water=water,
            threshold=threshold,
            evidence=None if evidence is None else np.where(known, evidence, np.uint8(NO_EVIDENCE)),
            first_look=looks_kept(first_look, burned),
            attrs=dict(attrs or {}),
        )

    @classmethod
    def from_dated(
        cls,
        dated: DatedFractions,
        *,
        name: str,
        start: Any,
        stop: Any,
        known: npt.NDArray[np.bool_] | None = None,
        water: npt.NDArray[np.bool_] | None = None,
        quality: Quality | None = None,
        confidence: npt.NDArray[np.float32] | None = None,
        unknown_days: Sequence[UnknownDays] = (),
        known_share: npt.NDArray[np.float32] | None = None,
        notes: Sequence[str] = (),
    ) -> Self:
        """Make it from fractions by day, kept to `start` up to, not including, `stop`.

        Args:
            dated: what burned.
            name: of the source.
            start: first day that the source covers.
            stop: the day after its last.
            known: cells of which the source knows on some day whether they burned, (rows, columns) bool; None
                for all.
            water: (rows, columns) bool; None where the source does not tell.
            quality: of the source.
            confidence: percent, (rows, columns) float32, NaN where nothing burned; None if it states none.
            unknown_days: those of which it says nothing in some cells.
            known_share: part of each cell that the source knows; None where all are known whole.
            notes: lines that say what was left out.
        """
        first, last = as_day(start), as_day(stop)
        kept = dated.between(first, last)
        date, spread = kept.main_day()
        gaps = unknown.within(unknown_days, first, last)
        length = int((last - first).astype(np.int64)) - unknown.count(gaps, dated.region.shape)
        seen = (True if known is None else known) & (length > 0)
        # Water that does not count keeps what the source says of it.
        told = seen if water is None else seen | water
        return cls(
            region=dated.region,
            start=first,
            stop=last,
            burned_fraction=np.where(told, kept.total(), np.float32(np.nan)),
            burn_date=np.where(told, date, NO_DATE),
            uncertainty=np.where(told, spread, np.uint8(NO_UNCERTAINTY)),
            observed_days=np.where(seen, length, 0).astype(np.int16),
            water=water,  # type: ignore[arg-type]
            threshold=0.0,
            name=name,
            dated=kept,
            quality=quality,
            stated_confidence=confidence,
            unknown_days=gaps,
            known_share=known_share,
            attrs={"notes": list(notes)} if notes else {},
        )

    @classmethod
    def from_dates(
        cls,
        region: Region,
        start: Any,
        stop: Any,
        burn_date: Days,
        *,
        observed_days: npt.NDArray[np.int16] | None = None,
        water: npt.NDArray[np.bool_] | None = None,
        **fields: Any,
    ) -> Self:
        """Make it from dates alone: cells with a date burned whole, unless they are water.

        Args:
            region: the grid.
            start: first day.
            stop: the day after the last.
            burn_date: (rows, columns) datetime64[D], NaT where not burned.
            observed_days: (rows, columns) int16; by default all days of the period.
            water: (rows, columns) bool; by default none.
            fields: further fields: `uncertainty`, `threshold`, `name`, `attrs`.
        """
        wet = np.zeros(region.shape, bool) if water is None else water
        days = (as_day(stop) - as_day(start)) // ONE_DAY
        seen = np.full(region.shape, days, np.int16) if observed_days is None else observed_days
        burned = ~np.isnat(burn_date) & ~wet
        told = (burned | (seen > 0)) & ~wet
        return cls(
            region=region,
            start=as_day(start),
            stop=as_day(stop),
            burned_fraction=np.where(told, burned, np.nan).astype(np.float32),
            burn_date=np.where(burned, burn_date, NO_DATE),
            observed_days=seen,
            water=wet,
            **fields,
        )


def as_maps(given: Any) -> list[Any]:
    """Return maps, given alone or as several, as a list; of datasets of `to_dataset` the maps that they hold.

    Raises:
        InputError: if a dataset is no map.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str) and not hasattr(given, "data_vars")
    return [
        BurnedArea.from_dataset(one) if hasattr(one, "data_vars") else one
        for one in (given if several else [given])
    ]
