"""Individual fires: burned cells that belong together in space and time.

Two burned cells belong together if they lie within some cells of each other (in row and in column) and burned
within some days of each other; so do all that a chain of such pairs links. The defaults, 2 cells and 2 days,
are those of Pinto et al. (2020, doi 10.1016/j.isprsjprs.2019.12.014), who drop fires under 25 cells; here
small fires are left out by hectares, and counted.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea, as_maps
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.joining import in_order, notes_on, once
from banet.burned_area.linking import MAX_GAP_CELLS, link
from banet.errors import BanetWarning, InputError
from banet.grid.polygons import within_180
from banet.grid.region import Region, turned_back

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "MAX_GAP_DAYS",
    "MIN_HECTARES",
    "Events",
    "events_of_cells",
    "find_events",
    "trace_events",
]

MAX_GAP_DAYS = 2
"""Largest difference of dates of two cells of one fire; where maps are scored it is `SCORED_GAP_DAYS`."""

MIN_HECTARES = 100.0
"""Smaller fires are left out where no least size is given."""

_MOST_DISTORTED = 0.02


@dataclass(frozen=True, eq=False)
class Events:
    """The fires of one or several maps.

    Attributes:
        table: one row a fire, by start and id, in EPSG:4326. `id`: region, start and position of the seed,
            the northernmost (then westernmost) cell of the first day, so that an id stays the same when
            later days are added; `region`; `start`, `end`: first and last UTC day; `days`: from start to end,
            both counted; `cells`; `area_ha`: hectares, cells by their burned fraction; `cells_ha`: hectares
            of the whole cells; `peak_day` and `peak_ha`: the day on which most burned, and how much;
            `date_unc`: median date uncertainty in days, -1 if unknown; `seed_lon`, `seed_lat`: degrees;
            `epsg_ha`: area of the perimeter in a projection, if one was asked for; `geometry`: MultiPolygon
            of the cells.
        growth: one row a fire and day on which it grew: `id`, `day`, `cells`, `area_ha`, `total_ha`. A cell
            counts whole on the day on which most of it burned.
        cells: one row a fire and burned cell: `id`, `row`, `col`, `day`.
        region: the grid of the cells.
        left_out: number of smaller fires, and their hectares.
        observed: whether any cell was observed or burned; otherwise nothing is known of fires.
    """

    table: gpd.GeoDataFrame
    growth: pd.DataFrame
    cells: pd.DataFrame
    region: Region
    left_out: tuple[int, float] = (0, 0.0)
    observed: bool = True

    def __repr__(self) -> str:
        return f"Events({self.region.name}: {self.summary})"

    @property
    def summary(self) -> str:
        """Fires and hectares in one line, those left out included; where nobody looked, that."""
        if not self.observed:
            return "not observed, so nothing is known of fires"
        count, hectares = self.left_out
        found, total = len(self.table), self.table["area_ha"].sum()
        line = f"{found:,} fire{'s' * (found != 1)}, {total:,.0f} ha"
        return line + (f"; {count:,} smaller left out, {hectares:,.0f} ha" if count else "")


def find_events(
    maps: BurnedArea | Sequence[BurnedArea],
    *,
    max_gap_days: int = MAX_GAP_DAYS,
    max_gap_cells: int = MAX_GAP_CELLS,
    min_cells: int | None = None,
    min_hectares: float | None = None,
    epsg: int | None = None,
) -> gpd.GeoDataFrame:
    """Find the fires of a map, or of several maps of one region such as successive months.

    Args:
        maps: of one region and threshold, of periods that do not overlap; a fire that goes on from one into
            the next is one fire, and a cell that two date within ten days burned once, on the first.
        max_gap_days: largest difference of burn dates of two cells that belong together.
        max_gap_cells: largest difference of rows and of columns of two cells that belong together; 1 means
            cells that touch, if only at a corner.
        min_cells: fires of fewer cells are left out.
        min_hectares: fires of less burned area are left out. Where neither is given, it is 100.
        epsg: a projection to measure perimeters in as well, in column `epsg_ha`, always hectares.

    Returns:
        The table of `Events`: empty, with the same columns, if there is no fire.

    Raises:
        InputError: if there is no map, regions or thresholds differ, periods overlap, a limit is out of
            range, or `epsg` is no projection.

    Warns:
        BanetWarning: of days between the maps, of maps by different methods, of cells that two maps date
            within ten days, and of a projection whose hectares differ by more than a fiftieth.
    """
    return trace_events(
        maps,
        max_gap_days=max_gap_days,
        max_gap_cells=max_gap_cells,
        min_cells=min_cells,
        min_hectares=min_hectares,
        epsg=epsg,
    ).table


def trace_events(
    maps: BurnedArea | Sequence[BurnedArea],
    *,
    max_gap_days: int = MAX_GAP_DAYS,
    max_gap_cells: int = MAX_GAP_CELLS,
    min_cells: int | None = None,
    min_hectares: float | None = None,
    epsg: int | None = None,
) -> Events:
    """Find fires as `find_events` does, and how each grew from day to day.

    Raises:
        InputError: if there is no map, regions or thresholds differ, periods overlap, a limit is out of
            range, or `epsg` is no projection.

    Warns:
        BanetWarning: of days between the maps, of maps by different methods, of cells that two maps date
            within ten days, and of a projection whose hectares differ by more than a fiftieth.
    """
    if min_hectares is None:
        min_hectares = MIN_HECTARES if min_cells is None else 0.0
    least = 1 if min_cells is None else min_cells
    sequence, notes = once(_checked(maps, max_gap_days, max_gap_cells, least, min_hectares))
    for note in (*notes_on(sequence), *notes):
        warnings.warn(note, BanetWarning, stacklevel=2)
    region = sequence[0].region
    grids, cells = _burned_cells(sequence)
    day = cells["day"].to_numpy(np.float64)
    label = link(grids, day, max_gap_days, max_gap_cells, wraps=region.east - region.west >= 360)
    cells, left_out = _without_small(
        _measured(_joined(cells.assign(label=label)), region), least, min_hectares
    )
    ids = _identities(cells, region)
    named = cells.assign(id=ids["id"].reindex(cells["label"]).to_numpy(object))
    return Events(
        _table(cells, ids, region, epsg),
        _growth(cells, ids),
        named[["id", "row", "col", "day"]],
        region,
        left_out,
        observed=any(one.known.any() for one in sequence),
    )


def events_of_cells(cells: pd.DataFrame, region: Region) -> Events:
    """Return the table, growth and cells of fires that are named already.

    Args:
        cells: one row a fire and cell: `id`, `row`, `col`, `day` (since 1970-01-01), `fraction` (0-1) and
            `uncertainty` (days, 255 unknown).
        region: the grid.
    """
    import pandas as pd

    label, names = pd.factorize(cells["id"], sort=True)
    measured = _measured(cells.assign(label=label), region)
    ids = _identities(measured, region).assign(id=np.asarray(names, object))
    named = measured[["id", "row", "col", "day"]].reset_index(drop=True)
    return Events(_table(measured, ids, region, None), _growth(measured, ids), named, region)


def _checked(
    maps: BurnedArea | Sequence[BurnedArea], days: int, gap: int, least: int, hectares: float
) -> list[BurnedArea]:
    sequence = as_maps(maps)
    if not sequence:
        raise InputError("no map to find fires in")
    odd = next((type(one).__name__ for one in sequence if not hasattr(one, "burn_date")), None)
    if odd is not None:
        raise InputError(f"a {odd} is no map to find fires in; banet.read_map reads one")
    if days < 0 or gap < 1 or least < 1:
        raise InputError(
            f"max_gap_days {days}, max_gap_cells {gap}, min_cells {least}: "
            "must be at least 0 days, 1 cell and 1 cell"
        )
    if not hectares >= 0:
        raise InputError(f"min_hectares {hectares}; give 0 or more")
    for other in sequence[1:]:
        if other.region != sequence[0].region:
            raise InputError(
                f"maps of different regions ({sequence[0].region.name} {sequence[0].region.bbox} and "
                f"{other.region.name} {other.region.bbox}); find their fires one region at a time"
            )
    return in_order(sequence)


def _burned_cells(maps: list[BurnedArea]) -> tuple[list[npt.NDArray[np.int32]], pd.DataFrame]:
    """Return the table of burned cells, and for each map a raster of its row numbers (-1: not burned)."""
    import pandas as pd

    grids, parts, start = [], [], 0
    for burnmap in maps:
        row, col = np.nonzero(burnmap.burned & ~burnmap.water)
        grid = np.full(burnmap.region.shape, -1, np.int32)
        grid[row, col] = np.arange(start, start + row.size, dtype=np.int32)
        start += row.size
        grids.append(grid)
        columns = {
            "row": row,
            "col": col,
            "day": burnmap.burn_date[row, col].astype(np.int64),
            "fraction": burnmap.dates().total()[row, col].astype(np.float64),
            "uncertainty": burnmap.uncertainty[row, col],
        }
        parts.append(pd.DataFrame(columns))
    return grids, pd.concat(parts, ignore_index=True)


def _joined(cells: pd.DataFrame) -> pd.DataFrame:
    """Join what one fire burned of one cell in two maps."""
    cells = (
        cells.sort_values(["label", "row", "col", "day"], kind="stable")
        .groupby(["label", "row", "col"], as_index=False)
        .agg(day=("day", "first"), fraction=("fraction", "sum"), uncertainty=("uncertainty", "first"))
    )
    cells["fraction"] = cells["fraction"].clip(upper=1.0)
    return cells


def _without_small(
    cells: pd.DataFrame, least: int, hectares: float
) -> tuple[pd.DataFrame, tuple[int, float]]:
    """Drop small fires and number the rest from 0; also tell how many were dropped, and their hectares."""
    by_fire = cells.groupby("label")
    large = (by_fire["row"].transform("size") >= least) & (by_fire["area_ha"].transform("sum") >= hectares)
    small = cells[~large]
    kept = cells[large].reset_index(drop=True)
    kept["label"] = np.unique(kept["label"], return_inverse=True)[1]
    return kept, (int(small["label"].nunique()), float(small["area_ha"].sum()))


def _identities(cells: pd.DataFrame, region: Region) -> pd.DataFrame:
    """Return id, start and seed of each fire, indexed by its number."""
    seed = cells.sort_values(["day", "row", "col"], kind="stable").groupby("label").first()
    digits = max(3, math.ceil(-math.log10(region.pixel_size)) + 1)
    centres = turned_back(region.longitudes[seed["col"]]), region.latitudes[seed["row"]]
    # Rounded as they are written, so that id and columns are of one value.
    lon, lat = ([float(f"{degrees:.{digits}f}") for degrees in axis] for axis in centres)
    days = seed["day"].to_numpy().astype("datetime64[D]")
    seed["id"] = [
        f"{region.name}-{str(day).replace('-', '')}-{_place(y, 'NS', digits)}-{_place(x, 'EW', digits)}"
        for day, y, x in zip(days, lat, lon)
    ]
    return seed.assign(lon=lon, lat=lat)[["id", "lon", "lat"]]


def _place(degrees: float, letters: str, digits: int) -> str:
    return f"{abs(degrees):.{digits}f}{letters[0 if degrees >= 0 else 1]}"


def _measured(cells: pd.DataFrame, region: Region) -> pd.DataFrame:
    whole = region.cell_area_ha[cells["row"].to_numpy()]
    return cells.assign(cells_ha=whole, area_ha=whole * cells["fraction"].to_numpy())


def _growth(cells: pd.DataFrame, ids: pd.DataFrame) -> pd.DataFrame:
    daily = cells.groupby(["label", "day"], as_index=False).agg(
        cells=("row", "size"), area_ha=("area_ha", "sum")
    )
    daily["total_ha"] = daily.groupby("label")["area_ha"].cumsum()
    daily["id"] = ids["id"].reindex(daily["label"]).to_numpy(object)
    daily["day"] = _dates(daily["day"])
    order = daily.sort_values(["id", "day"], kind="stable", ignore_index=True)
    return order[["id", "day", "cells", "area_ha", "total_ha"]]


def _table(cells: pd.DataFrame, ids: pd.DataFrame, region: Region, epsg: int | None) -> gpd.GeoDataFrame:
    import geopandas as gpd

    fires = cells.groupby("label").agg(
        start=("day", "min"),
        end=("day", "max"),
        cells=("row", "size"),
        area_ha=("area_ha", "sum"),
        cells_ha=("cells_ha", "sum"),
    )
    daily = cells.groupby(["label", "day"])["area_ha"].sum().reset_index()
    peak = daily.sort_values(["area_ha", "day"], ascending=[False, True]).groupby("label").first()
    known = cells["uncertainty"].astype(np.float64).where(cells["uncertainty"] != NO_UNCERTAINTY)
    uncertainty = known.groupby(cells["label"]).median()
    columns = {
        "id": ids["id"].astype(object),
        "region": np.full(len(fires), region.name, object),
        "start": _dates(fires["start"]),
        "end": _dates(fires["end"]),
        "days": fires["end"] - fires["start"] + 1,
        "cells": fires["cells"],
        "area_ha": fires["area_ha"],
        "cells_ha": fires["cells_ha"],
        "peak_day": _dates(peak["day"]),
        "peak_ha": peak["area_ha"],
        "date_unc": uncertainty.fillna(-1.0),
        "seed_lon": ids["lon"],
        "seed_lat": ids["lat"],
    }
    table = gpd.GeoDataFrame(columns, geometry=_perimeters(cells, region), crs="EPSG:4326")
    if epsg is not None:
        table.insert(table.columns.get_loc("geometry"), "epsg_ha", _projected_hectares(table, epsg))
    return table.sort_values(["start", "id"], kind="stable", ignore_index=True)


def _perimeters(cells: pd.DataFrame, region: Region) -> list[MultiPolygon]:
    """Return the outlines of the cells of each fire, along the edges of cells."""
    import rasterio.features
    from shapely import union_all
    from shapely.geometry import MultiPolygon, shape

    pieces: list[list[BaseGeometry]] = [[] for _ in range(cells["label"].max() + 1 if len(cells) else 0)]
    for part in _without_overlap(cells):
        raster = np.full(region.shape, -1, np.int32)
        raster[part["row"], part["col"]] = part["label"]
        outlines = rasterio.features.shapes(
            raster, mask=raster >= 0, connectivity=4, transform=region.transform
        )
        for outline, label in outlines:
            pieces[int(label)].append(shape(outline))
    joined = (within_180(union_all(parts)) for parts in pieces)
    return [MultiPolygon(getattr(outline, "geoms", [outline])) for outline in joined]


def _without_overlap(cells: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Give the cells in parts that hold no cell twice, as two fires of different months may have it."""
    turn = cells.groupby(["row", "col"]).cumcount()
    for number in range(int(turn.max()) + 1 if len(turn) else 0):
        yield cells[turn == number]


