"""Burned proportion in blocks of about 5 km: map against reference, as the CEOS LPV protocol asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.grid.region import Region

__all__ = ["ProportionFit", "fit_proportions", "proportion_fit"]

_KM_PER_DEGREE = 111.195


@dataclass(frozen=True, eq=False)
class ProportionFit:
    """Map proportion = intercept + slope x reference proportion, by least squares over blocks.

    Attributes:
        block_km: edge of the blocks, north to south and east to west, km.
        reference, map: burned proportion of each block's valid area, (n,) float64.
        slope, intercept: of the line; NaN where the reference is the same everywhere.
        r2: share of the map's variance that the line explains.
        rmse: of the map against the reference, not the line.
    """

    block_km: tuple[float, float]
    reference: npt.NDArray[np.float64]
    map: npt.NDArray[np.float64]
    slope: float
    intercept: float
    r2: float
    rmse: float

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return int(self.reference.size)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, without the single blocks."""
        names = ("blocks", "slope", "intercept", "r2", "rmse")
        return {"block_km": list(self.block_km)} | {name: getattr(self, name) for name in names}


def proportion_fit(
    comparison: Comparison, *, km: float = 5.0, least_valid: float = 0.5, soft: bool = False
) -> ProportionFit:
    """Fit the burned proportion of blocks.

    Args:
        comparison: map and reference.
        km: edge of the blocks; it is rounded to whole cells.
        least_valid: share of a block's area that must be valid for it to count.
        soft: take the map's burned fractions in place of its burned cells.

    Raises:
        InputError: if the edge is not positive.
    """
    if not km > 0:
        raise InputError(f"blocks of {km} km; the edge must be positive")
    rows, cols = _edges(comparison.region, km)
    mapped = comparison.map_fraction if soft else comparison.map_burned.astype(np.float64)
    area = comparison.area * comparison.valid
    whole = _blocks(comparison.area, rows, cols)
    valid = _blocks(area, rows, cols)
    keep = (valid >= least_valid * whole) & (valid > 0)
    x = (_blocks(area * comparison.reference_fraction, rows, cols)[keep]) / valid[keep]
    y = (_blocks(area * mapped, rows, cols)[keep]) / valid[keep]
    size = comparison.region.pixel_size * _KM_PER_DEGREE
    return fit_proportions(x, y, (rows * size, cols * size * _shrink(comparison.region)))


def _shrink(region: Region) -> float:
    return math.cos(math.radians((region.south + region.north) / 2))


def _edges(region: Region, km: float) -> tuple[int, int]:
    cell = region.pixel_size * _KM_PER_DEGREE
    return max(1, round(km / cell)), max(1, round(km / (cell * max(_shrink(region), 0.02))))


def _blocks(values: npt.NDArray[Any], rows: int, cols: int) -> npt.NDArray[np.float64]:
    down = np.add.reduceat(values, np.arange(0, values.shape[0], rows), axis=0)
    return np.asarray(np.add.reduceat(down, np.arange(0, values.shape[1], cols), axis=1), np.float64)


def fit_proportions(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], km: tuple[float, float]
) -> ProportionFit:
    """Fit the burned shares of blocks, which may be of several maps.

    Args:
        x: of the reference, (n,).
        y: of the map, (n,).
        km: edges of the blocks, north to south and east to west.
    """
    nan = float("nan")
    if x.size < 2 or np.ptp(x) == 0:
        rmse = float(np.sqrt(((y - x) ** 2).mean())) if x.size else nan
        return ProportionFit(km, x, y, nan, nan, nan, rmse)
    slope, intercept = (float(v) for v in np.polyfit(x, y, 1))
    spread = ((y - y.mean()) ** 2).sum()
    residual = ((y - intercept - slope * x) ** 2).sum()
    r2 = float(1 - residual / spread) if spread > 0 else nan
    return ProportionFit(km, x, y, slope, intercept, r2, float(np.sqrt(((y - x) ** 2).mean())))
