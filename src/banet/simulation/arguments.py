"""Checks of the arguments that make a scene or a sample, and the place of one without a region."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from banet.days import Day
from banet.errors import InputError
from banet.grid.region import Region
from banet.simulation.climates import Climate
from banet.simulation.fields import stream
from banet.simulation.overpasses import FLIGHTS, SATELLITES, flies
from banet.simulation.spectra import Band

__all__ = [
    "LEAST_CELLS",
    "MOST_LATITUDE",
    "check_latitudes",
    "check_whole",
    "default_region",
    "fleets",
    "mir_band_named",
    "room_for",
]

LEAST_CELLS = 8
MOST_LATITUDE = 72.0
"""Degrees north and south up to which scenes are simulated; beyond, view zeniths are too wrong."""


def check_whole(what: str, **numbers: Any) -> None:
    """Refuse arguments that are no whole numbers.

    Raises:
        InputError: if one is none; `what` begins the line.
    """
    for name, value in numbers.items():
        if not isinstance(value, (int, np.integer)):
            raise InputError(f"{what}: {name} {value!r} is no whole number")


def mir_band_named(name: str) -> Band:
    """Return the band that fills the MIR slot.

    Raises:
        InputError: if it is none of M12, M11 and M10.
    """
    if name not in {"M10", "M11", "M12"}:
        raise InputError(f"the MIR slot cannot be filled by {name!r}; choose M12, M11 or M10")
    return Band[name]


def room_for(climate: Climate, rows: int, cols: int, pixel_size: float) -> None:
    """Refuse a grid that the climate's region cannot hold.

    Raises:
        InputError: if it is higher or wider than that.
    """
    west, south, east, north = climate.box
    if rows * pixel_size > north - south or cols * pixel_size > east - west:
        raise InputError(
            f"{rows} x {cols} cells of {pixel_size:g} degrees do not fit into the {north - south:g} x "
            f"{east - west:g} degrees of {climate.name}; give fewer or smaller cells, or a region"
        )


def default_region(climate: Climate, size: int | tuple[int, int], seed: int, pixel_size: float) -> Region:
    """Place a region somewhere in that of a climate.

    Args:
        climate: whose region.
        size: cells along both edges, or (rows, columns).
        seed: the place follows from it.
        pixel_size: edge of a cell in degrees.

    Raises:
        InputError: if size or pixel size are no such numbers, or do not fit.
    """
    edges = size if isinstance(size, tuple) else (size, size)
    if len(edges) != 2 or not all(isinstance(n, (int, np.integer)) and n >= LEAST_CELLS for n in edges):
        raise InputError(
            f"the size {size!r} is neither a number of cells nor (rows, columns); "
            f"give whole numbers of at least {LEAST_CELLS}"
        )
    if not isinstance(pixel_size, (int, float, np.number)) or not 0 < pixel_size < math.inf:
        raise InputError(f"the pixel size {pixel_size!r} is no number of degrees above 0")
    rows, cols = edges
    room_for(climate, rows, cols, pixel_size)
    rng = stream(seed, 1)
    west, south, east, north = climate.box
    lon = round(float(rng.uniform(west, east - cols * pixel_size)), 1)
    lat = round(float(rng.uniform(south, north - rows * pixel_size)), 1)
    box = (lon, lat, round(lon + cols * pixel_size, 8), round(lat + rows * pixel_size, 8))
    return Region(f"SIM_{climate.name}", box, pixel_size)


def fleets(
    images: tuple[str, ...] | None,
    fires: tuple[str, ...] | None,
    first: Day,
    last: Day,
    *,
    any_time: bool = False,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the satellites of the imagery and those of the hot spots.

    Args:
        images: as asked; None takes the first satellite that flies on all days, or else on some.
        fires: as asked; None takes those of N and N20 that fly.
        first: UTC day.
        last: UTC day, included.
        any_time: take every satellite for one that flies.

    Raises:
        InputError: if a satellite is unknown or does not fly on any of the days, or none does.
    """
    for satellite in (*(images or ()), *(fires or ())):
        if satellite not in SATELLITES:
            raise InputError(f"unknown satellite {satellite!r}; choose among {', '.join(SATELLITES)}")
        if not any_time and not flies(satellite, first, last):
            begin, end = FLIGHTS[satellite]
            known = f"from {begin}" if end is None else f"from {begin} to {end}"
            raise InputError(f"{satellite} gives data {known}, none from {first} to {last}")
    some = [s for s in SATELLITES if any_time or flies(s, first, last)]
    if not some and (images is None or fires is None):
        raise InputError(f"no VIIRS flew from {first} to {last}; the first gives data from {FLIGHTS['N'][0]}")
    whole = [s for s in some if any_time or (flies(s, first, first) and flies(s, last, last))]
    usual = (whole or some)[:1]
    hot = [s for s in some if s != "N21"]
    return tuple(usual if images is None else images), tuple(hot if fires is None else fires)


def check_latitudes(region: Region) -> None:
    """Refuse a region beyond the latitudes at which the simulated view angles hold.

    Raises:
        InputError: if it reaches beyond `MOST_LATITUDE` in the north or south.
    """
    latitude = max(region.north, -region.south)
    if latitude > MOST_LATITUDE:
        raise InputError(
            f"region {region.name} reaches to {latitude:g} degrees of latitude, where simulated view "
            f"angles are wrong; give one within {MOST_LATITUDE:g} degrees"
        )
