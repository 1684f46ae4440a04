"""Intervals of burned hectares held against simulated truth: correlation of the errors, and coverage.

python benchmarks/zone_intervals.py --cache DIR [--seasons 24] [--first 0] [--out FILE]

Seasons are simulated and mapped with the shipped weights; map and truth stay in the cache. Zones are squares
of several sizes in which at least 200 ha burned or were expected to.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from about import record

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.confidence import burned_probability
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.days import from_day_of_year
from banet.evaluation.benchmark.stage import simulator_hash
from banet.grid.sinusoidal import tile_grid
from banet.labels.tile_files import TILE_PIXELS
from banet.model.weights import load_model
from banet.simulation import Scene
from banet.simulation.climates import CLIMATES
from banet.simulation.writers.labels import LabelErrors, dated
from banet.simulation.writers.pixels import PixelWindow, tiles_under
from banet.summary.progressions import Progressions

Reals = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]

FIRST_SEED = 88_000_000
DAYS, SIZE = 64, 128
EDGES = (8, 16, 32, 64, 128)
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
KNOTS = (0.0, 0.0065, 0.016, 0.035, 0.07, 0.143, 0.246, 0.39, 0.5, 0.6, 0.8, 0.935, 0.985, 1.0)
LEAST_HA = 200


def pairs(cache: Path, numbers: range) -> Iterator[tuple[BurnedArea, BurnedArea]]:
    """Yield map and truth of simulated seasons, climate by climate in turn; made where they are not there."""
    cache.mkdir(parents=True, exist_ok=True)
    made_by = f"{load_model('default').weights_sha256[:8]}_{simulator_hash()[:8]}"
    for number in numbers:
        mapped, truth = (cache / f"{number}_{made_by}_{what}.nc" for what in ("map", "truth"))
        if not truth.is_file():
            _make(number, mapped, truth)
        yield read_map(mapped), read_map(truth)


def _make(number: int, mapped: Path, truth: Path) -> None:
    """Simulate and map one season; the truth is written last."""
    import tempfile

    from banet.evaluation.benchmark.stage import write_cube
    from banet.mapping import map_burned
    from banet.simulation import simulate

    names = sorted(CLIMATES)
    climate = CLIMATES[names[number % len(names)]]
    first, last = climate.season
    begin = int(first + (number * 37) % max(last - first, 1))
    start = from_day_of_year(2013 + number % 8, begin)
    scene = simulate(
        start=start, days=DAYS, seed=FIRST_SEED + number, climate=climate, size=SIZE, any_time=True
    )
    with tempfile.TemporaryDirectory() as folder:
        cube = write_cube(scene, Path(folder) / "cube.zarr")
        burned = map_burned(cube, cube.days[0], cube.days[-1])
    write_netcdf(replace(burned, attrs={**burned.attrs, "vnp64a1_ha": _product_hectares(scene)}), mapped)
    write_netcdf(scene.truth(), truth)


def _product_hectares(scene: Scene) -> float:
    """Return the hectares that a product with the simulator's errors of VNP64A1 shows of a scene."""
    total = 0.0
    for h, v in tiles_under(scene.region):
        window = PixelWindow.sinusoidal(scene.region, h, v, TILE_PIXELS)
        day, _ = dated(scene, window, LabelErrors())
        total += float(((day >= 0) & (window.per_pixel(window.inside) > 0.5)).sum())
    return total * tile_grid(0, 0).pixel_area_ha


def measure(seasons: Iterable[tuple[BurnedArea, BurnedArea]], draws: int) -> dict[str, Any]:
    """Return coverage by size of zone, correlation of errors by distance, and hectares by climate."""
    tallies: dict[int, list[Bools]] = {edge: [] for edge in EDGES}
    alike = {name: np.zeros((2, len(LAGS))) for name in ("burned", "dates", "drawn_dates")}
    hectares: dict[str, Reals] = {}
    parts = np.zeros((4, len(KNOTS)))
    for mapped, truth in seasons:
        area = np.repeat(mapped.region.cell_area_ha[:, None], mapped.region.shape[1], 1)
        true = np.where(truth.known, np.nan_to_num(truth.burned_fraction), 0)
        for edge, inside in covered(mapped, area, true * area, draws).items():
            tallies[edge].append(inside)
        alike["burned"] += _errors_of_burning(mapped, truth, true)
        alike["dates"] += _errors_of_dates(mapped, truth)
        alike["drawn_dates"] += _spread_of_drawn_dates(mapped)
        parts += _parts(mapped, truth, true)
        climate = mapped.region.name.removeprefix("SIM_")
        row = np.array([mapped.burned_area_ha, (true * area).sum(), mapped.attrs["vnp64a1_ha"]])
        hectares[climate] = hectares.get(climate, np.zeros(3)) + row
    shares = {edge: np.concatenate(found, 1) for edge, found in tallies.items()}
    return {
        "coverage": [
            {
                "edge_cells": edge,
                "zones": found.shape[1],
                "held": round(float(found[0].mean()), 3),
                "true_below": round(float(found[1].mean()), 3),
                "true_above": round(float(found[2].mean()), 3),
            }
            for edge, found in shares.items()
        ],
        "correlation": {
            name: {str(lag): round(float(v), 3) for lag, v in zip(LAGS, found[0] / found[1], strict=True)}
            for name, found in alike.items()
        },
        "mean_part": [
            {
                "mapped": knot,
                "if_burned": round(float(a / max(n, 1)), 4),
                "if_not": round(float(b / max(m, 1)), 4),
            }
            for knot, n, a, m, b in zip(KNOTS, *parts, strict=True)
        ],
        "hectares": {
            climate: {
                "map": round(float(mine)),
                "truth": round(float(true)),
                "vnp64a1": round(float(theirs)),
                "map_over_vnp64a1": round(float(mine / theirs - 1), 3),
                "map_over_truth": round(float(mine / true - 1), 3),
                "vnp64a1_over_truth": round(float(theirs / true - 1), 3),
            }
            for climate, (mine, true, theirs) in sorted(hectares.items())
        },
    }


