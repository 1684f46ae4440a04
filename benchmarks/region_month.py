"""A region-month by an ensemble of three, from daily planes to files: ours against the original's own code.

    python benchmarks/region_month.py --oracle DIR [--rounds 3] [--shape 400 800] [--out FILE.json]

`--oracle` names the folder of the unpacked banet 0.6.7 wheel. Its `predict.py` and `models.py` run as they
are (h5py stands in for netCDF4 where that is not installed, a plain loop for progress bars): day files of
hundredths in, a .mat file out. Ours reads a cube of the same values and writes rasters, NetCDF and manifest.
Both have the same three networks: width 32 with LSTM, random weights.

    original   its tiles of 128 at step 100, float16 sums
    parity     ours in the original's tiling, whose burned mask is compared with the original's
    ours       ours as it is: tiles without seams
    bfloat16   the same by that engine, where the processor knows it

Every run is a process of its own; they take turns, round after round, so that a busy machine is busy for all.
A ratio is taken within each round; given are the median and the range. After the rounds the original runs
once more with its float16 made float32, which tells what of a difference in the burned mask is its rounding.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np
from about import peak_mib, record

ROOT = Path(__file__).resolve().parents[1]
FIRST, DAYS, MONTH = np.datetime64("2020-07-15"), 64, "2020-08"
FOLDS = 3


def networks():
    """Return the same three random networks for all, whose probabilities spread from 0 to 1."""
    import torch

    from banet.model import BANet, BANetConfig

    models = []
    for seed in range(FOLDS):
        torch.manual_seed(seed)
        model = BANet(BANetConfig.original()).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm3d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.3, 1.5)
        x = torch.randn((1, 4, 16, 32, 32), generator=torch.Generator().manual_seed(9))
        with torch.no_grad():
            logits = model(x)
            model.logits.weight.mul_(1 / logits.std())
            model.logits.bias.add_(-5 - model(x).mean())
        model.name, model.weights_sha256 = f"random{seed}", f"{seed}" * 64
        models.append(model)
    return models


def prepare(folder: Path, shape: tuple[int, int]) -> None:
    """Write the cube, the original's day files of the same values, and its files of weights."""
    import h5py
    import torch

    from banet.cube import Cube
    from banet.grid.region import Region
    from banet.model.compat import to_published
    from banet.observations.planes import DayPlanes

    rows, cols = shape
    region = Region("MONTH", (-8, 37, round(-8 + cols / 100, 2), round(37 + rows / 100, 2)), 0.01)
    cube = Cube.create(folder / "MONTH.zarr", region, sensor="VIIRS S-NPP", mir_band="M12")
    rng = np.random.default_rng(0)
    ground = [rng.uniform(low, high, shape) for low, high in ((5, 15), (20, 35), (8, 20))]
    for number in range(DAYS):
        day = FIRST + number
        hundredths = [np.round(plane + rng.normal(0, 1, shape)).clip(1) for plane in ground]
        heat = np.where(rng.random(shape) < 1e-3, np.round(rng.uniform(100, 500, shape)), 0)
        planes = [(plane / 100).astype(np.float32) for plane in hundredths]
        frp = np.expm1(heat / 100).astype(np.float32)
        zenith, count = np.full(shape, 30, np.float32), np.ones(shape, np.uint8)
        cube.write_day(day, DayPlanes(*planes, zenith, count), frp)
        with h5py.File(folder / f"VIIRS750MONTH_{str(day).replace('-', '')}.nc", "w") as file:
            for name, plane in zip(("Red", "NIR", "MIR", "FRP"), [*hundredths, heat], strict=True):
                file.create_dataset(name, data=plane.astype(np.uint16), compression="gzip")
    for number, model in enumerate(networks()):
        torch.save({"model": to_published(model.state_dict())}, folder / f"fold{number}.pth")


def original(folder: Path, oracle: Path, rounded: bool = True) -> np.ndarray:
    """Run the original's `predict_month` and return the burned values that it wrote.

    Args:
        folder: Where its day files and weights are, and its map goes.
        oracle: Folder of the unpacked wheel.
        rounded: Leave its float16 as it is; otherwise all that it rounds so stays float32.
    """
    import h5py
    import pandas as pd
    import scipy.io
    import torch

    sys.path.insert(0, str(ROOT))
    from tests.model_golden import load_oracle

    class Dataset:
        """What netCDF4 gives of a day file."""

        def __init__(self, path, mode="r"):
            self._file = h5py.File(path, mode)

        def __getitem__(self, name):
            return self._file[name]

    if importlib.util.find_spec("netCDF4"):
        import netCDF4
    else:
        netCDF4 = types.SimpleNamespace(Dataset=Dataset)
    source = (oracle / "banet" / "predict.py").read_text()
    body = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    for node in body:  # annotations name types of the original's that nothing here needs
        for argument in node.args.args:
            argument.annotation = None
    numpy = np if rounded else types.SimpleNamespace(**{**vars(np), "float16": np.float32})
    names = {"np": numpy, "pd": pd, "torch": torch, "tensor": torch.tensor, "sio": scipy.io, "Path": Path}
    names |= {"netCDF4": netCDF4, "BA_Net": load_oracle(oracle).BA_Net, "tqdm": iter, "warn": print}
    exec(compile(ast.Module(body, []), "predict.py", "exec"), names)
    places = types.SimpleNamespace(src=folder, dst=folder)
    files = [folder / f"fold{number}.pth" for number in range(FOLDS)]
    names["predict_month"](places, pd.Timestamp(f"{MONTH}-01"), files, "MONTH")
    return scipy.io.loadmat(folder / f"ba_MONTH_{MONTH.replace('-', '')}.mat")["burned"]


