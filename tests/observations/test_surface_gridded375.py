"""Gridded 375 m HDF4 with angles of the 750 m product at a tenth of a degree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyhdf.SD import SD, SDC
from scipy.interpolate import RegularGridInterpolator

from banet import observations
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.observations.gridded375 import interpolated, viirs375
from banet.observations.reflectance import mir_reflectance

REGION = Region("T", (-8.0, 39.0, -7.6, 39.3), 0.005)
COARSE = (3, 4)
DAY = np.datetime64("2017-10-27")
SCALES = {"Reflectance_I1": 2.4e-5, "Reflectance_I2": 2.4e-5, "Radiance_I4": 6.7e-5, "Radiance_I5": 3.2e-4}
VALUES = {"Reflectance_I1": 0.08, "Reflectance_I2": 0.3, "Radiance_I4": 0.9, "Radiance_I5": 9.5}


def put(
    folder: Path,
    product: str,
    name: str,
    stored: np.ndarray,
    *,
    time="1406",
    production="2017300192651",
    box=None,
):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{product}.A2017300.{time}.001.{production}.psrpgscs_000501412525.{name}.hdf"
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    data = file.create(name, SDC.UINT16 if stored.dtype == np.uint16 else SDC.FLOAT32, stored.shape)
    if name in SCALES:
        data.Scale, data.Offset = SCALES[name], 0.0
    data[:] = stored
    data.endaccess()
    for side, edge in zip(("West", "South", "East", "North"), box or REGION.bbox):
        setattr(file, f"{side}BoundingCoord", f"{edge:.6f}")
    file.end()
    return path


def write_overpass(
    folder: Path, *, view=30.0, red=None, time="1406", shape=COARSE, **options
) -> dict[str, Path]:
    paths = {}
    for band, value in VALUES.items():
        plane = np.broadcast_to(
            np.asarray(value if red is None or band != "Reflectance_I1" else red), REGION.shape
        )
        stored = np.where(np.isnan(plane), 65535, np.round(plane / SCALES[band])).astype("u2")
        paths[band] = put(folder, "NPP_VIAES_L1", band, stored, time=time, **options)
    for name, angle in (("SolarZenithAngle", 40.0), ("SatelliteZenithAngle", view)):
        stored = np.broadcast_to(np.asarray(angle, "f4"), shape).copy()
        paths[name] = put(folder, "NPP_VMAES_L1", name, stored, time=time, **options)
    return paths


def test_registered():
    assert observations.source("viirs375-gridded") is viirs375
    assert viirs375.mir_band == "I4"


def test_values(tmp_path):
    write_overpass(tmp_path)
    planes = viirs375.read_day(tmp_path, DAY, REGION)
    assert planes.red.shape == REGION.shape
    np.testing.assert_allclose(planes.red, 0.08, atol=1.3e-5)
    np.testing.assert_allclose(planes.nir, 0.3, atol=1.3e-5)
    expected = mir_reflectance(np.float32(0.9), np.float32(9.5), 40.0, band="I4")
    np.testing.assert_allclose(planes.mir, expected, atol=2e-4)
    assert 0.02 < expected < 0.5
    assert (planes.view_zenith == 30).all() and (planes.count == 1).all()


def test_angles_are_interpolated_bilinearly(tmp_path):
    centres = np.array([39.25, 39.15, 39.05]), np.array([-7.95, -7.85, -7.75, -7.65])
    coarse = np.random.default_rng(0).uniform(10, 60, COARSE).astype("f4")
    write_overpass(tmp_path, view=coarse)
    found = viirs375.read_day(tmp_path, DAY, REGION).view_zenith
    points = np.stack(
        np.meshgrid(
            np.clip(REGION.latitudes, 39.05, 39.25), np.clip(REGION.longitudes, -7.95, -7.65), indexing="ij"
        ),
        -1,
    )
    oracle = RegularGridInterpolator((centres[0][::-1], centres[1]), coarse[::-1])(points)
    np.testing.assert_allclose(found, oracle, rtol=1e-5)


def test_interpolation_to_the_same_grid_changes_nothing():
    plane = np.random.default_rng(1).uniform(0, 60, REGION.shape).astype("f4")
    np.testing.assert_allclose(interpolated(plane, REGION), plane, rtol=1e-6)
    one = interpolated(np.full((1, 1), 12.5, "f4"), REGION)
    assert (one == 12.5).all()


def test_a_missing_angle_spreads_half_a_coarse_cell():
    plane = np.full(COARSE, 20.0, "f4")
    plane[:, 2] = np.nan
    found = interpolated(plane, REGION)
    missing = np.isnan(found).all(axis=0)
    assert np.flatnonzero(missing).tolist() == list(range(40, 60))
    assert (found[:, ~missing] == 20).all()


def test_best_view_of_two_overpasses(tmp_path):
    gap = np.full(REGION.shape, 0.05)
    gap[:, :20] = np.nan
    write_overpass(tmp_path, view=20.0, red=gap, time="1406")
    write_overpass(tmp_path, view=50.0, red=0.2, time="1230")
    planes = viirs375.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red[:, :20], 0.2, atol=1.3e-5)
    np.testing.assert_allclose(planes.red[:, 20:], 0.05, atol=1.3e-5)
    assert (planes.count[:, 20:] == 2).all() and (planes.count[:, :20] == 1).all()


def test_names_and_days(tmp_path):
    write_overpass(tmp_path)
    write_overpass(tmp_path / "again", red=0.11, production="2018300192651")
    put(
        tmp_path, "NPP_VMAES_L1", "Reflectance_I1", np.zeros((2, 2), "u2")
    )  # a band that the other product has not
    put(tmp_path / "later", "NPP_VMAES_L1", "SolarZenithAngle", np.zeros(COARSE, "f4"), time="1548")
    assert list(viirs375.days(tmp_path)) == [DAY]
    planes = viirs375.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red, 0.11, atol=1.3e-5)
    assert planes.gaps == () and len(planes.inputs) == 6
    with pytest.raises(NotFoundError, match="no viirs375-gridded file"):
        viirs375.read_day(tmp_path, DAY + 1, REGION)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda p: p["SolarZenithAngle"].unlink(), "no file of SolarZenithAngle"),
        (lambda p: p["Reflectance_I2"].unlink(), "no file of Reflectance_I2"),
        (lambda p: p["Radiance_I4"].write_text("<html></html>"), "is a web page"),
        (lambda p: p["Radiance_I5"].write_bytes(p["Radiance_I5"].read_bytes()[:300]), "truncated or damaged"),
        (
            lambda p: put(p["Radiance_I4"].parent, "NPP_VIAES_L1", "Radiance_I4", np.zeros((5, 5), "u2")),
            "has 5 x 5 cells, region T has 60 x 80",
        ),
        (
            lambda p: put(
                p["Radiance_I4"].parent,
                "NPP_VMAES_L1",
                "SolarZenithAngle",
                np.zeros(COARSE, "f4"),
                box=(0, 1, 2, 3),
            ),
            "covers 0, 1, 2, 3",
        ),
    ],
)
def test_a_broken_overpass_is_a_gap(tmp_path, fault, message):
    fault(write_overpass(tmp_path))
    with pytest.raises(UnreadableFileError, match=message):
        viirs375.read_day(tmp_path, DAY, REGION)
    write_overpass(tmp_path, time="1230")
    planes = viirs375.read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).all()
    assert len(planes.gaps) == 1 and planes.gaps[0].startswith("overpass NPP 2017-10-27 14:06: ")
