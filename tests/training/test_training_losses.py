"""The terms of the loss against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from banet.training.config import LossConfig
from banet.training.losses import (
    daily_cross_entropy,
    date_cross_entropy,
    mapped_dice_loss,
    smear_days,
    summed_dice_loss,
    total_loss,
)


def logit(*probabilities: float) -> torch.Tensor:
    """Logits of one cell over its days, (1, T, 1, 1)."""
    return torch.logit(torch.tensor(probabilities, dtype=torch.float64)).reshape(1, -1, 1, 1)


def cell(*fractions: float) -> torch.Tensor:
    return torch.tensor(fractions, dtype=torch.float64).reshape(1, -1, 1, 1)


def known(*days: bool) -> torch.Tensor:
    return torch.tensor(days).reshape(1, -1, 1, 1)


def test_cross_entropy_of_soft_targets() -> None:
    # -(0.5 ln 0.2 + 0.5 ln 0.8) and -ln 0.9, of two days.
    by_hand = (-(0.5 * math.log(0.2) + 0.5 * math.log(0.8)) - math.log(0.9)) / 2
    got = daily_cross_entropy(logit(0.2, 0.1), cell(0.5, 0), known(True, True))
    assert got.item() == pytest.approx(by_hand)
    # The burned part weighs three times, the unburned once.
    by_hand = (-(3 * 0.5 * math.log(0.2) + 0.5 * math.log(0.8)) - math.log(0.9)) / 2
    got = daily_cross_entropy(logit(0.2, 0.1), cell(0.5, 0), known(True, True), 3.0)
    assert got.item() == pytest.approx(by_hand)


def test_cross_entropy_leaves_out_what_is_not_known() -> None:
    got = daily_cross_entropy(logit(0.2, 0.99), cell(1, 0), known(True, False))
    assert got.item() == pytest.approx(-math.log(0.2))
    assert daily_cross_entropy(logit(0.2), cell(1), known(False)).item() == 0


def test_dice_of_summed_days() -> None:
    # Days 0.3 + 0.4 = 0.7 against 0.5 + 0 = 0.5: 1 - (2 * 0.35 + 1) / (0.49 + 0.25 + 1).
    got = summed_dice_loss(logit(0.3, 0.4), cell(0.5, 0), known(True, True))
    assert got.item() == pytest.approx(1 - 1.7 / 1.74)
    # The sum is at most 1: 0.8 + 0.9 counts as 1.
    got = summed_dice_loss(logit(0.8, 0.9), cell(0, 1), known(True, True))
    assert got.item() == pytest.approx(1 - 3 / 3)
    # A day that is not known enters neither map.
    got = summed_dice_loss(logit(0.3, 0.4), cell(0.5, 1), known(True, False))
    assert got.item() == pytest.approx(1 - (2 * 0.15 + 1) / (0.09 + 0.25 + 1))


def test_dice_of_mapped_cells() -> None:
    # A cell at 0.5 is half mapped; one far above is mapped, one far below is not.
    got = mapped_dice_loss(logit(0.3, 0.2), cell(0.4, 0.2), known(True, True))
    assert got.item() == pytest.approx(1 - (2 * 0.5 + 1) / (0.5 + 1 + 1))
    right = mapped_dice_loss(logit(0.9, 0.9), cell(0.25, 0.25), known(True, True))
    assert right.item() == pytest.approx(0, abs=1e-4)
    missed = mapped_dice_loss(logit(0.01, 0.01), cell(0.5, 0.4), known(True, True))
    assert missed.item() == pytest.approx(0.5, abs=0.02)
    # A cell of which less than half burned is none, and what is not known neither counts nor burns.
    assert mapped_dice_loss(logit(0.01, 0.01), cell(0.3, 0.1), known(True, True)).item() < 0.02
    assert mapped_dice_loss(logit(0.01, 0.9), cell(0.3, 0.9), known(True, False)).item() < 0.02


def test_cells_of_which_nothing_is_said_add_nothing_to_the_dice_of_mapped_cells() -> None:
    """However many there are, known or not, what a few cells cost is the same."""
    probability = torch.full((1, 1, 64, 64), 1e-9, dtype=torch.float64)
    target = torch.zeros_like(probability)
    probability[0, 0, 0, :8], target[0, 0, 0, :5] = 1 - 1e-9, 1
    for shown in (slice(0, 1), slice(0, 64)):
        seen = torch.zeros_like(target, dtype=torch.bool)
        seen[0, 0, shown] = True
        got = mapped_dice_loss(torch.logit(probability), target, seen)
        assert got.item() == pytest.approx(1 - (2 * 5 + 1) / (8 + 5 + 1))


def test_date_term_of_two_days() -> None:
    # p = 0.6, 0.2 make 3/4, 1/4; all burned on the first day.
    got = date_cross_entropy(logit(0.6, 0.2), cell(1, 0), known(True, True))
    assert got.item() == pytest.approx(-math.log(0.75), abs=1e-5)
    # Burned in equal parts on both.
    got = date_cross_entropy(logit(0.6, 0.2), cell(0.4, 0.4), known(True, True))
    assert got.item() == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2, abs=1e-5)
    # Unburned, or not wholly known: no date to learn.
    assert date_cross_entropy(logit(0.6, 0.2), cell(0, 0), known(True, True)).item() == 0
    assert date_cross_entropy(logit(0.6, 0.2), cell(1, 0), known(True, False)).item() == 0


def test_date_term_weighs_cells_by_burned_fraction() -> None:
    logits = torch.cat((logit(0.6, 0.2), logit(0.1, 0.4)), 3)
    target = torch.cat((cell(0.9, 0), cell(0.1, 0)), 3)
    by_hand = -(0.9 * math.log(0.75) + 0.1 * math.log(0.2))
    got = date_cross_entropy(logits, target, torch.ones(1, 2, 1, 2, dtype=torch.bool))
    assert got.item() == pytest.approx(by_hand, abs=1e-5)


def test_smearing_by_hand_and_at_the_edge() -> None:
    q = cell(0, 0, 0, 1, 0, 0, 0)
    weights = [math.exp(-0.5 * d * d) for d in range(-3, 4)]
    expected = [w / sum(weights) for w in weights]
    torch.testing.assert_close(smear_days(q, 1.0).flatten(), torch.tensor(expected, dtype=torch.float64))
    edge = smear_days(cell(1, 0, 0, 0, 0), 0.5).flatten()
    assert edge.sum().item() == pytest.approx(1) and edge[0] > edge[1] > edge[2]


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6))
def test_the_truth_is_the_best_answer(fractions: list[float]) -> None:
    target = cell(*fractions) / sum(fractions) * 0.9
    all_known = torch.ones_like(target, dtype=torch.bool)
    other = logit(*([0.9 / len(fractions)] * len(fractions)))
    for term in (daily_cross_entropy, summed_dice_loss, date_cross_entropy):
        assert term(torch.logit(target), target, all_known) <= term(other, target, all_known) + 1e-6


def test_total_weighs_its_terms_and_takes_missing_targets() -> None:
    logits, target = logit(0.3, 0.4, 0.2), cell(0.5, 0, math.nan)
    config = LossConfig(bce=2, dice=3, date=5, positive_weight=1)
    losses = total_loss(logits, target, config)
    assert losses.total.item() == pytest.approx((2 * losses.bce + 3 * losses.dice + 5 * losses.date).item())
    assert losses.date.item() == 0
    one = total_loss(logits, target, LossConfig(bce=1, dice=0, date=0))
    assert one.total.item() == pytest.approx(losses.bce.item())
    assert (one.dice.item(), one.date.item()) == (0, 0)


def test_gradients_are_finite_where_nothing_is_known_and_far_out() -> None:
    logits = torch.tensor([-80.0, 0.0, 80.0, 5.0]).reshape(1, 4, 1, 1).requires_grad_()
    for target in (cell(1, 0, 0, 0).float(), torch.full((1, 4, 1, 1), math.nan), torch.zeros(1, 4, 1, 1)):
        (gradient,) = torch.autograd.grad(total_loss(logits, target, LossConfig()).total, logits)
        assert torch.isfinite(gradient).all()
