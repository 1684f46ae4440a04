"""Intervals of burned hectares held against simulated truth: correlation of the errors, and coverage.

python benchmarks/zone_intervals.py --cache DIR [--seasons 24] [--first 0] [--out FILE]

Seasons are simulated and mapped with the shipped weights; map and truth stay in the cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.days import from_day_of_year
from banet.grid.sinusoidal import tile_grid
from banet.labels.tile_files import TILE_PIXELS
from banet.simulation import Scene
from banet.simulation.climates import CLIMATES
from banet.simulation.writers.labels import LabelErrors, dated
from banet.simulation.writers.pixels import PixelWindow, tiles_under

FIRST_SEED = 88_000_000
DAYS, SIZE = 64, 128


def pairs(cache: Path, numbers: range) -> Iterator[tuple[BurnedArea, BurnedArea]]:
    """Yield map and truth of simulated seasons, climate by climate in turn; made where they are not there."""
    cache.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        mapped, truth = cache / f"{number}_map.nc", cache / f"{number}_truth.nc"
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
    scene = simulate(start=start, days=DAYS, seed=FIRST_SEED + number, climate=climate, size=SIZE)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seasons", type=int, default=24)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    for mapped, truth in pairs(args.cache, range(args.first, args.first + args.seasons)):
        print(mapped, truth.burned_area_ha, flush=True)


if __name__ == "__main__":
    main()
