"""Process that reads HDF4 files for another one and dies in its place where a file is damaged.

Started by `banet.io.hdf4` as a script of its own, with pipes as standard input and output. A question is a
line of JSON, an answer a line of JSON with the bytes of the arrays behind it. One changed byte in a file can
make the C library loop, crash or ask for any amount of memory: the kernel ends this process then, for which
the limits are set here, since no Python code runs inside the library.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import numpy as np
from pyhdf.error import HDF4Error
from pyhdf.SD import SD, SDC

CPU_SECONDS, WALL_SECONDS = 5.0, 120.0
"""Most that one question may take of a processor and by the clock; real files take tenths of a second."""

MEMORY_BYTES = 4 << 30
"""Most memory that the process may ask for."""

MOST_VALUES = 1 << 28
"""Most values of one array that are believed."""


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other side closes the pipe, which it also does by ending."""
    for line in questions:
        try:
            with _limited():
                head, arrays = _answer(json.loads(line))
        except MemoryError:
            head, arrays = {"error": "it asks for too much memory"}, []
        except Exception as error:
            head, arrays = {"error": f"{error or type(error).__name__}"}, []
        answers.write(json.dumps(head).encode() + b"\n")
        for array in arrays:
            answers.write(array.data)
        answers.flush()


def _answer(question: Mapping[str, Any]) -> tuple[dict[str, Any], list[np.ndarray[Any, Any]]]:
    """Return the shapes and attributes of a file, and the values of the arrays that are asked for."""
    handle = SD(question["path"], SDC.READ)
    try:
        held, names = handle.datasets(), question["names"]
        head: dict[str, Any] = {"shapes": {name: _shape(fields[1]) for name, fields in held.items()}}
        if any(name not in held for name in names):
            return head, []
        head["attributes"] = _plain(handle.attributes())
        read = [_read(handle, name) for name in names]
        head["arrays"] = [
            {"name": name, "dtype": values.dtype.str, "shape": values.shape, "attributes": about}
            for name, (values, about) in zip(names, read, strict=True)
        ]
        return head, [values for values, _ in read]
    finally:
        with suppress(HDF4Error):  # a damaged file may refuse to close; it is read-only
            handle.end()


def _read(handle: Any, name: str) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    data = handle.select(name)
    try:
        shape = _shape(data.info()[2])
        if math.prod(shape) > MOST_VALUES:
            raise ValueError(f"{name} claims the shape {' x '.join(map(str, shape))}")
        return np.ascontiguousarray(data.get()), _plain(data.attributes())
    finally:
        with suppress(HDF4Error):
            data.endaccess()


def _shape(found: Any) -> list[int]:
    """Return a shape, which pyhdf gives as a number where there is one dimension."""
    return [int(size) for size in (found if isinstance(found, (list, tuple)) else [found])]


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(name): value if isinstance(value, (str, int, float, list)) else str(value)
        for name, value in attributes.items()
    }


@contextmanager
def _limited() -> Iterator[None]:
    """Have the kernel end this process if it takes too long: by its own time, or by the clock."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Keep the two pipes for ourselves: what the library prints goes nowhere."""
    for sign in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(sign, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF, signal.SIGALRM})
    _limit_memory()
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
