"""Burns across the first or last day of a period: each is mapped whole, in the period that holds most of it.

A cell that burned at the turn of a month has its probability on days of both. Summed apart, the two parts may
reach the threshold in both months, or in neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["EDGE_DAYS", "whole_burns"]

EDGE_DAYS = 5
"""Days on either side of an edge that count as one burn.

Burns on both sides are then less than the ten days apart from which on a cell burned twice.
"""


def whole_burns(probability: npt.NDArray[np.float32], mapped: slice) -> npt.NDArray[np.float32]:
    """Return daily probabilities of which burns across the edges of a period are its own or left out.

    The days around the period are compared with `EDGE_DAYS` of its own at that edge: what they hold together
    goes to the side that holds more, to the earlier one where both hold the same. Two periods of twice as
    many days or more thereby share out what lies at their common edge, with nothing lost or counted twice, if
    both were given the same probabilities.

    Args:
        probability: (days, rows, columns) float32 of the period and of up to `EDGE_DAYS` on either side.
        mapped: place of the period's days.

    Returns:
        (days, rows, columns) float32; the array itself if no day lies around the period.
    """
    start, stop = mapped.start, mapped.stop
    before, after = start, len(probability) - stop
    if not before and not after:
        return probability
    kept = probability.copy()
    earlier = slice(0, start), slice(start, min(start + EDGE_DAYS, stop))
    later = slice(stop, stop + after), slice(max(stop - EDGE_DAYS, start), stop)
    if before:
        _clear(kept, _held(kept, earlier[0]) >= _held(kept, earlier[1]), *earlier)
    if after:
        # What the first edge left out of a short period is not there to outweigh the days after it.
        lost = _held(kept, later[0]) > _held(kept, later[1])
        _clear(kept, lost, *later)
        # Nor is what is left out here there to hold the days before a short period.
        _clear(kept, lost & (_held(kept, earlier[0]) >= _held(kept, earlier[1])), *earlier)
    return kept


def _held(probability: npt.NDArray[np.float32], days: slice) -> npt.NDArray[np.float64]:
    return np.asarray(probability[days].sum(0, dtype=np.float64))


def _clear(kept: npt.NDArray[np.float32], cells: npt.NDArray[np.bool_], *parts: slice) -> None:
    for days in parts:
        kept[days] = np.where(cells, np.float32(0), kept[days])
