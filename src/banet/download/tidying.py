"""Downloaded files that are not used any more: too old to be asked for again, or unreadable."""

from __future__ import annotations

import contextlib
import filecmp
import re
from collections.abc import Iterable
from pathlib import Path

from banet.days import Day, as_day, day_of_name
from banet.errors import InputError
from banet.io.files import PathLike, visible_files
from banet.observations.file_names import OWN_TABLE, SDR

__all__ = ["remove_older", "set_aside"]

_DAMAGED = ".damaged"

_NASA = re.compile(r"[A-Za-z0-9_]+\.A(?P<year>\d{4})(?P<doy>\d{3})\..+\.(?:nc|h5|hdf)")


def remove_older(folders: Iterable[PathLike], first: Day) -> list[Path]:
    """Remove satellite files and hot-spot tables of days before `first` alone, and return what was removed.

    Only files with the names that NASA, NOAA and our own download give are looked at; other tables stay.
    """
    gone = []
    for file in (file for folder in folders for file in visible_files(folder, linked=False)):
        day = _last_day(file.name.removesuffix(_DAMAGED))
        if day is not None and day < first:
            file.unlink(missing_ok=True)
            gone.append(file)
    return gone


def set_aside(file: Path) -> bool:
    """Rename a file that cannot be read to `NAME.damaged`, so that the next download fetches it again.

    Returns:
        Whether it was renamed; not if the same bytes were set aside before, or the folder does not allow it.
    """
    aside = file.with_name(f"{file.name}{_DAMAGED}")
    with contextlib.suppress(OSError):
        if not (aside.is_file() and filecmp.cmp(file, aside, shallow=False)):
            file.replace(aside)
            return True
    return False


def _last_day(name: str) -> Day | None:
    """Return the last day that a file's name tells; None for another name."""
    try:
        if table := OWN_TABLE.fullmatch(name):
            return as_day(table["last"])
        if granule := _NASA.fullmatch(name):
            return day_of_name(granule["year"], granule["doy"])
        if sdr := SDR.fullmatch(name):
            return as_day(sdr["day"])
    except InputError:
        return None
    return None
