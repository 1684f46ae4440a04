"""Days that a folder of daily files holds, for every source of such files."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from banet.days import Day, Days
from banet.io.files import PathLike, existing_folder, visible_files

__all__ = ["FolderSource"]


class FolderSource(abc.ABC):
    """A source whose files tell their day by their names; a subclass says how in `by_day`."""

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

    def days(self, folder: PathLike) -> Days:
        """Return the sorted days for which the folder holds at least one file of this family."""
        return np.array(list(self.files(folder)), "datetime64[D]")
