"""Stated date intervals: how wide they are, and how often they hold the reference's day."""

from __future__ import annotations

import numpy as np

from banet.evaluation.measures.measure import Arrays, Measure, Pair, Tree, ratio

__all__ = ["Uncertainty"]

WIDTHS = 31
"""Stated uncertainties are counted by day from 0; the last count holds longer ones."""


class Uncertainty(Measure):
    """Cells that both sides date by the map's stated days, and those whose difference is within them."""

    name = "uncertainty"

    def sums(self, pair: Pair) -> Arrays:
        """Return counts by stated days, all and covered."""
        spread = np.nan_to_num(pair.cells.map_uncertainty[pair.both_dated])
        day = np.minimum(spread, WIDTHS - 1).astype(np.int64)
        return {"widths": pair.columns(pair.both_dated, *pair.stated, kind=day, kinds=WIDTHS)}

    def value(self, sums: Arrays) -> Tree:
        """Return the mean of what is stated (over 30 days count as 30) and the counts."""
        widths = sums["widths"]
        mean = float(ratio(widths[:, 0] @ np.arange(WIDTHS), widths[:, 0].sum()))
        return {"uncertainty": {"mean_days": mean, "cells_and_covered_by_days": widths.tolist()}}
