"""Reflectance in the middle infrared: the radiance at 3.7 um less what the surface emits.

By day a 3.7 um radiometer sees sunlight reflected and heat emitted in like amounts. The brightness
temperature of the thermal band tells how much is emitted, the rest is reflected (Kaufman and Remer 1994, IEEE
Trans. Geosci. Remote Sens. 32, 672-683). Constants as in Pinto et al. (2020), ISPRS J. Photogramm. Remote
Sens. 160, 260-274, rounded as there, so that networks trained on those values see the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.errors import InputError

__all__ = ["BANDS", "C1", "C2", "MirBand", "brightness_temperature", "mir_reflectance", "planck_radiance"]

C1 = 1.1911e8  # first radiation constant, W m-2 sr-1 um4
C2 = 1.439e4  # second radiation constant, K um

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MirBand:
    """A band in the middle infrared and the thermal band that goes with it.

    Attributes:
        name: of the MIR band.
        mir_wavelength, tir_wavelength: um.
        irradiance: of the sun at the top of the atmosphere in the MIR band, W m-2 um-1.
    """

    name: str
    mir_wavelength: float
    tir_wavelength: float
    irradiance: float


BANDS = {
    "M12": MirBand("M12", mir_wavelength=3.6966, tir_wavelength=10.7343, irradiance=11.7881),
    "I4": MirBand("I4", mir_wavelength=3.7486, tir_wavelength=11.4979, irradiance=11.2640),
}


def planck_radiance(temperature: npt.ArrayLike, wavelength_um: float) -> Floats:
    """Return the radiance of a black body.

    Args:
        temperature: K, any shape.
        wavelength_um: um.

    Returns:
        W m-2 sr-1 um-1, float64 of the temperature's shape; NaN where the temperature is NaN or not above 0.
    """
    kelvin = _positive(temperature)
    return C1 * wavelength_um**-5 / np.expm1(C2 / (wavelength_um * kelvin))


def brightness_temperature(radiance: npt.ArrayLike, wavelength_um: float) -> Floats:
    """Return the temperature of the black body that has this radiance; the inverse of `planck_radiance`.

    Args:
        radiance: W m-2 sr-1 um-1, any shape.
        wavelength_um: um.

    Returns:
        K, float64 of the radiance's shape; NaN where the radiance is NaN or not above 0.

    >>> round(float(brightness_temperature(planck_radiance(300.0, 3.6966), 3.6966)), 9)
    300.0
    """
    return C2 / (wavelength_um * np.log1p(C1 / (wavelength_um**5 * _positive(radiance))))


def mir_reflectance(
    mir_radiance: npt.ArrayLike, tir_radiance: npt.ArrayLike, solar_zenith: npt.ArrayLike, band: str = "M12"
) -> npt.NDArray[np.float32]:
    """Return the reflectance at 3.7 um.

    `(L - B) / (E0 cos(sza) / pi - B)`, where `L` is the MIR radiance and `B` the MIR radiance of a black body
    at the brightness temperature of the thermal band. A negative reflectance (a surface colder in the MIR
    than in the thermal band) is 0. It is missing where an input is missing, a radiance is not above 0, or the
    sun gives no more than the surface emits (night, and a sun so low that the denominator is not positive):
    there the formula has no meaning.

    Args:
        mir_radiance: W m-2 sr-1 um-1 of band M12 or I4, any shape.
        tir_radiance: W m-2 sr-1 um-1 of band M15 or I5.
        solar_zenith: degrees.
        band: name of the MIR band, a key of `BANDS`.

    Returns:
        Reflectance (1), float32 of the common shape, NaN where missing.

    Raises:
        InputError: if the band is unknown or the shapes do not go together.
    """
    if band not in BANDS:
        raise InputError(f"no MIR band {band!r}; there are {', '.join(BANDS)}")
    constants = BANDS[band]
    mir, tir = _positive(mir_radiance), _positive(tir_radiance)
    cosine = np.cos(np.radians(np.asarray(solar_zenith, np.float64)))
    try:
        np.broadcast_shapes(mir.shape, tir.shape, cosine.shape)
    except ValueError as error:
        raise InputError(
            f"MIR radiance {mir.shape}, TIR radiance {tir.shape} and solar zenith {cosine.shape} differ"
        ) from error
    emitted = planck_radiance(brightness_temperature(tir, constants.tir_wavelength), constants.mir_wavelength)
    available = constants.irradiance * cosine / np.pi - emitted
    reflectance = (mir - emitted) / np.where(available > 0, available, np.nan)
    return np.maximum(reflectance, 0).astype(np.float32)


def _positive(values: npt.ArrayLike) -> Floats:
    given = np.asarray(values, np.float64)
    return np.where(given > 0, given, np.nan)
