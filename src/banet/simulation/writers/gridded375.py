"""Gridded 375 m HDF4 files as the LAADS order service delivered them, with angles at 0.1 degree.

Bands are files of `NPP_VIAES_L1` on the scene's grid. That product has no angles, so they were ordered of the
750 m product, `NPP_VMAES_L1`, at 0.1 degree over the same box. No real file of the 375 m product was at hand:
scales and attributes are those of the 750 m one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from banet.errors import InputError
from banet.grid.region import Region
from banet.simulation.fields import Field
from banet.simulation.heat import radiances
from banet.simulation.observe import View, observations
from banet.simulation.spectra import Band
from banet.simulation.writers.gridded import GRID as COARSE_GRID
from banet.simulation.writers.gridded import PRODUCTS, attributes, integers, stem, write_plane

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write"]

GRID = "VIIRS_EV_375M_SDR"
_BANDS = (Band.RED, Band.NIR, Band.M10, Band.M12)
_ANGLE_STEP = 0.1


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write every daytime overpass of a scene's imagery: five files of bands, two of angles."""
    paths: list[Path] = []
    for view in observations(scene.world.with_bands(_BANDS)):
        if np.isnan(view.reflectance).all():
            continue
        satellite = view.overpass.satellite
        moment = scene.days[0].astype("datetime64[m]") + np.timedelta64(int(view.overpass.time_h * 60), "m")
        for angles, planes in ((False, _bands(view)), (True, _angles(view, scene.region))):
            product = PRODUCTS[satellite] if angles else PRODUCTS[satellite].replace("VMAES", "VIAES")
            about = attributes(scene.region, moment, satellite, product)
            for name, plane in planes:
                path = folder / f"{stem(product, moment)}.{name}.hdf"
                grid = COARSE_GRID if angles else GRID
                paths.append(write_plane(path, name, plane, about, scene.region, grid))
    return tuple(paths)


def _bands(view: View) -> Iterator[tuple[str, npt.NDArray[np.uint16]]]:
    red, nir, i3, mir = view.reflectance
    if view.temperature is None:
        raise InputError("a view without M12 has no radiances to write")
    warm = np.where(np.isnan(mir), np.nan, view.temperature)
    i4, i5 = radiances(mir, warm, view.geometry.solar_zenith, "I4")
    names = ("Reflectance_I1", "Reflectance_I2", "Reflectance_I3", "Radiance_I4", "Radiance_I5")
    for name, values in zip(names, (red, nir, i3, i4, i5), strict=True):
        yield name, integers(name, values)


def _angles(view: View, region: Region) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    geometry = view.geometry
    for name, angle in (
        ("SolarZenithAngle", geometry.solar_zenith),
        ("SatelliteZenithAngle", geometry.view_zenith),
    ):
        yield name, _coarse(angle, region).astype(np.float32)


def _coarse(angle: Field, region: Region) -> Field:
    """Sample a plane at the centres of cells of about 0.1 degree that fill the box exactly."""
    places = []
    for size in angle.shape:
        count = max(1, round(size * region.pixel_size / _ANGLE_STEP))
        places.append((np.arange(count) + 0.5) * size / count - 0.5)
    grid = np.meshgrid(*places, indexing="ij")
    return np.asarray(ndimage.map_coordinates(angle, grid, order=1, mode="nearest"), np.float32)
