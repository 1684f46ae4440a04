"""Moments as the names of files write them."""

from __future__ import annotations

import numpy as np

from banet.days import day_stamp

__all__ = ["stamp"]


def stamp(moment: np.datetime64, between: str = ".") -> str:
    """Return `YYYYDDD.HHMM`.

    >>> stamp(np.datetime64("2020-01-01T09:06"))
    '2020001.0906'
    """
    day = moment.astype("datetime64[D]")
    minutes = int((moment - day).astype("timedelta64[m]").astype(int))
    return f"{day_stamp(day)}{between}{minutes // 60:02d}{minutes % 60:02d}"
