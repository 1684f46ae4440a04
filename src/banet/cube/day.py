"""A day as it goes into a cube: its planes checked and packed, and the record of what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.cube.records import DayRecord, content_hash, summarise
from banet.cube.variables import VARIABLES, Variable
from banet.days import Day
from banet.errors import InputError
from banet.grid.region import Region
from banet.observations.planes import NO_FLAG, DayPlanes

__all__ = ["PackedDay", "pack_day"]


@dataclass(frozen=True, eq=False)
class PackedDay:
    """Stored values of each variable, (rows, columns), and the record of the day."""

    planes: dict[str, npt.NDArray[Any]]
    record: DayRecord


def pack_day(
    day: Day,
    planes: DayPlanes,
    frp: npt.NDArray[np.floating[Any]] | None,
    region: Region,
    variables: Mapping[str, Variable],
    notes: Sequence[str],
    fingerprint: str,
) -> PackedDay:
    """Check and pack the planes of a day; see `Cube.write_day`.

    Raises:
        InputError: if the planes are on another grid, or hold an infinite or impossible value.
    """
    physical = _physical(day, planes, frp, region, variables)
    stored, told = {}, list(notes)
    for name, plane in physical.items():
        stored[name], beyond = variables[name].pack(plane)
        if beyond:
            told.append(
                f"{beyond} cells of {name} beyond what can be stored were set to the nearest that can"
            )
    lost = [name for name in planes.flags if name not in variables]
    if lost:
        told.append(f"flags {', '.join(lost)} are not kept: the cube was made without planes for them")
    record = DayRecord(
        day=str(day),
        inputs=tuple(planes.inputs),
        gaps=tuple(planes.gaps),
        notes=tuple(told),
        fingerprint=fingerprint,
        content=content_hash(stored),
        summaries={name: summarise(physical[name]) for name in VARIABLES},
        satellites=tuple(planes.satellites),
    )
    return PackedDay(stored, record)


def _physical(
    day: Day,
    planes: DayPlanes,
    frp: npt.NDArray[Any] | None,
    region: Region,
    variables: Mapping[str, Variable],
) -> dict[str, npt.NDArray[Any]]:
    fires = np.full(region.shape, np.nan, np.float32) if frp is None else np.asarray(frp)
    physical = {name: fires if name == "frp" else getattr(planes, name) for name in VARIABLES}
    silent = np.full(region.shape, NO_FLAG, np.uint8)
    flags = variables.keys() - VARIABLES.keys()
    physical |= {name: np.asarray(planes.flags.get(name, silent)) for name in variables if name in flags}
    for name, plane in physical.items():
        if plane.shape != region.shape:
            raise InputError(f"{day}: {name} has shape {plane.shape}, region {region.name} {region.shape}")
    return physical
