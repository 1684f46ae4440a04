"""Gridded HDF4 products of the LAADS order service: names, values, and overpasses of a day.

One file a band and overpass, `{product}.A{YYYYDDD}.{HHMM}.{collection}.{production}.psrpgs...{band}.hdf`; a
data set named like the band holds the grid, row 0 in the north. Values above -999 and below 65527 are valid
(`FILL_TEST_VALUE` of the files); `value * Scale + Offset` is a reflectance (already divided by the cosine of
the solar zenith), a radiance in W m-2 sr-1 um-1, or an angle in degrees (no Scale).
"""

from __future__ import annotations

import abc
import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from banet.days import Day, day_of_name
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.io.hdf4 import Hdf4Array, read_arrays
from banet.observations.folder import FolderSource
from banet.observations.granules import MAX_SOLAR_ZENITH
from banet.observations.mosaic import BestView
from banet.observations.physics import check_plane, offset_of, scale_of
from banet.observations.planes import DayPlanes, Overpass, Plane
from banet.observations.productions import newest_readable
from banet.observations.reflectance import mir_reflectance
from banet.observations.satellites import title_of
from banet.observations.stated_time import check_stated_time

__all__ = [
    "GriddedFile",
    "GriddedSource",
    "check_day",
    "check_edges",
    "physical",
    "read_plane",
    "satellite_of",
]

_VALID = (-999, 65527)
_KINDS = {"Reflectance": "reflectance", "Radiance": "radiance"}
_EDGES = ("WestBoundingCoord", "SouthBoundingCoord", "EastBoundingCoord", "NorthBoundingCoord")
_BEGINS = "BeginningDate"
# The edges are written with six decimals; a grid that is off by a tenth of a cell is another grid.
_EDGE_TOLERANCE = 0.1


@dataclass(frozen=True, order=True)
class GriddedFile:
    """Contents of a file's name; ordered by overpass, then band, then production.

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
    def of(cls, match: re.Match[str], product: str, path: Path, bands: Iterable[str]) -> GriddedFile | None:
        """Return what a matched name says (year, doy, time, band, rest), in any case of its letters.

        None if its time is none, or its band none of `bands`.
        """
        band = {one.lower(): one for one in bands}.get(match["band"].lower())
        if band is None:
            return None
        if not ("0000" <= match["time"] < "2400" and match["time"][2:] < "60"):
            return None
        day = day_of_name(match["year"], match["doy"])
        return None if day is None else cls(day, match["time"], product, band, match["rest"], path)


def satellite_of(name: str) -> str:
    """Return which satellite a file's name says, such as `NOAA-20`; empty if none."""
    match = re.match(r"(NPP|VNP|V?J1|V?J2)_?V[MI]AES_L1", name, re.IGNORECASE)
    return title_of(match[1]) if match else ""


class GriddedSource(FolderSource):
    """A source of gridded files: those of one overpass belong together by the time in their names.

    Attributes:
        name: what the user types.
        mir_band: the band in the MIR slot.
        bands: those that an overpass needs, as they are named in the files: red, NIR, MIR, TIR, the sun's
            zenith, the view zenith.
    """

    name: str
    mir_band: str
    bands: tuple[str, ...]

    @abc.abstractmethod
    def parse(self, path: Path) -> GriddedFile | None:
        """Return what the name of a file says, or None if the source has no use for it."""

    def whole(self, bands: Iterable[str]) -> bool:
        """Tell whether files of these bands are worth a look; angles alone may not be."""
        return any(True for _ in bands)

    def plane(self, path: Path, band: str, region: Region) -> Plane:
        """Read a band onto the region's grid.

        Raises:
            UnreadableFileError: if it is broken, or lies on another grid.
        """
        return read_plane(path, band, region)

    def overpass(
        self, time: np.datetime64, bands: Mapping[str, Sequence[Path]], region: Region, gaps: list[str]
    ) -> Overpass:
        """Read one overpass from its files by band; what the sun was too low for is missing.

        Args:
            time: UTC.
            bands: productions of each band, the newest first; the newest that can be read is used.
            region: the grid.
            gaps: gets a line for each band of which a newer production cannot be read.

        Raises:
            UnreadableFileError: if a band is missing or broken, or lies on another grid.
        """
        lacking = [name for name in self.bands if name not in bands]
        if lacking:
            raise UnreadableFileError(f"no file of {', '.join(lacking)}")
        read = {
            name: newest_readable(bands[name], functools.partial(self.plane, band=name, region=region))
            for name in self.bands
        }
        gaps += [f"{why}; {path.name} is read in its place" for path, _, why in read.values() if why]
        red, nir, mir, tir, sun, view = (plane for _, plane, _ in read.values())
        with np.errstate(invalid="ignore"):
            dark = ~(sun <= MAX_SOLAR_ZENITH)
        for plane in (red, nir, mir):
            plane[dark] = np.nan
        return Overpass(
            time=time,
            red=red,
            nir=nir,
            mir=mir_reflectance(mir, tir, sun, band=self.mir_band),
            view_zenith=view,
            inputs=tuple(path.name for path, _, _ in read.values()),
            satellite=satellite_of(read[self.bands[0]][0].name),
        )

    def by_day(self, paths: Iterable[Path]) -> dict[Day, list[Path]]:
        """Group files by day, ordered by overpass."""
        days: dict[Day, list[GriddedFile]] = defaultdict(list)
        for path in paths:
            file = self.parse(path)
            if file is not None:
                days[file.day].append(file)
        return {
            day: [file.path for file in sorted(files)]
            for day, files in days.items()
            if self.whole(file.band for file in files)
        }

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
        overpasses = self._overpasses(self.files(folder).get(day, ()) if files is None else files)
        if not overpasses:
            raise NotFoundError(f"{folder} holds no {self.name} file of {day}")
        view, gaps = BestView(region.shape), list[str]()
        for (time, product), bands in sorted(overpasses.items()):
            clock = f"{time[:2]}:{time[2:]}"
            try:
                view.add(self.overpass(np.datetime64(f"{day}T{clock}", "m"), bands, region, gaps))
            except UnreadableFileError as error:
                gaps.append(f"overpass {product} {day} {clock}: {error}")
        if not view.overpasses:
            raise UnreadableFileError(f"no overpass of {day} can be used: {'; '.join(gaps)}")
        planes = view.result()
        if np.isnan(planes.view_zenith).all():
            gaps.append(
                f"no overpass of {day} sees region {region.name} by daylight ({view.overpasses} looked at)"
            )
        return replace(planes, gaps=tuple(gaps))

    def _overpasses(self, paths: Iterable[Path]) -> dict[tuple[str, str], dict[str, list[Path]]]:
        """Group files by overpass and band; of several productions of one band the newest is first."""
        groups: dict[tuple[str, str], dict[str, list[Path]]] = defaultdict(dict)
        for file in sorted(file for path in paths if (file := self.parse(Path(path)))):
            groups[file.time, file.product].setdefault(file.band, []).insert(0, file.path)
        return {key: bands for key, bands in groups.items() if self.whole(bands)}


