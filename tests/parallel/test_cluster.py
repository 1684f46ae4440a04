"""Work on the processes of a dask cluster: cubes and tiles the same bit for bit, whatever dies on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from banet import observations
from banet.chips import Chips, write_cube_chips
from banet.cli import main
from banet.cube import Cube, open_cube
from banet.errors import BanetError, InputError, UnreadableFileError
from banet.evaluation.benchmark.stage import write_cube
from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.labels import read_mcd64a1
from banet.observations import register
from banet.parallel import cluster, connected, spread
from banet.simulation import simulate, write_scene
from cluster_functions import Deadly, Mortal, Refusing, Squares, Uneven, noted
from writers_hdf4 import smooth_planes, write_overpass

REGION = Region("T", (-8, 39, -7.8, 39.15), 0.01)
DAY = np.datetime64("2020-07-14")
CUT = {"days": 16, "size": 16, "step": 8, "day_step": 6, "min_burned_cells": 1}

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # One of the days has a broken file, of which a build warns.
    pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning"),
]


@pytest.fixture(scope="module")
def client():
    """Two processes, which a nanny starts again when they die."""
    with connected(workers=2) as made:
        yield made


@pytest.fixture
def scheduler_words(client, tmp_path):
    """Options with which a command reaches the cluster: its address and certificates."""
    client.wait_for_workers(2)
    security = client.cluster.security
    words = ["--scheduler", client.scheduler.address]
    for name, text in (
        ("ca", security.tls_ca_file),
        ("cert", security.tls_client_cert),
        ("key", security.tls_client_key),
    ):
        (tmp_path / f"{name}.pem").write_text(text)
        words += [f"--tls-{name}", str(tmp_path / f"{name}.pem")]
    return words


def contents(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold, by their names in it; who held a lock does not count."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def killing(client, at: int, told: list):
    """Report progress, and kill a worker once so many parts are done."""

    def report(*line):
        told.append(line)
        if line[0] == at:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    return report


# Any function and any items.


def test_results_come_in_order_and_few_are_in_flight(client, tmp_path):
    for taken, (item, result) in enumerate(spread(Squares(tmp_path), range(40), scheduler=client), 1):
        assert (item, result) == (taken - 1, item**2)
        assert len(noted(tmp_path / "begun")) <= taken + 4, "more than two items a thread are in flight"
    assert sorted(map(int, noted(tmp_path / "begun"))) == list(range(40)), "an item was done twice or never"
    received = noted(tmp_path / "received")
    assert len(set(received)) == len(received) == 2, "the function did not go once to each worker"
    assert not any(client.run(lambda dask_worker: [n for n in dask_worker.plugins if "banet" in n]).values())


def test_a_worker_that_dies_costs_its_item_alone_and_who_comes_for_it_joins_in(client, tmp_path):
    got = list(spread(Mortal(tmp_path, holders=3), range(30), scheduler=client))
    assert got == [(n, n**2) for n in range(30)]
    assert (tmp_path / "grave").exists(), "no worker died"
    begun = [int(number) for number in noted(tmp_path / "begun")]
    assert set(begun) == set(range(30))
    # What it had finished and nobody had taken yet is done again with it: never more than is in flight.
    assert begun.count(5) == 2
    assert len(begun) <= 30 + 4
    assert len(set(noted(tmp_path / "received"))) == 3, (
        "the function did not come to a worker that joined later"
    )


@pytest.mark.slow
def test_an_item_that_kills_whoever_takes_it_ends_the_work(client, tmp_path):
    with pytest.raises(BanetError, match="worker after worker died at 7, perhaps for want of memory"):
        list(spread(Deadly(tmp_path), [7], scheduler=client))


def test_an_error_is_the_one_of_a_run_in_one_process(client, tmp_path):
    for name, where in (("here", {}), ("there", {"scheduler": client})):
        (tmp_path / name).mkdir()
        done = []
        with pytest.raises(UnreadableFileError) as error:
            done.extend(spread(Uneven(tmp_path / name), range(30), **where))
        assert str(error.value) == "the file 13 is damaged"
        begun = noted(tmp_path / name / "begun")
        assert len(begun) <= 13 + 4, "the rest went on"
        assert begun.count("13") == 1


def test_who_stops_taking_results_ends_the_work(client, tmp_path):
    work = spread(Squares(tmp_path), range(100), scheduler=client)
    assert next(work) == (0, 0)
    work.close()
    assert len(noted(tmp_path / "begun")) <= 4
    assert list(spread(Squares(tmp_path), [], scheduler=client)) == []


def test_workers_that_do_not_see_the_files_say_so_first(client, tmp_path):
    with pytest.raises(
        InputError, match=r"does not see .*absent: what is read .* storage that all workers share"
    ):
        next(spread(Squares(tmp_path), range(3), scheduler=client, needs=[tmp_path, tmp_path / "absent"]))
    assert not noted(tmp_path / "begun")


def test_the_loss_of_the_scheduler_is_told(tmp_path):
    with (
        pytest.raises(BanetError, match="the dask scheduler was lost; start again"),
        connected(workers=1) as own,
    ):
        for item, _ in spread(Squares(tmp_path), range(1000), scheduler=own):
            if item == 3:
                own.cluster.close()


def test_a_cluster_is_as_good_as_its_address():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as made,
        connected(made) as client,
    ):
        assert client.submit(abs, -3).result() == 3
    with pytest.raises(InputError, match="a scheduler is the address, client or cluster of dask, not 3"):
        connected(3).__enter__()


def test_one_way_to_spread_the_work_at_a_time(client):
    with pytest.raises(InputError, match="workers or a scheduler, not both"):
        spread(abs, [1], workers=2, scheduler=client)
    with (
        pytest.raises(InputError, match="workers or a scheduler, not both"),
        connected("tcp://localhost:1", 2),
    ):
        pass
    with pytest.raises(InputError, match="at least one"), connected(workers=0):
        pass
    with connected() as none, connected(client) as same:
        assert none is None
        assert same is client
    assert client.status == "running", "a client that was lent was closed"


def test_results_may_come_as_they_are_finished(client, tmp_path):
    got = list(spread(Uneven(tmp_path), range(13), scheduler=client, ordered=False))
    assert sorted(got) == [(n, n**2) for n in range(13)]
    begun = noted(tmp_path / "begun")
    assert sorted(map(int, begun)) == list(range(13))
    with pytest.raises(UnreadableFileError, match="is damaged"):
        list(spread(Uneven(tmp_path), range(12, 30), scheduler=client, ordered=False))
    assert len(noted(tmp_path / "begun")) <= 13 + 6, "the rest went on"


@pytest.mark.parametrize("ordered", [True, False])
def test_errors_are_results_where_the_work_goes_on_in_spite_of_them(client, tmp_path, ordered):
    told = []
    for name, where in (("here", {}), ("there", {"scheduler": client})):
        (tmp_path / name).mkdir()
        got = dict(spread(Uneven(tmp_path / name), range(10, 16), keep_going=True, ordered=ordered, **where))
        assert [got[n] for n in (10, 11, 12)] == [100, 121, 144]
        told.append([(type(got[n]), str(got[n])) for n in (13, 14, 15)])
    assert told[0] == told[1] == [(UnreadableFileError, f"the file {n} is damaged") for n in (13, 14, 15)]
    again = list(spread(Uneven(tmp_path), [13], keep_going=True, retries=2, scheduler=client))
    assert str(again[0][1]) == "the file 13 is damaged"
    assert noted(tmp_path / "begun") == ["13"] * 3


# Cubes.


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    """Eight days, one of them with a broken file, one without; and a fire."""
    folder = tmp_path_factory.mktemp("season")
    for offset in range(8):
        if offset != 3:
            write_overpass(folder / "viirs", REGION, f"{DAY + offset}T12:36", smooth_planes(REGION, offset))
    next((folder / "viirs").glob("*A2020197*M12*")).write_bytes(b"not a file of a satellite")
    fire = "39.055,-7.905,{},1236,N,VIIRS,n,2,10,D,0\n"
    head = "latitude,longitude,acq_date,acq_time,satellite,instrument,confidence,version,frp,daynight,type\n"
    (folder / "fires.csv").write_text(head + "".join(fire.format(DAY + offset) for offset in (0, 1, 3, 6)))
    REGION.save(folder)
    return folder


def build(season, out, told=None, **options):
    report = options.pop("progress", lambda *line: told is not None and told.append(line))
    days = {"start": DAY, "end": DAY + 9}
    return build_cube(REGION, season / "viirs", season / "fires.csv", out, progress=report, **days, **options)


def test_a_cluster_builds_the_cube_of_one_process_though_a_worker_dies(client, season, tmp_path):
    here, there = [], []
    one = build(season, tmp_path / "one.zarr", here)
    two = build(season, tmp_path / "two.zarr", scheduler=client, progress=killing(client, 2, there))
    assert there == here
    assert len(here) == 10
    assert one.gaps.keys() == {DAY + 1, DAY + 3, DAY + 8, DAY + 9}
    assert contents(two.path) == contents(one.path)
    again = []
    build(season, tmp_path / "two.zarr", again, scheduler=client)
    assert {message.split(": ", 1)[1] for _, _, message in again} == {"unchanged"}


def test_any_error_of_a_day_is_its_gap_alike(client, season, tmp_path, monkeypatch):
    monkeypatch.setattr(observations, "_SOURCES", dict(observations._SOURCES))  # forgotten in the end
    register(Refusing())
    for name, where in (("here", {}), ("there", {"scheduler": client})):
        cube = build(season, tmp_path / name, source="refusing", **where)
        (reason,) = cube.gaps[DAY + 2]
        assert reason.startswith("ValueError: nobody knows what NPP_VMAES_L1.A2020198")
        assert DAY + 4 in cube.days
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    with open_cube(tmp_path / "there").writing():  # the right to write was given back
        pass


def test_the_commands_take_the_address_of_a_scheduler(
    scheduler_words, season, labelled, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)  # workers are elsewhere: names that are relative here mean nothing to them
    (tmp_path / "season").symlink_to(season)
    words = ["cube", "build", "season/R_T.json", "--viirs", "season/viirs", "--hotspots", "season/fires.csv"]
    assert main([*words, "--out", "one.zarr"]) == 0
    assert main([*words, "--out", "two.zarr", *scheduler_words]) == 0
    assert contents(tmp_path / "two.zarr") == contents(tmp_path / "one.zarr")
    cube, labels = labelled
    (tmp_path / "cube.zarr").symlink_to(cube.path)
    words = ["tiles", "cube.zarr", "--labels", str(labels), "--size", "16", "--step", "12", "--days", "16"]
    assert main([*words, "--out", "one"]) == 0
    assert main([*words, "--out", "two", *scheduler_words]) == 0
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert "tiles of 16 days x 16 x 16 cells" in capsys.readouterr().out


def test_what_the_commands_cannot_do_is_one_line(season, labelled, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "_PATIENCE", 0.2)
    build_words = ["cube", "build", str(season / "R_T.json"), "--viirs", str(season / "viirs")]
    build_words += ["--hotspots", str(season / "fires.csv"), "--out", str(tmp_path / "out")]
    cube, labels = labelled
    tiles_words = ["tiles", str(cube.path), "--labels", str(labels), "--out", str(tmp_path / "out")]
    for words in (build_words, tiles_words):
        assert main([*words, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"]) == 2
        assert capsys.readouterr().err == "error: give --workers or --scheduler, not both\n"
        assert main([*words, "--scheduler", "tcp://127.0.0.1:1"]) == 2
        told = capsys.readouterr().err
        assert told.startswith("error: no dask scheduler answers at tcp://127.0.0.1:1: ")
        assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


# Training tiles.


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Forty days in a cube, and a folder of label tiles."""
    folder = tmp_path_factory.mktemp("labelled")
    region = Region("TINY", (-8, 40, -7.68, 40.32), 0.01)
    scene = simulate(region, "2019-08-01", 40, seed=4, climate="mozambique")
    cube = write_cube(scene, folder / "TINY.zarr")
    write_scene(scene, folder / "MCD64A1", formats=("labels",))
    return cube, folder / "MCD64A1"


