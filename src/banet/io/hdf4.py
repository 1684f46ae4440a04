"""The only door to HDF4 files: opened one at a time, every fault turned into one clear line.

The C library below pyhdf keeps global state and is not safe for threads, so a lock lies around each use.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError
from banet.io.files import PathLike, existing_file

__all__ = ["Hdf4Array", "file_attributes", "list_arrays", "read_arrays"]

# First four bytes of every HDF4 file (HDF Specification 4.2, section "File header").
_MAGIC = bytes.fromhex("0e031301")
LOCK = threading.RLock()


@dataclass(frozen=True, eq=False)
class Hdf4Array:
    """One scientific data set of an HDF4 file.

    Attributes:
        name: its name in the file.
        values: the raw values, of the file's shape and dtype; neither scaled nor masked.
        attributes: its attributes.
        file_attributes: the attributes of the whole file.
    """

    name: str
    values: npt.NDArray[Any]
    attributes: Mapping[str, Any]
    file_attributes: Mapping[str, Any]


def read_arrays(path: PathLike, names: Sequence[str]) -> dict[str, Hdf4Array]:
    """Read data sets of an HDF4 file.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no HDF4 file, is damaged, or lacks one of the names.
    """
    with _opened(path) as (file, handle):
        held = handle.datasets()
        lacking = [name for name in names if name not in held]
        if lacking:
            raise UnreadableFileError(
                f"{file.name} lacks {', '.join(lacking)}; it holds {', '.join(sorted(held)) or 'nothing'}"
            )
        general = handle.attributes()
        return {name: _read_one(handle, name, general) for name in names}


def list_arrays(path: PathLike) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every data set of an HDF4 file.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no HDF4 file or is damaged.
    """
    with _opened(path) as (_, handle):
        return {name: tuple(fields[1]) for name, fields in handle.datasets().items()}


def file_attributes(path: PathLike) -> dict[str, Any]:
    """Return the attributes of a whole HDF4 file.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no HDF4 file or is damaged.
    """
    with _opened(path) as (_, handle):
        return dict(handle.attributes())


def _read_one(handle: Any, name: str, general: Mapping[str, Any]) -> Hdf4Array:
    data = handle.select(name)
    try:
        return Hdf4Array(name, np.asarray(data.get()), data.attributes(), general)
    finally:
        data.endaccess()


@contextlib.contextmanager
def _opened(path: PathLike) -> Iterator[tuple[Path, Any]]:
    from pyhdf.error import HDF4Error
    from pyhdf.SD import SD, SDC

    file = existing_file(path)
    _check_magic(file)
    with LOCK:
        handle = None
        try:
            handle = SD(str(file), SDC.READ)
            yield file, handle
        except HDF4Error as error:
            raise UnreadableFileError(
                f"{file.name} is truncated or damaged ({error}); download it again"
            ) from error
        finally:
            if handle is not None:
                with contextlib.suppress(HDF4Error):  # a damaged file may refuse to close; it is read-only
                    handle.end()


def _check_magic(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise UnreadableFileError(f"{file.name} cannot be opened: {error.strerror or error}") from error
    if head.startswith(_MAGIC):
        return
    if not head:
        found = "is empty"
    elif head.lstrip().startswith(b"<"):
        found = "is a web page, not HDF4 (a failed login saved as data?)"
    elif head.startswith(b"\x89HDF"):
        found = "is HDF5, not HDF4"
    else:
        found = "is not an HDF4 file"
    raise UnreadableFileError(f"{file.name} {found}; download it again")
