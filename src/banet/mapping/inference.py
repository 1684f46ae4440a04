"""Reading tiles from a cube and running the network over them, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.mapping.ensemble import Predictor
from banet.mapping.layout import Cells, Tile
from banet.mapping.water import water_evidence
from banet.mapping.windows import Window

if TYPE_CHECKING:
    from banet.cube import Cube, CubeWindow
    from banet.model.config import InputSpec

__all__ = ["TilePrediction", "WaterMask", "predict_tiles", "read_tile", "seen"]

WaterMask = npt.NDArray[np.bool_]
_MADE = ("observed", "hotspots_known")
"""Channels that are made from the planes of a cube, which holds none of that name."""
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, eq=False)
class TilePrediction:
    """What the network says of a tile, and what was seen of it.

    Attributes:
        tile: where.
        probability: (kept days, rows, columns) float32 of the tile's cells inside the region; 0 in those of
            its margin that have no weight, which are not computed.
        observed: (kept days, rows, columns) bool.
        water: (rows, columns) int8: above 0 water, below 0 land, 0 unknown.
    """

    tile: Tile
    probability: npt.NDArray[np.float32]
    observed: npt.NDArray[np.bool_]
    water: npt.NDArray[np.int8]


def predict_tiles(
    cube: Cube,
    windows: Sequence[Window],
    tiles: Iterable[Tile],
    engine: Predictor,
    *,
    mask: bool = True,
    water: WaterMask | None = None,
    estimate: bool = True,
) -> Iterator[TilePrediction]:
    """Predict tile by tile, the kept days of all windows joined.

    The next tile is read while the network works on the present one.

    Args:
        cube: what was observed.
        windows: whose kept days follow one another.
        tiles: which tiles of the cube's region.
        engine: the network.
        mask: give probability 0 to cells that a window never saw (no reflectance and no hot spot) or saw to
            be water, whatever the network says; tiles of nothing else are not computed at all, which changes
            nothing in the result. False computes every tile and leaves all as it comes.
        water: (rows, columns) of the region, where it is known.
        estimate: find water in the window where no mask is known.
    """
    jobs = ((tile, window) for tile in tiles for window in windows)
    parts: list[TilePrediction] = []
    for (tile, window), (planes, x) in _ahead(lambda job: read_tile(cube, *job, engine.spec), jobs):
        evidence = _evidence(planes, None if water is None else water[tile.rows, tile.cols], estimate)
        usable = seen(planes) & (evidence <= 0) if mask else None
        observed = planes.observed[window.keep]
        probability = _probability(planes, x, window, tile, engine, usable)
        parts.append(TilePrediction(tile, probability, observed, evidence))
        if len(parts) == len(windows):
            yield _joined(parts)
            parts = []


def seen(window: CubeWindow) -> npt.NDArray[np.bool_]:
    """Tell which cells a window holds anything of, a reflectance or a hot spot, (rows, columns) bool."""
    any_of = np.zeros(window.red.shape[1:], bool)
    with np.errstate(invalid="ignore"):
        for red, nir, mir, frp in zip(window.red, window.nir, window.mir, window.frp, strict=True):
            any_of |= ~np.isnan(red) | ~np.isnan(nir) | ~np.isnan(mir) | (frp > 0)
    return any_of


def read_tile(cube: Cube, tile: Tile, window: Window, spec: InputSpec) -> tuple[CubeWindow, Cells]:
    """Read the days of a window in a tile, in the array that the network is to take.

    Returns:
        The planes, and the array (channels, T, rows, columns) float32 in which those lie that are channels of
        the spec, not yet normalised; what lies past the region is.
    """
    x = np.empty((len(spec.channels), window.length, *tile.size), np.float32)
    if tile.shape != tile.size:  # what lies past the region looks to the network as missing values do
        x[...] = np.asarray(spec.missing, np.float32)[:, None, None, None]
    channels = zip(spec.channels, _inside(x, tile), strict=True)
    into: dict[str, Cells] = {name: plane for name, plane in channels if name not in _MADE}
    variables = ("red", "nir", "mir", "frp")
    planes = cube.read(window.start, window.stop, tile.rows, tile.cols, variables=variables, into=into)
    return planes, x


def _inside(x: Cells, tile: Tile) -> Cells:
    """View what of a tile lies within the region."""
    return x[:, :, : tile.shape[0], : tile.shape[1]]


def _evidence(planes: CubeWindow, known: WaterMask | None, estimate: bool) -> npt.NDArray[np.int8]:
    if known is not None:
        return np.where(known, 1, -1).astype(np.int8)
    if estimate:
        return water_evidence(planes)
    return np.zeros(planes.red.shape[1:], np.int8)


def _probability(
    planes: CubeWindow,
    x: Cells,
    window: Window,
    tile: Tile,
    engine: Predictor,
    usable: npt.NDArray[np.bool_] | None,
) -> Cells:
    """Return the probabilities where the tile has weight and a cell is usable, 0 elsewhere.

    The planes lie in `x` and are used up.
    """
    from banet.model.inputs import normalise

    kept = np.zeros((window.kept.size, *tile.shape), np.float32)
    inner = kept[:, *tile.weighty]
    wanted = None if usable is None else usable[tile.weighty]
    if not inner.size or (wanted is not None and not wanted.any()):
        return kept
    normalise(planes, engine.spec, out=_inside(x, tile))
    result = engine.probabilities(x, (window.keep, *tile.weighty))
    if result.shape != inner.shape:
        raise InputError(f"the network gave {result.shape} where days, rows and columns are {inner.shape}")
    inner[...] = result if wanted is None else np.where(wanted, result, np.float32(0))
    return kept


def _joined(parts: Sequence[TilePrediction]) -> TilePrediction:
    if len(parts) == 1:
        return parts[0]
    return TilePrediction(
        parts[0].tile,
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.observed for part in parts]),
        np.sign(np.sum([part.water for part in parts], axis=0, dtype=np.int64)).astype(np.int8),
    )


def _ahead(function: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[tuple[_T, _R]]:
    """Apply a function to items in another thread, one item ahead of the caller."""
    remaining = iter(items)
    with ThreadPoolExecutor(1) as pool:
        item = next(remaining, None)
        future = None if item is None else pool.submit(function, item)
        while item is not None and future is not None:
            present, result = item, future.result()
            item = next(remaining, None)
            future = None if item is None else pool.submit(function, item)
            yield present, result
