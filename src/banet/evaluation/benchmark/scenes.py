"""The fixed seasons of the benchmark, by name and seed.

Six climates, four seasons each of 64, 80, 96 and 112 days on 128 x 128 cells. Their seeds lie far above those
that training and validation draw from, so no network has seen them. Everything that burned within a season
counts, in its first days and its last as well. NOAA-20 gives hot spots in seasons before its launch, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from banet.days import Day, from_day_of_year
from banet.errors import InputError

if TYPE_CHECKING:
    from banet.simulation import Scene

__all__ = ["FIRST_SEED", "REPLAYED", "SMALL", "SUITE", "BenchmarkScene", "Subset", "subset_named"]

Subset = Literal["full", "small"]

FIRST_SEED = 77_000_000
_LENGTHS = (64, 80, 96, 112)
_SIZE = 128


@dataclass(frozen=True)
class BenchmarkScene:
    """A simulated season of the benchmark.

    Attributes:
        name: climate and number.
        climate: of the simulator.
        seed: everything follows from it.
        start: first day.
        days: number of days.
        size: cells along each edge.
    """

    name: str
    climate: str
    seed: int
    start: Day
    days: int
    size: int = _SIZE

    @property
    def key(self) -> str:
        """Text of all that scores of the season depend on beside code and method."""
        return f"{self.name} {self.climate} {self.seed} {self.start} {self.days} {self.size}"

    def simulate(self) -> Scene:
        """Simulate the season."""
        from banet.simulation import simulate

        # Scores rest on hot spots of S-NPP and NOAA-20 in every season, those before 2018 included.
        asked = {name: value for name, value in vars(self).items() if name != "name"}
        return simulate(**asked, any_time=True)


def _suite() -> tuple[BenchmarkScene, ...]:
    # First days of year on which a season of 64 days may begin, as the simulator's climates have them.
    seasons = {
        "mediterranean": (120, 250),
        "california": (140, 270),
        "cerrado": (150, 255),
        "mozambique": (130, 270),
        "australia": (100, 290),
        "boreal": (145, 215),
    }
    scenes = []
    for i, (climate, (first, last)) in enumerate(seasons.items()):
        for k, days in enumerate(_LENGTHS):
            # Longer seasons begin earlier, so that all end within the climate's fire season.
            begin = first + (3 - k) * (last - first) // 4
            start = from_day_of_year(2013 + (5 * i + 2 * k) % 8, begin)
            scenes.append(BenchmarkScene(f"{climate}-{k + 1}", climate, FIRST_SEED + 10 * i + k, start, days))
    return tuple(scenes)


SUITE = _suite()
SMALL = tuple(scene for scene in SUITE if scene.name.endswith("-1"))
"""One season of 64 days of each climate, for a first look."""

REPLAYED = tuple(scene.name for scene in SUITE if scene.name.endswith("-4"))
"""The longest season of each climate: 48 days have the whole sequence of 64 days behind them."""


def subset_named(name: str) -> tuple[BenchmarkScene, ...]:
    """Return the seasons of a subset.

    Raises:
        InputError: if there is none of that name.

    >>> len(subset_named("small")), len(subset_named("full"))
    (6, 24)
    """
    known = {"full": SUITE, "small": SMALL}
    if name not in known:
        raise InputError(f"no subset {name!r} of the benchmark; there are {', '.join(known)}")
    return known[name]
