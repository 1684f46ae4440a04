"""Mornings measured: seconds and memory by step of a region, and a table of ten mornings of a season.

    python benchmarks/mornings.py seconds [--shape 400 800] [--no-granules] [--out FILE] [--keep DIR]
    python benchmarks/mornings.py table [--size 128] [--out FILE] [--keep DIR]

`seconds` makes a cube of the 63 days before and, unless told not to, the VIIRS granules and hot spots of two
satellites for two days more; then it runs the mornings of these two days, each in a process of its own. The
first finds no earlier morning, the second goes on from the first, as every later one does.

`table` replays the last ten mornings of a simulated season.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from about import peak_mib, record
from large_region import BLOCK, block_day

from banet.operations.steps import Silent

FIRES = 60
FIRST, DAYS = np.datetime64("2020-07-15"), 65


def region_of(shape: tuple[int, int]):
    from banet.grid.region import Region

    rows, cols = shape
    return Region("BIG", (-8, 37, round(-8 + cols / 100, 2), round(37 + rows / 100, 2)), 0.01)


def make(folder: Path, shape: tuple[int, int], granules: bool) -> None:
    """Write the cube of all days, or of those before the granules, and the granules."""
    from banet.cube import Cube
    from banet.observations import source
    from banet.observations.planes import DayPlanes
    from banet.simulation import simulate, write_scene

    region = region_of(shape)
    region.save(folder)
    rows, cols = shape
    cube = Cube.create(folder / "BIG.zarr", region, sensor=source("viirs750-swath").sensor, mir_band="M12")
    rng = np.random.default_rng(0)
    repeats = (-(-rows // BLOCK), -(-cols // BLOCK))
    for number in range(DAYS - 2 if granules else DAYS):
        red, nir, mir, frp = (np.tile(p, repeats)[:rows, :cols] for p in block_day(number, rng))
        seen = np.isfinite(red)
        zenith = np.where(seen, np.float32(20), np.float32(np.nan))
        planes = DayPlanes(red, nir, mir, zenith, seen.astype(np.uint8), inputs=("made",))
        cube.write_day(FIRST + number, planes, frp)
    if granules:
        scene = simulate(region, FIRST + DAYS - 2, 2, 3, satellites=("N", "N20"))
        write_scene(scene, folder / "made", formats=("swath750", "hotspots"))
        (folder / "made" / "swath").rename(folder / "viirs")
        (folder / "made" / "hotspots").rename(folder / "hotspots")


class Peaks(Silent):
    """Reporter that keeps the peak memory of each step in MiB; Linux alone tells that of a part of a run."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    def say(self, text: str) -> None:
        """Take the line that ends a step."""
        status = Path("/proc/self/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        found = re.fullmatch(r" *[\d.]+ s  (.+)", text)
        name = found[1] if found else "others"
        self.peaks[name] = max(peak, self.peaks.get(name, 0))


def morning(folder: Path, day: str, processor: bool) -> dict[str, object]:
    """Run one morning in this process, and return what it took."""
    from banet.operations import steps
    from banet.operations.nrt import run_morning
    from banet.operations.options import MorningOptions

    if processor:
        steps.time = SimpleNamespace(perf_counter=time.process_time)
    before = peak_mib()
    fields = {"region": str(folder / "R_BIG.json"), "data": folder, "out": folder / "out", "day": day}
    begin = time.perf_counter()
    told = Peaks()
    done = run_morning(MorningOptions.parse({**fields, "download": False}, "the benchmark"), told)
    seconds, used = time.perf_counter() - begin, time.process_time()
    status = done.status
    return {
        "day": day,
        "seconds": round(seconds, 1),
        "processor_s": round(used, 1),
        "steps": status["seconds"],
        "peak_mib": max(told.peaks.values()),
        "peak_mib_of_steps": told.peaks,
        "before_mib": before,
        "hectares": status["hectares"],
        "fires": status["fires"],
    }


def child(*words: str) -> str:
    me = [sys.executable, __file__, *words]
    return subprocess.run(me, check=True, stdout=subprocess.PIPE, text=True).stdout


def seconds(
    shape: tuple[int, int], granules: bool, processor: bool, keep: Path | None, out: Path | None
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        if not (folder / "R_BIG.json").exists():
            rows, cols = map(str, shape)
            child("make", str(folder), "--shape", rows, cols, *([] if granules else ["--no-granules"]))
        shutil.rmtree(folder / "out", ignore_errors=True)
        for file in (folder / "viirs").glob("*"):
            file.touch()  # as if it had come this morning, so that its day is built again
        flag = ["--processor"] if processor else []
        days = [str(FIRST + DAYS - number) for number in (2, 1)]
        texts = [child("one", str(folder), "--day", day, *flag) for day in days]
        found = [json.loads(text.splitlines()[-1]) for text in texts]
    print("| morning | seconds | processor | peak memory | steps |\n|---|---|---|---|---|")
    for one in found:
        peaks = one["peak_mib_of_steps"]
        steps = ", ".join(f"{name} {value:.1f} s {peaks[name]} MiB" for name, value in one["steps"].items())
        print(f"| {one['day']} | {one['seconds']} | {one['processor_s']} | {one['peak_mib']} MiB | {steps} |")
    record(out, shape=list(shape), granules=granules, processor_seconds=processor, mornings=found)


def table(size: int, keep: Path | None, out: Path | None) -> None:
    from provisional import cube_of

    from banet.operations.nrt import replay
    from banet.operations.options import MorningOptions
    from banet.simulation import simulate
    from banet.simulation.climates import climate_named

    climate = dataclasses.replace(climate_named("mediterranean"), fires=FIRES)
    scene = simulate(start="2020-05-15", days=80, seed=11, climate=climate, size=size)
    rows = []
    print("| morning | hectares | fires | new | grown | ended | cells added | withdrawn | re-dated |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        cube_of(scene, folder).path.rename(folder / f"{scene.region.name}.zarr")
        region = scene.region.save(folder)
        options = MorningOptions.parse(
            {"region": str(region), "data": folder, "out": folder / "out", "download": False}, "the benchmark"
        )
        for done in replay(options, scene.days[-10], scene.days[-1]):
            found = done.status
            changes = found["revisions"] or {}
            counts = [sum(changes.get(kind, {}).values()) for kind in ("added", "withdrawn", "re-dated")]
            names = {kind: found[kind] for kind in ("new", "grown", "ended", "withdrawn", "merged")}
            rows.append({"day": found["day"], "hectares": found["hectares"], "fires": found["fires"]})
            rows[-1] |= {**names, "revisions": changes}
            news = [len(names[kind]) for kind in ("new", "grown", "ended")]
            told = [found["hectares"], found["fires"], *news]
            cells = counts if found["revisions"] is not None else ["-"] * 3
            print("| " + " | ".join(map(str, [found["day"], *told, *cells])) + " |")
    record(out, size=size, season=f"mediterranean with {FIRES} fires, seed 11", mornings=rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("seconds", "table", "make", "one"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--shape", type=int, nargs=2, default=(400, 800))
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--no-granules", action="store_true")
    parser.add_argument("--processor", action="store_true", help="processor seconds of steps")
    parser.add_argument("--day")
    parser.add_argument("--keep", type=Path, help="folder in which the data stay for another run")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    shape = (asked.shape[0], asked.shape[1])
    if asked.what == "make":
        make(asked.folder, shape, not asked.no_granules)
    elif asked.what == "one":
        print(json.dumps(morning(asked.folder, asked.day, asked.processor)))
    elif asked.what == "seconds":
        seconds(shape, not asked.no_granules, asked.processor, asked.keep, asked.out)
    else:
        table(asked.size, asked.keep, asked.out)


if __name__ == "__main__":
    main()
