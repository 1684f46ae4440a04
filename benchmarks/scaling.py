"""One month of one region by one process, and by 1, 2, ... worker processes of a dask cluster.

    python benchmarks/scaling.py [--weights NAME] [--shape 400 800] [--workers 1 2] [--rounds 3] [--out FILE]

In each round every contestant maps the same cube once, one after the other; the workers are started before
the clock is. All engines have one thread, so that the number of processes is all that differs. Given are
medians, and the ratio to one worker taken within each round with its range.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))


def make_cube(path: Path, shape: tuple[int, int]):
    import large_region as large

    large.SHAPE = shape
    large.make_cube(path)


def once(cube, engine, scratch: Path, scheduler) -> tuple[float, np.ndarray]:
    from banet.mapping import map_burned

    begin = time.perf_counter()
    burnmap = map_burned(cube, "2020-08", "2020-08", engine, scratch=scratch, scheduler=scheduler)
    return time.perf_counter() - begin, burnmap.burned_fraction


def warm() -> None:
    """Import, on a worker, what takes long to import: that is not what is measured."""
    import banet.mapping.task
    import banet.model.engine  # noqa: F401


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default")
    parser.add_argument("--shape", type=int, nargs=2, default=[400, 800])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    from banet.cube import open_cube
    from banet.model import Engine, load_models
    from banet.parallel import connected

    engine = Engine(load_models(args.weights.split(",")), "torch", threads=1)
    seconds: dict[int, list[float]] = {count: [] for count in (0, *args.workers)}
    maps = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_cube(folder / "T.zarr", tuple(args.shape))
        cube = open_cube(folder / "T.zarr")
        for number in range(args.rounds):
            for count, taken in seconds.items():
                scratch = folder / f"scratch-{number}-{count}"
                if count == 0:
                    took, found = once(cube, engine, scratch, None)
                else:
                    with connected(workers=count) as client:
                        client.run(warm)
                        took, found = once(cube, engine, scratch, client)
                taken.append(round(took, 2))
                maps.append(found.tobytes())
                print(f"  {count or 'no'} workers: {took:.1f} s", flush=True)
    if len(set(maps)) != 1:
        raise SystemExit("the maps differ")
    rows, first = [], args.workers[0]
    print("\n| workers | median s | times faster than one worker (range) |\n|---|---|---|")
    for count, found in seconds.items():
        ratios = sorted(one / other for one, other in zip(seconds[first], found, strict=True))
        row = {"workers": count, "seconds": found, "median_s": statistics.median(found)}
        row |= {"speedup": round(statistics.median(ratios), 2)}
        row |= {"speedup_range": [round(ratios[0], 2), round(ratios[-1], 2)]}
        rows.append(row)
        low, high = row["speedup_range"]
        name = count or "none, in this process"
        print(f"| {name} | {row['median_s']} | {row['speedup']} ({low}-{high}) |")
    record(args.out, shape=args.shape, weights=args.weights, results=rows)


if __name__ == "__main__":
    main()
