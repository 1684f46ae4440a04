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

__all__ = [
    "DayPlanes",
    "ObservationSource",
    "Overpass",
    "product_name",
    "register",
    "source",
    "sources",
]

# Products that ship with banet: the module that reads one, and other names for it. One line here makes a new
# one known to downloads, builds and the simulator alike.
_SHIPPED: dict[str, tuple[str, tuple[str, ...]]] = {
    "viirs750-swath": ("banet.observations.swath", ("750", "swath750", "viirs750")),
    "viirs375-swath": ("banet.observations.swath", ("375", "swath375", "viirs375")),
    "viirs750-gridded": ("banet.observations.gridded_hdf4", ("gridded", "gridded750")),
    "viirs375-gridded": ("banet.observations.gridded375", ("gridded375",)),
    "viirs750-sdr": ("banet.observations.swath", ("sdr", "sdr750")),
    "viirs375-sdr": ("banet.observations.swath", ("sdr375",)),
    "surface": ("banet.observations.surface", ("viirs-surface", "09ga")),
}
_ALIASES = {other: name for name, (_, others) in _SHIPPED.items() for other in others}
_GROUP = "banet.sources"
_SOURCES: dict[str, ObservationSource] = {}


def product_name(text: str) -> str:
    """Return the one name of a product, given that or another name of it; unknown names stay.

    >>> product_name("750"), product_name("viirs750-swath"), product_name("mine")
    ('viirs750-swath', 'viirs750-swath', 'mine')
    """
    return _ALIASES.get(text.strip().lower(), text.strip())


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
    """Return the source of that name, or of another name of the same product.

    Raises:
        InputError: if there is none; the message lists those there are.
    """
    name = name if name in _SOURCES else product_name(name)
    if name not in _SOURCES and name in _SHIPPED:
        importlib.import_module(_SHIPPED[name][0])
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
    return sorted({*_SOURCES, *_SHIPPED, *others.names})
