"""Pieces of a granule and the surface that they see, for tests of sources that read swaths."""

from __future__ import annotations

import numpy as np

from banet.observations.reflectance import BANDS as MIR_BANDS
from banet.observations.reflectance import planck_radiance
from writers_l1b import BANDS, Geometry, viirs_geometry

DAY = np.datetime64("2021-08-05")
CENTRE = (38.6, 23.3)


def surface(geometry: Geometry, red=0.08, nir=0.3, mir=0.12, kelvin=305.0) -> dict[str, np.ndarray]:
    """Planes of all bands such that the reader finds these reflectances."""
    mir_band = MIR_BANDS[{1: "M12", 2: "I4"}[geometry.factor]]
    red, nir, mir, kelvin = (
        np.broadcast_to(np.asarray(v, float), geometry.shape) for v in (red, nir, mir, kelvin)
    )
    emitted = planck_radiance(kelvin, mir_band.mir_wavelength)
    sun = mir_band.irradiance * np.cos(np.radians(geometry.solar_zenith)) / np.pi
    names = BANDS[geometry.factor]
    thermal = planck_radiance(kelvin, mir_band.tir_wavelength)
    return dict(zip(names, (red, nir, mir * sun + (1 - mir) * emitted, thermal)))


def small(centre=CENTRE, time=f"{DAY}T11:30", *, pixel: int = 1600, half: int = 100, **options) -> Geometry:
    """A piece of a granule around one pixel, a few scans long."""
    factor = {750: 1, 375: 2}[options.get("resolution", 750)]
    columns = (pixel * factor - half, pixel * factor + half)
    return viirs_geometry(centre, time, columns=columns, scans=options.pop("scans", 8), **options)


class Part:
    """Some lines of a geometry."""

    def __init__(self, geometry: Geometry, lines: slice) -> None:
        self.factor, self.ascending, self.time = geometry.factor, geometry.ascending, geometry.time
        self.rows_per_scan = geometry.rows_per_scan
        for name in ("longitude", "latitude", "sensor_zenith", "solar_zenith", "deleted"):
            setattr(self, name, getattr(geometry, name)[lines])
        self.shape = self.longitude.shape
        self.scans = self.shape[0] // self.rows_per_scan
