"""A folder in which a long run keeps what it has finished, so that a killed one continues."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from banet.errors import InputError, UnreadableFileError
from banet.io.files import PathLike, output_folder, writing
from banet.io.lock import lock

__all__ = ["Scratch"]

Arrays = dict[str, npt.NDArray[Any]]


class Scratch:
    """Arrays of one run by kind and index; every file is whole or absent.

    Runs with other settings keep to other subfolders, named by a hash of the settings. A second run with
    the same settings is refused while the first one lives. A copy that travelled to another process writes
    to the same folder on behalf of the run that holds the lock.

    Args:
        folder: where; None keeps nothing.
        key: every setting that the arrays depend on, as JSON can hold it.
    """

    def __init__(self, folder: PathLike | None, key: Mapping[str, Any]) -> None:
        text = json.dumps(key, sort_keys=True, default=str)
        self._key = text
        self._folder = None
        if folder is not None:
            name = hashlib.sha256(text.encode()).hexdigest()[:16]
            self._folder = output_folder(Path(folder).absolute() / name)
        self._lock: AbstractContextManager[None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None}

    @property
    def folder(self) -> Path | None:
        """Where the files of this run lie."""
        return self._folder

    def __enter__(self) -> Self:
        if self._folder is not None:
            held = lock(self._folder, f"the scratch folder {self._folder}")
            held.__enter__()
            self._lock = held
            if not self.marker.exists():
                with writing(self.marker) as part:
                    part.write_text(self._key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.__exit__(kind, error, trace)
            self._lock = None

    @property
    def marker(self) -> Path:
        """The file by which another process knows that it sees the folder of this run."""
        return self._kept() / "settings.json"

    def holds(self, kind: str, index: tuple[int, int]) -> bool:
        """Tell whether something of a kind and an index is kept."""
        return self._folder is not None and self._file(kind, index).is_file()

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
        return self._kept() / f"{kind}-{index[0]:05d}-{index[1]:05d}.npz"

    def _kept(self) -> Path:
        if self._folder is None:
            raise InputError("nothing is kept; give a scratch folder")
        return self._folder
