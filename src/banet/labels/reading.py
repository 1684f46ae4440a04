"""Anything that says where and when it burned, read from files: maps, products, perimeters, truths."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.geotiff import read_geotiff
from banet.burned_area.joining import join
from banet.burned_area.netcdf import is_map, read_map
from banet.days import parse_period
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.grid.vectors import is_vector
from banet.io.containers import ZIP_DAMAGE, check_container, inner_suffix
from banet.io.files import PathLike, visible_files
from banet.labels.auscover import is_auscover, read_auscover
from banet.labels.firecci import read_firecci
from banet.labels.mcd64a1 import read_mcd64a1
from banet.labels.monthly_products import product_of, stranger
from banet.labels.perimeters import read_perimeters

__all__ = ["labelled", "named_paths", "read_map_or_product", "read_sources", "sniff"]

_TILES = re.compile(r"^(MCD64|VNP64|VJ[12]64|MCD45)", re.IGNORECASE)
_TILES_IN_HDF5 = re.compile(rf"{_TILES.pattern}\w*\.\w.*\.(nc4?|h5)$", re.IGNORECASE)
_GRIDDED = {".tif", ".tiff", ".hdf", ".nc", ".nc4", ".h5"}
"""Endings of products; polygons and guides are called after products too."""
_OWN_RASTER = "_burn_date.tif"
_OWN_GRID = {"map": "*.nc", "truth": "*_truth.nc", "raster": f"*{_OWN_RASTER}"}
"""Kinds with a grid and days of their own, and their files in a folder."""
_READERS: dict[str, Callable[..., BurnedArea]] = {
    "mcd64a1": read_mcd64a1,
    "firecci": read_firecci,
    "auscover": read_auscover,
    "perimeters": read_perimeters,
}


def sniff(path: PathLike) -> str:
    """Tell what a file or folder is: map, truth, raster, mcd64a1, firecci, auscover or perimeters.

    Raises:
        NotFoundError: if it does not exist, or a folder holds nothing known.
        InputError: if it is of no known kind, or a folder holds several.
        UnreadableFileError: if it is an archive of a kind that is not opened.
    """
    place = Path(path)
    if not place.exists():
        raise NotFoundError(f"{place} does not exist; give a map, a burned-area product or perimeters")
    if place.is_file() or place.suffix.lower() == ".gdb":
        if (kind := _kind(place)) is None:
            check_container(place)
            known = "is no map, burned-area product or perimeter file that banet knows"
            raise InputError(f"{place.name} {_unread(place) or known}")
        return kind
    files = visible_files(place)
    kinds = {kind for file in files if (kind := _kind(file)) and _meant(file, kind)}
    # A map's rasters lie beside its NetCDF file, which says more.
    kinds -= {"raster"} if "map" in kinds else set()
    # Beside what is read of the products of ESA and Copernicus lie their other layers.
    odd = next(
        (
            f"{file.name} {why}"
            for file in files
            if (why := _unread(file)) and not (kinds == {"firecci"} and stranger(file.name))
        ),
        "",
    )
    if len(kinds) == 1 and not odd:
        return kinds.pop()
    held = [*sorted(kinds), *(["what is not read"] if odd else [])]
    found = f"of several kinds ({', '.join(held)})" if kinds else "of no kind that banet knows"
    told = f"the folder {place} holds files {found}{f': {odd}' if odd else ''}"
    raise (InputError if held else NotFoundError)(told if odd and not kinds else f"{told}; name a file")


def _meant(file: Path, kind: str) -> bool:
    """Tell whether a file in a folder is taken for its kind without being named."""
    if kind == "perimeters":  # settings and figures beside maps end in .json too
        return file.suffix.lower() != ".json"
    return kind != "raster" or file.name.endswith(_OWN_RASTER)


def _kind(file: Path) -> str | None:
    name, suffix = file.name, file.suffix.lower()
    if product_of(name) is not None:
        return "firecci"
    if _unread(file):
        return None
    if suffix == ".nc":
        return "truth" if name.endswith("_truth.nc") else "map"
    if suffix in {".hdf", ".tif", ".tiff"} and _TILES.match(name):
        return "mcd64a1"
    if suffix in {".tif", ".tiff"}:
        return "auscover" if is_auscover(file) and not name.endswith(_OWN_RASTER) else "raster"
    return "perimeters" if is_vector(file) else None


def _unread(file: Path) -> str:
    """Return why a file that is of a product by its name is not read; empty if it is of none."""
    if file.suffix.lower() == ".zip":
        inside = (name.rpartition("/")[2] for name in _names_in(file))
        held = next((name for name in inside if _of_product(name)), "")
        return held and f"holds {held}; unpack it, and give the files or their folder"
    if not _of_product(file.name):
        return ""
    why = stranger(file.name)
    if not why and _TILES_IN_HDF5.match(file.name):
        why = "is of a burned-area product that is read as HDF4 tiles (.hdf) or GeoTIFF; ask for one of these"
    return "" if why and is_map(file) else why  # a region may be called after a product


def _of_product(name: str) -> bool:
    """Tell whether a file is of a product by its name and ending."""
    known = product_of(name) or stranger(name) or _TILES.match(name)
    return inner_suffix(name) in _GRIDDED and bool(known)


def _names_in(archive: Path) -> list[str]:
    """Return the names in a ZIP, none where it cannot be read: who reads it tells that."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist()
    except ZIP_DAMAGE:
        return []


