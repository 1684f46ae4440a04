"""`banet map`: maps of burn date, confidence and uncertainty, by the month or of any days."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from banet.cli.progress import caution, progress, say, say_json
from banet.cli.workers import Workers
from banet.io.files import UNFINISHED, output_folder

if TYPE_CHECKING:
    from cyclopts import App

    from banet.burned_area.burned_area import BurnedArea


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
    tiling: Literal["seamless", "original"] | None = None,
    tile: int | None = None,
    step: int | None = None,
    threshold: float = 0.5,
    water: Path | None = None,
    pictures: bool = True,
    json: bool = False,
    engine: str = "auto",
    spread: Workers = Workers(),  # noqa: B008 - it is frozen
) -> None:
    """Write the maps from START to END: one for each month, or one of all days where these are no months.

    A run that was ended at any moment goes on where it stopped when it is started again. A tile that cannot
    be made is left out and its cells count as not observed; the rest is written, the exit status is 3, and
    the same command tries it again. Two runs may write to one folder, but not the same period.

    Args:
        cube: a folder CUBE.zarr.
        start: first day or month, YYYY-MM-DD or YYYY-MM.
        end: last day or month, included.
        out: folder for `{name}_{YYYYMM}_burn_date.tif`, `_confidence.tif`, `_uncertainty.tif`, .nc, .png; the
            names of other periods hold the first and last day, `{name}_{YYYYMMDD}-{YYYYMMDD}_burn_date.tif`.
        weights: name or path; several, separated by commas, are averaged.
        tiling: 'seamless' equals one pass over the region, 'original' does as Pinto et al. (2020) did; the
            latter where --step is given, otherwise the former.
        tile: edge of a tile in cells; 128 for 'original', chosen by the network for 'seamless'.
        step: distance of the tiles of 'original' in cells; 100 if left out.
        threshold: least burned value of a cell that counts as burned.
        water: polygons, or a GeoTIFF (not zero, or shares 0-1); the cube's mask or its images if left out.
        pictures: also write a PNG of each map.
        json: print a line of JSON for each map.
        engine: what computes: 'torch', 'bfloat16', 'cuda', 'cuda-bfloat16', or 'auto' for what 'banet doctor'
            names.
        spread: who does the work.
    """
    from banet.cube import open_cube
    from banet.days import parse_period, period_label
    from banet.export.products import write_map
    from banet.export.stac import collect, collection_file
    from banet.mapping import MapOptions, map_months, period_scratch

    spread.check()
    settings: dict[str, Any] = {"tiling": tiling or ("seamless" if step is None else "original")}
    settings |= {"tile": tile, "step": step, "threshold": threshold}
    told = settings | ({} if water is None else {"water": str(water)})
    settings |= {"water": water or "auto"}
    done_by = {"workers": spread.workers, "scheduler": spread.scheduler}
    MapOptions.of_keywords("banet map", {**settings, **done_by})
    opened, period = open_cube(cube), parse_period(start, end)
    folder = output_folder(out)
    scratch, failed = folder / UNFINISHED, list[str]()
    with (
        _alone(folder, opened.region.name, period),
        spread.connected() as client,
        progress("map") as report,
    ):
        report(0, 1, f"{opened.region.name}, reading weights and cube")
        network = _network(weights, engine, spread.workers)
        running: dict[str, Any] = {"progress": report, "keep_going": True, "scheduler": client}
        for burned in map_months(opened, start, end, network, **settings, **running, scratch=scratch):
            place = f"./{collection_file(opened.region.name)}"
            written = write_map(opened, burned, folder, settings=told, pictures=pictures, collection=place)
            label = period_label(burned.start, burned.stop)
            lines = list(_failed(burned, label))
            shown = f"{_said(burned, label)}, {written['burn_date']}"
            say_json(_told_of(burned, written, lines)) if json else say(shown)
            failed += lines
            if not lines:
                shutil.rmtree(period_scratch(scratch, burned.start, burned.stop), ignore_errors=True)
    collect(folder, opened.region.name)
    with contextlib.suppress(OSError):  # another run may be at work in it
        scratch.rmdir()
    _tell(failed)


def _said(burned: BurnedArea, label: str) -> str:
    """Return what a map shows, in words."""
    from banet.burned_area.hectares import in_words

    period = f"{burned.start} to {burned.days[-1]}" if burned.observed_days.any() else label
    return f"{period}: {in_words(burned)}"


def _told_of(burned: BurnedArea, written: Mapping[str, Path], failed: Sequence[str]) -> dict[str, Any]:
    """Return what a map shows as JSON can hold it."""
    from banet.burned_area.hectares import known_total

    return {
        "region": burned.region.name,
        "start": str(burned.start),
        "end": str(burned.days[-1]),
        "hectares": known_total(burned),
        "burned_cells": int(burned.burned.sum()),
        "observed": bool(burned.observed_days.any()),
        "files": {name: str(path) for name, path in written.items()},
        "failed": list(failed),
    }


def _failed(burned: BurnedArea, label: str) -> Iterator[str]:
    for gap in burned.attrs["gaps"]:
        (top, bottom), (left, right) = gap["rows"], gap["cols"]
        yield f"{label}, rows {top} to {bottom - 1}, columns {left} to {right - 1}: {gap['reason']}"


def _tell(failed: Sequence[str]) -> None:
    from banet.errors import PartialFailureError

    if not failed:
        return
    for line in failed:
        caution(f"not mapped: {line}")
    raise PartialFailureError(
        f"{len(failed)} parts could not be mapped and count as not observed; the rest is there, and the same "
        "command tries them again"
    )


def _network(weights: str, engine: str, workers: int | None) -> Any:
    from banet.model.engine import Engine
    from banet.model.weights import load_models
    from banet.parallel import threads_for

    threads = None if workers is None else threads_for(max(1, workers))
    return Engine(load_models(weights.split(",")), engine, threads=threads)


@contextlib.contextmanager
def _alone(folder: Path, region: str, period: tuple[Any, Any]) -> Iterator[None]:
    """Hold the right to write the maps of a period to this folder."""
    from banet.days import period_label
    from banet.io.lock import lock
    from banet.mapping.windows import split_months

    with contextlib.ExitStack() as stack:
        for start, stop in split_months(*period):
            label = period_label(start, stop)
            path = folder / UNFINISHED / f"{region}_{label.replace(' ', '_')}"
            stack.enter_context(lock(path, f"{label} of {region} in {folder}"))
        yield
