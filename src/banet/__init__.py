"""Map where vegetation burned, and on which day, from daily satellite image sequences.

Names are imported when they are first used, so that `import banet` costs next to nothing.

>>> import banet
>>> banet.Region.load("PI").shape
(800, 1500)
"""

from __future__ import annotations

import importlib
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.burned_area.fires import find_events
    from banet.cube import Cube, open_cube
    from banet.errors import BanetError, BanetWarning
    from banet.evaluation import score
    from banet.export import read_map, write_products
    from banet.export.explorer.page import explore
    from banet.grid.region import Region
    from banet.ingest import build_cube, from_dataset, to_region
    from banet.labels import read_mcd64a1
    from banet.mapping import map_burned, map_months, predict
    from banet.model import BANet, BANetConfig, load_model
    from banet.observations.reflectance import mir_reflectance
    from banet.simulation import simulate
    from banet.summary import summarise

_HOMES = {
    "BANet": "banet.model",
    "BANetConfig": "banet.model",
    "BanetError": "banet.errors",
    "BanetWarning": "banet.errors",
    "BurnedArea": "banet.burned_area.burned_area",
    "Cube": "banet.cube",
    "Region": "banet.grid.region",
    "build_cube": "banet.ingest",
    "explore": "banet.export.explorer",
    "find_events": "banet.burned_area.fires",
    "from_dataset": "banet.ingest",
    "load_model": "banet.model",
    "map_burned": "banet.mapping",
    "map_months": "banet.mapping",
    "mir_reflectance": "banet.observations.reflectance",
    "open_cube": "banet.cube",
    "predict": "banet.mapping",
    "read_map": "banet.export",
    "read_mcd64a1": "banet.labels",
    "score": "banet.evaluation",
    "simulate": "banet.simulation",
    "summarise": "banet.summary",
    "to_region": "banet.ingest",
    "write_products": "banet.export",
}

__all__ = [
    "BANet",
    "BANetConfig",
    "BanetError",
    "BanetWarning",
    "BurnedArea",
    "Cube",
    "Region",
    "build_cube",
    "explore",
    "find_events",
    "from_dataset",
    "load_model",
    "map_burned",
    "map_months",
    "mir_reflectance",
    "open_cube",
    "predict",
    "read_map",
    "read_mcd64a1",
    "score",
    "simulate",
    "summarise",
    "to_region",
    "write_products",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version("banet")
    if name not in _HOMES:
        raise AttributeError(f"module 'banet' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
