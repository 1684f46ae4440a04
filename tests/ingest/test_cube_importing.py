"""Cubes from datasets that come from elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st

from banet.cube import Cube
from banet.errors import BanetError, BanetWarning, InputError, NotFoundError
from banet.grid.region import Region
from banet.ingest.dataset import from_dataset, region_of
from banet.observations.hotspots import grid_frp, read_hotspots

REGION = Region("T", (21.8, 37.17, 21.95, 37.29), 0.01)
ALIKE = [(one, one) for one in ("decimal_degrees", "decimal degrees", "arc_degree", "DD")]
ALIKE += [("degrees latitude", "degrees longitude")]
DAYS = np.array(["2021-08-03", "2021-08-04", "2021-08-06"], "M8[ns]")


def dataset(
    region: Region = REGION, *, mir: str = "mir", names: tuple[str, str] = ("lat", "lon")
) -> xr.Dataset:
    rng = np.random.default_rng(0)
    dims = ("time", *names)
    coords = {"time": DAYS, names[0]: region.latitudes, names[1]: region.longitudes}
    shape = (len(DAYS), *region.shape)
    variables = {}
    for name in ("red", "nir", mir):
        values = rng.uniform(0, 1, shape)
        values[:, 0, :3] = np.nan
        variables[name] = (dims, values)
    return xr.Dataset(variables, coords)


def assert_is(cube: Cube, ds: xr.Dataset, mir: str = "mir") -> None:
    """The cube holds the dataset, whatever the order of its axes."""
    lat, lon = (next(d for d in ds.red.dims if str(d).startswith(part)) for part in ("la", "lo"))
    upright = ds.sortby(lat, ascending=False).sortby(lon).sortby("time").transpose("time", lat, lon, ...)
    days = upright.time.values.astype("M8[D]")
    assert cube.days.tolist() == days.tolist()
    window = cube.read(days[0], days[-1] + 1)
    places = (days - days[0]).astype(int)
    for ours, theirs in (("red", "red"), ("nir", "nir"), ("mir", mir)):
        np.testing.assert_allclose(getattr(window, ours)[places], upright[theirs], atol=5.1e-5)
    np.testing.assert_array_equal(window.count[places], np.isfinite(upright.red))


def test_a_dataset_becomes_a_cube_on_its_exact_grid(tmp_path: Path) -> None:
    ds = dataset()
    cube = from_dataset(ds, tmp_path / "t.zarr", name="T", sensor="VIIRS")
    assert cube.region == REGION
    assert (cube.sensor, cube.mir_band) == ("VIIRS", "M12")
    assert_is(cube, ds)
    assert np.isnan(cube.read("2021-08-05", "2021-08-06").red).all()
    assert np.isnan(cube.read("2021-08-03", "2021-08-04").frp).all()
    record = cube.record("2021-08-03")
    assert record is not None
    assert record.notes == ("no hot spots were given",)


@pytest.mark.parametrize("flip", [("lat",), ("lon",), ("lat", "lon"), ("time",)])
def test_axes_may_run_either_way(tmp_path: Path, flip: tuple[str, ...]) -> None:
    ds = dataset().isel({name: slice(None, None, -1) for name in flip})
    cube = from_dataset(ds, tmp_path / "t.zarr", name="T")
    assert cube.region == REGION
    assert_is(cube, ds)


@pytest.mark.parametrize("names", [("latitude", "longitude"), ("lat", "lon")])
def test_axes_may_have_any_order_and_name(tmp_path: Path, names: tuple[str, str]) -> None:
    ds = dataset(names=names).transpose(names[1], "time", names[0])
    assert_is(from_dataset(ds, tmp_path / "t.zarr", name="T"), ds)


def test_axes_may_be_called_y_and_x(tmp_path: Path) -> None:
    cube = from_dataset(dataset(names=("y", "x")), tmp_path / "t.zarr", name="T")
    assert cube.region == REGION


def test_a_cube_comes_back_from_its_own_dataset(tmp_path: Path) -> None:
    ds = dataset().assign(
        frp=dataset().red.fillna(0) * 10, view_zenith=dataset().nir * 60, count=dataset().red.notnull()
    )
    first = from_dataset(ds, tmp_path / "a.zarr", name="T")
    second = from_dataset(first.to_xarray(), tmp_path / "b.zarr", name="T")
    one, two = (cube.read("2021-08-03", "2021-08-07") for cube in (first, second))
    for name in ("red", "nir", "mir", "frp", "view_zenith", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_allclose(one.frp[0], ds.frp[0], rtol=1e-6)
    assert first.region == second.region


def test_sensor_band_and_water_of_a_cube_come_back_too(tmp_path: Path) -> None:
    ds = dataset(mir="swir")
    ds.swir.attrs["long_name"] = "reflectance 2.25 um (M11)"
    first = from_dataset(ds, tmp_path / "a.zarr", name="T", sensor="VIIRS S-NPP")
    assert from_dataset(first.to_xarray(), tmp_path / "b.zarr", name="T").water is None
    first.set_water(water := np.arange(180).reshape(REGION.shape) < 70)
    again = from_dataset(first.to_xarray().sortby("latitude"), tmp_path / "c.zarr", name="T")
    assert (again.sensor, again.mir_band) == ("VIIRS S-NPP", "SWIR 2.25 um (M11)")
    np.testing.assert_array_equal(again.water, water)
    other = from_dataset(first.to_xarray(), tmp_path / "d.zarr", name="T", sensor="Mine", mir_band="M11")
    assert (other.sensor, other.mir_band) == ("Mine", "M11")


@pytest.mark.parametrize(
    "use",
    [
        lambda ds: ds.where(ds.time > ds.time[0]),
        lambda ds: ds.where(ds.red.fillna(0) < ds.red.max("time").fillna(1)),
        lambda ds: ds.resample(time="1D").mean(),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_water_of_a_cube_that_was_spread_along_time_comes_back(tmp_path: Path, use, known: bool) -> None:
    first = from_dataset(dataset(), tmp_path / "a.zarr", name="T")
    water = np.arange(180).reshape(REGION.shape) < 70
    if known:
        first.set_water(water)
    spread = use(first.to_xarray())
    assert "time" in spread.water.dims
    found = from_dataset(spread, tmp_path / "b.zarr", name="T").water
    np.testing.assert_array_equal(found, water if known else None)


def test_water_of_a_cube_that_is_missing_in_cells_is_not_taken_as_land(tmp_path: Path) -> None:
    first = from_dataset(dataset(), tmp_path / "a.zarr", name="T")
    first.set_water(np.arange(180).reshape(REGION.shape) < 70)
    ds = first.to_xarray()
    with pytest.warns(
        BanetWarning, match="water of the dataset is missing in 70 of its 180 cells and is left"
    ):
        cube = from_dataset(ds.assign(water=ds.water.where(ds.water != 1)), tmp_path / "b.zarr", name="T")
    assert cube.water is None
    nothing = ds.assign(water=ds.water.where(ds.water > 1))
    assert from_dataset(nothing, tmp_path / "c.zarr", name="T").water is None


@pytest.mark.parametrize("kind", [list, pd.DatetimeIndex])
def test_times_of_a_zone_are_taken_as_utc(tmp_path: Path, kind: type) -> None:
    evening = pd.DatetimeIndex(DAYS) + pd.Timedelta("22h")
    zoned = [time.tz_localize("America/Los_Angeles") for time in evening]
    times = np.array(zoned, object) if kind is list else pd.DatetimeIndex(zoned)
    cube = from_dataset(dataset().assign_coords(time=("time", times)), tmp_path / "t.zarr", name="T")
    assert [str(day) for day in cube.days] == ["2021-08-04", "2021-08-05", "2021-08-07"]


@pytest.mark.parametrize(
    "units", [("degrees_north", "degrees_east"), ("degree_N", "degreeE"), ("deg", "°"), *ALIKE]
)
def test_degrees_have_many_names(tmp_path: Path, units: tuple[str, str]) -> None:
    ds = dataset()
    ds.lat.attrs["units"], ds.lon.attrs["units"] = units
    assert from_dataset(ds, tmp_path / "t.zarr", name="T").region == REGION


def test_gaps_that_were_filled_with_0_are_no_looks(tmp_path: Path) -> None:
    ds = dataset().copy(deep=True)
    for band in ("red", "nir", "mir"):
        ds[band][1, 2:4, 1:4] = 0
    ds["red"][0, 5, 5] = ds["mir"][0, 5, 5] = 0  # a dark look, and no gap
    full = {
        name: (ds["red"].dims, np.full(ds["red"].shape, value)) for name, value in (("count", 2), ("frp", 7))
    }
    ds = ds.assign(full)
    cube = from_dataset(ds, tmp_path / "t.zarr", name="T")
    window = cube.read(cube.days[0], cube.days[-1] + 1)
    for band in (window.red, window.nir, window.mir):
        assert np.isnan(band[1]).sum() - np.isnan(ds["red"].values[1]).sum() == 6
    assert (window.red[0, 5, 5], window.mir[0, 5, 5]) == (0, 0)
    assert np.isfinite(window.nir[0, 5, 5])
    assert (window.frp[1] == 7).all()
    assert (window.count[1] == 0).sum() == 6
    records = [cube.record(day) for day in cube.days]
    told = "6 cells that are 0 in red, nir and mir are missing"
    assert [record.notes for record in records if record is not None] == [(), (told,), ()]


def test_what_sits_in_the_mir_slot_is_said(tmp_path: Path) -> None:
    ds = dataset(mir="swir")
    assert from_dataset(ds, tmp_path / "a.zarr", name="T").mir_band == "SWIR"
    ds.swir.attrs["long_name"] = "reflectance 2.25 um (M11)"
    assert from_dataset(ds, tmp_path / "b.zarr", name="T").mir_band == "SWIR 2.25 um (M11)"
    cube = from_dataset(ds, tmp_path / "c.zarr", name="T", mir_band="M11")
    assert cube.mir_band == "M11"
    assert_is(cube, ds, mir="swir")


def test_percent_is_understood(tmp_path: Path) -> None:
    ds = dataset()
    percent = ds * 100
    for name in percent:
        percent[name].attrs["units"] = "percent"
    assert_is(from_dataset(percent, tmp_path / "t.zarr", name="T"), ds)


def test_fires_come_from_the_hot_spots(tmp_path: Path) -> None:
    text = "latitude,longitude,frp,acq_date\n37.2,21.85,3,2021-08-03\n37.2,21.86,5,2021-08-05\n"
    (tmp_path / "f.csv").write_text(text)
    table = read_hotspots(tmp_path / "f.csv")
    cube = from_dataset(dataset(), tmp_path / "t.zarr", name="T", hotspots=table)
    window = cube.read("2021-08-03", "2021-08-07")
    np.testing.assert_array_equal(window.frp[0], grid_frp(table, REGION, "2021-08-03"))
    assert (window.frp[1] == 0).all()
    assert np.isnan(window.frp[3]).all()  # after the last row of the table nothing is known


# The grid.


@given(
    st.integers(-170, 170),
    st.integers(-80, 80),
    st.sampled_from([0.01, 0.005, 0.0025, 0.05, 0.1, 0.25, 1 / 240, 1 / 3]),
    st.integers(2, 60),
    st.integers(2, 60),
    st.sampled_from([np.float64, np.float32]),
)
def test_the_box_is_the_one_that_was_meant(
    west: int, south: int, size: float, rows: int, cols: int, dtype: type
) -> None:
    assume(south + rows * size <= 90)
    # float32 degrees beyond 128 are 1.5e-5 apart, more than a thousandth of a small cell.
    assume(dtype is np.float64 or size > 0.02)
    lon = (west + (np.arange(cols) + 0.5) * size).astype(dtype)
    lat = (south + (np.arange(rows) + 0.5) * size).astype(dtype)
    region = region_of(lat, lon, "T")
    assert region.shape == (rows, cols)
    assert (region.west, region.south) == (west, south)
    np.testing.assert_allclose(region.longitudes, lon, atol=2e-3 * size)
    np.testing.assert_allclose(region.latitudes[::-1], lat, atol=2e-3 * size)
    assert region.pixel_size == pytest.approx(size, rel=1e-4)


def test_longitudes_to_360_are_understood() -> None:
    lat = -16 - (np.arange(4) + 0.5) * 0.1
    assert region_of(lat, 200 + (np.arange(3) + 0.5) * 0.1, "T").bbox == (-160.0, -16.4, -159.7, -16.0)
    assert region_of(lat, 179.8 + (np.arange(4) + 0.5) * 0.1, "T").bbox == (179.8, -16.4, 180.2, -16.0)


def test_the_box_of_float32_coordinates_is_exact() -> None:
    lat, lon = REGION.latitudes.astype(np.float32), REGION.longitudes.astype(np.float32)
    assert region_of(lat, lon, "T") == REGION


@pytest.mark.parametrize(("west", "size"), [(130.0, 0.01), (-179.9, 0.01), (150.0, 0.005), (20.0, 0.0025)])
def test_coordinates_of_float32_give_the_box_also_far_from_greenwich(west: float, size: float) -> None:
    wanted = Region("T", (west, -38.2, west + 40 * size, -38.2 + 60 * size), size)
    found = region_of(wanted.latitudes.astype(np.float32), wanted.longitudes.astype(np.float32), "T")
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.bbox, wanted.bbox, atol=size / 100)


@pytest.mark.parametrize("odd", [np.nan, "text"])
def test_coordinates_that_are_no_numbers_are_told(tmp_path: Path, odd: object) -> None:
    ds = dataset()
    axis = "lon"
    lon = ds[axis].values.astype(object if isinstance(odd, str) else float)
    lon[3] = odd
    moved = ds.assign_coords({axis: lon.astype(str) if isinstance(odd, str) else lon})
    with pytest.raises(InputError, match=f"coordinates {axis} of the dataset are not all finite numbers"):
        from_dataset(moved, tmp_path / "t.zarr", name="T")


@pytest.mark.parametrize(
    ("lat", "lon", "message"),
    [
        ([3.0, 2.0, 0.9], [0.0, 1, 2], "latitudes .* not evenly spaced: one is 0.0476 cells off"),
        ([3.0, 2, 1], [0.0, 1, 2.01], "longitudes .* not evenly spaced"),
        ([3.0, 1, 2], [0.0, 1, 2], "not evenly spaced"),
        ([2.0, 2.0], [0.0, 1], "not evenly spaced"),
        ([4.0, 2, 0], [0.0, 1, 2], "cells of 1 by 2 degrees are not square"),
        ([np.nan, 2, 1], [0.0, 1, 2], "not one row of finite numbers"),
        ([], [0.0, 1], "not one row of finite numbers"),
    ],
)
def test_what_is_no_grid_is_refused(lat: list[float], lon: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        region_of(lat, lon, "T")


# What cannot be a cube.


def no_red(ds: xr.Dataset) -> xr.Dataset:
    return ds.drop_vars("red")


def no_mir(ds: xr.Dataset) -> xr.Dataset:
    return ds.drop_vars("mir")


def no_time(ds: xr.Dataset) -> xr.Dataset:
    return ds.isel(time=0)


def twice(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(time=DAYS[[0, 0, 1]])


def numbers(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(time=[1, 2, 3])


def unknown_time(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(time=np.array(["2021-08-03", "NaT", "2021-08-05"], "M8[ns]"))


def no_axis(ds: xr.Dataset) -> xr.Dataset:
    return ds.rename(lat="row")


def percentages(ds: xr.Dataset) -> xr.Dataset:
    return ds * 100


def other_dims(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign(nir=ds.nir.isel(time=0, drop=True))


def one_plane(ds: xr.Dataset) -> xr.DataArray:
    return ds.red


def texts(ds: xr.Dataset) -> xr.Dataset:
    return ds.astype(str)


def named_times(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(time=["3 August", "4 August", "5 August"])


def undecoded(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(time=("time", [0, 1, 2], {"units": "days since 2021-08-03"}))


def other_calendar(ds: xr.Dataset) -> xr.Dataset:
    return ds.convert_calendar("noleap", use_cftime=True)


def kilometres(ds: xr.Dataset) -> xr.Dataset:
    km = {"units": "km"}
    return ds.assign_coords(lat=("lat", np.arange(12.0), km), lon=("lon", np.arange(15.0), km))


def radians(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(lon=("lon", np.radians(ds.lon.values), {"units": "radian"}))


def exchanged(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(lat=ds.lat.assign_attrs(units="degrees_east"))


def pixel_numbers(ds: xr.Dataset) -> xr.Dataset:
    return ds.rename(lat="y", lon="x").assign_coords(y=np.arange(12)[::-1], x=np.arange(15))


def fill_values(ds: xr.Dataset) -> xr.Dataset:
    return ds.fillna(-9999)


def scaled_fill_values(ds: xr.Dataset) -> xr.Dataset:
    return ds.fillna(-9999 * 1e-4)


def bands_apart(ds: xr.Dataset) -> xr.Dataset:
    """Every band is there, but nowhere all three."""
    return ds.assign(nir=ds.nir.where(ds.lat > 37.23), mir=ds.mir.where(ds.lat < 37.23))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (one_plane, "xarray.Dataset of several variables.* found DataArray"),
        (texts, "red holds <U.*, not numbers"),
        (named_times, r"are str, not datetime64; ds = ds.assign_coords\(time=pandas.to_datetime"),
        (undecoded, r"are int64, not datetime64; ds = xarray.decode_cf\(ds\)"),
        (other_calendar, r'are DatetimeNoLeap, not datetime64; ds = ds.convert_calendar\("standard"'),
        (kilometres, "coordinates lat of the dataset are in 'km'; give lat in degrees north and lon in deg"),
        (radians, "coordinates lon of the dataset are in 'radian'"),
        (exchanged, "coordinates lat of the dataset are in 'degrees_east'"),
        (pixel_numbers, "y and x of the dataset count its pixels; give the centres of its cells"),
        (fill_values, "red of 2021-08-03 falls to -9999, which is no reflectance"),
        (scaled_fill_values, "red of 2021-08-03 falls to -0.9999"),
        (bands_apart, "no cell of the dataset has red, nir and mir on any of its days"),
        (no_red, "lacks red; it holds nir, mir"),
        (no_mir, "lacks mir; it holds red, nir"),
        (no_time, "red has dimensions"),
        (twice, "has 2021-08-03 more than once"),
        (numbers, "times of the dataset are int64, not datetime64; say what they are: ds = ds.assign_coords"),
        (unknown_time, "time that is missing"),
        (no_axis, "has no axis latitude or lat or y"),
        (percentages, "red of 2021-08-03 reaches .*no reflectance"),
        (other_dims, "nir has dimensions"),
    ],
)
def test_what_is_no_cube_is_told_and_leaves_nothing(tmp_path: Path, spoil, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_dataset(spoil(dataset()), tmp_path / "t.zarr", name="T")
    assert list(tmp_path.iterdir()) == []


def test_power_at_fires_alone_is_refused(tmp_path: Path) -> None:
    ds = dataset()
    power = xr.zeros_like(ds.red)
    power[1, 2, 3] = 30
    with pytest.raises(InputError, match="frp is a number at fires alone"):
        from_dataset(ds.assign(frp=power.where(power > 0)), tmp_path / "t.zarr", name="T")
    assert not list(tmp_path.iterdir())
    # Of a day on which nobody looked nothing is known; the others tell where nothing was hot.
    cube = from_dataset(ds.assign(frp=power.where(power.time != DAYS[2])), tmp_path / "t.zarr", name="T")
    assert np.isnan(one := cube.read("2021-08-06", "2021-08-07").frp).all() and one.size
    assert (cube.read("2021-08-03", "2021-08-04").frp == 0).all()


def test_looks_are_counted_up_to_255_and_nothing_else(tmp_path: Path) -> None:
    ds = dataset()
    counts = xr.full_like(ds.red, 9).where(ds.lon < 21.9, 256)
    cube = from_dataset(ds.assign(count=counts), tmp_path / "t.zarr", name="T")
    count = cube.read("2021-08-03", "2021-08-04").count[0]
    assert count[5, 0] == 9 and count[5, -1] == 255
    for odd in (-1, 0.5):
        with pytest.raises(InputError, match="count of 2021-08-03 holds numbers that count nothing"):
            from_dataset(ds.assign(count=xr.full_like(ds.red, odd)), tmp_path / "s.zarr", name="T")


@pytest.mark.parametrize(
    ("name", "plane", "message"),
    [
        ("frp", lambda red: red.isel(time=0), "frp has dimensions"),
        ("frp", lambda red: red.astype(str), "frp holds <U32, not numbers"),
        ("frp", lambda red: red.astype("timedelta64[ns]"), "frp holds timedelta64"),
        ("view_zenith", lambda red: red.mean("lat"), "view_zenith has dimensions"),
        ("count", lambda red: red.mean("time"), "count has dimensions"),
    ],
)
def test_optional_variables_are_checked_too(tmp_path: Path, name: str, plane, message: str) -> None:
    ds = dataset()
    with pytest.raises(InputError, match=message):
        from_dataset(ds.assign({name: plane(ds.red.fillna(0))}), tmp_path / "t.zarr", name="T")


def test_swapped_bands_are_told(tmp_path: Path) -> None:
    ds = dataset()
    land = ds.assign(red=ds.red * 0.1, nir=0.15 + ds.nir * 0.2)
    from_dataset(land, tmp_path / "t.zarr", name="T")  # warnings are errors in the tests
    swapped = land.rename(red="nir", nir="red")
    with pytest.warns(BanetWarning, match="nir is darker than red in 100% of the looks"):
        from_dataset(swapped, tmp_path / "s.zarr", name="T")


def test_hot_spots_are_a_file_or_a_table_of_them(tmp_path: Path) -> None:
    lines = [
        "latitude,longitude,acq_date,acq_time,satellite,confidence,frp",
        "37.2,21.9,2021-08-03,1130,N,n,7",
    ]
    (tmp_path / "fires.csv").write_text("\n".join(lines))
    read = from_dataset(dataset(), tmp_path / "a.zarr", name="T", hotspots=tmp_path / "fires.csv")
    assert np.nansum(read.read("2021-08-03", "2021-08-04").frp) == 7
    table = read_hotspots(tmp_path / "fires.csv")
    zoned = table.assign(
        time=table["time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo") + pd.Timedelta("4h")
    )
    read = from_dataset(dataset(), tmp_path / "z.zarr", name="T", hotspots=zoned)
    assert np.nansum(read.read("2021-08-03", "2021-08-04").frp) == 7  # 15:30 UTC, past midnight in Tokyo
    with pytest.raises(InputError, match="are dates and times"):
        from_dataset(dataset(), tmp_path / "b.zarr", name="T", hotspots=table.assign(time="2021-08-03"))
    with pytest.raises(InputError, match="lacks longitude, latitude, time, frp, type; give its file"):
        from_dataset(dataset(), tmp_path / "b.zarr", name="T", hotspots=pd.DataFrame({"a": [1]}))
    with pytest.raises(NotFoundError, match="does not exist"):
        from_dataset(dataset(), tmp_path / "b.zarr", name="T", hotspots=tmp_path / "none.csv")


def test_power_comes_from_one_place(tmp_path: Path) -> None:
    ds = dataset().assign(frp=dataset().red.fillna(0) * 10)
    with pytest.raises(InputError, match="frp of the dataset and hot spots were given; leave one out"):
        from_dataset(ds, tmp_path / "t.zarr", name="T", hotspots="none.csv")


def test_of_several_at_once_one_makes_the_cube(tmp_path: Path) -> None:
    def make(level: int) -> Cube | BanetError:
        try:
            ds = dataset().assign(red=dataset().red * 0 + level / 10)
            return from_dataset(ds, tmp_path / "deep" / "t.zarr", name="T")
        except BanetError as error:
            return error

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(make, (1, 2, 3)))
    (level,) = [level for level, one in enumerate(found, 1) if isinstance(one, Cube)]
    red = Cube.open(tmp_path / "deep" / "t.zarr").read("2021-08-03", "2021-08-04").red
    assert np.nanmin(red) == np.nanmax(red) == pytest.approx(level / 10)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["t.zarr"]


@pytest.mark.parametrize("options", [{"sensor": 5}, {"mir_band": 12}])
def test_what_observed_is_text(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="is text, such as 'VIIRS S-NPP' or 'M12'; found"):
        from_dataset(dataset(), tmp_path / "t.zarr", name="T", **options)


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    from_dataset(dataset(), tmp_path / "t.zarr", name="T")
    with pytest.raises(InputError, match="is there already"):
        from_dataset(dataset(), tmp_path / "t.zarr", name="T")


@pytest.mark.real
def test_the_greek_scene(tmp_path: Path, real: Path) -> None:
    fires = read_hotspots(sorted((real / "firms").glob("VIIRS_*_SP_2021-08-*.csv")))
    with xr.open_dataset(real / "scenes" / "greece_south_2021-08.nc") as ds:
        cube = from_dataset(ds, tmp_path / "g.zarr", name="GR", sensor="VIIRS S-NPP", hotspots=fires)
        bands = ds[["red", "nir", "swir"]]
        assert_is(cube, bands.where((bands.to_dataarray() > 0).any("variable")), mir="swir")
    assert cube.region == Region("GR", (21.8, 37.17, 24.6, 38.5), 0.01)
    assert cube.mir_band == "SWIR 2.25 um (M11)"
    window = cube.read("2021-08-03", "2021-08-15")
    for place, day in enumerate(window.days):
        np.testing.assert_array_equal(window.frp[place], grid_frp(fires, cube.region, day))
    record = cube.record("2021-08-04")
    assert record is not None
    assert record.inputs == ("greece_south_2021-08.nc",)
    assert isinstance(fires, pd.DataFrame)
