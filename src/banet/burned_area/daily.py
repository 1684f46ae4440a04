"""Daily probabilities of burning, packed beside a map in its NetCDF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from banet.burned_area.datasets import CALENDAR, EPOCH, GRID, GRID_MAPPING, UTC_DAYS
from banet.burned_area.meaning import DAILY_WORDS
from banet.days import Days
from banet.errors import InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file
from banet.io.netcdf4 import load

if TYPE_CHECKING:
    import h5netcdf

__all__ = ["DailyProbability", "append_daily", "read_daily"]

DAILY = "daily_probability"
# Steps of 2e-5 on both sides of a half: a probability is off by at most 1e-5. CF packs into signed integers.
_STEP, _HALF = 2e-5, 0.5
_NO_PROBABILITY = -(2**15)


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


def read_daily(path: PathLike) -> DailyProbability:
    """Read the daily probabilities that were written beside a map, float32, NaN where not known.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no NetCDF file or holds no daily probabilities.
    """
    file = existing_file(path, "map")
    dataset = load(file, only=(DAILY, "day"))
    if DAILY not in dataset or "day" not in dataset.variables:
        raise UnreadableFileError(f"{file} holds no daily probabilities; map again and ask for them")
    packed = dataset[DAILY].values
    values = packed * np.float32(_STEP) + np.float32(_HALF)
    values[packed == _NO_PROBABILITY] = np.nan
    return DailyProbability(dataset["day"].values.astype("datetime64[D]"), values)


def append_daily(file: h5netcdf.File, daily: DailyProbability, chunks: tuple[int, int]) -> None:
    """Pack planes one by one into a file."""
    file.dimensions["day"] = len(daily.days)
    day = file.create_variable("day", ("day",), np.int32, data=daily.days.astype(np.int64).astype(np.int32))
    day.attrs.update(
        {"standard_name": "time", "long_name": "UTC day", "units": EPOCH, **CALENDAR, **UTC_DAYS}
    )
    variable = file.create_variable(
        DAILY,
        ("day", *GRID),
        np.int16,
        fillvalue=np.int16(_NO_PROBABILITY),
        chunks=(1, *chunks),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
    )
    variable.attrs.update(
        {
            "long_name": DAILY_WORDS,
            "units": "1",
            "scale_factor": np.float32(_STEP),
            "add_offset": np.float32(_HALF),
            "grid_mapping": GRID_MAPPING,
        }
    )
    for index in range(len(daily.days)):
        variable[index] = _packed(np.asarray(daily.probability[index], np.float32))


def _packed(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    missing = np.isnan(plane)
    steps = np.round((np.clip(np.where(missing, 0, plane), 0, 1).astype(np.float64) - _HALF) / _STEP)
    return np.where(missing, _NO_PROBABILITY, steps).astype(np.int16)
