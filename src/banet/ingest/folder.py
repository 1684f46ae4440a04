"""Folders of files to a cube: which days to build, what changed since, and what could not be had."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet import observations
from banet.cube import Cube
from banet.cube.records import DayRecord
from banet.days import Day, Days, day_range, parse_period
from banet.errors import BanetError, BanetWarning, InputError, NotFoundError, UnreadableFileError, one_line
from banet.grid.region import Region, check_region
from banet.io.counts import Counts, listed
from banet.io.files import PathLike
from banet.io.progress import Progress
from banet.observations.folder import FolderSource
from banet.observations.hotspots import fires_of, given_hotspots, tell_placed
from banet.observations.planes import DayPlanes, ObservationSource
from banet.parallel import spread

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Progress", "build_cube", "images_of", "told_source"]

_NO_FILE = "no file"
_LONGEST_HOLE = 64
"""Days between two files, of which the cube holds those without one too: a map reads so many together."""


def build_cube(
    region: Region,
    viirs_folder: PathLike,
    hotspots: PathLike | Iterable[PathLike] | pd.DataFrame | None,
    out: PathLike,
    *,
    start: Any = None,
    end: Any = None,
    source: str | None = None,
    vegetation_only: bool = True,
    workers: int | None = None,
    scheduler: str | Client | None = None,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Cube:
    """Build a cube from satellite files and hot spots, or bring one up to date.

    A day whose files and fires are those it was built from is not read again, so a build that was ended at
    any moment goes on where it stopped. A day for which new files came is built again. A day that cannot be
    read, or that has no file, becomes a recorded gap; where hot spots speak of it, their FRP is kept, also 0,
    in a day without reflectances. A day that the cube holds stays if its files are gone or can no
    longer be read, with the FRP that is new. FRP that the cube holds stays in cells and on days of which the
    hot spots do not speak, so each week's file may be given alone.

    Args:
        region: the grid.
        viirs_folder: where the satellite files are.
        hotspots: FIRMS files or folders, or the table that `read_hotspots` gave; None for no more FRP. Days
            that neither they nor an earlier build cover have no FRP (missing, not 0), and a note says so.
        out: the cube; made if it is not there.
        start: first UTC day or month; with it or `end`, days without a file are recorded as gaps, and have
            their hot spots. By default from the first file to the last, but for holes of more than 64 days.
        end: last UTC day or month, included.
        source: what the files are, see `banet.observations.sources`; told from the files by default.
        vegetation_only: leave out hot spots whose type says that no vegetation burned.
        workers: number of processes that read files; days are still written by this one, one after the other.
        scheduler: address, or client, of a dask cluster whose workers read instead; they must see folder
            and cube.
        progress: called after each day with the number of days done, of all days, and a line about the day.
        notice: called with one line that says how many hot spots lie in the region, what was left out, and
            on how many days the fires are known, and with one on how many days FRP of an earlier build stays;
            without it a `BanetWarning` says the first where rows were left out or none lies in the region.

    Raises:
        NotFoundError: if a folder or hot-spot file is not there, or no file falls on the days asked for.
        InputError: if `out` holds a cube of another region or sensor, `end` is before `start`, a hot-spot
            table lacks a column, the hot spots are of another place or of other days, or workers and a
            scheduler are given.
        UnreadableFileError: if a hot-spot file cannot be read, `out` is no cube, or no image could be read;
            the cube then holds the gaps.
        OutputError: if `out` cannot be written to, or another process is writing to it.

    Warns:
        BanetWarning: without `notice`, if hot spots were left out or none lies in the region, if files are
            named nearly as those of the source, and if days with files gave no image.
    """
    check_region(region)
    folder = Path(viirs_folder).absolute()  # where workers look for it too
    reader = observations.source(told_source(folder) if source is None else source)
    files = reader.files(folder)
    days = _days(files, start, end, folder, reader)
    table = None if hotspots is None else given_hotspots(hotspots)
    if table is not None:
        tell_placed(table, region, days, notice, vegetation_only=vegetation_only)
    cube = _open_or_create(out, region, reader)
    builder = _Builder(cube, reader, folder, files, table, vegetation_only)
    finding = spread(builder.find, days, workers=workers, scheduler=scheduler, needs=builder.needs)
    with cube.writing(), closing(finding) as days_found:
        kept = builder.commit_all(days_found, len(days), progress)
    if kept and notice is not None:
        notice(f"FRP of earlier builds kept on {kept} days, where these hot spots say nothing")
    _tell_misnamed(reader, folder, notice)
    tried = [day for day in days if day in files]
    _check_any(cube, tried)
    images = images_of(cube, tried)
    if images.left_out and notice is None:
        warnings.warn(str(images), BanetWarning, stacklevel=2)
    return cube


def _tell_misnamed(reader: ObservationSource, folder: Path, notice: Callable[[str], None] | None) -> None:
    """Tell how many files are named nearly as those that were read."""
    odd = reader.misnamed(folder) if isinstance(reader, FolderSource) else ()
    if odd:
        names = listed((path.name for path in odd), 1)
        line = f"not read, since named otherwise than {reader.name} files: {names}"
        if notice is not None:
            notice(line)
        else:
            warnings.warn(line, BanetWarning, stacklevel=3)


def images_of(cube: Cube, days: Iterable[Day] | None = None) -> Counts:
    """Count the days of a cube with images, all or some, and tell what was left out, with day and file."""
    only = None if days is None else set(days)
    gaps = {day: reasons for day, reasons in sorted(cube.gaps.items()) if only is None or day in only}
    held = [day for day in cube.days if only is None or day in only]
    records = [record for day in held if (record := cube.record(day)) is not None and record.inputs]
    lost = {day: reasons for day, reasons in gaps.items() if reasons != (_NO_FILE,)}
    seen = {np.datetime64(record.day) for record in records}
    unread = [day for day in lost if day not in seen]
    files = sum(len(record.inputs) for record in records)
    told = f"were read, from {files:,} files"
    counts = Counts("days with images", len(seen) + len(unread), len(seen), told)
    lines = [f"{day}: {'; '.join(reasons)}" for day, reasons in lost.items()]
    if len(lines) > 1:
        lines = [lines[0], f"{len(lines) - 1} more days with gaps"]
    without = sum(reasons == (_NO_FILE,) for reasons in gaps.values())
    lines += [f"{without} days without a file"] if without else []
    return counts.without("without a usable file", len(unread)).noting(*lines)


@dataclass(frozen=True, eq=False)
class _Found:
    """Finding of a day: planes to write, a gap to record, or why nothing is to be done; was FRP kept?"""

    fingerprint: str
    message: str = ""
    gap: str = ""
    planes: DayPlanes | None = None
    frp: npt.NDArray[np.float32] | None = None
    notes: list[str] = field(default_factory=list)
    kept: bool = False


@dataclass(frozen=True, eq=False)
class _Builder:
    """Settings that the days of one build have in common."""

    cube: Cube
    reader: ObservationSource
    folder: Path
    files: Mapping[Day, tuple[Path, ...]]
    table: pd.DataFrame | None
    vegetation_only: bool

    @property
    def needs(self) -> tuple[Path, ...]:
        """Paths that a process must see to take part: the cube, and one of the files for all of them."""
        return self.cube.path, *next(iter(self.files.values()))[:1]

    def find(self, day: Day) -> _Found:
        """Read what there is of a day, if anything changed; writes nothing.

        What goes wrong is this day's gap, whatever it is.
        """
        known = self.cube.record(day)
        frp, notes, kept = self._with_stored(day, known, *self._fires(day))
        files = self.files.get(day, ())
        fingerprint = _fingerprint(self.reader.name, files, frp)
        # Cubes of before left the power of quiet days without images out.
        left_out = known is not None and not known.content and _tells(frp)
        if known is not None and known.fingerprint == fingerprint and not left_out:
            return _Found(fingerprint, "unchanged", kept=kept)
        found = _Found(fingerprint, frp=frp, notes=notes, kept=kept)
        held = known if known is not None and known.inputs else None
        if not files:
            if held is not None:
                return self._held(day, held, replace(found, message="kept, its files are gone"))
            return replace(found, gap=_NO_FILE)
        try:
            planes = self.reader.read_day(self.folder, day, self.cube.region, files)
        except Exception as error:
            why = _reason(error, files)
            if held is not None:
                return self._held(day, held, replace(found, message=f"kept; {why}"))
            return replace(found, gap=why)
        return replace(found, planes=planes)

    def _with_stored(
        self, day: Day, known: DayRecord | None, frp: npt.NDArray[np.float32] | None, notes: list[str]
    ) -> tuple[npt.NDArray[np.float32] | None, list[str], bool]:
        """Fill in the FRP that the cube holds where the hot spots say nothing; say if it holds any."""
        there = None if known is None else known.summaries.get("frp")
        lacking = np.ones(self.cube.region.shape, np.bool_) if frp is None else np.isnan(frp)
        if there is None or not there.cells or not lacking.any():
            return frp, notes, False
        try:
            stored = self._frp_of(day)
        except UnreadableFileError as error:
            return frp, [*notes, f"FRP of an earlier build is lost: {_told(error)}"], False
        if not np.isfinite(stored[lacking]).any():
            return frp, notes, False
        merged = stored if frp is None else np.where(lacking, stored, frp)
        return merged, [*notes, "FRP of an earlier build is kept there"], True

    def _frp_of(self, day: Day) -> npt.NDArray[np.float32]:
        return np.asarray(self.cube.read(day, day + 1, variables=("frp",)).frp[0], np.float32)

    def _held(self, day: Day, known: DayRecord, found: _Found) -> _Found:
        """Return the stored planes of a day that has no usable files any more, if its FRP is new."""
        try:
            if found.frp is None or np.array_equal(self._frp_of(day), found.frp, equal_nan=True):
                return found
            window = self.cube.read(day, day + 1, flags=self.cube.flags)
        except UnreadableFileError as error:
            return replace(found, message=f"{found.message}; {_told(error)}")
        planes = DayPlanes(
            window.red[0],
            window.nir[0],
            window.mir[0],
            window.view_zenith[0],
            window.count[0],
            inputs=known.inputs,
            gaps=known.gaps,
            flags={name: plane[0] for name, plane in window.flags.items()},
            satellites=known.satellites,
        )
        return replace(found, message=f"{found.message}; its hot spots are new", planes=planes)

    def _fires(self, day: Day) -> tuple[npt.NDArray[np.float32] | None, list[str]]:
        try:
            return fires_of(self.table, self.cube.region, day, vegetation_only=self.vegetation_only)
        except Exception as error:
            return None, [f"the hot spots of this day cannot be used: {_told(error)}"]

    def commit_all(self, finding: Iterable[tuple[Day, _Found]], total: int, progress: Progress | None) -> int:
        """Write what was found of all days, and count those on which FRP of an earlier build is kept."""
        kept = 0
        for done, (day, found) in enumerate(finding, start=1):
            message = self.commit(day, found)
            kept += found.kept
            if progress is not None:
                progress(done, total, f"{day}: {message}")
        return kept

    def commit(self, day: Day, found: _Found) -> str:
        """Write what was found of a day, and say what was done."""
        if found.gap:
            return self._gap(day, found.gap, found.frp, found.notes, found.fingerprint)
        if found.planes is None:
            return found.message
        planes, fingerprint = found.planes, found.fingerprint
        changed = self.cube.write_day(day, planes, found.frp, notes=found.notes, fingerprint=fingerprint)
        if found.message:
            return found.message
        gaps = f", {len(planes.gaps)} gaps" if planes.gaps else ""
        return f"{len(planes.inputs)} files{gaps}" if changed else "unchanged"

    def _gap(
        self,
        day: Day,
        reason: str,
        frp: npt.NDArray[np.float32] | None,
        notes: list[str],
        fingerprint: str,
    ) -> str:
        if not _tells(frp):
            self.cube.record_gap(day, [reason], fingerprint=fingerprint)
        else:
            planes = _unseen(self.cube.region, reason)
            self.cube.write_day(day, planes, frp, notes=notes, fingerprint=fingerprint)
        return f"gap: {reason}"


def _tells(frp: npt.NDArray[np.float32] | None) -> bool:
    """Return whether power is known of a cell, be it 0."""
    return frp is not None and bool(np.isfinite(frp).any())


def _reason(error: Exception, files: Sequence[Path]) -> str:
    """Say what went wrong with a day, and in which file, as far as the error names none."""
    told = _told(error)
    if isinstance(error, BanetError) or any(path.name in told for path in files):
        return told
    return f"{listed((path.name for path in files), 1)}: {told}"


def _told(error: Exception) -> str:
    words = one_line(error)
    if isinstance(error, BanetError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _check_any(cube: Cube, days: list[Day]) -> None:
    """Make sure that the cube holds images of at least one of the days that there are files of."""
    records = [cube.record(day) for day in days]
    if not days or any(record is not None and record.inputs for record in records):
        return
    why = records[0].gaps[0] if records[0] is not None and records[0].gaps else "nothing is known of it"
    raise UnreadableFileError(f"none of the {len(days)} days with files could be read; {days[0]}: {why}")


def _unseen(region: Region, reason: str) -> DayPlanes:
    """Planes of a day on which nothing was observed."""
    missing = np.full(region.shape, np.nan, np.float32)
    return DayPlanes(missing, missing, missing, missing, np.zeros(region.shape, np.uint8), gaps=(reason,))


def told_source(folder: PathLike) -> str:
    """Return the one source of which a folder holds files.

    Raises:
        NotFoundError: if the folder is not there, or holds files of none.
        InputError: if it holds files of several.
    """
    place = Path(folder)
    found = [name for name, source in observations.sources().items() if len(source.files(place))]
    if not found:
        raise NotFoundError(
            f"the folder {place} holds no satellite file that banet knows ({_others(place)}); "
            "download the files first"
        )
    if len(found) > 1:
        raise InputError(f"{place} holds files of {' and '.join(found)}; choose with --source")
    return found[0]


def _others(folder: Path) -> str:
    others = [path.name for path in sorted(folder.iterdir())]
    return f"it holds {len(others)} others, such as {others[0]}" if others else "it is empty"


def _days(
    files: Mapping[Day, tuple[Path, ...]], start: Any, end: Any, folder: Path, reader: ObservationSource
) -> Days:
    there = np.array(sorted(files), "datetime64[D]")
    if not len(there):
        raise NotFoundError(
            f"the folder {folder} holds no {reader.name} file ({_others(folder)}); "
            "download the files first, or choose another source (viirs750-swath, surface, ...)"
        )
    if start is None and end is None:
        return _with_short_holes(there)
    first = there[0] if start is None else parse_period(start)[0]
    last = there[-1] if end is None else parse_period(end)[1] - 1
    if last < first:
        raise InputError(f"the days end ({last}) before they start ({first})")
    if not ((there >= first) & (there <= last)).any():
        raise NotFoundError(
            f"the folder {folder} holds no {reader.name} file of {first} to {last}; "
            f"its files are of {there[0]} to {there[-1]}"
        )
    return day_range(first, last + 1)


def _with_short_holes(there: Days) -> Days:
    """Return days, and those without a file between two that one map may read together."""
    parts = np.split(there, np.flatnonzero(np.diff(there) > np.timedelta64(_LONGEST_HOLE, "D")) + 1)
    return np.concatenate([day_range(part[0], part[-1] + 1) for part in parts])


def _open_or_create(out: PathLike, region: Region, reader: ObservationSource) -> Cube:
    if not Path(out).exists():
        flags = tuple(getattr(reader, "flags", ()))
        return Cube.create(out, region, sensor=reader.sensor, mir_band=reader.mir_band, flags=flags)
    cube = Cube.open(out)
    for what, there, asked in (
        ("region", cube.region, region),
        ("sensor", cube.sensor, reader.sensor),
        ("MIR band", cube.mir_band, reader.mir_band),
    ):
        if there != asked:
            raise InputError(f"the cube {out} has the {what} {there}, not {asked}; choose another output")
    return cube


def _fingerprint(source: str, files: Iterable[Path], frp: npt.NDArray[np.float32] | None) -> str:
    """Name the inputs of a day: another name means that something changed."""
    stats = [(path.name, *_stat(path)) for path in files]
    digest = hashlib.sha256(json.dumps([source, stats]).encode())
    if frp is not None:
        digest.update(np.ascontiguousarray(frp).data)
    return digest.hexdigest()


def _stat(path: Path) -> tuple[int, int]:
    """Return size and time of change (ns) of a file, -1 of one that vanished meanwhile."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
