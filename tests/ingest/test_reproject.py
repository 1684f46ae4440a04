"""Datasets in a projection, brought onto a region: places, power and gaps stay; what lacks is named."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer

import banet
from banet.errors import InputError
from banet.grid.region import Region

REGION = Region("U", (-8.3, 40.0, -8.1, 40.15), 0.01)


def utm(value, *, step=500.0, epsg=32629, named=True):
    """Make a dataset in UTM around the region, `value(lon, lat)` of each pixel's centre."""
    to_utm = Transformer.from_crs("EPSG:4326", f"EPSG:{epsg}", always_xy=True)
    west, south = to_utm.transform(REGION.west - 0.05, REGION.south - 0.05)
    east, north = to_utm.transform(REGION.east + 0.05, REGION.north + 0.05)
    x, y = np.arange(west, east, step), np.arange(north, south, -step)
    lon, lat = to_utm.transform(*np.meshgrid(x, y), direction="INVERSE")
    plane = np.broadcast_to(value(lon, lat), (2, *lon.shape)).astype(np.float32)
    times = np.array(["2024-08-01", "2024-08-02"], "datetime64[ns]")
    ds = xr.Dataset(
        dict.fromkeys(("red", "nir", "mir", "frp"), (("time", "y", "x"), plane)),
        {"time": times, "y": y, "x": x},
    )
    if named:
        import odc.geo.xr  # noqa: F401

        ds = ds.odc.assign_crs(f"EPSG:{epsg}")
    return ds


def test_a_plane_in_utm_comes_to_lie_where_it_is():
    ramp = utm(lambda lon, lat: (lon + 8.6) + 2 * (lat - 40.0))
    found = banet.to_region(ramp, REGION)
    wanted = (REGION.longitudes + 8.6) + 2 * (REGION.latitudes - 40.0)[:, None]
    assert dict(found.sizes) == {"time": 2, "latitude": 15, "longitude": 20}
    np.testing.assert_allclose(found["red"].values[0], wanted, atol=0.003)  # a third of the step of a cell


def test_power_adds_up_and_missing_pixels_count_for_nothing():
    ds = utm(lambda lon, lat: np.ones(lon.shape))
    inside = np.zeros(ds["red"].shape[1:], bool)
    inside[12, 14] = True
    ds["frp"] = ds["frp"] * 0 + 40.0 * inside
    found = banet.to_region(ds.where(~inside | (ds["frp"] > 0)), REGION)
    assert found["frp"].sum(("latitude", "longitude")).values == pytest.approx([40, 40], rel=1e-4)
    holes = utm(lambda lon, lat: np.where(lon < -8.2, np.nan, 0.3))
    found = banet.to_region(holes, REGION)["nir"].values
    assert np.isnan(found[:, :, :9]).all() and (found[:, :, 11:] == np.float32(0.3)).all()


def test_what_was_reprojected_makes_a_cube_on_that_region(tmp_path):
    ds = utm(lambda lon, lat: np.full(lon.shape, 0.2))
    cube = banet.from_dataset(banet.to_region(ds, REGION), tmp_path / "a.zarr", name="U")
    assert cube.region == REGION and len(cube.days) == 2
    assert cube.read("2024-08-01", "2024-08-03").observed.all()


def test_a_projected_dataset_is_refused_by_name_with_the_call_that_mends_it(tmp_path):
    with pytest.raises(
        InputError, match=r"is in EPSG:32629, .* not in degrees; .*banet.to_region\(ds, region\)"
    ):
        banet.from_dataset(utm(lambda lon, lat: lon), tmp_path / "a.zarr", name="U")
    with pytest.raises(InputError, match=r'a projection that it does not name.*crs="EPSG:...'):
        banet.from_dataset(utm(lambda lon, lat: lon, named=False), tmp_path / "a.zarr", name="U")
    assert not (tmp_path / "a.zarr").exists()


def test_a_dataset_that_names_no_projection_or_lies_elsewhere_is_refused():
    bare = utm(lambda lon, lat: lon + 9, named=False)
    with pytest.raises(InputError, match="does not say its reference system"):
        banet.to_region(bare, REGION)
    assert np.isfinite(banet.to_region(bare, REGION, crs="EPSG:32629")["red"].values).all()
    with pytest.raises(InputError, match="'EPSG:0' is no reference system"):
        banet.to_region(bare, REGION, crs="EPSG:0")
    with pytest.raises(InputError, match="nothing of the dataset lies in region AWAY"):
        banet.to_region(bare, Region("AWAY", (10.0, 40.0, 10.2, 40.1), 0.01), crs="EPSG:32629")


def test_the_order_of_axes_does_not_matter_and_uneven_ones_are_refused():
    ds = utm(lambda lon, lat: (lon + 8.6) + 2 * (lat - 40.0))
    upright = banet.to_region(ds, REGION)
    xr.testing.assert_equal(banet.to_region(ds.transpose("x", "y", "time"), REGION), upright)
    moved = ds["x"].values.copy()
    moved[5] += 200
    with pytest.raises(InputError, match="the axis x of the dataset is not evenly spaced: one is 200 off"):
        banet.to_region(ds.assign_coords(x=moved), REGION)
    with pytest.raises(InputError, match="a str is no region"):
        banet.to_region(ds, "PT")
    with pytest.raises(InputError, match="found DataArray"):
        banet.to_region(ds["red"], REGION)


@pytest.mark.parametrize(
    ("name", "value", "units", "words"),
    [
        ("nir", -0.9999, None, "nir of 2024-08-01 falls to -0.9999, which is no reflectance"),
        ("red", 3.2767, None, "red of 2024-08-01 is 3.2767 in 40 cells, which stands for nothing"),
        ("frp", -9.0, None, "frp of 2024-08-01 holds -9, which is no power"),
        ("frp", 3e6, None, "holds 3e[+]06, which is no power"),
        ("frp", 25.0, "W", "frp is in 'W'; give it in MW"),
        ("mir", 0.3, "K", "mir is in 'K', which is no reflectance"),
        ("mir", 0.3, "W m-2 sr-1 um-1", "which is no reflectance"),
    ],
)
def test_fill_values_and_other_units_are_refused_before_they_are_averaged(
    tmp_path, name, value, units, words
):
    ds = utm(lambda lon, lat: np.full(lon.shape, 0.3))
    ds[name] = ds[name] * 1  # the variables share their values
    ds[name].values[:, 10:12, 5:25] = value
    ds[name].attrs["units"] = units
    with pytest.raises(InputError, match=words):
        banet.to_region(ds, REGION)
    made = banet.to_region(utm(lambda lon, lat: np.full(lon.shape, 0.3)), REGION)
    made[name].values[:, 2:4, :] = value
    made[name].attrs["units"] = units
    with pytest.raises(InputError, match=words):
        banet.from_dataset(made, tmp_path / "a.zarr", name="U")


def test_integers_that_are_scaled_later_pass_with_their_fill_value_named():
    ds = utm(lambda lon, lat: np.full(lon.shape, 3000.0)).drop_vars("frp").astype("int16")
    ds["nir"] = ds["nir"] * np.int16(1)
    ds["nir"].values[:, 10:12, 5:25] = -9999
    with pytest.raises(InputError, match="nir of 2024-08-01 falls to -9999"):
        banet.to_region(ds, REGION)
    ds["nir"].attrs["nodata"] = -9999
    found = banet.to_region(ds, REGION)["nir"].values
    assert np.nanmin(found) == np.nanmax(found) == 3000
