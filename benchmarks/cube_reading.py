"""Reading of a cube, this version against another: seconds and processor time of the same blocks.

    git worktree add DIR/before COMMIT
    python benchmarks/cube_reading.py --before DIR/before/src [--rounds 9] [--out FILE.json]

Both versions write the same planes into a cube of their own and read the same blocks of it, in turn, each in
a process of its own: a tile of the map (64 days, 128 x 128 cells, four variables, across chunks), a tile of
256 x 256 cells, and one day of the whole region with all variables. The ratio is new over old, of the medians
of all rounds. Processor time tells more where other work runs on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from about import record

SIDE = """
import json, sys, time
import numpy as np
from banet.cube import Cube
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

rows, cols, days, first = 512, 640, 64, np.datetime64("2020-07-15")
region = Region("T", (0, 0, cols / 100, rows / 100), 0.01)
cube = Cube.create(sys.argv[1], region, sensor="x", mir_band="M12")
rng = np.random.default_rng(0)
for number in range(days):
    red, nir, mir = rng.normal([[[0.1]], [[0.3]], [[0.15]]], 0.02, (3, rows, cols)).astype(np.float32)
    lost = rng.random((rows, cols)) < 0.3
    for plane in (red, nir, mir):
        plane[lost] = np.nan
    frp = np.where(rng.random((rows, cols)) < 1e-3, 20, 0).astype(np.float32)
    zenith = np.broadcast_to(np.linspace(0, 60, cols, dtype=np.float32), (rows, cols))
    count = np.where(lost, 0, 1).astype(np.uint8)
    cube.write_day(first + number, DayPlanes(red, nir, mir, zenith, count), frp)

four = ("red", "nir", "mir", "frp")
blocks = {
    "tile 128": (first, first + days, slice(70, 198), slice(90, 218), four),
    "tile 256": (first, first + days, slice(70, 326), slice(90, 346), four),
    "day": (first + 9, first + 10, slice(None), slice(None), None),
}
repeats = {"tile 128": 6, "tile 256": 3, "day": 20}
print("ready", flush=True)
for line in sys.stdin:
    found = {}
    for name, (start, stop, down, across, variables) in blocks.items():
        took = []
        for _ in range(repeats[name]):
            wall, cpu = time.perf_counter(), time.process_time()
            window = cube.read(start, stop, down, across, variables=variables)
            took.append((time.perf_counter() - wall, time.process_time() - cpu))
        found[name] = took
    found["sum"] = float(np.nansum(window.red))
    print(json.dumps(found), flush=True)
"""


class Side:
    def __init__(self, source: Path, folder: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", SIDE, str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> dict[str, list[list[float]]]:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="folder src of the other version")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sources = {"before": arguments.before, "now": Path(__file__).resolve().parents[1] / "src"}
        sides = {name: Side(source, Path(folder) / f"{name}.zarr") for name, source in sources.items()}
        rounds = [{name: side.go() for name, side in sides.items()} for _ in range(arguments.rounds + 1)][1:]
        for side in sides.values():
            side.process.communicate()
    assert len({each[name]["sum"] for each in rounds for name in sides}) == 1, "the two read other values"
    result = {block: compared(rounds, block) for block in rounds[0]["now"] if block != "sum"}
    for block, row in result.items():
        print(f"{block:<10}" + "  ".join(f"{name} {value:g}" for name, value in row.items()))
    record(arguments.out, rounds=arguments.rounds, blocks=result)


def compared(rounds: list, block: str) -> dict[str, float]:
    row = {}
    for place, kind in enumerate(("wall", "processor")):
        before, now = (
            statistics.median(took[place] for each in rounds for took in each[name][block])
            for name in ("before", "now")
        )
        row |= {
            f"{kind} before, ms": round(1e3 * before, 2),
            f"{kind} now, ms": round(1e3 * now, 2),
            f"{kind} ratio": round(now / before, 3),
        }
    return row


if __name__ == "__main__":
    main()
