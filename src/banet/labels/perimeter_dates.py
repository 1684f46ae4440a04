"""First and last day of the fires of a perimeter table, from the fields that agencies use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import NO_DATE, Days
from banet.errors import InputError
from banet.labels.date_columns import DateOrder, month_number, read_dates
from banet.labels.perimeter_fields import (
    DAY_OF_YEAR_PARTS,
    DAY_PARTS,
    FIELDS,
    MONTH_PARTS,
    OUTLINES,
    YEAR_PARTS,
    found_field,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FireDates", "fire_dates"]

_MONTH_ONLY = 16.0
_MIDDLE = 16

_OUTLINES_BY_DAY = {"id", "day", "area_ha", "total_ha", "front_km"}


@dataclass(frozen=True, eq=False)
class FireDates:
    """Dates of fires.

    Attributes:
        start: first day of each fire, (n,) datetime64[D], NaT where the table has none.
        uncertainty: days, (n,) float64; NaN where the table says nothing of the end.
        fields: names of the fields that the first days come from.
        notes: what is odd about them.
        month_only: (n,) bool, where the table has the month alone and `start` is its 16th; None if nowhere.
    """

    start: Days
    uncertainty: npt.NDArray[np.float64]
    fields: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    month_only: npt.NDArray[np.bool_] | None = None

    def only(self, keep: npt.NDArray[np.bool_]) -> FireDates:
        """Return some of them."""
        month_only = None if self.month_only is None else self.month_only[keep]
        return FireDates(self.start[keep], self.uncertainty[keep], self.fields, self.notes, month_only)


def fire_dates(
    table: pd.DataFrame,
    file: str,
    date_field: str | None = None,
    *,
    end_field: str | None = None,
    date_format: str | None = None,
) -> FireDates:
    """Find the dates in a table of perimeters.

    Year, month and day in fields of their own date the rows in which a field of whole dates that nobody named
    holds none, and come before the dates of outlines; a note tells how many, and where outlines date fires.
    Where the field with the last day was found by its name alone and holds no dates, the ends are not known,
    and a note says so.

    Args:
        table: the fields.
        file: its name, for messages.
        date_field: field with the first day; found by its name if None.
        end_field: field with the last day; likewise.
        date_format: see `banet.labels.date_columns.read_dates`.

    Raises:
        InputError: if there is no field with dates, not one date can be read from it, or it cannot be told
            what they are.
    """
    import pandas as pd

    by_name = {str(column).lower(): str(column) for column in table.columns}
    if by_name.keys() >= _OUTLINES_BY_DAY:
        raise InputError(
            f"{file} holds outlines of fires day by day, of which each holds those before it: give the fires "
            "themselves, in a GeoPackage of `banet events` the layer fires"
        )
    starts, ends, outlines = _fields(by_name, file, table, date_field, end_field)
    parts = _parts(table, by_name) if date_field is None else None
    if not starts:
        return _parts_alone(parts, table, file)
    order, told = DateOrder(), list[str]()
    for name in (*starts, *ends):
        if date_format is None:
            order.look(list(table[name]), name)
    if outlines and parts is not None:
        table = table.assign(**{name: table[name].where(np.isnat(parts.start)) for name in starts})
    try:
        start, used = _coalesced(table, starts, order, date_format, told.append)
        ends, end, notes = _ends(
            table, ends, order, date_format, asked=end_field is not None, notice=told.append
        )
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    start, month, filled = _filled(start, parts)
    if len(table) and np.isnat(start).all():
        shown = table[starts[0]].iloc[0]
        raise InputError(
            f"{file}: the field {starts[0]} holds no date, such as {shown!r}; "
            "say --date-format, or name another field with --date-field"
        )
    if date_format is not None and pd.api.types.is_datetime64_any_dtype(table[starts[0]]):
        notes = (*notes, f"the field {starts[0]} is one of dates: --date-format is not used for it")
    if filled and parts is not None:
        others = int((~np.isnat(start)).sum()) - filled
        if outlines:  # parts come first, and outlines date the other rows
            told += _second(parts.fields, used, others)
            used = [*parts.fields, *used]
        else:
            told += _second(starts, parts.fields, filled)
            used = [*used, *parts.fields]
    if outlines and (drawn := [name for name in starts if name in used]):
        told.append(
            f"the field {drawn[0]} says when an outline was drawn, not when the fire began: dates may be "
            "days to years late"
        )
    spread, early = _spread(np.where(month, NO_DATE, start), end, ends)
    spread = np.where(month, _MONTH_ONLY, spread)
    return FireDates(start, spread, tuple(used), (*told, *notes, *early), month if month.any() else None)


def _second(first: Sequence[str], second: Sequence[str], rows: int) -> list[str]:
    """Return a line on rows that fields of second choice date, if there are any."""
    return [f"{rows} without a date in {', '.join(first)}: dated by {', '.join(second)}"] if rows else []


def _filled(start: Days, parts: FireDates | None) -> tuple[Days, npt.NDArray[np.bool_], int]:
    """Return days with those of parts where missing, where these have a month alone, and their number."""
    if parts is None:
        return start, np.zeros(len(start), bool), 0
    fill = np.isnat(start) & ~np.isnat(parts.start)
    month = fill & (parts.uncertainty == _MONTH_ONLY)
    return np.where(fill, parts.start, start), month, int(fill.sum())


def _fields(
    by_name: dict[str, str], file: str, table: pd.DataFrame, date_field: str | None, end_field: str | None
) -> tuple[list[str], list[str], bool]:
    """Return the fields of the first and last day, given or of a known inventory, and whether of outlines."""
    for asked in (date_field, end_field):
        if asked is not None and asked.lower() not in by_name:
            raise InputError(f"{file} has no field {asked}; it has {', '.join(map(str, table.columns))}")
    starts: list[str] = [by_name[date_field.lower()]] if date_field is not None else []
    ends: list[str] = [by_name[end_field.lower()]] if end_field is not None else []
    outlines = False
    for known in FIELDS:
        first, last = known.found(by_name)
        if first and (date_field is None or starts[0] in first):
            outlines = not starts and known.inventory == OUTLINES
            starts, ends = starts or first, ends or last
            break
    if starts and not ends:
        ends = found_field(by_name, next(known.end for known in FIELDS if known.inventory == "any"))[:1]
    return starts, [name for name in ends if name not in starts], outlines


def _coalesced(
    table: pd.DataFrame,
    names: list[str],
    order: DateOrder,
    form: str | None,
    notice: Callable[[str], None],
) -> tuple[Days, list[str]]:
    """Read the first of some fields; where it is empty, the next. Return the days and the fields used."""
    days = read_dates(table[names[0]], order, form, notice=notice)
    used = names[:1] if not len(days) or not np.isnat(days).all() else []
    for name in names[1:]:
        if (empty := np.isnat(days)).any():
            days = np.where(empty, read_dates(table[name], order, form, notice=notice), days)
            used = [*used, name] if (empty & ~np.isnat(days)).any() else used
    return days, used


def _ends(
    table: pd.DataFrame,
    names: list[str],
    order: DateOrder,
    form: str | None,
    *,
    asked: bool,
    notice: Callable[[str], None],
) -> tuple[list[str], Days | None, tuple[str, ...]]:
    """Read the last days: the fields used, the days, notes; none where a field that nobody named has none."""
    if not names:
        return [], None, ()
    try:
        days, _ = _coalesced(table, names, order, form, notice)
    except InputError:
        if asked:
            raise
        if form is None:
            order.settled()  # where the order alone is not known, that is to be said
        days = np.full(len(table), NO_DATE)
    held = table[names[0]].dropna().astype(str).str.strip()
    held = held[held.ne("")]
    if asked or not len(held) or not np.isnat(days).all():
        return names, days, ()
    note = f"the field {names[0]} holds no date, such as {held.iloc[0]!r}: ends of fires are not known"
    return [], None, (note,)


def _spread(
    start: Days, end: Days | None, ends: list[str]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return the days from first to last, NaN where one is not known or the last comes first."""
    if end is None:
        return np.full(len(start), np.nan), ()
    length = (end - start).astype(np.float64)
    length[np.isnat(start) | np.isnat(end)] = np.nan
    wrong = int((length < 0).sum())
    notes = (f"{wrong} end ({ends[0]}) before they start: their end is not used",) if wrong else ()
    return np.where(length >= 0, length, np.nan), notes


