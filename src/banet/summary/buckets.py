"""Buckets of a table: the whole period, months, days, or classes of land cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.days import ONE_DAY, Days

__all__ = ["By", "CellCover", "TableBuckets", "buckets_of"]

By = Literal["month", "day", "cover"]

NO_COVER = "not stated"


@dataclass(frozen=True, eq=False)
class CellCover:
    """Land cover of the cells.

    Attributes:
        number: class of each cell, (cells,) int, -1 where none is stated.
        names: of the classes, by number.
    """

    number: npt.NDArray[np.int64]
    names: dict[int, str]


@dataclass(frozen=True, eq=False)
class TableBuckets:
    """Buckets of the cells and days of a zone, each a row of the table.

    Attributes:
        column: name of the column that tells them apart; empty for one row a zone.
        labels: what stands in it, one a bucket.
        start, stop: days of each bucket that the maps cover, half-open, (buckets,).
        cover: class of each cell, (cells,), where buckets are classes.
    """

    column: str
    labels: Sequence[Any]
    start: Days
    stop: Days
    cover: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, cell: npt.NDArray[Any], day: Days) -> npt.NDArray[np.intp]:
        """Return the bucket of each burn, by its cell and its day, which lies in one of the maps."""
        if self.cover is not None:
            return np.asarray(self.cover[cell], np.intp)
        return np.asarray(np.searchsorted(self.start, day, side="right") - 1, np.intp)

    def cells(self, bucket: int) -> npt.NDArray[np.bool_] | bool:
        """Return the cells that a bucket speaks of; True for all."""
        return True if self.cover is None else np.asarray(self.cover == bucket, bool)


def buckets_of(maps: Sequence[BurnedArea], by: By | None, cover: CellCover | None) -> TableBuckets:
    """Return the buckets of maps that follow one another in time."""
    first, stop = maps[0].start, maps[-1].stop
    if by == "cover" and cover is not None:
        names = [cover.names[number] for number in sorted(cover.names)]
        numbers = np.searchsorted(sorted(cover.names), cover.number)
        each = np.where(cover.number < 0, len(names), numbers).astype(np.int64)
        ends = np.full(len(names) + 1, first), np.full(len(names) + 1, stop)
        return TableBuckets("cover", [*names, NO_COVER], *ends, each)
    if by is None:
        return TableBuckets("", [""], np.array([first]), np.array([stop]))
    days = np.concatenate([one.days for one in maps])
    if by == "day":
        return TableBuckets(
            "day", list(days.astype("datetime64[ms]")), days, (days + ONE_DAY).astype("datetime64[D]")
        )
    months, begin = np.unique(days.astype("datetime64[M]"), return_index=True)
    last = np.append(begin[1:], len(days)) - 1
    return TableBuckets(
        "month", [str(month) for month in months], days[begin], (days[last] + ONE_DAY).astype("datetime64[D]")
    )
