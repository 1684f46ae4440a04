"""Images of a second author's land: other colours, fields, clouds and noise than the simulator draws.

Truth is given, dates and fractions; what the satellite sees of it is drawn anew in another way. No colour,
field or cloud here comes from the rooms that training draws from, so a score on these images says how far a
network goes beyond them. The colours are set by hand, of no sensor and no library: dark and bright land, char
darker or browner, so that burned land differs from its neighbours and from itself as it does on real land.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

__all__ = ["images_of"]

Floats = npt.NDArray[np.float32]

# Red, NIR and the MIR slot (between 2.25 and 3.7 um).
WOOD, STEPPE, ROCK = (0.030, 0.300, 0.060), (0.115, 0.290, 0.190), (0.210, 0.270, 0.290)
CHAR, BLEACHED, CLOUD = (0.050, 0.085, 0.125), (0.105, 0.155, 0.200), (0.55, 0.60, 0.30)
_FADE_DAYS = 35.0


def images_of(
    date: npt.NDArray[np.datetime64], fraction: Floats, days: npt.NDArray[np.datetime64], seed: int
) -> tuple[Floats, Floats, Floats]:
    """Draw red, NIR and MIR of some days from what burned when.

    Args:
        date: day on which each cell burned, NaT where it did not, (rows, columns) datetime64[D].
        fraction: share of it that burned, 0-1, (rows, columns); NaN counts as 0.
        days: (T,) datetime64[D], rising.
        seed: of all chance.

    Returns:
        Three of (T, rows, columns) float32 reflectance, NaN under clouds.
    """
    rng = np.random.default_rng(seed)
    land = _land(rng, date.shape)
    drying = rng.uniform(-0.1, 0.3)
    colours = np.exp(rng.normal(0, 0.15, (6, 3)))
    tables = (np.array([WOOD, STEPPE, ROCK, CHAR, BLEACHED, CLOUD]) * colours).astype(np.float32)
    gains, stripes = np.exp(rng.normal(0, 0.05, (len(days), 3))), rng.normal(0, 0.015, (3, 1, date.shape[1]))
    cover, drift = rng.uniform(0.25, 0.6), rng.uniform(-9, 9, 2)
    weather = _smooth(rng, (date.shape[0] + 40, date.shape[1] + 40), 9.0)
    images = np.empty((3, len(days), *date.shape), np.float32)
    for number, day in enumerate(days):
        dry = np.clip(land[1] + drying * number / len(days), 0, 1)
        ground = _mix(_mix(tables[0][:, None, None], tables[1], dry), tables[2], land[2])
        age = np.where(np.isnat(date), -1, (day - date).astype("timedelta64[D]").astype(np.float32))
        old = _mix(tables[3][:, None, None], tables[4], np.clip(age / _FADE_DAYS, 0, 1))
        seen = _mix(ground, old, np.where(age >= 0, np.nan_to_num(fraction), 0))
        above = gaussian_filter(np.roll(weather, (drift * number).astype(int), (0, 1)), 1.0)
        sky = above[20:-20, 20:-20] + 0.5 * _smooth(rng, date.shape, 3.0) + rng.normal(0, 0.6)
        edge = np.quantile(sky, 1 - cover) if rng.random() < 0.7 else sky.max() + 1.0
        seen = _mix(seen, tables[5], 0.25 * np.clip(1 - (edge - sky) / 0.3, 0, 1))
        speckle = 1 + 0.03 * gaussian_filter(rng.standard_normal(seen.shape), (0, 0.6, 0.6)) + stripes
        images[:, number] = np.where(sky > edge, np.nan, seen * speckle * gains[number][:, None, None])
    red, nir, mir = np.maximum(images, np.float32(0.001))
    return red, nir, mir


def _land(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw relief, dryness and share of rock, each 0-1, (3, rows, columns)."""
    wide, fine = (np.stack([_smooth(rng, shape, scale) for _ in range(3)]) for scale in (12.0, 1.2))
    mixed = 1 / (1 + np.exp(-1.5 * (wide + 0.5 * fine)))
    mixed[2] = np.clip(2.5 * (mixed[2] - 0.75), 0, 1)
    return mixed.astype(np.float32)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Floats:
    """Draw a field of mean 0 and deviation 1, smooth over `scale` cells."""
    field = gaussian_filter(rng.standard_normal(shape), scale, mode="wrap")
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), np.float32)


def _mix(ground: Floats, colour: Floats, weight: npt.NDArray[np.floating]) -> Floats:
    """Cover (bands, rows, columns) by a colour, (bands,) or of the same shape, to a share of each cell."""
    colour = colour[:, None, None] if colour.ndim == 1 else colour
    return np.asarray(ground + weight * (colour - ground))
