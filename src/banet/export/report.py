"""Report on the maps in a folder: an overview, then each map with its picture, files and manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area import meaning
from banet.burned_area.hectares import known_total
from banet.export.calendar import period_in_words
from banet.export.drawing import hectares
from banet.export.page import Picture, Section, Table
from banet.export.products import MANIFEST, check_products, find_manifests, read_maps
from banet.io.files import PathLike

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["sections_of"]


def sections_of(folder: PathLike) -> list[Section]:
    """Make the sections of a report on the maps in a folder: an overview, then each map.

    Raises:
        NotFoundError: if the folder is missing or holds no complete map.
        UnreadableFileError: if a product has changed since it was written.
    """
    maps = list(zip(find_manifests(folder), read_maps(folder)))
    rows = [_facts(burnmap) for _, burnmap in maps]
    overview = Section("Maps", tables=[Table(_FACTS, rows, "Burned cells count by their burned fraction.")])
    return [overview, *(_map_section(path, burnmap) for path, burnmap in maps)]


_FACTS = ("region", "period", "burned", "burned cells", "day with most", "not observed")


def _facts(burnmap: BurnedArea) -> list[Any]:
    daily = burnmap.daily_area_ha()
    land = ~burnmap.water
    unseen = float((burnmap.status[land] == -1).mean()) if land.any() else 0.0
    return [
        burnmap.region.name,
        period_in_words(burnmap.start, burnmap.stop),
        _burned(burnmap).removesuffix(" burned"),
        int(np.count_nonzero(burnmap.burned)) if burnmap.known.any() else np.nan,
        f"{daily.idxmax():%Y-%m-%d}" if daily.sum() > 0 else "none" if burnmap.known.any() else "not known",
        f"{unseen:.1%} of land",
    ]


def _burned(burnmap: BurnedArea) -> str:
    known = known_total(burnmap)
    return "not observed" if known is None else f"{hectares(known)} burned"


def _map_section(path: Path, burnmap: BurnedArea) -> Section:
    manifest = check_products(path)
    stem = path.name.removesuffix(MANIFEST)
    picture = path.with_name(f"{stem}.png")
    title = f"{burnmap.region.name}, {period_in_words(burnmap.start, burnmap.stop)}"
    files = [
        (name, f"{(path.parent / name).stat().st_size / 1024:,.0f} KiB", digest[:12])
        for name, digest in manifest.products.items()
    ]
    alt = f"Burn dates and hectares by day: {title}, {_burned(burnmap)}"
    return Section(
        title,
        text=burnmap.notes,
        tables=[Table(("file", "size", "SHA-256 begins"), files, "Files"), _legend(burnmap)],
        pictures=[Picture(picture, "", alt)] if picture.name in manifest.products else [],
        details={"Manifest": manifest.to_json()},
    )


def _legend(burnmap: BurnedArea) -> Table:
    """Return the table that says what the numbers of the map mean."""
    found = meaning.rows(burnmap)
    return Table(list(found[0]), [list(row.values()) for row in found], "Meaning of the layers")
