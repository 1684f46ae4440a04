"""Interactive map of burned area in one web page that needs no network."""

from __future__ import annotations

from banet.export.explorer.page import explore, write_explorer
from banet.export.explorer.pages import write_pages

__all__ = ["explore", "write_explorer", "write_pages"]
