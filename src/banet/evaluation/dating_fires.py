"""A map's dates held against active fires, and by how often the cell was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import InputError
from banet.evaluation.compare import Comparison
from banet.evaluation.dating import Dating, histogram
from banet.evaluation.tally import tally

if TYPE_CHECKING:
    import pandas as pd

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube

__all__ = [
    "GAP_CLASSES",
    "GAP_LABELS",
    "dating_by",
    "dating_by_gap",
    "dating_to_fires",
    "gap_classes",
    "observation_gap",
]

EARTH_KM = 6371.0
CLEAR_RED = 0.3
"""Red reflectance from which a look counts as cloud: above nearly all soils, below nearly all clouds."""

GAP_CLASSES = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 366))
"""Days from the last observation before a fire to the first one on its day or after."""

GAP_LABELS = tuple(
    str(low) if low == high else f"{low}-{high}" if high < 366 else f"{low} and more"
    for low, high in GAP_CLASSES
)


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
        table: from `banet.observations.hotspots.read_hotspots`.
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
    keep = np.ones(len(table), bool)
    if vegetation_only:
        keep = (table["type"].isna() | (table["type"] == 0)).fillna(True).to_numpy(bool)
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


def dating_by(comparison: Comparison, group: npt.NDArray[np.integer]) -> dict[int, Dating]:
    """Return the date differences of each group of cells.

    Args:
        comparison: map and reference.
        group: (rows, columns) of whole numbers; cells below 0 are left out.

    Raises:
        InputError: if the groups have another shape.
    """
    if group.shape != comparison.region.shape:
        raise InputError(f"groups of {group.shape} do not fit the {comparison.region.shape} cells compared")
    found = {}
    for number in np.unique(group[group >= 0]):
        total = tally(comparison.narrowed(group == number)).total()
        stated, covered = (int(v) for v in total.stated[0])
        found[int(number)] = Dating.from_histogram(total.dates[0], stated, covered)
    return found


def observation_gap(observed: npt.NDArray[np.bool_], days: Days, date: Days) -> npt.NDArray[np.int64]:
    """Return the days between the last observation before a date and the first one on it or after.

    Args:
        observed: (T, rows, columns).
        days: (T,) consecutive days.
        date: (rows, columns) datetime64[D].

    Returns:
        (rows, columns) int64; -1 where there is no date; 366 where one of the two observations is missing.
    """
    count = len(days)
    index = np.arange(count)[:, None, None]
    before = np.maximum.accumulate(np.where(observed, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(observed, index, count)[::-1], axis=0)[::-1]
    at = np.where(np.isnat(date), 0, (date - days[0]).astype(np.int64))
    inside = ~np.isnat(date) & (at >= 1) & (at < count)
    safe = np.clip(at, 1, count - 1)[None]
    last = np.take_along_axis(before, safe - 1, axis=0)[0]
    first = np.take_along_axis(after, safe, axis=0)[0]
    gap = np.where(inside & (last >= 0) & (first < count), first - last, 366)
    return np.where(np.isnat(date), -1, gap).astype(np.int64)


def gap_classes(comparison: Comparison, cube: Cube) -> npt.NDArray[np.int64]:
    """Return the class (`GAP_CLASSES`) of the gap between clear looks around the reference's date.

    A look is clear where red, NIR and MIR are there and red is below 0.3; thin cloud and smoke pass as clear,
    snow and the brightest sand do not.

    Args:
        comparison: map and reference on the cube's grid, with a period.
        cube: what was observed.

    Returns:
        (rows, columns) int64; -1 where the reference has no date.

    Raises:
        InputError: if the grids differ or the comparison has no period.
    """
    if cube.region != comparison.region or comparison.start is None or comparison.stop is None:
        raise InputError(
            f"gaps need a comparison with a period on the cube's grid {cube.region.name} {cube.region.shape}"
        )
    margin = 30
    gap = np.full(comparison.region.shape, -1)
    bands = range(0, cube.region.shape[0], 64)
    for first in bands:
        rows = slice(first, min(first + 64, cube.region.shape[0]))
        window = cube.read(
            comparison.start - margin, comparison.stop + margin, rows=rows, variables=("red", "nir", "mir")
        )
        clear = window.observed & (np.nan_to_num(window.red, nan=1) < CLEAR_RED)
        gap[rows] = observation_gap(clear, window.days, comparison.reference_date[rows])
    kind = np.full(gap.shape, -1)
    for number, (low, high) in enumerate(GAP_CLASSES):
        kind[(gap >= low) & (gap <= high)] = number
    return kind.astype(np.int64)


def dating_by_gap(comparison: Comparison, cube: Cube) -> dict[str, Dating]:
    """Return the date differences by the length of the gap between clear looks around the reference's date.

    Args:
        comparison: map and reference on the cube's grid, with a period.
        cube: what was observed.

    Raises:
        InputError: if the grids differ or the comparison has no period.
    """
    found = dating_by(comparison, gap_classes(comparison, cube))
    return {GAP_LABELS[number]: dating for number, dating in found.items()}
