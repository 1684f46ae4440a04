"""A map and what made it, written beside each other: the last step of every command that maps."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.days import period_stem
from banet.io.files import PathLike

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = ["map_stem", "write_map", "write_month"]


def map_stem(burnmap: BurnedArea) -> str:
    """Return the first part of the names of a map's files.

    It is `{region}_{YYYYMM}` for a month, and `{region}_{YYYYMMDD}-{YYYYMMDD}` for other days.
    """
    return f"{burnmap.region.name}_{period_stem(burnmap.start, burnmap.stop)}"


def write_month(
    cube: Cube, burnmap: BurnedArea, folder: PathLike, *, settings: Mapping[str, Any], pictures: bool = True
) -> dict[str, Path]:
    """Write the products of one month; see `write_map`."""
    return write_map(cube, burnmap, folder, settings=settings, pictures=pictures)


def write_map(
    cube: Cube,
    burnmap: BurnedArea,
    folder: PathLike,
    stem: str | None = None,
    *,
    settings: Mapping[str, Any],
    pictures: bool = True,
    command: Sequence[str] | None = None,
) -> dict[str, Path]:
    """Write a map as rasters, NetCDF, picture and manifest.

    Args:
        cube: what the map was made from; it goes into the manifest.
        burnmap: the map.
        folder: to write to.
        stem: first part of the file names; that of `map_stem` if left out.
        settings: how the map was made, for the manifest.
        pictures: also write a PNG.
        command: the command line for the manifest; that of this process if left out.

    Returns:
        Paths by kind of product.
    """
    from banet.export import write_products
    from banet.io.manifest import Manifest

    words = [Path(sys.argv[0]).name, *sys.argv[1:]] if command is None else command
    config = {**settings, "map": dict(burnmap.attrs), "sensor": cube.sensor, "mir_band": cube.mir_band}
    manifest = Manifest.begin(words, config, inputs=[cube.path], weights=_hashes(burnmap))
    return write_products(burnmap, folder, stem or map_stem(burnmap), manifest=manifest, pictures=pictures)


def _hashes(burnmap: BurnedArea) -> dict[str, str]:
    """The weights' hashes by name, as the map itself records them."""
    found = burnmap.attrs.get("weights", ())
    return {item["name"]: item["sha256"] for item in found if isinstance(item, Mapping)}
