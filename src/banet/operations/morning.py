"""Products of a morning, written aside and renamed as one folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.geotiff import layer_of
from banet.burned_area.hectares import known_total
from banet.burned_area.meaning import DAYS_SINCE, STAYS
from banet.export.explorer import write_explorer
from banet.export.products import map_stem, write_map
from banet.export.stac import COLLECTION
from banet.export.vectors import write_events, write_layers
from banet.io.files import writing
from banet.operations.identity import Status
from banet.operations.looks import days_since, shares
from banet.operations.precision import Precision
from banet.operations.revisions import Cause, Looks
from banet.operations.state import MorningState
from banet.operations.tracking import Tracked

if TYPE_CHECKING:
    import pandas as pd

    from banet.cube import Cube

__all__ = ["Morning", "write_morning"]


@dataclass(frozen=True, eq=False)
class Morning:
    """Map, fires and changes of a morning.

    Attributes:
        burned: the map.
        looks: observations that it was made from.
        tracked: its fires.
        before: state of the morning before; None on the first.
        changes: revisions since then; None on the first.
        seen: newest images and hot spots, gaps, what failed, and the exit code.
        threshold: of the map.
        stac: write a STAC item as well.
        precision: share of provisional cells that stay, by age; None where it was not measured.
        inside: cells that belong to the area, (rows, columns) bool; all if None.
    """

    burned: BurnedArea
    looks: Looks
    tracked: Tracked
    before: MorningState | None
    changes: pd.DataFrame | None
    seen: dict[str, Any]
    threshold: float
    stac: bool = True
    precision: Precision | None = None
    inside: npt.NDArray[np.bool_] | None = None

    @property
    def status(self) -> dict[str, Any]:
        """The morning in values that JSON can hold, without the seconds that it took."""
        burned, fires = self.burned, self.tracked.fires
        return {
            "region": burned.region.name,
            "day": str(burned.days[-1]),
            "first_day": str(burned.start),
            **self.seen,
            "hectares": known_total(burned),
            "fires": len(fires),
            "fires_hectares": round(float(fires["area_ha"].sum()), 1),
            **self._news(),
            "stays": self._stays(),
            "revisions": self._revisions(),
            "notes": self.notes,
            "files": _names(burned),
        }

    @property
    def notes(self) -> list[str]:
        """Remarks on the map, and on settings that are not those of the morning before."""
        return [*self.burned.attrs.get("notes", ()), *self.set_anew]

    @property
    def set_anew(self) -> tuple[str, ...]:
        """A line on settings that are not those of the morning before; none where they are."""
        if self.before is None or not (names := self.looks.other_settings(self.before.looks)):
            return ()
        since, what = self.before.register.morning, f"cells that changed for it: {Cause.SETTINGS}"
        return (f"{', '.join(names)} not as on the morning of {since}; {what}",)

    def _news(self) -> dict[str, Any]:
        """Names of the fires whose status is of this morning."""
        then = {} if self.before is None else self.before.register.fires
        now = self.tracked.register.fires
        fresh = [fire for name, fire in now.items() if name not in then or then[name].status != fire.status]
        news: dict[str, Any] = {
            str(status): [fire.id for fire in now.values() if fire.status is status]
            for status in (Status.NEW, Status.GROWN)
        }
        for status in (Status.ENDED, Status.WITHDRAWN):
            news[str(status)] = [fire.id for fire in fresh if fire.status is status]
        news["merged"] = {fire.id: fire.into for fire in fresh if fire.status is Status.MERGED}
        return news

    @cached_property
    def since(self) -> npt.NDArray[np.uint8]:
        """Days on which each burned cell was seen since, (rows, columns); 255 where not burned."""
        return days_since(self.burned, self.looks)

    def _stays(self) -> float | None:
        """Share of the burned cells that is expected to stay; None where that is not known."""
        if self.precision is None or not self.burned.burned.any():
            return None
        return round(float(self.precision.percent(self.since)[self.burned.burned].mean()) / 100, 3)

    def _revisions(self) -> dict[str, Any] | None:
        if self.before is None or self.changes is None:
            return None
        counted = self.changes.groupby(["kind", "cause"]).size()
        kinds: dict[str, dict[str, int]] = {}
        for kind, cause in counted.index:
            kinds.setdefault(str(kind), {})[str(cause)] = int(counted[(kind, cause)])
        return {"since": str(self.before.register.morning), "cells": len(self.changes), **kinds}

    def lines(self) -> tuple[str, ...]:
        """Return what a reader of the page should know, a line each."""
        lines = [*self.notes, self.tracked.summary]
        gaps = self.seen["gaps"]
        if gaps:
            lines.append(f"{len(gaps)} of {self.burned.days.size} days were not observed: {', '.join(gaps)}")
        lines += self.seen["failed"]
        said = self._revisions()
        if said is not None:
            lines.append(f"since {said.pop('since')}, {said.pop('cells')} cells changed")
            for kind, causes in said.items():
                lines.append(f"{kind}: " + ", ".join(f"{count} ({cause})" for cause, count in causes.items()))
        return tuple(lines)


def write_morning(morning: Morning, cube: Cube, out: Path) -> Path:
    """Write the folder of a morning in place of an earlier one of the same day, and return it.

    Raises:
        OutputError: if it cannot be written.
    """
    burned = morning.burned
    day, name = burned.days[-1], burned.region.name
    target = out / str(day)
    with writing(target) as part:
        part.mkdir()
        _map(morning, cube, part)
        _fires(morning, part)
        if morning.changes is not None:
            morning.changes.to_parquet(part / f"{name}_revisions.parquet", index=False)
        state = MorningState(
            burned.region,
            f"{map_stem(burned)}.nc",
            morning.tracked.register,
            morning.tracked.fraction,
            morning.tracked.uncertainty,
            morning.looks,
        )
        state.save(part / f"{name}_state.npz")
        text = json.dumps(morning.status, indent=2) + "\n"
        (part / "status.json").write_text(text, encoding="utf-8")
    return target


def _names(burned: BurnedArea) -> dict[str, str]:
    """Names of the files that people and programs look for first."""
    name, stem = burned.region.name, map_stem(burned)
    return {
        "netcdf": f"{stem}.nc",
        "burn_date": f"{stem}_burn_date.tif",
        "confidence": f"{stem}_confidence.tif",
        "uncertainty": f"{stem}_uncertainty.tif",
        "days_since": f"{stem}_days_since.tif",
        "fires": f"{name}_fires.gpkg",
        "page": f"{name}_map.html",
    }


def _map(morning: Morning, cube: Cube, folder: Path) -> None:
    burned = morning.burned
    more = [layer_of(burned, morning.since, DAYS_SINCE)]
    if morning.precision is not None:
        stays = replace(STAYS, method=f"{STAYS.method}; replayed: {morning.precision.source}")
        more.append(layer_of(burned, morning.precision.percent(morning.since), stays))
    command = ("banet", "nrt", burned.region.name, "--day", str(burned.days[-1]))
    settings = {"threshold": morning.threshold}
    write_map(
        cube,
        burned,
        folder,
        settings=settings,
        command=command,
        stac=morning.stac,
        collection=f"../{COLLECTION}",
        more=more,
    )


def _fires(morning: Morning, folder: Path) -> None:
    """Write the fires as GeoPackage, GeoParquet and GeoJSON, and the page."""
    burned, tracked = morning.burned, morning.tracked
    name = burned.region.name
    layers = {
        "fires": tracked.fires,
        "perimeters": tracked.perimeters,
        "growth": tracked.perimeters.drop(columns="geometry"),
        "gone": tracked.gone,
    }
    write_layers(layers, folder / f"{name}_fires.gpkg")
    write_events(tracked.fires, folder / f"{name}_fires.parquet")
    write_events(tracked.fires, folder / f"{name}_fires.geojson")
    write_explorer(
        burned,
        folder / f"{name}_map.html",
        fires=tracked.fires,
        growth=tracked.events.growth,
        seen=shares(morning.looks, burned, morning.inside),
        notes=morning.lines(),
    )
