"""GeoTIFFs of a burned-area source: burn date, confidence and date uncertainty, written and read."""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.colours import confidence_table, uncertainty_table
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.meaning import NOT_OBSERVED, WATER, Meaning, meanings
from banet.days import (
    LAST_DAY_OF_YEAR,
    NO_DATE,
    Day,
    Days,
    day_of_year,
    day_range,
    from_day_of_year,
    parse_period,
)
from banet.errors import BanetWarning, InputError, NotFoundError, OutputError, UnreadableFileError
from banet.grid.average import LatLonGrid
from banet.grid.rasters import grid_of, read_window, same_cells
from banet.grid.region import Region
from banet.io.files import PathLike, writing

__all__ = ["Layer", "layer_of", "layers", "read_geotiff", "write_cog"]

_BLOCK = 256
_BURNED = "BURNED"
"""Resampling by which a block that burned anywhere stays burned, so that small fires show far out too."""
_MONTHS = 12
_BURN_DATE = "_burn_date.tif"
_YEARLY = re.compile(r"\D*((?:19|20)\d\d)")
"""Name, without its ending, of a raster that covers a whole year."""
_YEARS = re.compile(r"((?:19|20)\d\d)(?:-((?:19|20)\d\d))?")
"""Tag `year` of a raster: its year, or the first and the last."""
_MASK_VALUES = frozenset({1, 100, 254, 255})
"""The one value of burned cells in masks: yes, 100 %, and the largest of a byte, or the last before it."""
_OWN_DAYS = (
    "give its own days, or write them into it (tags start and end); a file of a whole year is cut to the "
    "days that are asked if it is named NAME_YYYY.tif"
)
_BANDS = ("burn date", "JD", "day of burn", "day of year", "doy")
"""What the band of burn dates may be called in a raster of several."""


OPTIONAL = ("over_tenth",)
"""Names of the layers that only some maps have."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One raster product.

    Attributes:
        name: what goes into the file name, such as `burn_date`.
        values: (rows, columns) int16 or uint8.
        meaning: of the values: title, unit, codes and the value for no data.
        resampling: how overviews are made: GDAL's names, or `BURNED`: of 2 x 2 values the most frequent day
            of burning, of values without any the most frequent. None of the ways makes a value that is not in
            the raster.
        tags: text metadata of the file.
        colours: red, green, blue, alpha by value, of uint8 rasters.
    """

    name: str
    values: npt.NDArray[np.int16] | npt.NDArray[np.uint8]
    meaning: Meaning
    resampling: str
    tags: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[int, tuple[int, int, int, int]] | None = None


def layers(source: BurnedArea) -> tuple[Layer, ...]:
    """Return burn date, confidence, uncertainty and what else a map tells as raster products."""
    said, tags = meanings(source), _tags(source)

    def layer(name: str, values: Any, meaning: Meaning, resampling: str, **more: Any) -> Layer:
        about = {"codes": meaning.text} | ({"method": meaning.method} if meaning.method else {})
        return Layer(name, values, meaning, resampling, {**tags, **about, **more.pop("tags", {})}, **more)

    tenth = source.over_tenth
    percent = confidence_table()
    more = () if tenth is None else ("over_tenth", tenth, said["over_tenth"], "NEAREST")
    return (
        layer("burn_date", source.burn_doy, said["burn_doy"], _BURNED, tags=_years(source)),
        layer("confidence", source.confidence, said["confidence"], "NEAREST", colours=percent),
        layer("uncertainty", source.uncertainty, said["uncertainty"], "NEAREST", colours=uncertainty_table()),
        *([layer(*more, colours=percent)] if more else []),
    )


def layer_of(source: BurnedArea, values: npt.NDArray[np.uint8], meaning: Meaning) -> Layer:
    """Return a further plane of a map, (rows, columns), as a raster product."""
    about = {"codes": meaning.text} | ({"method": meaning.method} if meaning.method else {})
    return Layer(meaning.name, values, meaning, "NEAREST", {**_tags(source), **about})


def write_cog(layer: Layer, region: Region, path: PathLike) -> Path:
    """Write a cloud-optimised GeoTIFF in EPSG:4326, its corner exactly the region's, and return its path.

    Equal input gives equal bytes: no time of writing is in the file.

    Raises:
        OutputError: if it cannot be written.
    """
    from rasterio.errors import RasterioError

    target = Path(path)
    with writing(target) as part:
        try:
            _copy_as_cog(layer, region, part)
        except RasterioError as error:
            raise OutputError(f"cannot write {target}: {error}") from error
    return target


