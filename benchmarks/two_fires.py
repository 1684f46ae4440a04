"""Error of the dates of cells that burned in one fire and in two, on held-out chips.

    python benchmarks/two_fires.py CHIPS WEIGHTS [--out FILE.json]

CHIPS is a folder of chips of 64 days, such as a run's `validation`. A cell burned in two fires where two
parts of a tenth of it and more burned over 8 days apart: its true day is that on which most of it burned, and
a map that dates it by the other fire is off by weeks though it shows both. Cells count that burned and are
mapped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from about import record
from stress_chips import MARGIN, Floats, daily

from banet.burned_area.dating import DatingRule, summarise
from banet.chips import Chips
from banet.model import load_model
from banet.training.augment import withhold_hotspots

APART, PART, HALF = 8, 0.1, 0.5 - 1e-6


def in_two_fires(truth: Floats) -> npt.NDArray[np.bool_]:
    """Tell of which cells (days, rows, columns) two parts burned far apart."""
    day = np.arange(len(truth))[:, None, None]
    peak = truth.argmax(0)
    return np.asarray(np.where(abs(day - peak) > APART, truth, 0).sum(0) >= PART)


def main() -> None:
    """Print a line for each choice of inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("chips", type=Path)
    parser.add_argument("weights")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    model, chips = load_model(given.weights).eval(), Chips.open(given.chips)
    rule = DatingRule.of(model.calibration.model_dump() if model.calibration else None)
    inner, found = slice(MARGIN, chips.days - MARGIN), {}
    for inputs in ("all inputs", "hot spots withheld"):
        errors: list[npt.NDArray[np.int64]] = []
        twice: list[npt.NDArray[np.bool_]] = []
        for number in range(len(chips)):
            chip = chips.read(number)
            planes, truth = chip.planes.copy(), chip.target[inner]
            if inputs != "all inputs":
                withhold_hotspots(planes)
            mapped = summarise(daily(model, planes)[inner], dating=rule)
            both = (mapped.day >= 0) & (truth.sum(0) >= HALF)
            errors.append(np.abs(mapped.day - truth.argmax(0))[both])
            twice.append(in_two_fires(truth)[both])
        error, two = np.concatenate(errors), np.concatenate(twice)
        found[inputs] = {
            "cells": error.size,
            "mean_absolute_days": round(float(error.mean()), 3),
            "in_two_fires": int(two.sum()),
            "days_of_two_fires": round(float(error[two].mean()), 3),
            "days_of_one_fire": round(float(error[~two].mean()), 3),
        }
        print(inputs, found[inputs], flush=True)
    record(given.out, index_sha256=chips.index_sha256, inputs=found)


if __name__ == "__main__":
    main()
