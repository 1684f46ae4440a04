"""Writes NOAA's SDR granules in their layout: a file a band and one of geolocation, HDF5.

Groups, names, types, factors and fill values as in the JPSS Common Data Format Control Book, volume III
(474-00001-03): integers with a scale and an offset for each granule of a file, reflectance divided by the
cosine of the sun's zenith, angles and places as floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from writers_l1b import Geometry

BANDS = {1: ("M05", "M07", "M12", "M15"), 2: ("I01", "I02", "I04", "I05")}
#: Scale and offset, about those of the operational files.
FACTORS = {"Reflectance": (2.4417e-05, -0.0), "M12": (6.2e-05, -0.02), "I04": (6.2e-05, -0.02)}
THERMAL = (3.9e-04, -0.02)
MISSING, DELETED = 65534, 65533
PLACES = {1: ("GMTCO", "VIIRS-MOD-GEO-TC"), 2: ("GITCO", "VIIRS-IMG-GEO-TC")}
PLAIN = {1: ("GMODO", "VIIRS-MOD-GEO"), 2: ("GIMGO", "VIIRS-IMG-GEO")}


def write_sdr(
    folder: Path,
    geometry: Geometry,
    planes: Mapping[str, np.ndarray],
    *,
    satellite: str = "npp",
    start: str | None = None,
    created: str = "20210806120000000000",
    terrain: bool = True,
    packed: bool = False,
    scales: Sequence[float] = (1.0,),
    floats: Sequence[str] = (),
) -> list[Path]:
    """Write the five files of a granule and return their paths, that of geolocation last.

    Args:
        folder: where to.
        geometry: of the granule.
        planes: by band name, as in `writers_l1b.write_granule`.
        satellite: `npp`, `j01` or `j02`.
        start: of the granule, for the names; else the middle's time less 42 seconds.
        created: time of production for the names.
        terrain: whether geolocation is that corrected for terrain.
        packed: one file for all of them.
        scales: for each of the granules that the file holds one after another, a factor of the usual scale.
        floats: bands that are kept as floats, as those of two gains are.
    """
    begin = str(np.datetime64(start or geometry.time - np.timedelta64(42, "s"), "s"))
    when = f"d{begin[:10].replace('-', '')}_t{begin[11:].replace(':', '')}5"
    tail = f"{satellite}_{when}_e1234567_b48201_c{created}_oebc_ops.h5"
    bands = BANDS[geometry.factor]
    prefix, group = (PLACES if terrain else PLAIN)[geometry.factor]
    names = [*(f"SV{band}" for band in bands), prefix]
    folder.mkdir(parents=True, exist_ok=True)
    groups = [*(f"VIIRS-{band[0]}{int(band[1:])}-SDR" for band in bands), group]
    paths = [folder / f"{'-'.join(names) if packed else name}_{tail}" for name in names]
    for path in set(paths):
        path.unlink(missing_ok=True)
    for path, band in zip(paths, bands):
        with h5py.File(path, "a") as file:
            _write_band(file, band, np.asarray(planes[band]), geometry, scales, band in floats)
    with h5py.File(paths[-1], "a") as file:
        where = file.create_group(f"All_Data/{group}_All")
        for name in ("longitude", "latitude"):
            where[name.title()] = getattr(geometry, name).astype("f4")
        where["SolarZenithAngle"] = geometry.solar_zenith.astype("f4")
        where["SatelliteZenithAngle"] = geometry.sensor_zenith.astype("f4")
    for path, product in zip(paths, groups):
        with h5py.File(path, "a") as file:
            _write_times(file, product, begin)
    return paths


def _write_times(file, product: str, begin: str) -> None:
    """Write the start of the file and that of its first granule, texts in arrays of 1 x 1."""
    day, clock = begin[:10].replace("-", ""), f"{begin[11:].replace(':', '')}.500000Z"
    for name, prefix in (("Aggr", "AggregateBeginning"), ("Gran_0", "Beginning_")):
        held = file.create_dataset(f"Data_Products/{product}/{product}_{name}", data=np.zeros(1, "u1"))
        held.attrs[f"{prefix}Date"] = np.array([[day]], "S8")
        held.attrs[f"{prefix}Time"] = np.array([[clock]], "S14")


def _write_band(file, band: str, values: np.ndarray, geometry: Geometry, scales, as_float: bool) -> None:
    quantity = "Reflectance" if band in ("M05", "M07", "I01", "I02") else "Radiance"
    group = file.create_group(f"All_Data/VIIRS-{band[0]}{int(band[1:])}-SDR_All")
    if as_float:
        stored = np.where(np.isnan(values), -999.8, values).astype("f4")
        group[quantity] = np.where(geometry.deleted, np.float32(-999.7), stored)
        return
    scale, offset = FACTORS.get(quantity, FACTORS.get(band, THERMAL))
    each = np.repeat(np.array(scales) * scale, len(values) // len(scales))[:, None]
    counts = np.where(np.isnan(values), MISSING, np.clip(np.round((values - offset) / each), 0, 65527))
    group[quantity] = np.where(geometry.deleted, DELETED, counts).astype("u2")
    group[f"{quantity}Factors"] = np.array([(scale * one, offset) for one in scales], "f4").ravel()
