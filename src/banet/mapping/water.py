"""Share of water in each cell: from a user's file, the cube's mask, or the whole record of images.

One mask serves every map of a cube. What burns of a cell is at most its share of land.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import Days
from banet.errors import InputError, UnreadableFileError
from banet.grid.labelled import plane_on
from banet.grid.region import Region
from banet.io.files import PathLike

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["Water", "WaterCounts", "read_water", "water_of", "water_share"]

NO_GLINT_RED = 0.15
"""Red reflectance below which an observation is taken as free of thick cloud, snow and glint."""

DARK_NIR = 0.06
"""NIR reflectance below which an observation may be water; fresh char lies at 0.05 to 0.12."""

DARK_MIR = 0.06
"""MIR reflectance below which it may be: char lies at 0.1 and more, water below 0.03."""

ENOUGH = 5
AT_LEAST = 3

MOST_DAYS = 128
"""Days of a record that are read to find water; of a longer one the first of every two, three and so on."""

_PERIOD = 32
_AROUND = 15
_CELLS_AT_ONCE = 2**22

Share = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Water:
    """Water of a region.

    Attributes:
        share: part of each cell that is water, 0-1, (rows, columns) float32; None for none.
        source: `given`, `cube`, `estimated` or `none`.
    """

    share: Share | None
    source: str

    @property
    def digest(self) -> str | None:
        """SHA-256 of the shares; None for no water."""
        return None if self.share is None else sha256(self.share.tobytes()).hexdigest()

    @property
    def mask(self) -> npt.NDArray[np.bool_] | None:
        """Cells of which more than half is water, (rows, columns)."""
        return None if self.share is None else self.share > 0.5


def water_of(cube: Cube, given: Any) -> Water:
    """Return the water of a cube's region.

    Args:
        cube: what was observed.
        given: `auto` takes the cube's mask, or else finds water in all its images; (rows, columns) of bool
            or of shares, 0-1, in a `DataArray` too; a file for `read_water`; None for no water.

    Raises:
        InputError: if the mask is of another shape, or of other cells by its coordinates.
    """
    if isinstance(given, Water):
        return given
    if given is None:
        return Water(None, "none")
    if isinstance(given, str) and given == "auto":
        mask = cube.water
        if mask is None:
            return Water(water_share(cube), "estimated")
        return Water(mask.astype(np.float32), "cube")
    if isinstance(given, (str, Path)):
        share = read_water(given, cube.region)
    else:
        share = plane_on(cube.region, given, "the water mask").astype(np.float32)
    if share.shape != cube.region.shape:
        raise InputError(f"the water mask is {share.shape}, the region {cube.region.shape}")
    return Water(share, "given")


def read_water(path: PathLike, region: Region) -> Share:
    """Read how much of each cell of a region is water, (rows, columns) float32, 0-1.

    Args:
        path: polygons of water in any vector format, or a GeoTIFF whose pixels are water where they are not
            zero; one of decimals from 0 to 1 holds shares.
        region: the grid.

    Raises:
        InputError: if it holds nothing within the region.
    """
    from banet.labels.shares import read_shares

    share = read_shares(path, region, "file of water")
    if not share.any():
        raise InputError(f"{path} shows no water in region {region.name}; is it of another place?")
    return share.astype(np.float32)


def water_share(cube: Cube) -> Share:
    """Return how much of each cell is water, by all images of a cube, (rows, columns) float32, 0-1.

    A cell is all water where most clear observations are dark in NIR and no brighter than in red.
    Vegetation and soil reflect more in NIR than in red; water reflects less, at any depth of haze. An
    observation is clear where red is below 0.15, and dark where NIR and MIR are below 0.06: char may be as
    dark as water in NIR, but not in MIR. At least 5 clear
    observations are needed (3 in a record of fewer than 16 days with images); more than half of them must
    agree, so a cell under smoke or char for part of the record stays land. A cell with a hot spot is never
    all water: off nadir a coastal fire's hot spot may lie in a sea cell, which then counts as burned or
    unburned land.

    Beside such cells lie those of a shore: they are darker in NIR than the land around, in proportion. Their
    NIR is that of the brightest of the record's 32-day periods, so that a burn does not look like water.

    The share is linear mixing of land, as bright as the mean within 15 cells, and water, which is black. On
    the coast of Attica and Euboea in August 2021, 0.98 of the cells that VNP64A1 shows to be water by half
    and more have a share of at least 0.5, where the rule for whole cells alone finds 0.88.
    """
    days = cube.days[[cube.has_images(day) for day in cube.days]]
    step = -(-len(days) // MOST_DAYS) or 1
    # The first day with images of each `step`: the choice stays as the record grows.
    chosen = days[np.unique(days.astype(np.int64) // step, return_index=True)[1]]
    rows, cols = cube.region.shape
    lines = max(1, _CELLS_AT_ONCE // cols)
    parts = [_record(cube, chosen, slice(top, min(top + lines, rows))) for top in range(0, rows, lines)]
    water, bright, fire = (np.concatenate([part[number] for part in parts]) for number in range(3))
    return _with_shores(water, bright, fire)


class WaterCounts:
    """Clear observations, those that look like water, and hot spots of some cells; see `water_share`."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._clear, self._water = (np.zeros(shape, np.int16) for _ in range(2))
        self.fire = np.zeros(shape, bool)

    def add(self, red: Any, nir: Any, mir: Any, frp: Any) -> npt.NDArray[np.bool_]:
        """Count a day; return where it was clear."""
        with np.errstate(invalid="ignore"):  # NaN compares as False
            clear = (red < NO_GLINT_RED) & ~np.isnan(nir)
            self._clear += clear
            self._water += clear & (nir < DARK_NIR) & (nir <= red) & ~(mir >= DARK_MIR)
            self.fire |= frp > 0
        return np.asarray(clear)

    def evidence(self, days: int) -> npt.NDArray[np.int8]:
        """Return 1 for water, -1 for land, 0 where too little was seen on this number of days with images."""
        enough = self._clear >= (ENOUGH if days >= 16 else AT_LEAST)
        water = (2 * self._water > self._clear) & ~self.fire
        return np.where(enough | self.fire, np.where(water, 1, -1), 0).astype(np.int8)


