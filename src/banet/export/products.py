"""All products of a map in one folder, the manifest last: where it is, the rest is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.burned_area.burned_area import BurnedArea, as_maps
from banet.burned_area.geotiff import OPTIONAL, Layer, layers, write_cog
from banet.burned_area.meaning import made_by
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.days import period_stem
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.export.qml import metadata, styles, write_style
from banet.io.files import PathLike, existing_folder, output_folder, remove_files, sha256, visible_files
from banet.io.manifest import Manifest
from banet.io.netcdf4 import load

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = [
    "MANIFEST",
    "check_products",
    "find_manifests",
    "gathered",
    "map_stem",
    "read_maps",
    "write_map",
    "write_products",
]

MANIFEST = "_manifest.json"


def write_products(
    burnmap: BurnedArea,
    folder: PathLike,
    stem: str,
    *,
    manifest: Manifest | None = None,
    pictures: bool = True,
    stac: bool = True,
    collection: str | None = None,
    more: Sequence[Layer] = (),
) -> dict[str, Path]:
    """Write a map as GeoTIFFs with QGIS styles, NetCDF, picture and manifest.

    Each file appears whole or not at all; a picture or item of an earlier run goes where none is asked for.
    A manifest of an earlier run is taken away first and the new one written last, with the SHA-256 of every
    file, so a folder with a manifest is complete. Equal maps give equal files, but for the times in the
    manifest.

    Args:
        burnmap: the map.
        folder: where to; it is made if needed.
        stem: first part of every file name, such as `PT_202108`.
        manifest: what made the map; one that only knows the versions if None.
        pictures: also draw the picture.
        stac: also write a STAC item.
        collection: place of the STAC collection that lists the item, as seen from the folder; None for none.
        more: further layers of the same grid, as GeoTIFFs and in the NetCDF file.

    Returns:
        The paths by what they are: burn_date, confidence, uncertainty, their styles as burn_date_qml...
        and titles as burn_date_qmd..., netcdf, picture, stac and manifest.

    Raises:
        InputError: if the stem is no file name.
        OutputError: if the folder cannot be written to.
    """
    target = output_folder(folder)
    _check_stem(stem)
    manifest = manifest or Manifest.begin(())
    last = target / f"{stem}{MANIFEST}"
    remove_files([last])

    extra = {layer.name: (layer.values, _attributes(layer)) for layer in more}
    netcdf = write_netcdf(burnmap, target / f"{stem}.nc", manifest=manifest, extra=extra)
    paths = {**_rasters(burnmap, target, stem, more), "netcdf": netcdf}
    picture, item = target / f"{stem}.png", target / f"{stem}.stac.json"
    if pictures:
        from banet.export.picture import map_picture

        paths["picture"] = map_picture(burnmap, picture)
    else:
        remove_files([picture])
    if stac:
        from banet.export.stac import write_item

        paths["stac"] = write_item(burnmap, paths, item, version=manifest.version, collection=collection)
    else:
        remove_files([item])
    hashes = {path.name: sha256(path) for path in paths.values()}
    paths["manifest"] = manifest.end(hashes).write(last)
    return paths


def _attributes(layer: Layer) -> dict[str, Any]:
    """Return the CF attributes of a further layer, with the value that means no data."""
    missing = layer.meaning.nodata
    return layer.meaning.cf() | ({} if missing is None else {"_FillValue": layer.values.dtype.type(missing)})


def map_stem(burnmap: BurnedArea) -> str:
    """Return the first part of the names of a map's files.

    It is `{region}_{YYYYMM}` for a month, and `{region}_{YYYYMMDD}-{YYYYMMDD}` for other days.
    """
    return f"{burnmap.region.name}_{period_stem(burnmap.start, burnmap.stop)}"


def write_map(
    cube: Cube,
    burnmap: BurnedArea,
    folder: PathLike,
    stem: str | None = None,
    *,
    settings: Mapping[str, Any],
    pictures: bool = True,
    command: Sequence[str] | None = None,
    stac: bool = True,
    collection: str | None = None,
    more: Sequence[Layer] = (),
) -> dict[str, Path]:
    """Write the products of a map with a manifest of this run: its command, settings, cube and weights.

    Args:
        cube: what the map was made from; it goes into the manifest.
        burnmap: the map.
        folder: to write to.
        stem: first part of the file names; that of `map_stem` if left out.
        settings: how the map was made, for the manifest.
        pictures: also write a PNG.
        command: the command line for the manifest; that of this process if left out.
        stac: also write a STAC item.
        collection: place of the STAC collection that lists the item, as in `write_products`.
        more: further layers of the same grid.

    Returns:
        Paths by kind of product.

    Raises:
        InputError: if the folder holds a map of that name by another method.
    """
    words = [Path(sys.argv[0]).name, *sys.argv[1:]] if command is None else command
    config = {**settings, "map": dict(burnmap.attrs), "sensor": cube.sensor, "mir_band": cube.mir_band}
    manifest = Manifest.begin(words, config, inputs=[cube.path], weights=_hashes(burnmap))
    stem = stem or map_stem(burnmap)
    _same_method(Path(folder) / f"{stem}.nc", burnmap)
    return write_products(
        burnmap,
        folder,
        stem,
        manifest=manifest,
        pictures=pictures,
        stac=stac,
        collection=collection,
        more=more,
    )


def _same_method(path: Path, burnmap: BurnedArea) -> None:
    """Make sure that a map does not take the place of one by another method."""
    try:
        method = load(path, only=()).attrs.get("source")
    except UnreadableFileError:  # there is none, or none that can be read
        return
    if method != made_by(burnmap):
        raise InputError(
            f"{path} holds a map by another method ({method}, not {made_by(burnmap)}); "
            "choose another folder, or take that map away"
        )


def _hashes(burnmap: BurnedArea) -> dict[str, str]:
    """The weights' hashes by name, as the map itself records them."""
    found = burnmap.attrs.get("weights", ())
    return {item["name"]: item["sha256"] for item in found if isinstance(item, Mapping)}


