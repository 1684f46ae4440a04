"""Burns across the first or last day of a period: each is mapped whole, in the period that holds most of it.

A cell that burned at the turn of a month has its probability on days of both. Summed apart, the two parts may
reach the threshold in both months, or in neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["EDGE_DAYS", "whole_burns"]

EDGE_DAYS = 10
"""Days on either side of an edge that count as one burn."""


def whole_burns(probability: npt.NDArray[np.float32], mapped: slice) -> npt.NDArray[np.float32]:
    """Return daily probabilities of which burns across the edges of a period are its own or left out.

    The days around the period are compared with as many of its own at that edge: what they hold together
    goes to the side that holds more, to the earlier one where both hold the same. Two periods that are as
    long or longer thereby share out what lies at their common edge, with nothing lost or counted twice, if
    both were given the same probabilities.

    Args:
        probability: (days, rows, columns) float32 of the period and of days around it.
        mapped: place of the period's days.

    Returns:
        (days, rows, columns) float32; the array itself if no day lies around the period.
    """
    start, stop = mapped.start, mapped.stop
    before, after = start, len(probability) - stop
    if not before and not after:
        return probability
    kept = probability.copy()
    if before:
        inside = slice(start, min(start + before, stop))
        _give(probability, kept, slice(0, start), inside, earlier_outside=True)
    if after:
        inside = slice(max(stop - after, start), stop)
        _give(probability, kept, slice(stop, len(probability)), inside, earlier_outside=False)
    return kept


def _give(
    probability: npt.NDArray[np.float32],
    kept: npt.NDArray[np.float32],
    outside: slice,
    inside: slice,
    *,
    earlier_outside: bool,
) -> None:
    """Clear both sides of an edge in the cells of which the days outside the period hold more."""
    out, own = (probability[days].sum(0, dtype=np.float64) for days in (outside, inside))
    lost = out >= own if earlier_outside else out > own
    kept[outside] = np.where(lost, np.float32(0), kept[outside])
    kept[inside] = np.where(lost, np.float32(0), kept[inside])
