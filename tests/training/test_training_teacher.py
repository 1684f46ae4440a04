"""Networks that teach, and one that knows images alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banet.chips import write_simulated_chips
from banet.chips.simulated import plan_simulated
from banet.errors import InputError
from banet.model.config import BANetConfig, InputSpec
from banet.model.network import BANet
from banet.model.weights import load_model, save_weights
from banet.training import train
from banet.training.config import TrainingConfig
from banet.training.start import forget_hotspots
from banet.training.teacher import Teacher
from training_scenes import toy_sample

CPU = torch.device("cpu")
SHAPE = {"width": 4, "multipliers": (1, 2), "space_kernels": (3, 3), "time_kernels": (3, 3)}
SPEC = InputSpec(
    channels=("red", "nir", "mir", "frp", "hotspots_known"), mean=(0.2, 0.3, 0.1, 0.5, 0), std=(0.2,) * 5
)


def network(seed: int) -> BANet:
    torch.manual_seed(seed)
    model = BANet(BANetConfig(**SHAPE, channels=5, lstm=False, memory=(3.0, 12.0)), SPEC)
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(norm.running_mean, std=0.1)
    return model.eval()


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    write_simulated_chips(
        tmp_path / "chips", plan_simulated(2, ("a",), 0), days=20, size=40, sampler=toy_sample
    )
    fields = {
        "network": {**SHAPE, "channels": 5, "lstm": False, "memory": [3, 12], "dropout": 0.1},
        "inputs": SPEC.model_dump(),
        "data": {"chips": [str(tmp_path / "chips")], "crop_days": 16, "crop_size": 32},
        "optimiser": {"steps": 3, "learning_rate": 0.01, "ema": 0.0, "fixed_statistics": True},
        "runtime": {"device": "cpu", "threads": 1, "workers": 0, "keep_memory": False},
    }
    return TrainingConfig.parse(fields, "test")


def saved(path: Path, seed: int) -> str:
    return str(save_weights(network(seed), path))


def test_the_target_is_the_mean_of_truth_and_of_what_is_said(config: TrainingConfig, tmp_path: Path) -> None:
    files = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    teacher = Teacher(config.changed(teacher={"weights": files, "share": 0.25}), CPU)
    x, truth = torch.randn(2, 5, 16, 8, 8), torch.rand(2, 16, 8, 8)
    truth[0, 3, 2, 1] = torch.nan
    with torch.no_grad():
        said = sum(network(seed)(x).sigmoid() for seed in (1, 2))[:, 0] / 2
    torch.testing.assert_close(teacher(x, truth), 0.75 * truth + 0.25 * said, equal_nan=True)
    assert Teacher(config, CPU)(x, truth) is truth


def test_a_teacher_of_another_input_is_refused(config: TrainingConfig, tmp_path: Path) -> None:
    told = config.changed(teacher={"weights": [saved(tmp_path / "t.safetensors", 1)]})
    other = told.changed(inputs={"std": (0.3,) * 5})
    with pytest.raises(InputError, match="the teacher t wants another input than the run's"):
        Teacher(other, CPU)


def test_a_run_learns_from_its_teacher(config: TrainingConfig, tmp_path: Path) -> None:
    taught = config.changed(teacher={"weights": [saved(tmp_path / "t.safetensors", 1)], "share": 1.0})
    losses = {"bce": 50.0, "dice": 0.0, "date": 0.0}
    longer = {"loss": losses, "optimiser": {"steps": 5, "learning_rate": 0.03}}
    runs = [train(one.changed(**longer), tmp_path / name) for name, one in (("a", config), ("b", taught))]
    x = torch.zeros(1, 5, 16, 32, 32)
    with torch.no_grad():
        said, alone, with_it = (
            model(x).sigmoid().mean() for model in (network(1), *(load_model(run.weights) for run in runs))
        )
    assert alone < with_it < said
    told = load_model(runs[1].weights).card["config"]["teacher"]
    assert told == {"weights": ["t.safetensors"], "share": 1.0}


def test_a_network_of_images_alone_says_what_it_says_where_nobody_looked() -> None:
    model = network(1)
    x = torch.randn(1, 5, 16, 8, 8)
    nobody = x.clone()
    nobody[:, 3], nobody[:, 4] = SPEC.missing[3], SPEC.missing[4]
    with torch.no_grad():
        expected, told = model(nobody), model(x)
        forget_hotspots(model)
        found = model(x)
    # At the edge the padding stands for the mean, not for none.
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(found[inner], expected[inner])
    assert not torch.allclose(told, expected, atol=1e-3)


def test_it_stays_so_in_a_run(config: TrainingConfig, tmp_path: Path) -> None:
    alone = config.changed(start={"images_alone": True}, augment={"frp_all": 1.0, "frp_unknown": 1.0})
    model = load_model(train(alone, tmp_path / "run").weights)
    x = torch.randn(1, 5, 16, 8, 8)
    lit = x.clone()
    lit[:, 3:] = torch.from_numpy(np.random.default_rng(0).random((1, 2, 16, 8, 8), np.float32))
    with torch.no_grad():
        assert torch.equal(model(lit), model(x))
