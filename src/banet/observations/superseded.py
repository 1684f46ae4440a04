"""Several versions of one detection in several files, of which the best stays.

FIRMS serves the same detection in ultra-real time (URT), real time (RT), near-real time (NRT) and standard
processing (SP), each a little elsewhere and with a little other power, and again in each collection; LANCE
serves it rounded. Rows are matched across files by satellite, time and nearness, one to one. A row that names
no satellite may be of any of its instrument. Two rows of one file, or of two instruments, are never one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.observations.nearness import degrees_apart, on_globe

__all__ = ["rank_of", "rank_of_name", "superseded"]

_MINUTES = 1.5
# Degrees. Versions differ by parts of a pixel (0.004 degree at nadir, four times that at the edge of the
# swath); copies of one version by rounding alone.
_OTHER_VERSION, _SAME_VERSION = 0.012, 0.001
_NEIGHBOURS = 12
_CORNER = 1.4143  # the diagonal of a square of 1
_KINDS = (("URT", 0), ("NRT", 2), ("RT", 1))
_STANDARD = 3
_KIND_STEP = 100  # above any collection in tenths
_COLLECTION = re.compile(r"(?<!\d)0*(\d{1,2})(?!\d)(?:\.(\d))?")
_KIND_IN_NAME = re.compile(r"(?<![A-Z0-9])(URT|NRT|RT)(?![A-Z0-9])")
# VNP14IMGML.202008.C1.05.csv, MCD14ML.202008.006.03.txt, fire_nrt_M-C61_1.csv
_COLLECTION_IN_NAME = re.compile(
    r"(?<![A-Z0-9])(?:(?:VNP14IMGML|VJ[12]14IMGML|MCD14ML)\.\d{6}\.|(?:SV|J[12]V|M)-(?=C))"
    r"(C\d{1,2}|0\d\d)(?![A-Z0-9])"
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def rank_of(version: str) -> int:
    """Return the rank of a version such as `2.0NRT`: the kind (URT, RT, NRT, SP) before the collection.

    The collection of MODIS 6.1 is written `61.03` in standard rows and `6.1NRT` in others.

    >>> rank_of("1.0NRT") < rank_of("2.0NRT") < rank_of("1") < rank_of("2")
    True
    >>> rank_of("6.03") < rank_of("61.03") == rank_of("6.1")
    True
    """
    text = version.upper()
    kind = next((rank for word, rank in _KINDS if word in text), _STANDARD)
    found = _COLLECTION.search(text)
    if found is None:
        return kind * _KIND_STEP
    whole, tenth = int(found[1]), int(found[2] or 0)
    return kind * _KIND_STEP + (whole if whole >= 10 else 10 * whole + tenth)


def rank_of_name(name: str) -> int:
    """Return the rank that the name of a file tells, for rows without a version.

    >>> rank_of_name("VNP14IMGML.202008.C2.03.csv") == rank_of("2")
    True
    >>> rank_of_name("d.zip/fire_nrt_M-C61_1.csv") == rank_of("6.1NRT")
    True
    """
    text = name.rpartition("/")[2].upper()
    told = (_KIND_IN_NAME.search(text), _COLLECTION_IN_NAME.search(text))
    return rank_of(" ".join(found[1] for found in told if found))


def superseded(table: pd.DataFrame) -> Bools:
    """Return which rows are another version of a row of another file that stays.

    Args:
        table: with longitude, latitude, time, satellite, instrument, rank and file (a number for each file).
    """
    gone = np.zeros(len(table), bool)
    file = table["file"].to_numpy(np.int64)
    if not len(table) or (file == file[0]).all():
        return gone
    rank = table["rank"].to_numpy(np.int64)
    satellite, instrument = _numbered(table["satellite"]), _numbered(table["instrument"].str.upper())
    rows = _Rows(_places(table), file, satellite, instrument, rank // _KIND_STEP)
    for level in np.unique(rank)[::-1]:
        at = rank == level
        # A better version that another supersedes still stands for this one.
        gone[_matched(rows, np.flatnonzero(at), np.flatnonzero(rank > level), _OTHER_VERSION)] = True
        gone[_copies(rows, np.flatnonzero(at & ~gone))] = True
    return gone


class _Rows(NamedTuple):
    """Places (n, 3), files, satellites, instruments and kinds (n,) of rows; -1 is one that is not named."""

    place: npt.NDArray[np.float64]
    file: Ints
    satellite: Ints
    instrument: Ints
    kind: Ints

    def may_be_one(self, one: Ints, other: Ints) -> Bools:
        """Return which pairs are of two files, and not of two satellites or instruments, (n,)."""
        same = self.file[one] != self.file[other]
        for what in (self.satellite, self.instrument):
            same &= (what[one] == what[other]) | (np.minimum(what[one], what[other]) < 0)
        return np.asarray(same)

    def unranked(self, one: Ints, other: Ints) -> Bools:
        """Return which pairs are of one kind and not known to be of one instrument, (n,).

        The collections of two instruments do not tell which is newer: such rows are copies, or two.
        """
        nameless = np.minimum(self.satellite[one], self.satellite[other]) < 0
        differ = self.instrument[one] != self.instrument[other]
        return np.asarray((self.kind[one] == self.kind[other]) & nameless & differ)


def _numbered(names: pd.Series) -> Ints:
    """Return a number for each different name, -1 for an empty one."""
    return pd.factorize(names.where(names != ""))[0].astype(np.int64)


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


def _matched(rows: _Rows, lower: Ints, better: Ints, degrees: float) -> Ints:
    """Return those of the lower rows that a better row of another file stands for, nearest pairs first."""
    if not lower.size or not better.size:
        return np.zeros(0, np.int64)
    row, which, far = _near(rows.place[lower], rows.place[better], degrees)
    pairs = lower[row], better[which]
    other = rows.may_be_one(*pairs) & (far < np.where(rows.unranked(*pairs), _SAME_VERSION / degrees, 1))
    order = np.argsort(far[other], kind="stable")
    taken_low: set[int] = set()
    # One row stands for at most one row of each other file.
    taken: set[tuple[int, int]] = set()
    for low, high in zip(row[other][order].tolist(), which[other][order].tolist(), strict=True):
        key = (high, int(rows.file[lower[low]]))
        if low not in taken_low and key not in taken:
            taken_low.add(low)
            taken.add(key)
    return lower[np.array(sorted(taken_low), np.int64)]


def _copies(rows: _Rows, which: Ints) -> Ints:
    """Return the rows of later files that copy a row of an earlier file in the same version."""
    gone: list[Ints] = []
    time, file = rows.place[:, 2], rows.file
    files = np.unique(file[which])
    kept = which[file[which] == files[0]] if files.size else which
    for number in files[1:]:
        new = which[file[which] == number]
        # Rows at another time are no copies; a tree of all that is kept, for each file, would take too long.
        first, last = time[new].min() - 1, time[new].max() + 1
        near = kept[(time[kept] >= first) & (time[kept] <= last)]
        copied = _matched(rows, new, near, _SAME_VERSION)
        gone.append(copied)
        kept = np.concatenate([kept, np.setdiff1d(new, copied)])
    return np.concatenate(gone) if gone else np.zeros(0, np.int64)
