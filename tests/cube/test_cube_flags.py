"""The product's quality planes in the cube: every bit of every day, 255 where nothing is said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from banet.cube import Cube, open_cube
from banet.cube.info import lacking_days
from banet.errors import InputError
from banet.grid.region import Region
from banet.grid.sinusoidal import tile_grid
from banet.ingest.folder import build_cube
from banet.observations.planes import DayPlanes
from banet.observations.surface import FLAGS, surface
from writers_surface import SIZE, write_tile

REGION = Region("F", (22.0, 37.9, 22.3, 38.1), 0.01)
GRID = tile_grid(19, 5, SIZE)
FLAG_NUMBERS = range(1, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles")
    rng = np.random.default_rng(0)
    # Bit 4 of the first plane is night, which is left out; all else may be set.
    planes = {
        n: rng.integers(0, 256, (SIZE, SIZE)).astype("u1") & (0xEF if n == 1 else 0xFF) for n in FLAG_NUMBERS
    }
    np.savez(path / "flags.npz", **{f"qf{n}": plane for n, plane in planes.items()})
    for day in ("2020365", "2020366", "2021001"):
        write_tile(path, 19, 5, {"M5": 0.1}, day=day, flags=planes)
    return path


@pytest.fixture(scope="module")
def cube(folder, tmp_path_factory):
    return build_cube(
        REGION, folder, None, tmp_path_factory.mktemp("c") / "c.zarr", source="surface", end="2021-01-02"
    )


def test_a_cube_of_tiles_keeps_all_seven(cube):
    assert cube.flags == FLAGS == open_cube(cube.path).flags
    assert "qf1, qf2" in str(cube.info())


def test_each_cell_holds_the_flags_of_the_pixel_in_its_middle(cube, folder):
    row, col = GRID.pixel_of(REGION.longitudes[None, :], REGION.latitudes[:, None])
    # The middle of a row of cells that lies on the edge of a row of pixels belongs to either.
    clear = np.abs(row - np.rint(row))[:, 0] > 1e-6
    assert clear.sum() >= REGION.shape[0] - 4
    window = cube.read("2020-12-30", "2021-01-02", flags=FLAGS)
    with np.load(folder / "flags.npz") as stored:
        for name in FLAGS:
            expected = stored[name][np.broadcast_to(row, REGION.shape).astype(int), col.astype(int)]
            for day in window.flags[name]:
                np.testing.assert_array_equal(day[clear], expected[clear])


def test_clouds_by_the_flags_are_not_masked(cube):
    window = cube.read("2020-12-31", "2021-01-01", flags=("qf1",))
    cloudy = (window.flags["qf1"] >> 2 & 3) == 3
    assert 0.1 < cloudy.mean() < 0.5
    assert np.isfinite(window.red[cloudy]).all()


def test_a_day_without_files_says_nothing(cube):
    window = cube.read("2021-01-02", "2021-01-03", flags=("qf7",))
    assert (window.flags["qf7"] == 255).all()
    assert np.isnan(window.red).all()


def test_they_are_read_only_when_asked_for(cube):
    assert not cube.read("2020-12-30", "2021-01-01").flags
    with pytest.raises(InputError, match="no flags qf9 in .*it keeps qf1"):
        cube.read("2020-12-30", "2021-01-01", flags=("qf9",))


def test_xarray_sees_them_as_bytes(cube):
    ds = cube.to_xarray()
    assert ds["qf3"].dtype == np.uint8
    window = cube.read("2020-12-30", "2021-01-02", flags=("qf3",))
    np.testing.assert_array_equal(ds["qf3"].values, window.flags["qf3"])


def test_building_again_changes_nothing(cube, folder):
    said = []
    build_cube(
        REGION,
        folder,
        None,
        cube.path,
        source="surface",
        end="2021-01-02",
        progress=lambda done, total, words: said.append(words),
    )
    assert [words.split(": ")[1] for words in said] == ["unchanged"] * 4


def test_a_day_whose_flags_alone_changed_is_written_again(tmp_path):
    cube = Cube.create(tmp_path / "c.zarr", REGION, sensor="VIIRS", mir_band="M11", flags=("qf1",))
    plane = np.full(REGION.shape, 0.2, np.float32)
    day = DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8))
    flags = {"qf1": np.full(REGION.shape, 7, np.uint8)}
    assert cube.write_day("2021-01-01", day, None)
    assert cube.write_day("2021-01-01", dataclasses.replace(day, flags=flags), None)
    assert not cube.write_day("2021-01-01", dataclasses.replace(day, flags=flags), None)
    assert (cube.read("2021-01-01", "2021-01-02", flags=("qf1",)).flags["qf1"] == 7).all()


def test_a_cube_without_planes_for_them_says_that_they_are_lost(folder, tmp_path):
    path = tmp_path / "c.zarr"
    Cube.create(path, REGION, sensor=surface.sensor, mir_band="M11")
    cube = build_cube(REGION, folder, None, path, source="surface")
    record = cube.record("2020-12-31")
    assert record is not None
    assert any("flags qf1, qf2" in note and "not kept" in note for note in record.notes)


def test_a_name_that_is_taken(tmp_path):
    with pytest.raises(InputError, match="cannot be named red"):
        Cube.create(tmp_path / "c.zarr", REGION, sensor="VIIRS", mir_band="M11", flags=("red",))
    assert not (tmp_path / "c.zarr").exists()


def test_satellites_of_each_day_are_remembered(folder, tmp_path):
    write_tile(tmp_path / "in", 19, 5, {}, day="2021001", satellite="VJ1")
    write_tile(tmp_path / "in", 19, 5, {}, day="2021001", satellite="VJ2", view_zenith=10.0)
    write_tile(tmp_path / "in", 19, 5, {}, day="2021002", satellite="VJ2")
    cube = build_cube(REGION, tmp_path / "in", None, tmp_path / "c.zarr", source="surface")
    assert cube.info().satellites == {"NOAA-20": 1, "NOAA-21": 2}
    assert "seen from  NOAA-20 on 1 days, NOAA-21 on 2 days" in str(cube.info())


def test_days_without_a_file_are_named():
    days = np.array(["2020-12-30", "2021-01-01", "2021-01-09"], "datetime64[D]")
    assert lacking_days(days[:1]) == lacking_days(days[:0]) == ""
    assert lacking_days(days[:2]) == "1 day between: 2020-12-31"
    named = "2020-12-31, 2021-01-02, 2021-01-03, 2021-01-04, 2021-01-05"
    assert lacking_days(days) == f"8 days between: {named} and others"
