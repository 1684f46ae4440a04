"""Scores at many thresholds on the map's burned fraction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.measures.agreement import figures_of
from banet.evaluation.measures.measure import Arrays, Measure, Pair, Tree

__all__ = ["THRESHOLDS", "Thresholds"]

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))


class Thresholds(Measure):
    """Error matrix at each threshold; the reference's own stays.

    Args:
        steps: thresholds above 0 and at most 1, rising; 0.05 to 0.95 by default.

    Raises:
        InputError: if one is out of range.
    """

    name = "thresholds"

    def __init__(self, steps: npt.ArrayLike = THRESHOLDS):
        self.steps = np.asarray(steps, np.float64)
        if not (self.steps.size and self.steps.min() > 0 and self.steps.max() <= 1):
            raise InputError(f"thresholds {self.steps.tolist()} must be above 0 and at most 1")

    def sums(self, pair: Pair) -> Arrays:
        """Return hectares in both, map only, reference only, neither at each threshold."""
        c, n = pair.cells, self.steps.size
        burned = c.reference_burned[c.valid]
        reached = np.searchsorted(self.steps - 1e-6, c.map_fraction[c.valid], side="right")
        # Hectares of each number of thresholds reached; those above a threshold are the sum of the rest.
        sides = [pair.add(c.valid, pair.area * part, reached, n + 1) for part in (burned, ~burned)]
        above = [np.cumsum(side[:, :0:-1], axis=1)[:, ::-1] for side in sides]
        below = [side.sum(axis=1, keepdims=True) - part for side, part in zip(sides, above, strict=True)]
        return {"matrices": np.stack([*above, *below], axis=-1)}

    def value(self, sums: Arrays) -> Tree:
        """Return the curve, and the threshold of the largest Dice."""
        figures = figures_of(sums["matrices"])
        known = np.isfinite(figures["dice"]).any()
        best = float(self.steps[np.nanargmax(figures["dice"])]) if known else float("nan")
        columns = {"threshold": self.steps} | figures
        rows = [{name: float(part[k]) for name, part in columns.items()} for k in range(self.steps.size)]
        return {"thresholds": rows, "best_threshold": best}
