"""Reach of the border of a tile: a tile against a single pass, by distance from the border.

    python benchmarks/margin.py [--nets shipped width32-lstm PATH ...] [--out FILE.json]

A cube of fires that leave char, a sea and drifting clouds (`large_region`) goes through the network in one
pass, and cut: once by a border to the north and west, once by one to the south and east. Given is, for each
margin that the strides allow, the largest difference in probability among all cells and days beyond it, and
what tiles with that margin compute over what a region of 1700 x 4100 cells holds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))

SIZE, CUT = 448, 160
NETS = ("shipped", "width32-lstm")


def days(spec) -> np.ndarray:
    """Return normalised (channels, 64, SIZE, SIZE)."""
    import large_region as large

    from banet.cube import open_cube
    from banet.model.inputs import normalise

    large.SHAPE = (SIZE, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        large.make_cube(Path(folder) / "T.zarr")
        cube = open_cube(Path(folder) / "T.zarr")
        return normalise(cube.read(large.FIRST, large.FIRST + large.DAYS), spec)


def model_of(net: str):
    """Return weights, or the published network with random weights that answer from 0 to 1."""
    if net == "width32-lstm":
        from region_month import networks

        return networks()[0]
    from banet.model import load_model

    return load_model("default" if net == "shipped" else net)


def by_distance(difference: np.ndarray) -> np.ndarray:
    """Return the largest difference at each distance from the nearer of first row and first column."""
    plane = difference.max(0)
    rows, cols = np.indices(plane.shape)
    nearest = np.minimum(rows, cols)
    found = np.zeros(plane.shape[0])
    np.maximum.at(found, nearest.ravel(), plane.ravel())
    return found


def errors(net: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference by distance from a border to the north-west, and from one to the south-east."""
    from banet.model import Engine

    engine = Engine([model_of(net)], "torch")
    x = days(engine.spec)
    whole = engine.probabilities(x)
    lead = np.abs(engine.probabilities(x[:, :, CUT:, CUT:]) - whole[:, CUT:, CUT:])
    rest = SIZE - CUT
    trail = np.abs(engine.probabilities(x[:, :, :rest, :rest]) - whole[:, :rest, :rest])
    # The other two sides of a cut are those of the whole.
    return by_distance(lead), by_distance(trail[:, ::-1, ::-1])


def measure(net: str) -> dict[str, object]:
    from overlap import overlap

    from banet.mapping.ensemble import as_ensemble

    ensemble = as_ensemble(model_of(net))
    lead, trail = errors(net)
    rows = []
    steps = range(0, 3 * ensemble.align, ensemble.align)
    for margin in [(a, b) for a in steps for b in steps if b <= a]:
        worst = max(lead[margin[0] :].max(), trail[margin[1] :].max())
        work = round(overlap(ensemble, margin), 3)
        rows.append({"margin": margin, "max_difference": float(worst), "work": work})
    felt = [int(np.flatnonzero(side > 1e-3).max(initial=-1)) + 1 for side in (lead, trail)]
    return {"default": ensemble.margin, "felt_above_1e-3": felt, "margins": rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", nargs="+", default=list(NETS), help="or a file of weights")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    results = {net: measure(net) for net in args.nets}
    for net, found in results.items():
        print(
            f"\n{net}: felt above 1e-3 up to {found['felt_above_1e-3']} cells; default {found['default']}\n"
        )
        print("| margin | largest difference beyond it | work |\n|---|---|---|")
        for row in found["margins"]:
            print(f"| {row['margin']} | {row['max_difference']:.1e} | {row['work']} |")
    record(args.out, results=results)


if __name__ == "__main__":
    main()
