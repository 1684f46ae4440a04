"""HDF5 and NetCDF-4 files; whatever is wrong with one is an error in one line."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from banet.errors import BanetError, UnreadableFileError

__all__ = [
    "attribute",
    "check_heaps",
    "check_stored",
    "dataset",
    "number",
    "opened",
    "read_all",
    "read_part",
    "text",
]

MOST_VALUES = 1 << 28
"""Most values of one array that are believed: six times those of the largest granule."""
_HEAP = b"GCOL\x01\0\0\0"
_HEAP_HEAD = 16


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading; an error of the format inside the block becomes an `UnreadableFileError`.

    Raises:
        UnreadableFileError: if it is no HDF5 file, is truncated, or cannot be decoded.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except BanetError:
        raise
    except Exception as error:  # a damaged file makes h5py and numpy raise nearly anything
        raise UnreadableFileError(f"{path.name} {_what_is_wrong(path)}; download it again") from error


def check_heaps(path: Path) -> None:
    """Make sure that the HDF5 library gets to the end of each global heap (names of dimensions lie there).

    Free space of size 0 in a damaged heap makes it loop for ever. Layout: HDF5 File Format Specification 3.0,
    "Global Heap".

    Raises:
        UnreadableFileError: if it would not get there.
    """
    data = path.read_bytes()
    start = data.find(_HEAP)
    while start >= 0:
        size = int.from_bytes(data[start + 8 : start + 16], "little")
        stop, at = min(start + size, len(data)), start + _HEAP_HEAD
        while at + _HEAP_HEAD <= stop:
            index = int.from_bytes(data[at : at + 2], "little")
            held = int.from_bytes(data[at + 8 : at + 16], "little")
            step = _HEAP_HEAD + -(-held // 8) * 8 if index else held
            if step < _HEAP_HEAD or at + step > start + size:
                raise UnreadableFileError(
                    f"{path.name} is damaged: a heap of it has no end; download it again"
                )
            at += step
        start = data.find(_HEAP, start + 8)


def attribute(holder: Any, name: str) -> Any:
    """Return an attribute of a file, group or array as h5py gives it; None if there is none.

    Text of any length lies in a heap of the file, which is looked at before the library reads it.

    Raises:
        UnreadableFileError: if that heap has no end.
    """
    if name not in holder.attrs:
        return None
    kind = h5py.check_string_dtype(holder.attrs.get_id(name).dtype)
    if kind is not None and kind.length is None:
        path = Path(holder.file.filename)
        known = path.stat()
        _check_heaps_once(path, known.st_size, known.st_mtime_ns)
    return holder.attrs[name]


@functools.lru_cache(maxsize=64)
def _check_heaps_once(path: Path, size: int, changed: int) -> None:
    check_heaps(path)


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Return the data set of that name.

    Raises:
        UnreadableFileError: if there is none, the message lists what its group holds; or if it claims a
            size that no file of ours has, before memory is taken for it.
    """
    found = file.get(name)
    if isinstance(found, h5py.Dataset):
        if math.prod(found.shape) > MOST_VALUES:
            claim = " x ".join(map(str, found.shape))
            raise UnreadableFileError(
                f"{Path(file.filename).name} is damaged: {name} claims the shape {claim}"
            )
        return found
    parent = file.get(name.rpartition("/")[0] or "/")
    inside = ", ".join(sorted(parent)[:12]) if isinstance(parent, h5py.Group) else "nothing of that group"
    raise UnreadableFileError(f"{Path(file.filename).name} lacks {name}; it holds {inside or 'nothing'}")


def check_stored(source: h5py.Dataset, part: tuple[slice, ...]) -> None:
    """Make sure that a part of an array was written, unless the file defines a value for what was not.

    A program that ends while it writes leaves chunks out, which the library reads as 0.

    Args:
        source: the array.
        part: one slice a dimension, from start to stop.

    Raises:
        UnreadableFileError: if values of the part are not in the file.
    """
    plan = source.id.get_create_plist()
    if plan.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED:
        return
    if source.chunks is None:
        lacking = plan.get_layout() == h5py.h5d.CONTIGUOUS and not source.id.get_storage_size()
        lacking = lacking and not plan.get_external_count()
    else:
        whole = math.prod(
            -(-length // size) for length, size in zip(source.shape, source.chunks, strict=True)
        )
        lacking = source.id.get_num_chunks() < whole
        if lacking:  # in one walk: to ask for a single chunk takes one, too
            sizes = zip(part, source.chunks, strict=True)
            firsts = (range(one.start // size * size, one.stop, size) for one, size in sizes)
            corners = set(itertools.product(*firsts))
            source.id.chunk_iter(lambda stored: corners.discard(stored.chunk_offset))
            lacking = bool(corners)
    if lacking:
        raise UnreadableFileError(
            f"{Path(source.file.filename).name}: {source.name} is cut off, values of it were never written; "
            "download it again"
        )


def read_part(source: h5py.Dataset, part: tuple[slice, ...]) -> npt.NDArray[Any]:
    """Read a part of an array, one slice a dimension, after making sure that it was written.

    Raises:
        UnreadableFileError: if values of the part are not in the file, see `check_stored`.
    """
    whole = zip(part, source.shape, strict=True)
    check_stored(source, tuple(slice(*one.indices(size)) for one, size in whole))
    found: npt.NDArray[Any] = source[part]
    return found


def read_all(file: h5py.File) -> None:
    """Read every value of a file once, one array after the other, and keep none.

    Raises:
        UnreadableFileError: if an array claims a size that no file of ours has. Inside `opened`, values that
            cannot be decoded raise it too.
    """
    names: list[str] = []
    file.visit(names.append)
    for name in names:
        if isinstance(file.get(name), h5py.Dataset):
            dataset(file, name)[()]


def number(holder: Any, names: tuple[str, ...], default: float | None = None) -> float | None:
    """Return the first attribute among `names` that is a number, or `default`.

    Files in circulation keep numbers as scalars, as arrays of one and, for fill values of flag planes, as
    text.
    """
    for name in names:
        held = attribute(holder, name)
        if held is not None:
            value = np.ravel(held)[0]
            with contextlib.suppress(TypeError, ValueError):
                return float(value)
    return default


def text(holder: Any, name: str) -> str:
    """Return an attribute as text; empty if there is none."""
    value = attribute(holder, name)
    if value is None:
        return ""
    value = np.ravel(value)[0] if isinstance(value, np.ndarray) and value.size else value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _what_is_wrong(path: Path) -> str:
    if not path.exists():
        return "does not exist"
    try:
        with path.open("rb") as stream:
            head = stream.read(256).lstrip()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if not head:
        return "is empty"
    if head[:1] in (b"<", b"{"):
        return "is a web page or an error message, not an HDF5 file"
    if not head.startswith(b"\x89HDF"):
        return "is no HDF5 or NetCDF-4 file"
    return "is truncated or damaged"
