"""Time and peak memory of the parts of the main job, each in a process of its own.

    python benchmarks/main_job.py [--weights default] [--repeat 3] [--out FILE.json]

cube_day       three overpasses of 800 x 1500 cells, six files each, and hot spots, to one day of a cube
tile           64 days x 128 x 128 cells through the network
tile_original  the same through BA-Net as published (width 32, LSTM, random weights)
region_month   400 x 800 cells and a month: from cube to rasters, NetCDF, picture and manifest
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import peak_mib, record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

CASES = ("cube_day", "tile", "tile_original", "region_month")


def cube_day(folder: Path, _: str):
    from banet.grid.region import Region
    from banet.ingest.folder import build_cube
    from writers_hdf4 import smooth_planes, write_overpass

    region, viirs = Region.load("PI"), folder / "viirs"
    viirs.mkdir()
    for number, (clock, zenith) in enumerate((("12:00", 50.0), ("13:42", 20.0), ("15:24", 60.0))):
        planes = smooth_planes(region, number, view_zenith=zenith)
        write_overpass(viirs, region, f"2017-10-27T{clock}", planes)
    fires = folder / "fires.csv"
    rng = np.random.default_rng(0)
    rows = [
        f"{lat:.5f},{lon:.5f},340,0.4,0.4,2017-10-27,1342,N,VIIRS,n,2,290,{frp:.1f},D,0"
        for lat, lon, frp in zip(
            rng.uniform(36, 44, 5000), rng.uniform(-10, 5, 5000), rng.gamma(1, 10, 5000), strict=True
        )
    ]
    head = (
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,"
    )
    fires.write_text("\n".join([head + "bright_ti5,frp,daynight,type", *rows]) + "\n")
    return lambda: build_cube(region, viirs, fires, folder / f"{time.time_ns()}.zarr")


def tile(folder: Path, weights: str):
    from banet.model import load_model
    from banet.model.engine import Engine

    model = load_model(weights)
    engine = Engine([model])
    planes = np.random.default_rng(0).normal(size=(engine.config.channels, 64, 128, 128)).astype(np.float32)
    return lambda: engine.probabilities(planes)


def tile_original(folder: Path, _: str):
    import torch

    from banet.model import BANet, BANetConfig
    from banet.model.engine import Engine

    torch.manual_seed(0)
    engine = Engine([BANet(BANetConfig.original()).eval()])
    planes = np.random.default_rng(0).normal(size=(4, 64, 128, 128)).astype(np.float32)
    return lambda: engine.probabilities(planes)


def region_month(folder: Path, weights: str):
    from banet.cube import Cube
    from banet.days import day_range
    from banet.export.products import write_map
    from banet.grid.region import Region
    from banet.mapping import map_months
    from banet.observations.planes import DayPlanes

    region = Region("MONTH", (-8, 37, 0, 41), 0.01)
    cube = Cube.create(folder / "c.zarr", region, sensor="VIIRS S-NPP", mir_band="M12")
    rng = np.random.default_rng(0)
    ground = [rng.uniform(low, high, region.shape) for low, high in ((0.05, 0.15), (0.2, 0.35), (0.08, 0.2))]
    for day in day_range("2020-07-15", "2020-09-17"):
        red, nir, mir = ((g + rng.normal(0, 0.01, region.shape)).astype(np.float32) for g in ground)
        frp = np.where(rng.random(region.shape) < 1e-4, 20, 0).astype(np.float32)
        zenith, count = np.full(region.shape, 30, np.float32), np.ones(region.shape, np.uint8)
        cube.write_day(day, DayPlanes(red, nir, mir, zenith, count), frp)

    def run():
        for burnmap in map_months(cube, "2020-08", "2020-08", weights):
            write_map(cube, burnmap, folder / f"maps{time.time_ns()}", settings={})

    return run


def measure(case: str, weights: str, repeat: int) -> dict[str, object]:
    """Prepare, run once to warm up (not for the long ones), then time; memory is the peak of the process."""
    with tempfile.TemporaryDirectory() as folder:
        run = globals()[case](Path(folder), weights)
        prepared = peak_mib()
        seconds, used = [], []
        for _ in range(repeat):
            start, begin = time.perf_counter(), _processor_seconds()
            run()
            seconds.append(round(time.perf_counter() - start, 3))
            used.append(round(_processor_seconds() - begin, 3))
    peak = peak_mib()
    return {
        "case": case,
        "seconds": seconds,
        "median_s": statistics.median(seconds),
        "processor_s": used,
        "median_processor_s": statistics.median(used),
        "peak_mib": peak,
        "prepared_mib": prepared,
    }


def _processor_seconds() -> float:
    """Return what this process and the children that have ended took of all cores."""
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="default")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--case", choices=CASES)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measure(asked.case, asked.weights, asked.repeat)))
        return
    rows = []
    for case in CASES:
        words = [
            sys.executable,
            __file__,
            "--case",
            case,
            "--weights",
            asked.weights,
            "--repeat",
            str(asked.repeat),
        ]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout))
        print(
            f"{case:14} {rows[-1]['median_s']:8.2f} s  {rows[-1]['median_processor_s']:8.2f} s of a core  "
            f"{rows[-1]['peak_mib']:6} MiB  {rows[-1]['processor_s']}",
            flush=True,
        )
    record(asked.out, cases=rows)


if __name__ == "__main__":
    main()