def _parts(table: pd.DataFrame, by_name: dict[str, str]) -> FireDates | None:
    """Return the dates of year and month, or day of year, in fields of their own; None if there are no such.

    Months may be numbers or names.
    """
    year, month, day, doy = (
        next(iter(found_field(by_name, names)), None)
        for names in (YEAR_PARTS, MONTH_PARTS, DAY_PARTS, DAY_OF_YEAR_PARTS)
    )
    if year is None or (month is None and doy is None):
        return None
    years = _numbers(table[year])
    whole = np.full(len(table), np.nan)
    start: Days = np.full(len(table), NO_DATE)
    if doy is not None:
        start = _ordinal(years, _numbers(table[doy]))
    if month is not None:
        months = np.array([month_number(value) for value in table[month]], np.float64)
        days = np.full(len(table), np.nan) if day is None else _numbers(table[day])
        dated = _calendar(years, months, np.where(days >= 1, days, _MIDDLE))
        use = np.isnat(start)
        whole[use & ~np.isnat(dated) & ~(days >= 1)] = _MONTH_ONLY
        start = np.where(use, dated, start)
    used = tuple(name for name in (year, month, day, doy) if name is not None)
    return FireDates(start, whole, used, month_only=whole == _MONTH_ONLY)


def _parts_alone(parts: FireDates | None, table: pd.DataFrame, file: str) -> FireDates:
    """Return the dates of parts where there are no others.

    Raises:
        InputError: if there are none.
    """
    if parts is None:
        if not len(table):
            raise InputError(f"{file} holds no feature that can be used")
        raise InputError(
            f"{file} has no field with dates (FIREDATE, Ig_Date, Year and StartMonth, ...); name it with "
            f"--date-field (date_field=). It has {', '.join(map(str, table.columns))}"
        )
    if len(table) and np.isnat(parts.start).all():
        raise InputError(
            f"{file}: the fields {', '.join(parts.fields)} hold no date, such as "
            f"{[table[name].iloc[0] for name in parts.fields]!r}; name another field with --date-field"
        )
    return parts


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64)


def _ordinal(years: npt.NDArray[np.float64], days: npt.NDArray[np.float64]) -> Days:
    known = (years >= 1900) & (years <= 2100) & (days >= 1) & (days <= 366)
    first = (
        (np.where(known, years, 1970) - 1970).astype(np.int64).astype("datetime64[Y]").astype("datetime64[D]")
    )
    result = first + (np.where(known, days, 1) - 1).astype(np.int64)
    known &= result.astype("datetime64[Y]") == first.astype("datetime64[Y]")
    return np.where(known, result, NO_DATE)


def _calendar(
    years: npt.NDArray[np.float64], months: npt.NDArray[np.float64], days: npt.NDArray[np.float64]
) -> Days:
    known = (years >= 1900) & (years <= 2100) & (months >= 1) & (days <= 31)
    count = (np.where(known, years, 1970) - 1970) * 12 + np.where(known, months, 1) - 1
    month = count.astype(np.int64).astype("datetime64[M]")
    result = month.astype("datetime64[D]") + (np.where(known, days, 1) - 1).astype(np.int64)
    known &= result.astype("datetime64[M]") == month
    return np.where(known, result, NO_DATE)
