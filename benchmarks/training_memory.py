"""Measure a training step of 64 days x 128 x 128 cells, batch 1: peak memory and seconds, by network.

python benchmarks/training_memory.py --out benchmarks/results/training_memory.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

from about import peak_mib

from banet.io.files import writing

CASES = {"BA-Net as published": "original", "the weights that ship": "default"}
HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    result = {}
    for title, name in CASES.items():
        # A process of its own each, so that the peak is that of the case.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            result[title] = pool.apply(measure, (name, given.steps))
        print(title, result[title], flush=True)
    if given.out:
        with writing(given.out) as part:
            part.write_text(json.dumps(result, indent=1) + "\n")


def measure(name: str, steps: int) -> dict[str, float]:
    from banet.chips.simulated import plan_simulated, write_simulated_chips
    from banet.training import load_config, train

    with tempfile.TemporaryDirectory() as folder:
        chips = write_simulated_chips(Path(folder) / "chips", plan_simulated(2, ("mediterranean",), 1))
        config = load_config(HERE.parent / "configs" / f"{name}.yaml").changed(
            data={
                "chips": [str(chips.folder)],
                "validation_chips": [],
                "simulated": None,
                "crop_size": 128,
            },
            start={"weights": None},
            optimiser={"steps": steps, "max_minutes": None},
            runtime={"device": "cpu", "threads": 1, "workers": 0},
        )
        began = time.monotonic()
        train(config, Path(folder) / "run")
        seconds = time.monotonic() - began
    peak = peak_mib() / 2**10
    return {"peak_gib": round(peak, 2), "seconds_a_step": round(seconds / steps, 2)}


if __name__ == "__main__":
    main()
