"""A right that one living process has at a time, in every process and on every machine that sees the file."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from banet.errors import InputError

__all__ = ["exclusive", "exclusive_all"]

_UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


@contextlib.contextmanager
def exclusive(path: Path, refusal: str, *, remove: bool = False) -> Iterator[None]:
    """Hold a lock file; the system lets go of it when the process ends, however it ends.

    Args:
        path: of the file; made with its folder where it is not there.
        refusal: what to say where another living process holds it.
        remove: remove the file in the end.

    Raises:
        InputError: if another living process holds it.
    """
    stream = _acquired(path, refusal)
    try:
        yield
    finally:
        if remove:
            # Before it is let go: who opened it meanwhile sees that it is no longer the file of this name.
            path.unlink(missing_ok=True)
        stream.close()


@contextlib.contextmanager
def exclusive_all(locks: Sequence[tuple[Path, str]]) -> Iterator[None]:
    """Hold several of these, or none, and remove the files in the end.

    Args:
        locks: path and refusal of each.

    Raises:
        InputError: if another living process holds one of them.
    """
    with contextlib.ExitStack() as stack:
        for path, refusal in locks:
            stack.enter_context(exclusive(path, refusal, remove=True))
        yield


def _acquired(path: Path, refusal: str) -> IO[bytes]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            stream = path.open("ab")
        except FileNotFoundError:  # its folder went away between two lines
            continue
        try:
            _lock(stream)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                stream.close()
                raise InputError(refusal) from error
            warnings.warn(
                f"{path.parent}: this file system has no locks; let only one run write there", stacklevel=4
            )
            return stream
        if _still_there(stream, path):
            return stream
        stream.close()


def _lock(stream: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _still_there(stream: IO[bytes], path: Path) -> bool:
    """Tell whether the file that was locked is still the one of this name; its holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
