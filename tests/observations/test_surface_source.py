"""V*09GA files in their layout through the source: values, flags, tiles, satellites, and what goes wrong."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from banet import observations
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.observations.planes import NO_FLAG, DayPlanes
from banet.observations.surface import FLAGS, surface
from writers_surface import pixel_centres, write_tile

DAY = np.datetime64("2021-08-05")
REGION = Region("Evia", (23.2, 38.6, 23.5, 38.8))


def test_registered_and_says_what_it_holds():
    assert observations.source("surface") is surface
    assert surface.mir_band == "M11"
    assert "surface reflectance" in surface.sensor


@pytest.mark.parametrize("collection", ["001", "002"])
def test_values_and_angles(tmp_path, collection):
    write_tile(
        tmp_path, 19, 5, {"M5": 0.05, "M7": 0.31, "M11": 0.1234}, collection=collection, view_zenith=33.21
    )
    planes = surface.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red, 0.05, atol=1e-6)
    np.testing.assert_allclose(planes.nir, 0.31, atol=1e-6)
    np.testing.assert_allclose(planes.mir, 0.1234, atol=1e-6)
    np.testing.assert_allclose(planes.view_zenith, 33.21, atol=0.005)
    assert (planes.count == 1).all() and planes.gaps == ()
    assert planes.inputs == (f"VNP09GA.A2021217.h19v05.{collection}.2023198172838.h5",)


def test_positions(tmp_path):
    """Reflectance that rises with longitude and latitude comes back where it belongs."""
    lon, lat = pixel_centres(19, 5)
    write_tile(tmp_path, 19, 5, {"M5": (lon - 20) / 10, "M7": (lat - 30) / 10})
    planes = surface.read_day(tmp_path, DAY, REGION)
    east = planes.red * 10 + 20 - REGION.longitudes
    north = planes.nir * 10 + 30 - REGION.latitudes[:, None]
    assert np.abs([east.mean(), north.mean()]).max() < 2e-4  # a fiftieth of a cell
    assert np.max([east.std(), north.std()]) < 0.25 * 0.01  # nearest pixels: 0.32
    assert np.abs([east, north]).max() < 0.6 * 0.01


def test_fill_and_values_out_of_range_are_missing(tmp_path):
    lon, lat = pixel_centres(19, 5)
    red = np.where(lat > 38.7, np.nan, 0.1)
    nir = np.where(lon > 23.4, 1.7, 0.3)  # above 16000
    path = write_tile(tmp_path, 19, 5, {"M5": red, "M7": nir, "M11": -0.005})
    planes = surface.read_day(tmp_path, DAY, REGION)
    seen = np.isfinite(planes.red)
    assert np.array_equal(seen, np.isfinite(planes.nir)) and np.array_equal(seen, planes.count == 1)
    assert seen[11:, :18].all() and not seen[:9].any() and not seen[:, 21:].any()
    np.testing.assert_allclose(
        planes.mir[seen], -0.005, atol=1e-6
    )  # slightly negative values are valid (-100)
    assert path.exists()


def test_night_and_low_sun_are_left_out(tmp_path):
    lon, lat = pixel_centres(19, 5)
    quality = np.where(lat > 38.7, 1 << 4, 0).astype("u1")
    write_tile(tmp_path, 19, 5, {}, flags={1: quality}, solar_zenith=np.where(lon > 23.4, 85.01, 84.99))
    seen = np.isfinite(surface.read_day(tmp_path, DAY, REGION).red)
    assert seen[11:, :18].all() and not seen[:9].any() and not seen[:, 21:].any()


@pytest.mark.parametrize("dark", [{"flags": {1: 1 << 4}}, {"solar_zenith": 86}])
def test_tiles_without_a_value_by_daylight_are_told(tmp_path, dark):
    write_tile(tmp_path, 19, 5, {}, **dark)
    planes = surface.read_day(tmp_path, DAY, REGION)
    assert np.isnan(planes.red).all()
    assert planes.gaps == (f"tile S-NPP h19v05: no value by daylight in region {REGION.name}",)


def test_flags_go_along_and_do_not_mask(tmp_path):
    lon, _ = pixel_centres(19, 5)
    cloudy = np.where(lon > 23.35, 3 << 2, 0).astype("u1")
    write_tile(tmp_path, 19, 5, {}, flags={1: cloudy, 2: 1 << 3, 7: 200})
    planes = surface.read_day(tmp_path, DAY, REGION)
    assert tuple(planes.flags) == FLAGS
    assert all(plane.dtype == np.uint8 and plane.shape == REGION.shape for plane in planes.flags.values())
    assert (planes.flags["qf1"][:, :14] == 0).all() and (planes.flags["qf1"][:, 16:] == 12).all()
    assert (planes.flags["qf2"] == 8).all() and (planes.flags["qf7"] == 200).all()
    assert np.isfinite(planes.red).all()


def test_a_cube_says_that_it_holds_m11(tmp_path):
    write_tile(tmp_path / "files", 19, 5, {"M11": 0.17})
    cube = build_cube(REGION, tmp_path / "files", None, tmp_path / "c.zarr", source="surface")
    assert cube.mir_band == "M11" and "surface reflectance" in cube.sensor
    np.testing.assert_allclose(cube.read(DAY, DAY + 1).mir, 0.17, atol=2e-4)


def test_tiles_are_joined(tmp_path):
    """At 40 degrees north tiles v04 and v05 meet."""
    region = Region("seam", (23.2, 39.9, 23.5, 40.1))
    for v in (4, 5):
        _, lat = pixel_centres(19, v)
        write_tile(tmp_path, 19, v, {"M5": (lat - 30) / 20}, flags={3: v})
    write_tile(tmp_path, 17, 4, {})  # does not touch the region
    planes = surface.read_day(tmp_path, DAY, region)
    assert np.isfinite(planes.red).all() and (planes.count == 1).all()
    np.testing.assert_allclose(
        planes.red * 20 + 30, np.broadcast_to(region.latitudes[:, None], (20, 30)), atol=0.006
    )
    assert (planes.flags["qf3"][:10] == 4).all() and (planes.flags["qf3"][10:] == 5).all()
    assert len(planes.inputs) == 2


def test_a_region_beyond_its_tiles(tmp_path):
    region = Region("seam", (23.2, 39.9, 23.5, 40.1))
    write_tile(tmp_path, 19, 5, {})
    planes = surface.read_day(tmp_path, DAY, region)
    assert np.isnan(planes.red[:10]).all() and np.isfinite(planes.red[10:]).all()
    assert planes.gaps == ("no file of tile S-NPP h19v04",)
    assert (planes.flags["qf1"][:10] == NO_FLAG).all()


def test_best_view_over_satellites_with_its_flags(tmp_path):
    lon, _ = pixel_centres(19, 5)
    left = np.where(lon < 23.35, 10.0, 50.0)
    write_tile(tmp_path, 19, 5, {"M5": 0.1}, satellite="VNP", view_zenith=left, flags={1: 1})
    write_tile(tmp_path, 19, 5, {"M5": 0.2}, satellite="VJ2", view_zenith=60 - left, flags={1: 2})
    planes = surface.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red[:, :14], 0.1, atol=1e-6)
    np.testing.assert_allclose(planes.red[:, 16:], 0.2, atol=1e-6)
    assert (planes.flags["qf1"][:, :14] == 1).all() and (planes.flags["qf1"][:, 16:] == 2).all()
    assert (planes.count == 2).all()


def test_days_newest_production_and_names(tmp_path):
    write_tile(tmp_path, 19, 5, {"M5": 0.1}, production="2021218000000")
    write_tile(tmp_path / "later", 19, 5, {"M5": 0.2}, production="2023218000000")
    nrt = write_tile(tmp_path / "nrt", 19, 5, {"M5": 0.3}, production="2024218000000")
    nrt.rename(nrt.with_name(nrt.name.replace("09GA.", "09GA_NRT.")))
    write_tile(tmp_path, 19, 5, {}, day="2020366")
    (tmp_path / "VNP09GA.A2021400.h19v05.002.x.h5").touch()
    assert [str(day) for day in surface.days(tmp_path)] == ["2020-12-31", "2021-08-05"]
    np.testing.assert_allclose(surface.read_day(tmp_path, DAY, REGION).red, 0.2, atol=1e-6)
    with pytest.raises(NotFoundError, match="no surface file of 2021-08-06"):
        surface.read_day(tmp_path, np.datetime64("2021-08-06"), REGION)
    with pytest.raises(NotFoundError):
        surface.days(tmp_path / "nowhere")


def test_no_tile_touches_the_region(tmp_path):
    write_tile(tmp_path, 19, 5, {})
    planes = surface.read_day(tmp_path, DAY, Region("far", (-60, -10, -59, -9)))
    assert not planes.count.any()
    assert planes.gaps == ("no tile of 2021-08-05 touches region far (1 looked at)",)


def _truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


def _web_page(path):
    path.write_text("<html>Earthdata Login</html>")


def _no_band(path):
    with h5py.File(path, "r+") as file:
        del file["HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/SurfReflect_M11_1"]


def _no_grid(path):
    with h5py.File(path, "r+") as file:
        del file["HDFEOS/GRIDS/VIIRS_Grid_1km_2D"]


def _other_shape(path):
    with h5py.File(path, "r+") as file:
        fields = file["HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields"]
        del fields["SensorZenith_1"]
        fields["SensorZenith_1"] = np.zeros((600, 600), "i2")


FAULTS = {
    _truncated: "is truncated or damaged; download it again",
    _web_page: "is a web page or an error message",
    _no_band: "lacks .*SurfReflect_M11_1; it holds",
    _no_grid: "has no 1 km grid under HDFEOS/GRIDS",
    _other_shape: r"SensorZenith_1 is \(600, 600\), a tile has \(1200, 1200\)",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_a_broken_tile_is_a_gap_and_the_others_serve(tmp_path, fault):
    fault(write_tile(tmp_path, 19, 5, {}))
    with pytest.raises(UnreadableFileError, match=FAULTS[fault]) as caught:
        surface.read_day(tmp_path, DAY, REGION)
    assert "\n" not in str(caught.value)
    write_tile(tmp_path, 19, 5, {"M5": 0.2}, satellite="VJ1")
    planes = surface.read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red, 0.2, atol=1e-6)
    assert len(planes.gaps) == 1 and planes.gaps[0].startswith("tile S-NPP h19v05: ")


def test_an_impossible_tile_is_a_gap(tmp_path):
    path = write_tile(tmp_path, 19, 5, {})
    path.rename(path.with_name(path.name.replace("h19v05", "h40v05")))
    with pytest.raises(UnreadableFileError, match="there is no tile h40v05"):
        surface.read_day(tmp_path, DAY, REGION)


def test_flags_of_another_shape_are_refused():
    plane = np.zeros((2, 3), np.float32)
    with pytest.raises(InputError, match="differ in shape"):
        DayPlanes(plane, plane, plane, plane, plane.astype("u1"), flags={"qf1": np.zeros((3, 2), "u1")})
