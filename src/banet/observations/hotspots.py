"""Active fires: FIRMS tables in every dialect, and their radiative power on a region's grid.

FIRMS serves standard (SP) and near-real-time (NRT) rows as CSV or text, from VIIRS and MODIS. The dialects
differ in the form of the time, of the confidence and in the columns that are there; `read_hotspots` makes one
table.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.days import Day, as_day
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.io.files import PathLike, visible_files
from banet.observations.firms import read_table
from banet.observations.persistence import STATIC_SOURCE, static_sources

__all__ = ["COLUMNS", "coverage", "covers", "fires_of", "grid_frp", "read_hotspots"]

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
_SUFFIXES = (".csv", ".txt")
_VEGETATION = 0
_QUIET = np.timedelta64(31, "D")


def read_hotspots(path_or_paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """Read FIRMS hot spots of every dialect into one table.

    Args:
        path_or_paths: a CSV or text file, a folder (its `.csv` and `.txt` files and those of folders below
            it, but not a `Readme.txt`), or several of either.

    Returns:
        Rows ordered by time, exact duplicates removed, with the columns longitude, latitude (float64
        degrees), time (datetime64[ns], UTC without a zone), frp (float64 MW, NaN where the file has none),
        satellite (`N`, `N20`, `N21`, `Terra`, `Aqua`, empty where unknown), instrument (`VIIRS`, `MODIS`,
        empty), confidence (float64 0-100, NaN unknown; low, nominal, high are 10, 50, 90), type (Int8: 0
        vegetation, 1 volcano, 2 other static land source, 3 offshore; <NA> where the file has none, but 2
        where such a row belongs to a source that stays in place), daynight (`D`, `N`, empty).
        `attrs["notes"]` holds a line for whatever was left out or is unknown, `attrs["inputs"]` the names of
        the files.

    Raises:
        NotFoundError: if a path is not there, or a folder holds no table.
        UnreadableFileError: if a file is empty, a web page, or no table.
        InputError: if a table lacks a column that is needed, or a value is no number, date or time.
    """
    paths = _paths(path_or_paths)
    tables, notes, spans = [], [], []
    for path in paths:
        table, lines = read_table(path)
        tables.append(table)
        notes.extend(lines)
        if len(table):
            spans.append(coverage(table))
    filled = [table for table in tables if len(table)] or tables[:1]
    table = pd.concat(filled, ignore_index=True).sort_values("time", kind="stable", ignore_index=True)
    for drop, what in (
        (_repeated, "duplicate hot-spot rows"),
        (_superseded, "near-real-time rows of standard ones"),
    ):
        gone = drop(table)
        if gone.any():
            notes.append(f"{int(gone.sum())} {what} removed")
            table = table[~gone].reset_index(drop=True)
    table = table[list(COLUMNS)]
    static = static_sources(table)
    if static.any():
        notes.append(f"{int(static.sum())} hot spots of unknown type stay in one place: static sources")
        table = table.assign(type=table["type"].mask(static, STATIC_SOURCE))
    table.attrs.update(notes=tuple(notes), spans=_joined(spans), inputs=tuple(path.name for path in paths))
    return table


def coverage(table: pd.DataFrame) -> tuple[Day, Day]:
    """Return the first and the last UTC day that the table has a row of.

    Raises:
        InputError: if the table is empty.
    """
    if not len(table):
        raise InputError("the hot-spot table holds no row, so it covers no day")
    days = table["time"].to_numpy().astype("datetime64[D]")
    return days.min(), days.max()


def covers(table: pd.DataFrame, day: Day) -> bool:
    """Tell whether the table speaks of a day, so that a cell without a row had no fire in it.

    Each file speaks of the days from its first to its last row; a file of other years says nothing of this
    one.
    """
    wanted = as_day(day)
    spans = table.attrs.get("spans") or ((coverage(table),) if len(table) else ())
    return any(first <= wanted <= last for first, last in spans)


def fires_of(
    table: pd.DataFrame | None, region: Region, day: Day, *, vegetation_only: bool = True
) -> tuple[npt.NDArray[np.float32] | None, list[str]]:
    """Return the gridded FRP of a day, None where the table does not speak of it, and notes to record."""
    if table is None:
        return None, ["no hot spots were given"]
    notes = list(table.attrs.get("notes", ()))
    if not covers(table, day):
        return None, [*notes, "the hot spots do not cover this day"]
    return grid_frp(table, region, day, vegetation_only=vegetation_only), notes


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
    keep = (times >= start) & (times < start + 1)
    if vegetation_only:
        kind = table["type"]
        keep &= (kind.isna() | (kind == _VEGETATION)).fillna(True).to_numpy(bool)
    frp = table["frp"].to_numpy(np.float64)[keep]
    rows, cols, inside = region.cells_of(
        table["longitude"].to_numpy(np.float64)[keep], table["latitude"].to_numpy(np.float64)[keep]
    )
    inside &= np.isfinite(frp)
    height, width = region.shape
    flat = rows[inside] * width + cols[inside]
    total = np.bincount(flat, weights=frp[inside], minlength=height * width)
    return total.astype(np.float32).reshape(height, width)


def _joined(spans: list[tuple[Day, Day]]) -> tuple[tuple[Day, Day], ...]:
    """Join spans that overlap or lie a month or less apart: a quiet time between two files."""
    joined: list[tuple[Day, Day]] = []
    for first, last in sorted(spans):
        if joined and first - joined[-1][1] <= _QUIET:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _repeated(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Copies of a detection; of two, the one that knows its type stays."""
    order = np.argsort(table["type"].isna().to_numpy(), kind="stable")
    same = table.iloc[order].duplicated(["longitude", "latitude", "time", "frp", "satellite"])
    gone = np.empty(len(table), np.bool_)
    gone[order] = same.to_numpy()
    return gone


def _superseded(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Near-real-time rows of a place and overpass that standard rows of the same satellite speak of.

    The standard processing repeats the overpass with better positions, so its rows differ a little.
    """
    from scipy.spatial import cKDTree

    gone = np.zeros(len(table), np.bool_)
    early = table["near_real_time"].to_numpy()
    for satellite in table["satellite"][early].unique():
        own = (table["satellite"] == satellite).to_numpy()
        new, old = np.flatnonzero(own & early), np.flatnonzero(own & ~early)
        if len(old):
            minutes = (table["time"] - table["time"].iloc[0]).dt.total_seconds() / 60
            place = np.stack([table["longitude"] / 0.02, table["latitude"] / 0.02, minutes / 1.5], axis=1)
            distance, _ = cKDTree(place[old]).query(place[new], distance_upper_bound=1, p=np.inf)
            gone[new] = np.isfinite(distance)
    return gone


def _paths(path_or_paths: PathLike | Iterable[PathLike]) -> list[Path]:
    given = [path_or_paths] if isinstance(path_or_paths, (str, os.PathLike)) else path_or_paths
    paths: list[Path] = []
    for item in given:
        path = Path(item)
        if path.is_dir():
            inside = [p for p in visible_files(path) if p.suffix.lower() in _SUFFIXES]
            inside = [p for p in inside if not p.name.lower().startswith("readme")]
            if not inside:
                raise NotFoundError(f"the folder {path} holds no hot-spot table (.csv or .txt)")
            paths.extend(inside)
        elif path.is_file():
            paths.append(path)
        else:
            raise NotFoundError(f"the hot-spot file {path} does not exist")
    if not paths:
        raise InputError("no hot-spot file was given")
    return paths
