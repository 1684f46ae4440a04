"""Near-real-time replay of a season: how soon what burned is mapped, and whether it stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.linking import label_fires
from banet.days import NO_DATE, Day, Days, as_day
from banet.errors import InputError
from banet.evaluation.measures.measure import Reals, ratio
from banet.io.arrays import load_arrays, save_arrays

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea

__all__ = ["FIRE", "FIRE_DAYS", "FIRE_SIZES", "SUMS", "Convergence", "replay"]

FIRE_SIZES = (0.0, 100.0, 500.0, 1000.0, 5000.0)
"""Least hectares of the fires for which it is told how soon they are mapped."""

FIRE_DAYS = (0, 1, 2, 5, 10)

_BURNED = 0.5
"""Burned fraction from which a cell of the truth counts as burned."""

_FOUND = 0.1
"""Share of a fire's hectares burned by then that must be mapped for it to count as found."""

_SETTLED = 0.95

FIRE = np.dtype([("area_ha", "f8"), ("started", "M8[D]"), ("delay", "f8"), ("followed", "i8")])
"""A fire: hectares in the end, first day, days from it until a tenth of what had burned was mapped (infinite
if that never came), days from it to the last of the replay."""

SUMS = ("now_final", "final", "common_final", "now_truth", "truth", "common_truth", "date_change", "dated")
"""Columns of `Convergence.sums`: hectares of the map of the day and of the final map by age, what they have
in common, the same of the truth, hectares times days of change, and the hectares that have a change."""


