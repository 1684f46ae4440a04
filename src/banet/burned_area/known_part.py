"""The part of a cell that its source knows: which is enough, and what that part decides.

Sources may know a part of a cell: a pixel of a product is missing, or a map has a gap, and the cells are
larger or lie elsewhere. One rule holds for labels, training targets and evaluation: a cell of which less than
half is known is not known; of another the part that is known decides, the missing part taking no side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.days import Days

__all__ = ["known_enough", "over_time", "plane_of"]

_ENOUGH = 0.5
_ROUNDING = 1e-6

Reals = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


def known_enough(share: Reals) -> Bools:
    """Whether a source knows enough of each cell, at least half of its area, to know the cell."""
    return np.asarray(share >= _ENOUGH - 1e-9)


def plane_of(share: Reals, known: Bools) -> npt.NDArray[np.float32] | None:
    """Return the known part of each known cell, 1 in others, float32; None where all are known whole."""
    part = np.where(known & (share < 1 - _ROUNDING), share, 1).astype(np.float32)
    return None if (part == 1).all() else part


def over_time(shares: Mapping[np.datetime64, Reals], date: Days) -> npt.NDArray[np.float32] | None:
    """Return the known part of each cell of a source whose files are each of one month or year.

    Args:
        shares: part of each cell that the files of a month (`datetime64[M]`) or year (`[Y]`) know, (rows,
            columns) in 0..1, by month or year.
        date: day on which most of each cell burned, (rows, columns) datetime64[D], NaT where not burned.

    Returns:
        (rows, columns) float32 as of `plane_of`: the part on the date, where there is one and the cell is
        known then; elsewhere the mean over the months or years in which the cell is known.
    """
    total, count = np.zeros(date.shape), np.zeros(date.shape)
    of_date = np.full(date.shape, np.nan)
    for period, share in shares.items():
        known = known_enough(share)
        total += np.where(known, share, 0)
        count += known
        of_date = np.where(known & (date.astype(period.dtype) == period), share, of_date)
    mean = total / np.maximum(count, 1)
    return plane_of(np.where(np.isnan(of_date), mean, of_date), count > 0)
