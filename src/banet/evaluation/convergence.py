"""Near-real-time replay of a season: how soon what burned is mapped, and whether it stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.linking import label_fires
from banet.days import Day, as_day
from banet.errors import InputError
from banet.evaluation.measures.measure import Reals, ratio

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["FIRE_DAYS", "FIRE_SIZES", "SUMS", "Convergence", "FirstMapped", "replay"]

FIRE_SIZES = (0.0, 100.0, 500.0, 1000.0, 5000.0)
"""Least hectares of the fires for which it is told how soon they are mapped."""

FIRE_DAYS = (0, 1, 2, 5, 10)


@dataclass(frozen=True)
class FirstMapped:
    """When a fire was first on the map.

    Attributes:
        area_ha: hectares of the fire's burned cells in the end.
        started: its first day.
        mapped: day of the replay on which at least the asked share of what had burned was mapped; None if
            that never came.
        followed: days from its first day to the last of the replay.
    """

    area_ha: float
    started: Day
    mapped: Day | None
    followed: int = 0

    @property
    def delay(self) -> float:
        """Days from the first day to being mapped; infinite if it never was."""
        return float("inf") if self.mapped is None else float((self.mapped - self.started).astype(np.int64))


SUMS = (
    "now_final",
    "final",
    "common_final",
    "now_truth",
    "truth",
    "common_truth",
    "date_change",
    "dated",
)
"""Columns of `Convergence.sums`: hectares of the map of the day and of the final map by age, what they have
in common, the same of the truth, hectares times days of change, and the hectares that have a change."""


@dataclass(frozen=True, eq=False)
class Convergence:
    """Maps of each day of a season against the final map and the truth, by days since burning.

    Attributes:
        sums: hectares by age and kind (`SUMS`), added up over the days of the replay, (n, 8) float64.
        fires: of the truth that started within the replay, and when each was first mapped.
    """

    sums: Reals
    fires: tuple[FirstMapped, ...]

    @classmethod
    def join(cls, parts: Sequence[Convergence]) -> Convergence:
        """Return several replays, such as of several scenes, as one; the ages are those that all have.

        Raises:
            InputError: if there is none.
        """
        if not parts:
            raise InputError("there is no replay to join")
        oldest = min(len(part.sums) for part in parts)
        summed = np.sum([part.sums[:oldest] for part in parts], axis=0)
        return cls(summed, tuple(fire for part in parts for fire in part.fires))

    @cached_property
    def curve(self) -> dict[str, Reals]:
        """What is said by age, (n,) each.

        `age`: days since burning. `dice_final`, `dice_truth`: Dice with the same of the final map and of the
        truth, of what is dated so many days before the map's day. `recall`: share of the truth's hectares of
        that age that are mapped burned. `date_change`: mean absolute difference of date to the final map,
        days. `hectares`: of the truth, added up over the days.
        """
        of = dict(zip(SUMS, np.asarray(self.sums, np.float64).T, strict=True))
        return {
            "age": np.arange(len(self.sums), dtype=np.float64),
            "dice_final": ratio(2 * of["common_final"], of["now_final"] + of["final"]),
            "dice_truth": ratio(2 * of["common_truth"], of["now_truth"] + of["truth"]),
            "recall": ratio(of["common_truth"], of["truth"]),
            "date_change": ratio(of["date_change"], of["dated"]),
            "hectares": of["truth"],
        }

    def delays(self, least_ha: float = 0.0) -> Reals:
        """Return the delays in days of fires of at least so many hectares, sorted; infinite: never mapped."""
        return np.sort(np.array([fire.delay for fire in self.fires if fire.area_ha >= least_ha]))

    def mapped_within(self, days: int, least_ha: float = 0.0) -> tuple[int, int]:
        """Count fires of at least so many hectares: those first mapped within so many days, and all.

        Fires that the replay followed for fewer days than that are left out of both.
        """
        fires = [fire for fire in self.fires if fire.area_ha >= least_ha and fire.followed >= days]
        return sum(fire.delay <= days for fire in fires), len(fires)

    def settled(self, share: float = 0.95) -> float:
        """Return the age at which Dice with the final map reaches a share of its last value; NaN if never."""
        dice = self.curve["dice_final"]
        known = np.flatnonzero(np.isfinite(dice))
        if not known.size:
            return float("nan")
        enough = known[dice[known] >= share * dice[known[-1]]]
        return float(enough[0])

    def rows(self) -> list[dict[str, float]]:
        """Return one row an age."""
        rows = zip(*self.curve.values(), strict=True)
        return [{name: float(v) for name, v in zip(self.curve, row, strict=True)} for row in rows]

    def fire_rows(self) -> list[dict[str, Any]]:
        """Return one row a least size: how many fires there are, and how many were mapped how soon."""
        found = []
        for least in FIRE_SIZES:
            delays = self.delays(least)
            middle = float(np.quantile(delays, 0.5, method="inverted_cdf")) if delays.size else float("nan")
            row: dict[str, Any] = {"least_ha": least, "fires": int(delays.size), "median_days": middle}
            for days in FIRE_DAYS:
                mapped, followed = self.mapped_within(days, least)
                row[f"within_{days}_days"] = mapped / followed if followed else float("nan")
            found.append(row | {"never": int(np.isinf(delays).sum())})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return curve and fires by name, ready for JSON once what is not finite is taken out."""
        return {"ages": self.rows(), "fires": self.fire_rows(), "settled_days": self.settled()}


def replay(
    map_at: Callable[[Day], BurnedArea],
    days: Iterable[Any],
    final: BurnedArea,
    truth: BurnedArea,
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
    if final.region != truth.region:
        raise InputError("the final map and the truth of a replay must be on one grid")
    follower = _Follower(final, truth, threshold, oldest, first_share)
    for day in wanted:
        follower.add(day, map_at(day))
    return follower.result()


class _Follower:
    """Adds up, over the days of a replay, hectares by age."""

    def __init__(
        self, final: BurnedArea, truth: BurnedArea, threshold: float, oldest: int, share: float
    ) -> None:
        self._area = np.broadcast_to(final.region.cell_area_ha[:, None], final.region.shape)
        enough = np.nan_to_num(truth.burned_fraction) >= threshold - 1e-6
        self._seen = truth.known
        burned = enough & truth.burned & self._seen
        self._truth = np.where(burned, truth.burn_date, np.datetime64("NaT", "D"))
        self._final = np.where(self._seen, final.burn_date, np.datetime64("NaT", "D"))
        self._oldest, self._share = oldest, share
        self._sums = np.zeros((oldest + 1, 8))
        self._label = label_fires(burned, self._truth)
        self._mapped: dict[int, Day] = {}
        self._first: Day | None = None
        self._last: Day = as_day("1970-01-01")

    def add(self, day: Day, current: BurnedArea) -> None:
        if current.region.shape != self._area.shape:
            raise InputError(f"the map of {day} is on another grid than the truth")
        self._first, self._last = day if self._first is None else self._first, day
        now = np.where(self._seen, current.burn_date, np.datetime64("NaT", "D"))
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
        return Convergence(self._sums, self._fires())

    def _fires(self) -> tuple[FirstMapped, ...]:
        """Fires that began before the replay are left out: nobody knows how soon they were mapped."""
        found = []
        for fire in range(1, int(self._label.max(initial=0)) + 1):
            cells = self._label == fire
            started = self._truth[cells].min()
            if self._first is None or not self._first <= started <= self._last:
                continue
            followed = int((self._last - started).astype(np.int64))
            area = float(self._area[cells].sum())
            found.append(FirstMapped(area, started, self._mapped.get(fire), followed))
        return tuple(found)
