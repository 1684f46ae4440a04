"""Windows of days: those that the network sees, and those of them that go into the map.

The network reads a whole sequence of days at once. The days near its ends have less context than those in
its middle, so a month is read with days before and after it and only the month's own days are kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from banet.days import ONE_DAY, Day, Days, as_day, as_month, day_range, month_days, month_range, whole_months
from banet.errors import InputError

__all__ = [
    "SEQUENCE_LENGTH",
    "Window",
    "kept_days",
    "month_window",
    "month_windows",
    "nrt_window",
    "period_windows",
    "split_months",
]

SEQUENCE_LENGTH = 64
_MULTIPLE = 16


@dataclass(frozen=True)
class Window:
    """A sequence of days for the network, and the part of it that is kept. Both ranges are half-open.

    Attributes:
        start, stop: the days that the network sees; their number is a multiple of 16.
        keep_start, keep_stop: the days that go into the map, within the former.

    Raises:
        InputError: if the kept days are none or reach beyond the sequence, or its length is no multiple
            of 16.
    """

    start: Day
    stop: Day
    keep_start: Day
    keep_stop: Day

    def __post_init__(self) -> None:
        for name in ("start", "stop", "keep_start", "keep_stop"):
            object.__setattr__(self, name, as_day(getattr(self, name)))
        if not self.start <= self.keep_start < self.keep_stop <= self.stop:
            raise InputError(
                f"the kept days {self.keep_start} to {self.keep_stop} (not included) must be at least a day "
                f"within {self.start} to {self.stop}"
            )
        _check_length(self.length)

    @property
    def length(self) -> int:
        """Number of days that the network sees."""
        return int((self.stop - self.start) // ONE_DAY)

    @property
    def days(self) -> Days:
        """The days that the network sees."""
        return day_range(self.start, self.stop)

    @property
    def kept(self) -> Days:
        """The days that are kept."""
        return day_range(self.keep_start, self.keep_stop)

    @property
    def keep(self) -> slice:
        """Place of the kept days along the network's time axis."""
        return slice(
            int((self.keep_start - self.start) // ONE_DAY), int((self.keep_stop - self.start) // ONE_DAY)
        )


def month_window(month: Any, length: int = SEQUENCE_LENGTH) -> Window:
    """Return the sequence that serves a calendar month, all of whose days are kept.

    With 64 days it starts on the 15th of the month before (Pinto et al. 2020). With another length the
    month lies in its middle.

    Args:
        month: `YYYY-MM`, or any day of the month.
        length: number of days that the network sees, a multiple of 16 and no shorter than the month.

    Raises:
        InputError: if it is no month, or the length cannot hold it.

    >>> window = month_window("2021-03")
    >>> window.start, window.stop, window.kept.size
    (np.datetime64('2021-02-15'), np.datetime64('2021-04-20'), 31)
    """
    _check_length(length)
    which = as_month(month)
    first, after = month_days(which)
    days = int((after - first) // ONE_DAY)
    if length < days:
        raise InputError(f"a window of {length} days cannot hold the {days} days of {which}; take 32 or more")
    if length == SEQUENCE_LENGTH:
        start = (which - 1).astype("datetime64[D]") + 14 * ONE_DAY
    else:
        start = first - (length - days) // 2 * ONE_DAY
    return Window(start, start + length * ONE_DAY, first, after)


def month_windows(start: Any, end: Any, length: int = SEQUENCE_LENGTH) -> tuple[Window, ...]:
    """Return the windows of the months from `start` to `end`, both included; their kept days join.

    Raises:
        InputError: if `end` is before `start`.
    """
    return tuple(month_window(month, length) for month in month_range(start, end))


def split_months(start: Day, stop: Day) -> list[tuple[Day, Day]]:
    """Return the months of a half-open period of whole months; a period of other days as it is.

    >>> len(split_months(np.datetime64("2020-08-01"), np.datetime64("2020-10-01")))
    2
    >>> len(split_months(np.datetime64("2020-08-02"), np.datetime64("2020-10-01")))
    1
    """
    if not whole_months(start, stop):
        return [(start, stop)]
    months = np.arange(as_month(start), as_month(stop) + 1).astype("datetime64[D]")
    return list(itertools.pairwise(months))


def period_windows(start: Day, stop: Day, there: Days, length: int = SEQUENCE_LENGTH) -> tuple[Window, ...]:
    """Return the windows that serve any period; their kept days join.

    Whole months have the windows of `month_windows`. Other days are cut evenly into parts of at most half a
    window, each of which lies in the middle of its own, so that a quarter of the window or more is context on
    either side. Where the cube ends sooner on one side, the window moves to the other, but never so far that
    it loses a day that is kept.

    Args:
        start: first day to map.
        stop: the day after the last.
        there: days of the cube, sorted.
        length: number of days that the network sees, a multiple of 16.

    Raises:
        InputError: if there is no day, or the length does not fit.

    >>> (window,) = period_windows(np.datetime64("2020-08-15"), np.datetime64("2020-08-21"), np.array([]))
    >>> window.start, window.stop
    (np.datetime64('2020-07-17'), np.datetime64('2020-09-19'))
    """
    _check_length(length)
    days = int((stop - start) // ONE_DAY)
    if days < 1:
        raise InputError(f"the period {start} to {stop} (not included) holds no day")
    if whole_months(start, stop):
        return month_windows(start, stop - ONE_DAY, length)
    count = -(-days // (length // 2))
    borders = [start + days * part // count * ONE_DAY for part in range(count + 1)]
    return tuple(_middle(first, after, there, length) for first, after in itertools.pairwise(borders))


def _middle(first: Day, after: Day, there: Days, length: int) -> Window:
    """Return the window that has these days in its middle, moved to where the cube holds days."""
    spare = length - int((after - first) // ONE_DAY)
    start = first - spare // 2 * ONE_DAY
    if there.size and there[-1] - there[0] >= (length - 1) * ONE_DAY:
        start = np.clip(start, there[0], there[-1] + ONE_DAY - length * ONE_DAY)
    start = np.clip(start, first - spare * ONE_DAY, first)
    return Window(start, start + length * ONE_DAY, first, after)


def nrt_window(day: Any, length: int = SEQUENCE_LENGTH) -> Window:
    """Return the last `length` days up to and including `day`, all of which are kept.

    >>> window = nrt_window("2021-08-10")
    >>> window.start, window.stop
    (np.datetime64('2021-06-08'), np.datetime64('2021-08-11'))
    """
    _check_length(length)
    stop = as_day(day) + ONE_DAY
    start = stop - length * ONE_DAY
    return Window(start, stop, start, stop)


def kept_days(windows: Sequence[Window]) -> Days:
    """Join the kept days of windows that follow one another.

    Raises:
        InputError: if there is no window, or one does not begin on the day after the one before.
    """
    if not windows:
        raise InputError("no window to map; give at least one month or day")
    for before, after in itertools.pairwise(windows):
        if after.keep_start != before.keep_stop:
            raise InputError(
                f"the kept days of a window start on {after.keep_start}; they must follow the ones before, "
                f"which end with {before.keep_stop - ONE_DAY}"
            )
    return day_range(windows[0].keep_start, windows[-1].keep_stop)


def _check_length(length: int) -> None:
    if not isinstance(length, int | np.integer) or length < _MULTIPLE or length % _MULTIPLE:
        raise InputError(f"a window of {length} days; the network needs a multiple of {_MULTIPLE}")
