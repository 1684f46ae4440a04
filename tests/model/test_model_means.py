"""Means of networks that ship under a name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from banet.chips import write_simulated_chips
from banet.chips.simulated import plan_simulated
from banet.errors import InputError
from banet.io.files import sha256
from banet.mapping.ensemble import as_ensemble
from banet.model.config import BANetConfig
from banet.model.means import Mean, named_means
from banet.model.network import BANet
from banet.model.weights import find_weights, list_weights, load_model, load_models
from banet.training.calibration import calibrate_mean, calibrate_model
from banet.training.config import ValidationConfig
from training_scenes import toy_sample

CPU = torch.device("cpu")


@pytest.mark.parametrize("mean", named_means().values(), ids=lambda mean: mean.name)
def test_a_mean_is_of_the_files_that_ship(mean) -> None:
    assert {name: sha256(find_weights(name)) for name in mean.members} == mean.members
    assert [model.name for model in load_models(mean.name)] == list(mean.members)
    assert len({str(load_model(name).spec) for name in mean.members}) == 1


def test_best_maps_with_the_calibration_of_the_mean() -> None:
    best = named_means()["best"]
    assert as_ensemble("best").calibration == best.calibration
    assert as_ensemble([*reversed(best.members)]).calibration == best.calibration
    assert as_ensemble(list(best.members)[:2]).calibration is None  # that mean was not measured
    assert as_ensemble("default").calibration == load_model("default").calibration


def test_a_mean_is_no_single_network() -> None:
    with pytest.raises(InputError, match=r"best is the mean of default, .*: one network is asked for"):
        load_model("best")


def test_a_mean_that_ships_hides_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANET_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    for name in ("best", "mine"):
        shutil.copy(find_weights("default"), tmp_path / "weights" / f"{name}.safetensors")
    assert {"mine", "best"} & {entry.name for entry in list_weights()} == {"mine"}
    assert len(load_models("best")) == 3
    with pytest.raises(InputError, match="one network is asked for"):
        find_weights("best")
    assert load_model(tmp_path / "weights" / "best.safetensors").weights_sha256


def network(seed: int) -> BANet:
    torch.manual_seed(seed)
    small = BANetConfig(width=2, multipliers=(1, 2), space_kernels=(3, 3), time_kernels=(3, 3), lstm=False)
    return BANet(small).eval()


def test_the_mean_is_of_probabilities() -> None:
    models, x = [network(seed) for seed in range(3)], torch.randn(1, 4, 8, 8, 8)
    with torch.inference_mode():
        mean = Mean(models)(x)
        expected = sum(torch.sigmoid(model(x)) for model in models) / 3
    np.testing.assert_allclose(torch.sigmoid(mean), expected, atol=1e-6)


def test_the_mean_of_one_network_with_itself_means_what_it_means(tmp_path: Path) -> None:
    chips = write_simulated_chips(
        tmp_path, plan_simulated(2, ("a",), 0), days=20, size=40, sampler=toy_sample
    )
    model = network(0)
    calibrate_model(model, [chips], model.spec, ValidationConfig(), CPU)
    assert calibrate_mean([model, model], [chips], ValidationConfig(), CPU) == model.calibration
