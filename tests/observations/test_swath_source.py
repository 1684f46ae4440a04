"""Level-1B files in their layout through the sources of swaths: values, satellites, and what goes wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from banet import observations
from banet.errors import NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.observations import swath
from banet.observations.granules import IMG, MOD
from banet.observations.l1b import find_granules
from swath_scenes import DAY, Part, small, surface
from writers_l1b import BOWTIE, QUALITY, Geometry, write_granule

REGION = Region("Evia", (23.0, 38.4, 23.6, 38.8), 0.01)
USELESS = ("Missing_EV", "Cal_Fail", "Dead_Detector")


@pytest.fixture(scope="module")
def granule(tmp_path_factory) -> tuple[Path, Geometry]:
    folder = tmp_path_factory.mktemp("granule")
    geometry = small()
    write_granule(folder, geometry, surface(geometry))
    return folder, geometry


def copied(granule, tmp_path: Path) -> tuple[Path, Path, Path]:
    folder = tmp_path / "copy"
    shutil.copytree(granule[0], folder)
    bands, geolocation = sorted(folder.iterdir())
    return folder, bands, geolocation


def test_registered_under_their_names():
    assert observations.source("viirs750-swath") is swath.viirs750
    assert observations.source("viirs375-swath") is swath.viirs375
    assert (swath.viirs750.mir_band, swath.viirs375.mir_band) == ("M12", "I4")
    assert "NOAA-21" in swath.viirs750.sensor


def test_a_uniform_surface_comes_back(granule):
    planes = swath.viirs750.read_day(granule[0], DAY, REGION)
    assert np.isfinite(planes.red).all()
    # One step of the integers is 2e-5 in reflectance and 6e-5 W m-2 sr-1 um-1 (about 2e-5 in MIR
    # reflectance).
    np.testing.assert_allclose(planes.red, 0.08, atol=3e-5)
    np.testing.assert_allclose(planes.nir, 0.3, atol=3e-5)
    np.testing.assert_allclose(planes.mir, 0.12, atol=3e-4)
    assert (planes.count == 1).all()
    assert planes.gaps == ()
    assert [name[:8] for name in planes.inputs] == ["VNP02MOD", "VNP03MOD"]


def test_numbers_straight_from_the_integers(granule):
    """The reader against the file's own integers, pixel by pixel, in ten lines."""
    folder, geometry = granule
    (one,) = find_granules(folder.iterdir(), MOD)
    block = slice(0, 32), slice(5, 60)
    pixels = one.pixels(geometry.shape, block)
    with h5py.File(one.bands) as bands, h5py.File(one.where) as place:
        for name, plane in (("M05", pixels.red), ("M07", pixels.nir)):
            band = bands["observation_data"][name]
            sun = np.cos(np.radians(place["geolocation_data/solar_zenith"][block] * 0.01))
            np.testing.assert_allclose(plane, band[block] * band.attrs["scale_factor"] / sun, rtol=1e-5)
        view = place["geolocation_data/sensor_zenith"][block] * 0.01
    np.testing.assert_allclose(pixels.view_zenith, view, rtol=1e-5)


def test_flags_above_65527_are_missing_and_65533_is_deletion(granule, tmp_path):
    folder, bands, _ = copied(granule, tmp_path)
    with h5py.File(bands, "r+") as file:
        red = file["observation_data/M05"]
        red[0, 0:6] = [65527, 65528, 65532, 65533, 65534, 65535]
    (one,) = find_granules(folder.iterdir(), MOD)
    pixels = one.pixels(granule[1].shape, (slice(0, 1), slice(0, 6)))
    assert np.isnan(pixels.red[0]).tolist() == [False, True, True, True, True, True]
    assert pixels.deleted[0].tolist() == [False, False, False, True, False, False]


def test_quality_flags_are_what_the_file_says_they_are(tmp_path):
    """Failed calibration, dead detectors and lost packets are missing; saturation over a fire is not."""
    geometry = small(scans=2)
    bits = np.zeros(geometry.shape, int)
    bits[0, :6] = [QUALITY[name] for name in ("Saturation", "Out_of_Range", "Substitute_Cal", *USELESS)]
    write_granule(tmp_path, geometry, surface(geometry), flags={"M07": bits})
    (one,) = find_granules(tmp_path.iterdir(), MOD)
    block = slice(0, 1), slice(0, 7)
    assert np.isnan(one.pixels(geometry.shape, block).nir[0]).tolist() == [False] * 3 + [True] * 3 + [False]
    assert np.isfinite(one.pixels(geometry.shape, block).red).all()
    with h5py.File(one.bands, "r+") as file:  # the same bits with other meanings
        file["observation_data/M07_quality_flags"].attrs["flag_meanings"] = " ".join(reversed(QUALITY))
    assert np.isnan(one.pixels(geometry.shape, block).nir[0]).tolist() == [True] + [True] * 2 + [False] * 4


