"""Gridded HDF4 files as the LAADS order service delivered them: one a band and overpass.

Names, data sets, types, scales and attributes follow the files of a real order (S-NPP, 2017-10-27 14:06 UTC).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from banet.errors import InputError
from banet.grid.region import Region
from banet.io.files import writing
from banet.io.hdf4_writing import Hdf4Layer, write_hdf4
from banet.simulation.heat import radiances
from banet.simulation.observe import View, observations
from banet.simulation.spectra import Band
from banet.simulation.writers.names import stamp

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["GRID", "PRODUCTS", "attributes", "integers", "stem", "write", "write_plane"]

GRID = "VIIRS_EV_750M_SDR"
ORDER = "psrpgscs_000501412525"
PRODUCTS = {"N": "NPP_VMAES_L1", "N20": "VJ1_VMAES_L1", "N21": "VJ2_VMAES_L1"}
LONG_NAMES = {
    "VMAES_L1": "VIIRS/NPP Moderate Resolution 6-Min L1 Swath SDR and GEO 750m (simulated)",
    "VIAES_L1": "VIIRS/NPP Imagery Resolution 6-Min L1 Swath SDR 375m (simulated)",
}
SPACECRAFT = {"N": "NPP", "N20": "NOAA-20", "N21": "NOAA-21"}
FILL = 65535
LAST = 65526
# Scale and offset of the real files at 750 m.
SCALES = {
    "Reflectance_M5": (2.4417415261268616e-05, 0.0),
    "Reflectance_M7": (2.4417415261268616e-05, 0.0),
    "Reflectance_M10": (2.4417415261268616e-05, 0.0),
    "Radiance_M12": (6.732538167852908e-05, 0.0),
    "Radiance_M15": (0.00039008501335047185, -0.019999999552965164),
    # No real file of the 375 m order was at hand: the scales of its neighbours at 750 m.
    "Reflectance_I1": (2.4417415261268616e-05, 0.0),
    "Reflectance_I2": (2.4417415261268616e-05, 0.0),
    "Reflectance_I3": (2.4417415261268616e-05, 0.0),
    "Radiance_I4": (6.732538167852908e-05, 0.0),
    "Radiance_I5": (0.00039008501335047185, -0.019999999552965164),
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
        moment = scene.days[0].astype("datetime64[m]") + np.timedelta64(int(view.overpass.time_h * 60), "m")
        product = PRODUCTS[view.overpass.satellite]
        about = attributes(scene.region, moment, view.overpass.satellite, product)
        for name, plane in _planes(view).items():
            path = folder / f"{stem(product, moment)}.{name}.hdf"
            paths.append(write_plane(path, name, plane, about, scene.region))
    return tuple(paths)


def write_plane(
    path: Path,
    name: str,
    plane: npt.NDArray[Any],
    about: Mapping[str, str],
    region: Region,
    grid: str = GRID,
) -> Path:
    """Write one file: integers of `SCALES` or float32 angles, on any regular grid over a region."""
    structure = _structure(name, region, plane.shape, grid, plane.dtype == np.uint16)
    with writing(path) as part:
        write_hdf4(part, [_layer(name, plane, grid)], {**about, "StructMetadata.0": structure})
    return path


def integers(name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """Return physical values as the integers of a band, the fill value where they are NaN."""
    scale, offset = SCALES[name]
    raw = np.rint((values - offset) / scale)
    return np.where(np.isfinite(raw), np.clip(raw, 0, LAST), FILL).astype(np.uint16)


def stem(product: str, moment: np.datetime64) -> str:
    """Return the name up to the band; granules start every six minutes, as the real ones do."""
    granule = moment.astype("datetime64[m]")
    granule = granule - np.timedelta64(int(granule.astype(np.int64)) % 6, "m")
    made = granule + np.timedelta64(320, "m")
    return f"{product}.A{stamp(granule, '.')}.001.{stamp(made, '')}51.{ORDER}"


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
    planes: dict[str, npt.NDArray[Any]] = {name: integers(name, each) for name, each in physical.items()}
    seen = np.isfinite(view.reflectance).any(0)
    for name, angle in (
        ("SolarZenithAngle", view.geometry.solar_zenith),
        ("SatelliteZenithAngle", view.geometry.view_zenith),
    ):
        planes[name] = np.where(seen, angle, _FLOAT_FILL).astype(np.float32)
    return planes


def _layer(name: str, plane: npt.NDArray[Any], grid: str) -> Hdf4Layer:
    if plane.dtype == np.uint16:
        scale, offset = SCALES[name]
        texts = {"FILL_VALUES": _UINT_FILLS, "FILL_TEST_VALUE": "UINT16_FILL_TEST = 65527"}
        return Hdf4Layer(name, plane, grid, {"_FillValue": FILL}, {"Scale": scale, "Offset": offset}, texts)
    texts = {"FILL_VALUES": _FLOAT_FILLS, "FILL_TEST_VALUE": "FLOAT32_FILL_TEST = -999"}
    return Hdf4Layer(name, plane, grid, {"_FillValue": _FLOAT_FILL}, texts=texts)


def attributes(region: Region, moment: np.datetime64, satellite: str, product: str) -> dict[str, str]:
    """Return the attributes of a file; the edges are those of the region's box."""
    day = str(moment.astype("datetime64[D]"))
    return {
        "HDFEOSVersion": "HDFEOS_V2.19",
        "ShortName": product,
        "LongName": LONG_NAMES[product[-8:]],
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


def _structure(name: str, region: Region, shape: tuple[int, ...], grid: str, whole: bool) -> str:
    rows, cols = shape
    corner = f"{_packed(region.west)},{_packed(region.north)}"
    opposite = f"{_packed(region.east)},{_packed(region.south)}"
    return f"""GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="{grid}"
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
