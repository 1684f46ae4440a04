"""Many files at once, within limits, with a list of what failed and why."""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from banet.download.client import Client
from banet.download.errors import CredentialsError, StoppedError, TransferError
from banet.download.refusals import host_of
from banet.download.transfer import FileJob, Outcome, fetch, is_there
from banet.errors import BanetError, OutputError, PartialFailureError
from banet.io.files import PathLike, output_folder, write_json
from banet.io.progress import Progress
from banet.io.scrub import scrubbed

__all__ = ["Failure", "Progress", "Report", "fetch_all", "human", "room"]


@dataclass(frozen=True)
class Failure:
    """A file that was asked for and did not come, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Report:
    """Outcome of each file.

    Attributes:
        fetched: came in this run.
        present: were there already.
        failed: were tried.
        not_attempted: were not tried, because of `halted`.
        halted: what made trying the rest pointless, such as a full disk or a refused login.
        notes: what a user should know beside, such as data without their geolocation.
    """

    fetched: tuple[Path, ...] = ()
    present: tuple[Path, ...] = ()
    failed: tuple[Failure, ...] = ()
    not_attempted: tuple[str, ...] = ()
    halted: BanetError | None = field(default=None, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return not (self.failed or self.not_attempted)

    def lines(self) -> list[str]:
        """One line for each file that is missing, and for each note."""
        failed = [f"failed: {item.name}: {item.reason}" for item in self.failed]
        rest = [f"not attempted: {name}" for name in self.not_attempted]
        return [*failed, *rest, *(f"note: {note}" for note in self.notes)]

    def check(self) -> None:
        """Make sure that everything is there.

        Raises:
            OutputError: if the disk or folder stopped it.
            PartialFailureError: if files are missing.
        """
        if self.complete:
            return
        if isinstance(self.halted, OutputError):
            raise self.halted
        wanted = sum(map(len, (self.fetched, self.present, self.failed, self.not_attempted)))
        why = f"; the first: {self.failed[0].name}: {self.failed[0].reason}" if self.failed else ""
        raise PartialFailureError(
            f"{len(self.failed)} of {wanted} files failed and {len(self.not_attempted)} were not "
            f"attempted{why}; "
            "run the same command again to fetch what is missing"
        )

    def with_notes(self, *notes: str) -> Report:
        """Return a copy with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def with_failures(self, *failures: Failure) -> Report:
        """Return a copy with more failures, of files that could not even be tried."""
        return replace(self, failed=(*self.failed, *failures))

    def write(self, path: PathLike) -> None:
        """Write the report as JSON; it holds names and reasons, no address.

        Raises:
            OutputError: if it cannot be written.
        """
        fields = {
            "fetched": [file.name for file in self.fetched],
            "present": [file.name for file in self.present],
            "failed": {item.name: item.reason for item in self.failed},
            "not_attempted": list(self.not_attempted),
            "notes": list(self.notes),
        }
        write_json(path, fields, indent=1)


def fetch_all(client: Client, jobs: Sequence[FileJob], *, progress: Progress | None = None) -> Report:
    """Fetch files in parallel; those that are there already are not asked for.

    A refused login or a full disk ends the attempts, the rest is reported as not attempted. An interrupt lets
    the files in hand keep what came and is raised again.

    Args:
        client: connections, login and limits.
        jobs: what to fetch.
        progress: called after each file, from this thread.

    Raises:
        OutputError: if a folder cannot be written to, or the disk has no room for what is to come.
    """
    present, wanted = list[FileJob](), list[FileJob]()
    for job in jobs:
        (present if is_there(job) else wanted).append(job)
    _check_room(wanted)
    run = _Run(client, wanted, len(present), progress)
    outcomes = run.go()
    fetched, failed, rest = [], [], []
    for job, outcome in zip(wanted, outcomes, strict=True):
        if outcome is None or isinstance(outcome, StoppedError):
            rest.append(job.name)
        elif isinstance(outcome, BanetError):
            failed.append(Failure(job.name, str(outcome).removeprefix(f"{job.name}: ")))
        elif outcome == "present":
            present.append(job)
        else:
            fetched.append(job)
    return Report(
        tuple(job.target for job in fetched),
        tuple(job.target for job in present),
        tuple(failed),
        tuple(rest),
        run.halted,
    )


class _Run:
    def __init__(
        self, client: Client, jobs: Sequence[FileJob], before: int, progress: Progress | None
    ) -> None:
        limits = client.settings.transfer
        self.client, self.jobs, self.progress = client, jobs, progress
        self.done, self.total = before, before + len(jobs)
        self.halted: BanetError | None = None
        self.threads = min(limits.parallel, max(len(jobs), 1))
        self.hosts: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(limits.per_host))
        for job in self.jobs:
            self.hosts[host_of(job.url)]

    def go(self) -> list[Outcome | BanetError | None]:
        """Fetch; give for each job what became of it, None where it was not tried."""
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="download")
        futures = [pool.submit(self._one, job) for job in self.jobs]
        try:
            self._follow(dict(zip(futures, self.jobs, strict=True)))
        except BaseException:
            self.client.interrupt()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return [future.result() for future in futures]

    def _follow(self, futures: dict[Future[Outcome | BanetError | None], FileJob]) -> None:
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, timeout=0.5, return_when="FIRST_COMPLETED")
            for future in done:
                outcome = future.result()
                self.done += 1
                if self.progress is not None and outcome is not None:
                    word = " failed" if isinstance(outcome, BanetError) else ""
                    self.progress(self.done, self.total, f"{futures[future].name}{word}")

    def _one(self, job: FileJob) -> Outcome | BanetError | None:
        with self.hosts[host_of(job.url)]:
            if self.halted is not None or self.client.stop.is_set():
                return None
            try:
                return fetch(self.client, job)
            except (CredentialsError, OutputError) as error:
                self.halted = error
                return error
            except BanetError as error:
                return error
            except (ValueError, OSError, RuntimeError) as error:
                return TransferError(
                    f"{job.name}: cannot be fetched: {scrubbed(str(error)) or type(error).__name__}"
                )


def _check_room(jobs: Sequence[FileJob]) -> None:
    """Make sure that the folders can be written to and hold what is to come."""
    needs: dict[Path, int] = defaultdict(int)
    for job in jobs:
        needs[job.target.parent] += job.bytes
    for folder, size in needs.items():
        output_folder(folder)
        free = room(folder)
        if free is not None and free < size:
            raise OutputError(
                f"{folder} has {human(free)} free and the files need {human(size)}; make room, or ask "
                "for less"
            )


def room(folder: Path) -> int | None:
    """Return the free bytes where a folder is or will be, None where the file system does not tell."""
    for place in (folder, *folder.absolute().parents):
        if place.is_dir():
            try:
                return shutil.disk_usage(place).free
            except OSError:
                return None  # some network folders; a full disk is then noticed when it happens
    return None


def human(size: float) -> str:
    """Return bytes as text that a person reads.

    >>> human(1_234_567)
    '1.2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