def check_products(manifest_path: PathLike) -> Manifest:
    """Check that every product of a manifest is there with the bytes that were written, and return it.

    Raises:
        NotFoundError: if there is no manifest.
        UnreadableFileError: if a product is missing or has changed.
    """
    path = Path(manifest_path)
    manifest = Manifest.load(path)
    wrong = [
        name
        for name, digest in manifest.products.items()
        if not (path.parent / name).is_file() or sha256(path.parent / name) != digest
    ]
    if wrong:
        raise UnreadableFileError(
            f"{path.parent}: missing or changed since it was written: {', '.join(wrong)}"
        )
    return manifest


def find_manifests(folder: PathLike) -> list[Path]:
    """Return the manifests of the complete products in a folder, sorted by name.

    Raises:
        NotFoundError: if there is no such folder.
    """
    return visible_files(existing_folder(folder, "folder of maps"), f"*{MANIFEST}", deep=False)


def read_maps(folder: PathLike) -> list[BurnedArea]:
    """Read every complete map in a folder, by name.

    Raises:
        NotFoundError: if the folder is missing or holds no complete map.
    """
    found = find_manifests(folder)
    if not found:
        raise NotFoundError(
            f"{folder} holds no map with its manifest (*{MANIFEST}); write one with 'banet map'"
        )
    return [read_map(path.with_name(path.name.removesuffix(MANIFEST) + ".nc")) for path in found]


def gathered(maps: BurnedArea | PathLike | Sequence[BurnedArea | PathLike]) -> list[BurnedArea]:
    """Return maps that are given as such, as files, or as folders of complete maps.

    Raises:
        InputError: if none is given, or something else.
        NotFoundError, UnreadableFileError: as `read_maps` and `read_map`.
    """
    found: list[BurnedArea] = []
    for one in as_maps(maps):
        if isinstance(one, BurnedArea):
            found.append(one)
        elif isinstance(one, str | os.PathLike):
            found += read_maps(one) if Path(one).is_dir() else [read_map(one)]
        else:
            raise InputError(f"a map is a BurnedArea, a file or a folder, found {one!r}")
    if not found:
        raise InputError("give at least one map, a .nc file that 'banet map' wrote or a folder of them")
    return found


def _rasters(burnmap: BurnedArea, folder: Path, stem: str, more: Sequence[Layer]) -> dict[str, Path]:
    looks = styles(burnmap, [layer.meaning for layer in more])
    paths: dict[str, Path] = {}
    for layer in (*layers(burnmap), *more):
        path = folder / f"{stem}_{layer.name}.tif"
        paths[layer.name] = write_cog(layer, burnmap.region, path)
        paths[f"{layer.name}_qml"] = write_style(looks[layer.name], path.with_suffix(".qml"))
        paths[f"{layer.name}_qmd"] = write_style(metadata(burnmap, layer.meaning), path.with_suffix(".qmd"))
    # An earlier map of that name may have told what this one does not.
    absent = [f"{stem}_{name}" for name in OPTIONAL if name not in paths]
    remove_files([folder / f"{name}{kind}" for name in absent for kind in (".tif", ".qml", ".qmd")])
    return paths


def _check_stem(stem: str) -> None:
    if not stem or Path(stem).name != stem or stem in (".", ".."):
        raise InputError(
            f"{stem!r} is no first part of a file name; give one without folders, such as PT_202108"
        )