def test_whole_swath_with_bow_tie_has_no_holes(tmp_path):
    geometry = small(pixel=150, half=120)
    write_granule(tmp_path, geometry, surface(geometry))
    with h5py.File(next(tmp_path.glob("*02MOD*"))) as file:
        assert (file["observation_data/M12"][()] == BOWTIE).mean() == 0.25
    line, pixel = geometry.shape[0] // 2, 120
    lat, lon = round(geometry.latitude[line, pixel], 1), round(geometry.longitude[line, pixel], 1)
    region = Region("edge", (lon - 0.4, lat - 0.2, lon + 0.4, lat + 0.2), 0.01)
    planes = swath.viirs750.read_day(tmp_path, DAY, region)
    assert np.isfinite(planes.red).all()
    np.testing.assert_allclose(planes.nir, 0.3, atol=3e-5)
    assert planes.view_zenith.min() > 60 and planes.view_zenith.max() < 70.5


def test_image_bands(tmp_path):
    geometry = small(resolution=375, scans=4, half=150)
    write_granule(tmp_path, geometry, surface(geometry))
    region = Region("fine", (23.1, 38.5, 23.5, 38.7), 0.005)
    planes = swath.viirs375.read_day(tmp_path, DAY, region)
    assert planes.red.shape == (40, 80)
    np.testing.assert_allclose(planes.red, 0.08, atol=3e-5)
    np.testing.assert_allclose(planes.mir, 0.12, atol=3e-4)
    with pytest.raises(NotFoundError, match="viirs750-swath"):
        swath.viirs750.read_day(tmp_path, DAY, region)


def test_best_view_over_satellites(tmp_path):
    """NOAA-20 sees the region from aslant, NOAA-21 from above: NOAA-21's values, both counted."""
    aslant = small((39.0, 30.6), f"{DAY}T10:40", pixel=900, half=120, scans=12)
    overhead = small(time=f"{DAY}T11:30")
    line, pixel = aslant.shape[0] // 2, 120
    centre = aslant.latitude[line, pixel], aslant.longitude[line, pixel]
    region = Region(
        "x",
        (
            round(centre[1], 1) - 0.2,
            round(centre[0], 1) - 0.1,
            round(centre[1], 1) + 0.2,
            round(centre[0], 1) + 0.1,
        ),
    )
    overhead = small((centre[0], centre[1]), f"{DAY}T11:30", scans=12)
    write_granule(tmp_path, aslant, surface(aslant, red=0.2), satellite="VJ1")
    write_granule(tmp_path, overhead, surface(overhead, red=0.1), satellite="VJ2")
    planes = swath.viirs750.read_day(tmp_path, DAY, region)
    np.testing.assert_allclose(planes.red, 0.1, atol=3e-5)
    assert (planes.count == 2).all()
    assert planes.view_zenith.max() < 10
    assert len(planes.inputs) == 4
    # Where the overhead granule has a gap, the other one serves.
    gap = surface(overhead, red=np.where(overhead.longitude < region.west + 0.2, np.nan, 0.1))
    write_granule(tmp_path, overhead, gap, satellite="VJ2")
    planes = swath.viirs750.read_day(tmp_path, DAY, region)
    np.testing.assert_allclose(planes.red[:, :17], 0.2, atol=3e-5)
    np.testing.assert_allclose(planes.red[:, 24:], 0.1, atol=3e-5)
    assert (planes.view_zenith[:, :17] > 30).all()


def test_a_cube_is_built_from_swaths(tmp_path, granule):
    cube = build_cube(REGION, granule[0], None, tmp_path / "c.zarr", source="viirs750-swath")
    assert (cube.sensor, cube.mir_band) == ("VIIRS S-NPP/NOAA-20/NOAA-21", "M12")
    window = cube.read(DAY, DAY + 1)
    np.testing.assert_allclose(window.nir, 0.3, atol=2e-4)
    np.testing.assert_allclose(window.mir, 0.12, atol=5e-4)
    assert (window.count == 1).all() and window.view_zenith.max() < 12


def test_neighbouring_granules_are_one_overpass(tmp_path):
    """A region on the seam of two granules: no cell missing, none counted twice."""
    whole = small(scans=16)
    halves = [Part(whole, slice(0, 128)), Part(whole, slice(128, 256))]
    starts = (f"{DAY}T11:24", f"{DAY}T11:30")
    for part, start in zip(halves, starts):
        write_granule(tmp_path, part, surface(part), start=start)
    planes = swath.viirs750.read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).all()
    assert (planes.count == 1).all()
    assert len(planes.inputs) == 4


