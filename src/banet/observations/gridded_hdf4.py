"""VIIRS 750 m bands as the LAADS order service gridded them: one HDF4 file a band and overpass.

Names are `NPP_VMAES_L1.A{YYYYDDD}.{HHMM}.{collection}.{production}.psrpgs...{band}.hdf`; a data set named
like the band holds the grid, row 0 in the north. Values above -999 and below 65527 are valid
(`FILL_TEST_VALUE` of the files); `value * Scale + Offset` is a reflectance (already divided by the cosine of
the solar zenith), a radiance in W m-2 sr-1 um-1, or an angle in degrees (no Scale).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from banet.days import Day, Days, from_day_of_year
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.files import PathLike, existing_folder
from banet.hdf4 import Hdf4Array, read_arrays
from banet.observations import register
from banet.observations.mosaic import BestView
from banet.observations.planes import DayPlanes, Overpass, Plane
from banet.observations.reflectance import mir_reflectance
from banet.region import Region

__all__ = ["GriddedFile", "GriddedHdf4", "viirs750"]

_NAME = re.compile(
    r"(?P<product>(?:NPP|VNP|VJ1|VJ2|J1|J2)_?VMAES_L1)\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})"
    r"\.(?P<rest>.*?)(?P<band>[A-Za-z]+_[MI]\d+|SolarZenithAngle|SatelliteZenithAngle)\.hdf",
    re.IGNORECASE,
)
_VALID = (-999, 65527)
_EDGES = ("WestBoundingCoord", "SouthBoundingCoord", "EastBoundingCoord", "NorthBoundingCoord")
# The edges are written with six decimals; a grid that is off by a tenth of a cell is another grid.
_EDGE_TOLERANCE = 0.1


@dataclass(frozen=True, order=True)
class GriddedFile:
    """What the name of a file says; ordered by overpass, then band, then production.

    Attributes:
        day: UTC day of the overpass.
        time: hour and minute, `HHMM`.
        product: such as `NPP_VMAES_L1`.
        band: such as `Reflectance_M5`.
        rest: collection, production time and order id; the last in order is the newest.
        path: the file.
    """

    day: Day
    time: str
    product: str
    band: str
    rest: str
    path: Path

    @classmethod
    def parse(cls, path: Path) -> GriddedFile | None:
        """Return what the name says, or None if it is not a name of this family."""
        match = _NAME.fullmatch(path.name)
        if match is None or not ("0000" <= match["time"] < "2400" and match["time"][2:] < "60"):
            return None
        try:
            day = from_day_of_year(int(match["year"]), int(match["doy"]))
        except InputError:  # a name like A2017400 is a name of something else
            return None
        return cls(day, match["time"], match["product"], match["band"], match["rest"], path)


@dataclass(frozen=True)
class GriddedHdf4:
    """The source of gridded HDF4 files; see `banet.observations.planes.ObservationSource`."""

    name: str
    sensor: str
    mir_band: str
    red: str
    nir: str
    mir: str
    tir: str
    solar_zenith: str = "SolarZenithAngle"
    view_zenith: str = "SatelliteZenithAngle"

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that an overpass needs, as they are named in the files."""
        return (self.red, self.nir, self.mir, self.tir, self.solar_zenith, self.view_zenith)

    def files(self, folder: PathLike) -> dict[Day, tuple[Path, ...]]:
        """Return the files of each day, in the folder and the folders below it.

        Raises:
            NotFoundError: if there is no such folder.
        """
        days: dict[Day, list[GriddedFile]] = defaultdict(list)
        for path in existing_folder(folder, "folder of VIIRS files").rglob("*"):
            file = GriddedFile.parse(path) if path.suffix.lower() == ".hdf" else None
            if file is not None and file.band in self.bands:
                days[file.day].append(file)
        return {day: tuple(file.path for file in sorted(days[day])) for day in sorted(days)}

    def days(self, folder: PathLike) -> Days:
        """Return the sorted days for which the folder holds at least one file of this family."""
        return np.array(list(self.files(folder)), "datetime64[D]")

    def read_day(
        self, folder: PathLike, day: Day, region: Region, files: Iterable[Path] | None = None
    ) -> DayPlanes:
        """Return the planes of a day; overpasses that cannot be used become lines in `gaps`.

        Args:
            folder: where the files are.
            day: UTC.
            region: the grid that the files were ordered for.
            files: those of the day, if they are known, to spare a look through the folder.

        Raises:
            NotFoundError: if the folder holds no file of that day.
            UnreadableFileError: if not one overpass of that day could be used; the message says why.
        """
        paths = tuple(self.files(folder).get(day, ()) if files is None else files)
        if not paths:
            raise NotFoundError(f"{folder} holds no {self.name} file of {day}")
        view, gaps = BestView(region.shape), []
        for (time, product), bands in _overpasses(paths).items():
            try:
                view.add(self._overpass(day, time, bands, region))
            except UnreadableFileError as error:
                gaps.append(f"overpass {product} {day} {time[:2]}:{time[2:]}: {error}")
        if not view.overpasses:
            raise UnreadableFileError(f"no overpass of {day} can be used: {'; '.join(gaps)}")
        return view.result(gaps)

    def _overpass(self, day: Day, time: str, bands: Mapping[str, Path], region: Region) -> Overpass:
        lacking = [band for band in self.bands if band not in bands]
        if lacking:
            raise UnreadableFileError(f"no file of {', '.join(lacking)}")
        planes = {band: _plane(bands[band], band, region) for band in self.bands}
        return Overpass(
            time=np.datetime64(f"{day}T{time[:2]}:{time[2:]}", "m"),
            red=planes[self.red],
            nir=planes[self.nir],
            mir=mir_reflectance(
                planes[self.mir], planes[self.tir], planes[self.solar_zenith], band=self.mir_band
            ),
            view_zenith=planes[self.view_zenith],
            inputs=tuple(bands[band].name for band in self.bands),
        )


