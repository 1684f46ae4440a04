"""False cells where snow fell first, on simulated seasons in which it does: the benchmark's 24 have none.

    python benchmarks/first_snow.py WEIGHTS... --folder runs/first_snow [--out FILE.json]

The seasons are those of the first seeds of each climate in which a first snow falls, 64 days of late summer
and autumn each. Maps and scores are the benchmark's.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

from about import record

from banet.days import from_day_of_year
from banet.evaluation.benchmark import benchmark, candidates
from banet.evaluation.benchmark.scenes import BenchmarkScene
from banet.io.tables import to_markdown

FIRST_SEED = 2_200_000
WANTED = {"boreal": (8, 200), "california": (2, 260), "mediterranean": (2, 240)}
"""How many seasons of each climate, and the day of the year on which they begin."""


def seasons() -> Iterator[BenchmarkScene]:
    """Yield the seasons, found by simulating one seed after the other."""
    for number, (climate, (count, first)) in enumerate(WANTED.items()):
        tried = (
            BenchmarkScene(f"snow-{climate}-{seed}", climate, seed, from_day_of_year(2016, first), 64)
            for seed in itertools.count(FIRST_SEED + 10_000 * number)
        )
        yield from itertools.islice((s for s in tried if "first snow" in s.simulate().confounders), count)


def main() -> None:
    """Print Dice and false cells for each of the weights, baselines and choices of inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+", help="names or paths")
    parser.add_argument("--folder", type=Path, default=Path("runs/first_snow"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    scenes = tuple(seasons())
    result = benchmark(candidates(given.weights), given.folder, scenes=scenes, replays=False, draws=0)
    rows = []
    for name, one in result.wholes.items():
        false = {c["confounder"]: c for c in one["confounders"]}
        snow = false["first snow"]
        rows.append(
            {
                "map": name,
                "dice": one["scores"]["hard"]["dice"],
                "cells": snow["cells"],
                "first snow": snow["false_per_10000"],
                "all unburned cells": false["all unburned cells"]["false_per_10000"],
            }
        )
    print(to_markdown(rows))
    record(given.out, seasons=[scene.name for scene in scenes], maps=rows)


if __name__ == "__main__":
    main()
