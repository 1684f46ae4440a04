"""Dice by threshold and by the clear looks before and after the day, on crops of held-out chips.

    python benchmarks/thresholds.py CHIPS WEIGHTS [--out FILE.json]

Records and lands are those of `short_records.py`, all of them together. Looks are those within 16 days of the
day of the largest probability. Only what nobody saw before it burned wants another threshold than the rest.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from about import record
from short_records import Mask, lands, records
from stress_chips import Floats, crop, daily

from banet.burned_area.evidence import WITHIN
from banet.chips import Chips
from banet.model import load_model
from banet.training.augment import withhold_hotspots, withhold_outside

THRESHOLDS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2)
LEAST = 500
"""Cells that burned, of which a class has so many where it is shown."""


def looks(observed: Mask, day: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    """Return the class of each cell (rows, columns) by its clear looks before a day, and from it on."""
    running = np.cumsum(np.concatenate((np.zeros_like(observed[:1]), observed)), 0, dtype=np.int64)

    def until(end: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.asarray(np.take_along_axis(running, np.clip(end, 0, len(observed))[None], 0)[0])

    before, after = until(day) - until(day - WITHIN), until(day + WITHIN) - until(day)
    few = [before == 0, before == 1, after < 2]
    return np.select(few, ["none before", "one before", "under two after"], "two and more on each side")


def counts(daily_share: Floats, target: Floats, scored: slice, observed: Mask) -> dict[str, Floats]:
    """Return by class the hits, false and missed cells at each threshold, (thresholds, 3)."""
    day = scored.start + daily_share[scored].argmax(0)
    total, true = daily_share[scored].sum(0), target[scored].sum(0) >= 0.5 - 1e-6
    counted = target[: scored.start].sum(0) < 0.3
    classes, found = looks(observed, day), {}
    for name in np.unique(classes):
        here = counted & (classes == name)
        maps = [(total >= t)[here] for t in THRESHOLDS]
        burned = true[here]
        found[str(name)] = np.array(
            [[(m & burned).sum(), (m & ~burned).sum(), (~m & burned).sum()] for m in maps]
        )
    return found


def main() -> None:
    """Print a line for each land, choice of hot spots and class of looks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips")
    parser.add_argument("weights")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    model, chips = load_model(given.weights).eval(), Chips.open(given.chips)
    sums: dict[str, Floats] = defaultdict(lambda: np.zeros((len(THRESHOLDS), 3), np.float32))
    for number in range(len(chips)):
        chip = chips.read(number)
        planes, target, worst = crop(chip.planes, chip.target)
        for land, images in lands(planes, target, number):
            for _, span, scored in records(worst):
                for known in ("all inputs", "nobody looked"):
                    changed = images.copy()
                    withhold_outside(changed, span)
                    if known != "all inputs":
                        withhold_hotspots(changed)
                    observed = np.isfinite(changed[:3]).all(0)
                    for name, one in counts(daily(model, changed), target, scored, observed).items():
                        sums[f"{land}, {known}, {name}"] += one
    found = {}
    for case, rows in sorted(sums.items()):
        hit, false, missed = rows.T
        if hit[0] + missed[0] >= LEAST:
            found[case] = [round(float(d), 3) for d in 2 * hit / np.maximum(2 * hit + false + missed, 1)]
            print(f"{case:55s}", *found[case], flush=True)
    record(given.out, thresholds=THRESHOLDS, dice=found)


if __name__ == "__main__":
    main()
