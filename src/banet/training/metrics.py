"""Scores of burned maps against the truth, added up over scenes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["FRACTION_CLASSES", "Tally", "active_fire_map"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

FRACTION_CLASSES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Edges of the classes of true burned fraction that recall is told for."""


@dataclass
class Tally:
    """Counts that scores come from; tallies of scenes add up.

    A cell is burned where the sum over days, at most 1, reaches the threshold; its date is the day of the
    largest daily value.

    Attributes:
        threshold: of a burned cell in map and truth.
        true_positive, false_positive, false_negative: cells.
        date_errors: cells by date difference in days, mapped less true, over cells burned in both.
        mapped_by_class, cells_by_class: cells of each class of true fraction, mapped and all.
    """

    threshold: float = 0.5
    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    date_errors: dict[int, int] = field(default_factory=dict)
    mapped_by_class: list[int] = field(default_factory=lambda: [0] * (len(FRACTION_CLASSES) - 1))
    cells_by_class: list[int] = field(default_factory=lambda: [0] * (len(FRACTION_CLASSES) - 1))

    def add(self, daily: Floats, truth: Floats) -> None:
        """Add a scene.

        Args:
            daily: (T, rows, columns) mapped daily burned fraction or probability.
            truth: (T, rows, columns) true daily burned fraction; cells with a NaN are left out.
        """
        known = np.isfinite(truth).all(0)
        fraction = np.minimum(np.nan_to_num(truth, nan=0.0).sum(0, dtype=np.float64), 1.0)
        # Fractions that add up to 0.5 in steps of 1/200 may fall short of it by rounding in binary.
        true = known & (fraction >= self.threshold - 1e-6)
        mapped = known & (np.minimum(daily.sum(0, dtype=np.float64), 1.0) >= self.threshold)
        self.true_positive += int((mapped & true).sum())
        self.false_positive += int((mapped & ~true).sum())
        self.false_negative += int((~mapped & true).sum())
        self._add_dates(daily, truth, mapped & true)
        for i, (low, high) in enumerate(itertools.pairwise(FRACTION_CLASSES)):
            last = i == len(FRACTION_CLASSES) - 2
            inside = known & (fraction >= low) & ((fraction <= high) if last else (fraction < high))
            self.cells_by_class[i] += int(inside.sum())
            self.mapped_by_class[i] += int((inside & mapped).sum())

    def _add_dates(self, daily: Floats, truth: Floats, both: Bools) -> None:
        error = daily[:, both].argmax(0) - truth[:, both].argmax(0)
        for days, count in zip(*np.unique(error, return_counts=True), strict=True):
            self.date_errors[int(days)] = self.date_errors.get(int(days), 0) + int(count)

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.true_positive += other.true_positive
        self.false_positive += other.false_positive
        self.false_negative += other.false_negative
        for days, count in other.date_errors.items():
            self.date_errors[days] = self.date_errors.get(days, 0) + count
        for i, (mapped, cells) in enumerate(zip(other.mapped_by_class, other.cells_by_class, strict=True)):
            self.mapped_by_class[i] += mapped
            self.cells_by_class[i] += cells

    @property
    def dice(self) -> float | None:
        """2 TP / (2 TP + FP + FN); None where neither map nor truth has a burned cell."""
        return _ratio(
            2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative
        )

    @property
    def commission(self) -> float | None:
        """Share of mapped cells that did not burn."""
        return _ratio(self.false_positive, self.true_positive + self.false_positive)

    @property
    def omission(self) -> float | None:
        """Share of burned cells that are not mapped."""
        return _ratio(self.false_negative, self.true_positive + self.false_negative)

    @property
    def date_error(self) -> float | None:
        """Mean |mapped - true| in days over cells burned in both."""
        return _ratio(sum(abs(d) * n for d, n in self.date_errors.items()), sum(self.date_errors.values()))

    @property
    def date_bias(self) -> float | None:
        """Mean of mapped - true in days over cells burned in both."""
        return _ratio(sum(d * n for d, n in self.date_errors.items()), sum(self.date_errors.values()))

    def scores(self) -> dict[str, float | None]:
        """Return the scores by name, rounded; `recall_10_25` is that of true fractions 0.10 to 0.25."""
        scores = {
            name: getattr(self, name)
            for name in ("dice", "commission", "omission", "date_error", "date_bias")
        }
        edges = [round(100 * edge) for edge in FRACTION_CLASSES]
        for low, high, mapped, cells in zip(
            edges[:-1], edges[1:], self.mapped_by_class, self.cells_by_class, strict=True
        ):
            scores[f"recall_{low}_{high}"] = _ratio(mapped, cells)
        return {name: None if value is None else round(value, 4) for name, value in scores.items()}


def active_fire_map(frp: Floats) -> Floats:
    """Return what accumulated active fires would map: 1 on the first day of a cell's detections, else 0.

    Args:
        frp: (T, rows, columns) MW; NaN counts as no detection.

    Returns:
        (T, rows, columns) float32.
    """
    hot = np.nan_to_num(frp, nan=0.0) > 0
    return np.asarray(hot & (np.cumsum(hot, 0) == 1), np.float32)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
