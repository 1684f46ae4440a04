"""Columns of dates as people write them: text in every order, numbers of every kind, one rule for a column.

No date is guessed. Text with the year first says its order; for day and month first, one value with a number
above 12 decides for the whole column, and a column of which none does is refused with advice. Numbers are
read as the one form that all of them can be. Text of two dates is none, and neither are the days with which
databases fill an empty field. Times with an offset are brought to UTC, but one of 00:00 there says a day
alone: the local one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import NO_DATE, Day, Days, as_day, from_day_of_year
from banet.errors import InputError
from banet.labels.month_names import named_month

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "DateOrder", "month_number", "read_dates"]

FORMATS = (
    "ymd",
    "dmy",
    "mdy",
    "yyyymmdd",
    "yyyyddd",
    "yyyymmddhh",
    "yyyymmddhhmm",
    "yyyymmddhhmmss",
    "s",
    "ms",
    "us",
    "ns",
    "excel",
)
"""Words that `date_format` may be, beside a pattern such as `%d.%m.%Y`."""

_FIRST, _STOP = np.datetime64("1900-01-01", "D"), np.datetime64("2101-01-01", "D")
_FILLED = np.array(["1900-01-01", "1970-01-01"], "datetime64[D]")
"""Days within these bounds that stand for none."""
_FURTHEST = 14 * 60
"""Minutes of the largest offset from UTC."""
_EMPTY = frozenset({"", "nan", "nat", "none", "null", "n/a", "na", "-", "--", "unknown", "unk", "0", "?"})
_CLOCK = (
    r"(?:[T\s,:]+(?P<clock>\d{1,2}[:h]\d{2})(?P<seconds>:\d{2}(?:[.,]\d+)?)?"
    r"\s*(?:(?P<half>[AaPp])\.?\s?[Mm]\.?)?\s*(?P<utc>Z|UTC|GMT)?(?P<zone>[-+]\d{2}(?::?\d{2})?)?)?"
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]\s?)(\d{1,2})\2(\d{1,2})\.?" + _CLOCK + r"\s*(?:Z|UTC|GMT)?")
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.]\s?)(\d{1,2})\2(\d{4})\.?" + _CLOCK + r"\s*(?:Z|UTC|GMT)?")
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d(?:[.,]\d+)?)?)?(.*)")
_DIGITS_YEAR_LAST = re.compile(r"(\d\d)(\d\d)((?:19|20)\d\d)")
"""Eight digits that are no year, month and day, since there is no month 19 or 20."""
_WEEKDAYS = (
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?",
    r"(?:seg(?:unda)?|ter(?:[çc]a)?|qua(?:rta)?|qui(?:nta)?|sex(?:ta)?)(?:-feira)?|s[áa]b(?:ado)?|dom(?:ingo)?",
    r"lun(?:es)?|mar(?:tes)?|mi[ée](?:rcoles)?|jue(?:ves)?|vie(?:rnes)?",
    r"lundi|mardi|mer(?:credi)?|jeu(?:di)?|ven(?:dredi)?|sam(?:edi)?|dim(?:anche)?",
    r"luned[ìi]|marted[ìi]|mercoled[ìi]|gio(?:ved[ìi])?|venerd[ìi]|domenica",
    r"mo(?:ntag)?|di(?:enstag)?|mi(?:ttwoch)?|do(?:nnerstag)?|fr(?:eitag)?|sa(?:mstag)?|so(?:nntag)?",
)
_LEAD = rf"(?:(?:{'|'.join(_WEEKDAYS)})\.?,?\s+)?(?:(?:on|the|le|el|il|em|am|dia)\s+)*"
_TAIL = r"(?:\s*[,;]?\s*(?:at|um|alle|às|à|a\s+las))?" + _CLOCK + r"[^\d/]*"
_NAMED = tuple(
    re.compile(_LEAD + pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?[-\s/.,]*(?:de\s+|of\s+)?(?P<month>[^\W\d_]{3,})"
        r"[-\s/.,]*(?:de\s+)?(?P<year>\d{4})" + _TAIL,
        r"(?P<month>[^\W\d_]{3,})[-\s/.]*(?P<day>\d{1,2})(?:st|nd|rd|th)?[-\s/.,]+(?P<year>\d{4})" + _TAIL,
        r"(?P<year>\d{4})[-\s/.]*(?P<month>[^\W\d_]{3,})[-\s/.]*(?P<day>\d{1,2})" + _CLOCK,
        # Databases write 05-AUG-20 or 05AUG20.
        r"(?P<day>\d{1,2})[-\s/.]?(?P<month>[^\W\d_]{3,})[-\s/.]?(?P<year>\d{2})" + _CLOCK,
    )
)
"""Dates with the month by name."""


@dataclass(frozen=True)
class _Moment:
    """A local day, minutes of its clock, and minutes by which that is ahead of UTC, None if not said."""

    day: Day
    clock: float = 0
    ahead: float | None = None

    @property
    def utc_day(self) -> Day:
        return self.day + np.timedelta64(int((self.clock - (self.ahead or 0)) // 1440), "D")


class DateOrder:
    """Order of day and month, found from all the values of a file's columns.

    Attributes:
        word: `dmy`, `mdy`, or empty while no value tells.
    """

    def __init__(self) -> None:
        self.word = ""
        self.ambiguous: tuple[str, str] | None = None

    def look(self, values: Sequence[Any], column: str) -> None:
        """Take what the values of a column say.

        Raises:
            InputError: if some have the day first and some the month.
        """
        for value in values:
            found = _YEAR_LAST.fullmatch(_apart(value.strip())) if isinstance(value, str) else None
            if found is None:
                continue
            first, second = int(found[1]), int(found[3])
            says = "dmy" if first > 12 else "mdy" if second > 12 else ""
            if says and self.word and says != self.word:
                raise InputError(
                    f"the field {column} has dates with the day first and with the month first, such as "
                    f"{value!r}; mend the field, or name another with --date-field"
                )
            self.word = self.word or says
            if not says and first != second and self.ambiguous is None:
                self.ambiguous = (column, value)

    def settled(self) -> str:
        """Return the order.

        Raises:
            InputError: if there are values that need it and none tells.
        """
        if not self.word and self.ambiguous is not None:
            column, value = self.ambiguous
            raise InputError(
                f"the field {column} has dates such as {value!r}, of which none tells whether the day or the "
                "month comes first; say --date-format dmy or mdy (date_format=)"
            )
        return self.word or "dmy"


def read_dates(
    column: pd.Series[Any],
    order: DateOrder | None = None,
    form: str | None = None,
    *,
    notice: Callable[[str], None] | None = None,
) -> Days:
    """Read a column of dates.

    Args:
        column: dates, text or numbers.
        order: found from all columns of the file; from this one alone if None.
        form: one of `FORMATS` or a pattern for `strptime`; None to find out.
        notice: called with a line where local days are taken, see below, and where all times look like 00:00
            of a zone ahead of UTC that was brought to UTC, so that their days may be those before.

    Returns:
        UTC days, or local ones where a time is 00:00 in its zone, (n,) datetime64[D]. NaT where there is none
        or it cannot be read, as text of two dates, and where a day stands for none: 1900-01-01, 1970-01-01
        and whatever lies before 1900 or after 2100.

    Raises:
        InputError: if the form is unknown, the numbers can be no dates, or the order cannot be told.
    """
    import pandas as pd

    if form is not None and "%" not in form and form not in FORMATS:
        raise InputError(
            f"no form of dates {form!r}; give one of {', '.join(FORMATS)}, or a pattern such as %d/%m/%Y"
        )
    name = str(column.name)
    if pd.api.types.is_datetime64_any_dtype(column):
        utc, local = pd.to_datetime(column, utc=True).dt.tz_localize(None), column.dt.tz_localize(None)
        utc_days, local_days = (stamps.to_numpy().astype("datetime64[D]") for stamps in (utc, local))
        if local.equals(utc):
            clocks = utc.dropna().drop_duplicates()
            minutes = (clocks - clocks.dt.normalize()).dt.total_seconds() / 60
            _tell_midnights(minutes.tolist(), name, notice)
        midnight = (local == local.dt.normalize()).to_numpy(bool)
        return _bounded(_local_at(midnight, local_days, utc_days, name, notice))
    texts = [_text(value) for value in column]
    if form is not None and "%" in form:
        return _bounded(_days(texts, lambda text: _by_pattern(text, form), name, notice))
    given = [text for text in texts if text is not None]
    if form is None or form in ("ymd", "dmy", "mdy"):  # a number has lost its first zero
        texts = [
            _apart(text) if text and isinstance(value, str) else text
            for text, value in zip(texts, column, strict=True)
        ]
    if given and all(re.fullmatch(r"-?\d+(?:\.\d*)?", text or "0") for text in texts):
        return _of_numbers(texts, name, None if form in ("ymd", "dmy", "mdy") else form, notice)
    known = order or DateOrder()
    if form in ("dmy", "mdy"):
        known = DateOrder()
        known.word = form
    elif order is None:
        known.look(given, name)
    first = known.settled()
    return _bounded(_days(texts, lambda text: _of_text(text, first), name, notice))


def month_number(value: Any) -> float:
    """Return the number of a month given as number or by name, see `named_month`; NaN if it is none.

    >>> month_number("Agosto"), month_number("8"), month_number("Aug."), month_number("juin")
    (8.0, 8.0, 8.0, 6.0)
    """
    text = _text(value)
    if text is None:
        return np.nan
    if re.fullmatch(r"\d{1,2}(?:\.0*)?", text):
        number = float(text)
        return number if 1 <= number <= 12 else np.nan
    return named_month(text)


def _text(value: Any) -> str | None:
    """Return the text of a value; None where it says nothing."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, bytes):
        value = value.decode(errors="replace")
    text = str(value).strip()
    return None if text.lower() in _EMPTY or text == "<NA>" else text


