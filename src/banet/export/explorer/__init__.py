"""Interactive map of burned area in one web page that needs no network."""

from __future__ import annotations

from banet.export.explorer.page import write_explorer

__all__ = ["write_explorer"]
