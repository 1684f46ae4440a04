"""Filmstrip of a season: images of chosen days in false colour, with the hot spots of the day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.colours import NOT_OBSERVED, Rgb
from banet.days import Days, as_day
from banet.errors import InputError
from banet.export.calendar import in_words, period_in_words
from banet.export.drawing import MUTED, inches, label, map_axes, new_figure, save, scale_bar, size_of, sized
from banet.grid.region import Region
from banet.io.files import PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from banet.cube.window import CubeWindow

__all__ = ["false_colour", "filmstrip", "filmstrip_figure", "telling_days"]

_LEFT = 0.3
_GAP = 0.18
_PANEL = (2.35, 2.6)
_COLUMNS = 4
_TITLE = 0.95
_HEAD = 0.28
_FOOT = 0.55
_PIXELS = 600
_FIRE = "#ffd54a"
_DAYS = 8


def telling_days(window: CubeWindow) -> Days:
    """Choose days that show a period: spread over it evenly, each the best observed of its part."""
    share = window.observed.reshape(len(window.days), -1).mean(axis=1)
    parts = np.array_split(np.arange(len(window.days)), min(_DAYS, len(window.days)))
    chosen: Days = window.days[[int(part[np.argmax(share[part])]) for part in parts]]
    return chosen


def false_colour(window: CubeWindow, indices: Sequence[int]) -> Rgb:
    """Return images of days, (days, rows, columns, 3): MIR as red, NIR as green, red as blue.

    All days share one stretch, so that burning shows as a change of colour. Vegetation is green, fresh burns
    are dark red, cloud and smoke are pale. What was not observed is grey.
    """
    channels = [getattr(window, name)[list(indices)] for name in ("mir", "nir", "red")]
    image = np.stack([_stretched(channel) for channel in channels], axis=-1)
    image[~np.isfinite(np.stack(channels)).all(axis=0)] = NOT_OBSERVED
    return image


def _stretched(channel: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    known = channel[np.isfinite(channel)]
    if known.size == 0:
        return np.zeros(channel.shape, np.uint8)
    thin = known[:: max(1, known.size // 200_000)]
    low, high = np.percentile(thin, (1, 96))
    share = np.clip((np.nan_to_num(channel, nan=low) - low) / max(high - low, 1e-6), 0, 1)
    # A gamma below 1 opens up the dark values, where burns differ from water and shade.
    shades: npt.NDArray[np.uint8] = np.round(255 * share**0.8).astype(np.uint8)
    return shades


def filmstrip(
    window: CubeWindow,
    path: PathLike,
    *,
    days: Sequence[Any] | Days | None = None,
    burn_date: Days | None = None,
    mir_band: str = "MIR",
) -> Path:
    """Draw the images of chosen days with their hot spots as PNG and return its path.

    Args:
        window: of a cube.
        path: of the picture.
        days: which days; eight well-observed ones where None.
        burn_date: (rows, columns) datetime64[D]; what burned up to each day is outlined.
        mir_band: name of the band that is drawn as red.

    Raises:
        InputError: if a day is not in the window.
        OutputError: if it cannot be written.
    """
    return save(filmstrip_figure(window, days=days, burn_date=burn_date, mir_band=mir_band), path)


def filmstrip_figure(
    window: CubeWindow,
    *,
    days: Sequence[Any] | Days | None = None,
    burn_date: Days | None = None,
    mir_band: str = "MIR",
) -> Figure:
    """Return the figure that `filmstrip` writes.

    Raises:
        InputError: if a day is not in the window.
    """
    chosen = telling_days(window) if days is None else [as_day(day) for day in days]
    indices = [_index(window, day) for day in chosen]
    images = false_colour(window, indices)
    width, height = sized(window.region, *_PANEL)
    slot = max(width, 0.8)
    columns = min(_COLUMNS, len(indices))
    rows = -(-len(indices) // columns)
    figure = new_figure(
        max(2 * _LEFT + columns * (slot + _GAP) - _GAP, 6.2),
        _TITLE + rows * (height + _HEAD + _GAP) + _FOOT,
    )
    full_width, full_height = figure.get_size_inches()
    top = full_height - _TITLE
    label(figure, _LEFT, top + 0.5, "What the satellite saw", size=15, weight="bold")
    subtitle = (
        f"{window.region.name}, {period_in_words(window.days[0], window.days[-1] + np.timedelta64(1, 'D'))}"
    )
    label(figure, _LEFT, top + 0.24, subtitle, size=9.5, color=MUTED)
    for place, (index, image) in enumerate(zip(indices, images)):
        left = _LEFT + (place % columns) * (slot + _GAP)
        bottom = top - (place // columns + 1) * (height + _HEAD) - (place // columns) * _GAP
        axes = inches(figure, left, bottom, width, height)
        step = -(-max(image.shape[:2]) // _PIXELS)
        map_axes(axes, window.region, image[::step, ::step], ticks=3, labels=False)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        if burn_date is not None:
            _outline(axes, window.region, burn_date <= window.days[index])
        fires = _hot_spots(axes, window, index)
        above = bottom + height + 0.06
        label(figure, left, above, in_words(window.days[index], year=width > 1.4), size=8.5, weight="bold")
        if fires and width > 1.2:
            text = f"{fires} hot cell{'s' if fires > 1 else ''}" if width > 1.85 else f"{fires} hot"
            label(figure, left + width, above, text, size=7.5, color=MUTED, ha="right")
    outlined = "; white line: burned up to that day" if burn_date is not None else ""
    legend = f"red: {mir_band}, green: NIR, blue: red; circles: active fires{outlined}; grey: not observed"
    label(figure, _LEFT, 0.2, legend, size=7.5, color=MUTED)
    scale_bar(figure, window.region, full_width - _LEFT, 0.42, width)
    return figure


def _index(window: CubeWindow, day: np.datetime64) -> int:
    found = np.flatnonzero(window.days == day)
    if found.size == 0:
        raise InputError(f"{day} is not among the days {window.days[0]} to {window.days[-1]} of the window")
    return int(found[0])


def _hot_spots(axes: Axes, window: CubeWindow, index: int) -> int:
    """Draw circles that grow with radiative power, the strongest last; return how many there are."""
    power = np.nan_to_num(window.frp[index])
    rows, cols = np.nonzero(power > 0)
    order = np.argsort(power[rows, cols], kind="stable")
    rows, cols = rows[order], cols[order]
    cell = size_of(axes)[0] * 72 / power.shape[1]
    across = min(max(1.2 * cell, 1.6), 7.0) * (1 + 0.25 * np.log1p(power[rows, cols] / 50))
    axes.scatter(
        window.region.longitudes[cols],
        window.region.latitudes[rows],
        s=across**2,
        facecolors="none",
        edgecolors=_FIRE,
        linewidths=0.5,
        zorder=5,
    )
    return len(rows)


def _outline(axes: Axes, region: Region, burned: npt.NDArray[np.bool_]) -> None:
    if not burned.any() or min(burned.shape) < 2:
        return
    axes.contour(
        region.longitudes, region.latitudes, burned.astype(np.float32), [0.5], colors="white", linewidths=0.6
    )