def ours(folder: Path, tiling: str, engine: str, threads: int) -> np.ndarray:
    """Map the cube, write the products and return the burned fraction of the burned cells."""
    from banet.cube import open_cube
    from banet.export.products import write_map
    from banet.mapping import map_months
    from banet.model import Engine

    cube = open_cube(folder / "MONTH.zarr")
    member = Engine(networks(), engine, threads=threads)
    (burnmap,) = map_months(cube, MONTH, MONTH, member, tiling=tiling, water=None)
    write_map(cube, burnmap, folder / f"maps{time.time_ns()}", settings={}, pictures=False)
    return np.where(burnmap.burned, burnmap.burned_fraction, np.nan)


def contestant(name: str, folder: Path, oracle: Path | None, threads: int, result: Path) -> None:
    """Do the job once and print what it took; imports of torch are not counted, for nobody."""
    import torch

    torch.set_num_threads(threads)
    wall, cpu = time.perf_counter(), time.process_time()
    with Path(os.devnull).open("w") as quiet:
        out, sys.stdout = sys.stdout, quiet
        if name in ("original", "original32"):
            burned = original(folder, oracle, rounded=name == "original")
        else:
            engine = "bfloat16" if name == "bfloat16" else "torch"
            burned = ours(folder, "original" if name == "parity" else "seamless", engine, threads)
        sys.stdout = out
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    np.save(result, burned.astype(np.float32))
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib()}))


def one_round(names: list[str], folder: Path, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(args.threads)}
    found = {}
    for name in names:
        command = [sys.executable, __file__, "--contestant", name, "--folder", str(folder)]
        command += ["--threads", str(args.threads), *(["--oracle", args.oracle] if args.oracle else [])]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
        found[name] = json.loads(done.stdout)
        print(f"  {name:9} {found[name]['wall_s']:8.1f} s {found[name]['peak_mib']:7.0f} MiB", flush=True)
    return found


def summary(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, object]]:
    figures: dict[str, dict[str, object]] = {}
    for name in rounds[0]:
        figures[name] = {
            "wall_s": [round(r[name]["wall_s"], 2) for r in rounds],
            "median_s": round(statistics.median(r[name]["wall_s"] for r in rounds), 2),
            "peak_mib": max(r[name]["peak_mib"] for r in rounds),
        }
        if "original" in rounds[0]:
            ratios = sorted(r["original"]["wall_s"] / r[name]["wall_s"] for r in rounds)
            figures[name]["times_faster"] = round(statistics.median(ratios), 2)
            figures[name]["times_faster_range"] = [round(ratios[0], 2), round(ratios[-1], 2)]
    return figures


def agreement(folder: Path, first: str, second: str) -> dict[str, object]:
    """Compare two burned masks, and the values where both burn."""
    one, other = (np.load(folder / f"{name}.npy") for name in (first, second))
    both = np.isfinite(one) & np.isfinite(other)
    alone = np.fmax(one, other)[np.isfinite(one) != np.isfinite(other)]
    return {
        "of": [first, second],
        "cells": int(one.size),
        "burned": [int(np.isfinite(one).sum()), int(np.isfinite(other).sum())],
        "cells_that_differ": int(alone.size),
        "their_largest_excess_over_the_threshold": float(alone.max() - 0.5) if alone.size else 0.0,
        "max_difference_of_fraction": float(np.abs(one[both] - other[both]).max()) if both.any() else 0.0,
    }


def show(figures: dict[str, dict[str, object]], agreed: list[dict[str, object]]) -> None:
    print("\n| code | median s | times faster (range) | peak MiB |\n|---|---|---|---|")
    for name, row in figures.items():
        faster = "-"
        if "times_faster" in row:
            low, high = row["times_faster_range"]
            faster = f"{row['times_faster']} ({low}-{high})"
        print(f"| {name} | {row['median_s']} | {faster} | {row['peak_mib']} |")
    for pair in agreed:
        print(f"\nBurned masks: {pair}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--oracle", help="folder of the unpacked banet 0.6.7 wheel")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", type=int, nargs=2, default=[400, 800])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contestant:
        oracle = Path(args.oracle) if args.oracle else None
        result = args.folder / f"{args.contestant}.npy"
        contestant(args.contestant, args.folder, oracle, args.threads, result)
        return
    names = ["original"] if args.oracle else []
    from banet.model.engine import knows_bfloat16

    names += ["parity", "ours", *(["bfloat16"] if knows_bfloat16() else [])]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder, tuple(args.shape))
        rounds = [one_round(names, folder, args) for _ in range(args.rounds)]
        pairs = [("ours", "bfloat16")] if "bfloat16" in names else []
        if args.oracle:
            one_round(["original32"], folder, args)
            pairs += [("original", "parity"), ("original32", "parity"), ("original", "original32")]
        agreed = [agreement(folder, *pair) for pair in pairs]
    figures = summary(rounds)
    show(figures, agreed)
    shape = [DAYS, *args.shape]
    record(args.out, shape=shape, threads=args.threads, folds=FOLDS, results=figures, agreement=agreed)


if __name__ == "__main__":
    main()
