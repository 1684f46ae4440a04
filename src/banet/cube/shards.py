"""Reading blocks of planes straight from the store's files.

A window of 64 days and six variables touches hundreds of small chunks; the general reader of zarr spends a
millisecond on each, this one little more than their decompression. It reads what `layout` writes and nothing
else: shards with their index at the end (Zarr sharding codec 1.0: offset and length of each chunk as
little-endian uint64, then four bytes of checksum), chunks compressed by Blosc. It neither writes nor keeps
state, so threads and forked processes may share it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from banet.cube.layout import CHUNK, VARIABLES, Variable
from banet.errors import UnreadableFileError

__all__ = ["ShardReader"]

_ABSENT = int(np.iinfo(np.uint64).max)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class ShardReader:
    """Reads blocks of one store.

    Attributes:
        folder: of the store.
        shape: (rows, columns) of the grid.
        variables: how each array is stored.
        threads: how many decompress at a time; all cores by default.
    """

    folder: Path
    shape: tuple[int, int]
    variables: Mapping[str, Variable] = field(default_factory=lambda: VARIABLES)
    threads: int = field(default_factory=_cores)

    def read(
        self, slots: Sequence[tuple[int, int]], box: tuple[slice, slice], out: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Read blocks of variables.

        Args:
            slots: pairs of (index along the first axis of the outputs, slot).
            box: rows and columns, with start and stop, no step.
            out: for each variable where its physical values go, (T, rows, columns), holding missing values.

        Raises:
            UnreadableFileError: if a file is damaged.
        """
        tasks = [(name, index, slot) for name in out for index, slot in slots]
        # Blosc takes threads of its own where it is called from the main thread; on small chunks they cost
        # more than they give, so all calls are made from workers.
        with ThreadPoolExecutor(self.threads) as pool:
            jobs = [
                pool.submit(self._read_planes, tasks[part :: self.threads], box, out)
                for part in range(self.threads)
            ]
            for job in jobs:
                job.result()

    def _read_planes(
        self,
        tasks: Sequence[tuple[str, int, int]],
        box: tuple[slice, slice],
        out: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        height, width = (min(CHUNK, size) for size in self.shape)
        buffers = {name: np.empty((height, width), self.variables[name].dtype) for name in out}
        for name, index, slot in tasks:
            path = f"{self.folder}/{name}/c/{slot}/0/0"
            try:
                with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path costs more than the reading
                    self._read_chunks(self.variables[name], stream, buffers[name], box, out[name][index])
            except FileNotFoundError:  # a plane that is missing throughout has no file
                continue
            except (RuntimeError, ValueError, OSError) as error:
                raise UnreadableFileError(f"the cube's file {path} is damaged: {error}") from error

    def _read_chunks(
        self,
        variable: Variable,
        stream: FileIO,
        chunk: npt.NDArray[Any],
        box: tuple[slice, slice],
        out: npt.NDArray[Any],
    ) -> None:
        rows, cols = box
        height, width = chunk.shape
        down, across = -(-self.shape[0] // height), -(-self.shape[1] // width)
        index = _read_index(stream, down * across).reshape(down, across, 2).tolist()
        for i in range(rows.start // height, -(-rows.stop // height)):
            for j in range(cols.start // width, -(-cols.stop // width)):
                offset, length = index[i][j]
                if offset == _ABSENT:
                    continue
                blosc.decompress(_exactly(stream, length, offset), chunk)
                from_rows, to_rows = _overlap(rows, i * height, height)
                from_cols, to_cols = _overlap(cols, j * width, width)
                variable.unpack(chunk[from_rows, from_cols], out[to_rows, to_cols])


def _overlap(wanted: slice, origin: int, size: int) -> tuple[slice, slice]:
    """Slices of the chunk and of the output where they overlap."""
    start, stop = max(wanted.start, origin), min(wanted.stop, origin + size)
    return slice(start - origin, stop - origin), slice(start - wanted.start, stop - wanted.start)


def _read_index(stream: FileIO, chunks: int) -> npt.NDArray[np.uint64]:
    size = os.fstat(stream.fileno()).st_size
    length = 16 * chunks + 4
    if size < length:
        raise ValueError(f"it has {size} bytes, fewer than its index")
    data = _exactly(stream, length, size - length)
    return np.frombuffer(data[:-4], "<u8")


def _exactly(stream: FileIO, length: int, offset: int) -> bytes:
    stream.seek(offset)
    data = stream.read(length)
    if len(data) != length:
        raise ValueError(f"{length} bytes at {offset} reach beyond its end")
    return data
