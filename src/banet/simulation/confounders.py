"""Changes that look like burning: harvest, ploughing, flooding, clearing, snow, static heat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.simulation import spectra
from banet.simulation.climates import Climate
from banet.simulation.fields import Field, correlated
from banet.simulation.land_surface import Surface
from banet.simulation.spectra import Band, Cover

__all__ = ["Changes", "Heat", "make_changes", "make_heat"]

STRONG = 0.3
"""Share of a cell from which on a change of its ground counts as one."""
YEAR = 365.25
SNOW_FROM, THAW_FROM, SNOW_TO = 288, 110, 160
"""Days of year: from the first to the last snow may lie where a scene starts, from the second on it melts."""


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of the ground that are not fire.

    Attributes:
        crop: share of each cell that is crop harvested in one go, (rows, columns).
        ploughed: share of that which is ploughed afterwards, (rows, columns).
        harvest, plough: day on which the fields of a cell are harvested and ploughed, (rows, columns).
        patches: places that turn into something else for a while.
        snow: depth index of the snow cover at the start, (rows, columns), or None.
        melt: fall of that index per day.
        thaw: day from which on the snow of the start melts; 0 where the scene starts in spring.
        snowfall: day of the first snow, (index after it, day), or None.
        moisture: darkening of the ground by rain on each day, (days,).
        colours: spectra of the bands in use, by name.
    """

    crop: Field
    ploughed: Field
    harvest: Field
    plough: Field
    patches: tuple[Patch, ...]
    snow: Field | None
    melt: float
    thaw: float
    snowfall: tuple[Field, float] | None
    moisture: Field
    colours: dict[str, Field]

    def apply(self, ground: Field, day: int) -> Field:
        """Change the ground of a day in place, (bands, rows, columns), and return it."""
        ground *= 1 - self.moisture[day]
        stubble = self.crop * np.clip((day - self.harvest) / 4, 0, 1)
        soil = self.ploughed * np.clip((day - self.plough) / 4, 0, 1)
        _mix(ground, stubble * (1 - soil), self.colours["STUBBLE"])
        _mix(ground, stubble * soil, self.colours["PLOUGHED"])
        for patch in self.patches:
            strength = patch.strength(day)
            if strength > 0:
                _mix(ground[:, patch.rows, patch.cols], strength * patch.weight, self.colours[patch.colour])
        if self.snow is not None:
            _mix(ground, np.clip(self._snow_left(day), 0, 0.9), self.colours["SNOW"])
        if self.snowfall is not None and day >= self.snowfall[1]:
            fresh, fell = self.snowfall
            _mix(ground, np.clip(fresh - self.melt * (day - fell), 0, 0.9), self.colours["SNOW"])
        return ground

    def _snow_left(self, day: int) -> Field:
        assert self.snow is not None
        return self.snow - self.melt * max(day - self.thaw, 0.0)

    def masks(self, days: int) -> dict[str, npt.NDArray[np.bool_]]:
        """Return where the ground changed by more than `STRONG` within the days, by what changed it.

        Args:
            days: of the scene, from its first.

        Returns:
            (rows, columns) bool by name: `harvest`, `ploughing`, `flood`, `first snow`, `snow melt`; those of
            which there is none are left out.
        """
        inside = (self.harvest >= 0) & (self.harvest < days)
        soil = (np.maximum(self.plough, self.harvest) >= 0) & (self.plough < days)
        found = {
            "harvest": inside & (self.crop > STRONG),
            "ploughing": soil & (self.crop * self.ploughed > STRONG),
            "flood": np.zeros(self.crop.shape, bool),
        }
        names = {"PLOUGHED": "ploughing", "STUBBLE": "harvest", "FLOOD": "flood"}
        for patch in self.patches:
            if patch.colour in names and 0 <= patch.start < days:
                found[names[patch.colour]][patch.rows, patch.cols] |= patch.weight > STRONG
        if self.snowfall is not None:
            found["first snow"] = self.snowfall[0] > STRONG
        if self.snow is not None:
            found["snow melt"] = (self.snow > STRONG) & (self._snow_left(days) < STRONG / 3)
        return {name: mask for name, mask in found.items() if mask.any()}


