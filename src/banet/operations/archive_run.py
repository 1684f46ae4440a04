"""Archive run: from a region and a period to maps, fires and a page, resumable at any moment."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.fires import trace_events
from banet.burned_area.hectares import in_words, known_total
from banet.burned_area.netcdf import read_map
from banet.days import period_label, period_stem
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.export.explorer import write_pages
from banet.export.products import MANIFEST, check_products, write_map
from banet.export.stac import collect, collection_file
from banet.export.vectors import write_events, write_growth
from banet.grid.region import Region
from banet.io.files import UNFINISHED, output_folder, write_json
from banet.io.lock import lock
from banet.io.settings import read_fields
from banet.io.versions import version
from banet.operations.area import Area
from banet.operations.options import RunOptions
from banet.operations.state import RUN_OPTIONS, holds_mornings
from banet.operations.steps import (
    Clock,
    Places,
    Reporter,
    Silent,
    build,
    days_needed,
    fetch,
    network,
    without_hotspots,
)

if TYPE_CHECKING:
    from banet.cube import Cube
    from banet.mapping.run import Run
    from banet.model.engine import Engine

__all__ = ["RunResult", "run_archive"]


@dataclass(frozen=True)
class RunResult:
    """Products of a run.

    Attributes:
        folder: with everything.
        maps: NetCDF map of each period, by its label.
        fires: file of fires.
        page: web page with the map.
        hectares: burned, by label of the period; None where no cell was observed.
        seconds: by step.
        failed: files and tiles that are missing, in words.
    """

    folder: Path
    maps: Mapping[str, Path]
    fires: Path
    page: Path
    hectares: Mapping[str, float | None]
    seconds: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "maps": {label: str(path) for label, path in self.maps.items()},
            "hectares": dict(self.hectares),
            "fires": str(self.fires),
            "page": str(self.page),
            "seconds": dict(self.seconds),
            "failed": list(self.failed),
        }


def run_archive(options: RunOptions, reporter: Reporter | None = None) -> RunResult:
    """Map a region's period from raw files, fetched first if asked for; go on where an earlier run ended.

    Args:
        options: what to do.
        reporter: told of each step; nobody if None.

    Raises:
        NotFoundError: if no satellite file, no hot-spot file that was named, or no such weights are there.
        InputError: if an option does not fit, or the folder holds mornings or the run of another region.
        BusyError: if another run is at work in the folder.
    """
    places, out = Places.of(options), output_folder(options.out)
    name, clock = places.region.name, Clock(reporter or Silent())
    failed, days, engine = list[str](), days_needed(options), network(options)
    for note in (*places.area.notes, *options.notes):
        clock.reporter.say(f"note: {note}")
    with lock(out / name, f"the run of {name} in {out}"):
        _check_owner(out, name)
        options.save(out / RUN_OPTIONS)
        if options.download:
            with clock.timed("fetch"):
                failed += fetch(options, places, days, clock.reporter, hotspots=not options.table_given)
        with clock.step("build the cube") as progress:
            cube, unread = build(options, places, days, progress)
            failed += unread
        if places.hotspots is None:
            clock.reporter.say(f"note: {without_hotspots(cube, days, out / 'hotspots')}")
        maps, products = _mapped(options, places, cube, engine, clock, failed)
        with clock.step("find fires and write the page"):
            fires, page = _written(options, cube, maps, out, clock.reporter)
    hectares = {label: known_total(one) for label, one in zip(products, maps, strict=True)}
    result = RunResult(out, products, fires, page, hectares, clock.seconds, tuple(failed))
    _status(result)
    return result


def _check_owner(out: Path, name: str) -> None:
    """Make sure that a folder holds neither mornings nor the run of another region.

    Raises:
        InputError: if it does: the options that lie in it are of a region of another name.
    """
    if holds_mornings(out):
        raise InputError(
            f"{out} holds mornings (banet nrt); give the run its own folder (--viirs and --hotspots may be "
            "the same)"
        )
    other = name
    # Options that cannot be read, or of which the region file has gone, say nothing.
    with contextlib.suppress(NotFoundError, UnreadableFileError):
        fields = read_fields(out / RUN_OPTIONS, "file of run options")
        other = fields.get("name") or Region.load(str(fields.get("region"))).name
    if other != name:
        raise InputError(
            f"{out} holds the run of {other}, not of {name}; give each region its own folder (--viirs and "
            "--hotspots may be the same)"
        )


@dataclass
class _Maps:
    """Maps of a run on disk: those that are there and still hold are not made again.

    Attributes:
        folder: of the maps.
        area: to which they are cut.
        settings: for the manifests.
        stem, key, there: of the map in hand.
    """

    folder: Path
    area: Area
    settings: dict[str, Any]
    stem: str = ""
    key: str = ""
    there: bool = False

    def find(self, run: Run) -> BurnedArea | None:
        """Return the map that a run would make, if it is there whole and nothing under it changed."""
        text = json.dumps([run.key(), self.area.digest, version()], sort_keys=True, default=str)
        self.key = sha256(text.encode()).hexdigest()
        self.stem = f"{run.cube.region.name}_{period_stem(run.days[0], run.days[-1] + 1)}"
        manifest = self.folder / f"{self.stem}{MANIFEST}"
        self.there = False
        with contextlib.suppress(NotFoundError, UnreadableFileError):
            self.there = check_products(manifest).config.get("key") == self.key
        return read_map(self.folder / f"{self.stem}.nc") if self.there else None

    def write(self, cube: Cube, burned: BurnedArea) -> BurnedArea:
        """Return a map as it lies on disk, written first unless it was found."""
        if self.there:
            return burned
        cut = self.area.cut(burned)
        # One with a gap has no key, so that the next run tries again.
        key = {} if burned.attrs["gaps"] else {"key": self.key}
        settings = {**self.settings, **key}
        place = f"./{collection_file(cube.region.name)}"
        write_map(cube, cut, self.folder, self.stem, settings=settings, collection=place)
        return cut


def _mapped(
    options: RunOptions, places: Places, cube: Cube, engine: Engine, clock: Clock, failed: list[str]
) -> tuple[list[BurnedArea], dict[str, Path]]:
    from banet.mapping import map_months

    out = options.out
    # Of this region alone: a run of another one in the folder holds its own.
    scratch = out / UNFINISHED / places.region.name
    settings = {"threshold": options.threshold, "weights": options.weights}
    kept = _Maps(out / "maps", places.area, settings)
    maps, products = [], {}
    with clock.step("map") as progress:
        each = map_months(
            cube,
            options.start,
            options.end,
            engine,
            threshold=options.threshold,
            water=options.water or "auto",
            scratch=scratch,
            workers=options.workers,
            keep_going=True,
            progress=progress,
            known=kept.find,
        )
        for found in each:
            burned = kept.write(cube, found)
            label = period_label(burned.start, burned.stop)
            maps.append(burned)
            products[label] = kept.folder / f"{kept.stem}.nc"
            failed += [f"{label}: {gap['reason']}" for gap in burned.attrs.get("gaps", ())]
            there = " (was there)" if kept.there else ""
            clock.reporter.say(f"{label}: {in_words(burned)}{there}")
    if not failed:
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            scratch.parent.rmdir()
    return maps, products


def _written(
    options: RunOptions, cube: Cube, maps: list[BurnedArea], out: Path, reporter: Reporter
) -> tuple[Path, Path]:
    """Write the fires of all maps, and the page."""
    events = trace_events(maps, min_hectares=options.min_hectares)
    reporter.say(events.summary)
    name = cube.region.name
    fires = write_events(events, out / f"{name}_fires.gpkg")
    write_events(events, out / f"{name}_fires.geojson")
    write_growth(events, out / f"{name}_growth.csv")
    collect(out / "maps", name)
    (page,) = write_pages(maps, out, cube=cube, min_hectares=options.min_hectares)
    return fires, page


def _status(result: RunResult) -> None:
    """Write what the run made as JSON."""
    values: dict[str, Any] = {
        "maps": {label: path.name for label, path in result.maps.items()},
        "hectares": dict(result.hectares),
        "seconds": dict(result.seconds),
        "failed": list(result.failed),
    }
    write_json(result.folder / "status.json", values, indent=2)
