"""Counts of what a reader read, placed and left out, told in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["Counts", "listed"]


def listed(names: Iterable[object], most: int) -> str:
    """Return names in words, at most so many of them, and how many more there are.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    every = [str(name) for name in names]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


@dataclass(frozen=True)
class Counts:
    """Numbers of the things that a reader read, placed and left out.

    >>> print(Counts("hot spots", 39839, 0, "lie in DEMO", notes=("FRP known on 12 of 64 days",)))
    0 of 39,839 hot spots lie in DEMO; FRP known on 12 of 64 days
    >>> print(Counts("perimeters", 7, 4, "burned in 2020-08").without("without a date", 3))
    4 of 7 perimeters burned in 2020-08; left out: 3 without a date
    """

    what: str
    """The things counted, in the plural: `hot spots`, `perimeters`, `files`."""
    read: int
    placed: int
    placed_as: str = "used"
    """Words after the count of those placed: `lie in DEMO`."""
    left_out: tuple[tuple[str, int], ...] = ()
    """Reason and number, for all that were read and not placed."""
    notes: tuple[str, ...] = ()
    """Further statements about the data read."""

    def __str__(self) -> str:
        parts = [f"{self.placed:,} of {self.read:,} {self.what} {self.placed_as}"]
        if self.left_out:
            parts.append("left out: " + ", ".join(f"{number:,} {reason}" for reason, number in self.left_out))
        return "; ".join([*parts, *self.notes])

    @property
    def complete(self) -> bool:
        """Whether all that was read was placed and nothing else is to be said."""
        return self.placed == self.read and not self.left_out and not self.notes

    def without(self, reason: str, number: int) -> Counts:
        """Return counts with a further reason for leaving out; unchanged where the number is 0."""
        if not number:
            return self
        held = dict(self.left_out)
        held[reason] = held.get(reason, 0) + int(number)
        return replace(self, left_out=tuple(held.items()))

    def noting(self, *notes: str) -> Counts:
        """Return counts with further notes; one that is there already is not repeated."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    @classmethod
    def total(cls, counts: Iterable[Counts]) -> Counts | None:
        """Return the sum of counts of one kind of thing; None of none."""
        result: Counts | None = None
        for each in counts:
            if result is None:
                result = each
                continue
            result = replace(result, read=result.read + each.read, placed=result.placed + each.placed)
            for reason, number in each.left_out:
                result = result.without(reason, number)
            result = result.noting(*each.notes)
        return result
