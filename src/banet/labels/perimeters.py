"""Fire perimeters (MTBS, ICNF, EFFIS and the like) to burned fraction by cell and date of the fire."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.days import Day, Days, parse_period
from banet.errors import BanetWarning, InputError
from banet.grid.polygons import box_around, box_of, within_180
from banet.grid.region import Region
from banet.grid.vectors import Polygons, read_polygons
from banet.io.counts import Counts
from banet.io.files import PathLike
from banet.labels.perimeter_dates import FireDates, fire_dates

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["RESOLUTION", "burned_of_polygons", "read_perimeters"]

RESOLUTION = 0.0003
"""Degrees, about 30 m: polygons are drawn so finely and averaged to the cells."""

_BLOCK, _FINEST = 64, 2176
"""Most cells, and most fine pixels, along an edge of what is drawn at once: memory is of these."""


def read_perimeters(
    path: PathLike | gpd.GeoDataFrame,
    region: Region,
    start: Any,
    end: Any,
    *,
    name: str | None = None,
    date_field: str | None = None,
    end_field: str | None = None,
    date_format: str | None = None,
    layer: str | None = None,
    resolution: float = RESOLUTION,
    required: bool = False,
    notice: Callable[[str], None] | None = None,
) -> BurnedArea:
    """Read fire perimeters to burned fractions on a region's grid, dated by the start of each fire.

    Dates are found in the fields of the inventories in `banet.labels.perimeter_fields` (EFFIS, MTBS, ICNF,
    WFIGS, NBAC, FRAP, FIRED, FEDS, ...). Where an end is given, the days from start to end are the
    uncertainty; where only a month is, its 16th stands for it, with 16 days. Where perimeters overlap, the
    earliest counts.

    What was read, left out and repaired is in the notes; a warning says so where anything was left out.

    Such inventories have a least size (MTBS: 202 or 405 ha): smaller fires are missing, and so unburned.

    Args:
        path: a vector file, a folder, ZIP or gzip file that holds one, or a GeoDataFrame.
        region: the grid to put them on.
        start: first day or month.
        end: last day or month, included.
        name: of the source; by default that of the file.
        date_field: field with the first day, where it has another name.
        end_field: field with the last day, likewise.
        date_format: of the dates where they do not tell it: `dmy`, `mdy`, a pattern such as `%d.%m.%Y`, or
            for numbers `yyyymmdd`, `yyyyddd`, `s`, `ms`, `excel`.
        layer: name of the layer, where the file has several.
        resolution: degrees in which polygons are drawn.
        required: refuse a file of another place or of other days, as commands do; otherwise a warning says
            so, and nothing burned.
        notice: called with one line that counts the perimeters, in place of the warning.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no vector file, or has no coordinate reference system.
        InputError: if no date is found or its form cannot be told, polygons are not areas, or one is
            required and the file is of another place or of other days.

    Warns:
        BanetWarning: if perimeters are left out for another reason than their day or place, or the file is
            of another place or of other days.
    """
    first, stop = parse_period(start, end)
    found = read_polygons(path, layer=layer)
    dates = fire_dates(found.table, found.name, date_field, end_field=end_field, date_format=date_format)
    counts, inside = _placed(found, dates, region, (first, stop), required=required)
    dated = burned_of_polygons(found.geometry[inside], dates.only(inside), region, resolution=resolution)
    if notice is not None:
        notice(f"{found.name}: {counts}")
    elif counts.left_out or counts.notes:
        warnings.warn(f"{found.name}: {counts}", BanetWarning, stacklevel=2)
    return BurnedArea.from_dated(
        dated, name=name or Path(found.name).stem, start=first, stop=stop, notes=(str(counts),)
    )


def _placed(
    found: Polygons, dates: FireDates, region: Region, period: tuple[Day, Day], *, required: bool
) -> tuple[Counts, npt.NDArray[np.bool_]]:
    """Count the perimeters of a period and a region, and return which they are.

    None of them is an answer only where the file speaks of the region and of the period: it has perimeters
    around the one and before and after the other.

    Raises:
        InputError: if it does not, and an answer is required.
    """
    start, stop = period
    known = ~np.isnat(dates.start)
    timely = known & (dates.start >= start) & (dates.start < stop)
    near = _touching(found.geometry, region)
    days = f"{start} to {stop - 1}"
    placed_as = f"burned in {region.name} from {days}, dated by {', '.join(dates.fields)}"
    counts = Counts("perimeters", found.read, int((timely & near).sum()), placed_as)
    for reason, number in found.left_out:
        counts = counts.without(reason, number)
    counts = counts.without("without a date that can be read", int((~known).sum()))
    parted = near & _partly_within(dates, period)
    counts = counts.without(
        "with a month alone for a date, whose 16th is outside the period", int((parted & ~timely).sum())
    )
    counts = counts.noting(*found.notes, *dates.notes)
    if taken := int((parted & timely).sum()):
        counts = counts.noting(
            f"{taken} with a month alone for a date, partly outside the period: its 16th stands for it"
        )
    wrong = _elsewhere(found, dates.start[known], timely, near, region, period)
    if wrong and required:
        raise InputError(f"{found.name}: {counts}; {wrong}")
    return counts.noting(wrong) if wrong else counts, timely & near


def _partly_within(dates: FireDates, period: tuple[Day, Day]) -> npt.NDArray[np.bool_]:
    """Return which fires have a month alone for a date, of which a period holds a part and not all."""
    if dates.month_only is None:
        return np.zeros(len(dates.start), bool)
    month = dates.start.astype("datetime64[M]")
    first, after = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    overlaps = (first < period[1]) & (after > period[0])
    return np.asarray(dates.month_only & overlaps & ~((first >= period[0]) & (after <= period[1])), bool)


def _elsewhere(
    found: Polygons,
    days: Days,
    timely: npt.NDArray[np.bool_],
    near: npt.NDArray[np.bool_],
    region: Region,
    period: tuple[Day, Day],
) -> str:
    """Return what says that a file is of another place or of other days; empty if it is not."""
    import shapely

    start, stop = period
    if not near.any():
        if not found.geometry.size:
            return "it holds no perimeter that can be used"
        west, south, east, north = box_around(found.geometry)
        if not within_180(shapely.box(west, south, east, north)).intersects(box_of(region)):
            return (
                f"its perimeters lie in {west:.4g} to {east:.4g} E, {south:.4g} to {north:.4g} N: give those "
                "of the region"
            )
    if not timely.any() and not (days.size and days.min() < start and days.max() >= stop):
        held = f"its dates are of {days.min()} to {days.max()}" if days.size else "it has no dates"
        return (
            f"{held}: give perimeters of the period, or say how its dates are written with --date-field or "
            "--date-format"
        )
    return ""


def _touching(geometry: npt.NDArray[np.object_], region: Region) -> npt.NDArray[np.bool_]:
    """Return which shapes have some area in common with a region."""
    import shapely

    box = box_of(region)
    shapely.prepare(box)
    return np.asarray(shapely.intersects(box, geometry) & ~shapely.touches(box, geometry), bool)


def burned_of_polygons(
    polygons: gpd.GeoSeries | npt.NDArray[np.object_],
    dates: FireDates,
    region: Region,
    *,
    resolution: float = RESOLUTION,
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

    @property
    def block(self) -> int:
        """Cells along an edge of what is drawn at once."""
        return min(_BLOCK, max(1, _FINEST // self.fine))

    def shapes(self, polygons: gpd.GeoSeries | npt.NDArray[np.object_], dates: FireDates) -> _Shapes:
        import shapely

        order = np.argsort(dates.start, kind="stable")[::-1]
        geometry = np.asarray(polygons, object)[order]
        which = order.astype(np.intp)
        if self.region.east > 180:
            east = shapely.transform(geometry, lambda xy: xy + np.array([360.0, 0.0]))
            geometry, which = np.stack([geometry, east], axis=1).ravel(), np.repeat(which, 2)
        return _Shapes(geometry, shapely.bounds(geometry).reshape(-1, 4), which)

    def blocks(self, shapes: _Shapes) -> list[tuple[slice, slice]]:
        """Blocks of cells that some polygon's box touches."""
        touched: set[tuple[int, int]] = set()
        rows, cols = self.region.shape
        size = self.region.pixel_size * self.block
        for west, south, east, north in shapes.bounds:
            if not (west < self.region.east and east > self.region.west):
                continue
            first = max(math.floor((self.region.north - north) / size), 0)
            last = min(math.floor((self.region.north - south) / size), (rows - 1) // self.block)
            left = max(math.floor((west - self.region.west) / size), 0)
            right = min(math.floor((east - self.region.west) / size), (cols - 1) // self.block)
            touched |= {(i, j) for i in range(first, last + 1) for j in range(left, right + 1)}
        return [
            (slice(i, min(i + self.block, rows)), slice(j, min(j + self.block, cols)))
            for i, j in ((i * self.block, j * self.block) for i, j in sorted(touched))
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
