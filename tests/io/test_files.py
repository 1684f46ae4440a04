"""Writing aside and renaming."""

from __future__ import annotations

import errno
import hashlib
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from banet.errors import NotFoundError, OutputError
from banet.io.files import (
    existing_file,
    existing_folder,
    output_folder,
    sha256,
    sweep,
    visible_files,
    writing,
)


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
    with pytest.raises(FileNotFoundError) as caught, writing(tmp_path / "out" / "a"):
        open(tmp_path / "out2" / "a")
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


def leave_half_written(target, text="half", how="9"):
    """Write half a file, or a folder, in a process that is then killed."""
    script = (
        "import os, sys, pathlib\nfrom banet.io.files import writing\n"
        "with writing(sys.argv[1]) as part:\n"
        "    part.write_text(sys.argv[2])\n"
        "    os._exit(9) if sys.argv[3] == '9' else (print('writing', flush=True), sys.stdin.read())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, target, text, how],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if how == "9":
        process.communicate()
    else:
        assert process.stdout.readline() == "writing\n"
    return process


def parts_in(folder):
    return [name for name in os.listdir(folder) if name.endswith(".part")]


def test_what_a_dead_run_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    with leave_half_written(tmp_path / "b.nc", how="wait") as living:
        leave_half_written(tmp_path / "a.nc")
        assert len(parts_in(tmp_path)) == 2
        assert sweep(tmp_path) == 1
        (left,) = parts_in(tmp_path)
        assert left.startswith(".b.nc.")
        assert sweep(tmp_path) == 0
        living.communicate("")
    assert os.listdir(tmp_path) == ["b.nc"]
    assert (tmp_path / "b.nc").read_text() == "half"


def test_the_first_write_to_a_folder_sweeps_it(tmp_path):
    leave_half_written(tmp_path / "x" / "a")
    with writing(tmp_path / "x" / "b") as part:
        part.write_text("whole")
    assert os.listdir(tmp_path / "x") == ["b"]
    leave_half_written(tmp_path / "y" / "a")
    output_folder(tmp_path / "y")
    assert os.listdir(tmp_path / "y") == []


def test_a_folder_whose_replacement_was_killed_half_way_is_there_again(tmp_path):
    """Two renames replace a folder; a process that dies between them must not lose both."""
    target = tmp_path / "store"
    with writing(target) as part:
        part.mkdir()
        (part / "f").write_text("old")
    script = (
        "import os, sys, pathlib\nfrom banet.io.files import writing\n"
        "real = pathlib.Path.rename\n"
        "def rename(self, to):\n"
        "    if pathlib.Path(to) == pathlib.Path(sys.argv[1]): os._exit(9)\n"
        "    return real(self, to)\n"
        "pathlib.Path.rename = rename\n"
        "with writing(sys.argv[1]) as part:\n"
        "    part.mkdir(); (part / 'f').write_text('new')\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script, target], env=env, check=False).returncode == 9
    assert not target.exists()
    assert sweep(tmp_path) == 1
    assert (target / "f").read_text() == "new"
    assert os.listdir(tmp_path) == ["store"]


def test_a_folder_that_cannot_take_the_place_of_another_leaves_it(tmp_path, monkeypatch):
    target = tmp_path / "store"
    target.mkdir()
    (target / "f").write_text("old")
    real = pathlib.Path.rename

    def rename(self, to):
        if self.parent.name.endswith(".part") and self.name == "store":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(to))
        return real(self, to)

    monkeypatch.setattr(pathlib.Path, "rename", rename)
    with pytest.raises(OutputError, match="cannot write"), writing(target) as part:
        part.mkdir()
    assert (target / "f").read_text() == "old"


def test_writers_and_sweepers_at_once_lose_nothing(tmp_path):
    def write(number):
        for turn in range(20):
            with writing(tmp_path / f"{number}.txt") as part:
                part.write_text(str(turn))
            sweep(tmp_path)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert sorted(os.listdir(tmp_path)) == [f"{number}.txt" for number in range(6)]
    assert {file.read_text() for file in tmp_path.iterdir()} == {"19"}


def test_searches_see_no_hidden_file_or_folder(tmp_path):
    root = tmp_path / ".hidden" / "maps"
    for name in ("b.nc", "a.nc", "deep/c.nc", ".a.nc.x.part/a.nc", "deep/.ipynb_checkpoints/c.nc", ".d.nc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "folder.nc").mkdir()
    assert visible_files(root, "*.nc") == [root / "a.nc", root / "b.nc", root / "deep" / "c.nc"]
    assert visible_files(root, "*.nc", deep=False) == [root / "a.nc", root / "b.nc"]
    assert visible_files(tmp_path / "nowhere") == []


def test_searches_go_into_linked_folders_once(tmp_path):
    root, archive = tmp_path / "maps", tmp_path / "archive"
    for folder in (root, archive):
        folder.mkdir()
        (folder / f"{folder.name}.nc").write_text("")
    (root / "old").symlink_to(archive)
    (root / "same").symlink_to(archive)
    (archive / "back").symlink_to(root)
    assert visible_files(root, "*.nc") == [root / "maps.nc", root / "old" / "archive.nc"]
    assert visible_files(root, "*.nc", linked=False) == [root / "maps.nc"]
