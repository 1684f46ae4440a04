"""Recall by how deep a cell lies inside a scar: thick scars must not be found by their rim alone."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Tree, listed, ratio

__all__ = ["DEPTHS", "Edges"]

DEPTHS = ((1, 1), (2, 4), (5, 8), (9, None))
"""Cells from the edge of what burned in the reference, rows or columns, whichever is fewer; 1 touches it."""


def _label(low: int, high: int | None) -> str:
    return f"over {low - 1}" if high is None else str(low) if low == high else f"{low}-{high}"


class Edges(Measure):
    """Burned cells of the reference and those of them that the map shows, by cells from the scar's edge.

    The edge of the grid is no edge of a scar, and neither is that of what the reference knows.
    """

    name = "edges"
    tables = (
        MeasureTable(
            "edges",
            "Inside and rim of scars",
            "Share of burned cells that the map shows, by their distance from the edge of what burned, in "
            "cells; 1 touches unburned ground.",
            listed("edges", "cells_from_edge", "recall", 2),
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return counts by depth, all and found."""
        c = pair.cells
        inside = c.reference_burned | ~c.reference_known
        depth = ndimage.distance_transform_cdt(inside, metric="chessboard")
        # Where everything burned there is no edge to measure from.
        depth = np.where(inside & (depth < 0), max(depth.shape), depth)
        here = c.valid & c.reference_burned
        kind = np.searchsorted([low for low, _ in DEPTHS], depth[here], side="right") - 1
        return {"cells": pair.columns(here, 1, c.map_burned[here], kind=kind, kinds=len(DEPTHS))}

    def value(self, sums: Arrays) -> Tree:
        """Return cells and recall of each depth."""
        found = zip(DEPTHS, sums["cells"], strict=True)
        return {
            "edges": [
                {"cells_from_edge": _label(*depth), "cells": int(n), "recall": float(ratio(hit, n))}
                for depth, (n, hit) in found
            ]
        }
