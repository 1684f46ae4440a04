"""One function applied to many items: here, in processes of this machine, or on a cluster.

All three give the same results. Few items are in flight at a time, so nothing piles up in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banet.errors import InputError
from banet.parallel.cluster import connected
from banet.parallel.crew import Crew, crew_for

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["spread"]

_T = TypeVar("_T")
_R = TypeVar("_R")


def spread(
    function: Callable[[_T], _R],
    items: Iterable[_T],
    *,
    workers: int | None = None,
    scheduler: str | Client | None = None,
    needs: Sequence[Path] = (),
    ordered: bool = True,
    retries: int = 0,
    keep_going: bool = False,
) -> Generator[tuple[_T, _R]]:
    """Apply a function to items and yield each item with its result.

    Without workers and scheduler the items are done here, one by one. Close what is returned where it is
    not taken to its end: `with closing(spread(...)) as results`.

    Args:
        function: sent once to each worker by pickle, with all that it holds. Where a worker dies, it may be
            applied to an item again.
        items: small things, sent one by one.
        workers: number of processes to start on this machine; they end with the work.
        scheduler: address of a dask scheduler, or the client that `connected` gave.
        needs: files and folders that every worker must see.
        ordered: yield in the order of the items; otherwise as they are finished.
        retries: how often a worker tries an item again after an error; here none is tried again.
        keep_going: yield the error of an item as its result instead of raising it.

    Raises:
        InputError: if both workers and a scheduler are given, there is less than one worker, nobody answers
            at the address, or a worker does not see what is needed.
        BanetError: if the scheduler is lost, or worker after worker dies at an item.
        Exception: the first that the function raises, in the order of the results.
    """
    if workers is not None and scheduler is not None:
        raise InputError("give workers or a scheduler, not both")
    if workers is None and scheduler is None:
        return _here(function, items, keep_going)
    return _there(function, items, workers, scheduler, tuple(needs), _Manner(ordered, retries, keep_going))


class _Manner:
    """The ways in which items are handed out and taken back."""

    def __init__(self, ordered: bool, retries: int, keep_going: bool):
        self.ordered, self.retries, self.keep_going = ordered, retries, keep_going


def _here(function: Callable[[Any], Any], items: Iterable[Any], keep_going: bool) -> Generator[Any]:
    for item in items:
        try:
            result = function(item)
        except Exception as error:
            if not keep_going:
                raise
            result = error
        yield item, result


def _there(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    workers: int | None,
    scheduler: str | Client | None,
    needs: Sequence[Path],
    manner: _Manner,
) -> Generator[Any]:
    with connected(scheduler, workers) as client:
        assert client is not None
        with crew_for(client, function, needs) as crew:
            flow = _in_order if manner.ordered else _as_finished
            yield from flow(crew, items, manner)


def _in_order(crew: Crew, items: Iterable[Any], manner: _Manner) -> Generator[Any]:
    waiting: deque[tuple[Any, Future[Any]]] = deque()

    def first() -> tuple[Any, Any]:
        # In a function of its own, so that nobody holds a future that was taken.
        item, future = waiting.popleft()
        return item, _taken(crew, item, future, manner)

    try:
        for item in items:
            waiting.append((item, crew.submit(item, retries=manner.retries)))
            if len(waiting) >= crew.room():
                yield first()
        while waiting:
            yield first()
    finally:
        crew.cancel([future for _, future in waiting])


def _as_finished(crew: Crew, items: Iterable[Any], manner: _Manner) -> Generator[Any]:
    from distributed import as_completed

    running: dict[Any, Any] = {}
    ended = as_completed([], loop=crew.client.loop)

    def next_one() -> tuple[Any, Any]:
        future = next(ended)
        item, _ = running.pop(future.key)
        return item, _taken(crew, item, future, manner)

    try:
        for item in items:
            future = crew.submit(item, retries=manner.retries)
            running[future.key] = item, future
            ended.add(future)
            del future
            if len(running) >= crew.room():
                yield next_one()
        while running:
            yield next_one()
    finally:
        crew.cancel([future for _, future in running.values()])


def _taken(crew: Crew, item: Any, future: Future[Any], manner: _Manner) -> Any:
    """Return the result of an item, or its error if the work goes on in spite of it."""
    from banet.parallel.cluster import SchedulerLostError

    try:
        return crew.result(item, future)
    except SchedulerLostError:
        raise
    except Exception as error:
        if not manner.keep_going:
            raise
        return error
