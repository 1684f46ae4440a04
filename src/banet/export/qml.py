"""QGIS styles: a .qml of the raster's name beside it, which QGIS 3 applies when it opens the raster.

The layout is that of QGIS's own "Save style" (and of "Save metadata" for the .qmd). What did not burn, and a
confidence of 0 %, is transparent, so that a base map shows through. Every day has its own colour, but the
legend names weeks (or months in a long period): between two marks QGIS interpolates.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area import colours
from banet.burned_area.colours import confidence_table, date_colours, hex_colour, uncertainty_table
from banet.burned_area.meaning import LAND, UNBURNED, WATER, Meaning, meanings
from banet.days import ONE_DAY, Day, Days, day_of_year, day_range
from banet.errors import InputError
from banet.io.files import PathLike, write_text

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = [
    "burn_date_style",
    "confidence_style",
    "days_style",
    "marks",
    "metadata",
    "style_root",
    "styles",
    "text_of",
    "write_style",
]

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.22.0-Białowieża"
_WEEKS = 16 * 7
"""Days up to which a legend names weeks; a longer one names months."""

_FULL = 20
"""Confidence in percent from which on a raster of it hides what is below; it fades towards 0 %."""


@dataclass(frozen=True)
class LegendLine:
    """A line of a legend: value of the raster, colour as #rrggbb, words, and opacity up to 255."""

    value: int
    colour: str
    label: str
    alpha: int = 255


def styles(source: BurnedArea, more: Sequence[Meaning] = ()) -> dict[str, ET.Element]:
    """Return the styles of the rasters of a source, and of more of its grid, by the name of the layer."""
    said = meanings(source)
    found = {
        "burn_date": burn_date_style(source.start, source.stop, said["burn_doy"]),
        "confidence": confidence_style(said["confidence"]),
        "uncertainty": days_style(said["uncertainty"]),
    }
    if "over_tenth" in said:
        found["over_tenth"] = confidence_style(said["over_tenth"])
    for one in more:
        found[one.name] = confidence_style(one, solid=True) if one.unit == "percent" else days_style(one)
    for style in found.values():
        style.insert(1, _fixed_range(source))
    return found


def marks(days: Days) -> list[int]:
    """Return the places of the days that a legend names: each week's first, or each month's, and the last.

    In less than four weeks they lie closer.
    """
    if len(days) <= _WEEKS:
        step = 1 if len(days) < 13 else 3 if len(days) < 28 else 7
        named = list(range(0, len(days), step))
    else:
        named = [place for place, day in enumerate(days) if place == 0 or str(day).endswith("-01")]
    return sorted({*named, len(days) - 1})


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
    numbers, first, times = np.unique(day_of_year(days), return_index=True, return_counts=True)
    places = set(marks(days))
    breaks = (np.diff(numbers) > 1) | (np.diff(first) != 1)  # as at New Year
    ends = np.r_[True, breaks], np.r_[breaks, True]
    entries = [
        LegendLine(WATER, hex_colour(colours.WATER), LAND[WATER]),
        LegendLine(UNBURNED, hex_colour(colours.UNBURNED), LAND[UNBURNED], alpha=0),
    ]
    ramp = date_colours(days)
    for number, place, count, *end in zip(numbers.tolist(), first.tolist(), times.tolist(), *ends):
        if place in places or any(end):
            label = f"{days[place]}{'+' if count > 1 else ''} ({number})"
            entries.append(LegendLine(number, hex_colour(ramp[place]), label))
    return _raster(_pseudocolour(entries, "INTERPOLATED"), meaning)


