"""Savings of each way of doing less work, the answer being the same.

    python benchmarks/less_work.py [--rounds 5] [--out FILE.json]

One tile of 64 days of a region of 400 x 800 cells, as it is cut for the network, goes through the torch
engine: all of it, the kept days, the kept days of its core. Besides, the cells that tiles
compute over what the region holds, and what is read, masked and
normalised once for an ensemble of three instead of three times.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))

SHAPE = (400, 800)
NETS = ("shipped", "width32-lstm")


def seconds(work, rounds: int) -> float:
    work()  # memory becomes warm
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def read_seconds(size: tuple[int, int], spec, rounds: int) -> float:
    """Return what reading, masking and normalising a tile takes."""
    import large_region as large

    from banet.cube import open_cube
    from banet.mapping.cores import seamless_tiling
    from banet.mapping.tiles import looks_of, read_tile
    from banet.mapping.windows import month_window
    from banet.model.inputs import normalise

    large.SHAPE = size
    tile = seamless_tiling(size, max(size), (0, 0), 16).tile((0, 0))
    with tempfile.TemporaryDirectory() as folder:
        large.make_cube(Path(folder) / "T.zarr")
        cube = open_cube(Path(folder) / "T.zarr")

        def work() -> None:
            window, x = read_tile(cube, tile, month_window("2020-08"), spec)
            looks_of(window)
            normalise(window, spec, out=x)

        return seconds(work, rounds)


def overlaps(ensemble) -> dict[str, float]:
    """Return what tiles compute over what the region holds."""
    from overlap import computed_over_region, overlap

    from banet.mapping.cores import original_tiling

    return {
        "original_128_at_100": round(computed_over_region(original_tiling(SHAPE)), 3),
        "least_work": round(overlap(ensemble, shape=SHAPE), 3),
    }


def middle_tile(model):
    """Return a tile of the region as it is cut for a network, its ensemble, and days for the engine."""
    from banet.mapping.cores import seamless_tiling
    from banet.mapping.ensemble import as_ensemble

    ensemble = as_ensemble(model)
    tiling = seamless_tiling(SHAPE, ensemble.tile, ensemble.margin, ensemble.align)
    tile = tiling.tile(tiling.cores[len(tiling) // 2].index)
    x = np.random.default_rng(0).normal(size=(model.config.channels, 64, *tile.size)).astype(np.float32)
    return tile, ensemble, x


def measure(net: str, rounds: int) -> dict[str, object]:
    from engine_tile import network

    from banet.mapping.windows import month_window
    from banet.model import Engine

    model, keep = network(net), month_window("2020-08").keep
    (tile, ensemble, x), engine = middle_tile(model), Engine([model], "torch")
    parts = {
        "all": None,
        "kept_days": (keep, slice(None), slice(None)),
        "kept_days_of_its_core": (keep, *tile.inner),
    }
    taken = {
        name: round(seconds(lambda p=part: engine.probabilities(x, p), rounds), 3)
        for name, part in parts.items()
    }
    whole = engine.probabilities(x)[parts["kept_days_of_its_core"]]
    apart = np.abs(whole - engine.probabilities(x, parts["kept_days_of_its_core"])).max()
    return {
        "tile": [64, *tile.size],
        "seconds": taken,
        "max_difference": float(apart),
        "read_mask_normalise_s": round(read_seconds(tile.size, engine.spec, rounds), 3),
        "computed_over_region": overlaps(ensemble),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    results = {net: measure(net, args.rounds) for net in NETS}
    for net, found in results.items():
        print(f"{net}: {json.dumps(found)}")
    record(args.out, rounds=args.rounds, results=results)


if __name__ == "__main__":
    main()
