"""Plan of a download: the files to fetch, before anything is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from banet.download.pool import Failure, human, room
from banet.download.transfer import FileJob, is_there

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Files to fetch, and what a user should know of them.

    Attributes:
        jobs: each file once.
        notes: what was left out and why.
        failed: what the host should have and cannot be asked for; it counts as failed.
    """

    jobs: tuple[FileJob, ...]
    notes: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of all files as well as they are known."""
        return sum(job.bytes for job in self.jobs)

    def lines(self) -> list[str]:
        """Return a line for each file, its size and whether it is there, and a sum."""
        there = [is_there(job) for job in self.jobs]
        lines = [
            f"{job.bytes:>13,} {'present' if here else 'to fetch':<8} {job.name}"
            for job, here in zip(self.jobs, there, strict=True)
        ]
        failed = [f"failed: {item.name}: {item.reason}" for item in self.failed]
        return [*lines, self.total(), *failed, *(f"note: {note}" for note in self.notes)]

    def total(self) -> str:
        """Return one line: files, bytes, and those that are missing."""
        missing = [job for job in self.jobs if not is_there(job)]
        unknown = sum(job.bytes == 0 for job in self.jobs)
        needed = sum(job.bytes for job in missing)
        unsure = f", {unknown} of unknown size" if unknown else ""
        return (
            f"{len(self.jobs)} files, {human(self.bytes)}; {len(missing)} to fetch, {human(needed)}{unsure}"
        )

    def summary(self) -> str:
        """Return the line of `total` with the room on the disk, for the question whether to begin."""
        missing = [job for job in self.jobs if not is_there(job)]
        needed = sum(job.bytes for job in missing)
        free = room(missing[0].target.parent) if missing else None
        short = f"; the disk has {human(free)} free" if free is not None else ""
        tight = ", which is not enough" if free is not None and free < needed else ""
        return f"{self.total()}{short}{tight}"
