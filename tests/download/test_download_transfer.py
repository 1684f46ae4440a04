"""One file: whole, resumed, verified, refused."""

from __future__ import annotations

import datetime as dt
import email.utils
import errno
import hashlib
import json
import os
import subprocess
import sys
import time

import pytest
from pydantic import SecretStr

from banet.download.checksums import Checksum
from banet.download.client import Client
from banet.download.credentials import Bearer
from banet.download.errors import (
    CredentialsError,
    ForbiddenError,
    MissingError,
    StoppedError,
    TransferError,
    TransientError,
)
from banet.download.transfer import FileJob, fetch
from banet.errors import BusyError, InputError, OutputError, UnreadableFileError
from banet.io.lock import lock
from fake_agencies import HDF4, HDF5, HTML, TOKEN, Reply, agencies  # noqa: F401

BODY = HDF5 + bytes(range(256)) * 40
MD5 = Checksum("md5", hashlib.md5(BODY).hexdigest())


@pytest.fixture
def client(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    with Client(agencies.settings(tmp_path)) as made:
        yield made


def job_for(host, tmp_path, name="a.nc", body=BODY, **fields):
    return FileJob(host.add(f"/{name}", body), tmp_path / "out" / name, **fields)


def left_over(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.endswith((".part", ".json")))


def test_a_file_comes_whole_and_is_not_fetched_again(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, size=len(BODY), checksum=MD5)
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert left_over(job.target.parent) == []
    assert fetch(client, job) == "present"
    assert len(agencies.data.received) == 1


def test_a_dropped_connection_is_resumed_where_it_broke(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, size=len(BODY), checksum=MD5)
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    agencies.data.faults["/a.nc"] = [Reply(200, BODY, {"ETag": etag}, keep=4096)]
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert agencies.data.sent("range") == ["bytes=4096-"]
    assert agencies.data.sent("if-range") == [etag]


def test_progress_counts_more_than_the_number_of_attempts(agencies, client, tmp_path, monkeypatch):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    real = agencies.data.ranged

    def stingy(request, body):
        reply = real(request, body)
        reply.keep = min(1024, len(reply.body)) if len(reply.body) > 1024 else None
        return reply

    monkeypatch.setattr(agencies.data, "ranged", stingy)
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert len(agencies.data.received) == 11 > client.settings.transfer.attempts


def test_without_a_strong_validator_the_rest_is_not_trusted(agencies, client, tmp_path):  # noqa: F811
    agencies.data.etags = False
    job = job_for(agencies.data, tmp_path)
    agencies.data.faults["/a.nc"] = [Reply(200, BODY, {"ETag": 'W/"weak"'}, keep=4096)]
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert agencies.data.sent("range") == []


def test_a_file_that_changed_meanwhile_begins_anew(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    old = HDF5 + b"o" * 9000
    agencies.data.faults["/a.nc"] = [Reply(200, old, {"ETag": '"old"'}, keep=4096)]
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY


@pytest.mark.parametrize(
    "fault",
    [
        Reply(416, headers={"Content-Range": "bytes */5"}),
        Reply(206, BODY[10:], {"Content-Range": f"bytes 10-{len(BODY) - 1}/{len(BODY)}"}),
        Reply(206, BODY[4096:], {"Content-Range": f"bytes 4096-{len(BODY) - 1}/{len(BODY)}", "ETag": '"x"'}),
    ],
    ids=["416", "another range", "another etag"],
)
def test_a_range_that_does_not_fit_begins_anew(agencies, client, tmp_path, fault):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    agencies.data.faults["/a.nc"] = [Reply(200, BODY, {"ETag": etag}, keep=4096), fault]
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY


def test_a_second_run_goes_on_with_what_the_first_left(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, checksum=MD5)
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    agencies.data.faults["/a.nc"] = [Reply(200, BODY, {"ETag": etag}, keep=4096), *[Reply(503)] * 4]
    with pytest.raises(TransientError, match="a.nc: 127.0.0.1 answered 503"):
        fetch(client, job)
    assert left_over(job.target.parent) == ["a.nc.part", "a.nc.part.json"]
    before = len(agencies.data.received)
    with Client(client.settings) as second:
        assert fetch(second, job) == "fetched"
    assert [r.headers["range"] for r in agencies.data.received[before:]] == ["bytes=4096-"]
    assert job.target.read_bytes() == BODY


def test_a_whole_part_is_only_checked(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, size=len(BODY), checksum=MD5)
    job.target.parent.mkdir()
    job.target.with_name("a.nc.part").write_bytes(BODY)
    assert fetch(client, job) == "fetched"
    assert agencies.data.received == []
    assert job.target.read_bytes() == BODY


def test_damage_is_noticed_and_fetched_again(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, checksum=MD5)
    agencies.data.faults["/a.nc"] = [Reply(200, BODY[:-1] + b"X")]
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert len(agencies.data.received) == 2


def test_lasting_damage_fails_after_two_tries_and_leaves_no_file(agencies, client, tmp_path):  # noqa: F811
    wrong = Checksum("sha256", "0" * 64)
    job = job_for(agencies.data, tmp_path, checksum=wrong)
    with pytest.raises(TransientError, match="sha256 checksum is not the one"):
        fetch(client, job)
    assert len(agencies.data.received) == 2
    assert list(job.target.parent.iterdir()) == []


def test_a_body_of_another_size_than_the_catalogue_says(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path, size=len(BODY) + 1)
    with pytest.raises(TransferError, match="offers 10248 bytes where the catalogue says 10249"):
        fetch(client, job)
    assert len(agencies.data.received) == 1


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, CredentialsError, "answered 401, it does not accept the login; make a new token"),
        (403, ForbiddenError, "answered 403, this account may not have it; approve"),
        (404, MissingError, "answered 404, it does not have it"),
        (410, MissingError, "answered 410"),
        (418, TransferError, "answered 418: a teapot"),
    ],
)
def test_refusals_are_not_tried_again(agencies, client, tmp_path, status, kind, words):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    agencies.data.faults["/a.nc"] = [Reply(status, b"a teapot")]
    with pytest.raises(kind, match=words) as caught:
        fetch(client, job)
    assert len(str(caught.value).splitlines()) == 1
    assert len(agencies.data.received) == 1
    assert list(job.target.parent.iterdir()) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_busy_hosts_are_asked_again(agencies, client, tmp_path, status):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    agencies.data.faults["/a.nc"] = [Reply(status), Reply(status)]
    assert fetch(client, job) == "fetched"
    assert len(agencies.data.received) == 3


