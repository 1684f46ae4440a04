"""Checks of a burned-area source: planes that fit the grid, dates that fit the fractions and the period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY, check_threshold
from banet.errors import InputError

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["PLANES", "check_dates", "settled"]

PLANES = {
    "burned_fraction": "float32",
    "burn_date": "datetime64[D]",
    "uncertainty": "uint8",
    "observed_days": "int16",
    "water": "bool",
    "stated_confidence": "float32",
    "evidence": "uint8",
}
"""Planes of a source and their types."""

_ROUNDING = 1e-6


def settled(source: BurnedArea) -> dict[str, npt.NDArray[Any]]:
    """Return the planes of a source in their types, those that were not given by their defaults.

    Raises:
        InputError: if one has another shape or type than the region asks for.
    """
    given = {name: getattr(source, name) for name in PLANES}
    planes = _defaults(source) | {name: plane for name, plane in given.items() if plane is not None}
    return {name: _checked(source, name, plane) for name, plane in planes.items()}


def check_dates(source: BurnedArea) -> None:
    """Make sure that threshold, dates, fractions and period of a source go together.

    Raises:
        InputError: if they do not.
    """
    if source.threshold != 0:
        check_threshold(source.threshold)
    wrong = _contradictions(source)
    if wrong.any():
        least = f"less than {source.threshold}" if source.threshold else "nothing"
        raise InputError(
            f"{source.title}: {np.count_nonzero(wrong)} cells are dated but burned {least}, or the reverse"
        )
    dates = source.burn_date[source.burned]
    if ((dates < source.start) | (dates >= source.stop)).any():
        raise InputError(
            f"{source.title}: burn dates reach outside {source.start} to {source.stop} (not included)"
        )


def _defaults(source: BurnedArea) -> dict[str, npt.NDArray[Any]]:
    shape, days = source.region.shape, int((source.stop - source.start).astype(np.int64))
    nothing = np.isnan(np.asarray(source.burned_fraction))
    return {
        "uncertainty": np.full(shape, NO_UNCERTAINTY, np.uint8),
        "observed_days": np.where(nothing, 0, days).astype(np.int16),
        "water": np.zeros(shape, bool),
    }


def _checked(source: BurnedArea, name: str, values: Any) -> npt.NDArray[Any]:
    plane, kind = np.asarray(values), PLANES[name]
    if plane.shape != source.region.shape:
        raise InputError(f"{source.title}: {name} is {plane.shape}, not {source.region.shape}")
    if not np.can_cast(plane.dtype, np.dtype(kind), "same_kind"):
        raise InputError(f"{source.title}: {name} is {plane.dtype}, not {kind}")
    return plane.astype(kind, copy=False)


def _contradictions(source: BurnedArea) -> npt.NDArray[np.bool_]:
    """Return cells whose date and burned fraction do not go together.

    Where entries by day are given, a cell may have burned on a day and yet less than the threshold.
    """
    fraction, least = source.burned_fraction, np.float32(source.threshold)
    if source.dated is not None:
        return np.asarray((fraction >= least + _ROUNDING) & ~source.burned & ~source.water)
    enough = (fraction >= least) & (fraction > 0)
    return np.asarray((enough & ~source.water if source.threshold else enough) != source.burned)
