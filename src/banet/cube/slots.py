"""Which slot of a store holds which day, and the only code that changes it.

The array `time` is the table: one chunk, replaced in one rename, after all else is written.
Growing comes first, in an order that other readers survive: the arrays one by one, then the root's copy of
their metadata, which readers go by; a slot that no day is in has no time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from banet.cube.layout import NO_DAY, TIME_CHUNK, VARIABLES, publish
from banet.cube.records import DayRecord, write_record
from banet.errors import OutputError

__all__ = ["Slots"]


@dataclass(frozen=True)
class _Table:
    """The table as it was when its file had this identity."""

    identity: tuple[int, int]
    slots: dict[int, int]


class Slots:
    """The slots of one store; days are numbers since 1970-01-01.

    Args:
        folder: of the store.
        shape: (rows, columns) of the grid.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._folder, self._shape = folder, shape
        self._cached: _Table | None = None

    def days(self) -> dict[int, int]:
        """Return the slot of each day, as the store says now."""
        return self._table().slots

    def record_path(self, slot: int) -> Path:
        """Return the file of the record of the day in a slot."""
        return self._folder / "time" / "days" / f"{slot}.json"

    def put(self, day: int, planes: Mapping[str, npt.NDArray[Any]], record: DayRecord) -> None:
        """Write stored planes and record of a day into a free slot, then let that slot take the day's place.

        Raises:
            OutputError: if the store holds as many days as it can.
        """
        slot = self._free()
        self._sweep(slot)
        for name, plane in planes.items():
            zarr.open_array(self._folder / name, mode="r+")[slot] = plane
        write_record(self.record_path(slot), record)
        self._commit({**self.days(), day: slot})

    def drop(self, day: int) -> None:
        """Let a day be no longer there."""
        self._commit({other: slot for other, slot in self.days().items() if other != day})

    def _table(self) -> _Table:
        identity = _identity(self._folder / "time" / "c" / "0")
        if self._cached is None or self._cached.identity != identity:
            values = np.asarray(zarr.open_array(self._folder / "time", mode="r")[:])
            slots = {int(day): slot for slot, day in enumerate(values) if day != NO_DAY}
            self._cached = _Table(identity, slots)
        return self._cached

    def _free(self) -> int:
        """Return a slot that no day is in, after growing the store if there is none."""
        length = zarr.open_array(self._folder / "time", mode="r").shape[0]
        taken = set(self.days().values())
        slot = next((slot for slot in range(length) if slot not in taken), length)
        if slot == length:
            self._grow(length + 1)
        elif slot >= self._published():  # a killed process grew the arrays and did not come to say so
            publish(self._folder)
        return slot

    def _grow(self, length: int) -> None:
        if length > TIME_CHUNK:
            raise OutputError(f"the cube {self._folder} is full with {TIME_CHUNK} days; begin another one")
        for name in VARIABLES:
            zarr.open_array(self._folder / name, mode="r+").resize((length, *self._shape))
        zarr.open_array(self._folder / "time", mode="r+").resize((length,))
        publish(self._folder)

    def _published(self) -> int:
        """How many slots the root's metadata speaks of."""
        array = zarr.open_group(self._folder, mode="r", use_consolidated=True)["time"]
        return int(array.shape[0])  # type: ignore[union-attr]

    def _sweep(self, slot: int) -> None:
        """Remove what a killed process left half-written where this one will write."""
        for name in VARIABLES:
            for part in (self._folder / name / "c" / str(slot) / "0").glob("*.partial"):
                part.unlink()
        for part in list((self._folder / "time").glob("**/*.part*")):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)

    def _commit(self, slots: Mapping[int, int]) -> None:
        """Say which slot holds which day; from here on, and not before, it does."""
        array = zarr.open_array(self._folder / "time", mode="r+")
        values = np.full(array.shape, NO_DAY, np.int32)
        for day, slot in slots.items():
            values[slot] = day
        array[:] = values


def _identity(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:  # no day was ever written
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)
