"""Error matrix of burned and unburned in hectares, and what follows from it.

Measures follow the CEOS LPV burned-area validation protocol (Padilla et al. 2014; Franquesa et al. 2022):
commission and omission error, Dice coefficient, relative bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.evaluation.measures.measure import Arrays, Measure, Pair, Reals, Tree, ratio

__all__ = ["Agreement", "ErrorMatrix", "counts_of", "dice", "figures_of", "shortcut", "sides_of"]


def figures_of(matrix: npt.ArrayLike) -> dict[str, Reals]:
    """Return dice, commission, omission and relative bias of many error matrices.

    Args:
        matrix: (..., 4) or (..., 3): both, map only, reference only, neither; in any unit.

    Returns:
        (...,) float64 each, NaN where the side that it is a share of shows nothing burned.
    """
    both, map_only, reference_only = np.moveaxis(np.asarray(matrix, np.float64)[..., :3], -1, 0)
    return {
        "dice": ratio(2 * both, (both + map_only) + (both + reference_only)),
        "commission": ratio(map_only, both + map_only),
        "omission": ratio(reference_only, both + reference_only),
        "relative_bias": ratio(map_only - reference_only, both + reference_only),
    }


def counts_of(mapped: npt.NDArray[np.bool_], burned: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return how many cells two masks of one shape hit, map falsely and miss, (3,), as `dice` takes them."""
    return np.array([(mapped & burned).sum(), (mapped & ~burned).sum(), (~mapped & burned).sum()])


def dice(matrix: npt.ArrayLike) -> Reals:
    """Return the Dice coefficient (F1) of many error matrices, (..., 4) or (..., 3) to (...,) float64."""
    return figures_of(matrix)["dice"]


def shortcut(name: str, words: str, of: str = "") -> property:
    """Return an attribute that reads a figure of an error matrix: the object itself or its part `of`."""
    return property(lambda it: (getattr(it, of) if of else it).figures[name], doc=words)


@dataclass(frozen=True)
class ErrorMatrix:
    """Hectares on which a map and a reference agree and differ; NaN where nothing could be compared.

    Attributes:
        both: burned in both.
        map_only: burned in the map alone (false alarm).
        reference_only: burned in the reference alone (missed).
        neither: unburned in both.
    """

    both: float
    map_only: float
    reference_only: float
    neither: float

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """The four parts in this order."""
        return self.both, self.map_only, self.reference_only, self.neither

    @property
    def total(self) -> float:
        """All hectares."""
        return sum(self.cells)

    @property
    def map_burned(self) -> float:
        """Hectares burned in the map."""
        return self.both + self.map_only

    @property
    def reference_burned(self) -> float:
        """Hectares burned in the reference."""
        return self.both + self.reference_only

    @property
    def figures(self) -> dict[str, float]:
        """Dice, IoU, commission, omission, relative bias and overall accuracy; NaN where not defined."""
        found = {name: float(value) for name, value in figures_of(self.cells).items()}
        iou, total = float(ratio(self.both, self.total - self.neither)), self.total
        return (
            {"dice": found.pop("dice"), "iou": iou}
            | found
            | {"accuracy": float(ratio(self.both + self.neither, total))}
        )

    dice = shortcut("dice", "Dice coefficient; NaN where neither side shows anything burned.")
    commission = shortcut(
        "commission", "Share of the map's burned area that did not burn; NaN where it has none."
    )
    omission = shortcut("omission", "Share of the burned area that the map lacks; NaN where nothing burned.")
    relative_bias = shortcut(
        "relative_bias", "(map - reference) / reference burned area; NaN where nothing burned."
    )

    def to_dict(self) -> dict[str, Any]:
        """Return hectares and figures by name."""
        return {f"{name}_ha": value for name, value in vars(self).items()} | self.figures


def sides_of(hard: Tree) -> dict[str, float | None]:
    """Return `map_ha` and `reference_ha` from the dict of an error matrix, None where it is not defined."""
    both = hard["both_ha"]
    return {f"{k}_ha": None if both is None else both + hard[f"{k}_only_ha"] for k in ("map", "reference")}


class Agreement(Measure):
    """Hectares burned on both sides, on one, on none: by threshold (hard) and by burned fraction (soft).

    What is common to a cell in the soft matrix is the smaller of the two fractions, as in a fuzzy error
    matrix (Binaghi et al. 1999).
    """

    name = "agreement"

    def sums(self, pair: Pair) -> Arrays:
        """Return cells, hard and soft matrix, and what the map did not observe, all and burned."""
        c = pair.cells
        p, r = c.map_fraction[c.valid], c.reference_fraction[c.valid]
        common = np.minimum(p, r)
        soft = (common, p - common, r - common, 1 - np.maximum(p, r))
        lost = c.unseen & ~c.valid & (pair.group >= 0)
        return {
            "cells": pair.add(c.valid, 1)[:, 0],
            "hard": pair.columns(c.valid, *(pair.area * part[c.valid] for part in pair.outcomes)),
            "soft": pair.columns(c.valid, *(pair.area * part for part in soft)),
            "unseen": pair.columns(lost, c.area[lost], (c.area * c.reference_fraction)[lost]),
        }

    def value(self, sums: Arrays) -> Tree:
        """Return the two matrices, cells and hectares; the matrices are NaN where no cell counts."""
        cells = int(sums["cells"])
        matrices = {name: sums[name] if cells else np.full(4, np.nan) for name in ("hard", "soft")}
        return {
            "cells": cells,
            "unseen_ha": float(sums["unseen"][0]),
            "unseen_burned_ha": float(sums["unseen"][1]),
            **{name: ErrorMatrix(*(float(v) for v in matrix)) for name, matrix in matrices.items()},
        }

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return Dice, commission, omission and bias of the hard matrix, and Dice of the soft one."""
        return figures_of(sums["hard"]) | {"soft_dice": dice(sums["soft"])}
