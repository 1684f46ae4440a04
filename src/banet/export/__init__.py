"""Products of a map: rasters, NetCDF, pictures, reports. Names are imported when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from banet.export.comparison import DatedPanel, comparison_picture
    from banet.export.filmstrip import filmstrip
    from banet.export.netcdf import DailyProbability, read_daily, read_map, write_netcdf
    from banet.export.picture import map_picture
    from banet.export.products import check_products, find_manifests, write_products
    from banet.export.report import Picture, Section, Table, sections_of, write_report
    from banet.export.vectors import write_events, write_growth

__all__ = [
    "DailyProbability",
    "DatedPanel",
    "Picture",
    "Section",
    "Table",
    "check_products",
    "comparison_picture",
    "filmstrip",
    "find_manifests",
    "map_picture",
    "read_daily",
    "read_map",
    "sections_of",
    "write_events",
    "write_growth",
    "write_netcdf",
    "write_products",
    "write_report",
]

_HOMES = {
    "DailyProbability": "netcdf",
    "DatedPanel": "comparison",
    "Picture": "report",
    "Section": "report",
    "Table": "report",
    "check_products": "products",
    "comparison_picture": "comparison",
    "filmstrip": "filmstrip",
    "find_manifests": "products",
    "map_picture": "picture",
    "read_daily": "netcdf",
    "read_map": "netcdf",
    "sections_of": "report",
    "write_events": "vectors",
    "write_growth": "vectors",
    "write_netcdf": "netcdf",
    "write_products": "products",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'banet.export' has no attribute {name!r}")
    return getattr(importlib.import_module(f"banet.export.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
