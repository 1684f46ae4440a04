"""Bands, their names and a mask, written into a raster that is open."""

from __future__ import annotations


def fill(file, planes, names=(), hidden=None):
    """Write planes as bands, names as their descriptions, and a mask of the pixels that are hidden."""
    for band, plane in enumerate(planes, 1):
        file.write(plane, band)
    for band, name in enumerate(names, 1):
        file.set_band_description(band, name)
    if hidden is not None:
        file.write_mask(~hidden)
