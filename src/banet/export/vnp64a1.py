"""Maps in the layout of VNP64A1, so that what reads NASA's product goes on unchanged.

Monthly HDF4 tiles of the sinusoidal grid, or GeoTIFF windows of the same pixels. A pixel looks up the cell
around its centre. Of a burned cell so many pixels burn as its burned fraction asks for, those towards more
burning first, and what rounding leaves goes to the next cell: hectares stay what they were. Where cells are
so narrow that some hold no centre, so many of two by two pixels burn as what burned on them asks for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.joining import disjoint, join, notes_on
from banet.burned_area.meaning import NOT_OBSERVED, UNBURNED, WATER
from banet.burned_area.unknown import count
from banet.days import as_month, day_of_year, day_stamp, month_days, month_range, whole_months
from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.export.products import gathered
from banet.grid.region import Region
from banet.grid.sinusoidal import EARTH_RADIUS, TILE_SIZE, SinusoidalGrid, tile_grid, tiles_of_region
from banet.grid.sinusoidal_cuts import pixels_under
from banet.io.files import PathLike, output_folder, remove_files, writing
from banet.io.hdf4 import file_attributes
from banet.io.versions import version
from banet.labels.monthly_files import Layers
from banet.labels.tile_files import TILE_PIXELS, write_tile

__all__ = ["SINUSOIDAL", "write_vnp64a1"]

SINUSOIDAL = f"+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R={EARTH_RADIUS} +units=m +no_defs"

_GLOBE = SinusoidalGrid(
    -18 * TILE_SIZE, 9 * TILE_SIZE, TILE_SIZE / TILE_PIXELS, (18 * TILE_PIXELS, 36 * TILE_PIXELS)
)
_LAND, _VALID, _SHORT = 1, 2, 4
"""Bits of QA: land, enough valid data, a month that is not covered whole."""
_MOST_DAYS = 100
"""Largest uncertainty that the product holds."""
_AT_ONCE = 2**22
Indices = npt.NDArray[np.intp]
Reals = npt.NDArray[np.float64]
_WINDOWS = "VNP64A1.002_*_aid0001.tif"
_NAMES = ("Burn_Date", "Burn_Date_Uncertainty", "QA", "First_Day", "Last_Day")


def write_vnp64a1(
    maps: BurnedArea | PathLike | Sequence[BurnedArea | PathLike],
    folder: PathLike,
    *,
    form: Literal["hdf", "tif"] = "hdf",
) -> list[Path]:
    """Write maps as monthly files in the layout of VNP64A1.002, and return their paths.

    Tiles are `VNP64A1.AYYYYDDD.hHHvVV.002.YYYYDDD000000.hdf`, windows of the region
    `VNP64A1.002_{layer}_doyYYYYDDD000000_aid0001.tif`, one a layer, in the sinusoidal projection. Burn Date:
    day of year, 0 unburned, -1 not observed or outside the region, -2 water. First and Last Day: the days of
    the month that the maps cover. Instead of the time of production, names hold the last day of the maps.
    Files take the place of those that an earlier export wrote of their region, tile and month.

    Args:
        maps: of one region and of periods that do not overlap, or paths of them; a folder gives all its maps.
        folder: to write to.
        form: `hdf` for tiles, `tif` for windows.

    Raises:
        InputError: if maps do not fit together, a form is unknown, or the folder holds a file of such a tile
            and month, or a window, of another region.
        OutputError: if a file cannot be written.
        UnreadableFileError: if such a file in the folder is damaged.

    Warns:
        BanetWarning: of days between the maps, which no file covers, and of maps by several methods.
    """
    if form not in ("hdf", "tif"):
        raise InputError(f"no form {form!r} of VNP64A1; there are hdf and tif")
    ordered, target = disjoint(gathered(maps)), output_folder(folder)
    for note in notes_on(ordered):
        warnings.warn(note, BanetWarning, stacklevel=2)
    if form == "tif" and ordered[0].region.east > 180:
        raise InputError(
            f"{ordered[0].region.name} lies on both sides of 180 degrees, the ends of the grid: no "
            "window holds it; write tiles (vnp64a1)"
        )
    made = day_stamp(ordered[-1].stop - 1)
    write = _write_tiles if form == "hdf" else _write_windows
    paths: list[Path] = []
    months: dict[np.datetime64, list[BurnedArea]] = {}
    for month in month_range(as_month(ordered[0].start), as_month(ordered[-1].stop - 1)):
        first, stop = month_days(month)
        parts = [one.between(first, stop) for one in ordered if one.start < stop and one.stop > first]
        if parts:
            months[month] = parts
    _check_own(target, ordered[0].region, form, list(months))
    for month, parts in months.items():
        paths += write(_Pixels.of(join(parts), month), target, made)
    return paths


@dataclass(frozen=True, eq=False)
class _Pixels:
    """A month of a map and which pixels of the globe's grid burn in it.

    Attributes:
        burned: row and column of each, (n,), in the window of the region.
        rows, cols: that window.
        cell: of the map, of each burned pixel, (n,).
    """

    source: BurnedArea
    month: np.datetime64
    rows: slice
    cols: slice
    burned: tuple[Indices, Indices]
    cell: Indices

    @classmethod
    def of(cls, source: BurnedArea, month: np.datetime64) -> _Pixels:
        rows, cols = _GLOBE.window_on(source.region)
        cell, y, x, kept = (_of_blocks if _narrow(source.region) else _of_cells)(source, rows, cols)
        return cls(source, month, rows, cols, (y[kept], x[kept]), cell[kept])

    def layers(self, rows: slice, cols: slice, grid: SinusoidalGrid) -> Layers:
        """Return the layers of a window of the globe's grid."""
        shape = (rows.stop - rows.start, cols.stop - cols.start)
        around = _cells(self.source.region, *_indices(rows, cols))[0].ravel()
        inside, at = around >= 0, np.maximum(around, 0)
        status = np.where(self.source.status > UNBURNED, UNBURNED, self.source.status).ravel()
        burn = np.where(inside, status[at], NOT_OBSERVED).astype(np.int16)
        y = self.burned[0] + self.rows.start - rows.start
        x = self.burned[1] + self.cols.start - cols.start
        here = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        pixel, cell = y[here] * shape[1] + x[here], self.cell[here]
        burn[pixel] = day_of_year(self.source.burn_date.ravel()[cell])
        spread = np.zeros(around.shape, np.uint8)
        stated = self.source.uncertainty.ravel()[cell]
        spread[pixel] = np.where(stated == NO_UNCERTAINTY, 0, np.clip(stated, 1, _MOST_DAYS))
        known, land = burn >= UNBURNED, inside & (burn != WATER)
        first, last, short = (
            np.where(known, plane.ravel()[at], np.minimum(burn, -1)) for plane in self._days()
        )
        qa = np.where(land, _LAND, 0) + np.where(known, _VALID + short, 0)
        return Layers(
            grid,
            burn.reshape(shape),
            spread.reshape(shape),
            qa.astype(np.uint8).reshape(shape),
            first.reshape(shape),
            last.reshape(shape),
        )

    def _days(self) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Return first and last known day of year of each cell, and the bit of QA for a month with gaps."""
        source = self.source
        first, last = (np.full(source.region.shape, day) for day in (source.start, source.stop - 1))
        for one in sorted(source.unknown_days, key=lambda one: one.start):
            first[one.cells & (one.start <= first) & (first < one.stop)] = one.stop
        for one in sorted(source.unknown_days, key=lambda one: one.stop, reverse=True):
            last[one.cells & (one.start <= last) & (last < one.stop)] = one.start - 1
        gaps = count(source.unknown_days, source.region.shape) > 0
        short = gaps | (not whole_months(source.start, source.stop))
        return day_of_year(first), day_of_year(last), (short * _SHORT).astype(np.int16)


def _indices(rows: slice, cols: slice) -> tuple[Indices, Indices]:
    """Return rows and columns of a window of the globe's grid, (rows, 1) and (1, columns)."""
    return np.arange(rows.start, rows.stop)[:, None], np.arange(cols.start, cols.stop)[None]