def _apart(text: str) -> str:
    """Return eight digits with the year last as a date with its parts apart, any other text as it is."""
    found = _DIGITS_YEAR_LAST.fullmatch(text)
    return "/".join(found.groups()) if found else text


def _each(texts: Sequence[str | None], read: Callable[[str], Day]) -> Days:
    """Read texts, each different one once."""
    known: dict[str, Day] = {}
    for text in texts:
        if text is not None and text not in known:
            try:
                known[text] = read(text)
            except (ValueError, OverflowError):
                known[text] = NO_DATE
    return np.array([NO_DATE if text is None else known[text] for text in texts], "datetime64[D]")


def _days(
    texts: Sequence[str | None],
    read: Callable[[str], _Moment],
    name: str,
    notice: Callable[[str], None] | None,
) -> Days:
    """Read texts of moments, each different one once, to UTC days, or local ones at 00:00."""
    moments: dict[str | None, _Moment] = {}
    for text in dict.fromkeys(text for text in texts if text is not None):
        with contextlib.suppress(ValueError, OverflowError):
            moments[text] = read(text)
    if all(moment.ahead == 0 for moment in moments.values()):
        _tell_midnights([moment.clock for moment in moments.values()], name, notice)
    held = [moments.get(text) for text in texts]
    local, utc = (
        np.array(days, "datetime64[D]")
        for days in (
            [NO_DATE if moment is None else moment.day for moment in held],
            [NO_DATE if moment is None else moment.utc_day for moment in held],
        )
    )
    midnight = np.array([moment is not None and moment.clock == 0 for moment in held], bool)
    return _local_at(midnight, local, utc, name, notice)


