"""A process killed at any moment leaves every listed day whole; the next goes on; two never write at once.

A nursery process imports banet once and forks writers, so that many can be killed in a few seconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from banet.cube import Cube, open_cube
from banet.cube.layout import NO_DAY
from banet.errors import BusyError
from banet.grid.region import Region
from banet.io.lock import lock_file
from banet.observations.planes import DayPlanes

REGION = Region("K", (-8, 39, -6, 40.5), 0.01)  # 150 x 200: four chunks a plane
DAY = np.datetime64("2020-07-14")
WRITER = """
import numpy as np
from banet.cube import open_cube
from banet.observations.planes import DayPlanes

def planes(shape, day, version):
    values = np.full(shape, (day % 90) / 100 + version / 1000, np.float32)
    return DayPlanes(values, values, values, values, np.ones(shape, np.uint8), inputs=(f"{day}.{version}",))

def write(path, first, last, version):
    cube = open_cube(path)
    for day in range(first, last):
        frp = np.full(cube.region.shape, day + version / 10, np.float32)
        cube.write_day(np.datetime64("2020-07-14") + day, planes(cube.region.shape, day, version), frp)
"""
NURSERY = '''
import json, os, pathlib, signal, sys, time, traceback

def die_at(step):
    """Kill the process at its step-th rename."""
    count = 0
    def dying(real):
        def rename(*args, **kwargs):
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return rename
    os.replace, os.rename, os.link = dying(os.replace), dying(os.rename), dying(os.link)
    pathlib.Path.replace, pathlib.Path.rename = dying(pathlib.Path.replace), dying(pathlib.Path.rename)

# Imports happen late; a child of a process that has written once has them all.
write(sys.argv[1], 0, 1, 1)
for line in sys.stdin:
    order = json.loads(line)
    if "seconds" in order:
        at_work, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if "step" in order:
                die_at(order["step"])
            if "seconds" in order:
                os.write(tell, b"x")
            write(order["path"], order["first"], order["last"], order["version"])
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if "seconds" in order:
        os.close(tell)
        os.read(at_work, 1)  # the time counts from when the child is at work
        time.sleep(order["seconds"])
        os.kill(child, signal.SIGKILL)
        os.close(at_work)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
'''


HERE: dict[str, Callable[..., None]] = {}
exec(WRITER, HERE)  # the same writer, in this process


class Nursery:
    def __init__(self, warm: Path) -> None:
        command = [sys.executable, "-c", WRITER + NURSERY, str(warm)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(self, **order: object) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(new_cube(tmp_path_factory.mktemp("nursery") / "warm.zarr"))
    yield nursery
    nursery.close()


def versions(path: Path) -> dict[int, int]:
    """The version of each listed day, after making sure that all its variables are whole and of one."""
    cube, found = open_cube(path), {}
    for day in (cube.days - DAY).astype(int).tolist():
        window = cube.read(DAY + day, DAY + day + 1)
        record = cube.record(DAY + day)
        assert record is not None
        version = int(record.inputs[0].split(".")[1])
        expected = np.float32((day % 90) / 100 + version / 1000)
        for name in ("red", "nir", "mir"):
            np.testing.assert_allclose(getattr(window, name), expected, atol=1e-6)
        np.testing.assert_allclose(window.view_zenith, expected, atol=5.1e-3)
        np.testing.assert_array_equal(window.frp, np.float32(day + version / 10))
        assert (window.count == 1).all()
        found[day] = version
    # Any other reader goes by the root's metadata: there the lengths agree, and the same days are listed.
    root = zarr.open_group(path, mode="r", use_consolidated=True)
    listed = np.asarray(root["time"][:])  # type: ignore[index]
    assert {array.shape[0] for name, array in root.arrays() if array.ndim == 3} == {len(listed)}
    assert set(listed[listed != NO_DAY] - DAY.astype(int)) == set(found)
    return found


def new_cube(path: Path) -> Path:
    return Cube.create(path, REGION, sensor="x", mir_band="M12").path


@pytest.mark.parametrize("replacing", [False, True], ids=["new day", "day written again"])
def test_it_may_be_killed_at_every_single_rename(tmp_path: Path, nursery: Nursery, replacing: bool) -> None:
    template = new_cube(tmp_path / "template.zarr")
    assert nursery.order(path=str(template), first=0, last=2, version=1) == 0
    first, last = (0, 1) if replacing else (2, 3)
    seen = []
    for step in range(1, 100):
        path = tmp_path / f"{step}.zarr"
        shutil.copytree(template, path)
        code = nursery.order(path=str(path), first=first, last=last, version=2, step=step)
        found = versions(path)
        seen.append(found)
        assert found.pop(1) == 1
        assert found in ([{0: 1}, {0: 2}] if replacing else [{0: 1}, {0: 1, 2: 2}])
        HERE["write"](path, first, last, 2)  # who comes next finishes the work
        assert versions(path) == ({0: 2, 1: 1} if replacing else {0: 1, 1: 1, 2: 2})
        shutil.rmtree(path)
        if code == 0:
            break
        assert code == -9
    assert code == 0, "the write never came to its end"
    assert 14 < step < 40, "renames were not counted"
    assert seen[0] == {0: 1}, "nothing is listed before the end"


def test_it_may_be_killed_at_any_moment(tmp_path: Path, nursery: Nursery) -> None:
    path = new_cube(tmp_path / "t.zarr")
    rng = np.random.default_rng(0)
    known: dict[int, int] = {}
    killed = 0
    for trial in range(12):
        version = 1 + trial // 4
        code = nursery.order(
            path=str(path), first=0, last=60, version=version, seconds=float(rng.uniform(0.02, 0.4))
        )
        killed += code == -9
        found = versions(path)
        assert known.keys() <= found.keys(), "a day that was there is lost"
        assert all(found[day] >= known[day] for day in known), "a day went back to an older version"
        known = found
    assert killed >= 3
    assert known, "no writer got anywhere"
    last = max(known) + 2
    HERE["write"](path, 0, last, 9)
    assert versions(path).items() >= dict.fromkeys(range(last), 9).items()
    assert not list(path.glob("**/*.part*")), "half-written files of killed writers are left"


def write_one(cube: Cube, seed: int) -> None:
    values = np.full(REGION.shape, seed / 100, np.float32)
    cube.write_day(
        DAY + seed, DayPlanes(values, values, values, values, np.ones(REGION.shape, np.uint8)), None
    )


def test_two_never_write_at_once(tmp_path: Path) -> None:
    first = open_cube(new_cube(tmp_path / "t.zarr"))
    second = open_cube(first.path)
    with first.writing():
        write_one(first, 1)  # who holds the right may write
        with first.writing():
            write_one(first, 2)
        with pytest.raises(BusyError, match=r"another run is at work on .*\(process \d+ on .*\); wait for"):
            write_one(second, 3)
        with pytest.raises(BusyError, match="is at work"), second.writing():
            pytest.fail("two had the right to write")
        assert len(second.read(DAY, DAY + 3).days) == 3  # reading needs no right
    write_one(second, 3)
    assert len(first.days) == 3


def test_a_lock_ends_with_its_process(tmp_path: Path, nursery: Nursery) -> None:
    path = new_cube(tmp_path / "t.zarr")
    assert nursery.order(path=str(path), first=0, last=2, version=1, step=3) == -9
    assert lock_file(path).exists()
    write_one(open_cube(path), 1)


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cube = open_cube(new_cube(tmp_path / "t.zarr"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: write_one(cube, seed), range(8)))
    assert cube.days.tolist() == [(DAY + seed).item() for seed in range(8)]
    for seed in range(8):
        np.testing.assert_allclose(cube.read(DAY + seed, DAY + seed + 1).red, seed / 100, atol=1e-6)
