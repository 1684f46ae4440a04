"""The best view of a day: of several overpasses, each cell's is chosen by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from banet.errors import InputError
from banet.observations.planes import DayPlanes, Overpass

__all__ = ["BestView"]

# Added to the view zenith (at most 90 degrees) of a view that lacks a band, so that it ranks after whole
# ones.
_INCOMPLETE = np.float32(1000)
# Rank of a view whose zenith is unknown: after every known one of its kind.
_NO_ZENITH = np.float32(500)


class BestView:
    """The best view of the overpasses that were added so far, in the memory of one overpass.

    A cell takes all its bands from one overpass: the one of smallest view zenith among those that have red,
    NIR and MIR there, else the one of smallest view zenith among those that have any of them. Of equal ones
    the first added stays.

    Args:
        shape: (rows, columns) of the grid.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._planes = {
            name: np.full(shape, np.nan, np.float32) for name in ("red", "nir", "mir", "view_zenith")
        }
        self._rank = np.full(shape, np.inf, np.float32)
        self._count = np.zeros(shape, np.uint8)
        self._inputs: tuple[str, ...] = ()
        self._satellites: tuple[str, ...] = ()
        self.overpasses = 0

    def add(self, overpass: Overpass) -> None:
        """Take what is better in `overpass`.

        Raises:
            InputError: if it is on another grid.
        """
        if overpass.red.shape != self._rank.shape:
            raise InputError(
                f"overpass {overpass.time} has shape {overpass.red.shape}, not {self._rank.shape}"
            )
        seen = [np.isfinite(plane) for plane in (overpass.red, overpass.nir, overpass.mir)]
        whole = seen[0] & seen[1] & seen[2]
        rank = np.where(np.isfinite(overpass.view_zenith), overpass.view_zenith, _NO_ZENITH)
        rank[~whole] += _INCOMPLETE
        rank[~(seen[0] | seen[1] | seen[2])] = np.inf
        better = rank < self._rank
        np.copyto(self._rank, rank, where=better)
        for name, plane in self._planes.items():
            np.copyto(plane, getattr(overpass, name), where=better)
        self._count += whole & (self._count < np.iinfo(np.uint8).max)
        self._inputs += overpass.inputs
        if overpass.satellite and overpass.satellite not in self._satellites:
            self._satellites += (overpass.satellite,)
        self.overpasses += 1

    def result(self, gaps: Sequence[str] = ()) -> DayPlanes:
        """Return the planes of the day; `count` is the number of overpasses with all of red, NIR and MIR."""
        return DayPlanes(
            red=self._planes["red"],
            nir=self._planes["nir"],
            mir=self._planes["mir"],
            view_zenith=self._planes["view_zenith"],
            count=self._count,
            inputs=self._inputs,
            gaps=tuple(gaps),
            satellites=self._satellites,
        )
