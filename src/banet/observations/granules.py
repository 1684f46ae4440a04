"""Granules of a swath in any format: their geolocation and their pixels, read for the part that is needed.

A format is a subclass of `Granule` that says which files there are, where its arrays lie in them, and how its
integers become reflectance and radiance; see `banet.observations.l1b` and `banet.observations.sdr`.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import Day
from banet.errors import UnreadableFileError
from banet.io.hdf5 import dataset, number, opened, read_all, read_part
from banet.observations.physics import offset_of, scale_of
from banet.observations.planes import Plane
from banet.observations.reflectance import mir_reflectance
from banet.observations.stated_time import check_stated_time

__all__ = [
    "IMG",
    "MAX_SOLAR_ZENITH",
    "MOD",
    "Arrays",
    "Block",
    "FindGranules",
    "Geolocation",
    "Granule",
    "Kind",
    "Measured",
    "Pixels",
    "name_of",
    "same_shape",
]

#: With the sun lower than this (degrees from the zenith) a reflectance means nothing.
MAX_SOLAR_ZENITH = 85.0
_STRIP_LINES = 256
_NIGHT_LINES = 9

Block = tuple[slice, slice]
"""Lines and pixels of a granule."""


@dataclass(frozen=True)
class Kind:
    """One resolution of the instrument.

    Attributes:
        name: as in the names of Level-1B files, `MOD` or `IMG`.
        red, nir, mir, tir: names of the bands.
        mir_band: name of the MIR band for `mir_reflectance`.
        rows_per_scan: detectors along the track.
        pixel_km: size of a pixel at nadir.
    """

    name: str
    red: str
    nir: str
    mir: str
    tir: str
    mir_band: str
    rows_per_scan: int
    pixel_km: float

    @property
    def bands(self) -> tuple[str, str, str, str]:
        """Red, NIR, MIR and TIR band."""
        return self.red, self.nir, self.mir, self.tir


MOD = Kind("MOD", "M05", "M07", "M12", "M15", mir_band="M12", rows_per_scan=16, pixel_km=0.742)
IMG = Kind("IMG", "I01", "I02", "I04", "I05", mir_band="I4", rows_per_scan=32, pixel_km=0.371)


@dataclass(frozen=True)
class Arrays:
    """Paths of the arrays in a file of geolocation."""

    longitude: str
    latitude: str
    solar_zenith: str
    view_zenith: str


@dataclass(frozen=True, eq=False)
class Geolocation:
    """Places of the pixels of some scans of a granule.

    Attributes:
        longitude, latitude: degrees, (lines, pixels) float32, NaN where not known.
        first: line of the granule that is the first here.
        shape: (lines, pixels) of the whole granule.
    """

    longitude: Plane
    latitude: Plane
    first: int
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Measured:
    """Bands of a block, all planes (lines, pixels), NaN where nothing was measured.

    Attributes:
        red, nir: reflectance (1) divided by the cosine of the sun's zenith, float32.
        mir, tir: radiance, W m-2 sr-1 um-1, float32.
        deleted: pixels that the satellite did not send because a neighbouring scan sees the same ground.
    """

    red: Plane
    nir: Plane
    mir: Plane
    tir: Plane
    deleted: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Measurements of a block of a granule's pixels, all planes (lines, pixels).

    Attributes:
        red, nir, mir: reflectance (1) float32, NaN where not measured or the sun is too low.
        view_zenith: degrees, float32.
        deleted: pixels that the satellite did not send because a neighbouring scan sees the same ground.
    """

    red: Plane
    nir: Plane
    mir: Plane
    view_zenith: Plane
    deleted: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Granule(abc.ABC):
    """The files of one granule.

    Attributes:
        satellite: such as `NOAA-20`.
        time: its start, UTC.
        kind: resolution.
    """

    satellite: str
    time: np.datetime64
    kind: Kind

    @property
    def day(self) -> Day:
        """UTC day of its start."""
        day: Day = self.time.astype("datetime64[D]")
        return day

    @property
    @abc.abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The files that are there."""

    @property
    @abc.abstractmethod
    def place(self) -> tuple[Path, Arrays]:
        """The file of geolocation, and where its arrays are.

        Raises:
            UnreadableFileError: if a file of the granule is missing.
        """

    def is_complete(self) -> bool:
        """Return whether all the files that it needs are there, readable or not."""
        try:
            return bool(self.place)
        except UnreadableFileError:
            return False

    def same_as(self, other: Granule) -> bool:
        """Return whether another is the same granule, of whichever files."""
        return (self.satellite, self.time) == (other.satellite, other.time)

    @abc.abstractmethod
    def measured(self, shape: tuple[int, int], block: Block, cosine: Plane) -> Measured:
        """Read what the bands of a block hold.

        Args:
            shape: of the geolocation, which the bands must share.
            block: lines and pixels.
            cosine: of the sun's zenith in the block, NaN where it is too low.

        Raises:
            UnreadableFileError: if a file is broken, lacks a band or has another shape.
        """

    @abc.abstractmethod
    def arrays(self, path: Path) -> tuple[str, ...]:
        """Return the paths of the arrays that a file of the granule must hold."""

    @abc.abstractmethod
    def stated_time(self, file: h5py.File) -> str:
        """Return the start that a file of the granule tells, as text; empty if it tells none."""

    @contextlib.contextmanager
    def opened(self, path: Path) -> Iterator[h5py.File]:
        """Open a file of the granule for reading.

        Raises:
            UnreadableFileError: if it is broken, or its content begins at another time than its name says.
        """
        with opened(path) as file:
            check_stated_time(path.name, self.stated_time(file), self.time)
            yield file

    def broken(self) -> frozenset[Path]:
        """Return the files that cannot be used, whatever lies beside them; each is read from end to end."""
        return frozenset(path for path in self.files if not self._is_whole(path))

    def _is_whole(self, path: Path) -> bool:
        try:
            with self.opened(path) as file:
                for name in self.arrays(path):
                    dataset(file, name)
                read_all(file)
        except UnreadableFileError:
            return False
        return True

    def __str__(self) -> str:
        """Name satellite and time, for messages."""
        return f"{self.satellite} {str(self.time).replace('T', ' ')}"

    def is_night(self) -> bool:
        """Return whether the sun is too low for a reflectance everywhere in the granule.

        It is told from the sun's zenith along some lines, among them the first and the last, between which
        it changes slowly; flags in the files are not relied on.

        Raises:
            UnreadableFileError: if a file is missing, or the geolocation cannot be read or does not tell.
        """
        (path, arrays), known = self.place, False
        with self.opened(path) as file:
            source = file.get(arrays.solar_zenith)
            if not isinstance(source, h5py.Dataset) or source.ndim != 2 or not source.size:
                return False  # what is wrong is told where the granule is read
            for line in np.unique(np.linspace(0, source.shape[0] - 1, _NIGHT_LINES).astype(int)):
                zenith = _angle(source, (slice(int(line), int(line) + 1), slice(None)))
                with np.errstate(invalid="ignore"):
                    if (zenith <= MAX_SOLAR_ZENITH).any():
                        return False
                known |= bool(np.isfinite(zenith).any())
        if not known:
            raise UnreadableFileError(
                f"{path.name} does not tell where the sun stood: {arrays.solar_zenith} holds no value"
            )
        return True

    def geolocation(self, south: float, north: float) -> Geolocation | None:
        """Read where the pixels are, of the scans that touch a band of latitudes.

        Args:
            south: southern edge of the band, degrees.
            north: northern edge.

        Returns:
            None if no pixel lies in the band.

        Raises:
            UnreadableFileError: if a file is missing, broken, or holds no whole scans.
        """
        (path, arrays), rows = self.place, self.kind.rows_per_scan
        with self.opened(path) as file:
            held = dataset(file, arrays.latitude)
            if held.ndim != 2 or not held.size or held.shape[0] % rows:
                raise UnreadableFileError(
                    f"{path.name}: latitude {held.shape} is not whole scans of {rows} lines"
                )
            lat = read_part(held, (slice(None), slice(None))).astype(np.float32, copy=False)
            shape = (lat.shape[0], lat.shape[1])
            scans = np.flatnonzero(((lat > south) & (lat < north)).any(axis=1).reshape(-1, rows).any(axis=1))
            if not scans.size:
                return None
            lines = slice(int(scans[0]) * rows, (int(scans[-1]) + 1) * rows)
            lat = lat[lines].copy()
            held = same_shape(file, arrays.longitude, shape)
            lon = read_part(held, (lines, slice(None))).astype(np.float32, copy=False)
        unknown = ~((np.abs(lat) <= 90) & (np.abs(lon) <= 180))
        lon[unknown] = np.nan
        lat[unknown] = np.nan
        return Geolocation(lon, lat, lines.start, shape)

    def pixels(self, shape: tuple[int, int], block: Block) -> Pixels:
        """Read what a block of pixels measured.

        Args:
            shape: of the geolocation, which the bands must share.
            block: lines and pixels.

        Raises:
            UnreadableFileError: if a file is missing, broken, lacks a band or has another shape.
        """
        path, arrays = self.place
        with self.opened(path) as file:
            solar_zenith = _angle(same_shape(file, arrays.solar_zenith, shape), block)
            view_zenith = _angle(same_shape(file, arrays.view_zenith, shape), block)
        with np.errstate(invalid="ignore"):
            solar_zenith[~(solar_zenith <= MAX_SOLAR_ZENITH)] = np.nan
        cosine: Plane = np.cos(np.radians(solar_zenith))
        found = self.measured(shape, block, cosine)
        mir = _mir(found.mir, found.tir, solar_zenith, self.kind.mir_band)
        return Pixels(found.red, found.nir, mir, view_zenith, found.deleted)


FindGranules = Callable[[Iterable[Path], Kind], tuple[Granule, ...]]
"""Finds the granules of one kind among files, ordered by time and satellite; other files are passed over."""


def same_shape(file: h5py.File, name: str, shape: tuple[int, int]) -> h5py.Dataset:
    """Return a data set after making sure that it has the shape of the geolocation.

    Raises:
        UnreadableFileError: if it is not there, or has another shape.
    """
    found = dataset(file, name)
    if found.shape != shape:
        raise UnreadableFileError(
            f"{Path(file.filename).name}: {name} is {found.shape}, the geolocation {shape}"
        )
    return found


def name_of(source: h5py.Dataset) -> str:
    """Return file and band of a data set, for messages."""
    return f"{Path(source.file.filename).name}: {source.name.rpartition('/')[2]}"


def _mir(mir: Plane, tir: Plane, solar_zenith: Plane, band: str) -> Plane:
    """MIR reflectance in the place of the radiance, some lines at a time, since it works in float64."""
    for start in range(0, len(mir), _STRIP_LINES):
        strip = slice(start, start + _STRIP_LINES)
        mir[strip] = mir_reflectance(mir[strip], tir[strip], solar_zenith[strip], band=band)
    return mir


def _angle(source: h5py.Dataset, block: Block) -> Plane:
    raw, name = read_part(source, block), name_of(source)
    values: Plane = raw.astype(np.float32)
    if np.issubdtype(raw.dtype, np.integer) or "scale_factor" in source.attrs:
        values *= np.float32(scale_of(number(source, ("scale_factor",)), name, "scale_factor"))
        values += np.float32(offset_of(number(source, ("add_offset",), 0.0), name))
    # Fill values of the integer (-32767) and the float (-999.9) layout lie below any angle from the zenith.
    values[~((values >= 0) & (values <= 180))] = np.nan
    return values
