"""Single-band GeoTIFFs: the window that a region needs, and the grid that it lies on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError
from banet.grid.average import LatLonGrid
from banet.grid.cutting import Grid
from banet.grid.projected import ProjectedGrid
from banet.grid.region import Region
from banet.grid.sinusoidal import SinusoidalGrid

__all__ = ["RasterWindow", "read_window"]


@dataclass(frozen=True, eq=False)
class RasterWindow:
    """The part of a raster that can touch a region.

    Attributes:
        grid: where its pixels are.
        values: (rows, columns), as stored.
        nodata: the value that means nothing; None if the file names none.
    """

    grid: Grid
    values: npt.NDArray[Any]
    nodata: float | None

    def missing(self) -> npt.NDArray[np.bool_]:
        """Return where the values are the file's nodata value."""
        if self.nodata is None:
            return np.zeros(self.values.shape, bool)
        return np.asarray(self.values == self.nodata)


def read_window(path: Path, region: Region) -> RasterWindow:
    """Read the window of a GeoTIFF's first band that a region needs.

    Raises:
        UnreadableFileError: if it is no GeoTIFF, is damaged, or does not say where it lies.
        InputError: if its pixels are rotated.
    """
    import rasterio
    from rasterio.windows import Window

    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                raise UnreadableFileError(f"{path.name} has no coordinate reference system")
            grid = _grid(raster.crs, raster.transform, (raster.height, raster.width))
            rows, cols = grid.window_on(region)
            window = Window.from_slices(rows, cols)
            empty = rows.start >= rows.stop or cols.start >= cols.stop
            values = np.zeros((0, 0), raster.dtypes[0]) if empty else raster.read(1, window=window)
            nodata = raster.nodata
    except rasterio.errors.RasterioIOError as error:
        raise UnreadableFileError(f"{path.name} is no readable GeoTIFF: {error}") from error
    kept = grid.window(slice(0, 0), slice(0, 0)) if empty else grid.window(rows, cols)
    return RasterWindow(kept, values, nodata)


def _grid(crs: Any, transform: Any, shape: tuple[int, int]) -> Grid:
    if crs.is_geographic:
        return LatLonGrid.from_transform(transform, shape)
    text = crs.to_wkt()
    # The sphere of the land products; a sinusoidal raster on another figure takes the general way.
    if "sinusoidal" in text.lower() and "6371007.181" in text:
        return SinusoidalGrid.from_transform(transform, shape)
    return ProjectedGrid.from_transform(text, transform, shape)
