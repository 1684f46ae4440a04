"""Parts of a tile: which days, rows and columns of the answer are wanted, and what they are made from."""

from __future__ import annotations

from torch import Tensor

__all__ = ["Box", "Part", "children", "cut", "parents", "sizes", "slices"]

Part = tuple[slice, slice, slice]
"""Days, rows and columns."""

Box = tuple[tuple[int, int], ...]
"""(first, last + 1) of days, rows and columns."""


def sizes(box: Box) -> tuple[int, ...]:
    """Return how many days, rows and columns a box holds."""
    return tuple(stop - start for start, stop in box)


def slices(box: Box, origin: Box | None = None) -> Part:
    """Return where a box lies in days, rows and columns of which the first are those of `origin`."""
    begins = [0] * len(box) if origin is None else [start for start, _ in origin]
    days, rows, cols = (slice(a - begin, b - begin) for (a, b), begin in zip(box, begins, strict=True))
    return days, rows, cols


def cut(x: Tensor, box: Box, origin: Box | None = None) -> Tensor:
    """Cut a box out of (T, H, W, ...), whose first cell on its first day is that of `origin`."""
    return x[slices(box, origin)]


def parents(box: Box) -> Box:
    """Return the days and cells, twice as coarse, whose children cover a box."""
    return tuple((start // 2, -(-stop // 2)) for start, stop in box)


def children(box: Box) -> Box:
    """Return the days and cells, twice as fine, that a box covers."""
    return tuple((2 * start, 2 * stop) for start, stop in box)
