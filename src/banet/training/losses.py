"""Losses of training: fraction of each cell-day, the summed map, its burned cells, and the day.

Logits and targets are (batch, T, H, W); a target is the fraction of the cell that burned on the day, NaN
where it is not known. Cell-days that are not known enter no term.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from banet.training.config import LossConfig

__all__ = [
    "Losses",
    "daily_cross_entropy",
    "date_cross_entropy",
    "mapped_dice_loss",
    "smear_days",
    "summed_dice_loss",
    "total_loss",
]

_EPS = 1e-6
_HALF, _SOFTNESS = 0.5, 0.1


class Losses(NamedTuple):
    """The terms of the loss, unweighted, and their weighted sum."""

    total: Tensor
    bce: Tensor
    dice: Tensor
    date: Tensor
    mapped: Tensor


def total_loss(logits: Tensor, target: Tensor, config: LossConfig) -> Losses:
    """Return the weighted sum of the terms of `config` and each of them; a term of weight 0 is 0.

    Args:
        logits: (batch, T, H, W).
        target: (batch, T, H, W); NaN = not known.
        config: weights of the terms.
    """
    zero = logits.new_zeros(())
    known = torch.isfinite(target)
    target = torch.where(known, target, 0.0)
    bce = daily_cross_entropy(logits, target, known, config.positive_weight) if config.bce else zero
    dice = summed_dice_loss(logits, target, known) if config.dice else zero
    date = date_cross_entropy(logits, target, known, config.date_spread) if config.date else zero
    mapped = mapped_dice_loss(logits, target, known) if config.mapped else zero
    total = config.bce * bce + config.dice * dice + config.date * date + config.mapped * mapped
    return Losses(total, bce, dice, date, mapped)


def daily_cross_entropy(
    logits: Tensor, target: Tensor, known: Tensor, positive_weight: float = 1.0
) -> Tensor:
    """Return the mean binary cross-entropy of soft targets over the known cell-days.

    Args:
        logits: (batch, T, H, W).
        target: (batch, T, H, W) without NaN.
        known: (batch, T, H, W) bool.
        positive_weight: factor on the burned part, target x -log p.
    """
    weight = logits.new_tensor(positive_weight)
    each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none", pos_weight=weight)
    return (each * known).sum() / known.sum().clamp(min=1)


def summed_dice_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return 1 - Dice of the burned maps that the days add up to, over the whole batch.

    Both maps are the sum over days, at most 1. With soft maps p and t it is
    2 sum(p t) / (sum(p^2) + sum(t^2)), which is 1 for p = t (the form with plain sums is not). A batch
    without fire counts by how little is mapped.
    """
    p = (torch.sigmoid(logits) * known).sum(1).clamp(max=1)
    t = (target * known).sum(1).clamp(max=1)
    # One cell's worth keeps the term finite, and smooth where there is little or no fire.
    return 1 - (2 * (p * t).sum() + 1) / (p.square().sum() + t.square().sum() + 1)


def mapped_dice_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return 1 - Dice of the cells that a map shows burned and those of which at least half burned.

    This is what maps are judged by. A cell counts as mapped by how far its sum over days is above 0.5, by a
    logistic of width 0.1 that is 0 at a sum of 0 and 1 at 1, so that the cells in doubt are those that move
    and the many of which nothing is said add nothing.
    """
    total = torch.sigmoid(((torch.sigmoid(logits) * known).sum(1) - _HALF) / _SOFTNESS)
    none = 1 / (1 + math.exp(_HALF / _SOFTNESS))
    p = ((total - none) / (1 - 2 * none)).clamp(max=1)
    t = ((target * known).sum(1) >= _HALF - _EPS).to(p.dtype)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


def date_cross_entropy(logits: Tensor, target: Tensor, known: Tensor, spread: float = 0.0) -> Tensor:
    """Return how far the daily probabilities of burned cells, made to add up to 1, are from their true days.

    It is -sum_d q_d log(p_d / sum_d p_d), q the true daily fractions made to add up to 1 and smeared by
    `spread` days, averaged over burned cells by their burned fraction.

    Args:
        logits: (batch, T, H, W).
        target: (batch, T, H, W) without NaN.
        known: (batch, T, H, W) bool; a cell counts where all its days are known.
        spread: standard deviation in days; 0 for none.
    """
    burned = target.sum(1)
    weight = burned.clamp(max=1) * known.all(1)
    q = target / burned.unsqueeze(1).clamp(min=_EPS)
    if spread > 0:
        q = smear_days(q, spread)
    log_p = functional.logsigmoid(logits)
    each = -(q * (log_p - torch.logsumexp(log_p, 1, keepdim=True))).sum(1)
    return (each * weight).sum() / weight.sum().clamp(min=_EPS)


def smear_days(q: Tensor, spread: float) -> Tensor:
    """Smear (batch, T, H, W) over neighbouring days by a normal kernel; each cell's sum over days stays."""
    days = max(1, round(3 * spread))
    offsets = torch.arange(-days, days + 1, dtype=q.dtype, device=q.device)
    kernel = torch.exp(-0.5 * (offsets / spread) ** 2)
    smeared = functional.conv3d(
        q.unsqueeze(1), (kernel / kernel.sum()).reshape(1, 1, -1, 1, 1), padding=(days, 0, 0)
    )
    smeared = smeared.squeeze(1)
    kept = smeared.sum(1, keepdim=True) / q.sum(1, keepdim=True).clamp(min=_EPS)
    return smeared / kept.clamp(min=_EPS)
