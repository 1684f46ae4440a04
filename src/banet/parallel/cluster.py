"""The workers of a dask cluster, on one machine or many (extra `dask`): how work gets there and comes back.

A function goes once to each worker, with all that it holds, also to workers that join later; the items that
it is applied to are small and go one by one. Few of them are in flight, so nothing piles up in memory. What a
lost worker was at is done again by another.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banet.errors import BanetError, InputError
from banet.parallel.processes import in_order, in_processes

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

__all__ = ["Crew", "connected", "crew_for", "on_cluster", "spread", "threads_for"]

_T = TypeVar("_T")
_R = TypeVar("_R")

_IN_FLIGHT = 2
"""Items handed out for each thread of the cluster: one at work, one waiting so that nobody idles."""

_PATIENCE = 20
"""Seconds in which a scheduler should answer."""


@contextlib.contextmanager
def connected(scheduler: str | None = None, workers: int | None = None) -> Iterator[Client]:
    """Give a client of a cluster: of one that is there, or of processes on this machine.

    Args:
        scheduler: address, such as `tcp://10.0.0.1:8786`.
        workers: number of processes to start here instead; they end with the block.

    Raises:
        InputError: if not exactly one of the two is given, dask is not installed, or nobody answers.
    """
    if (scheduler is None) == (workers is None):
        raise InputError("give the address of a scheduler or a number of workers, one of the two")
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers; give at least one")
    try:
        import distributed
    except ImportError as error:
        raise InputError("work on a cluster needs dask: pip install 'banet[dask]'") from error
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            raise InputError(f"no dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield client
        return
    # The work bounds its memory itself: limits of dask's own would pause or end workers that do well. Without
    # its pages dask still serves on a port; any will do, since another run may have the usual one.
    with (
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def threads_for(workers: int) -> int:
    """Return how many threads the engine of each of so many processes on this machine should use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def spread(
    function: Callable[[_T], _R],
    items: Iterable[_T],
    *,
    workers: int | None = None,
    client: Client | None = None,
    needs: Sequence[Path] = (),
) -> Generator[tuple[_T, _R]]:
    """Apply a function to items here, in processes of this machine or on a cluster: all give the same.

    Close what is returned where it is not taken to its end.

    Args:
        function: as for `in_processes`.
        items: small things.
        workers: number of processes of this machine.
        client: of a cluster that does the work instead.
        needs: files and folders that every worker of the cluster must see.

    Raises:
        InputError: if both workers and a client are given, or fewer than one worker.
    """
    if client is None:
        return in_processes(function, items, workers)
    if workers is not None:
        raise InputError("give workers or the client of a cluster, not both")
    return on_cluster(client, function, items, needs=needs)


def on_cluster(
    client: Client, function: Callable[[_T], _R], items: Iterable[_T], *, needs: Sequence[Path] = ()
) -> Generator[tuple[_T, _R]]:
    """Apply a function to items on a cluster and yield each with its result, in the order of the items.

    Args:
        client: of the cluster.
        function: sent once to each worker, with all that it holds. It may be applied to an item again where
            a worker is lost.
        items: small things, sent one by one.
        needs: files and folders that every worker must see.

    Raises:
        Exception: the first that the function raises, in the order of the items.
        InputError: if a worker does not see what is needed.
        BanetError: if the scheduler is lost, or every worker that takes an item dies.
    """
    with crew_for(client, function, needs) as crew:
        yield from in_order(items, crew.submit, crew.result, crew.room, crew.cancel)


