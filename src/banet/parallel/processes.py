"""One function over many things by several processes of this machine, results in order, few at a time."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from banet.errors import BanetError, InputError

__all__ = ["in_order", "in_processes"]

_T = TypeVar("_T")
_R = TypeVar("_R")
_F = TypeVar("_F")

_function: Callable[[Any], Any] | None = None
"""In a worker process: what it was started for."""


def in_processes(
    function: Callable[[_T], _R], items: Iterable[_T], workers: int | None = None
) -> Generator[tuple[_T, _R]]:
    """Apply a function to items and yield each with its result, in the order of the items.

    No more than one result a process waits to be taken, so memory stays bounded.

    Args:
        function: sent once to each process by pickle, with all that it holds.
        items: small things, sent one by one.
        workers: number of processes; none, or one, works in this process.

    Raises:
        InputError: if the number is below 1.
        BanetError: if a process dies.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers; give at least one")
    if workers is None or workers == 1:
        return ((item, function(item)) for item in items)
    return _pooled(function, items, workers)


def in_order(
    items: Iterable[_T],
    submit: Callable[[_T], _F],
    take: Callable[[_T, _F], _R],
    room: Callable[[], int],
    cancel: Callable[[Sequence[_F]], object],
) -> Generator[tuple[_T, _R]]:
    """Hand out items, few at a time, and yield each with its result, in the order of the items.

    Args:
        items: what is handed out.
        submit: hands out an item.
        take: waits for the result of an item.
        room: tells how many items may be in flight.
        cancel: takes back what was handed out, in the end or where nobody takes the rest.
    """
    waiting: deque[tuple[_T, _F]] = deque()

    def first() -> tuple[_T, _R]:
        # In a function of its own, so that a future that was taken is held by nobody.
        item, future = waiting.popleft()
        return item, take(item, future)

    try:
        for item in items:
            waiting.append((item, submit(item)))
            if len(waiting) >= room():
                yield first()
        while waiting:
            yield first()
    finally:
        cancel([future for _, future in waiting])


def _pooled(function: Callable[[_T], _R], items: Iterable[_T], workers: int) -> Generator[tuple[_T, _R]]:
    # Not forked: a fork would copy the locks of threads that it does not copy.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(function,)) as pool:
        yield from in_order(
            items, lambda item: pool.submit(_apply, item), _taken, lambda: workers + 1, _cancelled
        )


def _taken(item: Any, future: Future[_R]) -> _R:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise BanetError(
            f"a worker process died at {item}, perhaps for want of memory; start again with fewer workers, "
            "what was finished is kept"
        ) from error


def _cancelled(futures: Sequence[Future[Any]]) -> None:
    for future in futures:
        future.cancel()


def _start(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603 - a process has one function for all its life
    _function = function


def _apply(item: Any) -> Any:
    if _function is None:
        raise RuntimeError("a worker process was not started by in_processes")
    return _function(item)