@dataclass(frozen=True, eq=False)
class Patch:
    """A place whose ground turns into `colour` from `start` on, within `rise` days, for `hold` days."""

    rows: slice
    cols: slice
    weight: Field
    colour: str
    start: float
    rise: float
    hold: float
    fall: float

    def strength(self, day: int) -> float:
        """Return how far the change has come on a day, 0-1."""
        age = day - self.start
        if age <= 0:
            return 0.0
        return float(min(age / self.rise, 1.0) * np.exp(-max(age - self.hold, 0.0) / self.fall))


def _mix(ground: Field, weight: Field, colour: Field) -> None:
    ground += weight * (colour[:, None, None] - ground)


def make_changes(
    rng: np.random.Generator,
    climate: Climate,
    surface: Surface,
    day_of_year: npt.NDArray[np.float64],
    bands: tuple[int, ...],
) -> Changes:
    """Draw the changes of a scene that are not fire."""
    shape = surface.relief.shape
    days = len(day_of_year)
    chosen = list(bands)
    names = ("STUBBLE", "PLOUGHED", "FLOOD", "SNOW", "LITTER")
    colours = {
        name: (np.array(getattr(spectra, name)) * np.exp(rng.normal(0, 0.08, len(Band)))).astype(np.float32)[
            chosen
        ]
        for name in names
    }
    first = float(day_of_year[0]) % YEAR
    # The harvest of the half-years about the start: in another year it would be out of the scene.
    middle = (climate.winter_crop - first + YEAR / 2) % YEAR - YEAR / 2 + rng.normal(0, 15)
    regional = correlated(rng, shape, 8, 2.0)
    blocks = _block_noise(rng, shape)
    harvest = (middle + 14 * regional + 8 * blocks).astype(np.float32)
    plough = (harvest + rng.uniform(3, 40) + 12 * np.abs(_block_noise(rng, shape))).astype(np.float32)
    # A cell holds many fields; they seldom do the same on the same day.
    together = np.clip(rng.uniform(0.3, 0.8) + 0.15 * correlated(rng, shape, 6, 1.5), 0, 1)
    ploughed = np.clip(rng.uniform(0.0, 1.0) + 0.25 * _block_noise(rng, shape), 0, 1)
    count = int(rng.poisson(5.0 * shape[0] * shape[1] / 16384 + 0.3))
    patches = tuple(_draw_patch(rng, shape, surface, days) for _ in range(min(count, 40)))
    snow = None
    if climate.snow and not SNOW_TO <= first < SNOW_FROM and rng.random() < 0.7:
        snow = (0.4 * surface.relief + 0.5 * correlated(rng, shape, 4, 1.5) + rng.uniform(-0.5, 1.5)).astype(
            np.float32
        )
    rain = rng.random(days) < 0.25 * climate.clouds * 2
    moisture = np.zeros(days, np.float32)
    for day in range(days):
        moisture[day] = 0.75 * moisture[day - 1] + (rng.uniform(0.02, 0.09) if rain[day] else 0.0)
    return Changes(
        surface.fractions[Cover.CROP] * together.astype(np.float32),
        ploughed.astype(np.float32),
        harvest,
        plough,
        patches,
        snow,
        float(rng.uniform(0.03, 0.12)),
        0.0 if THAW_FROM <= first < SNOW_TO else (THAW_FROM - first) % YEAR,
        _first_snow(rng, climate, surface, days),
        np.minimum(moisture, 0.15),
        colours,
    )


def _first_snow(
    rng: np.random.Generator, climate: Climate, surface: Surface, days: int
) -> tuple[Field, float] | None:
    """Draw a first snow, deepest on high ground: its index and its day; None where none falls."""
    chance, day, depth = rng.random(), float(rng.integers(2, max(days, 3))), rng.uniform(-1.2, 0.8)
    if chance >= (0.15 if climate.snow else 0.04):
        return None
    return (0.7 * surface.relief + depth).astype(np.float32), day


