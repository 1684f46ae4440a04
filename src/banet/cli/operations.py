"""`banet run` and `banet nrt`: from a region to maps, fires and a page, of a period or of a morning."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.progress import Progress, failure, is_quiet, progress, say, tell

if TYPE_CHECKING:
    from cyclopts import App

    from banet.operations.nrt import MorningResult


class Aside:
    """Reporter on standard error, for commands whose standard output is JSON."""

    def say(self, text: str) -> None:
        """Print a line."""
        if not is_quiet():
            sys.stderr.write(text + "\n")

    def progress(self, title: str) -> AbstractContextManager[Progress]:
        """Show the progress of a step."""
        return progress(title)


class Terminal:
    """Reporter on the terminal: lines on standard output, progress on standard error."""

    def say(self, text: str) -> None:
        """Print a line."""
        if not is_quiet():
            say(text)

    def progress(self, title: str) -> AbstractContextManager[Progress]:
        """Show the progress of a step."""
        return progress(title)


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(run_region, name="run")
    root.command(run_mornings, name="nrt")


def run_region(
    region: str | None = None,
    *,
    name: str | None = None,
    layer: str | None = None,
    start: str | None = None,
    end: str | None = None,
    out: Path | None = None,
    download: bool | None = None,
    viirs: Path | None = None,
    hotspots: Path | None = None,
    cube: Path | None = None,
    product: str | None = None,
    source: str | None = None,
    satellites: str | None = None,
    weights: str | None = None,
    engine: str | None = None,
    threshold: float | None = None,
    min_hectares: float | None = None,
    water: Path | None = None,
    workers: int | None = None,
    config: Path | None = None,
    write_config: Path | None = None,
    json: bool = False,
) -> None:
    """Fetch the files of REGION from START to END, map it, find its fires and write a page.

    The run goes on where it was ended. What is there already is not fetched, built or mapped again.

    Args:
        region: a R_NAME.json, the name of a region that ships, a box W,S,E,N, or a file of polygons to which
            the maps are cut.
        name: of the region, where it is a box or polygons.
        layer: of the file of polygons, where it has several.
        start: first day or month, YYYY-MM-DD or YYYY-MM.
        end: last day or month, included.
        out: folder for everything: viirs/, hotspots/, NAME.zarr, maps/, NAME_fires.gpkg, NAME_map.html.
        download: fetch what is missing (default); --no-download works on the files at hand.
        viirs: folder of satellite files; OUT/viirs if left out.
        hotspots: folder or file of hot spots; OUT/hotspots if left out.
        cube: the cube; OUT/NAME.zarr if left out.
        product: files to fetch: 750, 375, surface, sdr, sdr375 (or the longer names of 'banet download').
        source: kind of the files at hand; told from the files if left out.
        satellites: some of snpp,noaa20,noaa21; all that fly in the period if left out.
        weights: name or path; several, separated by commas, are averaged.
        engine: what computes; see 'banet doctor'.
        threshold: least burned value of a cell that counts as burned.
        min_hectares: smaller fires are left out of the list, and counted.
        water: file of water, polygons or a GeoTIFF of cells that are not zero or of shares 0-1; by default
            found in the images.
        workers: processes that read files and map.
        config: YAML file of these options; what is given here wins.
        write_config: write the options to this file and do nothing else.
        json: print the maps, hectares, fires and page as JSON, and all else on standard error.
    """
    given = {key: value for key, value in locals().items() if value is not None}
    given = {key: value for key, value in given.items() if key not in ("config", "write_config", "json")}
    from banet.errors import InputError, PartialFailureError
    from banet.operations.archive_run import run_archive
    from banet.operations.options import RunOptions

    options = RunOptions.parse(given, "banet run") if config is None else RunOptions.load(config, **given)
    if write_config is not None:
        saved = options.save(write_config)
        tell({"config": saved}, str(saved), json)
        return
    if options.period[0] >= options.period[1]:
        raise InputError("the period holds no day")
    result = run_archive(options, Aside() if json else Terminal())
    tell(result.to_dict(), f"fires: {result.fires}\npage:  {result.page}", json)
    for line in result.failed:
        failure(line)
    if result.failed:
        raise PartialFailureError(
            f"{len(result.failed)} parts are missing; the same command tries them again"
        )


def run_mornings(
    region: str,
    *,
    name: str | None = None,
    layer: str | None = None,
    data: Path,
    out: Path,
    day: str | None = None,
    download: bool | None = None,
    replay: tuple[str, str] | None = None,
    max_age: int | None = None,
    json: bool = False,
    product: str = "viirs750-swath",
    source: str | None = None,
    satellites: str | None = None,
    weights: str = "default",
    engine: str = "auto",
    threshold: float = 0.5,
    min_hectares: float = 100.0,
    water: Path | None = None,
    workers: int | None = None,
    keep_days: int | None = None,
    incidents: Path | None = None,
    incidents_field: str | None = None,
    precision: Path | None = None,
    wait: float = 0.0,
    stac: bool = True,
) -> None:
    """Map the 64 days of REGION that end yesterday, with fires that keep their names.

    A morning that was killed, or is run twice, gives the same files. Exit codes: 0 done; 3 done, but images
    are older than --max-age or a file or tile is missing; 1 not done, or another run is at work; 2 wrong
    input.

    Args:
        region: a R_NAME.json, the name of a region that ships, a box W,S,E,N, or a file of polygons to which
            the map is cut.
        name: of the region, where it is a box or polygons.
        layer: of the file of polygons, where it has several.
        data: folder with viirs/, hotspots/ and NAME.zarr.
        out: folder for YYYY-MM-DD/, latest/ and status.json.
        day: last day to map, YYYY-MM-DD; yesterday in UTC if left out.
        download: fetch what is missing (default); --no-download works on the files at hand.
        replay: first and last morning of a past season, run one after another from the files at hand.
        max_age: days by which the newest day with images may lie before the last day.
        json: print the status as JSON on standard output, a line a morning, and all else on standard error.
        product: files to fetch: 750, 375, surface, sdr, sdr375 (or the longer names of 'banet download').
        source: kind of the files at hand; told from the files if left out.
        satellites: some of snpp,noaa20,noaa21; all that fly if left out.
        weights: name or path; several, separated by commas, are averaged.
        engine: what computes; see 'banet doctor'.
        threshold: least burned value of a cell that counts as burned.
        min_hectares: smaller fires are left out of the list, and counted.
        water: file of water, polygons or a GeoTIFF of cells that are not zero or of shares 0-1; by default
            found in the images.
        workers: processes that read files and map.
        keep_days: remove raw files of days older than so many, 64 or more, once the morning is done.
        incidents: an agency's file of perimeters or points; its names go to the fires that they overlap.
        incidents_field: field of these names; found by its name if left out.
        precision: precision.json of a replay; the table that ships if left out.
        wait: seconds to wait for another run of the region to end.
        stac: also write STAC items and OUT/collection.json (default).
    """
    given = {key: value for key, value in locals().items() if value is not None}
    given = {key: value for key, value in given.items() if key not in ("replay", "json")}
    from banet.errors import InputError
    from banet.operations.nrt import replay as mornings
    from banet.operations.nrt import run_morning
    from banet.operations.options import MorningOptions

    options = MorningOptions.parse(given, "banet nrt")
    if replay is not None and day is not None:
        raise InputError("give --day or --replay, not both")
    if replay is not None and download:
        raise InputError("give --download or --replay, not both: past mornings take the files at hand")
    reporter = Aside() if json else Terminal()
    results = [run_morning(options, reporter)] if replay is None else mornings(options, *replay, reporter)
    _tell_mornings(results, json)


def _tell_mornings(results: Iterable[MorningResult], as_json: bool) -> None:
    """Print each morning as it is done and what failed of it; an error says at the end what is missing."""
    from banet.errors import PartialFailureError

    incomplete = 0
    for result in results:
        tell(result.status, _told(result), as_json)
        for line in result.status["failed"]:
            failure(line)
        incomplete += result.exit_code != 0
    if incomplete:
        raise PartialFailureError("images are too old or parts are missing; the same command tries again")


def _told(result: MorningResult) -> str:
    """Return a morning in one line."""
    found = result.status
    news = ", ".join(f"{len(found[kind])} {kind}" for kind in ("new", "grown", "ended"))
    hectares = found["hectares"]
    burned = "not observed" if hectares is None else f"{hectares:,.0f} ha burned"
    burned += f" since {found['first_day']}"
    return f"{found['day']}: {burned}, {found['fires']} fires ({news}): {result.folder}"
