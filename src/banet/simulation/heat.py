"""Temperatures and the radiances that a VIIRS measures at 3.7 and 10.7 um."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.observations.reflectance import BANDS, planck_radiance
from banet.simulation.fields import Field
from banet.simulation.ground import Scar
from banet.simulation.overpasses import Geometry
from banet.simulation.spectra import Cover

__all__ = ["M12_LIMIT", "ground_temperature", "mir_limit", "radiances", "seen_temperature"]

M12 = BANDS["M12"]
# Largest M12 radiance that the integers of the gridded files hold, W m-2 sr-1 um-1.
M12_LIMIT = 65526 * 6.732538167852908e-05


def ground_temperature(
    fractions: Field, green: Field, scar: Scar, angles: Geometry, latitude: float, year_wave: float
) -> Field:
    """Return the skin temperature of the ground at a daytime overpass, K, (rows, columns) float32.

    Air follows latitude and season; dry and bare ground heats up in the sun, green ground and water do not;
    char heats up more. A rough balance that gives the 285-325 K which M15 sees over land in summer.

    Args:
        fractions: share of each cover, (covers, rows, columns).
        green: greenness of each cover on the day, (covers,).
        scar: what has burned.
        angles: of the overpass.
        latitude: of the scene, degrees.
        year_wave: -1 in the middle of winter, 1 in the middle of summer.
    """
    air = 301.0 - 0.0065 * latitude**2 + (2 + 0.22 * abs(latitude)) * year_wave
    sun = np.clip(np.cos(np.radians(angles.solar_zenith)), 0, 1)
    heated = np.full(len(Cover), 9.0) + 15.0 * (1 - green)
    heated[Cover.WATER] = -3.0
    heated[Cover.URBAN] = 20.0
    ground = np.tensordot(heated.astype(np.float32), fractions, 1)
    burned = scar.fresh + scar.old + scar.bare
    return np.asarray(air + (ground + 7 * burned) * sun, np.float32)


def seen_temperature(ground: Field, depth: Field, ice: float, height_km: float) -> Field:
    """Return the brightness temperature at 10.7 um with cloud of some optical depth in between, K."""
    top = float(np.median(ground)) - 6.5 * height_km - 12 * ice
    clear = np.exp(-0.5 * depth)
    # Radiance mixes, not temperature; at these temperatures the fourth power comes close to it.
    return np.asarray((clear * ground**4 + (1 - clear) * top**4) ** 0.25, np.float32)


def mir_limit(temperature: Field, solar_zenith: Field) -> Field:
    """Return the largest reflectance that M12 can show; NaN where the sun is too low."""
    emitted = planck_radiance(temperature, M12.mir_wavelength)
    available = M12.irradiance * np.cos(np.radians(solar_zenith)) / math.pi - emitted
    limit = (M12_LIMIT - emitted) / np.maximum(available, 0.05)
    return np.where(available > 0.05, limit, np.nan).astype(np.float32)


def radiances(
    reflectance: npt.NDArray[Any],
    temperature: npt.NDArray[Any],
    solar_zenith: npt.NDArray[Any],
    band: str = "M12",
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the radiances that `mir_reflectance` turns back into a reflectance.

    Args:
        reflectance: at 3.7 um.
        temperature: brightness temperature at 10.7 um, K.
        solar_zenith: degrees.
        band: M12 (with M15) or I4 (with I5).

    Returns:
        W m-2 sr-1 um-1 of the MIR band and of the thermal band.

    >>> from banet.observations.reflectance import mir_reflectance
    >>> mir, tir = radiances(np.float32([0.1]), np.float32([300]), np.float32([40]))
    >>> round(float(mir_reflectance(mir, tir, np.float32([40]))[0]), 5)
    0.1
    """
    constants = BANDS[band]
    emitted = planck_radiance(temperature, constants.mir_wavelength)
    sun = constants.irradiance * np.cos(np.radians(np.asarray(solar_zenith, np.float64))) / math.pi
    return reflectance * (sun - emitted) + emitted, planck_radiance(temperature, constants.tir_wavelength)
