"""Overpasses and their angles: when a VIIRS flies over, how obliquely it looks, and what that does to light.

The three satellites fly the same 16-day repeat cycle of 227 orbits at 833 km, ascending through the
equator at about 13:30 local time; NOAA-20 is half an orbit from Suomi-NPP and NOAA-21 a quarter. The
track is anchored to a real granule: Suomi-NPP was at 13.519 N, 12.275 W at 2017-10-27 14:06 UTC.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.days import Day
from banet.grid.region import KM_PER_DEGREE
from banet.simulation.fields import Field, interpolator
from banet.simulation.spectra import GEOMETRY, VOLUME

__all__ = [
    "EARTH_KM",
    "FLIGHTS",
    "HEIGHT_KM",
    "INCLINATION",
    "PERIOD_H",
    "SATELLITES",
    "Geometry",
    "SimulatedOverpass",
    "flies",
    "geometry",
    "node_longitude",
    "orbit_phase",
    "overpasses",
    "solar_zenith",
    "track_shift",
    "view_zenith",
]

ORBITS, CYCLE_DAYS = 227, 16
PERIOD_H = CYCLE_DAYS * 24 / ORBITS
SPACING = 360.0 * CYCLE_DAYS / ORBITS
INCLINATION = math.radians(98.74)
EARTH_KM, HEIGHT_KM = 6371.0, 833.0
MAX_SCAN = math.radians(56.28)
LIMB = math.acos(1 / (1 + HEIGHT_KM / EARTH_KM))
# Suomi-NPP's anchor: hours since 1970 and longitude at which it rose through the equator.
ANCHOR_TIME_H = (np.datetime64("2017-10-27T14:06") - np.datetime64("1970-01-01T00:00")).astype(float) / 60
ANCHOR_LATITUDE, ANCHOR_LONGITUDE = 13.519, -12.275
# Fraction of an orbit behind Suomi-NPP.
SATELLITES = {"N": 0.0, "N20": 0.5, "N21": 0.25}
FLIGHTS = {
    "N": (np.datetime64("2012-01-19"), np.datetime64("2026-11-01")),
    "N20": (np.datetime64("2018-01-05"), None),
    "N21": (np.datetime64("2023-02-10"), None),
}
"""First and last UTC day of each satellite's data; None where it still flies."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedOverpass:
    """One overpass of one satellite over a simulated scene.

    Attributes:
        satellite: its letter in FIRMS files: N, N20 or N21.
        orbit: number of the orbit since the anchor; with the node it names the overpass.
        time_h: hours since the scene's first day 00:00 UTC at which it crosses the scene's centre.
        day: whether it is the ascending, daytime node.
    """

    satellite: str
    orbit: int
    time_h: float
    day: bool

    @property
    def lag(self) -> float:
        """Orbits since the anchor, counted at the ascending node."""
        return self.orbit + SATELLITES[self.satellite]

    @property
    def key(self) -> tuple[int, int, int]:
        """Numbers that name the overpass, for a random stream of its own."""
        return list(SATELLITES).index(self.satellite), self.orbit + 2**20, int(self.day)


def flies(satellite: str, first: Day, last: Day) -> bool:
    """Return whether a satellite gives data on any day from `first` to `last`.

    >>> flies("N20", np.datetime64("2018-01-01"), np.datetime64("2018-01-31"))
    True
    """
    begin, end = FLIGHTS[satellite]
    return bool(begin <= last) and (end is None or bool(end >= first))


def orbit_phase(latitude: float | Array, day: bool | npt.NDArray[np.bool_]) -> Array:
    """Return the angle along the orbit from the ascending node at which it crosses a latitude."""
    angle = np.arcsin(np.clip(np.sin(np.radians(latitude)) / math.sin(INCLINATION), -1, 1))
    return np.where(day, angle, np.pi - angle)


