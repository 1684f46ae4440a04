"""What the commands share that spread their work over processes or a cluster."""

from __future__ import annotations

from banet.errors import InputError

__all__ = ["only_one"]


def only_one(workers: int | None, scheduler: str | None) -> None:
    """Make sure that not both a number of processes and a cluster are asked for.

    Raises:
        InputError: if they are.
    """
    if workers is not None and scheduler is not None:
        raise InputError("give --workers or --scheduler, not both")
