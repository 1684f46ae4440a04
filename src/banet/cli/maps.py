"""`banet map`: monthly maps of burn date, confidence and uncertainty."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from banet.cli.progress import caution, progress, say
from banet.cli.workers import Workers

if TYPE_CHECKING:
    from cyclopts import App

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube


_SCRATCH = ".unfinished"
"""Folder beside the maps that holds finished tiles while a run goes on."""


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(make_maps, name="map")


def make_maps(
    cube: Path,
    *,
    start: str,
    end: str,
    out: Path,
    weights: str = "default",
    tiling: Literal["blend", "original"] | None = None,
    tile: int | None = None,
    step: int | None = None,
    threshold: float = 0.5,
    pictures: bool = True,
    engine: str = "auto",
    spread: Workers = Workers(),  # noqa: B008 - it is frozen
) -> None:
    """Write the maps of every month from START to END.

    A run that was ended at any moment goes on where it stopped when it is started again. A tile that cannot
    be made is left as a gap that counts as not observed; the rest is written, the exit status is 3, and the
    same command tries the gaps again. Two runs may write to one folder, but not the same month.

    Args:
        cube: a folder CUBE.zarr.
        start: first month, YYYY-MM.
        end: last month, included.
        out: folder for {name}_{YYYYMM}_burn_date.tif, _confidence.tif, _uncertainty.tif, .nc, .png.
        weights: name or path; several, separated by commas, are averaged.
        tiling: 'blend' joins tiles without seams, 'original' does as Pinto et al. (2020) did; the latter
            where --step is given, otherwise the former.
        tile: edge of a tile in cells; 128 for 'original', chosen by the network for 'blend'.
        step: distance of the tiles of 'original' in cells; 100 if left out.
        threshold: least burned value of a cell that counts as burned.
        pictures: also write a PNG of each map.
        engine: what computes: 'torch', 'bfloat16', 'openvino', 'onnx', 'cuda', 'cuda-bfloat16', or 'auto'
            for what 'banet doctor' names.
        spread: who does the work.
    """
    from banet.cube import open_cube
    from banet.days import month_range
    from banet.io.files import output_folder
    from banet.mapping.run import Settings

    spread.check()
    opened = open_cube(cube)
    months = [str(month) for month in month_range(start, end)]
    folder = output_folder(out)
    tiling = tiling or ("blend" if step is None else "original")
    settings: Settings = {"tiling": tiling, "tile": tile, "step": step, "threshold": threshold}
    network = _network(weights, engine, spread.workers)
    with (
        _alone(folder, opened.region.name, months),
        spread.connected() as client,
        progress("map") as report,
    ):
        running: Settings = {**settings, "progress": report, "keep_going": True, "client": client}
        gaps = _write(opened, network, folder, months, running, {**settings}, pictures=pictures)
    with contextlib.suppress(OSError):  # another run may be at work in it
        (folder / _SCRATCH).rmdir()
    _tell(gaps)


def _write(
    cube: Cube,
    network: Any,
    folder: Path,
    months: Sequence[str],
    running: Any,
    settings: dict[str, Any],
    *,
    pictures: bool,
) -> list[str]:
    """Map and write each month; return a line for each gap."""
    from banet.export.output import write_month
    from banet.mapping import map_months

    scratch, gaps, told = folder / _SCRATCH, list[str](), set[str]()
    maps = map_months(cube, months[0], months[-1], network, **{**running, "scratch": scratch})
    for month, burnmap in zip(months, maps, strict=True):
        written = write_month(cube, burnmap, folder, settings=settings, pictures=pictures)
        for note in burnmap.attrs.get("notes", ()):
            if note not in told:
                caution(note)
            told.add(note)
        say(f"{burnmap.start}: {burnmap.burned_area_ha:,.0f} ha burned, {written['burn_date']}")
        found = list(_gaps(month, burnmap))
        gaps += found
        if not found:
            shutil.rmtree(scratch / month, ignore_errors=True)
    return gaps


def _gaps(month: str, burnmap: BurnedArea) -> Iterator[str]:
    for gap in burnmap.attrs["gaps"]:
        (top, bottom), (left, right) = gap["rows"], gap["cols"]
        yield f"{month}, rows {top} to {bottom - 1}, columns {left} to {right - 1}: {gap['reason']}"


def _tell(gaps: Sequence[str]) -> None:
    from banet.errors import PartialFailureError

    if not gaps:
        return
    for gap in gaps:
        caution(f"not mapped: {gap}")
    raise PartialFailureError(
        f"{len(gaps)} parts could not be mapped and count as not observed; the rest is there, and the same "
        "command tries them again"
    )


def _network(weights: str, engine: str, workers: int | None) -> Any:
    from banet.model.engine import Engine
    from banet.model.weights import load_models
    from banet.parallel import threads_for

    threads = None if workers is None else threads_for(max(1, workers))
    return Engine(load_models(weights.split(",")), engine, threads=threads)


def _alone(folder: Path, region: str, months: Sequence[str]) -> AbstractContextManager[None]:
    """Hold the right to write these months to this folder."""
    from banet.io.exclusive import exclusive_all

    return exclusive_all(
        [
            (
                folder / _SCRATCH / f"{region}_{month}.lock",
                f"another run is writing {month} of {region} to {folder}; wait for it or give another folder",
            )
            for month in months
        ]
    )
