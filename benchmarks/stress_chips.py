"""Dice of weights on crops of held-out chips about the most fire, by what is withheld and by gains of bands.

    python benchmarks/stress_chips.py CHIPS WEIGHTS...

CHIPS is a folder of chips of 64 days, such as a run's `validation`. Of each the square of 64 cells that
burned most is taken; short records lie about its worst day, and what burned outside them does not count.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

from banet.chips import Chips
from banet.evaluation.measures.agreement import counts_of
from banet.model import BANet, load_model
from banet.training.augment import withhold_hotspots, withhold_images, withhold_outside
from banet.training.data import network_input

Floats = npt.NDArray[np.float32]
SIZE, MARGIN, WINDOW, THRESHOLDS = 64, 8, 64, (0.5, 0.25, 0.1)
GAINS = ((1, 1, 1), (1, 1, 0.65), (1, 0.7, 1.5), (1.4, 1.4, 0.5))


def crop(planes: Floats, target: Floats) -> tuple[Floats, Floats, int]:
    """Return the square of a chip that burned most, and its worst day."""
    inner = slice(MARGIN, len(target) - MARGIN)
    burned = target[inner].sum(0)
    corners = range(0, len(burned) - SIZE + 1, 32)
    places = [(r, c) for r in corners for c in corners]
    row, col = max(places, key=lambda at: float(burned[at[0] : at[0] + SIZE, at[1] : at[1] + SIZE].sum()))
    here = (..., slice(row, row + SIZE), slice(col, col + SIZE))
    day = MARGIN + int(target[here][inner].sum((1, 2)).argmax())
    return planes[here].copy(), target[here].copy(), day


def cases(planes: Floats, day: int) -> Iterator[tuple[str, Floats, slice]]:
    """Yield the name of each case, its planes, and the days that are scored."""
    days = planes.shape[1]
    whole = slice(MARGIN, days - MARGIN)
    yield "all inputs", planes.copy(), whole
    for name, gone in (("no hot spot seen", 0.0), ("nobody looked", float("nan"))):
        withheld = planes.copy()
        withhold_hotspots(withheld, gone)
        yield name, withheld, whole
    for length in (12, 6):
        first = int(np.clip(day - length // 2, 0, days - length))
        span, short = slice(first, first + length), planes.copy()
        withhold_outside(short, span)
        yield f"{length} days, all inputs", short.copy(), span
        withhold_hotspots(short, 0.0)
        for red, nir, mir in GAINS:
            changed = short.copy()
            changed[:3] *= np.array([red, nir, mir], np.float32).reshape(3, 1, 1, 1)
            yield f"{length} days, no hot spot, red x{red} NIR x{nir} MIR x{mir}", changed, span
    blind = planes.copy()
    withhold_images(blind)
    yield "no images", blind, whole


@torch.inference_mode()
def daily(model: BANet, planes: Floats) -> Floats:
    """Return the probability of each day, (days, rows, columns)."""
    logits = model(torch.from_numpy(network_input(planes, model.spec))[None])[0, 0]
    return np.asarray(expit(logits.float().numpy()), np.float32)


def burned(model: BANet, images: Floats, hotspots: float) -> npt.NDArray[np.bool_]:
    """Return where a record, images (3, days, rows, columns) in the middle of 64 days, is mapped burned.

    `hotspots` is the power of every cell and day: 0 where none was seen, NaN where nobody looked.
    """
    record, first = images.shape[1], (WINDOW - images.shape[1]) // 2
    planes = np.full((4, WINDOW, *images.shape[2:]), np.nan, np.float32)
    planes[:3, first : first + record], planes[3] = images, hotspots
    return daily(model, planes)[first : first + record].sum(0) >= THRESHOLDS[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips")
    parser.add_argument("weights", nargs="+")
    given = parser.parse_args()
    chips = Chips.open(given.chips)
    for name in given.weights:
        model = load_model(name).eval()
        sums: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros((len(THRESHOLDS), 3)))
        for number in range(len(chips.entries)):
            chip = chips.read(number)
            planes, target, day = crop(chip.planes, chip.target)
            for case, changed, days in cases(planes, day):
                true = target[days].sum(0) >= 0.5 - 1e-6
                share = np.minimum(daily(model, changed)[days].sum(0), 1)
                for i, threshold in enumerate(THRESHOLDS):
                    sums[case][i] += counts_of(share >= threshold, true)
        print(f"{name}: Dice at thresholds of {', '.join(map(str, THRESHOLDS))}")
        for case, rows in sums.items():
            dice = [2 * hit / max(2 * hit + false + missed, 1) for hit, false, missed in rows]
            print(f"  {case:50s}" + "".join(f"{value:8.3f}" for value in dice))


if __name__ == "__main__":
    main()
