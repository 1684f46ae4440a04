"""Summary of a cube: days, gaps, coverage and ranges, from what was remembered when each day was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from banet.cube.records import DayRecord
from banet.cube.variables import VARIABLES
from banet.days import Day, Days, day_range
from banet.grid.region import Region

__all__ = ["CubeInfo", "coverage_of", "lacking_days", "ranges_of", "satellites_of"]

_MOST_NAMED = 5


@dataclass(frozen=True)
class CubeInfo:
    """A summary of a cube.

    Attributes:
        region, sensor, mir_band: of the cube.
        days: those that are there, (n,) datetime64[D].
        gaps: days with something missing, and why; also days that are not there at all.
        coverage: for each variable the share of cells with a value, over the days that are there (0-1).
        ranges: for each variable its smallest and largest value; absent where it has none.
        stored_bytes: size of the store.
        satellites: for each satellite the number of days that it was seen from; empty if none is known.
        flags: names of the quality planes that are kept.
    """

    region: Region
    sensor: str
    mir_band: str
    days: tuple[Day, ...]
    gaps: Mapping[Day, tuple[str, ...]]
    coverage: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    stored_bytes: int
    satellites: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "region": self.region.to_dict(),
            "sensor": self.sensor,
            "mir_band": self.mir_band,
            "days": [str(day) for day in self.days],
            "gaps": {str(day): list(reasons) for day, reasons in self.gaps.items()},
            "coverage": {name: round(float(share), 4) for name, share in self.coverage.items()},
            "ranges": {name: [float(low), float(high)] for name, (low, high) in self.ranges.items()},
            "stored_bytes": int(self.stored_bytes),
            "satellites": dict(self.satellites),
            "flags": list(self.flags),
        }

    def __str__(self) -> str:
        rows, cols = self.region.shape
        span = f"{self.days[0]} to {self.days[-1]}" if self.days else "none"
        lines = [
            f"region     {self.region.name}, {rows} x {cols} cells of {self.region.pixel_size:g} degrees",
            f"sensor     {self.sensor}; MIR slot: {self.mir_band}",
            f"days       {len(self.days)} ({span}), {self.stored_bytes / 1e6:.1f} MB",
        ]
        if lacking := lacking_days(self.days):
            lines.append(f"no file    {lacking}")
        if self.satellites:
            lines.append(
                "seen from  " + ", ".join(f"{name} on {n} days" for name, n in self.satellites.items())
            )
        if self.flags:
            lines.append(f"flags      {', '.join(self.flags)}")
        for name, share in self.coverage.items():
            extent = self.ranges.get(name)
            shown = f"{extent[0]:.4g} to {extent[1]:.4g}" if extent else "no value"
            lines.append(f"{name:<11}{share:6.1%} of cells, {shown}")
        lines.append(f"gaps       {len(self.gaps)} days")
        lines += [f"  {day}: {'; '.join(reasons)}" for day, reasons in self.gaps.items()]
        return "\n".join(lines)


def lacking_days(days: Sequence[Day] | Days) -> str:
    """Return in words the days between the first and the last that a cube lacks; empty for none."""
    if not len(days):
        return ""
    held = np.asarray(days, "datetime64[D]")
    lacking = np.setdiff1d(day_range(held.min(), held.max() + 1), held)
    if not lacking.size:
        return ""
    more = " and others" if lacking.size > _MOST_NAMED else ""
    counted = "day" if lacking.size == 1 else "days"
    return f"{lacking.size} {counted} between: {', '.join(map(str, lacking[:_MOST_NAMED]))}{more}"


def coverage_of(records: Sequence[DayRecord], cells: int) -> dict[str, float]:
    """Return for each variable the share of cells with a value (0-1) over all days; cells of a plane."""
    total = cells * max(1, len(records))
    return {name: sum(record.summaries[name].cells for record in records) / total for name in VARIABLES}


def ranges_of(records: Sequence[DayRecord]) -> dict[str, tuple[float, float]]:
    """Return for each variable that has a value the smallest and the largest."""
    ranges = {}
    for name in VARIABLES:
        summaries = [record.summaries[name] for record in records]
        lows = [summary.low for summary in summaries if summary.low is not None]
        highs = [summary.high for summary in summaries if summary.high is not None]
        if lows:
            ranges[name] = (min(lows), max(highs))
    return ranges


def satellites_of(records: Sequence[DayRecord]) -> dict[str, int]:
    """Return for each satellite the number of days that it was seen from."""
    return dict(sorted(Counter(name for record in records for name in record.satellites).items()))
