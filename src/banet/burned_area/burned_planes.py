"""Fields of a burned-area source, their checks, and what they say of each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dated import DatedFractions
from banet.burned_area.dating import NO_UNCERTAINTY, check_threshold
from banet.burned_area.quality import Quality
from banet.burned_area.unknown import UnknownDays
from banet.days import Day, Days, as_day, day_range
from banet.errors import InputError
from banet.grid.region import Region

__all__ = ["BURNED", "NOT_OBSERVED", "NO_CONFIDENCE", "PLANES", "UNBURNED", "WATER", "BurnedPlanes"]

BURNED, UNBURNED, NOT_OBSERVED, WATER = 1, 0, -1, -2
NO_CONFIDENCE = 255

PLANES = {
    "burned_fraction": "float32",
    "burn_date": "datetime64[D]",
    "uncertainty": "uint8",
    "observed_days": "int16",
    "water": "bool",
    "stated_confidence": "float32",
    "evidence": "uint8",
    "first_look": "uint8",
    "known_share": "float32",
}
"""Planes of a source and their types."""

_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class BurnedPlanes:
    """Fields of a `BurnedArea`, which explains them, checked against each other."""

    region: Region
    start: Day
    stop: Day
    burned_fraction: npt.NDArray[np.float32]
    burn_date: Days
    uncertainty: npt.NDArray[np.uint8] = None  # type: ignore[assignment]
    observed_days: npt.NDArray[np.int16] = None  # type: ignore[assignment]
    water: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    threshold: float = 0.5
    name: str = "map"
    dated: DatedFractions | None = None
    quality: Quality | None = None
    stated_confidence: npt.NDArray[np.float32] | None = None
    evidence: npt.NDArray[np.uint8] | None = None
    first_look: npt.NDArray[np.uint8] | None = None
    unknown_days: tuple[UnknownDays, ...] = ()
    known_share: npt.NDArray[np.float32] | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_day(self.start))
        object.__setattr__(self, "stop", as_day(self.stop))
        if self.start >= self.stop:
            raise InputError(f"{self.title}: {self.start} to {self.stop} (not included) holds no day")
        for name, value in _settled(self).items():
            object.__setattr__(self, name, value)
        _check_dates(self)
        if self.known_share is not None and not ((self.known_share > 0) & (self.known_share <= 1)).all():
            raise InputError(f"{self.title}: known_share must lie above 0 and at most at 1")

    @property
    def days(self) -> Days:
        """The days of the period, (days,) datetime64[D]."""
        return day_range(self.start, self.stop)

    @property
    def dated_from(self) -> float:
        """Burned fraction from which on a cell was dated, on the grid that it was mapped on; 0 for any part.

        It is the threshold, but of a map that went to another grid that of its first one.
        """
        return self.threshold or float(self.attrs.get("dated_from", 0))

    @property
    def burned(self) -> npt.NDArray[np.bool_]:
        """Whether each cell burned, which is whether it has a date, (rows, columns)."""
        return ~np.isnat(self.burn_date)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether the cell counts as known to have burned or not, (rows, columns).

        That is where it was observed, or burned on land without having been observed.
        """
        return (self.observed_days > 0) | (self.burned & ~self.water)

    @property
    def known_part(self) -> npt.NDArray[np.float64]:
        """Part of each cell's area that the source knows, (rows, columns) in 0..1; 1 where not told."""
        if self.known_share is None:
            return np.ones(self.region.shape)
        return self.known_share.astype(np.float64)

    @property
    def status(self) -> npt.NDArray[np.int8]:
        """Kind of each cell, (rows, columns): 1 burned, 0 unburned, -1 not observed, -2 water."""
        dry = np.where(self.observed_days == 0, NOT_OBSERVED, UNBURNED)
        return np.where(self.burned, BURNED, np.where(self.water, WATER, dry)).astype(np.int8)

    def dates(self) -> DatedFractions:
        """Return the fractions by day; where the source has one date a cell, the whole fraction is on it."""
        if self.dated is not None:
            return self.dated
        row, col = np.nonzero(self.burned)
        spread = np.where(self.uncertainty == NO_UNCERTAINTY, np.nan, self.uncertainty)
        found = [plane[row, col] for plane in (self.burn_date, self.burned_fraction, spread)]
        return DatedFractions.from_pieces(self.region, row, col, *found)

    @property
    def undated(self) -> npt.NDArray[np.float32]:
        """Part of each cell that burned on no stated day, (rows, columns) float32; NaN where not known.

        In a burned cell of a map that is a part of it only after the map went to another grid.
        """
        part = self.burned_fraction - self.dates().total()
        return np.where(part < _ROUNDING, np.float32(0), part)

    def dates_of_known(self) -> DatedFractions:
        """Return the fractions by day as fractions of what is known of each cell (`known_share`)."""
        dated = self.dates()
        if self.known_share is None:
            return dated
        fraction = np.minimum(dated.fraction / self.known_part[dated.row, dated.col], 1)
        return replace(dated, fraction=fraction)

    @property
    def title(self) -> str:
        """Name and region, for messages."""
        return f"{self.name} of {self.region.name}"


