"""Functions for tests on clusters: in a module of its own, so that worker processes can import it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from banet.errors import UnreadableFileError
from banet.observations import source


def note(log: Path, word: object) -> None:
    """Append a line, which many processes may do at once."""
    with log.open("a") as stream:
        stream.write(f"{word}\n")


def noted(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


class Squares:
    """Squares numbers; writes down when a process receives it and each number that it begins."""

    def __init__(self, folder: Path, holders: int = 0):
        self.folder = folder
        self.holders = holders

    def __setstate__(self, state):
        self.__dict__.update(state)
        note(self.folder / "received", os.getpid())

    def __call__(self, number: int) -> int:
        note(self.folder / "begun", number)
        self.prepare(number)
        return number**2

    def prepare(self, number: int) -> None:
        if number >= 8:  # from here on only if so many processes have received it
            for _ in range(600):
                if len(noted(self.folder / "received")) >= self.holders:
                    return
                time.sleep(0.05)
            raise TimeoutError("no other process came")


class Mortal(Squares):
    """Ends its own process at the number 5, the first time that any comes to it."""

    def prepare(self, number: int) -> None:
        if number == 5:
            with contextlib.suppress(FileExistsError), (self.folder / "grave").open("x"):
                os._exit(9)
        super().prepare(number)


class Deadly(Squares):
    """Ends every process that takes it."""

    def prepare(self, number: int) -> None:
        os._exit(9)


class Uneven(Squares):
    """Takes longest for the first of every four; cannot do with 13 and what follows it."""

    def prepare(self, number: int) -> None:
        time.sleep(0.0 if number % 4 else 0.1)
        if number >= 13:
            raise UnreadableFileError(f"the file {number} is damaged")


class Refusing:
    """A source of satellite files that fails in a way that no gap can stand for."""

    def __init__(self):
        self.inner = source("viirs750-gridded")
        self.name, self.sensor, self.mir_band = "refusing", self.inner.sensor, self.inner.mir_band

    def files(self, folder):
        return self.inner.files(folder)

    def days(self, folder):
        return self.inner.days(folder)

    def read_day(self, folder, day, region, files):
        if str(day).endswith("-16"):
            raise ValueError(f"nobody knows what {files[0].name} is")
        return self.inner.read_day(folder, day, region, files)
