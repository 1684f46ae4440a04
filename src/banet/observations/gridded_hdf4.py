"""VIIRS 750 m bands as the LAADS order service gridded them: files `NPP_VMAES_L1...{band}.hdf`.

Layout and values are in `banet.observations.gridded`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from banet.observations import register
from banet.observations.gridded import GriddedFile, GriddedSource

__all__ = ["Gridded750", "viirs750"]

_NAME = re.compile(
    r"(?P<product>(?:NPP|VNP|VJ1|VJ2|J1|J2)_?VMAES_L1)\.A(?P<year>\d{4})(?P<doy>\d{3})\.(?P<time>\d{4})"
    r"\.(?P<rest>.*?)(?P<band>[A-Za-z]+_[MI]\d+|SolarZenithAngle|SatelliteZenithAngle)\.hdf",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Gridded750(GriddedSource):
    """The source of gridded 750 m files; see `banet.observations.planes.ObservationSource`."""

    name: str = "viirs750-gridded"
    sensor: str = "VIIRS S-NPP"
    mir_band: str = "M12"
    bands: tuple[str, ...] = (
        "Reflectance_M5",
        "Reflectance_M7",
        "Radiance_M12",
        "Radiance_M15",
        "SolarZenithAngle",
        "SatelliteZenithAngle",
    )
    begins: str = r"(NPP|V?J[12]|VNP)_?VMAES_L1.*(Reflectance_M[57]|Radiance_M1[25]|ZenithAngle)"

    def parse(self, path: Path) -> GriddedFile | None:
        """Return what the name of a file says, or None if the source has no use for it."""
        match = _NAME.fullmatch(path.name)
        return None if match is None else GriddedFile.of(match, match["product"].upper(), path, self.bands)


viirs750 = Gridded750()
register(viirs750)
