"""The area-weighted error matrix of burned and unburned, and the measures read from it.

Measures follow the CEOS LPV burned-area validation protocol (Padilla et al. 2014; Franquesa et al. 2022):
commission and omission error, Dice coefficient, relative bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ErrorMatrix", "measures"]

Reals = npt.NDArray[np.float64]


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
    def dice(self) -> float:
        """Dice coefficient (F1): 2 both / (map + reference); NaN where neither shows anything burned."""
        return _ratio(2 * self.both, self.map_burned + self.reference_burned)

    @property
    def iou(self) -> float:
        """Intersection over union."""
        return _ratio(self.both, self.map_burned + self.reference_only)

    @property
    def commission(self) -> float:
        """Commission error: share of the map's burned area that did not burn; NaN where the map has none."""
        return _ratio(self.map_only, self.map_burned)

    @property
    def omission(self) -> float:
        """Omission error: share of the burned area that the map lacks; NaN where nothing burned."""
        return _ratio(self.reference_only, self.reference_burned)

    @property
    def relative_bias(self) -> float:
        """(map - reference) / reference burned area; NaN where nothing burned."""
        return _ratio(self.map_only - self.reference_only, self.reference_burned)

    @property
    def accuracy(self) -> float:
        """Overall accuracy; says little where little burned."""
        return _ratio(self.both + self.neither, self.total)

    def __add__(self, other: ErrorMatrix) -> ErrorMatrix:
        return ErrorMatrix(
            self.both + other.both,
            self.map_only + other.map_only,
            self.reference_only + other.reference_only,
            self.neither + other.neither,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return hectares and measures by name."""
        hectares = {
            "both_ha": self.both,
            "map_only_ha": self.map_only,
            "reference_only_ha": self.reference_only,
            "neither_ha": self.neither,
        }
        names = ("dice", "iou", "commission", "omission", "relative_bias", "accuracy")
        return hectares | {name: getattr(self, name) for name in names}


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def measures(cells: Reals) -> dict[str, Reals]:
    """Return the measures of many matrices at once.

    Args:
        cells: (..., 4) both, map only, reference only, neither.

    Returns:
        dice, commission, omission, relative_bias: (...,), NaN where not defined.
    """
    both, map_only, reference_only, _ = np.moveaxis(np.asarray(cells, np.float64), -1, 0)
    mapped, burned = both + map_only, both + reference_only
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "dice": np.where(mapped + burned > 0, 2 * both / (mapped + burned), np.nan),
            "commission": np.where(mapped > 0, map_only / mapped, np.nan),
            "omission": np.where(burned > 0, reference_only / burned, np.nan),
            "relative_bias": np.where(burned > 0, (map_only - reference_only) / burned, np.nan),
        }
