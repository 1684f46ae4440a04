"""ZIP and gzip files, opened in one place for every reader that takes files as agencies deliver them."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from banet.errors import NotFoundError, UnreadableFileError, first_line
from banet.io.files import PathLike

__all__ = ["MOST_BYTES", "ZIP_DAMAGE", "Member", "check_container", "inner_suffix", "unpacked"]

MOST_BYTES = 16 * 2**30
"""Bytes that one container may unpack to; more is refused before it is written."""
ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
"""Errors of zipfile on a damaged archive; RuntimeError where a flipped bit says that it is encrypted."""
_MOST_MEMBERS = 20_000
_DEEPEST = 2
_PACKED = (".zip", ".kmz", ".gz")
_OTHER = re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz|7z|rar|bz2|xz|zst)$", re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """A file as it lies on disk, perhaps unpacked for a while, and the name to call it by.

    Attributes:
        path: where it can be read.
        name: such as `fires.zip/fires.shp`.
    """

    path: Path
    name: str

    @property
    def suffix(self) -> str:
        """Its ending in lower case."""
        return self.path.suffix.lower()


@contextlib.contextmanager
def unpacked(path: PathLike) -> Iterator[list[Member]]:
    """Give the files that a file, a folder, a ZIP or a gzip file holds, in order of their names.

    Archives inside archives and folders are opened too. What is unpacked is gone when the block ends. Hidden
    files and folders, and what macOS adds to archives, are passed over. A folder that is a data set by itself
    (`.gdb`) counts as one file.

    Raises:
        NotFoundError: if there is no such file or folder.
        UnreadableFileError: if an archive is damaged, wants a password, would unpack to too much, or is of
            another kind.
    """
    place = Path(path)
    if not place.exists():
        raise NotFoundError(f"{place} does not exist")
    check_container(place)
    with tempfile.TemporaryDirectory(prefix="banet-unpacked-") as scratch:
        yield list(_members(place, "", Path(scratch), 0))


def check_container(path: Path) -> None:
    """Make sure that a file is no archive of a kind that is not opened here.

    Raises:
        UnreadableFileError: if it is one by its name.
    """
    if _OTHER.search(path.name) and not path.is_dir():
        raise UnreadableFileError(
            f"{path.name} is packed in a way that is not opened here (ZIP and gzip are); unpack it, and give "
            "what it holds"
        )


def inner_suffix(path: PathLike) -> str:
    """Return the ending of a file in lower case, that of the packed file for gzip.

    >>> inner_suffix("fires.GeoJSON.gz")
    '.geojson'
    """
    name = Path(path)
    return name.with_suffix("").suffix.lower() if name.suffix.lower() == ".gz" else name.suffix.lower()


def _members(place: Path, prefix: str, scratch: Path, depth: int) -> Iterator[Member]:
    suffix = place.suffix.lower()
    if place.is_dir() and suffix != ".gdb":
        for inside in sorted(place.iterdir()):
            if not inside.name.startswith((".", "__MACOSX")):
                yield from _members(inside, prefix, scratch, depth)
    elif place.is_dir() or suffix not in _PACKED or depth >= _DEEPEST:
        yield Member(place, prefix + place.name)
    else:
        below = Path(tempfile.mkdtemp(dir=scratch))
        _unpack(place, below)
        if suffix == ".gz":
            inside = below / place.with_suffix("").name
            if inside.suffix.lower() in _PACKED:
                yield from _members(inside, prefix, scratch, depth + 1)
            else:
                yield Member(inside, prefix + place.name)
        else:
            yield from _members(below, f"{prefix}{place.name}/", scratch, depth + 1)


def _unpack(place: Path, below: Path) -> None:
    try:
        if place.suffix.lower() == ".gz":
            with gzip.open(place) as packed, (below / place.with_suffix("").name).open("wb") as out:
                _copy(packed, out, place.name)
            return
        with zipfile.ZipFile(place) as archive:
            listed = archive.infolist()
            size = sum(item.file_size for item in listed)
            if size > MOST_BYTES or len(listed) > _MOST_MEMBERS:
                raise UnreadableFileError(
                    f"{place.name} would unpack to {len(listed):,} files of {size / 2**30:.1f} GB; "
                    "unpack it by hand if that is right"
                )
            for item in listed:
                archive.extract(item, below)  # ZipFile keeps names inside the folder
    except ZIP_DAMAGE as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{place.name} cannot be unpacked: {first_line(error)}") from error


def _copy(packed: gzip.GzipFile, out: BinaryIO, name: str) -> None:
    left = MOST_BYTES
    while piece := packed.read(2**20):
        left -= len(piece)
        if left < 0:
            raise UnreadableFileError(f"{name} unpacks to more than {MOST_BYTES / 2**30:.0f} GB")
        out.write(piece)
