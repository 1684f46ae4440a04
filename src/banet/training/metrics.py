"""Scores of daily maps against daily truth: the measures of `banet.evaluation` and the map's dating."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY, DatingRule, summarise
from banet.days import NO_DATE
from banet.evaluation.compare import Comparison
from banet.evaluation.measures import HEADLINE, Pair
from banet.evaluation.sums import Sums
from banet.grid.region import Region

__all__ = ["active_fire_map", "measured", "scores_of"]

Floats = npt.NDArray[np.float32]

_FIRST = np.datetime64("2000-01-01", "D")
_HALF = 0.5 - 1e-6
"""Fractions that add up to 0.5 in steps of 1/200 may fall short of it by rounding in binary."""

_LEAST_SHOWN = 0.1
"""Recall is told for classes of true burned fraction from here on."""


def measured(
    daily: Floats, truth: Floats, *, dating: DatingRule | None = None, threshold: float = 0.5
) -> Sums:
    """Measure a daily map of a chip, each cell counting as one.

    Args:
        daily: (T, rows, columns) mapped daily burned fraction or probability.
        truth: (T, rows, columns) true daily burned fraction; cells with a NaN are left out.
        dating: how the map dates, as in `banet.burned_area.dating.summarise`.
        threshold: burned fraction from which a cell of the map counts as burned.
    """
    known = np.asarray(np.isfinite(truth).all(0))
    true = np.minimum(np.nan_to_num(truth).sum(0, dtype=np.float64), 1)
    found = summarise(np.asarray(daily, np.float32), threshold, dating)
    spread = np.where(found.uncertainty == NO_UNCERTAINTY, np.nan, found.uncertainty)
    rows, cols = known.shape
    days = truth.shape[0]
    cells = Comparison(
        region=Region("chip", (0, 0, round(cols * 0.01, 2), round(rows * 0.01, 2)), 0.01),
        area=np.ones(known.shape),
        valid=known,
        unseen=np.zeros(known.shape, bool),
        map_fraction=found.burned_fraction.astype(np.float64),
        reference_fraction=true,
        map_burned=found.day >= 0,
        reference_burned=true >= _HALF,
        reference_known=known,
        map_date=np.where(found.day >= 0, _FIRST + np.maximum(found.day, 0), NO_DATE),
        reference_date=np.where(true > 0, _FIRST + np.nan_to_num(truth).argmax(0), NO_DATE),
        map_uncertainty=spread,
        map_first_look=np.full(known.shape, np.nan),
        map_confidence=found.burned_fraction.astype(np.float64),
        start=_FIRST,
        stop=_FIRST + days,
    )
    return Sums.of(Pair.of(cells), HEADLINE)


def scores_of(sums: Sums) -> dict[str, float | None]:
    """Return the scores by name, rounded; `recall_10_25` is that of true fractions 0.10 to 0.25."""
    said = sums.value(HEADLINE)
    matrix, dating = said["hard"], said["dating"]
    scores = {name: getattr(matrix, name) for name in ("dice", "commission", "omission")}
    scores |= {"date_error": dating.mean_absolute, "date_bias": dating.mean}
    for one in said["classes"]:
        if one.low >= _LEAST_SHOWN:
            scores[f"recall_{100 * one.low:.0f}_{100 * one.high:.0f}"] = one.cell_recall
    return {name: None if math.isnan(value) else round(value, 4) for name, value in scores.items()}


def active_fire_map(frp: Floats) -> Floats:
    """Return what accumulated active fires would map: 1 on the first day of a cell's detections, else 0.

    Args:
        frp: (T, rows, columns) MW; NaN counts as no detection.

    Returns:
        (T, rows, columns) float32.
    """
    hot = np.nan_to_num(frp, nan=0.0) > 0
    return np.asarray(hot & (np.cumsum(hot, 0) == 1), np.float32)
