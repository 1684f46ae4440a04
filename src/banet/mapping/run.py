"""One run from a cube to a map: what is settled before its first tile."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.dating import DatingRule
from banet.burned_area.period_edges import EDGE_DAYS
from banet.days import Day, Days, period_label
from banet.errors import InputError
from banet.mapping.cores import Tiling, original_tiling, seamless_tiling
from banet.mapping.ensemble import Ensemble
from banet.mapping.options import MapOptions
from banet.mapping.water import Water, water_of
from banet.mapping.windows import Window, kept_days

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["Run", "check_days"]

_FEW = 0.05
"""Share of looks that may lack a band without a note."""
_FEW_DAYS = 3
_FEW_CELLS = 1e-4
"""Days, and share of a region's cells, from which on it is plain that hot spots were looked for."""


@dataclass(frozen=True, eq=False)
class Run:
    """A map to make: of what, with what, and how it is cut.

    Attributes:
        cube: what was observed.
        windows: whose kept days follow one another.
        ensemble: the networks.
        tiling: of the cube's region.
        threshold: burned fraction from which on a cell counts as burned.
        days: all kept days, (days,) datetime64[D].
        water: how much of each cell is water.
    """

    cube: Cube
    windows: tuple[Window, ...]
    ensemble: Ensemble
    tiling: Tiling
    threshold: float
    days: Days
    water: Water

    @classmethod
    def plan(cls, cube: Cube, windows: Sequence[Window], ensemble: Ensemble, options: MapOptions) -> Run:
        """Settle a run.

        Raises:
            InputError: if an option does not fit the cube or the network.
        """
        days = kept_days(windows)
        tiling = _tiling_of(cube.region.shape, ensemble, options)
        water = water_of(cube, options.water)
        return cls(cube, tuple(windows), ensemble, tiling, options.threshold, days, water)

    @property
    def label(self) -> str:
        """The mapped period in words: a month, or its first and last day."""
        return period_label(self.days[0], self.days[-1] + 1)

    @property
    def title(self) -> str:
        """Region and days being mapped, in words."""
        return f"{self.cube.region.name} {self.days[0]} to {self.days[-1]}"

    @property
    def dating(self) -> DatingRule:
        """Rule by which dates follow from the probabilities: as the weights were calibrated."""
        known = self.ensemble.calibration
        return DatingRule.of(None if known is None else known.model_dump())

    @functools.cached_property
    def edge_days(self) -> tuple[int, int]:
        """Days before and after the mapped ones that are summed too, for `whole_burns`.

        They are none with the original's tiling and without calibration, as in Pinto et al. (2020), and on a
        side where the window does not see as many. Days before the first image or fire of the cube are none
        of them: what scars tell of those is of no period.
        """
        if self.tiling.original or self.dating.quantile is None:
            return 0, 0
        reach, first, last = min(EDGE_DAYS, self.days.size), self.windows[0], self.windows[-1]
        record = max(int((self.days[0] - self.first_day).astype(int)), 0)
        before = min(reach, record) if first.keep.start >= reach else 0
        return before, reach if last.length - last.keep.stop >= reach else 0

    @functools.cached_property
    def summed(self) -> tuple[slice, ...]:
        """Place along each window's sequence of its days that are summed: those kept, and the edge days."""
        kept = [window.keep for window in self.windows]
        starts = [kept[0].start - self.edge_days[0], *(keep.start for keep in kept[1:])]
        stops = [*(keep.stop for keep in kept[:-1]), kept[-1].stop + self.edge_days[1]]
        return tuple(slice(*pair) for pair in zip(starts, stops, strict=True))

    @property
    def mapped(self) -> slice:
        """Place of the mapped days among those that are summed."""
        return slice(self.edge_days[0], self.edge_days[0] + self.days.size)

    @property
    def days_seen(self) -> int:
        """Number of days from the first kept day to the last that a window sees."""
        return int((max(window.stop for window in self.windows) - self.days[0]).astype(int))

    @functools.cached_property
    def last_day(self) -> Day:
        """Last day of the cube that has an image or a fire; its last day where none has."""
        days = self.cube.days
        return next(filter(self.cube.tells, days[::-1]), days[-1])

    @functools.cached_property
    def first_day(self) -> Day:
        """First day of the cube that has an image or a fire; its first day where none has."""
        days = self.cube.days
        return next(filter(self.cube.tells, days), days[0])

    @functools.cached_property
    def quiet(self) -> frozenset[Window]:
        """Windows in which hot spots were looked for, and none was seen in the whole region.

        A table that was lost or never given looks the same: there hot spots count as not known. Networks that
        are not told what is known, as the published ones, have no such windows.
        """
        if "hotspots_known" not in self.ensemble.engine.spec.channels:
            return frozenset()
        powers = {window: self.cube.ranges(window.days).get("frp") for window in self.windows}
        return frozenset(window for window, power in powers.items() if power is not None and power[1] == 0)

    def key(self) -> dict[str, Any]:
        """Return all that the planes of this run depend on, for `Store`.

        Raises:
            InputError: if the engine does not tell its weights.
        """
        if not self.ensemble.members:
            raise InputError(
                "this engine does not tell its weights, so its work cannot be kept; map without scratch"
            )
        return {
            "chunks": 5,  # of their layout
            **self.attrs(),
            "region": self.cube.region.to_dict(),
            "content": self._content(),
            "last_day": str(min(self.last_day, max(window.stop for window in self.windows) - 1)),
            "threshold": self.threshold,
            "water_share": self.water.digest,
        }

    def _content(self) -> str:
        """Return the content key of the days that the network sees."""
        return self.cube.content_key(np.unique(np.concatenate([window.days for window in self.windows])))

    def attrs(self) -> dict[str, Any]:
        """Return how the map was made, for its attributes and its manifest."""
        calibration = self.ensemble.calibration
        return {
            "weights": [dict(member) for member in self.ensemble.members],
            "edge_days": list(self.edge_days),
            "windows": [
                [str(w.start), str(w.stop), str(w.keep_start), str(w.keep_stop)] for w in self.windows
            ],
            "tiling": self.tiling.describe(),
            "sensor": self.cube.sensor,
            "mir_band": self.cube.mir_band,
            "water": self.water.source,
            "engine": getattr(getattr(self.ensemble.engine, "backend", None), "name", None),
            "calibration": None if calibration is None else calibration.model_dump(mode="json"),
            "notes": [*self.notes(), *self.period_notes],
        }

    def notes(self) -> Iterator[str]:
        """Yield a line for each thing worth knowing of cube and weights, whatever the period."""
        from banet.cube.sensor import band_fits, sensor_note, size_note

        spec = self.ensemble.engine.spec
        if not band_fits(self.cube.mir_band, spec.mir_band):
            yield (
                f"the cube holds {self.cube.mir_band} in the MIR slot, the weights were trained with "
                f"{spec.mir_band}: expect more errors"
            )
        sensor = sensor_note(self.cube.sensor, spec.sensor)
        if sensor is not None:
            yield sensor
        if (size := size_note(self.cube.region.pixel_size, spec.pixel_size)) is not None:
            yield size
        if names := ", ".join(self.ensemble.uncalibrated):
            yield f"weights without calibration ({names}): nothing set their threshold, dates and confidence"
        if names := ", ".join(self.ensemble.unmeasured):
            yield (
                f"the mean of several weights is not calibrated ({names}), whatever each is by itself: "
                "nothing set its dates and confidence; give one of them, or best"
            )

    def looks_note(self, whole: int, partial: int) -> str | None:
        """Return a line for looks that lack a band, where they are worth knowing of.

        Args:
            whole: looks of cells on mapped days that hold all three bands.
            partial: those that hold one or two.
        """
        if partial <= _FEW * (whole + partial):
            return None
        taken = "count as none" if self.ensemble.engine.spec.whole_looks else "are taken as they are"
        share = partial / (whole + partial)
        return f"{share:.0%} of the looks lack one or two of red, NIR and MIR: they {taken}"

    def overcast_note(self, share: float) -> str | None:
        """Return a line for land of which no look was clear, where it is worth knowing of.

        Args:
            share: of the land that was looked at on mapped days: cells of which no look from the first
                of these days to the last that the network sees has a red reflectance below 0.3.
        """
        if share <= _FEW:
            return None
        return (
            f"{share:.0%} of the land that was looked at lay under cloud, snow or bright ground in every "
            "look (red above 0.3): no image can show a burn there"
        )

    @functools.cached_property
    def period_notes(self) -> tuple[str, ...]:
        """A line for each thing worth knowing of the period; the records of its days are read once."""
        notes: list[str] = []
        if (lacking := days_note(self.cube, self.days)) is not None:
            notes.append(lacking)
        records = [self.cube.record(day) for day in np.intersect1d(self.days, self.cube.days)]
        blind = sum(record is not None and bool(record.gaps) and not record.inputs for record in records)
        if blind:
            notes.append(f"the cube has no image of {blind} of the {self.days.size} days that are mapped")
        held = [record for record in records if record is not None and "frp" in record.summaries]
        unknown = [record.day for record in held if not record.summaries["frp"].cells]
        if 0 < len(unknown) < len(held):
            count = f"{len(unknown)} of the {self.days.size} days that are mapped"
            notes.append(f"hot spots are not known of {count}, the last of them {unknown[-1]}")
        for window in self.windows:
            if window in self.quiet:
                last = window.stop - 1
                notes.append(f"no hot spot was seen from {window.start} to {last}: they count as not known")
            elif line := self._few_fires(window):
                notes.append(line)
        return tuple(notes)

    def _few_fires(self, window: Window) -> str | None:
        """Return a line where so few hot spots were seen in a window that their table may not be whole."""
        if "hotspots_known" not in self.ensemble.engine.spec.channels:
            return None
        days = np.intersect1d(window.days, self.cube.days)
        powers = {day: power for day in days if (power := self.cube.ranges(np.array([day])).get("frp"))}
        hot = [day for day, power in powers.items() if power[1] > 0]
        seen = np.zeros(self.cube.region.shape, np.bool_)
        for day in hot:
            seen |= self.cube.read(day, day + 1, variables=("frp",)).frp[0] > 0
            if len(hot) >= _FEW_DAYS and seen.sum() > max(_FEW_CELLS * seen.size, 1):
                return None
        if not hot:
            return None
        cells = f"{seen.sum():,} {'cell' if seen.sum() == 1 else 'cells'}"
        return (
            f"hot spots were seen in {cells} on {len(hot)} of {len(powers)} days from {window.start} to "
            f"{window.stop - 1}: if their table is not whole, map "
            'cube.without("hotspots")'
        )


def days_note(cube: Cube, days: Days) -> str | None:
    """Return a line for days that a cube lacks; None where it holds all."""
    missing = np.setdiff1d(days, cube.days)
    return f"the cube lacks {missing.size} of the {days.size} days that are mapped" if missing.size else None


def check_days(cube: Cube, windows: Sequence[Window]) -> None:
    """Make sure that a cube holds at least one of the kept days of some windows.

    Raises:
        InputError: if it does not.
    """
    days = kept_days(windows)
    if np.isin(days, cube.days).any():
        return
    held = f"it holds {cube.days[0]} to {cube.days[-1]}" if len(cube.days) else "it is empty"
    raise InputError(f"the cube of {cube.region.name} has no day from {days[0]} to {days[-1]}; {held}")


def _tiling_of(shape: tuple[int, int], ensemble: Ensemble, options: MapOptions) -> Tiling:
    if options.tiling == "original":
        return original_tiling(shape, options.tile or 128, options.step or 100)
    margin = ensemble.margin if options.margin is None else options.margin
    return seamless_tiling(shape, options.tile or ensemble.tile, margin, ensemble.align)
