"""MCD64A1 and VNP64A1, NASA's monthly burned-area products, to burned fraction by cell and day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from banet.burned_area.burned_area import BurnedArea
from banet.days import parse_period
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.labels.assemble import DUPLICATE_DAYS, assemble
from banet.labels.monthly_files import find_monthly_files, read_layers

__all__ = ["read_mcd64a1"]


def read_mcd64a1(
    paths: PathLike | Iterable[PathLike],
    region: Region,
    start: Any,
    end: Any,
    *,
    duplicate_days: int = DUPLICATE_DAYS,
    quality: bool = True,
) -> BurnedArea:
    """Read MCD64A1 or VNP64A1 files to burned fractions on a region's grid.

    Every 463 m pixel is cut along the cells that it touches, so hectares are kept. They are hectares of
    the pixels' footprints on the WGS84 ellipsoid: 0.04 % more at 37 degrees, 0.45 % less at the equator, than
    the product's nominal 21.4659 ha a pixel on a sphere.

    Args:
        paths: files or folders: HDF4 tiles, or GeoTIFFs in the sinusoidal projection or in degrees.
        region: the grid to put them on.
        start: first day, or the month whose first day it is.
        end: last day, or the month whose last day it is.
        duplicate_days: see `DUPLICATE_DAYS` in `banet.labels.assemble`; 0 keeps everything.
        quality: whether to gather QA, first and last day too.

    Returns:
        Dated fractions. A cell is known in the months in which no more than half of it is missing; its other
        months, as those of which its tile has no file, are in `unknown_days`.

    Raises:
        NotFoundError: if there is no file, or none that touches the region in the period.
        InputError: if files are of different products, or misnamed.
        UnreadableFileError: if a file is damaged.
    """
    files = find_monthly_files(paths)
    days = parse_period(start, end)
    return assemble(files, read_layers, region, days, duplicate_days=duplicate_days, quality=quality)
