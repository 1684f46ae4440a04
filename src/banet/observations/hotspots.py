"""Active fires: tables in every dialect and container, and their radiative power on a region's grid.

FIRMS serves standard (SP) and near-real-time (NRT) rows from VIIRS and MODIS, the University of Maryland
monthly files, NASA granules. They differ in the form of the time, of the confidence and in the columns that
are there; `read_hotspots` makes one table.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.days import Day, Days, as_day
from banet.errors import BanetWarning, InputError
from banet.grid.polygons import box_of, extent, within_180
from banet.grid.region import Region
from banet.io.counts import Counts
from banet.io.files import PathLike
from banet.observations.firms import CUT_OFF, known_rows, table_of
from banet.observations.hotspot_files import named, raw_tables
from banet.observations.persistence import STATIC_SOURCE, static_sources
from banet.observations.superseded import superseded

__all__ = [
    "COLUMNS",
    "LEFT_OUT",
    "coverage",
    "covers",
    "fires_of",
    "given_hotspots",
    "grid_frp",
    "known_cells",
    "read_hotspots",
    "tell_placed",
]

COLUMNS = (
    "longitude",
    "latitude",
    "time",
    "frp",
    "satellite",
    "instrument",
    "confidence",
    "type",
    "daynight",
)
LEFT_OUT = "not of vegetation (types 1 to 3) left out"
"""Words that tell which hot spots a cube does not take."""
_VEGETATION = 0
_NEAR = 1.0
"""Degrees of longitude and latitude around its rows, as far as which a table speaks."""
_BLOCK = 0.5
"""Degrees of the blocks on which it is told what lies near a row."""


def read_hotspots(path_or_paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """Read FIRMS hot spots of every dialect into one table.

    Args:
        path_or_paths: a file (CSV, text, shapefile, GeoJSON, JSON, GeoPackage, NetCDF granule; plain, in a
            ZIP or packed with gzip), a folder (such files in it and below it, but not a `Readme.txt`), or
            several of either.

    Returns:
        Rows ordered by time, exact duplicates removed, with the columns longitude (float64 degrees, from -180
        up to but not 180), latitude (float64 degrees), time (datetime64[ns], UTC without a zone),
        frp (float64 MW, NaN where the file has none), satellite (`N`, `N20`, `N21`, `Terra`, `Aqua`; another
        name as the file has it; empty where unknown), instrument (`VIIRS`, `MODIS`, empty), confidence
        (float64 0-100, NaN unknown; low, nominal, high are 10, 50, 90), type (Int8: 0 vegetation, 1 volcano,
        2 other static land source, 3 offshore; <NA> where the file has none, but 2 where such a row belongs
        to a source that stays in place), daynight (`D`, `N`, empty).
        `attrs["notes"]` holds a line for whatever was left out or is unknown, `attrs["counts"]` the numbers
        (`banet.io.counts.Counts`), `attrs["inputs"]` the names of the files.

    Raises:
        NotFoundError: if a path is not there, or a folder holds no table.
        UnreadableFileError: if a file is empty, a web page, or no table.
        InputError: if a table lacks a column that is needed or has two for one, a row holds two times of day,
            a file several layers, or not one row can be read.
    """
    paths = _paths(path_or_paths)
    tables: list[pd.DataFrame] = []
    counted: list[Counts] = []
    files: list[tuple[str, pd.DataFrame, bool]] = []
    for number, (name, raw) in enumerate(raw_tables(paths)):
        table, counts = table_of(name, raw)
        tables.append(table.assign(file=number))
        counted.append(counts)
        files.append((name, table, CUT_OFF in raw.attrs))
    filled = [table for table in tables if len(table)] or tables[:1]
    table = pd.concat(filled, ignore_index=True).sort_values("time", kind="stable", ignore_index=True)
    counts = Counts.total(counted) or Counts("hot spots", 0, 0)
    for drop, what in (
        (_repeated, "duplicate rows"),
        (superseded, "other versions of a detection in another file"),
    ):
        gone = drop(table)
        if gone.any():
            counts = counts.without(what, int(gone.sum()))
            table = table[~gone].reset_index(drop=True)
    table = table[list(COLUMNS)]
    static = static_sources(table)
    if static.any():
        counts = counts.noting(
            f"{int(static.sum())} hot spots of unknown type stay in one place: static sources"
        )
        table = table.assign(type=table["type"].mask(static, STATIC_SOURCE))
    table.attrs.update(
        _told(counts),
        pieces=_pieces(files),
        inputs=tuple(name.rpartition("/")[2] for name, *_ in files),
    )
    return table


def given_hotspots(given: pd.DataFrame | PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """Return the table that was given, its times in UTC, or that of the files or folders that were.

    Rows without position or time are left out, and counted and noted as `read_hotspots` does, as are powers
    that are not known.

    Raises:
        InputError: if a table lacks what `read_hotspots` gives, or holds text that is no number.
        NotFoundError, UnreadableFileError: as `read_hotspots`.
    """
    if not isinstance(given, pd.DataFrame):
        return read_hotspots(given)
    missing = [name for name in ("longitude", "latitude", "time", "frp", "type") if name not in given]
    if missing:
        raise InputError(f"the table of hot spots lacks {', '.join(missing)}; give its file")
    if not pd.api.types.is_datetime64_any_dtype(given["time"]):
        raise InputError(
            f"times of hot spots are dates and times (UTC), not {given['time'].dtype}; give its file"
        )
    table = given
    if given["time"].dt.tz is not None:
        table = table.assign(time=given["time"].dt.tz_convert("UTC").dt.tz_localize(None))
    for name in ("longitude", "latitude", "frp", "type"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            try:
                table = table.assign(**{name: pd.to_numeric(table[name])})
            except (ValueError, TypeError) as error:
                raise InputError(f"{name} of the hot spots holds what is no number: {error}") from error
    if "counts" not in table.attrs:
        table, counts = known_rows(table, Counts("hot spots", len(table), 0), "the table given")
        if counts.left_out and not len(table):
            raise InputError(f"the table of hot spots: {counts}")
        table.attrs.update(_told(counts))
    return table


def _told(counts: Counts) -> dict[str, Any]:
    """Return the attributes of a table that say what was read, left out and is unknown."""
    left = tuple(f"{number} {reason} left out" for reason, number in counts.left_out)
    return {"notes": (*left, *counts.notes), "counts": counts}


def coverage(table: pd.DataFrame) -> tuple[Day, Day]:
    """Return the first and the last UTC day that the table has a row of.

    Raises:
        InputError: if the table is empty.
    """
    if not len(table):
        raise InputError("the hot-spot table holds no row, so it covers no day")
    days = table["time"].to_numpy().astype("datetime64[D]")
    return days.min(), days.max()


def covers(table: pd.DataFrame, day: Day, region: Region | None = None) -> bool:
    """Return whether the table speaks of a day, in a region of some of its cells; see `known_cells`."""
    timely = _timely(table, day)
    return bool(timely) if region is None else bool(_cells_of(table, region, timely).any())


def known_cells(table: pd.DataFrame, day: Day, region: Region) -> npt.NDArray[np.bool_]:
    """Return the cells of which the table speaks on a day, so that one without a row had no fire in it.

    Each of its files speaks for itself. A table that our own download named speaks of the days in its name,
    and of the whole region that it was fetched for, of another within a degree of the box of its rows. A
    granule speaks of its day, and of a region within a degree of the box of the rows of all granules. Another
    table speaks of the days from its first to its last row, of a region that its box touches, and there of
    what lies in or around this box and near a row of any. So a file of other years says nothing of this one,
    one of another place nothing of this region, and one of a country nothing of what lies far beyond.

    Returns:
        (rows, columns) bool.
    """
    return _cells_of(table, region, _timely(table, day))


def _placed(table: pd.DataFrame, region: Region, days: Days, vegetation_only: bool) -> tuple[Counts, bool]:
    """Return what `tell_placed` does, and whether none is taken, or the table speaks of some cells alone."""
    read = table.attrs.get("counts") or Counts("hot spots", len(table), 0)
    _, _, inside = region.cells_of(
        table["longitude"].to_numpy(np.float64), table["latitude"].to_numpy(np.float64)
    )
    shares = _shares(table, region, days)
    known = [share for share in shares if share]
    mean = float(np.mean(known)) if known else 1.0
    where = f", in {_percent(mean)} of the cells" if mean < 1 else ""
    counts = replace(read, placed=int(inside.sum()), placed_as=f"lie in {region.name}")
    other = int((inside & ~of_vegetation(table)).sum()) if vegetation_only else 0
    if other:
        counts = counts.noting(f"{other:,} {LEFT_OUT}")
    counts = counts.noting(f"FRP known on {len(known)} of {len(days)} days{where}")
    touching = _touching(table, region, days)
    if mean < 1 or (touching and not known):
        counts = counts.noting("a table speaks of what lies within about a degree of its rows")
    if taken := _taken_for(table, region):
        counts = counts.noting(f"tables named for {taken} hold no hot spot and are taken for {region.name}")
    if len(table) and not touching and len(days):
        first, last = coverage(table)
        raise InputError(
            f"the hot spots: {counts}; they are of {first} to {last}, {_extent_words(table)}: give those of "
            f"the region and of {days[0]} to {days[-1]}"
        )
    return counts, counts.placed == other or any(share < 1 for share in known)


def _shares(table: pd.DataFrame, region: Region, days: Days) -> list[float]:
    """Return the share of a region's cells of which the table speaks, for each of some days."""
    share = functools.cache(lambda timely: float(_cells_of(table, region, timely).mean()))
    return [share(_timely(table, day)) for day in days]


