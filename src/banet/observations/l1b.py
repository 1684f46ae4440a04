"""VIIRS Level-1B granules: six minutes of one satellite's swath, in a file of bands and one of geolocation.

Names are `V{NP,J1,J2}{02,03}{MOD,IMG}[_NRT].A{YYYYDDD}.{HHMM}.{collection}[.{production}].nc`; the two
files of a granule share satellite, kind and time. Integers above 65527 are flags, not measurements (65533:
row deleted by the satellite because a neighbouring scan sees the same ground). Reflective bands scale to a
reflectance that is not yet divided by the cosine of the solar zenith; M12, M15, I4 and I5 scale to radiance
in W m-2 sr-1 um-1.
Source: NASA VIIRS Level-1B Product User Guide, May 2018, chapters 4 and 5, appendix 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import Day, from_day_of_year
from banet.errors import InputError, UnreadableFileError
from banet.io.hdf5 import dataset, number, opened, text
from banet.observations.physics import check_plane, offset_of, scale_of
from banet.observations.planes import Plane
from banet.observations.reflectance import mir_reflectance

__all__ = [
    "IMG",
    "MOD",
    "Granule",
    "Kind",
    "Pixels",
    "find_granules",
    "is_night",
    "read_geolocation",
    "read_pixels",
]

SATELLITES = {"VNP": "S-NPP", "VJ1": "NOAA-20", "VJ2": "NOAA-21"}
#: With the sun lower than this (degrees from the zenith) a reflectance means nothing.
MAX_SOLAR_ZENITH = 85.0
_LAST_VALUE = 65527
_DELETED = 65533
_STRIP_LINES = 256
_NIGHT_LINES = 9
# Bits of a band's quality flags that make a value useless even where it is no flag value itself.
_USELESS = ("Missing_EV", "Cal_Fail", "Dead_Detector")
_NAME = re.compile(
    r"(?P<satellite>VNP|VJ1|VJ2)(?P<level>0[23])(?P<kind>MOD|IMG)(?P<nrt>_NRT)?\.A(?P<year>\d{4})(?P<doy>\d{3})"
    r"\.(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)\.(?P<rest>.+)\.(?:nc4?|h5|hdf5?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Kind:
    """One resolution of the instrument.

    Attributes:
        name: as in the file names, `MOD` or `IMG`.
        red, nir, mir, tir: names of the bands in the file.
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


MOD = Kind("MOD", "M05", "M07", "M12", "M15", mir_band="M12", rows_per_scan=16, pixel_km=0.742)
IMG = Kind("IMG", "I01", "I02", "I04", "I05", mir_band="I4", rows_per_scan=32, pixel_km=0.371)


@dataclass(frozen=True)
class Granule:
    """The files of one granule.

    Attributes:
        satellite: `VNP`, `VJ1` or `VJ2`.
        time: its start, UTC, datetime64[m].
        bands: the 02 file, or None where only its partner is there.
        geolocation: the 03 file, or None.
    """

    satellite: str
    time: np.datetime64
    bands: Path | None = None
    geolocation: Path | None = None

    @property
    def day(self) -> Day:
        """UTC day of its start."""
        day: Day = self.time.astype("datetime64[D]")
        return day

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(path for path in (self.bands, self.geolocation) if path is not None)

    def __str__(self) -> str:
        """Name satellite and time, for messages."""
        return f"{SATELLITES[self.satellite]} {str(self.time).replace('T', ' ')}"


@dataclass(frozen=True, eq=False)
class Geolocation:
    """Where the pixels of some scans of a granule are.

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
class Pixels:
    """What a block of a granule's pixels measured, all planes (lines, pixels).

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


def find_granules(paths: Iterable[Path], kind: Kind) -> tuple[Granule, ...]:
    """Pair the files of one kind by satellite and time; other files are passed over.

    Of several productions of one file the newest of the standard ones stays, else the newest near-real-time
    one.

    Returns:
        Granules ordered by time and satellite; one whose partner is missing has None in its place.
    """
    best: dict[tuple[np.datetime64, str], Granule] = {}
    for path, match in sorted(_named(paths, kind), key=lambda item: _preference(item[1])):
        time = _time(match)
        if time is None:
            continue
        satellite = match["satellite"].upper()
        known = best.get((time, satellite), Granule(satellite, time))
        with_it = replace(known, bands=path) if match["level"] == "02" else replace(known, geolocation=path)
        best[time, satellite] = with_it
    return tuple(best[key] for key in sorted(best))


