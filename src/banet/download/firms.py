"""Active fires of FIRMS: the area service in pieces of a few days, and the yearly archives of countries.

Area service: `.../api/area/csv/KEY/SOURCE/W,S,E,N/DAYS/YYYY-MM-DD`, DAYS from that date on. Standard rows
(SP) end some months ago, near-real-time ones (NRT) today; `data_availability` says where (data_id, min_date,
max_date).

Files are named `firms_{SOURCE}_{REGION}-{BOX}_{FIRST}_{LAST}.csv`, where BOX stands for the box's numbers.
Pieces begin at fixed days, so that any two runs agree on them; one whose last days may still get rows ends in
`_early.csv`, or in `_open.csv` where the last day had not ended (UTC), and is fetched again by the next run.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import itertools
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from banet.days import Day, as_day, today_utc
from banet.download.client import Client
from banet.download.cmr import boxes
from banet.download.content import problem_with, said
from banet.download.errors import CredentialsError, MissingError, TransferError, TransientError
from banet.download.flights import flown
from banet.download.plan import Plan
from banet.download.pool import Failure
from banet.download.refusals import Explain
from banet.download.settings import FirmsSettings, FirmsSources
from banet.download.transfer import FileJob
from banet.errors import BanetWarning, InputError, NotFoundError
from banet.grid.region import Region
from banet.io.files import PathLike
from banet.observations.file_names import OWN_TABLE

__all__ = ["plan_archives", "plan_hotspots", "remove_superseded"]

Box = tuple[float, float, float, float]
_COUNTRY = re.compile(r"[A-Za-z][A-Za-z_.'()-]*")


@dataclass(frozen=True)
class _Span:
    """Days that a source has, both included; None where it is not known."""

    first: Day | None
    last: Day | None


@dataclass(frozen=True)
class _Piece:
    """Days of a source to ask for at once, both included; `mark` says that rows may still come."""

    source: str
    first: Day
    last: Day
    mark: str


def plan_hotspots(
    client: Client,
    key: SecretStr,
    region: Region,
    start: Day,
    end: Day,
    out: PathLike,
    *,
    satellites: Sequence[str] = (),
    today: Day | None = None,
) -> Plan:
    """Plan the active fires of a region: standard rows where they exist, near-real-time ones after.

    Whole pieces are fetched, so that up to `firms.max_days` - 1 days before `start` and after `end` come
    along. A satellite that flies on, but is not among the sources that FIRMS says it has, counts as failed.

    Args:
        client: connections and settings.
        key: FIRMS map key.
        region: its box is asked for; one across the antimeridian in two.
        start: first UTC day.
        end: last UTC day, included; days after today are left out.
        out: folder for the tables.
        satellites: of the settings; by default those that they name.
        today: UTC; now by default.

    Raises:
        InputError: if a satellite is not known, or the days are empty or to come.
        NotFoundError: if no source has any of the days.
        CredentialsError: if FIRMS does not accept the key.
        TransferError: if FIRMS cannot be asked.
    """
    settings = client.settings.firms
    now = as_day(today) if today is not None else today_utc()
    first, last = as_day(start), min(as_day(end), now)
    if last < first:
        raise InputError(f"no day to ask hot spots for: from {first} to {as_day(end)}, and today is {now}")
    known = _availability(client, key)
    jobs: list[FileJob] = []
    notes: list[str] = []
    failed: list[Failure] = []
    for satellite in _satellites(satellites or settings.satellites, settings.sources):
        since, until, line = flown(client.settings, satellite, first, last)
        if line:
            notes.append(line)
        if until < since:
            continue
        sources = settings.sources[satellite]
        pieces = list(_pieces(settings, sources, known, since, until, now))
        lacking = _uncovered(pieces, since, until)
        if lacking and until == last and known and sources.nrt and sources.nrt not in known:
            failed.append(Failure(satellite, f"{lacking}: its list of sources lacks {sources.nrt}"))
        elif lacking:
            notes.append(f"{satellite}: {lacking}")
        jobs.extend(
            _job(settings, key, piece, region.name, box, out) for piece in pieces for box in boxes(region)
        )
    if not jobs:
        why = [*notes, *(f"{one.name}: {one.reason}" for one in failed)]
        raise NotFoundError(f"FIRMS has no hot spots from {first} to {last}: {'; '.join(why)}")
    return Plan(tuple(jobs), tuple(notes), tuple(failed))


def plan_archives(
    client: Client, country: str, start: Day, end: Day, out: PathLike, *, satellites: Sequence[str] = ()
) -> Plan:
    """Plan the yearly tables of a country, which need no key.

    Args:
        client: connections and settings.
        country: as FIRMS writes it; blanks become `_`.
        start: UTC day of the first year; tables hold whole years.
        end: UTC day of the last year.
        out: folder for the tables.
        satellites: of `firms.archives` in the settings; S-NPP by default.

    Raises:
        InputError: if the country cannot be one, or a satellite has no archive.
        NotFoundError: if no satellite flew in any of the years.
    """
    settings = client.settings.firms
    name = country.strip().replace(" ", "_")
    if not _COUNTRY.fullmatch(name):
        raise InputError(f"{country!r} is no country as FIRMS writes them, such as Portugal or South_Africa")
    years = range(as_day(start).astype(object).year, as_day(end).astype(object).year + 1)
    if not years:
        raise InputError(f"the days end ({as_day(end)}) before they start ({as_day(start)})")
    jobs: list[FileJob] = []
    notes: list[str] = []
    for satellite in _satellites(satellites or ("snpp",), settings.archives):
        kind = settings.archives[satellite]
        first, last = as_day(f"{years[0]}-01-01"), as_day(f"{years[-1]}-12-31")
        since, until, line = flown(client.settings, satellite, first, last)
        if as_day(start) < since or as_day(end) > until:
            notes.append(line)
        for year in (
            year for year in years if since.astype(object).year <= year <= until.astype(object).year
        ):
            url = settings.archive.format_map({"set": kind, "year": year, "country": name})
            jobs.append(FileJob(url, Path(out) / f"{kind}_{year}_{name}.csv", explain=_no_archive))
    if not jobs:
        raise NotFoundError(f"FIRMS has no archive of these years: {'; '.join(notes)}")
    return Plan(tuple(jobs), tuple(notes))


def remove_superseded(files: Iterable[Path]) -> list[Path]:
    """Remove the tables beside `files` that one of these has taken the place of.

    Only tables with this module's names are looked at: of the same source, place and no day outside, or
    near-real-time ones of the same satellite whose days a standard one covers. One with rows stays beside one
    without: that may be a fault of the service, so it is asked for again.

    Returns:
        What was removed.

    Warns:
        BanetWarning: if a table without rows stands beside one with rows.
    """
    gone = []
    for file in files:
        new = OWN_TABLE.fullmatch(file.name)
        if new is None or not file.is_file():
            continue
        sources = {new["source"], re.sub(r"_SP$", "_NRT", new["source"])}
        kept = []
        for other in sorted(file.parent.glob(f"firms_*_{new['place']}_*.csv")):
            old = OWN_TABLE.fullmatch(other.name)
            if old is None or other == file or old["source"] not in sources or old["place"] != new["place"]:
                continue
            if new["first"] <= old["first"] and old["last"] <= new["last"]:
                if _has_rows(other) and not _has_rows(file):
                    kept.append(other)
                    continue
                other.unlink()
                gone.append(other)
        if kept:
            _ask_again(file, kept)
    return gone


def _has_rows(table: Path) -> bool:
    """Return whether a table has a line below its header."""
    with table.open(encoding="utf-8", errors="replace") as lines:
        return sum(1 for _ in itertools.islice(filter(str.strip, lines), 2)) > 1


def _ask_again(empty: Path, kept: Sequence[Path]) -> None:
    """Let the next run fetch a table without rows again, as one of which rows may still come."""
    early = empty.with_name(f"{empty.stem}_early.csv")
    if early in kept:
        empty.unlink()
    elif OWN_TABLE.fullmatch(early.name):
        empty.replace(early)
    more = f" and {len(kept) - 1} more hold" if len(kept) > 1 else " holds"
    warnings.warn(
        f"{empty.name} holds no hot spot where {kept[0].name}{more} some: these stay; it is asked for again",
        BanetWarning,
        stacklevel=3,
    )


def _satellites(wanted: Sequence[str], known: Iterable[str]) -> Sequence[str]:
    names = list(known)
    if strange := [name for name in wanted if name not in names]:
        raise InputError(f"no hot spots of {', '.join(strange)} here; known are {', '.join(names)}")
    return wanted


def _availability(client: Client, key: SecretStr) -> dict[str, _Span]:
    """Days of each source as FIRMS says; empty where the settings have no such service."""
    address = client.settings.firms.availability
    if address is None:
        return {}
    label, url = "the days that FIRMS has", address.format_map({"key": key.get_secret_value()})
    explain = _explains(client.settings.firms)

    def once() -> str:
        with client.open(url, label=label, explain=explain) as answer:
            return client.read(answer, label).decode("utf-8", "replace")

    text = client.retrying(once)
    spans = _spans(text)
    if not spans:
        problem = problem_with(text.encode(), "csv") or "a table of other columns"
        raise explain(200, said(text.encode())) or TransferError(
            f"{label}: expected data_id, min_date, max_date, found {problem}; "
            "set firms.availability to null to do without"
        )
    return spans


def _spans(text: str) -> dict[str, _Span]:
    """Days by source in a table; a row that cannot be read is as if the source were not there."""
    spans = {}
    for row in csv.DictReader(text.lstrip("\ufeff").replace("\0", "").splitlines()):
        source, first, last = (row.get(name) for name in ("data_id", "min_date", "max_date"))
        if source and first and last:
            with contextlib.suppress(InputError):
                spans[source.strip()] = _Span(as_day(first.strip()), as_day(last.strip()))
    return spans


def _pieces(
    settings: FirmsSettings,
    sources: FirmsSources,
    known: dict[str, _Span],
    first: Day,
    last: Day,
    today: Day,
) -> Iterator[_Piece]:
    """Cut days into pieces of one source each that begin at fixed days."""
    standard = _span(sources.standard, known, _Span(None, today - settings.standard_lag_days))
    early = _span(sources.nrt, known, _Span(None, today))
    begin = first - int(first.astype(np.int64)) % settings.max_days
    while begin <= last:
        stop = min(begin + (settings.max_days - 1), today)
        settled = _clipped(sources.standard, begin, stop, standard)
        after = begin if settled is None else settled.last + 1
        fresh = _clipped(sources.nrt, after, stop, early)
        if settled is not None:
            yield settled
        if fresh is not None:
            late = "_early" if fresh.last > today - settings.settle_days else ""
            yield replace(fresh, mark="_open" if fresh.last >= today else late)
        begin = begin + settings.max_days


def _span(source: str | None, known: dict[str, _Span], otherwise: _Span) -> _Span | None:
    if source is None:
        return None
    return known.get(source) if known else otherwise


def _clipped(source: str | None, first: Day, last: Day, span: _Span | None) -> _Piece | None:
    """Return those of some days that a source has."""
    if source is None or span is None:
        return None
    first = first if span.first is None else max(first, span.first)
    last = last if span.last is None else min(last, span.last)
    return _Piece(source, first, last, "") if first <= last else None


def _uncovered(pieces: Iterable[_Piece], first: Day, last: Day) -> str:
    """Say of which days no source has rows; empty if there is none."""
    covered = {day for piece in pieces for day in range(_number(piece.first), _number(piece.last) + 1)}
    lacking = [day for day in range(_number(first), _number(last) + 1) if day not in covered]
    if not lacking:
        return ""
    ends = np.datetime64(lacking[0], "D"), np.datetime64(lacking[-1], "D")
    return f"FIRMS has nothing of {len(lacking)} days from {ends[0]} to {ends[1]}"


def _number(day: Day) -> int:
    return int(day.astype(np.int64))


def _job(
    settings: FirmsSettings, key: SecretStr, piece: _Piece, region: str, box: Box, out: PathLike
) -> FileJob:
    area = ",".join(f"{value:.10g}" for value in box)
    mark = hashlib.sha256(area.encode()).hexdigest()[:6]
    days = f"{piece.first}_{piece.last}".replace("-", "")
    name = f"firms_{piece.source}_{region}-{mark}_{days}{piece.mark}.csv"
    url = settings.area.format_map(
        {
            "key": key.get_secret_value(),
            "source": piece.source,
            "bbox": area,
            "days": _number(piece.last) - _number(piece.first) + 1,
            "date": piece.first,
        }
    )
    # The key is in the address, which is written down beside a file that can be resumed.
    return FileJob(
        url, Path(out) / name, resumable=False, fresh=bool(piece.mark), explain=_explains(settings)
    )


def _explains(settings: FirmsSettings) -> Explain:
    """Return a reader of the service's refusals, which come with status 200, 400 or 403."""

    def explain(status: int, text: str) -> Exception | None:
        words, found = said(text.encode()), text.lower()
        if "invalid map_key" in found:
            return CredentialsError(
                "FIRMS does not accept the key in FIRMS_MAP_KEY; check it at "
                "firms.modaps.eosdis.nasa.gov/api/map_key "
                "(after too many requests it says so of a good key too)"
            )
        if "transaction limit" in found:
            return TransientError(
                "FIRMS answers that the key's transactions are used up; wait ten minutes",
                retry_after=settings.limit_wait_s,
            )
        if "invalid" in found and not found.lstrip().startswith("<"):
            return TransferError(f"FIRMS answers {words!r}; see firms in the download settings")
        return None

    return explain


def _no_archive(status: int, text: str) -> Exception | None:
    if status != 404:
        return None
    return MissingError(
        "FIRMS has no such archive; is the country written as on its page (United_States), and the year over?"
    )
