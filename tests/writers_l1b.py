"""Writes VIIRS Level-1B granules in their exact layout, with the geometry that the instrument has.

The geometry is computed from the instrument's published figures (VIIRS Geolocation ATBD, 474-00053, table
2.2-1 and section 2.2.1.1; VIIRS L1B User Guide 2018, section 2.3) on a sphere from a circular orbit: scans
of 16 (M bands) or 32 (I bands) detectors, samples joined 3:1, 2:1 and 1:1 from nadir outwards, pixels that
grow off nadir, scans that overlap there (the bow tie) and the rows that the satellite deletes for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EARTH_RADIUS_KM = 6371.0
ALTITUDE_KM = 829.0
GM_KM3_S2 = 398600.4418
EARTH_ROTATION_RAD_S = 7.2921159e-5
INCLINATION_DEG = 98.74
SCAN_PERIOD_S = 1.7864
EDGE_SCAN_ANGLE_DEG = 56.28
DETECTOR_KM_AT_NADIR = 0.742
#: Pixels of an M band in each half scan, from the edge to nadir, and the samples joined into each.
ZONES_M = ((640, 1), (368, 2), (592, 3))
#: Rows at each end of an M band's scan that the satellite deletes in those zones.
DELETED_M = (2, 1, 0)
DETECTORS_M = 16
SCANS = 202
FILL, CAL_FAIL, BOWTIE, MISSING_EV = 65535, 65534, 65533, 65532

Scene = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Geometry:
    """Where each pixel of a granule looks, (lines, pixels).

    Attributes:
        centre: (latitude, longitude) of nadir in the middle of the granule, degrees.
        time: UTC of the middle of the granule.
        ascending: whether the satellite flies north.
        scans: number of scans.
        factor: 1 for M bands, 2 for I bands (pixels half as large).
        columns: first pixel of a scan that is kept, and the one after the last.
    """

    centre: tuple[float, float]
    time: np.datetime64
    ascending: bool = True
    scans: int = SCANS
    factor: int = 1
    columns: tuple[int, int | None] = (0, None)

    @property
    def rows_per_scan(self) -> int:
        return DETECTORS_M * self.factor

    @property
    def shape(self) -> tuple[int, int]:
        return self.scans * self.rows_per_scan, len(self._angles(0.5))

    def _angles(self, part: float) -> np.ndarray:
        """Scan angle (radians, negative at the first pixel) at a part (0-1) of each pixel's width."""
        steps = np.concatenate([np.full(count * self.factor, join) for count, join in ZONES_M])
        steps = np.concatenate([steps, steps[::-1]]) / self.factor
        edges = np.concatenate([[0], np.cumsum(steps)])
        edges = (edges / edges[-1] * 2 - 1) * np.radians(EDGE_SCAN_ANGLE_DEG)
        return (edges[:-1] + part * np.diff(edges))[slice(*self.columns)]

    @functools.cached_property
    def deleted(self) -> np.ndarray:
        """Whether the satellite deletes a pixel for the bow tie, (lines, pixels) bool."""
        half = np.concatenate([np.full(zone[0], rows) for zone, rows in zip(ZONES_M, DELETED_M)]).repeat(
            self.factor
        )
        rows = np.concatenate([half, half[::-1]])[slice(*self.columns)] * self.factor
        line = np.arange(self.rows_per_scan)[:, None]
        one = (line < rows) | (line >= self.rows_per_scan - rows)
        return np.tile(one, (self.scans, 1))

    def look(self, down: float = 0.5, across: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude (degrees, float64) of a point of each pixel's footprint.

        `down` and `across` (0-1) are parts of the pixel's extent along the track and along the scan.
        """
        ground, _, turn = self._ground(down, across)
        lon = np.degrees(np.arctan2(ground[1], ground[0]) - turn)
        return (lon + 180) % 360 - 180, np.degrees(np.arcsin(ground[2] / EARTH_RADIUS_KM))

    @functools.cached_property
    def longitude(self) -> np.ndarray:
        return self.look()[0]

    @functools.cached_property
    def latitude(self) -> np.ndarray:
        return self.look()[1]

    @functools.cached_property
    def sensor_zenith(self) -> np.ndarray:
        """Degrees, (lines, pixels)."""
        _, off_nadir, _ = self._ground(0.5, 0.5)
        ratio = (EARTH_RADIUS_KM + ALTITUDE_KM) / EARTH_RADIUS_KM
        return np.degrees(np.arcsin(ratio * np.sin(off_nadir)))

    @functools.cached_property
    def solar_zenith(self) -> np.ndarray:
        """Degrees, (lines, pixels); sun's declination and equation of time after Spencer (1971)."""
        start = self.time.astype("datetime64[D]")
        day = (start - start.astype("datetime64[Y]")).astype(int)
        g = 2 * np.pi * day / 365
        decl = 0.006918 - 0.399912 * np.cos(g) + 0.070257 * np.sin(g) - 0.006758 * np.cos(2 * g)
        decl += 0.000907 * np.sin(2 * g) - 0.002697 * np.cos(3 * g) + 0.00148 * np.sin(3 * g)
        late = 229.18 * (0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g))
        minutes = (self.time - start) / np.timedelta64(1, "m") + late
        hour = np.radians(self.longitude + minutes / 4 - 180)
        lat = np.radians(self.latitude)
        return np.degrees(np.arccos(np.sin(lat) * np.sin(decl) + np.cos(lat) * np.cos(decl) * np.cos(hour)))

    def mean_of(self, scene: Scene, parts: int = 3) -> np.ndarray:
        """Mean of `scene(longitude, latitude)` over each pixel's footprint, (lines, pixels)."""
        places = (np.arange(parts) + 0.5) / parts
        total = np.zeros(self.shape)
        for down in places:
            for across in places:
                total += scene(*self.look(down, across))
        return total / parts**2

    def _ground(self, down: float, across: float) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Earth-centred inertial position (km, x y z), angle off nadir and the Earth's turn (radians)."""
        angle = self._angles(across)
        line = np.arange(self.shape[0])
        scan, detector = np.divmod(line, self.rows_per_scan)
        # The mirror turns once in a scan period, so the edge of a scan is seen half a second after its start.
        when = (scan - self.scans / 2 + 0.5)[:, None] * SCAN_PERIOD_S + angle[None] / (
            2 * np.pi
        ) * SCAN_PERIOD_S
        track = ((detector + down) / self.factor - DETECTORS_M / 2) * DETECTOR_KM_AT_NADIR / ALTITUDE_KM
        sat, ahead, right = self._frame(when)
        tilt = track[:, None]
        ray = [
            np.cos(tilt) * (-np.cos(angle) * s + np.sin(angle) * r) + np.sin(tilt) * a
            for s, a, r in zip(sat, ahead, right)
        ]
        off_nadir = np.arccos(np.clip(np.cos(tilt) * np.cos(angle), -1, 1))
        radius = EARTH_RADIUS_KM + ALTITUDE_KM
        reach = radius * np.cos(off_nadir) - np.sqrt(EARTH_RADIUS_KM**2 - (radius * np.sin(off_nadir)) ** 2)
        ground = [radius * s + reach * v for s, v in zip(sat, ray)]
        return ground, off_nadir, EARTH_ROTATION_RAD_S * when

    def _frame(self, when: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Unit vectors to the satellite, along the track and to the right of it, in inertial axes."""
        incl = np.radians(INCLINATION_DEG)
        lat, lon = np.radians(self.centre)
        start = np.arcsin(np.clip(np.sin(lat) / np.sin(incl), -1, 1))
        if not self.ascending:
            start = np.pi - start
        node = lon - np.arctan2(np.cos(incl) * np.sin(start), np.cos(start))
        rate = np.sqrt(GM_KM3_S2 / (EARTH_RADIUS_KM + ALTITUDE_KM) ** 3)
        u = start + rate * when
        to_node = np.array([np.cos(node), np.sin(node), 0])
        quarter = np.array([-np.sin(node) * np.cos(incl), np.cos(node) * np.cos(incl), np.sin(incl)])
        sat = [np.cos(u) * n + np.sin(u) * q for n, q in zip(to_node, quarter)]
        ahead = [-np.sin(u) * n + np.cos(u) * q for n, q in zip(to_node, quarter)]
        # Right of the track is the orbit's negative normal, the same all along the orbit.
        normal = np.cross(to_node, quarter)
        right = [np.full_like(u, -component) for component in normal]
        return sat, ahead, right


def viirs_geometry(
    centre: tuple[float, float],
    time: str = "2021-08-05T11:30",
    *,
    resolution: int = 750,
    ascending: bool = True,
    scans: int = SCANS,
    columns: tuple[int, int | None] = (0, None),
) -> Geometry:
    """Geometry of a granule of M bands (750) or I bands (375) whose middle is above `centre` (lat, lon)."""
    factor = {750: 1, 375: 2}[resolution]
    return Geometry(centre, np.datetime64(time, "s"), ascending, scans, factor, columns)


#: Scale and offset of the integers, about those of the S-NPP files, and the sun's irradiance for reflective
#: bands.
SCALES = {
    "M05": (1.9991758e-05, 0.0, 1508.0),
    "M07": (1.9991758e-05, 0.0, 961.0),
    "I01": (1.9991758e-05, 0.0, 1609.0),
    "I02": (1.9991758e-05, 0.0, 961.0),
    "M12": (6.0e-05, -0.04, None),
    "M15": (3.8e-04, -0.02, None),
    "I04": (6.0e-05, -0.04, None),
    "I05": (3.2e-04, -0.02, None),
}
#: Bits of the quality flags (L1B User Guide, appendix 1).
QUALITY = {
    "Substitute_Cal": 1,
    "Out_of_Range": 2,
    "Saturation": 4,
    "Temp_not_Nominal": 8,
    "Bowtie_Deleted": 256,
    "Missing_EV": 512,
    "Cal_Fail": 1024,
    "Dead_Detector": 2048,
}
BANDS = {1: ("M05", "M07", "M12", "M15"), 2: ("I01", "I02", "I04", "I05")}
PLATFORMS = {"VNP": "Suomi-NPP", "VJ1": "JPSS-1", "VJ2": "JPSS-2"}


def write_granule(
    folder: Path,
    geometry: Geometry,
    planes: Mapping[str, np.ndarray],
    *,
    satellite: str = "VNP",
    nrt: bool = False,
    start: str | None = None,
    production: str = "2021218120000",
    collection: str = "002",
    night: bool = False,
    flags: Mapping[str, np.ndarray] | None = None,
    compression: int | None = None,
) -> tuple[Path, Path]:
    """Write the 02 and the 03 file of a granule and return their paths.

    Args:
        folder: where to.
        geometry: of the granule.
        planes: by band name (`M05` ...): for reflective bands the reflectance as the reader gives it
            (divided by the cosine of the solar zenith), for the others radiance in W m-2 sr-1 um-1; NaN is
            written as missing.
        satellite: `VNP`, `VJ1` or `VJ2`.
        nrt: whether to use near-real-time names.
        start: start of the granule for the names; else the middle's time less three minutes.
        production: time of production for the names.
        collection: number for the names.
        night: what DayNightFlag says.
        flags: quality flags by band; 0 (and the bit of bow-tie deletion) where not given.
        compression: level of gzip, None for none.
    """
    kind = {1: "MOD", 2: "IMG"}[geometry.factor]
    begin = np.datetime64(start or geometry.time - np.timedelta64(180, "s"), "m")
    doy = (begin.astype("datetime64[D]") - begin.astype("datetime64[Y]").astype("datetime64[D]")).astype(
        int
    ) + 1
    hhmm = str(begin)[11:16].replace(":", "")
    tail = f"{'_NRT' if nrt else ''}.A{str(begin)[:4]}{doy:03d}.{hhmm}.{collection}.{production}.nc"
    folder.mkdir(parents=True, exist_ok=True)
    bands, geolocation = (folder / f"{satellite}{level}{kind}{tail}" for level in ("02", "03"))
    common = {
        "platform": PLATFORMS[satellite],
        "instrument": "VIIRS",
        "OrbitNumber": np.int32(50000),
        "startDirection": "Ascending" if geometry.ascending else "Descending",
        "endDirection": "Ascending" if geometry.ascending else "Descending",
        "DayNightFlag": "Night" if night else "Day",
        "time_coverage_start": f"{np.datetime64(begin, 's')}.000Z",
        "time_coverage_end": f"{np.datetime64(begin, 's') + np.timedelta64(360, 's')}.000Z",
    }
    _write_bands(bands, geometry, planes, flags or {}, common, compression)
    _write_geolocation(geolocation, geometry, common, compression)
    return bands, geolocation


def _opened(path: Path, geometry: Geometry, attributes: Mapping[str, object]):
    import h5netcdf

    file = h5netcdf.File(path, "w")
    file.attrs.update(attributes)
    lines, pixels = geometry.shape
    file.dimensions = {
        "number_of_lines": lines,
        "number_of_pixels": pixels,
        "number_of_scans": geometry.scans,
        "number_of_LUT_values": 65536,
    }
    return file


_PLANE = ("number_of_lines", "number_of_pixels")


def _chunks(geometry: Geometry, compression: int | None) -> dict[str, object]:
    if compression is None:
        return {}
    lines = min(geometry.shape[0], 16 * geometry.rows_per_scan)
    return {
        "chunks": (lines, min(geometry.shape[1], 400)),
        "compression": "gzip",
        "compression_opts": compression,
    }


def _write_bands(path: Path, geometry: Geometry, planes, flags, attributes, compression: int | None) -> None:
    cosine = np.cos(np.radians(geometry.solar_zenith))
    with _opened(path, geometry, attributes | {"ShortName": path.name.split(".")[0]}) as file:
        group = file.create_group("observation_data")
        for band, values in planes.items():
            scale, offset, irradiance = SCALES[band]
            measured = values * cosine if irradiance else values
            raw = np.round((measured - offset) / scale)
            raw = np.where(np.isfinite(raw), np.clip(raw, 0, 65527), MISSING_EV)
            raw[geometry.deleted] = BOWTIE
            variable = group.create_variable(
                band, _PLANE, "u2", data=raw.astype("u2"), fillvalue=FILL, **_chunks(geometry, compression)
            )
            variable.attrs.update(
                valid_min=np.uint16(0),
                valid_max=np.uint16(65527),
                scale_factor=np.float32(scale),
                add_offset=np.float32(offset),
                flag_values=np.array([MISSING_EV, BOWTIE, CAL_FAIL], "u2"),
                flag_meanings="Missing_EV Bowtie_Deleted Cal_Fail",
            )
            quality = np.where(geometry.deleted, QUALITY["Bowtie_Deleted"], flags.get(band, 0)).astype("u2")
            bits = group.create_variable(
                f"{band}_quality_flags",
                _PLANE,
                "u2",
                data=quality,
                fillvalue=FILL,
                **_chunks(geometry, compression),
            )
            bits.attrs.update(
                flag_masks=np.array(list(QUALITY.values()), "u2"), flag_meanings=" ".join(QUALITY)
            )
            if irradiance:
                variable.attrs.update(
                    radiance_scale_factor=np.float32(scale * irradiance / np.pi),
                    radiance_add_offset=np.float32(0),
                    radiance_units="Watts/meter^2/steradian/micrometer",
                )
            else:
                variable.attrs.update(units="Watts/meter^2/steradian/micrometer")


def _write_geolocation(path: Path, geometry: Geometry, attributes, compression: int | None) -> None:
    with _opened(path, geometry, attributes | {"ShortName": path.name.split(".")[0]}) as file:
        group = file.create_group("geolocation_data")
        for name in ("longitude", "latitude"):
            values = getattr(geometry, name).astype("f4")
            variable = group.create_variable(
                name,
                _PLANE,
                "f4",
                data=values,
                fillvalue=np.float32(-999.9),
                **_chunks(geometry, compression),
            )
            limit = np.float32(180 if name == "longitude" else 90)
            variable.attrs.update(units=f"degrees_{'east' if name == 'longitude' else 'north'}")
            variable.attrs.update(valid_min=-limit, valid_max=limit)
        for name in ("sensor_zenith", "solar_zenith"):
            raw = np.round(getattr(geometry, name) * 100).astype("i2")
            variable = group.create_variable(
                name, _PLANE, "i2", data=raw, fillvalue=np.int16(-32768), **_chunks(geometry, compression)
            )
            variable.attrs.update(units="degrees", scale_factor=np.float32(0.01), add_offset=np.float32(0))
            variable.attrs.update(valid_min=np.int16(0), valid_max=np.int16(18000))
