"""Arrays in .npz files: written whole or not at all, their checksums compared when they are read."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from banet.errors import UnreadableFileError
from banet.io.containers import ZIP_DAMAGE
from banet.io.files import writing

__all__ = ["load_arrays", "save_arrays", "write_arrays"]


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to a compressed .npz file, whole or not at all."""
    with writing(path) as part, part.open("wb") as stream:
        write_arrays(stream, arrays, packed=True)


def write_arrays(stream: IO[bytes], arrays: Mapping[str, npt.NDArray[Any]], *, packed: bool) -> None:
    """Write arrays as .npz to a stream, compressed or as they are."""
    write = np.savez_compressed if packed else np.savez
    # NumPy before 2.2 would save allow_pickle=False as one more array.
    write(stream, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of an .npz file; an UnreadableFileError says that it is not there or damaged."""
    try:
        # Checksums first: numpy reads a damaged header before it meets them.
        with zipfile.ZipFile(path) as packed:
            if (bad := packed.testzip()) is not None:
                raise zipfile.BadZipFile(f"the checksum of {bad} does not fit")
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (*ZIP_DAMAGE, KeyError) as error:  # KeyError: a member that is listed is not there
        raise UnreadableFileError(f"{path.name} cannot be read: {error}") from error
