"""Planes of one day, and of one overpass of it, that observations hand to the cube."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from banet.days import Day, Days
from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import PathLike

__all__ = ["NO_FLAG", "DayPlanes", "ObservationSource", "Overpass", "Plane"]

Plane = npt.NDArray[np.float32]
NO_FLAG = 255
"""Value of a plane of quality flags where the product says nothing."""


def _check_shapes(owner: str, planes: dict[str, npt.NDArray[np.generic]]) -> None:
    shapes = {name: plane.shape for name, plane in planes.items()}
    if len(set(shapes.values())) != 1:
        raise InputError(f"{owner}: planes differ in shape: {shapes}")


@dataclass(frozen=True, eq=False)
class Overpass:
    """One overpass of a satellite over a region, on the region's grid.

    Attributes:
        time: start of the granule, UTC.
        red, nir, mir: reflectance (1), (rows, columns) float32, NaN where not observed.
        view_zenith: degrees, (rows, columns) float32, NaN where not observed.
        inputs: names of the files it was read from.
        satellite: such as `NOAA-20`; empty if unknown.
    """

    time: np.datetime64
    red: Plane
    nir: Plane
    mir: Plane
    view_zenith: Plane
    inputs: tuple[str, ...] = ()
    satellite: str = ""

    def __post_init__(self) -> None:
        _check_shapes(
            f"overpass {self.time}",
            {"red": self.red, "nir": self.nir, "mir": self.mir, "view_zenith": self.view_zenith},
        )


@dataclass(frozen=True, eq=False)
class DayPlanes:
    """The best view of one UTC day on a region's grid.

    Attributes:
        red, nir, mir: reflectance (1), (rows, columns) float32, NaN where not observed.
        view_zenith: degrees of the chosen view, (rows, columns) float32, NaN where not observed.
        count: number of overpasses that observed the cell, (rows, columns) uint8.
        inputs: names of the files that were read.
        gaps: one line for each file or overpass that could not be used, and why.
        flags: the product's own quality planes by name, (rows, columns) uint8, untouched; empty if it has
            none.
        satellites: those that the day was seen from, as far as they are known.
    """

    red: Plane
    nir: Plane
    mir: Plane
    view_zenith: Plane
    count: npt.NDArray[np.uint8]
    inputs: tuple[str, ...] = ()
    gaps: tuple[str, ...] = field(default=())
    flags: Mapping[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    satellites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_shapes(
            "day planes",
            {
                "red": self.red,
                "nir": self.nir,
                "mir": self.mir,
                "view_zenith": self.view_zenith,
                "count": self.count,
                **self.flags,
            },
        )


class ObservationSource(Protocol):
    """A family of files that daily planes can be made from.

    Attributes:
        name: what the user types, such as `viirs750-gridded`.
        sensor: what flew, such as `VIIRS S-NPP`.
        mir_band: the band in the MIR slot, such as `M12`.

    A source whose files carry quality planes also has `flags`, the names that they have in
    `DayPlanes.flags`; a cube that is built from it keeps them.
    """

    @property
    def name(self) -> str:
        """Name that the user types."""
        ...

    @property
    def sensor(self) -> str:
        """Instrument and satellites."""
        ...

    @property
    def mir_band(self) -> str:
        """The band in the MIR slot."""
        ...

    def files(self, folder: PathLike) -> Mapping[Day, tuple[Path, ...]]:
        """Return the files of each day, days in order; one look through the folder for all of them.

        Raises:
            NotFoundError: if there is no such folder.
        """
        ...

    def days(self, folder: PathLike) -> Days:
        """Return the sorted days for which the folder holds at least one file of this family."""
        ...

    def read_day(
        self, folder: PathLike, day: Day, region: Region, files: Iterable[Path] | None = None
    ) -> DayPlanes:
        """Return the planes of a day; files that cannot be used become lines in `gaps`.

        Args:
            folder: where the files are.
            day: UTC.
            region: the grid.
            files: those of the day as `files` gave them, to spare a look through the folder.

        Raises:
            NotFoundError: if the folder holds no file of that day.
            UnreadableFileError: if not one overpass of that day could be used; the message says why.
        """
        ...
