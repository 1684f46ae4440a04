"""HDF4 files, read in a child process: a damaged one is an error, whatever the C library makes of it.

There is one child a process. It stays from file to file, is started again when it died, and ends with its
parent, whose end closes its pipe.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from banet.errors import BanetError, UnreadableFileError
from banet.io.files import PathLike, existing_file
from banet.io.hdf4_checksums import check_streams

__all__ = ["LOCK", "Hdf4Array", "file_attributes", "read_arrays"]

# First four bytes of every HDF4 file (HDF Specification 4.2, section "File header").
_MAGIC = bytes.fromhex("0e031301")

LOCK = threading.RLock()
"""Held around each use of the C library in this process, which keeps global state, and of the child."""

_SCRIPT = Path(__file__).with_name("hdf4_child.py")
_TOO_SLOW = (signal.SIGPROF, signal.SIGALRM) if hasattr(signal, "SIGPROF") else ()


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
        UnreadableFileError: if it is no HDF4 file, is damaged, or lacks one of the names; a checksum of
            compressed values that does not fit is damage.
    """
    file = _checked(path)
    check_streams(file)
    head, values = _ask(file, names)
    held = head["shapes"]
    lacking = [name for name in names if name not in held]
    if lacking:
        raise UnreadableFileError(
            f"{file.name} lacks {', '.join(lacking)}; it holds {', '.join(sorted(held)) or 'nothing'}"
        )
    return {
        one["name"]: Hdf4Array(one["name"], array, one["attributes"], head["attributes"])
        for one, array in zip(head["arrays"], values, strict=True)
    }


def file_attributes(path: PathLike) -> dict[str, Any]:
    """Return the attributes of a whole HDF4 file.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no HDF4 file or is damaged.
    """
    head, _ = _ask(_checked(path), ())
    return dict(head["attributes"])


def _checked(path: PathLike) -> Path:
    file = existing_file(path)
    try:
        with file.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise UnreadableFileError(f"{file.name} cannot be opened: {error.strerror or error}") from error
    if head.startswith(_MAGIC):
        return file
    if not head:
        found = "is empty"
    elif head.lstrip().startswith(b"<"):
        found = "is a web page, not HDF4 (a failed login saved as data?)"
    elif head.startswith(b"\x89HDF"):
        found = "is HDF5, not HDF4"
    else:
        found = "is not an HDF4 file"
    raise UnreadableFileError(f"{file.name} {found}; download it again")


class _ChildDiedError(Exception):
    """The child ended instead of answering; `code` is what it returned, below 0 the signal that ended it."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class _Child:
    """A running reader process."""

    def __init__(self) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            # Safe path: the modules beside the script are none of its own. A session of its own: Ctrl-C in
            # a terminal goes to all processes of the command, and this one ends with its parent anyway.
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, file: Path, names: Sequence[str]) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
        """Return what the child says of a file.

        Raises:
            _ChildDiedError: if it dies over it.
        """
        to, answers = self._process.stdin, self._process.stdout
        assert to is not None
        assert answers is not None
        try:
            to.write(json.dumps({"path": str(file), "names": list(names)}).encode() + b"\n")
            to.flush()
            head = json.loads(answers.readline() or b"null")
            if head is None:
                raise EOFError
            return head, [_array(answers, one) for one in head.get("arrays", ())]
        except (OSError, EOFError) as error:
            raise _ChildDiedError(self._process.wait()) from error

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _array(answers: IO[bytes], about: Mapping[str, Any]) -> npt.NDArray[Any]:
    values = np.empty(about["shape"], about["dtype"])
    left = memoryview(values.reshape(-1).data).cast("B") if values.size else memoryview(b"")
    while left:
        count = answers.readinto(left)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        left = left[count:]
    return values


_child: _Child | None = None


def _ask(file: Path, names: Sequence[str]) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    """Ask the child of this process for a file; a child that somebody else ended gets one successor."""
    place = file.absolute()  # the child stays in the folder in which it was started
    with LOCK:
        for attempt in range(2):
            try:
                head, values = _running().ask(place, names)
            except _ChildDiedError as died:
                _stop()
                if died.code in (-signal.SIGKILL, -signal.SIGTERM) and not attempt:
                    continue
                raise UnreadableFileError(f"{file.name} {_cause(died.code)}") from died
            except BaseException:
                _stop()  # half of an answer may be on its way
                raise
            if "error" in head:
                raise UnreadableFileError(
                    f"{file.name} is truncated or damaged ({head['error']}); download it again"
                )
            return head, values
    raise BanetError("the reader of HDF4 files does not start")


def _cause(code: int) -> str:
    if -code in _TOO_SLOW:
        return "is damaged: reading it does not end; download it again"
    name = signal.Signals(-code).name if code < 0 else f"status {code}"
    return f"is damaged: it ends the HDF4 library ({name}); download it again"


def _running() -> _Child:
    global _child  # noqa: PLW0603 - one child a process
    if _child is None or _child.owner != os.getpid() or not _child.alive:
        if _child is not None and _child.owner == os.getpid():
            _child.end()
        _child = _Child()
    return _child


@atexit.register
def _stop() -> None:
    global _child  # noqa: PLW0603 - one child a process
    if _child is not None and _child.owner == os.getpid():
        _child.end()
    _child = None
