"""Parts of a map that could not be made: what failed, where, and what the rest looks like without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.dating import NO_UNCERTAINTY
from banet.errors import InputError, OutputError
from banet.mapping.layout import Tiling

__all__ = ["Gaps", "lost_cells", "unseen", "without"]

Index = tuple[int, int]
Planes = Mapping[str, npt.NDArray[Any]]

_EMPTY: Mapping[str, int] = {
    "burned_fraction": 0,
    "day": -1,
    "uncertainty": NO_UNCERTAINTY,
    "observed_days": 0,
    "water": 0,
}


@dataclass
class Gaps:
    """What failed in a run.

    A wrong setting or an output that cannot be written to is no fault of a tile: those errors are raised.

    Attributes:
        tiling: of the run.
        keep_going: take note of failures; otherwise each is raised.
        tiles: that failed.
        blocks: that failed, though their tiles were there.
    """

    tiling: Tiling
    keep_going: bool = False
    tiles: set[Index] = field(default_factory=set)
    blocks: set[Index] = field(default_factory=set)
    _notes: list[dict[str, Any]] = field(default_factory=list)
    _first: BaseException | None = None

    def tile(self, index: Index, error: BaseException) -> None:
        """Take note that a tile could not be made.

        Raises:
            BaseException: the error itself, if it ends the run.
        """
        self._note(index, self.tiling.weighty(index), error)
        self.tiles.add(index)

    def block(self, index: Index, error: BaseException) -> None:
        """Take note that a block could not be joined; see `tile`."""
        self._note(index, self.tiling.block(index), error)
        self.blocks.add(index)

    def check(self) -> None:
        """Make sure that something was made.

        Raises:
            BaseException: the first error, if no tile of the tiling could be made.
        """
        if self._first is not None and len(self.tiles) == len(self.tiling):
            raise self._first

    def describe(self) -> list[dict[str, Any]]:
        """Return the gaps as values that JSON can hold: tile, rows and columns (half-open), reason."""
        return sorted(self._notes, key=lambda note: (note["rows"], note["cols"]))

    def _note(self, index: Index, box: tuple[slice, slice], error: BaseException) -> None:
        if not self.keep_going or isinstance(error, (InputError, OutputError)):
            raise error
        rows, cols = ([part.start, part.stop] for part in box)
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        self._notes.append({"tile": list(index), "rows": rows, "cols": cols, "reason": reason})
        self._first = self._first or error


def lost_cells(tiling: Tiling, block: Index, failed: Collection[Index]) -> npt.NDArray[np.bool_] | None:
    """Return which cells of a block miss a tile, (rows, columns) bool, or None if none does."""
    rows, cols = tiling.block(block)
    lost = np.zeros((rows.stop - rows.start, cols.stop - cols.start), bool)
    for index in failed:
        if block in tiling.touched(index):
            down, across = tiling.weighty(index)
            lost[_shifted(down, rows.start), _shifted(across, cols.start)] = True
    return lost if lost.any() else None


def without(planes: Planes, lost: npt.NDArray[np.bool_]) -> Planes:
    """Return the planes of a block with lost cells as if they had never been observed."""
    return {name: np.where(lost, plane.dtype.type(_EMPTY[name]), plane) for name, plane in planes.items()}


def unseen(rows: slice, cols: slice) -> Planes:
    """Return what was seen of a block of which nothing was."""
    shape = rows.stop - rows.start, cols.stop - cols.start
    return {"observed_days": np.zeros(shape, np.int16), "water": np.zeros(shape, np.int8)}


def _shifted(part: slice, origin: int) -> slice:
    return slice(max(0, part.start - origin), max(0, part.stop - origin))
