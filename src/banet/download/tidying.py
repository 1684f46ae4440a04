"""Removal of downloaded files that are older than anything that will be asked for again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from banet.days import Day, as_day, day_of_name
from banet.errors import InputError
from banet.io.files import PathLike, visible_files
from banet.observations.file_names import OWN_TABLE, SDR

__all__ = ["remove_older"]

_NASA = re.compile(r"[A-Za-z0-9_]+\.A(?P<year>\d{4})(?P<doy>\d{3})\..+\.(?:nc|h5|hdf)")


def remove_older(folders: Iterable[PathLike], first: Day) -> list[Path]:
    """Remove satellite files and hot-spot tables of days before `first` alone, and return what was removed.

    Only files with the names that NASA, NOAA and our own download give are looked at; other tables stay.
    """
    gone = []
    for file in (file for folder in folders for file in visible_files(folder)):
        day = _last_day(file.name)
        if day is not None and day < first:
            file.unlink(missing_ok=True)
            gone.append(file)
    return gone


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
