"""Observations that a morning's map was made from, and for how long each burned cell was seen since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.days import Day
from banet.mapping.tiles import looks_of
from banet.observations.satellites import TITLES
from banet.operations.revisions import Looks

if TYPE_CHECKING:
    import pandas as pd

    from banet.cube import Cube

__all__ = ["days_since", "gaps_of", "look", "newest_hotspots", "newest_images", "shares"]


def look(cube: Cube, burned: BurnedArea, before: Looks | None = None) -> Looks:
    """Return on which days of a map each cell was observed, in all three bands, and held a hot spot.

    Days are read one at a time, and only those whose content differs from what an earlier morning looked at.

    Args:
        cube: what the map was made from.
        burned: the map.
        before: looks of an earlier morning, of the same region.
    """
    days = burned.days
    members = burned.attrs.get("weights", ())
    weights = " ".join(str(one["sha256"]) for one in members)
    records = [cube.record(day) for day in days]
    contents = tuple("" if record is None else record.content for record in records)
    looks = Looks.none(days, burned.region.shape, weights, contents)
    known = {} if before is None else {name: number for number, name in enumerate(before.contents) if name}
    for index in np.flatnonzero(np.isin(days, cube.days)).tolist():
        number = known.get(contents[index])
        if before is not None and number is not None:
            looks.put(index, before.seen(number), before.hot(number))
            continue
        window = cube.read(days[index], days[index] + 1, variables=("red", "nir", "mir", "frp"))
        whole, _ = looks_of(window)
        looks.put(index, whole[0], window.frp[0] > 0)
    return looks


def days_since(burned: BurnedArea, looks: Looks) -> npt.NDArray[np.uint8]:
    """Return on how many days each burned cell was observed after its burn date.

    Returns:
        (rows, columns) uint8, at most 254; 255 where not burned.
    """
    row, col = np.nonzero(burned.burned)
    later = looks.days[:, None] > burned.burn_date[row, col]
    since = np.full(burned.region.shape, NO_UNCERTAINTY, np.uint8)
    since[row, col] = np.minimum((looks.seen_at(row, col) & later).sum(axis=0), 254)
    return since


def shares(looks: Looks, burned: BurnedArea, inside: npt.NDArray[np.bool_] | None = None) -> dict[str, float]:
    """Return the share of the land that was observed on each day with images, 0-1.

    Args:
        looks: observations of the map.
        burned: the map.
        inside: cells that belong to the area; all if None.
    """
    land = ~burned.water if inside is None else inside & ~burned.water
    count = max(1, int(land.sum()))
    told = ((day, looks.seen(index)) for index, day in enumerate(looks.days))
    return {str(day): round(float((seen & land).sum()) / count, 3) for day, seen in told if seen.any()}


def gaps_of(cube: Cube, looks: Looks) -> dict[str, list[str]]:
    """Return the days without any observation, and why as far as the cube remembers."""
    told, held = cube.gaps, set(cube.days.tolist())
    gaps = {}
    for index, day in enumerate(looks.days):
        if not looks.seen(index).any():
            nothing = "nothing was observed" if day.item() in held else "the cube does not hold this day"
            gaps[str(day)] = list(told.get(day, ())) or [nothing]
    return gaps


def newest_images(cube: Cube, looks: Looks) -> tuple[Day | None, dict[str, str]]:
    """Return the newest day with images, and the newest of each satellite as far as the cube remembers."""
    seen = [day for index, day in enumerate(looks.days) if looks.seen(index).any()]
    newest: dict[str, str] = {}
    for day in seen:
        record = cube.record(day)
        newest |= dict.fromkeys(() if record is None else record.satellites, str(day))
    return (seen[-1] if seen else None), dict(sorted(newest.items()))


def newest_hotspots(table: pd.DataFrame | None, looks: Looks) -> tuple[Day | None, dict[str, str]]:
    """Return the newest day with a hot spot in the region, and the newest row of each satellite's table.

    Args:
        table: of all hot spots, as `read_hotspots` returns it; None if there is none.
        looks: observations of the map.
    """
    fires = [day for index, day in enumerate(looks.days) if looks.hot(index).any()]
    by_satellite: dict[str, str] = {}
    if table is not None:
        day: Any = table["time"].to_numpy().astype("datetime64[D]")
        inside = (day >= looks.days[0]) & (day <= looks.days[-1])
        names = table["satellite"].astype(str).to_numpy(object)[inside]
        for name in np.unique(names):
            by_satellite[TITLES.get(name, name) or "unknown"] = str(day[inside][names == name].max())
    return (fires[-1] if fires else None), by_satellite
