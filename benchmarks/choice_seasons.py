"""Score weights, and means of them, on twelve simulated seasons that choices between weights are made by.

    python benchmarks/choice_seasons.py WEIGHTS... [A+B ...] --out runs/choice_seasons

They are like the benchmark's, the shortest and the longest of each climate, of seeds that neither it nor
training draws, so that the benchmark judges what it did not choose. Maps and scores are the benchmark's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from banet.evaluation.benchmark import benchmark, candidates
from banet.evaluation.benchmark.scenes import SUITE, BenchmarkScene
from banet.evaluation.measures import Tree
from banet.io.tables import to_markdown

FIRST_SEED, LENGTHS = 1_900_000, (64, 112)
SEASONS = tuple(
    BenchmarkScene(f"choice-{one.name}", one.climate, FIRST_SEED + 10 * i, one.start, one.days)
    for i, one in enumerate(SUITE)
    if one.days in LENGTHS
)


def row(name: str, found: Tree) -> Tree:
    """Return what a choice is made by: agreement, dates, and false cells of 10,000 ploughed and harvested."""
    scores, false = found["scores"], {c["confounder"]: c["false_per_10000"] for c in found["confounders"]}
    dating = ("mean_absolute_days", "mean_days", "covered_by_stated_uncertainty")
    return {
        "map": name,
        **{key: scores["hard"][key] for key in ("dice", "commission", "omission")},
        **{key: scores["dating"][key] for key in dating},
        **{key: f"{false[key]:.0f}" for key in ("ploughing", "harvest")},
        "best_threshold": found["best_threshold"],
    }


def main() -> None:
    """Print a line for each of the weights and means, and for each choice of inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+", help="names or paths; A+B for the mean of two")
    parser.add_argument("--out", type=Path, default=Path("runs/choice_seasons"))
    given = parser.parse_args()
    result = benchmark(
        candidates(given.weights), given.out, scenes=SEASONS, methods=(), replays=False, draws=0
    )
    print(to_markdown([row(name, one) for name, one in result.wholes.items()]))


if __name__ == "__main__":
    main()
