"""File lock held by one run at a time, beside what it protects.

The operating system holds the lock and drops it when the process ends, however it ends, so no lock is ever
stale. The file's text (process and host) only serves the message. The lock of `maps/x.zarr` is
`maps/.x.zarr.lock`: it stays where it is when `x.zarr` is replaced as a whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from banet.errors import BanetWarning, BusyError, OutputError
from banet.io.files import UNSUPPORTED, PathLike

__all__ = ["Lock", "lock", "lock_file"]

# A holder removes its file as it ends; who opened that file meanwhile needs a moment for another try.
_PATIENCE, _PAUSE = 0.2, 0.02
_ATTEMPTS = 20


def lock_file(path: PathLike) -> Path:
    """Return the lock file of `path`, in the folder in which `path` lies or would lie."""
    target = Path(path).resolve()
    return target.with_name(f".{target.name}.lock")


class Lock:
    """The lock of one path, which this object may take again and again.

    The thread that holds it may take it once more; other threads that use the same object wait their turn.
    Another object of the same path is another run, in this process too.

    Args:
        path: what is protected; it need not be there.
        what: what is protected, for messages.
    """

    def __init__(self, path: PathLike, what: str) -> None:
        self._path, self._what = lock_file(path), what
        self._turns = threading.RLock()
        self._held: BaseFileLock | None = None

    @contextlib.contextmanager
    def held(self, *, wait: float = 0) -> Iterator[None]:
        """Hold the lock.

        Args:
            wait: seconds to wait for another run to end.

        Raises:
            BusyError: if another run holds it.
            OutputError: if the lock file cannot be written.
        """
        with self._turns:
            if self._held is not None and self._held.is_locked:
                yield
                return
            self._held = self._acquired(max(wait, _PATIENCE))
            try:
                yield
            finally:
                held, self._held = self._held, None
                if held is not None:
                    # Before it is let go: who opened the file meanwhile sees that it has no name any more.
                    with contextlib.suppress(OSError):
                        self._path.unlink()
                    held.release()

    def _acquired(self, wait: float) -> BaseFileLock | None:
        file = FileLock(
            self._path, timeout=wait, thread_local=False, poll_interval=_PAUSE, fallback_to_soft=False
        )
        for attempt in range(_ATTEMPTS):
            try:
                file.acquire()
            except Timeout:
                raise BusyError(
                    f"another run is at work on {self._what} ({self._holder()}); "
                    "wait for it to end, or write elsewhere"
                ) from None
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EEXIST) and attempt < _ATTEMPTS - 1:
                    continue  # another run removed the folder between two lines
                if error.errno not in UNSUPPORTED:
                    raise OutputError(f"cannot write to {self._what}: {error.strerror or error}") from error
                warnings.warn(
                    f"{self._what}: this file system has no locks; let only one process write to it",
                    BanetWarning,
                    stacklevel=4,
                )
                return None
            break
        with contextlib.suppress(OSError):
            self._path.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        return file

    def _holder(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8").strip() or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"


def lock(path: PathLike, what: str, *, wait: float = 0) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of `path` in a `with` block; see `Lock`.

    Args:
        path: what is protected; it need not be there.
        what: what is protected, for messages, such as `the cube c.zarr`.
        wait: seconds to wait for another run to end.

    Raises:
        BusyError: if another run holds it.
        OutputError: if the lock file cannot be written.
    """
    return Lock(path, what).held(wait=wait)
