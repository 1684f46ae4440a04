"""Checksums as catalogues and git write them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from banet.errors import InputError
from banet.io.files import PathLike

__all__ = ["Checksum"]

_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128, "git": 40}


@dataclass(frozen=True)
class Checksum:
    """A digest that a file must have.

    Attributes:
        algorithm: `md5`, `sha1`, `sha256`, `sha384`, `sha512`, or `git` for a git blob id: SHA-1 of
            the word blob, the size, a zero byte and the bytes.
        value: hexadecimal, lower case.

    Raises:
        InputError: if the algorithm is unknown or the value does not fit it.
    """

    algorithm: str
    value: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.value.strip().lower())
        length = _LENGTHS.get(self.algorithm)
        if length is None:
            raise InputError(f"checksum {self.algorithm!r} is not known; use one of {', '.join(_LENGTHS)}")
        if not re.fullmatch(rf"[0-9a-f]{{{length}}}", self.value):
            raise InputError(f"{self.value!r} is no {self.algorithm} checksum: {length} hexadecimal digits")

    @classmethod
    def of_catalogue(cls, algorithm: str, value: str) -> Checksum | None:
        """Return a checksum from a catalogue's words (`MD5`, `SHA-256`), None if it is of no use here.

        >>> Checksum.of_catalogue("SHA-256", "ab" * 32).algorithm
        'sha256'
        >>> Checksum.of_catalogue("POSIX", "1234") is None
        True
        """
        name = algorithm.lower().replace("-", "")
        if name not in _LENGTHS or not re.fullmatch(rf"[0-9a-fA-F]{{{_LENGTHS[name]}}}", value.strip()):
            return None
        return cls(name, value)

    def of(self, path: PathLike) -> str:
        """Return the digest of a file's bytes by this algorithm."""
        file = Path(path)
        with file.open("rb") as stream:
            if self.algorithm != "git":
                return hashlib.file_digest(stream, self.algorithm).hexdigest()
            digest = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
            while block := stream.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()

    def fits(self, path: PathLike) -> bool:
        """Tell whether a file has this digest."""
        return self.of(path) == self.value