@dataclass(frozen=True, eq=False)
class Convergence:
    """Maps of each day of a season against the final map and the truth, by days since burning.

    Attributes:
        sums: hectares by age and kind (`SUMS`), added up over the days of the replay, (n, 8) float64.
        fires: of the truth that started within the replay, (n,) records of `FIRE`.
    """

    sums: Reals
    fires: np.recarray

    @classmethod
    def join(cls, replays: Iterable[Convergence]) -> Convergence:
        """Return several replays, such as of several scenes, as one; the ages are those that all have.

        Raises:
            InputError: if there is none.
        """
        parts = list(replays)
        if not parts:
            raise InputError("there is no replay to join")
        oldest = min(len(part.sums) for part in parts)
        fires = np.concatenate([part.fires for part in parts]).view(np.recarray)
        return cls(np.sum([part.sums[:oldest] for part in parts], axis=0), fires)

    def save(self, path: Path) -> None:
        """Write the replay to an .npz file."""
        save_arrays(path, {"sums": self.sums, "fires": np.asarray(self.fires)})

    @classmethod
    def load(cls, path: Path) -> Convergence:
        """Read what `save` wrote; errors as `load_arrays`."""
        held = load_arrays(path)
        return cls(held["sums"], held["fires"].view(np.recarray))

    @cached_property
    def curve(self) -> dict[str, Reals]:
        """Curves by age, (n,) each.

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
        return np.sort(self.fires["delay"][self.fires["area_ha"] >= least_ha])

    def mapped_within(self, days: int, least_ha: float = 0.0) -> tuple[int, int]:
        """Count fires of at least so many hectares: those first mapped within so many days, and all.

        Fires that the replay followed for fewer days than that are left out of both.
        """
        fires = self.fires[(self.fires["area_ha"] >= least_ha) & (self.fires["followed"] >= days)]
        return int(np.count_nonzero(fires["delay"] <= days)), len(fires)

    def settled(self) -> float:
        """Return the age at which Dice with the final map reaches 95 % of its last value; NaN if never."""
        dice = self.curve["dice_final"]
        known = np.flatnonzero(np.isfinite(dice))
        return float(known[dice[known] >= _SETTLED * dice[known[-1]]][0]) if known.size else float("nan")

    def rows(self) -> list[dict[str, float]]:
        """Return one row an age."""
        rows = zip(*(values.tolist() for values in self.curve.values()), strict=True)
        return [dict(zip(self.curve, row, strict=True)) for row in rows]

    def fire_rows(self) -> list[dict[str, Any]]:
        """Return one row a least size: how many fires there are, and how many were mapped how soon."""
        found = []
        for least in FIRE_SIZES:
            delays = self.delays(least)
            middle = float(np.quantile(delays, 0.5, method="inverted_cdf")) if delays.size else float("nan")
            within = {f"within_{d}_days": float(ratio(*self.mapped_within(d, least))) for d in FIRE_DAYS}
            row = {"least_ha": least, "fires": delays.size, "median_days": middle, **within}
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
) -> Convergence:
    """Map each day with what had arrived by then, and follow what burned as it ages.

    Args:
        map_at: gives the map made on a day from data up to and including it, such as
            `lambda day: map_nrt(cube, day)`.
        days: of the replay, in order.
        final: the map made when all data had arrived.
        truth: what burned.
        oldest: largest age followed, days.

    Raises:
        InputError: if there is no day, or grids differ.
    """
    if final.region != truth.region:
        raise InputError("the final map and the truth of a replay must be on one grid")
    area = np.broadcast_to(final.region.cell_area_ha[:, None], final.region.shape)
    burned = truth.known & truth.burned & (np.nan_to_num(truth.burned_fraction) >= _BURNED - 1e-6)
    true, settled = (
        np.where(cells, side.burn_date, NO_DATE) for cells, side in ((burned, truth), (truth.known, final))
    )
    label = label_fires(burned, true)
    mapped = np.full(int(label.max(initial=0)) + 1, NO_DATE)
    sums, done = np.zeros((oldest + 1, len(SUMS))), []
    for day in map(as_day, days):
        current = map_at(day)
        if current.region.shape != area.shape:
            raise InputError(f"the map of {day} is on another grid than the truth")
        now = np.where(truth.known, current.burn_date, NO_DATE)
        sums += _by_age(day, now, settled, true, area, oldest)
        # The first map that shows a share of what has burned of a fire.
        so_far = ~np.isnat(true) & (true <= day)
        all_of, shown = (
            np.bincount(label[cells], area[cells], mapped.size) for cells in (so_far, so_far & ~np.isnat(now))
        )
        mapped[np.isnat(mapped) & (shown >= _FOUND * all_of) & (shown > 0)] = day
        done.append(day)
    if not done:
        raise InputError("a replay needs at least one day")
    return Convergence(sums, _fires(label, true, area, mapped, done[0], done[-1]))


def _fires(
    label: npt.NDArray[Any], date: Days, area: Reals, mapped: Days, first: Day, last: Day
) -> np.recarray:
    """Return fires that began on these days: nobody knows how soon earlier ones were mapped."""
    cells = label > 0
    started = np.full(mapped.size, np.datetime64("9999-12-31"))
    np.minimum.at(started, label[cells], date[cells])
    hectares = np.bincount(label[cells], area[cells], mapped.size)
    chosen = (started >= first) & (started <= last)
    late, followed = ((day - started[chosen]).astype(np.float64) for day in (mapped[chosen], last))
    delay = np.where(np.isnat(mapped[chosen]), np.inf, late)
    return np.rec.fromarrays([hectares[chosen], started[chosen], delay, followed], FIRE)


def _by_age(day: Day, now: Days, settled: Days, true: Days, area: Reals, oldest: int) -> Reals:
    """Return hectares by age and kind, (ages, 8), of the map of one day."""

    def hectares(date: Days, weight: Any = 1.0) -> Reals:
        age = np.where(np.isnat(date), -1, (day - date).astype(np.int64))
        inside = (age >= 0) & (age <= oldest)
        mass = (area * weight)[inside]
        return np.asarray(np.bincount(age[inside], mass, minlength=oldest + 1), np.float64)

    columns = []
    for side in (settled, true):
        both = ~np.isnat(now) & ~np.isnat(side)
        # What both show has the age that the settled date gives, however the early map dates it; what the
        # early map shows alone has the age that it says itself.
        columns += [
            hectares(np.where(both, side, now)),
            hectares(side),
            hectares(np.where(both, side, NO_DATE)),
        ]
    both = ~np.isnat(now) & ~np.isnat(settled)
    change = np.abs((now - settled).astype(np.int64)) * both
    return np.stack([*columns, hectares(np.where(both, settled, NO_DATE), change), columns[2]], axis=1)
