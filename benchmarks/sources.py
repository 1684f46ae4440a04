"""Seconds, peak memory and floor of each way into a cube, each in a process of its own.

    OMP_NUM_THREADS=1 python benchmarks/sources.py [--repeat 3] [--case NAME ...] [--out FILE.json]
        [--docs docs/sources.md]
    python benchmarks/sources.py --recorded benchmarks/results/sources.json --docs docs/sources.md

With --recorded nothing is measured but the cases that are named, which take the place of the recorded ones.

granule_750   a full granule (3232 x 3200) onto 800 x 1500 cells of 0.01 degree
granule_375   a full granule (6464 x 6400) onto 800 x 1500 cells of 0.005 degree
surface_day   four surface reflectance tiles with their flags onto 800 x 1500 cells
cube_day      three overpasses of gridded HDF4, 18 files of 800 x 1500, and 5000 hot spots, into a cube
hot_spots     a table of 200 000 hot spots, read and summed in cells on each of 64 days
label_tile    a month's tile of 2400 x 2400, a fiftieth burned, all five layers, onto 1000 x 1000 cells

The floor is what no program can leave out, by the plainest calls of the same libraries: reading and inflating
the values that are needed, and besides for granules spreading the pixels once, for the cube day writing its
planes, for hot spots parsing the table. Seconds are of CPU, so that other work on the machine counts little;
the least of the repeats is given, and memory is the peak of the whole process, libraries included.
Of a granule the floor reads the lines and pixels that the region needs, as if it knew them beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from about import about, peak_mib  # noqa: E402
from pages import put_into  # noqa: E402

from banet.grid.region import Region  # noqa: E402

Work = tuple[Callable[[], object], Callable[[], object]]


def _granule(folder: Path, resolution: int) -> Work:
    import h5py
    from granule_to_grid import SOURCES, make_granule

    from banet.observations.l1b import find_granules
    from banet.observations.resample import margin_degrees, place, resample

    make_granule(folder, resolution)
    source = SOURCES[resolution]
    kind = source.kind
    region = Region.load("PI") if resolution == 750 else Region("PI", (-6.25, 38, 1.25, 42), 0.005)
    (day,) = source.days(folder)
    (granule,) = find_granules(folder.iterdir(), kind)

    def prepare() -> tuple[tuple[slice, slice], Callable[[], object]]:
        margin = margin_degrees(kind.pixel_km)
        where = granule.geolocation(region.south - margin, region.north + margin)
        placed = place(
            where.longitude,
            where.latitude,
            region,
            rows_per_scan=kind.rows_per_scan,
            pixel_km=kind.pixel_km,
        )
        lines = slice(where.first + placed.lines.start, where.first + placed.lines.stop)
        needed = lines, placed.pixels
        pixels = granule.pixels(where.shape, needed)
        bands = [pixels.red, pixels.nir, pixels.mir, pixels.view_zenith]
        return needed, lambda: resample(placed, bands, pixels.deleted)

    prepared: list[tuple[tuple[slice, slice], Callable[[], object]]] = []

    def floor() -> None:
        needed, spread = prepared[0]
        for path, group, names in (
            (granule.bands, "observation_data", (kind.red, kind.nir, kind.mir, kind.tir)),
            (
                granule.where,
                "geolocation_data",
                ("latitude", "longitude", "solar_zenith", "sensor_zenith"),
            ),
        ):
            with h5py.File(path) as file:
                for name in names:
                    file[f"{group}/{name}"][needed]
        spread()

    def prepare_and_floor() -> object:
        if not prepared:
            prepared.append(prepare())
            return None
        return floor()

    return lambda: source.read_day(folder, day, region), prepare_and_floor


def granule_750(folder: Path) -> Work:
    return _granule(folder, 750)


def granule_375(folder: Path) -> Work:
    return _granule(folder, 375)


def surface_day(folder: Path) -> Work:
    import h5py

    from banet.observations.surface import surface
    from writers_surface import SIZE, write_tile

    region, rng = Region.load("PI"), np.random.default_rng(0)
    for h, v in ((17, 4), (18, 4), (17, 5), (18, 5)):
        bands = {name: rng.uniform(0.02, 0.5, (SIZE, SIZE)) for name in ("M5", "M7", "M11")}
        flags = {n: rng.integers(0, 240, (SIZE, SIZE)) & 0xEF for n in range(1, 8)}
        write_tile(folder, h, v, bands, flags=flags)
    (day,) = surface.days(folder)
    names = ["SurfReflect_M5_1", "SurfReflect_M7_1", "SurfReflect_M11_1", "SensorZenith_1", "SolarZenith_1"]
    names += [f"SurfReflect_QF{n}_1" for n in range(1, 8)]

    def floor() -> None:
        for path in folder.iterdir():
            with h5py.File(path) as file:
                for name in names:
                    file[f"HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/{name}"][()]

    return lambda: surface.read_day(folder, day, region), floor


def cube_day(folder: Path) -> Work:
    import zarr
    from main_job import cube_day as prepare
    from pyhdf.SD import SD

    from banet.cube.layout import create_store
    from banet.cube.variables import VARIABLES

    work, region = prepare(folder, ""), Region.load("PI")

    def floor() -> None:
        for path in (folder / "viirs").iterdir():
            file = SD(str(path))
            for name in file.datasets():
                raw = file.select(name).get()
            file.end()
        store = folder / f"floor{time.time_ns()}.zarr"
        create_store(store, region, sensor="VIIRS", mir_band="M12", version="")
        for name, variable in VARIABLES.items():
            array = zarr.open_array(store / name, mode="r+")
            array.resize((1, *region.shape))
            array[0] = raw.astype(variable.dtype)

    return work, floor


def hot_spots(folder: Path) -> Work:
    import pandas as pd

    from banet.days import day_range
    from banet.observations.hotspots import grid_frp, read_hotspots

    region, rng, count = Region.load("PI"), np.random.default_rng(0), 200_000
    days = day_range("2020-07-15", "2020-09-17")
    table = pd.DataFrame(
        {
            "latitude": rng.uniform(36, 44, count).round(5),
            "longitude": rng.uniform(-10, 5, count).round(5),
            "bright_ti4": 330.0,
            "scan": 0.4,
            "track": 0.4,
            "acq_date": np.sort(rng.choice(days, count)).astype(str),
            "acq_time": rng.choice([154, 1242, 1342], count),
            "satellite": rng.choice(["N", "N20"], count),
            "instrument": "VIIRS",
            "confidence": "n",
            "version": 2,
            "bright_ti5": 290.0,
            "frp": rng.gamma(1, 10, count).round(2),
            "daynight": "D",
            "type": 0,
        }
    )
    path = folder / "fires.csv"
    table.to_csv(path, index=False)

    def work() -> None:
        read = read_hotspots(path)
        for day in days:
            grid_frp(read, region, day)

    return work, lambda: pd.read_csv(path)


def label_tile(folder: Path) -> Work:
    from pyhdf.SD import SD
    from scipy import ndimage

    from banet.io.hdf4_writing import Hdf4Layer, write_hdf4
    from banet.labels.mcd64a1 import read_mcd64a1

    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.standard_normal((2400, 2400)), 12)
    burned = texture > np.quantile(texture, 0.98)
    day = 213 + (30 * (texture - texture.min()) / np.ptp(texture)).astype(int)
    date = np.where(burned, np.clip(day, 213, 243), 0).astype("i2")
    names = ("Burn Date", "Burn Date Uncertainty", "QA", "First Day", "Last Day")
    planes = (
        date,
        np.where(burned, 2, 0).astype("u1"),
        np.full(date.shape, 3, "u1"),
        np.full(date.shape, 213, "i2"),
        np.full(date.shape, 243, "i2"),
    )
    path = folder / "VNP64A1.A2021213.h19v05.002.2023198172838.hdf"
    layers = [Hdf4Layer(name, plane, "MOD_Grid_Monthly_500m_BA") for name, plane in zip(names, planes)]
    write_hdf4(path, layers, {})
    region = Region("TILE", (14.0, 30.0, 24.0, 40.0), 0.01)

    def floor() -> None:
        file = SD(str(path))
        for name in names:
            file.select(name).get()
        file.end()

    return lambda: read_mcd64a1(path, region, "2021-08", "2021-08"), floor


CASES = {
    each.__name__: each for each in (granule_750, granule_375, surface_day, cube_day, hot_spots, label_tile)
}


TITLES = {
    "granule_750": "granule of 750 m (3232 x 3200) onto 800 x 1500 cells",
    "granule_375": "granule of 375 m (6464 x 6400) onto 800 x 1500 cells",
    "surface_day": "four surface reflectance tiles with flags onto 800 x 1500 cells",
    "cube_day": "three gridded overpasses and hot spots into a cube day",
    "hot_spots": "200 000 hot spots onto 64 days of 800 x 1500 cells",
    "label_tile": "label tile (2400 x 2400, 2 % burned, five layers) onto 1000 x 1000 cells",
}


def seconds_of(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Least CPU and wall seconds."""
    cpu, wall = [], []
    for _ in range(repeat):
        before, clock = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - before)
        wall.append(time.perf_counter() - clock)
    return min(cpu), min(wall)


