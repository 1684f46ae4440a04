"""Provisional maps: how much of a morning's map stays, and how much of the older days' probabilities moves.

    python benchmarks/provisional.py [--size 96] [--climates mediterranean ...] [--out FILE] \\
        [--table src/banet/data/precision.json]

Of each climate one simulated season is mapped on every fifth day and on the day after, each map from the data
up to its day. A cell of a morning has stayed if it is burned on the map of 30 days later and dated within 8
days. `moved` compares a day's probabilities with those that the map of the day before gave for the same days:
the share of cells and days, of those older than 30 days, whose probability changed by more than a limit, of
all and of those where either is at least 0.01; `flipped` are cells whose burned fraction of these older
days alone crosses 0.5.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
from about import peak_mib, record

from banet.days import from_day_of_year

CLIMATES = ("mediterranean", "california", "cerrado", "boreal")
LIMITS = (0.0001, 0.001, 0.01, 0.1)
WINDOW, OLD, STEP = 64, 30, 5


def cube_of(scene, folder: Path):
    from banet.cube import Cube
    from banet.observations.planes import DayPlanes

    cube = Cube.create(folder / "P.zarr", scene.region, sensor="VIIRS S-NPP", mir_band="M12")
    for index, day in enumerate(scene.days):
        planes = {name: getattr(scene, name)[index] for name in ("red", "nir", "mir", "view_zenith")}
        count = np.isfinite(planes["nir"]).astype(np.uint8)
        cube.write_day(day, DayPlanes(**planes, count=count), scene.frp[index])
    return cube


def mapped(cube, day, engine):
    """Return the map of a morning, the days its cells were seen since, and its probabilities."""
    from banet.mapping import map_nrt
    from banet.operations.looks import days_since, look

    whole = np.zeros((WINDOW, *cube.region.shape), np.float32)

    def keep(block) -> None:
        whole[:, block.rows, block.cols] = block.probability

    burned = map_nrt(cube, day, engine, on_block=keep)
    return burned, days_since(burned, look(cube, burned)), whole


def moved(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Count how probabilities of the same days changed; before[1:] and after[:-1] are the same days."""
    old, new = before[1 : WINDOW - OLD], after[: WINDOW - OLD - 1]
    change, some = np.abs(new - old), (old >= 0.01) | (new >= 0.01)
    flips = (old.sum(axis=0) >= 0.5) != (new.sum(axis=0) >= 0.5)
    counts = {"all": change.size, "some": int(some.sum()), "cells": flips.size, "flipped": int(flips.sum())}
    counts["burned"] = int(((old.sum(axis=0) >= 0.5) | (new.sum(axis=0) >= 0.5)).sum())
    for limit in LIMITS:
        counts[f"all>{limit}"] = int((change > limit).sum())
        counts[f"some>{limit}"] = int((change[some] > limit).sum())
    return counts


def season(name: str, size: int, fires: float, engine):
    from banet.operations.precision import AFTER, Precision
    from banet.simulation import simulate
    from banet.simulation.climates import climate_named

    kind = climate_named(name)
    kind = dataclasses.replace(kind, fires=max(kind.fires, fires))
    start = from_day_of_year(2020, kind.season[0] if kind.season[0] < 300 else 200)
    scene = simulate(start=start, days=WINDOW + 62, seed=11, climate=kind, size=size)
    parts, moves = [], []
    with tempfile.TemporaryDirectory() as folder:
        cube = cube_of(scene, Path(folder))
        days = [scene.days[number] for number in range(WINDOW - 1, WINDOW + 61, STEP)]
        maps = {}
        for day in days:
            maps[day] = mapped(cube, day, engine)
            burned, since, whole = mapped(cube, day + 1, engine)
            maps[day + 1] = (burned, since, None)
            moves.append(moved(maps[day][2], whole))
            maps[day] = (*maps[day][:2], None)
        for day, (burned, since, _) in maps.items():
            if day + AFTER in maps:
                parts.append(Precision.of(burned, since, maps[day + AFTER][0]))
    return parts, moves


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--climates", nargs="+", default=CLIMATES)
    parser.add_argument("--fires", type=float, default=400.0, help="least number of fires (see `Climate`)")
    parser.add_argument("--weights", default="default")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()

    from banet.model.engine import Engine
    from banet.model.weights import load_models
    from banet.operations.precision import Precision

    engine, begin = Engine(load_models(asked.weights)), time.perf_counter()
    parts, moves = [], []
    for climate in asked.climates:
        own, changed = season(climate, asked.size, asked.fires, engine)
        parts += own
        moves += changed
        print(
            f"{climate}: {sum(one.shown.sum() for one in own):,} cells, {time.perf_counter() - begin:.0f} s"
        )
    each = f"{asked.size} x {asked.size} cells each, at least {asked.fires:g} fires"
    source = f"simulated seasons: {', '.join(asked.climates)}; {each}"
    found = Precision.join(parts, source)
    total = {name: sum(one[name] for one in moves) for name in moves[0]}
    print("| days seen since | cells | stayed | same date |\n|---|---|---|---|")
    for age, (shown, stayed, same) in enumerate(zip(found.shown, found.stayed, found.same, strict=True)):
        if shown:
            print(f"| {age} | {shown:,} | {stayed / shown:.3f} | {same / shown:.3f} |")
    for limit in LIMITS:
        of_all, of_some = total[f"all>{limit}"] / total["all"], total[f"some>{limit}"] / max(total["some"], 1)
        print(f"moved by more than {limit}: {of_all:.5%} of all, {of_some:.3%} of those of 0.01 and more")
    print(f"flipped: {total['flipped']} of {total['burned']} burned cells")
    if asked.table:
        found.save(asked.table)
    counts = {name: getattr(found, name).tolist() for name in ("shown", "stayed", "same")}
    record(asked.out, source=source, moved=total, peak_mib=peak_mib(), **counts)


if __name__ == "__main__":
    main()
