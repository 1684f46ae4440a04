"""Gridded HDF4 files as the LAADS order service delivered them: one a band and overpass.

Names, data sets, types, scales and attributes follow the files of a real order (S-NPP, 2017-10-27 14:06 UTC).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.days import day_of_year
from banet.errors import InputError
from banet.files import writing
from banet.region import Region
from banet.simulation.heat import radiances
from banet.simulation.observe import View, observations
from banet.simulation.spectra import Band
from banet.simulation.writers.hdf4 import Layer, write_hdf4

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["write"]

GRID = "VIIRS_EV_750M_SDR"
ORDER = "psrpgscs_000501412525"
PRODUCTS = {"N": "NPP_VMAES_L1", "N20": "VJ1_VMAES_L1", "N21": "VJ2_VMAES_L1"}
SPACECRAFT = {"N": "NPP", "N20": "NOAA-20", "N21": "NOAA-21"}
FILL = 65535
LAST = 65526
# Scale and offset of the real files.
SCALES = {
    "Reflectance_M5": (2.4417415261268616e-05, 0.0),
    "Reflectance_M7": (2.4417415261268616e-05, 0.0),
    "Reflectance_M10": (2.4417415261268616e-05, 0.0),
    "Radiance_M12": (6.732538167852908e-05, 0.0),
    "Radiance_M15": (0.00039008501335047185, -0.019999999552965164),
}
_UINT_FILLS = (
    "NA_UINT16_FILL = 65535, MISS_UINT16_FILL = 65534, ONBOARD_PT_UINT16_FILL = 65533, "
    "ONGROUND_PT_UINT16_FILL = 65532, ERR_UINT16_FILL = 65531, ELLIPSOID_UINT16_FILL = 65530, "
    "VDNE_UINT16_FILL = 65529, SOUB_UINT16_FILL = 65528"
)
_FLOAT_FILLS = (
    "NA_FLOAT32_FILL = -999.9, MISS_FLOAT32_FILL = -999.8, ONBOARD_PT_FLOAT32_FILL = -999.7, "
    "ONGROUND_PT_FLOAT32_FILL = -999.6, ERR_FLOAT32_FILL = -999.5, ELLIPSOID_FLOAT32_FILL = -999.4, "
    "VDNE_FLOAT32_FILL = -999.3, SOUB_FLOAT32_FILL = -999.2"
)
_FLOAT_FILL = -999.9000244140625


def write(scene: Scene, folder: Path) -> tuple[Path, ...]:
    """Write every daytime overpass of a scene's imagery, seven files each."""
    world = scene.world.with_bands((Band.RED, Band.NIR, Band.M10, Band.M12))
    paths: list[Path] = []
    for view in observations(world):
        if np.isnan(view.reflectance).all():
            continue
        moment = scene.days[0].astype("datetime64[m]") + np.timedelta64(int(view.passage.time_h * 60), "m")
        stem = _stem(view.passage.satellite, moment)
        attributes = _attributes(scene.region, moment, view.passage.satellite)
        for name, plane in _planes(view).items():
            path = folder / f"{stem}.{name}.hdf"
            about = attributes | {"StructMetadata.0": _structure(name, scene.region, name in SCALES)}
            with writing(path) as part:
                write_hdf4(part, [_layer(name, plane)], about)
            paths.append(path)
    return tuple(paths)


def _stem(satellite: str, moment: np.datetime64) -> str:
    """Return the name up to the band; granules start every six minutes, as the real ones do."""
    granule = moment.astype("datetime64[m]")
    granule = granule - np.timedelta64(int(granule.astype(np.int64)) % 6, "m")
    made = granule + np.timedelta64(320, "m")
    return f"{PRODUCTS[satellite]}.A{_stamp(granule, '.')}.001.{_stamp(made, '')}51.{ORDER}"


def _stamp(moment: np.datetime64, between: str) -> str:
    day = moment.astype("datetime64[D]")
    minutes = int((moment - day).astype("timedelta64[m]").astype(int))
    number = int(day_of_year(np.array([day]))[0])
    return f"{str(day)[:4]}{number:03d}{between}{minutes // 60:02d}{minutes % 60:02d}"


