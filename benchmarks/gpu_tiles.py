"""Time of one tile by every engine that can run here, of BA-Net and of the weights that ship.

python benchmarks/gpu_tiles.py --out FILE [--rounds 20] [--tile 64 128 128]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from banet.errors import InputError
from banet.io.files import writing
from banet.model import BANet, BANetConfig, Engine, load_model
from banet.model.engine import BACKENDS, choose_backend


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tile", type=int, nargs=3, default=(64, 128, 128), metavar=("T", "H", "W"))
    given = parser.parse_args()
    torch.manual_seed(0)
    networks = {"BA-Net": BANet(BANetConfig.original()).eval(), "default": load_model("default")}
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    result: dict[str, object] = {"gpu": gpu, "tile": list(given.tile), "rounds": given.rounds}
    for net, model in networks.items():
        for engine in installed():
            seconds = time_tile(model, engine, tuple(given.tile), given.rounds)
            result[f"{net}, {engine}"] = seconds
            print(f"{net:8s} {engine:14s} {1e3 * seconds['median']:9.2f} ms", flush=True)
    with writing(given.out) as part:
        part.write_text(json.dumps(result, indent=1) + "\n")


def installed() -> list[str]:
    """Return the engines that can run here."""
    found = []
    for name in BACKENDS:
        try:
            choose_backend(name)
        except InputError:
            continue
        found.append(name)
    return found


def time_tile(model: BANet, engine: str, tile: tuple[int, ...], rounds: int) -> dict[str, float]:
    """Return seconds of a tile, from the array of a processor to the logits there; the first one is apart."""
    member = Engine([model], engine)
    x = torch.randn((model.config.channels, *tile), generator=torch.Generator().manual_seed(1))
    times = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        member.logits(x)
        times.append(time.perf_counter() - begin)
    later = times[1:]
    return {"first": times[0], "median": statistics.median(later), "least": min(later)}


if __name__ == "__main__":
    main()
