"""The whole chain on a simulated scene: raw files, cube, maps, scores against the truth, report.

Everything after the simulation knows nothing of it: the maps are made from files in the formats that the
agencies deliver, and the truth comes back only to be compared with.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from banet.days import as_month
from banet.io.files import PathLike, output_folder
from banet.io.tables import to_html, to_text

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.evaluation import Scores
    from banet.model import BANet
    from banet.simulation import Scene

__all__ = ["DemoResult", "run_demo"]

Say = Callable[[str], None]

_NAME = "DEMO"
_BOX = (-8.4, 39.4, -6.4, 41.4)
_MONTH = "2020-08"
_HONEST = (
    "The scene is simulated, and its truth is exact; these figures say nothing of real fires. The baseline "
    "takes every cell with a hot spot for burned, on the day of the first one."
)
_START, _DAYS = "2020-07-15", 64


@dataclass(frozen=True)
class DemoResult:
    """Results of the demonstration.

    Attributes:
        folder: holding everything.
        report: the web page with scores and pictures.
        page: the web page with the map and its fires.
        scores: by name of the map, against the truth.
        seconds: by step.
    """

    folder: Path
    report: Path
    page: Path
    scores: dict[str, Scores]
    seconds: dict[str, float]


def run_demo(
    out: PathLike,
    *,
    seed: int = 2020,
    climate: str = "mediterranean",
    weights: str = "default",
    say: Say = print,
) -> DemoResult:
    """Simulate a fire month as raw files, map it, and score the map and the active-fire baseline.

    Args:
        out: folder for everything; made if it is not there.
        seed: of the scene.
        climate: of the scene.
        weights: name or path.
        say: called with each line of text.

    Raises:
        OutputError: if the folder cannot be written to.
        NotFoundError: if there are no such weights.
    """
    from banet.cli.progress import progress
    from banet.export.explorer import write_pages
    from banet.model.weights import load_models

    networks = load_models(weights)  # a wrong name shows before a minute of work
    folder = output_folder(out)
    clock = _Clock(say)
    with clock("simulate the scene and write its files"):
        scene = _scene(seed, climate)
        _write(scene, folder / "raw")
    with clock("build the cube from the files"), progress("cube") as report:
        cube = _build(scene, folder, report)
    with clock("map the month"), progress("map") as report:
        burnmap, products = _map(cube, folder / "maps", networks, report)
    with clock("score against the truth"):
        truth, baseline, scores = _score(cube, burnmap, scene)
    with clock("draw pictures and report"):
        page = _report(folder, cube, burnmap, baseline, truth, scores, products)
        (living,) = write_pages([burnmap], folder, cube=cube)
    say("")
    say("Against the truth of the simulated scene:")
    say(to_text([each.row() for each in scores.values()], shutil.get_terminal_size().columns))
    return DemoResult(folder, page, living, scores, clock.seconds)


class _Clock:
    """Says and keeps what each step took."""

    def __init__(self, say: Say):
        self.say, self.title = say, ""
        self.seconds: dict[str, float] = {}

    def __call__(self, title: str) -> _Clock:
        self.title, self.start = title, time.perf_counter()
        return self

    def __enter__(self) -> _Clock:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.seconds[self.title] = time.perf_counter() - self.start
            self.say(f"{self.seconds[self.title]:6.1f} s  {self.title}")


def _scene(seed: int, climate: str) -> Scene:
    from banet.grid.region import Region
    from banet.simulation import simulate

    return simulate(Region(_NAME, _BOX, 0.01), start=_START, days=_DAYS, seed=seed, climate=climate)


def _write(scene: Scene, folder: Path) -> None:
    from banet.simulation import write_scene

    write_scene(scene, folder)


def _build(scene: Scene, folder: Path, report: Any) -> Cube:
    from banet.ingest.folder import build_cube

    raw = folder / "raw"
    return build_cube(
        scene.region, raw / "viirs", raw / "hotspots", folder / f"{_NAME}.zarr", progress=report
    )


def _map(
    cube: Cube, folder: Path, networks: Sequence[BANet], report: Any
) -> tuple[BurnedArea, dict[str, Path]]:
    from banet.export.products import write_map
    from banet.mapping import map_burned

    burnmap = map_burned(cube, _MONTH, _MONTH, networks, progress=report)
    return burnmap, write_map(cube, burnmap, folder, settings={"tiling": "seamless", "threshold": 0.5})


def _score(cube: Cube, burnmap: BurnedArea, scene: Scene) -> tuple[BurnedArea, BurnedArea, dict[str, Scores]]:
    from banet.evaluation import score
    from banet.evaluation.baselines import active_fires

    truth = scene.truth().between(burnmap.start, burnmap.stop)
    baseline = active_fires(cube, burnmap.start, burnmap.stop - 1)
    maps = {"banet": burnmap, "active fires": baseline}
    return truth, baseline, {name: score(each, truth, name=name) for name, each in maps.items()}


def _report(
    folder: Path,
    cube: Cube,
    burnmap: BurnedArea,
    baseline: BurnedArea,
    truth: BurnedArea,
    scores: dict[str, Scores],
    products: dict[str, Path],
) -> Path:
    from banet.export import Picture, Section, comparison_picture, write_report
    from banet.export.filmstrip import filmstrip

    pictures = output_folder(folder / "pictures")
    panels = [
        truth.named("Truth (simulated)"),
        burnmap.named("banet"),
        baseline.named("Active fires"),
    ]
    comparison = comparison_picture(
        panels,
        pictures / "comparison.png",
        start=burnmap.start,
        stop=burnmap.stop,
        title="A simulated fire month, and two maps of it",
        notes=("exact", *(f"Dice {each.dice:.3f}" for each in scores.values())),
    )
    strip = filmstrip(
        cube.read(burnmap.start, burnmap.stop),
        pictures / "season.png",
        burn_date=burnmap.burn_date,
        mir_band=cube.mir_band,
    )
    caption = "burned cells by hectares, dates in days, map minus truth"
    table = Markup(to_html([each.row() for each in scores.values()], caption))
    sections = [
        Section("Scores", (_HONEST,), tables=(table,)),
        Section("Truth, map and baseline", pictures=(Picture(comparison),)),
        Section("Map of the month", pictures=(Picture(products["picture"]),)),
        Section("What the satellite saw", pictures=(Picture(strip),)),
        Section("How it was made", details={"manifest": products["manifest"].read_text()}),
    ]
    return write_report(folder, f"banet demonstration, {as_month(_MONTH)}", sections)
