"""One file from a host into a folder: resumed, verified, renamed when it is whole.

A file in the making is `NAME.part`; beside it `NAME.part.json` keeps what the host said of it (ETag or
Last-Modified), without which a rest cannot be trusted to belong to the same file (RFC 9110, 13.1.5 and 14).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from banet.download.checksums import Checksum
from banet.download.client import Client, shown
from banet.download.content import KINDS, SNIFF_BYTES, broken_end, kind_of_name, problem_with, said
from banet.download.errors import StoppedError, TransferError, TransientError
from banet.download.refusals import Explain, host_of
from banet.errors import BanetError, OutputError, UnreadableFileError
from banet.io.lock import lock

__all__ = ["FileJob", "Outcome", "fetch", "is_there"]

Outcome = Literal["fetched", "present"]
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_DAMAGE_COST = 3


@dataclass(frozen=True)
class FileJob:
    """A file to fetch.

    Attributes:
        url: where it is; not shown, since some services want their key in it.
        target: where it goes.
        size: bytes, if the catalogue knows them exactly.
        checksum: that it must have.
        about: bytes, roughly, for sums shown to a user.
        kind: of content, a key of `content.KINDS`; by default what the name of `target` promises.
        login: whether credentials go along.
        resumable: whether a rest may be asked for later.
        fresh: fetch it even if it is there.
        explain: knows the refusals of this service.
    """

    url: str = field(repr=False)
    target: Path
    size: int | None = None
    checksum: Checksum | None = None
    about: int | None = None
    kind: str = ""
    login: bool = False
    resumable: bool = True
    fresh: bool = False
    explain: Explain | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", Path(self.target))
        object.__setattr__(self, "kind", self.kind or kind_of_name(self.target.name))

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.target.name

    @property
    def bytes(self) -> int:
        """Bytes as well as they are known, 0 if not at all."""
        return self.size or self.about or 0


def is_there(job: FileJob) -> bool:
    """Tell whether the file is there already, whole: only whole files get their name.

    A file whose size nobody said is held against its checksum, if it has one.
    """
    if job.fresh or not job.target.is_file():
        return False
    if job.size is None:
        return job.checksum is None or job.checksum.fits(job.target)
    return job.target.stat().st_size == job.size


def fetch(client: Client, job: FileJob) -> Outcome:
    """Fetch a file unless it is there.

    Args:
        client: connections and login.
        job: what to fetch.

    Returns:
        `fetched`, or `present` where it was there already.

    Raises:
        CredentialsError, ForbiddenError, MissingError: 401, 403, 404; not tried again.
        TransientError: busy host, dropped connection or damage, after all the attempts; what came is kept.
        UnreadableFileError: if the body is a web page or another kind of file.
        TransferError: if the host offers another size than the catalogue says, or refuses otherwise.
        OutputError: if the file cannot be written.
        StoppedError: if the client was told to stop; what came is kept.
    """
    if is_there(job):
        return "present"
    part = _Part(job)
    with _writing(job), part.locked():
        if is_there(job):
            return "present"
        client.retrying(_attempt, client, job, part)
        part.finish()
    return "fetched"


class _Part:
    """The unfinished file and what is known of it."""

    def __init__(self, job: FileJob) -> None:
        self.job = job
        self.path = job.target.with_name(f"{job.name}.part")
        self.notes = job.target.with_name(f"{job.name}.part.json")
        self.most = 0
        self.requests = 0

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing the same file."""
        with lock(self.job.target, str(self.job.target)):
            try:
                yield
            finally:
                if self.path.exists() and self.size == 0:
                    self.path.unlink()
                    self.notes.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def validator(self) -> str | None:
        """Validator that the host gave with the first bytes; None if they cannot be trusted."""
        known = self._read()
        same = known.get("url") == shown(self.job.url)
        return known.get("validator") if same and self.job.resumable else None

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self.notes.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {key: str(value) for key, value in known.items()} if isinstance(known, dict) else {}

    @property
    def total(self) -> int | None:
        """Length of the whole file as the host announced it with the first bytes."""
        known = self._read().get("total", "")
        return int(known) if known.isdigit() else None

    def begin(self, validator: str | None, total: int | None = None) -> None:
        """Empty the part and note what the host says of the file that is to come."""
        self.path.write_bytes(b"")
        self.notes.unlink(missing_ok=True)
        if validator is not None and self.job.resumable:
            length = {} if total is None else {"total": str(total)}
            known = {"url": shown(self.job.url), "validator": validator, **length}
            self.notes.write_text(json.dumps(known))

    def finish(self) -> None:
        self.path.replace(self.job.target)
        self.notes.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(job: FileJob) -> Iterator[None]:
    try:
        yield
    except BanetError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {job.target}: {reason}; what came so far is kept") from error


def _attempt(client: Client, job: FileJob, part: _Part) -> None:
    """Fetch what is missing of a file and check the whole."""
    have = part.size
    validator = part.validator if have else None
    if have and job.size == have and (validator or job.checksum):
        _verify(job, part)
        return
    _count(client, job, part)
    headers: dict[str, str] = {}
    if have and validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        with client.open(job.url, headers, label=job.name, login=job.login, explain=job.explain) as answer:
            total = _receive(client, job, part, answer)
    except TransientError as error:
        # Progress is what counts: a long file over a poor line may need many connections. What a beginning
        # anew brings a second time is none.
        if error.cost == 1 and part.validator and part.size > part.most:
            error.cost = 0
        raise
    finally:
        part.most = max(part.most, part.size)
    _verify(job, part, total)


