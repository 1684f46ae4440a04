"""Damage on disk is told, or has no effect: no flip of a bit is ever read as another measurement."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banet.cli import main
from banet.cube import Cube, open_cube
from banet.cube.records import write_record
from banet.cube.variables import VARIABLES
from banet.errors import CorruptError, UnreadableFileError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("D", (-8, 39, -6.6, 40.4), 0.01)  # 140 x 140: four chunks a plane
DAY = np.datetime64("2020-12-30")
FLAGS = ("qf1",)


def planes(seed: int) -> DayPlanes:
    rng = np.random.default_rng(seed)
    lost = rng.random(REGION.shape) < 0.2
    red, nir, mir = rng.normal(0.2, 0.05, (3, *REGION.shape)).astype(np.float32)
    for plane in (red, nir, mir):
        plane[lost] = np.nan
    zenith = np.full(REGION.shape, 10 + seed, np.float32)
    flags = {"qf1": rng.integers(0, 255, REGION.shape).astype(np.uint8)}
    return DayPlanes(red, nir, mir, zenith, (~lost).astype(np.uint8), flags=flags, inputs=(f"f{seed}",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cube of three days, one without hot spots, with a gap and a water mask."""
    path = tmp_path_factory.mktemp("whole") / "d.zarr"
    cube = Cube.create(path, REGION, sensor="VIIRS", mir_band="M11", flags=FLAGS)
    rng = np.random.default_rng(9)
    for number in range(3):
        frp = np.where(rng.random(REGION.shape) < 0.01, 12.5, 0).astype(np.float32)
        cube.write_day(DAY + number, planes(number), None if number == 1 else frp)
    cube.record_gap(DAY + 3, ["no file"])
    cube.set_water(rng.random(REGION.shape) < 0.3)
    return path


def shown(path: Path) -> dict[str, object]:
    """All that a cube says of itself."""
    cube = open_cube(path)
    window = cube.read(DAY - 1, DAY + 4, flags=FLAGS)
    said = {name: getattr(window, name).tobytes() for name in VARIABLES}
    said |= {name: plane.tobytes() for name, plane in window.flags.items()}
    info = cube.info()
    water = cube.water
    said["water"] = b"unknown" if water is None else water.tobytes()
    said["about"] = (
        cube.region, cube.sensor, cube.mir_band, cube.flags, cube.days.tolist(), cube.gaps,
        info.coverage, info.ranges, info.satellites, [cube.record(day) for day in cube.days],
    )  # fmt: skip
    return said


def outcome(path: Path, truth: dict[str, object]) -> str:
    try:
        found = shown(path)
    except UnreadableFileError as error:
        assert "\n" not in str(error)
        return "told"
    return "without effect" if found == truth else "silent"


def files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_flip_of_a_bit_anywhere_is_told_or_without_effect(whole: Path, tmp_path: Path) -> None:
    """The files in turn, so that small ones get as many flips as large ones."""
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    truth, rng = shown(path), np.random.default_rng(20201231)
    found: Counter[tuple[str, str]] = Counter()
    files = files_of(path)
    for trial in range(240):
        file = files[trial % len(files)]
        data = file.read_bytes()
        end = len(data) * 8
        # Half of the flips anywhere, half in the last bytes, where a shard keeps its index.
        bit = int(rng.integers(0, end) if trial % 2 else rng.integers(max(0, end - 800), end))
        file.write_bytes(flipped(data, bit))
        kind = "metadata" if file.suffix == ".json" else "data"
        result = outcome(path, truth)
        found[kind, result] += 1
        assert result != "silent", f"bit {bit} of {file.relative_to(path)}"
        file.write_bytes(data)
    assert shown(path) == truth
    assert found["data", "told"] > 80
    assert found["metadata", "told"] > 20


def test_chunks_that_changed_places_in_an_index_are_told(whole: Path, tmp_path: Path) -> None:
    """Each chunk fits its own checksum; only that of the index says that it stands for other cells."""
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    file = next(file for file in files_of(path / "nir") if file.suffix != ".json")
    data = file.read_bytes()
    first, second = (slice(-4 - 16 * left, -4 - 16 * (left - 1)) for left in (4, 3))
    changed = bytearray(data)
    changed[first], changed[second] = data[second], data[first]
    file.write_bytes(changed)
    with pytest.raises(CorruptError, match="the checksum of its index"):
        open_cube(path).read(DAY, DAY + 3)


