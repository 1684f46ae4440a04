"""Savings from keeping, from one window to the next, what the network makes of days that both hold.

    python benchmarks/reuse.py [--rounds 5] [--out FILE.json]

In BA-Net as published the first convolution alone sees each day by itself. Here it is computed, for the days
that two windows share, as the engine does it: in blocks that are used up on the spot. Against that stand
keeping its output and fetching it again, in memory or in a file that has left the system's cache. A whole
tile through the engine is what either is a part of.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from about import record

sys.path.insert(0, str(Path(__file__).resolve().parent))


def shared_days() -> dict[str, int]:
    """Return how many days the windows of two months share, and those of two daily runs."""
    from banet.mapping.windows import month_window

    one, two = month_window("2020-08"), month_window("2020-09")
    days = int((one.stop - one.start) / np.timedelta64(1, "D"))
    return {"two months": int((one.stop - two.start) / np.timedelta64(1, "D")), "two daily runs": days - 1}


def kept_in_file(kept, folder: str, rounds: int) -> dict[str, float]:
    """Return what writing an array to a file takes, down to the disk, and reading it back from there."""
    from less_work import seconds

    path = Path(folder) / "kept"

    def store() -> None:
        with path.open("wb") as file:
            kept.numpy().tofile(file)
            os.fsync(file.fileno())

    def load() -> None:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            np.fromfile(file, np.float32)

    return {"file_store_s": seconds(store, rounds), "file_load_s": seconds(load, rounds)}


def costs(x, days: int, crew, down, rounds: int) -> dict[str, float]:
    """Return seconds of computing the first convolution of some days, of keeping it, and of fetching it."""
    import torch
    from less_work import seconds

    seen = torch.from_numpy(x[:, :days]).permute(1, 2, 3, 0)
    shape = down.out_shape(seen.shape)
    kept = torch.zeros(shape)

    def blocks(work) -> float:
        def block(start: int, stop: int) -> None:
            work(torch.empty(shape[0], stop - start, *shape[2:]), start, stop)

        return seconds(lambda: crew.blocks(shape[1], kept.nbytes, block), rounds)

    with tempfile.TemporaryDirectory() as folder:
        return {
            "compute_s": blocks(lambda here, start, stop: down.rows(seen, here, start)),
            "store_s": blocks(lambda here, start, stop: kept[:, start:stop].copy_(here)),
            "load_s": blocks(lambda here, start, stop: here.copy_(kept[:, start:stop])),
            "mib": kept.nbytes / 2**20,
            **kept_in_file(kept, folder, rounds),
        }


def measure(rounds: int) -> dict[str, object]:
    import torch
    from engine_tile import network
    from less_work import middle_tile, seconds

    from banet.mapping.windows import month_window
    from banet.model import Engine
    from banet.model.folded import Down
    from banet.parallel.crew import Crew

    model, keep = network("width32-lstm"), month_window("2020-08").keep
    (tile, _, x), engine = middle_tile(model), Engine([model], "torch")
    crew = Crew(engine.backend.threads)
    down = Down.of(torch.empty(0), model.stages[0].space, None)
    whole = {
        "two months": seconds(lambda: engine.probabilities(x, (keep, *tile.inner)), rounds),
        "two daily runs": seconds(lambda: engine.probabilities(x, (slice(None), *tile.inner)), rounds),
    }
    found: dict[str, object] = {"tile": [64, *tile.size]}
    for name, days in shared_days().items():
        taken = costs(x, days, crew, down, rounds)
        memory = taken["compute_s"] - taken["store_s"] - taken["load_s"]
        file = taken["compute_s"] - taken["file_store_s"] - taken["file_load_s"]
        found[name] = {
            "shared_days": days,
            "tile_s": round(whole[name], 3),
            **{key: round(value, 3) for key, value in taken.items()},
            "saved_in_memory_percent": round(100 * memory / whole[name], 1),
            "saved_with_file_percent": round(100 * file / whole[name], 1),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    results = measure(args.rounds)
    print(json.dumps(results, indent=1))
    record(args.out, rounds=args.rounds, results=results)


if __name__ == "__main__":
    main()