def tell_placed(
    table: pd.DataFrame,
    region: Region,
    days: Days,
    notice: Callable[[str], None] | None = None,
    *,
    vegetation_only: bool = True,
) -> Counts:
    """Count hot spots in a region, those left out for their type and the days they tell of, and tell.

    It tells by `notice`, or by a warning where something is odd.

    Raises:
        InputError: if there are hot spots, and they are of another place or of other days.

    Warns:
        BanetWarning: without `notice`, if rows could not be read, none of vegetation lies in the region, or
            they speak of a part of it.
    """
    counts, odd = _placed(table, region, days, vegetation_only)
    if notice is not None:
        notice(str(counts))
    elif counts.read and (counts.left_out or odd):
        warnings.warn(str(counts), BanetWarning, stacklevel=3)
    return counts


def fires_of(
    table: pd.DataFrame | None, region: Region, day: Day, *, vegetation_only: bool = True
) -> tuple[npt.NDArray[np.float32] | None, list[str]]:
    """Return the gridded FRP of a day, and notes to record.

    It is NaN in cells of which the table does not speak, unless a fire was seen there; None where it speaks
    of no cell.
    """
    if table is None:
        return None, ["no hot spots were given"]
    notes = list(table.attrs.get("notes", ()))
    known = known_cells(table, day, region)
    if not known.any():
        why = "the hot spots do not cover this day"
        return None, [*notes, f"{why} in this region" if covers(table, day) else why]
    frp = grid_frp(table, region, day, vegetation_only=vegetation_only)
    frp[~known & (frp == 0)] = np.nan
    if not known.all():
        notes.append(f"the hot spots speak of {_percent(known.mean())} of the cells")
    return frp, notes


