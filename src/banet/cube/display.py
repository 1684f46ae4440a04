"""Short tables of HTML, by which notebooks show a cube and its windows."""

from __future__ import annotations

import html
from collections.abc import Mapping

from banet.grid.region import Region

__all__ = ["extent", "html_table"]


def extent(region: Region) -> str:
    """Return where a region lies and how large it is."""
    rows, cols = region.shape
    west, south, east, north = region.bbox
    return (
        f"{west:g} to {east:g} degrees east, {south:g} to {north:g} degrees north; {rows} x {cols} cells of "
        f"{region.pixel_size:g} degrees"
    )


def html_table(title: str, rows: Mapping[str, str]) -> str:
    """Return a title and a table of names and values, those without a value left out."""
    lines = [
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in rows.items()
        if value
    ]
    return f"<div><b>{html.escape(title)}</b><table>{''.join(lines)}</table></div>"
