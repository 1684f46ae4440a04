"""Burned share of blocks of about 5 km, map against reference, as the CEOS LPV protocol asks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Reals, Tree, ratio
from banet.grid.region import KM_PER_DEGREE, Region
from banet.io.tables import Number, Row

__all__ = ["Shares"]

_CLASSES = 25


def _line(whole: Tree) -> Row:
    line, best = whole["proportions"], Number(whole["best_threshold"], 2)
    fit = {"slope": Number(line["slope"]), "intercept": Number(line["intercept"], 4, sign=True)}
    return {"blocks": line["blocks"], **fit, "R2": Number(line["r2"]), "best threshold": best}


class Shares(Measure):
    """Map share = intercept + slope x reference share, by least squares over blocks.

    Args:
        km: edge of the blocks, rounded to whole cells.
        least_valid: share of a block's area that must count for the block to count.
        soft: take the map's burned fractions in place of its burned cells.

    Raises:
        InputError: if the edge is not positive.
    """

    name = "shares"
    tables = (
        MeasureTable(
            "proportions",
            "Burned share in blocks of 5 km",
            "Map share = intercept + slope x true share, by least squares. The best threshold is that "
            "on the burned fraction with the largest Dice.",
            _line,
        ),
    )

    def __init__(self, km: float = 5.0, *, least_valid: float = 0.5, soft: bool = False):
        if not km > 0:
            raise InputError(f"blocks of {km} km; the edge must be positive")
        self.km, self.least_valid, self.soft = km, least_valid, soft

    def shares(self, c: Comparison) -> tuple[Reals, Reals]:
        """Return the burned share of each block in the reference and in the map, (n,) each."""
        edges = self._edges(c.region)[0]
        mapped = c.map_fraction if self.soft else c.map_burned.astype(np.float64)
        area = c.area * c.valid
        valid = _blocks(area, edges)
        keep = (valid >= (self.least_valid - 1e-9) * _blocks(c.area, edges)) & (valid > 0)
        x, y = (_blocks(area * side, edges)[keep] / valid[keep] for side in (c.reference_fraction, mapped))
        return x, y

    def sums(self, pair: Pair) -> Arrays:
        """Return, as one group, the moments of the shares, their joint classes, and the blocks' edges."""
        x, y = self.shares(pair.cells)
        moments = [part.sum() for part in (np.ones_like(x), x, y, x * x, x * y, y * y, (y - x) ** 2)]
        classes, _, _ = np.histogram2d(x, y, _CLASSES, ((0, 1), (0, 1)))
        km = [*self._edges(pair.cells.region)[1], 1.0]
        return {"moments": np.array([moments]), "classes": classes[None], "km": np.array([km])}

    def value(self, sums: Arrays) -> Tree:
        """Return the line, NaN where the reference is the same everywhere; RMSE of map against reference."""
        n, x, y, xx, xy, yy, dd = (float(v) for v in sums["moments"])
        mean_x, mean_y = (float(ratio(v, n)) for v in (x, y))
        spread_x, spread_y, common = xx - n * mean_x**2, yy - n * mean_y**2, xy - n * mean_x * mean_y
        flat = n < 2 or spread_x <= 1e-12 * max(xx, 1e-300)
        slope = float("nan") if flat else common / spread_x
        line = {
            "block_km": [float(v) for v in ratio(sums["km"][:2], sums["km"][2])],
            "blocks": int(n),
            "slope": slope,
            "intercept": mean_y - slope * mean_x,
            "r2": float(ratio(slope * common, spread_y)),
            "rmse": float(np.sqrt(ratio(dd, n))),
            "blocks_by_share": sums["classes"].astype(int).tolist(),
        }
        return {"proportions": line}

    def _edges(self, region: Region) -> tuple[tuple[int, int], tuple[float, float]]:
        """Rows and columns of a block, and what these are in km."""
        shrink = math.cos(math.radians((region.south + region.north) / 2))
        cell = region.pixel_size * KM_PER_DEGREE
        rows, cols = max(1, round(self.km / cell)), max(1, round(self.km / (cell * max(shrink, 0.02))))
        return (rows, cols), (rows * cell, cols * cell * shrink)


def _blocks(values: npt.NDArray[Any], edges: tuple[int, int]) -> Reals:
    for axis, edge in enumerate(edges):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], edge), axis=axis)
    return np.asarray(values, np.float64)