@pytest.mark.parametrize("what", ["cut", "empty", "gone", "zeros", "longer"])
def test_other_damage_of_every_file_is_told_or_without_effect(whole: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    truth, rng, told = shown(path), np.random.default_rng(7), 0
    for file in files_of(path):
        data = file.read_bytes()
        start = int(rng.integers(0, len(data)))
        if what == "gone":
            file.unlink()
        else:
            file.write_bytes(
                {
                    "cut": data[:start],
                    "empty": b"",
                    "zeros": (data[:start] + bytes(4096) + data[start + 4096 :])[: len(data)],
                    "longer": data + b"\0" * 16,
                }[what]
            )
        if what == "gone" and file.parent.name == "gaps":  # a gap that nobody remembers is no measurement
            assert outcome(path, truth) in ("told", "silent")
        else:
            result = outcome(path, truth)
            assert result != "silent", file.relative_to(path)
            told += result == "told"
        file.write_bytes(data)
    assert told > 20
    assert shown(path) == truth


def test_a_damaged_record_is_told_by_whoever_reads_the_day(whole: Path, tmp_path: Path) -> None:
    """What asks whether a day has images goes on: one damaged day ended the maps of all others."""
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    day = open_cube(path).days[0]
    (path / "time" / "days" / "0.json").write_text("{}")
    cube = open_cube(path)
    assert cube.has_images(day) and cube.tells(day)
    with pytest.raises(CorruptError):
        cube.record(day)


def test_files_of_other_days_or_variables_are_told(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    truth = shown(path)
    shards = [file for file in files_of(path) if file.parts[-4] == "c" and file.parts[-5] != "water"]
    assert len(shards) == 21
    records = [file for file in files_of(path) if file.parent.name == "days"]
    for group in (shards, records):
        for one, other in itertools.pairwise(group):
            a, b = one.read_bytes(), other.read_bytes()
            one.write_bytes(b)
            other.write_bytes(a)
            assert outcome(path, truth) == "told", (one, other)
            one.write_bytes(a)
            other.write_bytes(b)


def test_the_error_names_file_and_day(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    shard = path / "nir" / "c" / "1" / "0" / "0"
    shard.write_bytes(flipped(shard.read_bytes(), 8000))
    with pytest.raises(CorruptError, match=r"2020-12-31: the cube's file .*nir/c/1/0/0 is damaged"):
        open_cube(path).read(DAY, DAY + 3)
    assert open_cube(path).read(DAY, DAY + 1).days.size == 1  # the other days can be read
    with pytest.raises(ValueError, match="checksum"):
        open_cube(path).to_xarray().nir.load()


def test_the_command_names_damaged_days_and_leaves_them_out(whole: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    assert main(["cube", "check", str(path)]) == 0
    assert "3 days, all sound" in capsys.readouterr().out
    shard = path / "red" / "c" / "2" / "0" / "0"
    shard.write_bytes(flipped(shard.read_bytes(), 4000))
    record = path / "time" / "days" / "0.json"
    record.write_bytes(flipped(record.read_bytes(), 100))
    assert main(["cube", "check", str(path)]) == 2
    told = capsys.readouterr().err
    assert "2021-01-01: the cube's file" in told
    assert "2020-12-30: the cube's record" in told
    assert "2 days of" in told
    assert main(["cube", "check", str(path), "--drop"]) == 0
    cube = open_cube(path)
    assert cube.days.tolist() == [(DAY + 1).item()]
    assert set(cube.gaps) == {DAY, DAY + 2, DAY + 3}
    assert cube.write_day(DAY, planes(0), None)
    assert main(["cube", "check", str(path)]) == 0


@pytest.mark.parametrize("what", ["water/c/0/0", "latitude/c/0", "longitude/c/0"])
@pytest.mark.parametrize("gone", [True, False])
def test_the_command_names_and_mends_a_damaged_grid(
    whole: Path, tmp_path: Path, capsys, what: str, gone: bool
) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    file, sound = path / what, (path / what).read_bytes()
    file.write_bytes(flipped(sound, 300))
    if gone:
        file.unlink()
    name = what.split("/")[0]
    assert main(["cube", "check", str(path)]) == 2
    assert f"{name} of {path} are damaged; `banet cube check" in capsys.readouterr().err
    assert main(["cube", "check", str(path), "--drop"]) == 0
    assert f"{name} mended" in capsys.readouterr().out
    assert main(["cube", "check", str(path)]) == 0
    assert open_cube(path).water is None if name == "water" else file.read_bytes() == sound


def test_writing_a_day_again_mends_its_record(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    (path / "time" / "days" / "1.json").write_text("{")
    cube = open_cube(path)
    with pytest.raises(CorruptError, match="2020-12-31"):
        cube.record(DAY + 1)
    assert cube.write_day(DAY + 1, planes(1), None)
    assert cube.damage() == {}


def test_planes_that_are_sound_but_not_those_of_the_record_are_told(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr"
    shutil.copytree(whole, path)
    record = open_cube(path).record(DAY)
    assert record is not None
    write_record(path / "time" / "days" / "0.json", replace(record, content="0" * 64))
    told = open_cube(path).damage()
    assert told == {DAY: "2020-12-30: its planes are not those whose hash its record holds"}
