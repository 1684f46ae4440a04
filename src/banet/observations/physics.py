"""Bounds of the values that can be believed, by kind: one table for every reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError

__all__ = ["BOUNDS", "Bounds", "check_plane", "offset_of", "scale_of"]


@dataclass(frozen=True)
class Bounds:
    """Least and greatest value of a kind, both possible, and its unit."""

    least: float
    greatest: float
    unit: str

    def hold(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return where values lie within the bounds; False where they are missing."""
        with np.errstate(invalid="ignore"):
            return np.asarray((values >= self.least) & (values <= self.greatest), bool)


BOUNDS = {
    # Bright clouds pass 1 where the sun is low; noise and over-corrected shadow fall a little below 0.
    "reflectance": Bounds(-0.1, 2.0, ""),
    # Band M12 saturates near 3.5, I4 near 4.5, M15 and I5 below 20.
    "radiance": Bounds(0.0, 30.0, "W m-2 sr-1 um-1"),
    "angle": Bounds(0.0, 180.0, "degrees"),
    # The most radiative pixels on record are some thousands of MW.
    "frp": Bounds(0.0, 50_000.0, "MW"),
    "latitude": Bounds(-90.0, 90.0, "degrees"),
    "longitude": Bounds(-180.0, 360.0, "degrees"),
}

_MOST = 0.5
_LEAST_CELLS = 16


def check_plane(values: npt.NDArray[Any], kind: str, name: str) -> None:
    """Refuse a plane of which most lies outside physics: its scale, offset or bytes are wrong.

    Args:
        values: any shape, NaN where missing.
        kind: a key of `BOUNDS`.
        name: of file and band, for the message.

    Raises:
        UnreadableFileError: if more than half of the values lie outside the bounds.
    """
    bounds = BOUNDS[kind]
    there = np.isfinite(values)
    count = int(there.sum())
    outside = count - int((bounds.hold(values) & there).sum())
    if count >= _LEAST_CELLS and outside > _MOST * count:
        median = float(np.median(values[there]))
        unit = f" {bounds.unit}" if bounds.unit else ""
        raise UnreadableFileError(
            f"{name}: {outside:,} of {count:,} values are no {kind} ({bounds.least:g} to {bounds.greatest:g}"
            f"{unit}), their median is {median:g}; its scale or offset is wrong"
        )


def scale_of(value: Any, name: str, attribute: str = "Scale") -> float:
    """Return a scale after making sure that it is one.

    Args:
        value: of the attribute; None where there is none.
        name: of file and band, for the message.
        attribute: its name, likewise.

    Raises:
        UnreadableFileError: if there is none, or it is not a positive number.
    """
    try:
        scale = float(np.ravel(value)[0])
    except (TypeError, ValueError, IndexError):
        scale = np.nan
    if value is None or not (np.isfinite(scale) and scale > 0):
        found = f"has no {attribute}" if value is None else f"has the {attribute} {_shown(value)}"
        raise UnreadableFileError(f"{name} {found}, so its numbers mean nothing; download it again")
    return scale


def offset_of(value: Any, name: str) -> float:
    """Return an offset after making sure that it is a number.

    Raises:
        UnreadableFileError: if it is none.
    """
    try:
        offset = float(np.ravel(value)[0])
    except (TypeError, ValueError, IndexError):
        offset = np.nan
    if not np.isfinite(offset):
        raise UnreadableFileError(
            f"{name} has the offset {_shown(value)}, which is no number; download it again"
        )
    return offset


def _shown(value: Any) -> str:
    """Return the start of what was found, in one line whatever it holds."""
    return " ".join(repr(value).split())[:60]
