"""Cells that burned near the turn of a month, on months mapped apart: in both maps, in one, in neither.

    python benchmarks/month_turns.py --cache FOLDER [--weights default] [--out FILE]

The longest choice season of each climate is mapped month by month, as maps are and with the days of each
month summed alone, as Pinto et al. (2020) do. Cells of which at least half burned count, within ten days of
a turn; simulated.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from about import record
from choice_seasons import SEASONS

from banet.burned_area.period_edges import EDGE_DAYS
from banet.evaluation.benchmark.stage import Stage, open_stage
from banet.mapping import map_months, run
from banet.model.weights import load_model

NEAR = 10
INPUTS = {"all inputs": (), "no hot spots": ("hotspots",)}
RULES = {"as mapped": EDGE_DAYS, "own days alone": 0}


def counted(stage: Stage, withheld: tuple[str, ...], model: object) -> Counter[str]:
    """Count cells by the maps they burned in, and mapped and true cells of all months."""
    first, last = (day.astype("datetime64[M]") for day in (stage.cube.days[0], stage.cube.days[-1]))
    maps = list(map_months(stage.cube.without(*withheld), first, last, model))
    truth, found = stage.truth, Counter()
    burned = truth.burned_fraction >= 0.5
    for month in maps:
        own = burned & (truth.burn_date >= month.start) & (truth.burn_date < month.stop)
        found += Counter(hit=(own & month.burned).sum(), mapped=month.burned.sum(), true=own.sum())
    for before, after in itertools.pairwise(maps):
        near = burned & (np.abs((truth.burn_date - after.start).astype(int) + 0.5) <= NEAR)
        times = before.burned[near].astype(int) + after.burned[near]
        found += Counter(near=near.sum(), both=(times == 2).sum(), neither=(times == 0).sum())
    return Counter({name: int(count) for name, count in found.items()})


def main() -> None:
    """Print and write the shares of cells, and Dice of all months, for each rule and choice of inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    model, seasons = load_model(given.weights), [one for one in SEASONS if one.days > 64]
    rows = {}
    for (inputs, withheld), (rule, days) in itertools.product(INPUTS.items(), RULES.items()):
        run.EDGE_DAYS = days
        each = {one.name: counted(open_stage(one, given.cache), withheld, model) for one in seasons}
        total = sum(each.values(), Counter())
        shares = {
            name: {kind: c[kind] / max(c["near"], 1) for kind in ("both", "neither")}
            for name, c in each.items()
        }
        row = {
            "cells": total["near"],
            **{kind: round(total[kind] / max(total["near"], 1), 4) for kind in ("both", "neither")},
            "worst": {
                kind: round(max(one[kind] for one in shares.values()), 4) for kind in ("both", "neither")
            },
            "dice": round(2 * total["hit"] / (total["mapped"] + total["true"]), 4),
        }
        rows[f"{inputs}, {rule}"] = row
        print(f"{inputs}, {rule}: {row}", flush=True)
    record(given.out, weights=given.weights, seasons=[one.name for one in seasons], rows=rows)


if __name__ == "__main__":
    main()
