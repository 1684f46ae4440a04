"""Drawing that pictures share: maps as images, axes in degrees, date scales, legends and saving.

Figures are matplotlib `Figure` objects drawn by the Agg canvas: pyplot and its settings are left alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area import meaning
from banet.burned_area.colours import INK, NOT_OBSERVED, UNBURNED, WATER, Rgb, date_colours, hex_colour
from banet.days import Days
from banet.export.calendar import date_ticks
from banet.grid.region import KM_PER_DEGREE, Region
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "DPI",
    "LAND_ENTRIES",
    "MUTED",
    "STRIPE",
    "cover",
    "date_bar",
    "date_image",
    "hectares",
    "inches",
    "label",
    "latitude_aspect",
    "map_axes",
    "new_figure",
    "save",
    "scale_bar",
    "size_of",
    "sized",
    "stripes",
    "swatches",
]

MUTED = "#6b6b70"
_DARK = hex_colour(INK)
DPI = 160
_PIXELS = 1500
STRIPE = (168, 168, 164)


def new_figure(width: float, height: float) -> Figure:
    """Return a white figure of a size in inches, with an Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: PathLike) -> Path:
    """Write a figure as PNG and return its path; equal figures give equal bytes.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    with writing(target) as part:
        figure.savefig(part, format="png", dpi=DPI, metadata={"Software": "banet"})
    return target


def inches(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place in inches from the lower left corner."""
    full_width, full_height = figure.get_size_inches()
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def size_of(axes: Axes) -> tuple[float, float]:
    """Return width and height of axes in inches."""
    figure = axes.get_figure()
    width, height = figure.get_size_inches() * axes.get_position().size  # type: ignore[union-attr]
    return float(width), float(height)