def _settled(source: BurnedPlanes) -> dict[str, npt.NDArray[Any]]:
    """Return the planes of a source in their types, those that were not given by their defaults.

    Raises:
        InputError: if one has another shape or type than the region asks for.
    """
    given = {name: getattr(source, name) for name in PLANES}
    planes = _defaults(source) | {name: plane for name, plane in given.items() if plane is not None}
    return {name: _checked(source, name, plane) for name, plane in planes.items()}


def _check_dates(source: BurnedPlanes) -> None:
    """Make sure that threshold, dates, fractions and period of a source go together.

    Raises:
        InputError: if they do not.
    """
    if source.threshold != 0:
        check_threshold(source.threshold)
    wrong = _contradictions(source)
    if wrong.any():
        least = f"less than {source.threshold}" if source.threshold else "nothing"
        raise InputError(
            f"{source.title}: {np.count_nonzero(wrong)} cells are dated but burned {least}, or the reverse"
        )
    dates = source.burn_date[source.burned]
    if ((dates < source.start) | (dates >= source.stop)).any():
        raise InputError(
            f"{source.title}: burn dates reach outside {source.start} to {source.stop} (not included)"
        )


def _defaults(source: BurnedPlanes) -> dict[str, npt.NDArray[Any]]:
    shape, days = source.region.shape, int((source.stop - source.start).astype(np.int64))
    nothing = np.isnan(np.asarray(source.burned_fraction))
    return {
        "uncertainty": np.full(shape, NO_UNCERTAINTY, np.uint8),
        "observed_days": np.where(nothing, 0, days).astype(np.int16),
        "water": np.zeros(shape, bool),
    }


def _checked(source: BurnedPlanes, name: str, values: Any) -> npt.NDArray[Any]:
    plane, kind = np.asarray(values), PLANES[name]
    if plane.shape != source.region.shape:
        raise InputError(f"{source.title}: {name} is {plane.shape}, not {source.region.shape}")
    if not np.can_cast(plane.dtype, np.dtype(kind), "same_kind"):
        raise InputError(f"{source.title}: {name} is {plane.dtype}, not {kind}")
    return plane.astype(kind, copy=False)


def _contradictions(source: BurnedPlanes) -> npt.NDArray[np.bool_]:
    """Return cells whose date and burned fraction do not go together.

    Where entries by day are given, a cell may have burned on a day and yet less than the threshold.
    """
    fraction, least = source.burned_fraction, np.float32(source.threshold)
    if source.dated is not None:
        least = np.float32(source.dated_from)
        return np.asarray((fraction >= least + _ROUNDING) & ~source.burned & ~source.water)
    enough = (fraction >= least) & (fraction > 0)
    return np.asarray((enough & ~source.water if source.threshold else enough) != source.burned)
