"""Several productions of one file, of which the newest that can be read is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from banet.errors import UnreadableFileError

__all__ = ["newest_readable"]

Production = TypeVar("Production")
Value = TypeVar("Value")


def newest_readable(
    productions: Iterable[Production], read: Callable[[Production], Value]
) -> tuple[Production, Value, str]:
    """Read the first production that can be read.

    Args:
        productions: at least one, the newest first; the next is asked for only where one cannot be read.
        read: reads one; an `UnreadableFileError` of it says why it cannot be used.

    Returns:
        The production that was read, its value, and why newer ones were not (empty if there is none).

    Raises:
        UnreadableFileError: if none can be read; the message says why of each.
    """
    why: list[str] = []
    for production in productions:
        try:
            value = read(production)
        except UnreadableFileError as error:
            why.append(str(error))
            continue
        return production, value, "; ".join(dict.fromkeys(why))
    raise UnreadableFileError("; ".join(dict.fromkeys(why)))
