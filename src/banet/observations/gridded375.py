"""VIIRS 375 m bands as the LAADS order service gridded them: one HDF4 file a band and overpass.

Bands are files `NPP_VIAES_L1.A{YYYYDDD}.{HHMM}...{band}.hdf` on the region's grid. That product has no
angles, so they come from the 750 m product of the same overpass, `NPP_VMAES_L1...{angle}.hdf`, ordered at
0.1 degree over the same box (any regular grid over the box will do) and interpolated bilinearly. Values as
in `banet.observations.gridded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError
from banet.grid.region import Region
from banet.io.hdf4 import read_arrays
from banet.observations import register
from banet.observations.gridded import (
    GriddedFile,
    GriddedSource,
    check_day,
    check_edges,
    physical,
    read_plane,
)
from banet.observations.planes import Plane

__all__ = ["Gridded375", "interpolated", "viirs375"]

_BANDS = ("Reflectance_I1", "Reflectance_I2", "Radiance_I4", "Radiance_I5")
_ANGLES = ("SolarZenithAngle", "SatelliteZenithAngle")
_NAME = re.compile(
    r"(?P<satellite>NPP|VNP|J1|VJ1|J2|VJ2)_?V(?P<kind>[IM])AES_L1\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})"
    rf"\.(?P<rest>.*?)(?P<band>{'|'.join((*_BANDS, *_ANGLES))})\.hdf",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Gridded375(GriddedSource):
    """The source of gridded 375 m files; see `banet.observations.planes.ObservationSource`."""

    name: str = "viirs375-gridded"
    sensor: str = "VIIRS S-NPP"
    mir_band: str = "I4"
    bands: tuple[str, ...] = (*_BANDS, *_ANGLES)
    begins: str = rf"(NPP|V?J[12]|VNP)_?VIAES_L1.*({'|'.join(_BANDS)})"

    def parse(self, path: Path) -> GriddedFile | None:
        """Return what the name of a file says, or None if the source has no use for it."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        # Bands and angles are two products of one overpass; the satellite is what they have in common.
        bands = _BANDS if match["kind"].upper() == "I" else _ANGLES
        return GriddedFile.of(match, match["satellite"].upper(), path, bands)

    def whole(self, bands: Iterable[str]) -> bool:
        """Tell whether there is a band: angles also lie in folders of 750 m files."""
        return any(band in _BANDS for band in bands)

    def plane(self, path: Path, band: str, region: Region) -> Plane:
        """Read a band onto the region's grid; angles come coarse and are interpolated.

        Raises:
            UnreadableFileError: if it is broken, or lies on another grid.
        """
        return _angle(path, band, region) if band in _ANGLES else read_plane(path, band, region)


def interpolated(coarse: Plane, region: Region) -> Plane:
    """Interpolate a coarse plane over a region's box bilinearly at the centres of the region's cells.

    Beyond the outermost coarse centres the nearest is taken. A cell is missing where coarse cells of half
    its weight or more are; a missing coarse cell of less weight is left out.

    Args:
        coarse: (rows, columns) float32 over the same box, row 0 in the north, NaN where missing.
        region: the grid.
    """
    known = np.isfinite(coarse)
    row, col = (_weights(size, cells) for size, cells in zip(coarse.shape, region.shape, strict=True))
    weight = _apply(row, col, known.astype(np.float64))
    total = _apply(row, col, np.where(known, coarse, 0).astype(np.float64))
    result = np.divide(total, weight, out=np.full(region.shape, np.nan), where=weight > 0.5)
    fine: Plane = result.astype(np.float32)
    return fine


def _angle(path: Path, name: str, region: Region) -> Plane:
    array = read_arrays(path, [name])[name]
    if array.values.ndim != 2 or not array.values.size:
        raise UnreadableFileError(f"{path.name}: {name} is no plane ({array.values.shape})")
    check_day(path, array.file_attributes)
    check_edges(path, array.file_attributes, region)
    return interpolated(physical(array, name, path.name), region)


def _weights(size: int, cells: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """First of the two coarse cells around each fine centre, and the share of the second."""
    place = np.clip((np.arange(cells) + 0.5) * size / cells - 0.5, 0, size - 1)
    first = np.minimum(place.astype(np.intp), max(size - 2, 0))
    return first, place - first


def _apply(
    row: tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]],
    col: tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]],
    plane: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    (r, down), (c, right) = row, col
    below, beside = np.minimum(r + 1, plane.shape[0] - 1), np.minimum(c + 1, plane.shape[1] - 1)
    lines = plane[r] * (1 - down)[:, None] + plane[below] * down[:, None]
    planes: npt.NDArray[np.float64] = lines[:, c] * (1 - right) + lines[:, beside] * right
    return planes


viirs375 = Gridded375()
register(viirs375)
