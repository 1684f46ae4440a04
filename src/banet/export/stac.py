"""One STAC item a map and a collection a folder, so that catalogues and tools find the files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.hectares import known_total
from banet.burned_area.meaning import DAYS_SINCE, STAYS, Meaning, meanings
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import KM_PER_DEGREE, Region
from banet.io.files import PathLike, existing_folder, visible_files, writing

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = [
    "CATALOGUE",
    "COLLECTION",
    "collect",
    "collection_file",
    "collection_of",
    "item_of",
    "write_catalogue",
    "write_collection",
    "write_item",
]

CATALOGUE, COLLECTION = "catalog.json", "collection.json"
_VERSION = "1.1.0"

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"

_ROLES = {
    "burn_date": ["data"],
    "confidence": ["data", "confidence"],
    "uncertainty": ["data", "uncertainty"],
    "over_tenth": ["data", "confidence"],
    "days_since": ["data"],
    "stays": ["data", "confidence"],
}


def _assets(source: BurnedArea) -> dict[str, tuple[str, str, list[str], dict[str, Any]]]:
    """Return title, media type, roles and further fields of each product by its name."""
    said = {**meanings(source), DAYS_SINCE.name: DAYS_SINCE, STAYS.name: STAYS}
    rasters = {name: said["burn_doy" if name == "burn_date" else name] for name in _ROLES if name in said}
    found: dict[str, tuple[str, str, list[str], dict[str, Any]]] = {
        name: (_capital(meaning.title), _COG, _ROLES[name], _band(name, meaning))
        for name, meaning in rasters.items()
    }
    found["netcdf"] = ("All layers after the CF conventions", "application/x-netcdf", ["data"], {})
    found["picture"] = ("Picture", "image/png", ["overview", "thumbnail"], {})
    for name, meaning in rasters.items():
        found[f"{name}_qml"] = (f"QGIS style of the {meaning.title}", "application/xml", ["style"], {})
    return found


def _band(name: str, meaning: Meaning) -> dict[str, Any]:
    band = {
        "name": name,
        "description": meaning.text,
        "data_type": "int16" if name == "burn_date" else "uint8",
        "nodata": meaning.nodata,
        "unit": meaning.unit,
    }
    return {"description": meaning.text, "bands": [band]}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def collection_of(region: str) -> str:
    """Return the name of the STAC collection of the maps of a region."""
    return f"banet-{region}"


def collection_file(region: str) -> str:
    """Return the name of the file of that collection in a folder where maps of several regions may lie."""
    return f"{region}_{COLLECTION}"


def item_of(
    burnmap: BurnedArea,
    products: Mapping[str, Path],
    identity: str,
    *,
    version: str = "",
    collection: str | None = None,
) -> dict[str, Any]:
    """Return the STAC item of a map, whose assets lie beside it, as JSON can hold it.

    Args:
        burnmap: the map.
        products: paths by name, as `write_products` returns them.
        identity: of the item, such as `PT_202108`.
        version: of banet.
        collection: place of the collection that lists the item, as seen from the item; None for none.
    """
    geometry, bbox = _footprint(burnmap.region)
    region, last = burnmap.region, burnmap.stop - np.timedelta64(1, "D")
    properties = {
        "title": f"Burned area of {region.name}, {burnmap.start} to {last}",
        "datetime": None,
        # The last second of the period: the range of STAC is closed.
        "start_datetime": f"{burnmap.start}T00:00:00Z",
        "end_datetime": f"{last}T23:59:59Z",
        "gsd": round(region.pixel_size * KM_PER_DEGREE * 1000),
        "proj:code": "EPSG:4326",
        "proj:shape": list(region.shape),
        "proj:transform": [float(value) for value in tuple(region.transform)[:6]],
        "banet:burned_area_ha": known_total(burnmap),
        "banet:threshold": float(burnmap.threshold),
        "banet:version": version,
    }
    assets = {
        name: {"href": f"./{products[name].name}", "type": media, "title": title, "roles": roles, **fields}
        for name, (title, media, roles, fields) in _assets(burnmap).items()
        if name in products
    }
    member = {} if collection is None else {"collection": collection_of(region.name)}
    return {
        "type": "Feature",
        "stac_version": _VERSION,
        "stac_extensions": [_PROJECTION],
        "id": identity,
        "geometry": geometry,
        "bbox": bbox,
        "properties": properties,
        "links": [
            {"rel": rel, "href": collection, "type": "application/json"}
            for rel in ("parent", "collection")
            if collection is not None
        ],
        "assets": assets,
        **member,
    }


def write_item(
    burnmap: BurnedArea,
    products: Mapping[str, Path],
    path: PathLike,
    *,
    version: str = "",
    collection: str | None = None,
) -> Path:
    """Write the STAC item of a map beside its products and return its path; arguments as of `item_of`.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    identity = target.name.removesuffix(".json").removesuffix(".stac")
    return _write(item_of(burnmap, products, identity, version=version, collection=collection), target)


