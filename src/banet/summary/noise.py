"""Standard normal noise at single cells, correlated over short distances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

__all__ = ["CellNoise"]

_BLOCK = 64
"""Edge in cells of the blocks that cells are gathered by; cells of blocks apart are independent."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Group:
    """Cells near each other: which they are, and their places in the box around them."""

    which: Places
    row: Places
    col: Places
    shape: tuple[int, int]


class CellNoise:
    """Noise whose correlation falls as exp(-|rows| / reach - |columns| / reach) between two cells.

    Only the boxes around groups of cells are filled, so that a few fires in a large region cost little.

    Args:
        row, col: the cells, (n,).
        reach: cells after which the correlation has fallen to 1/e, down and across, above 0.
    """

    def __init__(self, row: Places, col: Places, reach: tuple[float, float]) -> None:
        self.count = len(row)
        self._keep = tuple(math.exp(-1 / length) for length in reach)
        self._groups = _groups(row, col)

    def draw(self, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        """Return one value a cell, (n,)."""
        out = np.empty(self.count, np.float32)
        for group in self._groups:
            noise = rng.standard_normal(group.shape, np.float32)
            for axis, keep in enumerate(self._keep):
                noise = _linked(noise, keep, axis)
            out[group.which] = noise[group.row, group.col]
        return out


def _linked(noise: npt.NDArray[np.float32], keep: float, axis: int) -> npt.NDArray[np.float32]:
    """Make independent normal values an autoregressive sequence along an axis; their variance stays 1."""
    new = math.sqrt(1 - keep**2)
    first = np.take(noise, [0], axis) / new  # the first has the variance of all others
    rest = np.delete(noise, 0, axis)
    linked = signal.lfilter([new], [1, -keep], np.concatenate([first, rest], axis), axis)
    return np.asarray(linked, np.float32)


def _groups(row: Places, col: Places) -> list[_Group]:
    if not len(row):
        return []
    held = np.zeros((row.max() // _BLOCK + 1, col.max() // _BLOCK + 1), bool)
    held[row // _BLOCK, col // _BLOCK] = True
    found: Any = ndimage.label(held, np.ones((3, 3)))
    label = found[0][row // _BLOCK, col // _BLOCK]
    groups = []
    for number in range(1, label.max() + 1):
        which = np.flatnonzero(label == number)
        r, c = row[which], col[which]
        top, left = r.min(), c.min()
        shape = (int(r.max() - top) + 1, int(c.max() - left) + 1)
        groups.append(_Group(which, r - top, c - left, shape))
    return groups
