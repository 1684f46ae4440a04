"""Names of files by which both downloads and readers know their days."""

from __future__ import annotations

import re

__all__ = ["OWN_TABLE", "SDR"]

OWN_TABLE = re.compile(
    r"firms_(?P<source>[A-Z0-9_]+?_(?:SP|NRT))_(?P<place>(?P<region>[\w-]+)-[0-9a-f]{6})"
    r"_(?P<first>\d{8})_(?P<last>\d{8})(?:(?P<open>_open)|_early)?\.csv"
)
"""Name of a table that `banet download hotspots` fetched: its place is a region and a mark of its box.

`_open`: the last day had not ended when it was fetched; `_early`: it had, but rows may still come.
"""

SDR = re.compile(
    r"(?P<parts>[A-Z0-9]{5}(?:-[A-Z0-9]{5})*)_(?P<satellite>npp|j0[12])_d(?P<day>\d{8})"
    r"_t(?P<time>(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)\d_e\d+_b(?P<orbit>\d+)_c(?P<created>\d+)_.*\.h5",
    re.IGNORECASE,
)
"""Name of a file of NOAA's sensor data records."""