def _record(cube: Cube, days: Days, rows: slice) -> tuple[npt.NDArray[np.int8], Share, npt.NDArray[np.bool_]]:
    """Return evidence, NIR of the brightest period (NaN where too little was seen) and fires of some rows.

    The days are those with images that are read.
    """
    shape = rows.stop - rows.start, cube.region.shape[1]
    counts = WaterCounts(shape)
    brightest = np.full(shape, np.nan, np.float32)
    for period in _periods(days):
        seen, total = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
        for day in period:
            try:
                window = cube.read(day, day + 1, rows, variables=("red", "nir", "mir", "frp"))
            except UnreadableFileError:
                continue  # a tile that needs the day tells of the damage
            clear = counts.add(window.red[0], window.nir[0], window.mir[0], window.frp[0])
            seen += clear
            total += np.where(clear, window.nir[0], 0)
        mean = np.where(seen >= AT_LEAST, total / np.maximum(seen, 1), np.float32(np.nan))
        brightest = np.fmax(brightest, mean)
    return counts.evidence(len(days)), brightest, counts.fire


def _periods(days: Days) -> Iterator[Days]:
    if len(days):
        number = (days - days[0]).astype(np.int64) // _PERIOD
        yield from (days[number == one] for one in np.unique(number))


def _with_shores(water: npt.NDArray[np.int8], bright: Share, fire: npt.NDArray[np.bool_]) -> Share:
    """Return the share of water of whole cells and of those beside them."""
    from scipy.ndimage import binary_dilation, uniform_filter

    whole, square = water > 0, np.ones((3, 3), bool)
    if not whole.any():
        return np.zeros(whole.shape, np.float32)
    shore = binary_dilation(whole, square) & ~whole & np.isfinite(bright)
    land = np.isfinite(bright) & ~binary_dilation(whole, square, iterations=2)
    if not land.any():
        return np.where(whole, np.float32(1), np.float32(0))
    summed, weight = (
        uniform_filter(plane, _AROUND, mode="constant")
        for plane in (np.where(land, bright, 0).astype(np.float64), land.astype(np.float64))
    )
    around = np.where(weight > 1e-6, summed / np.maximum(weight, 1e-6), bright[land].mean())
    mixed = np.clip(1 - np.nan_to_num(bright) / np.maximum(around, 1e-6), 0, 1)
    mixed[fire] = np.minimum(mixed[fire], 0.5)  # it burned there, so that it is not water alone
    return np.where(whole, 1, np.where(shore, mixed, 0)).astype(np.float32)
