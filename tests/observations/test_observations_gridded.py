"""Gridded HDF4: what was written comes back, what is broken is a gap, and the real files agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.io.hdf4 import file_attributes, read_arrays
from banet.observations import source
from banet.observations.gridded_hdf4 import viirs750
from banet.observations.reflectance import mir_reflectance
from writers_hdf4 import BANDS, SCALES, encode, name_of, smooth_planes, write_band, write_overpass

REGION = Region("T", (-8, 39, -7.8, 39.3), 0.01)
DAY = np.datetime64("2020-07-14")
WHEN = ("2020-07-14T12:36", "2020-07-14T14:18")
GRIDDED = source("viirs750-gridded")


def decoded(band: str, plane: np.ndarray) -> np.ndarray:
    """What the file holds of a plane, in the float32 steps of the original."""
    stored = encode(band, plane)
    scale, offset = (np.float32(value) for value in SCALES.get(band, (1, 0)))
    missing = stored >= 65527 if band in SCALES else stored <= -999
    return np.where(missing, np.float32(np.nan), stored.astype(np.float32) * scale + offset)


def test_an_overpass_comes_back_as_it_was_written(tmp_path: Path) -> None:
    planes = smooth_planes(REGION, 1)
    write_overpass(tmp_path, REGION, WHEN[0], planes)
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    np.testing.assert_array_equal(day.red, decoded("Reflectance_M5", planes["Reflectance_M5"]))
    np.testing.assert_array_equal(day.nir, decoded("Reflectance_M7", planes["Reflectance_M7"]))
    bands = ("Radiance_M12", "Radiance_M15", "SolarZenithAngle")
    np.testing.assert_array_equal(day.mir, mir_reflectance(*(decoded(band, planes[band]) for band in bands)))
    seen = np.isfinite(planes["Reflectance_M5"])
    assert 0 < seen.sum() < seen.size
    np.testing.assert_array_equal(day.count, seen)
    np.testing.assert_array_equal(np.isfinite(day.view_zenith), seen)
    assert day.gaps == ()
    assert sorted(day.inputs) == sorted(name_of(band, WHEN[0]) for band in BANDS)


def test_the_nearer_of_two_overpasses_is_taken_and_the_other_fills_its_holes(tmp_path: Path) -> None:
    far, near = smooth_planes(REGION, 1, view_zenith=60), smooth_planes(REGION, 2, view_zenith=20)
    write_overpass(tmp_path, REGION, WHEN[0], far)
    write_overpass(tmp_path / "later order", REGION, WHEN[1], near)
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    red = [decoded("Reflectance_M5", planes["Reflectance_M5"]) for planes in (far, near)]
    np.testing.assert_array_equal(day.red, np.where(np.isnan(red[1]), red[0], red[1]))
    np.testing.assert_array_equal(day.count, np.isfinite(red[0]).astype(int) + np.isfinite(red[1]))
    assert len(day.inputs) == 2 * len(BANDS)


def test_days_are_those_of_the_names(tmp_path: Path) -> None:
    for when in ("2020-02-29T10:00", "2020-12-31T23:54", "2019-01-01T00:00"):
        write_band(tmp_path / name_of(BANDS[0], when), BANDS[0], np.zeros((2, 2), np.uint16))
    for other in ("readme.txt", "NPP_VMAES_L1.A2020400.1200.001.x.Reflectance_M5.hdf", "MOD09.A2020001.hdf"):
        (tmp_path / other).write_text("")
    assert (
        GRIDDED.days(tmp_path).tolist()
        == np.array(["2019-01-01", "2020-02-29", "2020-12-31"], "M8[D]").tolist()
    )


@pytest.mark.parametrize("product", ["NPP_VMAES_L1", "VNP_VMAES_L1", "VJ1_VMAES_L1", "VJ2_VMAES_L1"])
def test_names_of_every_satellite_are_known(product: str) -> None:
    file = viirs750.parse(Path(name_of("Reflectance_M7", WHEN[0], product)))
    assert file is not None
    assert (file.day, file.time, file.product, file.band) == (DAY, "1236", product, "Reflectance_M7")
    for name in (file.path.name.lower(), file.path.name.upper()):
        same = viirs750.parse(Path(name))
        assert same is not None and (same.day, same.product, same.band) == (DAY, product, "Reflectance_M7")


@pytest.mark.parametrize(
    "name",
    [
        "NPP_VMAES_L1.A2020366.1200.001.2.psrpgs.Reflectance_M5.nc",
        "NPP_VMAES_L1.A2019366.1200.001.2.psrpgs.Reflectance_M5.hdf",
        "NPP_VMAES_L1.A2020001.2460.001.2.psrpgs.Reflectance_M5.hdf",
        "NPP_VIAES_L1.A2020001.1200.001.2.psrpgs.Reflectance_I1.hdf",
        "VNP64A1.A2021213.h19v05.002.2023198172838.hdf",
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert viirs750.parse(Path(name)) is None


def test_of_two_productions_of_a_band_the_newer_is_read(tmp_path: Path) -> None:
    old, new = smooth_planes(REGION, 1), smooth_planes(REGION, 2)
    write_overpass(tmp_path, REGION, WHEN[0], old, production="2020197000000")
    write_overpass(tmp_path, REGION, WHEN[0], new, production="2021001000000")
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    np.testing.assert_array_equal(day.red, decoded("Reflectance_M5", new["Reflectance_M5"]))
    assert day.count.max() == 1


def test_night_and_low_sun_are_left_out(tmp_path: Path) -> None:
    """Nothing is seen where the sun is lower than 5 degrees, and a day without any view is told."""
    planes = smooth_planes(REGION, 1)
    planes["SolarZenithAngle"][:10] = 84.9
    planes["SolarZenithAngle"][10:20] = 85.1
    planes["SolarZenithAngle"][20:] = 110
    write_overpass(tmp_path, REGION, WHEN[0], planes)
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    seen = np.isfinite(planes["Reflectance_M5"])
    seen[10:] = False
    for plane in (day.red, day.nir, day.view_zenith):
        np.testing.assert_array_equal(np.isfinite(plane), seen)
    assert day.count.any() and not day.count[~seen].any()
    assert day.gaps == ()
    planes["SolarZenithAngle"][:] = 86
    write_overpass(tmp_path, REGION, WHEN[0], planes)
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    assert np.isnan(day.red).all() and not day.count.any()
    assert day.gaps == ("no overpass of 2020-07-14 sees region T by daylight (1 looked at)",)


def spoil_truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><title>Earthdata Login</title></html>")


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_hdf5(path: Path) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))


def spoil_text(path: Path) -> None:
    path.write_text("503 Service Unavailable")


def spoil_missing(path: Path) -> None:
    path.unlink()


def spoil_shape(path: Path) -> None:
    write_band(path, "Reflectance_M7", np.zeros((5, 6), np.uint16))


def spoil_name(path: Path) -> None:
    write_band(path, "Reflectance_M8", np.zeros(REGION.shape, np.uint16))


def spoil_place(path: Path) -> None:
    elsewhere = Region("E", (-9, 39, -8.8, 39.3), 0.01)
    write_band(path, "Reflectance_M7", np.zeros(REGION.shape, np.uint16), elsewhere)


SPOILS = [
    (spoil_truncated, "truncated or damaged .*download it again"),
    (spoil_html, "is a web page, not HDF4"),
    (spoil_empty, "is empty"),
    (spoil_hdf5, "is HDF5, not HDF4"),
    (spoil_text, "is not an HDF4 file"),
    (spoil_missing, "no file of Reflectance_M7"),
    (spoil_shape, "has 5 x 6 cells, region T has 30 x 20"),
    (spoil_name, "lacks Reflectance_M7; it holds Reflectance_M8"),
    (spoil_place, "covers -9, 39, -8.8, 39.3, region T is -8, 39, -7.8, 39.3"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILS, ids=[spoil.__name__ for spoil, _ in SPOILS])
def test_a_broken_file_is_a_gap_and_the_other_overpass_is_used(tmp_path: Path, spoil, reason: str) -> None:
    good = smooth_planes(REGION, 2, view_zenith=60)
    broken = write_overpass(tmp_path, REGION, WHEN[0], smooth_planes(REGION, 1))["Reflectance_M7"]
    spoil(broken)
    with pytest.raises(
        UnreadableFileError, match=f"(?s)no overpass of 2020-07-14 can be used: .*{reason}"
    ) as told:
        GRIDDED.read_day(tmp_path, DAY, REGION)
    assert "\n" not in str(told.value)
    write_overpass(tmp_path, REGION, WHEN[1], good)
    day = GRIDDED.read_day(tmp_path, DAY, REGION)
    np.testing.assert_array_equal(day.red, decoded("Reflectance_M5", good["Reflectance_M5"]))
    assert len(day.gaps) == 1
    assert "overpass NPP_VMAES_L1 2020-07-14 12:36" in day.gaps[0]
    assert len(day.inputs) == len(BANDS)


def test_a_file_whose_name_says_another_day_is_a_gap(tmp_path: Path) -> None:
    planes = smooth_planes(REGION, 1)
    for band, file in write_overpass(tmp_path, REGION, WHEN[0], planes).items():
        write_band(file, band, encode(band, planes[band]), REGION, begins="20200714")
    assert not GRIDDED.read_day(tmp_path, DAY, REGION).gaps
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.replace(".A2020196.", ".A2020197.")))
    with pytest.raises(
        UnreadableFileError, match="holds 2020-07-14, its name says 2020-07-15; was it renamed"
    ):
        GRIDDED.read_day(tmp_path, DAY + 1, REGION)


def test_no_folder_and_no_file_of_the_day_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="folder of VIIRS files .*nowhere does not exist"):
        GRIDDED.days(tmp_path / "nowhere")
    write_overpass(tmp_path, REGION, WHEN[0], smooth_planes(REGION, 1))
    with pytest.raises(NotFoundError, match="holds no viirs750-gridded file of 2020-07-15"):
        GRIDDED.read_day(tmp_path, DAY + 1, REGION)


def test_the_antimeridian_may_be_written_either_way(tmp_path: Path) -> None:
    fiji = Region("F", (179.9, -17, 180.1, -16.7), 0.01)
    written = Region("F", (-180, -17, -179.8, -16.7), 0.01)
    planes = smooth_planes(fiji, 1)
    write_overpass(tmp_path, fiji, WHEN[0], planes)
    assert GRIDDED.read_day(tmp_path, DAY, fiji).gaps == ()
    for path in tmp_path.iterdir():
        path.unlink()
    write_overpass(tmp_path, written, WHEN[0], planes)
    with pytest.raises(UnreadableFileError, match="covers -180"):
        GRIDDED.read_day(tmp_path, DAY, fiji)


def test_threads_may_read_at_the_same_time(tmp_path: Path) -> None:
    paths = write_overpass(tmp_path, REGION, WHEN[0], smooth_planes(REGION, 1))
    jobs = [(paths[band], band) for band in BANDS] * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: read_arrays(job[0], [job[1]])[job[1]].values.sum(), jobs))
    assert found == [read_arrays(path, [band])[band].values.sum() for path, band in jobs]


def test_the_door_to_hdf4_tells_what_is_inside(tmp_path: Path) -> None:
    path = write_band(tmp_path / "a.hdf", "Radiance_M12", np.zeros(REGION.shape, np.uint16), REGION)
    assert read_arrays(path, ["Radiance_M12"])["Radiance_M12"].values.shape == REGION.shape
    assert file_attributes(path)["NorthBoundingCoord"] == "39.300000"
    with pytest.raises(NotFoundError, match=r"b\.hdf does not exist"):
        file_attributes(tmp_path / "b.hdf")


@pytest.mark.real
def test_the_real_overpass_agrees_with_its_integers(real: Path) -> None:
    from pyhdf.SD import SD

    folder = real / "viirs_l1_gridded"
    region = Region.load("PI")
    day = GRIDDED.read_day(folder, np.datetime64("2017-10-27"), region)
    raw = {}
    for path in folder.glob("*.hdf"):
        band = path.name.split(".")[-2]
        data = SD(str(path)).select(band)
        raw[band] = (
            data.get().astype(float),
            data.attributes().get("Scale", 1),
            data.attributes().get("Offset", 0),
        )
    seen = raw["Reflectance_M5"][0] < 65527
    red, nir, mir, tir = (raw[b][0][seen] * raw[b][1] + raw[b][2] for b in SCALES)
    kelvin = 1.439e4 / (10.7343 * np.log(1.1911e8 / (10.7343**5 * tir) + 1))
    heat = 1.1911e8 / (3.6966**5 * (np.exp(1.439e4 / (3.6966 * kelvin)) - 1))
    sun = 11.7881 / np.pi * np.cos(np.radians(raw["SolarZenithAngle"][0][seen]))
    assert seen.sum() == 248
    np.testing.assert_allclose(day.red[seen], red, rtol=2e-7)
    np.testing.assert_allclose(day.nir[seen], nir, rtol=2e-7)
    np.testing.assert_allclose(day.mir[seen], (mir - heat) / (sun - heat), rtol=2e-5)
    np.testing.assert_allclose(day.view_zenith[seen], raw["SatelliteZenithAngle"][0][seen])
    assert (np.isfinite(day.red) == seen).all()
    assert (day.count == seen).all()
