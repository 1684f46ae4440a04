"""Searching NASA's Common Metadata Repository (CMR) for granules.

Both answers of the granule search are understood: `granules.umm_json`, which knows sizes and checksums
(UMM-G, `DataGranule.ArchiveAndDistributionInformation`), and `granules.json`. Pages follow one another by
the header `CMR-Search-After`, which is sent back as it came.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from banet.days import Day, as_day, from_day_of_year
from banet.download.checksums import Checksum
from banet.download.client import Client
from banet.download.content import said
from banet.download.errors import TransferError
from banet.errors import BanetError, InputError
from banet.grid.region import Region

__all__ = ["CatalogueEntry", "boxes", "search"]

_DAY_IN_NAME = re.compile(r"\.A(\d{4})(\d{3})\.")
_DATA = ".nc", ".nc4", ".h5", ".hdf", ".hdf5", ".he5"
_LARGEST = 10**13
_LONGEST = 200  # bytes; most file systems take 255, and .part.json comes after it
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_FILE_IN_TEXT = re.compile(r"\w+\.A\d{7}\.[\w.]{1,60}")
_log = logging.getLogger("banet.download")
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9}


@dataclass(frozen=True)
class CatalogueEntry:
    """A file that the catalogue knows.

    Attributes:
        name: of the file.
        url: http or https address.
        day: UTC, from the name or else the catalogue.
        night: whether the catalogue says that the sun was down everywhere.
        size: bytes, if known exactly.
        about: bytes, roughly; 0 if unknown.
        checksum: None if the catalogue has none of a known kind.
    """

    name: str
    url: str
    day: Day
    night: bool = False
    size: int | None = None
    about: int = 0
    checksum: Checksum | None = None


def search(
    client: Client,
    collection: str,
    region: Region,
    start: Day,
    stop: Day,
    *,
    broken: Callable[[str, str], None] | None = None,
) -> tuple[CatalogueEntry, ...]:
    """Find the granules of a collection that touch a region on days from `start` to before `stop`.

    Args:
        client: connections and settings; no login is needed.
        collection: SHORT_NAME/VERSION.
        region: its box; one across the antimeridian is searched in two.
        start: first UTC day.
        stop: the day after the last.
        broken: called with the name and the fault of an entry that cannot be read; by default it is logged.

    Returns:
        Each file once, ordered by name. A granule without an http or https address is left out; `broken` is
        told of an entry that cannot be read.

    Raises:
        InputError: if the days are empty.
        TransferError: if the catalogue cannot be asked, or loses pages.
    """
    if as_day(stop) <= as_day(start):
        raise InputError(f"the days end ({as_day(stop) - 1}) before they start ({as_day(start)})")
    short_name, version = collection.split("/")
    found: dict[str, CatalogueEntry] = {}
    for box in boxes(region):
        params = {
            "short_name": short_name,
            "version": version,
            "bounding_box": ",".join(f"{value:.10g}" for value in box),
            "temporal": f"{as_day(start)}T00:00:00Z,{as_day(stop) - 1}T23:59:59Z",
            "page_size": str(client.settings.earthdata.page_size),
        }
        for entry in _entries(client, params, f"the search for {collection}"):
            try:
                granule = _granule(entry)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError, ArithmeticError) as error:
                (broken or _logged)(_label_of(entry), _fault(error))
                continue
            if granule is not None and as_day(start) <= granule.day < as_day(stop):
                found.setdefault(granule.name, granule)
    return tuple(found[name] for name in sorted(found))


def boxes(region: Region) -> tuple[tuple[float, float, float, float], ...]:
    """Return a region's box as west, south, east, north in -180..180, in two across the antimeridian.

    >>> boxes(Region("fiji", (177, -20, 183, -15), 0.01))
    ((177.0, -20.0, 180.0, -15.0), (-180.0, -20.0, -177.0, -15.0))
    """
    west, south, east, north = region.bbox
    if east - west >= 360:
        return ((-180.0, south, 180.0, north),)
    if west >= 180:
        west, east = west - 360, east - 360
    if east <= 180:
        return ((west, south, east, north),)
    return (west, south, 180.0, north), (-180.0, south, east - 360, north)


def _entries(client: Client, params: Mapping[str, str], label: str) -> Iterator[Any]:
    headers: dict[str, str] = {}
    seen, hits, idle = 0, 0, 0
    known: set[int] = set()
    while True:
        page, answer = client.get_json(client.settings.earthdata.search, params, headers, label)
        entries = _of_page(page, label)
        hits = _number(answer.get("cmr-hits", ""), hits)
        seen += len(entries)
        fresh = {hash(json.dumps(entry)): entry for entry in entries}
        fresh = {mark: entry for mark, entry in fresh.items() if mark not in known}
        known |= fresh.keys()
        yield from fresh.values()
        idle = 0 if fresh else idle + 1
        if entries and idle >= client.settings.transfer.idle_pages:
            raise TransferError(f"{label}: {idle} pages of the catalogue brought nothing new; try later")
        after = answer.get("cmr-search-after")
        if not entries or after is None:
            break
        headers = {"CMR-Search-After": after}
    if seen < hits:
        raise TransferError(f"{label}: the catalogue gave {seen} of {hits} granules; run it again")


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _of_page(page: Any, label: str) -> list[Any]:
    entries = None
    if isinstance(page, dict):
        feed = page.get("feed")
        entries = page.get("items") if feed is None else feed.get("entry") if isinstance(feed, dict) else None
    if not isinstance(entries, list):
        raise TransferError(f"{label}: the catalogue's answer lists no granules; is earthdata.search right?")
    return entries


def _granule(entry: Mapping[str, Any]) -> CatalogueEntry | None:
    granule = _of_umm(entry["umm"]) if "umm" in entry else _of_json(entry)
    if granule is not None and not 0 <= granule.about < _LARGEST:
        raise ValueError(f"a size of {granule.about} bytes")
    return granule


def _label_of(entry: Any) -> str:
    """A name for an entry that cannot be read, as good as it has one."""
    text = json.dumps(entry)
    found = _FILE_IN_TEXT.search(text)
    return found[0] if found else f"an entry of the catalogue ({said(text.encode(), 40)})"


def _fault(error: Exception) -> str:
    own = isinstance(error, BanetError) or type(error) is ValueError
    words = said(str(error).encode("utf-8", "replace"), 80) if own else "a field has another form than NASA's"
    return f"the catalogue's entry cannot be read ({words})"


def _logged(name: str, fault: str) -> None:
    _log.warning("%s: %s; left out", name, fault)


def _of_umm(umm: Mapping[str, Any]) -> CatalogueEntry | None:
    links = [
        str(link.get("URL", "")) for link in umm.get("RelatedUrls", ()) if link.get("Type") == "GET DATA"
    ]
    url = _data_link(links)
    if url is None:
        return None
    name = _safe(url)
    data = umm.get("DataGranule") or {}
    files = data.get("ArchiveAndDistributionInformation") or []
    file = next((f for f in files if f.get("Name") == name), files[0] if len(files) == 1 else {})
    summed = file.get("Checksum") or {}
    times = umm.get("TemporalExtent") or {}
    start = (times.get("RangeDateTime") or {}).get("BeginningDateTime") or times.get("SingleDateTime", "")
    size = file.get("SizeInBytes")
    if size is not None and (isinstance(size, bool) or int(size) < 0 or int(size) != float(size)):
        raise ValueError(f"a size of {size} bytes")
    return CatalogueEntry(
        name,
        url,
        _day(name, start),
        str(data.get("DayNightFlag", "")).upper() == "NIGHT",
        None if size is None else int(size),
        int(size or float(file.get("Size") or 0) * _UNITS.get(str(file.get("SizeUnit", "")).upper(), 0)),
        Checksum.of_catalogue(str(summed.get("Algorithm", "")), str(summed.get("Value", ""))),
    )


def _of_json(entry: Mapping[str, Any]) -> CatalogueEntry | None:
    links = [
        str(link.get("href", ""))
        for link in entry.get("links", ())
        if str(link.get("rel", "")).endswith("/data#") and not link.get("inherited")
    ]
    url = _data_link(links)
    if url is None:
        return None
    name = _safe(url)
    night = str(entry.get("day_night_flag", "")).upper() == "NIGHT"
    about = int(float(entry.get("granule_size") or 0) * 1e6)
    return CatalogueEntry(name, url, _day(name, str(entry.get("time_start", ""))), night, None, about)


def _data_link(links: list[str]) -> str | None:
    """The address of the data file: over http(s), and no picture, metadata or checksum beside it."""
    web = [link for link in links if link.startswith(("https://", "http://"))]
    return next((link for link in web if _name(link).lower().endswith(_DATA)), None)


def _name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _safe(url: str) -> str:
    """Name of the file at an address, if it can be one in a folder on every system.

    Raises:
        ValueError: if it cannot, or the address is none.
    """
    parts = urlsplit(url)
    if parts.port == 0 or not parts.hostname:
        raise ValueError("an address without a host or port")
    name = unquote(parts.path, errors="strict").rpartition("/")[2]
    if len(name.encode()) > _LONGEST or not name.isprintable() or set(name) & set('<>:"\\|?*'):
        raise ValueError("a name that no file can have")
    if name.startswith((".", " ")) or name.endswith((".", " ")) or _RESERVED.match(name):
        raise ValueError("a name that no file can have")
    return name


def _day(name: str, start: str) -> Day:
    """The day that a file's name says, or else that of its beginning."""
    if found := _DAY_IN_NAME.search(name):
        return from_day_of_year(int(found[1]), int(found[2]))
    return as_day(start[:10])
