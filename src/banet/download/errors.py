"""Errors of downloads, each with its own way to mend it."""

from __future__ import annotations

from banet.errors import BanetError, NotFoundError

__all__ = [
    "CredentialsError",
    "ForbiddenError",
    "MissingError",
    "StoppedError",
    "TransferError",
    "TransientError",
]


class TransferError(BanetError, OSError):
    """A file or an answer could not be fetched, and trying again would not help."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class TransientError(TransferError):
    """A failure that may pass: a busy host, a dropped connection, damage on the way.

    Attributes:
        retry_after: seconds that the host asked to wait, or None.
        cost: what the failure counts against the attempts; 0 where some of the file came.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, cost: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.cost = cost


class CredentialsError(BanetError, PermissionError):
    """Credentials are missing, expired or not accepted."""

    exit_code = 2

    def __str__(self) -> str:
        return Exception.__str__(self)


class ForbiddenError(BanetError, PermissionError):
    """The account is known but may not have the file."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class MissingError(NotFoundError):
    """The host does not have what was asked for."""


class StoppedError(BanetError):
    """Another part asked everything to stop; what came so far is kept."""
