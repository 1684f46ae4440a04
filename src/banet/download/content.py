"""Telling by its first bytes whether a body is the kind of file that its name promises.

Login pages, maintenance pages and one-line refusals come with status 200 often enough that the status proves
nothing.
Magic numbers: HDF4 Reference Manual (0e 03 13 01); HDF5 File Format Specification, superblock signature.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["KINDS", "SNIFF_BYTES", "broken_end", "kind_of_name", "problem_with", "said"]

SNIFF_BYTES = 512

HDF4 = b"\x0e\x03\x13\x01"
HDF5 = b"\x89HDF\r\n\x1a\n"
_MAGIC = {"hdf": (HDF4, HDF5), "hdf4": (HDF4,), "hdf5": (HDF5,), "zip": (b"PK\x03\x04",)}
KINDS = {
    "hdf": "an HDF file",
    "hdf4": "an HDF4 file",
    "hdf5": "an HDF5 file",
    "zip": "a zip archive",
    "csv": "a table of hot spots",
    "binary": "a binary file",
}
_SUFFIXES = {".hdf": "hdf", ".h5": "hdf5", ".nc": "hdf5", ".nc4": "hdf5", ".zip": "zip", ".csv": "csv"}
_LONGEST_ROW = 4096
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def kind_of_name(name: str) -> str:
    """Return the kind of content that a file name promises, `binary` where it promises none.

    >>> kind_of_name("VNP02MOD.A2021213.1142.002.2021213184222.nc")
    'hdf5'
    """
    return _SUFFIXES.get(Path(name).suffix.lower(), "binary")


def problem_with(head: bytes, kind: str) -> str | None:
    """Say what a body is instead of `kind`, or None if its first bytes fit.

    Args:
        head: at least SNIFF_BYTES of the body, or all of it.
        kind: a key of KINDS.

    >>> problem_with(b"<!DOCTYPE html><title>Earthdata Login</title>", "hdf5")
    "a web page ('Earthdata Login')"
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty body"
    if kind in _MAGIC:
        fits = head.startswith(_MAGIC[kind])
    elif kind == "csv":
        fits = _is_table(head)
    else:
        fits = not start.startswith((b"<!doctype", b"<html", b"<?xml", b'{"'))
    return None if fits else _described(head, start)


def _is_table(head: bytes) -> bool:
    """Return whether the reader of hot spots takes the first line for the header of its table."""
    from banet.observations.firms import heads_a_table  # it imports pandas

    return heads_a_table(head.decode("utf-8-sig", "replace").split("\n", 1)[0])


def _described(head: bytes, start: bytes) -> str:
    if start.startswith((b"<!doctype", b"<html", b"<?xml")) or b"<html" in start:
        title = _TITLE.search(head)
        return f"a web page ({said(title[1])!r})" if title else "a web page"
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    if printable == len(head):
        return f"text that says {said(head)!r}"
    return f"something else (it begins with {head[:8].hex(' ')})"


def broken_end(path: Path, kind: str) -> str | None:
    """Say how a table of hot spots ends otherwise than in a whole row, or None.

    A host that does not say how long a body is may be cut off, or go over into an error page.
    """
    if kind != "csv":
        return None
    with path.open("rb") as stream:
        head = stream.readline(_LONGEST_ROW)
        stream.seek(max(0, path.stat().st_size - _LONGEST_ROW))
        last = stream.read().rstrip(b"\r\n").rpartition(b"\n")[2]
    return None if last.count(b",") == head.count(b",") else f"ends in {said(last[-60:])!r}"


def said(body: bytes, most: int = 120) -> str:
    """Return the text of a body as one short line."""
    text = " ".join(body.decode("utf-8", "replace").split())
    return text if len(text) <= most else text[: most - 3] + "..."
