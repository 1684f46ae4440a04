"""Layout of a cube on disk: which arrays there are, and the making of an empty store.

One array a variable, (slot, row, column). A slot is one day's plane and one file (a Zarr shard), cut into
small chunks inside, so that a day is written as a whole and a tile is read without its neighbours. Which day
a slot holds is said by the array `time` alone, whose one chunk is replaced in one rename: what is not named
there does not count. Every chunk carries a checksum, and every file that the cube reads is there from the
beginning, so that a damaged or a missing one is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from banet.cube.chunks import codecs, pack, put_file
from banet.cube.metadata import FORMAT, publish
from banet.cube.variables import VARIABLES, Variable, flag_plane
from banet.errors import InputError
from banet.grid.region import Region

__all__ = ["AXES", "CHUNK", "NO_DAY", "NO_WATER", "TIME", "TIME_CHUNK", "WATER", "create_store"]

# One tile of 128 x 128 touches at most four chunks. Chunks of 256 make files 3 % smaller and tiles slower to
# read.
CHUNK = 128
TIME_CHUNK = 16384
NO_DAY = np.int32(np.iinfo(np.int32).min)
NO_WATER = 255
WATER, TIME = "water/c/0/0", "time/c/0"
"""Files of the water mask and of the table of days."""
AXES = {"latitude": "latitude/c/0", "longitude": "longitude/c/0"}
"""Files of the coordinates, which only readers of Zarr go by."""
DIMENSIONS = ("time", "latitude", "longitude")


def create_store(
    folder: Path, region: Region, *, sensor: str, mir_band: str, version: str, flags: Sequence[str] = ()
) -> None:
    """Make an empty store in `folder`, which must not exist.

    Raises:
        InputError: if a flag plane has the name of another array.
    """
    taken = sorted({*VARIABLES, "time", "water", "latitude", "longitude", "spatial_ref"} & set(flags))
    if taken:
        raise InputError(f"a plane of flags cannot be named {taken[0]}; that is another array of the cube")
    attributes = {
        "Conventions": "CF-1.11",
        "title": f"Daily satellite planes of region {region.name}",
        "banet_cube": FORMAT,
        "banet_version": version,
        "region": region.to_dict(),
        "sensor": sensor,
        "mir_band": mir_band,
        "flags": list(flags),
    }
    root = zarr.create_group(folder, attributes=attributes, zarr_format=3)
    for variable in (*VARIABLES.values(), *map(flag_plane, flags)):
        _create_planes(root, region, variable, mir_band)
    _create_time(root)
    _create_grid(root, region)
    put_file(folder / TIME, pack(np.full(TIME_CHUNK, NO_DAY)))
    put_file(folder / WATER, pack(np.full(region.shape, NO_WATER, np.uint8)))
    publish(folder)


def _create_planes(root: zarr.Group, region: Region, variable: Variable, mir_band: str) -> None:
    rows, cols = region.shape
    chunk = (1, min(CHUNK, rows), min(CHUNK, cols))
    root.create_array(
        variable.name,
        shape=(0, rows, cols),
        dtype=variable.dtype,
        chunks=chunk,
        shards=(1, _padded(rows, chunk[1]), _padded(cols, chunk[2])),
        compressors=codecs(),
        fill_value=variable.missing,
        dimension_names=DIMENSIONS,
        attributes=_attributes(variable, mir_band),
    )


def _create_time(root: zarr.Group) -> None:
    root.create_array(
        "time",
        shape=(0,),
        dtype="i4",
        chunks=(TIME_CHUNK,),
        compressors=codecs(),
        fill_value=int(NO_DAY),
        dimension_names=DIMENSIONS[:1],
        attributes={
            "units": "days since 1970-01-01",
            "calendar": "proleptic_gregorian",
            "standard_name": "time",
            "_FillValue": int(NO_DAY),
        },
    )


def _create_grid(root: zarr.Group, region: Region) -> None:
    for axis, values in (("latitude", region.latitudes), ("longitude", region.longitudes)):
        array = root.create_array(
            axis,
            shape=values.shape,
            dtype="f8",
            chunks=values.shape,
            compressors=codecs(),
            dimension_names=(axis,),
            attributes={
                "units": "degrees_north" if axis == "latitude" else "degrees_east",
                "standard_name": axis,
                "axis": "Y" if axis == "latitude" else "X",
            },
        )
        array[:] = values
    root.create_array("spatial_ref", shape=(), dtype="i4", attributes=_grid_mapping(region))[...] = 0
    root.create_array(
        "water",
        shape=region.shape,
        dtype="u1",
        chunks=region.shape,
        compressors=codecs(),
        fill_value=NO_WATER,
        dimension_names=DIMENSIONS[1:],
        attributes={
            "long_name": "water mask",
            "flag_values": [0, 1, NO_WATER],
            "flag_meanings": "land water unknown",
            "grid_mapping": "spatial_ref",
        },
    )


def _attributes(variable: Variable, mir_band: str) -> dict[str, Any]:
    attributes = {**variable.attributes, "grid_mapping": "spatial_ref"}
    if variable.scale:
        attributes |= {"scale_factor": variable.scale, "_FillValue": variable.fill}
    if variable.name == "mir":
        attributes["band"] = mir_band
    return attributes


def _grid_mapping(region: Region) -> dict[str, Any]:
    from pyproj import CRS

    crs = CRS.from_epsg(4326)
    transform = " ".join(repr(value) for value in region.transform.to_gdal())
    return {**crs.to_cf(), "spatial_ref": crs.to_wkt(), "GeoTransform": transform}


def _padded(size: int, chunk: int) -> int:
    return -(-size // chunk) * chunk
