"""Scores by land cover of the cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from banet.evaluation.measures.agreement import figures_of
from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["Covers"]


class Covers(Measure):
    """Agreement and dates by the class `cover` of the cells; nothing where the pair has none."""

    name = "covers"
    tables = (
        MeasureTable(
            "covers",
            "Dice by land cover",
            "By the most frequent cover of the cell.",
            lambda whole: {name: Number(scores["dice"], 2) for name, scores in whole["covers"].items()},
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return, as one group and by name of the cover, hectares as in an error matrix, then dates.

        Returns:
            (1, 8) each: both, map only, reference only, neither; days of difference, cells that both date,
            cells with a stated uncertainty, those whose difference it covers.
        """
        plane = pair.classes.get("cover")
        if plane is None:
            return {}
        dates = [np.abs(pair.late), np.ones(pair.late.size), *pair.stated]
        found = {}
        for number, name in enumerate(pair.labels["cover"]):
            here, dated = pair.cells.valid & (plane == number), plane[pair.both_dated] == number
            row = [pair.cells.area[here & part].sum() for part in pair.outcomes]
            found[name] = np.array([row + [float(part[dated].sum()) for part in dates]])
        return found

    def value(self, sums: Arrays) -> Tree:
        """Return scores of each cover on which something burned in the reference."""
        return {"covers": {k: _scores(v) for k, v in sums.items() if v[0] + v[2] > 0}}

    def rows(self, whole: Tree) -> list[Row]:
        """Return one row a cover."""
        return [{"cover": name} | scores for name, scores in whole["covers"].items()]


def _scores(sums: Any) -> dict[str, float]:
    both, map_only, reference_only, _, days, dated, stated, covered = (float(v) for v in sums)
    figures = {name: float(value) for name, value in figures_of(sums[:4]).items()}
    return figures | {
        "mean_absolute_days": float(ratio(days, dated)),
        "covered": float(ratio(covered, stated)),
        "map_ha": both + map_only,
        "reference_ha": both + reference_only,
    }
