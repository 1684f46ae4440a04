"""The time that a file tells of itself, held against the time in its name."""

from __future__ import annotations

import re

import numpy as np

from banet.errors import UnreadableFileError

__all__ = ["check_stated_time"]

# By the unit of the time in a name. Granules of NASA start six minutes apart and have minutes in their names,
# those of NOAA 85 seconds and seconds; the next one must not pass for the one that is named.
_NEXT = {"m": np.timedelta64(6, "m"), "s": np.timedelta64(60, "s")}
_STATED = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]*(\d\d):?(\d\d)(?::?(\d\d))?)?.*")


def check_stated_time(file: str, stated: str, named: np.datetime64) -> None:
    """Refuse a file whose content begins at another time than its name says.

    Days are compared where one of both is a day, else times, which may differ by less than the granules
    of names with minutes or with seconds lie apart.

    Args:
        file: its name.
        stated: start that the file tells, UTC, such as `2021-08-05T11:27:00.000Z`, `20210805 112700.0Z` or
            `2021-08-05`; a text that is none passes, as does an empty one.
        named: start that its name says, UTC, in days, minutes or seconds.

    Raises:
        UnreadableFileError: if it begins on another day, or six minutes away, one where names have seconds.
    """
    found = _STATED.fullmatch(stated.strip())
    if found is None:
        return
    day, clock = "-".join(found.groups()[:3]), found.groups()[3:]
    unit = np.datetime_data(named.dtype)[0]
    with_clock = clock[0] is not None and unit != "D"
    try:
        begins = np.datetime64(f"{day}T{':'.join(filter(None, clock))}" if with_clock else day)
    except ValueError:  # a month 13 is no date
        return
    expected = named if with_clock else named.astype("datetime64[D]")
    if abs(begins - expected) >= (_NEXT[unit] if with_clock else np.timedelta64(1, "D")):
        raise UnreadableFileError(f"{file} holds {begins}, its name says {expected}; was it renamed?")
