"""Small maps made by hand for the tests of what comes after mapping."""

from __future__ import annotations

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.grid.region import Region

NAT = np.datetime64("NaT", "D")


def region_of(shape, *, name="T", west=-8.0, north=40.0, size=0.01):
    rows, cols = shape
    return Region(name, (west, round(north - rows * size, 10), round(west + cols * size, 10), north), size)


def map_of(
    offset, *, start="2021-08-01", days=31, fraction=1.0, water=None, unseen=None, region=None, **where
):
    """Make a map; `offset` holds the day of the period on which each cell burned, -1 for not burned."""
    offset = np.asarray(offset)
    start = np.datetime64(start, "D")
    region = region or region_of(offset.shape, **where)
    water = np.zeros(offset.shape, bool) if water is None else water
    unseen = np.zeros(offset.shape, bool) if unseen is None else unseen
    burned = (offset >= 0) & ~water
    part = np.where(burned, np.broadcast_to(np.asarray(fraction, np.float32), offset.shape), np.float32(0.1))
    return BurnedArea(
        region=region,
        start=start,
        stop=start + days,
        burned_fraction=np.where(water | (unseen & ~burned), np.float32(np.nan), part).astype(np.float32),
        burn_date=np.where(burned, start + np.maximum(offset, 0), NAT),
        uncertainty=np.where(burned, 2, 255).astype(np.uint8),
        observed_days=np.where(unseen, 0, days // 2).astype(np.int16),
        water=water,
        threshold=0.5,
        attrs={"weights": ["default"], "note": "made by hand"},
    )


def random_map(shape, *, seed=0, start="2021-08-01", days=31, **where):
    """Make a map with blobs of fires, water and cells that were not observed."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=shape), 2, mode="wrap")
    field /= field.std() + 1e-9
    day = gaussian_filter(rng.normal(size=shape), 3, mode="wrap")
    day = np.clip((day / (day.std() + 1e-9) + 2.5) / 5 * days, 0, days - 1).astype(int)
    water = gaussian_filter(rng.normal(size=shape), 3, mode="wrap") < -0.15
    unseen = gaussian_filter(rng.normal(size=shape), 3, mode="wrap") > 0.15
    fraction = np.clip(0.5 + 0.3 * (field - 1), 0.5, 1)
    offset = np.where(field > 1, day, -1)
    return map_of(offset, start=start, days=days, fraction=fraction, water=water, unseen=unseen, **where)
