"""NetCDF files of a burned-area source, written and read back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.datasets import GRID, GRID_MAPPING, to_dataset
from banet.errors import BanetError, UnreadableFileError, first_line
from banet.io.files import PathLike, existing_file, writing
from banet.io.netcdf4 import building, load

if TYPE_CHECKING:
    import xarray as xr

    from banet.io.manifest import Manifest

__all__ = ["is_map", "read_map", "write_netcdf"]

_CHUNK = 512


def write_netcdf(
    burnmap: BurnedArea,
    path: PathLike,
    *,
    manifest: Manifest | None = None,
    extra: Mapping[str, tuple[npt.NDArray[Any], Mapping[str, Any]]] | None = None,
) -> Path:
    """Write a map as NetCDF-4 after CF-1.11 and return its path.

    Its planes are (time, latitude, longitude) with one time, the first day, so that `xarray.open_mfdataset`
    joins the files of several months. Equal input gives equal bytes: no time of writing is in the file.

    Args:
        burnmap: the map.
        path: of the file, by custom `.nc`.
        manifest: its command goes into the file's history.
        extra: further planes, (rows, columns), and their attributes by name, `_FillValue` where one value
            means no data; reading leaves them alone.

    Raises:
        OutputError: if it cannot be written.
    """
    target = Path(path)
    dataset = to_dataset(burnmap, manifest)
    for name, (plane, attrs) in (extra or {}).items():
        told = {**attrs, "grid_mapping": GRID_MAPPING}
        missing = {"_FillValue": told.pop("_FillValue")} if "_FillValue" in told else {}
        dataset[name] = (GRID, plane, told, missing)
    dataset = _along_time(dataset)
    height, width = burnmap.region.shape
    chunks = (min(height, _CHUNK), min(width, _CHUNK))
    with writing(target) as part, building(part, dataset, _encoding(dataset, chunks)):
        pass
    return target


def read_map(path: PathLike) -> BurnedArea:
    """Read a map from the NetCDF file that `write_netcdf` or `write_products` wrote.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is truncated, of another format, or not a map.
    """
    file = existing_file(path, "map")
    # Files of earlier states of the program may hold daily probabilities beside the map.
    dataset = load(file, drop=("daily_probability", "day"), decode=True)
    try:
        return BurnedArea.from_dataset(dataset)
    except (BanetError, KeyError, TypeError, ValueError) as error:
        raise UnreadableFileError(
            f"{file} is not a map that banet wrote ({first_line(error)}); give the .nc beside its rasters"
        ) from error


def is_map(path: PathLike) -> bool:
    """Tell whether a file is a NetCDF with the planes of a map, whatever it is called."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return {"burned_fraction", "burn_date"} <= set(file)
    except (OSError, RuntimeError):  # of another format, or damaged
        return False


def _along_time(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset of a period with a dimension `time` of one entry."""
    import xarray as xr

    variables = {
        name: xr.Variable(("time", *one.dims), one.values[np.newaxis], one.attrs, dict(one.encoding))
        for name, one in dataset.variables.items()
        if one.dims == GRID or name in ("time", "time_bnds")
    }
    held = dataset.drop_vars(list(variables))
    coordinates = {name: variables.pop(name) for name in ("time", "time_bnds")}
    return held.assign_coords(coordinates).assign(variables)


def _encoding(dataset: xr.Dataset, chunks: tuple[int, int]) -> dict[str, dict[str, Any]]:
    packed = {"zlib": True, "complevel": 4, "shuffle": True}
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        own = {"_FillValue": None, **variable.encoding}
        if variable.dims == ("time", *GRID):
            own |= {**packed, "chunksizes": (1, *chunks)}
        elif variable.dims[:1] in {("entry",), ("gap",)} and variable.size:
            own |= packed
        encoding[str(name)] = own
    encoding["burned_fraction"]["_FillValue"] = np.float32(np.nan)
    return encoding