def covered(mapped: BurnedArea, area: Reals, true: Reals, draws: int) -> dict[int, Bools]:
    """Return whether the interval holds the truth, and whether that lies below or above, (3, zones)."""
    drawn = np.zeros((draws, area.size), np.float32)
    progressions = Progressions(mapped)
    for number in range(draws):
        drawn[number, progressions.cell] = progressions.draw(number)[0]
    drawn = drawn.reshape(draws, *area.shape) * area.astype(np.float32)
    found = {}
    for edge in EDGES:
        sums, truth = _blocks(drawn, edge), _blocks(true, edge)
        low, high = np.quantile(sums, [0.1, 0.9], axis=0)
        counted = np.maximum(sums.mean(0), truth) >= LEAST_HA
        where = np.stack([(truth >= low) & (truth <= high), truth < low, truth > high])
        found[edge] = where[:, counted]
    return found


def _blocks(plane: Any, edge: int) -> Any:
    count = plane.shape[-1] // edge
    cut = plane.reshape(*plane.shape[:-2], count, edge, count, edge)
    return cut.sum((-3, -1)).reshape(*plane.shape[:-2], -1)


def _errors_of_burning(mapped: BurnedArea, truth: BurnedArea, true: Reals) -> Reals:
    likely = np.nan_to_num(burned_probability(mapped))
    used = (likely > 0.05) & (likely < 0.95) & truth.known
    error = np.where(used, (true >= 0.5) - likely, 0)
    return _by_lag(error, np.where(used, np.sqrt(likely * (1 - likely)), 0))


def _errors_of_dates(mapped: BurnedArea, truth: BurnedArea) -> Reals:
    both = mapped.burned & truth.burned
    return _dates_by_lag(mapped, both, (truth.burn_date - mapped.burn_date).astype(np.int64))


def _spread_of_drawn_dates(mapped: BurnedArea, draws: int = 4) -> Reals:
    """Return the same of dates that are drawn."""
    progressions, found = Progressions(mapped), np.zeros((2, len(LAGS)))
    burned = mapped.burned.ravel()[progressions.cell]
    cell = progressions.cell[burned]
    then = (mapped.burn_date.ravel()[cell] - mapped.start).astype(np.int64)
    error = np.zeros(mapped.region.shape, np.int64)
    for number in range(draws):
        error.flat[cell] = progressions.draw(number)[1][burned] - then
        found += _dates_by_lag(mapped, mapped.burned, error)
    return found


def _dates_by_lag(mapped: BurnedArea, where: Bools, days: Reals) -> Reals:
    error = np.clip(np.where(where, days / (mapped.uncertainty + 0.5), 0), -3, 3)
    error = np.where(where, error - error[where].mean() if where.any() else 0, 0)
    return _by_lag(error, np.where(where, error[where].std() if where.any() else 0, 0))


def _by_lag(error: Reals, deviation: Reals) -> Reals:
    """Return summed products of errors and of their deviations at each lag, down and across, (2, lags)."""
    return np.array(
        [
            [(x[lag:] * x[:-lag]).sum() + (x[:, lag:] * x[:, :-lag]).sum() for lag in LAGS]
            for x in (error, deviation)
        ]
    )


def _parts(mapped: BurnedArea, truth: BurnedArea, true: Reals) -> Reals:
    """Return cells and summed parts by the nearest knot: at least half burned, then less, (4, knots)."""
    known = truth.known & np.isfinite(mapped.burned_fraction)
    middle = (np.array(KNOTS[1:]) + KNOTS[:-1]) / 2
    knot, part = np.searchsorted(middle, mapped.burned_fraction[known]), true[known]
    half = part >= 0.5 - 1e-6
    return np.stack(
        [
            np.bincount(knot[which], weight[which], len(KNOTS))
            for which in (half, ~half)
            for weight in (np.ones(part.size), part)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seasons", type=int, default=24)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    numbers = range(args.first, args.first + args.seasons)
    found = measure(pairs(args.cache, numbers), args.draws)
    print(json.dumps(found, indent=1))
    record(args.out, seasons=args.seasons, first=FIRST_SEED + args.first, draws=args.draws, **found)


if __name__ == "__main__":
    main()
