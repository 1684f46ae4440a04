"""`banet evaluate`, `banet compare` and `banet baseline`: maps, products and references."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Parameter

from banet.cli.progress import caution, progress, say, say_json, table, tell

if TYPE_CHECKING:
    from cyclopts import App

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.evaluation import Result
    from banet.evaluation.benchmark.methods import Mapper
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


@Parameter(name="*")
@dataclass(frozen=True)
class CellOptions:
    """Cells that count, and classes of them that are scored by themselves.

    Attributes:
        cover: GeoTIFF of land cover, to score each class by itself.
        zones: polygons or a GeoTIFF of regions, to score each by itself.
        zone_field: field of the polygons that names the region; the first of name, region, id if left out.
        zone_layer: layer of their file, where it has several.
        valid: GeoTIFF or polygons of the cells that may count.
    """

    cover: Path | None = None
    zones: Path | None = None
    zone_field: str | None = None
    zone_layer: str | None = None
    valid: Path | None = None

    def on(self, grid: Region) -> dict[str, Any]:
        """Read them for a grid, by the names that `banet.evaluation.evaluate` takes."""
        from banet.labels.classes import read_classes, read_validity

        found: dict[str, Any] = {}
        if self.cover is not None:
            found["cover"] = read_classes(self.cover, grid)
        if self.zones is not None:
            chosen = {"field": self.zone_field, "layer": self.zone_layer}
            found["zones"] = read_classes(self.zones, grid, **chosen)
        if self.valid is not None:
            found["valid"] = read_validity(self.valid, grid)
        return found


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    for command in (evaluate, compare, baseline):
        root.command(command)


def evaluate(
    map_: Path,
    *,
    reference: list[str],
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
    cells: CellOptions = CellOptions(),
    reliable: bool = False,
    threshold: float | None = None,
    reference_threshold: float = 0.5,
    draws: int = 1000,
    pictures: bool = True,
    json: bool = False,
) -> None:
    """Score a map against a reference: mapping, dates, low fractions, fire sizes, calibration.

    Either side may be a map of banet or a folder of monthly ones, a burn-date raster, a product, perimeters,
    or the truth of a simulated scene. Grids are brought together by area, never by nearest cell.

    Args:
        map_: the map.
        reference: file or folder to hold it against, or NAME=PATH; of several, each has a folder in OUT, and
            a page shows them beside each other.
        out: folder for JSON, CSV, Markdown, pictures and one web page; only printed if left out.
        also: other maps or products to score alike, such as MCD64A1=FOLDER; may be repeated.
        hotspots: FIRMS files or folders to hold the dates against.
        cube: the cube of the map: adds the baselines, and date differences by gaps between observations.
        weights: with --cube, maps it again with the hot spots withheld, and scores that beside the map.
        replay: with --cube and --weights, maps every day of the map as it would have been mapped on that day.
        region: R_NAME.json, the grid to compare on where no side has one of its own.
        start: first day or month, YYYY-MM-DD or YYYY-MM, to compare; the first of the maps if left out.
        end: last day or month, included; the last of the maps if left out.
        perimeters: fields and format of their dates.
        cells: which cells count, and classes of them.
        reliable: leave out cells that the reference did not see reliably on all days.
        threshold: burned fraction of the map from which on a cell counts as burned; its own if left out.
        reference_threshold: the same of the reference.
        draws: of the bootstrap; 0 for no intervals.
        pictures: also draw pictures and write the page.
        json: print the scores as JSON, by reference, and the files that were written.
    """
    from banet.cube import open_cube
    from banet.evaluation import evaluate as run
    from banet.evaluation.compare import common_grid
    from banet.labels.reading import labelled, named_paths
    from banet.observations.hotspots import read_hotspots

    _check_options(cube, weights, replay, cells)
    judges, others = named_paths(reference), named_paths(also or ())
    paths = [map_, *judges.values(), *others.values()]
    mine, *read = _read(paths, perimeters, region=region, start=start, end=end)
    baselines = dict(zip(others, read[len(judges) :], strict=True))
    opened = open_cube(cube) if cube else None
    if opened is not None:
        baselines |= _from_cube(opened, mine, weights, map_.stem, baselines)
    spots = read_hotspots(hotspots) if hotspots else None
    known: dict[str, Any] = {"name": map_.stem, "baselines": baselines, "hotspots": spots, "cube": opened}
    found = {}
    for (name, source), given in zip(zip(judges, read, strict=False), map(labelled, reference), strict=True):
        theirs = source.named(given[0]) if given[0] else source
        found[name] = run(
            mine,
            theirs,
            **known,
            convergence=_replay(opened, mine, theirs, weights) if opened and weights and replay else None,
            draws=draws,
            threshold=threshold,
            reference_threshold=reference_threshold,
            reliable=reliable,
            **cells.on(common_grid(mine, theirs)),
        )
    _tell(found, out, pictures, json)


def _tell(found: dict[str, Result], out: Path | None, pictures: bool, json: bool) -> None:
    """Print results as text or JSON, and write them where there is a folder."""
    from banet.evaluation.result_files import write_result
    from banet.evaluation.tables import markdown, words

    files = list[Path]()
    for name, result in found.items():
        tree, folder = result.to_dict(), out / name.replace("/", "-") if out and len(found) > 1 else out
        paths = [] if folder is None else [*write_result(result, folder, pictures=pictures).values()]
        if not json:
            say("\n".join([f"{words(tree)}\n\n{markdown(tree, form=table)}", *map(str, paths)]))
        files += paths
    if len(found) > 1:
        _tell_beside(found, out, pictures, json, files)
    elif json:
        _tell_json(found, files)


def compare(
    *products: str,
    reference: list[str] | None = None,
    out: Path | None = None,
    region: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    perimeters: Perimeters = Perimeters(),
    reliable: bool = False,
    threshold: float = 0.5,
    draws: int = 1000,
    pictures: bool = True,
    json: bool = False,
) -> None:
    """Show maps and products beside each other on one page: omission, commission, hectares and dates.

    Args:
        products: maps, products, perimeters or truths, each PATH or NAME=PATH.
        reference: what to hold them against, in the same way; may be repeated. Without it each of them is
            held against each other.
        out: folder for JSON, CSV, Markdown, pictures and the page; only printed if left out.
        region: R_NAME.json, the grid to compare on where none has one of its own.
        start: first day or month, YYYY-MM-DD or YYYY-MM, to compare; the first of the maps if left out.
        end: last day or month, included; the last of the maps if left out.
        perimeters: fields and format of their dates.
        reliable: leave out cells that the reference did not see reliably on all days.
        threshold: burned fraction from which on a cell counts as burned.
        draws: of the bootstrap; 0 for no intervals.
        pictures: also draw pictures and write the page.
        json: print the scores as JSON, by reference, and the files that were written.
    """
    from banet.errors import InputError
    from banet.evaluation.beside import beside
    from banet.labels.reading import named_paths

    maps, judges = named_paths(products), named_paths(reference or ())
    for name in maps.keys() & judges.keys():
        if maps[name].resolve() != judges[name].resolve():
            raise InputError(
                f"{maps[name]} and the reference {judges[name]} are both called {name}; tell them apart with "
                "NAME=PATH"
            )
    paths = maps | judges
    read = _read(list(paths.values()), perimeters, region=region, start=start, end=end)
    sides = dict(zip(paths, read, strict=True))
    judged = {name: sides[name] for name in judges or maps}
    limits = {"threshold": threshold, "reference_threshold": threshold, "reliable": reliable}
    _tell_beside(beside({n: sides[n] for n in maps}, judged, draws=draws, **limits), out, pictures, json)


def _tell_beside(
    found: dict[str, Result], out: Path | None, pictures: bool, json: bool, files: Sequence[Path] = ()
) -> None:
    """Print results beside each other or as JSON, and write their page where there is a folder."""
    from banet.evaluation.beside import tables_beside, write_beside
    from banet.evaluation.tables import as_markdown

    paths = [] if out is None else [*write_beside(found, out, pictures=pictures).values()]
    if json:
        _tell_json(found, [*files, *paths])
        return
    tables = tables_beside({name: one.to_dict() for name, one in found.items()})
    say("\n".join([as_markdown(tables, form=table), *map(str, paths)]))


def _tell_json(found: dict[str, Result], files: Sequence[Path]) -> None:
    say_json({"references": {name: one.to_dict() for name, one in found.items()}, "files": list(files)})


def _read(paths: list[Path], perimeters: Perimeters, **options: Any) -> list[BurnedArea]:
    """Read all sides after making sure that there are perimeters to use their options for."""
    from banet.errors import InputError
    from banet.labels.reading import read_sources, sniff

    given = [f"--{name.replace('_', '-')}" for name, value in asdict(perimeters).items() if value is not None]
    if given and "perimeters" not in set(map(sniff, paths)):
        raise InputError(f"{', '.join(given)}: an option of perimeters, and none are given")
    return read_sources(paths, perimeters=asdict(perimeters) | {"notice": caution}, **options)


def _check_options(cube: Path | None, weights: str | None, replay: bool, cells: CellOptions) -> None:
    from banet.errors import InputError

    if (weights or replay) and cube is None:
        raise InputError("--weights and --replay map the cube again; name it with --cube")
    if replay and not weights:
        raise InputError("--replay needs the weights to map with; name them with --weights")
    if cells.zones is None and (cells.zone_field or cells.zone_layer):
        raise InputError("--zone-field and --zone-layer are of the polygons of --zones, and none are given")


def _from_cube(
    cube: Cube, mine: BurnedArea, weights: str | None, name: str, taken: Collection[str] = ()
) -> dict[str, BurnedArea]:
    """Map the days of a map by the baselines and, with weights, without hot spots, under names not taken."""
    from banet.errors import InputError
    from banet.evaluation.benchmark import Candidate, baselines, networks

    methods = baselines()
    if weights:
        methods += networks(Candidate.of(name, weights.split(",")), ("no hot spots",))
    if both := ", ".join(sorted({method.name for method in methods} & {*taken})):
        raise InputError(f"--cube makes methods of the names {both}; give those of --also other names")
    made = {method.name: method.mapper(cube, mine.start, mine.stop - 1) for method in methods}
    # Networks map whole months: what lies outside the days of the map is not compared beside it.
    return {key: one.between(mine.start, mine.stop) for key, one in made.items()}


def _replay(cube: Cube, mine: BurnedArea, theirs: BurnedArea, weights: str) -> Convergence:
    from banet.evaluation.benchmark import Candidate, networks
    from banet.evaluation.benchmark.cases import follow

    (method,) = networks(Candidate.of("replay", weights.split(",")), ("all",))
    days = [day for day in cube.days if mine.start <= day < mine.stop]
    with progress("replay") as report:

        def told() -> Iterator[Any]:
            for done, day in enumerate(days, 1):
                report(done, len(days), str(day))
                yield day

        return follow(method, cube, theirs.to(cube.region), (mine.start, mine.stop - 1), told())


def baseline(
    cube: Path,
    *,
    method: Baseline,
    start: str,
    end: str,
    out: Path,
    weights: str | None = None,
    pictures: bool = True,
    json: bool = False,
) -> None:
    """Write the maps of a method without a network, or of the original network with the original rules.

    They are maps like those of `banet map`, with the same files, to look at and to score.

    Args:
        cube: a folder CUBE.zarr.
        method: 'active-fires': cells with a detection, dated by the first; 'grown-fires': those grown into
            cells whose index dropped; 'confirmed-fires': those less the fires whose index did not;
            'index-drop': no detections, a lasting drop of NIR against MIR; 'original': Pinto et al. (2020).
        start: first day or month, YYYY-MM-DD or YYYY-MM.
        end: last day or month, included.
        out: folder for {name}_{YYYYMM}_burn_date.tif and so on.
        weights: of 'original'; the published ones if left out.
        pictures: also write a PNG of each map.
        json: print a line of JSON for each map.
    """
    from banet.burned_area.hectares import in_words, known_total
    from banet.cube import open_cube
    from banet.days import day_range, parse_period, period_label
    from banet.export.products import write_map
    from banet.io.files import output_folder
    from banet.mapping.run import check_days, days_note
    from banet.mapping.windows import period_windows, split_months

    mapper, period = _method(method, weights), parse_period(start, end)
    opened = open_cube(cube)
    check_days(opened, period_windows(*period, opened.days))
    folder = output_folder(out)
    for first, stop in split_months(*period):
        if (lacking := days_note(opened, day_range(first, stop))) is not None:
            caution(f"{period_label(first, stop)}: {lacking}")
        burnmap = mapper(opened, first, stop - 1)
        written = write_map(opened, burnmap, folder, settings={"method": method}, pictures=pictures)
        files = {name: str(path) for name, path in written.items()}
        told = {"start": first, "end": stop - 1, "hectares": known_total(burnmap), "files": files}
        label = period_label(first, stop)
        tell(told, f"{label}: {in_words(burnmap)}, {written['burn_date']}", json)


def _method(name: Baseline, weights: str | None) -> Mapper:
    from banet.errors import InputError, NotFoundError
    from banet.evaluation.benchmark.methods import ORIGINAL, baselines, original_network

    if name == "original":
        method = original_network(weights)
        if method is None:
            raise NotFoundError(
                f"the published weights are not here; fetch them with `banet download weights {ORIGINAL}`"
            )
        return method.mapper
    if weights is not None:
        raise InputError(f"{name} has no weights; leave --weights out")
    order = ("active-fires", "grown-fires", "confirmed-fires", "index-drop")
    return baselines()[order.index(name)].mapper
