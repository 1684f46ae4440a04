"""One STAC item a map, so that catalogues and tools find its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    import pystac

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["item_of", "write_item"]

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"

# Title, media type, roles, nodata and unit of each product.
_ASSETS: dict[str, tuple[str, str, list[str]]] = {
    "burn_date": ("Day of year of burning", _COG, ["data"]),
    "confidence": ("Confidence in percent", _COG, ["data", "confidence"]),
    "uncertainty": ("Uncertainty of the date in days", _COG, ["data", "uncertainty"]),
    "netcdf": ("All layers after the CF conventions", "application/x-netcdf", ["data"]),
    "picture": ("Picture", "image/png", ["overview", "thumbnail"]),
    "burn_date_qml": ("QGIS style of the burn date", "application/xml", ["style"]),
    "confidence_qml": ("QGIS style of the confidence", "application/xml", ["style"]),
    "uncertainty_qml": ("QGIS style of the uncertainty", "application/xml", ["style"]),
}
_BANDS: dict[str, dict[str, Any]] = {
    "burn_date": {"data_type": "int16", "nodata": -1, "unit": "day of year"},
    "confidence": {"data_type": "uint8", "nodata": 255, "unit": "%"},
    "uncertainty": {"data_type": "uint8", "nodata": 255, "unit": "day"},
}


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
        raise InputError("STAC items need pystac: pip install 'banet[stac]'") from error
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
    for name, (title, media, roles) in _ASSETS.items():
        if name in products:
            bands = {"bands": [{"name": name, **_BANDS[name]}]} if name in _BANDS else {}
            asset = pystac.Asset(
                f"./{products[name].name}", title, media_type=media, roles=roles, extra_fields=bands
            )
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


def _footprint(region: Region) -> tuple[dict[str, Any], list[float]]:
    """Return geometry and box; across the antimeridian two polygons, and west greater than east."""
    from shapely.geometry import mapping

    from banet.grid.polygons import box_of

    shape = box_of(region)
    east = region.east - 360 if region.east > 180 else region.east
    bbox = [region.west, region.south, east, region.north]
    return json.loads(json.dumps(mapping(shape))), [float(value) for value in bbox]
