"""Satellite files to daily planes on a region's grid.

Each family of files is one module that registers itself when it is imported; `source` imports it when it is
first asked for, so that no heavy reader is loaded for nothing. Packages of others make their sources known by
an entry point of the group `banet.sources`, whose name is that of the source.
"""

from __future__ import annotations

import importlib
import importlib.metadata

from banet.errors import InputError
from banet.observations.planes import DayPlanes, ObservationSource, Overpass

__all__ = ["DayPlanes", "ObservationSource", "Overpass", "register", "source", "sources"]

# Where the sources that ship with banet live; one line here makes a new module known.
_MODULES = {
    "viirs750-gridded": "banet.observations.gridded_hdf4",
    "viirs375-gridded": "banet.observations.gridded375",
    "viirs750-swath": "banet.observations.swath",
    "viirs375-swath": "banet.observations.swath",
    "viirs750-sdr": "banet.observations.swath",
    "viirs375-sdr": "banet.observations.swath",
    "surface": "banet.observations.surface",
}
_GROUP = "banet.sources"
_SOURCES: dict[str, ObservationSource] = {}


def register(source: ObservationSource) -> ObservationSource:
    """Make a family of files known under its name, and return it.

    Registering the same name again replaces it, so that a user's own reader can stand in for a built-in one.

    Raises:
        InputError: if it has no name, or lacks `days` or `read_day`.
    """
    name = getattr(source, "name", "")
    lacking = [
        part for part in ("sensor", "mir_band", "files", "days", "read_day") if not hasattr(source, part)
    ]
    if not name or not isinstance(name, str) or lacking:
        raise InputError(f"{source!r} is no observation source: it lacks {', '.join(lacking) or 'a name'}")
    _SOURCES[name] = source
    return source


def source(name: str) -> ObservationSource:
    """Return the source of that name.

    Raises:
        InputError: if there is none; the message lists those there are.
    """
    if name not in _SOURCES and name in _MODULES:
        importlib.import_module(_MODULES[name])
    if name not in _SOURCES:
        for point in importlib.metadata.entry_points(group=_GROUP, name=name):
            point.load()
    if name not in _SOURCES:
        known = ", ".join(_names())
        raise InputError(f"no observation source {name!r}; there are {known}")
    return _SOURCES[name]


def sources() -> dict[str, ObservationSource]:
    """Return every known source by name, importing all of them."""
    return {name: source(name) for name in _names()}


def _names() -> list[str]:
    others = importlib.metadata.entry_points(group=_GROUP)
    return sorted({*_SOURCES, *_MODULES, *others.names})
