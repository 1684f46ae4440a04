"""NOAA's SDR granules: about 85 seconds of one satellite's swath, in a file a band and one of geolocation.

Names are `{SVM05,SVI01,GMTCO,...}_{npp,j01,j02}_d{YYYYMMDD}_t{HHMMSSS}_e..._b..._c{created}_{source}.h5`; an
archive may pack several of them in one file, `GMTCO-SVM05-SVM07..._npp_...h5`. Files of one granule share
satellite, day and time of its start. A file may hold several granules one after another.

A byte of quality flags goes with each pixel (`QF1_VIIRSMBANDSDR`, `QF1_VIIRSIBANDSDR`): bits 0-1 are the
quality of calibration (2: none), bits 4-5 what data were missing (1: the earth view). Such pixels are left
out; saturated ones and those of poor calibration are values.

`All_Data/VIIRS-M5-SDR_All/Reflectance` holds integers, `ReflectanceFactors` a scale and an offset for each
granule in it; floats need none. Integers from 65528 on and floats of -999 and below are no values (65533,
-999.7: row deleted by the satellite because a neighbouring scan sees the same ground). Reflectance is that at
the top of the atmosphere and divided by the cosine of the sun's zenith already, unlike NASA's Level-1B;
radiance is in W m-2 sr-1 um-1. Of geolocation, that corrected for terrain (GMTCO, GITCO) is taken where both
are there. Sources: JPSS Common Data Format Control Book, volume III (474-00001-03); satpy's reader
`viirs_sdr` and its issue 3411, which say that these reflectances are normalised by the sun already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import as_day
from banet.errors import InputError, UnreadableFileError
from banet.io.hdf5 import dataset, read_part, text
from banet.observations.file_names import SDR
from banet.observations.granules import IMG, MOD, Arrays, Block, Granule, Kind, Measured, name_of, same_shape
from banet.observations.physics import check_plane, offset_of, scale_of
from banet.observations.planes import Plane
from banet.observations.satellites import title_of

__all__ = ["SdrGranule", "find_granules", "granule_of_name"]

# Prefixes of the files of geolocation and the groups in them, the better first.
_PLACES = {
    MOD: {"GMTCO": "VIIRS-MOD-GEO-TC_All", "GMODO": "VIIRS-MOD-GEO_All"},
    IMG: {"GITCO": "VIIRS-IMG-GEO-TC_All", "GIMGO": "VIIRS-IMG-GEO_All"},
}
_ARRAYS = ("Longitude", "Latitude", "SolarZenithAngle", "SatelliteZenithAngle")
# Objects of a product that tell its start, and how their attributes begin.
_STATED = {"Aggr": "AggregateBeginning", "Gran_0": "Beginning_"}
_FILL, _DELETED = 65528, 65533
_NOT_CALIBRATED, _NO_EARTH_VIEW = 2, 1
_FLOAT_FILL, _FLOAT_DELETED = -999.0, -999.7


@dataclass(frozen=True)
class SdrGranule(Granule):
    """The files of an SDR granule.

    Attributes:
        parts: files by the prefix of their names, such as `SVM05`; one file may stand for several.
    """

    parts: Mapping[str, Path] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are there and used."""
        used = [self.parts[part] for part in (*_bands(self.kind), *self._places()) if part in self.parts]
        return tuple(dict.fromkeys(used))

    @property
    def place(self) -> tuple[Path, Arrays]:
        """The file of geolocation, and where its arrays are."""
        bands, places = _bands(self.kind), self._places()
        lacking = [part for part in bands if part not in self.parts]
        lacking += [] if places else [" or ".join(_PLACES[self.kind])]
        if lacking:
            raise UnreadableFileError(
                f"{self.files[0].name} has no {', '.join(lacking)} file of its satellite and time beside it"
            )
        return self.parts[places[0]], Arrays(*(f"{_group(places[0])}/{name}" for name in _ARRAYS))

    def measured(self, shape: tuple[int, int], block: Block, cosine: Plane) -> Measured:
        """Read what the bands of a block hold; reflectance is NaN where the sun is too low."""
        red, nir, mir, tir = _bands(self.kind)
        reflected = [self._band(part, "Reflectance", shape, block) for part in (red, nir)]
        for values, _ in reflected:
            values[np.isnan(cosine)] = np.nan
        return Measured(
            red=reflected[0][0],
            nir=reflected[1][0],
            mir=self._band(mir, "Radiance", shape, block)[0],
            tir=self._band(tir, "Radiance", shape, block)[0],
            deleted=reflected[0][1],
        )

    def arrays(self, path: Path) -> tuple[str, ...]:
        """Return the paths of the arrays that a file of the granule must hold."""
        held = [part for part, its_path in self.parts.items() if its_path == path]
        red, nir, mir, tir = _bands(self.kind)
        quantities = {red: "Reflectance", nir: "Reflectance", mir: "Radiance", tir: "Radiance"}
        bands = [f"{_group(part)}/{quantities[part]}" for part in held if part in quantities]
        places = [f"{_group(part)}/{name}" for part in held if part in self._places() for name in _ARRAYS]
        return *bands, *places

    def stated_time(self, file: h5py.File) -> str:
        """Return the start that a file of the granule tells, as text; empty if it tells none."""
        products = file.get("Data_Products")
        for name in products if isinstance(products, h5py.Group) else ():
            for part, prefix in _STATED.items():
                holder = products.get(f"{name}/{name}_{part}")
                stated = "" if holder is None else text(holder, f"{prefix}Date")
                if stated:
                    return f"{stated} {text(holder, f'{prefix}Time')}"
        return ""

    def _places(self) -> list[str]:
        """The kinds of geolocation that are there, the best first."""
        return [part for part in _PLACES[self.kind] if part in self.parts][:1]

    def _band(
        self, part: str, quantity: str, shape: tuple[int, int], block: Block
    ) -> tuple[Plane, npt.NDArray[np.bool_]]:
        """Read a quantity of a band; also where its pixels were deleted on board."""
        group = _group(part)
        with self.opened(self.parts[part]) as file:
            source = same_shape(file, f"{group}/{quantity}", shape)
            raw, name = read_part(source, block), name_of(source)
            values: Plane = raw.astype(np.float32)
            if np.issubdtype(raw.dtype, np.integer):
                scale, offset = _factors(
                    dataset(file, f"{group}/{quantity}Factors"), shape[0], block[0], name
                )
                values *= scale
                values += offset
                values[raw >= _FILL] = np.nan
                deleted = raw == _DELETED
            else:
                values[~(raw > _FLOAT_FILL)] = np.nan
                deleted = np.abs(raw - _FLOAT_DELETED) < 0.01
            flags = file.get(f"{group}/QF1_VIIRS{part[2]}BANDSDR")
            if isinstance(flags, h5py.Dataset) and flags.shape == shape:
                values[_useless(flags[block])] = np.nan
        check_plane(values, quantity.lower(), name)
        return values, np.asarray(deleted, bool)


