"""Products of a map: rasters, NetCDF, pictures, reports. Names are imported when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from banet.burned_area.netcdf import read_map, write_netcdf
    from banet.export.comparison import comparison_picture
    from banet.export.filmstrip import filmstrip
    from banet.export.page import Picture, Section, Table, write_report
    from banet.export.picture import map_picture
    from banet.export.products import check_products, find_manifests, write_products
    from banet.export.report import sections_of
    from banet.export.vectors import write_events, write_growth

__all__ = [
    "Picture",
    "Section",
    "Table",
    "check_products",
    "comparison_picture",
    "filmstrip",
    "find_manifests",
    "map_picture",
    "read_map",
    "sections_of",
    "write_events",
    "write_growth",
    "write_netcdf",
    "write_products",
    "write_report",
]

_HOMES = {
    "Picture": "export.page",
    "Section": "export.page",
    "Table": "export.page",
    "check_products": "export.products",
    "comparison_picture": "export.comparison",
    "filmstrip": "export.filmstrip",
    "find_manifests": "export.products",
    "map_picture": "export.picture",
    "read_map": "burned_area.netcdf",
    "sections_of": "export.report",
    "write_events": "export.vectors",
    "write_growth": "export.vectors",
    "write_netcdf": "burned_area.netcdf",
    "write_products": "export.products",
    "write_report": "export.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'banet.export' has no attribute {name!r}")
    return getattr(importlib.import_module(f"banet.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
