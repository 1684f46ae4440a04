"""Anything that says where and when it burned, read from files: maps, products, perimeters, truths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.geotiff import read_geotiff
from banet.burned_area.joining import join
from banet.burned_area.netcdf import read_map
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.vectors import is_vector
from banet.io.files import PathLike, visible_files
from banet.labels.monthly_products import product_of

__all__ = [
    "labelled",
    "named_paths",
    "read_labels",
    "read_map_or_product",
    "read_sources",
    "sniff",
]

_TILES = re.compile(r"^(MCD64|VNP64|VJ[12]64|MCD45)", re.IGNORECASE)
_OWN_RASTER = "_burn_date.tif"
_ORDER = {"map": 0, "truth": 0, "raster": 1}
"""Kinds with a grid of their own, those with days of their own first."""


def sniff(path: PathLike) -> str:
    """Tell what a file or folder is: map, truth, raster, mcd64a1, firecci, auscover or perimeters.

    Raises:
        NotFoundError: if it does not exist, or a folder holds nothing known.
        InputError: if it is of no known kind, or a folder holds several.
    """
    place = Path(path)
    if not place.exists():
        raise NotFoundError(f"{place} does not exist; give a map, a burned-area product or perimeters")
    if place.is_file() or place.suffix.lower() == ".gdb":
        kind = _kind(place)
        if kind is None:
            raise InputError(
                f"{place.name} is no map, burned-area product or perimeter file that banet knows"
            )
        return kind
    files = visible_files(place)
    # A raster of another name is taken for burn dates only when it is asked for by itself.
    kinds = {kind for file in files if (kind := _kind(file)) is not None and _named(file, kind)}
    # A map's rasters lie beside its NetCDF file, which says more.
    kinds -= {"raster"} if "map" in kinds else set()
    if len(kinds) != 1:
        found = f"of several kinds ({', '.join(sorted(kinds))})" if kinds else "of no kind that banet knows"
        raise (InputError if kinds else NotFoundError)(f"the folder {place} holds files {found}; name a file")
    return kinds.pop()


def _named(file: Path, kind: str) -> bool:
    if kind == "perimeters":  # settings and figures beside maps end in .json too
        return file.suffix.lower() != ".json"
    return kind != "raster" or file.name.endswith(_OWN_RASTER)


def _kind(file: Path) -> str | None:
    name, suffix = file.name, file.suffix.lower()
    if product_of(name) is not None:
        return "firecci"
    if suffix == ".nc":
        return "truth" if name.endswith("_truth.nc") else "map"
    if _TILES.match(name) and suffix in {".hdf", ".tif", ".tiff"}:
        return "mcd64a1"
    if suffix in {".tif", ".tiff"}:
        if name.endswith(_OWN_RASTER):
            return "raster"
        return "auscover" if re.search(r"auscover|albers|burn(t|ed)_", name, re.IGNORECASE) else "raster"
    return "perimeters" if is_vector(file) else None


def read_map_or_product(
    path: PathLike,
    *,
    kind: str | None = None,
    region: Region | None = None,
    days: tuple[Any, Any] | None = None,
    perimeters: Mapping[str, Any] | None = None,
) -> BurnedArea:
    """Read either side of a comparison.

    Args:
        path: file or folder.
        kind: as `sniff` tells it; None to find out.
        region: the grid to put products and perimeters on; maps and truths have their own.
        days: first and last day (or month), both included, of products and perimeters.
        perimeters: options of `read_perimeters`: date_field, end_field, date_format, layer, notice.

    Raises:
        NotFoundError: if it is not there.
        InputError: if it is of no known kind, or a product is asked for without region or days.
        UnreadableFileError: if it is damaged.
    """
    what, place = kind or sniff(path), Path(path)
    if what == "map":
        files = [f for f in _listed(place, "*.nc") if f == place or not f.name.endswith("_truth.nc")]
        return join([read_map(file) for file in files])
    if what == "truth":
        return read_map(_only(place, "*_truth.nc"))
    if what == "raster":
        return read_geotiff(_only(place, f"*{_OWN_RASTER}"), days=days)
    if region is None or days is None:
        raise InputError(
            f"{path} ({what}) has no grid of its own; give the region and the days to read it for"
        )
    readers = _readers()
    if what not in readers:
        raise InputError(
            f"no kind {what!r} of burned-area file; there are map, truth, raster, {', '.join(readers)}"
        )
    options = {"required": True, **(perimeters or {})} if what == "perimeters" else {}
    return readers[what](path, region, *days, **options)


def read_labels(
    paths: Sequence[PathLike],
    region: Region,
    days: tuple[Any, Any],
    *,
    perimeters: Mapping[str, Any] | None = None,
) -> BurnedArea:
    """Read what a network is to learn: files or folders of one product, or one map, truth or perimeter file.

    Args:
        paths: files or folders, all of one kind.
        region: the grid to put products and perimeters on.
        days: first and last day, both included, of products and perimeters.
        perimeters: options of `read_perimeters`.

    Raises:
        InputError: if they are of several kinds, or several of a kind of which one is read.
        NotFoundError, UnreadableFileError: as `read_map_or_product`.
    """
    kinds = sorted({sniff(path) for path in paths})
    if len(kinds) != 1:
        raise InputError(f"labels of several kinds ({', '.join(kinds) or 'none'}); give those of one")
    readers, (kind,) = _readers(), kinds
    if kind in readers and kind != "perimeters":
        return readers[kind](paths, region, *days)
    if len(paths) > 1:
        raise InputError(f"{len(paths)} paths of the kind {kind}, of which one is read; give one")
    return read_map_or_product(paths[0], kind=kind, region=region, days=days, perimeters=perimeters)


def _readers() -> dict[str, Callable[..., BurnedArea]]:
    from banet.labels import read_auscover, read_firecci, read_mcd64a1, read_perimeters

    found: list[Callable[..., BurnedArea]] = [read_mcd64a1, read_firecci, read_auscover, read_perimeters]
    return {reader.__name__.removeprefix("read_"): reader for reader in found}


def _listed(place: Path, pattern: str) -> list[Path]:
    return visible_files(place, pattern) if place.is_dir() else [place]


def _only(place: Path, pattern: str) -> Path:
    found = _listed(place, pattern)
    if len(found) != 1:
        raise InputError(f"the folder {place} holds {len(found)} files {pattern}; name one of them")
    return found[0]


def labelled(text: str) -> tuple[str, str]:
    """Return the label, empty where there is none, and the rest of LABEL=REST.

    >>> labelled("new=runs/a=b"), labelled("default")
    (('new', 'runs/a=b'), ('', 'default'))
    """
    label, given, rest = text.partition("=")
    return (label.strip(), rest.strip()) if given else ("", text.strip())


def named_paths(texts: Iterable[str]) -> dict[str, Path]:
    """Return the paths of texts NAME=PATH or PATH by their names, the latter by the name of the file.

    Raises:
        InputError: if two have the same name.
    """
    found: dict[str, Path] = {}
    for label, path in map(labelled, texts):
        name = label or Path(path).stem
        if name in found:
            raise InputError(f"two maps or products are called {name}; tell them apart with NAME=PATH")
        found[name] = Path(path)
    return found


def read_sources(
    paths: Sequence[PathLike],
    *,
    region: PathLike | None = None,
    start: Any = None,
    end: Any = None,
    perimeters: Mapping[str, Any] | None = None,
) -> list[BurnedArea]:
    """Read maps and products; those without a grid of their own take that of the first that has one.

    Args:
        paths: files or folders.
        region: file of the grid of products and perimeters.
        start: first day or month to read products and perimeters for; those of the first map if None.
        end: last one, included.
        perimeters: options of `read_perimeters`: date_field, end_field, date_format, layer, notice.

    Raises:
        InputError: if none has a grid or days and none are given.
        NotFoundError, UnreadableFileError: as `read_map_or_product`.
    """
    kinds = [sniff(path) for path in paths]
    days = (start, end) if start is not None and end is not None else None
    grid = Region.load(region) if region is not None else None
    read: dict[int, BurnedArea] = {}
    for k in sorted(range(len(paths)), key=lambda k: _ORDER.get(kinds[k], len(_ORDER))):
        read[k] = read_map_or_product(paths[k], kind=kinds[k], region=grid, days=days, perimeters=perimeters)
        if kinds[k] in _ORDER:
            days = days or (read[k].start, read[k].stop - 1)
            grid = grid or read[k].region
    return [read[k] for k in range(len(paths))]
