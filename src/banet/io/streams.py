"""Standard streams that never end the work: nobody may read them, they may be closed or know few letters."""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["steady"]


def steady() -> None:
    """Make standard output and error take any text, also where they are closed or nobody reads on.

    Those that a test or a notebook put in their place are left as they are.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:  # closed when the process began, as by `>&-`
            nowhere = Path(os.devnull).open("w", encoding="utf-8", errors="replace")  # noqa: SIM115 - it stays
            setattr(sys, name, nowhere)
        elif stream is getattr(sys, f"__{name}__") and _is_file(stream):
            stream.flush()
            setattr(sys, name, _patient(stream))


def _is_file(stream: Any) -> bool:
    """Tell whether text goes to a file or pipe; the console of Windows has letters of its own."""
    binary = getattr(stream, "buffer", None)
    return type(getattr(binary, "raw", binary)) is io.FileIO


def _patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=_lenient(stream.errors or "strict"),
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _lenient(errors: str) -> str:
    """Return the name of a handler that does as this one, and escapes the letters that it refuses."""
    own, name = codecs.lookup_error(errors), f"{errors} or backslashreplace"

    def handled(error: UnicodeError) -> tuple[str | bytes, int]:
        try:
            return own(error)
        except UnicodeError:
            return codecs.backslashreplace_errors(error)

    codecs.register_error(name, handled)
    return name


class _Patient(io.FileIO):
    """File that drops what nobody reads any more, as after `| head`."""

    def write(self, data: Any, /) -> int:
        """Write bytes and return how many."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)