def _cells(region: Region, row: Indices, col: Indices) -> tuple[Indices, Reals, Reals]:
    """Return the cell around the centre of each pixel, -1 outside; its place in rows and columns.

    The place is counted in cells from the centre of the first. Rows and columns of pixels may be of any
    shapes that broadcast.
    """
    pixel = _GLOBE.pixel
    lat = (_GLOBE.top - (row + 0.5) * pixel) / EARTH_RADIUS
    lon = np.degrees((_GLOBE.left + (col + 0.5) * pixel) / (EARTH_RADIUS * np.cos(lat)))
    at_row, at_col, inside = region.cells_of(lon, np.degrees(lat))
    inside &= np.abs(lon) <= 180  # beyond lie the corners of the projection's rectangle
    down = (region.north - np.degrees(lat)) / region.pixel_size - 0.5
    right = np.mod(lon - region.west, 360) / region.pixel_size - 0.5
    return np.where(inside, at_row * region.shape[1] + at_col, -1), down, right


def _narrow(region: Region) -> bool:
    """Return whether cells are lower or narrower than a pixel somewhere, so that some hold no centre."""
    width = np.cos(np.radians(max(abs(region.north), abs(region.south))))
    return bool(np.radians(region.pixel_size) * EARTH_RADIUS * width < _GLOBE.pixel)


