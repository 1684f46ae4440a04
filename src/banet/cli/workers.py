"""What commands share that spread their work over processes or a cluster: `--workers` and `--scheduler`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_spread", "cluster"]


def check_spread(workers: int | None, scheduler: str | None) -> None:
    """Make sure that no more than one way to spread the work is asked for.

    Raises:
        InputError: if both are.
    """
    from banet.errors import InputError

    if workers is not None and scheduler is not None:
        raise InputError("give --workers or --scheduler, not both")


@contextlib.contextmanager
def cluster(scheduler: str | None, workers: int | None = None) -> Iterator[Client | None]:
    """Give a client of the cluster that is asked for; None if none is.

    Args:
        scheduler: address of a scheduler.
        workers: number of processes to start as a cluster of this machine.

    Raises:
        InputError: if nobody answers at the address, or dask is not installed.
    """
    if scheduler is None and workers is None:
        yield None
        return
    from banet.parallel.cluster import connected

    with connected(scheduler, workers) as client:
        yield client
