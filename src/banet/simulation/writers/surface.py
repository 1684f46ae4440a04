"""Daily surface reflectance tiles (V*09GA, collection 2, HDF-EOS5) of a scene.

Groups, names, types, scales and fill values follow the VIIRS Surface Reflectance User's Guide: 1200 x 1200
pixels of 1 km with M5, M7, M10, M11, angles and seven planes of flags, and 2400 x 2400 with I1 to I3. Each
day takes each pixel from the satellite's best view. The clear air's own light is taken off again; haze, smoke
and cloud stay in the reflectance, as they do in the product where its correction fails, and cloud is flagged.
Of the flags cloud, low sun and water are simulated, the other bits are 0. M8 is not simulated and holds the
fill value; so does every pixel outside the scene.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from banet.days import day_stamp
from banet.grid.region import Region
from banet.io.files import writing
from banet.simulation.fields import Field, Mask
from banet.simulation.observe import View, observations
from banet.simulation.spectra import Band
from banet.simulation.world import World
from banet.simulation.writers.pixels import PixelWindow, tiles_under

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write"]

PREFIX = {"N": "VNP", "N20": "VJ1", "N21": "VJ2"}
SIZE = 1200
FILL, ANGLE_FILL, FLAG_FILL = -28672, -32767, 255
_VALID = (-100, 16000)
_BANDS = (Band.RED, Band.NIR, Band.M10, Band.M11)
_M_BANDS = {"M5": 0, "M7": 1, "M8": None, "M10": 2, "M11": 3}
_I_BANDS = {"I1": 0, "I2": 1, "I3": 2}
_LOW_SUN = 65.0
# Optical depths from which on a cloud counts as probably clear, probably cloudy and cloudy.
_CLOUD_DEPTHS = (0.05, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class _Day:
    """The best view of one satellite on one day, on the scene's cells.

    Attributes:
        bands: surface reflectance, (bands, rows, columns), NaN not observed.
        view_zenith, solar_zenith: degrees, (rows, columns), NaN not observed.
        depth: optical depth of cloud, (rows, columns).
    """

    bands: Field
    view_zenith: Field
    solar_zenith: Field
    depth: Field

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> _Day:
        plane = np.full(shape, np.nan, np.float32)
        return cls(np.full((len(_BANDS), *shape), np.nan, np.float32), plane, plane.copy(), plane.copy())

    def take(self, view: View, corrected: Field) -> None:
        """Take what a view saw less obliquely."""
        seen = np.isfinite(corrected).all(0)
        better = seen & ~(self.view_zenith <= view.geometry.view_zenith)
        self.bands[:, better] = corrected[:, better]
        for plane, values in (
            (self.view_zenith, view.geometry.view_zenith),
            (self.solar_zenith, view.geometry.solar_zenith),
            (self.depth, view.depth),
        ):
            plane[better] = values[better]


@dataclass(frozen=True)
class _Tile:
    """One tile of a scene, and where its pixels of both sizes lie."""

    h: int
    v: int
    coarse: PixelWindow = field(repr=False)
    fine: PixelWindow = field(repr=False)

    @classmethod
    def of(cls, region: Region, h: int, v: int) -> _Tile:
        windows = (PixelWindow.sinusoidal(region, h, v, SIZE * finer, 4 // finer) for finer in (1, 2))
        return cls(h, v, *windows)


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write a tile for each day, satellite and place that a scene's imagery has something of."""
    world = scene.world.with_bands(_BANDS)
    tiles = [_Tile.of(scene.region, h, v) for h, v in tiles_under(scene.region)]
    water = scene.water
    paths = []
    for (number, satellite), day in _days(world):
        stamp = day_stamp(scene.days[number])
        for tile in tiles:
            name = f"{PREFIX[satellite]}09GA.A{stamp}.h{tile.h:02d}v{tile.v:02d}.002.2024001000000.h5"
            with writing(folder / name) as part:
                _write_tile(part, tile, day, water)
            paths.append(folder / name)
    return tuple(paths)


