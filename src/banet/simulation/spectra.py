"""Reflectance of land covers, char, ash, snow, smoke and cloud in the VIIRS bands that banet meets.

The numbers are rounded class values, chosen so that cell averages agree with what the literature and
VIIRS itself show. Sources:

* 0.67, 0.87, 1.6 and 2.2 um of vegetation, soil and water: the class spectra that the MODIS land products
  rest on (Roy et al. 2016, Remote Sens. Environ. 176, 255-271, whose mean isotropic reflectances are red
  0.169, NIR 0.309, SWIR 0.343 and 0.266) and the MODIS means of 27 burned and 27 unburned polygons of the
  Dominican Republic.
* 3.7 um: Salisbury & D'Aria 1994, Remote Sens. Environ. 47, 345-361 (green leaves 0.02-0.06, senescent
  grass and soils 0.10-0.35); Libonati et al. 2010, Remote Sens. Environ. 114, 831-843 and Pereira 1999,
  IEEE Trans. Geosci. Remote Sens. 37, 217-226 (burning raises it to 0.10-0.20).
* Char and ash: NIR 0.05-0.12 when fresh, white ash bright in every band and short-lived (Roy & Landmann
  2005, Int. J. Remote Sens. 26, 1987-1995; Smith et al. 2005, Remote Sens. Environ. 97, 92-115).
* Bidirectional effects: Ross-Thick and Li-Sparse weights of Roy et al. 2016, table 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from banet.simulation.fields import Field

__all__ = ["BANDS", "BURNABLE", "COVERS", "Band", "Cover", "CoverSpectrum", "table"]


class Band(IntEnum):
    """VIIRS bands in the order of every table here, with their centre in micrometres."""

    RED = 0  # M5 0.672, I1
    NIR = 1  # M7 0.865, I2
    M10 = 2  # 1.61, I3
    M11 = 3  # 2.25
    M12 = 4  # 3.70, I4: the part reflected from the sun


BANDS = tuple(Band)


class Cover(IntEnum):
    """Land covers; the values are the codes on the fine grid."""

    WATER = 0
    EVERGREEN = 1
    DECIDUOUS = 2
    BOREAL = 3
    SHRUB = 4
    GRASS = 5
    CROP = 6
    BARE = 7
    URBAN = 8


Spectrum = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class CoverSpectrum:
    """Look of a cover, and the way it burns.

    Attributes:
        green, dry: reflectance in the order of `Band` when fully green and fully senescent.
        spread: speed of fire relative to dry grass, 0 where nothing burns.
        fuel: fuel consumed, kg m-2.
        char_days: days in which the dark signal falls to 1/e.
        residue: fraction of the burned area that still looks bare when the char has gone.
        smoulder_hours: e-folding time of the heat after the front has passed.
    """

    green: Spectrum
    dry: Spectrum
    spread: float = 0.0
    fuel: float = 0.0
    char_days: float = 1.0
    residue: float = 0.0
    smoulder_hours: float = 1.0


COVERS: dict[Cover, CoverSpectrum] = {
    Cover.WATER: CoverSpectrum((0.020, 0.010, 0.004, 0.002, 0.012), (0.020, 0.010, 0.004, 0.002, 0.012)),
    Cover.EVERGREEN: CoverSpectrum(
        (0.020, 0.255, 0.110, 0.042, 0.022), (0.034, 0.220, 0.140, 0.062, 0.040), 0.85, 2.6, 150.0, 0.85, 9.0
    ),
    Cover.DECIDUOUS: CoverSpectrum(
        (0.030, 0.360, 0.165, 0.062, 0.025), (0.062, 0.225, 0.205, 0.120, 0.075), 0.45, 1.8, 90.0, 0.6, 6.0
    ),
    Cover.BOREAL: CoverSpectrum(
        (0.024, 0.225, 0.100, 0.038, 0.022), (0.040, 0.185, 0.130, 0.066, 0.042), 0.50, 3.2, 250.0, 0.9, 15.0
    ),
    Cover.SHRUB: CoverSpectrum(
        (0.030, 0.255, 0.145, 0.062, 0.034), (0.050, 0.230, 0.185, 0.092, 0.062), 1.00, 1.3, 90.0, 0.7, 3.5
    ),
    Cover.GRASS: CoverSpectrum(
        (0.050, 0.335, 0.215, 0.105, 0.048), (0.100, 0.265, 0.300, 0.185, 0.125), 1.00, 0.45, 32.0, 0.2, 1.2
    ),
    Cover.CROP: CoverSpectrum(
        (0.042, 0.390, 0.180, 0.075, 0.030), (0.140, 0.300, 0.320, 0.225, 0.150), 0.30, 0.5, 14.0, 0.2, 1.0
    ),
    Cover.BARE: CoverSpectrum((0.160, 0.240, 0.320, 0.280, 0.180), (0.220, 0.300, 0.390, 0.350, 0.240)),
    Cover.URBAN: CoverSpectrum((0.110, 0.205, 0.210, 0.175, 0.100), (0.130, 0.205, 0.230, 0.205, 0.120)),
}

BURNABLE = np.array([COVERS[cover].spread > 0 for cover in Cover])

CHAR_FRESH: Spectrum = (0.034, 0.071, 0.094, 0.100, 0.112)
CHAR_OLD: Spectrum = (0.048, 0.098, 0.135, 0.134, 0.134)
ASH_WHITE: Spectrum = (0.200, 0.250, 0.290, 0.270, 0.200)
LITTER: Spectrum = (0.085, 0.160, 0.225, 0.185, 0.135)
STUBBLE: Spectrum = (0.185, 0.290, 0.350, 0.290, 0.190)
PLOUGHED: Spectrum = (0.085, 0.130, 0.190, 0.175, 0.125)
FLOOD: Spectrum = (0.060, 0.050, 0.025, 0.015, 0.015)
SNOW: Spectrum = (0.780, 0.700, 0.100, 0.080, 0.030)
SMOKE: Spectrum = (0.330, 0.330, 0.260, 0.220, 0.120)
# Optical depth of smoke and haze relative to red: fine particles do not dim 2-4 um.
SMOKE_DEPTH: Spectrum = (1.0, 0.62, 0.18, 0.07, 0.02)
HAZE_DEPTH: Spectrum = (1.0, 0.75, 0.40, 0.28, 0.10)
# Reflectance of a very thick cloud of drops and of crystals.
WATER_CLOUD: Spectrum = (0.80, 0.82, 0.66, 0.55, 0.29)
ICE_CLOUD: Spectrum = (0.80, 0.80, 0.36, 0.32, 0.03)
# Ross-Thick and Li-Sparse weights relative to the isotropic one.
VOLUME: Spectrum = (0.340, 0.496, 0.336, 0.240, 0.240)
GEOMETRY: Spectrum = (0.134, 0.107, 0.132, 0.146, 0.146)


def table(attribute: str) -> Field:
    """Return one attribute of all covers: (covers, bands) for spectra, (covers,) for numbers."""
    return np.array([getattr(COVERS[cover], attribute) for cover in Cover], np.float32)
