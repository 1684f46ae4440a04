"""Quality that a burned-area product states of itself, by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.days import Days

__all__ = ["Quality"]


@dataclass(frozen=True, eq=False)
class Quality:
    """Reliable period and QA bits of the cells of a region.

    Attributes:
        first_day, last_day: days between which all pixels of the cell could be mapped reliably,
            (rows, columns) datetime64[D]; NaT where the product says nothing.
        qa: the product's QA bits that hold on most of the cell's mapped area, (rows, columns) uint8
            (MCD64A1: bit 0 land, 1 enough valid data, 2 shortened period, 3 relabelled, 5-7 special code).
    """

    first_day: Days
    last_day: Days
    qa: npt.NDArray[np.uint8]

    def crop(self, rows: slice, cols: slice) -> Quality:
        """Return the quality of a block of cells."""
        return Quality(self.first_day[rows, cols], self.last_day[rows, cols], self.qa[rows, cols])
