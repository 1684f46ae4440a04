"""Fire perimeters (MTBS, ICNF, EFFIS and the like) to burned fraction by cell and date of the fire."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.days import parse_period
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.io.files import PathLike, visible_files
from banet.labels.perimeter_dates import FireDates, fire_dates

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["RESOLUTION", "burned_of_polygons", "read_perimeters"]

RESOLUTION = 0.0003
"""Degrees, about 30 m: polygons are drawn so finely and averaged to the cells."""

_BLOCK = 64
_SUFFIXES = (".shp", ".gpkg", ".geojson", ".parquet", ".fgb", ".gdb")


def read_perimeters(
    path: PathLike,
    region: Region,
    start: Any,
    end: Any,
    *,
    name: str | None = None,
    date_field: str | None = None,
    resolution: float = RESOLUTION,
) -> BurnedArea:
    """Read fire perimeters to burned fractions on a region's grid, dated by the start of each fire.

    Dates are found in the fields that MTBS (`Ig_Date`; in older files `Year`, `StartMonth`, `StartDay`), ICNF
    and EFFIS (`FIREDATE`, with `FINALDATE` as end) use. Where an end is given, the days from start to end are
    the uncertainty; where only a month is, 16 days. Where perimeters overlap, the earliest counts.

    Such inventories have a least size (MTBS: 202 or 405 ha): smaller fires are missing, and so unburned.

    Args:
        path: a vector file, or a folder that holds one.
        region: the grid to put them on.
        start: first day or month.
        end: last day or month, included.
        name: of the source; by default that of the file.
        date_field: field with the date, where it has another name.
        resolution: degrees in which polygons are drawn.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no vector file, or has no coordinate reference system.
        InputError: if no date is found, or polygons are not areas.
    """
    first, stop = parse_period(start, end)
    file = _file(Path(path))
    table = _polygons(file)
    dates = fire_dates(table.drop(columns=table.geometry.name), file.name, date_field)
    undated = int(np.isnat(dates.start).sum())
    notes = (f"{undated} perimeters without a date left out",) if undated else ()
    inside = ~np.isnat(dates.start) & (dates.start >= first) & (dates.start < stop)
    dated = burned_of_polygons(table.geometry[inside], dates.only(inside), region, resolution=resolution)
    return BurnedArea.from_dated(dated, name=name or file.stem, start=first, stop=stop, notes=notes)


def burned_of_polygons(
    polygons: gpd.GeoSeries, dates: FireDates, region: Region, *, resolution: float = RESOLUTION
) -> DatedFractions:
    """Draw polygons finely and average them to the cells.

    Args:
        polygons: in longitude and latitude.
        dates: one a polygon.
        region: the grid.
        resolution: degrees.

    Raises:
        InputError: if the resolution is not positive.
    """
    if not resolution > 0:
        raise InputError(f"a resolution of {resolution} degrees; it must be positive")
    drawing = _Drawing(region, max(1, math.ceil(region.pixel_size / resolution - 1e-9)))
    shapes = drawing.shapes(polygons, dates)
    parts = [part for block in drawing.blocks(shapes) if (part := drawing.draw(block, shapes)) is not None]
    if not parts:
        return DatedFractions.empty(region)
    row, col, which, fraction = (np.concatenate(column) for column in zip(*parts, strict=True))
    day, spread = dates.start[which], dates.uncertainty[which]
    return DatedFractions.from_pieces(region, row, col, day, fraction, spread)


_Piece = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Shapes:
    """Polygons in drawing order, the earliest last so that it stays on top."""

    geometry: npt.NDArray[np.object_]
    bounds: npt.NDArray[np.float64]
    which: npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Drawing:
    region: Region
    fine: int  # parts of a cell along each edge

    def shapes(self, polygons: gpd.GeoSeries, dates: FireDates) -> _Shapes:
        import shapely

        order = np.argsort(dates.start, kind="stable")[::-1]
        geometry = np.asarray(polygons.array, object)[order]
        which = order.astype(np.intp)
        if self.region.east > 180:
            east = shapely.transform(geometry, lambda xy: xy + np.array([360.0, 0.0]))
            geometry, which = np.stack([geometry, east], axis=1).ravel(), np.repeat(which, 2)
        return _Shapes(geometry, shapely.bounds(geometry).reshape(-1, 4), which)

    def blocks(self, shapes: _Shapes) -> list[tuple[slice, slice]]:
        """Blocks of cells that some polygon's box touches."""
        touched: set[tuple[int, int]] = set()
        rows, cols = self.region.shape
        size = self.region.pixel_size * _BLOCK
        for west, south, east, north in shapes.bounds:
            if not (west < self.region.east and east > self.region.west):
                continue
            first = max(math.floor((self.region.north - north) / size), 0)
            last = min(math.floor((self.region.north - south) / size), (rows - 1) // _BLOCK)
            left = max(math.floor((west - self.region.west) / size), 0)
            right = min(math.floor((east - self.region.west) / size), (cols - 1) // _BLOCK)
            touched |= {(i, j) for i in range(first, last + 1) for j in range(left, right + 1)}
        return [
            (slice(i * _BLOCK, min((i + 1) * _BLOCK, rows)), slice(j * _BLOCK, min((j + 1) * _BLOCK, cols)))
            for i, j in sorted(touched)
        ]

    def draw(self, block: tuple[slice, slice], shapes: _Shapes) -> _Piece | None:
        """Return row, column, polygon and fraction of what lies in a block; None if nothing does."""
        from affine import Affine
        from rasterio.features import rasterize

        rows, cols = block[0].stop - block[0].start, block[1].stop - block[1].start
        size = self.region.pixel_size
        west, north = self.region.west + block[1].start * size, self.region.north - block[0].start * size
        box = shapes.bounds
        near = (box[:, 0] < west + cols * size) & (box[:, 2] > west)
        near &= (box[:, 1] < north) & (box[:, 3] > north - rows * size)
        if not near.any():
            return None
        drawn = rasterize(
            ((shape, k + 1) for shape, k in zip(shapes.geometry[near], shapes.which[near], strict=True)),
            out_shape=(rows * self.fine, cols * self.fine),
            transform=Affine(size / self.fine, 0, west, 0, -size / self.fine, north),
            fill=0,
            dtype="int32",
        )
        y, x = np.nonzero(drawn)
        if not y.size:
            return None
        number = drawn[y, x].astype(np.int64) - 1
        key = ((y // self.fine) * cols + x // self.fine) * (int(shapes.which.max()) + 1) + number
        unique, count = np.unique(key, return_counts=True)
        cell, which = np.divmod(unique, int(shapes.which.max()) + 1)
        row, col = np.divmod(cell, cols)
        return row + block[0].start, col + block[1].start, which.astype(np.intp), count / self.fine**2


def _file(path: Path) -> Path:
    if path.is_dir() and path.suffix.lower() != ".gdb":
        found = [p for p in visible_files(path, folders=True) if p.suffix.lower() in _SUFFIXES]
        if not found:
            raise NotFoundError(f"the folder {path} holds no vector file ({', '.join(_SUFFIXES)})")
        if len(found) > 1:
            raise InputError(f"the folder {path} holds {len(found)} vector files; give one of them")
        return found[0]
    if not path.exists():
        raise NotFoundError(f"the perimeter file {path} does not exist")
    return path


def _polygons(file: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyogrio
    import shapely

    try:
        table = gpd.read_parquet(file) if file.suffix == ".parquet" else gpd.read_file(file)
    except (pyogrio.errors.DataSourceError, ValueError, OSError) as error:
        raise UnreadableFileError(
            f"{file.name} is no readable vector file: {str(error).splitlines()[0]}"
        ) from error
    if table.crs is None:
        raise UnreadableFileError(f"{file.name} has no coordinate reference system (is its .prj missing?)")
    table = table[~(table.geometry.isna() | table.geometry.is_empty)].to_crs("EPSG:4326")
    kinds = set(table.geom_type) - {"Polygon", "MultiPolygon"}
    if kinds:
        raise InputError(f"{file.name} holds {', '.join(sorted(kinds))}; perimeters must be polygons")
    # A ring that crosses itself would be drawn inside out in part.
    return table.set_geometry(shapely.make_valid(table.geometry.array), crs=table.crs)
