"""Evidence of each cell: whether anybody looked for hot spots, and looks on both sides of its day.

A look has all three bands, clouds or not. A burned fraction means more where the day is bracketed by many
looks than where it is not. Weights are calibrated by class of evidence, and maps carry the class of each
cell.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CLASSES", "LOOKS", "NO_EVIDENCE", "WITHIN", "classes_of", "on_both_sides"]

Bools = npt.NDArray[np.bool_]

LOOKS = (0, 2, 5)
"""Looks on the poorer side of the day from which on each class holds."""

WITHIN = 16
"""Days on each side of the day in which looks count."""

NO_EVIDENCE = 255
"""Class of a cell of which the evidence is not known."""

CLASSES = tuple(
    f"{hotspots}_{looks}" for hotspots in ("nobody_looked", "hot_spots_known") for looks in
    ("under_2_looks", "2_to_4_looks", "5_or_more_looks")
)  # fmt: skip
"""Words for each class, by its number."""


def classes_of(observed: Bools, looked: Bools, day: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Return the class of evidence of each cell, (rows, columns) uint8, an index of `CLASSES`.

    Args:
        observed: whether all reflectances of a cell are there, (days, rows, columns).
        looked: whether somebody looked for hot spots there, (days, rows, columns).
        day: index of the day that is in question, (rows, columns).
    """
    before, after = on_both_sides(observed, day)
    looks = np.searchsorted(LOOKS, np.minimum(before, after), side="right") - 1
    told = np.add(*on_both_sides(looked, day))
    possible = np.minimum(day + WITHIN, len(looked)) - np.maximum(day - WITHIN, 0)
    return np.asarray(looks + len(LOOKS) * (2 * told >= possible), np.uint8)


def on_both_sides(
    there: Bools, day: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Count the days within `WITHIN` before a day, and from it on, (rows, columns) each.

    Args:
        there: (days, rows, columns).
        day: index of the day, (rows, columns).
    """
    running = np.zeros((len(there) + 1, *there.shape[1:]), np.int16)
    np.cumsum(there, axis=0, dtype=np.int16, out=running[1:])

    def until(end: npt.NDArray[np.integer]) -> npt.NDArray[np.int16]:
        return np.asarray(np.take_along_axis(running, np.clip(end, 0, len(there))[None], axis=0)[0])

    return until(day) - until(day - WITHIN), until(day + WITHIN) - until(day)
