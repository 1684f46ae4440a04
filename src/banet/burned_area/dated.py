"""Burned fraction by cell and day, kept sparse.

A cell of 0.01 degree holds four or five pixels of 463 m, which may have burned on different days. One date a
cell would lose that; a dense array of every day would be almost all zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import NO_DATE, Day, Days, as_day
from banet.errors import InputError
from banet.grid.average import LatLonGrid, cut_cells
from banet.grid.region import Region
from banet.grid.sinusoidal import Ints, Reals

__all__ = ["DatedFractions"]

_SLACK = 0.05
"""Part of a cell by which rasters that were projected one by one may overlap where they meet."""


@dataclass(frozen=True, eq=False)
class DatedFractions:
    """Fractions of cells that burned on given days; at most one entry a cell and day.

    Attributes:
        region: where the cells are.
        row, col: the cell of each entry, (n,).
        day: the UTC day that it burned, (n,) datetime64[D].
        fraction: part of the cell's area that burned on that day, (n,) float64 in 0..1.
        uncertainty: days that the date may be off, area-weighted over what burned, (n,) float64; NaN where
            the source does not say.

    Raises:
        InputError: if the entries differ in number, lie outside the region, or are no fractions.
    """

    region: Region
    row: Ints
    col: Ints
    day: Days
    fraction: Reals
    uncertainty: Reals

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name).shape for name in ("row", "col", "day", "fraction", "uncertainty")}
        if len(set(sizes.values())) != 1 or self.row.ndim != 1:
            raise InputError(f"dated fractions need one value of each kind an entry; found shapes {sizes}")
        if not self.row.size:
            return
        rows, cols = self.region.shape
        if self.row.min() < 0 or self.row.max() >= rows or self.col.min() < 0 or self.col.max() >= cols:
            raise InputError(f"dated fractions lie outside the {rows} x {cols} cells of {self.region.name}")
        if np.isnat(self.day).any():
            raise InputError("dated fractions hold an entry without a day")
        if not (self.fraction.min() >= 0 and self.fraction.max() <= 1 + _SLACK):
            raise InputError(
                f"fractions from {self.fraction.min():g} to {self.fraction.max():g}; they must be in 0..1"
            )

    def __repr__(self) -> str:
        span = f", {self.day.min()} to {self.day.max()}" if self.day.size else ""
        return f"DatedFractions({self.region.name}, {self.day.size} entries{span})"

    @classmethod
    def from_pieces(
        cls,
        region: Region,
        row: npt.ArrayLike,
        col: npt.ArrayLike,
        day: npt.ArrayLike,
        fraction: npt.ArrayLike,
        uncertainty: npt.ArrayLike | None = None,
    ) -> DatedFractions:
        """Add up the pieces that fell into the same cell on the same day.

        The uncertainty of the sum is the area-weighted mean over the pieces that have one.
        """
        r, c = np.asarray(row, np.int64), np.asarray(col, np.int64)
        days = np.asarray(day, "datetime64[D]").astype(np.int64)
        part = np.asarray(fraction, np.float64)
        spread = np.full(part.shape, np.nan) if uncertainty is None else np.asarray(uncertainty, np.float64)
        first = int(days.min()) if days.size else 0
        span = int(days.max()) - first + 1 if days.size else 1
        key = (r * region.shape[1] + c) * span + (days - first)
        unique, inverse = np.unique(key, return_inverse=True)
        known = np.isfinite(spread)
        total = np.asarray(np.bincount(inverse, part, minlength=unique.size), np.float64)
        weight = np.bincount(inverse, part * known, minlength=unique.size)
        summed = np.bincount(inverse, np.where(known, spread, 0) * part, minlength=unique.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(weight > 0, summed / weight, np.nan)
        cell = unique // span
        when = (unique % span + first).astype("datetime64[D]")
        return cls(region, cell // region.shape[1], cell % region.shape[1], when, total, mean)

    @classmethod
    def empty(cls, region: Region) -> DatedFractions:
        """Return the fractions of a region where nothing burned."""
        none = np.zeros(0)
        cells = np.zeros(0, np.intp)
        return cls(region, cells, cells, none.astype("datetime64[D]"), none, none)

    @classmethod
    def join(cls, parts: Sequence[DatedFractions]) -> DatedFractions:
        """Add up the fractions of several sources on one grid, such as neighbouring tiles or months.

        Raises:
            InputError: if there is none, or their grids differ.
        """
        if not parts or any(part.region != parts[0].region for part in parts):
            raise InputError("dated fractions can be joined only where there are some, all on one grid")
        names = ("row", "col", "day", "fraction", "uncertainty")
        joined = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls.from_pieces(parts[0].region, *joined)

    @property
    def burned_area_ha(self) -> float:
        """Burned hectares on the WGS84 ellipsoid."""
        return float((self.fraction * self.region.cell_area_ha[self.row]).sum())

    def total(self) -> npt.NDArray[np.float32]:
        """Return the fraction of each cell that burned on any day, (rows, columns) float32 in 0..1."""
        out = np.zeros(self.region.shape)
        np.add.at(out, (self.row, self.col), self.fraction)
        return np.minimum(out, 1).astype(np.float32)

    def main_day(self) -> tuple[Days, npt.NDArray[np.uint8]]:
        """Return the day on which most of each cell burned, and the uncertainty of that day.

        The earlier day wins a tie. A map by weights without calibration is dated in the same way, by the day
        of the largest daily probability; calibrated weights date by a quantile of the summed probability
        (`DatingRule`).

        Returns:
            (rows, columns) datetime64[D], NaT where nothing burned; (rows, columns) uint8 days, rounded up,
            255 where not known.
        """
        date = np.full(self.region.shape, NO_DATE)
        spread = np.full(self.region.shape, NO_UNCERTAINTY, np.uint8)
        # Later assignments win: the largest fraction comes last, and among equals the earliest day.
        order = np.lexsort((-self.day.astype(np.int64), np.round(self.fraction, 9)))
        order = order[self.fraction[order] > 0]
        at = self.row[order], self.col[order]
        date[at] = self.day[order]
        known = np.isfinite(self.uncertainty[order])
        days = np.where(known, np.ceil(np.round(self.uncertainty[order], 6)), NO_UNCERTAINTY)
        spread[at] = np.minimum(days, NO_UNCERTAINTY).astype(np.uint8)
        return date, spread

    def daily(self, days: Days) -> npt.NDArray[np.float32]:
        """Return the burned fraction of each day, (days, rows, columns) float32; other days are left out."""
        wanted = np.asarray(days, "datetime64[D]")
        if np.unique(wanted).size != wanted.size:
            raise InputError("the days of a daily burned fraction must differ from one another")
        order = np.argsort(wanted)
        place = np.searchsorted(wanted[order], self.day)
        inside = place < wanted.size
        inside[inside] = wanted[order][place[inside]] == self.day[inside]
        out = np.zeros((wanted.size, *self.region.shape), np.float32)
        out[order[place[inside]], self.row[inside], self.col[inside]] = np.minimum(self.fraction[inside], 1)
        return out

    def between(self, start: Day, stop: Day) -> DatedFractions:
        """Return what burned from `start` up to, not including, `stop`."""
        return self.only((self.day >= as_day(start)) & (self.day < as_day(stop)))

    def to(self, region: Region) -> DatedFractions:
        """Return the fractions on another region's grid, each share of area going where it lies."""
        cuts = cut_cells(LatLonGrid.of(self.region), self.row, self.col, region)
        return DatedFractions.from_pieces(
            region,
            cuts.row,
            cuts.col,
            self.day[cuts.run],
            self.fraction[cuts.run] * cuts.fraction,
            self.uncertainty[cuts.run],
        )

    def crop(self, rows: slice, cols: slice, region: Region) -> DatedFractions:
        """Return the entries in a block of cells, whose grid is `region`."""
        row, col = (
            self.row - rows.indices(self.region.shape[0])[0],
            self.col - cols.indices(self.region.shape[1])[0],
        )
        inside = (row >= 0) & (row < region.shape[0]) & (col >= 0) & (col < region.shape[1])
        kept = self.only(inside)
        return DatedFractions(region, row[inside], col[inside], kept.day, kept.fraction, kept.uncertainty)

    def only(self, keep: npt.NDArray[np.bool_]) -> DatedFractions:
        """Return some of the entries; `keep` holds a value for each."""
        return DatedFractions(
            self.region,
            self.row[keep],
            self.col[keep],
            self.day[keep],
            self.fraction[keep],
            self.uncertainty[keep],
        )
