"""The colours that every map, style file and picture of banet shares.

Dates run through matplotlib's `plasma` without its palest end: lightness rises evenly with time, also to
eyes that confuse red and green, and every day stands out from the near-white of unburned land.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from banet.days import Days

__all__ = [
    "AGREEMENT",
    "NOT_OBSERVED",
    "UNBURNED",
    "WATER",
    "confidence_table",
    "date_colours",
    "hex_colour",
    "uncertainty_table",
]

Rgb = npt.NDArray[np.uint8]

WATER = (200, 221, 236)
NOT_OBSERVED = (190, 190, 186)
UNBURNED = (248, 246, 240)
INK = (38, 38, 42)

# Hit, miss, false alarm, correct rejection: Okabe and Ito (2008), safe for colour-blind readers.
AGREEMENT = {
    "hit": (34, 34, 34),
    "miss": (0, 114, 178),
    "false alarm": (230, 159, 0),
    "correct": UNBURNED,
}

_DATE_RANGE = (0.03, 0.88)
_UNCERTAINTY_END = 31


def hex_colour(rgb: tuple[int, int, int] | Rgb) -> str:
    """Return `#rrggbb`.

    >>> hex_colour((200, 221, 236))
    '#c8ddec'
    """
    return "#{:02x}{:02x}{:02x}".format(*(int(value) for value in rgb))


@functools.cache
def _ramp(name: str, start: float, stop: float, count: int) -> Rgb:
    import matplotlib as mpl

    positions = np.linspace(start, stop, count) if count > 1 else np.array([(start + stop) / 2])
    rgb = mpl.colormaps[name](positions)[:, :3]
    colours: Rgb = np.round(rgb * 255).astype(np.uint8)
    return colours


def date_colours(days: Days) -> Rgb:
    """Return a colour for each day of a period, (days, 3) uint8, dark at its start and light at its end."""
    return _ramp("plasma", *_DATE_RANGE, len(days))


def confidence_table() -> dict[int, tuple[int, int, int, int]]:
    """Return the colour table of confidence: red, green, blue, alpha by value; 255 is transparent."""
    ramp = _ramp("YlOrBr", 0.0, 0.95, 101)
    return _table(ramp)


def uncertainty_table() -> dict[int, tuple[int, int, int, int]]:
    """Return the colour table of date uncertainty: by day up to 31, the same above; 255 is transparent."""
    ramp = _ramp("viridis_r", 0.05, 0.95, _UNCERTAINTY_END + 1)
    return _table(ramp)


def _table(ramp: Rgb) -> dict[int, tuple[int, int, int, int]]:
    last = len(ramp) - 1
    colours = ramp[np.minimum(np.arange(255), last)]
    table = {value: (int(r), int(g), int(b), 255) for value, (r, g, b) in enumerate(colours)}
    return {**table, 255: (0, 0, 0, 0)}
