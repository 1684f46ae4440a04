"""Values of a dataset that cannot be what their variable says: fill values, other units, other scales."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.rasters import missing
from banet.observations.physics import BOUNDS

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "FILL",
    "REFLECTANCES",
    "all_gone",
    "check_percent",
    "check_power",
    "check_reflectance",
    "check_variable",
    "in_percent",
    "take_away_zeros",
    "too_bright",
    "too_dark",
    "without_fill",
]

REFLECTANCES = ("red", "nir", "mir", "swir")
FILL = ("_FillValue", "missing_value", "nodata", "valid_range", "valid_min", "valid_max")
"""Attributes that name what stands for nothing."""

_MEASURED = (*REFLECTANCES, "frp", "view_zenith")
_ZERO_SAYS = {"frp": (0.0,), "count": (0.0,)}
"""Variables whose 0 has a meaning that no tag takes away: nothing was hot, nobody looked."""

# Reflectance in percent that never goes above this was divided by 100 already.
_NO_PERCENT = 1.5
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


def check_variable(name: str, variable: xr.DataArray) -> None:
    """Refuse a variable whose type, packing or units are not those that it has here.

    Raises:
        InputError: for what are no numbers or a mere yes or no, integers that are still to be scaled,
            reflectance in kelvin or as radiance, power that is not in MW, or angles in radians.
    """
    kind, attrs = variable.dtype.kind, variable.attrs
    if kind not in "fiub" or (kind == "b" and name in _MEASURED):
        raise InputError(f"{name} holds {variable.dtype}, not numbers")
    packed = (_number(attrs, "scale_factor", 1), _number(attrs, "add_offset", 0))
    if kind in "iu" and packed != (1, 0) and name in (*_MEASURED, "count"):
        raise InputError(
            f"{name} holds {variable.dtype} that its scale_factor {packed[0]:g} and add_offset {packed[1]:g} "
            "have not been applied to; ds = xarray.decode_cf(ds) does it"
        )
    _check_units(name, attrs.get("units"))


def without_fill(name: str, variable: xr.DataArray) -> xr.DataArray:
    """Return a variable as float32, NaN where its attributes say that a value stands for nothing.

    These are `_FillValue`, `missing_value` and `nodata`, and the ends of `valid_range`, `valid_min` and
    `valid_max`. Where numbers were scaled already, what is named may be as it was before or after; whole ends
    of which nobody tells the scale any more, as after `ds.fillna(0)`, take nothing. In `frp` and `count` 0
    stays 0, whatever is named: nothing was hot, nobody looked.
    """
    import xarray as xr

    attrs, floats = variable.attrs, variable.dtype.kind == "f"
    said = {**variable.encoding, **attrs} if floats else {}  # whole numbers are as they were stored
    scale, offset = _number(said, "scale_factor", 1), _number(said, "add_offset", 0)
    fills = {float(value) for key in FILL[:3] for value in _numbers(attrs.get(key))}
    fills |= {fill * scale + offset for fill in fills}
    least, most = _valid(name, variable)
    zero = _ZERO_SAYS.get(name, ())

    def masked(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        gone = ((values < least) | (values > most)) & ~np.isin(values, zero)
        for fill in fills:
            gone |= missing(values, fill, zero) & np.isfinite(values)  # what is infinite is refused later
        return np.where(gone, np.nan, values).astype(np.float32)

    known: xr.DataArray = xr.apply_ufunc(
        masked, variable, keep_attrs=True, dask="parallelized", output_dtypes=[np.float32]
    )
    return known


def _valid(name: str, variable: xr.DataArray) -> tuple[float, float]:
    """Return the least and the greatest value that a variable calls valid, as its values are now."""
    floats = variable.dtype.kind == "f"
    low, high = (_numbers(variable.attrs.get(key)) for key in ("valid_min", "valid_max"))
    both = _numbers(variable.attrs.get("valid_range"))
    if both.size == 2:
        low, high = both[:1], both[1:]
    ends = [_scaled(end, variable) if floats and end.dtype.kind in "iu" else end for end in (low, high)]
    least, most = (
        float(end[0]) if end.size else odd for end, odd in zip(ends, (-np.inf, np.inf), strict=True)
    )
    lost = name in REFLECTANCES and floats and 100 * _TOO_BRIGHT < most < np.inf  # its scale is
    return (-np.inf, np.inf) if lost or least > most else (least, most)


def _scaled(end: npt.NDArray[Any], variable: xr.DataArray) -> npt.NDArray[Any]:
    """Return a whole end of floats as they were scaled; none if it is not known how."""
    said = {**variable.encoding, **variable.attrs}
    stored = np.dtype(variable.encoding.get("dtype") or "V")
    if str(said.get("_Unsigned", "")).lower() == "true" and stored.kind in "iu":
        end = end.astype(np.int64) % 256**stored.itemsize
    if stored.kind == "f" or "scale_factor" in said or "add_offset" in said:
        return end * _number(said, "scale_factor", 1) + _number(said, "add_offset", 0)
    return np.zeros(0)


def all_gone(name: str, attrs: Mapping[Any, Any]) -> str:
    """Return what to say where attributes take all values of a variable away."""
    named = ", ".join(key for key in FILL if key in attrs)
    return f"no value of {name} is left by its own {named}; drop from ds[{name!r}].attrs what is wrong"


def _numbers(value: Any) -> npt.NDArray[Any]:
    """Return the numbers of an attribute, (n,); none where it is text."""
    values = np.ravel(np.asarray(value))
    return values if values.dtype.kind in "fiu" else np.zeros(0)


def _number(attrs: Mapping[Any, Any], key: str, otherwise: float) -> float:
    values = _numbers(attrs.get(key))
    return float(values[0]) if values.size else otherwise


def _check_units(variable: str, units: Any) -> None:
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


def check_percent(variable: str, units: Any, largest: float) -> None:
    """Refuse percent that were divided by 100 before, with the units still there.

    Args:
        variable: its name, for the message.
        units: what its attribute says.
        largest: value of all days, as it is given.

    Raises:
        InputError: if that is far below what land and clouds reflect.
    """
    if in_percent(units) and largest <= _NO_PERCENT:
        raise InputError(f"{variable} says {units}, but reaches only {largest:.2g}: drop its units")


def check_reflectance(variable: str, values: npt.NDArray[Any], when: str) -> None:
    """Refuse values that are no reflectance, NaN apart.

    Args:
        variable: its name, for the message.
        values: any shape, percent divided by 100.
        when: the day, likewise.

    Raises:
        InputError: if one is far from 0 to 1, or many share one value above what physics allows.
    """
    if too_bright(values).any():
        raise InputError(
            f"{variable} of {when} reaches {np.nanmax(values):g}, which is no reflectance "
            "(0 to 1); divide it by its scale, or give it the units percent"
        )
    if too_dark(values).any():
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


def too_bright(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where values lie above any reflectance, False where they are missing."""
    return np.asarray(values > _TOO_BRIGHT, np.bool_)


def too_dark(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where values lie below any reflectance, as -9999 does, False where they are missing."""
    return np.asarray(values < _TOO_DARK, np.bool_)


def take_away_zeros(*bands: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    """Make missing, in place, the looks in which every band is exactly 0, and return which those were.

    Gaps are often filled with 0; land and water are never dark to the last bit in all of red, NIR and MIR.

    Args:
        bands: red, NIR and MIR of one shape.
    """
    empty = np.logical_and.reduce([band == 0 for band in bands])
    for band in bands:
        band[empty] = np.nan
    return np.asarray(empty, np.bool_)


def check_power(values: npt.NDArray[Any], when: str) -> None:
    """Refuse values that are no radiative power in MW, NaN apart.

    Raises:
        InputError: if one is negative or far above any fire.
    """
    if (values < 0).any() or (values > _MOST_POWER).any():
        odd = np.nanmin(values) if (values < 0).any() else np.nanmax(values)
        raise InputError(f"frp of {when} holds {odd:g}, which is no power in MW; make what is missing NaN")
