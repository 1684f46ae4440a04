"""How often a date's interval holds the day of the fire, and the day on which burned ground is first seen.

    python benchmarks/first_seen.py [--cache FOLDER] [--weights default] [--real [FOLDER]]

With --cache: the six seasons of the small benchmark (simulated). Burned ground is first seen by the first
clear image, red 0.3 or less, that was taken after half of what burned in the cell had burned; images pass at
13:30 local time. With --real: the Greek scene, whose reference, VNP64A1, dates by the first look. The span
goes from the burn date, less its uncertainty, to the map's first look at the cell on a later day.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.errors import BanetWarning
from banet.evaluation.benchmark.greek import GREEK_PROTOCOL, greek_cube, greek_reference, need_real
from banet.evaluation.benchmark.methods import WITHHELD, Inputs, map_with
from banet.evaluation.benchmark.scenes import subset_named
from banet.evaluation.benchmark.stage import open_stage
from banet.evaluation.compare import compare
from banet.evaluation.measures.dates import Dates
from banet.evaluation.measures.first_looks import FirstLooks
from banet.mapping import map_burned
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


def simulated(cache: Path, weights: str) -> None:
    """Print the shares of the simulated seasons."""
    found: dict[str, list[Whole]] = {inputs: [] for inputs in INPUTS}
    for season in subset_named("small"):
        scene, stage = season.simulate(), open_stage(season, cache)
        fire, seen = days_of(scene)
        for inputs in INPUTS:
            burned = map_with(stage.cube, *stage.mapped, weights=(weights,), inputs=inputs)
            both = (seen >= 0) & (np.nan_to_num(stage.truth.burned_fraction) >= HALF)
            both &= (np.nan_to_num(burned.burned_fraction) >= HALF) & ~np.isnat(burned.burn_date)
            date = (burned.burn_date[both] - scene.days[0]).astype(np.int64)
            wait = burned.first_look[both].astype(np.int64)
            found[inputs].append(np.stack([date, burned.uncertainty[both], fire[both], seen[both], wait]))
    for inputs, parts in found.items():
        date, stated, fire, seen, wait = np.concatenate(parts, 1)
        held = [float((np.abs(day - date) <= stated).mean()) for day in (fire, seen)]
        later, again = seen - fire, wait < NO_UNCERTAINTY
        span = ((seen >= date - stated) & (seen <= date + wait))[again]
        print(
            f"{inputs}: {date.size} cells, half-width {stated.mean():.2f} d, holds the day of the fire in "
            f"{held[0]:.2f}, of the first look in {held[1]:.2f}; that comes {later.mean():.1f} d later, on a "
            f"later day in {(later > 0).mean():.2f}; the span up to the map's first look holds it in "
            f"{span.mean():.2f} of {span.size} (half-width {(stated + wait)[again].mean() / 2:.2f} d)"
        )


def greek(real: Path, weights: str) -> None:
    """Print the shares of the Greek scene."""
    reference = greek_reference(real)
    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder) / "greek.zarr")
        for inputs in INPUTS:
            month = "2021-08"
            burned = map_burned(cube.without(*WITHHELD[inputs]), month, month, weights)
            cells = compare(burned, reference, **GREEK_PROTOCOL)
            dating, span = Dates().of(cells)["dating"], FirstLooks().of(cells)["first_look"]
            print(
                f"Greece, {inputs}: interval of the date holds VNP64A1's day in {dating.covered:.2f} of "
                f"{dating.cells} cells, the span up to the first look in {span['covered']:.2f} of "
                f"{span['cells']} (half-width {span['half_width_days']:.2f} d)"
            )


def main() -> None:
    """Print the shares with all inputs and without hot spots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--real", type=Path, nargs="?", const=Path(), help="folder of the real data")
    given = parser.parse_args()
    warnings.simplefilter("ignore", BanetWarning)
    if given.real is not None:
        greek(need_real(None if given.real == Path() else given.real), given.weights)
    if given.cache is not None:
        simulated(given.cache, given.weights)


if __name__ == "__main__":
    main()
