"""Samples for training, straight to arrays: one simulated season of a tile and what burned in it."""

from __future__ import annotations

import numpy as np

from banet.days import from_day_of_year
from banet.errors import InputError
from banet.grid.region import Region
from banet.simulation.arguments import LEAST_CELLS, check_whole, mir_band_named, room_for
from banet.simulation.climates import CLIMATES, climate_named
from banet.simulation.fields import Field, stream
from banet.simulation.ground import burned_per_day
from banet.simulation.hotspots import frp_planes
from banet.simulation.observe import best_views
from banet.simulation.spectra import Band
from banet.simulation.world import build_world, find_hotspots

__all__ = ["sample"]


def sample(
    seed: int, *, days: int = 64, size: int = 128, climate: str | None = None, mir_band: str | None = None
) -> tuple[Field, Field]:
    """Simulate one training sample.

    Place, year, season, satellites, calibration, air and noise are drawn with the seed, so that a network
    sees more variety than any one sensor and place has. Satellites may fly in years before their launch.

    Args:
        seed: everything follows from it and the other arguments.
        days: T.
        size: H and W in cells of 0.01 degree.
        climate: name of a climate; None draws one.
        mir_band: what fills the MIR slot, M12, M11 or M10; None draws M12 or M11.

    Returns:
        planes (4, T, H, W) float32: red, NIR, MIR reflectance (NaN where not observed) and FRP in MW (0
        where no fire was detected); target (T, H, W) float32: share of the cell that burned that day.

    Raises:
        InputError: if an argument is not valid.

    >>> planes, target = sample(1, days=4, size=32)
    >>> planes.shape, target.shape
    ((4, 4, 32, 32), (4, 32, 32))
    """
    check_whole("sample", seed=seed, days=days, size=size)
    if days < 1 or size < LEAST_CELLS or seed < 0:
        raise InputError(
            f"a sample of {days} days, size {size} and seed {seed}; give days >= 1, size >= 8, seed >= 0"
        )
    rng = stream(seed, 0)
    names = list(CLIMATES)
    picked = climate_named(climate if climate is not None else names[int(rng.integers(len(names)))])
    room_for(picked, size, size, 0.01)
    west, south, east, north = picked.box
    edge = size * 0.01
    lon = round(float(rng.uniform(west, east - edge)), 2)
    lat = round(float(rng.uniform(south, north - edge)), 2)
    region = Region("SAMPLE", (lon, lat, round(lon + edge, 6), round(lat + edge, 6)), 0.01)
    first = from_day_of_year(int(rng.integers(2013, 2024)), int(rng.integers(*picked.season)))
    name = mir_band if mir_band is not None else str(rng.choice(["M12", "M11"], p=[0.55, 0.45]))
    hot = [("N",), ("N", "N20"), ("N", "N20", "N21")][int(rng.choice(3, p=[0.35, 0.5, 0.15]))]
    world = build_world(
        region,
        first,
        days,
        seed,
        picked,
        bands=(Band.RED, Band.NIR, mir_band_named(name)),
        fire_satellites=hot,
        varied=True,
        any_time=True,
    )
    best, _ = best_views(world)
    frp = frp_planes(find_hotspots(world), days, region.shape)
    target = burned_per_day(world.burns, days, region.shape, world.subcells)
    return np.concatenate([best, frp[None]]), target
