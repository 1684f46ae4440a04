"""Terminal at which a person can be asked."""

from __future__ import annotations

import sys

__all__ = ["can_ask"]


def can_ask() -> bool:
    """Return whether a person is there to be asked and to answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
