"""QGIS styles of the vector layers of fires: fires, their perimeters by day, and fires that are gone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.colours import date_colours, hex_colour
from banet.export.qml import marks, style_root

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ABOUT", "fire_style"]

ABOUT = {
    "fires": ("Fires", "Burned cells that belong together in space and time"),
    "perimeters": ("Perimeters by day", "All that a fire had burned by the end of a day (UTC)"),
    "growth": ("Growth of the fires", "Hectares of each fire by day (UTC)"),
    "gone": ("Fires that are gone", "Fires of earlier maps that this one withdraws or joins to others"),
}
"""Title and abstract of each layer."""

_STATUS = {
    "new": "#d7191c",
    "grown": "#f07c2b",
    "quiet": "#8c510a",
    "ended": "#6b6b6b",
}
_FIRE = "#d7301f"
_TIP = {
    "fires": """<b>[% "id" %]</b><br>[% "start" %] to [% "end" %], [% round("area_ha") %] ha""",
    "perimeters": """<b>[% "id" %]</b><br>[% "day" %]: [% round("total_ha") %] ha burned so far""",
    "gone": """<b>[% "id" %]</b><br>[% "status" %] [% "into" %]""",
}


@dataclass(frozen=True)
class _Rule:
    """Features that look alike: expression (empty for all), words of the legend, and colours."""

    where: str
    label: str
    outline: str
    fill: str | None = None
    dash: bool = False


def fire_style(name: str, table: pd.DataFrame) -> ET.Element | None:
    """Return the style of a layer of fires; None for a table without shapes or a layer not in `ABOUT`.

    Args:
        name: `fires`, `perimeters` or `gone`.
        table: of the layer; its days and its statuses make the legend.
    """
    if name not in _TIP or not hasattr(table, "geometry"):
        return None
    rules = {"fires": _of_fires, "perimeters": _by_week, "gone": _of_gone}[name](table)
    root = style_root(ABOUT[name][1])
    root.insert(1, _temporal(name))
    root.append(_renderer(list(rules)))
    ET.SubElement(root, "mapTip").text = _TIP[name]
    ET.SubElement(root, "previewExpression").text = '"id"'
    return root


def _of_fires(table: pd.DataFrame) -> Iterator[_Rule]:
    if "status" not in table:
        yield _Rule("", "fire", _FIRE, _FIRE)
        return
    for status, colour in _STATUS.items():
        yield _Rule(f"\"status\" = '{status}'", status, colour, colour)


def _by_week(table: pd.DataFrame) -> Iterator[_Rule]:
    """Give the outlines of each week the colour that a raster of dates has in its middle."""
    if table.empty:
        yield _Rule("", "perimeter", _FIRE)
        return
    held = table["day"].to_numpy("datetime64[D]")
    days = np.arange(held.min(), held.max() + 1)
    ramp, starts = date_colours(days), marks(days)
    stops = [*(starts[1:-1] if len(starts) > 2 else []), len(days)]
    for first, stop in zip(starts, stops):
        where = f"\"day\" >= to_date('{days[first]}') and \"day\" <= to_date('{days[stop - 1]}')"
        colour = hex_colour(ramp[(first + stop - 1) // 2])
        yield _Rule(where, f"{days[first]} to {days[stop - 1]}", colour)


def _of_gone(table: pd.DataFrame) -> Iterator[_Rule]:
    yield _Rule("", "withdrawn or joined to another", "#808080", dash=True)


def _temporal(name: str) -> ET.Element:
    """Return the times of each feature: from its first to its last day, or from its day on."""
    spans = {"mode": "2", "startField": "start", "endField": "end", "accumulate": "0"}
    since = {"mode": "1", "startField": "day", "endField": "", "accumulate": "1"}
    chosen = since if name == "perimeters" else spans
    lasting = {
        "enabled": "1",
        "limitMode": "1",
        "fixedDuration": "1",
        "durationUnit": "d",
        "durationField": "",
    }
    return ET.Element("temporal", {**lasting, **chosen})


def _renderer(rules: list[_Rule]) -> ET.Element:
    renderer = ET.Element("renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    tree = ET.SubElement(renderer, "rules", key="all")
    symbols = ET.SubElement(renderer, "symbols")
    for number, rule in enumerate(rules):
        line = ET.SubElement(tree, "rule", key=f"rule{number}", symbol=str(number), label=rule.label)
        if rule.where:
            line.set("filter", rule.where)
        symbol = ET.SubElement(
            symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1"
        )
        layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
        for key, value in _drawn(rule).items():
            ET.SubElement(layer, "prop", k=key, v=value)
    return renderer


def _drawn(rule: _Rule) -> dict[str, str]:
    return {
        "color": _rgba(rule.fill or "#ffffff", 60),
        "style": "solid" if rule.fill else "no",
        "outline_color": _rgba(rule.outline, 255),
        "outline_style": "dash" if rule.dash else "solid",
        "outline_width": "0.4",
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }


def _rgba(colour: str, alpha: int) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"
