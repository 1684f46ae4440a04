"""Log of what a morning's map says differently from the map of the morning before, cell by cell, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.days import NO_DATE, Days
from banet.errors import InputError
from banet.grid.region import turned_back

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cause", "Change", "Looks", "revisions"]

_CLOUDY = 2
"""Days without a look after which the next one counts as the end of a cloud."""

Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]


class Change(StrEnum):
    """Change of a cell."""

    ADDED = "added"
    WITHDRAWN = "withdrawn"
    REDATED = "re-dated"


class Cause(StrEnum):
    """Reason of a change, the first that holds for the cell in this order."""

    WEIGHTS = "other weights"
    HOTSPOT_CAME = "hot spot came"
    HOTSPOT_WENT = "hot spot superseded"
    LATE = "late granule"
    CLOUD_GONE = "cloud gone"
    NEW_LOOK = "new look"
    CONTEXT = "other cells or days"


@dataclass(frozen=True, eq=False)
class Looks:
    """Observations that a morning's map was made from.

    A bit a day keeps the 64 days of a large region small.

    Attributes:
        days: the days that the network saw, (days,) datetime64[D], one after another.
        observed: (days / 8, rows, columns) uint8, as `np.packbits` along the days.
        hotspot: whether a cell held a hot spot, likewise.
        weights: what names the weights, such as their SHA-256.
        contents: what names the content of each day in the cube; empty where it is not told.
    """

    days: Days
    observed: Bits
    hotspot: Bits
    weights: str
    contents: tuple[str, ...] = ()

    @classmethod
    def none(cls, days: Days, shape: tuple[int, int], weights: str, contents: tuple[str, ...] = ()) -> Looks:
        """Return looks of days on which nothing was seen."""
        planes = -(-days.size // 8), *shape
        return cls(days, np.zeros(planes, np.uint8), np.zeros(planes, np.uint8), weights, contents)

    @classmethod
    def of(cls, days: Days, observed: Bools, hotspot: Bools, weights: str) -> Looks:
        """Make them of (days, rows, columns) bool."""
        return cls(days, np.packbits(observed, axis=0), np.packbits(hotspot, axis=0), weights)

    def put(self, index: int, observed: Bools, hotspot: Bools) -> None:
        """Set a day on which nothing was seen so far."""
        for bits, plane in ((self.observed, observed), (self.hotspot, hotspot)):
            bits[index >> 3] |= plane.astype(np.uint8) << (7 - (index & 7))

    def seen(self, index: int) -> Bools:
        """Return where a day was observed, (rows, columns)."""
        return np.asarray(self.observed[index >> 3] & (128 >> (index & 7)), bool)

    def hot(self, index: int) -> Bools:
        """Return where a day had a hot spot, (rows, columns)."""
        return np.asarray(self.hotspot[index >> 3] & (128 >> (index & 7)), bool)

    def seen_at(self, row: Index, col: Index) -> Bools:
        """Return on which days some cells were observed, (days, n)."""
        return np.unpackbits(self.observed[:, row, col], axis=0, count=self.days.size).astype(bool)

    def hot_near(self, row: Index, col: Index) -> Bools:
        """Return on which days some cells, or one beside them, held a hot spot, (days, n)."""
        rows, cols = self.hotspot.shape[1:]
        found = np.zeros((len(self.hotspot), row.size), np.uint8)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):  # beyond an edge lies the cell itself or another one beside it
                found |= self.hotspot[:, np.clip(row + down, 0, rows - 1), np.clip(col + right, 0, cols - 1)]
        return np.unpackbits(found, axis=0, count=self.days.size).astype(bool)


def revisions(before: BurnedArea, after: BurnedArea, then: Looks, now: Looks) -> pd.DataFrame:
    """Compare the maps of two mornings.

    Burned cells whose date is before the first day of the later map left the window; they are no change.

    Args:
        before: the earlier map.
        after: the later map, of the same region.
        then: observations that the earlier map was made from.
        now: observations that the later map was made from.

    Returns:
        A row for each cell that changed: `row`, `column`, `longitude`, `latitude` (degrees of its centre),
        `kind`, `cause`, `before`, `after` (burn dates, NaT where not burned), by row and column.

    Raises:
        InputError: if the regions differ.
    """
    import pandas as pd

    if before.region != after.region:
        raise InputError(f"maps of two regions, {before.region.name} and {after.region.name}")
    old = np.where(before.burn_date < after.start, NO_DATE, before.burn_date)
    new = after.burn_date
    gone = before.burned & np.isnat(old)
    was, is_now = ~np.isnat(old), ~np.isnat(new)
    changed = ((was != is_now) | (was & is_now & (old != new))) & ~(gone & ~is_now)
    row, col = np.nonzero(changed)
    kinds = np.select([~was[row, col], ~is_now[row, col]], [Change.ADDED, Change.WITHDRAWN], Change.REDATED)
    return pd.DataFrame(
        {
            "row": row,
            "column": col,
            "longitude": turned_back(after.region.longitudes[col]),
            "latitude": after.region.latitudes[row],
            "kind": kinds.astype(object),
            "cause": _causes(row, col, then, now),
            "before": old[row, col].astype("datetime64[s]"),
            "after": new[row, col].astype("datetime64[s]"),
        }
    )


def _causes(row: Index, col: Index, then: Looks, now: Looks) -> npt.NDArray[np.object_]:
    """Return the cause of the change of each cell."""
    if then.weights != now.weights:
        return np.full(row.size, Cause.WEIGHTS, object)
    both, old_at, new_at = np.intersect1d(then.days, now.days, return_indices=True)
    fresh = ~np.isin(now.days, both)
    fire_then, fire_now = then.hot_near(row, col), now.hot_near(row, col)
    seen_then, seen_now = then.seen_at(row, col), now.seen_at(row, col)
    came = (fire_now[new_at] & ~fire_then[old_at]).any(axis=0) | fire_now[fresh].any(axis=0)
    went = (fire_then[old_at] & ~fire_now[new_at]).any(axis=0)
    late = (seen_now[new_at] & ~seen_then[old_at]).any(axis=0)
    looked = seen_now[fresh].any(axis=0)
    blind = ~seen_now[~fresh][-_CLOUDY:].any(axis=0)
    causes = np.select(
        [came, went, late, looked & blind, looked],
        [Cause.HOTSPOT_CAME, Cause.HOTSPOT_WENT, Cause.LATE, Cause.CLOUD_GONE, Cause.NEW_LOOK],
        Cause.CONTEXT,
    )
    return causes.astype(object)
