"""Peak memory and time of one process that maps a region as large as Australia: 1700 x 4100 cells, 64 days.

    python benchmarks/large_region.py [--weights default] [--max-tiles N] [--tile N] [--out FILE] [--keep DIR]
    python benchmarks/large_region.py --weights width32-lstm        # BA-Net as published, random weights

The cube is made first, by a process of its own: a block of 64 days x 256 x 256 cells of noisy ground, clouds,
sea and fires, repeated over the region (about 1.5 GB on disk; removed at the end). Then one process maps the
month from it: cube to rasters, NetCDF and manifest. With --max-tiles it maps so many tiles and stops there;
planes, reading and joining are those of the whole region, and the result says how many tiles were done.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import peak_mib, record

SHAPE = (1700, 4100)
BLOCK = 256
FIRST = np.datetime64("2020-07-15")
DAYS = 64


def block_day(number: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Red, NIR, MIR, FRP of a day of the block: fires that leave char, a sea in a corner, drifting clouds."""
    rows, cols = np.mgrid[:BLOCK, :BLOCK]
    char = np.zeros((BLOCK, BLOCK), bool)
    frp = np.zeros((BLOCK, BLOCK), np.float32)
    for fire in range(6):
        row, col, start = 40 + 37 * fire % 180, 60 + 71 * fire % 180, 20 + 5 * fire
        distance = np.hypot(rows - row, cols - col)
        char |= (distance < 3 * (number - start)) & (distance < 20)
        frp += ((np.abs(distance - 3 * (number - start)) < 2) & (0 < number - start < 7)) * np.float32(30)
    planes = []
    for land, burned, sea in ((0.10, 0.06, 0.05), (0.25, 0.10, 0.02), (0.12, 0.22, 0.01)):
        ground = np.where(char, burned, land) + rng.normal(0, 0.01, (BLOCK, BLOCK))
        planes.append(np.where(rows + cols < 120, sea, ground).astype(np.float32))
    cloud = np.sin((rows + 17 * number) / 23) + np.sin((cols - 11 * number) / 31) > 0.6
    for plane in planes:
        plane[cloud] = np.nan
    return [*planes, frp]


def make_cube(path: Path) -> None:
    from banet.cube import Cube
    from banet.grid.region import Region
    from banet.observations.planes import DayPlanes

    rows, cols = SHAPE
    region = Region("LARGE", (113, -10 - rows / 100, 113 + cols / 100, -10), 0.01)
    cube = Cube.create(path, region, sensor="VIIRS S-NPP", mir_band="M12")
    rng = np.random.default_rng(0)
    repeats = (-(-rows // BLOCK), -(-cols // BLOCK))
    for number in range(DAYS):
        red, nir, mir, frp = (np.tile(p, repeats)[:rows, :cols] for p in block_day(number, rng))
        seen = np.isfinite(red)
        zenith = np.where(seen, np.float32(20), np.float32(np.nan))
        cube.write_day(FIRST + number, DayPlanes(red, nir, mir, zenith, seen.astype(np.uint8)), frp)


class EnoughError(Exception):
    """As many tiles as asked for are done."""


def run_map(path: Path, weights: str, max_tiles: int | None, tile: int | None) -> dict[str, object]:
    """Map, in this process, and return what it took."""
    from banet.cube import open_cube
    from banet.export.products import write_map
    from banet.mapping import map_months

    cube, begin, tiles = open_cube(path), time.perf_counter(), [0, 0]
    prepared = peak_mib()

    def report(done: int, total: int, message: str) -> None:
        tiles[:] = done, total
        print(
            f"  tile {done}/{total}, {time.perf_counter() - begin:.0f} s, {peak_mib()} MiB",
            file=sys.stderr,
        )
        if done == max_tiles:
            raise EnoughError

    figures: dict[str, object] = {}
    try:
        (burnmap,) = map_months(cube, "2020-08", "2020-08", weights.split(","), progress=report, tile=tile)
        figures["map_s"] = round(time.perf_counter() - begin, 1)
        figures["map_peak_mib"] = peak_mib()
        write_map(cube, burnmap, path.parent / "maps", settings={}, pictures=False)
        figures["burned_cells"] = int(burnmap.burned.sum())
    except EnoughError:
        figures["stopped_early"] = True
    return figures | {
        "tiles": tiles,
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_mib": peak_mib(),
        "peak_before_mib": prepared,
    }


def file_of(weights: str, folder: Path) -> str:
    """Return names or files of weights; networks that the other benchmarks name get a file of random ones."""
    from engine_tile import NETS, network

    from banet.model.weights import save_weights

    if weights not in NETS:
        return weights
    return str(save_weights(network(weights), folder / f"{weights}.safetensors"))


def measure(weights: str, max_tiles: int | None, tile: int | None, keep: Path | None) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        cube = folder / "LARGE.zarr"
        me = [sys.executable, __file__, "--cube", str(cube)]
        if not cube.exists():
            shutil.rmtree(folder / "making.zarr", ignore_errors=True)
            subprocess.run([*me[:-1], str(folder / "making.zarr"), "--role", "make"], check=True)
            (folder / "making.zarr").rename(cube)
        size = sum(file.stat().st_size for file in cube.rglob("*") if file.is_file())
        limit = [] if max_tiles is None else ["--max-tiles", str(max_tiles)]
        limit += [] if tile is None else ["--tile", str(tile)]
        done = subprocess.run(
            [*me, "--role", "map", "--weights", file_of(weights, folder), *limit],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return {"cube_gb": round(size / 1e9, 2), **json.loads(done.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default")
    parser.add_argument("--max-tiles", type=int)
    parser.add_argument("--tile", type=int, help="edge of a tile, if not the one of the weights")
    parser.add_argument("--keep", type=Path, help="folder in which the cube stays for another run")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--role", choices=("make", "map"), help=argparse.SUPPRESS)
    parser.add_argument("--cube", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.role == "make":
        make_cube(asked.cube)
        return
    if asked.role == "map":
        print(json.dumps(run_map(asked.cube, asked.weights, asked.max_tiles, asked.tile)))
        return
    found = measure(asked.weights, asked.max_tiles, asked.tile, asked.keep)
    done, total = found["tiles"]
    print("| region | weights | tiles done | seconds | peak memory |\n|---|---|---|---|---|")
    print(
        f"| {SHAPE[0]} x {SHAPE[1]} cells x {DAYS} days | {asked.weights} | {done} of {total} "
        f"| {found['seconds']} | {found['peak_mib']} MiB |"
    )
    record(asked.out, shape=[DAYS, *SHAPE], weights=asked.weights, **found)


if __name__ == "__main__":
    main()
