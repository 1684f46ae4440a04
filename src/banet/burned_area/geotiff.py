"""Cloud-optimised GeoTIFFs of a map: burn date, confidence and date uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import day_of_year
from banet.errors import OutputError
from banet.export.colours import confidence_table, uncertainty_table
from banet.io.files import PathLike, writing

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.grid.region import Region

__all__ = ["BURN_DATE_CODES", "Layer", "layers", "write_cog"]

# As in MCD64A1 (Giglio et al. 2018, user guide of collection 6.1, section 4).
BURN_DATE_CODES = {0: "unburned", -1: "not observed", -2: "water"}

_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Layer:
    """One raster product.

    Attributes:
        name: what goes into the file name, such as `burn_date`.
        values: (rows, columns) int16 or uint8.
        nodata: the value that means no data.
        description: the band's name.
        unit: of the band.
        resampling: how overviews are made; none of the ways makes a value that is not in the raster.
        tags: text metadata of the file.
        colours: red, green, blue, alpha by value, of uint8 rasters.
    """

    name: str
    values: npt.NDArray[np.int16] | npt.NDArray[np.uint8]
    nodata: int
    description: str
    unit: str
    resampling: str
    tags: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[int, tuple[int, int, int, int]] | None = None


def layers(burnmap: BurnedArea) -> tuple[Layer, Layer, Layer]:
    """Return the burn date, confidence and uncertainty of a map as raster products."""
    return _burn_date(burnmap), _confidence(burnmap), _uncertainty(burnmap)


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
        "nodata": layer.nodata,
        "crs": "EPSG:4326",
        "transform": region.transform,
    }
    with rasterio.Env(GDAL_NUM_THREADS="1"), MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(layer.values, 1)
            raster.set_band_description(1, layer.description)
            raster.set_band_unit(1, layer.unit)
            raster.update_tags(AREA_OR_POINT="Area", **layer.tags)
            if layer.colours is not None:
                raster.write_colormap(1, dict(layer.colours))
        with memory.open() as raster:
            rasterio.shutil.copy(
                raster,
                part,
                driver="COG",
                compress="DEFLATE",
                predictor="NO" if layer.colours is not None else "YES",
                blocksize=_BLOCK,
                overviews="AUTO",
                overview_resampling=layer.resampling,
            )


def _tags(burnmap: BurnedArea) -> dict[str, str]:
    first, last = burnmap.start, burnmap.stop - np.timedelta64(1, "D")
    return {
        "region": burnmap.region.name,
        "start": str(first),
        "end": str(last),
        "threshold": f"{burnmap.threshold:g}",
        "TIFFTAG_SOFTWARE": "banet",
        "TIFFTAG_IMAGEDESCRIPTION": f"Burned area of {burnmap.region.name}, {first} to {last} (UTC days)",
    }


def _burn_date(burnmap: BurnedArea) -> Layer:
    first, last = burnmap.start, burnmap.stop - np.timedelta64(1, "D")
    span = day_of_year(np.array([first, last]))
    codes = "; ".join(f"{value} = {meaning}" for value, meaning in BURN_DATE_CODES.items())
    tags = {
        **_tags(burnmap),
        "year": "-".join(sorted({str(day)[:4] for day in (first, last)})),
        "first_day_of_year": str(span[0]),
        "last_day_of_year": str(span[1]),
        "codes": f"1-366 = day of year on which the cell burned (UTC); {codes}",
    }
    return Layer("burn_date", burnmap.burn_doy, -1, "burn date", "day of year", "MODE", tags)


def _confidence(burnmap: BurnedArea) -> Layer:
    tags = {
        **_tags(burnmap),
        "codes": "0-100 = burned fraction of the cell in percent; 255 = not observed or water",
    }
    return Layer(
        "confidence", burnmap.confidence, 255, "confidence", "%", "NEAREST", tags, confidence_table()
    )


def _uncertainty(burnmap: BurnedArea) -> Layer:
    tags = {
        **_tags(burnmap),
        "codes": "0-254 = days before or after the date that hold 80 % of the probability; 255 = not burned",
    }
    return Layer(
        "uncertainty",
        burnmap.uncertainty,
        255,
        "burn date uncertainty",
        "days",
        "NEAREST",
        tags,
        uncertainty_table(),
    )
