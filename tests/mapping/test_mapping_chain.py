"""Mapping with the real cube, the real network and the real engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from banet.burned_area.burned_area import BurnedArea
from banet.errors import BanetWarning, InputError
from banet.mapping import map_burned, map_months, month_window, predict
from banet.model.config import BANetConfig, Calibration
from banet.model.engine import Engine
from banet.model.network import BANet
from banet.model.weights import save_weights
from made_cubes import land, made_cube

SHAPE = (40, 70)


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """July 2021 and what surrounds it: land, a sea in the west, one fire that grows, days without data."""

    def draw(rng, number):
        planes = land(rng, SHAPE, 0.01)
        planes[:, :, :10] = np.array([0.05, 0.02, 0.01], np.float32)[:, None, None]
        frp = np.zeros(SHAPE, np.float32)
        if 20 <= number < 25:
            frp[10:20, 10 + 8 * (number - 20) : 18 + 8 * (number - 20)] = 40
        planes[:, rng.random(SHAPE) < 0.3] = np.nan
        planes[:, 35:, 60:] = np.nan
        return planes, frp

    return made_cube(tmp_path_factory.mktemp("cube"), SHAPE, [*range(10), *range(12, 50)], draw)


def network(seed, **config):
    """Weights that see hot spots: the head reads the random features, so its bias alone is set."""
    torch.manual_seed(seed)
    return BANet(BANetConfig(width=2, lstm=False, **config)).eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files = []
    for seed in (0, 1):
        model = network(seed)
        save_weights(model, folder / f"w{seed}.safetensors", spec=model.spec, card={"data": "random"})
        files.append(folder / f"w{seed}.safetensors")
    return files


def test_weights_by_path_by_network_and_by_engine_give_one_map(cube, weights):
    by_path = map_burned(cube, "2021-07", "2021-07", weights, threshold=0.9)
    models = [network(0), network(1)]
    for given in (models, Engine(models)):
        other = map_burned(cube, "2021-07", "2021-07", given, threshold=0.9)
        np.testing.assert_allclose(other.burned_fraction, by_path.burned_fraction, atol=1e-6)
        assert np.array_equal(other.burn_date, by_path.burn_date, equal_nan=True)
    assert [member["name"] for member in by_path.attrs["weights"]] == ["w0", "w1"]
    assert all(len(member["sha256"]) == 64 for member in by_path.attrs["weights"])
    assert (by_path.attrs["sensor"], by_path.attrs["water"]) == ("VIIRS S-NPP", "estimated")


def test_the_folder_of_a_cube_does_for_the_cube(cube, weights):
    for given in (str(cube.path), cube.path):
        got = map_burned(given, "2021-07-10", "2021-07-20", weights[0], threshold=0.9)
        own = map_burned(cube, "2021-07-10", "2021-07-20", weights[0], threshold=0.9)
        assert np.array_equal(got.burn_date, own.burn_date, equal_nan=True)


def test_what_was_seen_comes_from_the_cube(cube, weights):
    burnmap = map_burned(cube, "2021-07", "2021-07", weights[0])
    window = cube.read("2021-07-01", "2021-08-01")
    assert np.array_equal(burnmap.observed_days, window.observed.sum(0))
    assert np.array_equal(np.flatnonzero(burnmap.water.all(0)), np.arange(10))
    assert not burnmap.water[:, 10:].any()
    assert (burnmap.status[35:, 60:] == -1).all()
    assert set(np.unique(burnmap.status)) <= {-2, -1, 0, 1}


def test_the_probabilities_are_the_networks_own(cube, weights):
    """Against the network run by hand on the whole region, away from what is masked."""
    from banet.model.inputs import normalise

    model, window = network(0), month_window("2021-07")
    x = normalise(cube.read(window.start, window.stop), model.spec)
    missing = np.asarray(model.spec.missing, np.float32)[:, None, None, None]
    padded = np.broadcast_to(missing, (4, 64, 64, 96)).copy()
    padded[:, :, :40, :70] = x
    with torch.no_grad():
        expected = model(torch.from_numpy(padded)[None]).sigmoid()[0, 0, window.keep, :40, :70].numpy()
    (block,) = predict(cube, window, weights[0])
    got = block.probability
    np.testing.assert_allclose(got[:, :30, 10:], expected[:, :30, 10:], atol=1e-5)
    assert not got[:, :, :10].any()
    assert not got[:, 35:, 60:].any()


def test_a_map_written_and_read_again(cube, weights, tmp_path):
    import xarray as xr

    burnmap = map_burned(cube, "2021-07", "2021-07", weights[0])
    burnmap.to_dataset().to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "map.nc", engine="h5netcdf") as dataset:
        again = BurnedArea.from_dataset(dataset.load())
    assert again.attrs == burnmap.attrs
    assert np.array_equal(again.burn_doy, burnmap.burn_doy)


def test_a_month_that_the_cube_lacks(cube, weights):
    with pytest.warns(BanetWarning):
        june, july, august, september = map_months(cube, "2021-06", "2021-09", weights[0])
    assert "16 of the 30 days" in june.attrs["notes"][0]
    assert july.attrs["notes"] == []
    assert august.observed_days.max() <= 3
    assert (september.status[:, 10:] == -1).all()
    with pytest.raises(InputError, match="no day from 2020-07-01"):
        map_burned(cube, "2020-07", "2020-07", weights[0])


def test_weights_trained_without_validation_are_noted(cube, tmp_path):
    path = save_weights(network(0), tmp_path / "raw.safetensors", card={"training_chips": []})
    told = "weights without calibration (raw): nothing set their threshold"
    with pytest.warns(BanetWarning, match=re.escape(told)):
        burnmap = map_burned(cube, "2021-07", "2021-07", path)
    assert told in burnmap.attrs["notes"][0]


def test_a_mean_that_nobody_measured_is_noted_and_one_network_twice_is_one(cube, tmp_path):
    table = Calibration(mapped=(0, 1), burned=(0, 1), tenth=(0, 1))
    paths = []
    for seed in (0, 1):
        model = network(seed)
        model.calibration = table
        paths.append(save_weights(model, tmp_path / f"w{seed}.safetensors"))
    told = "the mean of several weights is not calibrated (w0, w1)"
    with pytest.warns(BanetWarning, match=re.escape(told)):
        mean = map_burned(cube, "2021-07", "2021-07", paths)
    assert mean.attrs["calibration"] is None and told in mean.attrs["notes"][0]
    one, same = (map_burned(cube, "2021-07", "2021-07", [paths[0]] * count) for count in (1, 2))
    assert same.attrs == one.attrs and same.attrs["calibration"] is not None
    np.testing.assert_array_equal(same.over_tenth, one.over_tenth)


def test_another_mir_band_is_noted(cube, tmp_path):
    model = network(0)
    model.spec = model.spec.model_copy(update={"mir_band": "M11"})
    with pytest.warns(BanetWarning, match="expect more errors"):
        burnmap = map_burned(cube, "2021-07", "2021-07", model)
    assert "M12 in the MIR slot, the weights were trained with M11" in burnmap.attrs["notes"][0]


def test_cells_of_another_size_are_noted(cube, tmp_path):
    model = network(0)
    model.spec = model.spec.model_copy(update={"pixel_size": 0.0025})
    save_weights(model, tmp_path / "w.safetensors")
    with pytest.warns(
        BanetWarning, match=r"cells of the cube are 0.01 degrees wide, those of the weights 0.0025"
    ):
        map_burned(cube, "2021-07", "2021-07", tmp_path / "w.safetensors")


RUN = """
import sys, time
import numpy as np
from banet.burned_area.burned_area import BurnedArea
from banet.cube import open_cube
from banet.mapping import map_burned
from banet.model.engine import Engine
from banet.model.weights import load_model

