"""How often a date's interval holds the day of the fire, and the day on which burned ground is first seen.

    python benchmarks/first_seen.py --cache FOLDER [--weights default]

The six seasons of the small benchmark (simulated). Burned ground is first seen by the first clear image, red
0.3 or less, that was taken after half of what burned in the cell had burned; images pass at 13:30 local time.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.errors import BanetWarning
from banet.evaluation.benchmark.methods import Inputs, map_with
from banet.evaluation.benchmark.scenes import subset_named
from banet.evaluation.benchmark.stage import open_stage
from banet.simulation import Scene
from banet.simulation.writers.labels import clear_looks

INPUTS: tuple[Inputs, ...] = ("all", "no hot spots")
PASS, HALF = 13.5, 0.5 - 1e-6
Whole = npt.NDArray[np.int64]


def days_of(scene: Scene) -> tuple[Whole, Whole]:
    """Return the days of the fire and of the first look at burned ground, from the start on; -1 for none."""
    time = scene.burn_time
    burned = ~np.isnat(time)
    hour = np.where(burned, (time - scene.days[0].astype("datetime64[m]")).astype(float) / 60, 0)
    count = len(scene.days)
    after = np.ceil((hour - (PASS - scene.region.longitudes / 15) % 24) / 24).astype(np.int64).clip(0, count)
    seen = np.take_along_axis(clear_looks(scene), after[None], 0)[0]
    return np.where(burned, hour // 24, -1).astype(np.int64), np.where(burned & (seen < count), seen, -1)


def main() -> None:
    """Print both shares with all inputs and without hot spots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", default="default")
    given = parser.parse_args()
    warnings.simplefilter("ignore", BanetWarning)
    found: dict[str, list[Whole]] = {inputs: [] for inputs in INPUTS}
    for season in subset_named("small"):
        scene, stage = season.simulate(), open_stage(season, given.cache)
        fire, seen = days_of(scene)
        for inputs in INPUTS:
            burned = map_with(stage.cube, *stage.mapped, weights=(given.weights,), inputs=inputs)
            both = (seen >= 0) & (np.nan_to_num(stage.truth.burned_fraction) >= HALF)
            both &= (np.nan_to_num(burned.burned_fraction) >= HALF) & ~np.isnat(burned.burn_date)
            date = (burned.burn_date[both] - scene.days[0]).astype(np.int64)
            found[inputs].append(np.stack([date, burned.uncertainty[both], fire[both], seen[both]]))
    for inputs, parts in found.items():
        date, stated, fire, seen = np.concatenate(parts, 1)
        held = [float((np.abs(day - date) <= stated).mean()) for day in (fire, seen)]
        later = seen - fire
        print(
            f"{inputs}: {date.size} cells, half-width {stated.mean():.2f} d, holds the day of the fire in "
            f"{held[0]:.2f}, of the first look in {held[1]:.2f}; that comes {later.mean():.1f} d later, on a "
            f"later day in {(later > 0).mean():.2f}"
        )


if __name__ == "__main__":
    main()
