"""Time and memory of one full VIIRS granule onto a region's grid, and how true the grid is.

    OMP_NUM_THREADS=1 python benchmarks/granule_to_grid.py [--resolution 750] [--repeat 3] [--out FILE.json]
    OMP_NUM_THREADS=1 python benchmarks/granule_to_grid.py --accuracy

The granule has 202 scans (3232 x 3200 pixels of 750 m), four bands and four planes of geolocation,
deflated; the region is PI (800 x 1500 cells of 0.01 degree) in its middle. The floor is what no reader can
go below: inflating the bytes that are needed, and spreading the pixels once. `--accuracy` puts known
patterns through the same geometry: position (rms and bias, in cells), area of a disc (ratio) and its place
(shift, in cells), by elliptical weighted averaging as banet does it and by taking the nearest pixel.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from about import peak_mib

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from banet.grid.region import Region
from banet.observations.l1b import find_granules
from banet.observations.resample import margin_degrees, place, resample
from banet.observations.swath import viirs375, viirs750
from writers_l1b import BANDS, viirs_geometry, write_granule

CENTRE = (40.0, -2.5)
SOURCES = {750: viirs750, 375: viirs375}


def make_granule(folder: Path, resolution: int) -> None:
    """Write a full granule with texture and noise, so that it deflates about as real ones do."""
    geometry = viirs_geometry(CENTRE, "2021-08-05T12:40", resolution=resolution)
    rng = np.random.default_rng(0)
    texture = 0.2 + 0.05 * np.sin(geometry.longitude * 40) * np.cos(geometry.latitude * 40)
    texture += rng.normal(0, 0.01, geometry.shape)
    red, nir, mir, tir = BANDS[geometry.factor]
    write_granule(
        folder,
        geometry,
        {red: texture, nir: texture + 0.1, mir: texture * 3, tir: texture * 40},
        compression=4,
    )


def seconds(function, *arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def measure(folder: Path, resolution: int, repeat: int) -> dict[str, float]:
    """In a process of its own: import, whole reader, stages."""
    source = SOURCES[resolution]
    kind = source.kind
    _, _, cpu = seconds(__import__, "pyresample.ewa.ewa")
    found = {"import pyresample (once)": cpu}
    region = Region.load("PI") if resolution == 750 else Region("PI", (-6.25, 38, 1.25, 42), 0.005)
    day = source.days(folder)[0]
    runs = [seconds(source.read_day, folder, day, region) for _ in range(repeat)]
    planes = runs[0][0]
    found["reader, CPU s"] = min(run[2] for run in runs)
    found["reader, wall s"] = min(run[1] for run in runs)
    found["peak memory, MiB"] = peak_mib()
    found["cells seen"] = float(np.isfinite(planes.red).mean())
    (granule,) = find_granules(folder.iterdir(), kind)
    margin = margin_degrees(kind.pixel_km)
    where, _, found["floor: geolocation"] = seconds(
        granule.geolocation, region.south - margin, region.north + margin
    )
    placement, _, found["placing"] = seconds(
        lambda: place(
            where.longitude, where.latitude, region, rows_per_scan=kind.rows_per_scan, pixel_km=kind.pixel_km
        )
    )
    lines = slice(where.first + placement.lines.start, where.first + placement.lines.stop)
    pixels, _, found["bands, sun and MIR"] = seconds(granule.pixels, where.shape, (lines, placement.pixels))
    bands = [pixels.red, pixels.nir, pixels.mir, pixels.view_zenith]
    _, _, found["floor: averaging"] = seconds(resample, placement, bands, pixels.deleted)
    found["pixels taken, million"] = pixels.red.size / 1e6
    return found


def accuracy() -> str:
    """Table of both ways of resampling at four places of the swath."""
    from test_swath_resample import PLACES, box, cell_means, disc, nearest, onto, view

    lines = [
        "| place | view zenith | way | position rms | bias | area ratio | shift |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in PLACES:
        granule = view(name)
        region = box(granule)
        zenith = granule.sensor_zenith[granule.shape[0] // 2, granule.shape[1] // 2]
        for way, sample in (("weighted", onto), ("nearest", nearest)):
            lon, lat = sample(granule, region, granule.longitude, granule.latitude)
            off = (
                np.stack([lon - region.longitudes[None], lat - region.latitudes[:, None]]) / region.pixel_size
            )
            ratios, shifts = [], []
            rng = np.random.default_rng(7)
            for _ in range(8):
                centre = rng.uniform(17, 33) * 0.01 + region.west, rng.uniform(17, 23) * 0.01 + region.south
                scene = disc(*centre, 0.06)
                truth = cell_means(scene, region)
                (seen,) = sample(granule, region, granule.mean_of(scene, 4))
                ratios.append(seen.sum() / truth.sum())
                moments = [
                    plane.sum(axis) / plane.sum() @ np.eye(plane.shape[1 - axis])
                    for axis in (0, 1)
                    for plane in (seen, truth)
                ]
                shifts.append([(moments[i] - moments[i + 1]) @ np.arange(moments[i].size) for i in (0, 2)])
            rms, bias = off.std(axis=(1, 2)).max(), np.abs(off.mean(axis=(1, 2))).max()
            ratio = f"{np.mean(ratios):.4f} ± {np.std(ratios):.4f}"
            shift = np.hypot(*np.mean(shifts, 0))
            lines.append(
                f"| {name} | {zenith:.0f} | {way} | {rms:.3f} | {bias:.4f} | {ratio} | {shift:.3f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, choices=[750, 375], default=750)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--accuracy", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.accuracy:
        print(accuracy())
        return
    if options.measure:
        print(json.dumps(measure(options.measure, options.resolution, options.repeat)))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_granule(Path(folder), options.resolution)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
        command = [sys.executable, __file__, "--measure", folder, "--resolution", str(options.resolution)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        answer = subprocess.run(
            [*command, "--repeat", str(options.repeat)],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
    found = {"files, MiB": size} | json.loads(answer.stdout)
    for name, value in found.items():
        print(f"{name:28} {value:8.2f}")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