def _copy_as_cog(layer: Layer, region: Region, part: Path) -> None:
    import rasterio
    import rasterio.shutil
    from rasterio.io import MemoryFile

    rows, cols = layer.values.shape
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": rows,
        "width": cols,
        "count": 1,
        "dtype": layer.values.dtype,
        "nodata": layer.meaning.nodata,
        "crs": "EPSG:4326",
        "transform": region.transform,
    }
    own = layer.resampling == _BURNED
    with rasterio.Env(GDAL_NUM_THREADS="1"), MemoryFile() as memory, contextlib.ExitStack() as beside:
        with memory.open(**profile) as raster:
            raster.write(layer.values, 1)
            raster.set_band_description(1, layer.meaning.title)
            raster.set_band_unit(1, layer.meaning.unit)
            raster.update_tags(AREA_OR_POINT="Area", **layer.tags)
            if layer.colours is not None:
                raster.write_colormap(1, dict(layer.colours))
        values, name = layer.values, memory.name
        while own and max(values.shape) > _BLOCK:
            values, name = _halved(values), f"{name}.ovr"
            size = {"height": values.shape[0], "width": values.shape[1]}
            beside.callback(rasterio.shutil.delete, name)
            with rasterio.open(name, "w", **profile | size) as overview:
                overview.write(values, 1)
        with memory.open() as raster:
            rasterio.shutil.copy(
                raster,
                part,
                driver="COG",
                compress="DEFLATE",
                predictor="NO" if layer.colours is not None else "YES",
                blocksize=_BLOCK,
                overviews="AUTO",
                overview_resampling="NEAREST" if own else layer.resampling,
            )


