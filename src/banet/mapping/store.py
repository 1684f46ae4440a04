"""Folder of a run's finished cores, so that a killed run goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.io.arrays import write_arrays
from banet.io.files import PathLike, output_folder, write_text, writing
from banet.io.lock import lock
from banet.mapping.cores import Core

__all__ = ["Planes", "Store"]

Planes = Mapping[str, npt.NDArray[Any]]

_DIGEST = hashlib.sha256().digest_size


class Store:
    """Planes of finished cores, one chunk a core; a chunk is whole, or it is not there.

    A chunk begins with the SHA-256 of the run's settings, of its core and of its content: a damaged one, or
    one of another run, counts as not there and is made anew. Runs with other settings keep to other
    subfolders, named by a hash of the settings.

    Args:
        folder: where; the run's own subfolder is made in it.
        key: every setting that the planes depend on, as JSON can hold it.
    """

    def __init__(self, folder: PathLike, key: Mapping[str, Any]) -> None:
        self._key = json.dumps(key, sort_keys=True, default=str)
        name = hashlib.sha256(self._key.encode()).hexdigest()[:16]
        self.folder = output_folder(Path(folder).absolute() / name)

    @property
    def marker(self) -> Path:
        """The file by which another process knows that it sees the folder of this run."""
        return self.folder / "settings.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one run.

        Raises:
            BusyError: if another run is at work in it.
        """
        with lock(self.folder, f"the scratch folder {self.folder}"):
            if not self.marker.exists():
                write_text(self.marker, self._key)
            yield

    def read(self, core: Core) -> Planes | None:
        """Return the planes of a core, (rows, columns) each; None if its chunk is not there or damaged."""
        try:
            content = self._file(core).read_bytes()
        except FileNotFoundError:
            return None
        if content[:_DIGEST] != self._digest(core, content[_DIGEST:]):
            return None
        with np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}

    def write(self, core: Core, planes: Planes) -> None:
        """Keep the planes of a core.

        Raises:
            OutputError: if they cannot be written.
        """
        stream = io.BytesIO()
        write_arrays(stream, planes, packed=False)
        content = stream.getvalue()
        with writing(self._file(core)) as part:
            part.write_bytes(self._digest(core, content) + content)

    def _digest(self, core: Core, content: bytes) -> bytes:
        about = json.dumps([self._key, core.index, core.shape]).encode()
        return hashlib.sha256(hashlib.sha256(about).digest() + content).digest()

    def _file(self, core: Core) -> Path:
        return self.folder / f"core-{core.index[0]:05d}-{core.index[1]:05d}.chunk"