@dataclass(frozen=True, eq=False)
class Crew:
    """The workers of a cluster while they hold a function.

    Attributes:
        client: of the cluster.
        name: under which each worker keeps the function.
    """

    client: Client
    name: str

    def room(self) -> int:
        """Return how many items should be in flight."""
        with _scheduler_needed(self.client):
            threads = sum(int(count) for count in self.client.nthreads().values())
        return _IN_FLIGHT * max(1, threads)

    def submit(self, item: Any, *, label: str = "item", retries: int = 0, priority: int = 0) -> Future[Any]:
        """Have the function applied to an item by any worker.

        Args:
            item: a small thing.
            label: what the pages of dask call it.
            retries: how often it is tried again after an error.
            priority: items of a higher one go first.
        """
        with _scheduler_needed(self.client):
            return self.client.submit(
                _apply,
                self.name,
                item,
                key=f"banet-{label}-{uuid.uuid4().hex}",
                retries=retries,
                priority=priority,
                pure=False,
            )

    def result(self, item: Any, future: Future[_R]) -> _R:
        """Wait for what the function gave for an item.

        Raises:
            Exception: what the function raised.
            BanetError: if the scheduler is lost, or the workers died.
        """
        from distributed import KilledWorker

        try:
            with _scheduler_needed(self.client):
                return future.result()
        except KilledWorker as error:
            raise BanetError(
                f"worker after worker died at {item}, perhaps for want of memory; start again with fewer "
                "threads a worker, what was finished is kept"
            ) from error

    def error(self, future: Future[Any]) -> BaseException | None:
        """Return what the function raised for an item that has come to its end; None if it did well.

        Raises:
            BanetError: if the scheduler is lost.
        """
        if future.status in ("cancelled", "lost"):
            raise _scheduler_lost()
        return future.exception() if future.status == "error" else None

    def cancel(self, futures: Sequence[Future[Any]]) -> None:
        """Take back what was handed out, unless the scheduler is gone and everything with it."""
        if futures and self.client.status == "running":
            self.client.cancel(list(futures))


@contextlib.contextmanager
def crew_for(client: Client, function: Callable[[Any], Any], needs: Sequence[Path] = ()) -> Iterator[Crew]:
    """Send a function to every worker, those that come later included, and have them forget it in the end.

    Args:
        client: of the cluster.
        function: sent by pickle, with all that it holds.
        needs: files and folders that every worker must see.

    Raises:
        InputError: if a worker does not see them.
    """
    from distributed import WorkerPlugin
    from distributed.protocol.pickle import dumps

    class Carrier(WorkerPlugin):
        """Brings a parcel to a worker and keeps it there."""

        def __init__(self, parcel: _Parcel) -> None:
            self.parcel = parcel

        def setup(self, worker: Worker) -> None:
            self.parcel.open()

    name = f"banet-{uuid.uuid4().hex}"
    parcel = _Parcel(dumps(function), tuple(path.absolute() for path in needs))
    try:
        with _scheduler_needed(client):
            client.register_plugin(Carrier(parcel), name=name)
        yield Crew(client, name)
    finally:
        if client.status == "running":
            with contextlib.suppress(OSError):  # a worker, or the scheduler, may be going
                client.unregister_worker_plugin(name)


@dataclass(frozen=True, eq=False)
class _Parcel:
    """A function packed for its journey, and what it needs where it arrives."""

    packed: bytes
    needs: tuple[Path, ...]

    def open(self) -> Callable[[Any], Any]:
        """Return the function, the same at each call.

        Raises:
            InputError: if this process does not see what it needs.
        """
        return self._function

    @functools.cached_property
    def _function(self) -> Callable[[Any], Any]:
        from distributed.protocol.pickle import loads

        for path in self.needs:
            if not path.exists():
                raise InputError(
                    f"the worker on {socket.gethostname()} does not see {path}: what is read and what is "
                    "written must lie on storage that all workers share"
                )
        function: Callable[[Any], Any] = loads(self.packed)
        return function


def _apply(name: str, item: Any) -> Any:
    """Apply a function, on a worker that holds it."""
    from distributed import get_worker

    carrier: Any = get_worker().plugins[name]
    return carrier.parcel.open()(item)


@contextlib.contextmanager
def _scheduler_needed(client: Client) -> Iterator[None]:
    """Say in words that the scheduler was lost, in the place of what dask says then, which is many things."""
    from distributed import CancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except Exception as error:
        if isinstance(error, (CancelledError, CommClosedError)) or client.status != "running":
            raise _scheduler_lost() from error
        raise


def _scheduler_lost() -> BanetError:
    return BanetError("the dask scheduler was lost; start again, what was finished is kept")
