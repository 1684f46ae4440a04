"""Track of a satellite in a sun-synchronous orbit, found from the moments at which its orbit number grows.

The number grows by one at each crossing of the equator northwards, so the granules of a day tell when that
is. The inclination, the period (227 orbits in 16 days) and the local time of the crossing are kept constant
by the agencies, for S-NPP, NOAA-20 and NOAA-21 alike; the last within some minutes, which is allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.grid.region import Region

__all__ = ["Orbit"]

_PERIOD_S = 16 * 86_400 / 227
_INCLINATION = np.radians(98.7)
_CROSSING_HOURS = 13.42
_GRANULE_S = 85.4
# Degrees of arc: half a swath, and what 12 minutes of the crossing make; along the track 15 seconds.
_HALF_SWATH, _SLACK, _SLACK_ALONG = 13.8, 3.0, 1.0
_APART_S = 120
_EPOCH = np.datetime64("2000-01-01T00:00:00", "s")
_DEGREES = 2.0

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Orbit:
    """Time of a crossing of the equator northwards, in seconds since 2000."""

    crossing: float

    @classmethod
    def told_by(cls, orbits: Mapping[np.datetime64, int]) -> Orbit | None:
        """Find the crossings from the orbit number of each granule by its start; None if it grows nowhere."""
        starts = sorted(orbits)
        seconds = [_seconds(start) for start in starts]
        middles = [
            ((one + two) / 2) % _PERIOD_S
            for one, two, first, second in zip(seconds, seconds[1:], starts, starts[1:], strict=False)
            if orbits[second] == orbits[first] + 1 and two - one <= _APART_S
        ]
        if not middles:
            return None
        # The mean of times that go round.
        turns = np.exp(2j * np.pi * np.array(middles) / _PERIOD_S).mean()
        return cls(float(np.angle(turns) / (2 * np.pi) * _PERIOD_S))

    def sees(self, region: Region, start: np.datetime64, *, night: bool = False) -> bool:
        """Return whether a granule may see a region, by daylight unless `night`.

        Args:
            region: some of it is enough.
            start: UTC, of the granule.
            night: whether the sun may be down.
        """
        lon, lat = _points(region)
        across, along = self._in_the_orbit(lon, lat, start)
        length = 360 * _GRANULE_S / _PERIOD_S
        near = (
            (np.abs(across) < _HALF_SWATH + _SLACK)
            & (along > -_SLACK_ALONG)
            & (along < length + _SLACK_ALONG)
        )
        return bool((near & (night | _sunlit(lon, lat, start))).any())

    def _in_the_orbit(self, lon: Reals, lat: Reals, start: np.datetime64) -> tuple[Reals, Reals]:
        """Return places as degrees off the track, and along it from where the satellite is."""
        moment = _seconds(start)
        since = (moment - self.crossing) % _PERIOD_S
        crossed_at = (moment - since) / 3600 % 24
        node = 15 * (_CROSSING_HOURS - crossed_at)
        # The plane stays with the sun, so the earth turns below it once a day.
        east, north = np.radians(lon - node + since / 240), np.radians(lat)
        x, y, z = np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)
        sine, cosine = np.sin(_INCLINATION), np.cos(_INCLINATION)
        across = np.degrees(np.arcsin(z * cosine - y * sine))
        along = np.degrees(np.arctan2(y * cosine + z * sine, x)) - 360 * since / _PERIOD_S
        return across, (along + 180) % 360 - 180


def _points(region: Region) -> tuple[Reals, Reals]:
    """Return places of a region no further apart than two degrees, its corners among them."""
    sides = ((region.west, region.east), (region.south, region.north))
    lon, lat = (np.linspace(a, b, int(np.ceil((b - a) / _DEGREES)) + 1) for a, b in sides)
    east, north = np.meshgrid(lon, lat)
    return east.ravel(), north.ravel()


def _sunlit(lon: Reals, lat: Reals, time: np.datetime64) -> npt.NDArray[np.bool_]:
    """Return where the sun is up, to a degree."""
    seconds = _seconds(time)
    year = 2 * np.pi * (seconds / 86_400 + 10) / 365.2425
    declination = -np.radians(23.44) * np.cos(year)
    hour = np.radians(15 * (seconds / 3600 % 24) - 180 + lon)
    north = np.radians(lat)
    height = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour)
    return np.asarray(height > 0)


def _seconds(time: np.datetime64) -> float:
    return float((time - _EPOCH) / np.timedelta64(1, "s"))