def test_a_host_that_stays_busy_fails_after_the_attempts(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    agencies.data.faults["/a.nc"] = [Reply(502)] * 9
    with pytest.raises(TransientError, match="answered 502; try later"):
        fetch(client, job)
    assert len(agencies.data.received) == 4


def test_retry_after_in_seconds_and_as_a_date(agencies, client, tmp_path):  # noqa: F811
    waits = []
    client.pause = waits.append
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4)
    dates = [email.utils.format_datetime(soon, usegmt=True), "Thu, 01 Jan 1970 00:00:00 GMT"]
    agencies.data.faults["/a.nc"] = [Reply(429, headers={"Retry-After": v}) for v in ("3", *dates)]
    assert fetch(client, job_for(agencies.data, tmp_path)) == "fetched"
    assert waits[0] == 3
    assert 2 < waits[1] <= 4
    assert waits[2] == 0


def test_a_wait_longer_than_the_limit_fails_at_once(agencies, client, tmp_path):  # noqa: F811
    agencies.data.faults["/a.nc"] = [Reply(429, headers={"Retry-After": "3600"})]
    with pytest.raises(TransientError, match="asks to wait 3600 s"):
        fetch(client, job_for(agencies.data, tmp_path))
    assert len(agencies.data.received) == 1


def test_a_retry_after_of_nonsense_is_no_wait_asked_for(agencies, client, tmp_path):  # noqa: F811
    agencies.data.faults["/a.nc"] = [Reply(503, headers={"Retry-After": "soon"})]
    assert fetch(client, job_for(agencies.data, tmp_path)) == "fetched"


