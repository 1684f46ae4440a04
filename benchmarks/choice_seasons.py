"""Dice of weights and of means of two on twelve simulated seasons that choices between weights are made by.

    python benchmarks/choice_seasons.py WEIGHTS... --cache runs/choice_seasons

They are like the benchmark's, the shortest and the longest of each climate, of seeds that neither it nor
training draws, so that the benchmark judges what it did not choose. Days beyond the season do not count.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.cube import Cube
from banet.evaluation.benchmark.methods import WITHHELD, Inputs
from banet.evaluation.benchmark.scenes import SUITE, BenchmarkScene
from banet.evaluation.benchmark.stage import Stage, open_stage
from banet.evaluation.measures.agreement import figures_of
from banet.mapping import predict
from banet.mapping.windows import month_windows
from banet.model import BANet, load_model

FIRST_SEED, LENGTHS = 1_900_000, (64, 112)
HALF = 0.5 - 1e-6
SEASONS = tuple(
    BenchmarkScene(f"choice-{one.name}", one.climate, FIRST_SEED + 10 * i, one.start, one.days)
    for i, one in enumerate(SUITE)
    if one.days in LENGTHS
)
INPUTS: tuple[Inputs, ...] = ("all", "no hot spots")
Floats = npt.NDArray[np.float32]


def daily(cube: Cube, model: BANet) -> Floats:
    """Return the probability of each day of a cube, (days, rows, columns)."""
    days = cube.days
    found = np.zeros((len(days), *cube.region.shape), np.float32)
    for window in month_windows(days[0].astype("datetime64[M]"), days[-1].astype("datetime64[M]")):
        inside = np.isin(window.kept, days)
        place = np.searchsorted(days, window.kept[inside])
        for block in predict(cube, window, model):
            found[place, block.rows, block.cols] = block.probability[inside]
    return found


def maps(stage: Stage, models: dict[str, BANet]) -> dict[tuple[str, str], npt.NDArray[np.bool_]]:
    """Return what each of the weights and each mean of two maps burned, by name and inputs."""
    found: dict[tuple[str, str], npt.NDArray[np.bool_]] = {}
    for inputs in INPUTS:
        cube = stage.cube.without(*WITHHELD[inputs])
        of = {name: daily(cube, model).sum(0) for name, model in models.items()}
        for one, other in itertools.combinations(models, 2):
            of[f"{one}+{other}"] = (of[one] + of[other]) / 2
        found |= {(name, inputs): total >= 0.5 for name, total in of.items()}
    return found


def main() -> None:
    """Print a line for each of the weights and means, and for each choice of inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--cache", type=Path, default=Path("runs/choice_seasons"))
    given = parser.parse_args()
    models = {Path(name).stem: load_model(name) for name in given.weights}
    sums: dict[tuple[str, str], npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(5))
    for season in SEASONS:
        stage = open_stage(season, given.cache)
        truth, land = stage.truth, ~stage.truth.water
        burned = (np.nan_to_num(truth.burned_fraction) >= HALF) & land
        turned = stage.classes.get("confounder: ploughing", np.zeros_like(land)) & land
        turned &= np.nan_to_num(truth.burned_fraction) == 0
        for key, drawn in maps(stage, models).items():
            mapped = drawn & land
            parts = (mapped & burned, mapped & ~burned, ~mapped & burned, mapped & turned, turned)
            sums[key] += [part.sum() for part in parts]
    print(f"{'weights':24}{'inputs':16}{'Dice':>8}{'commission':>12}{'omission':>10}{'ploughing':>11}")
    for (name, inputs), (hit, false, missed, wrong, turned_cells) in sums.items():
        said = figures_of([hit, false, missed])
        print(
            f"{name:24}{inputs:16}{said['dice']:8.3f}{said['commission']:12.3f}{said['omission']:10.3f}"
            f"{1e4 * wrong / turned_cells:11.0f}"
        )


if __name__ == "__main__":
    main()