def find_granules(paths: Iterable[Path], kind: Kind) -> tuple[Granule, ...]:
    """Bring together the files of one kind by satellite and time; other files are passed over.

    Of several productions of one file the newest stays.

    Returns:
        Granules ordered by time and satellite, whole or not.
    """
    wanted = {*_bands(kind), *_PLACES[kind]}
    parts: dict[tuple[np.datetime64, str], dict[str, Path]] = {}
    matches = ((path, SDR.fullmatch(path.name)) for path in paths)
    for path, match in sorted(
        ((path, match) for path, match in matches if match), key=lambda item: item[1]["created"]
    ):
        time, held = _time(match), wanted & set(match["parts"].upper().split("-"))
        if time is not None and held:
            found = parts.setdefault((time, title_of(match["satellite"])), {})
            found.update(dict.fromkeys(held, path))
    return tuple(
        SdrGranule(satellite, time, kind, parts[time, satellite]) for time, satellite in sorted(parts)
    )


def granule_of_name(name: str) -> tuple[np.datetime64, int, str] | None:
    """Return start, number of the orbit and time of production that a file's name says; None of others."""
    match = SDR.fullmatch(name)
    time = _time(match) if match and len(match["orbit"]) < 10 else None
    return None if match is None or time is None else (time, int(match["orbit"]), match["created"])


def _bands(kind: Kind) -> tuple[str, ...]:
    """Prefixes of the files of bands."""
    return tuple(f"SV{band}" for band in kind.bands)


def _group(part: str) -> str:
    """Path of the group that holds the arrays of a kind of file."""
    place = next((places[part] for places in _PLACES.values() if part in places), "")
    return f"All_Data/{place or f'VIIRS-{part[2]}{int(part[3:])}-SDR_All'}"


def _time(match: re.Match[str]) -> np.datetime64 | None:
    try:
        day = as_day(match["day"])
    except InputError:  # a name like d20201399 is a name of something else
        return None
    hour, minute, second = (match["time"][at : at + 2] for at in (0, 2, 4))
    return np.datetime64(f"{day}T{hour}:{minute}:{second}", "s")


def _useless(flags: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Return where quality flags say that there was no calibration or no view of the earth."""
    return np.asarray(((flags & 0b11) == _NOT_CALIBRATED) | (((flags >> 4) & 0b11) == _NO_EARTH_VIEW))


def _factors(source: h5py.Dataset, lines: int, part: slice, name: str) -> tuple[Plane, Plane]:
    """Return scale and offset of some lines of a file, (lines, 1); NaN for granules that have none."""
    pairs = np.ravel(source[()]).astype(np.float64)
    if not pairs.size or pairs.size % 2 or lines % (pairs.size // 2):
        raise UnreadableFileError(f"{name}: {pairs.size} factors do not fit {lines} lines; download it again")
    scales, offsets = pairs[::2], pairs[1::2]
    there = scales > _FLOAT_FILL
    if not there.any():
        raise UnreadableFileError(f"{name} has no factors, so its numbers mean nothing; download it again")
    for scale, offset in zip(scales[there], offsets[there], strict=True):
        scale_of(scale, name, "scale")
        offset_of(offset, name)
    granule = np.arange(lines)[part] // (lines // scales.size)
    held = (np.where(there, values, np.nan).astype(np.float32) for values in (scales, offsets))
    scale, offset = (values[granule][:, None] for values in held)
    return scale, offset