class Slow:
    def __init__(self, model):
        self.models, self.spec, self.engine = (model,), model.spec, Engine([model])
    def probabilities(self, x, part):
        print("tile", flush=True)
        time.sleep(float(sys.argv[4]))
        return self.engine.probabilities(x, part)

cube = open_cube(sys.argv[1])
burnmap = map_burned(
    cube, "2021-07", "2021-07", Slow(load_model(sys.argv[2])), scratch=sys.argv[3], tile=32, margin=(0, 0),
    threshold=0.9,
)
np.save(sys.argv[5], burnmap.burned_fraction)
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_goes_on(cube, weights, tmp_path):
    """SIGKILL between two tiles; the next run does the others alone, and two at a time are refused."""
    script = tmp_path / "run.py"
    script.write_text(RUN)

    def command(pause):
        paths = [cube.path, weights[0], tmp_path / "scratch"]
        return [sys.executable, script, *paths, str(pause), tmp_path / "out.npy"]

    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command(600), env=env, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "tile\n"
        second = subprocess.run(command(0), env=env, capture_output=True, text=True, check=False)
        assert second.returncode != 0
        assert "another run is at work" in second.stderr
        first.send_signal(signal.SIGKILL)
    with subprocess.Popen(command(0.5), env=env, stdout=subprocess.PIPE, text=True) as third:
        for _ in range(3):
            assert third.stdout.readline() == "tile\n"
        time.sleep(0.1)
        third.send_signal(signal.SIGKILL)
    kept = len(list((tmp_path / "scratch").glob("*/core-*.chunk")))
    last = subprocess.run(command(0), env=env, capture_output=True, text=True, check=True)
    assert kept == 2
    assert last.stdout.count("tile") == 6 - kept
    whole = map_burned(cube, "2021-07", "2021-07", weights[0], tile=32, margin=(0, 0), threshold=0.9)
    assert np.array_equal(np.load(tmp_path / "out.npy"), whole.burned_fraction, equal_nan=True)
