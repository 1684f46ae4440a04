"""A dask cluster to spread work over: one that is there, or processes started on this machine.

The own cluster can be reached from this machine alone and only with a key that is made anew for it, held in
memory. Its processes end with the one that started them, however that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.errors import BanetError, InputError, one_line
from banet.parallel.starting import without_script

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

__all__ = ["SchedulerLostError", "certificates", "connected", "scheduler_needed", "threads_for"]

_PATIENCE = 20
"""Seconds in which a scheduler should answer."""

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent ends."""


class SchedulerLostError(BanetError):
    """The scheduler of a cluster went away during the work."""

    def __init__(self) -> None:
        super().__init__("the dask scheduler was lost; start again, what was finished is kept")


def threads_for(workers: int) -> int:
    """Return how many threads the engine of each of several processes on this machine should use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


@contextlib.contextmanager
def connected(
    scheduler: Any = None,
    workers: int | None = None,
    *,
    security: Security | None = None,
) -> Iterator[Client | None]:
    """Give a client of a cluster, for several spreads in turn; None where neither way is asked for.

    Args:
        scheduler: address, such as `tls://10.0.0.1:8786`, a cluster, or a client, which is given back and
            stays open.
        workers: number of processes to start here instead; they end with the block.
        security: certificates for the scheduler, see `certificates`; by default those of dask's own
            configuration.

    Raises:
        InputError: if both are given, there is less than one worker, the scheduler is something else, or
            nobody answers at the address.
    """
    if scheduler is not None and workers is not None:
        raise InputError("give workers or a scheduler, not both")
    if workers is not None:
        with _own_cluster(workers) as client:
            yield client
    elif isinstance(scheduler, str) or hasattr(scheduler, "scheduler_address"):
        with _client(scheduler, security) as client:
            yield client
    elif scheduler is None or hasattr(scheduler, "submit"):
        yield scheduler
    else:
        raise InputError(f"a scheduler is the address, client or cluster of dask, not {scheduler!r}")


def certificates(ca: Path, cert: Path, key: Path) -> Security:
    """Return what proves to a scheduler that we may use it, and to us that it is the right one.

    Args:
        ca: PEM file of the authority that signed both sides.
        cert: PEM file of our certificate.
        key: PEM file of the key of our certificate.

    Raises:
        InputError: if one of them is not there.
    """
    from distributed.security import Security

    for path in (ca, cert, key):
        if not path.is_file():
            raise InputError(f"there is no certificate file {path}")
    return Security(
        require_encryption=True, tls_ca_file=str(ca), tls_client_cert=str(cert), tls_client_key=str(key)
    )


@contextlib.contextmanager
def scheduler_needed(client: Client) -> Iterator[None]:
    """Turn the many errors that dask raises when its scheduler is lost into one.

    Raises:
        SchedulerLostError: in their place.
    """
    from distributed import CancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except Exception as error:
        if isinstance(error, (CancelledError, CommClosedError)) or client.status != "running":
            raise SchedulerLostError from error
        raise


@contextlib.contextmanager
def _client(address: Any, security: Security | None) -> Iterator[Client]:
    import ssl

    import distributed

    try:
        client = distributed.Client(address, timeout=_PATIENCE, security=security)
    except (OSError, ValueError, TypeError, ssl.SSLError, RuntimeError) as error:
        reason = one_line(error)
        raise InputError(f"no dask scheduler answers at {address}: {reason}") from error
    with client:
        yield client


@contextlib.contextmanager
def _own_cluster(workers: int) -> Iterator[Client]:
    """Start processes on this machine, reached over the loopback device with a key of their own."""
    import dask
    import distributed
    from distributed.security import Security

    if workers < 1:
        raise InputError(f"{workers} workers; give at least one")
    # Without routes what dask still serves over HTTP is empty. The port may be any: another run may have the
    # usual one. The work bounds its memory itself: limits of dask's own would pause or end good workers.
    quiet: dict[str, Any] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(quiet))
        stack.enter_context(without_script())  # to the end: a worker that was lost is started anew
        _silence()
        with _no_interrupts():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=0,
                host="127.0.0.1",
                security=Security.temporary(),
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
        stack.enter_context(cluster)
        client = stack.enter_context(distributed.Client(cluster))
        client.register_plugin(_plugin(os.getpid()), name="ends-with-parent")
        try:
            yield client
        except (KeyboardInterrupt, GeneratorExit):
            _kill(cluster)  # dask would wait for what its workers are at
            raise


def _silence() -> None:
    """Keep what dask logs off the terminal, also after the end: errors come as exceptions, told once."""
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL + 1)


def _kill(cluster: Any) -> None:
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from the threads and processes that are started meanwhile; it waits for this thread.

    A terminal sends it to all processes of a command, and each would print a traceback of its own. The
    thread that starts workers inherits the mask, and so do workers that are started later.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would lift the mask when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _plugin(parent: int) -> Any:
    from distributed import WorkerPlugin

    class EndsWithParent(WorkerPlugin):
        """Has the kernel end a worker whose parent ended, and keeps its log to itself."""

        def setup(self, worker: Any) -> None:
            _silence()
            end_with(parent)

    return EndsWithParent()


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, even while it is inside a library that never returns.

    Dask ends its workers too, but from a thread, which gets no turn then.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
