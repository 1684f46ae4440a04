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
from banet.cube import Cube
from banet.grid.region import Region
from banet.model.config import BANetConfig
from banet.model.network import BANet
from banet.model.weights import save_weights
from banet.observations.planes import DayPlanes

SHAPE = (128, 160)
FIRST = np.datetime64("2021-06-15")


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    made = Cube.create(
        tmp_path_factory.mktemp("cube") / "T.zarr",
        Region("T", (20, 38, 21.6, 39.28), 0.01),
        sensor="VIIRS S-NPP",
        mir_band="M12",
    )
    rng = np.random.default_rng(0)
    for number in range(64):
        planes = rng.normal([[[0.1]], [[0.25]], [[0.12]]], 0.03, (3, *SHAPE)).astype(np.float32)
        frp = np.where(rng.random(SHAPE) < 0.01, 40, 0).astype(np.float32)
        count = np.ones(SHAPE, np.uint8)
        made.write_day(FIRST + number, DayPlanes(*planes, np.full(SHAPE, 20, np.float32), count), frp)
    return made


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


def test_what_is_asked_for_is_checked_first(cube, weights, tmp_path, capsys):
    both = words(cube.path, weights, tmp_path, "--workers", "1", "--scheduler", "tcp://h:1")
    for command, message in (
        (both, "give --workers or --scheduler, not both"),
        (words(cube.path, weights, tmp_path, "--engine", "tpu"), "no engine named 'tpu'"),
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
