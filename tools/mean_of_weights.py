"""Calibrate the mean of several shipped weights on held-out chips and write it under its name.

python tools/mean_of_weights.py best default fold_2 fold_3 --chips runs/chips/validation FURTHER...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from banet.chips import Chips
from banet.model.means import NamedMean, file_of_mean
from banet.model.weights import load_model
from banet.training.calibration import calibrate_mean
from banet.training.config import ValidationConfig


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("members", nargs="+", help="names of weights")
    parser.add_argument(
        "--chips", type=Path, nargs="+", required=True, help="folders of chips that none was trained on"
    )
    asked = parser.parse_args()
    models = [load_model(name) for name in asked.members]
    sources = [Chips.open(folder) for folder in asked.chips]
    known = calibrate_mean(models, sources, ValidationConfig(), torch.device("cpu"))
    if known is None:
        parser.error("nothing burned in these chips")
    calibrated_on = [{"tiles": len(one), "index_sha256": one.index_sha256} for one in sources]
    mean = NamedMean(
        name=asked.name,
        members={model.name: model.weights_sha256 for model in models},
        calibration=known,
        card={"summary": "mean of the daily probabilities of its members", "calibrated_on": calibrated_on},
    )
    file_of_mean(asked.name).write_text(mean.model_dump_json() + "\n")


if __name__ == "__main__":
    main()
