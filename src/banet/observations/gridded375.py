"""VIIRS 375 m bands as the LAADS order service gridded them: one HDF4 file a band and overpass.

Bands are files `NPP_VIAES_L1.A{YYYYDDD}.{HHMM}...{band}.hdf` on the region's grid. That product has no
angles, so they come from the 750 m product of the same overpass, `NPP_VMAES_L1...{angle}.hdf`, ordered at
0.1 degree over the same box (any regular grid over the box will do) and interpolated bilinearly. Values as
in `gridded_hdf4`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.days import Day, Days, from_day_of_year
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.files import PathLike, existing_folder
from banet.hdf4 import read_arrays
from banet.observations import register
from banet.observations.gridded_hdf4 import GriddedFile, _check_edges, _physical, _plane
from banet.observations.mosaic import BestView
from banet.observations.planes import DayPlanes, Overpass, Plane
from banet.observations.reflectance import mir_reflectance
from banet.region import Region

__all__ = ["Gridded375", "interpolated", "viirs375"]

_BANDS = ("Reflectance_I1", "Reflectance_I2", "Radiance_I4", "Radiance_I5")
_ANGLES = ("SolarZenithAngle", "SatelliteZenithAngle")
_NAME = re.compile(
    r"(?P<satellite>NPP|VNP|J1|VJ1|J2|VJ2)_?V(?P<kind>[IM])AES_L1\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})"
    rf"\.(?P<rest>.*?)(?P<band>{'|'.join((*_BANDS, *_ANGLES))})\.hdf",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Gridded375:
    """The source of gridded 375 m files; see `banet.observations.planes.ObservationSource`."""

    name: str = "viirs375-gridded"
    sensor: str = "VIIRS S-NPP"
    mir_band: str = "I4"

    def files(self, folder: PathLike) -> dict[Day, tuple[Path, ...]]:
        """Return the files of each day with bands, in the folder and the folders below it.

        Raises:
            NotFoundError: if there is no such folder.
        """
        days: dict[Day, list[GriddedFile]] = defaultdict(list)
        for path in existing_folder(folder, "folder of VIIRS files").rglob("*"):
            file = _parsed(path)
            if file is not None:
                days[file.day].append(file)
        banded = [day for day, files in days.items() if any(file.band in _BANDS for file in files)]
        return {day: tuple(file.path for file in sorted(days[day])) for day in sorted(banded)}

    def days(self, folder: PathLike) -> Days:
        """Return the sorted days for which the folder holds at least one band of this family."""
        return np.array(list(self.files(folder)), "datetime64[D]")

    def read_day(
        self, folder: PathLike, day: Day, region: Region, files: Iterable[Path] | None = None
    ) -> DayPlanes:
        """Return the planes of a day; overpasses that cannot be used become lines in `gaps`.

        Args:
            folder: where the files are.
            day: UTC.
            region: the grid that the bands were ordered for.
            files: those of the day, if they are known, to spare a look through the folder.

        Raises:
            NotFoundError: if the folder holds no band of that day.
            UnreadableFileError: if not one overpass of that day could be used; the message says why.
        """
        paths = tuple(self.files(folder).get(day, ()) if files is None else files)
        overpasses = _overpasses(paths)
        if not overpasses:
            raise NotFoundError(f"{folder} holds no {self.name} file of {day}")
        view, gaps = BestView(region.shape), list[str]()
        for (time, satellite), parts in sorted(overpasses.items()):
            try:
                view.add(
                    _overpass(
                        np.datetime64(f"{day}T{time[:2]}:{time[2:]}", "m"), parts, region, self.mir_band
                    )
                )
            except UnreadableFileError as error:
                gaps.append(f"overpass {satellite} {day} {time[:2]}:{time[2:]}: {error}")
        if not view.overpasses:
            raise UnreadableFileError(f"no overpass of {day} can be used: {'; '.join(gaps)}")
        return view.result(gaps)


def interpolated(coarse: Plane, region: Region) -> Plane:
    """Interpolate a coarse plane over a region's box bilinearly at the centres of the region's cells.

    Beyond the outermost coarse centres the nearest is taken. A cell is missing where coarse cells of half
    its weight or more are; a missing coarse cell of less weight is left out.

    Args:
        coarse: (rows, columns) float32 over the same box, row 0 in the north, NaN where missing.
        region: the grid.
    """
    known = np.isfinite(coarse)
    row, col = (_weights(size, cells) for size, cells in zip(coarse.shape, region.shape, strict=True))
    weight = _apply(row, col, known.astype(np.float64))
    total = _apply(row, col, np.where(known, coarse, 0).astype(np.float64))
    result = np.divide(total, weight, out=np.full(region.shape, np.nan), where=weight > 0.5)
    fine: Plane = result.astype(np.float32)
    return fine


def _parsed(path: Path) -> GriddedFile | None:
    match = _NAME.fullmatch(path.name)
    if match is None or not ("0000" <= match["time"] < "2400" and match["time"][2:] < "60"):
        return None
    if (match["kind"].upper() == "I") != (match["band"] in _BANDS):
        return None
    try:
        day = from_day_of_year(int(match["year"]), int(match["doy"]))
    except InputError:  # a name like A2017400 is a name of something else
        return None
    return GriddedFile(day, match["time"], match["satellite"].upper(), match["band"], match["rest"], path)


def _overpasses(paths: Iterable[Path]) -> dict[tuple[str, str], dict[str, Path]]:
    """Group files by overpass, of those that have a band; the newest production of each file stays."""
    groups: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for file in sorted(file for path in paths if (file := _parsed(path)) is not None):
        groups[file.time, file.product][file.band] = file.path
    return {key: parts for key, parts in groups.items() if any(band in parts for band in _BANDS)}


def _overpass(time: np.datetime64, parts: Mapping[str, Path], region: Region, mir_band: str) -> Overpass:
    lacking = [name for name in (*_BANDS, *_ANGLES) if name not in parts]
    if lacking:
        raise UnreadableFileError(f"no file of {', '.join(lacking)}")
    red, nir, mir, tir = (_plane(parts[band], band, region) for band in _BANDS)
    solar_zenith, view_zenith = (_angle(parts[angle], angle, region) for angle in _ANGLES)
    return Overpass(
        time=time,
        red=red,
        nir=nir,
        mir=mir_reflectance(mir, tir, solar_zenith, band=mir_band),
        view_zenith=view_zenith,
        inputs=tuple(parts[name].name for name in (*_BANDS, *_ANGLES)),
    )


def _angle(path: Path, name: str, region: Region) -> Plane:
    array = read_arrays(path, [name])[name]
    if array.values.ndim != 2 or not array.values.size:
        raise UnreadableFileError(f"{path.name}: {name} is no plane ({array.values.shape})")
    _check_edges(path, array.file_attributes, region)
    return interpolated(_physical(array), region)


def _weights(size: int, cells: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """First of the two coarse cells around each fine centre, and the share of the second."""
    place = np.clip((np.arange(cells) + 0.5) * size / cells - 0.5, 0, size - 1)
    first = np.minimum(place.astype(np.intp), max(size - 2, 0))
    return first, place - first


def _apply(
    row: tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]],
    col: tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]],
    plane: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    (r, down), (c, right) = row, col
    below, beside = np.minimum(r + 1, plane.shape[0] - 1), np.minimum(c + 1, plane.shape[1] - 1)
    lines = plane[r] * (1 - down)[:, None] + plane[below] * down[:, None]
    planes: npt.NDArray[np.float64] = lines[:, c] * (1 - right) + lines[:, beside] * right
    return planes


viirs375 = Gridded375()
register(viirs375)
