"""Hectares of a burned-area source by the day on which they burned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import Days

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["by_day"]


def by_day(source: BurnedArea, *, weighted: bool) -> pd.Series[float]:
    """Return the hectares that burned on each day of the period, float64 by day.

    Args:
        source: what burned.
        weighted: count a burned cell by its burned fraction; otherwise by its whole area.
    """
    import pandas as pd

    row, day, share = _shares(source) if weighted else _whole_cells(source)
    index = (day - source.start).astype(np.intp)
    area = source.region.cell_area_ha[row] * share
    hectares = np.bincount(index, area, minlength=source.days.size)
    days = pd.DatetimeIndex(source.days.astype("datetime64[ns]"), name="day")
    return pd.Series(hectares, days, name="burned_area_ha")


def _whole_cells(source: BurnedArea) -> tuple[npt.NDArray[np.intp], Days, Any]:
    row, col = np.nonzero(source.burned)
    return row, source.burn_date[row, col], 1.0


def _shares(source: BurnedArea) -> tuple[npt.NDArray[np.intp], Days, Any]:
    """Return row, day and fraction of what burned; of a cell no more than the whole burns."""
    if source.dated is None:
        row, col = np.nonzero(source.burned)
        return row, source.burn_date[row, col], source.burned_fraction[row, col]
    entries = source.dated.between(source.start, source.stop)
    entries = entries.only(source.known[entries.row, entries.col])
    whole = np.zeros(source.region.shape)
    np.add.at(whole, (entries.row, entries.col), entries.fraction)
    return entries.row, entries.day, entries.fraction / np.maximum(whole[entries.row, entries.col], 1)
