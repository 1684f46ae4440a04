"""Settings of the C library's memory, which the engine and training change each in their own measure."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Mapping

__all__ = ["MMAP_MAX", "MMAP_THRESHOLD", "TOP_PAD", "TRIM_THRESHOLD", "give_back", "set_malloc"]

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX = -1, -2, -3, -4
"""From malloc.h of glibc."""


def set_malloc(settings: Mapping[int, int]) -> bool:
    """Set what the C library does with memory; return whether it is one that can (glibc) and took all."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    accepted = [mallopt(option, value) == 1 for option, value in settings.items()]
    return all(accepted)


def give_back() -> None:
    """Give freed memory back to the system, which the engine has the C library keep for its next tile."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
