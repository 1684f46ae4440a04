"""Morning in near real time: from a region to its map, fires and page, safe to kill and to run again."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.burned_area.burned_area import BurnedArea
from banet.days import Day, Days, day_range, parse_period
from banet.errors import BanetError, BusyError, InputError, NotFoundError, OutputError, PartialFailureError
from banet.grid.region import Region
from banet.io.files import UNFINISHED, output_folder, remove_files, write_json, writing
from banet.io.lock import lock
from banet.observations import sources
from banet.operations.area import Area
from banet.operations.incidents import Incidents
from banet.operations.looks import gaps_of, look, newest_hotspots, newest_images
from banet.operations.morning import Morning, write_morning
from banet.operations.options import MorningOptions
from banet.operations.precision import Precision, measure
from banet.operations.revisions import POLYGONS, revisions
from banet.operations.state import check_owner, dated_folders, holds_run, newest_before, said
from banet.operations.steps import (
    Clock,
    Places,
    Reporter,
    Silent,
    build,
    fetch,
    network,
    opened,
    without_hotspots,
)
from banet.operations.tracking import track

if TYPE_CHECKING:
    import pandas as pd

    from banet.cube import Cube
    from banet.mapping.water import Water
    from banet.model.engine import Engine

__all__ = ["STALE", "MorningResult", "replay", "run_morning"]

STALE = PartialFailureError.exit_code
"""Exit code of a morning whose images are too old, or of which files or tiles are missing."""


@dataclass(frozen=True)
class MorningResult:
    """Products of a morning.

    Attributes:
        day: last day of the map.
        folder: with everything.
        status: as `status.json` holds it.
    """

    day: Day
    folder: Path
    status: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """0, or 3 where images are too old or something is missing."""
        return int(self.status["exit_code"])


def run_morning(
    options: MorningOptions, reporter: Reporter | None = None, engine: Engine | None = None
) -> MorningResult:
    """Map the 64 days that end with a day, name its fires, and write all of it as one folder.

    The fires go on from the newest earlier morning in the folder, so a morning that is run twice, or again
    after it was killed, gives the same.

    Args:
        options: what to do.
        reporter: told of each step; nobody if None.
        engine: the network, if it was loaded already.

    Raises:
        NotFoundError: if there is neither a satellite file nor a cube.
        InputError: if an option does not fit, the cube or the folder is of another region, the folder is that
            of an archive run, or none of the days is there.
        BusyError: if another run of the region is at work in the folder.
    """
    # A morning that runs over midnight keeps the day with which it began.
    day = options.last_day
    options = options.model_copy(update={"day": str(day)})
    area = Area.of(options.region, options.name, options.layer)
    region, out = area.region, output_folder(options.out)
    with lock(out / region.name, f"the mornings of {region.name} in {out}", wait=options.wait):
        try:
            check_owner(out, region)
            return _run(options, area, Clock(reporter or Silent()), engine or network(options))
        except BanetError as error:
            if not isinstance(error, BusyError) and _is_newest(out, day) and _is_own(out, region):
                failure = {"region": region.name, "day": str(day), "error": str(error)}
                with contextlib.suppress(OutputError):  # a disk that is full may not even hold this
                    told = {**failure, "exit_code": error.exit_code}
                    write_json(out / "status.json", told, indent=2)
            raise


def replay(
    options: MorningOptions, start: Any, end: Any, reporter: Reporter | None = None
) -> Iterator[MorningResult]:
    """Run past mornings one after another from files at hand; each sees only days up to its own.

    Files count as arrived on their day. Which hot spots of unknown type are static sources is told from the
    whole table, later rows included. Where mornings lie 30 days apart and show enough cells, `precision.json`
    in the folder says at the end how much of what they showed has stayed.

    Args:
        options: of each morning; `day` and `download` are not used.
        start: first morning.
        end: last morning, included.
        reporter: told of each step; nobody if None.

    Raises:
        InputError: if `end` is before `start`, or as in `run_morning`.
    """
    engine = network(options)
    done: dict[Day, Path] = {}
    first, stop = parse_period(start, end)
    for day in day_range(first, stop):
        result = run_morning(
            options.model_copy(update={"day": str(day), "download": False}), reporter, engine
        )
        done[day] = result.folder
        yield result
    found = measure(done, f"{options.region}, mornings of {first} to {stop - 1}")
    if found is not None:
        found.save(options.out / "precision.json")


def _run(options: MorningOptions, area: Area, clock: Clock, engine: Engine) -> MorningResult:
    from banet.mapping import nrt_window
    from banet.mapping.water import water_of

    day, out = options.last_day, options.out
    for note in (*area.notes, *options.notes):
        clock.reporter.say(f"note: {note}")
    window = nrt_window(day)
    places = _places(options, area)
    incidents = _incidents(options, clock.reporter)
    precision = Precision.shipped() if options.precision is None else Precision.load(options.precision)
    failed = _fetched(options, places, window.days, clock)
    with clock.step("build the cube") as progress:
        table = _hotspots(places)
        cube, unread = _cube(options, places, window.days, table, progress)
        failed += unread
    with clock.step("map") as progress:
        water = water_of(cube, options.water or "auto")
        burned = area.cut(_mapped(options, cube, water, engine, progress))
    if table is not None and not _has_images(places):
        clock.reporter.say(
            f"note: {places.viirs} holds no satellite file, so the cube is mapped as it is; the hot spots at "
            "hand are not put into it"
        )
    if table is None and _has_images(places):
        note = without_hotspots(cube, (window.days[0], window.days[-1]), options.data / "hotspots")
        burned = replace(burned, attrs={**burned.attrs, "notes": [*burned.attrs.get("notes", ()), note]})
        clock.reporter.say(f"note: {note}")
    failed += [f"rows {gap['rows']}, columns {gap['cols']}: {gap['reason']}" for gap in burned.attrs["gaps"]]
    with clock.step("find fires and compare"):
        morning = _morning(options, cube, burned, table, failed, _settings(options, area, water))
        for note in morning.set_anew:
            clock.reporter.say(f"note: {note}")
        if incidents is not None:
            tracked = replace(morning.tracked, fires=incidents.named(morning.tracked.fires))
            clock.reporter.say(f"note: {incidents.told(tracked.fires)}")
            morning = replace(morning, tracked=tracked)
        morning = replace(morning, precision=_fitting(precision, options, burned), inside=area.inside)
    with clock.step("write"):
        folder = write_morning(morning, cube, out)
        newest = _is_newest(out, day)
        if newest:
            with writing(out / "latest") as part:
                part.mkdir()
                for file in folder.iterdir():
                    shutil.copy2(file, part)
        _catalogue(options, area.region)
    status = {**morning.status, "seconds": dict(clock.seconds)}
    if newest:
        write_json(out / "status.json", status, indent=2)
        clock.reporter.say(_tidied(options, places, day))
    else:
        clock.reporter.say("note: later mornings went on from what was here before; run them again")
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    return MorningResult(day, folder, status)


def _places(options: MorningOptions, area: Area) -> Places:
    hotspots: Path | None = options.data / "hotspots"
    if not options.download and not (options.data / "hotspots").exists():
        hotspots = None
    return Places(area, options.data / "viirs", hotspots, options.data / f"{area.region.name}.zarr")


def _incidents(options: MorningOptions, reporter: Reporter) -> Incidents | None:
    """Read the names of fires; a wrong file is told before anything is done."""
    if options.incidents is None:
        return None
    found = Incidents.read(options.incidents, options.incidents_field)
    reporter.say(f"note: {found.summary}")
    return found


def _fitting(precision: Precision, options: MorningOptions, burned: BurnedArea) -> Precision | None:
    """Return the precision by age if it was measured with the weights that mapped.

    Raises:
        InputError: if the table that was named is of other weights.
    """
    if precision.fits(burned):
        return precision
    if options.precision is None:
        return None
    raise InputError(f"{options.precision} was measured with other weights than {options.weights}")


def _tidied(options: MorningOptions, places: Places, day: Day) -> str:
    """Remove the raw files that are too old to be asked for again, and say how many those were."""
    from banet.download import remove_older

    if options.keep_days is None:
        return "every raw file is kept (--keep-days N removes old ones)"
    first = day - (options.keep_days - 1)
    gone = remove_older([places.viirs, options.data / "hotspots"], first)
    return f"{len(gone)} raw files of days before {first} removed; the cube keeps its days"


def _fetched(options: MorningOptions, places: Places, days: Days, clock: Clock) -> list[str]:
    """Fetch what is new; where a host or login fails, the other files are fetched, and those at hand do."""
    from banet.download import firms_key
    from banet.download.errors import CredentialsError, ForbiddenError, TransferError

    if not options.download:
        return []
    failed: list[str] = []
    period = days[0], days[-1]
    key, refused = None, None
    try:  # asked for before hours of images, and once
        key = firms_key()
    except CredentialsError as error:
        refused = error
    with clock.timed("fetch"):
        for what, images in (("satellite files", True), ("hot spots", False)):
            try:
                if refused is not None and not images:
                    raise refused
                failed += fetch(
                    options, places, period, clock.reporter, images=images, hotspots=not images, key=key
                )
            except (CredentialsError, ForbiddenError, NotFoundError, TransferError) as error:
                clock.reporter.say(f"note: no more {what} were fetched: {error}")
                failed.append(f"download: {what}: {error}")
    return failed


def _hotspots(places: Places) -> pd.DataFrame | None:
    from banet.io.files import visible_files
    from banet.observations.hotspots import read_hotspots

    if places.hotspots is None or not visible_files(places.hotspots):
        return None
    return read_hotspots(places.hotspots)


def _cube(
    options: MorningOptions, places: Places, days: Days, table: pd.DataFrame | None, progress: Any
) -> tuple[Cube, list[str]]:
    """Bring the cube up to date, or open it where there are no files beside it; tell what cannot be read."""
    if places.cube.is_dir() and not _has_images(places):
        return opened(places), []
    return build(options, replace(places, hotspots=None), (days[0], days[-1]), progress, table)


def _has_images(places: Places) -> bool:
    """Return whether there is a satellite file."""
    return places.viirs.is_dir() and any(one.files(places.viirs) for one in sources().values())


def _mapped(options: MorningOptions, cube: Cube, water: Water, engine: Engine, progress: Any) -> BurnedArea:
    from banet.mapping import map_nrt

    return map_nrt(
        cube,
        options.last_day,
        engine,
        threshold=options.threshold,
        water=water,
        scratch=options.out / UNFINISHED,
        workers=options.workers,
        keep_going=True,
        progress=progress,
    )


def _settings(options: MorningOptions, area: Area, water: Water) -> dict[str, str]:
    """Name what a map follows from beside weights and observations."""
    given = water.source == "given"  # what a cube shows may change from day to day
    found = water.digest if given else None
    return {"threshold": str(options.threshold), POLYGONS: area.digest or "", "water": found or water.source}


def _morning(
    options: MorningOptions,
    cube: Cube,
    burned: BurnedArea,
    table: pd.DataFrame | None,
    failed: list[str],
    settings: Mapping[str, str],
) -> Morning:
    """Put together all that is to be written of a morning."""
    from banet.burned_area.netcdf import read_map

    day, region = options.last_day, cube.region
    earlier = newest_before(options.out, day, region)
    before = None if earlier is None else earlier[0]
    looks = replace(look(cube, burned, None if before is None else before.looks), settings=settings)
    tracked = track(burned, before, options.min_hectares)
    changes = None
    if earlier is not None:
        changes = revisions(read_map(earlier[1] / earlier[0].map_name), burned, earlier[0].looks, looks)
    images, by_image = newest_images(cube, looks)
    hotspots, by_hotspot = newest_hotspots(table, looks)
    stale = _stale(options.max_age, day, images)
    seen = {
        "newest_images": None if images is None else str(images),
        "newest_images_by_satellite": by_image,
        "newest_hotspots": None if hotspots is None else str(hotspots),
        "newest_hotspots_by_satellite": by_hotspot,
        "gaps": gaps_of(cube, looks),
        "failed": [*failed, *stale],
        "exit_code": STALE if failed or stale else 0,
    }
    return Morning(burned, looks, tracked, before, changes, seen, options.threshold, options.stac)


def _catalogue(options: MorningOptions, region: Region) -> None:
    """Write the STAC collection of all mornings that have an item, and a catalogue of the same items.

    Where none has one any more, those of earlier mornings go. Without items asked for, files of others stay.
    """
    from banet.export.stac import CATALOGUE, COLLECTION, collection_of, write_catalogue, write_collection

    name = collection_of(region.name)
    items = [item for one in dated_folders(options.out).values() for item in one.glob("*.stac.json")]
    lists = [options.out / COLLECTION, options.out / CATALOGUE]
    own = [file for file in lists if said(file, "id") == name]
    if not items:
        remove_files(own)
    elif options.stac or all(file in own for file in lists if file.exists()):
        about = f"Burned area of {region.name}, mapped every morning"
        write_catalogue(write_collection(options.out, name, about, items))


def _stale(limit: int | None, day: Day, images: Day | None) -> list[str]:
    if limit is None:
        return []
    if images is None:
        return ["no day of the window has images"]
    age = int((day - images).astype(int))
    return [f"the newest images are of {images}, {age} days before {day}"] if age > limit else []


def _is_newest(out: Path, day: Day) -> bool:
    return all(other <= day for other in dated_folders(out))


def _is_own(out: Path, region: Region) -> bool:
    """Return whether the status in a folder, if there is one, is of mornings of this region."""
    return not holds_run(out) and said(out / "status.json", "region") in (None, region.name)