def is_night(granule: Granule) -> bool:
    """Return whether the sun is too low for a reflectance everywhere in a granule.

    It is told from the sun's zenith along some lines, among them the first and the last, between which it
    changes slowly; flags in the files are not relied on.

    Raises:
        UnreadableFileError: if a file of the pair is missing or the geolocation cannot be read.
    """
    _, geolocation = _pair(granule)
    with opened(geolocation) as file:
        source = file.get("geolocation_data/solar_zenith")
        if not isinstance(source, h5py.Dataset) or source.ndim != 2 or not source.size:
            return False  # what is wrong is told where the granule is read
        for line in np.unique(np.linspace(0, source.shape[0] - 1, _NIGHT_LINES).astype(int)):
            zenith = _angle(source, (slice(int(line), int(line) + 1), slice(None)))
            with np.errstate(invalid="ignore"):
                if (zenith <= MAX_SOLAR_ZENITH).any():
                    return False
    return True


def read_geolocation(granule: Granule, kind: Kind, south: float, north: float) -> Geolocation | None:
    """Read where the pixels are, of the scans that touch a band of latitudes.

    Args:
        granule: with both files.
        kind: `MOD` or `IMG`.
        south: southern edge of the band, degrees.
        north: northern edge.

    Returns:
        None if no pixel lies in the band.

    Raises:
        UnreadableFileError: if a file of the pair is missing, broken, or holds no whole scans.
    """
    _, geolocation = _pair(granule)
    with opened(geolocation) as file:
        lat = dataset(file, "geolocation_data/latitude")[()].astype(np.float32, copy=False)
        if lat.ndim != 2 or not lat.size or lat.shape[0] % kind.rows_per_scan:
            raise UnreadableFileError(
                f"{geolocation.name}: latitude {lat.shape} is not whole scans of {kind.rows_per_scan} lines"
            )
        shape = (lat.shape[0], lat.shape[1])
        scans = np.flatnonzero(
            ((lat > south) & (lat < north)).any(axis=1).reshape(-1, kind.rows_per_scan).any(axis=1)
        )
        if not scans.size:
            return None
        lines = slice(int(scans[0]) * kind.rows_per_scan, (int(scans[-1]) + 1) * kind.rows_per_scan)
        lat = lat[lines].copy()
        lon = _same(file, "geolocation_data/longitude", shape)[lines].astype(np.float32, copy=False)
    unknown = ~((np.abs(lat) <= 90) & (np.abs(lon) <= 180))
    lon[unknown] = np.nan
    lat[unknown] = np.nan
    return Geolocation(lon, lat, lines.start, shape)


def read_pixels(granule: Granule, kind: Kind, shape: tuple[int, int], block: tuple[slice, slice]) -> Pixels:
    """Read what a block of pixels measured.

    Args:
        granule: with both files.
        kind: `MOD` or `IMG`.
        shape: of the geolocation, which the bands must share.
        block: lines and pixels.

    Raises:
        UnreadableFileError: if a file is missing, broken, lacks a band or has another shape.
    """
    bands, geolocation = _pair(granule)
    with opened(geolocation) as file:
        solar_zenith = _angle(_same(file, "geolocation_data/solar_zenith", shape), block)
        view_zenith = _angle(_same(file, "geolocation_data/sensor_zenith", shape), block)
    with opened(bands) as file:
        sources = [
            _same(file, f"observation_data/{band}", shape)
            for band in (kind.red, kind.nir, kind.mir, kind.tir)
        ]
        raw = sources[0][block]
        red = _scaled(sources[0], raw, block, "reflectance")
        nir = _scaled(sources[1], sources[1][block], block, "reflectance")
        mir, tir = (_scaled(source, source[block], block, "radiance") for source in sources[2:])
    with np.errstate(invalid="ignore"):
        dark = ~(solar_zenith <= MAX_SOLAR_ZENITH)
    solar_zenith[dark] = np.nan
    cosine: Plane = np.cos(np.radians(solar_zenith))
    return Pixels(
        red=red / cosine,
        nir=nir / cosine,
        mir=_mir(mir, tir, solar_zenith, kind.mir_band),
        view_zenith=view_zenith,
        deleted=raw == _DELETED,
    )


