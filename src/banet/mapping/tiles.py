"""Tiles read from a cube and run through the network, one at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.evidence import NO_EVIDENCE, classes_of
from banet.cube.variables import CLEAR_RED
from banet.errors import InputError
from banet.mapping.cores import Tile
from banet.mapping.run import Run
from banet.mapping.windows import Window

if TYPE_CHECKING:
    from banet.cube import Cube, CubeWindow
    from banet.model.config import InputSpec

__all__ = ["Ahead", "Cells", "Prediction", "looks_of", "predict_tile", "read_tile"]

Cells = npt.NDArray[np.float32]
Planned = tuple[int, int, int]
"""Row and column of a tile's index, and the number of a window."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Probabilities of cells, and the looks at them.

    Attributes:
        probability: of burning on each summed day, (days, rows, columns) float32.
        observed_days: mapped days on which each cell was observed, (rows, columns) int16.
        water: (rows, columns) int8: above 0 water, below 0 land, 0 unknown.
        evidence: class of what was known about the most probable day, (rows, columns) uint8.
        partial_days: mapped days on which a cell has one or two of the three bands, (rows, columns) int16.
        looks: whether all three bands were observed and red is below 0.3, (days, rows, columns) bool, from
            the first mapped day to the last that a window sees.
    """

    probability: Cells
    observed_days: npt.NDArray[np.int16]
    water: npt.NDArray[np.int8]
    evidence: npt.NDArray[np.uint8]
    partial_days: npt.NDArray[np.int16]
    looks: npt.NDArray[np.bool_]


def predict_tile(run: Run, tile: Tile, take: Callable[[Planned], tuple[CubeWindow, Cells]]) -> Prediction:
    """Predict the inner cells of a tile, the summed days of all windows joined.

    Cells that a window never saw (no reflectance and no hot spot) and those of water have probability 0,
    whatever the network says; a tile of nothing else is not computed, which changes nothing in the result.
    So has every cell on the days after the last one of the cube: nothing is known of them, and the little
    that a network says of each would add up. Days before the first are kept, since a scar tells of them.
    The original's tiling computes every tile and leaves all as the network gives it.

    Args:
        run: cube, windows and network.
        tile: a tile of its region.
        take: gives what `read_tile` reads of a tile and a window.
    """
    rows, cols = tile.inner
    shape = rows.stop - rows.start, cols.stop - cols.start
    probability = np.zeros((sum(part.stop - part.start for part in run.summed), *shape), np.float32)
    observed, partial, water = np.zeros((3, *shape), np.int16)
    evidence, largest = np.full(shape, NO_EVIDENCE, np.uint8), np.full(shape, -1, np.float32)
    looks = np.zeros((run.days_seen, *shape), bool)
    first = 0
    for number, (window, summed) in enumerate(zip(run.windows, run.summed, strict=True)):
        daily = probability[first : first + summed.stop - summed.start]
        saw = _window(run, tile, (window, summed), daily, *take((*tile.index, number)))
        observed += saw.observed_days
        partial += saw.partial_days
        water += saw.water
        start = int((window.start - run.days[0]).astype(int))
        looks[max(start, 0) : start + window.length] |= saw.looks[max(-start, 0) :]
        peak = _kept(daily, window, summed).max(0)
        np.copyto(evidence, saw.evidence, where=peak > largest)
        np.maximum(largest, peak, out=largest)
        first += len(daily)
    return Prediction(probability, observed, np.sign(water).astype(np.int8), evidence, partial, looks)


def _window(
    run: Run, tile: Tile, part: tuple[Window, slice], daily: Cells, planes: CubeWindow, x: Cells
) -> Prediction:
    """Fill in the probabilities of a window's summed days; return what it saw. The planes are used up."""
    from banet.model.inputs import normalise

    window, summed = part
    names = ("red", "nir", "mir", "frp")
    inner = SimpleNamespace(**{name: getattr(planes, name)[:, *tile.inner] for name in names})
    water = _water(run, tile, inner)
    clear, some = looks_of(inner)
    looked, cloudless = np.isfinite(inner.frp), clear & (inner.red < CLEAR_RED)
    engine = run.ensemble.engine
    told = (clear if engine.spec.whole_looks else some).any(0) | (inner.frp > 0).any(0)
    wanted = None if run.tiling.original else told & (water <= 0)
    if wanted is None or wanted.any():
        normalise(planes, engine.spec, out=_inside(x, tile))
        result = engine.probabilities(x, (summed, *tile.inner))
        if result.shape != daily.shape:
            raise InputError(
                f"the network gave {result.shape} where days, rows and columns are {daily.shape}"
            )
        daily[...] = result if wanted is None else np.where(wanted, result, np.float32(0))
        if wanted is not None:
            daily[window.days[summed] > run.last_day] = 0
    peak = _kept(daily, window, summed).argmax(0) + window.keep.start
    whole, any_band = (looks[window.keep].sum(0, dtype=np.int16) for looks in (clear, some))
    return Prediction(daily, whole, water, classes_of(clear, looked, peak), any_band - whole, cloudless)


