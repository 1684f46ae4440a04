"""Variables of a cube: what each is, in physical units and as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.observations.planes import NO_FLAG

__all__ = ["CLEAR_RED", "VARIABLES", "Variable", "flag_plane"]

CLEAR_RED = 0.3
"""Red reflectance from which a look counts as cloud: above nearly all soils, below nearly all clouds."""


@dataclass(frozen=True)
class Variable:
    """Storage of one variable.

    Attributes:
        name: of the array.
        dtype: of the stored values.
        scale: what a stored 1 means in physical units; 0 for values stored as they are.
        fill: the stored value that means missing, None where nothing can be missing.
        lowest, highest: physical values below or above are an error, None for no bound.
        attributes: CF attributes.
    """

    name: str
    dtype: np.dtype[Any]
    scale: float
    fill: float | int | None
    lowest: float | None
    highest: float | None
    attributes: dict[str, Any]

    @property
    def missing(self) -> float | int:
        """The stored value of a cell of which nothing is known."""
        return 0 if self.fill is None else self.fill

    def pack(self, plane: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
        """Turn a plane of physical values into stored ones.

        Returns:
            the stored plane, and how many values were beyond what can be stored and were set to the nearest
            that can.

        Raises:
            InputError: if a value is infinite or out of bounds.
        """
        self._check(plane)
        if not self.scale:
            return np.ascontiguousarray(plane, self.dtype), 0
        limit = np.iinfo(self.dtype).max
        scaled = np.rint(np.asarray(plane, np.float32) * np.float32(1 / self.scale))
        with np.errstate(invalid="ignore"):
            beyond = int(np.count_nonzero(np.abs(scaled) > limit))
        np.clip(scaled, -limit, limit, out=scaled)
        np.nan_to_num(scaled, copy=False, nan=float(self.fill or 0))
        return scaled.astype(self.dtype), beyond

    def unpack(self, stored: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
        """Turn stored values into physical ones, written into `out`."""
        if not self.scale:
            out[...] = stored
            return
        np.multiply(stored, np.float32(self.scale), out=out, casting="unsafe", dtype=np.float32)
        np.copyto(out, np.nan, where=stored == self.fill)

    def _check(self, plane: npt.NDArray[Any]) -> None:
        if np.issubdtype(plane.dtype, np.floating) and np.isinf(plane).any():
            raise InputError(f"{self.name} holds an infinite value; missing is NaN")
        for bound, sign in ((self.lowest, -1), (self.highest, 1)):
            if bound is not None and plane.size and (sign * plane > sign * bound).any():
                worst = float(np.nanmin(plane) if sign < 0 else np.nanmax(plane))
                raise InputError(
                    f"{self.name} holds {worst:g}, beyond {bound:g} {self.attributes.get('units')}"
                )


def _reflectance(name: str, long_name: str) -> Variable:
    attributes = {"units": "1", "long_name": long_name}
    return Variable(name, np.dtype("i2"), 1e-4, -32768, None, None, attributes)


VARIABLES = {
    variable.name: variable
    for variable in (
        _reflectance("red", "red reflectance"),
        _reflectance("nir", "near-infrared reflectance"),
        _reflectance("mir", "reflectance in the middle-infrared slot"),
        Variable(
            "frp",
            np.dtype("f4"),
            0,
            np.nan,
            0,
            None,
            {"units": "MW", "long_name": "fire radiative power of the day's hot spots; 0 = no fire"},
        ),
        Variable(
            "view_zenith",
            np.dtype("i2"),
            1e-2,
            -32768,
            0,
            180,
            {"units": "degree", "long_name": "view zenith angle", "standard_name": "sensor_zenith_angle"},
        ),
        Variable(
            "count",
            np.dtype("u1"),
            0,
            None,
            None,
            None,
            {"units": "1", "long_name": "overpasses that observed the cell"},
        ),
    )
}


def flag_plane(name: str) -> Variable:
    """Return how a plane of quality flags is stored: its bytes as they are."""
    about = f"quality flags {name} of the product, bits untouched; {NO_FLAG} where it says nothing"
    return Variable(name, np.dtype("u1"), 0, NO_FLAG, None, None, {"long_name": about})
