"""Burned area at a glance: axes of burn dates, and the small table and picture that notebooks show."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from banet.burned_area import colours, hectares
from banet.burned_area.burned_planes import BurnedPlanes
from banet.burned_area.meaning import BURNED, NOT_OBSERVED, WATER, burned_from
from banet.days import Days
from banet.io.tables import facts_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["image_of", "plot", "to_html"]

_PIXELS = 320
_PICTURE = Markup(
    '<img alt="burn dates" src="data:image/png;base64,{}" width="{}" style="image-rendering:pixelated">'
)


def image_of(source: BurnedPlanes, most: int = 1200) -> colours.Rgb:
    """Return the burn dates as an image, (rows, columns, 3) uint8; of a large map every n-th cell."""
    step = -(-max(source.region.shape) // most)
    status, date = source.status[::step, ::step], source.burn_date[::step, ::step]
    image = np.empty((*status.shape, 3), np.uint8)
    image[:] = colours.UNBURNED
    image[status == WATER], image[status == NOT_OBSERVED] = colours.WATER, colours.NOT_OBSERVED
    burned = status == BURNED
    index: npt.NDArray[np.int64] = (date[burned] - source.start).astype(np.int64)
    image[burned] = colours.date_colours(source.days)[index]
    return image


def plot(source: BurnedPlanes, axes: Axes | None = None) -> Axes:
    """Draw the burn dates on matplotlib axes in degrees, and return them.

    Args:
        source: what burned.
        axes: to draw on; a new figure of pyplot where None, which a notebook shows.
    """
    if axes is None:
        from matplotlib import pyplot

        axes = pyplot.figure(layout="constrained").add_subplot()
        _key(source.days, axes)
    region = source.region
    extent = (region.west, region.east, region.south, region.north)
    middle = np.radians((region.south + region.north) / 2)
    axes.imshow(image_of(source), extent=extent, interpolation="nearest", aspect=1 / np.cos(middle))
    axes.set_xlabel("degrees east")
    axes.set_ylabel("degrees north")
    axes.set_title(f"{source.name}, {source.start} to {source.stop - np.timedelta64(1, 'D')}")
    return axes


def _key(days: Days, axes: Axes) -> None:
    """Say beside axes which colour is which day."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    count = len(days)
    scale = ScalarMappable(Normalize(0, count), ListedColormap(colours.date_colours(days) / 255))
    bar = axes.figure.colorbar(scale, ax=axes, shrink=0.8)
    shown = sorted({0, count // 2, count - 1})
    bar.set_ticks([one + 0.5 for one in shown], labels=[str(days[one]) for one in shown])


def to_html(source: BurnedPlanes) -> str:
    """Return a small table and picture as HTML."""
    rows, cols = source.region.shape
    status, known = source.status, hectares.known_total(source)
    cells = int((status == BURNED).sum())
    facts = {
        "region": f"{source.region.name}, {rows} x {cols} cells of {source.region.pixel_size:g} degrees",
        "days": f"{source.start} to {source.stop - np.timedelta64(1, 'D')}",
        "burned": "not observed" if known is None else f"{known:,.0f} ha in {cells:,} cells",
        "counts as burned": burned_from(source),
        "not observed": f"{float((status == NOT_OBSERVED).mean()):.1%} of the cells",
    }
    wide = round(_PIXELS * min(1, cols / rows))
    return facts_html(source.name, facts, _PICTURE.format(_png(image_of(source, _PIXELS)), wide))


def _png(image: colours.Rgb) -> str:
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, image, format="png")
    return base64.b64encode(file.getvalue()).decode()
