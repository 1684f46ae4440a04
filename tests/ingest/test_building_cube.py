"""Folders of files to a cube: days, gaps, what changed since, and what cannot be."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from banet.cli import main
from banet.cube import Cube, open_cube
from banet.errors import BanetWarning, BusyError, InputError, NotFoundError, OutputError, UnreadableFileError
from banet.grid.region import Region
from banet.ingest.folder import build_cube, images_of, told_source
from banet.observations import source
from banet.observations.hotspots import grid_frp, read_hotspots
from writers_hdf4 import SCALES, smooth_planes, write_overpass

# Seasons here have days whose files give no image, of which a build warns; that has a test of its own.
pytestmark = pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")
REGION = Region("T", (-8, 39, -7.8, 39.15), 0.01)
DAY = np.datetime64("2020-07-14")
HEADER = "latitude,longitude,acq_date,acq_time,satellite,instrument,confidence,version,frp,daynight,type"


def fires(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "fires.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def row(date: str, *, frp: float = 10, kind: int = 0, lat: float = 39.055) -> str:
    return f"{lat},-7.905,{date},1236,N,VIIRS,n,2,{frp},D,{kind}"


@pytest.fixture
def season(tmp_path: Path) -> tuple[Path, Path]:
    """Three days of files, and fires from the day before them to the second."""
    folder = tmp_path / "viirs"
    for offset in range(3):
        write_overpass(folder, REGION, f"{DAY + offset}T12:36", smooth_planes(REGION, offset))
    return folder, fires(
        tmp_path,
        row("2020-07-13"),
        row("2020-07-14"),
        row("2020-07-14", kind=2, lat=39.065),
        row("2020-07-15"),
    )


class Told:
    """Collects what a build says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, done: int, total: int, message: str) -> None:
        assert 1 <= done <= total
        self.lines.append(message)


def build(season: tuple[Path, Path], out: Path, **options: object) -> tuple[Cube, list[str]]:
    told = Told()
    cube = build_cube(REGION, *season, out, progress=told, **options)  # type: ignore[arg-type]
    return cube, told.lines


