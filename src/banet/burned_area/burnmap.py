"""The map: where, on which day, how sure, and where nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY, check_threshold, summarise
from banet.days import Day, Days, as_day, day_of_year, day_range
from banet.errors import InputError
from banet.grid.region import Region

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["BURNED", "NOT_OBSERVED", "NO_CONFIDENCE", "NO_UNCERTAINTY", "UNBURNED", "WATER", "BurnMap"]

BURNED, UNBURNED, NOT_OBSERVED, WATER = 1, 0, -1, -2
NO_CONFIDENCE = 255

_ONE = np.timedelta64(1, "D")
_NAT = np.datetime64("NaT", "D")
_MAX_CELLS_AT_ONCE = 2**24


@dataclass(frozen=True, eq=False)
class BurnMap:
    """Where and on which day a region burned in a period.

    A cell is one of four things, in this order: water, burned, not observed (on no day of the period, and no
    evidence of burning), unburned.

    Attributes:
        region: the grid.
        start, stop: the UTC days that are mapped, half-open.
        burned_fraction: part of the cell that burned, 0-1, (rows, columns) float32; NaN on water and where
            the cell was not observed.
        burn_date: (rows, columns) datetime64[D], NaT where not burned.
        uncertainty: days before or after the date, (rows, columns) uint8; 255 where not burned.
        observed_days: number of days of the period on which the cell was observed, (rows, columns) int16.
        water: (rows, columns) bool.
        threshold: burned fraction from which on a cell counts as burned.
        attrs: how the map was made: values that JSON can hold.

    Raises:
        InputError: if a plane has another shape or type than the region asks for, a date lies outside the
            period, or dates and burned fraction contradict each other.
    """

    region: Region
    start: Day
    stop: Day
    burned_fraction: npt.NDArray[np.float32]
    burn_date: Days
    uncertainty: npt.NDArray[np.uint8]
    observed_days: npt.NDArray[np.int16]
    water: npt.NDArray[np.bool_]
    threshold: float = 0.5
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_day(self.start))
        object.__setattr__(self, "stop", as_day(self.stop))
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, self._checked(name, kind))
        check_threshold(self.threshold)
        self._check_dates()

    @property
    def days(self) -> Days:
        """The days of the period, (days,) datetime64[D]."""
        return day_range(self.start, self.stop)

    @property
    def burned(self) -> npt.NDArray[np.bool_]:
        """Whether each cell burned, (rows, columns)."""
        return ~np.isnat(self.burn_date)

    @property
    def status(self) -> npt.NDArray[np.int8]:
        """What each cell is, (rows, columns): 1 burned, 0 unburned, -1 not observed, -2 water."""
        dry = np.where(self.observed_days == 0, NOT_OBSERVED, UNBURNED)
        return np.where(self.water, WATER, np.where(self.burned, BURNED, dry)).astype(np.int8)

    @property
    def confidence(self) -> npt.NDArray[np.uint8]:
        """How sure it is that at least half of the cell burned, percent, (rows, columns).

        It is what the burned fraction means by the calibration of the weights (`attrs["calibration"]`), and
        the burned fraction itself where there is none; 255 on water and where the cell was not observed.
        """
        known = self.status >= UNBURNED
        share = np.where(known, self.burned_fraction, 0)
        calibration = self.attrs.get("calibration")
        if calibration:
            share = np.interp(share, calibration["mapped"], calibration["burned"])
        percent = np.round(100 * share)
        return np.where(known, percent, NO_CONFIDENCE).astype(np.uint8)

    @property
    def burn_doy(self) -> npt.NDArray[np.int16]:
        """Day of year of the burn date (1-366) as in MCD64A1: 0 unburned, -1 not observed, -2 water.

        The year is that of the date; a map over New Year holds days of both years.
        """
        status = self.status
        return np.where(status == BURNED, day_of_year(self.burn_date), status.astype(np.int16))

    @property
    def burned_area_ha(self) -> float:
        """Hectares of the burned cells, each cell counted by its burned fraction."""
        return float(self.daily_area_ha().sum())

    def daily_area_ha(self, *, weighted: bool = True) -> pd.Series[float]:
        """Return the hectares that burned on each day of the period.

        Args:
            weighted: count a burned cell by its burned fraction; otherwise by its whole area, as products
                that only say burned or not are read. Cells below the threshold count for nothing either way.

        Returns:
            float64 by day (a DatetimeIndex), zero on days without burning.
        """
        import pandas as pd

        rows, cols = np.nonzero(self.burned)
        area = self.region.cell_area_ha[rows]
        if weighted:
            area = area * self.burned_fraction[rows, cols]
        index = (self.burn_date[rows, cols] - self.start) // _ONE
        hectares = np.bincount(index.astype(np.intp), area, minlength=self.days.size)
        days = pd.DatetimeIndex(self.days.astype("datetime64[ns]"), name="day")
        return pd.Series(hectares, days, name="burned_area_ha")

    def with_threshold(self, threshold: float) -> Self:
        """Return the map at a higher threshold; cells that no longer burned lose date and uncertainty.

        Raises:
            InputError: if it is lower than the map's own: those cells have no date. Map again with it.
        """
        check_threshold(threshold)
        if threshold < self.threshold:
            raise InputError(
                f"the map was made with threshold {self.threshold} and dates no cell below it; "
                f"map again with threshold {threshold}"
            )
        kept = self.burned & (self.burned_fraction >= np.float32(threshold))
        observed = self.observed_days > 0
        return replace(
            self,
            threshold=threshold,
            burned_fraction=np.where(kept | observed, self.burned_fraction, np.float32(np.nan)),
            burn_date=np.where(kept, self.burn_date, _NAT),
            uncertainty=np.where(kept, self.uncertainty, np.uint8(NO_UNCERTAINTY)),
        )

    def crop(self, rows: slice, cols: slice, name: str | None = None) -> Self:
        """Return the part of the map in a block of cells."""
        planes = {plane: getattr(self, plane)[rows, cols].copy() for plane in _KINDS}
        return replace(self, region=self.region.window(rows, cols, name), **planes)

    def to_dataset(self) -> xr.Dataset:
        """Return the map as an xarray dataset with CF attributes; `from_dataset` gives it back exactly."""
        from banet.burned_area.dataset import to_dataset

        return to_dataset(self)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Make a map from the dataset of `to_dataset`, also after a way through a NetCDF file.

        Raises:
            InputError: if a variable or attribute is missing.
        """
        from banet.burned_area.dataset import fields_of

        return cls(**fields_of(dataset))

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

        Burned fraction: the sum over the days, at most 1. Burned: where it reaches the threshold. Date: the
        day of the largest probability, the first of equal ones. Uncertainty: the fewest days before and after
        it within which 80 % of the summed probability lie.

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
        if days.size == 0 or (np.diff(days) != _ONE).any():
            raise InputError("the days of a map must follow one another without gaps")
        if probability.shape != (days.size, *region.shape) or observed.shape != probability.shape:
            raise InputError(
                f"probabilities {probability.shape} and observations {observed.shape} do not fit "
                f"{days.size} days of {region.shape} cells"
            )
        lines = max(1, _MAX_CELLS_AT_ONCE // (days.size * region.shape[1]))
        bands = [slice(row, row + lines) for row in range(0, region.shape[0], lines)]
        parts = [summarise(probability[:, band], threshold) for band in bands]
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
    ) -> Self:
        """Make a map from the planes of `rules.summarise`, taking out water and what was not observed."""
        burned = (day >= 0) & ~water
        known = ~water & (burned | (observed_days > 0))
        return cls(
            region=region,
            start=days[0],
            stop=days[-1] + _ONE,
            burned_fraction=np.where(known, burned_fraction, np.float32(np.nan)),
            burn_date=np.where(burned, days[np.maximum(day, 0)], _NAT),
            uncertainty=np.where(burned, uncertainty, np.uint8(NO_UNCERTAINTY)),
            observed_days=observed_days,
            water=water,
            threshold=threshold,
            attrs=dict(attrs or {}),
        )

    def _checked(self, name: str, kind: str) -> npt.NDArray[Any]:
        plane = np.asarray(getattr(self, name))
        if plane.shape != self.region.shape:
            raise InputError(f"map of {self.region.name}: {name} is {plane.shape}, not {self.region.shape}")
        if not np.can_cast(plane.dtype, np.dtype(kind), "same_kind"):
            raise InputError(f"map of {self.region.name}: {name} is {plane.dtype}, not {kind}")
        return plane.astype(kind, copy=False)

    def _check_dates(self) -> None:
        where = f"map of {self.region.name}"
        if self.start >= self.stop:
            raise InputError(f"{where}: the period {self.start} to {self.stop} (not included) holds no day")
        with np.errstate(invalid="ignore"):
            enough = (self.burned_fraction >= np.float32(self.threshold)) & ~self.water
        if (enough != self.burned).any():
            count = np.count_nonzero(enough != self.burned)
            raise InputError(
                f"{where}: {count} cells are dated but burned less than {self.threshold}, or the reverse"
            )
        dates = self.burn_date[self.burned]
        if ((dates < self.start) | (dates >= self.stop)).any():
            raise InputError(f"{where}: burn dates reach outside {self.start} to {self.stop} (not included)")


_KINDS = {
    "burned_fraction": "float32",
    "burn_date": "datetime64[D]",
    "uncertainty": "uint8",
    "observed_days": "int16",
    "water": "bool",
}
