"""The cube: what is written is read, twice is once, and what cannot be is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from banet.cube import Cube, CubeWindow, open_cube
from banet.cube.chunks import PARTIAL
from banet.cube.variables import VARIABLES
from banet.errors import CorruptError, InputError, NotFoundError, OutputError, UnreadableFileError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("T", (-8, 39, -4.6, 41), 0.01)  # 200 x 340 cells: two by three chunks, none of them full
SMALL = Region("S", (-8, 39, -7.9, 39.08), 0.01)
DAY = np.datetime64("2020-07-14")
STEP = {"red": 1e-4, "nir": 1e-4, "mir": 1e-4, "view_zenith": 1e-2}


def planes_of(region: Region, seed: int, **changed: object) -> DayPlanes:
    rng = np.random.default_rng(seed)
    missing = rng.random(region.shape) < 0.3
    planes = {}
    for name, high in (("red", 1.2), ("nir", 1.2), ("mir", 1.2), ("view_zenith", 70)):
        planes[name] = rng.uniform(0, high, region.shape).astype(np.float32)
        planes[name][missing] = np.nan
    count = np.where(missing, 0, rng.integers(1, 4, region.shape)).astype(np.uint8)
    return DayPlanes(**{**planes, "count": count, "inputs": (f"file{seed}",), **changed})  # type: ignore[arg-type]


def fires_of(region: Region, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(region.shape) < 0.02, rng.uniform(0.1, 900, region.shape), 0).astype(
        np.float32
    )


@pytest.fixture
def cube(tmp_path: Path) -> Cube:
    return Cube.create(tmp_path / "t.zarr", REGION, sensor="VIIRS S-NPP", mir_band="M12")


@pytest.fixture
def small(tmp_path: Path) -> Cube:
    return Cube.create(tmp_path / "s.zarr", SMALL, sensor="VIIRS S-NPP", mir_band="M12")


def files_of(cube: Cube) -> dict[str, tuple[int, int]]:
    """Every file with its identity, to see that nothing was touched."""
    stats = {path: path.stat() for path in cube.path.rglob("*") if path.is_file()}
    return {str(path): (status.st_ino, status.st_mtime_ns) for path, status in stats.items()}


# Writing and reading.


def test_what_is_written_is_read_within_half_a_step(cube: Cube) -> None:
    days = [DAY, DAY + 1, DAY + 4]
    written = [planes_of(REGION, seed) for seed in range(3)]
    fires = [fires_of(REGION, 0), None, fires_of(REGION, 2)]
    for day, planes, frp in zip(days, written, fires, strict=True):
        assert cube.write_day(day, planes, frp)
    cube = open_cube(cube.path)
    assert cube.days.tolist() == np.array(days).tolist()
    window = cube.read(DAY, DAY + 5)
    assert window.days.tolist() == np.arange(DAY, DAY + 5).tolist()
    assert window.region == REGION
    for place, planes, frp in zip([0, 1, 4], written, fires, strict=True):
        for name, step in STEP.items():
            found, expected = getattr(window, name)[place], getattr(planes, name)
            assert found.dtype == np.float32
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            assert np.nanmax(np.abs(found - expected)) <= step / 2 * 1.005  # float32 near 1
        np.testing.assert_array_equal(window.count[place], planes.count)
        np.testing.assert_array_equal(window.frp[place], np.nan if frp is None else frp)
        np.testing.assert_array_equal(window.observed[place], np.isfinite(planes.red))
    for absent in (2, 3):
        assert np.isnan(window.red[absent]).all()
        assert np.isnan(window.frp[absent]).all()
        assert (window.count[absent] == 0).all()
        assert not window.observed[absent].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 199), st.integers(1, 200), st.integers(0, 339), st.integers(1, 340))
def test_any_block_is_that_part_of_the_whole(
    whole_and_cube: tuple[CubeWindow, Cube], row: int, height: int, col: int, width: int
) -> None:
    whole, cube = whole_and_cube
    rows, cols = slice(row, row + height), slice(col, col + width)
    part = cube.read(DAY - 1, DAY + 3, rows, cols)
    for name in VARIABLES:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:, rows, cols])
    assert part.region == REGION.window(rows, cols)


@pytest.fixture(scope="module")
def whole_and_cube(tmp_path_factory: pytest.TempPathFactory) -> tuple[CubeWindow, Cube]:
    cube = Cube.create(tmp_path_factory.mktemp("c") / "t.zarr", REGION, sensor="x", mir_band="M12")
    for offset in (0, 2):
        cube.write_day(DAY + offset, planes_of(REGION, offset), fires_of(REGION, offset))
    return cube.read(DAY - 1, DAY + 3), cube


def test_our_reader_and_zarrs_see_the_same(whole_and_cube: tuple[CubeWindow, Cube]) -> None:
    whole, cube = whole_and_cube
    root = zarr.open_group(cube.path, mode="r", use_consolidated=False)
    for name, variable in VARIABLES.items():
        stored = np.asarray(root[name][0])  # type: ignore[index]
        physical = np.empty(stored.shape, np.uint8 if name == "count" else np.float32)
        variable.unpack(stored, physical)
        np.testing.assert_array_equal(physical, getattr(whole, name)[1])


def test_negative_and_count_slices_and_all_at_once(whole_and_cube: tuple[CubeWindow, Cube]) -> None:
    whole, cube = whole_and_cube
    part = cube.read("2020-07-13", "20200717", slice(-10, None), slice(None, 5))
    np.testing.assert_array_equal(part.nir, whole.nir[:, -10:, :5])


def test_variables_not_asked_for_are_missing_and_cost_nothing(
    whole_and_cube: tuple[CubeWindow, Cube],
) -> None:
    whole, cube = whole_and_cube
    part = cube.read(DAY, DAY + 1, variables=("red", "frp"))
    np.testing.assert_array_equal(part.red, whole.red[1:2])
    np.testing.assert_array_equal(part.frp, whole.frp[1:2])
    assert np.isnan(part.nir).all()
    assert (part.count == 0).all()
    assert part.nir.strides == (0, 0, 0)


def test_variables_are_read_into_given_arrays(whole_and_cube: tuple[CubeWindow, Cube]) -> None:
    whole, cube = whole_and_cube
    held = np.full((2, 4, 64, 80), 7, np.float32)
    inner = held[:, :, :50, :70]
    box = (slice(3, 53), slice(11, 81))
    part = cube.read(DAY - 1, DAY + 3, *box, variables=["nir"], into={"red": inner[1], "frp": inner[0]})
    assert part.red.base is held
    for name, array in (("red", held[1]), ("frp", held[0])):
        np.testing.assert_array_equal(array[:, :50, :70], getattr(whole, name)[:, *box])
        assert (array[:, 50:] == 7).all()
        assert (array[:, :, 70:] == 7).all()
    np.testing.assert_array_equal(part.nir, whole.nir[:, *box])
    assert np.isnan(part.mir).all()


@settings(max_examples=40, deadline=None)
@given(npst.arrays(np.float32, (3, 4), elements=st.floats(-3.25, 3.25, width=32) | st.just(np.nan)))
@example(np.full((3, 4), 1.82285, np.float32))
def test_packing_keeps_reflectance_to_half_a_step(plane: np.ndarray) -> None:
    stored, beyond = VARIABLES["red"].pack(plane)
    back = np.empty(plane.shape, np.float32)
    VARIABLES["red"].unpack(stored, back)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(plane))
    assert beyond == 0
    # Half a step, and what float32 rounds off where it is divided and multiplied by the step.
    assert not (np.abs(back - plane) > 0.5e-4 + 2 * np.spacing(np.abs(plane))).any()
    again, _ = VARIABLES["red"].pack(back)
    np.testing.assert_array_equal(again, stored)


def test_values_beyond_the_store_are_clipped_and_noted(small: Cube) -> None:
    mir = np.full(SMALL.shape, 0.2, np.float32)
    mir[0, :3] = (9.0, 3.2767, -4.0)
    small.write_day(DAY, planes_of(SMALL, 0, mir=mir), None)
    np.testing.assert_allclose(small.read(DAY, DAY + 1).mir[0, 0, :3], [3.2767, 3.2767, -3.2767], rtol=1e-6)
    record = small.record(DAY)
    assert record is not None
    assert record.notes == ("2 cells of mir beyond what can be stored were set to the nearest that can",)


# Twice, replacing, gaps.


def test_the_same_day_twice_changes_no_file(small: Cube) -> None:
    assert small.write_day(DAY, planes_of(SMALL, 1), fires_of(SMALL, 1), notes=["n"], fingerprint="f")
    before = files_of(small)
    assert not small.write_day(DAY, planes_of(SMALL, 1), fires_of(SMALL, 1), notes=["n"], fingerprint="f")
    assert not open_cube(small.path).write_day(
        DAY, planes_of(SMALL, 1), fires_of(SMALL, 1), notes=["n"], fingerprint="f"
    )
    assert files_of(small) == before


def test_new_facts_about_the_same_planes_touch_the_record_alone(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    before = files_of(small)
    assert small.write_day(DAY, planes_of(SMALL, 1, gaps=("one overpass was lost",)), None)
    changed = {name for name, status in files_of(small).items() if before.get(name) != status}
    assert [Path(name).name for name in changed] == ["0.json"]
    assert small.gaps == {DAY: ("one overpass was lost",)}


def test_a_day_written_again_replaces_the_old_one(small: Cube) -> None:
    for day in range(3):
        small.write_day(DAY + day, planes_of(SMALL, day), fires_of(SMALL, day))
    for seed in (7, 8, 9):
        assert small.write_day(DAY + 1, planes_of(SMALL, seed), None)
    assert small.days.tolist() == [(DAY + day).item() for day in range(3)]
    window = small.read(DAY, DAY + 3)
    for place, seed in enumerate((0, 9, 2)):
        np.testing.assert_allclose(window.red[place], planes_of(SMALL, seed).red, atol=6e-5)
    assert np.isnan(window.frp[1]).all()
    # Two slots are enough to write one day over and over.
    assert zarr.open_array(small.path / "red", mode="r").shape[0] == 4


def test_a_reused_slot_keeps_nothing_of_its_old_day(small: Cube) -> None:
    nothing = np.full(SMALL.shape, np.nan, np.float32)
    small.write_day(DAY, planes_of(SMALL, 1), fires_of(SMALL, 1))
    small.write_day(DAY, planes_of(SMALL, 2), fires_of(SMALL, 2))
    empty = DayPlanes(nothing, nothing, nothing, nothing, np.zeros(SMALL.shape, np.uint8))
    small.write_day(DAY, empty, None)
    window = small.read(DAY, DAY + 1)
    for name in ("red", "nir", "mir", "frp", "view_zenith"):
        assert np.isnan(getattr(window, name)).all()
    assert (window.count == 0).all()


def test_days_come_in_order_however_they_were_written(small: Cube) -> None:
    for offset in (5, -400, 2, 0):
        small.write_day(DAY + offset, planes_of(SMALL, offset + 400), None)
    assert small.days.tolist() == sorted((DAY + offset).item() for offset in (5, -400, 2, 0))
    np.testing.assert_allclose(small.read(DAY + 2, DAY + 3).red[0], planes_of(SMALL, 402).red, atol=6e-5)


def test_gaps_are_remembered_until_the_day_comes(small: Cube) -> None:
    assert small.record_gap(DAY, ["no file"], fingerprint="f")
    assert not small.record_gap(DAY, ["no file"], fingerprint="f")
    assert small.record_gap(DAY, ["no overpass", "no luck"])
    assert open_cube(small.path).gaps == {DAY: ("no overpass", "no luck")}
    assert len(small.days) == 0
    small.write_day(DAY, planes_of(SMALL, 1), None)
    assert small.gaps == {}
    assert small.days.tolist() == [DAY.item()]


def test_a_gap_takes_the_place_of_a_day(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    small.record_gap(DAY, ["withdrawn by the provider"])
    assert len(small.days) == 0
    assert small.gaps == {DAY: ("withdrawn by the provider",)}
    assert np.isnan(small.read(DAY, DAY + 1).red).all()


def test_what_is_known_of_a_day(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 3, gaps=("g",)), None, notes=["n"], fingerprint="f")
    record = small.record("2020-07-14")
    assert record is not None
    assert (record.day, record.inputs, record.gaps, record.notes, record.fingerprint) == (
        "2020-07-14",
        ("file3",),
        ("g",),
        ("n",),
        "f",
    )
    assert small.record(DAY + 1) is None


def test_another_object_sees_what_was_written_meanwhile(small: Cube) -> None:
    other = open_cube(small.path)
    assert len(other.days) == 0
    small.write_day(DAY, planes_of(SMALL, 1), None)
    assert other.days.tolist() == [DAY.item()]
    assert np.isfinite(other.read(DAY, DAY + 1).red).any()
    small.write_day(DAY, planes_of(SMALL, 2), None)
    np.testing.assert_allclose(other.read(DAY, DAY + 1).red[0], planes_of(SMALL, 2).red, atol=6e-5)


def test_a_day_that_moves_while_it_is_read_is_read_again(
    small: Cube, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    reader, read = open_cube(small.path), type(small._reader).read
    seeds = iter((2, 3))

    def slow_read(self: object, *args: object, **kwargs: object) -> None:
        read(self, *args, **kwargs)  # type: ignore[arg-type]
        for seed in seeds:
            small.write_day(DAY, planes_of(SMALL, seed), None)
            break

    monkeypatch.setattr(type(small._reader), "read", slow_read)
    np.testing.assert_allclose(reader.read(DAY, DAY + 1).red[0], planes_of(SMALL, 3).red, atol=6e-5)


# Water, summary, xarray.


def test_water_is_unknown_until_it_is_set(small: Cube) -> None:
    assert small.water is None
    mask = np.random.default_rng(0).random(SMALL.shape) < 0.5
    small.set_water(mask)
    np.testing.assert_array_equal(open_cube(small.path).water, mask)
    small.set_water(np.zeros(SMALL.shape, bool))
    assert small.water is not None
    assert not small.water.any()
    with pytest.raises(InputError, match="water mask is float64"):
        small.set_water(np.zeros(SMALL.shape))


def test_the_summary_adds_up(small: Cube) -> None:
    planes = [planes_of(SMALL, seed) for seed in (1, 2)]
    small.write_day(DAY, planes[0], fires_of(SMALL, 1))
    small.write_day(DAY + 1, planes[1], None)
    small.record_gap(DAY + 2, ["no file"])
    info = small.info()
    assert (info.sensor, info.mir_band, info.region) == ("VIIRS S-NPP", "M12", SMALL)
    assert info.days == (DAY, DAY + 1)
    reds = np.stack([each.red for each in planes])
    assert info.coverage["red"] == pytest.approx(np.isfinite(reds).mean())
    assert info.coverage["count"] == info.coverage["red"]
    assert info.coverage["frp"] == 0.5
    assert info.ranges["red"] == pytest.approx((np.nanmin(reds), np.nanmax(reds)))
    assert info.ranges["frp"] == (0, fires_of(SMALL, 1).max())
    assert info.stored_bytes > 1000
    assert "2020-07-16: no file" in str(info)


def test_an_empty_cube_has_a_summary(small: Cube) -> None:
    assert "days       0 (none)" in str(small.info())
    assert len(small.to_xarray().time) == 0


def test_xarray_sees_physical_units_in_order_of_time(small: Cube) -> None:
    for offset in (3, 0, 1):
        small.write_day(DAY + offset, planes_of(SMALL, offset), fires_of(SMALL, offset))
    small.write_day(DAY + 3, planes_of(SMALL, 9), fires_of(SMALL, 9))
    ds = small.to_xarray()
    window = small.read(DAY, DAY + 4)
    assert ds.time.values.astype("M8[D]").tolist() == small.days.tolist()
    for name in VARIABLES:
        np.testing.assert_array_equal(ds[name].values, getattr(window, name)[[0, 1, 3]])
        assert ds[name].dtype == getattr(window, name).dtype
        assert ds[name].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(ds.latitude, SMALL.latitudes)
    np.testing.assert_array_equal(ds.longitude, SMALL.longitudes)
    assert ds.mir.attrs["band"] == "M12"
    assert ds.sel(time=slice("2020-07-15", "2020-07-17")).sizes["time"] == 2
    import odc.geo.xr  # noqa: F401 - gives datasets their grid

    assert ds.red.odc.geobox == SMALL.geobox


def test_xarray_alone_opens_the_store(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), fires_of(SMALL, 1))
    with xr.open_zarr(small.path, chunks=None) as ds:
        np.testing.assert_allclose(ds.red[0], small.read(DAY, DAY + 1).red[0], rtol=1e-6)
        assert ds.time.values.astype("M8[D]") == [DAY]


# What cannot be.


def test_nothing_there_and_no_cube_there(tmp_path: Path, small: Cube) -> None:
    with pytest.raises(NotFoundError, match=r"none\.zarr does not exist; build it"):
        open_cube(tmp_path / "none.zarr")
    with pytest.raises(InputError, match="a NoneType is neither a cube nor the path of one"):
        open_cube(None)
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(UnreadableFileError, match="is not a cube"):
        open_cube(tmp_path / "empty.zarr")
    (tmp_path / "file.zarr").write_text("x")
    with pytest.raises(UnreadableFileError, match="is not a cube"):
        open_cube(tmp_path / "file.zarr")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(UnreadableFileError, match="is a Zarr store but not a cube"):
        open_cube(tmp_path / "other.zarr")
    with pytest.raises(InputError, match="is there already"):
        Cube.create(small.path, SMALL, sensor="x", mir_band="M12")


def test_a_later_format_is_refused(small: Cube) -> None:
    meta = json.loads((small.path / "zarr.json").read_text())
    meta["attributes"]["banet_cube"] = 99
    (small.path / "zarr.json").write_text(json.dumps(meta))
    with pytest.raises(UnreadableFileError, match="has format 99, this version reads 2; upgrade"):
        open_cube(small.path)


def test_planes_of_another_grid_or_with_impossible_values_are_refused(small: Cube) -> None:
    with pytest.raises(InputError, match=r"2020-07-14: red has shape \(200, 340\), region S \(8, 10\)"):
        small.write_day(DAY, planes_of(REGION, 1), None)
    with pytest.raises(InputError, match="frp has shape"):
        small.write_day(DAY, planes_of(SMALL, 1), np.zeros((3, 3), np.float32))
    for name, value, message in (
        ("red", np.inf, "infinite"),
        ("view_zenith", -3, "view_zenith holds -3"),
        ("view_zenith", 200, "holds 200"),
    ):
        plane = np.full(SMALL.shape, 0.2, np.float32)
        plane[2, 2] = value
        with pytest.raises(InputError, match=message):
            small.write_day(DAY, planes_of(SMALL, 1, **{name: plane}), None)
    with pytest.raises(InputError, match="frp holds -1"):
        small.write_day(DAY, planes_of(SMALL, 1), np.full(SMALL.shape, -1, np.float32))
    with pytest.raises(InputError, match="needs a reason"):
        small.record_gap(DAY, [])
    assert len(small.days) == 0
    assert small.gaps == {}


def test_blocks_that_are_none_are_refused(small: Cube) -> None:
    with pytest.raises(InputError, match="no day from 2020-07-14 to 2020-07-14"):
        small.read(DAY, DAY)
    with pytest.raises(InputError, match="rows has step 2"):
        small.read(DAY, DAY + 1, slice(0, 8, 2))
    with pytest.raises(InputError, match="cols 20:30 holds none of the 10 cells"):
        small.read(DAY, DAY + 1, slice(None), slice(20, 30))
    with pytest.raises(InputError, match="no variable green; there are red"):
        small.read(DAY, DAY + 1, variables=["green"])
    with pytest.raises(InputError, match="no variable green; there are red"):
        small.read(DAY, DAY + 1, into={"green": np.zeros((1, 8, 10), np.float32)})
    with pytest.raises(
        InputError, match=r"red is float32 \(1, 8, 10\); cannot read it into float32 \(8, 10\)"
    ):
        small.read(DAY, DAY + 1, into={"red": np.zeros((8, 10), np.float32)})
    with pytest.raises(InputError, match="count is uint8"):
        small.read(DAY, DAY + 1, into={"count": np.zeros((1, 8, 10), np.float32)})


def test_a_damaged_shard_is_told_not_read(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    shard = small.path / "nir" / "c" / "0" / "0" / "0"
    whole = shard.read_bytes()
    for damaged in (b"", whole[:10], whole[: len(whole) // 2], bytes(len(whole)), b"\xff" * 8 + whole):
        shard.write_bytes(damaged)
        with pytest.raises(UnreadableFileError, match="nir/c/0/0/0 is damaged"):
            small.read(DAY, DAY + 1)


def test_a_damaged_record_is_told(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    for text in ("", "{}", "[]", '{"day": 3'):
        (small.path / "time" / "days" / "0.json").write_text(text)
        with pytest.raises(UnreadableFileError, match=r"0\.json is missing or damaged"):
            small.record(DAY)


def test_where_nothing_can_be_written_it_is_told(tmp_path: Path, small: Cube) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        Cube.create(tmp_path / "file" / "c.zarr", SMALL, sensor="x", mir_band="M12")
    (small.path / "red" / "c").write_text("")
    with pytest.raises(OutputError, match="cannot write to the cube"):
        small.write_day(DAY, planes_of(SMALL, 1), None)
    shutil.rmtree(small.path / "time")
    with pytest.raises(CorruptError, match="table of days .* is missing"):
        small.write_day(DAY, planes_of(SMALL, 1), None)


def test_a_write_removes_what_a_killed_one_left(small: Cube) -> None:
    small.write_day(DAY, planes_of(SMALL, 1), None)
    for folder in ("", "red", "red/c/1/0", "time/days", "water/c/0"):
        (small.path / folder).mkdir(parents=True, exist_ok=True)
        (small.path / folder / f"x{PARTIAL}").write_bytes(b"half")
    small.write_day(DAY + 1, planes_of(SMALL, 2), None)
    assert not list(small.path.rglob(f"*{PARTIAL}"))
