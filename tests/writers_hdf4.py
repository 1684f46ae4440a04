"""Writes overpasses as the LAADS order service gridded them: one HDF4 file a band, laid out as real ones are.

Scales, offsets, fill values and attribute names are those of an order of 2017-10-27 (NPP_VMAES_L1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pyhdf.SD import SD, SDC

from banet.grid.region import Region

#: Scale and offset of the integer bands; angles are float32 as they are.
SCALES = {
    "Reflectance_M5": (2.4417415261268616e-05, 0.0),
    "Reflectance_M7": (2.4417415261268616e-05, 0.0),
    "Radiance_M12": (6.732538167852908e-05, 0.0),
    "Radiance_M15": (0.00039008501335047185, -0.019999999552965164),
}
ANGLES = ("SolarZenithAngle", "SatelliteZenithAngle")
BANDS = (*SCALES, *ANGLES)
FILL = 65535
ANGLE_FILL = np.float32(-999.9)


def encode(band: str, plane: np.ndarray) -> np.ndarray:
    """Physical values to the file's: NaN becomes the fill value."""
    if band in ANGLES:
        return np.where(np.isnan(plane), ANGLE_FILL, plane).astype(np.float32)
    scale, offset = SCALES[band]
    return np.where(np.isnan(plane), FILL, np.rint((plane - offset) / scale)).astype(np.uint16)


def write_band(
    path: Path, band: str, stored: np.ndarray, region: Region | None = None, begins: str = ""
) -> Path:
    """Write stored values of one band; with the edges of `region` and the day on which it begins if given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    data = file.create(band, SDC.UINT16 if stored.dtype == np.uint16 else SDC.FLOAT32, stored.shape)
    data.setcompress(SDC.COMP_DEFLATE, 5)
    if band in SCALES:
        data.Scale, data.Offset = SCALES[band]
    data[:] = stored
    data.endaccess()
    if region is not None:
        for side, edge in zip(("West", "South", "East", "North"), region.bbox, strict=True):
            setattr(file, f"{side}BoundingCoord", f"{edge:.6f}")
    if begins:
        file.BeginningDate = begins
    file.end()
    return path


def name_of(band: str, when: str, product: str = "NPP_VMAES_L1", production: str = "2017300192651") -> str:
    """Name of a file; `when` is a UTC minute such as 2017-10-27T14:06."""
    moment = np.datetime64(when, "m")
    year = moment.astype("datetime64[Y]")
    doy = int((moment.astype("datetime64[D]") - year.astype("datetime64[D]")).astype(int)) + 1
    clock = str(moment)[11:16].replace(":", "")
    return f"{product}.A{year}{doy:03d}.{clock}.001.{production}.psrpgs_000501412525.{band}.hdf"


def write_overpass(
    folder: Path, region: Region, when: str, planes: Mapping[str, np.ndarray], **name: str
) -> dict[str, Path]:
    """Write an overpass of physical planes by band; bands that are not given are not written."""
    return {
        band: write_band(folder / name_of(band, when, **name), band, encode(band, plane), region)
        for band, plane in planes.items()
    }


def smooth_planes(region: Region, seed: int, *, view_zenith: float = 30.0) -> dict[str, np.ndarray]:
    """Plausible planes by day, a tenth of the cells missing in the bands."""
    rng = np.random.default_rng(seed)
    shape = region.shape
    missing = rng.random(shape) < 0.1
    planes = {
        "Reflectance_M5": rng.uniform(0.02, 0.3, shape),
        "Reflectance_M7": rng.uniform(0.1, 0.5, shape),
        "Radiance_M12": rng.uniform(0.4, 1.2, shape),
        "Radiance_M15": rng.uniform(8.0, 10.0, shape),
    }
    for plane in planes.values():
        plane[missing] = np.nan
    planes["SolarZenithAngle"] = rng.uniform(20, 60, shape)
    planes["SatelliteZenithAngle"] = np.clip(view_zenith + rng.uniform(-5, 5, shape), 0, 70)
    return planes
