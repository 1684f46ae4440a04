"""Perimeters of fires by day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.fires import Events
from banet.grid.polygons import within_180
from banet.grid.region import Region

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["perimeters"]


def perimeters(events: Events) -> gpd.GeoDataFrame:
    """Return a polygon for each fire and day on which it grew: all that had burned by then.

    Returns:
        `id`, `day`, `area_ha` (of the day), `total_ha`, `front_km` (length of the outline along the edges of
        cells, holes included, on the WGS84 ellipsoid) and `geometry`, in EPSG:4326.
    """
    import geopandas as gpd

    growth = events.growth
    outlines = {
        (str(name), day): shape
        for name, own in events.cells.groupby("id")
        for day, shape in _outlines(own, events.region)
    }
    days = growth["day"].to_numpy("datetime64[D]").astype(np.int64).tolist()
    shapes = [outlines[str(name), day] for name, day in zip(growth["id"], days, strict=True)]
    return gpd.GeoDataFrame(
        growth[["id", "day", "area_ha", "total_ha"]].assign(front_km=[_km(shape) for shape in shapes]),
        geometry=[_multi(within_180(shape)) for shape in shapes],
        crs="EPSG:4326",
    )


def _outlines(cells: pd.DataFrame, region: Region) -> Iterable[tuple[int, Any]]:
    """Yield each day of a fire with the polygons of the cells that had burned by then."""
    import rasterio.features
    from shapely.geometry import MultiPolygon, shape

    row, col, day = (cells[name].to_numpy(np.int64) for name in ("row", "col", "day"))
    box = slice(row.min(), row.max() + 1), slice(col.min(), col.max() + 1)
    grid = np.full((box[0].stop - box[0].start, box[1].stop - box[1].start), np.iinfo(np.int64).max)
    grid[row - box[0].start, col - box[1].start] = day
    transform = region.window(*box).transform
    for last in np.unique(day):
        burned = grid <= last
        found = rasterio.features.shapes(
            burned.astype(np.uint8), mask=burned, connectivity=4, transform=transform
        )
        polygons: list[Any] = [shape(outline) for outline, _ in found]
        yield int(last), MultiPolygon(polygons)


def _km(outline: Any) -> float:
    from pyproj import Geod

    return round(Geod(ellps="WGS84").geometry_length(outline.boundary) / 1000, 3)


def _multi(outline: Any) -> Any:
    from shapely.geometry import MultiPolygon

    return MultiPolygon(getattr(outline, "geoms", [outline]))
