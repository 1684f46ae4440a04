"""One STAC item a map, so that catalogues and tools find its files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.meaning import Meaning, meanings
from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    import pystac

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["item_of", "write_catalog", "write_item"]

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"

_ROLES = {
    "burn_date": ["data"],
    "confidence": ["data", "confidence"],
    "uncertainty": ["data", "uncertainty"],
}


def _assets(source: BurnedArea) -> dict[str, tuple[str, str, list[str], dict[str, Any]]]:
    """Return title, media type, roles and further fields of each product by its name."""
    said = meanings(source)
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


def item_of(
    burnmap: BurnedArea, products: Mapping[str, Path], identity: str, *, version: str = ""
) -> pystac.Item:
    """Return the STAC item of a map; its assets lie beside it.

    Args:
        burnmap: the map.
        products: paths by name, as `write_products` returns them.
        identity: of the item, such as `PT_202108`.
        version: of banet.

    Raises:
        InputError: if pystac is not installed.
    """
    try:
        import pystac
    except ImportError as error:
        raise InputError("STAC items need pystac: pip install 'banet[stac]>=1'") from error
    geometry, bbox = _footprint(burnmap.region)
    region = burnmap.region
    properties = {
        "title": f"Burned area of {region.name}, {burnmap.start} to {burnmap.stop - np.timedelta64(1, 'D')}",
        "gsd": round(region.pixel_size * 111_195),
        "proj:code": "EPSG:4326",
        "proj:shape": list(region.shape),
        "proj:transform": [float(value) for value in tuple(region.transform)[:6]],
        "banet:burned_area_ha": round(burnmap.burned_area_ha, 1),
        "banet:threshold": float(burnmap.threshold),
        "banet:version": version,
    }
    item = pystac.Item(
        id=identity,
        geometry=geometry,
        bbox=bbox,
        datetime=None,
        properties={
            **properties,
            # The last second of the period: the range of STAC is closed.
            "start_datetime": f"{burnmap.start}T00:00:00Z",
            "end_datetime": f"{burnmap.stop - np.timedelta64(1, 'D')}T23:59:59Z",
        },
        stac_extensions=[_PROJECTION],
    )
    for name, (title, media, roles, fields) in _assets(burnmap).items():
        if name in products:
            place = f"./{products[name].name}"
            asset = pystac.Asset(place, title, media_type=media, roles=roles, extra_fields=fields)
            item.add_asset(name, asset)
    return item


def write_item(
    burnmap: BurnedArea, products: Mapping[str, Path], path: PathLike, *, version: str = ""
) -> Path:
    """Write the STAC item of a map beside its products and return its path.

    Raises:
        InputError: if pystac is not installed.
        OutputError: if it cannot be written.
    """
    target = Path(path)
    item = item_of(
        burnmap, products, target.name.removesuffix(".json").removesuffix(".stac"), version=version
    )
    with writing(target) as part:
        part.write_text(json.dumps(item.to_dict(include_self_link=False), indent=2) + "\n", encoding="utf-8")
    return target


def write_catalog(items: Sequence[Path], path: PathLike, *, identity: str, description: str) -> Path:
    """Write a STAC catalogue of items that lie beside or below it, and return its path.

    Args:
        items: files of `write_item`.
        path: of the catalogue.
        identity: of the catalogue.
        description: of it, for people.

    Raises:
        InputError: if pystac is not installed.
        OutputError: if it cannot be written.
    """
    try:
        import pystac
    except ImportError as error:
        raise InputError("STAC catalogues need pystac: pip install 'banet[stac]>=1'") from error
    target = Path(path)
    catalogue = pystac.Catalog(identity, description)
    for item in items:
        place = item.relative_to(target.parent).as_posix()
        catalogue.add_link(pystac.Link(pystac.RelType.ITEM, f"./{place}", media_type="application/geo+json"))
    fields = catalogue.to_dict(include_self_link=False)
    root = {"rel": "root", "href": f"./{target.name}", "type": "application/json"}
    fields["links"] = [root, *(link for link in fields["links"] if link["rel"] == "item")]
    with writing(target) as part:
        part.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    return target


def _footprint(region: Region) -> tuple[dict[str, Any], list[float]]:
    """Return geometry and box; across the antimeridian two polygons, and west greater than east."""
    from shapely.geometry import mapping

    from banet.grid.polygons import box_of

    shape = box_of(region)
    east = region.east - 360 if region.east > 180 else region.east
    bbox = [region.west, region.south, east, region.north]
    return json.loads(json.dumps(mapping(shape))), [float(value) for value in bbox]
