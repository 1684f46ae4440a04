"""Damage of a stored day: everything is read, and compared with the hash of what was written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from banet.cube.records import content_hash
from banet.cube.shards import ShardReader
from banet.cube.slots import Slots
from banet.days import Day
from banet.errors import CorruptError

__all__ = ["damage_of_day"]


def damage_of_day(slots: Slots, reader: ShardReader, day: Day) -> str | None:
    """Return what is wrong with a day, or with the record of its gap; None if nothing is."""
    number = int(day.astype(np.int64))
    try:
        record, slot = slots.record(day), slots.days().get(number)
        if record is None or slot is None:
            return None
        raw = {name: replace(variable, scale=0.0) for name, variable in reader.variables.items()}
        planes = {
            name: np.full((1, *reader.shape), variable.missing, variable.dtype)
            for name, variable in raw.items()
        }
        box = (slice(0, reader.shape[0]), slice(0, reader.shape[1]))
        replace(reader, variables=raw).read([(0, slot, number)], box, planes)
        if content_hash({name: plane[0] for name, plane in planes.items()}) != record.content:
            return f"{day}: its planes are not those whose hash its record holds"
    except CorruptError as error:
        return str(error)
    return None
