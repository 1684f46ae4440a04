"""Block of days and cells that a cube gives, and a summary of the cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from banet.days import Day, Days
from banet.errors import InputError
from banet.grid.region import Region

__all__ = ["CubeInfo", "CubeWindow"]

Block = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CubeWindow:
    """A block of days and cells of a cube.

    Attributes:
        region: of the block.
        days: every calendar day of the block, (T,) datetime64[D]; one that the cube lacks is missing
            throughout.
        red, nir, mir: reflectance (1), (T, rows, columns) float32, NaN = not observed.
        frp: fire radiative power, MW, (T, rows, columns) float32; 0 = no fire, NaN = no hot spots were read.
        view_zenith: degrees, (T, rows, columns) float32, NaN = not observed.
        count: overpasses that observed the cell, (T, rows, columns) uint8.
        flags: the product's quality planes that were asked for, by name, (T, rows, columns) uint8; 255 where
            it says nothing.
    """

    region: Region
    days: Days
    red: Block
    nir: Block
    mir: Block
    frp: Block
    view_zenith: Block
    count: npt.NDArray[np.uint8]
    flags: Mapping[str, npt.NDArray[np.uint8]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.days), *self.region.shape)
        names = ("red", "nir", "mir", "frp", "view_zenith", "count")
        planes = {name: getattr(self, name) for name in names} | dict(self.flags)
        for name, plane in planes.items():
            shape = plane.shape
            if shape != expected:
                raise InputError(f"cube window: {name} has shape {shape}, days and region give {expected}")

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Where red, NIR and MIR are all there, (T, rows, columns) bool."""
        return np.isfinite(self.red) & np.isfinite(self.nir) & np.isfinite(self.mir)


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

    def __str__(self) -> str:
        rows, cols = self.region.shape
        span = f"{self.days[0]} to {self.days[-1]}" if self.days else "none"
        lines = [
            f"region     {self.region.name}, {rows} x {cols} cells of {self.region.pixel_size:g} degrees",
            f"sensor     {self.sensor}; MIR slot: {self.mir_band}",
            f"days       {len(self.days)} ({span}), {self.stored_bytes / 1e6:.1f} MB",
        ]
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