def _local_at(
    midnight: npt.NDArray[np.bool_], local: Days, utc: Days, name: str, notice: Callable[[str], None] | None
) -> Days:
    """Return local days where the time is 00:00, and tell how many differ from UTC days; else these."""
    moved = midnight & ~np.isnat(local) & (local != utc)
    if notice is not None and moved.any():
        notice(f"{int(moved.sum())} times of the field {name} are 00:00 ahead of UTC: taken as local days")
    return np.where(midnight, local, utc)


def _tell_midnights(minutes: Collection[float], name: str, notice: Callable[[str], None] | None) -> None:
    """Tell where all different times, in minutes of the day in UTC, may be 00:00 of a zone ahead of it.

    These are one time of 11:00 or later, or two an hour apart where summer has a time of its own. One of
    12:00 marks noon, more often than a zone 12 hours ahead.
    """
    times = sorted(set(minutes))
    if notice is None or len(minutes) < 2 or times[0] < 11 * 60 or times == [12 * 60]:
        return
    if times[-1] - times[0] not in (0, 60) or len(times) > 2 or any(time % 30 for time in times):
        return
    shown = " or ".join(f"{int(time) // 60:02d}:{int(time) % 60:02d}" for time in times)
    notice(
        f"all times of the field {name} are {shown} UTC, as 00:00 of a zone ahead of UTC: if they stand for "
        "days, each date is a day early; give the local days as text such as 2020-08-05"
    )


