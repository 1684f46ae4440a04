"""QGIS styles: a .qml of the raster's name beside it, which QGIS 3 applies when it opens the raster.

The layout is that of QGIS's own "Save style": a `paletted` renderer for dates, so that every day has its
calendar date as label and a period may run over New Year, and `singlebandpseudocolor` for the rest.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from banet.burned_area import colours
from banet.burned_area.colours import confidence_table, date_colours, hex_colour, uncertainty_table
from banet.burned_area.meaning import LAND, UNBURNED, WATER, Meaning, meanings
from banet.days import Day, day_of_year, day_range
from banet.errors import InputError
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["burn_date_style", "confidence_style", "styles", "uncertainty_style", "write_style"]

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.28.0-Firenze"

Entry = tuple[int, str, str]
"""A raster value, its colour as #rrggbb and its label."""


def styles(source: BurnedArea) -> dict[str, ET.Element]:
    """Return the styles of the rasters of a source by the name of the layer."""
    said = meanings(source)
    more = {"over_tenth": confidence_style(said["over_tenth"])} if "over_tenth" in said else {}
    return {
        "burn_date": burn_date_style(source.start, source.stop, said["burn_doy"]),
        "confidence": confidence_style(said["confidence"]),
        "uncertainty": uncertainty_style(said["uncertainty"]),
        **more,
    }


def burn_date_style(start: Day, stop: Day, meaning: Meaning | None = None) -> ET.Element:
    """Return the style of a burn date raster whose days run from `start` up to, not including, `stop`.

    Where a period is longer than a year and a day of year stands for several dates, the label names the
    first of them followed by `+`.

    Raises:
        InputError: if the period holds no day.
    """
    days = day_range(start, stop)
    if len(days) == 0:
        raise InputError(f"no style for the empty period from {start} to {stop}")
    numbers = day_of_year(days)
    repeated = {number for number, count in Counter(numbers.tolist()).items() if count > 1}
    first: dict[int, Entry] = {}
    for day, number, colour in zip(days, numbers.tolist(), date_colours(days)):
        mark = "+" if number in repeated else ""
        first.setdefault(number, (number, hex_colour(colour), f"{day}{mark} ({number})"))
    fixed: list[Entry] = [
        (WATER, hex_colour(colours.WATER), LAND[WATER]),
        (UNBURNED, hex_colour(colours.UNBURNED), LAND[UNBURNED]),
    ]
    return _document(_paletted([*fixed, *first.values()]), meaning)


def confidence_style(meaning: Meaning | None = None) -> ET.Element:
    """Return the style of a confidence raster, 0-100 %."""
    table = confidence_table()
    entries = [(value, hex_colour(table[value][:3]), f"{value} %") for value in range(0, 101, 5)]
    return _document(_pseudocolour(entries, "INTERPOLATED"), meaning)


def uncertainty_style(meaning: Meaning | None = None) -> ET.Element:
    """Return the style of a date uncertainty raster, in days."""
    table = uncertainty_table()
    entries = [(value, hex_colour(table[value][:3]), _days(value)) for value in range(31)]
    last = (254, hex_colour(table[254][:3]), "31 days or more")
    return _document(_pseudocolour([*entries, last], "DISCRETE"), meaning)


def write_style(style: ET.Element, path: PathLike) -> Path:
    """Write a style and return its path.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    ET.indent(style)
    with writing(target) as part:
        part.write_text(_HEAD + ET.tostring(style, encoding="unicode") + "\n", encoding="utf-8")
    return target


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _document(renderer: ET.Element, meaning: Meaning | None) -> ET.Element:
    root = ET.Element(
        "qgis",
        version=_VERSION,
        styleCategories="AllStyleCategories",
        hasScaleBasedVisibilityFlag="0",
        minScale="1e+08",
        maxScale="0",
    )
    flags = ET.SubElement(root, "flags")
    for name, value in (("Identifiable", "1"), ("Removable", "1"), ("Searchable", "1")):
        ET.SubElement(flags, name).text = value
    pipe = ET.SubElement(root, "pipe")
    provider = ET.SubElement(pipe, "provider")
    # Nearest neighbour: a colour between two days would be a third day.
    ET.SubElement(
        provider,
        "resampling",
        enabled="false",
        maxOversampling="2",
        zoomedInResamplingMethod="nearestNeighbour",
        zoomedOutResamplingMethod="nearestNeighbour",
    )
    pipe.append(renderer)
    ET.SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    ET.SubElement(pipe, "huesaturation", saturation="0", grayscaleMode="0", colorizeOn="0")
    ET.SubElement(pipe, "rasterresampler", maxOversampling="2")
    ET.SubElement(pipe, "resamplingStage").text = "resamplingFilter"
    ET.SubElement(root, "blendMode").text = "0"
    if meaning is not None:
        # Shown as a note in the legend.
        said = "; ".join(part for part in (meaning.text, meaning.method) if part)
        ET.SubElement(root, "userNotes", value=said)
    return root


def _renderer(kind: str, **more: str) -> ET.Element:
    attributes = {"type": kind, "band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": "", **more}
    renderer = ET.Element("rasterrenderer", attributes)
    ET.SubElement(renderer, "rasterTransparency")
    # Keeps QGIS from stretching the colours to the values that happen to be in the raster.
    ET.SubElement(ET.SubElement(renderer, "minMaxOrigin"), "limits").text = "None"
    return renderer


def _paletted(entries: Iterable[Entry]) -> ET.Element:
    renderer = _renderer("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    for value, colour, label in entries:
        ET.SubElement(palette, "paletteEntry", value=str(value), color=colour, label=label, alpha="255")
    return renderer


def _pseudocolour(entries: list[Entry], kind: str) -> ET.Element:
    low, high = str(entries[0][0]), str(entries[-1][0])
    renderer = _renderer("singlebandpseudocolor", classificationMin=low, classificationMax=high)
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType=kind,
        classificationMode="1",
        clip="0",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="0",
    )
    for value, colour, label in entries:
        ET.SubElement(shader, "item", value=str(value), color=colour, label=label, alpha="255")
    return renderer
