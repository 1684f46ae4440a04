"""Names of fires that last from one morning to the next.

A map in near real time is made anew each morning, and fires in it grow, meet, part and vanish. The register
remembers which cells each named fire held. A fire of today takes the name of the fire of yesterday that it
shares most cells with; what was said on a morning never depends on a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from banet.days import Day, as_day
from banet.errors import InputError

__all__ = ["ENDED_AFTER", "NEAR_DAYS", "Cells", "KnownFire", "Register", "Status"]

ENDED_AFTER = 10
"""Days without growth after which a fire counts as ended; a gap of clouds is seldom longer."""

NEAR_DAYS = 8
"""Days by which a cell may be re-dated and still be the same burning of that cell."""

Index = npt.NDArray[np.int64]


class Status(StrEnum):
    """State of a fire on a morning."""

    NEW = "new"
    GROWN = "grown"
    QUIET = "quiet"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@dataclass(frozen=True, eq=False)
class Cells:
    """Burned cells of one fire.

    Attributes:
        place: number of each cell, row x columns + column, (n,) int64, sorted, each once.
        day: burn date as days since 1970-01-01, (n,) int64.

    Raises:
        InputError: if they differ in number, there is none, or places are not sorted and single.
    """

    place: Index
    day: Index

    def __post_init__(self) -> None:
        if self.place.shape != self.day.shape or self.place.size == 0:
            raise InputError(f"a fire needs a day for each cell; found {self.place.size} and {self.day.size}")
        if (np.diff(self.place) <= 0).any():
            raise InputError("the cells of a fire must be sorted, each once")

    @classmethod
    def of(cls, place: npt.ArrayLike, day: npt.ArrayLike) -> Cells:
        """Make it of cells in any order; a cell given twice keeps its first day."""
        places, days = np.asarray(place, np.int64), np.asarray(day, np.int64)
        order = np.lexsort((days, places))
        places, days = places[order], days[order]
        first = np.concatenate([[True], np.diff(places) > 0]) if places.size else np.zeros(0, bool)
        return cls(places[first], days[first])

    @property
    def start(self) -> int:
        """First day."""
        return int(self.day.min())

    @property
    def end(self) -> int:
        """Last day."""
        return int(self.day.max())

    def shared(self, other: Cells) -> int:
        """Return how many cells both hold, burned at about the same time."""
        _, mine, theirs = np.intersect1d(self.place, other.place, assume_unique=True, return_indices=True)
        return int((np.abs(self.day[mine] - other.day[theirs]) <= NEAR_DAYS).sum())

    def since(self, day: int) -> Cells | None:
        """Return the cells dated on a day or later; None if there is none."""
        late = self.day >= day
        return Cells(self.place[late], self.day[late]) if late.any() else None

    def and_before(self, day: int, other: Cells) -> Cells:
        """Return these cells and those of `other` that are dated before a day and not among these."""
        old = (other.day < day) & ~np.isin(other.place, self.place)
        return Cells.of(
            np.concatenate([self.place, other.place[old]]), np.concatenate([self.day, other.day[old]])
        )


@dataclass(frozen=True, eq=False)
class KnownFire:
    """Fire as it stands in the register.

    Attributes:
        id: its name for ever.
        cells: as last seen.
        first_seen: morning on which it was first mapped.
        last_grown: morning on which it last gained a cell.
        status: on the latest morning.
        merged: names of the fires that became part of it.
        into: name of the fire that it became part of.
    """

    id: str
    cells: Cells
    first_seen: Day
    last_grown: Day
    status: Status
    merged: tuple[str, ...] = ()
    into: str | None = None


@dataclass(frozen=True, eq=False)
class Register:
    """Register of the fires that were ever named in a region, by name.

    Attributes:
        fires: by name, in the order in which they were named.
        morning: the latest one; None before the first.
    """

    fires: Mapping[str, KnownFire] = field(default_factory=dict)
    morning: Day | None = None

    def after(
        self, morning: Day, found: Sequence[Cells], names: Sequence[str], window_start: Day
    ) -> tuple[Register, tuple[str, ...]]:
        """Return the register after a morning, and the name of each fire that was found.

        A known fire gives its name to the found fire that shares most of its cells. Where several known fires
        meet in one, the oldest name stays and lists the others; where one parts, the other pieces are named
        anew. Cells before the window of days stay as they were seen last.

        Args:
            morning: the last day that is mapped.
            found: fires of the map, each with the cells that lie within the window.
            names: the name that each would get if it were new; a name in use gets a number.
            window_start: first day that is mapped.

        Raises:
            InputError: if the morning is not after the latest one, or names and fires differ in number.
        """
        day = as_day(morning)
        if self.morning is not None and day <= self.morning:
            raise InputError(f"the morning {day} is not after {self.morning}, which the register knows")
        if len(found) != len(names):
            raise InputError(f"{len(found)} fires with {len(names)} names")
        first = int(as_day(window_start).astype(np.int64))
        heirs = self._heirs(found)
        fires = dict(self.fires)
        given: list[str] = []
        for index, (cells, name) in enumerate(zip(found, names, strict=True)):
            parents = heirs.get(index, [])
            made = (
                _born(_unused(name, fires), cells, day) if not parents else _grown(parents, cells, day, first)
            )
            fires[made.id] = made
            for other in parents[1:]:
                fires[other.id] = replace(other, status=Status.MERGED, into=made.id)
            given.append(made.id)
        for name in self.fires.keys() - set(given):
            if fires[name].status is not Status.MERGED:
                fires[name] = _unseen(fires[name], day, first)
        return Register(fires, day), tuple(given)

    def going_on(self, found: Sequence[Cells]) -> set[int]:
        """Return the numbers of those found fires that go on with a known one."""
        known = [fire.cells.place for fire in self.fires.values() if fire.into is None]
        if not known or not found:
            return set()
        owner = np.repeat(np.arange(len(found)), [cells.place.size for cells in found])
        touched = np.isin(np.concatenate([cells.place for cells in found]), np.concatenate(known))
        near = np.unique(owner[touched]).tolist()
        return {near[index] for index in self._heirs([found[number] for number in near])}

    def _heirs(self, found: Sequence[Cells]) -> dict[int, list[KnownFire]]:
        """Tell which known fires each found fire goes on with, the oldest first."""
        owner = {place: number for number, cells in enumerate(found) for place in cells.place.tolist()}
        heirs: dict[int, list[KnownFire]] = {}
        for known in self.fires.values():
            if known.into is not None:
                continue
            near = sorted({owner[place] for place in known.cells.place.tolist() if place in owner})
            shared = [known.cells.shared(found[number]) for number in near]
            if any(shared):
                heirs.setdefault(near[int(np.argmax(shared))], []).append(known)
        return {index: sorted(fires, key=_age) for index, fires in heirs.items()}


def _age(fire: KnownFire) -> tuple[Day, int, str]:
    return fire.first_seen, fire.cells.start, fire.id


def _unused(name: str, fires: Mapping[str, KnownFire]) -> str:
    number, free = 1, name
    while free in fires:
        number += 1
        free = f"{name}-{number}"
    return free


def _born(name: str, cells: Cells, day: Day) -> KnownFire:
    return KnownFire(name, cells, day, day, Status.NEW)


def _grown(parents: Sequence[KnownFire], cells: Cells, day: Day, first: int) -> KnownFire:
    """Return the oldest of some known fires, with all that they now are."""
    oldest = parents[0]
    whole = cells
    for parent in parents:
        whole = whole.and_before(first, parent.cells)
    known = np.concatenate([parent.cells.place for parent in parents])
    grew = not np.isin(whole.place, known).all()
    last = day if grew else max(parent.last_grown for parent in parents)
    merged = (*oldest.merged, *(name for parent in parents[1:] for name in (parent.id, *parent.merged)))
    return replace(oldest, cells=whole, last_grown=last, status=_state(grew, last, day), merged=merged)


def _unseen(fire: KnownFire, day: Day, first: int) -> KnownFire:
    """Return a known fire that the morning's map does not show."""
    if fire.status is Status.WITHDRAWN or fire.cells.since(first) is not None:
        return replace(fire, status=Status.WITHDRAWN)
    return replace(fire, status=Status.ENDED)


def _state(grew: bool, last: Day, day: Day) -> Status:
    if grew:
        return Status.GROWN
    return Status.ENDED if (day - last).astype(int) > ENDED_AFTER else Status.QUIET
