"""Places of the pixels of a VIIRS swath: scans, detectors, aggregation and the bow-tie.

Geometry after the VIIRS Geolocation ATBD and the Level-1B user guide: a scan every 1.7864 s; 16 detector
rows a scan in the 750 m bands and 32 in the 375 m bands; samples averaged by three up to 31.72 degrees from
nadir and by two up to 44.86, which keeps pixels from growing too fast. Far from nadir the rows of
neighbouring scans overlap, and the satellite does not send the rows that another scan sees better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.grid.region import Region
from banet.simulation.overpasses import (
    EARTH_KM,
    HEIGHT_KM,
    INCLINATION,
    PERIOD_H,
    SimulatedOverpass,
    node_longitude,
    orbit_phase,
    track_shift,
)

__all__ = ["SCAN_SECONDS", "Scans", "scans_over"]

SCAN_SECONDS = 1.7864
# Pixels of the 750 m bands on each side of nadir, with the samples that are averaged in each.
_ZONES = ((592, 3), (368, 2), (640, 1))
_HALF_WIDTH = math.radians(56.06)
_NADIR_KM = 0.742
# Detector rows, of 16, that are not sent at the edge of a scan in each zone.
_DELETED = (0, 1, 2)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scans:
    """Consecutive scans of an overpass.

    Attributes:
        hour: time of each scan, hours since the scene's start, (scans,).
        longitude, latitude: of the pixels, degrees, (scans * rows, pixels).
        view_zenith: degrees, (pixels,), the same for every line.
        deleted: pixels that the satellite does not send, (rows of a scan, pixels).
    """

    hour: Array
    longitude: Array
    latitude: Array
    view_zenith: Array
    deleted: npt.NDArray[np.bool_]


def _scan_angles(fine: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the scan angle of each pixel, radians, and its zone; `fine` is 1 at 750 m, 2 at 375 m."""
    samples = np.concatenate([np.full(count * fine, width) for count, width in _ZONES])
    zone = np.repeat(np.arange(3), [count * fine for count, _ in _ZONES])
    edges = np.concatenate([[0], np.cumsum(samples)]) * (_HALF_WIDTH / samples.sum())
    angle = (edges[1:] + edges[:-1]) / 2
    return np.concatenate([-angle[::-1], angle]), np.concatenate([zone[::-1], zone])


def _pixels(
    overpass: SimulatedOverpass, hour: Array, center_latitude: float, angles: Array, rows: Array
) -> tuple[Array, Array]:
    """Return longitude and latitude, (scans, rows, pixels); `rows` are offsets in km at nadir."""
    phase = orbit_phase(center_latitude, overpass.day) + (hour - overpass.time_h) / PERIOD_H * 2 * np.pi
    lat = np.arcsin(math.sin(INCLINATION) * np.sin(phase))
    lon = np.radians(node_longitude(overpass) + track_shift(phase))
    north_speed = math.sin(INCLINATION) * np.cos(phase) / np.cos(lat)
    east_speed = math.cos(INCLINATION) / np.cos(lat)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.stack([-np.sin(lon), np.cos(lon), 0 * lon])
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    along = north_speed * north + east_speed * east
    # East of the track is positive by day and by night, whichever way the satellite flies.
    across = (north_speed * east - east_speed * north) * (1 if overpass.day else -1)
    center = np.arcsin((1 + HEIGHT_KM / EARTH_KM) * np.sin(angles)) - angles
    # Distance to the ground along the line of sight; nadir itself would be 0 / 0.
    tiny = np.abs(angles) < 1e-6
    far = EARTH_KM * np.sin(center) / np.sin(np.where(tiny, 1.0, angles))
    far = np.where(tiny, HEIGHT_KM, far)
    step = rows[:, None] * (far / HEIGHT_KM)[None, :] / EARTH_KM
    a = (np.cos(center) * np.cos(step))[None, None]
    b = (np.cos(center) * np.sin(step))[None, None]
    c = np.broadcast_to(np.sin(center), step.shape)[None, None]
    point = up[:, :, None, None] * a + along[:, :, None, None] * b + across[:, :, None, None] * c
    return np.degrees(np.arctan2(point[1], point[0])), np.degrees(np.arcsin(np.clip(point[2], -1, 1)))


def scans_over(overpass: SimulatedOverpass, region: Region, fine: int = 1) -> Scans | None:
    """Return the scans of an overpass that touch a region, or None.

    Args:
        overpass: one made for the region's scene.
        region: what the scans are to cover, with a margin of one scan.
        fine: 1 for the 750 m bands, 2 for the 375 m bands.
    """
    middle = float(region.latitudes.mean())
    angles, zone = _scan_angles(fine)
    count = round(overpass.time_h * 3600 / SCAN_SECONDS)
    number = np.arange(count - 260, count + 261)
    hour = number * SCAN_SECONDS / 3600
    few = angles[:: 40 * fine]
    lon, lat = _pixels(overpass, hour, middle, few, np.array([-6.0, 6.0]))
    lon = region.west + np.mod(lon - region.west + 180, 360) - 180
    near = (lat > region.south - 0.3) & (lat < region.north + 0.3)
    wide = 0.5 / math.cos(math.radians(min(abs(middle), 80)))
    near &= (lon > region.west - wide) & (lon < region.east + wide)
    touching = np.flatnonzero(near.any((1, 2)))
    if touching.size == 0:
        return None
    kept = hour[max(touching[0] - 1, 0) : touching[-1] + 2]
    rows = (np.arange(16 * fine) - (16 * fine - 1) / 2) * _NADIR_KM / fine
    lon, lat = _pixels(overpass, kept, middle, angles, rows)
    shape = (len(kept) * 16 * fine, len(angles))
    cut = np.array(_DELETED)[zone] * fine
    row = np.arange(16 * fine)[:, None]
    deleted = (row < cut) | (row >= 16 * fine - cut)
    center = np.arcsin((1 + HEIGHT_KM / EARTH_KM) * np.sin(angles)) - angles
    return Scans(kept, lon.reshape(shape), lat.reshape(shape), np.degrees(np.abs(angles + center)), deleted)
