"""Observation of a world: what each overpass sees, and the best view of each day."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.days import Day
from banet.io.progress import Progress
from banet.observations.granules import MAX_SOLAR_ZENITH
from banet.simulation import atmosphere
from banet.simulation.fields import Field, stream
from banet.simulation.ground import Scar, glow
from banet.simulation.heat import ground_temperature, mir_limit, seen_temperature
from banet.simulation.overpasses import Geometry, SimulatedOverpass
from banet.simulation.spectra import Band
from banet.simulation.world import NOISE_MARGIN, World

__all__ = ["View", "best_views", "followed", "observations"]

_PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)


@dataclass(frozen=True, eq=False)
class View:
    """Planes that one overpass sees.

    Attributes:
        overpass: which.
        reflectance: (bands, rows, columns) float32, NaN where not observed or the sun stands below 5 degrees.
        geometry: the angles.
        temperature: brightness temperature at 10.7 um, K, (rows, columns); None without M12.
        depth: optical depth of cloud in the line of sight, (rows, columns).
        power: true radiative power of each cell, MW.
    """

    overpass: SimulatedOverpass
    reflectance: Field
    geometry: Geometry
    temperature: Field | None
    depth: Field
    power: Field


@contextlib.contextmanager
def followed(progress: Progress | None) -> Iterator[None]:
    """Tell `progress` of each overpass that is observed meanwhile."""
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


def observations(world: World, wanted: set[tuple[int, int, int]] | None = None) -> Iterator[View]:
    """Yield what each daytime overpass sees, in order of time.

    Args:
        world: the scene's world.
        wanted: keys of the overpasses to make; all when None.
    """
    scar = Scar(world.burns, world.surface, world.subcells)
    smoke: Field | None = None
    smoke_day = -1
    ground: Field | None = None
    ground_day = -1
    longitude = float(world.region.longitudes.mean())
    chosen = [one for one in world.image_overpasses if wanted is None or one.key in wanted]
    for done, overpass in enumerate(chosen):
        day = min(int(overpass.time_h // 24), world.days - 1)
        _tell(done, len(chosen), world.start + day)
        rng = stream(world.seed, 50, *overpass.key)
        if ground is None or day != ground_day:
            ground = world.changes.apply(world.surface.reflectance(day), day)
            ground_day = day
        scar.forward(overpass.time_h, world.tint.ash_share)
        power = scar.power(overpass.time_h)
        if day != smoke_day:
            # One smoke a day, of its early afternoon, whichever overpasses are made.
            afternoon = scar.power(24 * day + (13.5 - longitude / 15) % 24)
            smoke = atmosphere.smoke_depth(
                afternoon, world.weather.wind[day], stream(world.seed, 52, day), smoke
            )
            smoke_day = day
        hidden = smoke if smoke is not None else 0 * power
        yield _see(world, overpass, ground.copy(), scar, power, hidden, rng)


def _see(
    world: World,
    overpass: SimulatedOverpass,
    light: Field,
    scar: Scar,
    power: Field,
    smoke: Field,
    rng: np.random.Generator,
) -> View:
    instrument = world.instrument
    angles = world.geometry(overpass, world.bands)
    scar.paint(light, world.tint)
    light *= angles.gain
    _glint(light, world.surface.water, angles, float(rng.uniform(6, 14)))
    if power.any():
        glow(light, power, world.cell_km2, world.bands)
    light = _smear(light, float(angles.view_zenith.mean()), rng.normal(0, instrument.jitter, 2))
    light *= _unevenness(world, rng)
    slant = 1 / math.cos(math.radians(min(float(angles.view_zenith.mean()), 68)))
    day = min(int(overpass.time_h // 24), world.days - 1)
    path = instrument.path * np.float32(0.5 + 0.5 * slant)
    haze = float(world.weather.haze[day]) * slant * world.weather.haze_field(rng)
    atmosphere.through_air(light, haze, smoke * np.float32(slant), world.bands, path)
    layer, drift = world.clouds(overpass)
    depth = layer.over(world.shape, drift)
    cast = (drift[0] + angles.shadow[0] * layer.height_km, drift[1] + angles.shadow[1] * layer.height_km)
    atmosphere.through_cloud(
        light, depth * np.float32(slant**0.5), layer.over(world.shape, cast), layer.ice, world.bands
    )
    _measure(light, world, rng)
    temperature = None
    if Band.M12 in world.bands:
        warm = _temperature(world, scar, angles, day)
        temperature = seen_temperature(warm, depth, layer.ice, layer.height_km)
        mir = light[world.bands.index(Band.M12)]
        np.minimum(mir, mir_limit(temperature, angles.solar_zenith), out=mir)
    light[:, (angles.view_zenith > 69.5) | (angles.solar_zenith > MAX_SOLAR_ZENITH)] = np.nan
    first, last = world.missing_rows(overpass)
    light[:, first:last] = np.nan
    return View(overpass, light, angles, temperature, depth, power)


def _temperature(world: World, scar: Scar, angles: Geometry, day: int) -> Field:
    latitude = float(world.region.latitudes.mean())
    elapsed = (world.start - world.start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + day
    wave = math.cos(2 * math.pi * (elapsed - 200) / 365.25) * (1 if latitude >= 0 else -1)
    surface = world.surface
    return ground_temperature(surface.fractions, surface.green[day], scar, angles, latitude, wave)


def _glint(light: Field, water: Field, angles: Geometry, width: float) -> None:
    if not water.any():
        return
    strength = np.exp(-((angles.glint / (1.6 * width)) ** 2)) * np.float32(0.28)
    light += water * strength


def _smear(light: Field, view: float, shift: npt.NDArray[np.float64]) -> Field:
    """Blur by the growth of pixels off nadir and move by the registration error, both below a cell."""
    # Half of a cell's light at least is its own: a footprint of 0.75 to 1.6 km, resampled to cells of 1.1 km.
    grow = 0.10 + 0.30 * min(max((view - 20) / 45, 0), 1)
    for axis, wide in ((1, 0.5 * grow), (2, grow)):
        move = min(max(float(shift[axis - 1]), -0.5), 0.5)
        before, after = 0.5 * wide + max(move, 0), 0.5 * wide + max(-move, 0)
        out = light * np.float32(1 - before - after)
        a = np.moveaxis(out, axis, 0)
        b = np.moveaxis(light, axis, 0)
        a[1:] += np.float32(before) * b[:-1]
        a[:1] += np.float32(before) * b[:1]
        a[:-1] += np.float32(after) * b[1:]
        a[-1:] += np.float32(after) * b[-1:]
        light = out
    return light


def _unevenness(world: World, rng: np.random.Generator) -> Field:
    """Return the factor of every band and cell by which this overpass differs from others."""
    rows, cols = world.shape
    top, left = rng.integers(0, NOISE_MARGIN, 2)
    cut = world.unevenness[:, top : top + rows, left : left + cols] * np.float32(rng.choice([-1, 1]))
    return np.asarray(np.exp(cut[0] + cut[1:]), np.float32)


def _measure(light: Field, world: World, rng: np.random.Generator) -> None:
    light *= world.instrument.gain[:, None, None]
    rows, cols = light.shape[1:]
    top, left = rng.integers(0, NOISE_MARGIN, 2)
    light += world.noise[:, top : top + rows, left : left + cols] * np.float32(rng.choice([-1, 1]))
    np.maximum(light, 0, out=light)


def _tell(done: int, total: int, day: Day) -> None:
    progress = _PROGRESS.get()
    if progress is not None:
        progress(done, total, str(day))


def best_views(world: World) -> tuple[Field, Field]:
    """Return the best view of each day: the smallest view zenith of what was observed.

    Returns:
        reflectance (bands, days, rows, columns) and view zenith (days, rows, columns), both NaN where not
        observed.
    """
    shape = world.shape
    best = np.full((len(world.bands), world.days, *shape), np.nan, np.float32)
    zenith = np.full((world.days, *shape), np.nan, np.float32)
    for view in observations(world, world.best_overpasses()):
        day = min(int(view.overpass.time_h // 24), world.days - 1)
        seen = np.isfinite(view.reflectance[0])
        if np.isnan(zenith[day]).all():
            best[:, day] = view.reflectance
            zenith[day] = np.where(seen, view.geometry.view_zenith, np.nan)
            continue
        better = seen & ~(zenith[day] <= view.geometry.view_zenith)
        best[:, day, better] = view.reflectance[:, better]
        zenith[day, better] = view.geometry.view_zenith[better]
    return best, zenith
