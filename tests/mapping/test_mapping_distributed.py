"""Maps made by the processes of a dask cluster: the same bit for bit, whatever dies or fails on the way."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections import Counter

import numpy as np
import pytest
import torch

from banet.burned_area.burned_area import BurnedArea
from banet.cube import Cube
from banet.errors import InputError, UnreadableFileError
from banet.grid.region import Region
from banet.mapping import make_tiling, map_burned, map_months
from banet.mapping.gaps import Gaps
from banet.mapping.schedule import Schedule, Task
from banet.model.config import BANetConfig
from banet.model.engine import Engine
from banet.model.network import BANet
from banet.observations.planes import DayPlanes
from cluster_engines import POISON, Broken, Deadly, LocalEngine, Mortal, Poisoned

SHAPE = (128, 192)
FIRST = np.datetime64("2021-06-15")
SIZES = {"tile": 64, "step": 32, "margin": (8, 8)}
MEAN = {"tiling": "original", "tile": 64, "step": 40}
MONTH = ("2021-07", "2021-07")
MARKED = (100, 150)
"""A cell by which the engines of `cluster_engines` know a tile."""

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="the extra dask is not installed"
)


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """64 days of two chunks a plane, with a fire that no fire can be in one cell."""
    made = Cube.create(
        tmp_path_factory.mktemp("cube") / "T.zarr",
        Region("T", (20, 38, 21.92, 39.28), 0.01),
        sensor="VIIRS S-NPP",
        mir_band="M12",
    )
    rng = np.random.default_rng(0)
    for number in range(64):
        planes = rng.normal([[[0.1]], [[0.25]], [[0.12]]], 0.03, (3, *SHAPE)).astype(np.float32)
        planes[:, rng.random(SHAPE) < 0.2] = np.nan
        frp = np.where(rng.random(SHAPE) < 0.01, 40, 0).astype(np.float32)
        frp[MARKED] = POISON if number == 30 else 0
        seen = np.isfinite(planes[0])
        zenith = np.where(seen, np.float32(20), np.float32(np.nan))
        made.write_day(FIRST + number, DayPlanes(*planes, zenith, seen.astype(np.uint8)), frp)
    return made


@pytest.fixture(scope="module")
def client():
    """Two processes, which a nanny starts again when they die."""
    pytest.importorskip("distributed")
    from banet.parallel.cluster import connected

    with connected(workers=2) as made:
        yield made


@pytest.fixture(scope="module")
def serial(cube):
    return map_burned(cube, *MONTH, LocalEngine(), water=None, **SIZES)


def assert_identical(got: BurnedArea, expected: BurnedArea) -> None:
    for field in dataclasses.fields(BurnedArea):
        ours, theirs = getattr(got, field.name), getattr(expected, field.name)
        if isinstance(ours, np.ndarray):
            assert ours.tobytes() == theirs.tobytes(), field.name
        else:
            assert ours == theirs


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@needs_dask
@pytest.mark.parametrize(
    "tiling", [SIZES, {"tiling": "original", "tile": 64, "step": 40}], ids=["blend", "mean"]
)
def test_a_cluster_gives_the_map_of_one_process_bit_for_bit(cube, client, tmp_path, tiling):
    told = []
    got = map_burned(
        cube, *MONTH, LocalEngine(tmp_path / "log"), scratch=tmp_path, client=client,
        progress=lambda *a: told.append(a), **tiling,
    )  # fmt: skip
    assert_identical(got, map_burned(cube, *MONTH, LocalEngine(), **tiling))
    assert (got.status == 1).any()
    assert (got.status == 0).any()
    name = tiling.get("tiling", "blend")
    total = len(make_tiling(name, SHAPE, **{k: v for k, v in tiling.items() if k != "tiling"}))
    pids = Counter((tmp_path / "log").read_text().split())
    assert pids.total() == total, "a tile was computed twice or not at all"
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    assert [t[:2] for t in told] == [(n + 1, total) for n in range(total)]
    assert not list(tmp_path.glob("*/tile-*")), "tiles that no block needs any more are still kept"


@needs_dask
def test_the_network_itself_gives_the_same_bits_on_a_cluster(cube, client, tmp_path):
    torch.manual_seed(0)
    model = BANet(BANetConfig.remembering(2)).eval()
    model.logits.bias.data.fill_(-5)  # sums well below 1, in which any bit shows
    settings = {"length": 32, "tile": 128, "step": 64, "margin": (16, 16), "threshold": 0.1}
    there = Engine([model], "torch", threads=1)
    got = map_burned(cube, *MONTH, there, scratch=tmp_path, client=client, **settings)
    here = map_burned(cube, *MONTH, Engine([model], "torch", threads=2), **settings)
    assert_identical(got, here)
    assert np.nanstd(here.burned_fraction) > 0


@needs_dask
def test_a_run_begun_by_one_process_is_finished_by_a_cluster_and_back(cube, client, tmp_path, serial):
    class Dies(LocalEngine):
        calls = 0

        def probabilities(self, x, part=...):
            self.calls += 1
            if self.calls == 8:
                raise KeyboardInterrupt
            return super().probabilities(x, part)

    settings = {"scratch": tmp_path, "water": None, **SIZES}
    with pytest.raises(KeyboardInterrupt):
        map_burned(cube, *MONTH, Dies(), **settings)
    log = tmp_path / "log"
    got = map_burned(cube, *MONTH, LocalEngine(log), client=client, **settings)
    assert_identical(got, serial)
    assert len(log.read_text().split()) == len(make_tiling("blend", SHAPE, **SIZES)) - 7
    assert_identical(map_burned(cube, *MONTH, Broken(), **settings), serial)


@needs_dask
def test_a_worker_that_dies_costs_its_block_alone(cube, client, tmp_path, serial):
    log, grave = tmp_path / "log", tmp_path / "grave"
    got = map_burned(cube, *MONTH, Mortal(log, grave), scratch=tmp_path, client=client, water=None, **SIZES)
    assert grave.exists(), "no worker died"
    assert_identical(got, serial)
    tiles = len(make_tiling("blend", SHAPE, **SIZES))
    done = log.read_text().split()
    # Its one tile again; what else was handed to it had not begun.
    assert len(done) == tiles + 1


def gap_box(got):
    (gap,) = got.attrs["gaps"]
    return slice(*gap["rows"]), slice(*gap["cols"]), gap


STEP = {"tile": 64, "step": 64, "margin": (0, 0)}
"""Tiles that do not overlap: the marked cell is in one alone."""


@needs_dask
@pytest.mark.parametrize("where", ["cluster", "here"])
def test_one_poisoned_tile_is_a_recorded_gap_and_the_rest_is_there(cube, client, tmp_path, where):
    settings = {"scratch": tmp_path, "water": None, "keep_going": True, **STEP}
    extra = {"client": client} if where == "cluster" else {}
    got = map_burned(cube, *MONTH, Poisoned(), **settings, **extra)
    rows, cols, gap = gap_box(got)
    assert (rows, cols) == (slice(64, 128), slice(128, 192))
    assert gap["tile"] == [1, 2]
    assert "RuntimeError: this tile is poisoned" in gap["reason"]
    whole = map_burned(cube, *MONTH, LocalEngine(), water=None, **STEP)
    inside = np.zeros(SHAPE, bool)
    inside[rows, cols] = True
    assert (got.status[inside] == -1).all()
    assert np.array_equal(got.status[~inside], whole.status[~inside])
    assert np.array_equal(got.burned_fraction[~inside], whole.burned_fraction[~inside], equal_nan=True)
    # A later run makes good for it, and only for it.
    log = tmp_path / "log"
    again = map_burned(cube, *MONTH, LocalEngine(log), **settings, **extra)
    assert_identical(again, whole)
    assert len(log.read_text().split()) == 1


@needs_dask
@pytest.mark.slow
def test_a_tile_that_kills_whoever_takes_it_is_a_gap(cube, client, tmp_path):
    settings = {"scratch": tmp_path, "water": None, "keep_going": True, **STEP}
    got = map_burned(cube, *MONTH, Deadly(), client=client, **settings)
    rows, cols, gap = gap_box(got)
    assert (rows, cols) == (slice(64, 128), slice(128, 192))
    assert "KilledWorker" in gap["reason"]


@needs_dask
def test_where_tiles_overlap_the_gap_is_the_same_here_and_there(cube, client, tmp_path):
    settings = {"water": None, "keep_going": True, **SIZES}
    here = map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / "a", **settings)
    there = map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / "b", client=client, **settings)
    assert len(here.attrs["gaps"]) == 2
    assert_identical(there, here)


@needs_dask
def test_failures_end_a_run_that_was_not_told_to_go_on(cube, client, tmp_path):
    for extra in ({}, {"client": client}):
        with pytest.raises(RuntimeError, match="poisoned"):
            map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / f"a{len(extra)}", **STEP, **extra)
        scratch = tmp_path / f"b{len(extra)}"
        with pytest.raises(RuntimeError, match="nothing works"):
            map_burned(cube, *MONTH, Broken(), keep_going=True, scratch=scratch, **STEP, **extra)


@needs_dask
def test_a_damaged_chunk_of_the_cube_costs_its_tiles_alone(cube, client, tmp_path):
    import shutil

    copy = tmp_path / "T.zarr"
    shutil.copytree(cube.path, copy)
    shard = next(copy.glob("red/c/40/0/0"))
    data = bytearray(shard.read_bytes())
    offset, length = np.frombuffer(data[-36:-4], "<u8").reshape(2, 2)[1]  # of the columns from 128 on
    data[offset : offset + length] = bytes(int(length))
    shard.write_bytes(data)
    damaged = Cube.open(copy)
    with pytest.raises(UnreadableFileError):
        damaged.read(FIRST + 40, FIRST + 41)
    settings = {"scratch": tmp_path / "s", "water": None, "keep_going": True, **STEP}
    got = map_burned(damaged, *MONTH, LocalEngine(), client=client, **settings)
    assert [gap["tile"] for gap in got.attrs["gaps"]] == [[0, 2], [1, 2]]
    assert all("is damaged" in gap["reason"] for gap in got.attrs["gaps"])
    assert np.array_equal(got.status == -1, np.broadcast_to(np.arange(192) >= 128, SHAPE))


@needs_dask
def test_months_on_a_cluster(cube, client, tmp_path):
    maps = list(
        map_months(cube, "2021-06", "2021-07", LocalEngine(), scratch=tmp_path, client=client, **STEP)
    )
    assert [str(found.start) for found in maps] == ["2021-06-01", "2021-07-01"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2021-06", "2021-07"]


@needs_dask
def test_what_a_cluster_cannot_do_is_said_before_it_begins(cube, client, tmp_path):
    with pytest.raises(InputError, match="needs a scratch folder"):
        map_burned(cube, *MONTH, LocalEngine(), client=client)
    with pytest.raises(InputError, match="map without on_block"):
        map_burned(cube, *MONTH, LocalEngine(), client=client, scratch=tmp_path, on_block=lambda block: None)


@needs_dask
def test_a_scratch_folder_that_workers_do_not_see_is_told(cube, client, tmp_path):
    from banet.mapping.distributed import distributed_blocks
    from banet.mapping.ensemble import as_ensemble
    from banet.mapping.job import Job
    from banet.mapping.run import Run
    from banet.mapping.scratch import Scratch
    from banet.mapping.windows import month_window

    run = Run.plan(cube, (month_window("2021-07"),), as_ensemble(LocalEngine()), STEP)
    with Scratch(tmp_path, run.key(0.5)) as store:
        store.marker.unlink()
        with pytest.raises(InputError, match="must lie on storage that all workers share"):
            next(distributed_blocks(client, Job(run, store, 0.5), Gaps(run.tiling)))


# The order of tasks, which needs no cluster.


def run_schedule(schedule, failing=(), order=lambda running: 0):
    """Do all tasks, several at once, in any order of ending."""
    running, log, dropped = [], [], []
    while True:
        while len(running) < 3 and (task := schedule.next()) is not None:
            running.append(task)
        if not running:
            return log, dropped
        task = running.pop(order(running))
        log.append(task)
        dropped += schedule.settle(task, failed=task in failing)


@pytest.mark.parametrize("order", [lambda r: 0, lambda r: -1, lambda r: len(r) // 2])
def test_every_tile_and_block_is_done_once_and_in_time(order):
    tiling = make_tiling("blend", SHAPE, **SIZES)
    log, dropped = run_schedule(Schedule(tiling, (), ()), order=order)
    everything = [tile.index for tile in tiling]
    for kind in ("tile", "block"):
        assert sorted(task.index for task in log if task.kind == kind) == everything
    place = {(task.kind, task.index): number for number, task in enumerate(log)}
    for tile in everything:
        for block in tiling.touched(tile):
            assert place["tile", tile] < place["block", block]
    assert sorted(dropped) == everything


def test_what_is_there_is_not_done_again_and_failures_are_passed_on():
    tiling = make_tiling("blend", SHAPE, **STEP)
    schedule = Schedule(tiling, [(0, 0), (0, 1)], [(0, 2)])
    bad = Task("tile", (1, 1))
    log, dropped = run_schedule(schedule, failing=[bad])
    tiles = [task.index for task in log if task.kind == "tile"]
    assert not {(0, 0), (0, 1), (0, 2)} & set(tiles)
    missing = {task.index: task.missing for task in log if task.kind == "block"}
    assert missing.pop((1, 1)) == ((1, 1),)
    assert set(missing.values()) == {()}
    assert (1, 1) not in dropped


def test_errors_of_settings_and_output_are_never_gaps():
    from banet.errors import OutputError

    gaps = Gaps(make_tiling("blend", SHAPE, **STEP), keep_going=True)
    for error in (InputError("wrong"), OutputError("full")):
        with pytest.raises(type(error)):
            gaps.tile((0, 0), error)
    gaps.tile((1, 1), ValueError("a\n b"))
    assert gaps.describe() == [
        {"tile": [1, 1], "rows": [64, 128], "cols": [64, 128], "reason": "ValueError: a b"}
    ]
