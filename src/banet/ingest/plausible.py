"""Values of a dataset that cannot be what their variable says: fill values, other units, other scales."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.observations.physics import BOUNDS

__all__ = ["REFLECTANCES", "check_power", "check_reflectance", "check_units", "in_percent"]

REFLECTANCES = ("red", "nir", "mir", "swir")

# A reflectance above this is a percentage or a scaled integer; glint and snow under a low sun stay below.
_TOO_BRIGHT = 5.0
# One below this stands for nothing (-9999, scaled or not); over-corrected shadow stays above.
_TOO_DARK = -0.5
_MOST_POWER = 1e6
"""Power of a cell in MW, many times that of the most radiative pixels on record."""
_MANY = 16
"""Cells that share one value which no reflectance has, from which on that value stands for nothing."""
_NO_REFLECTANCE = re.compile(r"k|kelvins?|degrees? ?(c|k)|celsius|m?w(att)?s?\b.*", re.IGNORECASE)
_MEGAWATTS = re.compile(r"|mw|mega-?watts?", re.IGNORECASE)
_OTHER_ANGLE = re.compile(r"rad|radians?", re.IGNORECASE)


def check_units(variable: str, units: Any) -> None:
    """Refuse units that a variable does not have here.

    Raises:
        InputError: for reflectance in kelvin or as radiance, power that is not in MW, or angles in radians.
    """
    said = str(units or "").strip()
    if variable in REFLECTANCES and _NO_REFLECTANCE.fullmatch(said):
        raise InputError(
            f"{variable} is in {said!r}, which is no reflectance; give reflectance from 0 to 1 (of a band of "
            "3.7 um what is left without its own heat: banet.mir_reflectance)"
        )
    if variable == "frp" and not _MEGAWATTS.fullmatch(said):
        raise InputError(f"frp is in {said!r}; give it in MW")
    if variable == "view_zenith" and _OTHER_ANGLE.fullmatch(said):
        raise InputError(f"view_zenith is in {said!r}; give it in degrees")


def in_percent(units: Any) -> bool:
    """Return whether units are percent."""
    return str(units or "").strip().lower() in ("%", "percent")


def check_reflectance(variable: str, values: npt.NDArray[Any], when: str) -> None:
    """Refuse values that are no reflectance, NaN apart.

    Args:
        variable: its name, for the message.
        values: any shape, percent divided by 100.
        when: the day, likewise.

    Raises:
        InputError: if one is far from 0 to 1, or many share one value above what physics allows.
    """
    if (values > _TOO_BRIGHT).any():
        raise InputError(
            f"{variable} of {when} reaches {np.nanmax(values):g}, which is no reflectance "
            "(0 to 1); divide it by its scale, or give it the units percent"
        )
    if (values < _TOO_DARK).any():
        raise InputError(
            f"{variable} of {when} falls to {np.nanmin(values):g}, which is no reflectance "
            "(0 to 1); make what is missing NaN, such as by ds.where(ds > 0)"
        )
    above = values[values > BOUNDS["reflectance"].greatest]
    if above.size >= _MANY and above.min() == above.max():
        raise InputError(
            f"{variable} of {when} is {above[0]:g} in {above.size:,} cells, which stands for nothing; make "
            "what is missing NaN, such as by ds.where(ds < 2)"
        )


def check_power(values: npt.NDArray[Any], when: str) -> None:
    """Refuse values that are no radiative power in MW, NaN apart.

    Raises:
        InputError: if one is negative or far above any fire.
    """
    if (values < 0).any() or (values > _MOST_POWER).any():
        odd = np.nanmin(values) if (values < 0).any() else np.nanmax(values)
        raise InputError(f"frp of {when} holds {odd:g}, which is no power in MW; make what is missing NaN")
