"""UTC calendar days: the only notion of time inside banet.

A day is a `numpy.datetime64[D]`. Inside, a period is `start` and `stop`, half-open; what a user types is
inclusive, days or months, and `parse_period` alone turns one into the other. Day of year appears only in
exported rasters.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError

__all__ = [
    "LAST_DAY_OF_YEAR",
    "NO_DATE",
    "ONE_DAY",
    "Day",
    "Days",
    "as_day",
    "as_month",
    "day_of_name",
    "day_of_year",
    "day_range",
    "day_stamp",
    "from_day_of_year",
    "month_days",
    "month_range",
    "parse_period",
    "period_label",
    "period_stem",
    "today_utc",
    "whole_months",
]

Day = np.datetime64
Days = npt.NDArray[np.datetime64]
LAST_DAY_OF_YEAR = 366
"""Greatest day of year, that of a leap year."""
ONE_DAY = np.timedelta64(1, "D")
NO_DATE = np.datetime64("NaT", "D")
_EARLIEST, _LATEST = Day("1900-01-01", "D"), Day("2200-01-01", "D")
_LOOSE = re.compile(r"((?:19|20|21)\d\d)\D?(\d{1,2})(?:\D(\d{1,2})(?:\D.*)?)?")


def parse_period(start: Any, end: Any = None) -> tuple[Day, Day]:
    """Return the half-open `start` and `stop` of a period as a user types it, both ends included.

    Args:
        start: First day or month: text `YYYY-MM-DD`, `YYYYMMDD` or `YYYY-MM`, a date, a datetime or a
            `datetime64` of days, finer, or months.
        end: Last day or month; a month means up to its last day. `start` when left out.

    Raises:
        InputError: if one of them names neither a day nor a month, or the end is before the start.

    >>> parse_period("2020-08-15", "2020-08-20")
    (np.datetime64('2020-08-15'), np.datetime64('2020-08-21'))
    >>> parse_period("2019-12", "2020-02")
    (np.datetime64('2019-12-01'), np.datetime64('2020-03-01'))
    """
    first = _first_and_stop(start)[0]
    stop = _first_and_stop(start if end is None else end)[1]
    if stop <= first:
        raise InputError(f"the period ends ({_said(end)}) before it starts ({_said(start)})")
    if first < _EARLIEST or stop > _LATEST:
        raise InputError(f"{_said(start)} to {_said(end)}: periods lie between {_EARLIEST} and {_LATEST}")
    return first, stop


def whole_months(start: Day, stop: Day) -> bool:
    """Return whether the days from `start` up to, not including, `stop` are whole calendar months."""
    return all(day == day.astype("datetime64[M]").astype("datetime64[D]") for day in (start, stop))


def period_label(start: Day, stop: Day) -> str:
    """Return a half-open period in words: a month, or its first and last day.

    >>> period_label(np.datetime64("2020-12-01"), np.datetime64("2021-01-01"))
    '2020-12'
    >>> period_label(np.datetime64("2020-08-15"), np.datetime64("2020-08-21"))
    '2020-08-15 to 2020-08-20'
    """
    month, last = start.astype("datetime64[M]"), stop - ONE_DAY
    one = whole_months(start, stop) and last.astype("datetime64[M]") == month
    return str(month) if one else f"{start} to {last}"


def period_stem(start: Day, stop: Day) -> str:
    """Return a half-open period as file names hold it: `YYYYMM`, or `YYYYMMDD-YYYYMMDD`, the last included.

    >>> period_stem(np.datetime64("2020-08-15"), np.datetime64("2020-08-21"))
    '20200815-20200820'
    """
    return "-".join(part.replace("-", "") for part in period_label(start, stop).split(" to "))


def as_day(value: Any) -> Day:
    """Turn a date, a datetime, a `datetime64` or text `YYYY-MM-DD` or `YYYYMMDD` into a day.

    Raises:
        InputError: if it names no calendar day. A number is none: 8 could mean anything.

    >>> as_day("20200229")
    np.datetime64('2020-02-29')
    """
    text = _day_text(value) if isinstance(value, str) else None
    if isinstance(value, str) and text is None:
        raise InputError(f"{value!r} is not a day; {_advice(value, month=False)}")
    if not isinstance(value, str | dt.date | np.datetime64):
        raise InputError(f"{value!r} is not a day; write it as YYYY-MM-DD")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    try:
        day: Day = np.datetime64(text or value, "D")
    except (ValueError, TypeError) as error:  # a TypeError is pandas' NaT
        raise InputError(f"{value!r} is not a calendar day") from error
    if np.isnat(day):
        raise InputError(f"{value!r} is not a calendar day")
    return day


def today_utc() -> Day:
    """Return the current UTC day."""
    return np.datetime64(dt.datetime.now(dt.UTC).date())


def as_month(value: Any) -> np.datetime64:
    """Turn text `YYYY-MM` (or a day, whose month it takes) into a `datetime64[M]`.

    Raises:
        InputError: if it names no month.

    >>> as_month("2017-10")
    np.datetime64('2017-10')
    """
    if _is_month(value):
        return _month(value)
    if isinstance(value, str) and _day_text(value) is None:
        raise InputError(f"{value!r} is not a month; {_advice(value, day=False)}")
    month: np.datetime64 = as_day(value).astype("datetime64[M]")
    return month


def day_range(start: Day, stop: Day) -> Days:
    """Return the days from `start` up to, not including, `stop`."""
    return np.arange(as_day(start), as_day(stop), dtype="datetime64[D]")


def month_days(month: np.datetime64) -> tuple[Day, Day]:
    """Return the first day of a month, and that of the next.

    >>> month_days(np.datetime64("2020-12"))
    (np.datetime64('2020-12-01'), np.datetime64('2021-01-01'))
    """
    return month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")


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


def day_stamp(day: Day) -> str:
    """Return a day as year and day of year, `YYYYDDD`.

    >>> day_stamp(np.datetime64("2020-12-31"))
    '2020366'
    """
    return f"{str(day)[:4]}{int(day_of_year(np.array([day]))[0]):03d}"


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


def day_of_name(year: str, doy: str) -> Day | None:
    """Return the day that a file's name gives as year and day of year; None where that year has no such day.

    >>> day_of_name("2020", "228"), day_of_name("2020", "400")
    (np.datetime64('2020-08-15'), None)
    """
    try:
        return from_day_of_year(int(year), int(doy))
    except InputError:
        return None


def _first_and_stop(value: Any) -> tuple[Day, Day]:
    """Return the first day of a day or month and the day after its last."""
    if _is_month(value):
        return month_days(_month(value))
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] in ("Y", "W"):
        raise InputError(f"{value!r} is neither a day nor a month; {_advice('')}")
    if isinstance(value, str) and _day_text(value) is None:
        raise InputError(f"{value!r} is neither a day nor a month; {_advice(value)}")
    day = as_day(value)
    return day, day + 1


def _is_month(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\d{4}-\d{2}", value.strip()) is not None
    return isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] == "M"


def _month(value: Any) -> np.datetime64:
    try:
        month = np.datetime64(value.strip() if isinstance(value, str) else value, "M")
    except ValueError as error:
        raise InputError(f"{value!r} is not a month; write it as YYYY-MM") from error
    if np.isnat(month):
        raise InputError(f"{value!r} is not a calendar month")
    return month


def _day_text(text: str) -> str | None:
    """Return text that names a day as `YYYY-MM-DD`; None if it does not."""
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})|(\d{4})(\d{2})(\d{2})", text.strip())
    return "-".join(part for part in found.groups() if part) if found else None


def _advice(text: str, *, day: bool = True, month: bool = True) -> str:
    """Return advice for text that names a day or month in another form: `2020/08` is to be `2020-08`."""
    found = _LOOSE.fullmatch(text.strip())
    if found and 1 <= int(found[2]) <= 12:
        meant = f"{found[1]}-{int(found[2]):02d}"
        if found[3] and day:
            meant += f"-{int(found[3]):02d}"
        if (found[3] and day) or (not found[3] and month):
            return f"write it as {meant}"
    forms = ["a day as YYYY-MM-DD"] * day + ["a month as YYYY-MM"] * month
    return "write " + " or ".join(forms)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
