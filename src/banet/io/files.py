"""Files written aside and renamed, so that a half-written one never looks whole; and names of what is read.

What is being written lies in a dot folder `.NAME.xxxx.part` beside its target, together with a lock that its
process holds. A process that is killed leaves the folder; the next run that writes there sweeps it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from banet.errors import InputError, NotFoundError, OutputError

__all__ = [
    "UNFINISHED",
    "UNSUPPORTED",
    "PathLike",
    "at_home",
    "existing_file",
    "existing_folder",
    "output_folder",
    "remove_files",
    "sha256",
    "sweep",
    "visible_files",
    "write_json",
    "write_text",
    "writing",
]

PathLike = str | os.PathLike[str]
UNFINISHED = ".unfinished"
"""Name of the folder in which a map keeps its finished cores until it is whole."""
UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
"""Error numbers of file systems that have no locks."""
# Seconds after which a folder without a lock is not one that is just being made.
_YOUNG = 60
_HOME = re.compile(r"(^|[=,+])~(?=/|\\|$)")
_PART, _LOCK, _OLD = ".part", ".lock", ".old"


@contextlib.contextmanager
def writing(path: PathLike) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to, renamed to `path` when the block ends well.

    The sibling keeps the name of `path`, so that libraries which choose a format by suffix still do, and its
    path is absolute, so that none takes a folder named `~` for the home folder.
    It may be used for a file or a folder. On any error it is removed and `path` is as it was. What other
    processes left half-written in the folder, and no process holds any more, is removed first.

    Raises:
        OutputError: if the folder cannot be written to or the disk is full.
    """
    target = Path(path)
    part: Path | None = None
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _sweep_once(target.parent.absolute())
            folder, held = _part_folder(target)
            if held is not None:
                stack.callback(held.release)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            part = folder / target.name
            yield part
            _replace(part, target)
        except OSError as error:
            if isinstance(error, OutputError) or not _about_output(error, target):
                raise
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def write_text(path: PathLike, text: str) -> Path:
    """Write text to a file, whole or not at all, and return its path.

    Raises:
        OutputError: if it cannot be written.
    """
    with writing(path) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)


def remove_files(paths: Iterable[Path]) -> None:
    """Remove files, those that are there.

    Raises:
        OutputError: if one cannot be removed.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot remove {path}: {error.strerror or error}") from error


def write_json(path: PathLike, values: Any, *, indent: int | None = None) -> Path:
    """Write values as JSON, as `write_text` does."""
    return write_text(path, json.dumps(values, indent=indent) + "\n")


def sweep(folder: PathLike) -> int:
    """Remove what dead processes left half-written in a folder, and return how many there were.

    What a living process holds stays, on every machine that sees the locks of the file system. A folder that
    was being replaced by its successor when its process ended is replaced now.
    """
    swept = 0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") and name.endswith(_PART) and entry.is_dir(follow_symlinks=False):
                swept += _swept(Path(entry.path))
    return swept


@functools.lru_cache(maxsize=256)
def _sweep_once(folder: Path) -> None:
    """Sweep a folder when this process writes to it for the first time."""
    sweep(folder)


def _swept(part: Path) -> bool:
    try:
        if not (part / _LOCK).exists() and time.time() - part.stat().st_mtime < _YOUNG:
            return False
        held = _held(part)
    except (Timeout, OSError):
        return False
    if held is None:
        return False
    try:
        if (part / _OLD).exists():
            _finish(part)
        shutil.rmtree(part, ignore_errors=True)
    finally:
        held.release()
    return True


def _finish(part: Path) -> None:
    """Bring back a folder whose replacement was killed between two renames: the new one, or the old."""
    for content in part.iterdir():
        if content.name not in (_LOCK, _OLD) and not (target := part.parent / content.name).exists():
            content.rename(target)


def _part_folder(target: Path) -> tuple[Path, BaseFileLock | None]:
    """Make a folder to write in, and hold its lock where the file system has locks."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_PART, dir=target.parent.absolute()))
        with contextlib.suppress(
            Timeout, FileNotFoundError, FileExistsError
        ):  # another process swept it first
            return folder, _held(folder)


def _held(part: Path) -> BaseFileLock | None:
    """Lock a part folder; None where the file system has no locks."""
    lock = FileLock(part / _LOCK, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return None
    return lock


def _replace(part: Path, target: Path) -> None:
    if not (part.is_dir() and target.is_dir()):
        part.replace(target)
        return
    old = part.parent / _OLD
    target.rename(old)
    try:
        part.rename(target)
    except BaseException:
        old.rename(target)
        raise


def _about_output(error: OSError, target: Path) -> bool:
    """Tell whether an error came from writing `target`, not from something that the block read."""
    if error.filename is None:
        return error.errno is not None
    return Path(str(error.filename)).absolute().is_relative_to(target.parent.absolute())


def visible_files(
    folder: PathLike, pattern: str = "*", *, deep: bool = True, linked: bool = True
) -> list[Path]:
    """Return the files of a folder, sorted, without those that are hidden or lie in hidden folders.

    What a run is writing, what a killed one left, and the notes of desktops and notebooks are all hidden.
    A hidden name in the path of `folder` itself does not matter.

    Args:
        folder: where to look; a folder that is not there holds no file.
        pattern: of the names, as `Path.glob` has it, without folders.
        deep: look into the folders inside too.
        linked: also into those that are links.
    """
    place = Path(folder)
    found = (
        (file for one in _folders(place, linked) for file in one.glob(pattern))
        if deep
        else place.glob(pattern)
    )
    return sorted(file for file in found if not file.name.startswith(".") and file.is_file())


def _folders(place: Path, linked: bool) -> Iterator[Path]:
    """Yield a folder and those inside that are not hidden, each once."""
    met: set[str] = set()
    for where, inside, _ in os.walk(place, followlinks=linked):
        real = os.path.realpath(where)
        # A link may lead back to a folder that holds it.
        inside[:] = [] if real in met else sorted(name for name in inside if not name.startswith("."))
        if real not in met:
            met.add(real)
            yield Path(where)


def at_home(text: str) -> str:
    """Return text in which each path that begins with `~/` begins with the home folder.

    It may stand alone or behind `=`, `,` or `+`, as in `--out=~/maps` and in lists of weights.
    """
    return _HOME.sub(lambda found: found[1] + str(Path.home()), text)


def output_folder(path: PathLike) -> Path:
    """Make `path` a folder that can be written to, without what dead processes left half-written.

    Raises:
        InputError: if it is a cube or another Zarr store, or lies in one.
        OutputError: if it is a file, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        for one in (*reversed(folder.absolute().parents), folder.absolute()):
            if (one / "zarr.json").exists() or (one / ".zgroup").exists():
                raise InputError(f"{one} is a cube or another Zarr store; give another folder than {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write to the folder {folder}: {error.strerror or error}") from error
    sweep(folder)
    return folder


def existing_folder(path: PathLike, what: str = "folder") -> Path:
    """Return `path` as a Path after making sure that it is a folder.

    Raises:
        NotFoundError: if it is not.
    """
    folder = Path(path)
    if not folder.is_dir():
        kind = "is a file, not a folder" if folder.exists() else "does not exist"
        raise NotFoundError(f"the {what} {folder} {kind}")
    return folder


def existing_file(path: PathLike, what: str = "file") -> Path:
    """Return `path` as a Path after making sure that it is a file.

    Raises:
        NotFoundError: if it is not.
    """
    file = Path(path)
    if not file.is_file():
        kind = "is a folder, not a file" if file.exists() else "does not exist"
        raise NotFoundError(f"the {what} {file} {kind}")
    return file


def sha256(path: PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
