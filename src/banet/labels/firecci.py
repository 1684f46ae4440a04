"""FireCCI51 and FireCCIS311, ESA's monthly burned-area products, to burned fraction by cell and day.

One GeoTIFF a layer, month and continent, in degrees (product user guides of Fire_cci, D4.2): `JD` int16 day
of year of the first detection (0 unburned, -1 not observed, -2 not burnable), `CL` uint8 confidence 0-100,
`LC` land cover of what burned. Names: YYYYMMDD-ESACCI-L3S_FIRE-BA-{sensor}-AREA_{n}-fv{version}-JD.tif.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.days import as_day, as_month, parse_period
from banet.errors import InputError
from banet.grid.rasters import read_window
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.labels.assemble import DUPLICATE_DAYS, assemble
from banet.labels.monthly_files import MISSING, Layers, MonthlyFile, checked, latest, listed_paths

__all__ = ["read_firecci"]

_NAME = re.compile(
    r"^(\d{8})-ESACCI-L3S_FIRE-BA-(?P<sensor>[A-Za-z0-9_]+)-(?P<area>AREA_\d+)-fv(?P<version>[\d.]+)-JD",
    re.IGNORECASE,
)
_TIF = {".tif", ".tiff"}


def read_firecci(
    paths: PathLike | Iterable[PathLike],
    region: Region,
    start: Any,
    end: Any,
    *,
    minimum_confidence: int = 0,
    duplicate_days: int = DUPLICATE_DAYS,
) -> BurnedArea:
    """Read FireCCI51 or FireCCIS311 pixel files to burned fractions on a region's grid.

    Args:
        paths: `JD` files or folders that hold them; `CL` files are found beside them.
        region: the grid to put them on.
        start: first day, or the month whose first day it is.
        end: last day, or the month whose last day it is.
        minimum_confidence: percent below which a burned pixel counts as unburned; needs the `CL` files.
        duplicate_days: pixels that two months show burned within so many days count once.

    Returns:
        Dated fractions; what is not burnable counts as water: known and unburned.

    Raises:
        NotFoundError: if there is no file, or none that touches the region in the period.
        InputError: if files are misnamed or of different products, or confidence is asked for and not there.
        UnreadableFileError: if a file is damaged.
    """
    files = latest([_named(path) for path in listed_paths(paths, _is_jd, "FireCCI file (*-JD.tif)")])
    reader = _reader(minimum_confidence)
    return assemble(
        files, reader, region, parse_period(start, end), duplicate_days=duplicate_days, quality=False
    )


def _is_jd(path: Path) -> bool:
    return path.suffix.lower() in _TIF and bool(_NAME.match(path.name))


def _named(path: Path) -> MonthlyFile:
    found = _NAME.match(path.name)
    if not found:
        raise InputError(
            f"{path.name} is not named like YYYYMMDD-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif"
        )
    product = f"FireCCI {found['sensor']}"
    return MonthlyFile(as_month(as_day(found[1])), found["area"], product, f"v{found['version']}", path)


def _reader(minimum: int) -> Callable[[MonthlyFile, Region], Layers]:
    def read(file: MonthlyFile, region: Region) -> Layers:
        window = read_window(file.path, region)
        dates = window.values.astype(np.int16)
        # The files name no value for nothing, or one that is none of the dates.
        dates[window.missing() & ~np.isin(dates, (0, -1, -2))] = MISSING
        other = _confidence_file(file.path)
        confidence = None if other is None else read_window(other, region).values.astype(np.uint8)
        layers = checked(Layers(window.grid, dates, confidence=confidence), file.path.name)
        if minimum > 0:
            if confidence is None:
                raise InputError(f"no CL file beside {file.path.name}; a confidence of {minimum} needs it")
            dates[(dates > 0) & (confidence < minimum)] = 0
        return layers

    return read


def _confidence_file(path: Path) -> Path | None:
    other = path.with_name(re.sub(r"-JD(?=[._-])", "-CL", path.name, flags=re.IGNORECASE))
    return other if other != path and other.is_file() else None
