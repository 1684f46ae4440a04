"""Weather, cloud with its shadow, haze and smoke, and what they do to the light of the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import fft, special

from banet.simulation import spectra
from banet.simulation.climates import Climate
from banet.simulation.fields import Field, blocks_mean, correlated, stream

__all__ = ["CloudLayer", "Weather", "draw_weather", "smoke_depth", "through_air", "through_cloud"]

MARGIN = 20
CACHED_CELLS = 8_000_000
# A two-stream cloud reflects d / (1 + d) of the light, d = SCATTER x optical depth (asymmetry 0.85).
SCATTER = 0.13


@dataclass(frozen=True, eq=False)
class CloudLayer:
    """The cloud over a scene at one moment, on a canvas wider than the scene by `MARGIN`.

    Attributes:
        depth: optical depth in the visible, (rows + 2 MARGIN, columns + 2 MARGIN) float32.
        ice: share of ice at the top, 0-1.
        height_km: of the cloud, for its shadow.
    """

    depth: Field
    ice: float
    height_km: float

    def over(self, shape: tuple[int, int], shift: tuple[float, float] = (0.0, 0.0)) -> Field:
        """Return the optical depth over the scene, shifted by (rows, columns) cells."""
        r = MARGIN - round(min(max(shift[0], -MARGIN), MARGIN))
        c = MARGIN - round(min(max(shift[1], -MARGIN), MARGIN))
        return self.depth[r : r + shape[0], c : c + shape[1]]


@dataclass(frozen=True, eq=False)
class Weather:
    """The weather of a scene.

    Attributes:
        seed: of the scene; every moment's cloud has a stream of its own.
        shape: (rows, columns).
        climate: cloud types.
        cover: cloud cover of each half day, (2 days,), 0-1; even entries are days, odd ones nights.
        wind: m s-1 toward east and south, (days, 2).
        haze: optical depth of aerosol in red, (days,).
    """

    seed: int
    shape: tuple[int, int]
    climate: Climate
    cover: Field
    wind: Field
    haze: Field
    _layers: dict[int, CloudLayer] = field(default_factory=dict, repr=False)
    _haze: list[Field] = field(default_factory=list, repr=False)

    def haze_field(self, rng: np.random.Generator) -> Field:
        """Return how an overpass's haze is spread over the scene, (rows, columns) float32 of mean about 1."""
        if not self._haze:
            canvas = (self.shape[0] + 2 * MARGIN, self.shape[1] + 2 * MARGIN)
            self._haze.append(np.exp(0.35 * correlated(stream(self.seed, 32), canvas, 24, 2.2)))
        r, c = rng.integers(0, 2 * MARGIN, 2)
        return np.asarray(self._haze[0][r : r + self.shape[0], c : c + self.shape[1]], np.float32)

    def clouds(self, slot: int) -> CloudLayer:
        """Return the cloud of a half day: 2 x day for the afternoon, 2 x day + 1 for the night after."""
        slot = min(max(slot, 0), len(self.cover) - 1)
        if slot not in self._layers:
            if len(self._layers) * self.shape[0] * self.shape[1] > CACHED_CELLS:
                self._layers.clear()
            self._layers[slot] = self._draw(slot)
        return self._layers[slot]

    def _draw(self, slot: int) -> CloudLayer:
        rng = stream(self.seed, 31, slot)
        # By night only hot spots look through the cloud: half the resolution will do.
        coarse = 1 + slot % 2
        canvas = tuple(-(-(n + 2 * MARGIN) // coarse) for n in self.shape)
        ice = float(rng.beta(2.5 * self.climate.ice, 2.5 * (1 - self.climate.ice)))
        height = float(rng.uniform(1, 4) + 7 * ice)
        cover = float(self.cover[slot])
        if cover < 0.003:
            return CloudLayer(np.zeros([coarse * n for n in canvas], np.float32), ice, height)
        texture = correlated(
            rng,
            (canvas[0], canvas[1]),
            float(rng.choice([2, 4, 8, 16, 32, 64])),
            float(rng.choice([1.5, 1.9, 2.4])),
        )
        above = texture - np.float32(special.ndtri(1 - min(cover, 0.997)))
        thick = float(np.exp(rng.normal(2.4 - 1.2 * ice, 0.8)))
        depth = np.float32(thick) * np.maximum(above, 0) ** 1.4 + np.where(above > 0, np.float32(0.25), 0)
        if rng.random() < 0.35 * (0.3 + self.climate.clouds):
            veil = correlated(rng, (canvas[0], canvas[1]), 40, 2.2) + rng.normal(-0.6, 0.8)
            depth += np.float32(rng.uniform(0.2, 1.2)) * np.maximum(veil, 0)
        if coarse > 1:
            depth = np.repeat(np.repeat(depth, coarse, 0), coarse, 1)
        return CloudLayer(depth.astype(np.float32), ice, height)


def draw_weather(seed: int, climate: Climate, shape: tuple[int, int], days: int) -> Weather:
    """Draw the cloud cover, the wind and the haze of a scene, each with a memory of some days."""
    rng = stream(seed, 30)
    halves = _memory(rng, 2 * days, 0.55)
    a = climate.clouds * climate.cloud_spread
    b = (1 - climate.clouds) * climate.cloud_spread
    cover = special.betaincinv(a, b, special.ndtr(halves))
    direction = rng.uniform(0, 2 * math.pi) + 0.7 * _memory(rng, days, 0.75)
    speed = climate.wind * np.exp(0.45 * _memory(rng, days, 0.6))
    wind = np.stack([speed * np.cos(direction), speed * np.sin(direction)], 1)
    haze = rng.uniform(0.03, 0.15) * np.exp(0.7 * _memory(rng, days, 0.7))
    as_float = np.float32
    return Weather(seed, shape, climate, cover.astype(as_float), wind.astype(as_float), haze.astype(as_float))


def _memory(rng: np.random.Generator, count: int, memory: float) -> Field:
    noise = rng.standard_normal(count)
    out = np.empty(count)
    out[0] = noise[0]
    for i in range(1, count):
        out[i] = memory * out[i - 1] + math.sqrt(1 - memory**2) * noise[i]
    return out.astype(np.float32)


def smoke_depth(power: Field, wind: Field, rng: np.random.Generator, before: Field | None) -> Field:
    """Return the optical depth of smoke in red: plumes downwind of the fires, and what hangs about.

    Args:
        power: radiative power of each cell, MW, (rows, columns).
        wind: m s-1 toward east and south.
        rng: for the plume's texture.
        before: smoke of the day before, or None.
    """
    shape = power.shape
    stale = 0.0 * power if before is None else 0.25 * np.roll(before, (int(wind[1]), int(wind[0])), (0, 1))
    if power.max() <= 0.5:
        return np.asarray(stale, np.float32)
    coarse = _halve(power)
    canvas = tuple(fft.next_fast_len(int(1.6 * n), real=True) for n in coarse.shape)
    kernel = _plume(canvas, float(wind[0]), float(wind[1]))
    spectrum = fft.rfft2(np.minimum(coarse, 400.0), s=canvas, workers=1) * fft.rfft2(kernel, workers=1)
    cloud = fft.irfft2(spectrum, s=canvas, workers=1)[: coarse.shape[0], : coarse.shape[1]]
    fresh = np.maximum(cloud, 0) * np.exp(0.6 * correlated(rng, coarse.shape, 6, 1.8))
    fresh = np.repeat(np.repeat(fresh, 2, 0), 2, 1)[: shape[0], : shape[1]]
    return np.asarray(np.minimum(fresh + stale, 6.0), np.float32)


def _halve(values: Field) -> Field:
    rows, cols = (n + n % 2 for n in values.shape)
    padded = np.zeros((rows, cols), np.float32)
    padded[: values.shape[0], : values.shape[1]] = values
    return blocks_mean(padded, 2)


def _plume(canvas: tuple[int, ...], east: float, south: float) -> Field:
    """Return a plume's footprint for a source at (0, 0), wrapped around the canvas."""
    y = np.fft.fftfreq(canvas[0], 1 / canvas[0]).astype(np.float32)[:, None]
    x = np.fft.fftfreq(canvas[1], 1 / canvas[1]).astype(np.float32)[None, :]
    speed = max(math.hypot(east, south), 0.5)
    along = (x * east + y * south) / speed
    across = (y * east - x * south) / speed
    width = 0.8 + 0.22 * np.maximum(along, 0)
    reach = 4 + 4 * speed
    shape = np.exp(-0.5 * (across / width) ** 2 - np.maximum(along, 0) / reach) / width
    shape = np.where(along > -0.6, shape, 0)
    # One cell at 150 MW in 5 m s-1 makes smoke of optical depth about one beside it.
    return np.asarray(0.030 / math.sqrt(speed) * shape, np.float32)


def through_air(ground: Field, haze: Field, smoke: Field, bands: tuple[int, ...], path: Field) -> None:
    """Put aerosol and smoke over the ground in place.

    Args:
        ground: reflectance, (bands, rows, columns); changed.
        haze: optical depth in red along the slant path, (rows, columns).
        smoke: optical depth in red, (rows, columns).
        bands: which bands.
        path: reflectance of the clear air in each band (Rayleigh and what a correction left).
    """
    smoky = bool(smoke.max() > 0.01)
    for i, band in enumerate(bands):
        clear = np.exp(-0.5 * spectra.HAZE_DEPTH[band] * haze)
        ground[i] *= clear
        ground[i] += (1 - clear) * np.float32(0.6 * spectra.SMOKE[band]) + path[i]
        if smoky:
            seen = np.exp(-0.9 * spectra.SMOKE_DEPTH[band] * smoke)
            ground[i] = ground[i] * seen + (1 - seen) * np.float32(spectra.SMOKE[band])


def through_cloud(ground: Field, depth: Field, shadow: Field, ice: float, bands: tuple[int, ...]) -> None:
    """Put cloud over the ground in place, and its shadow on it.

    Args:
        ground: reflectance, (bands, rows, columns); changed.
        depth: optical depth of the cloud in the line of sight, (rows, columns).
        shadow: optical depth of the cloud in the line to the sun.
        ice: share of ice.
        bands: which bands.
    """
    if not (depth.any() or shadow.any()):
        return
    dark = 1 - np.float32(0.75) * (SCATTER * shadow / (1 + SCATTER * shadow)) * (depth < 2)
    albedo = SCATTER * depth / (1 + SCATTER * depth)
    passed = (1 - albedo) ** 2
    for i, band in enumerate(bands):
        top = (1 - ice) * spectra.WATER_CLOUD[band] + ice * spectra.ICE_CLOUD[band]
        # Where drops absorb, a cloud gets as bright as it can while still thin.
        bright = albedo ** np.float32(0.65) if band >= spectra.Band.M10 else albedo
        ground[i] *= dark * passed
        ground[i] += np.float32(top) * bright
