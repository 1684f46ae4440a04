"""Attributes of a map that stay true when maps are joined, cropped or kept to some of their days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["cropped", "joined", "of_some_days"]

_LISTS = ("windows", "gaps")
"""Attributes that a join holds of all its parts, one after the other."""

Attributes = Mapping[str, Any]


def joined(parts: Sequence[tuple[str, Attributes]]) -> dict[str, Any]:
    """Return the attributes of a join of periods: of the first part, and what counts or tells of all.

    Args:
        parts: the period of each in words, and its attributes, in order of time.

    Returns:
        Windows and gaps of all parts, the sums of their looks, and all notes: those of some parts alone begin
        with the period.
    """
    every = [held for _, held in parts]
    found = dict(every[0])
    for name in _LISTS:
        if any(name in held for held in every):
            found[name] = [one for held in every for one in held.get(name, ())]
    looks = [held["looks"] for held in every if "looks" in held]
    if looks:
        found["looks"] = {kind: sum(one[kind] for one in looks) for kind in looks[0]}
    notes = [(period, note) for period, held in parts for note in held.get("notes", ())]
    if notes:
        common = [note for _, note in notes if all(note in held.get("notes", ()) for held in every)]
        told = (note if note in common else f"{period}: {note}" for period, note in notes)
        found["notes"] = list(dict.fromkeys(told))
    return found


def of_some_days(attrs: Attributes) -> dict[str, Any]:
    """Return the attributes of a map that keeps some of its days: the looks of those were not counted."""
    return {name: value for name, value in attrs.items() if name != "looks"}


def cropped(attrs: Attributes, rows: slice, cols: slice, shape: tuple[int, int]) -> dict[str, Any]:
    """Return the attributes of a block of a map of some shape: its looks were not counted, its gaps move."""
    found = of_some_days(attrs)
    if "gaps" in attrs:
        block = {"rows": rows.indices(shape[0]), "cols": cols.indices(shape[1])}
        gaps = []
        for gap in attrs["gaps"]:
            cells = {
                axis: [max(gap[axis][0], first) - first, min(gap[axis][1], last) - first]
                for axis, (first, last, _) in block.items()
            }
            if all(start < stop for start, stop in cells.values()):
                gaps.append({**gap, **cells})
        found["gaps"] = gaps
    return found
