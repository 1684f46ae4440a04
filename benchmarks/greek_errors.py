"""Where a map of the Greek scene and VNP64A1 differ, and what VNP64A1 holds of the cells with a hot spot.

    python benchmarks/greek_errors.py [--weights NAME_OR_PATH] [--real FOLDER] [--out FILE.json]

The first table counts the cells of the protocol of `banet.evaluation.benchmark.greek` by the part of them
that VNP64A1 shows burned, and among them those that the map shows without it, or lacks. The second asks of
what burned in August 2021, in the scene and north of it where no image is used (Evia), in how many of the
cells with hot spots VNP64A1 shows at least half of the cell burned, by the power of all hot spots of the
cell; and the same of simulated seasons, of their labels, with the errors of such a product, and of the truth.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from about import record
from scipy import ndimage
from simulator_vs_real import greek_season

from banet.days import day_range
from banet.evaluation.benchmark.greek import (
    GREEK_PROTOCOL,
    GREEK_REGION,
    greek_cube,
    greek_hotspots,
    greek_reference,
    need_real,
)
from banet.evaluation.compare import compare
from banet.grid.region import Region
from banet.io.tables import Number, to_markdown
from banet.mapping import map_burned
from banet.observations.hotspots import grid_frp

FRACTIONS = (0.0, 1e-6, 0.25, 0.5, 0.75)
KINDS = ("nothing", "up to 0.25", "0.25 to 0.5", "0.5 to 0.75", "0.75 to 1")
POWERS = (0.0, 5.0, 20.0, 80.0, 320.0, np.inf)
NORTH = Region("greece_north", (21.8, 38.5, 24.6, 39.5), 0.01)
LAST = np.datetime64("2021-08-24")
"""Day up to which the hot spots reach."""
LARGE = 20
"""Burned cells of a fire from which its hot spots are asked: small ones are no matter of a pixel's edge."""


@dataclass(frozen=True)
class Hot:
    """Power of all hot spots of each cell, MW, and the part of it that burned; both (rows, columns)."""

    power: npt.NDArray[np.floating[Any]]
    fraction: npt.NDArray[np.floating[Any]]


def differences(real: Path, weights: str, withheld: tuple[str, ...]) -> list[dict[str, Any]]:
    """Count cells by what VNP64A1 shows of them, and those where a map says otherwise."""
    reference = greek_reference(real)
    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder) / "greece.zarr").without(*withheld)
        found = map_burned(cube, "2021-08", "2021-08", weights.split(","))
    both = compare(found, reference, **GREEK_PROTOCOL)
    from_burned = ndimage.distance_transform_edt(~both.reference_burned)
    from_unburned = ndimage.distance_transform_edt(both.reference_burned)
    kind = np.searchsorted(FRACTIONS, both.reference_fraction, side="right") - 1
    rows = []
    for i, shows in enumerate(KINDS):
        here = both.valid & (kind == i)
        false = here & both.map_burned & ~both.reference_burned
        missed = here & both.reference_burned & ~both.map_burned
        rows.append(
            {
                "VNP64A1 shows burned": shows,
                "cells": int(here.sum()),
                "mapped without it": int(false.sum()),
                "of these beside a burned cell": int((false & (from_burned < 1.5)).sum()),
                "lacking": int(missed.sum()),
                "of these beside an unburned cell": int((missed & (from_unburned < 1.5)).sum()),
            }
        )
    return rows


def real_hot(real: Path, region: Region) -> Hot:
    """Return the hot spots of 1 to 24 August 2021 and what VNP64A1 dates up to then."""
    label = greek_reference(real, region)
    table = greek_hotspots(real)
    days = day_range(np.datetime64("2021-08-01"), LAST + 1)
    power = np.sum([grid_frp(table, region, day) for day in days], axis=0)
    # A cell that burned after the last hot spots is asked for nothing.
    late = label.burn_date > LAST
    return Hot(np.where(late, 0, power), np.where(late, 0, np.nan_to_num(label.burned_fraction)))


def simulated_hot(seed: int) -> tuple[Hot, Hot]:
    """Return the hot spots of a simulated season with its labels, and with the truth."""
    scene, labels = greek_season(seed)
    power = scene.frp.sum(axis=0)
    return Hot(power, np.nan_to_num(labels.burned_fraction)), Hot(power, np.nan_to_num(scene.burned_fraction))


def by_power(seasons: list[Hot]) -> list[tuple[int, float]]:
    """Return for each class of power the hot cells at large fires, and the share at least half burned."""
    power, burned = [], []
    for season in seasons:
        half = season.fraction >= 0.5
        fires, _ = ndimage.label(half | (season.power > 0), np.ones((3, 3)))
        size = np.bincount(fires.ravel(), half.ravel())[fires]
        asked = (season.power > 0) & (size >= LARGE)
        power.append(season.power[asked])
        burned.append(half[asked])
    values, hits = np.concatenate(power), np.concatenate(burned)
    kind = np.searchsorted(POWERS, values, side="left") - 1
    return [(int((kind == i).sum()), float(hits[kind == i].mean())) for i in range(len(POWERS) - 1)]


def hot_rows(real: Path, seasons: int) -> list[dict[str, Any]]:
    """Return the rows of the second table."""
    simulated = [simulated_hot(seed) for seed in range(seasons)]
    asked = {
        "Greek scene": [real_hot(real, GREEK_REGION)],
        "north of it": [real_hot(real, NORTH)],
        "simulated labels": [labels for labels, _ in simulated],
        "simulated truth": [truth for _, truth in simulated],
    }
    found = {name: by_power(hot) for name, hot in asked.items()}
    rows = []
    for i, (low, high) in enumerate(itertools.pairwise(POWERS)):
        row: dict[str, Any] = {"power, MW": f"{low:g} to {high:g}" if np.isfinite(high) else f"over {low:g}"}
        for name, classes in found.items():
            row |= {f"{name}: cells": classes[i][0], f"{name}: burned": round(classes[i][1], 3)}
        rows.append(row)
    return rows


def shown(rows: list[dict[str, Any]]) -> str:
    """Return rows as a table in Markdown."""
    return to_markdown(
        [{k: Number(v, 2) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default", help="name or path; an ensemble joined by commas")
    parser.add_argument("--real", type=Path, help="folder of the real data")
    parser.add_argument("--seasons", type=int, default=8, help="simulated ones")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()
    real = need_real(given.real)
    tables = {
        "all inputs": differences(real, given.weights, ()),
        "hot spots withheld": differences(real, given.weights, ("hotspots",)),
        "cells with hot spots": hot_rows(real, given.seasons),
    }
    for name, rows in tables.items():
        print(f"\n{name}\n\n{shown(rows)}")
    if given.out:
        record(given.out, weights=Path(given.weights).stem, **tables)


if __name__ == "__main__":
    main()
