"""Moments as the names of files write them."""

from __future__ import annotations

import numpy as np

from banet.days import day_of_year

__all__ = ["day_stamp", "stamp"]


def day_stamp(day: np.datetime64) -> str:
    """Return `YYYYDDD`.

    >>> day_stamp(np.datetime64("2020-12-31"))
    '2020366'
    """
    return f"{str(day)[:4]}{int(day_of_year(np.array([day.astype('datetime64[D]')]))[0]):03d}"


def stamp(moment: np.datetime64, between: str = ".") -> str:
    """Return `YYYYDDD.HHMM`.

    >>> stamp(np.datetime64("2020-01-01T09:06"))
    '2020001.0906'
    """
    day = moment.astype("datetime64[D]")
    minutes = int((moment - day).astype("timedelta64[m]").astype(int))
    return f"{day_stamp(day)}{between}{minutes // 60:02d}{minutes % 60:02d}"
