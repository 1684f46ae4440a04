"""One lock: held by one run, gone with its process, beside what it protects."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from banet.errors import BanetError, BusyError, OutputError
from banet.io.lock import Lock, lock, lock_file

HOLDER = """
import sys, time
from banet.io.lock import lock
with lock(sys.argv[1], "it"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(path, seconds=60.0):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, path, str(seconds)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_it_lies_beside_what_it_protects_and_goes_at_the_end(tmp_path):
    store = tmp_path / "deep" / "a.zarr"
    with lock(store, "a"):
        assert os.listdir(store.parent) == [".a.zarr.lock"]
        assert lock_file(store) == store.parent / ".a.zarr.lock"
    assert os.listdir(store.parent) == []


def test_one_path_has_one_lock_however_it_is_called(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    with lock("real", "it"):
        for other in ("link", tmp_path / "real", "./real/../link"):
            with pytest.raises(BusyError), lock(other, "it"):
                pass


def test_the_message_names_the_holder_and_the_exit_code_is_1(tmp_path):
    with lock(tmp_path / "a", "it"), pytest.raises(BusyError) as caught, lock(tmp_path / "a", "the cube a"):
        pass
    assert f"another run is at work on the cube a (process {os.getpid()} on " in str(caught.value)
    assert isinstance(caught.value, BanetError)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_several_are_taken_all_or_none(tmp_path):
    with lock(tmp_path / "b", "b"):
        with pytest.raises(BusyError, match="on b "), lock(tmp_path / "a", "a"), lock(tmp_path / "b", "b"):
            pass
        with lock(tmp_path / "a", "a"):
            pass


def test_it_ends_with_its_process_however_that_ends(tmp_path):
    path = tmp_path / "a"
    with holder(path) as process:
        with pytest.raises(BusyError, match=rf"process {process.pid} on"), lock(path, "it"):
            pass
        process.send_signal(signal.SIGKILL)
    assert lock_file(path).exists()
    with lock(path, "it"):
        pass


def test_who_waits_gets_it(tmp_path):
    with holder(tmp_path / "a", 0.4), lock(tmp_path / "a", "it", wait=30):
        pass


def test_a_lock_whose_file_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """Who opened the file before its holder removed it must not go on with a file that others do not see."""
    fcntl = pytest.importorskip("fcntl")
    file, real, tries = lock_file(tmp_path / "a"), fcntl.flock, []

    def late(descriptor, operation):
        if not tries:
            file.unlink()
        tries.append(operation)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with lock(tmp_path / "a", "it"):
        assert len(tries) == 2
        assert file.exists()
        with pytest.raises(BusyError), lock(tmp_path / "a", "it"):
            pass


def test_its_thread_may_take_it_again_and_others_wait(tmp_path):
    one, order = Lock(tmp_path / "a", "it"), []

    def work(number):
        with one.held(), one.held():
            order.append(number)
            time.sleep(0.01)
            assert order[-1] == number

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert sorted(order) == list(range(8))


def test_threads_with_objects_of_their_own_are_runs_of_their_own(tmp_path):
    inside, release = threading.Event(), threading.Event()

    def work():
        with lock(tmp_path / "a", "it"):
            inside.set()
            release.wait(10)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        inside.wait(10)
        with pytest.raises(BusyError), lock(tmp_path / "a", "it"):
            pass
        release.set()
        done.result()


def test_many_processes_are_never_inside_at_once(tmp_path):
    script = (
        "import sys, pathlib, time\nfrom banet.io.lock import lock\np = pathlib.Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with lock(p, 'it', wait=60):\n"
        "        n = int(p.read_text()); time.sleep(0.001); p.write_text(str(n + 1))\n"
    )
    path = tmp_path / "count"
    path.write_text("0")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [subprocess.Popen([sys.executable, "-c", script, path], env=env) for _ in range(3)]
    assert [run.wait() for run in runs] == [0, 0, 0]
    assert path.read_text() == "60"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, code):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    words = "c: this file system has no locks; let only one process write"
    with pytest.warns(UserWarning, match=words), lock(tmp_path / "c", "the cube c"):
        pass
    monkeypatch.undo()
    with warnings.catch_warnings(action="error"), lock(tmp_path / "c", "the cube c"):
        pass


def test_where_no_file_can_be_made_it_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a", Path("/proc/banet/a")):
        with pytest.raises(OutputError, match="cannot write to it"), lock(path, "it"):
            pass
