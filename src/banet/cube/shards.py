"""Planes in the store's files: one file a variable and day, read by blocks straight from disk.

A window of 64 days and six variables touches hundreds of small chunks; the general reader of zarr spends a
millisecond on each, this one little more than their decompression. A file is a Zarr shard (sharding codec
1.0) with its index at the end: offset and length of each chunk as little-endian uint64, then a checksum.
Before the index stands a stamp that says which cube, variable and day the file is of; readers of Zarr pass
over it. So what is damaged, cut short or another's is told: index and chunks by their checksums, the file by
its stamp, and a file that is not there is missing, since a plane without any value has one too.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.cube.chunks import DAMAGE, pack, put_file, unpack
from banet.cube.layout import CHUNK
from banet.cube.variables import VARIABLES, Variable
from banet.errors import CorruptError
from banet.io.integrity import crc32c, intact, seal

__all__ = ["Place", "ShardReader", "write_shard"]

_ABSENT = int(np.iinfo(np.uint64).max)
_STAMP = struct.Struct("<4sIIi")
_MAGIC = b"bnet"

Place = tuple[int, int, int]
"""Index along the first axis of the outputs, slot, and day since 1970-01-01."""


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _stamp(store: int, name: str, day: int) -> bytes:
    return _STAMP.pack(_MAGIC, store, crc32c(name.encode()), day)


def shard_path(folder: Path, name: str, slot: int) -> str:
    """Return the file of a variable and slot."""
    return f"{folder}/{name}/c/{slot}/0/0"  # a Path costs more than the reading


def write_shard(
    folder: Path, variable: Variable, slot: int, day: int, plane: npt.NDArray[Any], *, store: int
) -> None:
    """Write a plane of stored values, (rows, columns), into the file of its slot."""
    height, width = (min(CHUNK, size) for size in plane.shape)
    down, across = -(-plane.shape[0] // height), -(-plane.shape[1] // width)
    index = np.full((down, across, 2), _ABSENT, "<u8")
    parts, offset = list[bytes](), 0
    for i, j, chunk in _chunks(plane, height, width, variable):
        data = pack(chunk)
        index[i, j] = offset, len(data)
        parts.append(data)
        offset += len(data)
    stamp = _stamp(store, variable.name, day)
    put_file(Path(shard_path(folder, variable.name, slot)), *parts, stamp, seal(index.tobytes()))


def _chunks(
    plane: npt.NDArray[Any], height: int, width: int, variable: Variable
) -> Iterator[tuple[int, int, npt.NDArray[Any]]]:
    """Give the chunks that hold a value, with their place; those at the edges are filled up."""
    missing = np.asarray(variable.missing, variable.dtype)
    for row in range(0, plane.shape[0], height):
        for col in range(0, plane.shape[1], width):
            block = plane[row : row + height, col : col + width]
            empty = np.isnan(block) if np.isnan(missing) else block == missing
            if not empty.all():
                chunk = np.full((height, width), missing)
                chunk[: block.shape[0], : block.shape[1]] = block
                yield row // height, col // width, chunk


@dataclass(frozen=True)
class ShardReader:
    """Reads blocks of one store; it keeps no state, so threads and forked processes may share it.

    Attributes:
        folder: of the store.
        shape: (rows, columns) of the grid.
        store: the number that the store's files are stamped with.
        variables: how each array is stored.
        threads: how many decompress at a time; all cores by default.
    """

    folder: Path
    shape: tuple[int, int]
    store: int
    variables: Mapping[str, Variable] = field(default_factory=lambda: VARIABLES)
    threads: int = field(default_factory=_cores)

    def read(
        self, places: Sequence[Place], box: tuple[slice, slice], out: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Read blocks of variables.

        Args:
            places: which slots, of which days, go where.
            box: rows and columns, with start and stop, no step.
            out: for each variable where its physical values go, (T, rows, columns), holding missing values.

        Raises:
            CorruptError: if a file is damaged, missing, or of another day.
        """
        tasks = [(name, place) for name in out for place in places]
        # Blosc takes threads of its own where it is called from the main thread; on small chunks they cost
        # more than they give, so all calls are made from workers.
        with ThreadPoolExecutor(self.threads) as pool:
            jobs = [
                pool.submit(self._read_planes, tasks[part :: self.threads], box, out)
                for part in range(self.threads)
            ]
            for job in jobs:
                job.result()

    def check(self, places: Sequence[Place], names: Sequence[str]) -> None:
        """Look at stamp and index of files, not at their chunks.

        Raises:
            CorruptError: if a file is damaged, missing, or of another day.
        """
        for name in names:
            for _, slot, day in places:
                path = shard_path(self.folder, name, slot)
                try:
                    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
                        self._read_index(stream, _stamp(self.store, name, day))
                except DAMAGE as error:
                    raise _corrupt(path, day, error) from error

    def _read_planes(
        self,
        tasks: Sequence[tuple[str, Place]],
        box: tuple[slice, slice],
        out: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        height, width = self._chunk
        buffers = {name: np.empty((height, width), self.variables[name].dtype) for name in out}
        for name, (index, slot, day) in tasks:
            path = shard_path(self.folder, name, slot)
            try:
                with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path costs more than the reading
                    chunks = self._read_index(stream, _stamp(self.store, name, day))
                    self._read_chunks(
                        self.variables[name], stream, chunks, buffers[name], box, out[name][index]
                    )
            except DAMAGE as error:
                raise _corrupt(path, day, error) from error

    def _read_index(self, stream: FileIO, stamp: bytes) -> npt.NDArray[np.uint64]:
        """Return offset and length of each chunk, (down, across, 2)."""
        height, width = self._chunk
        down, across = -(-self.shape[0] // height), -(-self.shape[1] // width)
        length = _STAMP.size + 16 * down * across + 4
        stream.seek(-length, os.SEEK_END)
        data = stream.read(length)
        if len(data) != length or not data.startswith(stamp):
            raise ValueError("its end is not that of this variable and day (cut short, or another file)")
        if not intact(data[_STAMP.size :]):
            raise ValueError("the checksum of its index does not fit")
        return np.frombuffer(data, "<u8", 2 * down * across, _STAMP.size).reshape(down, across, 2)

    def _read_chunks(
        self,
        variable: Variable,
        stream: FileIO,
        chunks: npt.NDArray[np.uint64],
        chunk: npt.NDArray[Any],
        box: tuple[slice, slice],
        out: npt.NDArray[Any],
    ) -> None:
        rows, cols = box
        height, width = chunk.shape
        top, left = rows.start // height, cols.start // width
        index = chunks[top : -(-rows.stop // height), left : -(-cols.stop // width)].tolist()
        at = -1
        for i, line in enumerate(index, top):
            from_rows, to_rows = _overlap(rows, i * height, height)
            for j, (offset, length) in enumerate(line, left):
                if offset == _ABSENT:
                    continue
                if offset != at:  # neighbours lie one after the other
                    stream.seek(offset)
                unpack(stream.read(length), chunk)
                at = offset + length
                from_cols, to_cols = _overlap(cols, j * width, width)
                variable.unpack(chunk[from_rows, from_cols], out[to_rows, to_cols])

    @property
    def _chunk(self) -> tuple[int, int]:
        return min(CHUNK, self.shape[0]), min(CHUNK, self.shape[1])


def _corrupt(path: str, day: int, error: Exception) -> CorruptError:
    what = (isinstance(error, OSError) and error.strerror) or error
    return CorruptError(
        f"{np.datetime64(day, 'D')}: the cube's file {path} is damaged: {what}; see `banet cube check`"
    )


def _overlap(wanted: slice, origin: int, size: int) -> tuple[slice, slice]:
    """Slices of the chunk and of the output where they overlap."""
    start, stop = max(wanted.start, origin), min(wanted.stop, origin + size)
    return slice(start - origin, stop - origin), slice(start - wanted.start, stop - wanted.start)
