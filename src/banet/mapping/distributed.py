"""A run on the workers of a dask cluster, on one machine or many (extra `dask`).

Tiles and blocks are tasks; their arrays go from the workers straight into the scratch folder, which all of
them share, and over the wire go indices alone. The run itself, weights and all, is sent once a worker, also
to workers that join later. Few tasks are in flight, so nothing piles up in memory. What a lost worker was at
is done again by another; what it had finished is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from banet.errors import BanetError, InputError
from banet.mapping.canvas import Planes
from banet.mapping.gaps import Gaps
from banet.mapping.job import GAPPED, Job
from banet.mapping.schedule import Schedule, Task

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

__all__ = ["RETRIES", "connected", "distributed_blocks", "threads_for"]

Index = tuple[int, int]

RETRIES = 2
"""How often a task is tried again after an error, before it counts as failed."""

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
    # A tile's memory is bounded by its size. Limits of dask's own would pause or end workers that do well.
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=0, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def threads_for(workers: int) -> int:
    """Return how many threads the engine of each of so many processes on this machine should use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def distributed_blocks(client: Client, job: Job, gaps: Gaps) -> Iterator[tuple[Index, Planes | None]]:
    """Make all blocks of a run; yield each as it is finished, in any order.

    Args:
        client: of the cluster.
        job: what to do.
        gaps: takes note of what fails.

    Returns:
        Iterator of the index of a block and the planes of the map in it; None for a block that failed.

    Raises:
        BanetError: if the scheduler is lost.
        InputError: if a worker does not see the scratch folder.
    """
    store = job.store
    finished = store.indices("block")
    for index in sorted(finished):
        yield index, store.load("block", index)
    schedule = Schedule(job.run.tiling, finished, store.indices("tile"))
    with _sent(client, job) as name:
        for task, error in _run(client, name, schedule):
            if error is not None:
                (gaps.tile if task.kind == "tile" else gaps.block)(task.index, error)
            for tile in schedule.settle(task, failed=error is not None):
                store.drop("tile", tile)
            if task.kind == "block":
                kind = GAPPED if task.missing else "block"
                yield task.index, store.load(kind, task.index) if error is None else None


def _run(client: Client, name: str, schedule: Schedule) -> Iterator[tuple[Task, BaseException | None]]:
    """Hand out tasks, few at a time, and yield each when it has ended, with its error if it failed."""
    from distributed import as_completed

    running: dict[Any, tuple[Task, Future[Any]]] = {}
    ended = as_completed([])
    try:
        while True:
            while len(running) < _IN_FLIGHT * _threads(client) and (task := schedule.next()) is not None:
                future = _submit(client, name, task)
                running[future.key] = task, future
                ended.add(future)
            if not running:
                return
            future = next(ended)
            task, _ = running.pop(future.key)
            if future.status in ("cancelled", "lost"):
                raise BanetError("the dask scheduler was lost; start again, what was finished is kept")
            yield task, future.exception() if future.status == "error" else None
    finally:
        client.cancel([future for _, future in running.values()])


def _submit(client: Client, name: str, task: Task) -> Future[Any]:
    row, col = task.index
    # Blocks first: only they make room on the disk.
    return client.submit(
        _work,
        name,
        task.kind,
        task.index,
        task.missing,
        key=f"banet-{task.kind}-{row}-{col}-{uuid.uuid4().hex}",
        retries=RETRIES,
        pure=False,
        priority=1 if task.kind == "block" else 0,
    )


def _threads(client: Client) -> int:
    return max(1, sum(int(count) for count in client.nthreads().values()))


def _work(name: str, kind: str, index: Index, missing: tuple[Index, ...]) -> None:
    """Do a task on a worker, which has the job."""
    from distributed import get_worker

    carrier: Any = get_worker().plugins[name]
    job: Job = carrier.job
    if kind == "tile":
        job.tile(index)
    else:
        job.block(index, missing)


@contextlib.contextmanager
def _sent(client: Client, job: Job) -> Iterator[str]:
    """Send a job to every worker, those that come later included, and have them forget it in the end."""
    from distributed import WorkerPlugin

    class Carrier(WorkerPlugin):
        """Brings a job to a worker and keeps it there."""

        def __init__(self, job: Job) -> None:
            self.job = job

        def setup(self, worker: Worker) -> None:
            self.job.check()

    name = f"banet-{uuid.uuid4().hex}"
    client.register_plugin(Carrier(job), name=name)
    try:
        yield name
    finally:
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone
            client.unregister_worker_plugin(name)
