"""`banet run`: from a region and a period to maps, fires and a page."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from banet.cli.progress import Progress, caution, progress, say

if TYPE_CHECKING:
    from cyclopts import App


class Terminal:
    """Reporter on the terminal: lines on standard output, progress on standard error."""

    def say(self, text: str) -> None:
        """Print a line."""
        say(text)

    def progress(self, title: str) -> AbstractContextManager[Progress]:
        """Show the progress of a step."""
        return progress(title)


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(run_region, name="run")


def run_region(
    region: str | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    out: Path | None = None,
    download: bool | None = None,
    viirs: Path | None = None,
    hotspots: Path | None = None,
    cube: Path | None = None,
    product: Literal["750", "375", "surface"] | None = None,
    source: str | None = None,
    satellites: str | None = None,
    weights: str | None = None,
    engine: str | None = None,
    threshold: float | None = None,
    min_hectares: float | None = None,
    workers: int | None = None,
    config: Path | None = None,
    write_config: Path | None = None,
) -> None:
    """Fetch the files of REGION from START to END, map it, find its fires and write a page.

    The run goes on where it was ended. What is there already is not fetched, built or mapped again.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        start: first month or day, YYYY-MM or YYYY-MM-DD.
        end: last month or day, included.
        out: folder for everything: viirs/, hotspots/, NAME.zarr, maps/, NAME_fires.gpkg, NAME_map.html.
        download: fetch what is missing (default); --no-download works on the files at hand.
        viirs: folder of satellite files; OUT/viirs if left out.
        hotspots: folder or file of hot spots; OUT/hotspots if left out.
        cube: the cube; OUT/NAME.zarr if left out.
        product: files to fetch: swaths at 750 or 375 m, or surface reflectance tiles.
        source: kind of the files at hand; told from the files if left out.
        satellites: some of snpp,noaa20,noaa21; all that fly in the period if left out.
        weights: name or path; several, separated by commas, are averaged.
        engine: what computes; see 'banet doctor'.
        threshold: least burned value of a cell that counts as burned.
        min_hectares: smaller fires are left out of the list, and counted.
        workers: processes that read files and map.
        config: YAML file of these options; what is given here wins.
        write_config: write the options to this file and do nothing else.
    """
    from banet.errors import InputError, PartialFailureError
    from banet.operations.options import RunOptions
    from banet.operations.run import run_archive

    given: dict[str, Any] = {
        "region": region, "start": start, "end": end, "out": out, "download": download, "viirs": viirs,
        "hotspots": hotspots, "cube": cube, "product": product, "source": source, "weights": weights,
        "engine": engine, "threshold": threshold, "min_hectares": min_hectares, "workers": workers,
        "satellites": None if satellites is None else tuple(satellites.split(",")),
    }  # fmt: skip
    named = {name: value for name, value in given.items() if value is not None}
    options = RunOptions.parse(named, "banet run") if config is None else RunOptions.load(config, **named)
    if write_config is not None:
        say(str(options.save(write_config)))
        return
    if options.period[0] >= options.period[1]:
        raise InputError("the period holds no day")
    result = run_archive(options, Terminal())
    say(f"fires: {result.fires}")
    say(f"page:  {result.page}")
    for line in result.failed:
        caution(line)
    if result.failed:
        raise PartialFailureError(
            f"{len(result.failed)} parts are missing; the same command tries them again"
        )
