"""Dice of weights on the real Greek scene under stress: gains, few days of images, thinned hot spots.

    python benchmarks/greek_stress.py WEIGHTS... [--real FOLDER] [--out FILE.json]

Protocol of `banet.evaluation.benchmark.greek`. Gains and records are mapped without hot spots.
Each case is given at the thresholds of 0.5, 0.25 and 0.1: what the first loses against the best is what one
threshold costs.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from about import record, titled

from banet import load_model, map_burned
from banet.evaluation.baselines import index_drop
from banet.evaluation.benchmark.greek import greek_cube, greek_reference, greek_scores, need_real
from banet.evaluation.benchmark.stress import Change, Seen, apply, gain, thin

THRESHOLDS = (0.5, 0.25, 0.1)
GAINS = {"MIR": (0.5, 0.7, 1.5, 2.0), "NIR": (0.7, 0.8, 1.2, 1.4), "red": (0.7, 1.4)}
RECORDS = {
    "every second day": slice(0, 12, 2),
    "3 to 8 August": slice(0, 6),
    "5 to 10 August": slice(2, 8),
    "6 to 11 August": slice(3, 9),
    "9 to 14 August": slice(6, 12),
}
"""Six of the twelve days with images, 3 to 14 August."""


def images_of(seen: Seen, days: slice) -> Seen:
    """Keep the images of some of the days that have any."""
    planes = seen.planes
    kept = np.zeros(len(planes.days), bool)
    kept[np.flatnonzero(np.isfinite(planes.red).any((1, 2)))[days]] = True
    gone = ~kept[:, None, None]
    bands: dict[str, Any] = {
        name: np.where(gone, np.float32(np.nan), getattr(planes, name)) for name in ("red", "nir", "mir")
    }
    return replace(seen, planes=replace(planes, **bands, count=np.where(gone, np.uint8(0), planes.count)))


def cases() -> Iterator[tuple[str, Change | None, bool]]:
    """Yield the name of each case, its change, and whether hot spots are withheld."""
    yield "all inputs", None, False
    yield "hot spots withheld", None, True
    for band, factors in GAINS.items():
        for factor in factors:
            yield f"withheld, {band} x{factor:g}", partial(gain, band=band.lower(), factor=factor), True
    for name, days in RECORDS.items():
        yield f"withheld, {name}", partial(images_of, days=days), True
    for kept in (0.5, 0.1, 0.02, 0):
        yield f"hot spots {100 * kept:g} %", partial(thin, kept=kept), False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    real = need_real(given.real)
    truth, found = greek_reference(real), {}
    models = {title: load_model(name) for title, name in titled(given.weights).items()}
    with tempfile.TemporaryDirectory() as folder:
        whole = greek_cube(real, Path(folder) / "whole.zarr")
        for number, (case, change, withheld) in enumerate(cases()):
            path = Path(folder) / f"{number}.zarr"
            cube = whole if change is None else apply(change, whole, truth, path)[0]
            cube = cube.without("hotspots") if withheld else cube
            row: dict[str, Any] = {}
            for name, model in models.items():
                mapped = map_burned(
                    cube, "2021-08-01", "2021-08-14", weights=model, threshold=min(THRESHOLDS)
                )
                each = [greek_scores(mapped.at_threshold(t), truth, draws=0).dice for t in THRESHOLDS]
                row[name] = [round(dice, 4) for dice in each]
            drop = index_drop(cube, "2021-08-01", "2021-08-14", days=4)
            row["index drop"] = round(greek_scores(drop, truth, draws=0).dice, 4)
            found[case] = row
            print(f"{case:28s} " + "; ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    record(given.out, thresholds=THRESHOLDS, dice=found)


if __name__ == "__main__":
    main()
