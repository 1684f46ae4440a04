"""Slots of a store: which day each holds, and the only code that changes it.

The array `time` is the table: one chunk, replaced in one rename, after all else is written.
Growing comes first, in an order that other readers survive: the arrays one by one, then the root's copy of
their metadata, which readers go by; a slot that no day is in has no time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from banet.cube.layout import NO_DAY, TIME_CHUNK, publish
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
        names: of the arrays that hold a plane a slot.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], names: Sequence[str]) -> None:
        self._folder, self._shape, self._names = folder, shape, tuple(names)
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
        root = self._root()
        taken = set(self.days().values())
        length = root["time"].shape[0]
        slot = next((slot for slot in range(length) if slot not in taken), length)
        self._sweep(slot)
        if slot == length:
            root = self._grown(root, length + 1)
        for name, plane in planes.items():
            root[name][slot] = plane
        write_record(self.record_path(slot), record)
        self._commit(root, {**self.days(), day: slot})

    def drop(self, day: int) -> None:
        """Let a day be no longer there."""
        self._commit(self._root(), {other: slot for other, slot in self.days().items() if other != day})

    def _table(self) -> _Table:
        identity = _identity(self._folder / "time" / "c" / "0")
        if self._cached is None or self._cached.identity != identity:
            values = np.asarray(zarr.open_array(self._folder / "time", mode="r")[:])
            slots = {int(day): slot for slot, day in enumerate(values) if day != NO_DAY}
            self._cached = _Table(identity, slots)
        return self._cached

    def _root(self) -> Any:
        """Open the store by the root's metadata: arrays that a killed process grew alone are as they were."""
        return zarr.open_group(self._folder, mode="r+", use_consolidated=True)

    def _grown(self, root: Any, length: int) -> Any:
        if length > TIME_CHUNK:
            raise OutputError(f"the cube {self._folder} is full with {TIME_CHUNK} days; begin another one")
        for name in self._names:
            root[name].resize((length, *self._shape))
        root["time"].resize((length,))
        publish(self._folder)
        return self._root()

    def _sweep(self, slot: int) -> None:
        """Remove what a killed process left half-written where this one will write."""
        for pattern in ("*.partial", "*/*.partial", f"*/c/{slot}/0/*.partial", "time/c/*.partial"):
            for part in list(self._folder.glob(pattern)):
                part.unlink(missing_ok=True)
        for part in list((self._folder / "time").glob("*/.*.part")):
            shutil.rmtree(part)

    def _commit(self, root: Any, slots: Mapping[int, int]) -> None:
        """Say which slot holds which day; from here on, and not before, it does."""
        values = np.full(root["time"].shape, NO_DAY, np.int32)
        for day, slot in slots.items():
            values[slot] = day
        root["time"][:] = values


def _identity(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:  # no day was ever written
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)
