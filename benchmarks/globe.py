"""Cost of one morning of all land at 0.01 degree, from samples of each step.

    OMP_NUM_THREADS=1 python benchmarks/globe.py [--latitudes 0 35 65] [--out benchmarks/results/globe.json]

Granules of two satellites are counted on their orbits where the sun is up, on the longest day of the north
and on that of the south; full simulated granules at several latitudes are read and gridded, a block of planes
is stored in a cube, the products of a block are written: processor seconds of one core, since the machine may
be busy. Mapping is that of `results/mornings_large.json`, in processor seconds, over what two processes gain
(`results/scaling.json`). All is scaled to the cells of land that `benchmarks/cost.py` counts.
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
from banet.simulation.overpasses import (
    _ANCHOR_PHASE as ANCHOR_PHASE,
)
from banet.simulation.overpasses import (
    ANCHOR_TIME_H,
    INCLINATION,
    PERIOD_H,
    SATELLITES,
    SimulatedOverpass,
    node_longitude,
    overpasses,
    solar_zenith,
    track_shift,
)
from writers_l1b import BANDS, viirs_geometry, write_granule

TWO = ("N20", "N21")
MINUTES = 6
LONGEST = ("2021-06-21", "2021-12-21")
BOX = 9e6
BANDS_OF = range(-60, 81, 20)
SOUTH, NORTH = -60, 80
CORES = 2
RESULTS = Path(__file__).resolve().parent / "results"


def middles(date: str, satellites: tuple[str, ...] = TWO) -> np.ndarray:
    """Return the latitudes of the middles of a day's granules, of those with the sun up on mapped land."""
    start, found = np.datetime64(date), []
    begin = (start.astype("datetime64[h]") - np.datetime64("1970-01-01T00", "h")).astype(
        float
    ) - ANCHOR_TIME_H
    for satellite in satellites:
        hours = (np.arange(0, 24 * 60, MINUTES) + MINUTES / 2) / 60
        turns = (begin + hours) / PERIOD_H + ANCHOR_PHASE / (2 * math.pi) - SATELLITES[satellite]
        phase = 2 * math.pi * (turns % 1)
        latitude = np.degrees(np.arcsin(math.sin(INCLINATION) * np.sin(phase)))
        orbits = zip(np.floor(turns), phase, strict=True)
        longitude = [
            node_longitude(SimulatedOverpass(satellite, int(n), 0, True)) + float(track_shift(p))
            for n, p in orbits
        ]
        places = zip(hours, longitude, latitude, strict=True)
        sun = np.array(
            [float(solar_zenith(start, hour, np.float64(x), np.float64(y))) for hour, x, y in places]
        )
        found.append(latitude[(sun < 90) & (latitude > SOUTH) & (latitude < NORTH)])
    return np.concatenate(found)


def looks(latitude: float, date: str) -> float:
    """Return how often a day a place is seen by day, on average over the orbits' cycle and ten longitudes."""
    start, count = np.datetime64(date), 0
    for longitude in range(0, 360, 36):
        for one in overpasses(start, 16, longitude, latitude, TWO):
            place = np.float64(longitude), np.float64(latitude)
            count += bool(solar_zenith(start, one.time_h, *place) < 85)
    return round(count / 160, 2)


def gridded(latitude: float) -> dict[str, Any]:
    """Write a full granule at a latitude, then read and grid the whole of it, box by box."""
    geometry = viirs_geometry((latitude, 10.0), "2021-08-05T12:40", resolution=750)
    rng = np.random.default_rng(0)
    texture = 0.2 + 0.05 * np.sin(geometry.longitude * 40) * np.cos(geometry.latitude * 40)
    texture += rng.normal(0, 0.01, geometry.shape)
    red, nir, mir, tir = BANDS[geometry.factor]
    bands = {red: texture, nir: texture + 0.1, mir: texture * 3, tir: texture * 40}
    seen, cells, spent = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        write_granule(Path(folder), geometry, bands, compression=4)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        day = viirs750.days(Path(folder))[0]
        boxes = boxes_over(geometry)
        for region in boxes:
            clock = time.process_time()
            planes = viirs750.read_day(Path(folder), day, region)
            spent += time.process_time() - clock
            seen += int(np.isfinite(planes.red).sum())
            cells += int(np.prod(region.shape))
    return {
        "latitude": latitude,
        "mib": round(size / 2**20, 1),
        "cpu_s": round(spent, 2),
        "boxes": len(boxes),
        "cells_seen": seen,
        "cells_of_boxes": cells,
    }


def boxes_over(geometry: Any) -> list[Region]:
    """Return boxes of about `BOX` cells over a granule, as far north as land is mapped."""
    lon, lat = geometry.longitude, geometry.latitude
    south, north = math.floor(lat.min()), min(math.ceil(lat.max()), NORTH)
    west, east = math.floor(lon.min()), math.ceil(lon.max())
    wide = max(1, int(BOX / ((north - south) * 100) / 100))
    return [Region("G", (x, south, min(x + wide, east), north)) for x in range(west, east, wide)]


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
    millions = mapped_cells() / 1e6
    large = json.loads((RESULTS / "mornings_large.json").read_text())
    if not large["processor_seconds"]:
        raise SystemExit("mornings_large.json holds no processor seconds; measure mornings again")
    mapped = float(np.mean([one["steps"]["map"] for one in large["mornings"]]))
    scaled = json.loads((RESULTS / "scaling.json").read_text())["results"]
    speedup = next(one["speedup"] for one in scaled if one["workers"] == CORES)
    mapping = mapped_cells() / float(np.prod(large["shape"])) * mapped / speedup
    sampled = [[one[name] for one in found["gridding"]] for name in ("latitude", "cpu_s")]
    each = [float(np.interp(np.abs(middles(date)), *sampled).sum()) for date in LONGEST]
    steps = {
        "gridding": max(each) / CORES,
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
    parser.add_argument("--latitudes", type=float, nargs="+", default=[0, 35, 65])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    days = {date: middles(date) for date in LONGEST}
    count = max(map(len, days.values()))
    found: dict[str, Any] = {
        "granules": {
            "satellites": TWO,
            "a_day": {date: len(found) for date, found in days.items()},
            "by_band": {date: np.histogram(found, BANDS_OF)[0].tolist() for date, found in days.items()},
            "looks_a_day": {
                date: {str(latitude): looks(latitude, date) for latitude in (0, 20, 35, 50, 65, 75)}
                for date in LONGEST
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
