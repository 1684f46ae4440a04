"""Extent of a cube or window in words, as notebooks show it."""

from __future__ import annotations

from banet.grid.region import Region

__all__ = ["extent"]


def extent(region: Region) -> str:
    """Return where a region lies and how large it is."""
    rows, cols = region.shape
    west, south, east, north = region.bbox
    return (
        f"{west:g} to {east:g} degrees east, {south:g} to {north:g} degrees north; {rows} x {cols} cells of "
        f"{region.pixel_size:g} degrees"
    )
