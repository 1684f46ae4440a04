"""The network: its shape, what it refuses, what it computes against recorded numbers, padding."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model_golden import GOLDEN, golden_input, golden_state
from torch import nn

from banet.errors import InputError
from banet.model.compat import from_published, published_names
from banet.model.config import BANetConfig
from banet.model.network import BANet, ConvNorm, PixelLSTM, pad_to_multiple

SMALL = BANetConfig(width=2, multipliers=(1, 2), space_kernels=(3, 3), time_kernels=(3, 3), dropout=0.0)


def test_original_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in BANet().parameters()) == 3_415_361


def published_shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        ours = BANet().state_dict()
    return {theirs: tuple(ours[name].shape) for theirs, name in published_names().items()}


@pytest.fixture(scope="module")
def golden_model() -> BANet:
    config, state = from_published(golden_state(published_shapes()))
    model = BANet(config)
    model.load_state_dict(state)
    return model.eval()


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text())["cases"], ids=lambda c: str(c["shape"]))
def test_output_equals_the_numbers_recorded_from_the_original(golden_model: BANet, case: dict) -> None:
    with torch.inference_mode():
        out = golden_model(golden_input(*case["shape"])).double().flatten().numpy()
    np.testing.assert_allclose(out[:: case["step"]], case["logits"], rtol=0, atol=1e-5)
    assert np.std(case["logits"]) > 0.01


@pytest.mark.parametrize("config", [SMALL, SMALL.model_copy(update={"lstm": False}), BANetConfig.lean(4)])
def test_any_shape_of_network_gives_the_shape_of_its_input(config: BANetConfig) -> None:
    t, h, w = config.multiple
    out = BANet(config)(torch.zeros(2, 4, t, h, 2 * w))
    assert out.shape == (2, 1, t, h, 2 * w)
    out.sum().backward()


def test_norm_is_frame_by_frame_with_shared_statistics() -> None:
    torch.manual_seed(0)
    layer = BANet(SMALL).encoder[0].space.train()
    x = torch.randn(2, 4, 3, 8, 8)
    y = layer.conv(x)
    frames = nn.BatchNorm2d(2)
    expected = frames(y.transpose(1, 2).flatten(0, 1)).unflatten(0, (2, 3)).transpose(1, 2)
    torch.testing.assert_close(layer.norm(y), expected)
    torch.testing.assert_close(layer.norm.running_var, frames.running_var)


def test_lstm_treats_cells_alike_and_days_in_order() -> None:
    torch.manual_seed(0)
    lstm = PixelLSTM(3)
    x = torch.randn(2, 3, 5, 4, 4)
    out = lstm(x)
    torch.testing.assert_close(lstm(x.flip(-1)), out.flip(-1))
    later = x.clone()
    later[:, :, 3:] += 1
    torch.testing.assert_close(lstm(later)[:, :, :3], out[:, :, :3])
    assert not torch.allclose(lstm(later)[:, :, 3:], out[:, :, 3:])


@pytest.mark.parametrize(
    "shape", [(1, 3, 2, 4, 4), (4, 2, 4, 4), (1, 4, 3, 4, 4), (1, 4, 2, 6, 4), (1, 4, 2, 4, 0)], ids=str
)
def test_wrong_inputs_are_refused_with_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\(2, 4, 4\)|batch, 4, days"):
        BANet(SMALL)(torch.zeros(shape))


@given(shape=st.tuples(*[st.integers(1, 9)] * 3), multiple=st.tuples(*[st.integers(1, 5)] * 3))
@settings(max_examples=50, deadline=None)
def test_padding_reaches_the_next_multiple_and_keeps_the_content(
    shape: tuple[int, int, int], multiple: tuple[int, int, int]
) -> None:
    x = torch.arange(2 * np.prod(shape), dtype=torch.float32).view(2, *shape)
    out = pad_to_multiple(x, multiple, fill=(-1.0, -2.0))
    t, h, w = shape
    assert all(n % m == 0 and n - old < m for n, m, old in zip(out.shape[1:], multiple, shape, strict=True))
    assert torch.equal(out[:, :t, :h, :w], x)
    for channel, fill in zip(out, (-1.0, -2.0), strict=True):
        assert (channel == fill).sum() == channel.numel() - np.prod(shape)


def test_padding_refuses_and_leaves_alone() -> None:
    x = torch.zeros(4, 2, 4, 4)
    assert pad_to_multiple(x, (2, 4, 4)) is x
    with pytest.raises(InputError, match="one number or 4"):
        pad_to_multiple(x, (3, 4, 4), fill=(0.0, 1.0))
    with pytest.raises(InputError, match="channels, days"):
        pad_to_multiple(x[0], (3, 4, 4))


def _plain(layer: ConvNorm, x: torch.Tensor) -> torch.Tensor:
    return torch.relu(layer.norm(layer.conv(x)))


@pytest.mark.parametrize("batch", [1, 2])
def test_activations_keep_their_channels_last(batch: int) -> None:
    model = BANet(SMALL)
    seen: list[torch.Tensor] = []
    layers = [layer for layer in model.modules() if isinstance(layer, ConvNorm)]
    for layer in layers:
        layer.register_forward_hook(lambda _, given, out: seen.extend((*given, out)))
    model(torch.randn(batch, model.config.channels, 8, 16, 16))
    assert len(seen) == 2 * len(layers)
    last = torch.channels_last_3d
    assert all(each.is_contiguous(memory_format=last) for each in seen)


@pytest.mark.parametrize(
    "layer",
    [
        ConvNorm(3, 5, (1, 5, 5), (1, 2, 2)),
        ConvNorm(3, 5, (7, 1, 1), (2, 1, 1)),
        ConvNorm(3, 5, (1, 2, 2), (1, 2, 2), up=True),
        ConvNorm(3, 5, (2, 1, 1), (2, 1, 1), up=True),
    ],
)
@pytest.mark.parametrize(("training", "momentum"), [(True, 0.1), (True, None), (False, 0.1)])
def test_flat_convolutions_give_the_numbers_and_slopes_of_three_dimensional_ones(
    layer: ConvNorm, training: bool, momentum: float | None
) -> None:
    layer.norm.momentum = momentum
    flat, plain = layer.double().train(training), copy.deepcopy(layer).double().train(training)
    x = torch.randn(2, 3, 8, 6, 10, dtype=torch.float64)
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        found, expected = flat(x.contiguous(memory_format=layout)), _plain(plain, x)
        torch.testing.assert_close(found, expected)
        for model, out in ((flat, found), (plain, expected)):
            model.zero_grad()
            out.square().sum().backward()
        torch.testing.assert_close(flat.conv.weight.grad, plain.conv.weight.grad)
        torch.testing.assert_close(flat.norm.weight.grad, plain.norm.weight.grad)
        torch.testing.assert_close(flat.norm.state_dict(), plain.norm.state_dict())