def read_map_or_product(
    paths: PathLike | Sequence[PathLike],
    *,
    kind: str | None = None,
    region: Region | None = None,
    days: tuple[Any, Any] | None = None,
    perimeters: Mapping[str, Any] | None = None,
) -> BurnedArea:
    """Read either side of a comparison, or what a network is to learn.

    Args:
        paths: file or folder; of a product several.
        kind: as `sniff` tells it; None to find out.
        region: the grid to put products and perimeters on; maps and truths have their own.
        days: first and last day (or month), both included, of products and perimeters.
        perimeters: options of `read_perimeters`: date_field, end_field, date_format, layer, notice.

    Raises:
        NotFoundError: if it is not there.
        InputError: if it is of no known kind or of several, several are of a kind of which one is read, or a
            product is asked for without region or days.
        UnreadableFileError: if it is damaged.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    kinds = {kind} if kind else set(map(sniff, given))
    if len(kinds) != 1:
        raise InputError(f"labels of several kinds ({', '.join(sorted(kinds)) or 'none'}); give those of one")
    what, place = kinds.pop(), Path(given[0])
    if what in _READERS and what != "perimeters":
        return _READERS[what](given, *_asked(place, what, region, days))
    if len(given) > 1:
        raise InputError(f"{len(given)} paths of the kind {what}, of which one is read; give one")
    if what == "perimeters":
        options = {"required": True, **(perimeters or {})}
        return read_perimeters(place, *_asked(place, what, region, days), **options)
    if what not in _OWN_GRID:
        known = ", ".join([*_OWN_GRID, *_READERS])
        raise InputError(f"no kind {what!r} of burned-area file; there are {known}")
    files = visible_files(place, _OWN_GRID[what]) if place.is_dir() else [place]
    if what == "map":
        return join([read_map(f) for f in files if f == place or not f.name.endswith("_truth.nc")])
    if len(files) != 1:
        raise InputError(f"the folder {place} holds {len(files)} files {_OWN_GRID[what]}; name one of them")
    return read_map(files[0]) if what == "truth" else read_geotiff(files[0], days=days)


def _asked(place: Path, kind: str, region: Region | None, days: Any) -> tuple[Region, Any, Any]:
    if region is None or days is None:
        told = f"{place} ({kind}) has no grid of its own"
        raise InputError(f"{told}; give the region and the days to read it for")
    return region, days[0], days[1]


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
        InputError: if two have the same name, or there is no path.
    """
    found: dict[str, Path] = {}
    for text in texts:
        label, path = labelled(text)
        if not path:
            raise InputError(f"{text!r} names no file or folder; give PATH or NAME=PATH")
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
        start: first day or month to read; of products and perimeters that of the first map, of others all, if
            None.
        end: last one, included; likewise if None.
        perimeters: options of `read_perimeters`: date_field, end_field, date_format, layer, notice.

    Raises:
        InputError: if none has a grid or days and none are given, one covers no day of the period, or each
            has a grid of its own, none of which is that of the region.
        NotFoundError, UnreadableFileError: as `read_map_or_product`.
    """
    kinds = [sniff(path) for path in paths]
    first = None if start is None else parse_period(start)[0]
    after = None if end is None else parse_period(end)[1]
    # Of maps one end may be left open; of products nobody would say where it lies.
    days = None if first is None or after is None else (parse_period(start, end)[0], after - 1)
    if not set(kinds) & set(_OWN_GRID) and (first is None) != (after is None):
        raise InputError(f"{start or end}: no map tells the other end of the period; give start and end")
    given = grid = Region.load(region) if region is not None else None
    order = {"map": 0, "truth": 0, "raster": 1}  # those with days of their own first
    read: dict[int, BurnedArea] = {}
    for k in sorted(range(len(paths)), key=lambda k: order.get(kinds[k], 2)):
        read[k] = read_map_or_product(paths[k], kind=kinds[k], region=grid, days=days, perimeters=perimeters)
        if kinds[k] in _OWN_GRID:
            one = read[k]
            begin, stop = one.start if first is None else first, one.stop if after is None else after
            if stop <= begin:  # the end that was left open gives way: `between` says that no day is common
                begin, stop = (stop - 1, stop) if first is None else (begin, begin + 1)
            one = read[k] = one.between(begin, stop)
            days, grid = days or (one.start, one.stop - 1), grid or one.region
    own = [one.region for one in read.values()] if set(kinds) <= set(_OWN_GRID) else []
    if given is not None and own and all(replace(given, name=one.name) != one for one in own):
        raise InputError(f"all have grids of their own, none of them {given}; leave --region (region=) out")
    return [read[k] for k in range(len(paths))]
