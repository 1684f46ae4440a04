"""Everything that is measured of one map, as sums that add up over scenes and go to and from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError, UnreadableFileError
from banet.evaluation.compare import Comparison
from banet.evaluation.curves import Reliability, ThresholdCurve, reliability_sums, threshold_sums
from banet.evaluation.dating import Dating
from banet.evaluation.dating_fires import GAP_CLASSES
from banet.evaluation.fires import SizeClass, size_classes, size_sums
from banet.evaluation.regression import ProportionFit, fit_proportions, proportion_fit
from banet.evaluation.scores import Scores, score_tally
from banet.evaluation.tally import Tally, tally, tally_by
from banet.io.files import writing

__all__ = ["WIDTHS", "Measured", "measure"]

Reals = npt.NDArray[np.float64]

WIDTHS = 31
"""Stated uncertainties are counted by day from 0; the last count holds longer ones."""

_BLOCK = 16


@dataclass(frozen=True, eq=False)
class Measured:
    """Sums of one map, or of several added up.

    Attributes:
        blocks: by block of 16 cells, for intervals; the blocks of several maps one after another.
        covers: by land cover, one group each.
        gaps: by class of gap between observations, one group each.
        sizes: by size of fire, see `size_sums`.
        thresholds: see `threshold_sums`.
        confidence: stated confidence against burned or not, see `reliability_sums`.
        fraction: burned fraction against burned fraction, likewise.
        proportions: burned share of blocks of 5 km in the reference and in the map, (n, 2).
        block_km: edges of those blocks.
        widths: cells that both date by stated uncertainty in days, and those whose difference is within it,
            (31, 2).
    """

    blocks: Tally
    covers: Tally
    gaps: Tally
    sizes: Reals
    thresholds: Reals
    confidence: Reals
    fraction: Reals
    proportions: Reals
    block_km: Reals
    widths: Reals

    @classmethod
    def join(cls, parts: Sequence[Measured]) -> Measured:
        """Return several maps as one, hectares added up.

        Raises:
            InputError: if there is none.
        """
        if not parts:
            raise InputError("nothing was measured; there is nothing to join")
        summed = {
            name: np.sum([getattr(part, name) for part in parts], axis=0)
            for name in ("sizes", "thresholds", "confidence", "fraction", "widths")
        }
        return cls(
            blocks=Tally.join([part.blocks for part in parts]),
            covers=Tally.add([part.covers for part in parts]),
            gaps=Tally.add([part.gaps for part in parts]),
            proportions=np.concatenate([part.proportions for part in parts]),
            block_km=np.mean([part.block_km for part in parts], axis=0),
            **summed,
        )

    def scores(self, name: str, reference: str, draws: int = 0) -> Scores:
        """Return the scores, with intervals if there are draws."""
        return score_tally(self.blocks, name=name, reference=reference, draws=draws)

    def by_size(self) -> tuple[SizeClass, ...]:
        """Return the scores by size of fire."""
        return size_classes(self.sizes)

    def curve(self) -> ThresholdCurve:
        """Return the scores over thresholds on the burned fraction."""
        return ThresholdCurve.from_sums(self.thresholds)

    def confidence_reliability(self) -> Reliability:
        """Return how often cells of a confidence burned."""
        return Reliability.from_sums(self.confidence)

    def fraction_reliability(self) -> Reliability:
        """Return how much of cells of a mapped burned fraction burned."""
        return Reliability.from_sums(self.fraction)

    def proportion_fit(self) -> ProportionFit:
        """Return the line through the burned shares of blocks of 5 km."""
        x, y = self.proportions.T
        return fit_proportions(x, y, (float(self.block_km[0]), float(self.block_km[1])))

    def by_cover(self, names: Mapping[int, str]) -> dict[str, Scores]:
        """Return the scores of each land cover on which something burned in the reference."""
        return {
            names.get(k, str(k)): score_tally(self.covers.group(k), name=names.get(k, str(k)))
            for k in range(self.covers.groups)
            if self.covers.hard[k, [0, 2]].sum() > 0
        }

    def by_gap(self) -> list[Dating]:
        """Return the date differences by class of gap between observations."""
        return [
            Dating.from_histogram(self.gaps.dates[k], *(int(v) for v in self.gaps.stated[k]))
            for k in range(self.gaps.groups)
        ]

    @property
    def mean_uncertainty(self) -> float:
        """Mean stated uncertainty of the cells that both date, days; those over 30 count as 30."""
        cells = self.widths[:, 0]
        return float(cells @ np.arange(WIDTHS) / cells.sum()) if cells.sum() else float("nan")

    def save(self, path: Path) -> None:
        """Write it to an .npz file, whole or not at all."""
        with writing(path) as part, part.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **_arrays(self))

    @classmethod
    def load(cls, path: Path) -> Measured:
        """Read it from the file that `save` wrote.

        Raises:
            UnreadableFileError: if it is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                return _from_arrays({name: held[name] for name in held.files})
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise UnreadableFileError(f"{path.name} is no file of measured sums: {error}") from error


def measure(
    comparison: Comparison,
    *,
    cover: npt.NDArray[np.integer] | None = None,
    covers: int = 0,
    gap: npt.NDArray[np.integer] | None = None,
    block: int = _BLOCK,
) -> Measured:
    """Measure a map against a reference.

    Args:
        comparison: of the two.
        cover: land cover of each cell from 0, (rows, columns).
        covers: number of land covers.
        gap: class of the gap between observations around the reference's date, (rows, columns), -1 for none.
        block: edge in cells of the blocks for intervals.
    """
    nowhere = np.full(comparison.region.shape, -1)
    fit = proportion_fit(comparison)
    return Measured(
        blocks=tally(comparison, block),
        covers=tally_by(comparison, nowhere if cover is None else cover.astype(np.int64), covers),
        gaps=tally_by(comparison, nowhere if gap is None else gap.astype(np.int64), len(GAP_CLASSES)),
        sizes=size_sums(comparison),
        thresholds=threshold_sums(comparison),
        confidence=reliability_sums(comparison, of="confidence", hard=True),
        fraction=reliability_sums(comparison),
        proportions=np.stack([fit.reference, fit.map], axis=-1),
        block_km=np.array(fit.block_km),
        widths=_widths(comparison),
    )


def _widths(c: Comparison) -> Reals:
    both = c.valid & c.map_burned & c.reference_burned & np.isfinite(c.map_uncertainty)
    both &= ~np.isnat(c.map_date) & ~np.isnat(c.reference_date)
    stated = c.map_uncertainty[both]
    within = np.abs((c.map_date[both] - c.reference_date[both]).astype(np.int64)) <= stated
    day = np.minimum(stated, WIDTHS - 1).astype(np.int64)
    counts = [np.bincount(day[part], minlength=WIDTHS) for part in (np.ones_like(within), within)]
    return np.stack(counts, axis=-1).astype(np.float64)


def _arrays(measured: Measured) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    for item in fields(measured):
        value = getattr(measured, item.name)
        if isinstance(value, Tally):
            found |= {f"{item.name}.{f.name}": getattr(value, f.name) for f in fields(value)}
        else:
            found[item.name] = value
    return found


def _from_arrays(arrays: dict[str, npt.NDArray[Any]]) -> Measured:
    parts: dict[str, Any] = {
        name: Tally(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(Tally)})
        for name in ("blocks", "covers", "gaps")
    }
    parts |= {f.name: arrays[f.name] for f in fields(Measured) if f.name not in parts}
    return Measured(**parts)