def _mir(mir: Plane, tir: Plane, solar_zenith: Plane, band: str) -> Plane:
    """MIR reflectance in the place of the radiance, some lines at a time, since it works in float64."""
    for start in range(0, len(mir), _STRIP_LINES):
        strip = slice(start, start + _STRIP_LINES)
        mir[strip] = mir_reflectance(mir[strip], tir[strip], solar_zenith[strip], band=band)
    return mir


def _named(paths: Iterable[Path], kind: Kind) -> list[tuple[Path, re.Match[str]]]:
    matches = ((path, _NAME.fullmatch(path.name)) for path in paths)
    return [(path, match) for path, match in matches if match and match["kind"].upper() == kind.name]


def _preference(match: re.Match[str]) -> tuple[bool, str]:
    """Order productions such that the last is the one to keep."""
    return match["nrt"] is None, match["rest"]


def _time(match: re.Match[str]) -> np.datetime64 | None:
    try:
        day = from_day_of_year(int(match["year"]), int(match["doy"]))
    except InputError:  # a name like A2017400 is a name of something else
        return None
    return np.datetime64(f"{day}T{match['hour']}:{match['minute']}", "m")


def _pair(granule: Granule) -> tuple[Path, Path]:
    if granule.bands is None or granule.geolocation is None:
        there = granule.files[0].name if granule.files else "nothing"
        lacking = "03 (geolocation)" if granule.geolocation is None else "02 (bands)"
        raise UnreadableFileError(f"{there} has no {lacking} file of the same satellite and time beside it")
    return granule.bands, granule.geolocation


def _same(file: h5py.File, name: str, shape: tuple[int, int]) -> h5py.Dataset:
    found = dataset(file, name)
    if found.shape != shape:
        raise UnreadableFileError(
            f"{Path(file.filename).name}: {name} is {found.shape}, the geolocation {shape}"
        )
    return found


def _scaled(
    source: h5py.Dataset, raw: npt.NDArray[np.uint16], block: tuple[slice, slice], kind: str
) -> Plane:
    name = f"{Path(source.file.filename).name}: {source.name.rpartition('/')[2]}"
    values: Plane = raw.astype(np.float32)
    values *= np.float32(scale_of(number(source, ("scale_factor",)), name, "scale_factor"))
    values += np.float32(offset_of(_attribute(source, "add_offset"), name))
    values[raw > _LAST_VALUE] = np.nan
    check_plane(values, kind, name)
    useless = _useless(source, block)
    if useless is not None:
        values[useless] = np.nan
    return values


def _useless(source: h5py.Dataset, block: tuple[slice, slice]) -> npt.NDArray[np.bool_] | None:
    """Where the band's quality flags say that a value is none; the file itself says which bit means what."""
    flags = source.parent.get(f"{source.name.rpartition('/')[2]}_quality_flags")
    if not isinstance(flags, h5py.Dataset) or flags.shape != source.shape:
        return None
    masks = np.ravel(flags.attrs.get("flag_masks", []))
    meanings = text(flags, "flag_meanings").split()
    bits = sum(int(mask) for mask, meaning in zip(masks, meanings, strict=False) if meaning in _USELESS)
    if not bits:
        return None
    found: npt.NDArray[np.bool_] = (flags[block] & bits) != 0
    return found


def _attribute(source: h5py.Dataset, name: str) -> float:
    value = number(source, (name,))
    if value is None:
        raise UnreadableFileError(f"{Path(source.file.filename).name}: {source.name} has no {name}")
    return value


def _angle(source: h5py.Dataset, block: tuple[slice, slice]) -> Plane:
    raw = source[block]
    name = f"{Path(source.file.filename).name}: {source.name.rpartition('/')[2]}"
    values: Plane = raw.astype(np.float32)
    if np.issubdtype(raw.dtype, np.integer) or "scale_factor" in source.attrs:
        values *= np.float32(scale_of(number(source, ("scale_factor",)), name, "scale_factor"))
        values += np.float32(offset_of(number(source, ("add_offset",), 0.0), name))
    # Fill values of both the integer (-32767) and the float (-999.9) layout lie below any angle from the
    # zenith.
    values[~((values >= 0) & (values <= 180))] = np.nan
    return values
