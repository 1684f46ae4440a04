"""Monthly FireCCI51-like pixel files: GeoTIFFs of the day (JD), its confidence (CL) and what burned (LC).

Names, layers, types and codes follow the product user guide of Fire_cci (D4.2). The errors are of the kind
that `writers.labels` gives the MCD64A1 family. The real files cover a continent; these cover the scene, on
the same kind of grid (about 250 m, corner at 180 W, 90 N), and nothing outside it is observed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import day_of_year
from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import writing
from banet.simulation.spectra import BURNABLE, Cover
from banet.simulation.writers.labels import LabelErrors, as_months, dated
from banet.simulation.writers.pixels import PixelWindow

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["PIXEL", "write"]

PIXEL = 0.0022457331
NOT_OBSERVED, NOT_BURNABLE = -1, -2
# Codes of the ESA land-cover maps for what burns here.
_COVER_CODES = {
    Cover.EVERGREEN: 50,
    Cover.DECIDUOUS: 60,
    Cover.BOREAL: 70,
    Cover.SHRUB: 120,
    Cover.GRASS: 130,
    Cover.CROP: 10,
}
# West, south, east, north of the product's areas, roughly; the first that holds the middle of the scene.
_AREAS = {
    "AREA_1": (-180, 19, -26, 83),
    "AREA_2": (-105, -57, -34, 19),
    "AREA_3": (-26, 25, 53, 83),
    "AREA_5": (-26, -40, 53, 25),
    "AREA_6": (95, -53, 180, -10),
    "AREA_4": (53, -10, 180, 83),
}


def write(scene: Scene, folder: Path, errors: LabelErrors | None = None) -> tuple[Path, ...]:
    """Write three files for each month of a scene.

    Raises:
        InputError: if the scene crosses the antimeridian, which the product's areas do not.
    """
    if scene.region.east > 180:
        raise InputError(f"FireCCI files cannot cross the antimeridian, region {scene.region.name} does")
    window = PixelWindow.degrees(scene.region, PIXEL)
    day, spread = dated(scene, window, errors if errors is not None else LabelErrors())
    cover = window.middle(window.take(scene.world.surface.cover, scene.world.subcells, int(Cover.WATER)))
    known = window.per_pixel(window.inside) > 0.5
    paths = []
    for month in np.unique(as_months(scene)):
        dates = scene.days[np.maximum(day, 0)]
        now = known & BURNABLE[cover] & (day >= 0) & (dates.astype("datetime64[M]") == month)
        burn = np.where(now, day_of_year(dates), 0)
        burn = np.where(BURNABLE[cover], burn, NOT_BURNABLE)
        # Half a month of uncertainty and more is no confidence at all.
        confidence = np.clip(100 - 6.0 * spread, 1, 100)
        codes = np.zeros(len(Cover), np.int64)
        codes[list(_COVER_CODES)] = list(_COVER_CODES.values())
        for layer, values in (
            ("JD", np.where(known, burn, NOT_OBSERVED).astype(np.int16)),
            ("CL", np.where(now, confidence, 0).astype(np.uint8)),
            ("LC", np.where(now, codes[cover], 0).astype(np.uint8)),
        ):
            first = str(month).replace("-", "") + "01"
            name = f"{first}-ESACCI-L3S_FIRE-BA-MODIS-{_area(scene.region)}-fv5.1-{layer}.tif"
            paths.append(_write_raster(folder / name, values, window))
    return tuple(paths)


def _area(region: Region) -> str:
    lon, lat = float(region.longitudes.mean()), float(region.latitudes.mean())
    for name, (west, south, east, north) in _AREAS.items():
        if west <= lon <= east and south <= lat <= north:
            return name
    return "AREA_1"


def _write_raster(path: Path, values: npt.NDArray[Any], window: PixelWindow) -> Path:
    import rasterio
    from rasterio.transform import from_origin

    corner = -180 + window.cols.start * PIXEL, 90 - window.rows.start * PIXEL
    with (
        writing(path) as part,
        rasterio.open(
            part,
            "w",
            driver="GTiff",
            width=values.shape[1],
            height=values.shape[0],
            count=1,
            dtype=values.dtype,
            crs="EPSG:4326",
            transform=from_origin(*corner, PIXEL, PIXEL),
            compress="deflate",
        ) as raster,
    ):
        raster.write(values, 1)
    return path
