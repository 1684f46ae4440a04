"""Places of the pixels of a product's grid on the cells of a scene.

The arithmetic is the products' own and none of the readers', so that a reader is tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.grid.region import Region

__all__ = ["RADIUS", "TILE", "PixelWindow", "tiles_under"]

RADIUS = 6371007.181
TILE = 2 * math.pi * RADIUS / 36
# A pixel is probed at 4 x 4 places.
PROBES = 4


def tiles_under(region: Region) -> Iterator[tuple[int, int]]:
    """Yield the sinusoidal tiles (h, v) that a region lies on."""
    lon, lat = np.meshgrid(
        np.linspace(region.west, region.east, 65), np.linspace(region.south, region.north, 65)
    )
    x = RADIUS * np.radians((lon + 180) % 360 - 180) * np.cos(np.radians(lat))
    h = np.floor((x + math.pi * RADIUS) / TILE).astype(int)
    v = np.floor((math.pi * RADIUS / 2 - RADIUS * np.radians(lat)) / TILE).astype(int)
    yield from sorted(set(zip(h.ravel().tolist(), v.ravel().tolist())))


@dataclass(frozen=True, eq=False)
class PixelWindow:
    """The part of a grid of pixels that a region lies in, and where probes in each pixel fall on its cells.

    Attributes:
        rows, cols: of the grid.
        row, col: place of each probe in cells of the region, (rows * probes, columns * probes).
        inside: whether the probe lies in the region.
        probes: along an edge of a pixel.
    """

    rows: slice
    cols: slice
    row: npt.NDArray[np.float64]
    col: npt.NDArray[np.float64]
    inside: npt.NDArray[np.bool_]
    probes: int = PROBES

    @classmethod
    def sinusoidal(cls, region: Region, h: int, v: int, size: int, probes: int = PROBES) -> PixelWindow:
        """Return the window of tile hHHvVV with `size` x `size` pixels."""
        pixel = TILE / size
        top, left = math.pi * RADIUS / 2 - v * TILE, -math.pi * RADIUS + h * TILE
        lats = np.radians([region.north, region.south])
        r0, r1 = ((top - RADIUS * lats) / pixel).tolist()
        widest = np.cos(np.radians(np.linspace(region.south, region.north, 33)))
        # The tiles of the western hemisphere see the part of a region that lies past 180 degrees from there.
        turn = -360.0 if region.east > 180 and left + TILE / 2 < 0 else 0.0
        edges = np.radians([region.west + turn, region.east + turn])[:, None] * RADIUS * widest
        c0, c1 = (edges.min() - left) / pixel, (edges.max() - left) / pixel
        rows = slice(max(int(r0), 0), min(int(r1) + 1, size))
        cols = slice(max(int(c0), 0), min(int(c1) + 1, size))
        y = top - (_places(rows, probes)) * pixel
        x = left + _places(cols, probes) * pixel
        lat = y / RADIUS
        lon = np.degrees(x[None, :] / (RADIUS * np.cos(lat)[:, None]))
        window = cls._of(region, rows, cols, np.degrees(lat), lon, probes)
        # What lies beyond the edge of the globe is no place.
        return replace(window, inside=window.inside & (np.abs(lon) <= 180))

    @classmethod
    def degrees(cls, region: Region, pixel: float) -> PixelWindow:
        """Return the window of a grid of longitude and latitude that begins at -180 and 90 degrees."""
        west, north = -180.0, 90.0
        rows = slice(int((north - region.north) / pixel), int((north - region.south) / pixel) + 1)
        cols = slice(int((region.west - west) / pixel), int((region.east - west) / pixel) + 1)
        lat, places = north - _places(rows, PROBES) * pixel, _places(cols, PROBES)
        lon = np.broadcast_to(west + places * pixel, (lat.size, places.size))
        return cls._of(region, rows, cols, lat, lon, PROBES)

    @classmethod
    def _of(
        cls,
        region: Region,
        rows: slice,
        cols: slice,
        lat: npt.NDArray[np.float64],
        lon: npt.NDArray[np.float64],
        probes: int,
    ) -> PixelWindow:
        size = region.pixel_size
        row = np.broadcast_to(((region.north - lat) / size)[:, None], lon.shape)
        col = (np.mod(lon - region.west + 180, 360) - 180) / size
        inside = (row >= 0) & (row < region.shape[0]) & (col >= 0) & (col < region.shape[1])
        return cls(rows, cols, row, col, inside, probes)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the window in pixels."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start

    def take(self, grid: npt.NDArray[Any], subcells: int, outside: float) -> npt.NDArray[Any]:
        """Look up a grid (fine, or of cells with `subcells` 1) at the probes."""
        r = np.where(self.inside, self.row * subcells, 0).astype(np.int64)
        c = np.where(self.inside, self.col * subcells, 0).astype(np.int64)
        return np.where(self.inside, grid[r, c], outside)

    def per_pixel(self, probes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Average probes to pixels."""
        count = self.probes
        shape = (probes.shape[0] // count, count, probes.shape[1] // count, count)
        return np.asarray(probes.reshape(shape).mean((1, 3)), np.float64)

    def middle(self, probes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Take one probe a pixel, next to its middle."""
        return probes[self.probes // 2 :: self.probes, self.probes // 2 :: self.probes]


def _places(part: slice, probes: int) -> npt.NDArray[np.float64]:
    """Places of the probes, in pixels."""
    return (np.arange(part.start * probes, part.stop * probes) + 0.5) / probes
