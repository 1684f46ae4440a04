"""The ground before anything burns: land covers, their seasons, and the changes that are not fire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.simulation.climates import Climate
from banet.simulation.fields import Field, correlated, parcels
from banet.simulation.spectra import Band, Cover, table

__all__ = ["Surface", "greenness", "land_cover", "make_surface"]

Codes = npt.NDArray[np.uint8]
# Few values, so that the filters of the random fields are made once for many scenes.
GRAINS = (0.8, 1.2, 1.7, 2.4, 4.5)
_WOODY = (Cover.EVERGREEN, Cover.BOREAL)
# Days: the longest record with one drought throughout, and how long the rains take to end one.
_ONE_DROUGHT, _RAINS = 183, 60


@dataclass(frozen=True, eq=False)
class Surface:
    """The unburned ground of a scene.

    Attributes:
        cover: code of `Cover`, (fine rows, fine columns) uint8.
        parcel: number of the field a sub-cell belongs to, int32.
        fractions: share of each cover in a cell, (covers, rows, columns) float32.
        relief: smooth field of mean 0 and variance 1 that wetness and season follow, (rows, columns).
        constant: reflectance of the senescent ground, (bands, rows, columns).
        vigour: what full greenness of each cover adds to it, (covers, bands, rows, columns).
        green: greenness 0-1 of each cover on each day, (days, covers).
        late: days by which the season of a cell lags.
        rough: fine field of mean 0 and variance 1 that fuel and barriers follow, (fine rows, fine columns).
    """

    cover: Codes
    parcel: npt.NDArray[np.int32]
    fractions: Field
    relief: Field
    constant: Field
    vigour: Field
    green: Field
    late: Field
    rough: Field

    def reflectance(self, day: int) -> Field:
        """Return the reflectance of the ground on a day, (bands, rows, columns) float32, a new array."""
        after = min(day + 1, len(self.green) - 1)
        rise = self.green[after] - self.green[max(after - 1, 0)]
        ground = np.tensordot(self.green[day], self.vigour, 1)
        ground += self.constant
        ground -= np.tensordot(rise, self.vigour, 1) * self.late
        return np.asarray(np.maximum(ground, 0.001), np.float32)

    @property
    def water(self) -> Field:
        """Share of water in each cell, (rows, columns) float32."""
        return np.asarray(self.fractions[Cover.WATER])


def land_cover(
    rng: np.random.Generator, climate: Climate, shape: tuple[int, int], grain: float, coast: float
) -> tuple[Codes, Field, Field]:
    """Draw a land-cover mosaic.

    Every cover has a suitability that mixes a few fields; the most suitable one wins. Biases are set so
    that each takes about the share that the climate gives it.

    Args:
        rng: its random stream.
        climate: whose covers.
        shape: of the fine grid.
        grain: typical size of a patch in fine steps.
        coast: share of the scene that is sea or lake.

    Returns:
        codes (uint8), the rough field and the relief, all on the fine grid.
    """
    relief = correlated(rng, shape, 24 * grain, 2.6)
    rough = correlated(rng, shape, 2 * grain, 1.6)
    base = np.stack(
        [relief, correlated(rng, shape, 4 * grain, 2.0), correlated(rng, shape, 10 * grain, 2.0), rough]
    )
    covers = list(climate.covers)
    share = rng.dirichlet(3.0 * np.array([climate.covers[c] for c in covers]))
    mixing = rng.normal(0, 1, (len(covers), len(base))).astype(np.float32)
    mixing[:, 3] *= 0.45
    mixing *= 1.3 / np.linalg.norm(mixing, axis=1, keepdims=True)
    suit = np.tensordot(mixing, base, 1)
    bias = _biases(suit[:, ::9, ::9].reshape(len(covers), -1), share)
    codes = np.array(covers, np.uint8)[(suit + bias[:, :, None]).argmax(0)]
    if coast > 0:
        depth = relief + np.float32(0.12) * rough
        codes[depth < np.quantile(depth[::5, ::5], coast)] = Cover.WATER
    return codes, rough, relief


def _biases(suit: Field, share: npt.NDArray[np.float64]) -> Field:
    """Find what to add to each cover's suitability so that it wins in its share of places."""
    bias = np.zeros((len(share), 1), np.float32)
    for step in np.geomspace(0.6, 0.06, 24):
        got = np.bincount((suit + bias).argmax(0), minlength=len(share)) / suit.shape[1]
        bias[:, 0] += step * np.clip(np.log((share + 0.003) / (got + 0.003)), -1.5, 1.5).astype(np.float32)
    return bias


