"""Maps made by worker processes: the same bit for bit, whatever dies or fails on the way."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter

import numpy as np
import pytest
import torch

from banet.burned_area.burned_area import BurnedArea
from banet.cube import Cube
from banet.errors import BanetWarning, InputError, OutputError, UnreadableFileError
from banet.mapping import map_burned, map_months, month_window
from banet.mapping.cores import seamless_tiling
from banet.mapping.ensemble import as_ensemble
from banet.mapping.options import MapOptions
from banet.mapping.run import Run
from banet.mapping.store import Store
from banet.mapping.task import Task
from banet.model.config import BANetConfig
from banet.model.engine import Engine
from banet.model.network import BANet
from cluster_engines import POISON, Broken, Deadly, LocalEngine, Mortal, Poisoned
from made_cubes import FIRST, land, made_cube

SHAPE = (128, 192)
SIZES = {"tile": 96, "margin": (32, 32)}
MONTH = ("2021-07", "2021-07")
MARKED = (100, 150)
"""A cell by which the engines of `cluster_engines` know a tile."""


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """64 days of two chunks a plane, with a fire that no fire can be in one cell."""

    def draw(rng, number):
        planes = land(rng, SHAPE)
        planes[:, rng.random(SHAPE) < 0.2] = np.nan
        frp = np.where(rng.random(SHAPE) < 0.01, 40, 0).astype(np.float32)
        frp[MARKED] = POISON if number == 30 else 0
        return planes, frp

    return made_cube(tmp_path_factory.mktemp("cube"), SHAPE, range(64), draw)


@pytest.fixture(scope="module")
def client():
    """Two processes, which a nanny starts again when they die."""
    from banet.parallel import connected

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


def test_a_cluster_gives_the_map_of_one_process_bit_for_bit(cube, client, tmp_path, serial):
    told = []
    got = map_burned(
        cube, *MONTH, LocalEngine(tmp_path / "log"), scratch=tmp_path, scheduler=client, water=None,
        progress=lambda *a: told.append(a), **SIZES,
    )  # fmt: skip
    assert_identical(got, serial)
    assert (got.status == 1).any()
    assert (got.status == 0).any()
    total = len(seamless_tiling(SHAPE, **SIZES))
    pids = Counter((tmp_path / "log").read_text().split())
    assert pids.total() == total, "a tile was computed twice or not at all"
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    assert [t[:2] for t in told] == [(n + 1, total) for n in range(total)]


def test_workers_of_a_number_do_without_a_scratch_folder(cube, serial):
    assert_identical(map_burned(cube, *MONTH, LocalEngine(), workers=2, water=None, **SIZES), serial)


def test_the_network_itself_gives_the_same_bits_on_a_cluster(cube, client, tmp_path):
    torch.manual_seed(0)
    model = BANet(BANetConfig.remembering(2)).eval()
    model.logits.bias.data.fill_(-5)  # sums well below 1, in which any bit shows
    settings = {"length": 32, "tile": 96, "margin": (16, 16), "threshold": 0.1}
    there = Engine([model], "torch", threads=1)
    got = map_burned(cube, *MONTH, there, scratch=tmp_path, scheduler=client, **settings)
    here = map_burned(cube, *MONTH, Engine([model], "torch", threads=2), **settings)
    assert_identical(got, here)
    assert np.nanstd(here.burned_fraction) > 0


def test_a_run_begun_by_one_process_is_finished_by_a_cluster_and_back(cube, client, tmp_path, serial):
    class Dies(LocalEngine):
        calls = 0

        def probabilities(self, x, part=...):
            self.calls += 1
            if self.calls == 4:
                raise KeyboardInterrupt
            return super().probabilities(x, part)

    settings = {"scratch": tmp_path, "water": None, **SIZES}
    with pytest.raises(KeyboardInterrupt):
        map_burned(cube, *MONTH, Dies(), **settings)
    log = tmp_path / "log"
    got = map_burned(cube, *MONTH, LocalEngine(log), scheduler=client, **settings)
    assert_identical(got, serial)
    assert len(log.read_text().split()) == len(seamless_tiling(SHAPE, **SIZES)) - 3
    assert_identical(map_burned(cube, *MONTH, Broken(), **settings), serial)


def test_a_worker_that_dies_costs_its_core_alone(cube, client, tmp_path, serial):
    log, grave = tmp_path / "log", tmp_path / "grave"
    settings = {"scratch": tmp_path, "scheduler": client, "water": None, **SIZES}
    got = map_burned(cube, *MONTH, Mortal(log, grave), **settings)
    assert grave.exists(), "no worker died"
    assert_identical(got, serial)
    tiles = len(seamless_tiling(SHAPE, **SIZES))
    done = log.read_text().split()
    # Its one tile again; what else was handed to it had not begun.
    assert len(done) == tiles + 1


def gap_box(got):
    (gap,) = got.attrs["gaps"]
    return slice(*gap["rows"]), slice(*gap["cols"]), gap


STEP = {"tile": 64, "margin": (0, 0)}
"""Tiles that do not overlap: the marked cell is in one alone."""


@pytest.mark.parametrize("where", ["cluster", "here"])
def test_one_poisoned_tile_is_a_recorded_gap_and_the_rest_is_there(cube, client, tmp_path, where):
    settings = {"scratch": tmp_path, "water": None, "keep_going": True, **STEP}
    extra = {"scheduler": client} if where == "cluster" else {}
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


@pytest.mark.slow
def test_a_tile_that_kills_whoever_takes_it_is_a_gap(cube, client, tmp_path):
    settings = {"scratch": tmp_path, "water": None, "keep_going": True, **STEP}
    got = map_burned(cube, *MONTH, Deadly(), scheduler=client, **settings)
    rows, cols, gap = gap_box(got)
    assert (rows, cols) == (slice(64, 128), slice(128, 192))
    assert "worker after worker died" in gap["reason"]


def test_where_tiles_overlap_the_gap_is_the_same_here_and_there(cube, client, tmp_path):
    settings = {"water": None, "keep_going": True, **SIZES}
    here = map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / "a", **settings)
    there = map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / "b", scheduler=client, **settings)
    assert len(here.attrs["gaps"]) == 2
    assert_identical(there, here)


def test_failures_end_a_run_that_was_not_told_to_go_on(cube, client, tmp_path):
    for extra in ({}, {"scheduler": client}):
        with pytest.raises(RuntimeError, match="poisoned"):
            map_burned(cube, *MONTH, Poisoned(), scratch=tmp_path / f"a{len(extra)}", **STEP, **extra)
        scratch = tmp_path / f"b{len(extra)}"
        with pytest.raises(RuntimeError, match="nothing works"):
            map_burned(cube, *MONTH, Broken(), keep_going=True, scratch=scratch, **STEP, **extra)


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
    got = map_burned(damaged, *MONTH, LocalEngine(), scheduler=client, **settings)
    assert [gap["tile"] for gap in got.attrs["gaps"]] == [[0, 2], [1, 2]]
    assert all("is damaged" in gap["reason"] for gap in got.attrs["gaps"])
    assert np.array_equal(got.status == -1, np.broadcast_to(np.arange(192) >= 128, SHAPE))


def test_months_on_a_cluster(cube, client, tmp_path):
    settings = {"scratch": tmp_path, "scheduler": client, **STEP}
    with pytest.warns(BanetWarning, match="2021-06: the cube lacks 14 of the 30 days"):
        maps = list(map_months(cube, "2021-06", "2021-07", LocalEngine(), **settings))
    assert [str(found.start) for found in maps] == ["2021-06-01", "2021-07-01"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2021-06", "2021-07"]


@pytest.mark.parametrize("where", ["cluster", "here"])
def test_a_withheld_cube_and_the_whole_one_share_no_work(cube, client, tmp_path, serial, where):
    """With one scratch folder each gets its own map; the withheld one travels to workers as it is."""
    blind = cube.without("hotspots")
    extra = {"scheduler": client} if where == "cluster" else {}
    settings = {"water": None, "scratch": tmp_path, **SIZES, **extra}
    assert_identical(map_burned(cube, *MONTH, LocalEngine(), **settings), serial)
    without = map_burned(blind, *MONTH, LocalEngine(), **settings)
    assert without.burned_area_ha < serial.burned_area_ha
    assert_identical(without, map_burned(blind, *MONTH, LocalEngine(), water=None, **SIZES))


def test_what_workers_cannot_do_is_said_before_they_begin(cube, client, tmp_path):
    with pytest.raises(InputError, match="map without on_block"):
        map_burned(cube, *MONTH, LocalEngine(), scheduler=client, on_block=lambda block: None)
    with pytest.raises(InputError, match="original's tiling runs in one process"):
        map_burned(cube, *MONTH, LocalEngine(), scheduler=client, tiling="original")


def test_a_scratch_folder_that_workers_do_not_see_is_told(cube, client, tmp_path):
    from banet.parallel import spread

    options = MapOptions.of_keywords("test", STEP)
    run = Run.plan(cube, (month_window("2021-07"),), as_ensemble(LocalEngine()), options)
    store = Store(tmp_path, run.key())
    with store.held():
        store.marker.unlink()
        with pytest.raises(InputError, match="must lie on storage that all workers share"):
            next(spread(Task(run, (), store), run.tiling.cores, scheduler=client, needs=[store.marker]))


def test_errors_of_settings_and_output_are_never_gaps(cube):
    class Wrong(LocalEngine):
        def __init__(self, error):
            super().__init__()
            self.error = error

        def probabilities(self, x, part=...):
            raise self.error

    for error in (InputError("wrong"), OutputError("full")):
        with pytest.raises(type(error)):
            map_burned(cube, *MONTH, Wrong(error), keep_going=True, **STEP)


def test_a_failed_tile_of_the_original_costs_the_cores_that_it_touches(cube):
    got = map_burned(
        cube, *MONTH, Poisoned(), water=None, keep_going=True, tiling="original", tile=64, step=40
    )
    assert {tuple(gap["tile"]) for gap in got.attrs["gaps"]} == {(i, j) for i in (1, 2, 3) for j in (3, 4)}
    inside = np.zeros(SHAPE, bool)
    inside[40:, 120:] = True
    whole = map_burned(cube, *MONTH, LocalEngine(), water=None, tiling="original", tile=64, step=40)
    assert (got.status[inside] == -1).all()
    assert np.array_equal(got.burned_fraction[~inside], whole.burned_fraction[~inside], equal_nan=True)
