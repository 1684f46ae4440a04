"""`banet evaluate` and `banet baseline`: a map against any reference, and maps without a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Parameter

from banet.cli.progress import caution, progress, say

if TYPE_CHECKING:
    from cyclopts import App

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.evaluation import Result
    from banet.evaluation.convergence import Convergence
    from banet.grid.region import Region

Baseline = Literal["active-fires", "grown-fires", "confirmed-fires", "index-drop", "original"]


@Parameter(name="*")
@dataclass(frozen=True)
class Perimeters:
    """Fields and format of the dates of perimeters, where they are not the usual ones.

    Attributes:
        date_field: field with the first day of a fire.
        end_field: field with the last day.
        date_format: of those dates: dmy, mdy, a pattern such as %d.%m.%Y, or for numbers yyyymmdd, yyyyddd,
            s, ms or excel.
        layer: of the file, where it has several.
    """

    date_field: str | None = None
    end_field: str | None = None
    date_format: str | None = None
    layer: str | None = None


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(evaluate)
    root.command(baseline)


def evaluate(
    map_: Path,
    *,
    reference: Path,
    out: Path | None = None,
    also: list[str] | None = None,
    hotspots: list[Path] | None = None,
    cube: Path | None = None,
    weights: str | None = None,
    replay: bool = False,
    region: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    perimeters: Perimeters = Perimeters(),
    cover: Path | None = None,
    zones: Path | None = None,
    zone_field: str | None = None,
    valid: Path | None = None,
    reliable: bool = False,
    threshold: float | None = None,
    reference_threshold: float = 0.5,
    draws: int = 1000,
    pictures: bool = True,
) -> None:
    """Score a map against a reference: mapping, dates, low fractions, fire sizes, calibration.

    Either side may be a map of banet or a folder of monthly ones, a burn-date raster, a product, perimeters,
    or the truth of a simulated scene. Grids are brought together by area, never by nearest cell.

    Args:
        map_: the map.
        reference: file or folder to hold it against.
        out: folder for JSON, CSV, Markdown, pictures and one web page; only printed if left out.
        also: other maps or products to score alike, such as MCD64A1=FOLDER; may be repeated.
        hotspots: FIRMS files or folders to hold the dates against.
        cube: the cube of the map: adds the baselines, and date differences by gaps between observations.
        weights: with --cube, maps it again with the hot spots withheld, and scores that beside the map.
        replay: with --cube and --weights, maps every day of the map as it would have been mapped on that day.
        region: R_NAME.json, the grid to compare on where neither side has one of its own.
        start: first day or month to compare, of products and perimeters.
        end: last day or month, included.
        perimeters: fields and format of their dates.
        cover: GeoTIFF of land cover, to score each class by itself.
        zones: polygons or a GeoTIFF of regions, to score each by itself.
        zone_field: field of the polygons that names the region.
        valid: GeoTIFF or polygons of the cells that may count.
        reliable: leave out cells that the reference did not see reliably on all days.
        threshold: burned fraction of the map from which on a cell counts as burned; its own if left out.
        reference_threshold: the same of the reference.
        draws: of the bootstrap; 0 for no intervals.
        pictures: also draw pictures and write the page.
    """
    from banet.cube import open_cube
    from banet.evaluation import evaluate as run
    from banet.evaluation.compare import common_grid
    from banet.evaluation.sources import read_other, read_pair
    from banet.observations.hotspots import read_hotspots

    _check_options(cube, weights, replay)
    fields, opened = _fields(perimeters, [map_, reference], also), open_cube(cube) if cube else None
    mine, theirs = read_pair(map_, reference, region=region, start=start, end=end, perimeters=fields)
    others: dict[str, Any] = dict(read_other(text, mine, fields) for text in also or ())
    if opened is not None:
        others |= _from_cube(opened, mine, weights, map_.stem)
    followed = _replay(opened, mine, theirs, weights) if opened is not None and weights and replay else None
    found = run(
        mine,
        theirs,
        name=map_.stem,
        baselines=others,
        hotspots=read_hotspots(hotspots) if hotspots else None,
        cube=opened,
        convergence=followed,
        draws=draws,
        threshold=threshold,
        reference_threshold=reference_threshold,
        reliable=reliable,
        **_cells(common_grid(mine, theirs), cover, zones, zone_field, valid),
    )
    _tell(found, out, pictures)


def _tell(found: Result, out: Path | None, pictures: bool) -> None:
    from banet.evaluation.report import write_result
    from banet.evaluation.tables import markdown, words

    tree = found.to_dict()
    say(f"{words(tree)}\n\n{markdown(tree)}")
    paths = {} if out is None else write_result(found, out, pictures=pictures)
    for path in paths.values():
        say(str(path))


def _fields(perimeters: Perimeters, paths: list[Path], also: list[str] | None) -> dict[str, Any]:
    """Return the options of perimeters after making sure that there are perimeters to use them for."""
    from banet.errors import InputError
    from banet.evaluation.sources import sniff

    given = [f"--{name.replace('_', '-')}" for name, value in asdict(perimeters).items() if value is not None]
    others = [Path(text.rpartition("=")[2]) for text in also or ()]
    if given and "perimeters" not in {sniff(path) for path in (*paths, *others)}:
        raise InputError(f"{', '.join(given)}: an option of perimeters, and none are given")
    return asdict(perimeters) | {"notice": caution}


def _check_options(cube: Path | None, weights: str | None, replay: bool) -> None:
    from banet.errors import InputError

    if (weights or replay) and cube is None:
        raise InputError("--weights and --replay map the cube again; name it with --cube")
    if replay and not weights:
        raise InputError("--replay needs the weights to map with; name them with --weights")


def _cells(
    grid: Region, cover: Path | None, zones: Path | None, zone_field: str | None, valid: Path | None
) -> dict[str, Any]:
    """Read what is said of the cells of a grid, by the names that `banet.evaluation.evaluate` takes."""
    from banet.evaluation.classes import read_classes, read_validity

    found: dict[str, Any] = {}
    if cover is not None:
        found["cover"], found["cover_names"] = read_classes(cover, grid)
    if zones is not None:
        found["zones"], found["zone_names"] = read_classes(zones, grid, field=zone_field)
    if valid is not None:
        found["valid"] = read_validity(valid, grid)
    return found


def _period(mine: BurnedArea) -> tuple[Any, Any]:
    """First and last day of a map, both included."""
    return mine.start, mine.stop - 1


def _from_cube(cube: Cube, mine: BurnedArea, weights: str | None, name: str) -> dict[str, BurnedArea]:
    """Map the days of a map by the baselines and, with weights, without hot spots."""
    from banet.evaluation.benchmark import baselines
    from banet.mapping import map_burned

    first, last = _period(mine)
    found = {method.name: method.mapper(cube, first, last) for method in baselines()}
    if weights:
        months = first.astype("datetime64[M]"), last.astype("datetime64[M]")
        blind = cube.without("hotspots")
        found[f"{name}, no hot spots"] = map_burned(blind, *months, weights.split(","))
    return found


def _replay(cube: Cube, mine: BurnedArea, theirs: BurnedArea, weights: str) -> Convergence:
    from banet.days import day_range
    from banet.evaluation.convergence import replay
    from banet.mapping import map_burned, map_nrt
    from banet.model import load_models

    first, last = _period(mine)
    models = load_models(weights.split(","))
    final = map_burned(cube, first.astype("datetime64[M]"), last.astype("datetime64[M]"), models)
    days = [day for day in day_range(first, last + 1) if day in cube.days]
    with progress("replay") as report:

        def map_at(day: Any) -> BurnedArea:
            report(days.index(day) + 1, len(days), str(day))
            return map_nrt(cube, day, models)

        return replay(map_at, days, final, theirs.to(cube.region))


def baseline(
    cube: Path,
    *,
    method: Baseline,
    start: str,
    end: str,
    out: Path,
    weights: str | None = None,
    pictures: bool = True,
) -> None:
    """Write the maps of a method without a network, or of the original network with the original rules.

    They are maps like those of `banet map`, with the same files, to look at and to score.

    Args:
        cube: a folder CUBE.zarr.
        method: 'active-fires': cells with a detection, dated by the first; 'grown-fires': those grown into
            cells whose index dropped; 'confirmed-fires': those less the fires whose index did not;
            'index-drop': no detections, a lasting drop of NIR against MIR; 'original': Pinto et al. (2020).
        start: first month, YYYY-MM.
        end: last month, included.
        out: folder for {name}_{YYYYMM}_burn_date.tif and so on.
        weights: of 'original'; the published ones if left out.
        pictures: also write a PNG of each map.
    """
    import numpy as np

    from banet.cube import open_cube
    from banet.days import month_range
    from banet.export.products import write_month
    from banet.io.files import output_folder

    opened, folder = open_cube(cube), output_folder(out)
    mapper = _method(method, weights)
    for month in month_range(start, end):
        first = month.astype("datetime64[D]")
        last = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - 1
        burnmap = mapper(opened, first, last)
        written = write_month(opened, burnmap, folder, settings={"method": method}, pictures=pictures)
        say(f"{month}: {burnmap.burned_area_ha:,.0f} ha burned, {written['burn_date']}")


def _method(name: Baseline, weights: str | None) -> Any:
    from banet.errors import NotFoundError
    from banet.evaluation.benchmark.methods import ORIGINAL, baselines, original_network

    if name == "original":
        method = original_network(weights)
        if method is None:
            raise NotFoundError(
                f"the published weights are not here; fetch them with `banet download weights {ORIGINAL}`"
            )
        return method.mapper
    order = ("active-fires", "grown-fires", "confirmed-fires", "index-drop")
    return baselines()[order.index(name)].mapper