def test_a_folder_and_a_table_become_a_cube(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, told = build(season, tmp_path / "t.zarr")
    assert told == [f"{DAY + offset}: 6 files" for offset in range(3)]
    assert (cube.region, cube.sensor, cube.mir_band) == (REGION, "VIIRS S-NPP", "M12")
    assert cube.days.tolist() == [(DAY + offset).item() for offset in range(3)]
    assert cube.gaps == {}
    window, table = cube.read(DAY, DAY + 3), read_hotspots(season[1])
    for offset in range(3):
        planes = source("viirs750-gridded").read_day(season[0], DAY + offset, REGION)
        for name, step in (("red", 1e-4), ("nir", 1e-4), ("mir", 1e-4), ("view_zenith", 1e-2)):
            np.testing.assert_allclose(getattr(window, name)[offset], getattr(planes, name), atol=0.51 * step)
        np.testing.assert_array_equal(window.count[offset], planes.count)
    np.testing.assert_array_equal(window.frp[0], grid_frp(table, REGION, DAY))
    assert window.frp[0].sum() == 10
    assert window.frp[1].sum() == 10
    # The table ends the day before: whether anything burned is not known, and that is said.
    assert np.isnan(window.frp[2]).all()
    record = cube.record(DAY + 2)
    assert record is not None
    assert record.notes == ("the hot spots do not cover this day",)


def test_python_is_warned_of_what_the_command_notes(tmp_path: Path, season: tuple[Path, Path]) -> None:
    next(season[0].glob("*A2020197*M5*")).write_bytes(b"no")
    season[1].write_text(season[1].read_text() + row("2020-07-15", lat=95) + "\n")
    with pytest.warns(BanetWarning) as told:
        build_cube(REGION, *season, tmp_path / "t.zarr")
    fires_told, images_told = (str(each.message) for each in told)
    assert fires_told.startswith("4 of 5 hot spots lie in T; left out: 1 with values that cannot be")
    assert images_told.startswith("2 of 3 days with images were read, from 12 files; left out: 1 without a ")
    assert "2020-07-15: " in images_told
    noted: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_cube(REGION, *season, tmp_path / "u.zarr", notice=noted.append)
    assert noted == [fires_told]


def test_a_build_of_which_nothing_is_odd_warns_of_nothing(tmp_path: Path, season: tuple[Path, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_cube(REGION, *season, tmp_path / "t.zarr", end=DAY + 1)


def test_types_may_be_left_aside(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, _ = build(season, tmp_path / "t.zarr", vegetation_only=False)
    assert cube.read(DAY, DAY + 1).frp.sum() == 20


def test_a_table_that_was_read_and_none_will_do(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube = build_cube(REGION, season[0], read_hotspots(season[1]), tmp_path / "a.zarr")
    assert cube.read(DAY, DAY + 1).frp.sum() == 10
    cube = build_cube(REGION, season[0], None, tmp_path / "b.zarr")
    assert np.isnan(cube.read(DAY, DAY + 1).frp).all()


def test_building_twice_changes_nothing_and_reads_no_file(
    tmp_path: Path, season: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cube, _ = build(season, tmp_path / "t.zarr", start="2020-07-13", end="2020-07-18")
    before = {path: path.stat().st_mtime_ns for path in cube.path.rglob("*")}
    monkeypatch.setattr("banet.observations.gridded.read_arrays", None)
    again, told = build(season, tmp_path / "t.zarr", start="2020-07-13", end="2020-07-18")
    assert {line.split(": ", 1)[1] for line in told} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in again.path.rglob("*")} == before


def test_days_asked_for_without_a_file_are_gaps(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, told = build(season, tmp_path / "t.zarr", start="2020-07-15", end="2020-07-18")
    assert cube.days.tolist() == [(DAY + offset).item() for offset in (1, 2)]
    assert cube.gaps == {DAY + 3: ("no file",), DAY + 4: ("no file",)}
    assert told[2:] == ["2020-07-17: gap: no file", "2020-07-18: gap: no file"]


def test_fires_of_a_day_without_images_are_kept(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, told = build(season, tmp_path / "t.zarr", start="2020-07-13", end="2020-07-14")
    assert told[0] == "2020-07-13: gap: no file"
    assert cube.gaps == {DAY - 1: ("no file",)}
    window = cube.read(DAY - 1, DAY)
    assert window.frp.sum() == 10
    assert not window.observed.any()
    assert (window.count == 0).all()


def test_a_day_without_a_file_between_two_is_a_gap_with_its_fires(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    for file in season[0].rglob("*A2020197*"):
        file.unlink()
    write_overpass(season[0], REGION, f"{DAY + 67}T12:36", smooth_planes(REGION, 5))
    cube, _ = build(season, tmp_path / "t.zarr")
    assert cube.gaps == {DAY + 1: ("no file",)}  # none of the 64 days before the last file
    assert cube.read(DAY + 1, DAY + 2).frp.sum() == 10


def test_a_quiet_day_without_images_is_known_to_be_quiet(tmp_path: Path, season: tuple[Path, Path]) -> None:
    """Its power was not known, as if nobody had looked, though a note counted the day."""
    for file in season[0].rglob("*A2020197*"):
        file.unlink()
    table = fires(tmp_path, row("2020-07-14"), row("2020-07-16"))
    cube, _ = build((season[0], table), tmp_path / "t.zarr")
    assert cube.gaps == {DAY + 1: ("no file",)}
    assert (cube.read(DAY + 1, DAY + 2).frp == 0).all()


def test_a_cube_without_hot_spots_says_so(
    tmp_path: Path, season: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    region = REGION.save(tmp_path)
    words = ["cube", "build", str(region), "--viirs", str(season[0]), "--out", str(tmp_path / "t.zarr")]
    assert main(words) == 0
    assert "no hot spots are given: FRP is not known" in capsys.readouterr().err
    assert np.isnan(Cube.open(tmp_path / "t.zarr").read(DAY, DAY + 1).frp).all()


def test_one_end_alone_reaches_to_the_folders_other(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, told = build(season, tmp_path / "a.zarr", start="2020-07-15")
    assert len(cube.days) == len(told) == 2
    cube, told = build(season, tmp_path / "b.zarr", end="2020-07-14")
    assert len(cube.days) == len(told) == 1


def test_a_broken_file_is_a_gap_and_the_rest_goes_on(tmp_path: Path, season: tuple[Path, Path]) -> None:
    broken = next(season[0].glob("*A2020197*Radiance_M12.hdf"))
    broken.write_text("<html>login</html>")
    cube, told = build(season, tmp_path / "t.zarr")
    assert len(told) == 3
    assert list(cube.gaps) == [DAY + 1]
    assert "is a web page, not HDF4" in cube.gaps[DAY + 1][0]
    # Something burned on it, so the day holds that, and only that.
    window = cube.read(DAY + 1, DAY + 2)
    assert window.frp.sum() == 10
    assert not window.observed.any()
    # The file is mended: the day is built.
    write_overpass(season[0], REGION, f"{DAY + 1}T12:36", smooth_planes(REGION, 1))
    cube, told = build(season, tmp_path / "t.zarr")
    assert [line.split(": ", 1)[1] for line in told] == ["unchanged", "6 files", "unchanged"]
    assert cube.gaps == {}
    assert cube.read(DAY + 1, DAY + 2).observed.any()


def test_an_overpass_that_comes_later_is_taken_in(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, _ = build(season, tmp_path / "t.zarr")
    nearer = smooth_planes(REGION, 9, view_zenith=5)
    write_overpass(season[0], REGION, f"{DAY + 2}T14:18", nearer)
    cube, told = build(season, tmp_path / "t.zarr")
    assert [line.split(": ", 1)[1] for line in told] == ["unchanged", "unchanged", "12 files"]
    assert cube.read(DAY + 2, DAY + 3).count.max() == 2


def test_a_half_broken_day_is_used_and_its_gap_recorded(tmp_path: Path, season: tuple[Path, Path]) -> None:
    second = write_overpass(season[0], REGION, f"{DAY}T14:18", smooth_planes(REGION, 5))
    second["Radiance_M15"].unlink()
    cube, told = build(season, tmp_path / "t.zarr")
    assert told[0] == "2020-07-14: 6 files, 1 gaps"
    assert cube.gaps[DAY] == ("overpass NPP_VMAES_L1 2020-07-14 14:18: no file of Radiance_M15",)
    assert cube.read(DAY, DAY + 1).observed.any()


def test_new_fires_change_their_days_alone(tmp_path: Path, season: tuple[Path, Path]) -> None:
    build(season, tmp_path / "t.zarr")
    text = season[1].read_text()
    season[1].write_text(text + row("2020-07-15", frp=7, lat=39.105) + "\n" + row("2020-07-16", frp=1) + "\n")
    cube, told = build(season, tmp_path / "t.zarr")
    assert [line.split(": ", 1)[1] for line in told] == ["unchanged", "6 files", "6 files"]
    assert cube.read(DAY, DAY + 3).frp.sum(axis=(1, 2)).tolist() == [10, 17, 1]


def test_a_day_outlives_its_files(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, _ = build(season, tmp_path / "t.zarr")
    before = cube.read(DAY, DAY + 3)
    for path in season[0].glob("*A2020196*"):
        path.unlink()
    for path in season[0].glob("*A2020197*"):
        path.write_bytes(b"")
    cube, told = build(season, tmp_path / "t.zarr", start=DAY, end=DAY + 2)
    assert told[0] == "2020-07-14: kept, its files are gone"
    assert told[1].startswith("2020-07-15: kept; no overpass of 2020-07-15 can be used")
    assert told[2] == "2020-07-16: unchanged"
    np.testing.assert_array_equal(cube.read(DAY, DAY + 3).red, before.red)


def test_new_fires_of_days_whose_files_are_gone_or_spoiled_are_taken(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    cube, _ = build(season, tmp_path / "t.zarr")
    before, inputs = cube.read(DAY, DAY + 2), [cube.record(DAY + one).inputs for one in range(2)]
    for path in season[0].glob("*A2020196*"):
        path.unlink()
    for path in season[0].glob("*A2020197*"):
        path.write_bytes(b"")
    new = (row("2020-07-14", frp=3, lat=39.105), row("2020-07-15", frp=7, lat=39.105))
    season[1].write_text(season[1].read_text() + "\n".join(new) + "\n")
    cube, told = build(season, tmp_path / "t.zarr", start=DAY, end=DAY + 2)
    assert told[0] == "2020-07-14: kept, its files are gone; its hot spots are new"
    assert told[1].startswith("2020-07-15: kept; no overpass of 2020-07-15 can be used")
    assert told[1].endswith("; its hot spots are new")
    after = cube.read(DAY, DAY + 2)
    assert after.frp.sum((1, 2)).tolist() == [13, 17]
    for name in ("red", "nir", "mir", "view_zenith", "count"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert [cube.record(DAY + one).inputs for one in range(2)] == inputs
    again = build(season, tmp_path / "t.zarr", start=DAY, end=DAY + 2)[1]
    assert {line.split(": ", 1)[1] for line in again} == {"unchanged"}


def test_each_weeks_hot_spots_leave_the_fires_of_the_weeks_before(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    build(season, tmp_path / "t.zarr", start="2020-07-13")
    season[1].write_text("\n".join([HEADER, row("2020-07-16", frp=4)]) + "\n")
    noted: list[str] = []
    cube, told = build(season, tmp_path / "t.zarr", start="2020-07-13", notice=noted.append)
    assert told[1].endswith(": unchanged") and told[3].endswith(": 6 files")
    assert cube.read(DAY - 1, DAY + 3).frp.sum((1, 2)).tolist() == [10, 10, 10, 4]
    assert noted[1:] == ["FRP of earlier builds kept on 3 days, where these hot spots say nothing"]
    cube = build_cube(REGION, season[0], None, tmp_path / "t.zarr")
    assert cube.read(DAY, DAY + 3).frp.sum((1, 2)).tolist() == [10, 10, 4]


def test_hot_spots_of_a_part_of_the_cells_leave_the_fires_of_the_rest(
    tmp_path: Path, season: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cube, _ = build(season, tmp_path / "t.zarr", end=DAY)
    (there,) = np.argwhere(cube.read(DAY, DAY + 1).frp[0] > 0)
    for part, left in ((slice(0, there[0]), 10), (slice(0, None), 0)):
        known = np.full(REGION.shape, np.nan, np.float32)
        known[part] = 0
        monkeypatch.setattr("banet.ingest.folder.fires_of", lambda *_, known=known, **__: (known, []))
        cube, _ = build(season, tmp_path / "t.zarr", end=DAY)
        assert cube.read(DAY, DAY + 1).frp.sum() == left


def test_fires_that_the_cube_lost_do_not_end_a_build(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, _ = build(season, tmp_path / "t.zarr", end=DAY)
    (cube.path / "frp" / "c" / "0" / "0" / "0").unlink()
    cube = build_cube(REGION, season[0], None, tmp_path / "t.zarr", end=DAY)
    assert np.isnan(cube.read(DAY, DAY + 1).frp).all()
    assert "FRP of an earlier build is lost: 2020-07-14: the cube's file" in cube.record(DAY).notes[1]


def test_a_build_that_stopped_goes_on(tmp_path: Path, season: tuple[Path, Path]) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, message: str) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        build_cube(REGION, *season, tmp_path / "t.zarr", progress=stop)
    assert len(open_cube(tmp_path / "t.zarr").days) == 2
    cube, told = build(season, tmp_path / "t.zarr")
    assert [line.split(": ", 1)[1] for line in told] == ["unchanged", "unchanged", "6 files"]
    assert len(cube.days) == 3


def test_notes_of_the_table_are_recorded(tmp_path: Path, season: tuple[Path, Path]) -> None:
    season[1].write_text(season[1].read_text() + row("2020-07-14", lat=39.075).replace(",10,", ",,") + "\n")
    cube, _ = build(season, tmp_path / "t.zarr")
    record = cube.record(DAY)
    assert record is not None
    assert record.notes == ("fires.csv: 1 rows without a fire radiative power count as 0 MW",)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("odd\nthings"), KeyError("band"), OSError(5, "Input/output error")]
)
def test_whatever_goes_wrong_in_a_day_is_its_gap(
    tmp_path: Path, season: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    reader, read = type(source("viirs750-gridded")), type(source("viirs750-gridded")).read_day

    def failing(self, folder, day, region, files=None):  # type: ignore[no-untyped-def]
        if day == DAY + 1:
            raise error
        return read(self, folder, day, region, files)

    monkeypatch.setattr(reader, "read_day", failing)
    cube, told = build(season, tmp_path / "t.zarr")
    assert list(cube.gaps) == [DAY + 1]
    (reason,) = cube.gaps[DAY + 1]
    assert type(error).__name__ in reason
    assert "A2020197.1236" in reason
    assert "and 5 more" in reason
    assert "\n" not in reason
    assert told[1] == f"2020-07-15: gap: {reason}"
    counts = images_of(cube)
    assert (counts.read, counts.placed) == (3, 2)
    assert str(counts).startswith("2 of 3 days with images were read, from 12 files; left out: 1 ")
    assert f"2020-07-15: {reason}" in str(counts)


def test_files_that_vanish_meanwhile_are_a_gap(tmp_path: Path, season: tuple[Path, Path]) -> None:
    def vanish(done: int, total: int, message: str) -> None:
        for path in season[0].glob("*A2020197*"):
            path.unlink()

    cube = build_cube(REGION, *season, tmp_path / "t.zarr", progress=vanish)
    assert list(cube.gaps) == [DAY + 1]
    assert "does not exist" in cube.gaps[DAY + 1][0]
    assert cube.read(DAY + 2, DAY + 3).observed.any()


def test_a_build_without_a_single_image_is_an_error_though_something_burned(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    for path in season[0].iterdir():
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnreadableFileError, match="none of the 3 days with files could be read") as error:
        build(season, tmp_path / "t.zarr")
    assert error.value.exit_code == 2
    assert "2020-07-14: " in str(error.value)
    assert open_cube(tmp_path / "t.zarr").read(DAY, DAY + 1).frp.sum() == 10


def test_the_source_is_told_from_the_files(tmp_path: Path, season: tuple[Path, Path]) -> None:
    assert told_source(season[0]) == "viirs750-gridded"
    swaths = tmp_path / "swaths"
    swaths.mkdir()
    for name in ("VJ102MOD", "VJ103MOD"):
        for folder in (swaths, season[0]):
            (folder / f"{name}.A2020196.1236.021.2021100000000.nc").touch()
    assert told_source(swaths) == "viirs750-swath"
    with pytest.raises(UnreadableFileError, match="none of the 1 days with files could be read"):
        build_cube(REGION, swaths, None, tmp_path / "s.zarr")
    with pytest.raises(InputError, match="viirs750-gridded and viirs750-swath; choose with --source"):
        build(season, tmp_path / "t.zarr")


# What cannot be.


def test_files_that_are_named_nearly_as_those_read_are_told(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    first = min(season[0].iterdir())
    for end in (".gz", ".1"):
        shutil.copy(first, f"{first}{end}")
    told: list[str] = []
    build_cube(REGION, season[0], None, tmp_path / "t.zarr", notice=told.append)
    assert told == [f"not read, since named otherwise than viirs750-gridded files: {first.name}.1 and 1 more"]
    with pytest.warns(BanetWarning, match="not read, since named otherwise"):
        build_cube(REGION, season[0], None, tmp_path / "t.zarr")


def test_folders_without_files_are_told(tmp_path: Path, season: tuple[Path, Path]) -> None:
    with pytest.raises(NotFoundError, match="folder of VIIRS files .*none does not exist"):
        build((tmp_path / "none", season[1]), tmp_path / "t.zarr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match=r"holds no satellite file .* \(it is empty\)"):
        build((tmp_path / "empty", season[1]), tmp_path / "t.zarr")
    with pytest.raises(NotFoundError, match=r"holds no surface file \(it is empty\); download the files"):
        build((tmp_path / "empty", season[1]), tmp_path / "t.zarr", source="surface")
    (tmp_path / "empty" / "VNP02MOD.A2020196.nc").write_text("")
    with pytest.raises(NotFoundError, match=r"it holds 1 others, such as VNP02MOD.A2020196.nc"):
        build((tmp_path / "empty", season[1]), tmp_path / "t.zarr")
    with pytest.raises(
        NotFoundError,
        match="file of 2021-01-01 to 2021-02-01; its files are of 2020-07-14 to 2020-07-16",
    ):
        build(season, tmp_path / "t.zarr", start="2021-01-01", end="2021-02-01")
    with pytest.raises(NotFoundError, match="hot-spot file .* does not exist"):
        build((season[0], tmp_path / "none.csv"), tmp_path / "t.zarr")
    assert not (tmp_path / "t.zarr").exists()


def test_days_and_sources_that_are_none_are_told(tmp_path: Path, season: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="the days end .2020-07-14. before they start"):
        build(season, tmp_path / "t.zarr", start="2020-07-15", end="2020-07-14")
    with pytest.raises(InputError, match="is neither a day nor a month"):
        build(season, tmp_path / "t.zarr", start="July")
    with pytest.raises(InputError, match="no observation source 'modis'"):
        build(season, tmp_path / "t.zarr", source="modis")
    season[1].write_text("latitude,longitude,acq_date\n1,2,2020-07-14\n")
    with pytest.raises(InputError, match="lacks the column frp"):
        build(season, tmp_path / "t.zarr")
    season[1].write_text("")
    with pytest.raises(UnreadableFileError, match="is empty"):
        build(season, tmp_path / "t.zarr")
    assert not (tmp_path / "t.zarr").exists()


def test_another_cube_is_not_written_over(tmp_path: Path, season: tuple[Path, Path]) -> None:
    other = Region("O", (-8, 39, -7.8, 39.15), 0.01)
    for name, region, sensor, band in (
        ("r", other, "VIIRS S-NPP", "M12"),
        ("s", REGION, "MODIS", "M12"),
        ("m", REGION, "VIIRS S-NPP", "I4"),
    ):
        Cube.create(tmp_path / f"{name}.zarr", region, sensor=sensor, mir_band=band)
        with pytest.raises(InputError, match="choose another output"):
            build(season, tmp_path / f"{name}.zarr")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFileError, match="is not a cube"):
        build(season, tmp_path / "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        build(season, tmp_path / "file" / "t.zarr")


def test_two_builds_of_one_cube_do_not_mix(tmp_path: Path, season: tuple[Path, Path]) -> None:
    cube, _ = build(season, tmp_path / "t.zarr")
    with cube.writing(), pytest.raises(BusyError, match="another run is at work on the cube"):
        build(season, tmp_path / "t.zarr")


@pytest.mark.real
def test_the_real_overpass_and_a_table_of_that_day(tmp_path: Path, real: Path) -> None:
    """The 248 valid cells of M5, M7 and MIR against the files' integers, by the shortest way there is."""
    from pyhdf.SD import SD

    spot = "36.004,-9.5,2017-10-27,1406,N,VIIRS,n,1,12.5,D,0"
    table = fires(tmp_path, spot, row("2017-10-28"))
    region = Region.load("PI")
    cube = build_cube(region, real / "viirs_l1_gridded", table, tmp_path / "pi.zarr")
    window = cube.read("2017-10-27", "2017-10-28")

    raw = {}
    for path in sorted((real / "viirs_l1_gridded").glob("*.hdf")):
        data = SD(str(path)).select(path.name.split(".")[-2])
        about = data.attributes()
        raw[path.name.split(".")[-2]] = (data.get(), about.get("Scale", 1.0), about.get("Offset", 0.0))
    seen = raw["Reflectance_M5"][0] < 65527
    red, nir, mir, tir = (raw[band][0][seen] * raw[band][1] + raw[band][2] for band in SCALES)
    sun = 11.7881 / np.pi * np.cos(np.radians(raw["SolarZenithAngle"][0][seen].astype(float)))
    kelvin = 1.439e4 / 10.7343 / np.log1p(1.1911e8 / 10.7343**5 / tir)
    heat = 1.1911e8 / 3.6966**5 / np.expm1(1.439e4 / 3.6966 / kelvin)
    expected = {"red": red, "nir": nir, "mir": np.maximum((mir - heat) / (sun - heat), 0)}

    assert seen.sum() == 248
    assert window.observed.sum() == 248
    for name, values in expected.items():
        assert np.abs(getattr(window, name)[0][seen] - values).max() < 0.501e-4
    row_, col, _ = region.cells_of(-9.5, 36.004)
    assert window.frp[0, row_, col] == 12.5
    assert np.nansum(window.frp) == 12.5
    assert cube.gaps == {}
    shutil.rmtree(cube.path)


def test_several_processes_build_the_same_cube_in_the_same_order(
    tmp_path: Path, season: tuple[Path, Path]
) -> None:
    next(season[0].glob("*A2020197*M12*")).write_bytes(b"not a file of a satellite")
    one, told = build(season, tmp_path / "one.zarr", end=DAY + 4)
    two, also = build(season, tmp_path / "two.zarr", end=DAY + 4, workers=2)
    assert also == told
    assert len(told) == 5
    assert two.days.tolist() == one.days.tolist()
    assert two.gaps == one.gaps
    for day in one.days:
        assert two.record(day) == one.record(day)
    again = build(season, tmp_path / "two.zarr", end=DAY + 4, workers=1)[1]
    assert len(again) == 5 and all("unchanged" in line for line in again)
    with pytest.raises(InputError, match="at least one"):
        build(season, tmp_path / "three.zarr", workers=0)
