"""Comparison of sensor, band and size of cells of a cube with those of a set of weights."""

from __future__ import annotations

import re
from dataclasses import dataclass

from banet.observations.satellites import TITLES

__all__ = ["Sensor", "band_fits", "sensor_note", "size_note"]

_OTHER_SIZE = 1.5
"""Times that cells are larger or smaller from which on a network meets other scars than it knows."""
_INSTRUMENTS = ("VIIRS", "MODIS", "SLSTR", "AVHRR", "OLCI", "VEGETATION")
_SATELLITES = {title.upper() for title in TITLES.values()}
# Says how an image came to be, not what kind it is: simulated scenes stand for the sensor they simulate.
_NO_KIND = {"SIMULATED"}


@dataclass(frozen=True)
class Sensor:
    """Instrument, satellites and product in a text such as `VIIRS S-NPP/NOAA-20 surface reflectance`.

    Attributes:
        instrument: upper case; empty if it names none that is known.
        satellites: upper case; empty if it names none, which means any.
        kind: the rest, such as `surface reflectance`; empty for reflectance as it reaches the sensor.
    """

    instrument: str
    satellites: frozenset[str]
    kind: str

    @classmethod
    def parse(cls, text: str) -> Sensor:
        """Read a text.

        >>> Sensor.parse("VIIRS S-NPP (display)").kind
        'display'
        """
        words = [word for word in re.split(r"[\s/,()]+", text) if word]
        upper = [word.upper() for word in words]
        kind = (
            word.lower()
            for word, name in zip(words, upper, strict=True)
            if name not in _SATELLITES and name not in _INSTRUMENTS and name not in _NO_KIND
        )
        instrument = next((word for word in upper if word in _INSTRUMENTS), "")
        return cls(instrument, frozenset(upper) & _SATELLITES, " ".join(kind))


def band_fits(cube: str, weights: str) -> bool:
    """Tell whether weights were trained with the band in the MIR slot of a cube.

    A band of VIIRS may stand by its name within other words.

    Args:
        cube: band of the cube, such as `M11` or `SWIR 2.25 um (M11)`.
        weights: band of the weights; several as in `M11/M12`.

    >>> band_fits("SWIR 2.25 um (M11)", "M11/M12"), band_fits("M10", "M11/M12")
    (True, False)
    """
    bands = weights.split("/")
    named = re.findall(r"\bM\d{1,2}\b", cube)
    return cube in (weights, *bands) or (len(named) == 1 and named[0] in bands)


def sensor_note(cube: str, weights: str) -> str | None:
    """Return a line on what sets a cube's sensor apart from that of the weights, None if nothing does.

    Weights that name an instrument and no satellite are for all satellites that carry it.

    Args:
        cube: the sensor of the cube.
        weights: the sensor that the weights were trained with.

    >>> sensor_note("VIIRS NOAA-20", "VIIRS") is None
    True
    """
    seen, known = Sensor.parse(cube), Sensor.parse(weights)
    if cube == weights:
        return None
    if not seen.instrument:
        return f"the cube does not say what observed it ({cube}), the weights were trained with {weights}"
    other = known.satellites and not seen.satellites <= known.satellites
    if seen.instrument == known.instrument and seen.kind == known.kind and not other:
        return None
    return f"the cube was observed by {cube}, the weights were trained with {weights}: expect more errors"


def size_note(cube: float, weights: float) -> str | None:
    """Return a line on cells of another size than those that weights were trained with, None if they fit.

    Args:
        cube: edge of a cell of the cube in degrees.
        weights: that of the weights.

    >>> size_note(0.0025, 0.01)
    'the cells of the cube are 0.0025 degrees wide, those of the weights 0.01: expect more errors'
    >>> size_note(0.009, 0.01) is None
    True
    """
    if max(cube, weights) <= _OTHER_SIZE * min(cube, weights):
        return None
    sizes = f"the cells of the cube are {cube:g} degrees wide, those of the weights {weights:g}"
    return f"{sizes}: expect more errors"
