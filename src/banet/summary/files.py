"""Files of a summary: the table as CSV or Parquet, and drawn progressions as NetCDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.datasets import CALENDAR, GRID, GRID_MAPPING, to_dataset
from banet.burned_area.joining import disjoint, join
from banet.burned_area.meaning import by_network
from banet.days import Day
from banet.errors import InputError
from banet.export.products import gathered
from banet.io.files import PathLike, writing
from banet.io.netcdf4 import building
from banet.io.progress import Progress
from banet.summary.progressions import LEAST, MODEL, Progressions

if TYPE_CHECKING:
    import h5netcdf
    import pandas as pd

__all__ = ["TABLE_FORMATS", "check_count", "check_drawn", "check_table_format", "write_draws", "write_table"]

TABLE_FORMATS = (".csv", ".parquet")
_NOT_BURNED = -1
_CHUNK = 512
_STEPS = 200
_MOST = 10_000


def check_table_format(path: PathLike) -> None:
    """Make sure that a table can be written to a path of this ending.

    Raises:
        InputError: if it cannot.
    """
    if Path(path).suffix.lower() not in TABLE_FORMATS:
        raise InputError(
            f"cannot write a table as {Path(path).name}; choose one of {', '.join(TABLE_FORMATS)}"
        )


def write_table(table: pd.DataFrame, path: PathLike) -> Path:
    """Write a table of zones as CSV or Parquet, by the ending of the path, and return the path.

    Raises:
        InputError: if the ending is another.
        OutputError: if it cannot be written.
    """
    check_table_format(path)
    target = Path(path)
    with writing(target) as part:
        if target.suffix.lower() == ".parquet":
            table.to_parquet(part, index=False)
        else:
            table.to_csv(part, index=False, date_format="%Y-%m-%d", float_format="%.2f")
    return target


def check_count(count: int) -> None:
    """Make sure that so many progressions can be drawn.

    Raises:
        InputError: if they are none, or over 10,000, which would hardly fit a disk.
    """
    if not 1 <= count <= _MOST:
        raise InputError(f"{count} draws; give 1 to {_MOST}")


def check_drawn(maps: Sequence[BurnedArea]) -> None:
    """Make sure that progressions can be drawn from maps.

    Raises:
        InputError: if they are not all a network's.
    """
    if not all(by_network(one) for one in maps):
        raise InputError("the maps are not all a network's: they carry no probabilities to draw from")


def write_draws(
    maps: BurnedArea | PathLike | Sequence[BurnedArea | PathLike],
    path: PathLike,
    count: int,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Write whole dated progressions drawn from maps as NetCDF, and return the path.

    `burn_date` (draw, latitude, longitude) holds the day on which each cell burned in each draw, and
    `burned_fraction` the part of it, where at least half did; a cell that burns in several maps has its first
    date. Draw k is the same whatever `count` is, and one of those behind the interval of `summarise` with the
    same seed. Equal input gives equal bytes.

    Args:
        maps: of a network, of one region and of periods that do not overlap, or paths of them.
        path: of the file, by custom `.nc`.
        count: number of draws.
        seed: of the draws.
        progress: called with (done, all, message).

    Raises:
        InputError: if the maps do not fit together, are no network's, or the count is not positive.
        OutputError: if it cannot be written.
    """
    check_count(count)
    ordered = disjoint(gathered(maps))
    check_drawn(ordered)
    target = Path(path)
    drawn = [Progressions(one, seed=seed) for one in ordered]
    whole = join(ordered)
    with writing(target) as part, building(part, _ground(whole, seed)) as file:
        _append(file, ordered, drawn, count, progress)
    return target


def _ground(whole: BurnedArea, seed: int) -> Any:
    """Return coordinates, the status of the cells, and how the draws were made."""
    dataset = to_dataset(whole)
    dataset = dataset.drop_vars([name for name in dataset.data_vars if name != "status"])
    dataset["status"].encoding |= {"zlib": True, "complevel": 4}
    return dataset.drop_attrs(deep=False).assign_attrs(
        {
            "Conventions": "CF-1.11",
            "title": f"Progressions drawn from {whole.region.name}, {whole.days[0]} to {whole.days[-1]}",
            "history": f"drawn by banet with seed {seed}; {MODEL}; cells below {LEAST} are never drawn",
        }
    )


def _append(
    file: h5netcdf.File,
    maps: Sequence[BurnedArea],
    drawn: Sequence[Progressions],
    count: int,
    progress: Progress | None,
) -> None:
    """Pack draw by draw into a file."""
    shape, start = maps[0].region.shape, maps[0].start
    packed = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    packed["chunks"] = (1, min(shape[0], _CHUNK), min(shape[1], _CHUNK))
    file.dimensions["draw"] = count
    numbers = file.create_variable("draw", ("draw",), np.int32, data=np.arange(count, dtype=np.int32))
    numbers.attrs["long_name"] = "number of the draw"
    made = {}
    for name, (kind, nothing, about) in _variables(start).items():
        made[name] = file.create_variable(name, ("draw", *GRID), kind, fillvalue=kind(nothing), **packed)
        made[name].attrs.update({**about, "grid_mapping": GRID_MAPPING})
    for number in range(count):
        made["burn_date"][number], made["burned_fraction"][number] = _planes(maps, drawn, number)
        if progress is not None:
            progress(number + 1, count, "draws")


def _variables(start: Day) -> dict[str, tuple[Any, int, dict[str, Any]]]:
    """Return kind, value for nothing and attributes of what a draw holds."""
    day = {"standard_name": "time", "long_name": "UTC day on which the cell burned in the draw"}
    part = {"long_name": "part of the cell that burned in the draw", "units": "1"}
    return {
        "burn_date": (np.int16, _NOT_BURNED, {**day, "units": f"days since {start}", **CALENDAR}),
        "burned_fraction": (np.uint8, 255, {**part, "scale_factor": np.float32(1 / _STEPS)}),
    }


def _planes(
    maps: Sequence[BurnedArea], drawn: Sequence[Progressions], number: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """Return days since the first map's start and part of each cell in one draw, (rows, columns)."""
    days = np.full(maps[0].region.shape, _NOT_BURNED, np.int16)
    parts = np.full(maps[0].region.shape, 255, np.uint8)
    for one, progressions in reversed(list(zip(maps, drawn, strict=True))):
        part, day = progressions.draw(number)
        burned = part >= 0.5
        cell = progressions.cell[burned]
        days.flat[cell] = day[burned] + int((one.start - maps[0].start).astype(np.int64))
        parts.flat[cell] = np.rint(part[burned] * _STEPS)
    return days, parts
