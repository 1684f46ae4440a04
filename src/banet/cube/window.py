"""Block of days and cells that was read from a cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import InputError
from banet.grid.region import Region
from banet.io.tables import facts_html

__all__ = ["CubeWindow"]

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
        """Mask of red, NIR and MIR all there, (T, rows, columns) bool."""
        return np.isfinite(self.red) & np.isfinite(self.nir) & np.isfinite(self.mir)

    def __repr__(self) -> str:
        rows, cols = self.region.shape
        flags = f", flags {', '.join(self.flags)}" if self.flags else ""
        return f"CubeWindow({self._span}, region {self.region.name}, {rows} x {cols} cells{flags})"

    def _repr_html_(self) -> str:
        seen = self.observed
        return facts_html(
            f"Window of region {self.region.name}",
            {
                "days": f"{self._span}; {int(seen.any((1, 2)).sum())} with an observation",
                "extent": self.region.extent,
                "observed": f"{seen.mean():.0%} of cells and days",
                "flags": ", ".join(self.flags),
            },
        )

    @property
    def _span(self) -> str:
        return f"{self.days[0]} to {self.days[-1]}, {len(self.days)} days" if len(self.days) else "no day"
