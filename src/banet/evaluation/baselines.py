"""Maps without a network: what any method has to beat.

`active_fires`: every cell with a detection, dated by the first. `grown_fires`: detections grown into their
surroundings where a burn-sensitive index dropped, the idea of hybrid algorithms (Giglio et al. 2009, 2018) in
its plainest form. `index_drop`: no detections at all, a fixed drop of the index and of NIR that lasts.

The index is (NIR - MIR) / (NIR + MIR), which falls when NIR falls and MIR rises (Kaufman and Remer 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.burned_area.burned_area import BurnedArea
from banet.days import NO_DATE, Day, Days, day_range, parse_period
from banet.errors import InputError

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["active_fires", "change_at", "grown_fires", "index_drop", "index_of", "largest_drop"]

_DAYS_AT_ONCE = 16
_CELLS_AT_ONCE = 200_000
_QUIET = 0.9
_AWAY = (4, 15)
_DROP, _NIR_DROP = 0.2, 0.06
_NEVER = np.iinfo(np.int64).max
Block = npt.NDArray[np.floating[Any]]


def active_fires(cube: Cube, start: Any, end: Any) -> BurnedArea:
    """Map every cell with an active fire as burned (fraction 1), dated by the first.

    A cell is observed on days for which hot spots were read.

    Args:
        cube: with fire radiative power.
        start: first day or month.
        end: last day or month, included.
    """
    first, stop = parse_period(start, end)
    date, observed = _first_fires(cube, first, stop)
    return _map(cube, first, stop, date, observed, "active fires")


def grown_fires(
    cube: Cube,
    start: Any,
    end: Any,
    *,
    reach: int = 1,
    days: int = 10,
    confirm: bool = False,
) -> BurnedArea:
    """Grow active fires into neighbouring cells whose burn-sensitive index dropped as it did at the fires.

    Around each fire's date the median index of the days after is taken from that of the days before. The
    threshold lies halfway between the median drop at fire cells and that of quiet cells 4 to 15 cells beyond
    the reach of any fire, and above 90 % of the latter; where the fires themselves lie below that, the index
    cannot tell, and the fires are returned as they are. Growth goes from cell to cell, at most `reach` steps;
    a grown cell takes the date from which it was reached, the earliest first. Fire cells stay whatever their
    index did, unless `confirm`.

    Args:
        cube: with fire radiative power and reflectances.
        start: first day or month.
        end: last day or month, included.
        reach: most cells from a fire.
        days: days before and after the date from which the medians are taken.
        confirm: drop fire cells whose index did not fall by the threshold; those whose change cannot be told
            stay. Off nadir a detection may lie a cell beside the fire.

    Raises:
        InputError: if reach or days are below 1.
    """
    if reach < 1 or days < 1:
        raise InputError(f"reach {reach} cells and {days} days; both must be at least 1")
    first, stop = parse_period(start, end)
    date, observed = _first_fires(cube, first, stop)
    if not np.isnat(date).all():
        window = cube.read(first - days, stop + days, variables=("nir", "mir"))
        index = index_of(window.nir, window.mir)
        date = _grow(date, index, window.days, reach, days, confirm)
    return _map(cube, first, stop, date, observed, "grown active fires")


def index_drop(cube: Cube, start: Any, end: Any, *, days: int = 8) -> BurnedArea:
    """Map cells whose index and NIR reflectance drop and stay low; no hot spots are used.

    For each day the median of the `days` before is held against that of the day and those after; a cell is
    burned where on its day of largest index drop the index fell by at least 0.2 and NIR by at least 0.06.

    Args:
        cube: with reflectances.
        start: first day or month.
        end: last day or month, included.
        days: length of the two medians.

    Raises:
        InputError: if `days` is below 2.
    """
    if days < 2:
        raise InputError(f"medians of {days} days; at least 2 are needed")
    first, stop = parse_period(start, end)
    date = np.full(cube.region.shape, NO_DATE)
    observed = np.zeros(cube.region.shape, np.int16)
    step = max(1, _CELLS_AT_ONCE // cube.region.shape[1])
    for first_row in range(0, cube.region.shape[0], step):
        rows = slice(first_row, min(first_row + step, cube.region.shape[0]))
        window = cube.read(first - days, stop + days, rows=rows, variables=("red", "nir", "mir"))
        inside = (window.days >= first) & (window.days < stop)
        observed[rows] = np.count_nonzero(window.observed[inside], axis=0)
        found = largest_drop(index_of(window.nir, window.mir), window.nir, inside, days)
        burned = (found.index_drop >= _DROP) & (found.nir_drop >= _NIR_DROP)
        date[rows] = np.where(burned, window.days[found.day], NO_DATE)
    return _map(cube, first, stop, date, observed, "index drop")


def _first_fires(cube: Cube, first: Day, stop: Day) -> tuple[Days, npt.NDArray[np.int16]]:
    date = np.full(cube.region.shape, NO_DATE)
    observed = np.zeros(cube.region.shape, np.int16)
    for begin in day_range(first, stop)[::_DAYS_AT_ONCE]:
        window = cube.read(begin, min(begin + _DAYS_AT_ONCE, stop), variables=("frp",))
        observed += np.count_nonzero(np.isfinite(window.frp), axis=0).astype(np.int16)
        for day, plane in zip(window.days, window.frp, strict=True):
            date[np.isnat(date) & (plane > 0)] = day
    return date, observed


def _grow(
    date: Days,
    index: npt.NDArray[np.float32],
    window_days: Days,
    reach: int,
    days: int,
    confirm: bool,
) -> Days:
    fires = ~np.isnat(date)
    near, nearest = ndimage.distance_transform_edt(~fires, return_indices=True)
    seeds = np.nonzero(fires)
    at_fires = change_at(index, window_days, seeds, date[seeds], days)
    # The quiet cells are judged around the day of the nearest fire, so that the season is the same.
    far = _sample(np.nonzero((near > reach + _AWAY[0]) & (near <= reach + _AWAY[1])))
    away = change_at(index, window_days, far, date[tuple(nearest)][far], days)
    if not (np.isfinite(at_fires).any() and np.isfinite(away).any()):
        return date
    low, high = np.nanmedian(away), np.nanmedian(at_fires)
    if high <= np.nanquantile(away, _QUIET):
        return date
    middle = low + (high - low) / 2
    threshold = max(middle, np.nanquantile(away, _QUIET))
    grown, front = date.copy(), fires
    for _ in range(reach):
        rim = ndimage.binary_dilation(front, np.ones((3, 3), bool)) & np.isnat(grown)
        cells = np.nonzero(rim)
        dates = _earliest_neighbour(grown, cells)
        taken = change_at(index, window_days, cells, dates, days) >= threshold
        if not taken.any():
            break
        new = tuple(part[taken] for part in cells)
        grown[new] = dates[taken]
        front = np.zeros_like(fires)
        front[new] = True
    if confirm:
        refuted = at_fires < middle
        grown[seeds[0][refuted], seeds[1][refuted]] = NO_DATE
    return grown


def _sample(cells: tuple[npt.NDArray[np.intp], ...], most: int = 20_000) -> tuple[npt.NDArray[np.intp], ...]:
    """Every n-th cell, so that a median over a large region stays cheap."""
    step = max(1, cells[0].size // most)
    return tuple(part[::step] for part in cells)


def _earliest_neighbour(date: Days, cells: tuple[npt.NDArray[np.intp], ...]) -> Days:
    """The earliest date among the eight neighbours of each cell; one of them has a date."""
    number = np.where(np.isnat(date), _NEVER, date.astype(np.int64))
    padded = np.pad(number, 1, constant_values=_NEVER)
    row, col = cells
    around = [padded[row + 1 + i, col + 1 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.min(around, axis=0).astype("datetime64[D]") if row.size else row.astype("datetime64[D]")


def _map(
    cube: Cube, first: Day, stop: Day, date: Days, observed: npt.NDArray[np.int16], method: str
) -> BurnedArea:
    """Make a map of dates alone: fraction 1, dates sure to a day (a fire is seen within one of its start)."""
    water = np.zeros(cube.region.shape, bool) if cube.water is None else cube.water
    return BurnedArea.from_dates(
        cube.region,
        first,
        stop,
        date,
        observed_days=observed,
        water=water,
        uncertainty=np.where(~np.isnat(date) & ~water, np.uint8(1), np.uint8(255)),
        name=method,
        attrs={"method": method},
    )


def index_of(nir: Block, mir: Block) -> npt.NDArray[np.float32]:
    """Return (NIR - MIR) / (NIR + MIR), float32; NaN where one is missing or both are nothing (water)."""
    total = nir + mir
    with np.errstate(invalid="ignore", divide="ignore"):
        index = (nir - mir) / total
        return np.where(total > 0.01, index, np.nan).astype(np.float32)


def median_without_missing(values: Block) -> npt.NDArray[np.float32]:
    """Return the median along the first axis of what is not NaN; NaN where there is nothing.

    Sorting puts NaN last, which is many times faster than `numpy.nanmedian` on tall stacks.
    """
    if not len(values):
        return np.full(values.shape[1:], np.nan, np.float32)
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(ordered) - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2, np.nan).astype(np.float32)


def change_at(
    values: Block, days: Days, cells: tuple[npt.NDArray[np.intp], ...], dates: Days, reach: int
) -> npt.NDArray[np.float32]:
    """Return median before minus median after a date for single cells, (n,) float32; a drop is positive.

    Args:
        values: (T, rows, columns).
        days: (T,) consecutive days.
        cells: rows and columns, (n,) each.
        dates: the date of each cell, (n,); it belongs to neither side. NaN where one side has no value.
        reach: number of days on each side.
    """
    at = (dates - days[0]).astype(np.int64)
    return _around(values, at, cells, (range(-reach, 0), range(1, reach + 1)))


def _around(
    values: Block, at: npt.NDArray[Any], cells: tuple[npt.NDArray[np.intp], ...], sides: tuple[range, range]
) -> npt.NDArray[np.float32]:
    """Return the median over one range of days from `at` minus that over the other, (n,), of single cells."""
    medians = []
    for side in sides:
        day = at[None, :] + np.array(side)[:, None]
        part = values[np.clip(day, 0, len(values) - 1), *cells]
        medians.append(median_without_missing(np.where((day >= 0) & (day < len(values)), part, np.nan)))
    return medians[0] - medians[1]


@dataclass(frozen=True, eq=False)
class LargestDrop:
    """The day on which the index of each cell fell most, (rows, columns) each.

    Attributes:
        day: index of the day.
        index_drop: float32; NaN where it could not be told on any day.
        nir_drop: drop of NIR around that day, float32.
    """

    day: npt.NDArray[np.intp]
    index_drop: npt.NDArray[np.float32]
    nir_drop: npt.NDArray[np.float32]


def largest_drop(index: Block, nir: Block, inside: npt.NDArray[np.bool_], days: int) -> LargestDrop:
    """Find the largest drop from the median of the days before to that of the day and those after.

    Args:
        index: (T, rows, columns).
        nir: (T, rows, columns).
        inside: days that may be taken, (T,).
        days: number of days on each side.
    """
    shape = index.shape[1:]
    best = np.full(shape, -np.inf, np.float32)
    fall = np.full(shape, np.nan, np.float32)
    day = np.zeros(shape, np.intp)
    for t in np.flatnonzero(inside):
        before, after = index[max(t - days, 0) : t], index[t : t + days]
        drop = median_without_missing(before) - median_without_missing(after)
        (low, count), (high, left) = (_mean(side) for side in (before, after))
        # Medians stay the same for some days around a change; the means tell which day it is.
        rank = drop + low - high
        # A single clear day is no median: it may be a cloud's shadow or a bright cloud.
        better = (count >= 2) & (left >= 2) & (rank > best)
        best[better], fall[better], day[better] = rank[better], drop[better], t
    cells = tuple(part.ravel() for part in np.indices(shape))
    change = _around(nir, day.ravel(), cells, (range(-days, 0), range(days)))
    return LargestDrop(day, fall, change.reshape(shape))


def _mean(values: Block) -> tuple[Block, npt.NDArray[np.intp]]:
    """Return the mean along the first axis of what is not NaN, and how many values it is of."""
    count = np.count_nonzero(np.isfinite(values), axis=0)
    return np.nansum(values, axis=0) / np.maximum(count, 1), count