def test_nobody_there(client, tmp_path):
    with pytest.raises(TransientError, match=r"a.nc: the connection to 127.0.0.1 broke"):
        fetch(client, FileJob("http://127.0.0.1:9/a.nc", tmp_path / "a.nc"))


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.nc", HTML, "a web page \\('Earthdata Login'\\) instead of an HDF5 file"),
        ("a.h5", HDF4 + b"x", "something else \\(it begins with 0e 03 13 01"),
        ("a.hdf", b"moved", "text that says 'moved' instead of an HDF file"),
        ("a.csv", b"Service unavailable", "text that says 'Service unavailable'"),
        ("a.csv", HTML, "a web page"),
        ("a.pth", HTML, "a web page"),
        ("a.pth", b'{"error": "x"}', "text that says"),
        ("a.zip", b"none", "instead of a zip archive"),
        ("a.nc", b"", "an empty body"),
    ],
)
def test_bodies_that_are_not_what_was_asked(agencies, client, tmp_path, name, body, words):  # noqa: F811
    job = job_for(agencies.data, tmp_path, name, body)
    with pytest.raises(UnreadableFileError, match=words):
        fetch(client, job)
    assert list(job.target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.hdf", HDF4 + b"x"),
        ("a.hdf", HDF5 + b"x"),
        ("a.csv", b"\xef\xbb\xbflatitude,longitude,acq_date,frp\n"),
        ("a.pth", b"\x80\x02}q\x00"),
        ("a.zip", b"PK\x03\x04"),
    ],
)
def test_bodies_that_are(agencies, client, tmp_path, name, body):  # noqa: F811
    job = job_for(agencies.data, tmp_path, name, body)
    assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == body


def test_a_stop_keeps_what_came(agencies, client, tmp_path):  # noqa: F811
    body = BODY + bytes(3_000_000)
    job = job_for(agencies.data, tmp_path, body=body)
    client.stop.set()
    with pytest.raises(StoppedError):
        fetch(client, job)
    kept = job.target.with_name("a.nc.part").stat().st_size
    assert 0 < kept < len(body)
    client.stop.clear()
    assert fetch(client, job) == "fetched"
    assert agencies.data.sent("range") == [f"bytes={kept}-"]


def test_two_processes_do_not_write_one_file(agencies, client, tmp_path):  # noqa: F811
    job = job_for(agencies.data, tmp_path)
    with lock(job.target, "it"), pytest.raises(BusyError, match=r"another run is at work on .*a\.nc"):
        fetch(client, job)
    assert fetch(client, job) == "fetched"


