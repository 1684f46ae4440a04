"""Intervals of scores by drawing blocks of cells anew.

Neighbouring cells burn together, so cells are no independent sample; square blocks wider than most fires
nearly are. Blocks are drawn with replacement, the sums added, the measures computed from the sums.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from banet.evaluation.matrix import measures
from banet.evaluation.tally import Tally

__all__ = ["Interval", "intervals"]

Interval = tuple[float, float]
_AT_ONCE = 200


def intervals(sums: Tally, *, draws: int = 1000, level: float = 0.95, seed: int = 0) -> dict[str, Interval]:
    """Return the interval of each measure by block bootstrap (percentiles of the draws).

    Args:
        sums: by block.
        draws: number of draws.
        level: of the interval.
        seed: of the draws.

    Returns:
        dice, commission, omission, relative_bias, soft_dice, mean_days, mean_absolute_days, within_0,
        within_2, covered: (low, high); NaN where a measure is not defined in any draw.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, list[npt.NDArray[np.float64]]] = {}
    for first in range(0, draws, _AT_ONCE):
        count = min(_AT_ONCE, draws - first)
        weights = rng.multinomial(sums.groups, np.full(sums.groups, 1 / sums.groups), size=count)
        for name, drawn in _measures(sums.drawn(weights)).items():
            values.setdefault(name, []).append(drawn)
    tails = [(1 - level) / 2, (1 + level) / 2]
    return {name: _percentiles(np.concatenate(parts), tails) for name, parts in values.items()}


def _percentiles(values: npt.NDArray[np.float64], tails: list[float]) -> Interval:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, tails)
    return float(low), float(high)


def _measures(drawn: Tally) -> dict[str, npt.NDArray[np.float64]]:
    days = np.arange(drawn.dates.shape[-1]) - drawn.dates.shape[-1] // 2
    count = drawn.dates.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        dates = {
            "mean_days": drawn.dates @ days / count,
            "mean_absolute_days": drawn.dates @ np.abs(days) / count,
            "within_0": drawn.dates @ (days == 0) / count,
            "within_2": drawn.dates @ (np.abs(days) <= 2) / count,
            "covered": drawn.stated[:, 1] / drawn.stated[:, 0],
        }
    return measures(drawn.hard) | {"soft_dice": measures(drawn.soft)["dice"]} | dates