def _by_pattern(text: str, pattern: str) -> _Moment:
    import datetime as dt

    moment = dt.datetime.strptime(text, pattern)
    offset = moment.utcoffset()
    ahead = None if offset is None else offset.total_seconds() / 60
    clock = (moment.replace(tzinfo=None) - dt.datetime.combine(moment, dt.time())).total_seconds() / 60
    return _Moment(as_day(moment.date()), clock, ahead)


def _of_text(text: str, order: str) -> _Moment:
    if found := _YEAR_FIRST.fullmatch(text):
        return _moment(_day(found[1], found[3], found[4]), found)
    if found := _YEAR_LAST.fullmatch(text):
        day, month = (found[1], found[3]) if order == "dmy" else (found[3], found[1])
        return _moment(_day(found[4], month, day), found)
    if found := _ORDINAL.fullmatch(text):
        return _Moment(from_day_of_year(int(found[1]), int(found[2])))
    for pattern in _NAMED:
        if found := pattern.fullmatch(text):
            return _moment(_named_day(found), found)
    if found := _DIGITS.fullmatch(text):
        year, month, day, hour, minute, second, rest = found.groups()
        clock = "" if hour is None else f"T{hour}:{minute}" + (f":{second}" if second else "")
        if found := _YEAR_FIRST.fullmatch(f"{year}-{month}-{day}{clock}{rest}"):
            return _moment(_day(year, month, day), found)
    raise ValueError(text)


def _named_day(found: re.Match[str]) -> Day:
    number, year = month_number(found["month"]), found["year"]
    if np.isnan(number):
        raise ValueError(found["month"])
    if len(year) == 2:  # 70 to 99 are of the last century
        year = f"{'19' if year >= '70' else '20'}{year}"
    return _day(year, str(int(number)), found["day"])


def _day(year: str, month: str, day: str) -> Day:
    return np.datetime64(f"{int(year):04d}-{int(month):02d}-{int(day):02d}", "D")


def _moment(day: Day, found: re.Match[str]) -> _Moment:
    """Return a day and its clock, if a text has one, with the offset from UTC, if it has that."""
    clock, half, zone = found["clock"], found["half"], found["zone"]
    if not clock:
        return _Moment(day)
    hours, minutes = (int(part) for part in re.split("[:h]", clock))
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    seconds = float((found["seconds"] or "0").lstrip(":").replace(",", "."))
    moment = hours * 60 + minutes + seconds / 60
    if not zone:  # a clock without a zone does not move its day
        return _Moment(day, min(moment, 1439), 0 if found["utc"] else None)
    offset = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    if offset > _FURTHEST:  # the end of a span of hours
        raise ValueError(zone)
    return _Moment(day, moment, offset if zone[0] == "+" else -offset)


def _calendar(number: int) -> Day:
    text = str(number)
    return _day(text[:4], text[4:6], text[6:8])


