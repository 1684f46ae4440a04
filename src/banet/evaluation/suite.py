"""A fixed benchmark of simulated seasons, by name and seed, scored the same way for every method.

Six climates, four seasons each of 64, 80, 96 and 112 days on 128 x 128 cells. Their seeds lie far above those
that training and validation draw from, so no network has seen them. Everything that burned within a season
counts, in its first days and its last as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banet.days import Day, from_day_of_year
from banet.errors import InputError
from banet.evaluation.baselines import active_fires, grown_fires, index_drop
from banet.evaluation.compare import compare
from banet.evaluation.scores import Scores, score_tally
from banet.evaluation.tally import Tally, tally

if TYPE_CHECKING:
    from banet.cube import Cube
    from banet.mapping.burnmap import BurnMap
    from banet.simulation import Scene

__all__ = [
    "BASELINES",
    "SMALL",
    "SUITE",
    "BenchmarkScene",
    "Method",
    "SuiteResult",
    "network",
    "run_suite",
    "scene_cube",
]

Method = Callable[["Cube", Day, Day], "BurnMap"]
"""Maps a cube from the first to the last day, both included."""

Progress = Callable[[int, int, str], None]

FIRST_SEED = 77_000_000
_LENGTHS = (64, 80, 96, 112)
_SIZE = 128
_BLOCK = 16


@dataclass(frozen=True)
class BenchmarkScene:
    """A simulated season of the benchmark.

    Attributes:
        name: climate and number.
        climate: of the simulator.
        seed: everything follows from it.
        start: first day.
        days: number of days.
        size: cells along each edge.
    """

    name: str
    climate: str
    seed: int
    start: Day
    days: int
    size: int = _SIZE

    def simulate(self) -> Scene:
        """Simulate the season."""
        from banet.simulation import simulate

        return simulate(
            start=self.start, days=self.days, seed=self.seed, climate=self.climate, size=self.size
        )


def _suite() -> tuple[BenchmarkScene, ...]:
    # First days of year on which a season of 64 days may begin, as the simulator's climates have them.
    seasons = {
        "mediterranean": (120, 250),
        "california": (140, 270),
        "cerrado": (150, 255),
        "mozambique": (130, 270),
        "australia": (100, 290),
        "boreal": (130, 215),
    }
    scenes = []
    for i, (climate, (first, last)) in enumerate(seasons.items()):
        for k, days in enumerate(_LENGTHS):
            # Longer seasons begin earlier, so that all end within the climate's fire season.
            begin = first + (3 - k) * (last - first) // 4
            start = from_day_of_year(2013 + (5 * i + 2 * k) % 8, begin)
            scenes.append(BenchmarkScene(f"{climate}-{k + 1}", climate, FIRST_SEED + 10 * i + k, start, days))
    return tuple(scenes)


SUITE = _suite()
SMALL = tuple(scene for scene in SUITE if scene.name.endswith("-1"))
"""One season of 64 days of each climate, for a first look."""


def _active(cube: Cube, first: Day, last: Day) -> BurnMap:
    return active_fires(cube, first, last)


def _grown(cube: Cube, first: Day, last: Day) -> BurnMap:
    return grown_fires(cube, first, last)


def _confirmed(cube: Cube, first: Day, last: Day) -> BurnMap:
    return grown_fires(cube, first, last, confirm=True)


def _drop(cube: Cube, first: Day, last: Day) -> BurnMap:
    return index_drop(cube, first, last)


BASELINES: dict[str, Method] = {
    "active fires": _active,
    "grown active fires": _grown,
    "grown and confirmed active fires": _confirmed,
    "index drop": _drop,
}


def network(weights: Any, **settings: Any) -> Method:
    """Return the method that maps with a network.

    Args:
        weights: name, path, network, or several of either.
        settings: of `banet.mapping.map_burned`, such as `tiling="original"` for the original's tiles.
    """

    def run(cube: Cube, first: Day, last: Day) -> BurnMap:
        from banet.mapping import map_burned

        return map_burned(
            cube, first.astype("datetime64[M]"), last.astype("datetime64[M]"), weights, **settings
        )

    return run


@dataclass(frozen=True, eq=False)
class SuiteResult:
    """Scores of every method on every season.

    Attributes:
        tallies: sums by method and season.
        climates: of the seasons, by name.
        draws: of the bootstrap.
    """

    tallies: Mapping[str, Mapping[str, Tally]]
    climates: Mapping[str, str]
    draws: int = 1000

    def overall(self) -> dict[str, Scores]:
        """Return the scores of each method over all seasons, hectares added up."""
        return {method: self._scores(method, list(sums.values())) for method, sums in self.tallies.items()}

    def by_climate(self) -> dict[str, dict[str, Scores]]:
        """Return the scores by climate and method."""
        found: dict[str, dict[str, Scores]] = {}
        for climate in dict.fromkeys(self.climates.values()):
            found[climate] = {
                method: self._scores(
                    method, [s for name, s in sums.items() if self.climates[name] == climate]
                )
                for method, sums in self.tallies.items()
            }
        return found

    def by_scene(self) -> dict[str, dict[str, Scores]]:
        """Return the scores by season and method, without intervals."""
        return {
            name: {method: score_tally(sums[name], name=method) for method, sums in self.tallies.items()}
            for name in self.climates
        }

    def worst(self, method: str, count: int = 3) -> list[str]:
        """Return the seasons in which a method has the lowest Dice, the worst first."""
        scored = {name: score_tally(sums).dice for name, sums in self.tallies[method].items()}
        known = {name: dice for name, dice in scored.items() if np.isfinite(dice)}
        return sorted(known, key=lambda name: known[name])[:count]

    def markdown(self) -> str:
        """Return the table over all seasons, and one of Dice by climate."""
        overall, climates = self.overall(), self.by_climate()
        head = "| Dice | " + " | ".join(climates) + " |"
        rows = [
            f"| {method} | " + " | ".join(_dice(climates[climate][method]) for climate in climates) + " |"
            for method in overall
        ]
        return "\n".join(
            [
                Scores.markdown_header(),
                *(s.markdown_row() for s in overall.values()),
                "",
                head,
                "|---" * (len(climates) + 1) + "|",
                *rows,
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "overall": {name: s.to_dict() for name, s in self.overall().items()},
            "climates": {
                climate: {name: s.to_dict() for name, s in scores.items()}
                for climate, scores in self.by_climate().items()
            },
            "scenes": {
                scene: {name: s.to_dict() for name, s in scores.items()}
                for scene, scores in self.by_scene().items()
            },
        }

    def _scores(self, method: str, sums: Sequence[Tally]) -> Scores:
        return score_tally(Tally.join(list(sums)), name=method, reference="simulated truth", draws=self.draws)


def _dice(scores: Scores) -> str:
    return f"{scores.dice:.3f}" if np.isfinite(scores.dice) else "-"


def run_suite(
    methods: Mapping[str, Method],
    scenes: Sequence[BenchmarkScene] = SUITE,
    *,
    draws: int = 1000,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> SuiteResult:
    """Simulate the seasons, map each with every method, and add up.

    Args:
        methods: by name.
        scenes: seasons.
        draws: of the bootstrap over blocks of 16 cells.
        folder: keeps the cubes there, which makes a second run faster; None keeps nothing.
        progress: called with (done, all, message).

    Raises:
        InputError: if there is no method or no season.
    """
    if not methods or not scenes:
        raise InputError("a benchmark needs at least one method and one season")
    tallies: dict[str, dict[str, Tally]] = {method: {} for method in methods}
    steps, done = len(scenes) * len(methods), 0
    for one in scenes:
        scene = one.simulate()
        truth = scene.truth()
        with tempfile.TemporaryDirectory() as temporary:
            cube = scene_cube(scene, Path(folder or temporary) / f"{one.name}-{one.seed}-{one.size}.zarr")
            for method, run in methods.items():
                burnmap = run(cube, scene.days[0], scene.days[-1])
                pair = compare(burnmap, truth, unobserved="unburned")
                tallies[method][one.name] = tally(pair, _BLOCK)
                done += 1
                if progress is not None:
                    progress(done, steps, f"{one.name}, {method}")
    return SuiteResult(tallies, {one.name: one.climate for one in scenes}, draws)


def scene_cube(scene: Scene, path: Path) -> Cube:
    """Return a cube of what the satellite saw of a scene; one that is there and whole is opened.

    Args:
        scene: simulated.
        path: of the cube.
    """
    from banet.cube import Cube
    from banet.files import writing
    from banet.observations.planes import DayPlanes

    if path.exists():
        cube = Cube.open(path)
        if np.array_equal(cube.days, scene.days) and cube.region == scene.region:
            return cube
        raise InputError(f"{path} is a cube of something else; remove it or name another folder")
    with writing(path) as part:
        cube = Cube.create(part, scene.region, sensor="simulated VIIRS", mir_band="M12")
        with cube.writing():
            for k, day in enumerate(scene.days):
                seen = np.isfinite(scene.red[k]) & np.isfinite(scene.nir[k]) & np.isfinite(scene.mir[k])
                planes = DayPlanes(
                    scene.red[k], scene.nir[k], scene.mir[k], scene.view_zenith[k], seen.astype(np.uint8)
                )
                cube.write_day(day, planes, scene.frp[k])
        cube.set_water(scene.water)
    return Cube.open(path)
