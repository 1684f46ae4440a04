"""Dice of weights and of their means on crops of held-out chips, on the simulator's land and on other land.

    python benchmarks/short_records.py CHIPS WEIGHTS...

CHIPS is a folder of chips of 64 days, such as a run's `validation`; A+B is the mean of two. Records are whole
(48 days), or 12 or 6 days about the worst day; late ones have six days of images that begin the day after it.
Cells of which a third burned before the record are not scored. On other land (`banet.simulation.other_land`)
the same burns lie in images that training never draws from.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from stress_chips import MARGIN, crop, daily

from banet.chips import Chip, Chips
from banet.evaluation.measures.agreement import counts_of
from banet.model import load_model
from banet.simulation.other_land import images_of
from banet.training.augment import withhold_hotspots, withhold_outside

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
DAYS = np.arange("2020-07-01", "2020-09-03", dtype="datetime64[D]")
HOTSPOTS = {"all inputs": None, "no hot spot seen": 0.0, "nobody looked": float("nan")}


def lands(planes: Floats, target: Floats, number: int) -> Iterator[tuple[str, Floats]]:
    """Yield planes (4, 64, rows, columns) of the chip, and with images of other land."""
    yield "simulator", planes
    burned = target.sum(0)
    date = np.where(burned > 0, DAYS[target.argmax(0)], np.datetime64("NaT"))
    other = planes.copy()
    other[:3] = np.stack(images_of(date, burned, DAYS, number))
    yield "other land", other


def records(day: int) -> Iterator[tuple[str, slice, slice]]:
    """Yield the name of a record, its days of images and the days that are scored."""
    yield "48 days", slice(0, len(DAYS)), slice(MARGIN, len(DAYS) - MARGIN)
    for length in (12, 6):
        first = int(np.clip(day - length // 2, 0, len(DAYS) - length))
        yield f"{length} days", slice(first, first + length), slice(first, first + length)
    late = slice(min(day + 1, len(DAYS) - 7), min(day + 7, len(DAYS)))
    yield "6 days, late", late, slice(0, late.stop)


def cases(chip: Chip, number: int) -> Iterator[tuple[str, Floats, Mask, slice, Mask]]:
    """Yield the name of each case, its planes, what burned, and the days and cells that are scored."""
    planes, target, day = crop(chip.planes, chip.target)
    told = itertools.product(lands(planes, target, number), records(day), HOTSPOTS.items())
    for (land, images), (record, span, scored), (known, value) in told:
        changed = images.copy()
        withhold_outside(changed, span)
        if value is not None:
            withhold_hotspots(changed, value)
        counted = target[: scored.start].sum(0) < 0.3
        yield f"{land}, {record}, {known}", changed, target[scored].sum(0) >= 0.5 - 1e-6, scored, counted


def main() -> None:
    """Print a line for each case, a column for each of the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips")
    parser.add_argument("weights", nargs="+")
    given = parser.parse_args()
    groups = {group: group.split("+") for group in given.weights}
    models = {name: load_model(name).eval() for names in groups.values() for name in names}
    chips = Chips.open(given.chips)
    sums: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros((len(groups), 3)))
    for number in range(len(chips.entries)):
        for case, planes, true, scored, counted in cases(chips.read(number), number):
            shares = {name: daily(model, planes) for name, model in models.items()}
            for place, names in enumerate(groups.values()):
                mapped = np.mean([shares[name] for name in names], 0)[scored].sum(0) >= 0.5
                sums[case][place] += counts_of(mapped[counted], true[counted])
    for case, rows in sums.items():
        dice = [2 * hit / max(2 * hit + false + missed, 1) for hit, false, missed in rows]
        print(f"{case:42s}" + "".join(f"{value:8.3f}" for value in dice))


if __name__ == "__main__":
    main()
