"""Dated maps side by side, and where they agree on what burned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from banet.burned_area.colours import AGREEMENT, NOT_OBSERVED, WATER, Rgb, hex_colour
from banet.days import NO_DATE, Days, day_range
from banet.errors import InputError
from banet.export.calendar import period_in_words
from banet.export.drawing import (
    LAND_ENTRIES,
    MUTED,
    STRIPE,
    cover,
    date_bar,
    date_image,
    hectares,
    inches,
    label,
    latitude_aspect,
    map_axes,
    new_figure,
    save,
    scale_bar,
    sized,
    stripes,
    swatches,
)
from banet.grid.region import Region
from banet.io.files import PathLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["agreement_classes", "comparison_figure", "comparison_picture"]

_LEFT = 0.62
_GAP = 0.55
_PANEL = (4.1, 4.1)
_TITLE = 0.85
_HEAD = 0.42
_FOOT = 1.45
_LEAST = 6.2
_PIXELS = 700
_THRESHOLD = 0.5

Mask = npt.NDArray[np.bool_]


def agreement_classes(reference: BurnedArea, mapped: BurnedArea) -> dict[str, Mask]:
    """Return where the map is a hit, a miss, a false alarm or correct; cells that one does not know are none.

    Raises:
        InputError: if the two are on different grids.
    """
    if reference.region.shape != mapped.region.shape:
        raise InputError(
            f"cannot compare {mapped.name} of {mapped.region.shape} cells "
            f"with {reference.name} of {reference.region.shape}"
        )
    both = _told(reference) & _told(mapped)
    expected, found = _burned(reference), _burned(mapped)
    return {
        "hit": both & expected & found,
        "miss": both & expected & ~found,
        "false alarm": both & ~expected & found,
        "correct": both & ~expected & ~found,
    }


def _told(source: BurnedArea) -> Mask:
    return source.known | source.water


def _burned(source: BurnedArea) -> Mask:
    """Return what a panel shows as burned: land of which at least half burned."""
    return source.at_threshold(max(_THRESHOLD, source.dated_from)).burned & ~source.water


def comparison_picture(
    panels: Sequence[BurnedArea],
    path: PathLike,
    *,
    start: np.datetime64,
    stop: np.datetime64,
    title: str,
    notes: Sequence[str] = (),
) -> Path:
    """Draw dated maps on one date scale and the agreement of the second with the first, as PNG.

    Args:
        panels: the reference, the map, and any further maps, all on one grid; their names are the titles.
        path: of the picture, which is returned.
        start: first day of the date scale.
        stop: the day after its last.
        title: of the picture.
        notes: a line under each panel's title in place of its hectares, such as scores.

    Raises:
        InputError: if there are fewer than two panels or their grids differ.
        OutputError: if it cannot be written.
    """
    return save(comparison_figure(panels, start=start, stop=stop, title=title, notes=notes), path)


def comparison_figure(
    panels: Sequence[BurnedArea],
    *,
    start: np.datetime64,
    stop: np.datetime64,
    title: str,
    notes: Sequence[str] = (),
) -> Figure:
    """Return the figure that `comparison_picture` writes.

    Raises:
        InputError: if there are fewer than two panels or their grids differ.
    """
    if len(panels) < 2:
        raise InputError(f"a comparison needs a reference and a map, not {len(panels)} panels")
    region, days = panels[0].region, day_range(start, stop)
    classes = agreement_classes(panels[0], panels[1])
    width, height = sized(region, *_PANEL)
    count = len(panels) + 1
    columns = count if width < 2.6 else 2
    slot = max(width, 1.75)
    rows = -(-count // columns)
    right = max(_LEFT + columns * (slot + _GAP) - _GAP, _LEAST)
    figure = new_figure(right + 0.35, _TITLE + rows * (height + _HEAD + 0.35) + _FOOT)
    top = figure.get_size_inches()[1] - _TITLE
    label(figure, _LEFT, top + 0.42, title, size=15, weight="bold")
    label(figure, _LEFT, top + 0.15, period_in_words(start, stop), size=9.5, color=MUTED)

    for index in range(count):
        left = _LEFT + (index % columns) * (slot + _GAP)
        bottom = top - (index // columns + 1) * (height + _HEAD) - (index // columns) * 0.35
        axes = inches(figure, left, bottom, width, height)
        if index < len(panels):
            source = panels[index]
            map_axes(axes, region, _date_image(source, days), ticks=4)
            note = notes[index] if index < len(notes) else f"{hectares(_area_ha(source))} burned"
            _head(figure, left, bottom + height, source.name, note)
        else:
            map_axes(axes, region, _agreement_image(classes, panels[0].water, region), ticks=4)
            _head(figure, left, bottom + height, "Agreement", f"{panels[1].name} against {panels[0].name}")
    _legend(figure, classes, region, days, (width, right))
    return figure


def _head(figure: Figure, left: float, y: float, title: str, note: str) -> None:
    label(figure, left, y + 0.2, title, size=10, weight="bold")
    label(figure, left, y + 0.06, note, size=7.5, color=MUTED)


def _area_ha(source: BurnedArea) -> float:
    """Hectares of the burned cells, each by its whole area."""
    return float((_burned(source) * source.region.cell_area_ha[:, None]).sum())


def _date_image(source: BurnedArea, days: Days) -> Rgb:
    date = np.where(_burned(source), source.burn_date, NO_DATE)
    return date_image(date, days, source.water, ~_told(source), stretch=latitude_aspect(source.region))


def _agreement_image(classes: dict[str, Mask], water: Mask, region: Region) -> Rgb:
    """Return an image in the four colours; of a large map every second, third... cell is shown."""
    names = list(AGREEMENT)
    palette = np.array([*AGREEMENT.values(), NOT_OBSERVED, WATER], np.uint8)
    code = np.full(region.shape, len(names), np.uint8)
    for number, name in enumerate(names):
        code[classes[name]] = number
    code[water & (code == names.index("correct"))] = len(names) + 1
    step = -(-max(region.shape) // (2 * _PIXELS))
    code = cover(code[::step, ::step], max(1, _PIXELS // max(region.shape)))
    image: Rgb = palette[code]
    image[stripes(code == len(names), latitude_aspect(region))] = STRIPE
    return image


def _legend(
    figure: Figure,
    classes: dict[str, Mask],
    region: Region,
    days: Days,
    place: tuple[float, float],
) -> None:
    map_width, right = place
    date_bar(inches(figure, _LEFT, 1.08, right - _LEFT, 0.16), days, horizontal=True)
    area = region.cell_area_ha[:, None]
    entries = [
        (f"{name}  {hectares(float((classes[name] * area).sum()))}", hex_colour(AGREEMENT[name]), False)
        for name in ("hit", "miss", "false alarm")
    ]
    swatches(figure, _LEFT, 0.46, entries)
    swatches(figure, _LEFT, 0.18, LAND_ENTRIES)
    scale_bar(figure, region, right, 0.18, map_width)
