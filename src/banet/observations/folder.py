"""Days that a folder of daily files holds, for every source of such files."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from banet.days import Day, Days
from banet.io.files import PathLike, existing_folder, visible_files

__all__ = ["FolderSource"]


class FolderSource(abc.ABC):
    """A source whose files tell their day by their names; a subclass says how in `by_day`.

    Attributes:
        begins: pattern of how names of the family begin, so that those that do not fit are told; empty for
            none.
    """

    begins: str = ""

    @abc.abstractmethod
    def by_day(self, paths: Iterable[Path]) -> Mapping[Day, Sequence[Path]]:
        """Group those of some files that are of this family by day, in the order to read them in."""

    def files(self, folder: PathLike) -> dict[Day, tuple[Path, ...]]:
        """Return the files of each day, in the folder and the folders below it, days in order.

        Raises:
            NotFoundError: if there is no such folder.
        """
        found = self.by_day(visible_files(existing_folder(folder, "folder of VIIRS files")))
        return {day: tuple(found[day]) for day in sorted(found)}

    def misnamed(self, folder: PathLike) -> tuple[Path, ...]:
        """Return files that begin as those of this family but are named otherwise, such as `....nc.gz`."""
        if not self.begins:
            return ()
        there = visible_files(existing_folder(folder, "folder of VIIRS files"))
        taken = {path for paths in self.by_day(there).values() for path in paths}
        like = re.compile(self.begins, re.IGNORECASE)
        return tuple(path for path in there if path not in taken and like.match(path.name))

    def days(self, folder: PathLike) -> Days:
        """Return the sorted days for which the folder holds at least one file of this family."""
        return np.array(list(self.files(folder)), "datetime64[D]")