def of_vegetation(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return the rows whose type does not say that something else than vegetation burned, (n,)."""
    kind = table["type"]
    return np.asarray((kind.isna() | (kind == _VEGETATION)).fillna(True).to_numpy(bool))


def grid_frp(
    table: pd.DataFrame, region: Region, day: Day, *, vegetation_only: bool = True
) -> npt.NDArray[np.float32]:
    """Sum the fire radiative power of a UTC day in each cell, day and night overpasses both.

    A detection without FRP (NaN) adds nothing; `read_hotspots` notes how many there are.

    Args:
        table: from `read_hotspots`.
        region: the grid.
        day: UTC.
        vegetation_only: leave out rows whose type says that no vegetation burned (volcano, other static land
            source, offshore); rows of unknown type stay, but for those that `read_hotspots` found to be of
            static sources.

    Returns:
        (rows, columns) float32 MW, 0 where there was no fire.
    """
    start = as_day(day)
    times = table["time"].to_numpy()
    found = table[(times >= start) & (times < start + 1)]
    if vegetation_only:
        found = found[of_vegetation(found)]
    longitude, latitude, frp = (found[name].to_numpy(np.float64) for name in ("longitude", "latitude", "frp"))
    rows, cols, inside = region.cells_of(longitude, latitude)
    inside &= np.isfinite(frp)
    height, width = region.shape
    flat = rows[inside] * width + cols[inside]
    total = np.bincount(flat, weights=frp[inside], minlength=height * width)
    return total.astype(np.float32).reshape(height, width)


@dataclass(frozen=True)
class Piece:
    """Days and place that one file of hot spots speaks of.

    Attributes:
        first, last: days; it speaks of none where the last comes before the first.
        place: what the names of all files of its place have in common, empty where they tell nothing.
        region: name of the region that it was fetched for, empty where that is not told.
        box: west, south, east and north in degrees of its rows, or of those of all files of its place; None
            where there are none.
    """

    first: Day
    last: Day
    place: str
    region: str
    box: tuple[float, float, float, float] | None


class Pieces(tuple[Piece, ...]):
    """Pieces that are never copied: pandas copies the attributes of a table with every column of it."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Pieces:
        return self


def _pieces(files: Iterable[tuple[str, pd.DataFrame, bool]]) -> Pieces:
    """Return what files speak of, each given by its name, its rows and whether it was cut off."""
    rows: dict[str, list[pd.DataFrame]] = {}
    found = []
    for name, table, cut in files:
        told = named(name)
        if told is None and not len(table):
            continue
        first, last = (told.first, told.last) if told else coverage(table)
        place, region = (told.place, told.region) if told else ("", "")
        if len(table):
            rows.setdefault(place, []).append(table)
        if cut:  # the day on which it was cut off is not whole
            last = min(last, coverage(table)[1] - 1) if len(table) else first - 1
        found.append(Piece(first, last, place, region, _extent(table) if len(table) and not place else None))
    boxes = {place: _extent(pd.concat(tables)) for place, tables in rows.items() if place}
    return Pieces(replace(piece, box=boxes.get(piece.place, piece.box)) for piece in found)


def _timely(table: pd.DataFrame, day: Day) -> tuple[Piece, ...]:
    """Return the pieces of a table that speak of a day."""
    wanted = as_day(day)
    pieces = table.attrs.get("pieces")
    if pieces is None:
        pieces = _pieces([("", table, False)])
    return tuple(piece for piece in pieces if piece.first <= wanted <= piece.last)


def _touching(table: pd.DataFrame, region: Region, days: Days) -> bool:
    """Return whether a piece of a table that speaks of one of some days speaks of a region."""
    timely = {piece for day in days for piece in _timely(table, day)}
    return any(_speaks_of(piece, region, table.attrs.get("pieces", ())) for piece in timely)


def _cells_of(table: pd.DataFrame, region: Region, timely: Iterable[Piece]) -> npt.NDArray[np.bool_]:
    """Return the cells of which some pieces of a table speak, (rows, columns)."""
    known = np.zeros(region.shape, np.bool_)
    pieces = table.attrs.get("pieces", ())
    near = functools.cache(lambda: _near_rows(table, region))
    for piece in timely:
        if not _speaks_of(piece, region, pieces):
            continue
        if piece.box is None or (piece.place and piece.region in ("", region.name)):
            return np.ones(region.shape, np.bool_)
        around = _around(piece.box, region)
        known |= around if piece.place else around & near()
    return known


def _speaks_of(piece: Piece, region: Region, pieces: Iterable[Piece]) -> bool:
    """Return whether a file speaks of a region: its rows lie around it, or the download was for it.

    Quiet tables of a download that says no place are taken for this one, unless others are named for it.
    """
    if piece.box is not None:
        return _touches(piece.box, region, _NEAR if piece.place else 0.0)
    others_are_named = any(one.region == region.name for one in pieces)
    return bool(piece.place) and (piece.region == region.name or not others_are_named)


def _around(box: tuple[float, float, float, float], region: Region) -> npt.NDArray[np.bool_]:
    """Return the cells that lie in a box or near it, (rows, columns)."""
    west, south, east, north = box
    lat, lon = region.latitudes, region.longitudes
    beside = (lon - (west - _NEAR)) % 360 <= east - west + 2 * _NEAR
    return np.outer((lat >= south - _NEAR) & (lat <= north + _NEAR), beside)


def _near_rows(table: pd.DataFrame, region: Region) -> npt.NDArray[np.bool_]:
    """Return the cells whose block lies near one that holds a row of a table, (rows, columns)."""
    from scipy.ndimage import maximum_filter

    held = np.zeros((round(180 / _BLOCK), round(360 / _BLOCK)), np.bool_)
    held[_blocks(table["latitude"].to_numpy(np.float64), table["longitude"].to_numpy(np.float64))] = True
    near = maximum_filter(held, 2 * round(_NEAR / _BLOCK) + 1, mode=("nearest", "wrap"))
    rows, cols = _blocks(region.latitudes, region.longitudes)
    return np.asarray(near[np.ix_(rows, cols)], np.bool_)


def _blocks(
    latitude: npt.NDArray[np.float64], longitude: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of blocks around the world, from the south and from 180 degrees west."""
    last = round(180 / _BLOCK) - 1
    rows = np.minimum((latitude + 90) // _BLOCK, last)
    return rows.astype(np.int64), ((longitude + 180) % 360 // _BLOCK).astype(np.int64)


def _taken_for(table: pd.DataFrame, region: Region) -> str:
    """Name other regions whose quiet tables are taken for this one; empty if there are none."""
    pieces = table.attrs.get("pieces", ())
    quiet = {one.region for one in pieces if one.region and one.box is None}
    return "" if region.name in quiet else ", ".join(sorted(quiet))


def _touches(box: tuple[float, float, float, float], region: Region, margin: float) -> bool:
    """Return whether a box, grown by a margin in degrees, touches a region."""
    import shapely

    west, south, east, north = box
    grown = shapely.box(west - margin, south - margin, east + margin, north + margin)
    return bool(within_180(grown).intersects(box_of(region)))


def _extent(table: pd.DataFrame) -> tuple[float, float, float, float]:
    lon = (table["longitude"].to_numpy(np.float64) + 180) % 360 - 180
    lat = table["latitude"].to_numpy(np.float64)
    return extent(np.stack([lon, lat, lon, lat], axis=1))


def _percent(share: float) -> str:
    """Return a share below 1 in words, never as 0% or 100%."""
    return f"{min(max(share, 0.001), 0.999):.1%}" if not 0.01 <= share <= 0.99 else f"{share:.0%}"


def _extent_words(table: pd.DataFrame) -> str:
    west, south, east, north = _extent(table)
    return f"{west:.4g} to {east:.4g} E, {south:.4g} to {north:.4g} N"


def _repeated(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Copies of a detection; of two, the one that knows its satellite and its type stays."""
    nameless = (table["satellite"] == "").to_numpy()
    order = np.lexsort((table["type"].isna().to_numpy(), nameless))
    ordered, what = table.iloc[order], ["longitude", "latitude", "time", "frp"]
    gone = np.empty(len(table), np.bool_)
    gone[order] = ordered.duplicated([*what, "satellite"]) | (nameless[order] & ordered.duplicated(what))
    return gone


def _paths(path_or_paths: PathLike | Iterable[PathLike]) -> list[Path]:
    if not isinstance(path_or_paths, (str, os.PathLike, Iterable)):
        raise InputError(f"hot spots are files, folders or a table of them, not {path_or_paths!r}")
    given = [path_or_paths] if isinstance(path_or_paths, (str, os.PathLike)) else path_or_paths
    paths = [Path(item) for item in given]
    if not paths:
        raise InputError("no hot-spot file was given")
    return paths