def _long_calendar(number: int) -> Day:
    text = str(number)
    if int(text[8:10]) > 23 or int(text[10:12] or 0) > 59:
        raise ValueError(text)
    return _calendar(number)


_EPOCH, _EXCEL = np.datetime64("1970-01-01", "D"), np.datetime64("1899-12-30", "D")


@dataclass(frozen=True)
class _Form:
    """A form of numbers: its word, the range that they lie in (half-open), the day of one.

    Two forms share a range; the one that is `exact` is taken only if the calendar has every number. `unit`
    is the length of a day in forms that count time.
    """

    word: str
    low: float
    high: float
    day: Callable[[int], Day]
    exact: bool = False
    unit: int = 0

    def read(self, numbers: Sequence[int | None], *, asked: bool) -> Days | None:
        """Return the days of the numbers; None if they are no such numbers."""
        held = [n for n in numbers if n is not None]
        low = 1.0 if asked else self.low
        if not all(low <= n < self.high for n in held):
            return None
        days = _each([None if n is None else str(n) for n in numbers], lambda text: self.day(int(text)))
        valid = int((~np.isnat(days)).sum())
        enough = len(held) if self.exact and not asked else max(1, (len(held) + 1) // 2)
        return days if valid >= enough or not held else None


def _since(first: Day, unit: int) -> Callable[[int], Day]:
    return lambda number: first + np.timedelta64(number // unit, "D")


def _moments(word: str, low: float, high: float, unit: int) -> _Form:
    return _Form(word, low, high, _since(_EPOCH, unit), unit=unit)


_DAY_S = 86_400
_NUMBERS = (
    _Form("yyyymmdd", 1900_01_01, 2101_01_01, _calendar),
    _Form("yyyyddd", 1900_001, 2100_367, lambda number: from_day_of_year(number // 1000, number % 1000)),
    _Form("yyyymmddhh", 1970_01_01_00, 2101_01_01_00, _long_calendar, exact=True),
    _Form("yyyymmddhhmm", 1900_01_01_0000, 2101_01_01_0000, _long_calendar, exact=True),
    _Form("yyyymmddhhmmss", 1900_01_01_000000, 2101_01_01_000000, _long_calendar),
    _moments("s", 1e8, 4.2e9, _DAY_S),
    _moments("ms", 1e11, 4.2e12, _DAY_S * 10**3),
    _moments("us", 1e14, 4.2e15, _DAY_S * 10**6),
    _moments("ns", 1e17, 4.2e18, _DAY_S * 10**9),
    _Form("excel", 25_569, 73_416, _since(_EXCEL, 1)),
)
_NEVER = (9999, 99999999, 99991231)


def _of_numbers(
    texts: Sequence[str | None], name: str, word: str | None, notice: Callable[[str], None] | None
) -> Days:
    """Read numbers as the one form that all of them can be.

    Raises:
        InputError: if there is no such form.
    """
    numbers = [None if text is None else int(float(text)) if "." in text else int(text) for text in texts]
    numbers = [None if n is None or n <= 0 or n in _NEVER else n for n in numbers]
    for form in _NUMBERS:
        if word in (None, form.word):
            days = form.read(numbers, asked=word is not None)
            if days is not None:
                if form.unit:
                    held = {n for n in numbers if n is not None}
                    _tell_midnights([n % form.unit * 1440 / form.unit for n in held], name, notice)
                return _bounded(days)
    shown = ", ".join(list(dict.fromkeys(str(n) for n in numbers if n is not None))[:3])
    raise InputError(
        f"the field {name} holds numbers such as {shown}, which are no dates of one form "
        f"({word or ', '.join(form.word for form in _NUMBERS)}); say --date-format, or name another field "
        "with --date-field"
    )


def _bounded(days: Days) -> Days:
    inside: npt.NDArray[np.bool_] = (days >= _FIRST) & (days < _STOP) & ~np.isin(days, _FILLED)
    return np.where(inside, days, NO_DATE)
