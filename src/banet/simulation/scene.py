"""A simulated fire season: the world, what the satellites see of it, and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.days import NO_DATE, ONE_DAY, Days, as_day, day_range, parse_period
from banet.errors import InputError
from banet.grid.region import Region, check_region
from banet.io.progress import Progress
from banet.simulation.arguments import check_latitudes, check_whole, default_region, fleets, mir_band_named
from banet.simulation.climates import Climate, climate_named
from banet.simulation.fields import Field, Mask
from banet.simulation.ground import burned_per_day
from banet.simulation.hotspots import frp_of_table, to_table
from banet.simulation.observe import best_views, followed
from banet.simulation.spectra import Band, Cover
from banet.simulation.world import World, build_world, find_hotspots

__all__ = ["Scene", "simulate"]

_COAST = 0.05
"""Share of water from which on a cell of land counts as coast."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A fire season with what a satellite saw of it and what was true.

    Attributes:
        region: where.
        days: UTC days, (days,).
        red, nir, mir: best view of each day, reflectance, (days, rows, columns) float32, NaN not observed.
        frp: power of the detected vegetation fires, MW, 0 where none.
        view_zenith: of the best view, degrees, NaN not observed.
        burned_fraction_daily: the truth, share of the cell that burned on the day.
        water: whether more than half of the cell is water, (rows, columns).
        hotspots: detections with the columns of FIRMS.
        world: what it was made from.
    """

    region: Region
    days: Days
    red: Field
    nir: Field
    mir: Field
    frp: Field
    view_zenith: Field
    burned_fraction_daily: Field
    water: Mask
    hotspots: pd.DataFrame
    world: World

    def __repr__(self) -> str:
        rows, cols = self.region.shape
        grid = f"{self.region.name}, {rows} x {cols} cells, {self.days[0]} to {self.days[-1]}"
        return f"Scene({grid}: {self.burned_area_ha:,.0f} ha burned, {len(self.hotspots):,} hot spots)"

    @property
    def burned_area_ha(self) -> float:
        """Burned area of the exact truth, hectares; cells of `water` are not in it."""
        return self.truth().burned_area_ha

    @property
    def burned_fraction(self) -> Field:
        """Share of each cell that burned within the scene's days, (rows, columns) float32."""
        return np.asarray(np.minimum(self.burned_fraction_daily.sum(0), 1), np.float32)

    @property
    def burn_date(self) -> npt.NDArray[np.datetime64]:
        """Day on which most of what burned in a cell did, (rows, columns), NaT where nothing burned."""
        date = self.days[self.burned_fraction_daily.argmax(0)]
        return np.where(self.burned_fraction > 0, date, NO_DATE)

    @property
    def burn_time(self) -> npt.NDArray[np.datetime64]:
        """UTC minute by which half of what burned in a cell had burned, (rows, columns), NaT where nothing.

        The day of it may differ from `burn_date` where a cell burned over several days.
        """
        burns, columns, fine = self.world.burns, self.region.shape[1], self.world.subcells
        inside = burns.hour >= 0
        row, col = np.divmod(burns.index[inside], columns * fine)
        cell = row // fine * columns + col // fine
        # Burned sub-cells come in order of time, and a stable sort keeps it within each cell.
        order = np.argsort(cell, kind="stable")
        cells, first, count = np.unique(cell[order], return_index=True, return_counts=True)
        minute = np.floor(burns.hour[inside][order][first + (count - 1) // 2] * 60).astype("timedelta64[m]")
        time = np.full(self.region.shape, np.datetime64("NaT", "m"))
        time.flat[cells] = self.days[0].astype("datetime64[m]") + minute
        return time

    @property
    def land_cover(self) -> npt.NDArray[np.uint8]:
        """Most frequent `Cover` of each cell, (rows, columns)."""
        return np.asarray(self.world.surface.fractions.argmax(0), np.uint8)

    @property
    def confounders(self) -> dict[str, Mask]:
        """Masks of what may look like fire and is none, by name, (rows, columns).

        The ground changed within the days, or the cell is part water: `coast`.
        """
        share = self.world.surface.fractions[Cover.WATER]
        coast = (share > _COAST) & ~self.water
        found = self.world.changes.masks(len(self.days))
        return found | ({"coast": coast} if coast.any() else {})

    def truth(self) -> BurnedArea:
        """Return the truth as a reference that knows the day of every part of a cell."""
        day, row, col = np.nonzero(self.burned_fraction_daily)
        part = self.burned_fraction_daily[day, row, col]
        dated = DatedFractions.from_pieces(self.region, row, col, self.days[day], part, np.zeros(part.size))
        stop = self.days[-1] + ONE_DAY
        return BurnedArea.from_dated(
            dated,
            name="simulated truth",
            known=~self.water,
            start=self.days[0],
            stop=stop,
            water=self.water,
        )


def simulate(
    region: Region | None = None,
    start: Any = "2020-07-01",
    days: int = 64,
    seed: int = 0,
    climate: str | Climate = "mediterranean",
    size: int | tuple[int, int] = 128,
    *,
    mir_band: str = "M12",
    satellites: tuple[str, ...] | None = None,
    fire_satellites: tuple[str, ...] | None = None,
    pixel_size: float = 0.01,
    varied: bool = False,
    any_time: bool = False,
    progress: Progress | None = None,
) -> Scene:
    """Simulate a fire season: what VIIRS saw of it day by day, and what really burned.

    The same arguments give the same arrays.

    Args:
        region: the grid; None places one of `size` cells somewhere in the climate's region.
        start: first day, anything that `as_day` takes.
        days: number of days.
        seed: non-negative number.
        climate: name of a climate (see `CLIMATES`) or one of your own.
        size: cells, or (rows, columns), when no region is given.
        mir_band: what fills the MIR slot: M12 (3.7 um), M11 (2.25 um) or M10 (1.6 um).
        satellites: whose imagery: N (Suomi-NPP), N20, N21; None takes the first of them that flies on all
            days. A satellite sees nothing on days before and after its flight (`overpasses.FLIGHTS`).
        fire_satellites: whose hot spots; None takes those of N and N20 that fly.
        pixel_size: edge of a cell in degrees, when no region is given.
        varied: draw calibration, air and noise widely, as for training.
        any_time: let satellites fly on days before and after their flights, too, as in the fixed seasons of
            the benchmark; None is then N, and N with N20.
        progress: called with the overpasses observed, all of them, and the day.

    Returns:
        the scene.

    Raises:
        InputError: if an argument is not valid.
    """
    picked = climate if isinstance(climate, Climate) else climate_named(climate)
    bands = (Band.RED, Band.NIR, mir_band_named(mir_band))
    _check(days, seed)
    first = as_day(start)
    last = first + np.timedelta64(int(days) - 1, "D")
    parse_period(first, last)
    images, fires = fleets(satellites, fire_satellites, first, last, any_time=any_time)
    grid = region if region is not None else default_region(picked, size, seed, pixel_size)
    check_region(grid)
    check_latitudes(grid)
    if min(grid.shape) < 8:
        raise InputError(
            f"region {grid.name}: {grid.shape} cells are too few to simulate; give at least 8 x 8"
        )
    world = build_world(
        grid, first, days, seed, picked, bands=bands, image_satellites=images,
        fire_satellites=fires, varied=varied, any_time=any_time,
    )  # fmt: skip
    with followed(progress):
        best, zenith = best_views(world)
    table = to_table(find_hotspots(world), grid, first, seed)
    return Scene(
        region=grid,
        days=day_range(first, first + np.timedelta64(days, "D")),
        red=best[0],
        nir=best[1],
        mir=best[2],
        frp=frp_of_table(table, grid, first, days),
        view_zenith=zenith,
        burned_fraction_daily=burned_per_day(world.burns, days, grid.shape, world.subcells),
        water=world.surface.fractions[Cover.WATER] > 0.5,
        hotspots=table,
        world=world,
    )


def _check(days: int, seed: int) -> None:
    check_whole("simulate", days=days, seed=seed)
    if days < 1 or days > 3660:
        raise InputError(f"cannot simulate {days} days; give 1 to 3660")
    if seed < 0:
        raise InputError(f"the seed {seed} is negative; give 0 or more")