def _planes(view: View) -> dict[str, npt.NDArray[Any]]:
    """Return the integers or angles of each file."""
    red, nir, m10, mir = view.reflectance
    warm = view.temperature
    if warm is None:
        raise InputError("a view without M12 has no radiances to write")
    m12, m15 = radiances(mir, np.where(np.isnan(mir), np.nan, warm), view.geometry.solar_zenith)
    physical = {
        "Reflectance_M5": red,
        "Reflectance_M7": nir,
        "Reflectance_M10": m10,
        "Radiance_M12": m12,
        "Radiance_M15": m15,
    }
    planes: dict[str, npt.NDArray[Any]] = {}
    for name, values in physical.items():
        scale, offset = SCALES[name]
        raw = np.rint((values - offset) / scale)
        planes[name] = np.where(np.isfinite(raw), np.clip(raw, 0, LAST), FILL).astype(np.uint16)
    seen = np.isfinite(view.reflectance).any(0)
    for name, angle in (
        ("SolarZenithAngle", view.geometry.solar_zenith),
        ("SatelliteZenithAngle", view.geometry.view_zenith),
    ):
        planes[name] = np.where(seen, angle, _FLOAT_FILL).astype(np.float32)
    return planes


def _layer(name: str, plane: npt.NDArray[Any]) -> Layer:
    if name in SCALES:
        scale, offset = SCALES[name]
        texts = {"FILL_VALUES": _UINT_FILLS, "FILL_TEST_VALUE": "UINT16_FILL_TEST = 65527"}
        return Layer(name, plane, GRID, {"_FillValue": FILL}, {"Scale": scale, "Offset": offset}, texts)
    texts = {"FILL_VALUES": _FLOAT_FILLS, "FILL_TEST_VALUE": "FLOAT32_FILL_TEST = -999"}
    return Layer(name, plane, GRID, {"_FillValue": _FLOAT_FILL}, texts=texts)


def _attributes(region: Region, moment: np.datetime64, satellite: str) -> dict[str, str]:
    day = str(moment.astype("datetime64[D]"))
    return {
        "HDFEOSVersion": "HDFEOS_V2.19",
        "ShortName": PRODUCTS[satellite],
        "LongName": "VIIRS/NPP Moderate Resolution 6-Min L1 Swath SDR and GEO 750m (simulated)",
        "Spacecraft": SPACECRAFT[satellite],
        "InstrumentShortName": "VIIRS",
        "BeginningDate": day.replace("-", ""),
        "StartTime": day,
        "DayNightFlag": "D",
        "Proj4String": " +a=6378137.0 +b=6356752.3142451793 +no_defs +proj=latlong",
        "NorthBoundingCoord": f"{region.north:.6f}",
        "SouthBoundingCoord": f"{region.south:.6f}",
        "EastBoundingCoord": f"{region.east:.6f}",
        "WestBoundingCoord": f"{region.west:.6f}",
    }


def _packed(degrees: float) -> str:
    """Return an angle as HDF-EOS packs it: DDDMMMSSS.SS."""
    whole = abs(degrees)
    d = math.floor(whole + 1e-9)
    m = math.floor((whole - d) * 60 + 1e-7)
    s = max(((whole - d) * 60 - m) * 60, 0.0)
    return f"{math.copysign(d * 1e6 + m * 1e3 + s, degrees):.6f}"


def _structure(name: str, region: Region, whole: bool) -> str:
    rows, cols = region.shape
    corner = f"{_packed(region.west)},{_packed(region.north)}"
    opposite = f"{_packed(region.east)},{_packed(region.south)}"
    return f"""GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="{GRID}"
\t\tXDim={cols}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({corner})
\t\tLowerRightMtrs=({opposite})
\t\tProjection=GCTP_GEO
\t\tGridOrigin=HDFE_GD_UL
\t\tPixelRegistration=HDFE_CORNER
\t\tGROUP=DataField
\t\t\tOBJECT=DataField_1
\t\t\t\tDataFieldName="{name}"
\t\t\t\tDataType={"DFNT_UINT16" if whole else "DFNT_FLOAT32"}
\t\t\t\tDimList=("YDim","XDim")
\t\t\tEND_OBJECT=DataField_1
\t\tEND_GROUP=DataField
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
GROUP=PointStructure
END_GROUP=PointStructure
END
"""
