"""Attributes of a map that stay true when maps are joined, put on another grid or cut in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from banet.grid.average import LatLonGrid, average
from banet.grid.region import Region

__all__ = ["joined", "regridded", "uncounted"]

_LISTS = ("windows", "gaps")
"""Attributes that a join holds of all its parts, one after the other."""

_TOUCHED = 1e-6
"""Part of a cell that a gap holds if it touches it; less is rounding."""

Attributes = Mapping[str, Any]


def joined(parts: Sequence[tuple[str, Attributes]]) -> dict[str, Any]:
    """Return the attributes of a join of periods: of the first part, and what counts or tells of all.

    Args:
        parts: the period of each in words, and its attributes, in order of time.

    Returns:
        Windows and gaps of all parts, the sums of their looks, all days of fractions without a date, and all
        notes: those of some parts alone begin with the period.
    """
    every = [held for _, held in parts]
    found = dict(every[0])
    for name in _LISTS:
        if any(name in held for held in every):
            found[name] = [one for held in every for one in held.get(name, ())]
    undated = [held["undated_days"] for held in every if "undated_days" in held]
    if undated:
        found["undated_days"] = [min(first for first, _ in undated), max(after for _, after in undated)]
    looks = [held["looks"] for held in every if "looks" in held]
    if looks:
        found["looks"] = {kind: sum(one[kind] for one in looks) for kind in looks[0]}
    notes = [(period, note) for period, held in parts for note in held.get("notes", ())]
    if notes:
        common = [note for _, note in notes if all(note in held.get("notes", ()) for held in every)]
        told = (note if note in common else f"{period}: {note}" for period, note in notes)
        found["notes"] = list(dict.fromkeys(told))
    return found


def uncounted(attrs: Attributes) -> dict[str, Any]:
    """Return the attributes of a part of a map, of which the looks were not counted."""
    return {name: value for name, value in attrs.items() if name != "looks"}


def regridded(attrs: Attributes, source: Region, region: Region) -> dict[str, Any]:
    """Return the attributes of a map on another grid, or of a block: looks were not counted, gaps move."""
    found = uncounted(attrs)
    if "gaps" in attrs:
        found["gaps"] = [moved for gap in attrs["gaps"] if (moved := _touched(gap, source, region))]
    return found


def _touched(gap: Mapping[str, Any], source: Region, region: Region) -> dict[str, Any] | None:
    """Return a gap with the rows and columns of a region that it touches; None where it lies outside."""
    cells = np.zeros(source.shape, bool)
    cells[slice(*gap["rows"]), slice(*gap["cols"])] = True
    touched = average(LatLonGrid.of(source), cells, region) > _TOUCHED
    lines = {axis: np.flatnonzero(touched.any(other)) for axis, other in (("rows", 1), ("cols", 0))}
    if not lines["rows"].size:
        return None
    return {**gap, **{axis: [int(held[0]), int(held[-1]) + 1] for axis, held in lines.items()}}
