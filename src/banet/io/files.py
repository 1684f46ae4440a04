"""Writing files so that a half-written one never looks whole, and naming what was read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from banet.errors import NotFoundError, OutputError

__all__ = ["PathLike", "existing_file", "existing_folder", "output_folder", "sha256", "writing"]

PathLike = str | os.PathLike[str]


@contextlib.contextmanager
def writing(path: PathLike) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to, renamed to `path` when the block ends well.

    The sibling keeps the suffix of `path`, so that libraries which choose a format by suffix still do.
    It may be used for a file or a folder. On any error it is removed and `path` is as it was.

    Raises:
        OutputError: if the folder cannot be written to or the disk is full.
    """
    target = Path(path)
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        part = folder / target.name
        yield part
        _replace(part, target)
    except OSError as error:
        if isinstance(error, OutputError) or not _about_output(error, target):
            raise
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        if part is not None:
            shutil.rmtree(part.parent, ignore_errors=True)


def _replace(part: Path, target: Path) -> None:
    if part.is_dir() and target.is_dir():
        old = part.parent / "old"
        target.rename(old)
        part.rename(target)
    else:
        part.replace(target)


def _about_output(error: OSError, target: Path) -> bool:
    """Tell whether an error came from writing `target`, not from something that the block read."""
    if error.filename is None:
        return error.errno is not None
    name = str(error.filename)
    return name == str(target) or name.startswith(str(target.parent))


def output_folder(path: PathLike) -> Path:
    """Make `path` a folder that can be written to.

    Raises:
        OutputError: if it is a file, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write to the folder {folder}: {error.strerror or error}") from error
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
