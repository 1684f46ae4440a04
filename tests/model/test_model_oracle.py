"""Our network against the original's own code, for any weights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from tests.model_golden import load_oracle
from torch import nn

from banet.model.compat import from_published, published_names, to_published
from banet.model.engine import Engine
from banet.model.network import BANet

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def oracle() -> nn.Module:
    """The original's network with random weights and random running statistics."""
    folder = Path(os.environ.get("BANET_ORACLE", "no folder"))
    if not (folder / "banet" / "models.py").is_file():
        pytest.skip("BANET_ORACLE does not name the folder of the unpacked banet 0.6.7 wheel")
    torch.manual_seed(7)
    model = load_oracle(folder).BA_Net(4, 1, 64)
    for module in model.modules():
        if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
            # Strong enough for the logits to differ from cell to cell and day to day.
            module.weight.data.mul_(2.5)
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_(0, 0.3)
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.3, 1.5)
    return model.eval()


@pytest.fixture(scope="module")
def ours(oracle: nn.Module) -> BANet:
    config, state = from_published(oracle.state_dict())
    model = BANet(config)
    model.load_state_dict(state)
    return model.eval()


def test_every_tensor_has_one_name_in_either_network(oracle: nn.Module, ours: BANet) -> None:
    assert list(published_names()) == list(oracle.state_dict())
    back = to_published(ours.state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in oracle.state_dict().items())
    assert sum(p.numel() for p in oracle.parameters()) == sum(p.numel() for p in ours.parameters())


@pytest.mark.parametrize("shape", [(1, 4, 16, 32, 32), (2, 4, 16, 32, 32), (1, 4, 32, 64, 96)], ids=str)
def test_output_equals_the_originals(oracle: nn.Module, ours: BANet, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))
    with torch.inference_mode():
        expected, found = oracle(x), ours(x)
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_engine_equals_the_original(oracle: nn.Module, ours: BANet) -> None:
    x = torch.randn((1, 4, 32, 32, 64), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        expected = oracle(x).sigmoid()[0, 0]
    found = torch.from_numpy(Engine([ours], "torch").probabilities(x[0]))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_training_statistics_follow_the_originals(oracle: nn.Module, ours: BANet) -> None:
    """In training mode the statistics of a batch are taken alike (without dropout, which is random)."""
    x = torch.randn((2, 4, 16, 32, 32), generator=torch.Generator().manual_seed(5))
    for model in (oracle, ours):
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout3d):
                module.eval()
    try:
        with torch.no_grad():
            torch.testing.assert_close(ours(x), oracle(x), rtol=0, atol=2e-4)
        theirs = to_published(ours.state_dict())
        for name, tensor in oracle.state_dict().items():
            torch.testing.assert_close(theirs[name], tensor, rtol=1e-4, atol=1e-5)
    finally:
        oracle.eval(), ours.eval()
