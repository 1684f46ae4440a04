"""Replaying a season as it would have arrived: how soon is what burned on the map, and does it stay?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import Day, as_day
from banet.errors import InputError
from banet.evaluation.compare import Side
from banet.evaluation.fires import label_fires

if TYPE_CHECKING:
    from banet.labels.reference import Reference
    from banet.mapping.burnmap import BurnMap

__all__ = ["Convergence", "FirstMapped", "replay"]

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FirstMapped:
    """When a fire was first on the map.

    Attributes:
        area_ha: hectares of the fire's burned cells in the end.
        started: its first day.
        mapped: day of the replay on which at least the asked share of what had burned was mapped; None if
            that never came.
    """

    area_ha: float
    started: Day
    mapped: Day | None

    @property
    def delay(self) -> float:
        """Days from the first day to being mapped; infinite if it never was."""
        return float("inf") if self.mapped is None else float((self.mapped - self.started).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Convergence:
    """Maps of each day of a season against the final map and the truth, by days since burning.

    Attributes:
        age: days since burning, (n,).
        dice_final, dice_truth: Dice of what is dated so many days before the day of the map, with the same
            of the final map and of the truth, hectares added up over the days of the replay, (n,).
        recall: share of the truth's hectares of that age that are mapped burned, (n,).
        date_change: mean absolute difference of date to the final map, days, (n,).
        hectares: of the truth, added up over the days, (n,).
        fires: when each fire of the truth was first mapped.
    """

    age: npt.NDArray[np.int64]
    dice_final: Reals
    dice_truth: Reals
    recall: Reals
    date_change: Reals
    hectares: Reals
    fires: tuple[FirstMapped, ...]

    def delays(self, least_ha: float = 0.0) -> Reals:
        """Return the delays in days of fires of at least so many hectares, sorted; infinite: never mapped."""
        return np.sort(np.array([fire.delay for fire in self.fires if fire.area_ha >= least_ha]))

    def settled(self, share: float = 0.95) -> float:
        """Return the age at which Dice with the final map reaches a share of its last value; NaN if never."""
        known = np.flatnonzero(np.isfinite(self.dice_final))
        if not known.size:
            return float("nan")
        enough = known[self.dice_final[known] >= share * self.dice_final[known[-1]]]
        return float(self.age[enough[0]])

    def rows(self) -> list[dict[str, float]]:
        """Return one row an age."""
        names = ("age", "dice_final", "dice_truth", "recall", "date_change", "hectares")
        return [{name: float(getattr(self, name)[k]) for name in names} for k in range(self.age.size)]


def replay(
    map_at: Callable[[Day], BurnMap],
    days: Iterable[Any],
    final: BurnMap,
    truth: Reference,
    *,
    oldest: int = 20,
    threshold: float = 0.5,
    first_share: float = 0.1,
) -> Convergence:
    """Map each day with what had arrived by then, and follow what burned as it ages.

    Args:
        map_at: gives the map made on a day from data up to and including it, such as
            `lambda day: map_nrt(cube, day)`.
        days: of the replay, in order.
        final: the map made when all data had arrived.
        truth: what burned.
        oldest: largest age followed, days.
        threshold: burned fraction from which a cell of the truth counts as burned.
        first_share: share of a fire's hectares burned by then that must be mapped for it to count as found.

    Raises:
        InputError: if there is no day, or grids differ.
    """
    wanted = [as_day(day) for day in days]
    if not wanted:
        raise InputError("a replay needs at least one day")
    last, real = Side.of(final), Side.of(truth)
    if last.region != real.region:
        raise InputError("the final map and the truth of a replay must be on one grid")
    follower = _Follower(last, real, threshold, oldest, first_share)
    for day in wanted:
        follower.add(day, Side.of(map_at(day)))
    return follower.result()


class _Follower:
    """Adds up, over the days of a replay, hectares by age."""

    def __init__(self, final: Side, truth: Side, threshold: float, oldest: int, share: float) -> None:
        self._area = np.broadcast_to(final.region.cell_area_ha[:, None], final.region.shape)
        burned = (truth.fraction >= threshold - 1e-6) & ~np.isnat(truth.date) & truth.seen
        self._truth = np.where(burned, truth.date, np.datetime64("NaT", "D"))
        self._final = np.where(truth.seen, final.date, np.datetime64("NaT", "D"))
        self._seen = truth.seen
        self._oldest, self._share = oldest, share
        self._sums = np.zeros((oldest + 1, 8))
        self._label = label_fires(burned, self._truth)
        self._mapped: dict[int, Day] = {}

    def add(self, day: Day, current: Side) -> None:
        if current.region.shape != self._area.shape:
            raise InputError(f"the map of {day} is on another grid than the truth")
        now = np.where(self._seen, current.date, np.datetime64("NaT", "D"))
        for column, (mine, theirs) in enumerate(((now, self._final), (now, self._truth))):
            both = ~np.isnat(mine) & ~np.isnat(theirs)
            # What both show has the age that the settled date gives, however the early map dates it; what the
            # early map shows alone has the age that it says itself.
            one = self._by_age(day, np.where(both, theirs, mine))
            common = self._by_age(day, np.where(both, theirs, np.datetime64("NaT", "D")))
            parts = [one, self._by_age(day, theirs), common]
            self._sums[:, 3 * column : 3 * column + 3] += np.stack(parts, axis=1)
        both = ~np.isnat(now) & ~np.isnat(self._final)
        change = np.abs((now - self._final).astype(np.int64)) * both
        moved = np.where(both, self._final, np.datetime64("NaT", "D"))
        self._sums[:, 6] += self._by_age(day, moved, change)
        self._sums[:, 7] += self._by_age(day, moved)
        self._find(day, ~np.isnat(now))

    def _by_age(self, day: Day, date: Any, weight: Any = 1.0) -> Reals:
        known = ~np.isnat(date)
        age = (day - date[known]).astype(np.int64)
        mass = (self._area * weight)[known]
        inside = (age >= 0) & (age <= self._oldest)
        return np.asarray(np.bincount(age[inside], mass[inside], minlength=self._oldest + 1), np.float64)

    def _find(self, day: Day, mapped: npt.NDArray[np.bool_]) -> None:
        count = int(self._label.max(initial=0)) + 1
        so_far = self._label * (~np.isnat(self._truth) & (self._truth <= day))
        burned = np.bincount(so_far.ravel(), self._area.ravel(), minlength=count)
        shown = np.bincount(so_far.ravel(), (self._area * mapped).ravel(), minlength=count)
        for fire in np.flatnonzero((burned > 0) & (shown >= self._share * burned) & (shown > 0)):
            if fire > 0:
                self._mapped.setdefault(int(fire), day)

    def result(self) -> Convergence:
        s = self._sums
        with np.errstate(invalid="ignore", divide="ignore"):
            dice_final = np.where(s[:, 0] + s[:, 1] > 0, 2 * s[:, 2] / (s[:, 0] + s[:, 1]), np.nan)
            dice_truth = np.where(s[:, 3] + s[:, 4] > 0, 2 * s[:, 5] / (s[:, 3] + s[:, 4]), np.nan)
            recall = np.where(s[:, 4] > 0, s[:, 5] / s[:, 4], np.nan)
            change = np.where(s[:, 7] > 0, s[:, 6] / s[:, 7], np.nan)
        return Convergence(
            np.arange(self._oldest + 1), dice_final, dice_truth, recall, change, s[:, 4], self._fires()
        )

    def _fires(self) -> tuple[FirstMapped, ...]:
        found = []
        for fire in range(1, int(self._label.max(initial=0)) + 1):
            cells = self._label == fire
            started = self._truth[cells].min()
            found.append(FirstMapped(float(self._area[cells].sum()), started, self._mapped.get(fire)))
        return tuple(found)
