"""HTTP with rules of our own: where credentials may go, what an answer means, what may be written down."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from pydantic import SecretStr

from banet import __version__
from banet.download.content import problem_with, said
from banet.download.credentials import Bearer, Login, Password
from banet.download.deadline import bounded, within
from banet.download.errors import (
    CredentialsError,
    StoppedError,
    TransferError,
    TransientError,
)
from banet.download.refusals import BUSY, Explain, host_of, refusal, retrying
from banet.download.settings import Settings
from banet.errors import BanetError
from banet.io.scrub import scrubbed

__all__ = ["Client", "shown"]

_log = logging.getLogger("banet.download")
_REDIRECTS = {301, 302, 303, 307, 308}
_LOCAL = {"127.0.0.1", "::1", "localhost"}

T = TypeVar("T")


class Client:
    """A set of connections with at most one Earthdata login. Threads may share it.

    Redirects are followed by hand: a bearer token goes only to the host that was asked first, a password only
    to the login host. Waiting can be ended by `stop` from another thread.

    Args:
        settings: hosts and limits.
        login: goes with requests that ask for it.
    """

    def __init__(self, settings: Settings, login: Login | None = None) -> None:
        limits = settings.transfer
        self.settings = settings
        self.login = login
        self._again: Callable[[], Password | None] | None = None
        self._accepted: Login | None = None
        self.stop = threading.Event()
        self._logins = threading.Lock()
        self._lines: set[socket.socket] = set()
        _keep_quiet()
        self._http = bounded(
            httpx.Client(
                verify=_certificates(),
                follow_redirects=False,
                timeout=httpx.Timeout(limits.read_timeout_s, connect=limits.connect_timeout_s),
                headers={"User-Agent": f"banet/{__version__}", "Accept-Encoding": "identity"},
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=limits.parallel),
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def interrupt(self) -> None:
        """Stop everything that uses this client, reads that wait for a silent host too."""
        self.stop.set()
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                # Shutting down wakes the thread that reads; closing would not.
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _open_line(self, answer: httpx.Response) -> Iterator[None]:
        """Keep the line of an answer where `interrupt` finds it."""
        stream = answer.extensions.get("network_stream")
        line = stream.get_extra_info("socket") if stream is not None else None
        if line is not None:
            self._lines.add(line)
        try:
            yield
        finally:
            self._lines.discard(line)

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoppedError: if everything is to stop.
        """
        if self.stop.wait(seconds):
            raise StoppedError("stopped while waiting")

    def retrying(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function, and again after a TransientError, as often and as late as the settings say."""
        return retrying(self.settings.transfer, self.pause)(function, *arguments)

    @contextlib.contextmanager
    def _asked(self, method: str, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Give an answer whose headers came within their time, its body not read yet."""
        with contextlib.ExitStack() as stack:
            with within(self.settings.transfer.header_timeout_s):
                answer = stack.enter_context(self._http.stream(method, url, headers=headers))
            yield answer

    def log_in(self, login: Login, again: Callable[[], Password | None] | None = None) -> None:
        """Take a login for the requests to come; a password is exchanged for a token if possible.

        Args:
            login: to use.
            again: gives a password when a token that was accepted is accepted no longer; None if there is
                none.

        Raises:
            CredentialsError: if the login host does not accept them.
            TransferError: if the login host cannot be reached.
        """
        self._again = again
        self.login = self.retrying(self._token, login) if isinstance(login, Password) else login
        _log.info("Earthdata login with %s", login.source)

    def _renewed(self, stale: Login) -> bool:
        """Take a new token for one that ended and return whether there is one; one thread does it for all."""
        with self._logins:
            if self.login is not stale:
                return True
            ended = stale is self._accepted or (isinstance(stale, Bearer) and stale.expired is not None)
            password = self._again() if isinstance(stale, Bearer) and ended and self._again else None
            if password is None:
                return False
            _log.info("%s is accepted no longer; asking for a new token", stale.source)
            self.login = self.retrying(self._token, password)
            return True

    def _token(self, login: Password) -> Login:
        earthdata = self.settings.earthdata
        url = earthdata.login.rstrip("/") + earthdata.token_path
        proof = {"Authorization": login.header}
        with (
            _translated(url, "Earthdata login"),
            _quietly(),
            self._asked("POST", url, proof) as answer,
        ):
            body = self.read(answer, "Earthdata login")
        if answer.status_code in {401, 403}:
            raise CredentialsError(
                f"{host_of(url)} does not accept the user name and password from {login.source}; check them "
                "there"
            )
        if answer.status_code >= 500 or answer.status_code in BUSY:
            raise refusal(answer, body, "Earthdata login", None)
        try:
            token = str(json.loads(body)["access_token"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return login
        return Bearer(SecretStr(token), login.source)

    def get_text(self, url: str, params: Mapping[str, str], label: str) -> str:
        """Return a page of text, trying again where that may help.

        Raises:
            TransferError: if it cannot be had.
        """
        query = str(httpx.URL(url, params=dict(params)))

        def once() -> str:
            with self.open(query, label=label) as answer:
                return self.read(answer, label).decode("utf-8", "replace")

        return self.retrying(once)

    def get_json(self, url: str, params: Mapping[str, str], headers: Mapping[str, str], label: str) -> Any:
        """Return the JSON of a page and its headers, trying again where that may help.

        Raises:
            TransferError: if it cannot be had, or is no JSON.
        """
        query = str(httpx.URL(url, params=dict(params)))

        def once() -> tuple[Any, httpx.Headers]:
            with self.open(query, headers, label=label) as answer:
                body = self.read(answer, label)
                try:
                    return _json(body), answer.headers
                except (ValueError, RecursionError) as error:
                    what = problem_with(body, "csv") or "a table"
                    raise TransientError(f"{label}: {host_of(url)} answered with {what}, not JSON") from error

        return self.retrying(once)

    def read(self, answer: httpx.Response, label: str, *, cut: bool = False) -> bytes:
        """Return the body of an answer that is to be held in memory.

        Args:
            answer: its body not read yet.
            label: for messages.
            cut: give the first `refusal_bytes` of a longer one, which are enough to see what it is.

        Raises:
            TransferError: if it is longer than `answer_bytes`, or encoded.
            TransientError: if it comes too slowly.
        """
        limits = self.settings.transfer
        most = limits.refusal_bytes if cut else limits.answer_bytes
        body = bytearray()
        for block in self.blocks(answer, label):
            body += block
            if len(body) > most:
                if cut:
                    break
                raise TransferError(
                    f"{label}: {host_of(str(answer.url))} sends more than {most:,} bytes; "
                    "set transfer.answer_bytes if that is right"
                )
        return bytes(body[:most])

    def blocks(self, answer: httpx.Response, label: str) -> Iterator[bytes]:
        """Give the body of an answer as it comes.

        Raises:
            TransferError: if it has an encoding, which was not asked for and may hide any number of bytes.
            TransientError: if it comes too slowly.
        """
        encoding = answer.headers.get("content-encoding", "identity").strip().lower()
        host = host_of(str(answer.url))
        if encoding not in {"", "identity"}:
            raise TransferError(
                f"{label}: {host} sends {said(encoding.encode(), 30)!r} content, which was not asked for; "
                "try later"
            )
        limits = self.settings.transfer
        since, came = time.monotonic(), 0
        for block in answer.iter_raw():
            came += len(block)
            yield block
            spent = time.monotonic() - since
            if spent >= limits.slow_window_s:
                if came < limits.slowest_bytes_per_s * spent:
                    raise TransientError(f"{label}: {host} sent {came} bytes in {spent:.0f} s; try later")
                since, came = time.monotonic(), 0

    @contextlib.contextmanager
    def open(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        label: str,
        login: bool = False,
        explain: Explain | None = None,
    ) -> Iterator[httpx.Response]:
        """Give the answer to a GET after redirects, its body not read yet; its status is 200, 206 or 416.

        Args:
            url: the address.
            headers: to send.
            label: what is fetched, for messages; the address is not shown in them.
            login: send credentials where they may go.
            explain: knows the refusals of this service.

        Raises:
            CredentialsError: 401, or a redirect to the login page that the login does not get past.
            ForbiddenError: 403.
            MissingError: 404 or 410.
            TransientError: 408, 425, 429, 5xx, a dropped or refused connection, a timeout.
            TransferError: any other refusal.
        """
        with contextlib.ExitStack() as stack:
            used = self.login if login else None
            try:
                answer = self._answered(stack, url, headers, label, login, explain)
            except CredentialsError:
                if used is None or not self._renewed(used):
                    raise
                answer = self._answered(stack, url, headers, label, login, explain)
            if login:
                self._accepted = self.login
            with _translated(url, label), _quietly(), self._open_line(answer):
                yield answer

    def _answered(
        self,
        stack: contextlib.ExitStack,
        url: str,
        headers: Mapping[str, str] | None,
        label: str,
        login: bool,
        explain: Explain | None,
    ) -> httpx.Response:
        """Return the answer that `open` gives, or raise what it means; `stack` closes it."""
        if login and isinstance(self.login, Bearer) and (end := self.login.expired):
            raise CredentialsError(
                f"{label}: the token from {self.login.source} ended at {end:%Y-%m-%d %H:%M} UTC; make a new "
                f"one at {self.settings.earthdata.login} and run the same command again"
            )
        with self._turn(login), _translated(url, label), _quietly():
            answer = stack.enter_context(self._follow(url, dict(headers or {}), label, login))
            if answer.status_code not in {200, 206, 416}:
                raise refusal(answer, self.read(answer, label, cut=True), label, explain)
        return answer

    def _turn(self, login: bool) -> contextlib.AbstractContextManager[object]:
        """One thread at a time goes through the login pages; the cookies that it gets serve the others."""
        needs = login and isinstance(self.login, Password)
        return self._logins if needs else contextlib.nullcontext()

    @contextlib.contextmanager
    def _follow(self, url: str, headers: dict[str, str], label: str, login: bool) -> Iterator[httpx.Response]:
        first = url
        for _ in range(self.settings.transfer.redirects + 1):
            proof = self._authorization(url, first) if login else None
            sent = {**headers, "Authorization": proof} if proof else headers
            with self._asked("GET", url, sent) as answer:
                if answer.status_code not in _REDIRECTS or "location" not in answer.headers:
                    yield answer
                    return
                url = urljoin(url, answer.headers["location"])
            if _origin(url) == _origin(self.settings.earthdata.login) and not isinstance(
                self.login, Password
            ):
                raise CredentialsError(self._sent_to_login(first, label))
        raise TransferError(f"{label}: {host_of(first)} redirects in circles; is the login approved there?")

    def _sent_to_login(self, url: str, label: str) -> str:
        where = self.settings.earthdata.login
        if self.login is None:
            return f"{label}: {host_of(url)} wants an Earthdata login; set EARTHDATA_TOKEN"
        return (
            f"{label}: {host_of(url)} sent us to the login page, so it does not accept the token from "
            f"{self.login.source}; make a new one at {where}, or name the host in earthdata.token_hosts"
        )

    def _authorization(self, url: str, first: str) -> str | None:
        if isinstance(self.login, Password):
            return self.login.header if _origin(url) == _origin(self.settings.earthdata.login) else None
        if self.login is None or _origin(url) != _origin(first) or not self._trusted(url):
            return None
        return self.login.header

    def _trusted(self, url: str) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" and host not in _LOCAL:
            return False
        names = self.settings.earthdata.token_hosts
        return any(name in {parts.netloc, host} or host.endswith(f".{name}") for name in names)


def _json(body: bytes) -> Any:
    """Parse JSON so that one odd value does not cost the page: bytes that are no UTF-8, endless numbers."""
    try:
        text = body.decode(json.detect_encoding(body))
    except UnicodeDecodeError:
        text = body.decode("utf-8", "surrogateescape")
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))


def shown(url: str) -> str:
    """Return an address without user, password, query and key, fit to be written down."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    return scrubbed(urlunsplit((parts.scheme, netloc, parts.path, "", "")))


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


@contextlib.contextmanager
def _translated(url: str, label: str) -> Iterator[None]:
    """Turn the errors of the network into ours, without the address, which may hold a key."""
    host = host_of(url)
    try:
        yield
    except BanetError:
        raise
    except httpx.TimeoutException as error:
        raise TransientError(f"{label}: {host} did not answer in time") from error
    except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
        raise TransientError(f"{label}: the connection to {host} broke: {scrubbed(str(error))}") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        # ValueError: an address or a header that cannot be one, such as a port of 99999 in a redirect.
        raise TransferError(f"{label}: cannot ask {host}: {scrubbed(str(error))}") from error


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The authorities to trust, read once: it takes a tenth of a second."""
    return httpx.create_ssl_context()


_quiet = threading.local()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    before = getattr(_quiet, "on", False)
    _quiet.on = True
    try:
        yield
    finally:
        _quiet.on = before


def _not_ours(record: logging.LogRecord) -> bool:
    return not getattr(_quiet, "on", False)


def _keep_quiet() -> None:
    """Drop the lines that the HTTP library logs for our requests: they carry whole addresses and headers."""
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
        logger = logging.getLogger(name)
        if _not_ours not in logger.filters:
            logger.addFilter(_not_ours)
