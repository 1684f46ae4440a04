"""Time of a tile: each stage with its share and its own floor.

    python benchmarks/tile_stages.py [--net shipped] [--size 256] [--rounds 5] [--out FILE.json]

A cube of noisy planes is made, one tile of 64 days is read from it and mapped by the torch engine, stage by
stage. The floor of a stage of arithmetic is its operations over what a float32 matrix product of this machine
reaches; that of a stage that moves data is the bytes that it must read and write over what a copy of a large
array reaches. Seconds are medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))

FIRST, DAYS, KEPT = np.datetime64("2020-07-15"), 64, slice(17, 48)


def make_cube(path: Path, size: int):
    from banet.cube import Cube
    from banet.grid.region import Region
    from banet.observations.planes import DayPlanes

    side = round(size / 100, 2)
    cube = Cube.create(path, Region("T", (0, 0, side, side), 0.01), sensor="x", mir_band="M12")
    rng, shape = np.random.default_rng(0), (size, size)
    for number in range(DAYS):
        red, nir, mir = rng.normal([[[0.1]], [[0.3]], [[0.15]]], 0.02, (3, *shape)).astype(np.float32)
        frp = np.where(rng.random(shape) < 1e-3, 20, 0).astype(np.float32)
        zenith, count = np.full(shape, 30, np.float32), np.ones(shape, np.uint8)
        cube.write_day(FIRST + number, DayPlanes(red, nir, mir, zenith, count), frp)
    return cube


def copy_gbs() -> float:
    """Return how many GB/s a copy reads and writes."""
    source = np.ones(32 << 20, np.float32)
    target, best = np.zeros_like(source), 0.0
    for _ in range(5):
        begin = time.perf_counter()
        target[...] = source
        best = max(best, 2 * source.nbytes / 1e9 / (time.perf_counter() - begin))
    return best


def group_names(model) -> list[str]:
    """Name the engine's layer groups in the order in which it runs them."""
    downs = [f"encoder {i + 1}" for i in range(len(model.stages))]
    if model.memory is not None:
        downs[0] = "memory, encoder 1"
    ups = [f"decoder {i + 1}" for i in range(len(model.steps) - 1)]
    return [*downs, "bottom", "bottom up", *ups, f"decoder {len(model.steps)}, head"]


def group_gflop(model, size: int) -> list[float]:
    """Return the arithmetic of each layer group."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, model.config.channels, DAYS, 64, 64))
    scale = (size / 64) ** 2 / 1e9
    counts = {name: sum(found.values()) * scale for name, found in counter.get_flop_counts().items()}

    def of(*names: str) -> float:
        return sum(counts.get(f"BANet.{name}", 0.0) for name in names)

    c = model.config
    lstm = 16 * c.width**2 * DAYS * size**2 / 1e9 if c.lstm else 0.0
    downs = [of(f"encoder.{i}") for i in range(len(model.stages))]
    downs[0] += lstm + of("memory")
    ups = [of(f"decoder.{i}") for i in range(len(model.steps))]
    ups[-1] += of("head", "logits")
    # The decoder computes the days that are kept and those that they are made from.
    first, last = KEPT.start - c.head_kernel // 2, KEPT.stop + c.head_kernel // 2
    for i in range(len(ups)):
        first, last, whole = first // 2, -(-last // 2), DAYS >> (i + 1)
        ups[-1 - i] *= (last - first) / whole
    return [*downs, of("bottom"), of("bottom_up"), *ups]


class Watch:
    """Collects the seconds of stages by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def __call__(self, name: str, work):
        begin = time.perf_counter()
        found = work()
        self.note(name, time.perf_counter() - begin)
        return found

    def note(self, name: str, seconds: float) -> None:
        self.seconds.setdefault(name, []).append(seconds)


def by_group(taken: list[float], groups: int) -> list[float]:
    """Return the seconds of each layer group: the first two take turns by bands, others come once."""
    bands = len(taken) - groups + 2
    return [sum(taken[:bands:2]), sum(taken[1:bands:2]), *taken[bands:]]


