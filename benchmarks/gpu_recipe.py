"""Recipe of a training run fitted to the machine at hand, written as a configuration.

python benchmarks/gpu_recipe.py CONFIG OUT --weights default [--workers N] [--chips N] [--minutes M]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from banet.training import load_config

SEED = 200_000
"""First of the chips: no run before drew them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path, help="folder for recipe.yaml and the chips")
    parser.add_argument("--weights", required=True, help="name or file to go on from")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--chips", type=int, default=960)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=64)
    given = parser.parse_args()
    recipe = load_config(given.config)
    if recipe.data.simulated is None:
        parser.error(f"{given.config} says nothing of chips to simulate (data.simulated)")
    simulated = {
        **recipe.data.simulated.model_dump(),
        "folder": str(given.out / "chips"),
        "train": given.chips,
        "seed": SEED,
        "validation": max(1, min(24, given.chips // 8)),
        "workers": given.workers,
    }
    fitted = recipe.changed(
        data={"simulated": simulated, "chips": [], "validation_chips": [], "crop_size": given.crop},
        optimiser={"batch": given.batch, "max_minutes": given.minutes, "steps": 100_000},
        validation={"every_steps": 0, "every_minutes": 0},
        start={"weights": given.weights},
        runtime={"device": "auto", "threads": 0, "workers": given.workers, "checkpoint_minutes": 2},
    )
    fitted.save(given.out / "recipe.yaml")


if __name__ == "__main__":
    main()
