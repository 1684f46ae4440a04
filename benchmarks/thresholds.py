"""Dice by threshold and by the looks before and after the day, on crops of held-out chips.

    python benchmarks/thresholds.py CHIPS WEIGHTS [--out FILE.json]

Records and lands are those of `short_records.py`, all of them together. Looks are those within 16 days of the
day of the largest probability.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from about import record
from short_records import Mask, lands, records
from stress_chips import Floats, crop, daily

from banet.burned_area.evidence import on_both_sides
from banet.chips import Chip, Chips
from banet.evaluation.measures.agreement import counts_of, dice
from banet.model import load_model
from banet.training.augment import withhold_hotspots, withhold_outside

THRESHOLDS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2)
LEAST = 500
"""Cells that burned, of which a class has so many where it is shown."""


def looks(observed: Mask, day: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    """Return the class of each cell (rows, columns) by its looks before a day, and from it on."""
    before, after = on_both_sides(observed, day)
    few = [before == 0, before == 1, after < 2]
    return np.select(few, ["none before", "one before", "under two after"], "two and more on each side")


def cases(chip: Chip, number: int) -> Iterator[tuple[str, Floats, Floats, slice]]:
    """Yield the name of each case, its planes, the truth and the days that are scored."""
    planes, target, worst = crop(chip.planes, chip.target)
    for (land, images), (_, span, scored) in itertools.product(lands(planes, target, number), records(worst)):
        changed = images.copy()
        withhold_outside(changed, span)
        yield f"{land}, all inputs", changed, target, scored
        withhold_hotspots(changed)
        yield f"{land}, nobody looked", changed, target, scored


def counts(daily_share: Floats, target: Floats, scored: slice, observed: Mask) -> dict[str, Floats]:
    """Return by class the hits, false and missed cells at each threshold, (thresholds, 3)."""
    day = scored.start + daily_share[scored].argmax(0)
    total, true = daily_share[scored].sum(0), target[scored].sum(0) >= 0.5 - 1e-6
    counted = target[: scored.start].sum(0) < 0.3
    classes, found = looks(observed, day), {}
    for name in np.unique(classes):
        here = counted & (classes == name)
        found[str(name)] = np.stack([counts_of((total >= t)[here], true[here]) for t in THRESHOLDS])
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
        for case, planes, target, scored in cases(chips.read(number), number):
            observed = np.isfinite(planes[:3]).all(0)
            for name, one in counts(daily(model, planes), target, scored, observed).items():
                sums[f"{case}, {name}"] += one
    found = {}
    for case, rows in sorted(sums.items()):
        if rows[0, 0] + rows[0, 2] >= LEAST:
            found[case] = [round(float(one), 3) for one in dice(rows)]
            print(f"{case:55s}", *found[case], flush=True)
    record(given.out, index_sha256=chips.index_sha256, thresholds=THRESHOLDS, dice=found)


if __name__ == "__main__":
    main()
