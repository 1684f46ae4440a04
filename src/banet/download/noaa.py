"""NOAA's public archive of SDR granules: the files of a day, and those that see a region.

The archive needs no login and knows no search: its keys are `COLLECTION/YYYY/MM/DD/NAME`, and a name tells
satellite, time and number of the orbit. `banet.download.orbit` tells from these where a granule lies.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.days import Day, day_range
from banet.download.client import Client
from banet.download.errors import TransferError
from banet.download.flights import flown
from banet.download.orbit import Orbit
from banet.download.plan import Plan
from banet.download.transfer import FileJob
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.io.counts import listed
from banet.io.files import PathLike
from banet.observations.sdr import granule_of_name

__all__ = ["plan_sdr"]

_ENTRY = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
_MOST_PAGES = 50
_MOST_NOTES = 20


@dataclass(frozen=True)
class _Listed:
    """A file of the archive; its name says time and orbit of its granule."""

    key: str
    size: int
    time: np.datetime64
    orbit: int
    created: str


def plan_sdr(
    client: Client,
    region: Region,
    start: Day,
    end: Day,
    out: PathLike,
    product: str,
    satellites: Sequence[str],
    *,
    night: bool = False,
) -> Plan:
    """List the SDR granules that see a region: bands and geolocation of each, or none of its files.

    Where a granule lies is known to some degrees across the track, so a few come that only nearly see the
    region.

    Args:
        client: connections and settings; no login is needed.
        region: to see.
        start: first UTC day.
        end: last UTC day, included.
        out: folder for the files.
        product: a key of the settings' `noaa.products`.
        satellites: of the settings.
        night: also take granules that see the region with the sun down.

    Raises:
        InputError: if a satellite is not known.
        NotFoundError: if the archive has nothing at all.
        TransferError: if the archive cannot be asked.
    """
    settings = client.settings.noaa
    if strange := [name for name in satellites if name not in settings.archives]:
        known = ", ".join(settings.archives)
        raise InputError(f"product {product} has no satellite {', '.join(strange)}; known are {known}")
    jobs: list[FileJob] = []
    notes: list[str] = []
    for satellite in satellites:
        since, until, line = flown(client.settings, satellite, start, end)
        notes += [line] if line else []
        archive, before, empty = settings.archives[satellite], len(jobs), list[Day]()
        for day in day_range(since, until + 1) if since <= until else ():
            parts = {
                part: _of_day(client, archive, collection, day)
                for part, collection in settings.products[product].items()
            }
            if not any(parts.values()):
                empty.append(day)
            for files in _seen(parts, region, satellite, night, notes):
                jobs += [FileJob(f"{archive}/{f.key}", Path(out) / _name(f.key), size=f.size) for f in files]
        if since <= until and len(jobs) == before:
            notes.append(
                f"{satellite}: the archive has no granule of {product} from {since} to {until} that sees "
                f"{region.name}"
            )
        elif empty:
            notes.append(f"{satellite}: the archive holds no granule of {product} of {listed(empty, 10)}")
    if len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES:] = [f"and {len(notes) - _MOST_NOTES} more notes"]
    if not jobs:
        raise NotFoundError(
            f"NOAA's archive has no {product} files for region {region.name} from {start} to {end}: "
            f"{'; '.join(notes)}; try other days or --satellites"
        )
    return Plan(tuple(jobs), tuple(notes))


def _seen(
    parts: Mapping[str, Mapping[np.datetime64, _Listed]],
    region: Region,
    satellite: str,
    night: bool,
    notes: list[str],
) -> Iterator[list[_Listed]]:
    """Give the files of each granule of a day that sees a region; what lacks a part is noted."""
    place = next(iter(parts.values()))
    orbit = Orbit.told_by({file.time: file.orbit for file in place.values()})
    if orbit is None:
        if place:
            day = min(place).astype("datetime64[D]")
            notes.append(f"{satellite}: {day}: the archive lists too little of the day to tell where it flew")
        return
    for time in sorted(place):
        if not orbit.sees(region, time, night=night):
            continue
        lacking = [part for part, files in parts.items() if time not in files]
        if lacking:
            notes.append(
                f"{_name(place[time].key)}: the archive has no {' or '.join(lacking)} of it; left out"
            )
        else:
            yield [files[time] for files in parts.values()]


def _of_day(client: Client, archive: str, collection: str, day: Day) -> dict[np.datetime64, _Listed]:
    """Return the files of a collection and day by the time of their granules; the newest production stays."""
    found: dict[np.datetime64, _Listed] = {}
    prefix = f"{collection}/{str(day).replace('-', '/')}/"
    for file in sorted(_listed(client, archive, prefix), key=lambda file: file.created):
        found[file.time] = file
    return found


def _listed(client: Client, archive: str, prefix: str) -> Iterator[_Listed]:
    """Give the files below a prefix, page by page.

    Raises:
        TransferError: if the archive cannot be asked, or its pages do not end.
    """
    label, token = f"the list of {prefix}", ""
    for _ in range(_MOST_PAGES):
        params = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
        page = client.get_text(f"{archive}/", params, label)
        if "<ListBucketResult" not in page:
            raise TransferError(f"{label}: the archive's answer is no list; is noaa.archives right?")
        for entry in _ENTRY.findall(page):
            key, size = _field(entry, "Key"), _field(entry, "Size")
            told = granule_of_name(_name(key))
            if told is not None and key.startswith(prefix) and size.isascii() and size.isdigit():
                yield _Listed(key, int(size[:18]), *told)
        following = _field(page, "NextContinuationToken")
        if not following:
            return
        if following == token:
            break
        token = following
    raise TransferError(f"{label}: the archive's pages do not end; try later")


def _field(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]) if found else ""


def _name(key: str) -> str:
    return key.rpartition("/")[2]