def test_a_granule_that_does_not_tell_where_the_sun_stood_is_damaged(tmp_path):
    night = small(time=f"{DAY}T00:20", ascending=False)
    _, where = write_granule(tmp_path, night, surface(night), night=True)
    with h5py.File(where, "a") as file:
        file["geolocation_data/solar_zenith"][...] = -32767
    with pytest.raises(
        UnreadableFileError, match=r"granule .* 00:\d\d: .* does not tell where the sun stood"
    ):
        swath.viirs750.read_day(tmp_path, DAY, REGION)


def test_night_and_low_sun_are_left_out(tmp_path):
    night = small(time=f"{DAY}T00:20", ascending=False)
    write_granule(tmp_path, night, surface(night), night=True)
    planes = swath.viirs750.read_day(tmp_path, DAY, REGION)
    assert np.isnan(planes.red).all() and not planes.count.any()
    assert len(planes.gaps) == 1 and "by daylight" in planes.gaps[0]


def test_sun_lower_than_85_degrees_is_not_observed(tmp_path):
    """An evening in the far north: cells on both sides of the limit."""
    geometry = small((65.0, 20.0), "2021-03-20T15:52", scans=10)
    sun = geometry.solar_zenith
    assert sun.min() < 84.7 and sun.max() > 85.3
    # A cold surface: a warm one emits more at 3.7 um than so low a sun gives, and its MIR reflectance is
    # missing.
    write_granule(tmp_path, geometry, surface(geometry, kelvin=260.0))
    region = Region("north", (18.8, 64.6, 21.2, 65.4), 0.01)
    planes = swath.viirs750.read_day(tmp_path, np.datetime64("2021-03-20"), region)
    seen = np.isfinite(planes.red)
    assert 0.1 < seen.mean() < 0.9
    np.testing.assert_allclose(planes.red[seen], 0.08, atol=3e-4)
    east = np.broadcast_to(region.longitudes, region.shape)
    assert east[seen].mean() < east[~seen].mean()


@pytest.mark.parametrize("nrt_production", ["2021217140000", ""])
def test_near_real_time_names(tmp_path, nrt_production):
    geometry = small()
    first, second = write_granule(
        tmp_path, geometry, surface(geometry), nrt=True, production=nrt_production or "x"
    )
    if not nrt_production:
        for path in (first, second):
            path.rename(path.with_name(path.name.replace(".x.nc", ".nc")))
    assert list(swath.viirs750.days(tmp_path)) == [DAY]
    assert np.isfinite(swath.viirs750.read_day(tmp_path, DAY, REGION).red).all()


def test_the_newest_standard_production_is_read(tmp_path):
    geometry = small()
    for value, nrt, production in ((0.1, False, "2021218"), (0.2, False, "2022100"), (0.3, True, "2023001")):
        write_granule(
            tmp_path / production, geometry, surface(geometry, red=value), nrt=nrt, production=production
        )
    planes = swath.viirs750.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red, 0.2, atol=3e-5)
    assert len(planes.inputs) == 2


def test_days_and_files(tmp_path):
    geometry = small()
    for start in ("2020-12-31T11:30", "2021-01-01T11:30"):
        write_granule(tmp_path, geometry, surface(geometry), start=start)
    (tmp_path / "VNP02MOD.A2021400.1130.002.x.nc").touch()
    (tmp_path / "VNP02IMG.A2021100.1130.002.x.nc").touch()
    (tmp_path / "notes.txt").touch()
    files = swath.viirs750.files(tmp_path)
    assert [str(day) for day in files] == ["2020-12-31", "2021-01-01"]
    assert [path.name[:8] for path in files[np.datetime64("2021-01-01")]] == ["VNP02MOD", "VNP03MOD"]
    assert [str(day) for day in swath.viirs375.days(tmp_path)] == ["2021-04-10"]
    with pytest.raises(NotFoundError, match="no viirs750-swath file of 2021-08-05"):
        swath.viirs750.read_day(tmp_path, DAY, REGION)
    with pytest.raises(NotFoundError, match="does not exist"):
        swath.viirs750.days(tmp_path / "nowhere")


