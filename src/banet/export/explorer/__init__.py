"""Interactive map of burned area in one web page that needs no network."""

from __future__ import annotations

from banet.export.explorer.explore import explore, seen_by_day
from banet.export.explorer.page import show, write_explorer

__all__ = ["explore", "seen_by_day", "show", "write_explorer"]
