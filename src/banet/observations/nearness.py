"""Nearness on a round world: 180 degrees east and 180 degrees west are one meridian."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["degrees_apart", "neighbouring_cells", "on_globe"]

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

# A degree of longitude never counts as less than this part of one of latitude.
_NARROWEST = 0.05


def on_globe(longitude: Reals, latitude: Reals) -> Reals:
    """Return places on a globe whose great circles are 360 long, so that small distances are degrees.

    Args:
        longitude: degrees, (n,).
        latitude: degrees, (n,).

    Returns:
        (n, 3) float64.
    """
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1) * 180 / np.pi


def degrees_apart(place: Reals, other: Reals) -> Reals:
    """Return how far pairs of places lie apart, the longer of east-west and north-south.

    Args:
        place: longitude and latitude in degrees, (n, 2).
        other: likewise, one for each.

    Returns:
        Degrees of a great circle, (n,) float64.

    >>> degrees_apart(np.array([[179.999, 60.0]]), np.array([[-179.999, 60.0005]])).round(6).tolist()
    [0.001]
    """
    east, north = np.abs(place - other).T
    shrink = np.cos(np.radians((place[:, 1] + other[:, 1]) / 2))
    return np.asarray(np.maximum(np.minimum(east, 360 - east) * np.maximum(shrink, _NARROWEST), north))


def neighbouring_cells(row: Ints, col: Ints, around: int) -> Ints:
    """Return the pairs of cells of a grid around the world that share an edge or a corner.

    Args:
        row: counted along a meridian, (n,) int64.
        col: counted around the world, from 0 up to, not including, `around`, (n,) int64; each cell once.
        around: columns of the whole world.

    Returns:
        (pairs, 2) int64, places in the arrays.

    >>> neighbouring_cells(np.array([5, 6, 6]), np.array([0, 35_999, 2]), 36_000).tolist()
    [[0, 1]]
    """
    from scipy.spatial import cKDTree

    # A length of 0 is an axis that does not come round.
    tree = cKDTree(np.stack([row, col], axis=1), boxsize=np.array([0, around]))
    return np.asarray(tree.query_pairs(1.5, output_type="ndarray"), np.int64)
