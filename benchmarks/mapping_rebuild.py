"""Time and memory of mapping in another checkout and in this one, in turn.

    python benchmarks/mapping_rebuild.py --old DIR [--shapes 400x800 1700x4100] [--rounds 3] [--out FILE.json]

`--old` names a folder that holds another commit, as `git worktree add --detach DIR COMMIT` makes it. Each
checkout makes a cube by its own `large_region.make_cube` (the same planes; formats may differ), and maps
the month from it by its own `large_region.run_map`: cube to rasters, NetCDF and manifest in one process. The
two take turns, round after round, so that a busy machine is busy for both; the second begins every other
round. Ratios are taken within each round. The burn dates of both are compared cell by cell.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
WEIGHTS = {"shipped": "default", "published": "width32-lstm"}


def child(role: str, checkout: Path, shape: tuple[int, int], cube: Path, weights: str) -> None:
    """Make a cube, weights, or a map by what a checkout holds, and print what mapping took."""
    sys.path.insert(0, str(checkout / "benchmarks"))
    import large_region

    large_region.SHAPE = shape
    if role == "make":
        large_region.make_cube(cube)
    elif role == "weights":
        print(json.dumps(large_region.file_of(weights, cube.parent)))
    else:
        print(json.dumps(large_region.run_map(cube, weights, None, None)))


def ask(role: str, checkout: Path, shape: tuple[int, int], cube: Path, weights: str, threads: int):
    """Have a process of its own do it, with the package of that checkout."""
    path = os.pathsep.join([str(checkout / "src"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--role", role, "--old", str(checkout), "--cube", str(cube)]
    command += ["--shapes", "x".join(map(str, shape)), "--weights", weights]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env, cwd=cube.parent)
    return json.loads(done.stdout) if role != "make" else None


def dates(folder: Path) -> np.ndarray:
    import rasterio

    with rasterio.open(next((folder / "maps").glob("*_burn_date.tif"))) as raster:
        return raster.read(1)


def measure(sides: dict[str, Path], shape: tuple[int, int], weights: str, args: argparse.Namespace):
    """Return seconds and memory of each side by round, ratios, and the cells in which maps differ."""
    rounds: dict[str, list[dict]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        folders = {name: Path(temporary) / name for name in sides}
        files = {}
        for name, checkout in sides.items():
            folders[name].mkdir()
            cube = folders[name] / "LARGE.zarr"
            ask("make", checkout, shape, cube, weights, args.threads)
            files[name] = ask("weights", checkout, shape, cube, WEIGHTS[weights], args.threads)
        for number in range(args.rounds):
            for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
                cube = folders[name] / "LARGE.zarr"
                found = ask("map", sides[name], shape, cube, files[name], args.threads)
                rounds[name].append(found)
                print(
                    f"  {shape} {weights} {name}: {found['seconds']} s, {found['peak_mib']} MiB", flush=True
                )
        old, new = (dates(folders[name]) for name in sides)
    ratios = sorted(n["seconds"] / o["seconds"] for o, n in zip(rounds["old"], rounds["new"], strict=True))
    return {
        "shape": list(shape),
        "weights": weights,
        "seconds": {name: [one["seconds"] for one in found] for name, found in rounds.items()},
        "peak_mib": {name: max(one["peak_mib"] for one in found) for name, found in rounds.items()},
        "tiles": {name: found[0]["tiles"][1] for name, found in rounds.items()},
        "new_over_old": round(statistics.median(ratios), 3),
        "new_over_old_range": [round(ratios[0], 3), round(ratios[-1], 3)],
        "burned_cells": [int((old > 0).sum()), int((new > 0).sum())],
        "cells_that_differ": int((old != new).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--old", type=Path, required=True, help="folder of the other checkout")
    parser.add_argument("--shapes", nargs="+", default=["400x800", "1700x4100"])
    parser.add_argument("--weights", nargs="+", default=["shipped", "published"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="folder for the cubes, 3 GB at the larger shape")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--role", choices=("make", "weights", "map"), help=argparse.SUPPRESS)
    parser.add_argument("--cube", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    shapes = [tuple(int(n) for n in shape.split("x")) for shape in args.shapes]
    if args.role:
        child(args.role, args.old, shapes[0], args.cube, args.weights[0])
        return
    sides = {"old": args.old.resolve(), "new": HERE}
    results = [measure(sides, shape, weights, args) for shape in shapes for weights in args.weights]
    print(
        "\n| cells | weights | tiles old, new | s old | s new | new / old (range) | MiB old, new | differ |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in results:
        old, new = (statistics.median(row["seconds"][name]) for name in sides)
        low, high = row["new_over_old_range"]
        print(
            f"| {row['shape'][0]} x {row['shape'][1]} | {row['weights']} | {row['tiles']['old']}, "
            f"{row['tiles']['new']} | {old} | {new} | {row['new_over_old']} ({low}-{high}) "
            f"| {row['peak_mib']['old']}, {row['peak_mib']['new']} | {row['cells_that_differ']} |"
        )
    from about import record

    record(args.out, threads=args.threads, results=results)


if __name__ == "__main__":
    main()
