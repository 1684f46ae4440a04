"""Chips: what goes in comes out, and only what is whole counts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.chips import ChipEntry, Chips
from banet.chips.codec import decode_planes, decode_target, encode_planes, encode_target
from banet.errors import CorruptError, InputError, NotFoundError, UnreadableFileError

DAYS, SIZE = 6, 8


def block(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    planes = rng.uniform(0, 1.2, (4, DAYS, SIZE, SIZE)).astype(np.float32)
    planes[3] = np.where(rng.random((DAYS, SIZE, SIZE)) < 0.1, rng.uniform(1, 900, (DAYS, SIZE, SIZE)), 0)
    planes[:3, rng.random((DAYS, SIZE, SIZE)) < 0.3] = np.nan
    target = np.where(rng.random((DAYS, SIZE, SIZE)) < 0.1, rng.random((DAYS, SIZE, SIZE)), 0)
    return planes, target.astype(np.float32)


@settings(deadline=None)
@given(st.floats(-3.2767, 3.2767), st.floats(0, 1e6), st.floats(0, 1))
def test_values_come_back_within_half_a_step(reflectance: float, power: float, fraction: float) -> None:
    planes = np.full((4, 1, 1, 1), reflectance, np.float32)
    planes[3] = power
    back = decode_planes(encode_planes(planes))
    np.testing.assert_allclose(back[:3], planes[:3], atol=0.51e-4)
    np.testing.assert_allclose(back[3], planes[3], rtol=0.6e-3, atol=0.6e-3)
    target = np.full((1, 1, 1), fraction, np.float32)
    np.testing.assert_allclose(decode_target(encode_target(target)), target, atol=0.51 / 200)


def test_missing_is_neither_zero_nor_the_ends() -> None:
    planes = np.array([np.nan, np.inf, 0, 99], np.float32).reshape(4, 1, 1, 1)
    back = decode_planes(encode_planes(planes)).ravel()
    assert np.isnan(back[0]) and np.isnan(back[1])
    assert back[2] == 0
    planes = np.full((4, 1, 1, 1), -99, np.float32)
    np.testing.assert_allclose(decode_planes(encode_planes(planes)).ravel(), [-3.2767] * 3 + [0], rtol=1e-6)
    assert np.isnan(decode_planes(encode_planes(np.full((4, 1, 1, 1), np.nan, np.float32)))).all()
    np.testing.assert_array_equal(
        decode_target(encode_target(np.array([np.nan, 0, 1], np.float32))),
        np.array([np.nan, 0, 1], np.float32),
    )


def test_a_crop_is_that_part_of_the_whole(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path / "chips", DAYS, SIZE)
    for seed in range(3):
        entry = chips.write(
            ChipEntry(f"c{seed}", climate="boreal", seed=seed, start="2020-07-01"), *block(seed)
        )
        assert entry.burned_cells == tuple((block(seed)[1] > 0).sum((1, 2)))
    again = Chips.open(tmp_path / "chips")
    assert again.entries == chips.entries and len(again) == 3
    assert again.entries[1].day == np.datetime64("2020-07-01")
    whole = again.read(1)
    planes, target = block(1)
    np.testing.assert_allclose(whole.planes[:3], planes[:3], atol=0.51e-4)
    np.testing.assert_allclose(whole.target, target, atol=0.51 / 200)
    crop = again.read(1, slice(1, 4), slice(2, 7), slice(0, 5))
    np.testing.assert_array_equal(crop.planes, whole.planes[:, 1:4, 2:7, :5])
    np.testing.assert_array_equal(crop.target, whole.target[1:4, 2:7, :5])
    np.testing.assert_array_equal(again.burned(1), whole.target > 0)


def test_arrays_without_an_entry_do_not_count(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path, DAYS, SIZE)
    entry = chips.write_arrays(ChipEntry("a"), *block())
    assert len(Chips.open(tmp_path)) == 0
    chips.enter(entry)
    assert Chips.open(tmp_path).names == {"a"}


def test_half_a_line_at_the_end_does_not_count_and_is_mended(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path, DAYS, SIZE)
    chips.write(ChipEntry("a"), *block())
    with (tmp_path / "index.jsonl").open("a") as stream:
        stream.write('{"name": "torn", "sou')
    reader = Chips.open(tmp_path)
    assert reader.names == {"a"}
    reader.write(ChipEntry("b"), *block(1))
    assert [entry.name for entry in Chips.open(tmp_path).entries] == ["a", "b"]


def test_another_process_s_chips_are_seen_after_a_refresh(tmp_path: Path) -> None:
    reader = Chips.create(tmp_path, DAYS, SIZE)
    before = reader.index_sha256
    Chips.open(tmp_path).write(ChipEntry("a"), *block())
    assert len(reader) == 0
    reader.refresh()
    assert len(reader) == 1 and reader.index_sha256 != before == ""


def test_some_chips_stay_the_same_while_others_are_added(tmp_path: Path) -> None:
    whole = Chips.create(tmp_path, DAYS, SIZE)
    for number, name in enumerate("abc"):
        whole.write(ChipEntry(name), *block(number))
    assert whole.index_sha256 == hashlib.sha256((tmp_path / "index.jsonl").read_bytes()).hexdigest()
    assert whole.only("abc").index_sha256 == whole.index_sha256
    some = whole.only(["c", "a"])
    before = some.index_sha256
    assert [entry.name for entry in some.entries] == ["c", "a"] and len(whole) == 3
    np.testing.assert_array_equal(some.read(0).planes, whole.read(2).planes)
    assert before not in {whole.index_sha256, whole.only("ac").index_sha256}
    whole.write(ChipEntry("d"), *block(3))
    assert some.index_sha256 == before
    with pytest.raises(InputError, match="holds no chip named x"):
        whole.only("ax")


def test_chips_of_another_size_are_refused(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path, DAYS, SIZE)
    with pytest.raises(InputError, match="choose another folder"):
        Chips.create(tmp_path, DAYS, 2 * SIZE)
    planes, target = block()
    with pytest.raises(InputError, match="do not fit"):
        chips.write(ChipEntry("a"), planes[:, :3], target)
    with pytest.raises(InputError, match=r"not within 0\.\.1"):
        chips.write(ChipEntry("a"), planes, target + 1)
    with pytest.raises(InputError, match="already holds"):
        chips.enter(chips.write(ChipEntry("a"), planes, target))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", "not a header"),
        ("[]", "not a header"),
        ('{"format": "banet-chips", "version": 1}', "not a header"),
        ('{"format": "banet-chips", "version": 9, "days": 1, "size": 1}', "version 9"),
    ],
)
def test_a_broken_header_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "chips.json").write_text(text)
    with pytest.raises(UnreadableFileError, match=message):
        Chips.open(tmp_path)


def test_a_folder_without_chips_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no chips"):
        Chips.open(tmp_path)
    with pytest.raises(NotFoundError, match="does not exist"):
        Chips.open(tmp_path / "nowhere")


@pytest.mark.parametrize("line", ["{}", '{"name": 1, "colour": 2}', "not json"])
def test_a_broken_index_line_is_named(tmp_path: Path, line: str) -> None:
    Chips.create(tmp_path, DAYS, SIZE).write(ChipEntry("a"), *block())
    with (tmp_path / "index.jsonl").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(UnreadableFileError, match="line 2"):
        Chips.open(tmp_path)


def test_a_damaged_array_is_named(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path, DAYS, SIZE)
    chips.write(ChipEntry("a"), *block())
    file = tmp_path / "arrays" / "a.inputs.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match=r"a\.inputs\.npy cannot be read"):
        chips.read(0)
    np.save(file, np.zeros((2, 2), np.int16))
    with pytest.raises(UnreadableFileError, match=r"is \(2, 2\)"):
        chips.read(0)
    file.unlink()
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        chips.read(0)


def test_the_header_says_what_the_numbers_mean(tmp_path: Path) -> None:
    Chips.create(tmp_path, DAYS, SIZE)
    fields = json.loads((tmp_path / "chips.json").read_text())
    assert fields["bands"] == ["red", "nir", "mir", "frp"]
    assert (fields["days"], fields["size"]) == (DAYS, SIZE)


def test_a_flip_of_a_bit_anywhere_is_told_or_without_effect(tmp_path: Path) -> None:
    made = Chips.create(tmp_path, DAYS, SIZE)
    for seed in range(2):
        made.write(ChipEntry(f"c{seed}", climate="boreal", seed=seed), *block(seed))

    def shown() -> list[object]:
        chips = Chips.open(tmp_path)
        read = [chips.read(number) for number in range(len(chips))]
        return [
            chips.days,
            chips.size,
            chips.entries,
            *((c.planes.tobytes(), c.target.tobytes()) for c in read),
        ]

    truth, rng = shown(), np.random.default_rng(1)
    files = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert len(files) == 7
    told = 0
    for trial in range(300):
        file = files[trial % len(files)]
        data = file.read_bytes()
        # Where lines end, where headers stand, and anywhere.
        places = (len(data) - 1, int(rng.integers(min(128, len(data)))), int(rng.integers(len(data))))
        place = places[trial % 3]
        file.write_bytes(data[:place] + bytes([data[place] ^ 1 << trial % 8]) + data[place + 1 :])
        try:
            found = shown()
        except UnreadableFileError as error:
            assert "\n" not in str(error)
            told += 1
        else:
            assert found == truth, f"byte {place} of {file.name}"
        file.write_bytes(data)
    assert told > 200
    assert shown() == truth


def test_arrays_of_another_chip_and_cut_or_emptied_ones_are_told(tmp_path: Path) -> None:
    chips = Chips.create(tmp_path, DAYS, SIZE)
    for seed in range(2):
        chips.write(ChipEntry(f"c{seed}"), *block(seed))
    for what in ("inputs", "target"):
        file = tmp_path / "arrays" / f"c0.{what}.npy"
        data = file.read_bytes()
        for damaged in (
            (tmp_path / "arrays" / f"c1.{what}.npy").read_bytes(), data[:-1], data[:70], b"", bytes(len(data))
        ):  # fmt: skip
            file.write_bytes(damaged)
            with pytest.raises(CorruptError, match=rf"c0\.{what}\.npy"):
                Chips.open(tmp_path).read(0)
        file.write_bytes(data)
    index = (tmp_path / "index.jsonl").read_bytes()
    for damaged in (index[:-1], index[: len(index) // 2], index[:40], b"", index[:-300] + bytes(300)):
        (tmp_path / "index.jsonl").write_bytes(damaged)
        with pytest.raises(CorruptError, match="cut short|not the entry"):
            Chips.open(tmp_path)
    (tmp_path / "index.jsonl").write_bytes(index)
    with (tmp_path / "index.jsonl").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x0b")
    with pytest.raises(CorruptError, match="line 2 does not end"):
        Chips.open(tmp_path)
