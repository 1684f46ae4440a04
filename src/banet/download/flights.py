"""Days on which each satellite gave data, so that nothing is searched for outside them.

The dates are settings (`flights`), since they come from the agencies' announcements: S-NPP's deliveries ended
on 2026-11-01, and the products that are made of it alone end with it.
"""

from __future__ import annotations

import numpy as np

from banet.days import Day
from banet.download.settings import Settings

__all__ = ["flown"]


def flown(settings: Settings, satellite: str, first: Day, last: Day) -> tuple[Day, Day, str]:
    """Return the days of a period on which a satellite flew, and a line on the rest.

    Args:
        settings: names the flights; a satellite without one flies always.
        satellite: as the settings name it.
        first: UTC day.
        last: UTC day, included.

    Returns:
        First and last day, the last before the first where there is none, and the line, empty where nothing
        is left out.
    """
    begin, end = settings.flights.get(satellite, (None, None))
    start = first if begin is None else max(first, np.datetime64(begin, "D"))
    stop = last if end is None else min(last, np.datetime64(end, "D"))
    if (start, stop) == (first, last):
        return start, stop, ""
    known = f"has data {f'from {begin}' if end is None else f'from {begin} to {end}'}"
    return start, stop, f"{satellite} {known}; other days are not searched for (flights in the settings)"