def one_round(watch: Watch, cube, engine, names: list[str], store, size: int) -> dict[str, float]:
    """Do one tile and return the bytes that each stage of moving data must touch."""
    from banet.burned_area.dating import summarise
    from banet.mapping.cores import seamless_tiling
    from banet.mapping.tiles import looks_of, read_tile
    from banet.mapping.water import WaterCounts
    from banet.mapping.windows import Window
    from banet.model.inputs import normalise

    tiling = seamless_tiling((size, size), tile=size)
    (core,), tile = tiling.cores, tiling.tile((0, 0))
    days = Window(FIRST, FIRST + DAYS, FIRST + KEPT.start, FIRST + KEPT.stop)
    (member,) = engine._members
    blocks, taken = type(member._crew).blocks, []

    def timed(*args) -> None:
        begin = time.perf_counter()
        blocks(member._crew, *args)
        taken.append(time.perf_counter() - begin)

    def land() -> np.ndarray:
        counts = WaterCounts(window.red.shape[1:])
        for planes in zip(window.red, window.nir, window.mir, window.frp, strict=True):
            counts.add(*planes)
        return looks_of(window)[0].any(0) & (counts.evidence(len(window.red)) <= 0)

    window, x = watch("read", lambda: read_tile(cube, tile, days, engine.spec))
    usable = watch("seen, water", land)
    watch("normalise", lambda: normalise(window, engine.spec, out=x))
    member._crew.blocks = timed
    probability = watch("network", lambda: engine.probabilities(x, (KEPT, slice(None), slice(None))))
    del member._crew.blocks
    for name, seconds in zip(names, by_group(taken, len(names)), strict=True):
        watch.note(name, seconds)
    kept = watch("mask", lambda: np.where(usable, probability, np.float32(0)))
    summary = watch("sum, date", lambda: summarise(kept, 0.5))
    planes = {
        "burned_fraction": summary.burned_fraction,
        "day": summary.day,
        "uncertainty": summary.uncertainty,
        "observed_days": np.ones((size, size), np.int16),
        "water": np.zeros((size, size), np.int8),
    }
    watch("keep core", lambda: store.write(core, planes))
    plane = 4.0 * size * size
    return {
        "read": 6 * DAYS * 4 * plane / 4,  # int16 in, float32 out, four variables
        "seen, water": 7 * DAYS * plane,
        "normalise": 2 * 4 * DAYS * plane,
        "mask": 2 * 31 * plane,
        "sum, date": 31 * plane,
        "keep core": 3 * plane,
    }


Rows = list[dict[str, object]]


def table(watch: Watch, names: list[str], gflop: list[float], moved: dict[str, float]) -> Rows:
    from engine_tile import matrix_gflops

    speed, copying = max(matrix_gflops(os.cpu_count() or 1) for _ in range(20)), copy_gbs()
    floors = {name: amount / speed for name, amount in zip(names, gflop, strict=True)}
    floors |= {name: amount / 1e9 / copying for name, amount in moved.items()}
    # What the engine does between its layer groups: padding, sigmoid, copies.
    whole, groups = watch.seconds.pop("network"), [watch.seconds[name] for name in names]
    watch.seconds["network, rest"] = [all_ - sum(parts) for all_, *parts in zip(whole, *groups, strict=True)]
    seconds = {name: statistics.median(found) for name, found in watch.seconds.items()}
    total = sum(seconds.values())
    rows: Rows = [
        {
            "stage": name,
            "seconds": round(value, 4),
            "share": round(value / total, 4),
            "floor_s": round(floors[name], 4) if name in floors else None,
        }
        for name, value in seconds.items()
    ]
    floor = round(sum(floors.values()), 4)
    return [*rows, {"stage": "sum", "seconds": round(total, 4), "share": 1.0, "floor_s": floor}]


def main() -> None:
    from engine_tile import NETS, network

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", choices=NETS, default="shipped")
    parser.add_argument("--size", type=int, default=256, help="edge of the tile, a multiple of 64")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    import torch

    from banet.mapping.store import Store
    from banet.model import Engine

    torch.set_num_threads(args.threads)
    model = network(args.net)
    engine, names = Engine([model], "torch", threads=args.threads), group_names(model)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "s", {})
        cube = make_cube(Path(folder) / "T.zarr", args.size)
        one_round(Watch(), cube, engine, names, store, args.size)  # memory and files become warm
        watch = Watch()
        for _ in range(args.rounds):
            moved = one_round(watch, cube, engine, names, store, args.size)
        rows = table(watch, names, group_gflop(model, args.size), moved)
    print(f"{args.net}, {DAYS} x {args.size} x {args.size}\n")
    print("| stage | seconds | share | floor s |\n|---|---|---|---|")
    for row in rows:
        floor = "" if row["floor_s"] is None else f"{row['floor_s']:.4f}"
        print(f"| {row['stage']} | {row['seconds']:.4f} | {100 * row['share']:.1f} % | {floor} |")
    record(
        args.out,
        net=args.net,
        tile=[DAYS, args.size, args.size],
        days_kept=KEPT.stop - KEPT.start,
        threads=args.threads,
        rounds=args.rounds,
        stages=rows,
    )


if __name__ == "__main__":
    main()
