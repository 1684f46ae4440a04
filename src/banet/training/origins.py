"""Origins of chips: where and when each lies, so that the same cells and days are known again.

Folders of chips tell them by their index, weights by their card, which carries those of the weights that
they started from as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from banet.chips import ChipEntry
from banet.days import ONE_DAY

__all__ = ["KnownChips", "Placed", "chips_of_card", "origins", "overlaps", "training_of"]

_SIMULATED = "simulated"
_SLACK = 1e-6
"""Degrees that boxes of neighbours may be off."""


class Placed(Protocol):
    """Chips of one size, as far as their places go."""

    @property
    def entries(self) -> Sequence[ChipEntry]:
        """Entries of the chips."""

    @property
    def days(self) -> int:
        """Days of each chip."""

    @property
    def size(self) -> int:
        """Cells a side of each chip."""

    @property
    def label(self) -> str:
        """Name in messages."""


@dataclass(frozen=True)
class KnownChips:
    """Chips that a card tells of.

    Attributes:
        entries: name, source, and place or seed of each.
        days, size: of every chip.
        label: name in messages.
    """

    entries: tuple[ChipEntry, ...]
    days: int
    size: int
    label: str = "its training"


def origins(chips: Placed) -> dict[str, dict[str, list[Any]]]:
    """Return the origins of chips as JSON holds them, for the card of weights.

    Returns:
        By source and group: the seeds of simulated chips by climate; first day, row and column of others by
        region, and their box (west, south, east, north in degrees) where their folder tells it.
    """
    found: dict[str, dict[str, list[Any]]] = {}
    for entry in chips.entries:
        simulated = entry.source == _SIMULATED
        group = entry.climate if simulated else entry.region
        place = entry.seed if simulated else [entry.start, *entry.corner, *entry.details.get("bbox", ())]
        found.setdefault(entry.source, {}).setdefault(group, []).append(place)
    return found


def training_of(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a card says of each folder that weights, and those they started from, were trained on."""
    return [*card.get("training_chips", ()), *card.get("earlier_chips", ())]


def chips_of_card(card: Mapping[str, Any]) -> Iterator[KnownChips]:
    """Yield the chips that weights, and those that they started from, were trained on, as the card tells."""
    for about in training_of(card):
        if "origins" in about:
            yield KnownChips(tuple(_entries(about["origins"])), about["days"], about["size"])


def _entries(told: Mapping[str, Mapping[str, Sequence[Any]]]) -> Iterator[ChipEntry]:
    for source, groups in told.items():
        for group, places in groups.items():
            for place in places:
                if source == _SIMULATED:
                    yield ChipEntry(f"{group}-{place:08d}", climate=group, seed=place)
                else:
                    start, row, col, *bbox = place
                    name = f"{group}-{start.replace('-', '')}-r{row:05d}-c{col:05d}"
                    about = {"bbox": bbox} if bbox else {}
                    yield ChipEntry(
                        name, source=source, region=group, start=start, corner=(row, col), details=about
                    )


def overlaps(
    known: Iterable[Placed], others: Iterable[Placed]
) -> Iterator[tuple[ChipEntry, Placed, ChipEntry, Placed]]:
    """Yield each chip of `others` that shares cells on a day with one of `known`, and that one.

    Chips that both tell their box are held against each other by place; others, as those of older files, by
    the name of their region and their corner in it.
    """
    placed: list[tuple[ChipEntry, Placed]] = []
    named: dict[tuple[str, str, str, int], list[tuple[ChipEntry, Placed]]] = {}
    for source in known:
        for entry in source.entries:
            named.setdefault(_origin(entry), []).append((entry, source))
            if "bbox" in entry.details:
                placed.append((entry, source))
    boxes = np.array([entry.details["bbox"] for entry, _ in placed], float).reshape(-1, 4)
    for chips in others:
        for entry in chips.entries:
            box = entry.details.get("bbox")
            near = [] if box is None else [placed[i] for i in _touching(box, boxes)]
            for other, source in named.get(_origin(entry), ()):
                if (box is None or "bbox" not in other.details) and _touch(entry, chips, other, source):
                    near.append((other, source))
            for other, source in near:
                if _same_days(entry, chips, other, source):
                    yield entry, chips, other, source


def _origin(entry: ChipEntry) -> tuple[str, str, str, int]:
    # The climate of a chip of a cube is a group's name, which says nothing of its place.
    climate = entry.climate if entry.source == _SIMULATED else ""
    return entry.source, climate, entry.region, entry.seed


def _touching(box: Sequence[float], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return which boxes, (n, 4), share more than an edge with one, also across the antimeridian."""
    west, south, east, north = box
    inside = (south < boxes[:, 3] - _SLACK) & (boxes[:, 1] < north - _SLACK)
    turns = [
        (west + turn < boxes[:, 2] - _SLACK) & (boxes[:, 0] < east + turn - _SLACK) for turn in (-360, 0, 360)
    ]
    return np.flatnonzero(inside & np.any(turns, axis=0))


def _touch(one: ChipEntry, chips: Placed, other: ChipEntry, source: Placed) -> bool:
    """Tell whether two chips of one region share cells, by their corners."""
    near = zip(one.corner, other.corner, strict=True)
    return all(-chips.size < mine - theirs < source.size for mine, theirs in near)


def _same_days(one: ChipEntry, chips: Placed, other: ChipEntry, source: Placed) -> bool:
    """Tell whether two chips share a day."""
    if np.isnat(one.day) or np.isnat(other.day):
        return one.start == other.start
    days = int((one.day - other.day) / ONE_DAY)
    return -chips.days < days < source.days
