"""NetCDF: there and back without loss, after the conventions, and nothing else taken for a map."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import h5netcdf
import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.errors import InputError, NotFoundError, OutputError, UnreadableFileError
from banet.grid.region import Region
from banet.io.manifest import Manifest
from made_maps import map_of, random_map

PLANES = (
    "burned_fraction",
    "burn_date",
    "uncertainty",
    "observed_days",
    "water",
    "confidence",
    "burn_doy",
    "status",
)


def assert_same(one, two):
    for name in PLANES:
        a, b = getattr(one, name), getattr(two, name)
        assert a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert one.region == two.region and one.region.transform == two.region.transform
    assert (one.start, one.stop, one.threshold, one.attrs) == (two.start, two.stop, two.threshold, two.attrs)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (40, 30)])
def test_a_map_comes_back_exactly(tmp_path, shape):
    burnmap = random_map(shape, start="2020-12-10", days=60)
    assert_same(read_map(write_netcdf(burnmap, tmp_path / "a.nc")), burnmap)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 400), st.integers(0, 25_000))
def test_any_map_comes_back_exactly(tmp_path_factory, seed, days, first):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 12, 2))
    burnmap = map_of(
        rng.integers(-5, days, shape).clip(-1),
        start=np.datetime64("1970-01-01") + first,
        days=days,
        fraction=rng.uniform(0.5, 1, shape),
        water=rng.random(shape) > 0.8,
        unseen=rng.random(shape) > 0.8,
    )
    path = tmp_path_factory.mktemp("maps") / "a.nc"
    assert_same(read_map(write_netcdf(burnmap, path)), burnmap)


@pytest.mark.parametrize("name", ["AK", "PI"])
def test_a_window_of_a_shipped_region_comes_back(tmp_path, name):
    region = Region.load(name).window(slice(7, 12), slice(3, 9))
    assert_same(
        read_map(write_netcdf(random_map((5, 6), region=region), tmp_path / "a.nc")),
        random_map((5, 6), region=region),
    )


def test_other_programs_read_dates_units_and_grid(tmp_path):
    burnmap = map_of([[-1, 4], [30, -1]], unseen=np.array([[True, False], [False, False]]))
    manifest = Manifest(command=["banet", "map", "a cube.zarr"], version="9.9")
    path = write_netcdf(burnmap, tmp_path / "a.nc", manifest=manifest)
    with xr.open_dataset(path, engine="h5netcdf") as opened:
        assert opened["status"].dims == ("time", "latitude", "longitude")
        dataset = opened.isel(time=0)
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert dataset.attrs["history"] == "banet 9.9: banet map 'a cube.zarr'"
        assert {"title", "source", "references", "time_coverage_start", "time_coverage_end"} <= set(
            dataset.attrs
        )
        assert dataset["burn_date"].values[0, 1] == np.datetime64("2021-08-05")
        assert np.isnat(dataset["burn_date"].values[0, 0])
        assert dataset["status"].values.tolist() == [[-1, 1], [1, 0]]
        meanings = dict(
            zip(
                dataset["status"].attrs["flag_values"].tolist(),
                dataset["status"].attrs["flag_meanings"].split(),
            )
        )
        assert meanings[1] == "burned" and meanings[-1] == "not_observed" and meanings[-2] == "water"
        assert np.isnan(dataset["confidence"].values[0, 0]) and np.isnan(dataset["uncertainty"].values[0, 0])
        assert dataset["uncertainty"].dtype.kind == "f"
        np.testing.assert_allclose(dataset["latitude_bnds"].values, [[40, 39.99], [39.99, 39.98]])
        np.testing.assert_allclose(dataset["longitude_bnds"].values, [[-8, -7.99], [-7.99, -7.98]])
        assert (
            dataset["latitude"].attrs["bounds"] == "latitude_bnds"
            and dataset["latitude"].attrs["units"] == "degrees_north"
        )
        period = dataset["time_bnds"].values.astype("datetime64[D]").tolist()
        assert [str(day) for day in period] == ["2021-08-01", "2021-09-01"]
    with rasterio.open(f"netcdf:{path}:status") as raster:
        assert raster.crs.to_epsg() == 4326 or raster.crs.is_geographic
        np.testing.assert_allclose(raster.transform[:6], tuple(burnmap.region.transform)[:6], atol=1e-12)
        np.testing.assert_array_equal(raster.read(1), burnmap.status)


def test_every_gridded_variable_names_its_grid_mapping(tmp_path):
    path = write_netcdf(random_map((4, 5)), tmp_path / "a.nc")
    with xr.open_dataset(path, engine="h5netcdf", decode_cf=False) as dataset:
        gridded = [v for v in dataset.variables.values() if v.dims == ("time", "latitude", "longitude")]
        assert len(gridded) == 7
        for variable in gridded:
            mapping = variable.attrs["grid_mapping"]
            assert "crs_wkt" in dataset[mapping].attrs
            assert dataset[mapping].attrs["grid_mapping_name"] == "latitude_longitude"


def test_equal_maps_give_equal_bytes(tmp_path):
    one, two = (write_netcdf(random_map((30, 30)), tmp_path / f"{i}.nc") for i in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_a_file_of_earlier_states_with_daily_probabilities_is_read(tmp_path):
    burnmap = random_map((7, 9))
    path = write_netcdf(burnmap, tmp_path / "a.nc")
    with h5netcdf.File(path, "r+") as file:
        file.dimensions["day"] = 31
        file.create_variable("day", ("day",), "i4", data=np.arange(31, dtype="i4"))
        file.create_variable("daily_probability", ("day", "latitude", "longitude"), "i2")
    assert_same(read_map(path), burnmap)


def bad_files(tmp_path):
    whole = write_netcdf(random_map((30, 30)), tmp_path / "whole.nc").read_bytes()
    xr.Dataset({"x": ("y", [1, 2])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    return {
        "page.nc": b"<!doctype html><title>Log in</title>",
        "empty.nc": b"",
        "half.nc": whole[: len(whole) // 2],
        "head.nc": whole[:200],
        "other.nc": (tmp_path / "other.nc").read_bytes(),
    }


@pytest.mark.parametrize("name", ["page.nc", "empty.nc", "half.nc", "head.nc", "other.nc"])
def test_what_is_no_map_is_refused_in_one_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bad_files(tmp_path)[name])
    with pytest.raises(UnreadableFileError, match=name) as caught:
        read_map(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lost", ["burn_date", "status", "water"])
def test_a_map_without_one_of_its_planes_is_refused_or_derived(tmp_path, lost):
    with xr.open_dataset(write_netcdf(random_map((6, 6)), tmp_path / "a.nc"), engine="h5netcdf") as dataset:
        dataset.load().drop_vars(lost).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    if lost == "status":
        assert_same(read_map(tmp_path / "b.nc"), random_map((6, 6)))
    else:
        with pytest.raises(UnreadableFileError, match=lost):
            read_map(tmp_path / "b.nc")


def test_a_map_that_contradicts_itself_is_refused(tmp_path):
    path = write_netcdf(map_of([[3, -1]], fraction=0.6), tmp_path / "a.nc")
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        dataset.load().assign_attrs(burned_threshold=0.999).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(UnreadableFileError, match="is not a map that banet wrote"):
        read_map(tmp_path / "b.nc")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(NotFoundError, match="does not exist"):
        read_map(tmp_path / "a.nc")
    with pytest.raises(NotFoundError, match="is a folder"):
        read_map(tmp_path)
    path = write_netcdf(random_map((3, 3)), tmp_path / "b.nc")
    with pytest.raises(OutputError, match="cannot write"):
        write_netcdf(random_map((3, 3)), path / "c.nc")


def months(tmp_path):
    whole = random_map((12, 9), start="2021-07-01", days=92)
    parts = [whole.between(*p) for p in (("2021-07-01", "2021-08-01"), ("2021-08-01", "2021-10-01"))]
    return parts, [write_netcdf(part, tmp_path / f"{part.start}.nc") for part in parts]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_files_of_months_join_along_time(tmp_path):
    parts, files = months(tmp_path)
    with xr.open_mfdataset(files, engine="h5netcdf") as joined:
        assert joined["time"].values.astype("datetime64[D]").astype(str).tolist() == [
            "2021-07-01",
            "2021-08-01",
        ]
        assert joined["burn_date"].dims == ("time", "latitude", "longitude")
        for number, part in enumerate(parts):
            np.testing.assert_array_equal(joined["burn_date"].values[number], part.burn_date)
            np.testing.assert_array_equal(joined["burned_fraction"].values[number], part.burned_fraction)
            first, stop = joined["time_bnds"].values[number].astype("datetime64[D]")
            assert (first, stop) == (part.start, part.stop)
        with pytest.raises(InputError, match="holds 2 periods"):
            BurnedArea.from_dataset(joined)
        with pytest.raises(InputError, match="from 2021-08-01 and the attributes of that from 2021-07-01"):
            BurnedArea.from_dataset(joined.isel(time=1))
        assert_same(BurnedArea.from_dataset(joined.isel(time=0).load()), parts[0])
        with pytest.raises(
            InputError, match="holds no time; its one period stands under its first day, 2021-07-01"
        ):
            BurnedArea.from_dataset(joined.sel(time=slice("2021-09-01", "2021-09-30")))
    again = xr.concat([part.to_dataset() for part in parts], "time")
    np.testing.assert_array_equal(again["burn_date"].values[1], parts[1].burn_date)


def test_odc_and_rioxarray_read_the_grid(tmp_path):
    import odc.geo.xr  # noqa: F401 - it gives datasets their .odc
    import rioxarray  # noqa: F401 - it gives datasets their .rio

    burnmap = random_map((12, 9))
    with xr.open_dataset(write_netcdf(burnmap, tmp_path / "a.nc"), decode_coords="all") as dataset:
        assert dataset["burned_fraction"].odc.geobox.crs.to_epsg() == 4326
        np.testing.assert_allclose(dataset["burned_fraction"].odc.geobox.transform, burnmap.region.transform)
        assert dataset["burned_fraction"].rio.crs.to_epsg() == 4326
        np.testing.assert_allclose(dataset.rio.bounds(), burnmap.region.bbox)


def test_the_file_passes_the_checker_of_conventions(tmp_path):
    path = write_netcdf(random_map((12, 9)), tmp_path / "a.nc")
    checker = (
        shutil.which("compliance-checker", path=str(Path(sys.executable).parent)) or "compliance-checker"
    )
    command = [checker, "--test", "cf:1.11", "--criteria", "strict", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0 and "All tests passed" in said.stdout, said.stdout + said.stderr


def test_a_size_that_no_file_has_is_refused_before_memory_is_taken(tmp_path):
    path = write_netcdf(map_of(np.full((10, 10), 3)), tmp_path / "m.nc")
    with h5py.File(path, "r+") as file:
        del file["burned_fraction"]
        file.create_dataset("burned_fraction", (40_000, 40_000), "f4", chunks=(512, 512))
    with pytest.raises(UnreadableFileError, match=r"m\.nc as NetCDF-4: it claims [56]\.\d GiB"):
        read_map(path)


def test_a_heap_without_an_end_is_told_and_not_read_for_ever(tmp_path):
    path = write_netcdf(map_of(np.full((10, 10), 3)), tmp_path / "m.nc")
    whole, told = path.read_bytes(), 0
    heap = whole.index(b"GCOL")
    for at in range(heap + 16, heap + 1200, 24):
        path.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
        try:
            read_map(path)
        except UnreadableFileError as error:
            assert "\n" not in str(error)
            told += "a heap of it has no end" in str(error)
    assert told > 5


FULL = """
import resource, signal, sys
sys.path.insert(0, sys.argv[1])
from banet.burned_area.netcdf import write_netcdf
from banet.errors import OutputError
from made_maps import random_map

burned = random_map((150, 200))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for size in (0, 3_000, 10_000, 20_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        write_netcdf(burned, sys.argv[2])
    except OutputError as error:
        print(error)
"""


def test_a_disk_that_is_full_is_told_and_leaves_no_file(tmp_path):
    """HDF5 ended the process where it met the end of the disk itself."""
    path, tests = tmp_path / "a.nc", Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", FULL, tests, path], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"cannot write {path}: File too large"] * 4
    assert list(tmp_path.iterdir()) == []
