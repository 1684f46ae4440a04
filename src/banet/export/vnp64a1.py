"""Maps in the layout of VNP64A1, so that what reads NASA's product goes on unchanged.

Monthly HDF4 tiles of the sinusoidal grid, or GeoTIFF windows of the same pixels. A pixel looks up the cell
around its centre. Of a burned cell so many pixels burn as its burned fraction asks for, those towards more
burning first, and what rounding leaves goes to the next cell: hectares stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import NO_UNCERTAINTY
from banet.burned_area.joining import disjoint, join
from banet.burned_area.meaning import NOT_OBSERVED, UNBURNED, WATER
from banet.days import as_month, day_of_year, day_stamp, month_days, month_range, whole_months
from banet.errors import InputError
from banet.export.products import gathered
from banet.grid.region import Region
from banet.grid.sinusoidal import EARTH_RADIUS, TILE_SIZE, SinusoidalGrid, tile_grid, tiles_of_region
from banet.io.files import PathLike, output_folder, writing
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
_PIXELS_AT_ONCE = 2**22
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

    Args:
        maps: of one region and of periods that do not overlap, or paths of them; a folder gives all its maps.
        folder: to write to.
        form: `hdf` for tiles, `tif` for windows.

    Raises:
        InputError: if maps do not fit together, a form is unknown, or a file of such a name is of another
            region.
        OutputError: if a file cannot be written.
    """
    if form not in ("hdf", "tif"):
        raise InputError(f"no form {form!r} of VNP64A1; there are hdf and tif")
    ordered, target = disjoint(gathered(maps)), output_folder(folder)
    if form == "tif" and ordered[0].region.east > 180:
        raise InputError(
            f"{ordered[0].region.name} lies on both sides of 180 degrees, the ends of the grid: no "
            "window holds it; write tiles (vnp64a1)"
        )
    made = day_stamp(ordered[-1].stop - 1)
    write = _write_tiles if form == "hdf" else _write_windows
    paths: list[Path] = []
    for month in month_range(as_month(ordered[0].start), as_month(ordered[-1].stop - 1)):
        first, stop = month_days(month)
        parts = [one.between(first, stop) for one in ordered if one.start < stop and one.stop > first]
        if parts:
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
    burned: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

    @classmethod
    def of(cls, source: BurnedArea, month: np.datetime64) -> _Pixels:
        rows, cols = _GLOBE.window_on(source.region)
        found = [np.zeros((4, 0))]
        flat = np.nan_to_num(source.burned_fraction)
        height = max(1, _PIXELS_AT_ONCE // (cols.stop - cols.start))
        for top in range(rows.start, rows.stop, height):
            band = slice(top, min(top + height, rows.stop))
            cell, row, col = _cells(source.region, band, cols)
            where = np.flatnonzero((cell >= 0) & source.burned.ravel()[np.maximum(cell, 0)])
            y, x = np.divmod(where, cols.stop - cols.start)
            # Bilinear between cells: pixels towards cells that burned more come first.
            rank = ndimage.map_coordinates(flat, [row[y], col.ravel()[where]], order=1, mode="nearest")
            found.append(np.stack([cell[where], y + band.start - rows.start, x, rank]))
        cell, y, x, rank = np.concatenate(found, axis=1)
        kept = _kept(source, cell.astype(np.intp), rank)
        return cls(source, month, rows, cols, (y[kept].astype(np.intp), x[kept].astype(np.intp)))

    def layers(self, rows: slice, cols: slice, grid: SinusoidalGrid) -> Layers:
        """Return the layers of a window of the globe's grid."""
        shape = (rows.stop - rows.start, cols.stop - cols.start)
        cell, _, _ = _cells(self.source.region, rows, cols)
        inside, at = cell >= 0, np.maximum(cell, 0)
        status = np.where(self.source.status > UNBURNED, UNBURNED, self.source.status).ravel()
        burn = np.where(inside, status[at], NOT_OBSERVED).astype(np.int16)
        y = self.burned[0] + self.rows.start - rows.start
        x = self.burned[1] + self.cols.start - cols.start
        here = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        pixel = y[here] * shape[1] + x[here]
        burn[pixel] = day_of_year(self.source.burn_date.ravel()[cell[pixel]])
        spread = np.zeros(cell.shape, np.uint8)
        stated = self.source.uncertainty.ravel()[cell[pixel]]
        spread[pixel] = np.where(stated == NO_UNCERTAINTY, 0, np.clip(stated, 1, _MOST_DAYS))
        known, land = burn >= UNBURNED, inside & (burn != WATER)
        short = 0 if whole_months(self.source.start, self.source.stop) else _SHORT
        qa = np.where(land, _LAND, 0) + np.where(known, _VALID + short, 0)
        edges = day_of_year(np.array([self.source.start, self.source.stop - 1]))
        first, last = (np.where(known, edge, np.minimum(burn, -1)).astype(np.int16) for edge in edges)
        return Layers(
            grid,
            burn.reshape(shape),
            spread.reshape(shape),
            qa.astype(np.uint8).reshape(shape),
            first.reshape(shape),
            last.reshape(shape),
        )


def _cells(
    region: Region, rows: slice, cols: slice
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the cell around the centre of each pixel, (n,), -1 outside; its place in rows and columns.

    The place is counted in cells from the centre of the first: (rows,) and (rows, columns).
    """
    pixel = _GLOBE.pixel
    lat = (_GLOBE.top - (np.arange(rows.start, rows.stop) + 0.5) * pixel) / EARTH_RADIUS
    x = _GLOBE.left + (np.arange(cols.start, cols.stop) + 0.5) * pixel
    lon = np.degrees(x[None, :] / (EARTH_RADIUS * np.cos(lat))[:, None])
    row, col, inside = region.cells_of(lon, np.degrees(lat)[:, None])
    inside &= np.abs(lon) <= 180  # beyond lie the corners of the projection's rectangle
    cell = np.where(inside, row * region.shape[1] + col, -1).ravel()
    down = (region.north - np.degrees(lat)) / region.pixel_size - 0.5
    return cell, down, np.mod(lon - region.west, 360) / region.pixel_size - 0.5


def _kept(
    source: BurnedArea, cell: npt.NDArray[np.intp], rank: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return which pixels of burned cells burn: by area as much as burned of each cell."""
    region = source.region
    edges = np.sin(np.radians(np.linspace(region.north, region.south, region.shape[0] + 1)))
    width = np.radians((region.east - region.west) / region.shape[1])
    pixels = EARTH_RADIUS**2 * width * -np.diff(edges) / _GLOBE.pixel**2  # of a cell, by row
    order = np.lexsort((-rank, cell))
    cells, start, count = np.unique(cell[order], return_index=True, return_counts=True)
    asked = pixels[cells // region.shape[1]] * source.burned_fraction.ravel()[cells]
    kept, left = np.zeros(len(cell), bool), 0.0
    for begin, there, wanted in zip(start.tolist(), count.tolist(), asked.tolist(), strict=True):
        number = min(max(round(wanted + left), 0), there)
        left += wanted - number
        kept[order[begin : begin + number]] = True
    return kept


def _write_tiles(pixels: _Pixels, folder: Path, made: str) -> Iterator[Path]:
    stamp = day_stamp(pixels.month.astype("datetime64[D]"))
    for h, v in tiles_of_region(pixels.source.region):
        rows = slice(v * TILE_PIXELS, (v + 1) * TILE_PIXELS)
        cols = slice(h * TILE_PIXELS, (h + 1) * TILE_PIXELS)
        layers = pixels.layers(rows, cols, tile_grid(h, v))
        path = folder / f"VNP64A1.A{stamp}.h{h:02d}v{v:02d}.002.{made}000000.hdf"
        _check_own(path, pixels.source.region)
        with writing(path) as part:
            write_tile(part, h, v, pixels.month, layers, _about(path.name, pixels.source.region, layers))
        yield path


def _check_own(path: Path, region: Region) -> None:
    """Make sure that a file that is written over is of the same region: tiles and windows carry no name."""
    import rasterio

    if not path.exists():
        return
    if path.suffix == ".hdf":
        held = file_attributes(path).get("Region")
    else:
        with rasterio.open(path) as file:
            held = file.tags().get("region")
    if held != str(region):
        raise InputError(f"{path} is of {held or 'another source'}; write {region} to a folder of its own")


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

    stamp = day_stamp(pixels.month.astype("datetime64[D]"))
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
        _check_own(path, pixels.source.region)
        with (
            writing(path) as part,
            rasterio.open(part, "w", **profile, dtype=plane.dtype, nodata=nodata) as file,
        ):
            file.write(plane, 1)
            file.update_tags(
                made_by=f"banet {version('banet')}", last_day=made, region=str(pixels.source.region)
            )
        yield path
