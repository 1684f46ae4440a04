"""Sums from which every score follows: they add up over blocks, regions and scenes."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.dating import LONGEST

__all__ = ["CLASS_EDGES", "CLASS_SUMS", "Tally", "tally", "tally_by"]

CLASS_EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Classes of the reference's burned fraction; a fraction on an edge belongs to the class above."""

CLASS_SUMS = ("cells", "area_ha", "reference_ha", "map_ha", "common_ha", "found_ha", "found_cells")


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over groups of cells; the first axis is the group (B).

    Attributes:
        cells: (B,) valid cells.
        hard: (B, 4) hectares burned in both, map only, reference only, neither, by threshold.
        soft: (B, 4) the same by burned fraction: what is common to a cell is the smaller of the two
            fractions, as in a fuzzy error matrix (Binaghi et al. 1999).
        classes: (B, 6, 7) for unburned cells and the five classes of reference fraction: cells, their
            hectares, hectares burned in the reference, in the map, common to both, burned in the reference
            where the map shows a burned cell, and the number of such cells.
        dates: (B, 735) counts of date differences in days.
        stated: (B, 2) cells with a stated uncertainty that both date; those whose difference it covers.
        unseen: (B, 2) hectares that the map did not observe; hectares of them that burned.
    """

    cells: npt.NDArray[np.int64]
    hard: npt.NDArray[np.float64]
    soft: npt.NDArray[np.float64]
    classes: npt.NDArray[np.float64]
    dates: npt.NDArray[np.int64]
    stated: npt.NDArray[np.int64]
    unseen: npt.NDArray[np.float64]

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.cells.size)

    def total(self) -> Tally:
        """Return one group that holds the sum of all."""
        return Tally(**{f.name: getattr(self, f.name).sum(axis=0, keepdims=True) for f in fields(self)})

    def drawn(self, weights: npt.NDArray[np.int64]) -> Tally:
        """Return sums over groups drawn `weights` times: (draws, B) to `draws` groups, all float64."""
        # Whole numbers as float64 are exact up to 2**53, and multiply a hundred times faster.
        times = weights.astype(np.float64)
        sums: dict[str, npt.NDArray[Any]] = {
            f.name: np.asarray(getattr(self, f.name), np.float64) for f in fields(self)
        }
        return Tally(**{name: np.tensordot(times, part, axes=1) for name, part in sums.items()})

    def group(self, number: int) -> Tally:
        """Return one group by itself."""
        part = slice(number, number + 1)
        return Tally(**{f.name: getattr(self, f.name)[part] for f in fields(self)})

    @classmethod
    def add(cls, tallies: list[Tally]) -> Tally:
        """Return the sum, group by group, of tallies with the same groups, such as land covers.

        Raises:
            InputError: if there is none, or their groups differ in number.
        """
        if len({one.groups for one in tallies}) != 1:
            raise InputError(f"cannot add tallies of {[one.groups for one in tallies]} groups")
        return cls(**{f.name: np.sum([getattr(t, f.name) for t in tallies], axis=0) for f in fields(cls)})

    @classmethod
    def join(cls, tallies: list[Tally]) -> Tally:
        """Return the groups of several tallies, such as of several scenes.

        Raises:
            InputError: if there is none.
        """
        if not tallies:
            raise InputError("there is no tally to join; nothing was compared")
        return cls(**{f.name: np.concatenate([getattr(t, f.name) for t in tallies]) for f in fields(cls)})


def tally(comparison: Comparison, block: int | None = None) -> Tally:
    """Sum a comparison up, whole or by square blocks.

    Args:
        comparison: map and reference cell by cell.
        block: edge of the blocks in cells; None for one group. Blocks without a valid cell are left out.

    Raises:
        InputError: if the edge is not positive.
    """
    rows, cols = comparison.region.shape
    if block is not None and block < 1:
        raise InputError(f"blocks of {block} cells; the edge of a block is at least 1 cell")
    edge = block or max(rows, cols)
    group = (np.arange(rows)[:, None] // edge) * math.ceil(cols / edge) + np.arange(cols) // edge
    used = comparison.valid | comparison.unseen
    names, index = np.unique(group[used], return_inverse=True)
    numbers = np.full(comparison.region.shape, -1)
    numbers[used] = index
    return _sums(comparison, numbers, max(names.size, 1))


def tally_by(comparison: Comparison, group: npt.NDArray[np.int64], groups: int) -> Tally:
    """Sum a comparison up by classes of cells.

    Args:
        comparison: map and reference cell by cell.
        group: (rows, columns) from 0; cells below 0 are left out.
        groups: number of classes.

    Raises:
        InputError: if the classes have another shape, or there are more of them.
    """
    if group.shape != comparison.region.shape or int(group.max(initial=-1)) >= groups:
        raise InputError(
            f"classes {group.shape} up to {group.max(initial=-1)} do not fit {groups} classes of the "
            f"{comparison.region.shape} cells compared"
        )
    return _sums(comparison.narrowed(group >= 0), group, groups)


def _sums(c: Comparison, group: npt.NDArray[np.int64], groups: int) -> Tally:
    valid = c.valid
    g, area = group[valid], c.area[valid]
    p, r = c.map_fraction[valid], c.reference_fraction[valid]
    mapped, burned = c.map_burned[valid], c.reference_burned[valid]
    common = np.minimum(p, r)

    def add(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(g, values, minlength=groups), np.float64)

    hard = [mapped & burned, mapped & ~burned, ~mapped & burned, ~mapped & ~burned]
    soft = [common, p - common, r - common, 1 - np.maximum(p, r)]
    # Slivers that a pixel's edge leaves in the next cell do not make it a burned one.
    kind = np.where(r > 1e-6, np.searchsorted(CLASS_EDGES[1:-1], r, side="right") + 1, 0)
    parts = [np.ones(g.size), area, area * r, area * p, area * common, area * r * mapped, mapped * 1.0]
    size = len(CLASS_EDGES)
    classes = np.stack(
        [np.bincount(g * size + kind, part, minlength=groups * size) for part in parts], axis=-1
    )
    unseen, gone = c.unseen & ~valid, group[c.unseen & ~valid]
    lost = [c.area[unseen], (c.area * c.reference_fraction)[unseen]]
    dates, stated = _dates(c, group, groups)
    return Tally(
        cells=np.bincount(g, minlength=groups).astype(np.int64),
        hard=np.stack([add(area * part) for part in hard], axis=-1),
        soft=np.stack([add(area * part) for part in soft], axis=-1),
        classes=np.asarray(classes, np.float64).reshape(groups, size, len(CLASS_SUMS)),
        dates=dates,
        stated=stated,
        unseen=np.stack([np.bincount(gone, part, minlength=groups) for part in lost], axis=-1),
    )


def _dates(
    c: Comparison, group: npt.NDArray[np.int64], groups: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    both = c.valid & c.map_burned & c.reference_burned
    both &= ~np.isnat(c.map_date) & ~np.isnat(c.reference_date)
    difference = (c.map_date[both] - c.reference_date[both]).astype(np.int64)
    spread, g = c.map_uncertainty[both], group[both]
    edge = LONGEST + 1
    bins = np.clip(difference, -edge, edge) + edge
    width = 2 * edge + 1
    dates = np.bincount(g * width + bins, minlength=groups * width).reshape(groups, width)
    known = np.isfinite(spread)
    covered = known & (np.abs(difference) <= np.where(known, spread, 0))
    counts = [np.bincount(g[part], minlength=groups) for part in (known, covered)]
    return dates.astype(np.int64), np.stack(counts, axis=-1).astype(np.int64)
