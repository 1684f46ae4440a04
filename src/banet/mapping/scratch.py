"""A folder in which a long run keeps what it has finished, so that a killed one continues."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from banet.errors import InputError, UnreadableFileError
from banet.files import PathLike, output_folder, writing

__all__ = ["Scratch"]

Arrays = dict[str, npt.NDArray[Any]]


class Scratch:
    """Arrays of one run by kind and index; every file is whole or absent.

    Runs with other settings keep to other subfolders, named by a hash of the settings. A second run with
    the same settings is refused while the first one lives.

    Args:
        folder: where; None keeps nothing.
        key: every setting that the arrays depend on, as JSON can hold it.
    """

    def __init__(self, folder: PathLike | None, key: Mapping[str, Any]) -> None:
        text = json.dumps(key, sort_keys=True, default=str)
        self._key = text
        self._folder = None
        if folder is not None:
            self._folder = output_folder(Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16])
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._folder is not None:
            self._lock = _locked(self._folder / "lock")
            if not (self._folder / "settings.json").exists():
                with writing(self._folder / "settings.json") as part:
                    part.write_text(self._key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def indices(self, kind: str) -> set[tuple[int, int]]:
        """Return the indices of what is kept of a kind."""
        if self._folder is None:
            return set()
        names = (file.stem.split("-")[1:] for file in self._folder.glob(f"{kind}-*-*.npz"))
        return {(int(row), int(col)) for row, col in names}

    def load(self, kind: str, index: tuple[int, int]) -> Arrays:
        """Return what was saved under one of the `indices`.

        Raises:
            UnreadableFileError: if the file is damaged.
        """
        file = self._file(kind, index)
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise UnreadableFileError(
                f"{file} is damaged; remove it to have it made again ({error})"
            ) from error

    def save(self, kind: str, index: tuple[int, int], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep arrays under a kind and an index.

        Raises:
            OutputError: if they cannot be written.
        """
        if self._folder is not None:
            with writing(self._file(kind, index)) as part, part.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)

    def drop(self, kind: str, index: tuple[int, int]) -> None:
        """Forget what was saved."""
        if self._folder is not None:
            self._file(kind, index).unlink(missing_ok=True)

    def _file(self, kind: str, index: tuple[int, int]) -> Path:
        if self._folder is None:
            raise InputError(f"nothing is kept, so there is no {kind} {index}; give a scratch folder")
        return self._folder / f"{kind}-{index[0]:05d}-{index[1]:05d}.npz"


def _locked(path: Path) -> IO[bytes]:
    """Open a file that no other living process holds; the system lets go of it when the process dies."""
    stream = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.close()
        raise InputError(
            f"another run is at work in {path.parent}; wait for it or give another folder"
        ) from error
    return stream
