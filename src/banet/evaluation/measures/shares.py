"""Burned share of blocks of about 5 km, map against reference, as the CEOS LPV protocol asks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.measures.measure import Arrays, Measure, MeasureTable, Pair, Reals, Tree, ratio
from banet.grid.region import Region
from banet.io.tables import Number, Row

__all__ = ["Shares"]

_KM_PER_DEGREE = 111.195
_CLASSES = 25


def _line(whole: Tree) -> Row:
    line = whole["proportions"]
    return {
        "blocks": line["blocks"],
        "slope": Number(line["slope"]),
        "intercept": Number(line["intercept"], 4, sign=True),
        "R2": Number(line["r2"]),
        "best threshold": Number(whole["best_threshold"], 2),
    }


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
        rows, cols = self._edges(c.region)
        mapped = c.map_fraction if self.soft else c.map_burned.astype(np.float64)
        area = c.area * c.valid
        valid = _blocks(area, rows, cols)
        keep = (valid >= self.least_valid * _blocks(c.area, rows, cols)) & (valid > 0)
        x, y = (_blocks(area * side, rows, cols)[keep] for side in (c.reference_fraction, mapped))
        return x / valid[keep], y / valid[keep]

    def sums(self, pair: Pair) -> Arrays:
        """Return, as one group, the moments of the shares, their joint classes, and the blocks' edges."""
        x, y = self.shares(pair.cells)
        moments = (np.ones_like(x), x, y, x * x, x * y, y * y, (y - x) ** 2)
        rows, cols = self._edges(pair.cells.region)
        size = pair.cells.region.pixel_size * _KM_PER_DEGREE
        km = (rows * size, cols * size * _shrink(pair.cells.region), 1.0)
        classes, _, _ = np.histogram2d(x, y, _CLASSES, ((0, 1), (0, 1)))
        return {
            "moments": np.array([[part.sum() for part in moments]]),
            "classes": classes[None],
            "km": np.array([km]),
        }

    def value(self, sums: Arrays) -> Tree:
        """Return the line, NaN where the reference is the same everywhere; RMSE of map against reference."""
        n, x, y, xx, xy, yy, dd = (float(v) for v in sums["moments"])
        mean_x, mean_y = (float(ratio(v, n)) for v in (x, y))
        spread_x, spread_y, common = xx - n * mean_x**2, yy - n * mean_y**2, xy - n * mean_x * mean_y
        flat = n < 2 or spread_x <= 1e-12 * max(xx, 1e-300)
        slope = float("nan") if flat else common / spread_x
        r2 = float("nan") if flat else float(ratio(slope * common, spread_y))
        line = {
            "block_km": [float(v) for v in ratio(sums["km"][:2], sums["km"][2])],
            "blocks": int(n),
            "slope": slope,
            "intercept": mean_y - slope * mean_x,
            "r2": r2,
            "rmse": float(np.sqrt(ratio(dd, n))),
        }
        return {"proportions": line | {"blocks_by_share": sums["classes"].astype(int).tolist()}}

    def _edges(self, region: Region) -> tuple[int, int]:
        cell = region.pixel_size * _KM_PER_DEGREE
        across = cell * max(_shrink(region), 0.02)
        return max(1, round(self.km / cell)), max(1, round(self.km / across))


def _shrink(region: Region) -> float:
    return math.cos(math.radians((region.south + region.north) / 2))


def _blocks(values: npt.NDArray[Any], rows: int, cols: int) -> Reals:
    down = np.add.reduceat(values, np.arange(0, values.shape[0], rows), axis=0)
    return np.asarray(np.add.reduceat(down, np.arange(0, values.shape[1], cols), axis=1), np.float64)
