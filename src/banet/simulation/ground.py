"""The ground as it burns: char, ash and bare soil by their age, and the glow of what is on fire."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from banet.simulation import spectra
from banet.simulation.fields import Field, correlated
from banet.simulation.fire import Burns
from banet.simulation.land_surface import Surface
from banet.simulation.spectra import Band, table

__all__ = ["Scar", "Tint", "draw_tint"]

# Reflectance that 1 MW of fire at 900 K in 1 km2 adds in each band (Planck over the sun's share).
GLOW = (0.0, 0.0, 0.0002, 0.0023, 0.019)
FRESH_DAYS, ASH_DAYS = 14.0, 4.0


@dataclass(frozen=True, eq=False)
class Tint:
    """Look of burned ground in a scene.

    Attributes:
        fresh, old, ash, litter: spectra, (bands,).
        ash_share: share of the fresh burn that is white ash, (rows, columns).
        variety: darker and lighter places, (rows, columns), about 1.
    """

    fresh: Field
    old: Field
    ash: Field
    litter: Field
    ash_share: Field
    variety: Field


def draw_tint(
    rng: np.random.Generator, shape: tuple[int, int], bands: tuple[int, ...], *, varied: bool = False
) -> Tint:
    """Draw the look of burned ground in a scene; `varied` draws widely, for training."""
    wide = 1.4 if varied else 0.7
    chosen = list(bands)

    def colour(name: str, spread: float) -> Field:
        base = np.array(getattr(spectra, name), np.float32)
        change = np.exp(wide * (rng.normal(0, spread) + rng.normal(0, 0.6 * spread, len(Band))))
        return np.asarray((base * change)[chosen], np.float32)

    share = np.clip(rng.uniform(0.0, 0.12) * (1 + correlated(rng, shape, 3, 1.5)), 0, 0.5)
    variety = np.clip(1 + np.float32(rng.uniform(0.08, 0.22)) * correlated(rng, shape, 3, 1.4), 0.5, 1.8)
    return Tint(
        colour("CHAR_FRESH", 0.20),
        colour("CHAR_OLD", 0.15),
        colour("ASH_WHITE", 0.15),
        colour("LITTER", 0.12),
        share.astype(np.float32),
        variety.astype(np.float32),
    )


@dataclass
class Scar:
    """The burned share of every cell by its kind, carried forward in time."""

    burns: Burns
    surface: Surface
    subcells: int
    fresh: Field = field(init=False)
    old: Field = field(init=False)
    ash: Field = field(init=False)
    bare: Field = field(init=False)

    def __post_init__(self) -> None:
        fractions = self.surface.fractions
        shape = fractions.shape[1:]
        self.fresh, self.old, self.ash, self.bare = (np.zeros(shape, np.float32) for _ in range(4))
        burnable = fractions * (table("spread") > 0)[:, None, None]
        burnable = burnable / np.maximum(burnable.sum(0), 1e-6)
        self._fade = np.tensordot(1 / table("char_days"), burnable, 1).astype(np.float32)
        self._residue = np.tensordot(table("residue"), burnable, 1).astype(np.float32)
        fine_cols = shape[1] * self.subcells
        self._cell = (
            self.burns.index // fine_cols // self.subcells * shape[1]
            + self.burns.index % fine_cols // self.subcells
        )
        self._next = 0
        self._midnight = 24.0 * np.floor(self.burns.hour[0] / 24) if len(self.burns.hour) else np.inf

    def forward(self, time_h: float, ash_share: Field) -> None:
        """Add what has burned up to a time; at every midnight UTC the scar ages by a day."""
        while self._midnight <= time_h:
            self._add_until(self._midnight, ash_share)
            self._age(1.0)
            self._midnight += 24.0
        self._add_until(time_h, ash_share)

    def _add_until(self, time_h: float, ash_share: Field) -> None:
        stop = int(np.searchsorted(self.burns.hour, time_h, side="right"))
        if stop > self._next:
            self._add(slice(self._next, stop), ash_share)
            self._next = stop

    def _age(self, days: float) -> None:
        if not self.fresh.any():
            return
        turned = self.fresh * np.float32(1 - np.exp(-days / FRESH_DAYS))
        blown = self.ash * np.float32(1 - np.exp(-days / ASH_DAYS))
        faded = self.old * (1 - np.exp(-days * self._fade))
        # In grass the fresh char goes as fast as the old: what is short-lived skips the old stage.
        quick = self.fresh * (1 - np.exp(-days * self._fade)) * (1 - self._residue)
        self.fresh -= np.minimum(turned + quick, self.fresh)
        self.ash -= blown
        self.old += turned + blown - faded
        self.bare += faded * self._residue

    def _add(self, entries: slice, ash_share: Field) -> None:
        weight = np.bincount(self._cell[entries], self.burns.severity[entries], self.fresh.size)
        new = (weight.reshape(self.fresh.shape) / self.subcells**2).astype(np.float32)
        self.ash += new * ash_share
        self.fresh += new * (1 - ash_share)

    def paint(self, ground: Field, tint: Tint) -> None:
        """Put the scar on the ground in place, (bands, rows, columns)."""
        total = self.fresh + self.old + self.ash + self.bare
        if not total.any():
            return
        keep = 1 - total
        dark, aged = self.fresh * tint.variety, self.old * tint.variety
        for i in range(len(ground)):
            ground[i] *= keep
            ground[i] += (
                dark * tint.fresh[i]
                + aged * tint.old[i]
                + self.ash * tint.ash[i]
                + self.bare * tint.litter[i]
            )

    def power(self, time_h: float) -> Field:
        """Return the radiative power of each cell at a time, MW, (rows, columns)."""
        entries, power = self.burns.power_at(time_h)
        total = np.bincount(self._cell[entries], power, self.fresh.size)
        return total.reshape(self.fresh.shape).astype(np.float32)


def glow(ground: Field, power: Field, cell_km2: float, bands: tuple[int, ...]) -> None:
    """Add the glow of fires to the ground in place."""
    for i, band in enumerate(bands):
        if GLOW[band] > 0:
            ground[i] += np.float32(GLOW[band] / cell_km2) * power


def burned_per_day(burns: Burns, days: int, shape: tuple[int, int], subcells: int) -> Field:
    """Return the exact truth: the share of each cell that burned each day, (days, rows, columns) float32."""
    inside = burns.hour >= 0
    fine_cols = shape[1] * subcells
    index = burns.index[inside]
    row, col = index // fine_cols // subcells, index % fine_cols // subcells
    day = np.minimum(burns.hour[inside] // 24, days - 1).astype(np.int64)
    key = (day * shape[0] + row) * shape[1] + col
    count = np.bincount(key, minlength=days * shape[0] * shape[1])
    return (count.reshape(days, *shape) / np.float32(subcells**2)).astype(np.float32)
