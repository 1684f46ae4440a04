"""Cubes and training tiles made by the workers of a cluster: real processes on a real scheduler."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from banet.cli import main
from banet.errors import BanetError, InputError, UnreadableFileError
from banet.processes import in_processes

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def client():
    """Two processes, which a nanny starts again when they die."""
    from banet.cluster import connected

    with connected(workers=2) as made:
        yield made


def squared(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def test_results_come_in_order_from_several_processes(client):
    found = list(in_processes(squared, range(40), client=client))
    assert [(item, value) for item, (value, _) in found] == [(n, n * n) for n in range(40)]
    pids = {pid for _, (_, pid) in found}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_few_results_wait_to_be_taken(client):
    from banet.cluster import in_flight

    asked = []

    def items():
        for number in range(50):
            asked.append(number)
            yield number

    for taken, _ in enumerate(in_processes(squared, items(), client=client), 1):
        assert len(asked) - taken < in_flight(client)
    assert len(asked) == 50


class Mortal:
    """Kills its own process at one item, the first time that any sees it."""

    def __init__(self, log: Path, grave: Path):
        self.log, self.grave = log, grave

    def __call__(self, number: int) -> int:
        with self.log.open("a") as stream:
            stream.write(f"{number}\n")
        if number == 7 and not self.grave.exists():
            self.grave.touch()
            os._exit(9)
        return number * number


def test_a_killed_worker_costs_its_items_alone(client, tmp_path):
    mortal = Mortal(tmp_path / "log", tmp_path / "grave")
    found = list(in_processes(mortal, range(30), client=client))
    assert found == [(n, n * n) for n in range(30)]
    tries = (tmp_path / "log").read_text().split()
    assert tries.count("7") == 2
    assert len(tries) <= 34, "more than what the lost worker was at was done again"


def deadly(number: int) -> int:
    if number == 3:
        os._exit(9)
    return number


def test_an_item_that_ends_every_worker_is_named(client):
    with pytest.raises(BanetError, match="3 ends every worker that takes it"):
        list(in_processes(deadly, range(5), client=client))


def failing(number: int) -> int:
    if number == 2:
        raise UnreadableFileError(f"file {number} is damaged")
    return number


def test_an_error_is_that_of_a_serial_run(client):
    taken = []
    with pytest.raises(UnreadableFileError, match="^file 2 is damaged$"):
        taken.extend(item for item, _ in in_processes(failing, range(9), client=client))
    assert next(iter(in_processes(squared, [5], client=client)))[1][0] == 25


def test_what_workers_do_not_see_is_told_before_anything_is_done(client, tmp_path):
    with pytest.raises(InputError, match=r"does not see .*nowhere.*storage that all workers share"):
        list(in_processes(squared, [1], client=client, sees=(tmp_path / "nowhere",)))
    with pytest.raises(InputError, match="not both"):
        in_processes(squared, [1], workers=2, client=client)


def test_a_cluster_builds_the_cube_of_one_process(client, tmp_path):
    from banet.building import build_cube
    from banet.region import Region
    from writers_hdf4 import smooth_planes, write_overpass

    region, viirs = Region("T", (20.0, 38.0, 20.4, 38.3), 0.01), tmp_path / "viirs"
    viirs.mkdir()
    for day in range(20, 25):
        write_overpass(viirs, region, f"2020-07-{day}T12:00", smooth_planes(region, day, view_zenith=20.0))
    next(viirs.glob("*A2020204*M12*")).write_bytes(b"not a file of a satellite")
    told, cubes = {}, {}
    for name, which in (("one", None), ("many", client)):
        lines = told[name] = []
        cubes[name] = build_cube(
            region, viirs, None, tmp_path / f"{name}.zarr", client=which,
            progress=lambda *a, lines=lines: lines.append(a),
        )  # fmt: skip
    assert told["many"] == told["one"]
    assert len(told["one"]) == 5
    one, many = cubes["one"], cubes["many"]
    assert many.gaps == one.gaps
    assert len(one.gaps) == 1
    assert many.days.tolist() == one.days.tolist()
    for day in one.days:
        assert many.record(day) == one.record(day)
        ours, theirs = (cube.read(day, day + 1) for cube in (many, one))
        for name in ("red", "nir", "mir", "view_zenith"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_a_cluster_cuts_the_tiles_of_one_process(client, tmp_path):
    from banet.chips import write_cube_chips
    from banet.cube import Cube
    from banet.labels.reference import Reference
    from banet.observations.planes import DayPlanes
    from banet.region import Region

    region, first = Region("T", (20.0, 38.0, 20.4, 38.3), 0.01), np.datetime64("2020-07-01")
    cube = Cube.create(tmp_path / "T.zarr", region, sensor="VIIRS S-NPP", mir_band="M12")
    rng = np.random.default_rng(0)
    for number in range(16):
        planes = rng.uniform(0.05, 0.3, (4, *region.shape)).astype(np.float32)
        cube.write_day(first + number, DayPlanes(*planes, np.ones(region.shape, np.uint8)), planes[0])
    fraction = np.zeros(region.shape, np.float32)
    fraction[5:20, 10:30] = 1
    dates = np.where(fraction > 0, first + 6, np.datetime64("NaT"))
    known = np.ones(region.shape, bool)
    labels = Reference(
        region, fraction, dates.astype("datetime64[D]"), None, known, "drawn", first, first + 16
    )
    one, many = (
        write_cube_chips(tmp_path / name, cube, labels, days=8, size=16, step=12, day_step=4, client=which)
        for name, which in (("one", None), ("many", client))
    )
    assert many.entries == one.entries
    assert len(one) > 3
    for number in range(len(one)):
        ours, theirs = many.read(number), one.read(number)
        np.testing.assert_array_equal(ours.planes, theirs.planes)
        np.testing.assert_array_equal(ours.target, theirs.target)


@pytest.mark.parametrize(
    "words",
    [
        ["cube", "build", "PI", "--viirs", "v", "--hotspots", "h", "--out", "c.zarr"],
        ["tiles", "c.zarr", "--labels", "l", "--out", "t"],
    ],
    ids=["cube", "tiles"],
)
def test_commands_take_workers_or_a_scheduler(words, capsys):
    assert main([*words, "--workers", "2", "--scheduler", "tcp://h:1"]) == 2
    assert "give --workers or --scheduler, not both" in capsys.readouterr().err


def test_a_command_builds_on_a_scheduler_that_is_there(client, tmp_path, capsys):
    from banet.cube import open_cube
    from banet.region import Region
    from writers_hdf4 import smooth_planes, write_overpass

    region = Region("T", (20.0, 38.0, 20.4, 38.3), 0.01)
    (tmp_path / "viirs").mkdir()
    write_overpass(tmp_path / "viirs", region, "2020-07-20T12:00", smooth_planes(region, 1, view_zenith=20.0))
    (tmp_path / "fires.csv").write_text(
        "latitude,longitude,acq_date,acq_time,frp,type\n38.1,20.1,2020-07-20,1200,9,0\n"
    )
    words = ["cube", "build", str(region.save(tmp_path)), "--viirs", str(tmp_path / "viirs")]
    words += ["--hotspots", str(tmp_path / "fires.csv"), "--out", str(tmp_path / "T.zarr")]
    assert main([*words, "--scheduler", client.scheduler.address]) == 0
    assert len(open_cube(tmp_path / "T.zarr").days) == 1
    assert main([*words, "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "no dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
