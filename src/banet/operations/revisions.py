"""Log of what a morning's map says differently from the map of the morning before, cell by cell, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.days import Days
from banet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cause", "Change", "Looks", "revisions"]

_CLOUDY = 2
"""Days without a look after which the next one counts as the end of a cloud."""

Bools = npt.NDArray[np.bool_]
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

    Attributes:
        days: the days that the network saw, (days,) datetime64[D], one after another.
        observed: (days, rows, columns) bool.
        hotspot: whether a cell held a hot spot, (days, rows, columns) bool.
        weights: what names the weights, such as their SHA-256.
    """

    days: Days
    observed: Bools
    hotspot: Bools
    weights: str


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
    old = np.where(before.burn_date < after.start, np.datetime64("NaT", "D"), before.burn_date)
    new = after.burn_date
    gone = before.burned & np.isnat(old)
    was, is_now = ~np.isnat(old), ~np.isnat(new)
    changed = ((was != is_now) | (was & is_now & (old != new))) & ~(gone & ~is_now)
    row, col = np.nonzero(changed)
    kinds = np.select([~was[row, col], ~is_now[row, col]], [Change.ADDED, Change.WITHDRAWN], Change.REDATED)
    lon = after.region.longitudes[col]
    return pd.DataFrame(
        {
            "row": row,
            "column": col,
            "longitude": np.where(lon > 180, lon - 360, lon),
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
    fire_then, fire_now = _near(then.hotspot, row, col), _near(now.hotspot, row, col)
    seen_then, seen_now = then.observed[:, row, col], now.observed[:, row, col]
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


def _near(plane: Bools, row: Index, col: Index) -> Bools:
    """Tell for each day and cell whether it or a cell beside it is set."""
    rows, cols = plane.shape[1:]
    found = np.zeros((len(plane), row.size), bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):  # beyond an edge lies the cell itself or another one beside it
            found |= plane[:, np.clip(row + down, 0, rows - 1), np.clip(col + right, 0, cols - 1)]
    return found