def track_shift(phase: Array) -> Array:
    """Return degrees of longitude from the node to the track, turning Earth included."""
    inertial = np.degrees(np.arctan2(math.cos(INCLINATION) * np.sin(phase), np.cos(phase)))
    return np.asarray(inertial - SPACING * phase / (2 * np.pi))


_ANCHOR_PHASE = float(orbit_phase(ANCHOR_LATITUDE, True))
_ANCHOR_NODE = ANCHOR_LONGITUDE - float(track_shift(np.asarray(_ANCHOR_PHASE)))


def node_longitude(overpass: SimulatedOverpass) -> float:
    """Return the longitude of the ascending node of an overpass's orbit, degrees."""
    return _ANCHOR_NODE - overpass.lag * SPACING


def _node_time(lag: Array) -> Array:
    """Return the hours since 1970 of the ascending node `lag` orbits after the anchor's."""
    return np.asarray(ANCHOR_TIME_H + (lag - _ANCHOR_PHASE / (2 * np.pi)) * PERIOD_H, np.float64)


def _offset(lag: Array, day: bool | npt.NDArray[np.bool_], lon: Array, lat: Array) -> Array:
    """Return the degrees of longitude from the track to a place on its parallel, -180 to 180."""
    node = _ANCHOR_NODE - lag * SPACING
    return np.asarray((lon - node - track_shift(orbit_phase(lat, day)) + 180) % 360 - 180)


def _cross_track(lag: Array, day: bool | npt.NDArray[np.bool_], lon: Array, lat: Array) -> Array:
    """Return the signed angle at Earth's centre from track to place, radians; positive is east of it."""
    offset = np.radians(_offset(lag, day, lon, lat))
    cosine = np.cos(np.radians(lat))
    tilt = np.sqrt(np.clip(1 - (math.cos(INCLINATION) / cosine) ** 2, 0, 1))
    return np.asarray(np.arcsin(np.clip(cosine * np.sin(offset) * tilt, -1, 1)))


def view_zenith(
    overpass: SimulatedOverpass | Sequence[SimulatedOverpass],
    longitudes: Array,
    latitudes: Array,
    which: npt.NDArray[np.int64] | None = None,
) -> Array:
    """Return the signed view zenith of places in degrees; positive where the satellite is west of them.

    Args:
        overpass: one overpass, or one for each place along the first axis.
        longitudes: degrees.
        latitudes: degrees, of the same shape.
        which: for each place the position of its overpass in `overpass`; None where there is one for each.
    """
    if isinstance(overpass, SimulatedOverpass):
        center = _cross_track(np.asarray(overpass.lag), overpass.day, longitudes, latitudes)
    else:
        shape = (-1,) + (1,) * (np.ndim(longitudes) - 1)
        lag, day = np.array([p.lag for p in overpass]), np.array([p.day for p in overpass], bool)
        if which is not None:
            lag, day = lag[which], day[which]
        center = _cross_track(lag.reshape(shape), day.reshape(shape), longitudes, latitudes)
    return np.asarray(np.degrees(center + _scan_angle(center)), np.float64)


def _scan_angle(center_angle: Array) -> Array:
    ratio = 1 + HEIGHT_KM / EARTH_KM
    return np.arctan2(np.sin(center_angle), ratio - np.cos(center_angle))


