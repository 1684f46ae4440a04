"""Dice where one band is lost for three weeks: such looks count as none, or are taken as they are.

    python benchmarks/lost_band.py CHIPS WEIGHTS... [--seasons FOLDER]

CHIPS is a folder of chips of 64 days, such as a run's `validation`; of each the middle square of 64 cells is
mapped, a band lost on the 21 days about the middle. With --seasons the six small seasons of the benchmark,
kept in FOLDER, are mapped too, without hot spots and without MIR while most burned.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from about import titled
from stress_chips import MARGIN, SIZE, daily

from banet.chips import Chips
from banet.evaluation.benchmark.scenes import SMALL
from banet.evaluation.benchmark.stage import open_stage
from banet.evaluation.benchmark.stress import STRESSES, apply
from banet.evaluation.measures.agreement import counts_of, dice
from banet.mapping import map_burned
from banet.model import BANet, load_model
from banet.training.augment import withhold_hotspots

LOST, STRESS, HALF = slice(22, 43), "no MIR for 21 days", 0.5 - 1e-6
BANDS = {"nothing": None, "NIR": 1, "MIR": 2}


def both_ways(names: list[str]) -> dict[str, BANet]:
    """Return each of the weights twice: looks that lack a band count as none, and as they are."""
    models = {}
    for title, name in titled(names).items():
        for whole in (True, False):
            model = load_model(name).eval()
            model.spec = model.spec.model_copy(update={"whole_looks": whole})
            models[f"{title}, {'count as none' if whole else 'as they are'}"] = model
    return models


def on_chips(chips: Chips, models: dict[str, BANet]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Yield a case and its error matrix, of each chip."""
    middle = (..., *2 * (slice((chips.size - SIZE) // 2, (chips.size + SIZE) // 2),))
    for number in range(len(chips)):
        chip = chips.read(number)
        burned = chip.target[middle][MARGIN:].sum(0) >= HALF
        for lost, band in BANDS.items():
            planes = chip.planes[middle].copy()
            if band is not None:
                planes[band, LOST] = np.nan
            for known in ("all inputs", "no hot spots"):
                for name, model in models.items():
                    mapped = daily(model, planes)[MARGIN:].sum(0) >= 0.5
                    yield f"{lost} lost, {known}, {name}", counts_of(mapped, burned)
                withhold_hotspots(planes)


def on_seasons(folder: Path, models: dict[str, BANet]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Yield a case and its error matrix, of each season."""
    for season in SMALL:
        stage = open_stage(season, folder)
        burned = np.nan_to_num(stage.truth.burned_fraction) >= HALF
        with tempfile.TemporaryDirectory() as place:
            cube = apply(STRESSES[STRESS], stage.cube, stage.truth, Path(place, "cube.zarr"))[0]
            for name, model in models.items():
                found = map_burned(cube.without("hotspots"), cube.days[0], cube.days[-1], weights=model)
                mapped = np.nan_to_num(found.burned_fraction) >= HALF
                yield f"seasons, {name}", counts_of(mapped & ~stage.truth.water, burned & ~stage.truth.water)


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--seasons", type=Path)
    given = parser.parse_args()
    models = both_ways(given.weights)
    sums: dict[str, npt.NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, np.int64))
    for case, one in on_chips(Chips.open(given.chips), models):
        sums[case] += one
    for case, one in on_seasons(given.seasons, models) if given.seasons else ():
        sums[case] += one
    for case, cells in sums.items():
        print(f"{case:60s} Dice {float(dice(cells)):.3f}; hit, false, missed {cells.tolist()}")


if __name__ == "__main__":
    main()
