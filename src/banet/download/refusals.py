"""Refusals of hosts: the error that a status means, and trying again after those that may pass."""

from __future__ import annotations

import datetime as dt
import email.utils
import logging
import random
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from banet.download.content import said
from banet.download.errors import (
    CredentialsError,
    ForbiddenError,
    MissingError,
    TransferError,
    TransientError,
)
from banet.download.settings import TransferSettings
from banet.io.scrub import scrubbed

__all__ = ["BUSY", "Explain", "host_of", "refusal", "retrying"]

Explain = Callable[[int, str], Exception | None]
"""Called with the status and the text of a refusal; gives the error it means, or None for the usual one."""

BUSY = {408, 425, 429}
"""Statuses of a host that may answer later, as those from 500 on."""

_log = logging.getLogger("banet.download")


def retrying(limits: TransferSettings, pause: Callable[[float], None]) -> Retrying:
    """Return what calls a function again after a TransientError, as often and as late as the limits say."""
    patience = _Patience(limits)
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=patience.at_end,
        wait=patience.seconds,
        sleep=pause,
        before_sleep=_note,
        reraise=True,
    )


class _Patience:
    """Counts failures in a row; one that brought part of the file starts the count anew."""

    def __init__(self, limits: TransferSettings) -> None:
        self.limits = limits
        self.spent = 0

    def at_end(self, state: RetryCallState) -> bool:
        error = _error_of(state)
        self.spent = self.spent + error.cost if error.cost else 0
        too_long = (error.retry_after or 0) > self.limits.longest_retry_after_s
        return too_long or self.spent >= self.limits.attempts

    def seconds(self, state: RetryCallState) -> float:
        asked = _error_of(state).retry_after
        if asked is not None:
            return asked
        most: float = min(self.limits.first_wait_s * 2 ** max(self.spent - 1, 0), self.limits.longest_wait_s)
        return most * random.uniform(0.5, 1)


def _error_of(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientError):
        raise TypeError(f"expected a TransientError, found {error!r}")
    return error


def _note(state: RetryCallState) -> None:
    wait = state.next_action.sleep if state.next_action else 0
    _log.info("%s; trying again in %.0f s", _error_of(state), wait)


def host_of(url: str) -> str:
    """Return the host of an address, for messages."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def refusal(answer: httpx.Response, body: bytes, label: str, explain: Explain | None) -> Exception:
    """The error that a status and the beginning of its text mean."""
    status, host, words = answer.status_code, host_of(str(answer.url)), said(body)
    known = explain(status, body.decode("utf-8", "replace")) if explain else None
    if known is not None:
        return known
    if status == 401:
        return CredentialsError(
            f"{label}: {host} answered 401, it does not accept the login; make a new token and set "
            "EARTHDATA_TOKEN, "
            "or name the host in earthdata.token_hosts"
        )
    if status == 403:
        return ForbiddenError(
            f"{label}: {host} answered 403, this account may not have it; approve the host's application "
            "and its "
            "terms in your Earthdata profile"
        )
    if status in {404, 410}:
        return MissingError(
            f"{label}: {host} answered {status}, it does not have it; the file may have moved"
        )
    if status in BUSY or status >= 500:
        wait = _retry_after(answer.headers.get("retry-after"))
        later = f" and asks to wait {wait:.0f} s" if wait is not None else ""
        return TransientError(f"{label}: {host} answered {status}{later}; try later", retry_after=wait)
    detail = "" if not words or words.startswith("<") else f": {scrubbed(words)}"
    return TransferError(f"{label}: {host} answered {status}{detail}")


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:20])
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - dt.datetime.now(dt.UTC)).total_seconds())
