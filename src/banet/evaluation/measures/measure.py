"""A measure of a map against a reference, and the pair of the two that it is taken from.

A measure is one class in one file. `sums` gives arrays whose first axis is the group of cells (blocks for
the bootstrap); they add over groups and scenes. `value` reads what is said of the map from the sums of all
groups, `rows` turns that into a table.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.io.tables import Number, Row

__all__ = ["Arrays", "Measure", "MeasureTable", "Pair", "Tree", "listed", "ratio", "total"]

Arrays = dict[str, npt.NDArray[Any]]
Tree = Mapping[str, Any]
"""What is said of a map, by name; it goes into JSON as it is."""

Reals = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pair:
    """A map and a reference cell by cell, each cell in a group.

    Attributes:
        cells: map and reference.
        group: (rows, columns) int64 from 0; cells below 0 are left out.
        groups: number of groups.
        classes: further classes of the cells by name, (rows, columns) of whole numbers from 0, below 0 for
            none: `gap`, `cover`; masks of confounders.
        labels: names of those classes, in order.
    """

    cells: Comparison
    group: npt.NDArray[np.int64]
    groups: int
    classes: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, cells: Comparison, block: int | None = None, **known: Any) -> Pair:
        """Deal the cells out to square blocks; blocks without a cell that counts are left out.

        Args:
            cells: map and reference.
            block: edge of the blocks in cells; None for one group.
            known: `classes` and `labels`.

        Raises:
            InputError: if the edge is not positive, or a plane of classes has another shape.
        """
        rows, cols = cells.region.shape
        if block is not None and block < 1:
            raise InputError(f"blocks of {block} cells; the edge of a block is at least 1 cell")
        for name, plane in known.get("classes", {}).items():
            check_shape(cells, plane, name)
        edge = block or max(rows, cols)
        place = (np.arange(rows)[:, None] // edge) * math.ceil(cols / edge) + np.arange(cols) // edge
        used = cells.valid | cells.unseen
        names, index = np.unique(place[used], return_inverse=True)
        group = np.full(cells.region.shape, -1)
        group[used] = index
        return cls(cells, group, max(names.size, 1), **known)

    def add(self, where: Bools, values: npt.ArrayLike, kind: Any = 0, kinds: int = 1) -> Reals:
        """Sum values by group and kind, (groups, kinds) float64.

        Args:
            where: cells to take, (rows, columns).
            values: of those cells, (n,), or one for all.
            kind: of each of those cells from 0, (n,), or one for all.
            kinds: number of kinds.
        """
        number = self.group[where] * kinds + kind
        weights = np.broadcast_to(np.asarray(values, np.float64), number.shape)
        sums = np.bincount(number, weights, minlength=self.groups * kinds)
        return np.asarray(sums, np.float64).reshape(self.groups, kinds)

    def columns(self, where: Bools, *values: npt.ArrayLike, kind: Any = 0, kinds: int = 1) -> Reals:
        """Sum several values of the same cells, (groups, kinds, values) or, of one kind, (groups, values)."""
        sums = np.stack([self.add(where, one, kind, kinds) for one in values], axis=-1)
        return sums if kinds > 1 else sums[:, 0]

    @cached_property
    def area(self) -> Reals:
        """Hectares of the cells that count, (n,)."""
        return self.cells.area[self.cells.valid]

    @cached_property
    def both_dated(self) -> Bools:
        """Cells that count, burned and dated on both sides, (rows, columns)."""
        c = self.cells
        dated = ~np.isnat(c.map_date) & ~np.isnat(c.reference_date)
        return c.valid & c.map_burned & c.reference_burned & dated

    @cached_property
    def late(self) -> npt.NDArray[np.int64]:
        """Days from the reference's date to the map's where both date, (n,)."""
        at = self.both_dated
        return (self.cells.map_date[at] - self.cells.reference_date[at]).astype(np.int64)

    @cached_property
    def stated(self) -> tuple[Bools, Bools]:
        """Whether the map states its days of uncertainty where both date, and whether they cover `late`."""
        spread = self.cells.map_uncertainty[self.both_dated]
        known = np.isfinite(spread)
        return known, known & (np.abs(self.late) <= np.where(known, spread, 0))

    @cached_property
    def outcomes(self) -> tuple[Bools, Bools, Bools, Bools]:
        """Cells burned in both, in the map alone, in the reference alone, in neither, (rows, columns)."""
        mapped, burned = self.cells.map_burned, self.cells.reference_burned
        return mapped & burned, mapped & ~burned, ~mapped & burned, ~mapped & ~burned


def check_shape(cells: Comparison, plane: npt.NDArray[Any], what: str) -> None:
    """Raise an InputError if a plane does not fit the cells compared."""
    if plane.shape != cells.region.shape:
        raise InputError(f"{what} of {plane.shape} do not fit the {cells.region.shape} cells compared")


@dataclass(frozen=True)
class MeasureTable:
    """A table to read: one line a map.

    Attributes:
        name: in files and pages.
        title: above it.
        words: what the columns mean; `{map}` and `{reference}` stand for the part of a cell from which on
            it counts as burned there.
        line: columns from what is said of a map.
    """

    name: str
    title: str
    words: str
    line: Callable[[Tree], Row]


def listed(name: str, label: str, figure: str, digits: int) -> Callable[[Tree], Row]:
    """Return the line of a table that shows a figure of each row of the list `name`."""
    return lambda whole: {row[label]: Number(row[figure], digits) for row in whole.get(name, ())}


class Measure(ABC):
    """Something told of a map against a reference.

    Attributes:
        name: of its sums.
        tables: to read.
        file: name of the CSV file of its rows, where it is not that of the measure.
    """

    name: ClassVar[str]
    tables: tuple[MeasureTable, ...] = ()
    file: ClassVar[str] = ""

    @abstractmethod
    def sums(self, pair: Pair) -> Arrays:
        """Return sums by group, the groups first."""

    @abstractmethod
    def value(self, sums: Arrays) -> Tree:
        """Return what is said of the map, from sums without the groups."""

    def rows(self, whole: Tree) -> list[Row]:
        """Return all numbers for machines, from what all measures say of a map; by default its list."""
        said = whole.get(self.name)
        return list(said) if isinstance(said, (list, tuple)) else []

    def figures(self, sums: Arrays) -> dict[str, Reals]:
        """Return the figures that have an interval, from sums with any leading axes; by default none."""
        return {}

    def of(self, cells: Comparison, **known: Any) -> Tree:
        """Measure one comparison."""
        return self.value(total(self.sums(Pair.of(cells, **known))))


def total(sums: Arrays) -> Arrays:
    """Return the sums of all groups."""
    return {name: part.sum(axis=0) for name, part in sums.items()}


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Reals:
    """Return part / whole, NaN where the whole is not positive."""
    up, down = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(down > 0, up / down, np.nan)
