"""`banet map`: monthly maps of burn date, confidence and uncertainty."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from banet.cli.progress import caution, progress, say

if TYPE_CHECKING:
    from cyclopts import App


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
) -> None:
    """Write the maps of every month from START to END.

    A run that was ended at any moment goes on where it stopped when it is started again.

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
    """
    from banet.cube import open_cube
    from banet.days import month_range
    from banet.files import output_folder
    from banet.mapping import map_months
    from banet.mapping.run import Settings
    from banet.output import write_month

    opened = open_cube(cube)
    months = month_range(start, end)
    folder = output_folder(out)
    scratch = folder / _SCRATCH
    tiling = tiling or ("blend" if step is None else "original")
    settings: Settings = {"tiling": tiling, "tile": tile, "step": step, "threshold": threshold}
    told: set[str] = set()
    with progress("map") as report:
        running: Settings = {**settings, "progress": report, "scratch": scratch}
        maps = map_months(opened, months[0], months[-1], weights.split(","), **running)
        for burnmap in maps:
            written = write_month(opened, burnmap, folder, settings=settings, pictures=pictures)
            for note in burnmap.attrs.get("notes", ()):
                if note not in told:
                    caution(note)
            told.update(burnmap.attrs.get("notes", ()))
            say(f"{burnmap.start}: {burnmap.burned_area_ha:,.0f} ha burned, {written['burn_date']}")
    shutil.rmtree(scratch, ignore_errors=True)
