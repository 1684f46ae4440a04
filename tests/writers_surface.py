"""Writes VIIRS daily surface reflectance tiles (V*09GA, HDF-EOS5) in the layout of collections 1 and 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from banet.days import from_day_of_year

RADIUS = 6371007.181
TILE = 1111950.5197
LEFT, TOP = -20015109.354, 10007554.677
SIZE = 1200
FILL = -28672
CORE = """
GROUP = RANGEDATETIME
  OBJECT = RANGEENDINGDATE
    NUM_VAL = 1
    VALUE = "{day}"
  END_OBJECT = RANGEENDINGDATE
  OBJECT = RANGEBEGINNINGDATE
    NUM_VAL = 1
    VALUE = "{day}"
  END_OBJECT = RANGEBEGINNINGDATE
END_GROUP = RANGEDATETIME
"""
GRIDS = {"001": "VNP_Grid_1km_2D", "002": "VIIRS_Grid_1km_2D"}


def pixel_centres(h: int, v: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of a tile's pixels, (1200, 1200), degrees; corners off the Earth are NaN."""
    step = TILE / SIZE
    y = TOP - v * TILE - (np.arange(SIZE) + 0.5) * step
    x = LEFT + h * TILE + (np.arange(SIZE) + 0.5) * step
    lat = np.degrees(y / RADIUS)[:, None]
    lon = np.degrees(x[None, :] / (RADIUS * np.cos(np.radians(lat))))
    lon[np.abs(lon) > 180] = np.nan
    return lon, np.broadcast_to(lat, lon.shape)


def write_tile(
    folder: Path,
    h: int,
    v: int,
    planes: Mapping[str, np.ndarray | float],
    *,
    day: str = "2021217",
    satellite: str = "VNP",
    collection: str = "002",
    production: str = "2023198172838",
    view_zenith: np.ndarray | float = 20.0,
    solar_zenith: np.ndarray | float = 30.0,
    flags: Mapping[int, np.ndarray | int] | None = None,
) -> Path:
    """Write one tile; `planes` are reflectances of `M5`, `M7`, `M11` (0.2 if not given), NaN is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{satellite}09GA.A{day}.h{h:02d}v{v:02d}.{collection}.{production}.h5"
    with h5py.File(path, "w") as file:
        information = file.create_group("HDFEOS INFORMATION")
        information["StructMetadata.0"] = (
            "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\n"
        )
        information["CoreMetadata.0"] = CORE.format(day=from_day_of_year(int(day[:4]), int(day[4:])))
        fields = file.create_group(f"HDFEOS/GRIDS/{GRIDS[collection]}/Data Fields")
        fine = file.create_group(f"HDFEOS/GRIDS/{GRIDS[collection].replace('1km', '500m')}/Data Fields")
        for band in ("M5", "M7", "M8", "M10", "M11"):
            raw = np.broadcast_to(np.asarray(planes.get(band, 0.2), float) * 1e4, (SIZE, SIZE))
            raw = np.where(np.isfinite(raw), np.round(raw), FILL).astype("i2")
            _put(fields, f"SurfReflect_{band}_1", raw, FILL, collection, 1e-4)
        _put(fine, "SurfReflect_I1_1", np.full((2 * SIZE, 2 * SIZE), 2000, "i2"), FILL, collection, 1e-4)
        for name, angle in (("SensorZenith_1", view_zenith), ("SolarZenith_1", solar_zenith)):
            raw = np.broadcast_to(np.asarray(angle, float) * 100, (SIZE, SIZE))
            _put(fields, name, np.where(np.isfinite(raw), raw, -32767).astype("i2"), -32767, collection, 0.01)
        for number in range(1, 8):
            value = np.broadcast_to(np.asarray((flags or {}).get(number, 0), "u1"), (SIZE, SIZE))
            plane = fields.create_dataset(f"SurfReflect_QF{number}_1", data=value, compression="gzip")
            plane.attrs["_FillValue"] = np.bytes_("NONE")  # text on a plane of numbers, as in the files
    return path


def _put(group: h5py.Group, name: str, raw: np.ndarray, fill: int, collection: str, scale: float) -> None:
    plane = group.create_dataset(name, data=raw, compression="gzip", compression_opts=1)
    plane.attrs["_FillValue"] = np.array([fill], "i2")
    if collection == "001":
        plane.attrs["Scale"] = np.array([scale], "f4")
        plane.attrs["Offset"] = np.array([0], "f4")
    else:
        plane.attrs["scale_factor"] = np.array([scale])
        plane.attrs["add_offset"] = np.array([0.0])