def _days(world: World) -> Iterator[tuple[tuple[int, str], _Day]]:
    """Yield the best view of each day and satellite, days in order."""
    found: dict[tuple[int, str], _Day] = {}
    for view in observations(world):
        number = min(int(view.overpass.time_h // 24), world.days - 1)
        for key in [key for key in found if key[0] < number]:
            yield key, found.pop(key)
        corrected = _corrected(view, world)
        if np.isfinite(corrected).any():
            key = number, view.overpass.satellite
            found.setdefault(key, _Day.empty(world.shape)).take(view, corrected)
    yield from found.items()


def _corrected(view: View, world: World) -> Field:
    """Take the light of the clear air off, which the simulated instrument adds."""
    slant = 1 / math.cos(math.radians(min(float(view.geometry.view_zenith.mean()), 68)))
    path = world.instrument.path * np.float32(0.5 + 0.5 * slant)
    return np.asarray(view.reflectance - path[:, None, None], np.float32)


def _write_tile(path: Path, tile: _Tile, day: _Day, water: Mask) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("HDFEOS INFORMATION")["StructMetadata.0"] = (
            "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\nEND_GROUP=GridStructure\n"
        )
        km = file.create_group("HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields")
        for name, index in _M_BANDS.items():
            values = None if index is None else _means(tile.coarse, day.bands[index])
            _reflectance(km, f"SurfReflect_{name}_1", SIZE, tile.coarse, values)
        for name, plane in (("SensorZenith_1", day.view_zenith), ("SolarZenith_1", day.solar_zenith)):
            raw = _integers(_means(tile.coarse, plane) / 0.01, ANGLE_FILL)
            data = _put(km, name, raw, SIZE, tile.coarse, ANGLE_FILL)
            _describe(data, 0.01, ANGLE_FILL, units="degree", valid=(0, 18000))
        for number, flags in _flags(tile.coarse, day, water).items():
            data = _put(km, f"SurfReflect_QF{number}_1", flags, SIZE, tile.coarse, FLAG_FILL)
            data.attrs["_FillValue"] = np.bytes_("NONE")  # text on a plane of numbers, as in the files
        half = file.create_group("HDFEOS/GRIDS/VIIRS_Grid_500m_2D/Data Fields")
        for name, index in _I_BANDS.items():
            _reflectance(
                half, f"SurfReflect_{name}_1", 2 * SIZE, tile.fine, _means(tile.fine, day.bands[index])
            )


def _means(window: PixelWindow, plane: Field) -> npt.NDArray[np.float64]:
    """Average cells to pixels; NaN where no more than half of a pixel has a value."""
    probes = window.take(plane, 1, np.nan)
    known = np.isfinite(probes)
    share = window.per_pixel(known)
    total = window.per_pixel(np.where(known, probes, 0))
    means = np.full(window.shape, np.nan)
    np.divide(total, share, out=means, where=share > 0.5)
    return means


def _reflectance(
    group: h5py.Group, name: str, size: int, window: PixelWindow, values: npt.NDArray[np.float64] | None
) -> None:
    raw = np.full(window.shape, FILL, np.int16)
    if values is not None:
        with np.errstate(invalid="ignore"):
            raw = _integers(np.clip(values / 1e-4, *_VALID), FILL)
    _describe(_put(group, name, raw, size, window, FILL), 1e-4, FILL, units="none", valid=_VALID)


def _integers(values: npt.NDArray[np.float64], fill: int) -> npt.NDArray[np.int16]:
    return np.where(np.isfinite(values), np.rint(values), fill).astype(np.int16)


def _flags(window: PixelWindow, day: _Day, water: Mask) -> Mapping[int, npt.NDArray[np.uint8]]:
    """Return the seven planes of flags.

    QF1: bits 0-1 quality of the cloud mask (3 high), 2-3 cloud (0 clear to 3 cloudy), 5 low sun. QF2: bits
    0-2 land or water (1 land, 3 sea or lake).
    """
    depth, sun = _means(window, day.depth), _means(window, day.solar_zenith)
    known = window.per_pixel(window.inside) > 0.5
    with np.errstate(invalid="ignore"):
        cloud = np.digitize(np.nan_to_num(depth), _CLOUD_DEPTHS)
        first = 3 | (cloud << 2) | ((sun > _LOW_SUN).astype(int) << 5)
    wet = window.per_pixel(window.take(water, 1, 0)) > 0.5
    second = np.where(wet, 3, 1)
    zero = np.zeros(window.shape, int)
    planes = {1: np.where(np.isfinite(depth), first, 0), 2: second, **dict.fromkeys(range(3, 8), zero)}
    return {number: np.where(known, plane, FLAG_FILL).astype(np.uint8) for number, plane in planes.items()}


def _put(
    group: h5py.Group, name: str, raw: npt.NDArray[Any], size: int, window: PixelWindow, fill: int
) -> h5py.Dataset:
    """Write a window of a tile; chunks that it does not touch take no room and read as the fill value."""
    data = group.create_dataset(
        name,
        (size, size),
        raw.dtype,
        chunks=(120, 120),
        compression="gzip",
        compression_opts=1,
        fillvalue=fill,
    )
    data[window.rows, window.cols] = raw
    return data


def _describe(data: h5py.Dataset, scale: float, fill: int, *, units: str, valid: tuple[int, int]) -> None:
    data.attrs["_FillValue"] = np.array([fill], np.int16)
    data.attrs["scale_factor"] = np.array([scale])
    data.attrs["add_offset"] = np.array([0.0])
    data.attrs["valid_range"] = np.array(valid, np.int16)
    data.attrs["units"] = np.bytes_(units)
