"""Region as notebooks show it: in words, and on a small map of coasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from banet.grid.region import Region

__all__ = ["extent", "locator"]

_PIXELS = 220
_AROUND = 6.0
_BOX = Markup(
    '<rect x="{}" y="{}" width="{}" height="{}" fill="#d4380d" fill-opacity="0.3" stroke="#d4380d"'
    ' stroke-width="2" vector-effect="non-scaling-stroke"/>'
)


def extent(region: Region) -> str:
    """Return where a region lies and how large it is.

    >>> from banet.grid.region import Region
    >>> extent(Region("PI", (-10, 36, 5, 44)))
    '-10 to 5 degrees east, 36 to 44 degrees north; 800 x 1500 cells of 0.01 degrees'
    """
    rows, cols = region.shape
    west, south, east, north = region.bbox
    return (
        f"{west:g} to {east:g} degrees east, {south:g} to {north:g} degrees north; {rows} x {cols} cells of "
        f"{region.pixel_size:g} degrees"
    )


def locator(region: Region) -> Markup:
    """Return a small map of the coasts around a region, with its box, as SVG."""
    from odc.geo.geom import BoundingBox
    from odc.geo.ui import svg_base_map

    west, south, east, north = region.bbox
    around = _AROUND + max(east - west, north - south) / 2
    seen = BoundingBox(west - around, max(south - around, -90), east + around, min(north + around, 90))
    box = _BOX.format(west, south, east - west, north - south)
    drawn = svg_base_map(str(box), bbox=seen, sz=_PIXELS, fill="#c7d7e3", stroke="#4a6a85")
    return Markup(drawn.split("\n", 1)[1])  # without the line that declares XML, which HTML does not know