def test_a_region_that_no_granule_reaches(granule):
    planes = swath.viirs750.read_day(granule[0], DAY, Region("far", (30, 38, 31, 39)))
    assert not planes.count.any() and np.isnan(planes.nir).all()
    assert planes.gaps == ("no granule of 2021-08-05 sees region far by daylight (1 looked at)",)
    planes = swath.viirs750.read_day(granule[0], DAY, Region("south", (23, -10, 24, -9)))
    assert not planes.count.any()


def _unpaired(folder, bands, geolocation):
    geolocation.unlink()


def _truncated(folder, bands, geolocation):
    bands.write_bytes(bands.read_bytes()[:2000])


def _truncated_geolocation(folder, bands, geolocation):
    geolocation.write_bytes(geolocation.read_bytes()[: geolocation.stat().st_size // 2])


def _web_page(folder, bands, geolocation):
    bands.write_text("<!DOCTYPE html><html><body>Please log in</body></html>")


def _empty(folder, bands, geolocation):
    bands.write_bytes(b"")


def _text(folder, bands, geolocation):
    geolocation.write_text("not a file of ours")


def _no_band(folder, bands, geolocation):
    with h5py.File(bands, "r+") as file:
        del file["observation_data/M12"]


def _no_group(folder, bands, geolocation):
    with h5py.File(geolocation, "r+") as file:
        del file["geolocation_data"]


def _other_shape(folder, bands, geolocation):
    with h5py.File(bands, "r+") as file:
        values = file["observation_data/M07"][:-16]
        del file["observation_data/M07"]
        file["observation_data/M07"] = values


def _no_scale(folder, bands, geolocation):
    with h5py.File(bands, "r+") as file:
        del file["observation_data/M15"].attrs["scale_factor"]


def _half_scan(folder, bands, geolocation):
    with h5py.File(geolocation, "r+") as file:
        values = file["geolocation_data/latitude"][:-3]
        del file["geolocation_data/latitude"]
        file["geolocation_data/latitude"] = values


def _other_bands(folder, bands, geolocation):
    with h5py.File(bands, "r+") as file:
        file.attrs["time_coverage_start"] = "2021-07-20T11:27:00.000Z"


def _other_geolocation(folder, bands, geolocation):
    with h5py.File(geolocation, "r+") as file:
        file.attrs["time_coverage_start"] = "2021-08-05T13:09:00.000Z"


FAULTS = {
    _other_bands: "VNP02MOD.* holds 2021-07-20T11:27:00, its name says 2021-08-05T11:27; was it",
    _other_geolocation: "VNP03MOD.* holds 2021-08-05T13:09:00, its name says 2021-08-05T11:27; was it",
    _unpaired: "has no 03 .geolocation. file",
    _truncated: "VNP02MOD.*is truncated or damaged; download it again",
    _truncated_geolocation: "VNP03MOD.*is truncated or damaged",
    _web_page: "is a web page or an error message",
    _empty: "is empty",
    _text: "VNP03MOD.*is no HDF5 or NetCDF-4 file",
    _no_band: "lacks observation_data/M12; it holds M05, M05_quality_flags, M07",
    _no_group: "lacks geolocation_data/latitude; it holds nothing of that group",
    _other_shape: r"M07 is \(112, 200\), the geolocation \(128, 200\)",
    _no_scale: "M15 has no scale_factor",
    _half_scan: "not whole scans of 16 lines",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_a_broken_granule_is_a_gap_and_the_others_serve(granule, tmp_path, fault):
    folder, bands, geolocation = copied(granule, tmp_path)
    fault(folder, bands, geolocation)
    with pytest.raises(UnreadableFileError, match=FAULTS[fault]) as caught:
        swath.viirs750.read_day(folder, DAY, REGION)
    assert "\n" not in str(caught.value)
    other = small(time=f"{DAY}T12:20")
    write_granule(folder, other, surface(other), satellite="VJ1")
    planes = swath.viirs750.read_day(folder, DAY, REGION)
    assert np.isfinite(planes.red).all() and (planes.count == 1).all()
    assert len(planes.gaps) == 1
    assert planes.gaps[0].startswith("granule S-NPP 2021-08-05 11:27: ")
    assert all(name.startswith("VJ1") for name in planes.inputs)


def test_geolocation_is_read_for_the_latitudes_asked(granule):
    folder, geometry = granule
    (one,) = find_granules(folder.iterdir(), MOD)
    where = one.geolocation(38.55, 38.6)
    assert where.first % 16 == 0 and len(where.latitude) % 16 == 0 and len(where.latitude) < 128
    np.testing.assert_array_equal(
        where.longitude, geometry.longitude[where.first : where.first + len(where.longitude)].astype("f4")
    )
    assert one.geolocation(10, 11) is None
    assert find_granules(folder.iterdir(), IMG) == ()
