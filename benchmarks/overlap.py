"""What tiles compute over what the region holds."""

from __future__ import annotations

LARGE = (1700, 4100)
"""Cells of the region AU."""


def computed_over_region(tiling) -> float:
    """Return the cells of all tiles of a tiling over those of its region."""
    rows, cols = tiling.shape
    return len(tiling) * tiling.rows.size * tiling.cols.size / (rows * cols)


def overlap(ensemble, margin: tuple[int, int] | None = None, shape: tuple[int, int] = LARGE) -> float:
    """Return the same for the tiles of an ensemble, with its own margin or another."""
    from banet.mapping.tiling import make_tiling

    margin = ensemble.margin if margin is None else margin
    return computed_over_region(make_tiling("blend", shape, ensemble.tile, None, margin, ensemble.align))
