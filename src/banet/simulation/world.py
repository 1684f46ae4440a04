"""The world of a scene: its ground, fires, weather and overpasses, before anyone looks at it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from banet.days import Day
from banet.grid.region import Region
from banet.observations.granules import MAX_SOLAR_ZENITH
from banet.simulation import atmosphere
from banet.simulation.climates import Climate
from banet.simulation.confounders import Changes, Heat, make_changes, make_heat
from banet.simulation.fields import Field, correlated, stream
from banet.simulation.fire import Burns, ignite
from banet.simulation.ground import Tint, draw_tint
from banet.simulation.hotspots import Detections, detect
from banet.simulation.land_surface import Surface, make_surface
from banet.simulation.overpasses import (
    Geometry,
    SimulatedOverpass,
    flies,
    geometry,
    overpasses,
    solar_zenith,
    view_zenith,
)
from banet.simulation.spectra import Band

__all__ = ["Instrument", "World", "build_world", "find_hotspots"]

NOISE_MARGIN = 48
# Corrected-reflectance imagery varies more with the view in red and shortwave infrared than the kernels say.
EXTRA_SHEEN = np.array([0.2, 0.0, 0.3, 0.5, 0.3])
# Slopes, shadows and resampling make a cell differ from overpass to overpass in a way of its own: the
# standard deviation of the logarithm in all bands together, and in each band beside it, as on the Greek
# scene.
UNEVEN = 0.08
UNEVEN_BAND = {Band.RED: 0.09, Band.NIR: 0.02, Band.M10: 0.055, Band.M11: 0.055, Band.M12: 0.055}


@dataclass(frozen=True, eq=False)
class Instrument:
    """Differences of a scene's imagery from perfect reflectance.

    Attributes:
        gain: calibration, (bands,).
        path: reflectance of clear air left in it, (bands,).
        noise: standard deviation, (bands,).
        anisotropy: strength of the bidirectional effect in each band; 1 is the published mean, (bands,).
        jitter: standard deviation of the registration error, cells.
        missing: probability that a granule is missing.
        uneven: how much cells differ from overpass to overpass, 1 as on the Greek scene.
    """

    gain: Field
    path: Field
    noise: Field
    anisotropy: Field
    jitter: float
    missing: float
    uneven: float


@dataclass(frozen=True, eq=False)
class World:
    """Parts of a simulated scene, each from an independent stream of one seed."""

    region: Region
    start: Day
    days: int
    seed: int
    climate: Climate
    bands: tuple[Band, ...]
    subcells: int
    surface: Surface
    changes: Changes
    burns: Burns
    heat: Heat
    weather: atmosphere.Weather
    tint: Tint
    instrument: Instrument
    image_overpasses: tuple[SimulatedOverpass, ...]
    fire_overpasses: tuple[SimulatedOverpass, ...]
    image_satellites: tuple[str, ...] = ("N",)
    fire_satellites: tuple[str, ...] = ("N", "N20")
    varied: bool = False
    any_time: bool = False

    def __repr__(self) -> str:
        return f"World({self.region.name}, {self.start}, {self.days} days, seed {self.seed})"

    def with_bands(self, bands: tuple[Band, ...]) -> World:
        """Return the same world seen in other bands; bands that both have look the same in both."""
        if bands == self.bands:
            return self
        return build_world(
            self.region,
            self.start,
            self.days,
            self.seed,
            self.climate,
            bands=bands,
            image_satellites=self.image_satellites,
            fire_satellites=self.fire_satellites,
            varied=self.varied,
            any_time=self.any_time,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.region.shape

    @functools.cached_property
    def noise(self) -> Field:
        """Sensor noise, (bands, rows, columns), wider than the scene: overpasses take cuts of it."""
        return np.stack([self._noise(i, band) for i, band in enumerate(self.bands)])

    def _noise(self, position: int, band: Band) -> Field:
        rng = stream(self.seed, 21, int(band))
        shape = (self.shape[0] + NOISE_MARGIN, self.shape[1] + NOISE_MARGIN)
        noise = rng.standard_normal(shape, dtype=np.float32) * self.instrument.noise[position]
        if band == Band.M12:
            # The thermal part is taken off with an error that follows the temperature of the ground.
            noise += np.float32(0.004) * correlated(rng, shape, 12, 2.0)
        return np.asarray(noise, np.float32)

    @functools.cached_property
    def unevenness(self) -> Field:
        """Logarithm by which an overpass differs by cell, (1 + bands, rows, columns); wide as `noise`.

        The first is common to all bands. A third is the cell's own, a third of some cells, a third wide.
        """
        shape = (self.shape[0] + NOISE_MARGIN, self.shape[1] + NOISE_MARGIN)
        spreads = [UNEVEN, *(UNEVEN_BAND[band] for band in self.bands)]
        fields = []
        for position, spread in zip((99, *map(int, self.bands)), spreads, strict=True):
            rng = stream(self.seed, 22, position)
            own = rng.standard_normal(shape, dtype=np.float32)
            texture = own + correlated(rng, shape, 3, 2.0) + correlated(rng, shape, 24, 2.0)
            fields.append(np.float32(self.instrument.uneven * spread / math.sqrt(3)) * texture)
        return np.stack(fields)

    @functools.cached_property
    def cell_km2(self) -> float:
        """Mean area of a cell."""
        return float(self.region.cell_area_ha.mean()) / 100

    def geometry(self, overpass: SimulatedOverpass, bands: tuple[int, ...] = ()) -> Geometry:
        """Return the angles of an overpass."""
        return geometry(
            overpass,
            self.start,
            self.region.longitudes,
            self.region.latitudes,
            bands,
            self.instrument.anisotropy,
        )

    def missing_rows(self, overpass: SimulatedOverpass) -> tuple[int, int]:
        """Return the first and one past the last row that an overpass lost with a missing granule."""
        rng = stream(self.seed, 51, *overpass.key)
        rows = self.shape[0]
        if rng.random() >= self.instrument.missing:
            return 0, 0
        cut = int(rng.integers(1, rows))
        return ((0, rows), (0, cut), (cut, rows))[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]

    def best_overpasses(self) -> set[tuple[int, int, int]]:
        """Return the keys of the image overpasses that are the best view of some place on their day."""
        lon, lat = np.meshgrid(self.region.longitudes[[0, -1]], self.region.latitudes[[0, -1]])
        by_day: dict[int, list[SimulatedOverpass]] = {}
        for overpass in self.image_overpasses:
            by_day.setdefault(int(overpass.time_h // 24), []).append(overpass)
        wanted: set[tuple[int, int, int]] = set()
        for group in by_day.values():
            # Corners decide: between two tracks the better one changes along a line across the scene.
            zenith = np.abs(view_zenith(group, lon[None], lat[None]))
            best = {int(i) for i in zenith.argmin(0).ravel()}
            whole = all(
                self.missing_rows(group[i]) == (0, 0)
                and zenith[i].max() < 69
                and solar_zenith(self.start, group[i].time_h, lon, lat).max() < MAX_SOLAR_ZENITH
                for i in best
            )
            wanted |= {p.key for i, p in enumerate(group) if i in best or not whole}
        return wanted

    def clouds(self, overpass: SimulatedOverpass) -> tuple[atmosphere.CloudLayer, tuple[float, float]]:
        """Return the cloud of an overpass and how far it has drifted, in cells."""
        day = min(int(overpass.time_h // 24), self.days - 1)
        layer = self.weather.clouds(2 * day + (0 if overpass.day else 1))
        local = (overpass.time_h + float(self.region.longitudes.mean()) / 15) % 24
        hours = local - (13.5 if overpass.day else 1.5)
        hours = (hours + 12) % 24 - 12
        east, south = self.weather.wind[day] * 3.6 * hours / math.sqrt(self.cell_km2)
        return layer, (float(south), float(east))


def draw_instrument(seed: int, bands: tuple[Band, ...], varied: bool) -> Instrument:
    """Draw how imagery differs from perfect reflectance; `varied` draws widely, for training."""
    rng = stream(seed, 20)
    width = 1.0 if varied else 0.25
    noise = {Band.RED: 0.002, Band.NIR: 0.0025, Band.M10: 0.003, Band.M11: 0.0025, Band.M12: 0.004}
    path = {Band.RED: 0.022, Band.NIR: 0.009, Band.M10: 0.003, Band.M11: 0.002, Band.M12: 0.0}
    chosen = list(bands)
    gain = np.exp(width * (rng.normal(0, 0.05) + rng.normal(0, 0.05, len(Band))))[chosen]
    left = rng.uniform(-0.8, 1.2) if varied else 1.0
    spread = np.exp(width * rng.normal(0, 0.4, len(Band)))[chosen]
    return Instrument(
        gain.astype(np.float32),
        np.array([path[b] * left for b in bands], np.float32),
        (np.array([noise[b] for b in bands]) * spread).astype(np.float32),
        np.exp(width * (rng.normal(0.25, 0.3) + rng.normal(0, 0.35, len(Band)) + EXTRA_SHEEN))[chosen].astype(
            np.float32
        ),
        float(rng.uniform(0.05, 0.05 + 0.25 * width)),
        float(rng.choice([0.01, 0.03, 0.12], p=[0.5, 0.35, 0.15])) if varied else 0.02,
        float(rng.uniform(0.3, 1.5)) if varied else 1.0,
    )


def build_world(
    region: Region,
    start: Day,
    days: int,
    seed: int,
    climate: Climate,
    *,
    bands: tuple[Band, ...] = (Band.RED, Band.NIR, Band.M12),
    image_satellites: tuple[str, ...] = ("N",),
    fire_satellites: tuple[str, ...] = ("N", "N20"),
    varied: bool = False,
    any_time: bool = False,
) -> World:
    """Build the world of a scene: ground, fires, weather and overpasses, not yet anything observed.

    Args:
        region: the grid.
        start: first day.
        days: number of days.
        seed: everything random follows from it.
        climate: what grows, burns and clouds over.
        bands: bands of the imagery.
        image_satellites: which satellites give imagery: N, N20, N21.
        fire_satellites: which satellites give hot spots.
        varied: whether calibration, air and noise vary widely, as training wants.
        any_time: whether satellites fly on days before and after their flights, too.
    """
    shape = region.shape
    subcells = max(2, round(region.pixel_size / 0.0025))
    lon, lat = float(region.longitudes.mean()), float(region.latitudes.mean())
    first = (start - start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1
    day_of_year = first + np.arange(days, dtype=np.float64)
    if (lat < 0 < climate.box[1]) or (climate.box[3] < 0 < lat):
        day_of_year = day_of_year + 182  # the climate's seasons in the other hemisphere
    surface = make_surface(stream(seed, 2), climate, shape, subcells, day_of_year, bands, varied=varied)
    weather = atmosphere.draw_weather(seed, climate, shape, days)
    area = float(region.cell_area_ha.mean())
    names = tuple(dict.fromkeys((*image_satellites, *fire_satellites)))
    flown = overpasses(start, days, lon, lat, names)
    if not any_time:
        flown = [p for p in flown if flies(p.satellite, *2 * (start + int(p.time_h // 24),))]
    return World(
        region, start, days, seed, climate, bands, subcells, surface,
        make_changes(stream(seed, 3), climate, surface, day_of_year, bands),
        ignite(stream(seed, 4), climate, surface, subcells, days, lon, weather.wind, area),
        make_heat(stream(seed, 5), climate, surface),
        weather,
        draw_tint(stream(seed, 6), shape, bands, varied=varied),
        draw_instrument(seed, bands, varied),
        tuple(p for p in flown if p.day and p.satellite in image_satellites),
        tuple(p for p in flown if p.satellite in fire_satellites),
        image_satellites,
        fire_satellites,
        varied,
        any_time,
    )  # fmt: skip


def find_hotspots(world: World) -> Detections:
    """Return what the fire satellites of a world detect."""

    def cloud(overpass: SimulatedOverpass) -> Field:
        layer, drift = world.clouds(overpass)
        return layer.over(world.shape, drift)

    west, north, size = world.region.west, world.region.north, world.region.pixel_size

    def zenith(
        which: npt.NDArray[np.int64], row: npt.NDArray[np.float64], col: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        lon, lat = west + col * size, north - row * size
        return np.abs(view_zenith(world.fire_overpasses, lon, lat, which))

    return detect(
        world.seed, world.burns, world.heat, world.fire_overpasses, world.subcells, world.shape,
        cloud, zenith, math.sqrt(world.cell_km2),
    )  # fmt: skip
