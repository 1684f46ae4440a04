"""HDF4 files through the child process: whatever the library does costs one file, in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from pyhdf.SD import SD, SDC

from banet.errors import UnreadableFileError
from banet.io import hdf4, hdf4_checksums
from banet.io.hdf4 import read_arrays


def written(path: Path) -> np.ndarray:
    values = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36)
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    for name, stored in (("band", values), ("angle", values.astype(np.float32) / 7)):
        kind = SDC.UINT16 if stored.dtype == np.uint16 else SDC.FLOAT32
        data = file.create(name, kind, stored.shape)
        data.setcompress(SDC.COMP_DEFLATE, 5)
        data.Scale, data.about, data.levels = 0.1 + 0.2, "Ångström", [1, 2, 3]
        data[:] = stored
        data.endaccess()
    file.side = "north"
    file.end()
    return values


@pytest.fixture
def fresh():
    """No child before and none after."""
    hdf4._stop()
    yield
    hdf4._stop()


def child() -> psutil.Process:
    return psutil.Process(hdf4._child._process.pid)


def behaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Let the child do something else instead of reading the file called bad.hdf."""
    script = tmp_path / "child.py"
    script.write_text(
        textwrap.dedent("""
            import os, time, ctypes
            from banet.io import hdf4_child as child
            read = child._answer
            child.CPU_SECONDS, child.WALL_SECONDS, child.MEMORY_BYTES = 0.3, 1.5, 2 << 30
            def answer(question):
                if question["path"].endswith("bad.hdf"):
                    BODY
                return read(question)
            child._answer = answer
            child.main()
        """).replace("BODY", body)
    )
    monkeypatch.setattr(hdf4, "_SCRIPT", script)


def test_values_and_attributes_are_those_of_the_file(tmp_path, fresh):
    values = written(tmp_path / "a.hdf")
    found = read_arrays(tmp_path / "a.hdf", ["angle", "band"])
    assert list(found) == ["angle", "band"]
    assert found["band"].values.dtype == np.uint16
    np.testing.assert_array_equal(found["band"].values, values)
    assert found["angle"].values.tobytes() == (values.astype(np.float32) / 7).tobytes()
    assert found["band"].attributes["Scale"] == 0.1 + 0.2
    assert found["band"].attributes["levels"] == [1, 2, 3]
    assert found["band"].file_attributes == {"side": "north"}
    before = child().pid
    with pytest.raises(UnreadableFileError, match="lacks mir; it holds angle, band"):
        read_arrays(tmp_path / "a.hdf", ["mir"])
    assert child().pid == before, "a child for each file"


def test_a_changed_byte_of_compressed_values_is_told(tmp_path, fresh):
    path = tmp_path / "a.hdf"
    written(path)
    whole = path.read_bytes()
    streams = [(bytes(stream), size) for stream, size in hdf4_checksums._streams(whole)]
    assert [size for _, size in streams] == [24 * 36 * 2, 24 * 36 * 4]
    rng = np.random.default_rng(5)
    for stream, _ in streams:
        start = whole.index(stream)
        for at in rng.choice(len(stream), 60, replace=False) + start:
            held = bytearray(whole)
            held[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(held)
            with pytest.raises(UnreadableFileError, match="checksum of its values does not fit"):
                read_arrays(path, ["band"])
        path.write_bytes(whole[:start] + bytes(len(stream)) + whole[start + len(stream) :])
        with pytest.raises(UnreadableFileError, match=r"a\.hdf is truncated or damaged"):
            read_arrays(path, ["band"])


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 4000, bytes(range(256)) * 40])
def test_a_head_of_garbage_holds_no_stream(tmp_path, garbage):
    path = tmp_path / "a.hdf"
    path.write_bytes(bytes.fromhex("0e031301") + garbage)
    hdf4_checksums.check_streams(path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True: pass", "reading it does not end"),
        ("ctypes.PyDLL(None).sleep(60)", "reading it does not end"),
        ("os.abort()", r"it ends the HDF4 library \(SIGABRT\)"),
        ("os._exit(3)", r"it ends the HDF4 library \(status 3\)"),
        ("bytearray(1 << 40)", "asks for too much memory"),
        ("raise UnicodeDecodeError('utf-8', b'', 0, 1, 'odd')", "truncated or damaged .*odd"),
    ],
)
def test_what_the_library_does_with_one_file_costs_that_file(tmp_path, monkeypatch, fresh, body, said):
    behaving(tmp_path, monkeypatch, body)
    values = written(tmp_path / "good.hdf")
    written(tmp_path / "bad.hdf")
    begin = time.monotonic()
    with pytest.raises(UnreadableFileError, match=f"^bad.hdf is .*{said}"):
        read_arrays(tmp_path / "bad.hdf", ["band"])
    assert time.monotonic() - begin < 60
    np.testing.assert_array_equal(read_arrays(tmp_path / "good.hdf", ["band"])["band"].values, values)


def test_a_child_that_somebody_ended_has_a_successor(tmp_path, fresh):
    values = written(tmp_path / "a.hdf")
    for _ in range(2):
        read_arrays(tmp_path / "a.hdf", ["band"])
        os.kill(child().pid, signal.SIGKILL)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.hdf", ["band"])["band"].values, values)


def test_a_relative_path_is_that_of_the_folder_of_the_moment(tmp_path, monkeypatch, fresh):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        values = written(Path(f"{name}.hdf"))
        np.testing.assert_array_equal(read_arrays(f"{name}.hdf", ["band"])["band"].values, values)


def test_a_size_that_no_file_has_is_refused_before_memory_is_taken(tmp_path, fresh):
    file = SD(str(tmp_path / "a.hdf"), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    file.create("band", SDC.UINT16, (40000, 40000)).endaccess()
    file.end()
    with pytest.raises(UnreadableFileError, match="band claims the shape 40000 x 40000"):
        read_arrays(tmp_path / "a.hdf", ["band"])
    assert child().memory_info().rss < 500 << 20


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_ends_with_its_parent(tmp_path, sign):
    written(tmp_path / "a.hdf")
    code = (
        "import sys, time; from banet.io import hdf4; hdf4.file_attributes(sys.argv[1]);"
        "print(hdf4._child._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.hdf")], stdout=subprocess.PIPE, text=True
    )
    reader = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(sign)
    parent.communicate(timeout=20)
    psutil.wait_procs([reader], timeout=10)
    assert not reader.is_running()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_child_of_its_own(tmp_path, fresh):
    written(tmp_path / "a.hdf")
    read_arrays(tmp_path / "a.hdf", ["band"])
    before = child().pid
    pid = os.fork()
    if pid == 0:
        read_arrays(tmp_path / "a.hdf", ["band"])
        own = hdf4._child._process.pid
        hdf4._stop()
        os._exit(0 if own != before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    read_arrays(tmp_path / "a.hdf", ["band"])
    assert child().pid == before