def overpasses(
    start: np.datetime64, days: int, lon: float, lat: float, satellites: tuple[str, ...]
) -> list[SimulatedOverpass]:
    """List the overpasses of satellites over a place, on days before and after their flights, too.

    Args:
        start: first day, UTC.
        days: number of days.
        lon: of the place, degrees.
        lat: of the place, degrees.
        satellites: letters as in FIRMS files.

    Returns:
        overpasses in order of time, those that see the place at all.
    """
    begin = (start.astype("datetime64[h]") - np.datetime64("1970-01-01T00", "h")).astype(float)
    found = []
    first = math.floor((begin - ANCHOR_TIME_H) / PERIOD_H) - 2
    orbit = np.arange(first, first + days * ORBITS // CYCLE_DAYS + 5)
    place = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    for satellite in satellites:
        lag = orbit + SATELLITES[satellite]
        for day in (True, False):
            angle = np.abs(_cross_track(lag, day, *place))
            time = _node_time(lag) + orbit_phase(lat, day) / (2 * np.pi) * PERIOD_H - begin
            # Beyond the limb the scan angle falls again, and the far side of the Earth has the same sine.
            seen = (angle < LIMB) & (_scan_angle(angle) < MAX_SCAN) & (np.abs(_offset(lag, day, *place)) < 90)
            keep = seen & (time >= 0) & (time < 24 * days)
            found += [
                SimulatedOverpass(satellite, int(n), float(t), day) for n, t in zip(orbit[keep], time[keep])
            ]
    return sorted(found, key=lambda p: p.time_h)


def _sun(start: np.datetime64, time_h: float, lon: Array, lat: Array) -> tuple[Array, Array]:
    """Return solar zenith and azimuth (clockwise from north), radians (Spencer 1971 declination)."""
    moment = start.astype("datetime64[m]") + np.timedelta64(round(time_h * 60), "m")
    year = moment.astype("datetime64[Y]")
    day_of_year = float((moment - year).astype("timedelta64[m]").astype(float)) / 1440
    b = 2 * math.pi * day_of_year / 365.25
    declination = 0.006918 - 0.399912 * math.cos(b) + 0.070257 * math.sin(b) - 0.006758 * math.cos(2 * b)
    hour = np.radians(((time_h % 24) + lon / 15 - 12) * 15)
    phi = np.radians(lat)
    cosine = np.sin(phi) * math.sin(declination) + np.cos(phi) * math.cos(declination) * np.cos(hour)
    zenith = np.arccos(np.clip(cosine, -1, 1))
    east = -math.cos(declination) * np.sin(hour)
    north = np.cos(phi) * math.sin(declination) - np.sin(phi) * math.cos(declination) * np.cos(hour)
    return zenith, np.arctan2(east, north)


def solar_zenith(start: np.datetime64, time_h: float, lon: Array, lat: Array) -> Array:
    """Return the solar zenith angle in degrees, `time_h` hours after `start`."""
    return np.degrees(_sun(start, time_h, lon, lat)[0])


def _kernels(sun: Array, view: Array, azimuth: Array) -> tuple[Array, Array]:
    """Return the Ross-Thick and the reciprocal Li-Sparse kernel (Wanner et al. 1995; Lucht et al. 2000)."""
    cos_s, cos_v = np.cos(sun), np.cos(view)
    cos_phase = np.clip(cos_s * cos_v + np.sin(sun) * np.sin(view) * np.cos(azimuth), -1, 1)
    phase = np.arccos(cos_phase)
    volume = ((np.pi / 2 - phase) * cos_phase + np.sin(phase)) / (cos_s + cos_v) - np.pi / 4
    tan_s, tan_v = np.tan(sun), np.tan(view)
    distance2 = np.maximum(tan_s**2 + tan_v**2 - 2 * tan_s * tan_v * np.cos(azimuth), 0)
    secants = 1 / cos_s + 1 / cos_v
    cos_t = np.clip(2 * np.sqrt(distance2 + (tan_s * tan_v * np.sin(azimuth)) ** 2) / secants, -1, 1)
    t = np.arccos(cos_t)
    overlap = (t - np.sin(t) * cos_t) * secants / np.pi
    surface = overlap - secants + 0.5 * (1 + cos_phase) / (cos_s * cos_v)
    return volume, surface


def _gains(
    sun: Array, view: Array, azimuth: Array, bands: tuple[int, ...], strength: npt.NDArray[Any]
) -> list[Array]:
    """Return the reflectance in each band relative to that seen from above."""
    if not bands:
        return []
    volume, surface = _kernels(sun, view, azimuth)
    volume0, surface0 = _kernels(sun, np.zeros_like(view), azimuth)
    return [
        (1 + s * (VOLUME[b] * volume + GEOMETRY[b] * surface))
        / np.maximum(1 + s * (VOLUME[b] * volume0 + GEOMETRY[b] * surface0), 0.2)
        for b, s in zip(bands, strength)
    ]


@dataclass(frozen=True, eq=False)
class Geometry:
    """The angles of one overpass over a grid.

    Attributes:
        view_zenith, solar_zenith: degrees, (rows, columns) float32.
        gain: reflectance relative to the same surface seen from above under the same sun,
            (bands, rows, columns) float32.
        glint: angle in degrees between the view and the mirror image of the sun.
        shadow: (rows, columns) in cells that a shadow is displaced for each km of cloud height.
    """

    view_zenith: Field
    solar_zenith: Field
    gain: Field
    glint: Field
    shadow: tuple[float, float]


def geometry(
    overpass: SimulatedOverpass,
    start: np.datetime64,
    longitudes: Array,
    latitudes: Array,
    bands: tuple[int, ...],
    anisotropy: Field | None = None,
) -> Geometry:
    """Compute the angles of an overpass over a grid, on a few nodes and linearly between them.

    Args:
        overpass: the overpass.
        start: the scene's first day.
        longitudes: (columns,) degrees.
        latitudes: (rows,) degrees.
        bands: bands that the gain is for.
        anisotropy: strength of the bidirectional effect in each band, (bands,); 1 is the mean of Roy et al.
            (2016), also where None is given.
    """
    nodes = [max(5, min(65, n // 24)) for n in (len(latitudes), len(longitudes))]
    by_row, by_col = (interpolator(n, k) for n, k in zip((len(latitudes), len(longitudes)), nodes))
    lon = np.linspace(
        1.5 * longitudes[0] - 0.5 * longitudes[1], 1.5 * longitudes[-1] - 0.5 * longitudes[-2], nodes[1]
    )
    lat = np.linspace(
        1.5 * latitudes[0] - 0.5 * latitudes[1], 1.5 * latitudes[-1] - 0.5 * latitudes[-2], nodes[0]
    )
    lon, lat = np.meshgrid(lon, lat)
    view = np.radians(view_zenith(overpass, lon, lat))
    sun, sun_azimuth = _sun(start, overpass.time_h, lon, lat)
    lit = np.minimum(sun, np.radians(80))
    # A place east of the track sees the satellite in the west, a little turned by the track's tilt.
    tilt = np.arcsin(np.clip(math.cos(INCLINATION) / np.cos(np.radians(lat)), -1, 1))
    azimuth = sun_azimuth - (-np.pi / 2 - tilt * (1 if overpass.day else -1))
    gains = _gains(lit, view, azimuth, bands, np.ones(len(bands)) if anisotropy is None else anisotropy)
    mirror = np.clip(np.cos(lit) * np.cos(view) - np.sin(lit) * np.sin(view) * np.cos(azimuth), -1, 1)

    def spread(nodes_value: Array) -> Field:
        return np.asarray(by_row @ nodes_value.astype(np.float32) @ by_col.T, np.float32)

    km = KM_PER_DEGREE * abs(float(latitudes[1] - latitudes[0]))
    middle = (nodes[0] // 2, nodes[1] // 2)
    length = math.tan(min(float(sun[middle]), math.radians(75))) / km
    # What is seen shifted: the cloud by the slant of the view, the shadow by the sun's.
    slant = math.tan(float(view[middle])) / km
    heading = float(sun_azimuth[middle])
    return Geometry(
        np.abs(spread(np.degrees(view))),
        spread(np.degrees(sun)),
        np.array([spread(np.clip(gain, 0.5, 2.2)) for gain in gains], np.float32),
        spread(np.degrees(np.arccos(mirror))),
        (length * math.cos(heading), -length * math.sin(heading) - slant),
    )
