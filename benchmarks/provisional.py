"""Provisional maps: how much of a morning's map stays, and how much of the older days' probabilities moves.

    python benchmarks/provisional.py [--size 96] [--climates mediterranean ...] [--out FILE] \\
        [--table src/banet/data/precision.json]
    python benchmarks/provisional.py --greece [--out FILE]

Of each climate one simulated season is mapped on every fifth day and on the day after, each map from the data
up to its day. A cell of a morning has stayed if it is burned on the map of 30 days later and dated within 8
days. `moved` compares a day's probabilities with those that the map of the day before gave for the same days:
the share of cells and days, of those older than 30 days, whose probability changed by more than a limit, of
all and of those where either is at least 0.01; `flipped` are cells whose burned fraction of these older
days alone crosses 0.5.

Both are also held against the truth, by days with images since: so many of the cells of which half burned are
shown, dated within 8 days, and so many of the cells that are shown are true. With --greece the mornings are
those of the real scene of August 2021, the truth is VNP64A1 of the days that images bracket, and a cell has
stayed if the map of the last day of images has it.
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


AGES, NEAR = 34, np.timedelta64(8, "D")


def against(early, looks, truth) -> np.ndarray:
    """Count cells by days with images since: burned, of these shown, shown, of these true; (4, ages)."""
    from banet.operations.looks import days_since

    near = early.burned & truth.burned & (abs(early.burn_date - truth.burn_date) <= NEAR)

    def counted(source, which) -> np.ndarray:
        return np.bincount(np.minimum(days_since(source, looks)[which], AGES - 1), minlength=AGES)

    begin, last = early.start + NEAR, early.stop - 1
    burned = truth.burned & ~early.water & (truth.burn_date >= begin) & (truth.burn_date <= last)
    shown = early.burned & truth.known & (early.burn_date >= max(begin, truth.start))
    shown &= early.burn_date < truth.stop
    return np.array(
        [
            counted(truth, burned),
            counted(truth, burned & near),
            counted(early, shown),
            counted(early, shown & near),
        ]
    )


def mapped(cube, day, engine):
    """Return the map of a morning, its looks, and its probabilities."""
    from banet.mapping import map_nrt
    from banet.operations.looks import look

    whole = np.zeros((WINDOW, *cube.region.shape), np.float32)

    def keep(block) -> None:
        whole[:, block.rows, block.cols] = block.probability

    burned = map_nrt(cube, day, engine, on_block=keep)
    return burned, look(cube, burned), whole


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
    from banet.operations.looks import days_since
    from banet.operations.precision import AFTER, Precision
    from banet.simulation import simulate
    from banet.simulation.climates import climate_named

    kind = climate_named(name)
    kind = dataclasses.replace(kind, fires=max(kind.fires, fires))
    start = from_day_of_year(2020, kind.season[0] if kind.season[0] < 300 else 200)
    scene = simulate(start=start, days=WINDOW + 62, seed=11, climate=kind, size=size)
    parts, moves, truth = [], [], scene.truth().at_threshold(0.5)
    with tempfile.TemporaryDirectory() as folder:
        cube = cube_of(scene, Path(folder))
        days = [scene.days[number] for number in range(WINDOW - 1, WINDOW + 61, STEP)]
        maps = {}
        for day in days:
            maps[day] = mapped(cube, day, engine)
            burned, looks, whole = mapped(cube, day + 1, engine)
            maps[day + 1] = (burned, looks, None)
            moves.append(moved(maps[day][2], whole))
            maps[day] = (*maps[day][:2], None)
        for day, (burned, looks, _) in maps.items():
            if day + AFTER in maps:
                parts.append(Precision.of(burned, days_since(burned, looks), maps[day + AFTER][0]))
    return parts, moves, sum(against(burned, looks, truth) for burned, looks, _ in maps.values())


def greece(engine) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of the real scene: shown, stayed and the same, (3, ages); against VNP64A1, (4, ages)."""
    from banet.evaluation.benchmark.greek import GREEK_DAYS, greek_cube, greek_reference, need_real
    from banet.mapping import map_nrt
    from banet.operations.looks import days_since, look

    real = need_real()
    truth = greek_reference(real).between(*GREEK_DAYS).at_threshold(0.5)
    stayed, held = np.zeros((3, AGES), int), np.zeros((4, AGES), int)
    with tempfile.TemporaryDirectory() as folder:
        cube = greek_cube(real, Path(folder) / "greece.zarr")
        late = map_nrt(cube, cube.days[-1], engine)
        for day in cube.days[3:-1]:
            early = map_nrt(cube, day, engine)
            looks = look(cube, early)
            held += against(early, looks, truth)
            since = days_since(early, looks)
            moved = abs(late.burn_date - early.burn_date)
            for row, which in enumerate((early.burned, moved <= NEAR, moved <= np.timedelta64(1, "D"))):
                stayed[row] += np.bincount(since[early.burned & which], minlength=AGES)[:AGES]
            print(f"{day}: {early.burned.sum()} cells, {early.burned_area_ha:,.0f} ha")
    return stayed, held


def print_curve(shown, stayed, same, held) -> None:
    print("| days seen since | cells | stayed | same date | truly burned | shown | cells shown | true |")
    print("|---|---|---|---|---|---|---|---|")
    for age in np.flatnonzero((np.asarray(shown) > 0) | (held[0] > 0)):
        burned, found, said, true = held[:, age]
        shares = [stayed[age] / max(shown[age], 1), same[age] / max(shown[age], 1)]
        told = [f"{value:.3f}" for value in (*shares, found / max(burned, 1), true / max(said, 1))]
        print(f"| {age} | {shown[age]} | {told[0]} | {told[1]} | {burned} | {told[2]} | {said} | {told[3]} |")


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
    parser.add_argument("--greece", action="store_true", help="the mornings of the real scene")
    asked = parser.parse_args()

    from banet.model.engine import Engine
    from banet.model.weights import load_models
    from banet.operations.precision import Precision

    engine, begin = Engine(load_models(asked.weights)), time.perf_counter()
    if asked.greece:
        stayed, held = greece(engine)
        print_curve(*stayed, held)
        record(asked.out, stayed=stayed.tolist(), against_vnp64a1=held.tolist())
        return
    parts, moves, held = [], [], np.zeros((4, AGES), int)
    for climate in asked.climates:
        own, changed, true = season(climate, asked.size, asked.fires, engine)
        parts += own
        moves += changed
        held += true
        print(
            f"{climate}: {sum(one.shown.sum() for one in own):,} cells, {time.perf_counter() - begin:.0f} s"
        )
    each = f"{asked.size} x {asked.size} cells each, at least {asked.fires:g} fires"
    source = f"simulated seasons: {', '.join(asked.climates)}; {each}"
    found = Precision.join(parts, source)
    total = {name: sum(one[name] for one in moves) for name in moves[0]}
    print_curve(found.shown, found.stayed, found.same, held)
    for limit in LIMITS:
        of_all, of_some = total[f"all>{limit}"] / total["all"], total[f"some>{limit}"] / max(total["some"], 1)
        print(f"moved by more than {limit}: {of_all:.5%} of all, {of_some:.3%} of those of 0.01 and more")
    print(f"flipped: {total['flipped']} of {total['burned']} burned cells")
    if asked.table:
        found.save(asked.table)
    counts = {name: getattr(found, name).tolist() for name in ("shown", "stayed", "same")}
    record(asked.out, source=source, moved=total, peak_mib=peak_mib(), **counts, against_truth=held.tolist())


if __name__ == "__main__":
    main()
