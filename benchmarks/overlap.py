"""Cells that tiles compute over those that the region holds."""

from __future__ import annotations

LARGE = (1700, 4100)
"""Cells of the region AU."""


def computed_over_region(tiling) -> float:
    """Return the cells of all tiles of a tiling over those of its region."""
    rows, cols = tiling.shape
    return tiling.cells_computed / (rows * cols)


def overlap(ensemble, margin: tuple[int, int] | None = None, shape: tuple[int, int] = LARGE) -> float:
    """Return the same for the tiles of an ensemble, with its own margin or another."""
    from banet.mapping.cores import seamless_tiling

    margin = ensemble.margin if margin is None else margin
    return computed_over_region(seamless_tiling(shape, ensemble.tile, margin, ensemble.align))
