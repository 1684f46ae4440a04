"""Names of the hot-spot tables that banet fetches, by which downloads and readers know their days."""

from __future__ import annotations

import re

__all__ = ["OWN_NAME"]

OWN_NAME = re.compile(
    r"firms_(?P<source>[A-Z0-9_]+)_(?P<place>[\w-]+-[0-9a-f]{6})_(?P<first>\d{8})_(?P<last>\d{8})(?P<open>_open)?\.csv"
)
"""Name of a table that `banet download hotspots` fetched."""
