"""Values that attributes say are something else: fill values, packed integers, percent divided before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import banet
from banet.errors import BanetWarning, InputError
from banet.grid.region import Region

REGION = Region("T", (21.8, 37.17, 21.95, 37.29), 0.01)
BANDS = ("red", "nir", "mir")
GONE = (slice(None), slice(2, 5), slice(3, 9))


def images(**more: np.ndarray) -> xr.Dataset:
    shape = (2, *REGION.shape)
    rng = np.random.default_rng(1)
    planes = {name: rng.uniform(0.1, 0.4, shape) for name in BANDS} | more
    axes = ("time", "latitude", "longitude")
    days = np.array(["2021-08-03", "2021-08-04"], "M8[ns]")
    places = {"latitude": REGION.latitudes, "longitude": REGION.longitudes}
    return xr.Dataset({name: (axes, plane) for name, plane in planes.items()}, {"time": days, **places})


def spoilt(value: float, **attrs: object) -> xr.Dataset:
    """Give what is missing a value, and attributes to all bands."""
    ds = images()
    for name in BANDS:
        ds[name].values[GONE] = value
        ds[name].attrs = dict(attrs)
    return ds


def made(ds: xr.Dataset, folder: Path) -> banet.Cube:
    return banet.from_dataset(ds, folder / "t.zarr", name="T")


@pytest.mark.parametrize(
    ("value", "attrs"),
    [
        (0.0, {"_FillValue": 0.0}),
        (1.0, {"missing_value": np.array([1.0, -9.0])}),
        (0.0, {"nodata": 0}),
        (1.6, {"valid_range": [0.0, 1.2]}),
        (0.02, {"valid_min": 0.05}),
        (255 * 0.004, {"_FillValue": np.uint8(255), "scale_factor": 0.004}),
        (1.6, {"valid_range": np.array([0, 10_000], "i2"), "scale_factor": 1e-4}),
    ],
)
def test_what_attributes_name_is_missing_in_cubes_and_on_regions(tmp_path, value, attrs):
    ds = spoilt(value, **attrs)
    red = made(ds, tmp_path).read("2021-08-03", "2021-08-05").red
    assert np.isnan(red[GONE]).all()
    np.testing.assert_allclose(red, images().red.where(~np.isnan(red)), atol=5.1e-5)
    found = banet.to_region(ds, REGION, crs=4326)["red"]
    np.testing.assert_allclose(found, red, atol=1e-4)
    assert not {"_FillValue", "nodata", "valid_range"} & found.attrs.keys()


def test_a_valid_range_of_numbers_before_they_were_scaled_takes_nothing(tmp_path):
    ds = spoilt(0.3, valid_range=np.array([1, 10_000], "i2"))
    assert np.isfinite(made(ds, tmp_path).read("2021-08-03", "2021-08-05").red).all()


def packed(path: Path) -> xr.Dataset:
    """Return images of a file in which whole ends are those of packed numbers."""
    shape = (2, *REGION.shape)
    ds = images(frp=np.full(shape, 0.8), view_zenith=np.full(shape, 0.5))
    ds["frp"].values[0, 3, 3:5] = 4000, 0  # more than the range allows
    scales = {"red": (0.004, "u1", [1, 250]), "nir": (1e-4, "i2", [0, -6])}
    scales |= {"frp": (0.1, "u2", [1, 30000]), "view_zenith": (0.01, "i2", [10, 9000])}
    encoding: dict[str, dict[str, object]] = {}
    for name, (scale, kind, ends) in scales.items():
        ds[name].attrs["valid_range"] = np.array(ends, kind)
        encoding[name] = {"dtype": kind, "scale_factor": scale, "_FillValue": np.array(255, kind)}
    encoding["nir"]["_Unsigned"] = "true"
    ds.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return xr.open_dataset(path, engine="h5netcdf")


def test_whole_valid_ends_take_nothing_once_their_scale_is_lost(tmp_path):
    ds = packed(tmp_path / "p.nc")
    first = banet.from_dataset(ds, tmp_path / "a.zarr", name="T").to_xarray()
    assert np.isnan(first["frp"].values[0, 3, 3])  # the scale is known
    for number, lost in enumerate((ds.fillna(0), ds.where(ds.frp < 1000, 0.8), ds.clip(0, 1000))):
        assert "valid_range" in lost["frp"].attrs and "scale_factor" not in lost["frp"].encoding
        again = banet.from_dataset(lost, tmp_path / f"{number}.zarr", name="T").to_xarray()
        assert all(np.isfinite(again[name]).all() for name in ("red", "nir", "frp", "view_zenith"))


def test_attributes_that_leave_nothing_of_a_variable_are_told(tmp_path):
    ds = images(view_zenith=np.full((2, *REGION.shape), 20.0))
    ds["view_zenith"].attrs["valid_max"] = 1.5
    words = "no value of view_zenith is left by its own valid_max; drop"
    with pytest.warns(BanetWarning, match=words):
        assert np.isnan(made(ds, tmp_path).to_xarray()["view_zenith"]).all()
    with pytest.warns(BanetWarning, match=words):
        banet.to_region(ds, REGION, crs=4326)
    ds["red"].attrs["valid_range"] = [1.0, 250.0]
    with pytest.raises(InputError, match="no value of red is left by its own valid_range"):
        made(ds.drop_vars("view_zenith"), tmp_path / "b")
    with pytest.warns(BanetWarning, match="no value of red is left by its own valid_range"):
        banet.to_region(ds.drop_vars("view_zenith"), REGION, crs=4326)


def test_no_fire_stays_no_fire_whatever_a_tag_says(tmp_path):
    power = np.zeros((2, *REGION.shape))
    power[0, 4, 5], power[1, 2, 2] = 30, -1
    ds = images(frp=power)
    ds["frp"].attrs = {"_FillValue": 0.0, "missing_value": -1.0, "valid_range": [1.0, 5000.0]}
    wanted = np.where(power < 0, np.nan, power)
    np.testing.assert_array_equal(made(ds, tmp_path).read("2021-08-03", "2021-08-05").frp, wanted)
    found = banet.to_region(ds, REGION, crs=4326)["frp"]
    assert float(found.sum()) == pytest.approx(30) and float(found.min()) >= 0


def test_integers_that_are_still_to_be_scaled_are_refused_by_name(tmp_path):
    ds = images()
    ds["nir"] = (ds["nir"] * 5).round().astype("u1").assign_attrs(scale_factor=0.2, add_offset=0.0)
    words = "nir holds uint8 that its scale_factor 0.2 and add_offset 0 have not been applied to"
    with pytest.raises(InputError, match=words):
        made(ds, tmp_path)
    with pytest.raises(InputError, match=words):
        banet.to_region(ds, REGION, crs=4326)
    nir = made(xr.decode_cf(ds), tmp_path).read("2021-08-03", "2021-08-04").nir
    np.testing.assert_allclose(nir, ds["nir"][:1] * 0.2, atol=1e-4)


def test_percent_that_were_divided_before_are_refused(tmp_path):
    ds = images()
    for name in BANDS:
        ds[name] = (ds[name] * 100).assign_attrs(units="%")
    ds["nir"] = (ds["nir"] / 100).assign_attrs(units="%")
    with pytest.raises(InputError, match=r"nir says %, but reaches only 0\.4: drop its units"):
        made(ds, tmp_path)
    del ds["nir"].attrs["units"]
    assert made(ds, tmp_path).read("2021-08-03", "2021-08-04").nir.max() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("name", ["red", "frp", "view_zenith"])
def test_a_yes_or_no_is_no_measurement(tmp_path, name):
    ds = images(frp=np.zeros((2, *REGION.shape)), view_zenith=np.full((2, *REGION.shape), 20.0))
    ds[name] = ds[name] > 0.2
    with pytest.raises(InputError, match=f"{name} holds bool, not numbers"):
        made(ds, tmp_path)
    with pytest.raises(InputError, match=f"{name} holds bool, not numbers"):
        banet.to_region(ds, REGION, crs=4326)
