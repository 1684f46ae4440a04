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

__all__ = ["Agreement", "ErrorMatrix", "dice", "figures_of"]


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


def dice(matrix: npt.ArrayLike) -> Reals:
    """Return the Dice coefficient (F1) of many error matrices, (..., 4) or (..., 3) to (...,) float64."""
    return figures_of(matrix)["dice"]


@dataclass(frozen=True)
class ErrorMatrix:
    """Hectares on which a map and a reference agree and differ.

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
    def total(self) -> float:
        """All hectares."""
        return self.both + self.map_only + self.reference_only + self.neither

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
        found = {name: float(value) for name, value in figures_of(self._cells).items()}
        found["iou"] = float(ratio(self.both, self.total - self.neither))
        return found | {"accuracy": float(ratio(self.both + self.neither, self.total))}

    @property
    def dice(self) -> float:
        """Dice coefficient; NaN where neither side shows anything burned."""
        return self.figures["dice"]

    @property
    def commission(self) -> float:
        """Share of the map's burned area that did not burn; NaN where the map has none."""
        return self.figures["commission"]

    @property
    def omission(self) -> float:
        """Share of the burned area that the map lacks; NaN where nothing burned."""
        return self.figures["omission"]

    @property
    def relative_bias(self) -> float:
        """(map - reference) / reference burned area; NaN where nothing burned."""
        return self.figures["relative_bias"]

    @property
    def _cells(self) -> tuple[float, float, float, float]:
        return self.both, self.map_only, self.reference_only, self.neither

    def to_dict(self) -> dict[str, Any]:
        """Return hectares and figures by name."""
        names = ("both_ha", "map_only_ha", "reference_only_ha", "neither_ha")
        order = ("dice", "iou", "commission", "omission", "relative_bias", "accuracy")
        figures = self.figures
        return dict(zip(names, self._cells, strict=True)) | {name: figures[name] for name in order}


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
        hard = [part[c.valid] for part in pair.outcomes]
        soft = [common, p - common, r - common, 1 - np.maximum(p, r)]
        lost = c.unseen & ~c.valid & (pair.group >= 0)
        unseen = [c.area[lost], (c.area * c.reference_fraction)[lost]]
        return {
            "cells": pair.add(c.valid, 1)[:, 0],
            "hard": np.concatenate([pair.add(c.valid, pair.area * part) for part in hard], axis=1),
            "soft": np.concatenate([pair.add(c.valid, pair.area * part) for part in soft], axis=1),
            "unseen": np.concatenate([pair.add(lost, part) for part in unseen], axis=1),
        }

    def value(self, sums: Arrays) -> Tree:
        """Return the two matrices, cells and hectares."""
        return {
            "cells": int(sums["cells"]),
            "unseen_ha": float(sums["unseen"][0]),
            "unseen_burned_ha": float(sums["unseen"][1]),
            "hard": ErrorMatrix(*(float(v) for v in sums["hard"])),
            "soft": ErrorMatrix(*(float(v) for v in sums["soft"])),
        }

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return Dice, commission, omission and bias of the hard matrix, and Dice of the soft one."""
        return figures_of(sums["hard"]) | {"soft_dice": dice(sums["soft"])}
