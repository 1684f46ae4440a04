"""Single fires of a map or a reference: cells joined in space and time, for scores by fire and by size."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.linking import label_fires
from banet.evaluation.compare import Comparison

__all__ = ["SIZE_EDGES", "SizeClass", "label_fires", "scores_by_size", "size_classes", "size_sums"]

SIZE_EDGES = (0.0, 100.0, 500.0, 1000.0, 5000.0, 20000.0, float("inf"))
"""Hectares; a fire on an edge belongs to the class above."""


@dataclass(frozen=True)
class SizeClass:
    """How a map does with fires of a size.

    Attributes:
        low, high: hectares, low included.
        fires: number of fires of the reference.
        found: how many of them the map touches with at least one burned cell.
        reference_ha: hectares of their burned cells in the reference.
        recall: share of those hectares that the map shows burned.
        map_fires: number of fires of the map.
        false_fires: how many of those touch no burned cell of the reference.
        map_ha: hectares of their burned cells in the map.
        commission: share of those hectares that the reference shows unburned.
    """

    low: float
    high: float
    fires: int
    found: int
    reference_ha: float
    recall: float
    map_fires: int
    false_fires: int
    map_ha: float
    commission: float

    @property
    def relative_bias(self) -> float:
        """(hectares in the map's fires of the size - in the reference's) / the latter; NaN without any."""
        return (self.map_ha - self.reference_ha) / self.reference_ha if self.reference_ha else float("nan")

    @property
    def label(self) -> str:
        """Such as `100-500 ha`."""
        return f"over {self.low:g} ha" if np.isinf(self.high) else f"{self.low:g}-{self.high:g} ha"


def scores_by_size(comparison: Comparison, *, cells: int = 2, days: int = 5) -> tuple[SizeClass, ...]:
    """Score by the size of fires: omission by the reference's fires, commission by the map's.

    Args:
        comparison: map and reference.
        cells: as in `label_fires`.
        days: as in `label_fires`.
    """
    return size_classes(size_sums(comparison, cells=cells, days=days))


def size_sums(comparison: Comparison, *, cells: int = 2, days: int = 5) -> npt.NDArray[np.float64]:
    """Return what `scores_by_size` is read from; sums of regions or scenes add up.

    Returns:
        (classes, 8) float64: of the reference's fires their number, how many the map touches, hectares and
        those of them that the map shows; of the map's fires their number, how many touch nothing of the
        reference, hectares and those of them that the reference shows.
    """
    c = comparison
    mine, theirs = c.map_burned & c.valid, c.reference_burned & c.valid
    expected = _fires(label_fires(theirs, c.reference_date, cells=cells, days=days), mine, c.area)
    mapped = _fires(label_fires(mine, c.map_date, cells=cells, days=days), theirs, c.area)
    rows = [_size_row(low, high, expected, mapped) for low, high in itertools.pairwise(SIZE_EDGES)]
    return np.array(rows, np.float64)


def size_classes(sums: npt.NDArray[np.float64]) -> tuple[SizeClass, ...]:
    """Read the scores by size from the sums of `size_sums`."""
    edges = itertools.pairwise(SIZE_EDGES)
    return tuple(_size_class(low, high, row) for (low, high), row in zip(edges, sums, strict=True))


def _fires(
    label: npt.NDArray[np.int64], touched: npt.NDArray[np.bool_], area: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[Any]]:
    """Hectares of each fire, and those of them that the other side shows burned too."""
    count = int(label.max(initial=0)) + 1
    whole = np.bincount(label.ravel(), area.ravel(), minlength=count)[1:]
    common = np.bincount(label.ravel(), (area * touched).ravel(), minlength=count)[1:]
    return {"ha": whole, "common": common}


def _size_row(
    low: float, high: float, expected: dict[str, npt.NDArray[Any]], mapped: dict[str, npt.NDArray[Any]]
) -> list[float]:
    row: list[float] = []
    for fires, counted in ((expected, np.greater), (mapped, np.equal)):
        inside = (fires["ha"] >= low) & (fires["ha"] < high)
        common = fires["common"][inside]
        row += [float(inside.sum()), float(counted(common, 0).sum())]
        row += [float(fires["ha"][inside].sum()), float(common.sum())]
    return row


def _size_class(low: float, high: float, row: npt.NDArray[np.float64]) -> SizeClass:
    fires, found, burned, hit, map_fires, false_fires, shown, right = (float(v) for v in row)
    nan = float("nan")
    return SizeClass(
        low=low,
        high=high,
        fires=int(fires),
        found=int(found),
        reference_ha=burned,
        recall=hit / burned if burned else nan,
        map_fires=int(map_fires),
        false_fires=int(false_fires),
        map_ha=shown,
        commission=1 - right / shown if shown else nan,
    )
