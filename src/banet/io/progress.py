"""Progress of long work, as every room reports it."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

Progress = Callable[[int, int, str], None]
"""Called with the parts done, the parts in all, and a few words on the part just done."""
