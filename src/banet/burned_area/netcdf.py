"""A map as one NetCDF-4 file, and back again without loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from banet.burned_area.cf import CALENDAR, EPOCH, GRID_MAPPING, to_cf
from banet.days import Days
from banet.errors import BanetError, InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file, writing

if TYPE_CHECKING:
    import xarray as xr

    from banet.burned_area.burned_area import BurnedArea
    from banet.io.manifest import Manifest

__all__ = ["DailyProbability", "read_daily", "read_map", "write_netcdf"]

_DAILY = "daily_probability"
# Steps of 2e-5: a probability is off by at most 1e-5.
_STEP = 2e-5
_NO_PROBABILITY = 65535
_CHUNK = 512


class _Planes(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class DailyProbability:
    """The network's burned fraction of each day, as it is written beside a map on request.

    Attributes:
        days: (T,) datetime64[D].
        probability: (T, rows, columns) float, NaN where not known: an array, or anything that gives the
            plane of a day by its index, such as a memory map or a Zarr array; planes are read one by one.

    Raises:
        InputError: if the number of days and of planes differ.
    """

    days: Days
    probability: _Planes

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", np.asarray(self.days, "datetime64[D]"))
        shape = tuple(self.probability.shape)
        if len(shape) != 3 or shape[0] != len(self.days):
            raise InputError(
                f"{len(self.days)} days do not fit daily probabilities of shape {shape}; "
                "the shape must be (days, rows, columns)"
            )


def write_netcdf(
    burnmap: BurnedArea,
    path: PathLike,
    *,
    manifest: Manifest | None = None,
    daily: DailyProbability | None = None,
) -> Path:
    """Write a map as NetCDF-4 after the CF conventions and return its path.

    Equal input gives equal bytes: no time of writing is in the file.

    Args:
        burnmap: the map.
        path: of the file, by custom `.nc`.
        manifest: its command goes into the file's history.
        daily: daily probabilities to write beside the map.

    Raises:
        InputError: if the daily probabilities are on another grid.
        OutputError: if it cannot be written.
    """
    shape = burnmap.region.shape
    if daily is not None and tuple(daily.probability.shape[1:]) != shape:
        raise InputError(
            f"daily probabilities of {tuple(daily.probability.shape[1:])} cells do not fit "
            f"the map of {burnmap.region.name}, which has {shape}"
        )
    target = Path(path)
    dataset = to_cf(burnmap, manifest)
    chunks = (min(shape[0], _CHUNK), min(shape[1], _CHUNK))
    with writing(target) as part:
        dataset.to_netcdf(part, engine="h5netcdf", format="NETCDF4", encoding=_encoding(dataset, chunks))
        if daily is not None:
            _append_daily(part, daily, chunks)
    return target


def read_map(path: PathLike) -> BurnedArea:
    """Read a map from the NetCDF file that `write_netcdf` or `write_products` wrote.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is truncated, of another format, or not a map.
    """
    from banet.burned_area.burned_area import BurnedArea

    file = existing_file(path, "map")
    dataset = _load(file, drop=(_DAILY, "day"), decode=True)
    try:
        return BurnedArea.from_dataset(dataset)
    except (BanetError, KeyError, TypeError, ValueError) as error:
        raise UnreadableFileError(
            f"{file} is not a map that banet wrote ({_first_line(error)}); give the .nc beside its rasters"
        ) from error


def read_daily(path: PathLike) -> DailyProbability:
    """Read the daily probabilities that were written beside a map, float32, NaN where not known.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no NetCDF file or holds no daily probabilities.
    """
    file = existing_file(path, "map")
    dataset = _load(file, only=(_DAILY, "day"))
    if _DAILY not in dataset or "day" not in dataset.variables:
        raise UnreadableFileError(f"{file} holds no daily probabilities; map again and ask for them")
    packed = dataset[_DAILY].values
    values = packed * np.float32(_STEP)
    values[packed == _NO_PROBABILITY] = np.nan
    return DailyProbability(dataset["day"].values.astype("datetime64[D]"), values)


def _encoding(dataset: xr.Dataset, chunks: tuple[int, int]) -> dict[str, dict[str, Any]]:
    packed = {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": chunks}
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        own = {"_FillValue": None, **variable.encoding}
        encoding[str(name)] = {**own, **packed} if variable.dims == ("lat", "lon") else own
    encoding["burned_fraction"]["_FillValue"] = np.float32(np.nan)
    return encoding


def _load(
    file: Path, *, drop: tuple[str, ...] = (), only: tuple[str, ...] | None = None, decode: bool = False
) -> xr.Dataset:
    import xarray as xr

    try:
        with xr.open_dataset(
            file, engine="h5netcdf", decode_cf=decode, drop_variables=list(drop), decode_timedelta=False
        ) as dataset:
            wanted = (
                dataset if only is None else dataset[[name for name in only if name in dataset.variables]]
            )
            return wanted.load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UnreadableFileError(f"cannot read {file} as NetCDF-4: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error) or repr(error)).splitlines()[0]


def _append_daily(part: Path, daily: DailyProbability, chunks: tuple[int, int]) -> None:
    """Write planes one by one, so that no more than a day is in memory."""
    import h5netcdf

    with h5netcdf.File(part, "a") as file:
        file.dimensions["day"] = len(daily.days)
        day = file.create_variable(
            "day", ("day",), np.int32, data=daily.days.astype(np.int64).astype(np.int32)
        )
        day.attrs.update({"standard_name": "time", "long_name": "UTC day", "units": EPOCH, **CALENDAR})
        variable = file.create_variable(
            _DAILY,
            ("day", "lat", "lon"),
            np.uint16,
            fillvalue=np.uint16(_NO_PROBABILITY),
            chunks=(1, *chunks),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
        variable.attrs.update(
            {
                "long_name": "fraction of the cell that burned on the day, as the network gives it",
                "units": "1",
                "scale_factor": np.float32(_STEP),
                "grid_mapping": GRID_MAPPING,
            }
        )
        for index in range(len(daily.days)):
            variable[index] = _packed(np.asarray(daily.probability[index], np.float32))


def _packed(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    missing = np.isnan(plane)
    steps = np.round(np.clip(np.where(missing, 0, plane), 0, 1).astype(np.float64) / _STEP)
    return np.where(missing, _NO_PROBABILITY, steps).astype(np.uint16)
