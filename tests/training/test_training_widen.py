"""Weights of a network in a wider one that says the same."""

from __future__ import annotations

import pytest
import torch

from banet.model.config import BANetConfig, InputSpec
from banet.model.network import BANet
from banet.training.widen import holds, widened

SPEC = InputSpec()
NARROW = BANetConfig(
    width=4,
    multipliers=(1, 2, 2),
    space_kernels=(3, 3, 3),
    time_kernels=(3, 3, 3),
    memory=(3, 12),
    lstm=False,
)
WIDER = {
    "as it is": {},
    "deeper stages": {"multipliers": (1, 2, 5)},
    "all stages": {"width": 6},
    "a span between and one before": {"memory": (1, 3, 7, 12)},
    "longer kernels": {"time_kernels": (5, 3, 7), "space_kernels": (3, 5, 3), "head_kernel": 5},
    "all of it": {"width": 5, "multipliers": (1, 2, 6), "memory": (1, 3, 12), "time_kernels": (5, 5, 5)},
}


def trained(config: BANetConfig, seed: int = 0) -> BANet:
    """A network with uneven weights and statistics."""
    torch.manual_seed(seed)
    model = BANet(config, SPEC).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.3, 1.5)
    return model


@pytest.mark.parametrize("change", WIDER.values(), ids=WIDER)
@torch.no_grad()
def test_a_wider_network_says_the_same(change: dict[str, object]) -> None:
    narrow = trained(NARROW)
    wide = trained(BANetConfig(**{**NARROW.model_dump(), **change}), seed=1)
    wide.load_state_dict(widened(narrow.state_dict(), NARROW, wide))
    x = torch.randn(1, 4, 16, 16, 16, generator=torch.Generator().manual_seed(2))
    expected = narrow(x)
    assert expected.std() > 0.02
    torch.testing.assert_close(wide(x), expected, atol=1e-5, rtol=1e-4)


def test_an_lstm_stays() -> None:
    config = NARROW.model_copy(update={"lstm": True})
    narrow, wide = trained(config), trained(config.model_copy(update={"multipliers": (1, 3, 3)}), seed=1)
    wide.load_state_dict(widened(narrow.state_dict(), config, wide))
    x = torch.randn(1, 4, 16, 16, 16, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(wide(x), narrow(x), atol=1e-5, rtol=1e-4)


def test_what_is_new_learns_in_two_steps() -> None:
    """New channels are read with weight 0: their readers move at once, they themselves after that."""
    wide = trained(NARROW.model_copy(update={"multipliers": (1, 2, 4)}), seed=1)
    wide.load_state_dict(widened(trained(NARROW).state_dict(), NARROW, wide))
    new, reader = wide.encoder[2].space.conv.weight, wide.encoder[2].time.conv.weight
    before = new[8:].clone()
    optimiser = torch.optim.Adam(wide.parameters(), 0.01)
    x = torch.randn(1, 4, 16, 16, 16, generator=torch.Generator().manual_seed(2))
    for step in range(2):
        optimiser.zero_grad()
        wide(x).square().mean().backward()
        assert (reader.grad[:8, 8:] != 0).any()
        optimiser.step()
        assert torch.equal(new[8:], before) == (step == 0)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 3},
        {"multipliers": (1, 2, 1)},
        {"multipliers": (1, 2), "space_kernels": (3, 3), "time_kernels": (3, 3)},
        {"memory": (3,)},
        {"memory": ()},
        {"time_kernels": (3, 1, 3)},
        {"head_kernel": 1},
        {"lstm": True},
        {"classes": 2},
    ],
)
def test_what_does_not_fit(change: dict[str, object]) -> None:
    assert not holds(BANetConfig(**{**NARROW.model_dump(), **change}), NARROW)
    assert holds(NARROW.model_copy(update={"channels": 7, "dropout": 0.5}), NARROW)
