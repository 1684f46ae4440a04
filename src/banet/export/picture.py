"""The picture of a map: when each cell burned, and beneath it how many hectares burned on each day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.colours import date_colours
from banet.burned_area.meaning import burned_from
from banet.days import Days, day_range
from banet.export.calendar import date_ticks, in_words, period_in_words
from banet.export.drawing import (
    LAND_ENTRIES,
    MUTED,
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
    size_of,
    sized,
    swatches,
)
from banet.io.files import PathLike

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["map_figure", "map_picture"]

# All lengths are inches.
_LEFT = 0.78
_RIGHT = 0.3
_BAR = 1.2
_MAP = (6.8, 6.4)
_TALL = 3.9
_LEAST = 6.6
_WIDE = 9.2
_TITLE = 0.95
_UNDER_MAP = 0.85
_CURVE = 1.75
_FOOT = 0.62
_MOST_BARS = 400


def map_picture(burnmap: BurnedArea, path: PathLike) -> Path:
    """Draw a map and its daily burned area as PNG and return its path.

    Args:
        burnmap: the map.
        path: of the picture.

    Raises:
        OutputError: if it cannot be written.
    """
    return save(map_figure(burnmap), path)


def map_figure(burnmap: BurnedArea) -> Figure:
    """Return the figure that `map_picture` writes.

    The curve lies under the map, or beside one that is much taller than wide.
    """
    map_width, map_height = sized(burnmap.region, *_MAP)
    tall = map_width < _TALL
    width = _WIDE if tall else max(_LEAST, _LEFT + map_width + _BAR + 0.1)
    height = _TITLE + map_height + _UNDER_MAP + (0.1 if tall else _CURVE + _FOOT)
    figure = new_figure(width, height)
    bottom = height - _TITLE - map_height
    days, daily = day_range(burnmap.start, burnmap.stop), burnmap.daily_area_ha()
    if not burnmap.known.any():
        daily[:] = np.nan

    _headline(figure, burnmap, daily)
    _dates(figure, burnmap, days, (bottom, map_width, map_height))
    if tall:
        _beside(figure, _LEFT + map_width + _BAR + 0.75, bottom, map_height, days, daily)
    else:
        swatches(figure, _LEFT, bottom - 0.55, LAND_ENTRIES)
        _curve(inches(figure, _LEFT, _FOOT, width - _LEFT - _RIGHT, _CURVE - 0.2), days, daily)
    label(figure, width - _RIGHT, 0.14, _note(burnmap), size=7, color=MUTED, ha="right")
    return figure


def _dates(figure: Figure, burnmap: BurnedArea, days: Days, place: tuple[float, float, float]) -> None:
    bottom, width, height = place
    image = date_image(
        np.where(burnmap.burned, burnmap.burn_date, np.datetime64("NaT")),
        days,
        burnmap.water,
        burnmap.burn_doy == -1,
        stretch=latitude_aspect(burnmap.region),
    )
    map_axes(inches(figure, _LEFT, bottom, width, height), burnmap.region, image)
    date_bar(inches(figure, _LEFT + width + 0.22, bottom, 0.2, height), days)
    scale_bar(figure, burnmap.region, _LEFT + width, bottom - 0.55, width)


def _headline(figure: Figure, burnmap: BurnedArea, daily: pd.Series) -> None:
    height = figure.get_size_inches()[1]
    period = period_in_words(burnmap.start, burnmap.stop)
    label(figure, _LEFT, height - 0.42, f"Burned area, {burnmap.region.name}", size=15, weight="bold")
    total = float(daily.sum())
    text = f"{period}  ·  {f'{hectares(total)} burned' if total > 0 else _nothing(daily, 'nothing burned')}"
    if total > 0:
        peak = burnmap.days[int(daily.to_numpy().argmax())]
        text += f"  ·  most on {in_words(peak, year=False)}: {hectares(float(daily.max()))}"
    label(figure, _LEFT, height - 0.7, text, size=9.5, color=MUTED)


def _nothing(daily: pd.Series, words: str) -> str:
    """Return the words for no hectares, or that nobody looked where they are missing."""
    return "not observed" if daily.isna().all() else words


def _note(burnmap: BurnedArea) -> str:
    return f"burned: {burned_from(burnmap)}; days in UTC; areas on the ellipsoid"


def _beside(figure: Figure, left: float, bottom: float, height: float, days: Days, daily: pd.Series) -> None:
    """Put the legend and two curves to the right of a map that is taller than wide."""
    width = _WIDE - left - _RIGHT
    swatches(figure, left, bottom + height - 0.12, LAND_ENTRIES, gap=0.12)
    each = (height - 0.75 - 0.75) / 2
    _curve(inches(figure, left, bottom, width, each), days, daily)
    _curve(inches(figure, left, bottom + each + 0.75, width, each), days, daily.cumsum(), "burned so far")


def _curve(axes: Axes, days: Days, daily: pd.Series, what: str = "burned on each day") -> None:
    """Draw the hectares of each day as bars in the colours of the map."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    values = np.nan_to_num(daily.to_numpy(np.float64))
    place, colours = np.arange(len(days)), date_colours(days) / 255.0
    width, height = size_of(axes)
    if len(days) <= _MOST_BARS:
        axes.bar(place, values, width=0.86 if len(days) <= 100 else 1.0, color=colours, linewidth=0, zorder=3)
    else:
        axes.vlines(
            place,
            0,
            values,
            colors=list(map(tuple, colours)),
            linewidths=width * 72 / len(days) + 0.1,
            zorder=3,
        )
    axes.set_xlim(-0.7, len(days) - 0.3)
    top = values.max(initial=0.0)
    axes.set_ylim(0, top * 1.08 if top > 0 else 1)
    unit, name = (1.0, "hectares") if top < 1e6 else (1e3, "thousand hectares")
    axes.xaxis.set_ticks(*date_ticks(days, max(2, int(width / 0.6))))
    axes.yaxis.set_major_locator(MaxNLocator(max(2, int(height / 0.38)), steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / unit:,g}".replace(",", "\u2009"))
    )
    axes.tick_params(labelsize=8, colors=MUTED, length=3, width=0.6, pad=3)
    axes.set_title(f"{name} {what}", loc="left", fontsize=8.5, color=MUTED, pad=5)
    axes.grid(axis="y", color="#d8d8dc", linewidth=0.6, zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#8a8a90")
    if top == 0:
        axes.set_yticks([])
        axes.text(
            0.5,
            0.45,
            _nothing(daily, "no cell burned in this period"),
            transform=axes.transAxes,
            ha="center",
            color=MUTED,
            size=9,
        )
