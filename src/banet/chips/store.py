"""The folder of chips: memory-mapped arrays and a log of which of them are whole.

    chips.json       format, version, days, size, bands
    index.jsonl      one line a finished chip, appended after its arrays are on the disk
    index.json       how many lines the index has had at least, so that one that was cut short is told
    arrays/NAME.inputs.npy   (4, days, size, size) int16
    arrays/NAME.target.npy   (days, size, size) uint8

A chip counts only when the log says so, so that a writer may be killed at any moment and started again.
Header and lines carry a checksum, a line those of its arrays, which are compared when a chip is first read.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.chips.codec import UNKNOWN, decode_planes, decode_target, encode_planes, encode_target
from banet.days import Day
from banet.errors import CorruptError, InputError, NotFoundError, OutputError, UnreadableFileError, one_line
from banet.io.files import PathLike, existing_folder, output_folder, write_json, writing
from banet.io.integrity import check_record, crc32c, seal_record
from banet.io.lock import lock

__all__ = ["BANDS", "HEADER", "Chip", "ChipEntry", "Chips", "describe_target"]

BANDS = ("red", "nir", "mir", "frp")
_FORMAT, _VERSION = "banet-chips", 2

HEADER = "chips.json"
"""The file by which a folder is one of chips."""
_INDEX, _COUNT = "index.jsonl", "index.json"
_ALL = slice(None)


@dataclass(frozen=True)
class ChipEntry:
    """Entry of a chip in the index.

    Attributes:
        name: of its files, unique in the folder.
        source: what it was made from: `simulated`, or the name of a cube.
        climate: of the simulation, or what the user calls the group; validation reports by it.
        region: name of the region, empty for simulated chips.
        seed: of the simulation, -1 for real data.
        start: first day as YYYY-MM-DD, empty where it has none.
        corner: row and column in its region.
        burned_cells: cells with a burned fraction above 0, one number a day.
        burned_area: sum of the burned fractions in cells.
        observed: share of cell-days with all reflectances.
        checksums: CRC-32C of each of its files, in hexadecimal.
        details: anything else worth keeping, such as the range of reflectances.
    """

    name: str
    source: str = "simulated"
    climate: str = ""
    region: str = ""
    seed: int = -1
    start: str = ""
    corner: tuple[int, int] = (0, 0)
    burned_cells: tuple[int, ...] = ()
    burned_area: float = 0.0
    observed: float = 0.0
    checksums: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> Day:
        """First day, NaT where the chip has none."""
        return np.datetime64(self.start or "NaT", "D")


@dataclass(frozen=True, eq=False)
class Chip:
    """A block of a chip in physical units.

    Attributes:
        planes: (4, T, rows, columns) float32: red, NIR, MIR reflectance, FRP in MW; NaN = not observed.
        target: (T, rows, columns) float32 fraction of the cell that burned that day; NaN = not known.
        entry: of the chip it was cut from.
    """

    planes: npt.NDArray[np.float32]
    target: npt.NDArray[np.float32]
    entry: ChipEntry


class Chips:
    """A folder of chips of one size, for reading and for adding to.

    Attributes:
        folder: where it lies.
        days, size: of every chip.
        entries: of the chips that are whole, in the order they were written.
    """

    def __init__(self, folder: Path, days: int, size: int):
        self.folder = folder
        self.days = days
        self.size = size
        self.entries: tuple[ChipEntry, ...] = ()
        self._sound = set[tuple[str, int, int]]()
        self.refresh()

    def __getstate__(self) -> dict[str, Any]:
        # In another process, perhaps of another machine, the folder is the same one wherever that works.
        return {**self.__dict__, "folder": self.folder.absolute()}

    @classmethod
    def create(cls, folder: PathLike, days: int, size: int) -> Chips:
        """Make a folder of chips, or open the one that is there to add to it.

        Raises:
            InputError: if the folder holds chips of another size, or is a cube.
            OutputError: if it cannot be written to.
        """
        path = output_folder(folder)
        header = path / HEADER
        if header.exists():
            chips = cls.open(path)
            if (chips.days, chips.size) != (days, size):
                raise InputError(
                    f"{path} holds chips of {chips.days} days x {chips.size} cells, "
                    f"asked for {days} x {size}; choose another folder"
                )
            return chips
        output_folder(path / "arrays")
        fields = {"format": _FORMAT, "version": _VERSION, "days": days, "size": size, "bands": list(BANDS)}
        write_json(header, seal_record(fields))
        return cls(path, days, size)

    @classmethod
    def open(cls, folder: PathLike) -> Chips:
        """Open a folder of chips.

        Raises:
            NotFoundError: if it is not there or holds no chips.
            UnreadableFileError: if its header or index cannot be read.
        """
        path = existing_folder(folder, "folder of chips")
        header = path / HEADER
        if not header.is_file():
            raise NotFoundError(f"{path} holds no chips (no chips.json); make them with banet tiles")
        try:
            fields = json.loads(header.read_text(encoding="utf-8"))
            kind, version = fields["format"], fields["version"]
            days, size = int(fields["days"]), int(fields["size"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnreadableFileError(f"{header} is not a header of chips: {error!r}") from error
        if (kind, version) != (_FORMAT, _VERSION):
            raise UnreadableFileError(f"{header} is {kind} version {version}, this banet reads {_VERSION}")
        try:
            check_record(fields)
        except ValueError as error:
            raise CorruptError(f"the header of chips {header} is damaged: {error}") from error
        return cls(path, days, size)

    def refresh(self) -> None:
        """Read the index again, to see what another process has added."""
        least = _least(self.folder / _COUNT)  # before the index, which only grows
        self.entries = tuple(_read_index(self.folder / _INDEX))
        if len(self) < least:
            raise CorruptError(f"{self.folder / _INDEX} holds {len(self)} of {least} chips; it was cut short")

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Chips({str(self.folder)!r}: {len(self)} of {self.days} days x {self.size} cells)"

    @property
    def label(self) -> str:
        """Name in messages and logs."""
        return str(self.folder)

    @property
    def names(self) -> frozenset[str]:
        """Names of the chips that are whole."""
        return frozenset(entry.name for entry in self.entries)

    @property
    def index_sha256(self) -> str:
        """SHA-256 of the lines of its chips in the index, which says what a run was trained on.

        Empty where there is no index; that of the whole file where all its chips are taken in its order.
        """
        index = self.folder / _INDEX
        if not index.is_file():
            return ""
        *lines, _ = index.read_bytes().split(b"\n")
        by_name = {json.loads(line)["name"]: line for line in lines}
        return hashlib.sha256(b"".join(by_name[entry.name] + b"\n" for entry in self.entries)).hexdigest()

    def only(self, names: Iterable[str]) -> Chips:
        """Return some of its chips to read, in the order of these names.

        Those that are added to the folder later are not among them, as long as it is not refreshed.

        Raises:
            InputError: if it holds no chip of a name.
        """
        entries = {entry.name: entry for entry in self.entries}
        wanted = list(names)
        if missing := [name for name in wanted if name not in entries]:
            raise InputError(f"{self.folder} holds no chip named {missing[0]}")
        some = copy.copy(self)
        some.entries = tuple(entries[name] for name in wanted)
        return some

    def read(self, number: int, days: slice = _ALL, rows: slice = _ALL, cols: slice = _ALL) -> Chip:
        """Read a block of a chip; only its bytes are touched.

        Raises:
            UnreadableFileError: if an array is gone, cut short or of another shape.
            CorruptError: if it is not the one that was written.
        """
        entry = self.entries[number]
        planes = self._array(entry, "inputs", (len(BANDS), self.days, self.size, self.size), np.int16)
        target = self._array(entry, "target", (self.days, self.size, self.size), np.uint8)
        return Chip(
            decode_planes(planes[:, days, rows, cols]), decode_target(target[days, rows, cols]), entry
        )

    def burned(self, number: int) -> npt.NDArray[np.bool_]:
        """Return where and when anything burned in a chip, (days, size, size)."""
        target = self._array(self.entries[number], "target", (self.days, self.size, self.size), np.uint8)
        burned: npt.NDArray[np.bool_] = (target > 0) & (target != UNKNOWN)
        return burned

    def _array(self, entry: ChipEntry, what: str, shape: tuple[int, ...], dtype: type) -> npt.NDArray[Any]:
        file = self.folder / "arrays" / f"{entry.name}.{what}.npy"
        try:
            array: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # of many kinds: NumPy reads the header as Python
            raise CorruptError(f"the chip array {file} cannot be read: {one_line(error)}") from error
        if array.shape != shape or array.dtype != dtype:
            raise CorruptError(f"the chip array {file} is {array.shape} {array.dtype}, not {shape}")
        self._check(file, entry.checksums.get(what))
        return array

    def _check(self, file: Path, expected: str | None) -> None:
        """Compare the checksum of a file, once as long as nothing writes to it."""
        status = file.stat()
        key = (file.name, status.st_ino, status.st_mtime_ns)
        if key in self._sound:
            return
        if _checksum(file) != expected:
            raise CorruptError(f"the chip array {file} is damaged: its checksum does not fit; make it again")
        self._sound.add(key)

    def write_arrays(
        self, entry: ChipEntry, planes: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
    ) -> ChipEntry:
        """Write the arrays of a chip without entering it; safe in several processes at once.

        Args:
            entry: its name and origin; what the target tells is filled in here.
            planes: (4, days, size, size) float32 physical, NaN = not observed.
            target: (days, size, size) float32 fraction of the cell that burned that day, NaN = not known.

        Returns:
            The complete entry, for `enter`.

        Raises:
            InputError: if the shapes are not this folder's, or a fraction is outside 0..1.
        """
        shape = (self.days, self.size, self.size)
        if planes.shape != (len(BANDS), *shape) or target.shape != shape:
            raise InputError(
                f"chip {entry.name}: planes {planes.shape}, target {target.shape} do not fit chips of {shape}"
            )
        complete = describe_target(entry, planes, target)
        for what, array in (("inputs", encode_planes(planes)), ("target", encode_target(target))):
            with writing(self.folder / "arrays" / f"{entry.name}.{what}.npy") as part:
                np.save(part, array, allow_pickle=False)
                complete.checksums[what] = _checksum(part)
        return complete

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """Hold the folder while chips are added to it; what another run added before is known then.

        Raises:
            BusyError: if another run adds to it.
        """
        with lock(self.folder / _INDEX, f"the folder of chips {self.folder}"):
            self.refresh()
            yield

    def enter(self, entry: ChipEntry) -> None:
        """Append a chip, whose arrays are written, to the index: from here on it counts.

        Raises:
            InputError: if a chip of that name is there already.
        """
        if entry.name in self.names:
            raise InputError(f"{self.folder} already holds a chip named {entry.name}")
        fields = json.loads(json.dumps(asdict(entry)))
        _append_line(self.folder / _INDEX, json.dumps(seal_record(fields)))
        write_json(self.folder / _COUNT, seal_record({"chips": len(self) + 1}))
        self.entries = (*self.entries, entry)

    def write(
        self, entry: ChipEntry, planes: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
    ) -> ChipEntry:
        """Write the arrays of a chip and enter it."""
        complete = self.write_arrays(entry, planes, target)
        self.enter(complete)
        return complete


def describe_target(
    entry: ChipEntry, planes: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
) -> ChipEntry:
    """Fill in what the arrays tell: burned cells a day, burned area, share observed.

    Raises:
        InputError: if a known fraction is outside 0..1.
    """
    known = np.nan_to_num(target, nan=0.0)
    if known.size and not (known.min() >= 0 and known.max() <= 1 + 1e-4):
        raise InputError(
            f"chip {entry.name}: burned fractions {known.min():g} to {known.max():g} are not within 0..1"
        )
    fields = asdict(entry) | {
        "burned_cells": tuple(int(n) for n in (known > 0).sum((1, 2))),
        "burned_area": round(float(known.sum()), 3),
        "observed": round(float(np.isfinite(planes[:3]).all(0).mean()), 4),
    }
    return ChipEntry(**fields)


def _checksum(file: Path) -> str:
    return f"{crc32c(file.read_bytes()):08x}"


def _read_index(path: Path) -> Iterator[ChipEntry]:
    if not path.is_file():
        return
    # A writer that was killed may have left half a line at the end; it does not count.
    *lines, torn = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            fields = check_record(json.loads(line))
            fields["corner"] = tuple(fields["corner"])
            fields["burned_cells"] = tuple(fields["burned_cells"])
            yield ChipEntry(**fields)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CorruptError(f"{path}: line {number} is not the entry of a chip: {error!r}") from error
    if _whole_entry(torn[:-1]):
        raise CorruptError(f"{path}: line {len(lines) + 1} does not end as a line does; it is damaged")


def _least(path: Path) -> int:
    """Return how many chips the index held when one was last entered."""
    try:
        return int(check_record(json.loads(path.read_bytes()))["chips"])
    except FileNotFoundError:  # no chip was ever entered, or the first writer was killed on the way
        return 0
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptError(f"{path} is damaged: {error}") from error


def _whole_entry(line: bytes) -> bool:
    """Tell whether bytes are a whole entry: half a line of a killed writer never is."""
    try:
        check_record(json.loads(line))
    except (ValueError, RecursionError):
        return False
    return True


def _append_line(path: Path, line: str) -> None:
    try:
        with path.open("a+b") as stream:
            _drop_torn_line(stream, path)
            stream.write(line.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _drop_torn_line(stream: Any, path: Path) -> None:
    end = stream.seek(0, os.SEEK_END)
    if end == 0:
        return
    stream.seek(end - 1)
    if stream.read(1) != b"\n":
        stream.truncate(path.read_bytes().rfind(b"\n") + 1)