def _halved(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the overview of days of burning by `_BURNED`, half as high and wide."""
    rows, cols = values.shape
    padded = np.pad(values, ((0, rows % 2), (0, cols % 2)), mode="edge")
    four = np.stack([padded[row::2, col::2] for row in (0, 1) for col in (0, 1)])
    none = np.iinfo(values.dtype).max
    day = _most_frequent(np.where(four > 0, four, none), none)
    return np.where(day < none, day, _most_frequent(four, none)).astype(values.dtype)


def _most_frequent(four: npt.NDArray[Any], none: int) -> npt.NDArray[Any]:
    """Return the most frequent value along the first axis, the smallest of equal ones; `none` counts last."""
    ordered = np.sort(four, axis=0)
    again = (ordered[1:] == ordered[:-1]) & (ordered[1:] < none)
    return np.asarray(np.take_along_axis(ordered, again.argmax(axis=0)[None], axis=0)[0])


def _tags(source: BurnedArea) -> dict[str, str]:
    first, last = source.start, source.stop - np.timedelta64(1, "D")
    return {
        "region": source.region.name,
        "start": str(first),
        "end": str(last),
        "threshold": f"{source.threshold:g}",
        "TIFFTAG_SOFTWARE": "banet",
        "TIFFTAG_IMAGEDESCRIPTION": f"Burned area of {source.region.name}, {first} to {last} (UTC days)",
    }


def _years(source: BurnedArea) -> dict[str, str]:
    """Return the tags that place days of year."""
    first, last = source.start, source.stop - np.timedelta64(1, "D")
    span = day_of_year(np.array([first, last]))
    return {
        "year": "-".join(sorted({str(day)[:4] for day in (first, last)})),
        "first_day_of_year": str(span[0]),
        "last_day_of_year": str(span[1]),
    }


def read_geotiff(path: PathLike, *, days: tuple[Any, Any] | None = None) -> BurnedArea:
    """Read a raster of burn dates (1-366; 0 unburned, -1 not observed, -2 water) in degrees.

    The confidence and uncertainty rasters of banet beside it are read as well. The burned fraction, which no
    raster holds, is 1 where burned. Of several bands the one that is described as burn date is read. Values
    are taken by the scale and offset that the file states; a file that stores 0, -1 or -2 and by these tags
    means another value is refused.

    Args:
        path: a GeoTIFF, such as `{name}_burn_date.tif`.
        days: first and last day (or month), both included, by which days of year are placed where the file's
            tags `start` and `end` do not say. A file with the tag `year`, or whose name holds one number, a
            year at its end (`burned_2021.tif`), covers that year, and is cut to these days.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is no GeoTIFF in degrees with square cells, its days are not known, or a
            raster beside it is damaged or lies on other cells.
        InputError: if it has several bands and does not say which of them is the burn date, its grid is that
            of no region, its tags name no days, or its tag `year` names another year than the days.

    Warns:
        BanetWarning: if its values may be no days of year: all that burned holds 1, 100, 254 or 255, or at
            most 12 in a period that goes on after January, and the file does not state its days; and if burn
            dates of a yearly file lie outside the days.
    """
    file = Path(path)
    if not file.is_file():
        raise NotFoundError(f"the raster {file} does not exist")
    values, region, (start, stop), stated_days = _read(file, days)
    date = _dates(values, start, stop, file.name)
    doubt = "" if stated_days else _doubt(values)
    if doubt and (values.max() in _MASK_VALUES or stop > _january_ends(start)):
        told = f"{file.name}: {doubt}; its values are taken for days of the year"
        warnings.warn(told, BanetWarning, stacklevel=2)
    burned = values > 0
    confidence, spread = _beside(file, "confidence", 100), _beside(file, "uncertainty", NO_UNCERTAINTY)
    stated = np.full(values.shape, np.nan) if spread is None else spread
    whole = BurnedArea(
        region=region,
        start=start,
        stop=stop,
        burned_fraction=np.where(values == NOT_OBSERVED, np.nan, burned).astype(np.float32),
        burn_date=date,
        uncertainty=np.where(burned & np.isfinite(stated), stated, NO_UNCERTAINTY).astype(np.uint8),
        water=values == WATER,
        threshold=0.0,
        name=file.name.removesuffix(_BURN_DATE),
        stated_confidence=confidence,
    )
    return whole if stated_days or days is None else _cut(whole, *parse_period(*days), file.name)


def _cut(whole: BurnedArea, start: Day, stop: Day, name: str) -> BurnedArea:
    """Return what burned in a period, and warn of burn dates outside it."""
    date, burned = whole.burn_date, int(whole.burned.sum())
    outside = int(((date < start) | (date >= stop)).sum())
    if outside:
        told = (
            f"{name} is of the year {str(whole.start)[:4]}: {outside:,} of {burned:,} burn dates are left out"
        )
        warnings.warn(f"{told}, outside {start} to {stop - 1}", BanetWarning, stacklevel=3)
    return whole.between(start, stop)


def _read(file: Path, days: tuple[Any, Any] | None) -> tuple[npt.NDArray[Any], Region, tuple[Day, Day], bool]:
    """Return the values of a raster, its grid, its period, and whether the file itself states the period."""
    grid = grid_of(file)
    if not isinstance(grid, LatLonGrid) or not np.isclose(grid.height, grid.width, rtol=1e-6):
        raise UnreadableFileError(
            f"{file.name} does not lie on square cells in degrees; bring it there, or name it like the "
            "product that it is (MCD64A1..., *-ESACCI-L3S_FIRE-BA-*-JD.tif, auscover_YYYY.tif)"
        )
    window = read_window(file, None, _BANDS)
    tags = {**_period_of_year(file, window.tags), **window.tags}
    own = {"start", "end"} <= tags.keys()
    values = window.whole(
        NOT_OBSERVED, (0, WATER), file.name, what="burn dates", expected=(WATER, LAST_DAY_OF_YEAR)
    )
    if not own:
        tags |= _days_of(file, values, tags.get("year", ""), days)
    if "start" not in tags or "end" not in tags:
        raise UnreadableFileError(
            f"{file.name} does not say which days it covers (tags start and end); give the first and last day"
        )
    try:
        region = _region(grid, tags.get("region") or "raster")
        return values, region, parse_period(tags["start"], tags["end"]), own
    except InputError as error:
        raise InputError(f"{file.name}: {error}") from error


def _region(grid: LatLonGrid, name: str) -> Region:
    """Return the region of a grid, turned round the world where its longitudes are others (0 to 360)."""
    turns = 0 if -180 <= grid.west <= 180 else math.floor((grid.west + 180) / 360)
    west = grid.west - 360 * turns if abs(turns) <= 1 else grid.west
    south, east = grid.north - grid.shape[0] * grid.height, west + grid.shape[1] * grid.width
    west, south, east, north = (round(edge, 9) for edge in (west, south, east, grid.north))
    return Region(name, (west, south, east, north), round(grid.width, 12))


def _period_of_year(file: Path, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the period that the tags of `_years` state, as `start` and `end`; nothing where they do not."""
    years = _YEARS.fullmatch(tags.get("year", ""))
    first, last = (tags.get(f"{which}_day_of_year", "") for which in ("first", "last"))
    if years is None or not (first.isdecimal() and last.isdecimal()):
        return {}
    try:
        start = from_day_of_year(int(years[1]), int(first))
        return {"start": str(start), "end": str(from_day_of_year(int(years[2] or years[1]), int(last)))}
    except InputError as error:
        raise InputError(f"{file.name}: {error}, which its tags name") from error


def _days_of(
    file: Path, values: npt.NDArray[Any], tagged: str, days: tuple[Any, Any] | None
) -> dict[str, str]:
    """Return the period of a raster without tags of it, as they would say it: its year, or the days asked."""
    asked = None if days is None else parse_period(*days)
    if told := _YEARS.fullmatch(tagged.strip()):
        first, stop = parse_period(f"{told[1]}-01", f"{told[2] or told[1]}-12")
        if asked is not None and (asked[1] <= first or stop <= asked[0]):
            raise InputError(
                f"{file.name} is of the year {told[0]} (its tag year); asked for are {asked[0]} to "
                f"{asked[1] - 1}: give days of that year, or mend the tag"
            )
        if told[2] is None:
            return {"start": str(first), "end": str(stop - 1)}
    named = _YEARLY.fullmatch(file.stem)
    if named is not None and not _doubt(values):
        first, stop = parse_period(f"{named[1]}-01", f"{named[1]}-12")
        if asked is None or (first <= asked[0] and asked[1] <= stop):
            return {"start": str(first), "end": str(stop - 1)}
    return {} if days is None else {"start": str(days[0]), "end": str(days[1])}


def _january_ends(start: Day) -> Day:
    """Return the first day of February in the year of a day."""
    return Day(f"{str(start)[:4]}-02-01")


def _doubt(values: npt.NDArray[Any]) -> str:
    """Return what a raster may hold in the place of days of the year; empty if nothing.

    One value in all burned cells is a mask's if it is one that masks use; any other may be a fire of one day.
    """
    held = np.unique(values[values > 0])
    if held.size == 1 and int(held[0]) in _MASK_VALUES:
        return f"it looks like a mask of 0 and {held[0]}, which tells no dates"
    if held.size and held[-1] <= _MONTHS:
        return "its values may be months; a yearly AusCover file is read as such if named auscover_YYYY.tif"
    return ""


def _beside(file: Path, layer: str, most: float) -> npt.NDArray[np.float32] | None:
    """Return a layer beside a burn date, NaN where it says nothing or more than `most`; None if none is."""
    other = file.with_name(file.name.replace(_BURN_DATE, f"_{layer}.tif"))
    if other == file or not other.is_file():
        return None
    if not same_cells(file, other):
        raise UnreadableFileError(f"{other.name} does not lie on the cells of {file.name}; write both again")
    window = read_window(other, None, (layer,))
    values = np.where(window.missing((0,)), np.nan, window.values).astype(np.float32)
    return np.where((values >= 0) & (values <= most), values, np.float32(np.nan))


def _dates(values: npt.NDArray[Any], start: Day, stop: Day, name: str) -> Days:
    """Place days of year within the period, each on the one day that it can be."""
    date = np.full(values.shape, NO_DATE)
    period = f"{start} to {stop - 1}"
    for day in day_range(start, stop):
        here = values == int(day_of_year(np.array([day]))[0])
        if here.any() and not np.isnat(date[here]).all():
            raise UnreadableFileError(
                f"{name} holds days of year that {period} has twice; give days of at most a year"
            )
        date[here] = day
    outside = (values > 0) & np.isnat(date)
    if outside.any():
        told = [_doubt(values)]
        if values.max() > 1:
            told.insert(0, _OWN_DAYS)
        count = f"{name}: {int(outside.sum())} burn dates lie outside {period}"
        raise UnreadableFileError("; ".join(filter(None, [count, *told])))
    return date
