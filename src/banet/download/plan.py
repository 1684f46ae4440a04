"""What is to be fetched, before anything is."""

from __future__ import annotations

from dataclasses import dataclass

from banet.download.pool import human
from banet.download.transfer import Job, is_there

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Files to fetch, and what a user should know of them.

    Attributes:
        jobs: each file once.
        notes: what was left out and why.
    """

    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()

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
        missing = sum(job.bytes for job, here in zip(self.jobs, there, strict=True) if not here)
        unknown = sum(job.bytes == 0 for job in self.jobs)
        unsure = f", {unknown} of unknown size" if unknown else ""
        total = (
            f"{len(self.jobs)} files, {human(self.bytes)}; {there.count(False)} to fetch, {human(missing)}"
        )
        return [*lines, total + unsure, *(f"note: {note}" for note in self.notes)]
