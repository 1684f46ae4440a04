"""UTC calendar days: the only notion of time inside banet.

A day is a `numpy.datetime64[D]`; ranges are half-open. Day of year appears only in exported rasters.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError

__all__ = ["Day", "Days", "as_day", "as_month", "day_of_year", "day_range", "from_day_of_year", "month_range"]

Day = np.datetime64
Days = npt.NDArray[np.datetime64]


def as_day(value: Any) -> Day:
    """Turn a date, a datetime, a `datetime64` or text `YYYY-MM-DD` or `YYYYMMDD` into a day.

    Raises:
        InputError: if it names no calendar day.

    >>> as_day("20200229")
    np.datetime64('2020-02-29')
    """
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d{8}", text):
            text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise InputError(f"{value!r} is not a day; write it as YYYY-MM-DD")
        value = text
    elif isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    try:
        day: Day = np.datetime64(value, "D")
    except ValueError as error:
        raise InputError(f"{value!r} is not a calendar day") from error
    if np.isnat(day):
        raise InputError(f"{value!r} is not a calendar day")
    return day


def as_month(value: Any) -> np.datetime64:
    """Turn text `YYYY-MM` (or a day, whose month it takes) into a `datetime64[M]`.

    Raises:
        InputError: if it names no month.

    >>> as_month("2017-10")
    np.datetime64('2017-10')
    """
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value.strip()):
        try:
            return np.datetime64(value.strip(), "M")
        except ValueError as error:
            raise InputError(f"{value!r} is not a month; write it as YYYY-MM") from error
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] == "M":
        return value
    month: np.datetime64 = as_day(value).astype("datetime64[M]")
    return month


def day_range(start: Day, stop: Day) -> Days:
    """Return the days from `start` up to, not including, `stop`."""
    return np.arange(as_day(start), as_day(stop), dtype="datetime64[D]")


def month_range(start: Any, end: Any) -> npt.NDArray[np.datetime64]:
    """Return the months from `start` to `end`, both included.

    Raises:
        InputError: if `end` is before `start`.
    """
    first, last = as_month(start), as_month(end)
    if last < first:
        raise InputError(f"the months end ({last}) before they start ({first})")
    return np.arange(first, last + 1, dtype="datetime64[M]")


def day_of_year(days: Days) -> npt.NDArray[np.int16]:
    """Return the day of year (1-366) of each day; 0 where it is NaT.

    >>> day_of_year(np.array(["2020-12-31", "NaT"], "datetime64[D]"))
    array([366,   0], dtype=int16)
    """
    days = np.asarray(days, "datetime64[D]")
    missing = np.isnat(days)
    count = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
    return np.where(missing, 0, count).astype(np.int16)


def from_day_of_year(year: int, day: int) -> Day:
    """Return the day number `day` (1-366) of `year`.

    Raises:
        InputError: if the year has no such day.
    """
    first = np.datetime64(f"{year:04d}-01-01", "D")
    result = first + np.timedelta64(int(day) - 1, "D")
    if day < 1 or result.astype("datetime64[Y]") != first.astype("datetime64[Y]"):
        raise InputError(f"the year {year} has no day {day}")
    return result