def test_a_full_disk_is_an_output_error_and_keeps_the_part(agencies, client, tmp_path, monkeypatch):  # noqa: F811
    job = job_for(agencies.data, tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left on device; what came so far is kept"):
            fetch(client, job)
    assert job.target.with_name("a.nc.part").exists()
    assert fetch(client, job) == "fetched"


@pytest.mark.skipif(os.name == "nt", reason="needs /dev/full")
def test_a_folder_that_is_a_file_is_an_output_error(agencies, client, tmp_path):  # noqa: F811
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        fetch(client, job_for(agencies.data, tmp_path))


def test_a_token_goes_to_the_first_host_and_not_on_redirect(agencies, tmp_path):  # noqa: F811
    agencies.mirror.add("/signed/a.nc", BODY)
    agencies.data.redirects["/a.nc"] = f"{agencies.mirror.url}/signed/a.nc?Signature=s1gned"
    url = f"{agencies.data.url}/a.nc"
    with Client(agencies.settings(tmp_path), Bearer(SecretStr(TOKEN), "a test")) as client:
        assert fetch(client, FileJob(url, tmp_path / "a.nc", login=True)) == "fetched"
    assert agencies.data.sent("authorization") == [f"Bearer {TOKEN}"]
    assert agencies.mirror.paths() == ["/signed/a.nc"]
    assert agencies.mirror.sent("authorization") == []
    assert all(TOKEN not in text for name, text in agencies.everything_sent().items() if name != "data")


def test_a_token_does_not_go_to_a_host_that_is_not_named(agencies, tmp_path):  # noqa: F811
    url = agencies.mirror.add("/a.nc", BODY)
    with Client(agencies.settings(tmp_path), Bearer(SecretStr(TOKEN), "a test")) as client:
        fetch(client, FileJob(url, tmp_path / "a.nc", login=True))
    assert agencies.mirror.sent("authorization") == []


def test_a_token_goes_only_with_jobs_that_ask_for_it(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    url = agencies.data.add("/a.nc", BODY)
    with Client(agencies.settings(tmp_path), Bearer(SecretStr(TOKEN), "a test")) as client:
        fetch(client, FileJob(url, tmp_path / "a.nc"))
    assert agencies.data.sent("authorization") == []


def test_plain_http_gets_no_token(agencies, tmp_path):  # noqa: F811
    settings = agencies.settings(tmp_path, earthdata={"token_hosts": ["example.org"]})
    with Client(settings, Bearer(SecretStr(TOKEN), "a test")) as client:
        for url, trusted in {
            "https://example.org/a": True,
            "https://data.example.org/a": True,
            "http://example.org/a": False,
            "https://notexample.org/a": False,
            "https://example.org.evil.net/a": False,
        }.items():
            assert (client._authorization(url, url) is not None) is trusted, url


def test_redirects_in_circles_end(agencies, client, tmp_path):  # noqa: F811
    agencies.data.redirects["/a.nc"] = "/a.nc"
    with pytest.raises(TransferError, match="redirects in circles"):
        fetch(client, FileJob(f"{agencies.data.url}/a.nc", tmp_path / "a.nc"))
    assert len(agencies.data.received) == 9


def test_checksums_in_all_algorithms(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"hello\n")
    # git hash-object of "hello\n"
    assert Checksum("git", "ce013625030ba8dba906f756967f9e9ca394464a").fits(file)
    assert Checksum("sha1", hashlib.sha1(b"hello\n").hexdigest().upper()).fits(file)
    assert not Checksum("md5", "0" * 32).fits(file)
    with pytest.raises(InputError, match="not known"):
        Checksum("crc32", "0")
    with pytest.raises(InputError, match="is no md5 checksum"):
        Checksum("md5", "xyz")


def test_the_notes_beside_a_part_hold_no_query(agencies, client, tmp_path):  # noqa: F811
    url = agencies.data.add("/a.nc", BODY + bytes(3_000_000))
    job = FileJob(f"{url}?token=hidden-thing", tmp_path / "a.nc")
    client.stop.set()
    with pytest.raises(StoppedError):
        fetch(client, job)
    notes = (tmp_path / "a.nc.part.json").read_text()
    assert "hidden" not in notes
    assert set(json.loads(notes)) == {"url", "validator", "total"}
    assert "hidden" not in repr(job)


def test_a_killed_process_loses_nothing(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    body = HDF5 + os.urandom(200_000)
    url = agencies.data.add("/a.nc", body)
    agencies.data.faults["/a.nc"] = [
        # All but a byte comes, then the host falls silent.
        Reply(
            200, body[:-1], {"ETag": f'"{hashlib.md5(body).hexdigest()}"', "Content-Length": str(len(body))}
        )
    ]
    config = agencies.config(tmp_path / "c.yaml")
    code = (
        "import sys; from banet.download import connected, fetch, load_settings, FileJob\n"
        "with connected(load_settings(sys.argv[1])) as c: fetch(c, FileJob(sys.argv[2], sys.argv[3]))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(config), url, str(tmp_path / "a.nc")])
    part = tmp_path / "a.nc.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size == len(body) - 1) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait()
    kept = part.stat().st_size
    assert kept == len(body) - 1
    assert not (tmp_path / "a.nc").exists()
    with Client(agencies.settings(tmp_path)) as client:
        assert fetch(client, FileJob(url, tmp_path / "a.nc")) == "fetched"
    assert agencies.data.sent("range")[-1] == f"bytes={kept}-"
    assert (tmp_path / "a.nc").read_bytes() == body
