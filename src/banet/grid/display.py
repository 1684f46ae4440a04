"""Small map of coasts on which notebooks show where a region lies."""

from __future__ import annotations

from markupsafe import Markup

__all__ = ["locator"]

_PIXELS = 220
_AROUND = 6.0
_BOX = Markup(
    '<rect x="{}" y="{}" width="{}" height="{}" fill="#d4380d" fill-opacity="0.3" stroke="#d4380d"'
    ' stroke-width="2" vector-effect="non-scaling-stroke"/>'
)


def locator(bbox: tuple[float, float, float, float]) -> Markup:
    """Return a map of the coasts around a box of west, south, east and north in degrees, as SVG."""
    from odc.geo.geom import BoundingBox
    from odc.geo.ui import svg_base_map

    west, south, east, north = bbox
    around = _AROUND + max(east - west, north - south) / 2
    seen = BoundingBox(west - around, max(south - around, -90), east + around, min(north + around, 90))
    box = _BOX.format(west, south, east - west, north - south)
    drawn = svg_base_map(str(box), bbox=seen, sz=_PIXELS, fill="#c7d7e3", stroke="#4a6a85")
    return Markup(drawn.split("\n", 1)[1])  # without the line that declares XML, which HTML does not know
