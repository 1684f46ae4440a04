"""`banet evaluate`: a map against any reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.progress import say

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(evaluate)


def evaluate(
    map_: Path,
    *,
    reference: Path,
    out: Path | None = None,
    hotspots: list[Path] | None = None,
    cube: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    threshold: float | None = None,
    reference_threshold: float = 0.5,
    draws: int = 1000,
    pictures: bool = True,
) -> None:
    """Score a map against a reference: mapping, dates, low fractions, fire sizes, calibration.

    Either side may be a NetCDF map or burn-date raster of banet, an MCD64A1, VNP64A1 or FireCCI product,
    perimeters, or the truth of a simulated scene. Grids are brought together by area.

    Args:
        map_: the map.
        reference: file or folder to hold it against.
        out: folder for JSON, CSV, Markdown, pictures and one web page; only printed if left out.
        hotspots: FIRMS files or folders to hold the dates against.
        cube: the cube of the map: adds the active-fire baseline, and date differences by gaps.
        start: first day or month to compare, of the reference.
        end: last day or month, included.
        threshold: burned fraction of the map from which on a cell counts as burned; its own if left out.
        reference_threshold: the same of the reference.
        draws: of the bootstrap that gives the intervals; 0 for none.
        pictures: also draw pictures and write the page.
    """
    from banet.cube import open_cube
    from banet.evaluation import evaluate as run
    from banet.evaluation.baselines import active_fires
    from banet.evaluation.report import markdown, write_evaluation
    from banet.evaluation.sources import read_map_or_product
    from banet.mapping import BurnMap
    from banet.observations.hotspots import read_hotspots

    mine = read_map_or_product(map_)
    given = (start, end) if start is not None and end is not None else None
    days = given or (
        (mine.start, mine.stop - 1) if mine.start is not None and mine.stop is not None else None
    )
    theirs = read_map_or_product(reference, region=mine.region, days=days)
    opened = open_cube(cube) if cube else None
    baselines = {}
    if opened is not None and isinstance(mine, BurnMap):
        baselines["active fires"] = active_fires(opened, mine.start, mine.stop - 1)
    found = run(
        mine,
        theirs,
        name=map_.stem,
        baselines=baselines,
        hotspots=read_hotspots(hotspots) if hotspots else None,
        cube=opened,
        draws=draws,
        threshold=threshold,
        reference_threshold=reference_threshold,
    )
    say(markdown(found))
    if out is not None:
        for path in write_evaluation(found, out, pictures=pictures).values():
            say(str(path))
