"""Checksums of compressed values in HDF4 files, which the HDF4 library never compares.

The library inflates as many bytes as it needs and stops before the end of the stream, where zlib keeps the
checksum (Adler-32) of all of them. Here each stream is inflated to its end. Layout: HDF Specification 4.2,
"Data descriptors" and "Compressed data elements". Values that are stored as they are have no checksum.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from banet.errors import UnreadableFileError

__all__ = ["check_streams"]

_SPECIAL, _COMPRESSED, _DEFLATE = 0x4000, 3, 4
_COMPRESSED_DATA = 40
_PIECE = 1 << 20
_MOST_BLOCKS = 10_000


def check_streams(file: Path) -> None:
    """Make sure that the deflated values of an HDF4 file are those that were written.

    Raises:
        UnreadableFileError: if a checksum does not fit, or a stream holds too much or too little.
    """
    data = file.read_bytes()
    for stream, size in _streams(data):
        if not _fits(stream, size):
            raise UnreadableFileError(
                f"{file.name} is truncated or damaged (a checksum of its values does not fit); "
                "download it again"
            )


def _fits(stream: memoryview, size: int) -> bool:
    """Return whether a zlib stream is whole and holds so many bytes."""
    inflate, came = zlib.decompressobj(), 0
    left: bytes | memoryview = stream
    try:
        while not inflate.eof and came <= size:
            piece = inflate.decompress(left, _PIECE)
            left = inflate.unconsumed_tail
            if not piece and not left:
                break
            came += len(piece)
    except zlib.error:
        return False
    return inflate.eof and came == size


def _streams(data: bytes) -> Iterator[tuple[memoryview, int]]:
    """Give the deflated streams of a file, and the bytes that each stands for."""
    places = dict(_descriptors(data))
    for (tag, _), (offset, _) in places.items():
        if not tag & _SPECIAL or not 0 <= offset <= len(data) - 14:
            continue
        kind, _, size, ref, _, coder = struct.unpack_from(">hHiHHH", data, offset)
        first, length = places.get((_COMPRESSED_DATA, ref), (-1, 0))
        if (kind, coder) == (_COMPRESSED, _DEFLATE) and first >= 0 and length >= 0:
            yield memoryview(data)[first : first + length], size


def _descriptors(data: bytes) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Give tag and reference, offset and length of each element; blocks of them are chained."""
    block, seen = 4, set[int]()
    while block not in seen and 4 <= block <= len(data) - 6 and len(seen) < _MOST_BLOCKS:
        seen.add(block)
        count, following = struct.unpack_from(">hi", data, block)
        last = min(max(count, 0), (len(data) - block - 6) // 12)
        for tag, ref, offset, length in struct.iter_unpack(">HHii", data[block + 6 : block + 6 + 12 * last]):
            yield (tag, ref), (offset, length)
        block = following
