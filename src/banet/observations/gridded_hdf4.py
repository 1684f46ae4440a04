"""VIIRS 750 m bands as the LAADS order service gridded them: files `NPP_VMAES_L1...{band}.hdf`.

Layout and values are in `banet.observations.gridded`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banet.errors import UnreadableFileError
from banet.grid.region import Region
from banet.observations import register
from banet.observations.gridded import GriddedFile, GriddedSource, read_plane, satellite_of
from banet.observations.planes import Overpass
from banet.observations.reflectance import mir_reflectance

__all__ = ["GriddedHdf4", "viirs750"]

_NAME = re.compile(
    r"(?P<product>(?:NPP|VNP|VJ1|VJ2|J1|J2)_?VMAES_L1)\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})"
    r"\.(?P<rest>.*?)(?P<band>[A-Za-z]+_[MI]\d+|SolarZenithAngle|SatelliteZenithAngle)\.hdf",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class GriddedHdf4(GriddedSource):
    """The source of gridded 750 m files; see `banet.observations.planes.ObservationSource`."""

    name: str
    sensor: str
    mir_band: str
    red: str
    nir: str
    mir: str
    tir: str
    solar_zenith: str = "SolarZenithAngle"
    view_zenith: str = "SatelliteZenithAngle"

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that an overpass needs, as they are named in the files."""
        return (self.red, self.nir, self.mir, self.tir, self.solar_zenith, self.view_zenith)

    def parse(self, path: Path) -> GriddedFile | None:
        """Return what the name of a file says, or None if the source has no use for it."""
        match = _NAME.fullmatch(path.name)
        if match is None or match["band"] not in self.bands:
            return None
        return GriddedFile.of(match, match["product"], path)

    def overpass(self, time: np.datetime64, bands: Mapping[str, Path], region: Region) -> Overpass:
        """Read one overpass from its files by band.

        Raises:
            UnreadableFileError: if a band is missing or broken, or lies on another grid.
        """
        lacking = [band for band in self.bands if band not in bands]
        if lacking:
            raise UnreadableFileError(f"no file of {', '.join(lacking)}")
        planes = {band: read_plane(bands[band], band, region) for band in self.bands}
        return Overpass(
            time=time,
            red=planes[self.red],
            nir=planes[self.nir],
            mir=mir_reflectance(
                planes[self.mir], planes[self.tir], planes[self.solar_zenith], band=self.mir_band
            ),
            view_zenith=planes[self.view_zenith],
            inputs=tuple(bands[band].name for band in self.bands),
            satellite=satellite_of(bands[self.red].name),
        )


viirs750 = GriddedHdf4(
    name="viirs750-gridded",
    sensor="VIIRS S-NPP",
    mir_band="M12",
    red="Reflectance_M5",
    nir="Reflectance_M7",
    mir="Radiance_M12",
    tir="Radiance_M15",
)
register(viirs750)