def test_a_cluster_cuts_the_tiles_of_one_process_though_a_worker_dies(client, labelled, tmp_path):
    cube, labels = labelled
    reference = read_mcd64a1([labels], cube.region, cube.days[0], cube.days[-1])
    here, there = [], []
    one = write_cube_chips(tmp_path / "one", cube, reference, progress=lambda *a: here.append(a), **CUT)
    two = write_cube_chips(
        tmp_path / "two", cube, reference, scheduler=client, progress=killing(client, 2, there), **CUT
    )
    assert there == here
    assert len(here) == len(one) >= 8
    assert two.entries == one.entries
    for number in range(len(one)):
        ours, theirs = one.read(number), two.read(number)
        assert ours.planes.tobytes() == theirs.planes.tobytes()
        assert ours.target.tobytes() == theirs.target.tobytes()
    index = "index.jsonl"
    assert (tmp_path / "two" / index).read_bytes() == (tmp_path / "one" / index).read_bytes()
    assert Chips.open(tmp_path / "two").entries == one.entries


def test_an_error_ends_the_cutting_of_tiles_alike(client, labelled, tmp_path):
    import shutil

    cube, labels = labelled
    reference = read_mcd64a1([labels], cube.region, cube.days[0], cube.days[-1])
    shutil.copytree(cube.path, tmp_path / "T.zarr")
    shard = next((tmp_path / "T.zarr").glob("red/c/20/0/0"))
    shard.write_bytes(shard.read_bytes()[:-40])
    damaged = Cube.open(tmp_path / "T.zarr")
    told = []
    for name, where in (("here", {}), ("there", {"scheduler": client})):
        with pytest.raises(UnreadableFileError) as error:
            write_cube_chips(tmp_path / name, damaged, reference, **CUT, **where)
        told.append(str(error.value))
    assert told[0] == told[1]
    assert "damaged" in told[0]
    assert Chips.open(tmp_path / "there").entries == Chips.open(tmp_path / "here").entries
