"""Fine-tune weights to a climate and a band that they never saw, by number of chips, against a fresh start.

    python benchmarks/fine_tuning.py --folder RUNS --out benchmarks/results/fine_tuning.json

Two cases, simulated: a steppe, none of the climates that the weights were trained on, with 3.7 um in the MIR
slot; and the Mediterranean with 1.6 um (M10) there, which they never saw, told to the network by a sensor
definition. Each is scored with 0, 4, 16 and 64 chips on held-out chips of its own, going on from the weights
and from a fresh start, with equal steps. With M11 in the slot, which was part of the training, the weights
are scored as they are. Runs that are finished are not repeated.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from banet.chips import Chips, write_simulated_chips
from banet.chips.simulated import plan_simulated
from banet.io.files import writing
from banet.model.weights import load_model
from banet.simulation import CLIMATES, sample
from banet.simulation.spectra import Cover
from banet.training import TrainingConfig, fine_tuning, train
from banet.training.config import ValidationConfig
from banet.training.validation import validate

COUNTS = (4, 16, 64)
HELD_OUT = 12
STEPPE = dataclasses.replace(
    CLIMATES["australia"],
    name="steppe",
    box=(60, 46, 80, 53),
    season=(100, 230),
    clouds=0.30,
    covers={Cover.GRASS: 5, Cover.CROP: 4, Cover.BARE: 0.8, Cover.SHRUB: 0.6, Cover.URBAN: 0.05},
    peak_green=150,
    winter_crop=235,
    fires=20,
    size=3.0,
    days=2.5,
    stubble=0.03,
    wind=6.0,
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="for chips and runs")
    parser.add_argument("--weights", default="default")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    CLIMATES["steppe"] = STEPPE
    result: dict[str, Any] = {"weights": load_model(given.weights).weights_sha256, "steps": given.steps}
    cases = {
        "steppe, 3.7 um": ("steppe", "M12", 3_000_000),
        "mediterranean, 1.6 um": ("mediterranean", "M10", 3_100_000),
    }
    for title, (climate, band, seed) in cases.items():
        result[title] = _curves(given, title.split(",")[0] + band, climate, band, seed)
    held = _chips(given.folder / "mediterraneanM11" / "held-out", HELD_OUT, "mediterranean", "M11", 3_200_000)
    result["mediterranean, 2.25 um, as they are"] = _score(load_model(given.weights), held)
    print(json.dumps(result, indent=1))
    if given.out:
        with writing(given.out) as part:
            part.write_text(json.dumps(result, indent=1) + "\n")
    if given.picture:
        _draw(result, list(cases), given.picture)


def _curves(given: argparse.Namespace, name: str, climate: str, band: str, seed: int) -> dict[str, Any]:
    folder = given.folder / name
    held = _chips(folder / "held-out", HELD_OUT, climate, band, seed + 50_000)
    table: dict[str, Any] = {"from weights": {"0": _score(load_model(given.weights), held)}, "fresh": {}}
    for count in COUNTS:
        chips = _chips(folder / f"chips{count}", count, climate, band, seed)
        tuned = fine_tuning(given.weights, [chips.folder]).changed(
            optimiser={"steps": given.steps},
            inputs={"mir_band": band},
            runtime={"threads": given.threads, "bfloat16": True, "checkpoint_minutes": 1},
        )
        fresh = tuned.changed(
            start={"weights": None},
            optimiser={"learning_rate": 4e-3, "slower": {}},
        )
        for start, config in (("from weights", tuned), ("fresh", fresh)):
            made_by = f"{load_model(given.weights).weights_sha256[:8]}-{given.steps}"
            run = folder / f"{start.replace(' ', '-')}-{count}-{made_by}"
            table[start][str(count)] = _run(config, run, held)
            print(name, start, count, table[start][str(count)], flush=True)
    return table


def _run(config: TrainingConfig, folder: Path, held: Chips) -> dict[str, Any]:
    done = folder / "score.json"
    if not done.exists():
        train(config, folder, resume=True)
        with writing(done) as part:
            part.write_text(json.dumps(_score(load_model(folder / "weights.safetensors"), held)))
    return json.loads(done.read_text())


def _chips(folder: Path, count: int, climate: str, band: str, seed: int) -> Chips:
    make: Callable[..., tuple[np.ndarray, np.ndarray]] = functools.partial(sample, mir_band=band)
    return write_simulated_chips(folder, plan_simulated(count, (climate,), seed), sampler=make)


def _score(model: Any, held: Chips) -> dict[str, Any]:
    scores = validate(model, [held], model.spec, ValidationConfig(), torch.device("cpu"))
    return {
        variant: {k: groups["overall"][k] for k in ("dice", "commission", "omission", "date_error")}
        for variant, groups in scores.items()
    }


def _draw(result: dict[str, Any], titles: list[str], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(titles), figsize=(9, 3.6), sharey=True, constrained_layout=True)
    for axis, title in zip(axes, titles):
        for start, colour in (("from weights", "#1b6ca8"), ("fresh", "#c8401a")):
            for variant, style in (("all", "o-"), ("no_hotspots", "s--")):
                points = [(int(n), s[variant]["dice"]) for n, s in result[title][start].items()]
                axis.plot(
                    [{0: 1.5}.get(n, n) for n, _ in points],
                    [d or 0 for _, d in points],
                    style,
                    color=colour,
                    label=f"{start}, {'all inputs' if variant == 'all' else 'hot spots withheld'}",
                )
        base = result[title]["from weights"]["0"]["active_fires"]["dice"]
        axis.axhline(base, color="#777", lw=1, ls=":", label="active fires")
        axis.set_xscale("log", base=2)
        axis.set_xticks([1.5, 4, 16, 64], ["0", "4", "16", "64"])
        axis.set_title(f"{title} (simulated)", fontsize=10)
        axis.set_xlabel("chips")
    axes[0].set_ylabel("Dice")
    axes[1].legend(fontsize=7, frameon=False)
    with writing(path) as part:
        figure.savefig(part, format="png", dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
