"""Layout of a cube on disk: its arrays, the packing of values into integers, and an empty store.

One array a variable, (slot, row, column). A slot is one day's plane and one file (a Zarr shard), cut into
small chunks inside, so that a day is written as a whole and a tile is read without its neighbours. Which day
a slot holds is said by the array `time` alone, whose one chunk is replaced in one rename: what is not named
there does not count.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec
from zarr.storage import LocalStore

from banet.errors import InputError
from banet.grid.region import Region

__all__ = [
    "CHUNK",
    "FORMAT",
    "NO_DAY",
    "NO_FLAG",
    "TIME_CHUNK",
    "VARIABLES",
    "Variable",
    "create_store",
    "flag_plane",
    "publish",
]

FORMAT = 1
# One tile of 128 x 128 touches at most four chunks. Chunks of 256 make files 3 % smaller and tiles slower to
# read.
CHUNK = 128
TIME_CHUNK = 16384
NO_DAY = np.int32(np.iinfo(np.int32).min)
NO_WATER = 255
# What a flag plane holds where the product says nothing.
NO_FLAG = 255
DIMENSIONS = ("time", "latitude", "longitude")


@dataclass(frozen=True)
class Variable:
    """How one variable is stored.

    Attributes:
        name: of the array.
        dtype: of the stored values.
        scale: what a stored 1 means in physical units; 0 for values stored as they are.
        fill: the stored value that means missing, None where nothing can be missing.
        lowest, highest: physical values below or above are an error, None for no bound.
        attributes: CF attributes.
    """

    name: str
    dtype: np.dtype[Any]
    scale: float
    fill: float | int | None
    lowest: float | None
    highest: float | None
    attributes: dict[str, Any]

    def pack(self, plane: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
        """Turn a plane of physical values into stored ones.

        Returns:
            the stored plane, and how many values were beyond what can be stored and were set to the nearest
            that can.

        Raises:
            InputError: if a value is infinite or out of bounds.
        """
        self._check(plane)
        if not self.scale:
            return np.ascontiguousarray(plane, self.dtype), 0
        limit = np.iinfo(self.dtype).max
        scaled = np.rint(np.asarray(plane, np.float32) * np.float32(1 / self.scale))
        with np.errstate(invalid="ignore"):
            beyond = int(np.count_nonzero(np.abs(scaled) > limit))
        np.clip(scaled, -limit, limit, out=scaled)
        np.nan_to_num(scaled, copy=False, nan=float(self.fill or 0))
        return scaled.astype(self.dtype), beyond

    def unpack(self, stored: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
        """Turn stored values into physical ones, written into `out`."""
        if not self.scale:
            out[...] = stored
            return
        np.multiply(stored, np.float32(self.scale), out=out, casting="unsafe", dtype=np.float32)
        np.copyto(out, np.nan, where=stored == self.fill)

    def _check(self, plane: npt.NDArray[Any]) -> None:
        if np.issubdtype(plane.dtype, np.floating) and np.isinf(plane).any():
            raise InputError(f"{self.name} holds an infinite value; missing is NaN")
        for bound, sign in ((self.lowest, -1), (self.highest, 1)):
            if bound is not None and plane.size and (sign * plane > sign * bound).any():
                worst = float(np.nanmin(plane) if sign < 0 else np.nanmax(plane))
                raise InputError(
                    f"{self.name} holds {worst:g}, beyond {bound:g} {self.attributes.get('units')}"
                )


def _reflectance(name: str, long_name: str) -> Variable:
    attributes = {"units": "1", "long_name": long_name}
    return Variable(name, np.dtype("i2"), 1e-4, -32768, None, None, attributes)


VARIABLES = {
    variable.name: variable
    for variable in (
        _reflectance("red", "red reflectance"),
        _reflectance("nir", "near-infrared reflectance"),
        _reflectance("mir", "reflectance in the middle-infrared slot"),
        Variable(
            "frp",
            np.dtype("f4"),
            0,
            np.nan,
            0,
            None,
            {"units": "MW", "long_name": "fire radiative power of the day's hot spots; 0 = no fire"},
        ),
        Variable(
            "view_zenith",
            np.dtype("i2"),
            1e-2,
            -32768,
            0,
            180,
            {"units": "degree", "long_name": "view zenith angle", "standard_name": "sensor_zenith_angle"},
        ),
        Variable(
            "count",
            np.dtype("u1"),
            0,
            None,
            None,
            None,
            {"units": "1", "long_name": "overpasses that observed the cell"},
        ),
    )
}


def flag_plane(name: str) -> Variable:
    """Return how a plane of quality flags is stored: its bytes as they are."""
    about = f"quality flags {name} of the product, bits untouched; {NO_FLAG} where it says nothing"
    return Variable(name, np.dtype("u1"), 0, NO_FLAG, None, None, {"long_name": about})


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
    rows, cols = region.shape
    chunk = (1, min(CHUNK, rows), min(CHUNK, cols))
    shard = (1, _padded(rows, chunk[1]), _padded(cols, chunk[2]))
    for variable in (*VARIABLES.values(), *map(flag_plane, flags)):
        root.create_array(
            variable.name,
            shape=(0, rows, cols),
            dtype=variable.dtype,
            chunks=chunk,
            shards=shard,
            compressors=_codec(),
            fill_value=0 if variable.fill is None else variable.fill,
            dimension_names=DIMENSIONS,
            attributes=_attributes(variable, mir_band),
        )
    root.create_array(
        "time",
        shape=(0,),
        dtype="i4",
        chunks=(TIME_CHUNK,),
        fill_value=int(NO_DAY),
        dimension_names=DIMENSIONS[:1],
        attributes={
            "units": "days since 1970-01-01",
            "calendar": "proleptic_gregorian",
            "standard_name": "time",
            "_FillValue": int(NO_DAY),
        },
    )
    _create_grid(root, region)
    publish(folder)


def publish(folder: Path) -> None:
    """Write the metadata of all arrays into the root's, in one rename.

    Arrays grow one after another; readers that go by the root's copy never see them at odds.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Consolidated metadata is currently not part", category=UserWarning
        )
        zarr.consolidate_metadata(LocalStore(folder), zarr_format=3)


def _create_grid(root: zarr.Group, region: Region) -> None:
    for axis, values in (("latitude", region.latitudes), ("longitude", region.longitudes)):
        array = root.create_array(
            axis,
            shape=values.shape,
            dtype="f8",
            chunks=values.shape,
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
        compressors=_codec(),
        fill_value=NO_WATER,
        dimension_names=DIMENSIONS[1:],
        attributes={
            "long_name": "water mask",
            "flag_values": [0, 1, NO_WATER],
            "flag_meanings": "land water unknown",
            "grid_mapping": "spatial_ref",
        },
    )


def _codec() -> BloscCodec:
    # On a real VIIRS overpass in steps of 1e-4, lz4 with shuffled bits packs 1.46 times and decodes 1.4 GB/s,
    # zstd 1.6 times and 0.4 GB/s: reading is what a map waits for.
    return BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")


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
