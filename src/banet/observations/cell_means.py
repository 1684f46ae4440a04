"""From sinusoidal tiles to a region's grid: each cell the mean of the pixels under it, by area.

A pixel of a tile is about as large as a cell of a region (926 m against 0.01 degree). Taking the nearest
pixel would shift values by up to half a pixel, use some twice and others never; the mean by area keeps
every pixel's share and, for what is additive, the sum. It is exact along latitude, where pixel rows and
cell rows are bands, and exact along each parallel that a band is cut on.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region
from banet.grid.sinusoidal import EARTH_RADIUS, SinusoidalGrid, branches, parallels
from banet.observations.planes import Plane

__all__ = ["CellMeans", "nearest_pixels"]

Floats = npt.NDArray[np.float64]

# Half a pixel of slant between two parallels: a mean of reflectances asks less than a sum of areas does.
_CLOSENESS = {"a_pixel": 2, "least": 1, "most": 48}


class CellMeans:
    """Means over the cells of a region, gathered from any number of tiles.

    Args:
        region: the grid.
        bands: number of bands that are averaged together.
    """

    def __init__(self, region: Region, bands: int) -> None:
        self._region = region
        self._sums = np.zeros((bands + 1, *region.shape))

    def add(self, grid: SinusoidalGrid, bands: npt.NDArray[np.floating]) -> None:
        """Add the pixels of a tile, or of a window of one.

        Args:
            grid: where the pixels are.
            bands: (bands, pixel rows, pixel columns), NaN where missing; a pixel counts where all bands are
                finite.

        Raises:
            InputError: if the shapes do not go together.
        """
        if bands.shape != (len(self._sums) - 1, *grid.shape):
            raise InputError(
                f"bands of {bands.shape} do not fit {len(self._sums) - 1} on a grid of {grid.shape}"
            )
        valid = np.isfinite(bands).all(axis=0)
        layers = np.concatenate([np.where(valid, bands, 0), valid[None]]).astype(np.float64)
        running = np.zeros((*layers.shape[:2], layers.shape[2] + 1))
        np.cumsum(layers, axis=2, out=running[:, :, 1:])
        edges = np.linspace(self._region.west, self._region.east, self._region.shape[1] + 1)
        lines = parallels(grid, self._region, **_CLOSENESS)
        columns = (lines.pixel_row, lines.cell_row, lines.latitude, lines.weight)
        for pixel_row, cell_row, latitude, weight in zip(*(each.tolist() for each in columns), strict=True):
            scale = EARTH_RADIUS * math.cos(math.radians(latitude)) / grid.pixel
            width = math.radians(edges[1] - edges[0]) * scale
            for turn in branches(self._region):
                at = np.radians(np.clip(edges + turn, -180, 180)) * scale - grid.left / grid.pixel
                self._sums[:, cell_row] += weight / width * np.diff(_at(running[:, pixel_row], at), axis=1)

    def result(self) -> tuple[Plane, ...]:
        """Return a plane per band, (rows, columns) float32.

        It is NaN where the pixels that count cover less than half a cell.
        """
        *sums, share = self._sums
        return tuple(
            np.divide(total, share, out=np.full(share.shape, np.nan), where=share >= 0.5).astype(np.float32)
            for total in sums
        )


def nearest_pixels(
    grid: SinusoidalGrid, region: Region
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Find the pixel under the middle of each cell, for values that cannot be averaged.

    Returns:
        Pixel row, pixel column (0 outside) and whether the grid has it, each (rows, columns).
    """
    longitude = (region.longitudes + 180) % 360 - 180
    row, col = grid.pixel_of(longitude[None, :], region.latitudes[:, None])
    inside = (row >= 0) & (row < grid.shape[0]) & (col >= 0) & (col < grid.shape[1])
    return np.where(inside, row, 0).astype(np.intp), np.where(inside, col, 0).astype(np.intp), inside


def _at(running: Floats, place: Floats) -> Floats:
    """Running sums at real-numbered places: linear within a pixel, constant outside."""
    pixels = running.shape[1] - 1
    place = np.clip(place, 0, pixels)
    index = np.minimum(place.astype(np.intp), pixels - 1)
    low = running[:, index]
    result: Floats = low + (place - index) * (running[:, index + 1] - low)
    return result
