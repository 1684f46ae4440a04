"""Writing aside and renaming."""

from __future__ import annotations

import errno
import hashlib
import os

import pytest

from banet.errors import NotFoundError, OutputError
from banet.io.files import existing_file, existing_folder, output_folder, sha256, writing


def test_a_file_appears_whole_and_alone(tmp_path):
    target = tmp_path / "deep" / "a.tif"
    with writing(target) as part:
        assert part.suffix == ".tif"
        part.write_text("x")
        assert not target.exists()
    assert target.read_text() == "x"
    assert os.listdir(target.parent) == ["a.tif"]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), writing(target) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_replaces_a_folder(tmp_path):
    target = tmp_path / "store"
    for content in ("one", "two"):
        with writing(target) as part:
            part.mkdir()
            (part / "f").write_text(content)
    assert (target / "f").read_text() == "two"
    assert os.listdir(tmp_path) == ["store"]


def test_a_full_disk_is_said_in_one_line(tmp_path):
    with pytest.raises(OutputError, match="No space left"), writing(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert os.listdir(tmp_path) == []


def test_an_input_that_cannot_be_read_is_not_blamed_on_the_output(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, writing(tmp_path / "out" / "a"):
        open("/nowhere/at/all")
    assert not isinstance(caught.value, OutputError)


def test_folders_that_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        output_folder(file)
    with pytest.raises(OutputError, match="cannot write"), writing(file / "a"):
        pass
    with pytest.raises(OutputError, match="cannot write"):
        output_folder("/proc/banet")


def test_what_must_be_there(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert existing_file(file) == file
    assert existing_folder(tmp_path) == tmp_path
    with pytest.raises(NotFoundError, match="not a folder"):
        existing_folder(file)
    with pytest.raises(NotFoundError, match="not a file"):
        existing_file(tmp_path)
    with pytest.raises(NotFoundError, match="region file .* does not exist"):
        existing_file(tmp_path / "x", "region file")
    assert sha256(file) == hashlib.sha256(b"abc").hexdigest()
