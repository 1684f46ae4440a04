"""Monthly burned-area tiles of the MCD64A1 family, with the kind of errors that the real products have.

The truth is sampled on the 463 m sinusoidal grid and then worsened: small burns are missed, some fires and
pixels are omitted, edges are moved, and a pixel is dated by the first clear look after it burned, with an
uncertainty that is the time without one. Layout and attributes follow a real VNP64A1.002 tile and the
Collection 6.1 user guide (Giglio et al. 2022); sizes of the errors are of the order of what Giglio et al.
2018 (Remote Sens. Environ. 217, 72-85) and Boschetti et al. 2019 (Remote Sens. Environ. 231, 111240) report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.days import as_month, day_of_year, day_stamp, month_days
from banet.grid.sinusoidal import tile_grid
from banet.io.files import writing
from banet.labels.monthly_files import MISSING, WATER, Layers
from banet.labels.tile_files import TILE_PIXELS, write_tile
from banet.simulation.fields import stream
from banet.simulation.spectra import Cover
from banet.simulation.writers.pixels import PixelWindow, tiles_under

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["LabelErrors", "as_months", "dated", "write"]

_ABOUT = {"LongName": "VIIRS/NPP Burned Area Monthly Global 500m SIN Grid (simulated)"}

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelErrors:
    """Errors of the labels against the truth.

    Attributes:
        smallest: burns of fewer pixels are missed.
        fire_omission: probability that a whole fire is missed, times its chance of being small: it falls with
            the size of the fire.
        pixel_omission: probability that a burned pixel is missed.
        commission: probability that an unburned neighbour of a burned pixel is taken for burned.
        share: a pixel counts as burned from this burned share on.
        longest_gap: days without a clear look after which nothing is found.
        same_day: probability that the date is that of the fire and not of the first clear look after it.
    """

    smallest: int = 4
    fire_omission: float = 0.35
    pixel_omission: float = 0.04
    commission: float = 0.10
    share: float = 0.5
    longest_gap: int = 20
    same_day: float = 0.50


def write(scene: Scene, folder: Path, errors: LabelErrors | None = None) -> tuple[Path, ...]:
    """Write a VNP64A1-like tile for every month and tile that the scene touches."""
    wrong = errors if errors is not None else LabelErrors()
    paths = []
    for h, v in tiles_under(scene.region):
        window = PixelWindow.sinusoidal(scene.region, h, v, TILE_PIXELS)
        day, spread = dated(scene, window, wrong)
        for month in np.unique(as_months(scene)):
            first = day_stamp(month.astype("datetime64[D]"))
            name = f"VNP64A1.A{first}.h{h:02d}v{v:02d}.002.2024001000000.hdf"
            with writing(folder / name) as part:
                write_tile(part, h, v, month, _layers(scene, window, day, spread, month, (h, v)), _ABOUT)
            paths.append(folder / name)
    return tuple(paths)


def as_months(scene: Scene) -> npt.NDArray[np.datetime64]:
    """Return the month of each day of a scene."""
    return np.array([as_month(day) for day in scene.days])


def dated(scene: Scene, window: PixelWindow, errors: LabelErrors) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Return the mapped day of each pixel (from the scene's start on, -1 unburned) and its uncertainty."""
    world = scene.world
    rng = stream(scene.world.seed, 60, window.rows.start, window.cols.start)
    arrival = np.full(world.surface.cover.shape, np.nan, np.float32)
    arrival.ravel()[world.burns.index] = world.burns.hour
    fire = np.full(world.surface.cover.shape, -1, np.int32)
    fire.ravel()[world.burns.index] = world.burns.fire
    hours = window.take(arrival, world.subcells, np.nan)
    share = window.per_pixel(np.isfinite(hours) & (hours >= 0))
    burned = (share >= errors.share) & ~_missed(
        rng, window.middle(window.take(fire, world.subcells, -1)), errors
    )
    burned = _edges(rng, burned, errors)
    with np.errstate(invalid="ignore"):
        known = np.where(np.isfinite(hours), hours, 0)
    weight = window.per_pixel(np.isfinite(hours))
    mean = window.per_pixel(known) / np.maximum(weight, 1e-9)
    # A false edge pixel takes the date of its neighbours.
    near = ndimage.distance_transform_edt(weight == 0, return_distances=False, return_indices=True)
    day = np.clip(np.floor(mean[tuple(near)] / 24), 0, len(scene.days) - 1).astype(np.int64)
    found, gap = _look(rng, scene, window, day, errors.same_day)
    burned &= gap <= errors.longest_gap
    burned &= ndimage.uniform_filter(burned.astype(float), 5)[...] * 25 >= errors.smallest - 0.5
    spread = np.clip(np.rint(0.4 + gap / 2 + rng.exponential(0.7, gap.shape)), 1, 60)
    return np.where(burned, found, -1), np.where(burned, spread, 0).astype(np.uint8)


