"""When the fires of a perimeter table began and ended, in the fields that agencies use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FireDates", "fire_dates"]

START_FIELDS = (
    "firedate",
    "ig_date",
    "dhinicio",
    "dh_inicio",
    "initialdat",
    "initialdate",
    "startdate",
    "start_date",
)
END_FIELDS = ("finaldate", "dhfim", "dh_fim", "enddate", "end_date")
_MONTH_ONLY = 16.0


@dataclass(frozen=True, eq=False)
class FireDates:
    """Dates of fires.

    Attributes:
        start: first day of each fire, (n,) datetime64[D], NaT where the table has none.
        uncertainty: days, (n,) float64; NaN where the table says nothing of the end.
    """

    start: Days
    uncertainty: npt.NDArray[np.float64]

    def only(self, keep: npt.NDArray[np.bool_]) -> FireDates:
        """Return some of them."""
        return FireDates(self.start[keep], self.uncertainty[keep])


def fire_dates(table: pd.DataFrame, file: str, date_field: str | None = None) -> FireDates:
    """Find the dates in a table of perimeters.

    Raises:
        InputError: if there is no field with dates, or not one date can be read from it.
    """
    by_name = {str(column).lower(): column for column in table.columns}
    if date_field is not None and date_field.lower() not in by_name:
        raise InputError(f"{file} has no field {date_field}; it has {', '.join(map(str, table.columns))}")
    names = START_FIELDS if date_field is None else (date_field.lower(),)
    start_name = next((by_name[name] for name in names if name in by_name), None)
    if start_name is None:
        return _from_parts(table, by_name, file)
    start = _days(table[start_name])
    if len(table) and np.isnat(start).all():
        raise InputError(
            f"{file}: the field {start_name} holds no date, such as {table[start_name].iloc[0]!r}"
        )
    end_name = next((by_name[name] for name in END_FIELDS if name in by_name), None)
    spread = np.full(len(table), np.nan)
    if end_name is not None:
        length = (_days(table[end_name]) - start).astype(np.float64)
        length[np.isnat(start) | np.isnat(_days(table[end_name]))] = np.nan
        spread = np.where(length >= 0, length, np.nan)
    return FireDates(start, spread)


def _from_parts(table: pd.DataFrame, by_name: dict[str, Any], file: str) -> FireDates:
    """Year, month and day in fields of their own, as MTBS had them."""
    import pandas as pd

    year = next((by_name[name] for name in ("year", "fire_year") if name in by_name), None)
    month = next((by_name[name] for name in ("startmonth", "month") if name in by_name), None)
    if year is None or month is None:
        raise InputError(
            f"{file} has no field with dates (FIREDATE, Ig_Date, Year and StartMonth); name it. "
            f"It has {', '.join(map(str, table.columns))}"
        )
    day = next((by_name[name] for name in ("startday", "day") if name in by_name), None)
    numbers = {
        "year": pd.to_numeric(table[year], errors="coerce"),
        "month": pd.to_numeric(table[month], errors="coerce"),
    }
    known = pd.to_numeric(table[day], errors="coerce") if day is not None else pd.Series(np.nan, table.index)
    numbers["day"] = known.where(known >= 1, 15 + 1)
    start = pd.to_datetime(pd.DataFrame(numbers), errors="coerce").to_numpy().astype("datetime64[D]")
    return FireDates(start, np.where(known.to_numpy(np.float64) >= 1, np.nan, _MONTH_ONLY))


def _days(column: pd.Series[Any]) -> Days:
    """Dates from text, dates, or milliseconds since 1970 (as feature services give them)."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        stamps = pd.to_datetime(column, unit="ms", errors="coerce")
    else:
        stamps = pd.to_datetime(column, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
    return stamps.to_numpy().astype("datetime64[D]")
