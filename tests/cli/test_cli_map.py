"""`banet map`: engines, workers, gaps and exit codes, and two runs on one folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from banet.cli import main
from banet.model.config import BANetConfig
from banet.model.network import BANet
from banet.model.weights import save_weights
from made_cubes import land, made_cube

SHAPE = (128, 160)


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    def draw(rng, number):
        return land(rng, SHAPE), np.where(rng.random(SHAPE) < 0.01, 40, 0).astype(np.float32)

    return made_cube(tmp_path_factory.mktemp("cube"), SHAPE, range(64), draw)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = BANet(BANetConfig.remembering(2)).eval()
    model.logits.bias.data.fill_(-4)
    return save_weights(model, tmp_path_factory.mktemp("weights") / "w.safetensors", card={"data": "random"})


def words(cube, weights, out, *more):
    period = ["--start", "2021-07", "--end", "2021-07", "--no-pictures"]
    return ["map", str(cube), *period, "--weights", str(weights), "--out", str(out), "--tile", "96", *more]


def damaged(cube, folder):
    """A copy of which one day lacks the bytes of one chunk: the columns from 128 on."""
    import shutil

    shutil.copytree(cube.path, folder)
    shard = next(folder.glob("red/c/30/0/0"))
    data = bytearray(shard.read_bytes())
    offset, length = np.frombuffer(data[-36:-4], "<u8").reshape(2, 2)[1]
    data[offset : offset + length] = bytes(int(length))
    shard.write_bytes(data)
    return folder


def test_a_damaged_part_is_a_gap_and_status_3_and_is_made_good_later(cube, weights, tmp_path, capsys):
    import rasterio

    copy, out = damaged(cube, tmp_path / "T.zarr"), tmp_path / "maps"
    sizes = ("--tile", "64")
    command = [word for word in words(copy, weights, out) if word not in ("--tile", "96")] + [*sizes]
    command += ["--tiling", "original", "--step", "63"]
    assert main(command) == 3
    told = capsys.readouterr()
    assert "parts could not be mapped and count as not observed" in told.err
    assert "red/c/30/0/0 is damaged" in told.err
    with rasterio.open(out / "T_202107_burn_date.tif") as raster:
        dates = raster.read(1)
    assert (dates[:, 128:] == -1).all()
    assert (dates[:, :60] != -1).all()
    manifest = json.loads(next(out.glob("*manifest*.json")).read_text())
    assert "is damaged" in json.dumps(manifest["reproducible"]["config"]["map"]["gaps"])
    (copy / "red/c/30/0/0").write_bytes((cube.path / "red/c/30/0/0").read_bytes())
    assert main(command) == 0
    with rasterio.open(out / "T_202107_burn_date.tif") as raster:
        assert (raster.read(1) != -1).all()
    assert not (out / ".unfinished").exists()


def period(command, start, end):
    """The command with another period."""
    at = command.index("--start")
    return [*command[: at + 1], start, "--end", end, *command[at + 4 :]]


def test_days_map_days_and_their_files_are_named_by_them(cube, weights, tmp_path, capsys):
    import rasterio

    out = tmp_path / "maps"
    command = period(words(cube.path, weights, out), "2021-07-15", "2021-07-20")
    assert main([*command, "--threshold", "0.05"]) == 0
    names = {path.name[:19] for path in out.iterdir()} - {"T_collection.json"}
    assert names == {"T_20210715-20210720"}
    with rasterio.open(out / "T_20210715-20210720_burn_date.tif") as raster:
        dates = raster.read(1)
    assert (dates > 0).any()
    assert set(np.unique(dates[dates > 0])) <= set(range(196, 202))
    said = capsys.readouterr()
    assert said.out.startswith("2021-07-15 to 2021-07-20: ")
    assert "note: " not in said.err


def test_a_month_said_in_days_has_the_files_of_the_month(cube, weights, tmp_path):
    assert main(period(words(cube.path, weights, tmp_path), "2021-07-01", "20210731")) == 0
    assert {path.name[:8] for path in tmp_path.glob("*.tif")} == {"T_202107"}


def test_each_month_has_its_own_notes_and_one_without_observations_says_so(cube, weights, tmp_path, capsys):
    assert main(period(words(cube.path, weights, tmp_path), "2021-07", "2021-10")) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("2021-07-01 to 2021-07-31: ")
    assert "ha burned" in lines[0]
    assert [line.split(",")[0] for line in lines[2:]] == ["2021-09: not observed", "2021-10: not observed"]
    notes = [line for line in said.err.splitlines() if line.startswith("note: ")]
    assert "note: 2021-09: the cube lacks 30 of the 30 days that are mapped" in notes
    assert "note: 2021-10: the cube lacks 31 of the 31 days that are mapped" in notes
    # Nothing burns after the last day of the cube, so that no line says what it would follow from.
    assert {"note: 2021-09: not observed", "note: 2021-10: not observed"} <= set(notes)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2021/07", "2021/07", "2021-07"),
        ("2021-08", "2021-07", "before it starts"),
        ("2020-07", "2020-07", "no day from 2020-07-01"),
        ("2021-07-15", "2021-07-32", "2021-07-32"),
    ],
)
def test_a_period_that_is_none_or_not_there_is_wrong_input(
    cube, weights, tmp_path, capsys, start, end, message
):
    assert main(period(words(cube.path, weights, tmp_path), start, end)) == 2
    assert message in capsys.readouterr().err


def test_what_is_asked_for_is_checked_first(cube, weights, tmp_path, capsys):
    both = words(cube.path, weights, tmp_path, "--workers", "1", "--scheduler", "tcp://h:1")
    for command, message in (
        (both, "give --workers or --scheduler, not both"),
        (words(cube.path, weights, tmp_path, "--engine", "tpu"), "no engine named 'tpu'"),
        (words(cube.path, weights, tmp_path, "--step", "50", "--workers", "2"), "runs in one process"),
        (words(cube.path, weights, tmp_path, "--threshold", "2"), "threshold 2.0 is not above 0"),
    ):
        assert main(command) == 2
        assert message in capsys.readouterr().err


def test_the_doctor_says_which_engine_is_chosen_and_which_could_be(capsys):
    from banet.model.engine import BACKENDS, choose_backend

    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert f"engine {choose_backend()}" in told
    lines = {line.split()[1]: line for line in told.splitlines() if "--engine" in line}
    assert set(lines) == set(BACKENDS)
    assert "can run here" in lines["torch"]
    assert ("can run here" in lines["cuda"]) == torch.cuda.is_available()


def run(command, **more):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    line = "import sys; from banet.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen([sys.executable, "-c", line, *command], env=env, text=True, **more)


@pytest.mark.slow
def test_two_runs_of_one_month_refuse_and_of_two_months_cooperate(cube, weights, tmp_path):
    """Two real processes: the second is refused while the first lives, and goes on where it was killed."""
    out = tmp_path / "maps"
    first = run(words(cube.path, weights, out), stderr=subprocess.PIPE)
    lock = out / ".unfinished" / ".T_2021-07.lock"
    while not lock.exists():
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)  # at work for as long as we like
    second = run(words(cube.path, weights, out, "--threshold", "0.4"), stderr=subprocess.PIPE)
    _, told = second.communicate()
    assert second.returncode == 1
    assert "another run is at work on 2021-07 of T in" in told
    june = [word.replace("2021-07", "2021-06") for word in words(cube.path, weights, out)]
    other = run(june)
    assert other.wait() == 0
    assert lock.exists(), "the run that ended took away what the other one needs"
    first.kill()
    first.communicate()
    assert run(words(cube.path, weights, out)).wait() == 0
    assert {path.name[:8] for path in out.glob("*.tif")} == {"T_202106", "T_202107"}
    assert not (out / ".unfinished").exists()


@pytest.mark.slow
def test_workers_write_the_files_of_one_process(cube, weights, tmp_path):
    pytest.importorskip("distributed")
    one, many = tmp_path / "one", tmp_path / "many"
    assert main(words(cube.path, weights, one)) == 0
    assert run(words(cube.path, weights, many, "--workers", "2")).wait() == 0
    files = sorted(path.name for path in one.glob("*.tif"))
    assert len(files) == 3
    assert all((one / name).read_bytes() == (many / name).read_bytes() for name in files)
