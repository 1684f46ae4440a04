"""Hectares of a burned-area source by the day on which they burned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_planes import BurnedPlanes
from banet.days import Days

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_day", "entries", "in_words", "known_total", "total"]


def by_day(source: BurnedPlanes, *, weighted: bool) -> pd.Series[float]:
    """Return the hectares that burned on each day of the period, float64 by day.

    Args:
        source: what burned.
        weighted: count a burned cell by its burned fraction; otherwise by its whole area.
    """
    import pandas as pd

    row, _, day, share = entries(source) if weighted else _whole_cells(source)
    index = (day - source.start).astype(np.intp)
    area = source.region.cell_area_ha[row] * share
    hectares = np.bincount(index, area, minlength=source.days.size)
    days = pd.DatetimeIndex(source.days.astype("datetime64[ns]"), name="day")
    return pd.Series(hectares, days, name="burned_area_ha")


def total(source: BurnedPlanes) -> float:
    """Return the hectares of the burned cells, each counted by its burned fraction."""
    return float(by_day(source, weighted=True).sum())


def known_total(source: BurnedPlanes) -> float | None:
    """Return `total` as files state it, to a tenth; None where no cell was observed and none is burned."""
    return round(total(source), 1) if source.known.any() else None


def in_words(source: BurnedPlanes) -> str:
    """Return what burned in words: `1,234 ha burned`, or `not observed` and what burned all the same."""
    said = f"{total(source):,.0f} ha burned"
    if source.observed_days.any():
        return said
    return f"not observed, {said}" if source.known.any() else "not observed"


_Entries = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Days, Any]


def _whole_cells(source: BurnedPlanes) -> _Entries:
    row, col = np.nonzero(source.burned)
    return row, col, source.burn_date[row, col], 1.0


def entries(source: BurnedPlanes) -> _Entries:
    """Return row, column, day and fraction of what burned; of a cell no more than the whole burns."""
    if source.dated is None:
        row, col = np.nonzero(source.burned)
        return row, col, source.burn_date[row, col], source.burned_fraction[row, col]
    held = source.dated.between(source.start, source.stop)
    held = held.only(source.known[held.row, held.col])
    whole = np.zeros(source.region.shape)
    np.add.at(whole, (held.row, held.col), held.fraction)
    return held.row, held.col, held.day, held.fraction / np.maximum(whole[held.row, held.col], 1)