def measure(case: str, repeat: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        work, floor = CASES[case](Path(name))
        made = peak_mib()
        work()  # libraries are loaded on the first call
        # What writing the files took of memory is no part of reading them.
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mib()
        cpu, wall = seconds_of(work, repeat)
        peak = peak_mib()
        floor()
        floor_cpu, _ = seconds_of(floor, repeat)
    return {
        "case": case,
        "cpu_s": round(cpu, 3),
        "wall_s": round(wall, 3),
        "floor_cpu_s": round(floor_cpu, 3),
        "times_the_floor": round(cpu / floor_cpu, 2),
        "peak_mib": peak,
        "before_mib": before,
        "files_made_mib": made,
    }


def table(content: dict[str, Any]) -> str:
    lines = ["| case | CPU seconds | floor | times the floor | peak memory |", "|---|---|---|---|---|"]
    for row in content["cases"]:
        numbers = f"{row['cpu_s']:.2f} | {row['floor_cpu_s']:.2f} | {row['times_the_floor']:.1f}"
        lines.append(f"| {TITLES[row['case']]} | {numbers} | {row['peak_mib']} MiB |")
    busy = content["load_a_core"]
    note = f"Least CPU seconds of {content['repeat']} runs on one core of {content['machine']}"
    if busy > 1.2:
        note += f", which other work shared ({busy:g} processes wanted each core): upper bounds"
    return "\n".join([*lines, "", f"{note}."])


def measured(cases: Iterable[str], repeat: int) -> dict[str, Any]:
    rows = []
    for case in cases:
        words = [sys.executable, __file__, "--measure", "--case", case, "--repeat", str(repeat)]
        done = subprocess.run(
            words, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        rows.append(json.loads(done.stdout))
        print(rows[-1], flush=True)
    load = round(os.getloadavg()[1] / (os.cpu_count() or 1), 1)
    return {**about(), "repeat": repeat, "load_a_core": load, "cases": rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--case", nargs="+", choices=CASES, default=[])
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--recorded", type=Path, help="results of an earlier run to start from")
    parser.add_argument("--docs", type=Path, help="page with the marks to put the table between")
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.case[0], asked.repeat)))
        return
    content = json.loads(asked.recorded.read_text()) if asked.recorded else {"cases": []}
    if asked.case or not asked.recorded:
        fresh = measured(asked.case or CASES, asked.repeat)
        # Rows of an earlier run keep what tells of it.
        about = {name: value for name, value in content.items() if name != "cases"}
        earlier = [{"measured": about, **row} for row in content["cases"]]
        rows = {row["case"]: row for row in (*earlier, *fresh["cases"])}
        content = {**fresh, "cases": [rows[case] for case in CASES if case in rows]}
    print(table(content))
    if asked.docs:
        put_into(asked.docs, "sources", table(content))
    if asked.out:
        asked.out.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
