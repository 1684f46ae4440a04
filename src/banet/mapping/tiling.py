"""Cutting a region into tiles and joining what the network says of each.

A tiling is the product of two axes. Along an axis every tile has a weight at each of its cells, and at every
cell of the region the weights of the tiles sum to one, so cutting and joining gives back what was cut.
"""

from __future__ import annotations

import numpy as np

from banet.errors import InputError
from banet.mapping.blend import ALIGN, MARGIN, blend_tiling, margin_of
from banet.mapping.joiner import Block, Joiner
from banet.mapping.layout import Axis, Tile, Tiling, check_sizes

__all__ = [
    "ALIGN",
    "MARGIN",
    "Block",
    "Joiner",
    "Tile",
    "Tiling",
    "blend_tiling",
    "make_tiling",
    "margin_of",
    "original_tiles",
    "original_tiling",
]


def make_tiling(
    name: str,
    shape: tuple[int, int],
    tile: int | None = None,
    step: int | None = None,
    margin: tuple[int, int] | None = None,
    align: int = ALIGN,
) -> Tiling:
    """Return the tiling `original` (default 128, step 100) or `blend` (default 256) of a region.

    Raises:
        InputError: if there is no tiling of that name, or the sizes do not fit.
    """
    if name == "original":
        return original_tiling(shape, 128 if tile is None else tile, 100 if step is None else step)
    if name == "blend":
        return blend_tiling(
            shape, 256 if tile is None else tile, step, MARGIN if margin is None else margin, align
        )
    raise InputError(f"there is no tiling {name!r}; choose 'blend' or 'original'")


def original_tiling(shape: tuple[int, int], tile: int = 128, step: int = 100) -> Tiling:
    """Return the tiling of Pinto et al. (2020): fixed steps, missing past the edge, plain mean of overlaps.

    Raises:
        InputError: if the steps would leave cells between tiles.
    """
    check_sizes(shape, tile, step)
    if step >= tile:
        raise InputError(
            f"step {step} is not below tile {tile}; the original tiling then leaves cells uncovered"
        )
    rows, cols = (_mean_axis(extent, tile, step) for extent in shape)
    return Tiling(rows, cols, "original")


def original_tiles(shape: tuple[int, int], tile: int = 128, step: int = 100) -> list[Tile]:
    """Return the tiles of `original_tiling`."""
    return list(original_tiling(shape, tile, step))


def _mean_axis(extent: int, size: int, step: int) -> Axis:
    starts = tuple(range(0, extent - 1, step)) or (0,)
    count = np.zeros(extent + size, np.float32)
    for start in starts:
        count[start : start + size] += 1
    weights = np.stack([np.float32(1) / count[start : start + size] for start in starts])
    return Axis(extent, size, starts, starts, weights)
