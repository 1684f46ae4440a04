"""Dice by length of record and by share of hot spots, on crops of held-out chips about the most fire.

    python benchmarks/record_curves.py CHIPS WEIGHTS... --out FILE.json --picture FILE.png

Records lie about the worst day of a chip, and what burned outside them does not count (simulated accuracy).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from about import record, titled
from stress_chips import MARGIN, crop, daily

from banet.chips import Chips
from banet.evaluation.measures.agreement import counts_of
from banet.model import load_model
from banet.training.augment import thin_hotspots, withhold_hotspots, withhold_outside

Floats = npt.NDArray[np.float32]
LENGTHS = (4, 6, 8, 12, 16, 24, 36, 48)
SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.0)
PANELS = {
    "all inputs": ("by length", "days of images"),
    "no hot spot": ("by length", "days of images"),
    "48 days": ("by share", "share of hot spots kept"),
    "12 days": ("by share", "share of hot spots kept"),
}
"""Curves, the panel that each is drawn in, and its axis."""


def cases(planes: Floats, day: int, number: int) -> Iterator[tuple[str, float, Floats, slice]]:
    """Yield the curve, the place on it, the planes, and the days that are scored."""
    for length in LENGTHS:
        span = _span(day, length)
        short = planes.copy()
        if length < LENGTHS[-1]:
            withhold_outside(short, span)
        yield "all inputs", length, short.copy(), span
        withhold_hotspots(short)
        yield "no hot spot", length, short, span
    for name, length in (("48 days", 48), ("12 days", 12)):
        for share in SHARES:
            span, thin = _span(day, length), planes.copy()
            if length < LENGTHS[-1]:
                withhold_outside(thin, span)
            thin_hotspots(thin, 1 - share, np.random.default_rng([number, round(1000 * share)]))
            if not (thin[3] > 0).any():  # where none is left maps take them as not known
                withhold_hotspots(thin)
            yield name, share, thin, span


def _span(day: int, length: int) -> slice:
    first = MARGIN if length == LENGTHS[-1] else int(np.clip(day - length // 2, 0, 64 - length))
    return slice(first, first + length)


def draw(found: dict[str, dict[str, dict[float, float]]], path: Path) -> None:
    """Draw both panels, one line a curve, full for the first weights and dashed for the next."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    panels = dict(zip(("by length", "by share"), axes, strict=True))
    for order, (weights, curves) in enumerate(found.items()):
        for number, (name, places) in enumerate(curves.items()):
            panel, label = PANELS[name]
            x = [max(place, 0.01) for place in places]
            style = {
                "color": f"C{number}",
                "linestyle": ("-", "--", ":")[order],
                "marker": "o",
                "markersize": 3,
            }
            panels[panel].plot(x, list(places.values()), label=f"{name}, {weights}", **style)
            panels[panel].set(xscale="log", xlabel=label)
    axes[0].set_xticks(LENGTHS, [str(n) for n in LENGTHS], minor=False)
    axes[1].set_xticks([max(s, 0.01) for s in SHARES], [f"{100 * s:g} %" for s in SHARES])
    for axis in axes:
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[0].set(ylabel="Dice at 0.5 (simulated)", ylim=(0, 1))
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips")
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    chips, found = Chips.open(given.chips), {}
    for title, weights in titled(given.weights).items():
        model = load_model(weights).eval()
        sums: dict[str, dict[float, npt.NDArray[np.int64]]] = {name: {} for name in PANELS}
        for number in range(len(chips.entries)):
            chip = chips.read(number)
            planes, target, day = crop(chip.planes, chip.target)
            for name, place, changed, days in cases(planes, day, number):
                true = target[days].sum(0) >= 0.5 - 1e-6
                mapped = daily(model, changed)[days].sum(0) >= 0.5
                sums[name][place] = sums[name].get(place, 0) + counts_of(mapped, true)
        found[title] = {
            name: {
                place: round(float(2 * hit / max(2 * hit + false + missed, 1)), 4)
                for place, (hit, false, missed) in of.items()
            }
            for name, of in sums.items()
        }
        for name, curve in found[title].items():
            print(f"{weights} {name}: " + ", ".join(f"{place:g} {dice:.3f}" for place, dice in curve.items()))
    record(given.out, chips=len(chips.entries), index_sha256=chips.index_sha256, dice=found)
    if given.picture is not None:
        draw(found, given.picture)


if __name__ == "__main__":
    main()
