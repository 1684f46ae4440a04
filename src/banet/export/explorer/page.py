"""Page with an interactive map: data, script and style in one file."""

from __future__ import annotations

import html
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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
from banet.burned_area.unknown import days_told
from banet.errors import InputError
from banet.export.explorer.coded_planes import coded_planes
from banet.export.explorer.outlines import outlines_of
from banet.export.explorer.seen import seen_by_day
from banet.export.qml import text_of
from banet.export.qml_fires import ABOUT, fire_style
from banet.io.files import PathLike, write_text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from banet.cube import Cube

__all__ = ["ExplorerFrame", "explore", "explorer_data", "explorer_text", "write_explorer"]

_ASSETS = "banet.export.explorer"
_PARTS = ("leaflet.js", "leaflet.css", "cells.js", "geopackage.js", "page.js", "page.css")


def write_explorer(
    burned: BurnedArea,
    path: PathLike,
    *,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    daily_ha: npt.NDArray[np.float64] | None = None,
    title: str | None = None,
    notes: tuple[str, ...] = (),
) -> Path:
    """Write one HTML file that shows a map, its fires and its days, and needs no network.

    Args:
        burned: the map.
        path: of the page.
        fires: table of `find_events`; None shows no fires.
        growth: hectares by fire and day, of `trace_events`.
        seen: share of the land that was observed, 0-1, by day (`YYYY-MM-DD`); None where nobody knows.
        daily_ha: hectares burned on each day of the map, (days,); those of the map itself by default, which
            holds each cell once.
        title: of the page; region and period if left out.
        notes: lines to show below the map.

    Raises:
        OutputError: if the page cannot be written.
    """
    text = explorer_text(
        burned, fires=fires, growth=growth, seen=seen, daily_ha=daily_ha, title=title, notes=notes
    )
    return ExplorerFrame(text).save(path)


def explorer_text(
    burned: BurnedArea,
    *,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    daily_ha: npt.NDArray[np.float64] | None = None,
    title: str | None = None,
    notes: tuple[str, ...] = (),
) -> str:
    """Return the page of `write_explorer` as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    data = explorer_data(burned, fires, growth, seen, daily_ha)
    heading = title or f"{burned.region.name}, {burned.start} to {burned.stop - 1}"
    pages = Environment(
        loader=PackageLoader("banet.export.explorer", "assets"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("page.html").render(
        title=heading,
        # In a script, only the end of the script itself must not be spelt out.
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
        notes=notes,
        **{name.replace(".", "_"): _asset(name) for name in _PARTS},
    )


@dataclass(frozen=True, repr=False)
class ExplorerFrame:
    """Interactive map that a notebook shows; `save` writes it as a file.

    Attributes:
        text: the page, as `write_explorer` writes it.
        height: of the frame in pixels.
    """

    text: str
    height: int = 640

    def __repr__(self) -> str:
        return f"ExplorerFrame({len(self.text) / 1e6:.1f} MB)"

    def save(self, path: PathLike) -> Path:
        """Write the page to a file and return its path.

        Raises:
            OutputError: if it cannot be written.
        """
        return write_text(path, self.text)

    def _repr_html_(self) -> str:
        page = html.escape(self.text, quote=True)
        return f'<iframe title="burned area" width="100%" height="{self.height}" srcdoc="{page}"></iframe>'


def explore(
    burned: BurnedArea, *, cube: Cube | PathLike | None = None, min_hectares: float = 100.0, height: int = 640
) -> ExplorerFrame:
    """Return the interactive map of a map and its fires, for a notebook; it needs no network.

    Args:
        burned: the map.
        cube: that it was made from, or its folder, to show which days were seen.
        min_hectares: fires of less burned area are left out, and counted.
        height: of the frame in pixels.

    Raises:
        InputError: if `burned` is no map.
    """
    from banet.burned_area.fires import trace_events
    from banet.cube import open_cube

    if not isinstance(burned, BurnedArea):
        raise InputError(f"a {type(burned).__name__} is no map; join several: first.join(*others)")
    events = trace_events(burned, min_hectares=min_hectares)
    text = explorer_text(
        burned,
        fires=events.table,
        growth=events.growth,
        seen=None if cube is None else seen_by_day(open_cube(cube), burned),
        notes=(*burned.notes, events.summary),
    )
    return ExplorerFrame(text, height)


def explorer_data(
    burned: BurnedArea,
    fires: gpd.GeoDataFrame | None = None,
    growth: pd.DataFrame | None = None,
    seen: Mapping[str, float] | None = None,
    daily_ha: npt.NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Return all that the page's script needs, as JSON can hold it."""
    region, coded = burned.region, coded_planes(burned)
    days = [str(day) for day in burned.days]
    table = None if fires is None or fires.empty else fires
    style = None if table is None else fire_style("fires", table)
    return {
        "name": region.name,
        "box": [region.west, region.south, region.east, region.north],
        "size": [coded.rows, coded.cols],
        "cell": coded.block * region.pixel_size,
        "block": coded.block,
        "observed": bool(burned.known.any()),
        "days": days,
        "daily_ha": [
            round(float(ha), 3) if known else None
            for ha, known in zip(
                burned.daily_area_ha() if daily_ha is None else daily_ha,
                days_told(burned.unknown_days, burned.known, burned.days),
                strict=True,
            )
        ],
        "planes": dict(coded.planes),
        "colours": _colours(burned),
        "said": {name: [one.title, one.text] for name, one in meanings(burned).items()},
        "fires": [] if table is None else _features(table, growth, days),
        "fire_columns": {} if table is None else _columns(table),
        "about": {name: ABOUT[name] for name in ("fires", "growth")},
        "style": "" if style is None else text_of(style),
        "seen": None if seen is None else [seen.get(day) for day in days],
        "outlines": outlines_of(region),
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


def _features(table: gpd.GeoDataFrame, growth: pd.DataFrame | None, days: list[str]) -> list[dict[str, Any]]:
    """Return the fires as GeoJSON features, each with the days on which it grew: number, hectares, cells."""
    from shapely import orient_polygons, set_precision
    from shapely.geometry import mapping

    number = {day: index for index, day in enumerate(days)}
    daily: dict[str, list[list[float]]] = {}
    if growth is not None:
        stamps = growth["day"].to_numpy("datetime64[D]").astype(str)
        for name, day, ha, cells in zip(growth["id"].astype(str), stamps, growth["area_ha"], growth["cells"]):
            if day in number:
                daily.setdefault(name, []).append([number[day], round(float(ha), 3), int(cells)])
    names = list(_columns(table))
    return [
        {
            "type": "Feature",
            "properties": {name: _plain(row[name]) for name in names},
            "growth": daily.get(str(row["id"]), []),
            "geometry": mapping(orient_polygons(set_precision(row["geometry"], 1e-6))),
        }
        for row in table.to_dict("records")
    ]


def _columns(table: gpd.GeoDataFrame) -> dict[str, str]:
    """Return the type of each column of a table in a GeoPackage, without that of the shapes."""
    kinds = {"M": "DATE", "f": "REAL", "i": "INTEGER", "u": "INTEGER", "b": "BOOLEAN"}
    return {str(n): kinds.get(table[n].dtype.kind, "TEXT") for n in table.columns if n != "geometry"}


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return None if value != value else str(np.datetime64(value, "D"))  # noqa: PLR0124 - NaT
    if isinstance(value, (float, np.floating)):
        return round(float(value), 6) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _asset(name: str) -> str:
    text = (importlib.resources.files(_ASSETS) / "assets" / name).read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")
