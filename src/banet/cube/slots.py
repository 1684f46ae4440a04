"""Slots of a store: which day each holds, and the only code that changes it.

The array `time` is the table: one chunk, replaced in one rename, after all else is written.
Growing comes first, in an order that other readers survive: the arrays one by one, then the root's copy of
their metadata, which readers go by; a slot that no day is in has no time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.cube.chunks import PARTIAL, pack, put_file, read_packed
from banet.cube.day import PackedDay
from banet.cube.layout import NO_DAY, TIME, TIME_CHUNK
from banet.cube.metadata import grow, length_of, read_root
from banet.cube.records import DayRecord, read_record, write_record
from banet.cube.shards import write_shard
from banet.cube.variables import Variable
from banet.days import Day, as_day
from banet.errors import CorruptError, InputError, OutputError

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
        store: the number that the store's files are stamped with.
        variables: those that have a plane a slot.
    """

    def __init__(self, folder: Path, store: int, variables: Mapping[str, Variable]) -> None:
        self._folder, self._store, self._variables = folder, store, variables
        self._cached: _Table | None = None

    def days(self) -> dict[int, int]:
        """Return the slot of each day, as the store says now."""
        return self._table().slots

    def known(self) -> list[Day]:
        """Return the days that are there and those with a recorded gap, sorted."""
        there = {np.datetime64(number, "D") for number in self.days()}
        return sorted(there | self._gap_files().keys())

    def record(self, day: Day) -> DayRecord | None:
        """Return what is remembered of a day, also of a gap; None if nothing is known of it.

        Raises:
            CorruptError: if the record is damaged, or missing though the day is there.
        """
        slot = self.days().get(_number(day))
        if slot is not None:
            return read_record(self._record_path(slot), str(day))
        file = self._gap_path(day)
        return read_record(file, str(day)) if file.is_file() else None

    def gaps(self) -> dict[Day, tuple[str, ...]]:
        """Return the days with something missing, and why.

        Raises:
            CorruptError: if a record is damaged.
        """
        records = {day: self.record(day) for day in self.known()}
        return {day: record.gaps for day, record in records.items() if record is not None and record.gaps}

    def write(self, day: Day, packed: PackedDay) -> bool:
        """Write a day, and return whether anything changed."""
        old, known = self.days().get(_number(day)), self._sound(day)
        if old is not None and known is not None:
            if known == packed.record:
                return False
            if known.content == packed.record.content:
                write_record(self._record_path(old), packed.record)
                return True
        self._put(_number(day), packed)
        self._gap_path(day).unlink(missing_ok=True)
        return True

    def write_gap(self, day: Day, record: DayRecord) -> bool:
        """Remember a gap in place of a day, and return whether anything changed."""
        there = _number(day) in self.days()
        if not there and self._sound(day) == record:
            return False
        write_record(self._gap_path(day), record)
        if there:
            self._commit({other: slot for other, slot in self.days().items() if other != _number(day)})
        return True

    def _sound(self, day: Day) -> DayRecord | None:
        """Return the record of a day, None also where it is damaged: writing the day again mends it."""
        try:
            return self.record(day)
        except CorruptError:
            return None

    def _record_path(self, slot: int) -> Path:
        return self._folder / "time" / "days" / f"{slot}.json"

    def _gap_path(self, day: Day) -> Path:
        return self._folder / "time" / "gaps" / f"{day}.json"

    def _gap_files(self) -> dict[Day, Path]:
        files = {}
        for file in (self._folder / "time" / "gaps").glob("*.json"):
            with contextlib.suppress(InputError):
                files[as_day(file.stem)] = file
        return files

    def _put(self, day: int, packed: PackedDay) -> None:
        """Write stored planes and record of a day into a free slot, then let that slot take the day's place.

        Raises:
            OutputError: if the store holds as many days as it can.
        """
        taken = set(self.days().values())
        length = length_of(read_root(self._folder))
        slot = next((slot for slot in range(length) if slot not in taken), length)
        self._sweep(slot)
        if slot == length:
            self._grow(length + 1)
        for name, plane in packed.planes.items():
            write_shard(self._folder, self._variables[name], slot, day, plane, store=self._store)
        write_record(self._record_path(slot), packed.record)
        self._commit({**self.days(), day: slot})

    def _table(self) -> _Table:
        identity = _identity(self._time)
        if self._cached is None or self._cached.identity != identity:
            values = np.empty(TIME_CHUNK, np.int32)
            read_packed(self._time, values, "table of days")
            slots = {int(day): slot for slot, day in enumerate(values) if day != NO_DAY}
            self._cached = _Table(identity, slots)
        return self._cached

    @property
    def _time(self) -> Path:
        return self._folder / TIME

    def _grow(self, length: int) -> None:
        if length > TIME_CHUNK:
            raise OutputError(f"the cube {self._folder} is full with {TIME_CHUNK} days; begin another one")
        grow(self._folder, tuple(self._variables), length)

    def _sweep(self, slot: int) -> None:
        """Remove what a killed process left half-written where this one will write."""
        for folder in ("", "*/", f"*/c/{slot}/0/", "time/*/", "water/c/0/"):
            for part in list(self._folder.glob(f"{folder}*{PARTIAL}")):
                part.unlink(missing_ok=True)

    def _commit(self, slots: Mapping[int, int]) -> None:
        """Say which slot holds which day; from here on, and not before, it does."""
        values = np.full(TIME_CHUNK, NO_DAY)
        for day, slot in slots.items():
            values[slot] = day
        put_file(self._time, pack(values))


def _identity(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:  # reading tells
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)


def _number(day: Day) -> int:
    return int(day.astype(np.int64))
