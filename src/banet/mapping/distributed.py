"""A run on the workers of a dask cluster.

Tiles and blocks are tasks; their arrays go from the workers straight into the scratch folder, which all of
them share, and over the wire go indices alone. The run itself, weights and all, is sent once a worker. What a
lost worker had finished is on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from banet.mapping.canvas import Planes
from banet.mapping.gaps import Gaps
from banet.mapping.job import GAPPED, Job
from banet.mapping.schedule import Schedule, Task
from banet.parallel.crew import Crew, crew_for

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["RETRIES", "distributed_blocks"]

Index = tuple[int, int]

RETRIES = 2
"""How often a task is tried again after an error, before it counts as failed."""


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
    with crew_for(client, job.do, job.needs) as crew:
        for task, error in _run(crew, schedule):
            if error is not None:
                (gaps.tile if task.kind == "tile" else gaps.block)(task.index, error)
            for tile in schedule.settle(task, failed=error is not None):
                store.drop("tile", tile)
            if task.kind == "block":
                kind = GAPPED if task.missing else "block"
                yield task.index, store.load(kind, task.index) if error is None else None


def _run(crew: Crew, schedule: Schedule) -> Iterator[tuple[Task, BaseException | None]]:
    """Hand out tasks, few at a time, and yield each when it has ended, with its error if it failed."""
    from distributed import as_completed

    running: dict[Any, tuple[Task, Future[Any]]] = {}
    ended = as_completed([])
    try:
        while True:
            while len(running) < crew.room() and (task := schedule.next()) is not None:
                future = _submit(crew, task)
                running[future.key] = task, future
                ended.add(future)
            if not running:
                return
            future = next(ended)
            task, _ = running.pop(future.key)
            yield task, crew.error(future)
    finally:
        crew.cancel([future for _, future in running.values()])


def _submit(crew: Crew, task: Task) -> Future[Any]:
    row, col = task.index
    # Blocks first: only they make room on the disk.
    priority = 1 if task.kind == "block" else 0
    return crew.submit(task, label=f"{task.kind}-{row}-{col}", retries=RETRIES, priority=priority)
