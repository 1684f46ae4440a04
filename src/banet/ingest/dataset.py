"""Cubes from datasets that come from elsewhere: any regular grid, any order of axes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from banet.cube.layout import NO_WATER
from banet.cube.store import Cube
from banet.cube.variables import CLEAR_RED
from banet.days import Day, Days
from banet.errors import BanetWarning, BusyError, InputError
from banet.grid.labelled import LATITUDE, LONGITUDE, plane_on
from banet.grid.region import Region
from banet.ingest.plausible import (
    REFLECTANCES,
    all_gone,
    check_percent,
    check_power,
    check_reflectance,
    check_variable,
    in_percent,
    take_away_zeros,
    without_fill,
)
from banet.ingest.reproject import check_dataset, check_geographic
from banet.io.files import PathLike, writing
from banet.io.lock import lock
from banet.observations.hotspots import fires_of, given_hotspots, tell_placed
from banet.observations.planes import DayPlanes

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["from_dataset", "region_of"]

_MIR = ("mir", "swir")
_OPTIONAL = ("frp", "view_zenith", "count")
# How far a coordinate may be from a regular grid, in cells.
_TOLERANCE = 1e-3
_MOST_SLACK = 0.05  # where the type of the coordinates cannot tell more
_SWAPPED = 0.8


def from_dataset(
    ds: xr.Dataset,
    path: PathLike,
    *,
    name: str,
    sensor: str | None = None,
    mir_band: str | None = None,
    hotspots: pd.DataFrame | PathLike | None = None,
) -> Cube:
    """Make a cube from a dataset; of one that `Cube.to_xarray` gave, sensor, band and water are taken too.

    Args:
        ds: variables `red`, `nir` and `mir` (or `swir`, which then sits in the MIR slot) as reflectance, NaN
            where missing; optional `frp` (MW), `view_zenith` (degrees) and `count`; along `time` (at most one
            a UTC day) and `latitude`, `longitude` (or `lat`, `lon` or `y`, `x`; cell centres in degrees).
            What `_FillValue`, `missing_value`, `nodata` or `valid_range` call nothing is missing too, but for
            0 in `frp` and `count`, which means that nothing was hot and that nobody looked. Whole ends of
            floats count where the dataset still knows the scale, as one opened by xarray does.
            Cells that are 0 in all three bands on a day are missing too, and a note of the day counts them.
        path: where the cube goes; nothing is there if this fails.
        name: of its region.
        sensor: what observed; by default what the dataset of a cube says, otherwise `unknown`.
        mir_band: what sits in the MIR slot; by default what the dataset of a cube says, otherwise `M12` for
            `mir`, and what its long name says for `swir`.
        hotspots: file or folder of tables, or the table that `banet.observations.hotspots.read_hotspots`
            gives, for the FRP of a dataset without `frp`.

    Raises:
        InputError: if something is at `path` already, it is no dataset, a variable is missing, a day comes
            twice, the axes are not in degrees (see `to_region`), the grid is not regular or its cells are not
            square, a value is no reflectance, integers are still to be scaled, percent were divided before,
            no cell has a value in all bands, or the hot spots are of another place or of other days, or `frp`
            is a number at fires alone, or stands beside hot spots.
        BusyError: if another run is making this cube, or has just made it.

    Warns:
        BanetWarning: if red is brighter than near infrared in most looks, as where the two are swapped,
            attributes of `frp`, `view_zenith` or `count` take all its values away, or the water of a cube is
            missing in some cells, so that it is left out.
    """
    target = Path(path)
    if target.exists():
        raise InputError(f"{target} is there already; open it, or choose another name")
    source = _Source.of(ds, name)
    if hotspots is not None and "frp" in ds:
        raise InputError('frp of the dataset and hot spots were given; leave one out: ds.drop_vars("frp")')
    table = None if hotspots is None else given_hotspots(hotspots)
    if table is not None:
        tell_placed(table, source.region, np.sort(source.days))
    looks, power = _Looks(), _Power()
    with lock(target, f"the cube {target}"), writing(target) as part:
        if target.exists():
            raise BusyError(f"another run has just made the cube {target}; choose another name")
        seen_by = source.sensor if sensor is None else sensor
        cube = Cube.create(part, source.region, sensor=seen_by, mir_band=mir_band or source.mir_band)
        with cube.writing():
            if (water := source.water) is not None:
                cube.set_water(water)
            for index in np.argsort(source.days, kind="stable"):
                frp, notes = source.fires(index, table)
                planes, told = source.planes(index)
                looks.count(planes)
                power.count(frp)
                cube.write_day(source.days[index], planes, frp, notes=[*notes, *told])
        for variable in (one for one, left in source.left.items() if not left):
            words = all_gone(variable, ds[variable].attrs)
            if variable in REFLECTANCES:
                raise InputError(words)
            warnings.warn(words, BanetWarning, stacklevel=2)
        looks.check(source)
        power.check()
    return Cube.open(target)


@dataclass
class _Looks:
    """Looks of all days of a dataset."""

    seen: bool = False
    clear: int = 0
    darker: int = 0
    brightest: npt.NDArray[np.float64] = field(default_factory=lambda: np.full(3, -np.inf))

    def count(self, planes: DayPlanes) -> None:
        self.seen |= bool(planes.count.any())
        clear = (planes.red < CLEAR_RED) & np.isfinite(planes.nir)
        self.clear += int(clear.sum())
        self.darker += int((planes.nir < planes.red)[clear].sum())
        bands = (planes.red, planes.nir, planes.mir)
        self.brightest = np.fmax(self.brightest, [np.fmax.reduce(band, axis=None) for band in bands])

    def check(self, source: _Source) -> None:
        if not self.seen:
            raise InputError(f"no cell of the dataset has red, nir and {source.mir} on any of its days")
        for name, brightest in zip(("red", "nir", source.mir), self.brightest, strict=True):
            check_percent(name, source.ds[name].attrs.get("units"), 100 * brightest)
        if self.darker > _SWAPPED * self.clear:
            share = f"{self.darker / self.clear:.0%} of the looks"
            warnings.warn(
                f"nir is darker than red in {share}: the two may be swapped, or all is water",
                BanetWarning,
                stacklevel=3,
            )


@dataclass
class _Power:
    """Radiative power of all days of a dataset, and whether it tells where nothing was hot."""

    hot: bool = False
    calm: bool = False
    unknown: bool = False

    def count(self, frp: npt.NDArray[np.floating[Any]] | None) -> None:
        if frp is not None:
            self.hot |= bool((frp > 0).any())
            self.calm |= bool((frp == 0).any())
            self.unknown |= bool(np.isnan(frp).any())

    def check(self) -> None:
        if self.hot and self.unknown and not self.calm:
            raise InputError(
                "frp is a number at fires alone, and NaN means that nobody looked; give 0 where nothing was "
                'hot, such as by ds.assign(frp=ds["frp"].fillna(0))'
            )


def region_of(latitudes: npt.ArrayLike, longitudes: npt.ArrayLike, name: str) -> Region:
    """Return the region whose cell centres these are, in either order of either axis.

    Edges and pixel size are rounded to the fewest decimals that keep every centre within a thousandth of a
    cell, or within what the type of the coordinates can tell, so that those stored as float32 give the box
    that was meant.

    Raises:
        InputError: if the centres are not evenly spaced, or cells are not square.
    """
    slack = max(_slack(np.asarray(axis)) for axis in (latitudes, longitudes))
    lat = _regular("latitude", np.asarray(latitudes, np.float64), slack)
    lon = _regular("longitude", np.asarray(longitudes, np.float64), slack)
    height, width = _step(lat), _step(lon)
    # The longer axis tells the size; how far the shorter would be off with it at its other end decides.
    steps = min(len(lat), len(lon)) - 1
    if abs(height - width) * steps > 2 * slack * width:
        raise InputError(
            f"cells of {width:g} by {height:g} degrees are not square; banet.to_region resamples the dataset"
        )
    size = width if len(lon) >= len(lat) else height
    size = _rounded(size, size * slack / max(len(lat), len(lon)))
    west = lon[0] - size / 2 - (360 if lon[0] > 180 else 0)
    south = lat[0] - size / 2
    west, south = _rounded(west, size * slack), _rounded(south, size * slack)
    east, north = west + size * len(lon), south + size * len(lat)
    return Region(name, (west, south, round(east, 9), round(north, 9)), size)


@dataclass(frozen=True, eq=False)
class _Source:
    """A dataset whose axes and variables are known to be right."""

    ds: xr.Dataset
    lat: str
    lon: str
    mir: str
    region: Region
    days: Days
    left: dict[str, bool] = field(default_factory=dict)
    """Whether a variable that held numbers still has one on the days read, by its attributes."""

    @classmethod
    def of(cls, ds: xr.Dataset, name: str) -> _Source:
        check_dataset(ds)
        lat, lon = _axis(ds, LATITUDE), _axis(ds, LONGITUDE)
        mir = next((candidate for candidate in _MIR if candidate in ds), _MIR[0])
        for variable in ("red", "nir", mir):
            if variable not in ds:
                held = ", ".join(map(str, ds.data_vars))
                raise InputError(
                    f"the dataset lacks {variable}; it holds {held}. It needs red, nir and mir or swir"
                )
        for variable in ("red", "nir", mir, *(name for name in _OPTIONAL if name in ds)):
            if set(ds[variable].dims) != {"time", lat, lon}:
                raise InputError(f"{variable} has dimensions {ds[variable].dims}, not time, {lat}, {lon}")
            check_variable(variable, ds[variable])
        check_geographic(ds, lat, lon)
        return cls(ds, lat, lon, mir, region_of(ds[lat].values, ds[lon].values, name), _days(ds))

    @property
    def of_cube(self) -> Mapping[str, Any]:
        """Attributes of the cube that the dataset was made of, empty if it was made of none."""
        return self.ds.attrs if "banet_cube" in self.ds.attrs else {}

    @property
    def sensor(self) -> str:
        return str(self.of_cube.get("sensor", "unknown"))

    @property
    def water(self) -> npt.NDArray[np.bool_] | None:
        """Water mask of that cube, (rows, columns); None if it has none."""
        if not self.of_cube or "water" not in self.ds:
            return None
        water = self.ds["water"]
        if "time" in water.dims:  # as after ds.where(ds.red < 0.1)
            water = water.fillna(-1).max("time")
            water = water.where(water >= 0)
        said = plane_on(self.region, water, "the water of the dataset")
        unknown = np.isnan(said) | (said == NO_WATER)
        if unknown.any() and not unknown.all():
            warnings.warn(
                f"the water of the dataset is missing in {unknown.sum():,} of its {unknown.size:,} cells and "
                'is left out; give it whole: ds.assign(water=cube.to_xarray()["water"])',
                BanetWarning,
                stacklevel=3,
            )
        return None if unknown.any() else said == 1

    @property
    def mir_band(self) -> str:
        if self.mir == "mir":
            return str(self.of_cube.get("mir_band", "M12"))
        said = str(self.ds[self.mir].attrs.get("long_name", ""))
        told = re.sub(r"(?i)\b(?:swir|reflectance)\b", "", said).strip()
        return f"SWIR {told}".strip()

    def plane(self, variable: str, index: int) -> npt.NDArray[np.float32]:
        """North to south and west to east, NaN where missing."""
        given = self.ds[variable].isel(time=index).load()
        values = without_fill(variable, given).transpose(self.lat, self.lon).values
        if np.isfinite(given.values).any():
            self.left[variable] = self.left.get(variable, False) or bool(np.isfinite(values).any())
        rows = slice(None, None, -1 if _ascends(self.ds[self.lat].values) else 1)
        cols = slice(None, None, 1 if _ascends(self.ds[self.lon].values) else -1)
        return np.ascontiguousarray(values[rows, cols])

    def planes(self, index: int) -> tuple[DayPlanes, list[str]]:
        """Return the planes of a day, and notes to record."""
        red, nir, mir = (self._reflectance(name, index) for name in ("red", "nir", self.mir))
        empty = take_away_zeros(red, nir, mir)
        observed = np.isfinite(red) & np.isfinite(nir) & np.isfinite(mir)
        zenith = np.full(self.region.shape, np.nan, np.float32)
        if "view_zenith" in self.ds:
            zenith = self.plane("view_zenith", index)
        count = self._count(index) if "count" in self.ds else observed.astype(np.uint8)
        count[empty] = 0
        zeros = f"{empty.sum():,} cells that are 0 in red, nir and {self.mir} are missing"
        return DayPlanes(red, nir, mir, zenith, count, inputs=self._inputs()), [zeros] if empty.any() else []

    def fires(
        self, index: int, hotspots: pd.DataFrame | None
    ) -> tuple[npt.NDArray[np.floating[Any]] | None, list[str]]:
        if "frp" in self.ds:
            power = self.plane("frp", index)
            check_power(power, str(self.days[index]))
            return power, []
        return fires_of(hotspots, self.region, self.days[index])

    def _count(self, index: int) -> npt.NDArray[np.uint8]:
        """Return the number of looks, of which a cube holds up to 255 a day."""
        values = np.nan_to_num(self.plane("count", index))
        if ((values < 0) | (values != np.round(values))).any():
            raise InputError(
                f"count of {self.days[index]} holds numbers that count nothing: below 0 or not whole"
            )
        return np.minimum(values, 255).astype(np.uint8)

    def _reflectance(self, variable: str, index: int) -> npt.NDArray[np.float32]:
        values = self.plane(variable, index)
        if in_percent(self.ds[variable].attrs.get("units")):
            values /= 100
        check_reflectance(variable, values, str(self.days[index]))
        return values

    def _inputs(self) -> tuple[str, ...]:
        name = self.ds.encoding.get("source")
        return (Path(str(name)).name,) if name else ()


def _axis(ds: xr.Dataset, names: tuple[str, ...]) -> str:
    for name in names:
        if name in ds.dims and name in ds.coords:
            return name
    held = ", ".join(map(str, ds.dims))
    raise InputError(f"the dataset has no axis {' or '.join(names)} with coordinates; it has {held}")


def _days(ds: xr.Dataset) -> Days:
    if "time" not in ds.coords or ds["time"].ndim != 1:
        raise InputError("the dataset has no axis time with coordinates")
    times = ds["time"].to_index()
    if len(times) and all(getattr(one, "tzinfo", None) is not None for one in times):
        times = pd.to_datetime(list(times), utc=True).tz_localize(None)
    if not isinstance(times, pd.DatetimeIndex):
        kind = type(times[0]).__name__ if len(times) else "nothing"
        advice = _advice_on_times(ds["time"], kind)
        raise InputError(f"the times of the dataset are {kind}, not datetime64; {advice}")
    days: Days = times.to_numpy().astype("datetime64[D]")
    if np.isnat(days).any():
        raise InputError("the dataset has a time that is missing (NaT)")
    unique, counts = np.unique(days, return_counts=True)
    if (counts > 1).any():
        twice: Day = unique[counts > 1][0]
        raise InputError(f"the dataset has {twice} more than once; reduce it to one time a UTC day first")
    return days


def _advice_on_times(times: xr.DataArray, kind: str) -> str:
    """Return the call that makes dates of times that are none."""
    if times.dtype.kind not in "iuf":
        if kind.startswith("Datetime"):  # of cftime
            return 'ds = ds.convert_calendar("standard", use_cftime=False) makes them so'
        return 'ds = ds.assign_coords(time=pandas.to_datetime(ds["time"].values)) makes them so'
    if " since " in str(times.attrs.get("units")):
        return "ds = xarray.decode_cf(ds) makes them so"
    return 'say what they are: ds = ds.assign_coords(time=pandas.date_range("2024-08-01", periods=31))'


def _ascends(values: npt.NDArray[Any]) -> bool:
    return bool(values[-1] >= values[0])


def _slack(values: npt.NDArray[Any]) -> float:
    """Return how far centres may be from a regular grid, in cells: float32 keeps 150 degrees to 1.5e-5."""
    if values.ndim != 1 or len(values) < 2 or values.dtype.kind != "f" or not np.isfinite(values).all():
        return _TOLERANCE
    step = abs(float(values[-1]) - float(values[0])) / (len(values) - 1)
    spacing = float(np.spacing(np.abs(values).max()))
    return max(_TOLERANCE, min(spacing / step, _MOST_SLACK)) if step else _TOLERANCE


def _regular(what: str, values: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.float64]:
    """Return the values in ascending order after making sure that they are evenly spaced."""
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise InputError(f"the {what}s of the dataset are not one row of finite numbers")
    ordered = values if _ascends(values) else values[::-1]
    if len(ordered) > 1:
        even = np.linspace(ordered[0], ordered[-1], len(ordered))
        step = _step(ordered)
        worst = float(np.abs(ordered - even).max()) / step if step > 0 else np.inf
        if worst > slack:
            raise InputError(
                f"the {what}s of the dataset are not evenly spaced: one is {worst:.3g} cells off"
            )
    return ordered


def _step(ordered: npt.NDArray[np.float64]) -> float:
    return float(ordered[-1] - ordered[0]) / (len(ordered) - 1) if len(ordered) > 1 else 0.0


def _rounded(value: float, tolerance: float) -> float:
    """Round to the fewest decimals that stay within the tolerance."""
    return next(
        (round(value, n) for n in range(13) if abs(round(value, n) - value) <= tolerance), float(value)
    )
