"""Dates of a map held against active fires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.evaluation.measures.dates import Dating, histogram
from banet.observations.hotspots import of_vegetation

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea

__all__ = ["dating_to_fires"]

EARTH_KM = 6371.0


def dating_to_fires(
    burnmap: BurnedArea,
    table: pd.DataFrame,
    *,
    radius_km: float = 1.0,
    days: int = 30,
    pick: Literal["nearest", "first"] = "nearest",
    vegetation_only: bool = True,
) -> Dating:
    """Measure the difference of burn dates to active fires in the cell or beside it, map minus fire.

    Hot spots are both an input of the network and this reference: the figure says how well dates follow the
    fires that were detected, not how good they are where none was.

    Args:
        burnmap: the map.
        table: of hot spots (`read_hotspots`).
        radius_km: hot spots within so far of the cell's centre count.
        days: hot spots within so many days of the burn date count.
        pick: of those, the nearest in time (ties: nearest in space), or the first one detected.
        vegetation_only: leave out hot spots whose type says that no vegetation burned.

    Raises:
        InputError: if radius or days are not positive.
    """
    if not radius_km > 0 or days < 0:
        raise InputError(f"hot spots within {radius_km} km and {days} days; give a radius above 0 and days")
    from scipy.spatial import cKDTree

    row, col = np.nonzero(burnmap.burned)
    keep = of_vegetation(table) if vegetation_only else np.ones(len(table), bool)
    when = table["time"].to_numpy()[keep].astype("datetime64[D]").astype(np.int64)
    if not row.size or not when.size:
        return Dating.from_histogram(histogram(np.zeros(0, np.int64)))
    spots = _on_sphere(table["longitude"].to_numpy()[keep], table["latitude"].to_numpy()[keep])
    cells = _on_sphere(burnmap.region.longitudes[col], burnmap.region.latitudes[row])
    pairs = cKDTree(cells).sparse_distance_matrix(cKDTree(spots), radius_km, output_type="ndarray")
    cell, spot, distance = pairs["i"], pairs["j"], pairs["v"]
    difference = burnmap.burn_date[row, col].astype(np.int64)[cell] - when[spot]
    near = np.abs(difference) <= days
    cell, difference, distance = cell[near], difference[near], distance[near]
    by = np.abs(difference) if pick == "nearest" else -difference
    order = np.lexsort((distance, by, cell))
    first = np.unique(cell[order], return_index=True)[1]
    return Dating.from_histogram(histogram(difference[order][first]))


def _on_sphere(
    longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Points in km, so that chords are as good as distances at this scale."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return EARTH_KM * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