def read_plane(path: Path, band: str, region: Region) -> Plane:
    """Read a plane that lies on a region's grid, (rows, columns) float32 in physical units, NaN missing.

    Raises:
        UnreadableFileError: if it cannot be read, lies elsewhere, or is of another day than its name says.
    """
    array = read_arrays(path, [band])[band]
    if array.values.shape != region.shape:
        raise UnreadableFileError(
            f"{path.name} has {_by(array.values.shape)} cells, region {region.name} has {_by(region.shape)}"
        )
    check_day(path, array.file_attributes)
    check_edges(path, array.file_attributes, region)
    return physical(array, band, path.name)


def physical(array: Hdf4Array, band: str, file: str) -> Plane:
    """Turn stored values into float32 in physical units, NaN where they are none.

    Args:
        array: as stored.
        band: its name, such as `Reflectance_M5`, which says the kind of its values.
        file: its name, for messages.

    Raises:
        UnreadableFileError: if a reflectance or radiance has no scale, the scale or offset is no number, or
            most values lie outside physics.
    """
    kind = next((kind for start, kind in _KINDS.items() if band.startswith(start)), "angle")
    raw, name = array.values, f"{file}: {band}"
    values = raw.astype(np.float32)
    if kind != "angle" or "Scale" in array.attributes:
        # As in the original: float32 times the attribute, so that stored cubes agree with it to the last bit.
        values *= np.float32(scale_of(array.attributes.get("Scale"), name))
    values += np.float32(offset_of(array.attributes.get("Offset", 0), name))
    with np.errstate(invalid="ignore"):
        values[~((raw > _VALID[0]) & (raw < _VALID[1]))] = np.nan
    check_plane(values, kind, name)
    return values


def check_day(path: Path, attributes: Mapping[str, Any]) -> None:
    """Refuse a file whose content begins on another day than its name says; files without a day pass.

    Raises:
        UnreadableFileError: if it is of another day.
    """
    named = re.search(r"\.A(\d{4})(\d{3})\.", path.name, re.IGNORECASE)
    day = day_of_name(named[1], named[2]) if named else None
    if day is not None:
        check_stated_time(path.name, str(attributes.get(_BEGINS, "")), day)


def check_edges(path: Path, attributes: Mapping[str, Any], region: Region) -> None:
    """Refuse a file of the right shape that lies elsewhere; files without edges pass.

    Raises:
        UnreadableFileError: if it covers another box than the region's.
    """
    if not all(edge in attributes for edge in _EDGES):
        return
    try:
        found = np.array([float(attributes[edge]) for edge in _EDGES])
    except (TypeError, ValueError) as error:
        raise UnreadableFileError(f"{path.name} has edges that are no numbers; download it again") from error
    off = found - np.array(region.bbox)
    off[[0, 2]] = (off[[0, 2]] + 180) % 360 - 180  # a box across the antimeridian is written either way
    if np.abs(off).max() > _EDGE_TOLERANCE * region.pixel_size:
        raise UnreadableFileError(
            f"{path.name} covers {', '.join(f'{edge:g}' for edge in found)}, "
            f"region {region.name} is {', '.join(f'{edge:g}' for edge in region.bbox)}"
        )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