def confidence_style(meaning: Meaning | None = None, *, solid: bool = False) -> ET.Element:
    """Return the style of a confidence raster, 0-100 %; unless solid, it fades towards 0 %."""
    table = confidence_table()
    alphas = {value: 255 if solid else min(255, 255 * value // _FULL) for value in range(0, 101, 5)}
    entries = [LegendLine(n, hex_colour(table[n][:3]), f"{n} %", alpha) for n, alpha in alphas.items()]
    return _raster(_pseudocolour(entries, "INTERPOLATED", unit=" %"), meaning)


def days_style(meaning: Meaning | None = None) -> ET.Element:
    """Return the style of a raster of a number of days, such as the date uncertainty."""
    table, first = uncertainty_table(), 0
    entries = []
    for last in (0, 1, 2, 3, 5, 7, 14, 30, 254):
        span = f"{first} to {last} days" if last > first else f"{last} day{'s' * (last != 1)}"
        label = f"{first} days or more" if last == 254 else span
        entries.append(LegendLine(last, hex_colour(table[last][:3]), label))
        first = last + 1
    return _raster(_pseudocolour(entries, "DISCRETE"), meaning)


def metadata(source: BurnedArea, meaning: Meaning) -> ET.Element:
    """Return title, abstract and period of a raster, as QGIS reads them from a .qmd beside it."""
    root = ET.Element("qgis", version=_VERSION)
    ET.SubElement(root, "type").text = "dataset"
    last = source.stop - ONE_DAY
    title = (
        f"{meaning.title[:1].upper()}{meaning.title[1:]} of {source.region.name}, {source.start} to {last}"
    )
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "abstract").text = _said(meaning)
    period = ET.SubElement(ET.SubElement(ET.SubElement(root, "extent"), "temporal"), "period")
    _range(period, source)
    return root


def write_style(style: ET.Element, path: PathLike) -> Path:
    """Write a style, or metadata, and return its path.

    Raises:
        OutputError: if it cannot be written.
    """
    return write_text(path, text_of(style))


def text_of(style: ET.Element) -> str:
    """Return the text of a style's file."""
    ET.indent(style)
    return _HEAD + ET.tostring(style, encoding="unicode") + "\n"


def style_root(notes: str = "") -> ET.Element:
    """Return the root of a style; the notes are shown in the legend."""
    root = ET.Element(
        "qgis",
        version=_VERSION,
        styleCategories="AllStyleCategories",
        hasScaleBasedVisibilityFlag="0",
        minScale="1e+08",
        maxScale="0",
    )
    flags = ET.SubElement(root, "flags")
    for name in ("Identifiable", "Removable", "Searchable"):
        ET.SubElement(flags, name).text = "1"
    if notes:
        ET.SubElement(root, "userNotes", value=notes)
    return root


def _said(meaning: Meaning) -> str:
    return "; ".join(part for part in (meaning.text, meaning.method) if part)


def _fixed_range(source: BurnedArea) -> ET.Element:
    """Return the times at which QGIS's temporal controller shows a raster: those of its period."""
    temporal = ET.Element("temporal", enabled="1", mode="0", fetchMode="0")
    _range(ET.SubElement(temporal, "fixedRange"), source)
    return temporal


def _range(parent: ET.Element, source: BurnedArea) -> None:
    ET.SubElement(parent, "start").text = f"{source.start}T00:00:00Z"
    ET.SubElement(parent, "end").text = f"{source.stop - ONE_DAY}T23:59:59Z"


def _raster(renderer: ET.Element, meaning: Meaning | None) -> ET.Element:
    root = style_root("" if meaning is None else _said(meaning))
    pipe = ET.SubElement(root, "pipe")
    # Nearest neighbour: a colour between two days would be a third day.
    ET.SubElement(
        ET.SubElement(pipe, "provider"),
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
    return root


def _pseudocolour(entries: Sequence[LegendLine], kind: str, unit: str = "") -> ET.Element:
    """Return a renderer of one band; its legend is a bar with a unit, or a line an entry."""
    low, high = str(entries[0].value), str(entries[-1].value)
    renderer = ET.Element(
        "rasterrenderer",
        type="singlebandpseudocolor",
        band="1",
        opacity="1",
        alphaBand="-1",
        nodataColor="",
        classificationMin=low,
        classificationMax=high,
    )
    ET.SubElement(renderer, "rasterTransparency")
    # Keeps QGIS from stretching the colours to the values that happen to be in the raster.
    ET.SubElement(ET.SubElement(renderer, "minMaxOrigin"), "limits").text = "None"
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType=kind,
        classificationMode="1",
        clip="1",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="0",
    )
    for entry in entries:
        drawn = {"value": str(entry.value), "color": entry.colour, "alpha": str(entry.alpha)}
        ET.SubElement(shader, "item", {**drawn, "label": entry.label})
    ET.SubElement(
        shader,
        "rampLegendSettings",
        useContinuousLegend="1" if unit else "0",
        suffix=unit,
        prefix="",
        minimumLabel="",
        maximumLabel="",
        direction="0",
        orientation="2",
    )
    return renderer