def _asked(source: BurnedArea, cell: Indices) -> Reals:
    """Return how many pixels the area that burned of each cell is."""
    region = source.region
    edges = np.sin(np.radians(np.linspace(region.north, region.south, region.shape[0] + 1)))
    width = np.radians((region.east - region.west) / region.shape[1])
    pixels = EARTH_RADIUS**2 * width * -np.diff(edges) / _GLOBE.pixel**2
    return np.asarray(pixels[cell // region.shape[1]] * source.burned_fraction.ravel()[cell], np.float64)


_Chosen = tuple[Indices, Indices, Indices, npt.NDArray[np.bool_]]
"""Pixels that may burn: cell of the map, row and column in the window of the region; which of them burn."""


def _of_cells(source: BurnedArea, rows: slice, cols: slice) -> _Chosen:
    """Choose among the pixels whose centres lie in each burned cell."""
    found = [np.zeros((4, 0))]
    flat = np.nan_to_num(source.burned_fraction)
    height = max(1, _AT_ONCE // (cols.stop - cols.start))
    for top in range(rows.start, rows.stop, height):
        band = slice(top, min(top + height, rows.stop))
        cell, down, right = _cells(source.region, *_indices(band, cols))
        y, x = np.nonzero((cell >= 0) & source.burned.ravel()[np.maximum(cell, 0)])
        # Bilinear between cells: pixels towards cells that burned more come first.
        rank = ndimage.map_coordinates(flat, [down[y, 0], right[y, x]], order=1, mode="nearest")
        found.append(np.stack([cell[y, x], y + band.start - rows.start, x, rank]))
    every = np.concatenate(found, axis=1)
    cell, y, x = every[:3].astype(np.intp)
    _, at, count = np.unique(cell, return_inverse=True, return_counts=True)
    return cell, y, x, _kept(cell, every[3], _asked(source, cell) / count[at])


def _of_blocks(source: BurnedArea, rows: slice, cols: slice) -> _Chosen:
    """Choose among each two by two pixels those of which burned cells cover most."""
    region, grid = source.region, _GLOBE.window(rows, cols)
    burned = np.flatnonzero(source.burned)
    found = [(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))]
    for begin in range(0, burned.size, _AT_ONCE // 64):
        cells = burned[begin : begin + _AT_ONCE // 64]
        owner, pixel, part = pixels_under(grid, region, *np.divmod(cells, region.shape[1]))
        pairs, at = np.unique(pixel * cells.size + owner, return_inverse=True)
        at_pixel, owner = np.divmod(pairs, cells.size)
        found.append((at_pixel, cells[owner], np.bincount(at, part) * _asked(source, cells)[owner]))
    pixel, cell, part = (np.concatenate(parts) for parts in zip(*found, strict=True))
    pixels, at = np.unique(pixel, return_inverse=True)
    y, x = np.divmod(pixels, grid.shape[1])
    around, _, _ = _cells(region, y + rows.start, x + cols.start)
    # The cell around the centre dates a pixel if it burned, else the one with most of it.
    best = np.lexsort((part + (cell == around[at]), at))[np.cumsum(np.bincount(at)) - 1]
    share = np.asarray(np.bincount(at, part), np.float64)
    group = (y + rows.start) // 2 * _GLOBE.shape[1] + (x + cols.start) // 2
    return cell[best], y, x, _kept(group, np.where(around >= 0, share, -1), share)


def _kept(group: Indices, rank: Reals, asked: Reals) -> npt.NDArray[np.bool_]:
    """Return which pixels burn: of each group as many as all of them ask for, those of highest rank first.

    What rounding leaves goes to the next group. Pixels of negative rank ask, but never burn.
    """
    order = np.lexsort((-rank, group))
    _, start = np.unique(group[order], return_index=True)
    there, wanted = (np.add.reduceat(values[order], start) for values in ((rank >= 0).astype(np.intp), asked))
    kept, left = np.zeros(group.size, bool), 0.0
    for begin, most, of_group in zip(start.tolist(), there.tolist(), wanted.tolist(), strict=True):
        number = min(max(round(of_group + left), 0), most)
        left += of_group - number
        kept[order[begin : begin + number]] = True
    return kept


def _write_tiles(pixels: _Pixels, folder: Path, made: str) -> Iterator[Path]:
    for h, v in tiles_of_region(pixels.source.region):
        rows = slice(v * TILE_PIXELS, (v + 1) * TILE_PIXELS)
        cols = slice(h * TILE_PIXELS, (h + 1) * TILE_PIXELS)
        layers = pixels.layers(rows, cols, tile_grid(h, v))
        names = _of_tile(pixels.month, h, v)
        path = folder / names.replace("*", f"{made}000000")
        with writing(path) as part:
            write_tile(part, h, v, pixels.month, layers, _about(path.name, pixels.source.region, layers))
        remove_files(set(folder.glob(names)) - {path})
        yield path


def _stamp(month: np.datetime64) -> str:
    """Return the stamp of the first day of a month."""
    return day_stamp(month.astype("datetime64[D]"))


def _of_tile(month: np.datetime64, h: int, v: int) -> str:
    """Return the names of the files of a tile and month, with `*` for the day on which their maps end."""
    return f"VNP64A1.A{_stamp(month)}.h{h:02d}v{v:02d}.002.*.hdf"


def _check_own(folder: Path, region: Region, form: str, months: Sequence[np.datetime64]) -> None:
    """Make sure that files of the same tile and month, and all windows of a folder, are of the same region.

    Their names carry none: readers would take the file of one region for that of the other. Windows of other
    months that are not by banet may stay.
    """
    stamps = [f"doy{_stamp(month)}" for month in months]
    names = [_of_tile(month, h, v) for month in months for h, v in tiles_of_region(region)]
    for path in sorted(
        path for name in (names if form == "hdf" else [_WINDOWS]) for path in folder.glob(name)
    ):
        held = _region_of(path)
        beside = form == "tif" and held is None and not any(stamp in path.name for stamp in stamps)
        if held != str(region) and not beside:
            raise InputError(
                f"{path} is of {held or 'another source'}; write {region} to a folder of its own"
            )


def _region_of(path: Path) -> str | None:
    """Return the region that a file of banet says it is of; None in other files."""
    import rasterio

    if path.suffix == ".hdf":
        return file_attributes(path).get("Region")
    try:
        with rasterio.open(path) as file:
            return cast("str | None", file.tags().get("region"))
    except rasterio.errors.RasterioError as error:
        raise UnreadableFileError(f"{path} is no readable GeoTIFF: {error}") from error


def _about(name: str, region: Region, layers: Layers) -> dict[str, str]:
    return {
        "Region": str(region),
        "LongName": "Burned area by banet in the layout of VNP64A1 (no product of NASA)",
        "LocalGranuleID": name,
        "CodeVersion": f"banet {version('banet')}",
        "BurnedCells": str(int((layers.burn > 0).sum())),
        "MissingCells": str(int((layers.burn == NOT_OBSERVED).sum())),
    }


def _write_windows(pixels: _Pixels, folder: Path, made: str) -> Iterator[Path]:
    import rasterio
    from affine import Affine

    stamp = _stamp(pixels.month)
    grid = _GLOBE.window(pixels.rows, pixels.cols)
    layers = pixels.layers(pixels.rows, pixels.cols, grid)
    planes = (layers.burn, layers.uncertainty, layers.qa, layers.first, layers.last)
    profile = {"driver": "GTiff", "count": 1, "height": grid.shape[0], "width": grid.shape[1]}
    profile |= {"crs": SINUSOIDAL, "transform": Affine(grid.pixel, 0, grid.left, 0, -grid.pixel, grid.top)}
    profile |= {"compress": "deflate", "tiled": True, "blockxsize": 256, "blockysize": 256}
    for name, plane in zip(_NAMES, planes, strict=True):
        assert plane is not None
        nodata = NOT_OBSERVED if plane.dtype == np.int16 else None
        path = folder / f"VNP64A1.002_{name}_doy{stamp}000000_aid0001.tif"
        with (
            writing(path) as part,
            rasterio.open(part, "w", **profile, dtype=plane.dtype, nodata=nodata) as file,
        ):
            file.write(plane, 1)
            file.update_tags(
                made_by=f"banet {version('banet')}", last_day=made, region=str(pixels.source.region)
            )
        yield path
