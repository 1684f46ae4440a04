"""Tiles whose borders cannot be seen in the map."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.mapping.layout import Axis, Tiling, check_sizes

__all__ = ["ALIGN", "MARGIN", "blend_tiling", "margin_of"]

ALIGN = 32
"""The network halves the grid five times: tiles that start on multiples of 32 are cut as the whole is."""

MARGIN = (64, 32)
"""`margin_of` the published kernels: how far the network sees to the north-west and south-east."""


def blend_tiling(
    shape: tuple[int, int],
    tile: int = 256,
    step: int | None = None,
    margin: tuple[int, int] = MARGIN,
    align: int = ALIGN,
) -> Tiling:
    """Return a tiling without seams: margins dropped, smooth weights between them.

    Tiles start on multiples of `align`, so that the network cuts the grid in the same places whatever the
    tiling. They are spread evenly and all of one size; a region smaller than a tile gets a tile just large
    enough. Along an inner border the first `lead` cells of the later tile and the last `trail` of the earlier
    get no weight, and a raised cosine leads from one tile to the other over what is left of the overlap.
    With the default margin, which is all that the network can see past a cell, the result is that of one
    pass over the whole region.

    Args:
        shape: (rows, columns) of the region.
        tile: a tile holds at most `tile` x `tile` cells, and is not square where that means less work.
        step: largest distance of neighbouring tiles, rounded down to a multiple of `align`, all tiles then
            being `tile` cells wide and high; by default as large as the margin lets it be.
        margin: (lead, trail) cells without weight; where the overlap is smaller they shrink to fit.
        align: multiple that starts and sizes keep to.

    Raises:
        InputError: if a size is not positive, the tile is no multiple of `align` or smaller than the step,
            or too small for the margin.
    """
    check_sizes(shape, tile, align if step is None else step)
    if align < 1 or tile % align:
        raise InputError(f"tile {tile} is not a multiple of {align}, which the network needs")
    if min(margin) < 0:
        raise InputError(f"margin {margin} is negative")
    whole = tuple(-(-extent // align) * align for extent in shape)
    if step is None:
        overlap = -(-sum(margin) // align) * align
        plans = _least_work(whole, tile, overlap, align, margin)
    else:
        if step < align or step > tile:
            raise InputError(f"step {step} is not between {align} and the tile's {tile} cells")
        step = step // align * align
        plans = tuple((min(tile, cells), 1 + max(0, -(-(cells - tile) // step))) for cells in whole)
    rows, cols = (_blend_axis(n, cells, *plan, margin, align) for n, cells, plan in zip(shape, whole, plans))
    return Tiling(rows, cols, "blend", margin)


def margin_of(space_kernels: Sequence[int]) -> tuple[int, int]:
    """Return the margin beyond which the border of a tile cannot be felt, for a network of the BA-Net family.

    A cell of the bottom stands for 32 x 32 cells and, through the kernels above it, sees from 34 cells before
    its first to 34 after it. Cells of a tile whose bottom cell sees past the tile's border are in the margin.

    Args:
        space_kernels: cells a side of each stage's convolution, as in `BANetConfig`.

    Returns:
        (lead, trail) in cells.

    >>> margin_of((7, 3, 3, 3, 3))
    (64, 32)
    """
    align = 2 ** len(space_kernels)
    lead = trail = 0
    for depth in range(len(space_kernels) + 1):
        kernels = (*space_kernels, 3)[: depth + 1]
        reach = kernels[0] // 2 + sum(k // 2 * 2**i for i, k in enumerate(kernels[1:]))
        lead, trail = max(lead, reach), max(trail, reach + 1 - 2**depth)
    return -(-lead // align) * align, -(-trail // align) * align


Plan = tuple[int, int]
"""(cells of a tile, number of tiles) along an axis."""


def _least_work(
    whole: tuple[int, ...], tile: int, overlap: int, align: int, margin: tuple[int, int]
) -> tuple[Plan, ...]:
    """Choose height and width of the tiles so that the network computes the fewest cells."""
    best: tuple[tuple[int, int], tuple[Plan, ...]] | None = None
    for height in range(align, min(tile * tile // align, whole[0]) + 1, align):
        width = min(tile * tile // height // align * align, whole[1])
        plans = [_plan(cells, size, overlap, align) for cells, size in zip(whole, (height, width))]
        if plans[0] is None or plans[1] is None:
            continue
        (h, rows), (w, cols) = plans[0], plans[1]
        cost = (h * rows * w * cols, rows * cols)
        if best is None or cost < best[0]:
            best = cost, ((h, rows), (w, cols))
    if best is None:
        raise InputError(f"tile {tile} is too small for the margin {margin}; take {overlap + align} or more")
    return best[1]


def _plan(whole: int, size: int, overlap: int, align: int) -> Plan | None:
    """The smallest equal tiles that are as few as tiles of `size` would be."""
    if size >= whole:
        return whole, 1
    if size <= overlap:
        return None
    count = 1 - (-(whole - size) // (size - overlap))
    fitted = -(-(whole + (count - 1) * overlap) // count)
    return -(-fitted // align) * align, count


def _blend_axis(extent: int, whole: int, size: int, count: int, margin: tuple[int, int], align: int) -> Axis:
    gaps = count - 1
    starts = tuple(k * (whole - size) // (gaps * align) * align if gaps else 0 for k in range(count))
    ramps = [_ramp(before + size, start, margin) for before, start in itertools.pairwise(starts)]
    cells = np.arange(size, dtype=np.float64) + 0.5
    weights = np.empty((count, size), np.float32)
    for k, start in enumerate(starts):
        rise = _raised(start + cells, *ramps[k - 1]) if k else np.ones(size)
        fall = _raised(start + cells, *ramps[k]) if k < gaps else np.zeros(size)
        weights[k] = rise - fall
    return Axis(extent, size, starts, (0, *(ramp[0] for ramp in ramps)), weights)


def _ramp(stop: int, start: int, margin: tuple[int, int]) -> tuple[int, int]:
    """Where the weight passes from the tile that ends at `stop` to the one that begins at `start`."""
    lead, trail = margin
    overlap = stop - start
    if overlap >= lead + trail:
        return start + lead, stop - trail
    cut = start + round(overlap * lead / (lead + trail))
    return cut, cut


def _raised(cells: npt.NDArray[np.float64], first: int, last: int) -> npt.NDArray[np.float64]:
    if first == last:
        return (cells > first).astype(np.float64)
    part = np.clip((cells - first) / (last - first), 0, 1)
    return (1 - np.cos(np.pi * part)) / 2