def _kept(daily: Cells, window: Window, summed: slice) -> Cells:
    """View the kept days among those of a window that are summed."""
    return daily[window.keep.start - summed.start : window.keep.stop - summed.start]


def _water(run: Run, tile: Tile, inner: Any) -> npt.NDArray[np.int8]:
    mask = run.water.mask
    if mask is None:
        return np.zeros(inner.red.shape[1:], np.int8)
    return np.where(mask[tile.rows, tile.cols][tile.inner], 1, -1).astype(np.int8)


def looks_of(window: Any) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell where a window holds red, NIR and MIR, and where at least one, (days, rows, columns) each."""
    whole, some = np.empty((2, *window.red.shape), bool)
    for day, bands in enumerate(zip(window.red, window.nir, window.mir, strict=True)):
        r, n, m = (np.isfinite(band) for band in bands)
        whole[day], some[day] = r & n & m, r | n | m
    return whole, some


def read_tile(
    cube: Cube, tile: Tile, window: Window, spec: InputSpec, *, quiet: bool = False
) -> tuple[CubeWindow, Cells]:
    """Read the days of a window in a tile, in the array that the network is to take.

    Args:
        cube: what was observed.
        tile: of its region.
        window: the days.
        spec: channels of the network.
        quiet: whether no hot spot was seen in the whole region: they then count as not known.

    Returns:
        The planes, and the array (channels, T, rows, columns) float32 in which those lie that are channels of
        the spec, not yet normalised; what lies past the region is.
    """
    from banet.model.inputs import MADE_CHANNELS

    x = np.empty((len(spec.channels), window.length, *tile.size), np.float32)
    if tile.shape != tile.size:  # what lies past the region looks to the network as missing values do
        x[...] = np.asarray(spec.missing, np.float32)[:, None, None, None]
    channels = zip(spec.channels, _inside(x, tile), strict=True)
    into: dict[str, Cells] = {name: plane for name, plane in channels if name not in MADE_CHANNELS}
    variables = ("red", "nir", "mir", "frp")
    planes = cube.read(window.start, window.stop, tile.rows, tile.cols, variables=variables, into=into)
    if quiet:
        planes.frp[...] = np.nan
    return planes, x


def _inside(x: Cells, tile: Tile) -> Cells:
    """View the part of a tile that lies within the region."""
    return x[:, :, : tile.shape[0], : tile.shape[1]]


class Ahead:
    """Reading in another thread, one item ahead of who takes the items in a known order.

    An item that is not the one read ahead is read when it is asked for, so any order gives the same.

    Args:
        read: reads an item.
        order: in which the items will be taken.
    """

    def __init__(self, read: Callable[[Planned], Any], order: Iterable[Planned]) -> None:
        self._read, self._after = read, dict(itertools.pairwise(order))
        self._pool = ThreadPoolExecutor(1)
        self._pending: tuple[Planned, Future[Any]] | None = None

    def take(self, item: Planned) -> Any:
        """Return what was read of an item, and begin to read the next."""
        pending, self._pending = self._pending, None
        there = pending is not None and pending[0] == item
        found = pending[1].result() if pending is not None and there else self._read(item)
        del pending  # a future holds its result
        if item in self._after:
            following = self._after[item]
            self._pending = following, self._pool.submit(self._read, following)
        return found

    def close(self) -> None:
        """Drop what was read ahead."""
        self._pending = None
        self._pool.shutdown(cancel_futures=True)
