"""Plainness of simulated burns: recall of a two-line index drop, thickness and roughness of scars.

Both hold the simulator against real data: twelve days of the Greek scene under VNP64A1, and MCD64A1 of
mainland Portugal. `benchmarks.simulator_vs_real` runs and records them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.days import from_day_of_year
from banet.grid.region import Region
from banet.simulation.climates import CLIMATES, Climate
from banet.simulation.fields import Field, stream
from banet.simulation.ground import burned_per_day
from banet.simulation.observe import best_views
from banet.simulation.spectra import Band
from banet.simulation.world import World, build_world

Bools = npt.NDArray[np.bool_]
DAYS, MEDIAN_DAYS, DROP, NIR_DROP = 12, 5, 0.2, 0.06
SIZE, SEASON, FIRST_SEED = 128, 64, 7000
DROP_COLUMNS = ("recall", "false per 10 000", "drop p10", "drop p50", "drop p90", "burned", "unburned")
SCAR_COLUMNS = (
    "8 and more cells from the edge", "5 and more", "1 from the edge", "area in fires over 1000 ha",
    "neighbours of the same day", "1 day apart", "2", "3 to 5", "burned cells",
)  # fmt: skip


def plain_drop(nir: Field, mir: Field) -> tuple[Field, Bools]:
    """Return the largest fall of (NIR - MIR) / (NIR + MIR), and where it and NIR fell enough on the same day.

    Medians of up to five days on either side of a day are held against each other, clouds and all.

    Args:
        nir: reflectance, (days, rows, columns), NaN not observed.
        mir: the same.
    """
    index = (nir - mir) / np.maximum(nir + mir, 1e-3)
    largest = np.full(index.shape[1:], -np.inf, np.float32)
    found = np.zeros(index.shape[1:], bool)
    for day in range(1, len(index)):
        before, after = slice(max(day - MEDIAN_DAYS, 0), day), slice(day, day + MEDIAN_DAYS)
        drop, fall = (np.nanmedian(x[before], 0) - np.nanmedian(x[after], 0) for x in (index, nir))
        largest = np.fmax(largest, drop)
        found |= (drop >= DROP) & (fall >= NIR_DROP)
    return largest, found


def drop_row(parts: Iterable[tuple[Field, Field, Bools, Bools]]) -> dict[str, float]:
    """Score the plain index drop on scenes of (NIR, MIR, burned, unburned)."""
    hits, alarms, drops = [], [], []
    for nir, mir, burned, unburned in parts:
        largest, found = plain_drop(nir, mir)
        hits.append(found[burned])
        alarms.append(found[unburned])
        drops.append(largest[burned & np.isfinite(largest)])
    hit, alarm, drop = (np.concatenate(part) for part in (hits, alarms, drops))
    values = [hit.mean(), 1e4 * alarm.mean(), *np.percentile(drop, [10, 50, 90]), hit.size, alarm.size]
    return {name: round(float(v), 3) for name, v in zip(DROP_COLUMNS, values, strict=True)}


def season(climate: Climate, seed: int) -> tuple[World, Field]:
    """Build a season of a climate at its central spectra, and the truth of each of its days."""
    rng = stream(seed, 99)
    west, south, east, north = climate.box
    edge = SIZE * 0.01
    lon, lat = (round(float(rng.uniform(a, b - edge)), 2) for a, b in ((west, east), (south, north)))
    region = Region("SIM", (lon, lat, round(lon + edge, 6), round(lat + edge, 6)), 0.01)
    start = from_day_of_year(2020, int(rng.integers(*climate.season)))
    world = build_world(region, start, SEASON, seed, climate, bands=(Band.RED, Band.NIR, Band.M11))
    return world, burned_per_day(world.burns, SEASON, region.shape, world.subcells)


def twelve_days(world: World, daily: Field) -> tuple[Field, Field, Bools, Bools]:
    """Return NIR, MIR, burned and unburned cells of the twelve days about a season's worst week."""
    week = np.convolve(daily.sum((1, 2)), np.ones(7), "valid")
    first = int(np.clip(week.argmax() - 1, 0, SEASON - DAYS))
    days = slice(first, first + DAYS)
    flown = tuple(p for p in world.image_overpasses if first <= p.time_h / 24 < first + DAYS)
    best, _ = best_views(dataclasses.replace(world, image_overpasses=flown))
    fine = SIZE * world.subcells
    row, col = np.divmod(world.burns.index, fine)
    ever = np.zeros((SIZE, SIZE), bool)
    ever[row // world.subcells, col // world.subcells] = True
    burned = daily[days][1:8].sum(0) >= 0.5
    return best[1, days], best[2, days], burned, ~ever & (world.surface.water < 0.01)


def drops_by_climate(scenes: int) -> dict[str, dict[str, float]]:
    """Return the row of each climate."""
    return {
        name: drop_row(twelve_days(*season(climate, FIRST_SEED + n)) for n in range(scenes))
        for name, climate in CLIMATES.items()
    }


def scar_row(scenes: Iterable[tuple[Field, Field]], cell_ha: float) -> dict[str, float]:
    """Describe scars of scenes of (burned fraction, day of burning, NaN where none), (rows, columns) each."""
    deep, apart, large, total = [], [], 0.0, 0.0
    for fraction, day in scenes:
        burned = fraction >= 0.5
        deep.append(ndimage.distance_transform_edt(np.pad(burned, 1, mode="edge"))[1:-1, 1:-1][burned])
        for a, b in ((day[1:], day[:-1]), (day[:, 1:], day[:, :-1])):
            both = np.isfinite(a) & np.isfinite(b)
            apart.append(np.abs(a - b)[both])
        labels, count = ndimage.label(burned, np.ones((3, 3)))
        area = np.bincount(labels.ravel(), minlength=count + 1)[1:] * cell_ha
        large, total = large + float(area[area > 1000].sum()), total + float(area.sum())
    far, days = np.concatenate(deep), np.concatenate(apart)
    values = [
        (far >= 8).mean(), (far >= 5).mean(), (far <= 1).mean(), large / max(total, 1e-9),
        *((days == n).mean() for n in range(3)), ((days > 2) & (days <= 5)).mean(), far.size,
    ]  # fmt: skip
    return {name: round(float(v), 3) for name, v in zip(SCAR_COLUMNS, values, strict=True)}


def scars_by_climate(scenes: int) -> dict[str, dict[str, float]]:
    """Return the scars of each climate."""
    return {
        name: scar_row((_dated(season(climate, FIRST_SEED + n)[1]) for n in range(scenes)), 90.0)
        for name, climate in CLIMATES.items()
    }


def _dated(daily: Field) -> tuple[Field, Field]:
    fraction = daily.sum(0)
    return fraction, np.where(fraction >= 0.5, daily.argmax(0), np.nan).astype(np.float32)


def portuguese_scars(real: Path) -> dict[str, float]:
    """Return the scars of MCD64A1 of mainland Portugal, four summers, in cells of two pixels (0.92 km)."""
    import rasterio

    years: dict[str, Field] = {}
    for file in sorted((real / "labels" / "portugal_mcd64a1").glob("*.tif")):
        with rasterio.open(file) as raster:
            plane = raster.read(1).astype(np.float32)
        year = file.stem.split("_")[3]
        years[year] = np.fmax(years.get(year, np.full(plane.shape, np.nan, np.float32)), _burned(plane))
    return scar_row((_coarse(day) for day in years.values()), 85.4)


def _burned(plane: Field) -> Field:
    return np.where(plane > 0, plane, np.nan).astype(np.float32)


def _coarse(day: Field) -> tuple[Field, Field]:
    rows, cols = (n // 2 for n in day.shape)
    blocks = day[: 2 * rows, : 2 * cols].reshape(rows, 2, cols, 2)
    fraction = np.isfinite(blocks).mean((1, 3), dtype=np.float32)
    first = np.where(np.isfinite(blocks), blocks, np.inf).min((1, 3))
    return fraction, np.where(fraction >= 0.5, first, np.nan).astype(np.float32)


def show_rows(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print rows of the same columns."""
    print(f"\n{title}\n{'':16s}" + "  ".join(next(iter(rows.values()))))
    for name, row in rows.items():
        print(f"{name:16s}" + "  ".join(f"{v:{max(len(c), 6)}.6g}" for c, v in row.items()))
