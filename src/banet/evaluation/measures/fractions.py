"""Recall and bias by the burned fraction of the cell in the reference."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Reals, Tree, ratio
from banet.io.tables import Number, Row

__all__ = ["EDGES", "FractionClass", "Fractions"]

EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Classes of the reference's burned fraction; a fraction on an edge belongs to the class above."""

_SLIVER = 1e-6
"""What a pixel's edge leaves in the next cell does not make that a burned one."""
_SUMS = ("cells", "reference_ha", "map_ha", "common_ha", "found_ha", "found_cells")


@dataclass(frozen=True)
class FractionClass:
    """Scores where the reference shows a given part of the cell burned.

    Attributes:
        low, high: the class of reference burned fraction, low included; (0, 0) for unburned cells.
        cells: number of cells.
        reference_ha, map_ha: hectares burned in the reference and in the map.
        recall: share of the reference's burned area in cells that the map shows burned.
        soft_recall: share of the reference's burned area that the map's fractions hold.
        cell_recall: share of the cells that the map shows burned (of unburned cells: false alarms).
        relative_bias: (map - reference) / reference.
    """

    low: float
    high: float
    cells: int
    reference_ha: float
    map_ha: float
    recall: float
    soft_recall: float
    cell_recall: float
    relative_bias: float

    @property
    def label(self) -> str:
        """Such as `0.1-0.25`."""
        return "unburned" if self.high == 0 else f"{self.low:g}-{self.high:g}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {"class": self.label} | asdict(self)


def _found(whole: Tree) -> Row:
    return {
        "unburned cells" if c["high"] == 0 else c["class"]: Number(c["cell_recall"], 2 if c["high"] else 4)
        for c in whole["scores"]["classes"]
    }


def _bias(whole: Tree) -> Row:
    burned = [c for c in whole["scores"]["classes"] if c["high"] > 0]
    return {c["class"]: Number(c["relative_bias"], 2, sign=True) for c in burned}


class Fractions(Measure):
    """Recall, share of cells found and bias by burned fraction, and false alarms in unburned cells."""

    name = "fractions"
    file = "burned_fraction"
    tables = (
        MeasureTable(
            "fractions",
            "Low fractions",
            "Share of cells shown burned, by true burned fraction of the cell; for unburned cells these "
            "are false alarms. A map is asked to show cells of which {map} burned: classes above that "
            "should be 1.",
            _found,
        ),
        MeasureTable(
            "fraction_bias",
            "Bias of the burned fraction",
            "(mapped - true) / true hectares, by true burned fraction of the cell.",
            _bias,
        ),
    )

    def sums(self, pair: Pair) -> Arrays:
        """Return one array a sum, each for unburned cells and the five classes."""
        c = pair.cells
        p, r = c.map_fraction[c.valid], c.reference_fraction[c.valid]
        mapped, area = c.map_burned[c.valid], pair.area
        kind = np.where(r > _SLIVER, np.searchsorted(EDGES[1:-1], r, side="right") + 1, 0)
        parts = (1, area * r, area * p, area * np.minimum(p, r), area * r * mapped, mapped)
        found = [pair.add(c.valid, part, kind, len(EDGES)) for part in parts]
        return dict(zip(_SUMS, found, strict=True))

    def value(self, sums: Arrays) -> Tree:
        """Return the six classes."""
        edges = [(0.0, 0.0), *itertools.pairwise(EDGES)]
        rows = zip(edges, np.stack([sums[name] for name in _SUMS], axis=-1), strict=True)
        return {"classes": tuple(_class(*edge, row) for edge, row in rows)}

    def rows(self, whole: Tree) -> list[Row]:
        """Return one row a class."""
        names = {"class": "burned_fraction", "cell_recall": "cells_found"}
        rows = [dict(row) for row in whole["scores"]["classes"]]
        return [{names.get(n, str(n)): row[n] for n in row if n not in {"low", "high"}} for row in rows]


def _class(low: float, high: float, sums: Reals) -> FractionClass:
    cells, burned, mapped, common, found, shown = (float(v) for v in sums)
    shares = ((found, burned), (common, burned), (shown, cells), (mapped - burned, burned))
    return FractionClass(low, high, int(cells), burned, mapped, *(float(ratio(*share)) for share in shares))
