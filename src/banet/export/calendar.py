"""Dates for readers: periods in words and ticks of date axes, in English whatever the locale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from banet.days import Day, Days

__all__ = ["date_ticks", "in_words", "period_in_words"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _parts(day: Day) -> tuple[int, int, int]:
    year, month, number = str(day.astype("datetime64[D]")).split("-")
    return int(year), int(month), int(number)


def in_words(day: Day, *, year: bool = True) -> str:
    """Return a day as `5 Aug 2021`.

    >>> in_words(np.datetime64("2021-08-05"))
    '5 Aug 2021'
    """
    y, month, number = _parts(day)
    return f"{number} {_MONTHS[month - 1]} {y}" if year else f"{number} {_MONTHS[month - 1]}"


def period_in_words(start: Day, stop: Day) -> str:
    """Return the days from `start` up to, not including, `stop` in words, whole months by their names.

    >>> period_in_words(np.datetime64("2020-12-01"), np.datetime64("2021-02-01"))
    'Dec 2020 to Jan 2021'
    >>> period_in_words(np.datetime64("2021-08-03"), np.datetime64("2021-08-15"))
    '3 to 14 Aug 2021'
    """
    last = stop - np.timedelta64(1, "D")
    (y0, m0, d0), (y1, m1, _) = _parts(start), _parts(last)
    if d0 == 1 and _parts(stop)[2] == 1:
        end = f"{_MONTHS[m1 - 1]} {y1}"
        if (y0, m0) == (y1, m1):
            return end
        return f"{_MONTHS[m0 - 1]}{'' if y0 == y1 else f' {y0}'} to {end}"
    if start == last:
        return in_words(start)
    if (y0, m0) == (y1, m1):
        return f"{d0} to {in_words(last)}"
    return f"{in_words(start, year=y0 != y1)} to {in_words(last)}"


# From fine to coarse: which days get a tick.
_RULES: tuple[Callable[[int, int, int], bool], ...] = (
    lambda _index, _month, _number: True,
    lambda index, _month, _number: index % 2 == 0,
    lambda _index, _month, number: number in (1, 6, 11, 16, 21, 26),
    lambda _index, _month, number: number in (1, 11, 21),
    lambda _index, _month, number: number in (1, 16),
    lambda _index, _month, number: number == 1,
    lambda _index, month, number: number == 1 and month in (1, 4, 7, 10),
    lambda _index, month, number: number == 1 and month in (1, 7),
    lambda _index, month, number: number == 1 and month == 1,
)


def date_ticks(days: Days, most: int) -> tuple[list[int], list[str]]:
    """Return places (indices of days) and texts of at most `most` ticks.

    The first tick of a second or later year carries the year.
    """
    parts = [_parts(day) for day in days]
    for rule in _RULES:
        places = [i for i, (_, month, number) in enumerate(parts) if rule(i, month, number)]
        if 2 <= len(places) <= most:
            break
    else:
        places = sorted({0, len(days) - 1})
    by_month = len(days) > 70 and all(parts[i][2] == 1 for i in places)
    texts, year = [], parts[0][0]
    for place in places:
        y, month, number = parts[place]
        text = _MONTHS[month - 1] if by_month else f"{number} {_MONTHS[month - 1]}"
        texts.append(text if y == year else f"{text} {y}")
        year = y
    return places, texts
