"""Several versions of one detection in several files, of which the best stays.

FIRMS serves the same detection in ultra-real time (URT), real time (RT), near-real time (NRT) and standard
processing (SP), each a little elsewhere and with a little other power; LANCE serves it rounded. Rows are
matched across files by satellite, time and nearness, one to one. Two rows of one file are never one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.observations.nearness import degrees_apart, on_globe

__all__ = ["rank_of", "superseded"]

_MINUTES = 1.5
# Degrees. Versions differ by parts of a pixel (0.004 degree at nadir, four times that at the edge of the
# swath); copies of one version by rounding alone.
_OTHER_VERSION, _SAME_VERSION = 0.012, 0.001
_NEIGHBOURS = 12
_CORNER = 1.4143  # the diagonal of a square of 1
_RANKS = (("URT", 0), ("NRT", 2), ("RT", 1))
STANDARD = 3

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def rank_of(version: str) -> int:
    """Return the rank of a version such as `2.0NRT`: 0 for URT, 1 for RT, 2 for NRT, 3 for standard rows."""
    text = version.upper()
    return next((rank for word, rank in _RANKS if word in text), STANDARD)


def superseded(table: pd.DataFrame) -> Bools:
    """Return which rows are another version of a row of another file that stays.

    Args:
        table: with longitude, latitude, time, satellite, rank and file (a number for each file).
    """
    gone = np.zeros(len(table), bool)
    file = table["file"].to_numpy(np.int64)
    if not len(table) or (file == file[0]).all():
        return gone
    rank = table["rank"].to_numpy(np.int64)
    for satellite in table["satellite"].unique():
        own = np.flatnonzero((table["satellite"] == satellite).to_numpy())
        place = _places(table.iloc[own])
        for level in np.unique(rank[own])[::-1]:
            at = rank[own] == level
            # A better version that another supersedes still stands for this one.
            better = np.flatnonzero(rank[own] > level)
            lower = np.flatnonzero(at)
            gone[own[_matched(place, lower, better, file[own], _OTHER_VERSION)]] = True
            lower = np.flatnonzero(at & ~gone[own])
            gone[own[_copies(place, lower, file[own])]] = True
    return gone


def _places(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return longitude and latitude in degrees and time in units of which 1 is too far, (n, 3)."""
    minutes = (table["time"] - table["time"].iloc[0]).dt.total_seconds() / 60
    return np.stack([table["longitude"], table["latitude"], minutes / _MINUTES], axis=1).astype(np.float64)


def _near(
    lower: npt.NDArray[np.float64], better: npt.NDArray[np.float64], degrees: float
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Return pairs of near rows, (lower, better), and how far they are apart in units of what is too far."""
    from scipy.spatial import cKDTree

    count = min(_NEIGHBOURS, len(better))
    # The corners of a square of `degrees` around a place are the farthest that can be near.
    low, high = (
        np.column_stack([on_globe(place[:, 0], place[:, 1]) / (_CORNER * degrees), place[:, 2]])
        for place in (lower, better)
    )
    found, near = cKDTree(high).query(low, k=count, distance_upper_bound=1.0, p=np.inf)
    found, near = (np.asarray(part).reshape(len(lower), count) for part in (found, near))
    row, _ = np.nonzero(np.isfinite(found))
    which = near[np.isfinite(found)].astype(np.int64)
    one, other = lower[row], better[which]
    far = np.maximum(degrees_apart(one[:, :2], other[:, :2]) / degrees, np.abs(one[:, 2] - other[:, 2]))
    return row[far < 1], which[far < 1], far[far < 1]


def _matched(place: npt.NDArray[np.float64], lower: Ints, better: Ints, file: Ints, degrees: float) -> Ints:
    """Return those of the lower rows that a better row of another file stands for, nearest pairs first."""
    if not lower.size or not better.size:
        return np.zeros(0, np.int64)
    row, which, far = _near(place[lower], place[better], degrees)
    other = file[lower[row]] != file[better[which]]
    order = np.argsort(far[other], kind="stable")
    taken_low: set[int] = set()
    # One row stands for at most one row of each other file.
    taken: set[tuple[int, int]] = set()
    for low, high in zip(row[other][order].tolist(), which[other][order].tolist(), strict=True):
        key = (high, int(file[lower[low]]))
        if low not in taken_low and key not in taken:
            taken_low.add(low)
            taken.add(key)
    return lower[np.array(sorted(taken_low), np.int64)]


def _copies(place: npt.NDArray[np.float64], rows: Ints, file: Ints) -> Ints:
    """Return the rows of later files that copy a row of an earlier file in the same version."""
    gone: list[Ints] = []
    files = np.unique(file[rows])
    kept = rows[file[rows] == files[0]] if files.size else rows
    for number in files[1:]:
        new = rows[file[rows] == number]
        # Rows at another time are no copies; a tree of all that is kept, for each file, would take too long.
        first, last = place[new, 2].min() - 1, place[new, 2].max() + 1
        near = kept[(place[kept, 2] >= first) & (place[kept, 2] <= last)]
        copied = _matched(place, new, near, file, _SAME_VERSION)
        gone.append(copied)
        kept = np.concatenate([kept, np.setdiff1d(new, copied)])
    return np.concatenate(gone) if gone else np.zeros(0, np.int64)
