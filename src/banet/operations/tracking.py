"""Fires of a morning under their lasting names: status, perimeters of each day, and those that vanished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.fires import Events, events_of_cells, trace_events
from banet.burned_area.perimeters import perimeters
from banet.operations.identity import Cells, KnownFire, Register, Status

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from banet.operations.state import MorningState

__all__ = ["Tracked", "track"]


@dataclass(frozen=True, eq=False)
class Tracked:
    """Fires of a morning.

    Attributes:
        register: all fires that were ever named.
        fires: those on the map, as in `Events`, with `status`, `first_seen`, `last_grown` and `merged`.
        perimeters: a row a fire and day on which it grew: `id`, `day`, `area_ha`, `total_ha`, `front_km` and
            the polygon of all that had burned by then.
        gone: fires within the window that the map does not show: `withdrawn`, or `merged` `into` another.
        events: fires on the map with growth and cells.
        fraction, uncertainty: as `MorningState` keeps them.
        summary: fires and hectares in one line, with those left out.
    """

    register: Register
    fires: gpd.GeoDataFrame
    perimeters: gpd.GeoDataFrame
    gone: gpd.GeoDataFrame
    events: Events
    fraction: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.uint8]
    summary: str


def track(burned: BurnedArea, before: MorningState | None, min_hectares: float) -> Tracked:
    """Find the fires of a map and give each its lasting name.

    A fire that began before the first day of the map keeps the cells of then, as they were last mapped. One
    that has a name keeps it, however little of it is left on the map.

    Args:
        burned: the map; its last day is the morning's.
        before: state of an earlier morning.
        min_hectares: a fire is named when it is as large; smaller ones are left out, and counted.
    """
    found = trace_events(burned, min_hectares=0)
    cols = burned.region.shape[1]
    names = [str(name) for name in found.table["id"]]
    groups = {str(name): own for name, own in found.cells.groupby("id")}
    cells = [
        Cells.of(own["row"].to_numpy(np.int64) * cols + own["col"].to_numpy(np.int64), own["day"].to_numpy())
        for own in (groups[name] for name in names)
    ]
    known = Register() if before is None else before.register
    hectares = found.table["area_ha"].to_numpy(np.float64)
    kept = sorted(known.going_on(cells) | set(np.flatnonzero(hectares >= min_hectares).tolist()))
    small = np.delete(hectares, kept)
    register, given = known.after(
        burned.stop - 1, [cells[index] for index in kept], [names[index] for index in kept], burned.start
    )
    fraction, uncertainty = _known(burned, before)
    shown = [register.fires[name] for name in given]
    events = replace(
        events_of_cells(_rows(shown, cols, fraction, uncertainty), burned.region),
        left_out=(small.size, float(small.sum())),
    )
    first = int(burned.start.astype(np.int64))
    vanished = [
        fire
        for fire in register.fires.values()
        if fire.status in (Status.WITHDRAWN, Status.MERGED) and fire.cells.since(first) is not None
    ]
    gone = events_of_cells(_rows(vanished, cols, fraction, uncertainty), burned.region).table
    return Tracked(
        register,
        _with_status(events.table, register),
        perimeters(events),
        _with_status(gone, register)[
            ["id", "status", "into", "first_seen", "last_grown", "start", "end", "area_ha", "geometry"]
        ],
        events,
        fraction,
        uncertainty,
        events.summary,
    )


def _known(
    burned: BurnedArea, before: MorningState | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Return burned fraction and date uncertainty of each cell as last mapped."""
    shape = burned.region.shape
    fraction = np.full(shape, np.nan, np.float32) if before is None else before.fraction.copy()
    uncertainty = np.full(shape, NO_UNCERTAINTY, np.uint8) if before is None else before.uncertainty.copy()
    fraction[burned.burned] = burned.burned_fraction[burned.burned]
    uncertainty[burned.burned] = burned.uncertainty[burned.burned]
    return fraction, uncertainty


def _rows(
    fires: Iterable[KnownFire],
    cols: int,
    fraction: npt.NDArray[np.float32],
    uncertainty: npt.NDArray[np.uint8],
) -> pd.DataFrame:
    import pandas as pd

    chosen = list(fires)
    nothing = [np.zeros(0, np.int64)]
    place = np.concatenate([fire.cells.place for fire in chosen] or nothing)
    return pd.DataFrame(
        {
            "id": np.repeat(
                np.array([fire.id for fire in chosen], object), [fire.cells.place.size for fire in chosen]
            ),
            "row": place // cols,
            "col": place % cols,
            "day": np.concatenate([fire.cells.day for fire in chosen] or nothing),
            "fraction": fraction.ravel()[place].astype(np.float64),
            "uncertainty": uncertainty.ravel()[place],
        }
    )


def _with_status(table: gpd.GeoDataFrame, register: Register) -> gpd.GeoDataFrame:
    known = [register.fires[str(name)] for name in table["id"]]

    def stamps(days: list[Any]) -> npt.NDArray[np.datetime64]:
        return np.array(days, "datetime64[D]").astype("datetime64[ms]")

    return table.assign(
        status=np.array([str(fire.status) for fire in known], object),
        first_seen=stamps([fire.first_seen for fire in known]),
        last_grown=stamps([fire.last_grown for fire in known]),
        merged=np.array([", ".join(fire.merged) for fire in known], object),
        into=np.array([fire.into or "" for fire in known], object),
    )[[*(name for name in table.columns if name != "geometry"), *_STATE, "geometry"]]


_STATE = ("status", "first_seen", "last_grown", "merged", "into")
