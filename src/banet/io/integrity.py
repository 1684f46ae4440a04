"""Checksums (CRC-32C) that travel with what they protect: bytes, and records in JSON.

CRC-32C tells every change of up to 32 bits in a row and any three bits apart; of larger damage one case in
four thousand million passes. It is the checksum of Zarr's codec of that name.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google_crc32c import value as crc32c

from banet.errors import one_line
from banet.io.containers import ZIP_DAMAGE

__all__ = ["check_record", "crc32c", "intact", "seal", "seal_record", "zip_fault"]

_SIZE = 4
_KEY = "checksum"
_ZIP = b"PK\x03\x04"
# The checksum of any bytes that end with their own checksum (CRC-32C, little-endian).
_RESIDUE = 0x48674BC7


def seal(data: bytes) -> bytes:
    """Return bytes followed by their checksum."""
    return data + int(crc32c(data)).to_bytes(_SIZE, "little")


def intact(data: bytes) -> bool:
    """Return whether bytes end with their own checksum, as `seal` writes it.

    >>> intact(seal(b"abc")), intact(b"abd" + seal(b"abc")[3:])
    (True, False)
    """
    return len(data) >= _SIZE and crc32c(data) == _RESIDUE


def seal_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with their checksum among them; values must be what JSON gives back as it was."""
    return {**fields, _KEY: _checksum(fields)}


def check_record(fields: Any) -> dict[str, Any]:
    """Return the fields that `seal_record` sealed, without their checksum.

    Raises:
        ValueError: if these are no fields, carry no checksum, or another one than their own.
    """
    if not isinstance(fields, dict) or _KEY not in fields:
        raise ValueError("it carries no checksum")
    if fields[_KEY] != _checksum(fields):
        raise ValueError("its checksum does not fit")
    return {name: value for name, value in fields.items() if name != _KEY}


def zip_fault(path: Path) -> str | None:
    """Return what is damaged in a ZIP archive, None if its parts fit their checksums or it is no archive."""
    with path.open("rb") as stream:
        if stream.read(len(_ZIP)) != _ZIP:
            return None
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except ZIP_DAMAGE as error:
        return f"it is truncated or written over: {one_line(error)}"
    return None if bad is None else f"its part {bad} is not what was written"


def _checksum(fields: Mapping[str, Any]) -> str:
    others = {name: value for name, value in fields.items() if name != _KEY}
    text = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return f"{crc32c(text.encode()):08x}"
