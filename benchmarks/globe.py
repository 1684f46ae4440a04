"""Cost of one morning of all land at 0.01 degree, from samples of each step.

    OMP_NUM_THREADS=1 python benchmarks/globe.py [--latitudes 0 25 50] [--out benchmarks/results/globe.json]

Granules of two satellites are counted on their orbits; full simulated granules at several latitudes are read
and gridded, a block of planes is stored in a cube, the products of a block are written: processor seconds of
one core, since the machine may be busy. Mapping is that of `results/large_region.json` (64 days, both cores).
All is scaled to the cells of land that `benchmarks/cost.py` counts.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from about import peak_mib, record
from cost import mapped_cells

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from banet.burned_area.burned_area import BurnedArea
from banet.cube import Cube
from banet.export.products import write_products
from banet.grid.region import Region
from banet.observations.planes import DayPlanes
from banet.observations.swath import viirs750
from banet.simulation.view import INCLINATION, PERIOD_H, SATELLITES
from writers_l1b import BANDS, viirs_geometry, write_granule

TWO = ("N20", "N21")
MINUTES = 6
SOUTH, NORTH = -60, 80
CORES, HOURS = 2, 2.0
RESULTS = Path(__file__).resolve().parent / "results"


def granules_a_day(satellites: tuple[str, ...] = TWO) -> tuple[int, list[float]]:
    """Return the granules of a day whose middle lies on the day side within the mapped latitudes."""
    middles = []
    for satellite in satellites:
        hours = (np.arange(0, 24 * 60, MINUTES) + MINUTES / 2) / 60
        phase = 2 * math.pi * (hours / PERIOD_H + SATELLITES[satellite])
        latitude = np.degrees(np.arcsin(math.sin(INCLINATION) * np.sin(phase)))
        rising = np.cos(phase) > 0  # the satellites cross the equator northwards by day
        middles += latitude[rising & (latitude > SOUTH) & (latitude < NORTH)].tolist()
    return len(middles), middles


def gridded(latitude: float) -> dict[str, Any]:
    """Write a full granule at a latitude, then read and grid the whole of it."""
    geometry = viirs_geometry((latitude, 10.0), "2021-08-05T12:40", resolution=750)
    rng = np.random.default_rng(0)
    texture = 0.2 + 0.05 * np.sin(geometry.longitude * 40) * np.cos(geometry.latitude * 40)
    texture += rng.normal(0, 0.01, geometry.shape)
    red, nir, mir, tir = BANDS[geometry.factor]
    bands = {red: texture, nir: texture + 0.1, mir: texture * 3, tir: texture * 40}
    lon, lat = geometry.longitude, geometry.latitude
    region = Region.around("G", tuple(float(edge) for edge in (lon.min(), lat.min(), lon.max(), lat.max())))
    with tempfile.TemporaryDirectory() as folder:
        write_granule(Path(folder), geometry, bands, compression=4)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        day = viirs750.days(Path(folder))[0]
        clock = time.process_time()
        planes = viirs750.read_day(Path(folder), day, region)
        spent = time.process_time() - clock
    seen = int(np.isfinite(planes.red).sum())
    return {
        "latitude": latitude,
        "mib": round(size / 2**20, 1),
        "cpu_s": round(spent, 2),
        "cells_seen": seen,
        "cells_of_box": int(np.prod(region.shape)),
    }


def stored(edge: int = 500) -> dict[str, float]:
    """Store a day of planes of a block in a cube; seconds and bytes of a million cells."""
    region, rng = Region("S", (0, 0, edge / 100, edge / 100)), np.random.default_rng(1)
    planes = [rng.normal(0.2, 0.05, region.shape).astype(np.float32) for _ in range(3)]
    zenith = np.full(region.shape, 30, np.float32)
    frp = np.where(rng.random(region.shape) < 1e-3, 20, 0).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cube.zarr"
        cube = Cube.create(path, region, sensor="simulated", mir_band="M12")
        clock = time.process_time()
        with cube.writing():
            cube.write_day("2021-08-05", DayPlanes(*planes, zenith, np.ones(region.shape, np.uint8)), frp)
        spent = time.process_time() - clock
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    millions = np.prod(region.shape) / 1e6
    return {"cpu_s_a_million": round(spent / millions, 3), "mib_a_million": round(size / 2**20 / millions, 2)}


def products(edge: int = 500) -> dict[str, float]:
    """Write rasters, NetCDF and manifest of a block with fires on a hundredth of it."""
    region, rng = Region("P", (0, 0, edge / 100, edge / 100)), np.random.default_rng(2)
    burned = np.zeros(region.shape, bool)
    for row, col in rng.integers(0, edge - 20, (25, 2)):
        burned[row : row + 10, col : col + 10] = True
    date = np.where(burned, np.datetime64("2021-08-05"), np.datetime64("NaT", "D"))
    source = BurnedArea.from_dates(region, "2021-06-03", "2021-08-06", date, attrs={"weights": ["w"]})
    with tempfile.TemporaryDirectory() as folder:
        clock = time.process_time()
        written = write_products(source, Path(folder), "P", pictures=False)
        spent = time.process_time() - clock
        size = sum(path.stat().st_size for path in written.values())
    millions = np.prod(region.shape) / 1e6
    return {"cpu_s_a_million": round(spent / millions, 3), "mib_a_million": round(size / 2**20 / millions, 2)}


def hours(found: dict[str, Any]) -> dict[str, float]:
    """Return the hours of each step for all land on two cores."""
    count, millions = found["granules"]["a_day"], mapped_cells() / 1e6
    large = json.loads((RESULTS / "large_region.json").read_text())
    mapping = mapped_cells() / (large["shape"][1] * large["shape"][2]) * large["seconds"]
    granule = float(np.mean([one["cpu_s"] for one in found["gridding"]]))
    steps = {
        "gridding": count * granule / CORES,
        "storing": millions * found["storing"]["cpu_s_a_million"] / CORES,
        "mapping": mapping,
        "products": millions * found["products"]["cpu_s_a_million"] / CORES,
    }
    told = {name: round(seconds / 3600, 3) for name, seconds in steps.items()}
    return told | {"all": round(sum(steps.values()) / 3600, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latitudes", type=float, nargs="+", default=[0, 25, 50])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    count, middles = granules_a_day()
    found: dict[str, Any] = {
        "granules": {
            "satellites": TWO,
            "a_day": count,
            "by_band": {
                f"{south}": sum(south <= m < south + 20 for m in middles) for south in range(-60, 80, 20)
            },
        },
        "land_cells": round(mapped_cells()),
        "storing": stored(),
        "products": products(),
    }
    print(json.dumps(found), flush=True)
    found["peak_mib_of_storing_and_products"] = peak_mib()
    found["gridding"] = [gridded(latitude) for latitude in args.latitudes]
    found["peak_mib_of_gridding"] = peak_mib()
    mib = float(np.mean([one["mib"] for one in found["gridding"]]))
    found["granules"]["gib_a_day"] = round(count * mib / 1024, 1)
    found["hours"] = hours(found)
    found["bound"] = max((name for name in found["hours"] if name != "all"), key=found["hours"].get)
    print(json.dumps(found, indent=1))
    record(args.out, **found)


if __name__ == "__main__":
    main()