def greenness(climate: Climate, day_of_year: npt.NDArray[np.float64], rng: np.random.Generator) -> Field:
    """Return the greenness 0-1 of each cover on each day, (days, covers) float32.

    Grass follows the climate's wet (or warm) season, woody plants lag and hold; boreal and deciduous
    covers follow the same wave with their own depth. A year's drought and its timing vary at random. In a
    record of up to half a year it goes on; in a longer one the rains before the next peak of green end it.
    """
    shift = rng.normal(0, 8)
    low = {
        Cover.EVERGREEN: 0.6,
        Cover.DECIDUOUS: 0.25,
        Cover.BOREAL: 0.6,
        Cover.SHRUB: 0.42,
        Cover.GRASS: 0.03,
    }
    high = {
        Cover.EVERGREEN: 0.95,
        Cover.DECIDUOUS: 1.0,
        Cover.BOREAL: 1.0,
        Cover.SHRUB: 0.85,
        Cover.GRASS: 0.9,
    }
    green = np.zeros((len(day_of_year), len(Cover)))
    dry_days = _dry_days(climate, day_of_year)
    for cover in Cover:
        lag = 0 if cover in {Cover.GRASS, Cover.CROP} else 15
        sharp = 1.5 if cover in {Cover.GRASS, Cover.CROP} else 1.0
        wave = (
            0.5 + 0.5 * np.cos(2 * np.pi * (day_of_year - climate.peak_green - lag - shift) / 365.25)
        ) ** sharp
        a, b = low.get(cover, 0.1), high.get(cover, 0.9)
        loss = climate.drought * rng.uniform(0, 2) * dry_days * (0.4 if cover in _WOODY else 1.0)
        green[:, cover] = np.clip(a + (b - a) * wave + rng.normal(0, 0.07) - loss, 0, 1.05)
    return green.astype(np.float32)


def _dry_days(climate: Climate, day_of_year: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for how many days the ground has dried out on each day, (days,)."""
    elapsed = np.arange(len(day_of_year), dtype=np.float64)
    if len(elapsed) <= _ONE_DROUGHT:
        return elapsed
    to_peak = (climate.peak_green - day_of_year) % 365.25
    return np.asarray(np.minimum(elapsed, 365.25 - to_peak) * np.minimum(to_peak / _RAINS, 1), np.float64)


def make_surface(
    rng: np.random.Generator,
    climate: Climate,
    shape: tuple[int, int],
    subcells: int,
    day_of_year: npt.NDArray[np.float64],
    bands: tuple[int, ...],
    *,
    varied: bool = False,
) -> Surface:
    """Draw the ground of a scene.

    Args:
        rng: its random stream.
        climate: covers and seasons.
        shape: (rows, columns) of the cells.
        subcells: fine steps per cell and direction.
        day_of_year: of each day, (days,).
        bands: which of `Band` to make.
        varied: whether spectra vary widely about those of the table, as training wants.
    """
    fine = (shape[0] * subcells, shape[1] * subcells)
    coast = float(rng.choice([0.0, rng.uniform(0, 0.03), rng.uniform(0.05, 0.6)], p=[0.35, 0.35, 0.3]))
    cover, rough, relief = land_cover(rng, climate, fine, subcells * float(rng.choice(GRAINS)), coast)
    fractions = _fractions(cover, subcells)
    spectra = [
        table(name)[:, list(bands)] * _variation(rng, varied)[:, list(bands)] for name in ("green", "dry")
    ]
    vigour = fractions[:, None] * (spectra[0] - spectra[1])[:, :, None, None]
    constant = np.tensordot(spectra[1].T, fractions, 1)
    brightness = 1 + np.float32(rng.uniform(0.08, 0.22)) * correlated(
        rng, shape, float(rng.choice([3, 6, 12])), 1.5
    )
    # Every band is drawn whether it is wanted or not, so that it looks the same in any company.
    tint = [1 + np.float32(0.06) * correlated(rng, shape, 5, 1.5) for _ in Band]
    texture = np.clip(np.stack([tint[b] for b in bands]) * brightness, 0.4, 1.8)
    patch = np.float32(rng.uniform(0.05, 0.15)) * correlated(rng, shape, float(rng.choice([3, 6, 12])), 1.6)
    green = greenness(climate, day_of_year, rng)
    constant = constant * texture + patch * vigour.sum(0)
    smooth = relief[subcells // 2 :: subcells, subcells // 2 :: subcells]
    return Surface(
        cover,
        parcels(rng, fine, subcells * float(rng.choice([0.5, 0.75, 1.0, 1.5]))),
        fractions,
        np.ascontiguousarray(smooth),
        constant.astype(np.float32),
        np.asarray(vigour * texture, np.float32),
        green,
        (7 * smooth + 3 * patch / max(float(patch.std()), 1e-6)).astype(np.float32),
        rough,
    )


def _fractions(cover: Codes, subcells: int) -> Field:
    rows, cols = cover.shape[0] // subcells, cover.shape[1] // subcells
    row = np.arange(cover.shape[0])[:, None] // subcells
    col = np.arange(cover.shape[1])[None, :] // subcells
    key = (row * cols + col) * len(Cover) + cover
    count = np.bincount(key.ravel(), minlength=rows * cols * len(Cover)).reshape(rows, cols, len(Cover))
    return np.asarray(np.moveaxis(count, 2, 0) / np.float32(subcells**2), np.float32)


def _variation(rng: np.random.Generator, varied: bool) -> Field:
    """Draw how a scene's covers differ from the table: all bands of a cover together, and each alone."""
    whole = rng.normal(0, 0.09, (len(Cover), 1))
    each = rng.normal(0, 0.16 if varied else 0.07, (len(Cover), len(Band)))
    return np.exp(whole + each).astype(np.float32)
