"""One function over many things by several processes, results in order, few at a time."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banet.errors import BanetError, InputError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["in_processes"]

_T = TypeVar("_T")
_R = TypeVar("_R")

_function: Callable[[Any], Any] | None = None
"""In a worker process: what it was started for."""


def in_processes(
    function: Callable[[_T], _R],
    items: Iterable[_T],
    workers: int | None = None,
    client: Client | None = None,
    sees: Sequence[Path] = (),
) -> Iterator[tuple[_T, _R]]:
    """Apply a function to items and yield each with its result, in the order of the items.

    No more than one result a process waits to be taken, so memory stays bounded.

    Args:
        function: sent once to each process by pickle, with all that it holds.
        items: small things, sent one by one.
        workers: number of processes of this machine; none, or one, works in this process.
        client: of a dask cluster whose workers do it instead (`banet.cluster.on_cluster`).
        sees: what the workers of a cluster must see under the same path.

    Raises:
        InputError: if the number is below 1, both are given, or a worker does not see what it must.
        BanetError: if a process dies, or the cluster is lost.
    """
    if workers is not None and client is not None:
        raise InputError("give a number of workers or a client of a cluster, not both")
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers; give at least one")
    if client is not None:
        from banet.cluster import on_cluster

        return on_cluster(client, function, items, sees)
    if workers is None or workers == 1:
        return ((item, function(item)) for item in items)
    return _pooled(function, items, workers)


def _pooled(function: Callable[[_T], _R], items: Iterable[_T], workers: int) -> Iterator[tuple[_T, _R]]:
    waiting: deque[tuple[_T, Future[_R]]] = deque()
    # Not forked: a fork would copy the locks of threads that it does not copy.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(function,)) as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(_apply, item)))
                if len(waiting) > workers:
                    yield _taken(waiting)
            while waiting:
                yield _taken(waiting)
        finally:
            for _, future in waiting:
                future.cancel()


def _taken(waiting: deque[tuple[_T, Future[_R]]]) -> tuple[_T, _R]:
    item, future = waiting.popleft()
    try:
        return item, future.result()
    except BrokenProcessPool as error:
        raise BanetError(
            f"a worker process died at {item}, perhaps for want of memory; start again with fewer workers, "
            "what was finished is kept"
        ) from error


def _start(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603 - a process has one function for all its life
    _function = function


def _apply(item: Any) -> Any:
    if _function is None:
        raise RuntimeError("a worker process was not started by in_processes")
    return _function(item)
