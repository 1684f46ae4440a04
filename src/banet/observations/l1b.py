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
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import day_of_name
from banet.errors import UnreadableFileError
from banet.io.hdf5 import number, read_part, text
from banet.observations.granules import Arrays, Block, Granule, Kind, Measured, name_of, same_shape
from banet.observations.physics import check_plane, offset_of, scale_of
from banet.observations.planes import Plane
from banet.observations.satellites import title_of

__all__ = ["L1bGranule", "find_granules"]

_LAST_VALUE = 65527
_DELETED = 65533
# Bits of a band's quality flags that make a value useless even where it is no flag value itself.
_USELESS = ("Missing_EV", "Cal_Fail", "Dead_Detector")
_ARRAYS = Arrays(
    *(f"geolocation_data/{name}" for name in ("longitude", "latitude", "solar_zenith", "sensor_zenith"))
)
_NAME = re.compile(
    r"(?P<satellite>VNP|VJ1|VJ2)(?P<level>0[23])(?P<kind>MOD|IMG)(?P<nrt>_NRT)?\.A(?P<year>\d{4})(?P<doy>\d{3})"
    r"\.(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)\.(?P<rest>.+)\.(?:nc4?|h5|hdf5?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class L1bGranule(Granule):
    """The two files of a Level-1B granule.

    Attributes:
        bands: the 02 file, or None where only its partner is there.
        where: the 03 file, or None.
    """

    bands: Path | None = None
    where: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(path for path in (self.bands, self.where) if path is not None)

    @property
    def place(self) -> tuple[Path, Arrays]:
        """The file of geolocation, and where its arrays are."""
        return self._pair()[1], _ARRAYS

    def measured(self, shape: tuple[int, int], block: Block, cosine: Plane) -> Measured:
        """Read what the bands of a block hold; reflectance is divided by the cosine here."""
        with self.opened(self._pair()[0]) as file:
            sources = [same_shape(file, f"observation_data/{band}", shape) for band in self.kind.bands]
            raw = read_part(sources[0], block)
            red = _scaled(sources[0], raw, block, "reflectance")
            nir = _scaled(sources[1], read_part(sources[1], block), block, "reflectance")
            mir, tir = (
                _scaled(source, read_part(source, block), block, "radiance") for source in sources[2:]
            )
        return Measured(red / cosine, nir / cosine, mir, tir, raw == _DELETED)

    def arrays(self, path: Path) -> tuple[str, ...]:
        """Return the paths of the arrays that a file of the granule must hold."""
        if path == self.where:
            return astuple(_ARRAYS)
        return tuple(f"observation_data/{band}" for band in self.kind.bands)

    def stated_time(self, file: h5py.File) -> str:
        """Return the start that a file of the granule tells, as text; empty if it tells none."""
        return text(file, "time_coverage_start")

    def _pair(self) -> tuple[Path, Path]:
        if self.bands is None or self.where is None:
            there = self.files[0].name if self.files else "nothing"
            lacking = "03 (geolocation)" if self.where is None else "02 (bands)"
            raise UnreadableFileError(
                f"{there} has no {lacking} file of the same satellite and time beside it"
            )
        return self.bands, self.where


def find_granules(paths: Iterable[Path], kind: Kind) -> tuple[Granule, ...]:
    """Pair the files of one kind by satellite and time; other files are passed over.

    Of several productions of one file the newest of the standard ones stays, else the newest near-real-time
    one.

    Returns:
        Granules ordered by time and satellite; one whose partner is missing has None in its place.
    """
    best: dict[tuple[np.datetime64, str], L1bGranule] = {}
    for path, match in sorted(_named(paths, kind), key=lambda item: _preference(item[1])):
        time = _time(match)
        if time is None:
            continue
        satellite = title_of(match["satellite"])
        known = best.get((time, satellite), L1bGranule(satellite, time, kind))
        with_it = replace(known, bands=path) if match["level"] == "02" else replace(known, where=path)
        best[time, satellite] = with_it
    return tuple(best[key] for key in sorted(best))


def _named(paths: Iterable[Path], kind: Kind) -> list[tuple[Path, re.Match[str]]]:
    matches = ((path, _NAME.fullmatch(path.name)) for path in paths)
    return [(path, match) for path, match in matches if match and match["kind"].upper() == kind.name]


def _preference(match: re.Match[str]) -> tuple[bool, str]:
    """Order productions such that the last is the one to keep."""
    return match["nrt"] is None, match["rest"]


def _time(match: re.Match[str]) -> np.datetime64 | None:
    day = day_of_name(match["year"], match["doy"])
    return None if day is None else np.datetime64(f"{day}T{match['hour']}:{match['minute']}", "m")


def _scaled(source: h5py.Dataset, raw: npt.NDArray[np.uint16], block: Block, kind: str) -> Plane:
    name = name_of(source)
    values: Plane = raw.astype(np.float32)
    values *= np.float32(scale_of(number(source, ("scale_factor",)), name, "scale_factor"))
    offset = number(source, ("add_offset",))
    if offset is None:
        raise UnreadableFileError(f"{name} has no add_offset")
    values += np.float32(offset_of(offset, name))
    values[raw > _LAST_VALUE] = np.nan
    check_plane(values, kind, name)
    useless = _useless(source, block)
    if useless is not None:
        values[useless] = np.nan
    return values


def _useless(source: h5py.Dataset, block: Block) -> npt.NDArray[np.bool_] | None:
    """Return the mask of values that the band's quality flags refuse; the file itself explains the bits."""
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
