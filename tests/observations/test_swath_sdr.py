"""NOAA's SDR granules against the Level-1B ones of the same scene, and what goes wrong with them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from banet import observations
from banet.cli import main
from banet.cube import open_cube
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.observations import sdr, swath
from banet.observations.granules import IMG, MOD
from swath_scenes import DAY, Part, small, surface
from writers_l1b import write_granule
from writers_sdr import write_sdr

REGION = Region("Evia", (23.0, 38.4, 23.6, 38.8), 0.01)
SDR = observations.source("viirs750-sdr")
FINE = Region("fine", (23.1, 38.5, 23.5, 38.7), 0.005)


@pytest.fixture(scope="module")
def scene():
    """A granule and its bands, with texture and a row of missing pixels."""
    geometry = small()
    red = 0.08 + 0.02 * np.sin(geometry.longitude * 40)
    red[70, 90:96] = np.nan
    return geometry, surface(geometry, red=red)


def written(folder, scene, **options):
    return write_sdr(folder, *scene, **options)


@pytest.mark.parametrize(("packed", "terrain"), [(False, True), (True, True), (False, False)])
def test_the_same_scene_as_level_1b_gives_the_same_planes(tmp_path, scene, packed, terrain):
    write_granule(tmp_path / "l1b", *scene)
    written(tmp_path / "sdr", scene, packed=packed, terrain=terrain)
    ours, theirs = SDR.read_day(tmp_path / "sdr", DAY, REGION), swath.viirs750.read_day(
        tmp_path / "l1b", DAY, REGION
    )  # fmt: skip
    for name, slack in (("red", 4e-5), ("nir", 4e-5), ("mir", 4e-4), ("view_zenith", 1e-2)):
        mine, other = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(other))
        np.testing.assert_allclose(mine, other, atol=slack)
    assert np.isnan(ours.red).any()
    assert (ours.count == theirs.count).all()
    assert (ours.satellites, ours.gaps) == (("S-NPP",), ())
    assert len(ours.inputs) == (1 if packed else 5)


def test_reflectance_is_that_of_the_file_not_divided_again(tmp_path, scene):
    geometry = scene[0]
    paths = written(tmp_path, scene)
    (granule,) = sdr.find_granules(tmp_path.iterdir(), MOD)
    block = slice(16, 48), slice(5, 60)
    pixels = granule.pixels(geometry.shape, block)
    with h5py.File(paths[0]) as file:
        group = file["All_Data/VIIRS-M5-SDR_All"]
        scale, offset = group["ReflectanceFactors"][()]
        raw = group["Reflectance"][block]
    kept = raw < 65528
    np.testing.assert_allclose(pixels.red[kept], raw[kept] * scale + offset, rtol=1e-6)
    assert np.isnan(pixels.red[~kept]).all()
    np.testing.assert_array_equal(pixels.deleted, geometry.deleted[block])


def test_image_bands(tmp_path):
    geometry = small(resolution=375, scans=4, half=150)
    write_sdr(tmp_path, geometry, surface(geometry), satellite="j01")
    planes = observations.source("viirs375-sdr").read_day(tmp_path, DAY, FINE)
    np.testing.assert_allclose(planes.red, 0.08, atol=3e-5)
    np.testing.assert_allclose(planes.mir, 0.12, atol=5e-4)
    assert planes.satellites == ("NOAA-20",)
    assert sdr.find_granules(tmp_path.iterdir(), MOD) == ()


def test_granules_of_one_file_have_factors_of_their_own(tmp_path, scene):
    written(tmp_path / "one", scene)
    written(tmp_path / "two", scene, scales=(1.0, 1.7))
    one, two = (SDR.read_day(tmp_path / name, DAY, REGION) for name in ("one", "two"))
    np.testing.assert_allclose(one.red, two.red, atol=5e-5)
    np.testing.assert_allclose(one.mir, two.mir, atol=1e-3)


def test_a_granule_without_factors_beside_one_that_has_them_is_missing(tmp_path, scene):
    paths = written(tmp_path, scene, scales=(1.0, 1.0))
    with h5py.File(paths[0], "r+") as file:
        file["All_Data/VIIRS-M5-SDR_All/ReflectanceFactors"][2:] = -999.9
    (granule,) = sdr.find_granules(tmp_path.iterdir(), MOD)
    red = granule.pixels(scene[0].shape, (slice(None), slice(None))).red
    assert np.isnan(red[64:]).all()
    assert np.isfinite(red[:64]).mean() > 0.7


def test_bands_of_two_gains_are_floats(tmp_path, scene):
    written(tmp_path / "integers", scene)
    written(tmp_path / "floats", scene, floats=("M05", "M12"))
    one, two = (SDR.read_day(tmp_path / name, DAY, REGION) for name in ("integers", "floats"))
    np.testing.assert_array_equal(np.isnan(one.red), np.isnan(two.red))
    np.testing.assert_allclose(one.red, two.red, atol=3e-5)
    np.testing.assert_allclose(one.mir, two.mir, atol=4e-4)


def test_pixels_without_calibration_or_data_are_missing_and_saturated_ones_are_not(tmp_path, scene):
    paths = written(tmp_path, scene)
    flags = np.zeros(scene[0].shape, np.uint8)
    flags[20:24], flags[30:34], flags[40:44], flags[50:54] = 0b10, 0b1_0000, 0b1000, 0b1
    with h5py.File(paths[0], "r+") as file:
        file["All_Data/VIIRS-M5-SDR_All/QF1_VIIRSMBANDSDR"] = flags
    (granule,) = sdr.find_granules(tmp_path.iterdir(), MOD)
    pixels = granule.pixels(scene[0].shape, (slice(None), slice(None)))
    for lines, lost in ((20, True), (30, True), (40, False), (50, False), (60, False)):
        assert np.isnan(pixels.red[lines : lines + 4]).all() == lost
    assert np.isfinite(pixels.nir[20:24]).any()


def test_granules_of_85_seconds_are_one_overpass_and_the_newest_production_is_read(tmp_path):
    whole = small(scans=16)
    for part, start in ((slice(0, 128), f"{DAY}T11:30:00"), (slice(128, 256), f"{DAY}T11:31:25")):
        piece = Part(whole, part)
        write_sdr(tmp_path, piece, surface(piece, red=0.2), start=start)
        write_sdr(tmp_path, piece, surface(piece, red=0.1), start=start, created="20210901000000000000")
    planes = SDR.read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).all()
    np.testing.assert_allclose(planes.red, 0.1, atol=3e-5)
    assert (planes.count == 1).all()
    assert len(planes.inputs) == 10


def test_night_is_left_out(tmp_path):
    night = small(time=f"{DAY}T00:20", ascending=False)
    write_sdr(tmp_path, night, surface(night), start=f"{DAY}T00:20")
    planes = SDR.read_day(tmp_path, DAY, REGION)
    assert not planes.count.any()
    assert "by daylight" in planes.gaps[0]


def test_terrain_corrected_places_are_preferred(tmp_path, scene):
    plain = written(tmp_path, scene, terrain=False)[-1]
    written(tmp_path, scene)
    with h5py.File(plain, "r+") as file:
        file["All_Data/VIIRS-MOD-GEO_All/Latitude"][...] += 10
    assert np.isfinite(SDR.read_day(tmp_path, DAY, REGION).red).any()


def _no_band(paths):
    paths[1].unlink()


def _no_place(paths):
    paths[-1].unlink()


def _truncated(paths):
    paths[2].write_bytes(paths[2].read_bytes()[:3000])


def _no_factors(paths):
    with h5py.File(paths[0], "r+") as file:
        file["All_Data/VIIRS-M5-SDR_All/ReflectanceFactors"][...] = -999.9


def _odd_factors(paths):
    with h5py.File(paths[0], "r+") as file:
        del file["All_Data/VIIRS-M5-SDR_All/ReflectanceFactors"]
        file["All_Data/VIIRS-M5-SDR_All/ReflectanceFactors"] = np.ones(3, "f4")


def _wrong_scale(paths):
    with h5py.File(paths[1], "r+") as file:
        file["All_Data/VIIRS-M7-SDR_All/ReflectanceFactors"][...] = [1.0, 0.0]


def _other_shape(paths):
    with h5py.File(paths[3], "r+") as file:
        values = file["All_Data/VIIRS-M15-SDR_All/Radiance"][:-16]
        del file["All_Data/VIIRS-M15-SDR_All/Radiance"]
        file["All_Data/VIIRS-M15-SDR_All/Radiance"] = values


FAULTS = {
    _no_band: "SVM05.* has no SVM07 file of its satellite and time",
    _no_place: "SVM05.* has no GMTCO or GMODO file of its satellite and time",
    _truncated: "SVM12.* is truncated or damaged; download it again",
    _no_factors: "SVM05.*: Reflectance has no factors, so its numbers mean nothing",
    _odd_factors: "3 factors do not fit 128 lines",
    _wrong_scale: "SVM07.*are no reflectance .* its scale or offset is wrong",
    _other_shape: r"Radiance is \(112, 200\), the geolocation \(128, 200\)",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_a_broken_granule_is_told_in_one_line(tmp_path, scene, fault):
    fault(written(tmp_path, scene))
    with pytest.raises(UnreadableFileError, match=FAULTS[fault]) as caught:
        SDR.read_day(tmp_path, DAY, REGION)
    assert "\n" not in str(caught.value)


def test_names_of_other_things_are_passed_over(tmp_path):
    for name in (
        "SVM05_npp_d20219905_t1129185_e1_b1_c1_ops.h5",
        "SVM05_npp_d20210805_t2560000_e1_b1_c1_ops.h5",
        "SVDNB_npp_d20210805_t1129185_e1_b1_c1_ops.h5",
    ):
        (tmp_path / name).touch()
    assert not SDR.files(tmp_path)
    assert sdr.find_granules(tmp_path.iterdir(), IMG) == ()
    with pytest.raises(NotFoundError, match="no viirs750-sdr file of 2021-08-05"):
        SDR.read_day(tmp_path, DAY, REGION)


def test_a_cube_is_built_from_the_command_line(tmp_path, scene):
    written(tmp_path / "sdr", scene)
    grid, out, fires = REGION.save(tmp_path), tmp_path / "c.zarr", tmp_path / "fires.csv"
    fires.write_text("latitude,longitude,acq_date,acq_time,frp\n38.6,23.3,2021-08-05,1130,12.5\n")
    words = ["cube", "build", grid, "--viirs", tmp_path / "sdr", "--hotspots", fires, "--out", out]
    assert main([*map(str, words), "--source", "viirs750-sdr"]) == 0
    cube = open_cube(out)
    assert (cube.sensor, cube.mir_band) == ("VIIRS S-NPP/NOAA-20/NOAA-21", "M12")
    window = cube.read(DAY, DAY + 1)
    assert window.count.max() == 1
    assert window.frp.sum() == 12.5