def write_collection(
    folder: PathLike,
    identity: str,
    description: str,
    items: Sequence[Path] | None = None,
    *,
    name: str = COLLECTION,
) -> Path:
    """Write the STAC collection of the items in a folder and return its path.

    Args:
        folder: with the files of `write_item`.
        identity: of the collection.
        description: of it, for people.
        items: files of `write_item` in or below the folder; by default those in it.
        name: of the file.

    Raises:
        NotFoundError: if the folder holds no item.
        UnreadableFileError: if a file of an item is damaged.
        OutputError: if it cannot be written.
    """
    root = existing_folder(folder, "folder of maps")
    found = visible_files(root, "*.stac.json", deep=False) if items is None else sorted(items)
    if not found:
        raise NotFoundError(f"{root} holds no STAC item (*.stac.json)")
    held = [_read_item(path, ours=True) for path in found]
    west, south, east, north = zip(*(item["bbox"] for item in held))
    times = [[item["properties"][f"{end}_datetime"] for item in held] for end in ("start", "end")]
    around = any(item["bbox"][0] > item["bbox"][2] for item in held)
    wide = (-180.0, 180.0) if around and len({*west}) > 1 else (min(west), max(east))
    links = [{"rel": "root", "href": f"./{name}", "type": "application/json"}]
    for path in found:
        place = path.relative_to(root).as_posix()
        links.append({"rel": "item", "href": f"./{place}", "type": "application/geo+json"})
    collection = {
        "type": "Collection",
        "stac_version": _VERSION,
        "id": identity,
        "title": description,
        "description": description,
        "license": "other",
        "keywords": ["burned area", "wildfire"],
        "extent": {
            "spatial": {"bbox": [[wide[0], min(south), wide[1], max(north)]]},
            "temporal": {"interval": [[min(times[0]), max(times[1])]]},
        },
        "links": links,
    }
    return _write(collection, root / name)


def write_catalogue(collection: PathLike) -> Path:
    """Write `catalog.json` beside a collection, a STAC catalogue of the same items, and return its path.

    Raises:
        OutputError: if it cannot be written.
    """
    held = json.loads(Path(collection).read_text(encoding="utf-8"))
    root = {**held["links"][0], "href": f"./{CATALOGUE}"}
    kept = {name: held[name] for name in ("stac_version", "id", "title", "description")}
    catalogue = {"type": "Catalog", **kept, "links": [root, *held["links"][1:]]}
    return _write(catalogue, Path(collection).with_name(CATALOGUE))


def collect(folder: PathLike, region: str) -> Path:
    """Write the collection of a region's maps in a folder, `{region}_collection.json`, and return its path.

    Items of other regions, or without a collection, are none of it.

    Raises:
        NotFoundError: if the folder holds no item of the region's collection.
        UnreadableFileError: if a file of an item is damaged.
        OutputError: if it cannot be written.
    """
    root, identity = existing_folder(folder, "folder of maps"), collection_of(region)
    every = visible_files(root, "*.stac.json", deep=False)
    items = [path for path in every if _read_item(path).get("collection") == identity]
    return write_collection(root, identity, f"Burned area of {region}", items, name=collection_file(region))


def _read_item(path: Path, *, ours: bool = False) -> dict[str, Any]:
    """Read an item; one of `ours` has the box and the days that its collection tells."""
    try:
        item: dict[str, Any] = {**json.loads(path.read_text(encoding="utf-8"))}
        if ours:
            told = item["properties"]
            if len(item["bbox"]) != 4 or not told["start_datetime"] <= told["end_datetime"]:
                raise ValueError("its box or its days are none")
        return item
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(f"{path} is no STAC item: {error!r}; remove it, or map again") from error


def _write(values: Mapping[str, Any], target: Path) -> Path:
    text = json.dumps(values, indent=2) + "\n"
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return target
    with writing(target) as part:
        part.write_text(text, encoding="utf-8")
    return target


def _footprint(region: Region) -> tuple[dict[str, Any], list[float]]:
    """Return geometry and box; across the antimeridian two polygons, and west greater than east."""
    from shapely import orient_polygons
    from shapely.geometry import mapping

    from banet.grid.polygons import box_of

    shape = box_of(region)
    east = region.east - 360 if region.east > 180 else region.east
    bbox = [region.west, region.south, east, region.north]
    return json.loads(json.dumps(mapping(orient_polygons(shape)))), [float(value) for value in bbox]
