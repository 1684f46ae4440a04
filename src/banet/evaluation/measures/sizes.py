"""Scores by size of fire: omission by the reference's fires, commission by the map's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from banet.burned_area.fires import MAX_GAP_DAYS
from banet.burned_area.linking import MAX_GAP_CELLS, SCORED_GAP_DAYS, label_fires
from banet.evaluation.measures.measure import Arrays, Bools, Measure, MeasureTable, Pair, Reals, Tree, ratio
from banet.io.tables import Number

__all__ = ["SIZE_EDGES", "Sizes"]

SIZE_EDGES = (0.0, 100.0, 500.0, 1000.0, 5000.0, 20000.0, float("inf"))
"""Hectares; a fire on an edge belongs to the class above."""


class Sizes(Measure):
    """Fires found and false fires by their hectares; cells belong to one fire as `label_fires` says."""

    name = "sizes"
    file = "fire_size"
    tables = (
        MeasureTable(
            "sizes",
            "Fires found, by size",
            "Share of the truth's fires of which the map shows a cell. Cells within "
            f"{MAX_GAP_CELLS} cells and {SCORED_GAP_DAYS} days of each other are one fire; "
            f"`banet events` takes {MAX_GAP_CELLS} cells and {MAX_GAP_DAYS} days.",
            lambda whole: {
                row["fire_size"]: Number(float(ratio(row["found"], row["fires"])), 2)
                for row in whole["sizes"]
            },
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return, as one group, fires by size with what the other side shows of them.

        Returns:
            `reference`: number of fires, number that the map touches, hectares, hectares that the map shows;
            `map`: number of fires, number that touch nothing of the reference, hectares, hectares that the
            reference shows; (1, classes, 4) each.
        """
        c = pair.cells
        mine, theirs = c.map_burned & c.valid, c.reference_burned & c.valid
        return {
            "reference": self._fires(theirs, c.reference_date, mine, c.area, np.greater)[None],
            "map": self._fires(mine, c.map_date, theirs, c.area, np.equal)[None],
        }

    def _fires(self, burned: Bools, date: Any, other: Bools, area: Reals, counted: Any) -> Reals:
        label = label_fires(burned, date).ravel()
        whole, common = (np.bincount(label, part.ravel())[1:] for part in (area, area * other))
        kind, count = np.searchsorted(SIZE_EDGES[1:-1], whole, side="right"), len(SIZE_EDGES) - 1
        parts = (np.ones(whole.size), counted(common, 0), whole, common)
        return np.stack([np.bincount(kind, part, minlength=count) for part in parts], axis=-1).astype(float)

    def value(self, sums: Arrays) -> Tree:
        """Return one entry a class."""
        both = zip(itertools.pairwise(SIZE_EDGES), sums["reference"], sums["map"], strict=True)
        return {"sizes": [_class(*edges, mine, theirs) for edges, mine, theirs in both]}


def _class(low: float, high: float, reference: Reals, mapped: Reals) -> dict[str, Any]:
    fires, found, burned, hit = (float(v) for v in reference)
    map_fires, false_fires, shown, right = (float(v) for v in mapped)
    return {
        "fire_size": f"over {low:g} ha" if np.isinf(high) else f"{low:g}-{high:g} ha",
        "fires": int(fires),
        "found": int(found),
        "reference_ha": burned,
        "recall": float(ratio(hit, burned)),
        "map_fires": int(map_fires),
        "false_fires": int(false_fires),
        "map_ha": shown,
        "commission": float(1 - ratio(right, shown)),
        "relative_bias": float(ratio(shown - burned, burned)),
    }
