"""Recall by how deep a cell lies inside a scar: thick scars must not be found by their rim alone."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["DEPTHS", "Edges"]

DEPTHS = ((1, 1), (2, 4), (5, 8), (9, None))
"""Cells from the edge of what burned in the reference, rows or columns, whichever is fewer; 1 touches it."""


def _label(low: int, high: int | None) -> str:
    return f"over {low - 1}" if high is None else str(low) if low == high else f"{low}-{high}"


def _line(whole: Tree) -> Row:
    return {row["cells_from_edge"]: Number(row["recall"], 2) for row in whole.get("edges", ())}


class Edges(Measure):
    """Burned cells of the reference and those of them that the map shows, by cells from the scar's edge.

    The edge of the grid is no edge of a scar.
    """

    name = "edges"
    tables = (
        MeasureTable(
            "edges",
            "Inside and rim of scars",
            "Share of burned cells that the map shows, by their distance from the edge of what burned, in "
            "cells; 1 touches unburned ground.",
            _line,
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return counts by depth, all and found."""
        c = pair.cells
        depth = ndimage.distance_transform_cdt(c.reference_burned, metric="chessboard")
        # Where everything burned there is no edge to measure from.
        depth = np.where(c.reference_burned & (depth < 0), max(depth.shape), depth)
        here = c.valid & c.reference_burned
        kind = np.searchsorted([low for low, _ in DEPTHS], depth[here], side="right") - 1
        counts = [pair.add(here, part, kind, len(DEPTHS)) for part in (1, c.map_burned[here])]
        return {"cells": np.stack(counts, axis=-1)}

    def value(self, sums: Arrays) -> Tree:
        """Return cells and recall of each depth."""
        found = zip(DEPTHS, sums["cells"], strict=True)
        return {
            "edges": [
                {"cells_from_edge": _label(*depth), "cells": int(n), "recall": float(ratio(hit, n))}
                for depth, (n, hit) in found
            ]
        }
