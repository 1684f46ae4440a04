"""Workers of a dask cluster, on one machine or many (extra `dask`).

What is to be done is sent once a worker, with all that it holds, also to workers that join later; over the
wire go the things that it is applied to. Few tasks are in flight, so nothing piles up in memory. What a lost
worker was at is done again by another.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banet.errors import BanetError, InputError

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

__all__ = ["cargo_of", "connected", "in_flight", "on_cluster", "sent", "threads_for", "with_client"]

_T = TypeVar("_T")
_R = TypeVar("_R")

_IN_FLIGHT = 2
"""Tasks handed out for each thread of the cluster: one at work, one waiting so that nobody idles."""


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
        raise InputError("runs on several workers need dask: pip install 'banet[dask]'") from error
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout=20)
        except (OSError, ValueError) as error:
            raise InputError(f"no dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield client
        return
    options = {
        # Memory is bounded by the tile's size. Limits of dask's own would pause or end workers that do well.
        "memory_limit": 0,
        # No page, and any free port: another run on this machine has one of its own.
        "dashboard_address": None,
        "scheduler_kwargs": {"dashboard_address": ":0"},
    }
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def with_client(scheduler: str | None, workers: int | None = None) -> Iterator[Client | None]:
    """Do as `connected`, and give None where neither a scheduler nor workers are asked for."""
    if scheduler is None and workers is None:
        yield None
        return
    with connected(scheduler, workers) as client:
        yield client


def threads_for(workers: int) -> int:
    """Return how many threads the engine of each of so many processes on this machine should use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def in_flight(client: Client) -> int:
    """Return how many tasks to hand out at a time."""
    return _IN_FLIGHT * max(1, sum(int(count) for count in client.nthreads().values()))


@contextlib.contextmanager
def sent(client: Client, cargo: Any, check: Callable[[], None] | None = None) -> Iterator[str]:
    """Send a thing to every worker, those that come later included, and have them forget it in the end.

    Args:
        client: of the cluster.
        cargo: what a task there gets by `cargo_of`.
        check: called on each worker first, to raise if it cannot do the work.

    Returns:
        The name by which `cargo_of` finds it.
    """
    from distributed import WorkerPlugin

    class Carrier(WorkerPlugin):
        """Brings a thing to a worker and keeps it there."""

        def __init__(self, cargo: Any) -> None:
            self.cargo = cargo

        def setup(self, worker: Worker) -> None:
            if check is not None:
                check()

    name = f"banet-{uuid.uuid4().hex}"
    client.register_plugin(Carrier(cargo), name=name)
    try:
        yield name
    finally:
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone
            client.unregister_worker_plugin(name)


def cargo_of(name: str) -> Any:
    """Return, on a worker, what was `sent` by that name."""
    from distributed import get_worker

    carrier: Any = get_worker().plugins[name]
    return carrier.cargo


def on_cluster(
    client: Client, function: Callable[[_T], _R], items: Iterable[_T], sees: Sequence[Path] = ()
) -> Iterator[tuple[_T, _R]]:
    """Apply a function to items on the workers of a cluster and yield each with its result, in order.

    Args:
        client: of the cluster.
        function: sent once to each worker, with all that it holds.
        items: small things, sent one by one.
        sees: what every worker must see under the same path.

    Raises:
        InputError: if a worker does not see what it must.
        BanetError: if the scheduler is lost, or an item ends every worker that takes it.
        Exception: what the function raises, as it raises it.
    """
    waiting: deque[tuple[_T, Future[_R]]] = deque()
    paths = [Path(path).absolute() for path in sees]
    with sent(client, function, lambda: _check_sight(paths)) as name:
        try:
            for item in items:
                key = f"{name}-{uuid.uuid4().hex}"
                waiting.append((item, client.submit(_apply, name, item, key=key, pure=False)))
                if len(waiting) >= in_flight(client):
                    yield _taken(waiting)
            while waiting:
                yield _taken(waiting)
        finally:
            client.cancel([future for _, future in waiting])


def _taken(waiting: deque[tuple[_T, Future[_R]]]) -> tuple[_T, _R]:
    """Wait for the first and forget it, so that the worker lets go of its result."""
    from distributed import KilledWorker

    item, future = waiting.popleft()
    try:
        return item, future.result()
    except KilledWorker as error:
        raise BanetError(f"{item} ends every worker that takes it, perhaps for want of memory") from error
    except Exception:
        if future.status in ("cancelled", "lost"):
            raise BanetError("the dask scheduler was lost; start again, what was finished is kept") from None
        raise


def _apply(name: str, item: Any) -> Any:
    return cargo_of(name)(item)


def _check_sight(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise InputError(
                f"the worker on {socket.gethostname()} does not see {path}: it must lie on storage that all "
                "workers share"
            )
