"""Two runs that make one new cube at once lose nothing: one of them is refused, or adds to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from banet.cube import open_cube

NURSERY = """
import os, sys, time
import numpy as np
from banet.cube import Cube, open_cube
from banet.errors import BusyError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

region = Region("C", (0, 0, 0.1, 0.1), 0.01)
plane = np.full(region.shape, 0.2, np.float32)
day = DayPlanes(plane, plane, plane, plane, np.ones(region.shape, np.uint8))

def build(path, first, start):
    while time.time() < start:
        pass
    try:
        if os.path.exists(path):
            cube = Cube.open(path)
        else:
            cube = Cube.create(path, region, sensor="x", mir_band="M11")
        with cube.writing():
            for number in range(first, first + 3):
                cube.write_day(np.datetime64("2021-01-01") + number, day, None)
    except BusyError:
        return 1
    return 0

Cube.create(sys.argv[1] + "/warm.zarr", region, sensor="x", mir_band="M11")
build(sys.argv[1] + "/warm.zarr", 0, 0)
for trial in range(int(sys.argv[2])):
    path, start, children = f"{sys.argv[1]}/{trial}.zarr", time.time() + 0.02, []
    for first in (0, 10):
        child = os.fork()
        if child == 0:
            code = 9
            try:
                code = build(path, first, start + (trial % 5) * 0.004 * (first > 0))
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(*codes, flush=True)
"""


def test_two_builds_of_one_new_cube_lose_no_day(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NURSERY, str(tmp_path), "12"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 12
    refused = 0
    for trial, line in enumerate(lines):
        codes = [int(word) for word in line.split()]
        assert set(codes) <= {0, 1}, f"trial {trial}: {codes}"
        assert 0 in codes, "both were refused"
        refused += 1 in codes
        expected = {first + number for first, code in zip((0, 10), codes) if code == 0 for number in range(3)}
        found = open_cube(tmp_path / f"{trial}.zarr").days - np.datetime64("2021-01-01")
        # Who was refused may have been so after the cube was made, never after a day of it was written.
        assert set(found.astype(int).tolist()) == expected, f"trial {trial}: {codes}"
    assert refused, "the two never met"
