"""Recall and precision of the layer `over_tenth` on simulated seasons, by the least percent that is shown.

    python benchmarks/over_tenth.py --cache FOLDER [--weights default] [--subset small] [--out FILE]

Recall is the share that is shown of the cells that burned by a tenth to a quarter, precision the share of
shown cells of which more than a tenth burned.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from about import record

from banet.evaluation.benchmark.scenes import subset_named
from banet.evaluation.benchmark.stage import open_stage
from banet.mapping import map_burned

LOW, HIGH, TENTH, MOST = 0.1, 0.25, 0.1, 100
PERCENT = (5, 10, 12, 15, 20, 30, 50)


def main() -> None:
    """Print and write both shares, with all inputs and without hot spots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--subset", default="small")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    counts: dict[tuple[str, int], np.ndarray] = defaultdict(lambda: np.zeros(4, int))
    for scene in subset_named(given.subset):
        stage = open_stage(scene, given.cache)
        days, water = stage.cube.days, stage.truth.water
        fraction = np.nan_to_num(stage.truth.burned_fraction)
        few, some = (fraction >= LOW) & (fraction < HIGH) & ~water, fraction > TENTH
        for inputs, withheld in {"all inputs": (), "no hot spots": ("hotspots",)}.items():
            burned = map_burned(stage.cube.without(*withheld), days[0], days[-1], given.weights)
            if (likely := burned.over_tenth) is None:
                raise SystemExit(f"{given.weights} are not calibrated for this layer")
            for percent in PERCENT:
                shown = (likely >= percent) & (likely <= MOST) & ~water
                counts[inputs, percent] += [
                    np.sum(shown & few),
                    np.sum(few),
                    np.sum(shown & some),
                    np.sum(shown),
                ]
    found = {}
    for (inputs, percent), (hit, cells, true, shown) in counts.items():
        row = {"recall": round(hit / max(cells, 1), 3), "precision": round(true / max(shown, 1), 3)}
        found[f"{inputs}, from {percent} %"] = row
        print(f"{inputs}, from {percent} %: recall {row['recall']}, precision {row['precision']}")
    record(given.out, seasons=given.subset, weights=given.weights, shares=found)


if __name__ == "__main__":
    main()
