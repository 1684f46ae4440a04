"""The same granule through satpy's reader, in an environment of its own: it is GPL and no dependency.

`python -m venv ENV && ENV/bin/pip install satpy netCDF4`, then BANET_SATPY=ENV/bin/python.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from banet.observations.granules import IMG, MOD
from banet.observations.l1b import find_granules
from banet.observations.reflectance import mir_reflectance
from writers_l1b import BANDS, viirs_geometry, write_granule

SCRIPT = """
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from satpy import Scene
from satpy.dataset import DataQuery
*files, out = sys.argv[1:]
kind = "m" if "MOD" in files[0] else "i"
names = {"m": ["M05", "M07", "M12", "M15"], "i": ["I01", "I02", "I04", "I05"]}[kind]
scene = Scene(files, reader="viirs_l1b")
found = {}
for name, calibration in zip(names, ["reflectance"] * 2 + ["radiance"] * 2):
    scene.load([DataQuery(name=name, calibration=calibration)])
    found[name] = scene[name].values
for name in ("lon", "lat"):
    scene.load([f"{kind}_{name}"])
    found[name] = scene[f"{kind}_{name}"].values
for name in ("solar_zenith_angle", "satellite_zenith_angle"):
    query = DataQuery(name=name, resolution=742 if kind == "m" else 371)
    scene.load([query])
    found[name] = scene[name].values
found["platform"] = scene[names[0]].attrs["platform_name"]
np.savez(out, **found)
"""


@pytest.fixture(scope="module")
def satpy() -> str:
    python = os.environ.get("BANET_SATPY")
    if not python:
        pytest.skip("BANET_SATPY names no python with satpy")
    return python


@pytest.mark.oracle
@pytest.mark.parametrize("resolution", [750, 375])
@pytest.mark.parametrize(("satellite", "platform"), [("VNP", "Suomi-NPP"), ("VJ2", "NOAA-21")])
def test_satpy_sees_the_same_numbers(
    tmp_path: Path, satpy: str, resolution: int, satellite: str, platform: str
):
    geometry = viirs_geometry((38.6, 23.3), resolution=resolution, scans=3, columns=(600, 900))
    rng = np.random.default_rng(0)
    bands = BANDS[geometry.factor]
    planes = {
        bands[0]: rng.uniform(0, 0.9, geometry.shape),
        bands[1]: rng.uniform(0, 0.9, geometry.shape),
        bands[2]: rng.uniform(0.2, 3, geometry.shape),
        bands[3]: rng.uniform(5, 14, geometry.shape),
    }
    for plane in planes.values():
        plane[rng.random(geometry.shape) < 0.02] = np.nan
    files = write_granule(tmp_path, geometry, planes, satellite=satellite)
    out = tmp_path / "satpy.npz"
    subprocess.run([satpy, "-c", SCRIPT, *map(str, files), str(out)], check=True, timeout=200)
    theirs = np.load(out)

    kind = MOD if resolution == 750 else IMG
    (granule,) = find_granules(tmp_path.iterdir(), kind)
    where = granule.geolocation(-90, 90)
    ours = granule.pixels(geometry.shape, (slice(None), slice(None)))
    np.testing.assert_array_equal(where.longitude, theirs["lon"])
    np.testing.assert_array_equal(where.latitude, theirs["lat"])
    np.testing.assert_allclose(ours.view_zenith, theirs["satellite_zenith_angle"], rtol=1e-6)
    # satpy gives percent, and does not divide by the cosine of the solar zenith.
    cosine = np.cos(np.radians(theirs["solar_zenith_angle"]))
    np.testing.assert_allclose(ours.red * cosine, theirs[bands[0]] / 100, rtol=1e-5)
    np.testing.assert_allclose(ours.nir * cosine, theirs[bands[1]] / 100, rtol=1e-5)
    mir = mir_reflectance(
        theirs[bands[2]], theirs[bands[3]], theirs["solar_zenith_angle"], band=kind.mir_band
    )
    np.testing.assert_allclose(ours.mir, mir, rtol=2e-4, atol=1e-6)
    assert np.isnan(ours.red).mean() > 0.02
    assert str(theirs["platform"]) == platform