def _block_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Field:
    """Draw noise that is constant over blocks of one to two cells, as fields are."""
    coarse = rng.standard_normal((shape[0] // 2 + 1, shape[1] // 2 + 1), dtype=np.float32)
    return np.asarray(np.repeat(np.repeat(coarse, 2, 0), 2, 1)[: shape[0], : shape[1]], np.float32)


def _draw_patch(rng: np.random.Generator, shape: tuple[int, ...], surface: Surface, days: int) -> Patch:
    half = int(rng.integers(2, 11))
    row, col = int(rng.integers(0, shape[0])), int(rng.integers(0, shape[1]))
    top, bottom = max(row - half, 0), min(row + half + 1, shape[0])
    left, right = max(col - half, 0), min(col + half + 1, shape[1])
    rows, cols = slice(top, bottom), slice(left, right)
    y = (np.arange(top, bottom) - row)[:, None] / half
    x = (np.arange(left, right) - col)[None, :] / half
    step = surface.rough.shape[0] // shape[0]
    ragged = surface.rough[::step, ::step][rows, cols]
    edge = 0.8 - (x * x + y * y) + rng.uniform(0.2, 0.6) * (surface.relief[rows, cols] + ragged)
    edge *= (np.abs(x) < 0.98) & (np.abs(y) < 0.98)
    weight = np.clip(3 * edge, 0, 1) * (1 - surface.water[rows, cols]) * rng.uniform(0.4, 1.0)
    colour = str(rng.choice(["FLOOD", "PLOUGHED", "STUBBLE", "LITTER"], p=[0.25, 0.40, 0.15, 0.20]))
    hold = float(rng.uniform(2, 20)) if colour == "FLOOD" else float(rng.uniform(15, 90))
    rise = float(rng.choice([1.0, rng.uniform(3, 25)]))
    start = float(rng.uniform(-10, days))
    return Patch(rows, cols, weight.astype(np.float32), colour, start, rise, hold, float(rng.uniform(3, 15)))


@dataclass(frozen=True, eq=False)
class Heat:
    """Heat that is no vegetation fire, and fires too small to leave a mark.

    Attributes:
        row, col: place in cells, fractions included, (sources,).
        power: typical radiative power, MW.
        chance: probability that it is hot at an overpass.
        kind: what FIRMS calls it: 0 vegetation (not recognised), 1 volcano, 2 static land source, 3 offshore.
        small_fires: expected number per cell and day of fires too small to map.
    """

    row: Field
    col: Field
    power: Field
    chance: Field
    kind: npt.NDArray[np.int8]
    small_fires: float


def make_heat(rng: np.random.Generator, climate: Climate, surface: Surface) -> Heat:
    """Draw the industrial heat sources, gas flares and volcanoes of a scene."""
    rows, cols = surface.fractions.shape[1:]
    count = int(rng.poisson(climate.static_heat * rows * cols / 1e4))
    vents = _vents(rng, climate, rows, cols)
    row = np.append(rng.uniform(0, rows, count), vents[0])
    col = np.append(rng.uniform(0, cols, count), vents[1])
    volcanic = np.arange(row.size) >= count
    water = surface.water[row.astype(int), col.astype(int)] > 0.5
    unknown = rng.random(row.size) < 0.15
    kind = np.where(unknown, 0, np.where(volcanic, 1, np.where(water, 3, 2)))
    power = np.exp(rng.normal(np.where(volcanic, 2.5, 0.8), np.where(volcanic, 1.0, 0.6)))
    return Heat(
        row.astype(np.float32),
        col.astype(np.float32),
        power.astype(np.float32),
        rng.uniform(0.05, 0.7, row.size).astype(np.float32),
        kind.astype(np.int8),
        climate.small_fires * float(rng.gamma(1.5, 1 / 1.5)) / 1e4,
    )


def _vents(rng: np.random.Generator, climate: Climate, rows: int, cols: int) -> tuple[Field, Field]:
    """Draw the vents of a volcano and the hot pixels about them: places in cells, fractions included."""
    if rng.random() >= climate.volcano * rows * cols / 1e4:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    count = int(rng.integers(2, 8))
    row = rng.uniform(0, rows) + rng.normal(0, 0.8, count)
    col = rng.uniform(0, cols) + rng.normal(0, 0.8, count)
    inside = (np.clip(row, 0, rows - 0.01), np.clip(col, 0, cols - 0.01))
    return inside[0].astype(np.float32), inside[1].astype(np.float32)
