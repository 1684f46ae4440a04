"""Processes of an own cluster: nobody else may use them, and they end with the command however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from banet.errors import InputError
from banet.parallel import certificates, connected

SCRIPT = Path(__file__).parents[1] / "spreading_command.py"
SECONDS = 60  # the work itself would take ten minutes

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def started(folder: Path, how: str) -> tuple[subprocess.Popen, list[psutil.Process]]:
    """Start a command that spreads work without end; return it and its two workers, both at work."""
    command = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while len(found := list(folder.glob("*.pid"))) < 2:
        assert command.poll() is None, command.stderr.read()
        assert time.monotonic() < end, "no two workers came"
        time.sleep(0.05)
    return command, [psutil.Process(int(path.stem)) for path in found]


def assert_gone(command, workers):
    """Both outputs are closed, which they are only when no process holds them, and the workers are gone."""
    begin = time.monotonic()
    out, err = command.communicate(timeout=SECONDS)
    psutil.wait_procs(workers, timeout=SECONDS)
    assert not [worker for worker in workers if worker.is_running()]
    assert time.monotonic() - begin < SECONDS
    return out.decode(), err.decode()


@pytest.mark.parametrize(
    ("sign", "how"),
    [(signal.SIGKILL, "sleep"), (signal.SIGKILL, "stuck"), (signal.SIGTERM, "sleep")],
)
def test_workers_end_with_a_command_that_is_killed(tmp_path, sign, how):
    command, workers = started(tmp_path, how)
    command.send_signal(sign)
    assert_gone(command, workers)
    assert command.returncode == -sign


@pytest.mark.parametrize("how", ["sleep", "idle"])
def test_ctrl_c_prints_one_line_and_takes_the_workers_along(tmp_path, how):
    command, workers = started(tmp_path, how)
    while how == "idle" and not (tmp_path / "idle").exists():
        time.sleep(0.05)
    for _ in range(3):
        for worker in workers:  # which leave it to the command
            worker.send_signal(signal.SIGINT)
    gone, _ = psutil.wait_procs(workers, timeout=1)
    assert not gone
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
    out, err = assert_gone(command, workers)
    assert command.returncode == 130
    assert err == "interrupted; what was finished is kept\n"
    assert out == ""


def test_the_own_cluster_listens_on_this_machine_and_to_its_owner_alone(tmp_path):
    import distributed
    from distributed.security import Security

    with connected(workers=1) as client:
        client.wait_for_workers(1)
        addresses = [client.scheduler.address, *client.scheduler_info()["workers"]]
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        listening = [
            c.laddr for p in processes for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN
        ]
        assert len(listening) >= 3
        assert {place.ip for place in listening} == {"127.0.0.1"}
        for address in addresses:
            assert address.startswith("tls://127.0.0.1:")
            plain = address.replace("tls://", "tcp://")
            for where, security in ((plain, None), (address, Security.temporary())):
                with pytest.raises((OSError, TimeoutError)):
                    distributed.Client(where, timeout=1, security=security).close()
        assert client.submit(abs, -3).result() == 3


def test_certificates_that_are_not_there_are_told(tmp_path):
    with pytest.raises(InputError, match=r"there is no certificate file .*ca\.pem"):
        certificates(tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")
