"""The memory of a network against sums written out day by day."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from banet.model.config import BANetConfig, InputSpec
from banet.model.engine import Engine
from banet.model.network import BANet
from banet.model.temporal_context import TemporalContext, context_channels

SPEC = InputSpec(mean=(0.2, 0.3, 0.1, 0.0), std=(0.2, 0.15, 0.05, 1.0))
SPANS = (2.0, 9.0)
SMALL = {"width": 4, "multipliers": (1, 2), "space_kernels": (3, 3), "time_kernels": (3, 3)}


def days(rng: np.random.Generator, count: int = 8, size: int = 4) -> torch.Tensor:
    """Normalised days of which half were not observed."""
    light = rng.uniform(0.02, 0.5, (3, count, size, size))
    light[:, rng.random((count, size, size)) < 0.5] = 0
    heat = np.log1p(rng.exponential(3, (1, count, size, size)) * (rng.random((count, size, size)) < 0.1))
    planes = np.concatenate([light, heat])
    mean, std = (np.reshape(v, (4, 1, 1, 1)) for v in (SPEC.mean, SPEC.std))
    return torch.from_numpy(((planes - mean) / std).astype(np.float32))


def by_hand(memory: TemporalContext, x: np.ndarray) -> np.ndarray:
    """What a memory adds to one cell's days (channels, T): (T, added) by loops over pairs of days."""
    count = x.shape[1]
    physical = x * np.array(SPEC.std)[:, None] + np.array(SPEC.mean)[:, None]
    rows = []
    looks = []
    for t in range(count):
        red, nir, mir, heat = physical[:, t]
        seen = float(max(red, nir, mir) > 2e-4)
        index = 2 * (nir - mir) / max(nir + mir, 0.02)
        values = np.array([*x[:3, t], index])
        with torch.no_grad():
            hidden = torch.relu(memory.judge(torch.tensor(values, dtype=torch.float32)))
            clear = seen * torch.sigmoid(memory.weigh(hidden)).numpy()
        looks.append((values, clear, heat))
        rows.append([seen, index * seen, *clear])
    for t in range(count):
        for side in (0, 1):
            means, weights, heats = [], [], []
            for span in SPANS:
                total, kept, warm = 0.0, np.zeros(4), 0.0
                for s, (values, clear, heat) in enumerate(looks):
                    if (s < t) if side == 0 else (s >= t):
                        apart = t - s - 1 if side == 0 else s - t
                        share = math.exp(-apart / span)
                        total += share * clear[side]
                        kept += share * clear[side] * values
                        warm += share * heat
                means += list(kept / (total + 0.02))
                weights.append(total / (1 + total))
                heats.append(0.3 * warm)
            rows[t] += means + weights + heats
    return np.array(rows)


def test_a_memory_is_the_weighted_mean_of_the_clear_looks_before_and_after_each_day() -> None:
    torch.manual_seed(1)
    memory = TemporalContext(BANetConfig(memory=SPANS), SPEC)
    x = days(np.random.default_rng(0))
    with torch.no_grad():
        found = memory(x[None])[0]
    assert found.shape[0] == 4 + context_channels(SPANS) == 32
    torch.testing.assert_close(found[:4], x)
    for row, col in ((0, 0), (3, 1)):
        np.testing.assert_allclose(
            found[4:, :, row, col].T.numpy(), by_hand(memory, x[:, :, row, col].numpy()), atol=2e-5
        )


def test_a_cell_that_was_never_seen_remembers_nothing() -> None:
    memory = TemporalContext(BANetConfig(memory=SPANS), SPEC)
    x = torch.tensor(SPEC.missing)[:, None, None, None].expand(4, 8, 2, 2)
    with torch.no_grad():
        assert memory(x[None])[0, 4:].abs().max() < 1e-6


def test_the_engine_computes_a_network_with_a_temporal_context() -> None:
    torch.manual_seed(2)
    model = BANet(BANetConfig(memory=SPANS, lstm=False, **SMALL), SPEC).eval()
    x = days(np.random.default_rng(1), count=16, size=24)
    with torch.inference_mode():
        expected = model(x[None])[0, 0]
    found = Engine([model], "torch", threads=2).logits(x)[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def test_without_spans_there_is_no_memory() -> None:
    assert context_channels(()) == 0
    assert BANet(BANetConfig(lstm=False, **SMALL)).memory is None


def test_a_memory_needs_the_channels_that_it_remembers() -> None:
    spec = InputSpec(channels=("red", "nir", "frp"), mean=(0.2, 0.3, 0.0), std=(0.2, 0.2, 1.0))
    with pytest.raises(ValueError, match="mir"):
        BANet(BANetConfig(channels=3, memory=SPANS, lstm=False, **SMALL), spec)


def test_spans_are_days_above_zero() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        BANetConfig(memory=(0.0,))