def label(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write text at a place in inches from the lower left corner."""
    width, height = figure.get_size_inches()
    options = {"size": 9, "color": _DARK, "ha": "left", "va": "baseline", **style}
    figure.text(x / width, y / height, text, **options)


def hectares(area: float) -> str:
    """Return an area as text, thousands apart by thin spaces.

    >>> hectares(1234567.4).replace(chr(0x2009), "_")
    '1_234_567 ha'
    """
    digits = 1 if 0 < area < 10 else 0
    return f"{area:,.{digits}f} ha".replace(",", "\u2009")


def latitude_aspect(region: Region) -> float:
    """Return how many times longer a degree of latitude is than one of longitude in the region's middle."""
    middle = math.radians((region.south + region.north) / 2)
    return 1 / max(math.cos(middle), 0.02)


def sized(region: Region, width: float, height: float) -> tuple[float, float]:
    """Return the largest size in inches, inside width x height, that shows the region without distortion."""
    ratio = (region.east - region.west) / ((region.north - region.south) * latitude_aspect(region))
    # A strip a few cells high would otherwise be thinner than its frame.
    ratio = min(max(ratio, 0.12), 12.0)
    return (width, width / ratio) if width / ratio <= height else (height * ratio, height)


def date_image(
    burn_date: Days,
    days: Days,
    water: npt.NDArray[np.bool_] | None = None,
    unseen: npt.NDArray[np.bool_] | None = None,
    *,
    stretch: float = 1.0,
) -> Rgb:
    """Return a map of dates as an image, (height, width, 3), near the size at which it is drawn.

    Small maps are enlarged to whole multiples. Large ones are thinned: a point of the image is burned if
    any of its cells is, and then takes the earliest of their dates, so that small fires stay visible.

    Args:
        burn_date: (rows, columns) datetime64[D], NaT where not burned.
        days: the period, (T,); dates outside it are drawn in the nearest day's colour.
        water: (rows, columns) or None.
        unseen: cells that were not observed, (rows, columns) or None.
        stretch: how many times taller than wide a cell is drawn.
    """
    never = np.isnat(burn_date)
    index = np.clip((burn_date - days[0]).astype("timedelta64[D]").astype(np.int64), 0, len(days) - 1)
    index = np.where(never, len(days), index)
    step = math.ceil(max(burn_date.shape) / _PIXELS)
    index = _block_minimum(index, step, len(days))
    kind = _thinned(_kinds(burn_date.shape, water, unseen), step, index.shape)
    times = max(1, _PIXELS // max(index.shape))
    index, kind = cover(index, times), cover(kind, times)
    image = np.array([UNBURNED, WATER, NOT_OBSERVED], np.uint8)[kind]
    image[stripes(kind == 2, stretch)] = STRIPE
    burned = index < len(days)
    image[burned] = date_colours(days)[index[burned]]
    return image


def cover(image: npt.NDArray[Any], times: int) -> npt.NDArray[Any]:
    """Return an image with each cell repeated `times` times down and across."""
    return image.repeat(times, axis=0).repeat(times, axis=1)


def _kinds(
    shape: tuple[int, ...], water: npt.NDArray[np.bool_] | None, unseen: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint8]:
    kind = np.zeros(shape, np.uint8)
    if unseen is not None:
        kind[unseen] = 2
    if water is not None:
        kind[water] = 1
    return kind


def _block_minimum(values: npt.NDArray[np.int64], step: int, fill: int) -> npt.NDArray[np.int64]:
    rows, cols = (-(-size // step) * step for size in values.shape)
    padded = np.full((rows, cols), fill, values.dtype)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks: npt.NDArray[np.int64] = padded.reshape(rows // step, step, cols // step, step).min(axis=(1, 3))
    return blocks


def _thinned(values: npt.NDArray[np.uint8], step: int, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    rows, cols = (
        np.minimum(np.arange(n) * step + step // 2, size - 1) for n, size in zip(shape, values.shape)
    )
    return values[np.ix_(rows, cols)]


def stripes(where: npt.NDArray[np.bool_], stretch: float) -> npt.NDArray[np.bool_]:
    """Return where diagonal stripes lie, about seventy across the picture whatever its size and stretch."""
    rows, cols = np.ogrid[: where.shape[0], : where.shape[1]]
    period = max(where.shape[0] * stretch, where.shape[1]) / 70
    lit: npt.NDArray[np.bool_] = where & ((rows * stretch + cols) % period < 0.24 * period)
    return lit


def map_axes(
    axes: Axes, region: Region, image: npt.NDArray[Any], *, ticks: int = 5, labels: bool = True
) -> None:
    """Draw an image of the region with a graticule in degrees."""
    extent = (region.west, region.east, region.south, region.north)
    axes.imshow(image, extent=extent, interpolation="antialiased", aspect="auto", zorder=1)
    axes.set_xlim(region.west, region.east)
    axes.set_ylim(region.south, region.north)
    width, height = size_of(axes)
    for axis, low, high, names, room in (
        (axes.xaxis, region.west, region.east, "EW", width / 0.85),
        (axes.yaxis, region.south, region.north, "NS", height / 0.45),
    ):
        places, texts = _degrees(low, high, names, int(min(ticks, max(room, 1))))
        axis.set_ticks(places, texts if labels else [""] * len(places))
    axes.tick_params(labelsize=8, colors=MUTED, length=3, width=0.6, pad=3)
    axes.grid(color="#7a7a80", alpha=0.28, linewidth=0.5, zorder=2)
    _frame(axes)


def _frame(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_color("#8a8a90")
        spine.set_linewidth(0.7)


def _degrees(low: float, high: float, names: str, count: int) -> tuple[list[float], list[str]]:
    from matplotlib.ticker import MaxNLocator

    places = [float(v) for v in MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)]
    places = [v for v in places if low - 1e-9 <= v <= high + 1e-9]
    gap = min(np.diff(places)) if len(places) > 1 else high - low
    digits = max(0, math.ceil(-math.log10(gap) - 1e-9))
    # The locator gives two ticks at least, which is one too many on the narrowest maps.
    places = places[:: len(places)] if count == 1 else places
    return places, [_degree(v, names, digits) for v in places]


def _degree(value: float, names: str, digits: int) -> str:
    if names == "EW":
        value = (value + 180) % 360 - 180
    value = round(value, digits)
    letter = "" if value == 0 or (names == "EW" and abs(value) == 180) else names[0 if value > 0 else 1]
    return f"{abs(value):.{digits}f}°{letter}"


def scale_bar(figure: Figure, region: Region, right: float, y: float, map_width: float) -> None:
    """Draw a bar of a round length in km, right-aligned at a place in inches, true in the region's middle."""
    km = (region.east - region.west) * KM_PER_DEGREE / latitude_aspect(region)
    length = _round_length(km / 4)
    span = length / km * map_width
    width, height = figure.get_size_inches()
    from matplotlib.patches import Rectangle

    for part, colour in ((0.0, _DARK), (0.5, "white")):
        x = right - span * (1 - part)
        box = Rectangle(
            (x / width, y / height),
            span / 2 / width,
            0.055 / height,
            transform=figure.transFigure,
            facecolor=colour,
            edgecolor=_DARK,
            linewidth=0.6,
        )
        figure.add_artist(box)
    label(figure, right - span - 0.08, y - 0.03, f"{length:g} km", size=8, ha="right", color=MUTED)


def _round_length(km: float) -> float:
    power = 10.0 ** math.floor(math.log10(km))
    return max(step for step in (1, 2, 5, 10) if step * power <= km * (1 + 1e-9)) * power


def swatches(
    figure: Figure, x: float, y: float, entries: Sequence[tuple[str, str, bool]], *, gap: float = 0.28
) -> float:
    """Draw squares with names in a row at a place in inches; return where the row ends.

    Args:
        figure: to draw on.
        x: left end of the row in inches.
        y: base line in inches.
        entries: name, colour and whether the square is hatched.
        gap: between two entries in inches.
    """
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    for name, colour, hatched in entries:
        square = Rectangle(
            (x / width, (y - 0.03) / height),
            0.17 / width,
            0.14 / height,
            transform=figure.transFigure,
            facecolor=colour,
            edgecolor=hex_colour(STRIPE) if hatched else "#a0a0a4",
            hatch="//////" if hatched else None,
            linewidth=0.5,
        )
        figure.add_artist(square)
        label(figure, x + 0.23, y, name, size=8, color=MUTED)
        x += 0.23 + 0.066 * len(name) + gap
    return x


LAND_ENTRIES = (
    (meaning.LAND[meaning.UNBURNED], hex_colour(UNBURNED), False),
    (meaning.LAND[meaning.WATER], hex_colour(WATER), False),
    (meaning.LAND[meaning.NOT_OBSERVED], hex_colour(NOT_OBSERVED), True),
)


def date_bar(axes: Axes, days: Days, *, horizontal: bool = False) -> None:
    """Draw the colours of a period's days with calendar dates, from top to bottom or from left to right."""
    colours = date_colours(days)
    length = size_of(axes)[0 if horizontal else 1]
    places, texts = date_ticks(days, max(2, int(length / (0.62 if horizontal else 0.26))))
    axes.imshow(colours[None] if horizontal else colours[:, None], aspect="auto", interpolation="nearest")
    shown, hidden = (axes.xaxis, axes.yaxis) if horizontal else (axes.yaxis, axes.xaxis)
    shown.set_ticks(places, texts)
    hidden.set_ticks([])
    if not horizontal:
        axes.yaxis.tick_right()
    axes.tick_params(labelsize=8, colors=_DARK, length=3, width=0.6, pad=3)
    _frame(axes)