def _overpasses(paths: Iterable[Path]) -> dict[tuple[str, str], dict[str, Path]]:
    """Group files by overpass; of several productions of one band the newest stays."""
    groups: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for file in sorted(file for path in paths if (file := GriddedFile.parse(Path(path)))):
        groups[file.time, file.product][file.band] = file.path
    return groups


def _plane(path: Path, band: str, region: Region) -> Plane:
    array = read_arrays(path, [band])[band]
    if array.values.shape != region.shape:
        raise UnreadableFileError(
            f"{path.name} has {_by(array.values.shape)} cells, region {region.name} has {_by(region.shape)}"
        )
    _check_edges(path, array.file_attributes, region)
    return _physical(array)


def _physical(array: Hdf4Array) -> Plane:
    raw = array.values
    values = raw.astype(np.float32)
    # As in the original: float32 times the attribute, so that stored cubes agree with it to the last bit.
    values *= np.float32(array.attributes.get("Scale", 1))
    values += np.float32(array.attributes.get("Offset", 0))
    values[~((raw > _VALID[0]) & (raw < _VALID[1]))] = np.nan
    return values


def _check_edges(path: Path, attributes: Mapping[str, Any], region: Region) -> None:
    """Refuse a file of the right shape that lies elsewhere; files without edges pass."""
    if not all(edge in attributes for edge in _EDGES):
        return
    found = np.array([float(attributes[edge]) for edge in _EDGES])
    off = found - np.array(region.bbox)
    off[[0, 2]] = (off[[0, 2]] + 180) % 360 - 180  # a box across the antimeridian is written either way
    if np.abs(off).max() > _EDGE_TOLERANCE * region.pixel_size:
        raise UnreadableFileError(
            f"{path.name} covers {', '.join(f'{edge:g}' for edge in found)}, "
            f"region {region.name} is {', '.join(f'{edge:g}' for edge in region.bbox)}"
        )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


viirs750 = GriddedHdf4(
    name="viirs750-gridded",
    sensor="VIIRS S-NPP",
    mir_band="M12",
    red="Reflectance_M5",
    nir="Reflectance_M7",
    mir="Radiance_M12",
    tir="Radiance_M15",
)
register(viirs750)
