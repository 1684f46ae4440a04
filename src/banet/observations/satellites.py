"""Names of satellites: as tables of hot spots have them, as people write them, and as files begin."""

from __future__ import annotations

import re

__all__ = ["TITLES", "VIIRS", "letters_of", "title_of"]

VIIRS = ("S-NPP", "NOAA-20", "NOAA-21")
"""Satellites that carry VIIRS, as people write them."""
TITLES = {**dict(zip(("N", "N20", "N21"), VIIRS, strict=True)), "Terra": "Terra", "Aqua": "Aqua"}
"""Satellites as people write them, by the letters that tables of hot spots have."""

# Names in capitals, letters and digits alone, without the instrument. Those of INPE end in 375, D, MM or MT.
_LETTERS = {
    **dict.fromkeys(("N", "NPP", "SNPP", "SUOMINPP", "SUOMI", "VNP", "NPP375", "NPP375D"), "N"),
    **dict.fromkeys(("1", "J1", "J01", "JPSS1", "VJ1", "N20", "NOAA20", "NOAA20D"), "N20"),
    **dict.fromkeys(("2", "J2", "J02", "JPSS2", "VJ2", "N21", "NOAA21", "NOAA21D"), "N21"),
    **dict.fromkeys(("T", "TERRA", "TERRAMM", "TERRAMT"), "Terra"),
    **dict.fromkeys(("A", "AQUA", "AQUAMM", "AQUAMT"), "Aqua"),
}


def letters_of(name: str) -> str:
    """Return the letters of a satellite, however it is named; the name itself where we do not know it.

    >>> letters_of("Suomi NPP"), letters_of("VJ1"), letters_of("GOES-16")
    ('N', 'N20', 'GOES-16')
    """
    bare = re.sub(r"[^A-Z0-9]", "", name.upper())
    return _LETTERS.get(re.sub(r"^(VIIRS|MODIS)|(VIIRS|MODIS)$", "", bare), name)


def title_of(name: str) -> str:
    """Return a satellite that we know as people write it.

    >>> title_of("vnp"), title_of("j01")
    ('S-NPP', 'NOAA-20')
    """
    return TITLES[letters_of(name)]
