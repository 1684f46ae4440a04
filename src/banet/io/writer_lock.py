"""One writer at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from banet.errors import OutputError

__all__ = ["WriterLock"]

_UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class WriterLock:
    """A lock file that names its holder.

    The operating system holds the lock and drops it when the process ends, however it ends, so no lock is
    ever stale; the file's text (process and host) only serves the message. Within a process it may be taken
    again by the thread that has it; other threads wait.

    Args:
        path: of the lock file; its folder must exist.
        what: what is locked, for messages.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._threads = threading.RLock()
        self._stream: IO[str] | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises:
            OutputError: if another process (or another cube object of this one) holds it, or the folder
                cannot be written to.
        """
        with self._threads:
            if self._stream is not None:
                yield
                return
            self._stream = self._acquire()
            try:
                yield
            finally:
                stream, self._stream = self._stream, None
                stream.close()

    def _acquire(self) -> IO[str]:
        try:
            stream = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write to {self._what}: {error.strerror or error}") from error
        try:
            _lock(stream)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                holder = _holder(stream)
                stream.close()
                raise OutputError(
                    f"{self._what} is being written by {holder}; wait for it to end, or write elsewhere"
                ) from error
            warnings.warn(
                f"{self._what}: this file system has no locks; let only one process write to it", stacklevel=4
            )
        stream.seek(0)
        stream.truncate()
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        return stream


def _holder(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read().strip() or "another process"


def _lock(stream: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        stream.seek(1024)  # beyond the text, which others must be able to read
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
