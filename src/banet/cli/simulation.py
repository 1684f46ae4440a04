"""`banet simulate`: a fire season with exact truth, as files in the agencies' formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.progress import progress, say, say_json

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(simulate)


def simulate(
    *,
    out: Path,
    region: str | None = None,
    start: str = "2020-07-15",
    days: int = 64,
    seed: int = 0,
    climate: str = "mediterranean",
    size: int | None = None,
    formats: str = "viirs750-gridded,hotspots,truth",
    json: bool = False,
) -> None:
    """Simulate a fire season and write what satellites would deliver of it, beside the truth.

    Args:
        out: folder for viirs/, hotspots/, truth/ and R_NAME.json; one that holds another scene is refused.
        region: a R_NAME.json or a shipped name; a place in the climate's region if left out.
        start: first day, YYYY-MM-DD.
        days: number of days.
        seed: everything follows from it and the other arguments.
        climate: mediterranean, california, cerrado, mozambique, australia or boreal.
        size: edge in cells, when no region is given; 128 if left out.
        formats: what to write, separated by commas: viirs750-gridded, viirs375-gridded, viirs750-swath,
            viirs375-swath, surface, hotspots, labels, firecci, truth.
        json: print files, hectares and hot spots as JSON.
    """
    from banet.days import as_day
    from banet.errors import InputError
    from banet.grid.region import Region
    from banet.simulation import simulate as make
    from banet.simulation import write_scene
    from banet.simulation.writers import check_folder, known_formats

    if region is not None and size is not None:
        raise InputError("give --region or --size, not both: a region has its own size")
    wanted = known_formats(formats.split(","))
    grid = None if region is None else Region.load(region)
    asked = {"climate": climate, "seed": seed, "start": str(as_day(start)), "days": days}
    check_folder(out, **asked, **({"region": grid.to_dict()} if grid else {}))
    with progress("simulate") as report:
        scene = make(grid, start, days, seed, climate, 128 if size is None else size, progress=report)
        written = write_scene(scene, out, formats=wanted, progress=report)
    if json:
        paths = {kind: [str(file) for file in found] for kind, found in written.items()}
        hectares = round(scene.burned_area_ha, 1)
        say_json({"files": paths, "hectares": hectares, "hotspots": len(scene.hotspots)})
        return
    for kind, files in written.items():
        say(f"{kind}: {len(files)} files in {files[0].parent if files else out}")
    say(f"{scene.burned_area_ha:,.0f} ha burned, {len(scene.hotspots):,} hot spots")