def _missed(rng: np.random.Generator, fire: npt.NDArray[Any], errors: LabelErrors) -> npt.NDArray[np.bool_]:
    """Tell which pixels belong to fires that are missed as a whole, or are missed themselves."""
    number = fire.astype(np.int64)
    size = np.bincount(number[number >= 0], minlength=1)
    lost = rng.random(len(size)) < errors.fire_omission * np.exp(-size / 60)
    whole = np.where(number >= 0, lost[np.maximum(number, 0) % len(lost)], False)
    return np.asarray(whole | (rng.random(number.shape) < errors.pixel_omission), bool)


def _edges(
    rng: np.random.Generator, burned: npt.NDArray[np.bool_], errors: LabelErrors
) -> npt.NDArray[np.bool_]:
    beside = ndimage.binary_dilation(burned, np.ones((3, 3), bool)) & ~burned
    return np.asarray(burned | (beside & (rng.random(burned.shape) < errors.commission)), bool)


def clear_looks(scene: Scene) -> Ints:
    """Return the index of the day of the first clear look from each day on, (days + 1, rows, columns).

    A look is clear where red is at most 0.3. Where none follows it is a day past the end.
    """
    blind = ~np.isfinite(scene.nir) | (scene.red > 0.30)
    last = len(scene.days) - 1
    following = np.full((last + 2, *scene.region.shape), last + 30, np.int64)
    for i in range(last, -1, -1):
        following[i] = np.where(blind[i], following[i + 1], i)
    return following


def _look(
    rng: np.random.Generator, scene: Scene, window: PixelWindow, day: Ints, same_day: float
) -> tuple[Ints, Ints]:
    """Return the day that a burn would be dated, and the days from it to the next clear look."""
    # Fires mostly burn after the satellite has passed, so the burn is seen from the next day on.
    rows = np.clip(window.middle(window.row), 0, scene.region.shape[0] - 1).astype(np.int64)
    cols = np.clip(window.middle(window.col), 0, scene.region.shape[1] - 1).astype(np.int64)
    last = len(scene.days) - 1
    looked = clear_looks(scene)[np.minimum(day + 1, last + 1), rows, cols]
    # Giglio et al. 2018: 44 % of the dates are those of the active fire, 68 % within two days of it.
    exact = rng.random(day.shape) < same_day
    return np.where(exact, day, np.minimum(looked, last)), looked - day


def _layers(
    scene: Scene,
    window: PixelWindow,
    day: Ints,
    spread: npt.NDArray[np.uint8],
    month: np.datetime64,
    place: tuple[int, int],
) -> Layers:
    first, stop = month_days(month)
    dates = scene.days[np.maximum(day, 0)]
    now = (day >= 0) & (dates >= first) & (dates < stop)
    share = window.per_pixel(window.inside)
    water = (
        window.per_pixel(window.take(scene.world.surface.cover == Cover.WATER, scene.world.subcells, 0)) > 0.5
    )
    known = share > 0.5
    burn = np.where(now, day_of_year(dates), 0)
    burn = np.where(water, WATER, burn)
    edges = day_of_year(np.array([max(first, scene.days[0]), min(stop - 1, scene.days[-1])]))

    def whole(values: npt.NDArray[Any], outside: int, kind: type) -> npt.NDArray[Any]:
        tile: npt.NDArray[Any] = np.full((TILE_PIXELS, TILE_PIXELS), outside, kind)
        tile[window.rows, window.cols] = np.where(known, values, outside)
        return tile

    first_day, last_day = (whole(np.where(water, WATER, edge), MISSING, np.int16) for edge in edges)
    return Layers(
        tile_grid(*place),
        whole(burn, MISSING, np.int16),
        whole(np.where(now & ~water, spread, 0), 0, np.uint8),
        whole(np.where(water, 0, 3), 0, np.uint8),
        first_day,
        last_day,
    )
