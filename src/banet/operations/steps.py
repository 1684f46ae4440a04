"""Steps from a region to a page: fetch, build, map, find fires, write. Each does only what is missing."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.days import Day, day_range
from banet.errors import BanetError, InputError, OutputError, UnreadableFileError
from banet.grid.region import Region
from banet.io.files import visible_files
from banet.io.progress import Progress
from banet.operations.area import Area
from banet.operations.options import MorningOptions, RunOptions

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import SecretStr

    from banet.cube import Cube
    from banet.download import Plan
    from banet.model.engine import Engine

__all__ = [
    "CUBE_BYTES",
    "Places",
    "Reporter",
    "Silent",
    "build",
    "check_disk",
    "days_needed",
    "fetch",
    "network",
    "opened",
    "without_hotspots",
]


class Silent:
    """Reporter that says nothing."""

    def say(self, text: str) -> None:
        """Take a line."""

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[Progress | None]:
        """Take progress of a step."""
        yield None


Reporter = Any
"""Anything with `say(text)` and `progress(title)`, as `Silent` has."""


@dataclass
class Clock:
    """Seconds that each step took.

    Attributes:
        reporter: told of each step.
        seconds: by step.
    """

    reporter: Reporter
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Progress | None]:
        """Run a step, and keep and say what it took."""
        with self.timed(title), self.reporter.progress(title) as progress:
            yield progress

    @contextlib.contextmanager
    def timed(self, title: str) -> Iterator[None]:
        """Run a step that shows its own progress, and keep and say what it took."""
        start = time.perf_counter()
        yield
        self.seconds[title] = round(time.perf_counter() - start, 2)
        self.reporter.say(f"{self.seconds[title]:8.1f} s  {title}")


def days_needed(options: RunOptions) -> tuple[Day, Day]:
    """Return the first and last day that the network needs to map a period, both included."""
    from banet.mapping.windows import period_windows

    windows = period_windows(*options.period, np.zeros(0, "datetime64[D]"))
    return min(window.start for window in windows), max(window.stop for window in windows) - 1


@dataclass(frozen=True)
class Places:
    """Area of a run, and where its files are.

    Attributes:
        area: its region is the grid.
        viirs: folder of satellite files.
        hotspots: folder or file of hot spots; None for none.
        cube: the cube.
    """

    area: Area
    viirs: Path
    hotspots: Path | None
    cube: Path

    @property
    def region(self) -> Region:
        """The grid."""
        return self.area.region

    @classmethod
    def of(cls, options: RunOptions) -> Places:
        """Return the places that the options name, or those under the folder of the run."""
        area, out = Area.of(options.region, options.name, options.layer), options.out
        hotspots: Path | None = options.hotspots or out / "hotspots"
        if options.hotspots is None and not options.download and not (out / "hotspots").is_dir():
            hotspots = None
        cube = options.cube or out / f"{area.region.name}.zarr"
        return cls(area, options.viirs or out / "viirs", hotspots, cube)


def fetch(
    options: RunOptions | MorningOptions,
    places: Places,
    days: tuple[Day, Day],
    reporter: Reporter,
    *,
    images: bool = True,
    hotspots: bool = True,
    key: SecretStr | None = None,
) -> tuple[str, ...]:
    """Fetch satellite files and hot spots that are missing, after saying how many and how large they are.

    Args:
        options: product and satellites.
        places: where files go.
        days: first and last day, both included.
        reporter: told of each step.
        images: fetch satellite files.
        hotspots: fetch hot spots.
        key: for hot spots, looked for if None.

    Returns:
        Lines on what could not be fetched.

    Raises:
        CredentialsError: if a login is missing or refused.
        OutputError: if the disk has not enough room.
    """
    from banet.download import (
        connected,
        fetch_all,
        firms_key,
        load_settings,
        plan_hotspots,
        plan_viirs,
        remove_superseded,
    )

    if not (images or hotspots):
        return ()
    first, last = days
    region, satellites, folder = places.region, options.satellites, places.hotspots or options.out
    key = (key or firms_key()) if hotspots else None
    failed: list[str] = []
    plans: dict[str, Plan] = {}
    settings = load_settings()
    with connected(settings, login=images and settings.needs_login(options.product)) as client:
        if images:
            plans["satellite files"] = plan_viirs(
                client, region, first, last, places.viirs, product=options.product, satellites=satellites
            )
        if key is not None:
            plans["hot spots"] = plan_hotspots(
                client, key, region, first, last, folder, satellites=satellites
            )
        for name, plan in plans.items():
            reporter.say(f"{name}: {plan.summary()}")
            for note in plan.notes:
                reporter.say(f"note: {note}")
        reporter.say(check_disk(places, plans.values(), int((last - first).astype(int)) + 1))
        for name, plan in plans.items():
            with reporter.progress(f"fetch {name}") as progress:
                report = fetch_all(client, plan.jobs, progress=progress)
            failed += [f"{one.name}: {one.reason}" for one in (*report.failed, *plan.failed)]
            failed += [f"{one}: not tried" for one in report.not_attempted]
            if name == "hot spots":
                remove_superseded((*report.fetched, *report.present))
    if failed:
        reporter.say(f"note: {len(failed)} files were not fetched; the first: {failed[0]}")
    return tuple(failed)


CUBE_BYTES = 5
"""Bytes that a cell and day take in a cube, at most; 64 days of 1700 x 4100 cells took 3.4."""


def check_disk(places: Places, plans: Iterable[Plan], days: int) -> str:
    """Return in a line what downloads and cube need of the disk, and what it has.

    Raises:
        OutputError: if that is not enough.
    """
    from banet.download.pool import human, room
    from banet.download.transfer import is_there

    missing = sum(job.bytes for plan in plans for job in plan.jobs if not is_there(job))
    rows, cols = places.region.shape
    grown = 0 if places.cube.is_dir() else rows * cols * days * CUBE_BYTES
    needs = f"downloads need {human(missing)}, the cube at most {human(grown)}"
    free = room(places.viirs)
    if free is None:
        return f"disk: {needs}"
    if free < missing + grown:
        raise OutputError(
            f"{needs}, but {places.viirs.parent} has {human(free)} free; make room, or ask for less"
        )
    return f"disk: {needs}; {human(free)} free"


def build(
    options: RunOptions | MorningOptions,
    places: Places,
    days: tuple[Day, Day],
    progress: Progress | None,
    hotspots: pd.DataFrame | None = None,
) -> tuple[Cube, list[str]]:
    """Build the cube of some days, both ends included, or bring it up to date.

    Where files are fetched, a satellite file that cannot be read is set aside: the next run fetches it again.

    Args:
        options: source and workers.
        places: where the files are.
        days: first and last day.
        progress: told of each day.
        hotspots: table that was read already; otherwise the files are read.

    Returns:
        The cube, and lines on satellite files that could not be read.
    """
    from banet.ingest.folder import build_cube

    first, last = days
    said: list[str] = []

    def tell(done: int, total: int, line: str) -> None:
        said.append(line)
        if progress is not None:
            progress(done, total, line)

    try:
        cube = build_cube(
            places.region,
            places.viirs,
            places.hotspots if hotspots is None else hotspots,
            places.cube,
            start=first,
            end=last,
            source=options.source,
            workers=options.workers,
            progress=tell,
        )
    except UnreadableFileError:
        with contextlib.suppress(BanetError):
            _unread(options, places, opened(places), days)
        raise
    unread = _unread(options, places, cube, days, [line for line in said if _KEPT in line])
    return cube, unread


def _unread(
    options: RunOptions | MorningOptions,
    places: Places,
    cube: Cube,
    days: tuple[Day, Day],
    said: Sequence[str] = (),
) -> list[str]:
    """Return lines on files at hand of some days that could not be read, and set these aside."""
    from banet.download.tidying import set_aside

    first, last = days
    gaps = {day: reasons for day, reasons in cube.gaps.items() if first <= day <= last}
    said = [*said, *(f"{day}: {why}" for day, reasons in gaps.items() for why in reasons)]
    there = {path.name: path for path in visible_files(places.viirs)} if said else {}
    found: list[str] = []
    for line in dict.fromkeys(said):
        parts = (part for part in line.split("; ") if not part.endswith(_WHOLE))
        names = there.keys() & {word for part in parts for word in re.split(r"[\s:,]+", part)}
        if not names:
            continue
        aside = [options.download and set_aside(there[name]) for name in sorted(names)]
        found.append(f"{line}; set aside, to be fetched again" if any(aside) else line)
    return found


_KEPT = ": kept; "
"""Mark of a line on a day that stays as it was, since its files cannot be read any more."""

_WHOLE = ("beside it", "is read in its place", "is not in it")
"""Ends of lines on files that are whole, but lack another one, stand in for one or lie elsewhere."""


def opened(places: Places) -> Cube:
    """Open the cube of a region.

    Raises:
        InputError: if it is of another region.
    """
    from banet.cube import open_cube

    cube = open_cube(places.cube)
    if cube.region != places.region:
        raise InputError(f"the cube {places.cube} is of {cube.region}, not of {places.region}; give its own")
    return cube


def without_hotspots(cube: Cube, days: tuple[Day, Day], folder: Path) -> str:
    """Say what maps of some days, both ends included, follow from where a folder holds no hot spots."""
    first, last = days
    records = [cube.record(day) for day in day_range(first, last + 1)]
    held = [record.summaries for record in records if record is not None and record.content]
    known = sum(summaries["frp"].cells > 0 for summaries in held)
    told = f"FRP of earlier builds is known on {known} of {len(records)} days"
    return f"no hot spots in {folder}; {told if known else 'the images alone tell what burned'}"


def network(options: RunOptions | MorningOptions) -> Engine:
    """Return the network that the options name, ready to compute."""
    from banet.model.engine import Engine
    from banet.model.weights import load_models
    from banet.parallel import threads_for

    threads = None if options.workers is None else threads_for(options.workers)
    return Engine(load_models(options.weights.split(",")), options.engine, threads=threads)
