"""Learning rate of a run by step."""

from __future__ import annotations

import math

import torch

from banet.training.config import OptimiserConfig

__all__ = ["rate_factor", "run_progress", "set_rates"]

_START, _END = 1 / 25, 1e-5


def run_progress(step: int, minutes: float, config: OptimiserConfig) -> float:
    """Return how much of the run is behind, 0..1: by steps, or by the clock where that is ahead."""
    by_steps = step / config.steps
    by_clock = minutes / config.max_minutes if config.max_minutes else 0.0
    return min(1.0, max(by_steps, by_clock))


def rate_factor(progress: float, config: OptimiserConfig) -> float:
    """Return the learning rate over its peak at `progress` (0..1) of the run.

    One-cycle climbs from 1/25 and ends at 1e-5, both along a cosine, as fastai's does.
    """
    if config.schedule == "constant":
        return 1.0
    if progress < config.warmup:
        share = progress / config.warmup
        return _START + (1 - _START) * (share if config.schedule == "cosine" else _climb(share))
    share = (progress - config.warmup) / (1 - config.warmup) if config.warmup < 1 else 1.0
    return 1 + (_END - 1) * _climb(share)


def set_rates(optimiser: torch.optim.Optimizer, progress: float, config: OptimiserConfig) -> float:
    """Set rate, and momentum if it cycles, of every group for `progress`; return the rate of the fastest."""
    factor = rate_factor(progress, config)
    for group in optimiser.param_groups:
        group["lr"] = config.learning_rate * factor * group["factor"]
        if config.momentum is not None and config.schedule == "one-cycle":
            high, low = config.momentum
            group["betas"] = (high + (low - high) * factor, group["betas"][1])
    return config.learning_rate * factor


def _climb(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2
