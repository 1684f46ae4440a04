"""The workers of a cluster while they hold one function, which goes once to each of them."""

from __future__ import annotations

import contextlib
import functools
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banet.errors import BanetError, InputError
from banet.parallel.cluster import scheduler_needed

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

__all__ = ["Crew", "crew_for"]

_R = TypeVar("_R")

_IN_FLIGHT = 2
"""Items handed out for each thread of the cluster: one at work, one waiting so that nobody idles."""


@dataclass(frozen=True, eq=False)
class Crew:
    """Workers that hold a function.

    Attributes:
        client: of their cluster.
        name: under which each keeps the function.
    """

    client: Client
    name: str

    def room(self) -> int:
        """Return how many items should be in flight."""
        with scheduler_needed(self.client):
            threads = sum(int(count) for count in self.client.nthreads().values())
        return _IN_FLIGHT * max(1, threads)

    def submit(self, item: Any, *, retries: int = 0) -> Future[Any]:
        """Have the function applied to an item by any worker.

        Args:
            item: a small thing.
            retries: how often it is tried again after an error.
        """
        with scheduler_needed(self.client):
            return self.client.submit(
                _apply,
                self.name,
                item,
                key=f"banet-item-{uuid.uuid4().hex}",
                retries=retries,
                pure=False,
            )

    def result(self, item: Any, future: Future[_R]) -> _R:
        """Wait for what the function gives for an item.

        Raises:
            Exception: what the function raised.
            BanetError: if the scheduler is lost, or the workers died.
        """
        from distributed import KilledWorker

        try:
            with scheduler_needed(self.client):
                return future.result()
        except KilledWorker as error:
            raise BanetError(
                f"worker after worker died at {item}, perhaps for want of memory; start again with fewer "
                "workers, or fewer threads a worker; what was finished is kept"
            ) from error

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
        with scheduler_needed(client):
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
