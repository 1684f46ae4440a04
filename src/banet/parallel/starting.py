"""Starts of processes that do not run the user's script again, so that it needs no guard."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from multiprocessing import spawn
from typing import Any

__all__ = ["without_script"]

_LOCK = threading.Lock()
_OPEN: list[None] = []
"""One for each block that is open, in whatever thread."""
_prepared = spawn.get_preparation_data


@contextlib.contextmanager
def without_script() -> Iterator[None]:
    """Have processes that are spawned meanwhile leave out the module that was started (`__main__`).

    Python has each of them run it from the top, all but what stands under `if __name__ == "__main__"`. A
    script without that line would train or map anew in each process, which Python ends with a long error or,
    where it waits to hand over much, never. What processes are handed must be importable by name from another
    module, or be pickled by value, as dask does.
    """
    with _LOCK:
        _OPEN.append(None)
        spawn.get_preparation_data = _without_main
    try:
        yield
    finally:
        with _LOCK:
            _OPEN.pop()
            if not _OPEN:
                spawn.get_preparation_data = _prepared


def _without_main(name: str) -> dict[str, Any]:
    told = _prepared(name)
    return {key: value for key, value in told.items() if not key.startswith("init_main_from")}