def _count(client: Client, job: FileJob, part: _Part) -> None:
    part.requests += 1
    part.most = max(part.most, part.size)
    most = client.settings.transfer.requests
    if part.requests > most:
        raise TransferError(f"{job.name}: not whole after {most} requests to {host_of(job.url)}; try later")


def _receive(client: Client, job: FileJob, part: _Part, answer: httpx.Response) -> int | None:
    """Write what comes; return how long the host says that the file is."""
    start, total = _place(answer, part, job)
    blocks = client.blocks(answer, job.name)
    if start == 0:
        head = b""
        for block in blocks:
            head += block
            if len(head) >= SNIFF_BYTES:
                break
        _check_start(job, head, total, host_of(str(answer.url)))
        part.begin(_validator(answer), total)
    else:
        head = b""
    # Nothing is held back in a buffer: what came is there, whatever ends this process.
    with part.path.open("ab", buffering=0) as stream:
        stream.write(head)
        size = start + len(head)
        most = _most(client, job, total)
        for block in blocks:
            size += len(block)
            if size > most:
                part.begin(None)
                raise TransferError(
                    f"{job.name}: {host_of(str(answer.url))} goes on after {most:,} bytes, "
                    f"{_promised(job, total)}; search again later"
                )
            stream.write(block)
            if client.stop.is_set():
                raise StoppedError(f"{job.name}: stopped; what came so far is kept")
        os.fsync(stream.fileno())
    return total


def _most(client: Client, job: FileJob, total: int | None) -> int:
    """Bytes that a body may have."""
    limits, announced = client.settings.transfer, job.size if job.size is not None else total
    return limits.largest_bytes if announced is None else announced + limits.excess_bytes


def _promised(job: FileJob, total: int | None) -> str:
    announced = job.size if job.size is not None else total
    return "and no size was announced" if announced is None else f"where {announced:,} were announced"


def _place(answer: httpx.Response, part: _Part, job: FileJob) -> tuple[int, int | None]:
    """Return the place in the file where the body of an answer begins, and the length of the file."""
    if answer.status_code == 200:
        length = answer.headers.get("content-length", "")
        return 0, int(length) if length.isdigit() and len(length) < 20 else None
    found = _RANGE.match(answer.headers.get("content-range", ""))
    tag, known = answer.headers.get("etag"), part.validator or ""
    changed = tag is not None and known.startswith('"') and tag != known
    if answer.status_code == 206 and found and int(found[1]) == part.size and not changed:
        total = None if found[3] == "*" else int(found[3])
        whole = job.size if job.size is not None else part.total
        lies = total is not None and (int(found[2]) >= total or whole not in {None, total})
        if int(found[1]) <= int(found[2]) and not lies:
            return part.size, whole if total is None else total
    # 416, or a range that was not asked for: what we have is not the beginning of what the host has.
    part.begin(None)
    raise TransientError(f"{job.name}: the host has another file than before; beginning anew")


def _validator(answer: httpx.Response) -> str | None:
    """A strong ETag or a date, fit for If-Range (RFC 9110, 13.1.5)."""
    etag = answer.headers.get("etag")
    if etag and not etag.startswith("W/"):
        return str(etag)
    date = answer.headers.get("last-modified")
    return None if date is None else str(date)


def _check_start(job: FileJob, head: bytes, total: int | None, host: str) -> None:
    problem = problem_with(head, job.kind)
    if problem is not None:
        known = job.explain(200, said(head)) if job.explain else None
        if known is not None:
            raise known
        raise UnreadableFileError(
            f"{job.name}: {host} sent {problem} instead of {KINDS[job.kind]}; log in there with a browser "
            "and see "
            "what it wants, then run the command again"
        )
    if total is not None and job.size is not None and total != job.size:
        raise TransferError(
            f"{job.name}: {host} offers {total} bytes where the catalogue says {job.size}; search again later"
        )


def _verify(job: FileJob, part: _Part, total: int | None = None) -> None:
    """Make sure that the part is the whole file, as the catalogue and the host announce it."""
    size = part.size
    wanted = job.size if job.size is not None else total
    if wanted is not None and size < wanted:
        raise TransientError(f"{job.name}: the body ended after {size} of {wanted} bytes")
    if wanted is not None and size > wanted:
        part.begin(None)
        raise TransientError(
            f"{job.name}: {size} bytes came where {wanted} were expected; damaged on the way, fetch it again",
            cost=_DAMAGE_COST,
        )
    end = broken_end(part.path, job.kind) if size else None
    if end is not None:
        part.begin(None)
        raise TransientError(f"{job.name}: the table {end}, not in a whole row", cost=_DAMAGE_COST)
    if job.checksum is not None and not job.checksum.fits(part.path):
        part.begin(None)
        raise TransientError(
            f"{job.name}: its {job.checksum.algorithm} checksum is not the one that was promised; damaged "
            "on the "
            "way, fetch it again",
            cost=_DAMAGE_COST,
        )