def _projected_hectares(table: gpd.GeoDataFrame, epsg: int) -> npt.NDArray[np.float64]:
    from pyproj.exceptions import CRSError

    try:
        projected = table.geometry.to_crs(epsg=epsg)
    except CRSError as error:
        raise InputError(f"EPSG:{epsg} is no projection that is known") from error
    if projected.crs.is_geographic:
        raise InputError(f"EPSG:{epsg} is in degrees and measures no areas; give a projection in metres")
    if not projected.crs.is_projected:
        raise InputError(
            f"EPSG:{epsg} is a {projected.crs.type_name} and measures no areas; give a projection"
        )
    east, north = (axis.unit_conversion_factor for axis in projected.crs.axis_info[:2])
    areas = np.asarray(projected.area, np.float64) * float(east * north) / 1e4
    if not np.isfinite(areas).all():
        raise InputError(f"EPSG:{epsg} does not cover the region; give a projection that does")
    true = float(table["cells_ha"].sum())
    if true and abs(areas.sum() / true - 1) > _MOST_DISTORTED:
        told = f"hectares in EPSG:{epsg} are {areas.sum() / true:.2f} times those on the ellipsoid here"
        warnings.warn(f"{told}; choose an equal-area projection, or one of this place", BanetWarning, 4)
    return areas


def _dates(days: pd.Series[int]) -> npt.NDArray[np.datetime64]:
    return days.to_numpy(np.int64).astype("datetime64[D]").astype("datetime64[ms]")
