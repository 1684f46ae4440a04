"""Page with an interactive map: data, script and style in one file."""

from __future__ import annotations

import base64
import html
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.colours import (
    NOT_OBSERVED,
    UNBURNED,
    WATER,
    confidence_table,
    date_colours,
    hex_colour,
    uncertainty_table,
)
from banet.burned_area.meaning import meanings
from banet.export.explorer.outlines import outlines_of
from banet.export.explorer.planes import coded_planes
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["ExplorerFrame", "explorer_data", "explorer_text", "show", "write_explorer"]

_ASSETS = "banet.export.explorer"
_PARTS = ("leaflet.js", "leaflet.css", "page.js", "page.css")
_FIRE_COLUMNS = ("id", "start", "end", "days", "cells", "area_ha", "peak_day", "peak_ha", "date_unc")


def write_explorer(
    burned: BurnedArea,
    path: PathLike,
    *,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    title: str | None = None,
    gpkg: PathLike | None = None,
    notes: tuple[str, ...] = (),
) -> Path:
    """Write one HTML file that shows a map, its fires and its days, and needs no network.

    Args:
        burned: the map.
        path: of the page.
        fires: table of `find_events`; None shows no fires.
        growth: hectares by fire and day, of `trace_events`.
        seen: share of the land that was observed, 0-1, by day (`YYYY-MM-DD`); None where nobody knows.
        title: of the page; region and period if left out.
        gpkg: file of the fires to offer for download.
        notes: lines to show below the map.

    Raises:
        OutputError: if the page cannot be written.
    """
    text = explorer_text(burned, fires=fires, growth=growth, seen=seen, title=title, gpkg=gpkg, notes=notes)
    target = Path(path)
    with writing(target) as part:
        part.write_text(text, encoding="utf-8")
    return target


def explorer_text(
    burned: BurnedArea,
    *,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    title: str | None = None,
    gpkg: PathLike | None = None,
    notes: tuple[str, ...] = (),
) -> str:
    """Return the page of `write_explorer` as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    data = explorer_data(burned, fires, growth, seen, gpkg)
    heading = title or f"{burned.region.name}, {burned.start} to {burned.stop - 1}"
    pages = Environment(
        loader=PackageLoader("banet.export.explorer", "assets"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("page.html").render(
        title=heading,
        # In a script, only the end of the script itself must not be spelt out.
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
        notes=notes,
        **{
            name.replace(".", "_"): _asset(name)
            for name in ("leaflet.js", "leaflet.css", "page.js", "page.css")
        },
    )


@dataclass(frozen=True, repr=False)
class ExplorerFrame:
    """Interactive map that a notebook shows.

    Attributes:
        text: the page, as `write_explorer` writes it.
        height: of the frame in pixels.
    """

    text: str
    height: int = 640

    def __repr__(self) -> str:
        return f"ExplorerFrame({len(self.text) / 1e6:.1f} MB)"

    def _repr_html_(self) -> str:
        page = html.escape(self.text, quote=True)
        return f'<iframe title="burned area" width="100%" height="{self.height}" srcdoc="{page}"></iframe>'


def show(burned: BurnedArea, *, min_hectares: float = 100.0) -> ExplorerFrame:
    """Return the interactive map of a map and its fires, for a notebook.

    Args:
        burned: the map.
        min_hectares: fires of less burned area are left out, and counted.
    """
    from banet.burned_area.fires import trace_events

    events = trace_events(burned, min_hectares=min_hectares)
    notes = (*burned.notes, events.summary)
    return ExplorerFrame(explorer_text(burned, fires=events.table, growth=events.growth, notes=notes))


def explorer_data(
    burned: BurnedArea,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    gpkg: PathLike | None = None,
) -> dict[str, Any]:
    """Return all that the page's script needs, as JSON can hold it."""
    region, coded = burned.region, coded_planes(burned)
    days = [str(day) for day in burned.days]
    return {
        "name": region.name,
        "box": [region.west, region.south, region.east, region.north],
        "size": [coded.rows, coded.cols],
        # The last block may reach past the region; the picture is laid out as far as it reaches.
        "reach": [
            region.west + coded.cols * coded.block * region.pixel_size,
            region.north - coded.rows * coded.block * region.pixel_size,
        ],
        "block": coded.block,
        "days": days,
        "daily_ha": [round(float(ha), 1) for ha in burned.daily_area_ha()],
        "dates": coded.dates,
        "values": coded.values,
        "colours": _colours(burned),
        "said": {name: [one.title, one.text] for name, one in meanings(burned).items()},
        "fires": _features(fires, growth, days),
        "seen": None if seen is None else [seen.get(day) for day in days],
        "outlines": outlines_of(region),
        "gpkg": None if gpkg is None else base64.b64encode(Path(gpkg).read_bytes()).decode("ascii"),
    }


def _colours(burned: BurnedArea) -> dict[str, Any]:
    def ramp(table: Mapping[int, tuple[int, int, int, int]], last: int) -> list[str]:
        return [hex_colour(table[value][:3]) for value in range(last + 1)]

    return {
        "dates": [hex_colour(rgb) for rgb in date_colours(burned.days)],
        "confidence": ramp(confidence_table(), 100),
        "uncertainty": ramp(uncertainty_table(), 31),
        "unburned": hex_colour(UNBURNED),
        "unseen": hex_colour(NOT_OBSERVED),
        "water": hex_colour(WATER),
    }


def _features(
    fires: gpd.GeoDataFrame | None, growth: pd.DataFrame | None, days: list[str]
) -> list[dict[str, Any]]:
    """Return the fires as GeoJSON features, each with its hectares by day."""
    if fires is None or fires.empty:
        return []
    from shapely import set_precision
    from shapely.geometry import mapping

    number = {day: index for index, day in enumerate(days)}
    daily: dict[str, list[list[float]]] = {}
    if growth is not None:
        stamps = growth["day"].to_numpy("datetime64[D]").astype(str)
        for name, day, ha in zip(
            growth["id"].astype(str), stamps, growth["area_ha"].to_numpy(float), strict=True
        ):
            if day in number:
                daily.setdefault(name, []).append([number[day], round(float(ha), 1)])
    found = []
    for row in fires.itertuples():
        values = {name: _plain(getattr(row, name)) for name in _FIRE_COLUMNS if hasattr(row, name)}
        shape = set_precision(row.geometry, 1e-6)
        found.append(
            {
                "type": "Feature",
                "properties": {**values, "growth": daily.get(row.id, [])},
                "geometry": mapping(shape),
            }
        )
    return found


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return str(np.datetime64(value, "D"))
    if isinstance(value, (float, np.floating)):
        return round(float(value), 2) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _asset(name: str) -> str:
    text = (importlib.resources.files(_ASSETS) / "assets" / name).read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")
