"""Many files at once, the settings, the weights, and the commands with their exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import yaml
from cyclopts import App

from banet.cli import compat_download, download, main, run_guarded
from banet.download import FileJob, fetch_all, load_settings
from banet.download.client import Client
from banet.download.weights import fetch_weights, plan_weights, published_members
from banet.errors import InputError, NotFoundError, OutputError, PartialFailureError, UnreadableFileError
from banet.grid.region import Region
from fake_agencies import HDF5, KEY, TOKEN, Reply, agencies  # noqa: F401

BODY = HDF5 + b"x" * 5000
NAMES = [f"VNP0{n}MOD.A2021213.1142.002.2021213184222.nc" for n in (2, 3)]


def run(*argv: object) -> int:
    """Run `banet download ...` as the command line would."""
    root = App(name="banet")
    download.register(root)

    def action() -> int:
        root([str(a) for a in argv], exit_on_error=False, print_error=False, result_action="return_value")
        return 0

    return run_guarded(action)


@pytest.fixture
def site(agencies, tmp_path, monkeypatch):  # noqa: F811
    """A pair of swaths behind a token, settings in the environment, a region file."""
    for name in NAMES:
        url = agencies.data.add(f"/{name}", BODY)
        agencies.catalogue.add(f"{name.split('.')[0]}/2", url, size=len(BODY))
    monkeypatch.setenv("BANET_DOWNLOAD_CONFIG", str(agencies.config(tmp_path / "download.yaml")))
    monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
    Region("PT", (-10, 36, -6, 42), 0.01).save(tmp_path)
    return agencies


def viirs(tmp_path, *more):
    days = ("--start", "2021-08-01", "--end", "2021-08-01")
    return run("download", "viirs", "PT", *days, "--out", tmp_path / "out", *more)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_viirs_fetches_once_and_says_so(site, tmp_path, capsys):
    assert viirs(tmp_path) == 0
    out, err = capsys.readouterr()
    assert out == "2 files fetched, 0 were there\n"
    assert files(tmp_path / "out") == NAMES
    assert "note: noaa20: nothing of product viirs750-swath" in err
    assert TOKEN not in out + err
    before = len(site.data.received)
    assert viirs(tmp_path) == 0
    assert "0 files fetched, 2 were there" in capsys.readouterr().out
    assert len(site.data.received) == before


def test_a_dry_run_needs_no_login_and_fetches_nothing(site, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("EARTHDATA_TOKEN")
    assert viirs(tmp_path, "--dry-run", "--satellites", "snpp") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == [f"{len(BODY):,}", "to", "fetch", NAMES[0]]
    assert out[2] == "2 files, 10.0 kB; 2 to fetch, 10.0 kB"
    assert site.data.received == site.login.received == []
    assert not (tmp_path / "out").exists()


def test_no_login_is_known_before_the_search(site, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("EARTHDATA_TOKEN")
    assert viirs(tmp_path) == 2
    err = capsys.readouterr().err
    assert "set EARTHDATA_TOKEN" in err
    assert len(err.splitlines()) == 1
    assert site.catalogue.received == []


def test_failures_are_listed_and_the_exit_code_is_3(site, tmp_path, capsys):
    site.data.faults[f"/{NAMES[1]}"] = [Reply(404)]
    assert viirs(tmp_path, "--report", tmp_path / "report.json") == 3
    err = capsys.readouterr().err
    assert f"failed: {NAMES[1]}: 127.0.0.1 answered 404" in err
    assert "1 of 2 files failed and 0 were not attempted" in err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["fetched"] == [NAMES[0]]
    assert list(report["failed"]) == [NAMES[1]]
    assert viirs(tmp_path) == 0
    assert files(tmp_path / "out") == NAMES


def test_a_refused_token_stops_the_rest(site, tmp_path, capsys):
    site.login.token = "another"
    one = yaml.safe_load((tmp_path / "download.yaml").read_text())
    one["transfer"]["parallel"] = 1
    (tmp_path / "download.yaml").write_text(yaml.safe_dump(one))
    assert viirs(tmp_path) == 3
    err = capsys.readouterr().err
    assert f"failed: {NAMES[0]}: 127.0.0.1 answered 401" in err
    assert f"not attempted: {NAMES[1]}" in err
    assert len(site.data.received) == 1
    assert TOKEN not in err


def test_labels_and_hotspots(site, tmp_path, capsys, monkeypatch):
    body = b"\x0e\x03\x13\x01" + b"x" * 100
    name = "MCD64A1.A2021213.h17v05.061.2022009000505.hdf"
    site.catalogue.add("MCD64A1/061", site.data.add(f"/{name}", body))
    months = ("--start", "2021-08", "--end", "2021-08")
    assert run("download", "labels", tmp_path / "R_PT.json", *months, "--out", tmp_path / "l") == 0
    assert files(tmp_path / "l") == [name]
    site.firms.days = {"VIIRS_SNPP_SP": ("2012-01-20", "2024-02-29")}
    hot = ("hotspots", "PT", "--start", "2021-08-01", "--end", "2021-08-02", "--satellites", "snpp")
    assert run("download", *hot, "--out", tmp_path / "h") == 2
    assert "set FIRMS_MAP_KEY" in capsys.readouterr().err
    monkeypatch.setenv("FIRMS_MAP_KEY", KEY)
    assert run("download", *hot, "--out", tmp_path / "h") == 0
    assert len(files(tmp_path / "h")) == 1
    out, err = capsys.readouterr()
    assert KEY not in out + err
    assert run("download", *hot, "--country", "Portugal", "--out", tmp_path / "h") == 2
    assert "not both" in capsys.readouterr().err


def test_the_commands_of_the_original(site, tmp_path, capsys):
    moments = ("2021-08-01 00:00:00", "2021-08-02 00:00:00")
    argv = ["PT", *moments, str(tmp_path / "out"), str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        compat_download.run("750", argv)
    assert ended.value.code == 0
    assert files(tmp_path / "out") == NAMES
    assert {r.query["temporal"] for r in site.catalogue.received} == {
        "2021-08-01T00:00:00Z,2021-08-01T23:59:59Z"
    }
    with pytest.raises(SystemExit) as ended:
        compat_download.run("375", [*argv, "--dry-run"])
    assert ended.value.code == 2
    assert "no viirs375-swath files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tstart", "tend", "days"),
    [
        ("2021-08-01", "2021-08-03", ("2021-08-01", "2021-08-03")),
        ("2021-08-01 00:00:00", "2021-08-03 00:00:00", ("2021-08-01", "2021-08-02")),
        ("2021-08-01 00:00:00", "2021-08-03 12:00:00", ("2021-08-01", "2021-08-03")),
        ("2021-08-01 00:00:00", "2021-08-01 00:00:00", ("2021-08-01", "2021-08-01")),
    ],
)
def test_moments_of_the_original_become_days(tstart, tend, days):
    assert tuple(str(day) for day in compat_download._days(tstart, tend)) == days


def test_moments_the_wrong_way_round():
    with pytest.raises(InputError, match="is before tstart"):
        compat_download._days("2021-08-03", "2021-08-01")
    for wrong in ("2021-08-03junk", "2021-08-03 99:99"):
        with pytest.raises(InputError, match=f"'{wrong}' is no moment"):
            compat_download._days("2021-08-01", wrong)


@pytest.mark.parametrize(
    "more", [["--plan", "--dry-run"], ["--plan", "--report", "r"], ["--dry-run", "--report", "r"]]
)
def test_what_fetches_nothing_reports_nothing(more, tmp_path, capsys):
    days = ["--start", "2020-08-01", "--end", "2020-08-01"]
    assert main(["download", "viirs", "PT", *days, "--out", str(tmp_path), *more]) == 2
    assert "--dry-run" in capsys.readouterr().err


def test_parallel_within_limits(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    jobs = [FileJob(agencies.data.add(f"/{i}.nc", BODY), tmp_path / "o" / f"{i}.nc") for i in range(12)]
    for job in jobs:
        agencies.data.faults[f"/{job.name}"] = [Reply(200, BODY, delay=0.05)]
    seen = []
    with Client(agencies.settings(tmp_path, transfer={"parallel": 6, "per_host": 3})) as client:
        report = fetch_all(client, jobs, progress=lambda *args: seen.append(args))
    assert report.complete
    assert 2 <= agencies.data.most_at_once <= 3
    assert [done for done, _, _ in seen] == list(range(1, 13))
    assert {total for _, total, _ in seen} == {12}


def test_too_little_room_is_known_before_the_first_byte(agencies, tmp_path):  # noqa: F811
    job = FileJob(agencies.data.add("/a.nc", BODY), tmp_path / "a.nc", about=10**18)
    with (
        Client(agencies.settings(tmp_path)) as client,
        pytest.raises(OutputError, match="free and the files need"),
    ):
        fetch_all(client, [job])
    assert agencies.data.received == []


def test_a_folder_that_cannot_be_written_to(agencies, tmp_path):  # noqa: F811
    (tmp_path / "out").write_text("a file")
    job = FileJob(agencies.data.add("/a.nc", BODY), tmp_path / "out" / "a.nc")
    with Client(agencies.settings(tmp_path)) as client, pytest.raises(OutputError, match="cannot write"):
        fetch_all(client, [job])


def test_a_full_disk_ends_the_attempts_with_an_output_error(agencies, tmp_path, monkeypatch):  # noqa: F811
    agencies.data.protect = None
    jobs = [FileJob(agencies.data.add(f"/{i}.nc", BODY), tmp_path / "o" / f"{i}.nc") for i in range(5)]

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with Client(agencies.settings(tmp_path, transfer={"parallel": 1})) as client:
        report = fetch_all(client, jobs)
    assert (len(report.failed), len(report.not_attempted)) == (1, 4)
    with pytest.raises(OutputError, match="No space left"):
        report.check()


def test_an_unexpected_error_is_not_swallowed(agencies, tmp_path, monkeypatch):  # noqa: F811
    agencies.data.protect = None
    job = FileJob(agencies.data.add("/a.nc", BODY), tmp_path / "a.nc")
    monkeypatch.setattr(os, "fsync", lambda descriptor: 1 / 0)
    with Client(agencies.settings(tmp_path)) as client, pytest.raises(ZeroDivisionError):
        fetch_all(client, [job])


def test_a_report_counts_what_is_missing(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    good = FileJob(agencies.data.add("/a.nc", BODY), tmp_path / "a.nc")
    bad = FileJob(f"{agencies.data.url}/b.nc", tmp_path / "b.nc")
    with Client(agencies.settings(tmp_path)) as client:
        report = fetch_all(client, [good, bad])
    with pytest.raises(PartialFailureError, match="1 of 2 files failed") as caught:
        report.check()
    assert caught.value.exit_code == 3


@pytest.mark.skipif(os.name == "nt", reason="sends an interrupt")
def test_an_interrupt_keeps_what_came_and_the_next_run_goes_on(site, tmp_path):
    big = HDF5 + os.urandom(300_000)
    etag = f'"{hashlib.md5(big).hexdigest()}"'
    for name in NAMES:
        site.data.files[f"/{name}"] = big
        # All but a byte comes, then the host falls silent.
        site.data.faults[f"/{name}"] = [Reply(200, big[:-1], {"ETag": etag, "Content-Length": str(len(big))})]
    for granule in site.catalogue.granules:
        granule["size"] = len(big)
    fields = yaml.safe_load((tmp_path / "download.yaml").read_text())
    fields["transfer"]["read_timeout_s"] = 120
    (tmp_path / "download.yaml").write_text(yaml.safe_dump(fields))
    code = (
        # A shell's background jobs start with interrupts ignored; a terminal's do not.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; from cyclopts import App; from banet.cli import download, run_guarded\n"
        "root = App(name='banet'); download.register(root)\n"
        "def go():\n"
        "    root(sys.argv[1:], exit_on_error=False, print_error=False, result_action='return_value')\n"
        "    return 0\n"
        "sys.exit(run_guarded(go))"
    )
    days = ["--start", "2021-08-01", "--end", "2021-08-01", "--satellites", "snpp"]
    argv = ["download", "viirs", "PT", *days, "--out", str(tmp_path / "out")]
    child = subprocess.Popen([sys.executable, "-c", code, *argv], stderr=subprocess.PIPE, text=True)
    parts = [tmp_path / "out" / f"{name}.part" for name in NAMES]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if all(part.exists() and part.stat().st_size == len(big) - 1 for part in parts):
            break
        time.sleep(0.02)
    asked = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "Traceback" not in err
    assert time.monotonic() - asked < 10
    kept = {part.stat().st_size for part in parts}
    assert kept == {len(big) - 1}
    assert viirs(tmp_path) == 0
    assert {int(value.strip("bytes=-")) for value in site.data.sent("range")} == kept
    assert all((tmp_path / "out" / name).read_bytes() == big for name in NAMES)


def test_no_default_host_is_left_in_the_tests(agencies, tmp_path):  # noqa: F811
    fields = agencies.settings(tmp_path).model_dump()
    addresses = []

    def walk(value):
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, str) and "://" in value:
            addresses.append(value)

    walk(fields)
    assert len(addresses) == 9
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    defaults = load_settings(environ={})
    assert defaults.earthdata.search.startswith("https://")
    with Client(defaults) as client, pytest.raises(AssertionError, match="tried to reach"):
        client.get_json(defaults.earthdata.search, {}, {}, "x")


def test_settings_of_ones_own_hold_only_what_differs(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("viirs: {products: {'750': {snpp: {standard: [X/3, Y/3]}}}}\nfirms: {max_days: 10}\n")
    merged, defaults = load_settings(own, {}), load_settings(environ={})
    assert merged.viirs.products["viirs750-swath"]["snpp"].standard == ("X/3", "Y/3")
    assert merged.viirs.products["viirs750-swath"]["snpp"].nrt == ("VNP02MOD_NRT/2", "VNP03MOD_NRT/2")
    assert merged.viirs.products["viirs375-swath"] == defaults.viirs.products["viirs375-swath"]
    assert merged.firms.max_days == 10
    assert load_settings(environ={"BANET_DOWNLOAD_CONFIG": str(own)}) == merged


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("firms: {max_day: 3}", InputError, "firms.max_day: Extra inputs are not permitted"),
        ("firms: {max_days: 0}", InputError, "firms.max_days: Input should be greater than 0"),
        ("earthdata: {search: cmr}", InputError, "'cmr' is no address"),
        ("labels: {MCD64A1: MCD64A1}", InputError, "write it as SHORT_NAME/VERSION"),
        ("- a", UnreadableFileError, "holds no named settings"),
        ("a: [", UnreadableFileError, "is not YAML"),
    ],
)
def test_wrong_settings(tmp_path, text, kind, words):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(kind, match=words) as caught:
        load_settings(tmp_path / "own.yaml", {})
    assert len(str(caught.value).splitlines()) == 1


def test_missing_settings(tmp_path):
    with pytest.raises(NotFoundError, match="the download settings"):
        load_settings(tmp_path / "none.yaml", {})


@pytest.fixture(scope="module")
def pth(tmp_path_factory):
    """A small network in the published layout, and its git blob id."""
    import torch

    from banet.model.compat import git_blob_id, to_published
    from banet.model.config import BANetConfig
    from banet.model.network import BANet

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("pth") / "w.pth"
    torch.save({"model": to_published(BANet(BANetConfig(width=4)).state_dict())}, file)
    return file.read_bytes(), git_blob_id(file)


def test_published_weights_are_verified_converted_and_cached(agencies, tmp_path, monkeypatch, pth):  # noqa: F811
    from banet.model.weights import list_weights, load_model

    body, blob = pth
    monkeypatch.setenv("BANET_CACHE", str(tmp_path / "cache"))
    published = {f"small-val2017-fold{fold}": blob for fold in range(2)}
    for name in published:
        agencies.weights.add(f"/model/{name}.pth", body)
    with Client(agencies.settings(tmp_path)) as client:
        plan = plan_weights(client, ["small-val2017"], published=published)
        report = fetch_weights(client, plan)
        assert report.complete
        assert [file.name for file in report.fetched] == [f"{name}.safetensors" for name in published]
        again = plan_weights(client, ["all"], published=published)
        assert again.jobs == ()
        assert len(again.notes) == 2
    assert load_model("small-val2017-fold0").card["git_blob"] == blob
    assert {entry.origin for entry in list_weights() if entry.name in published} == {"cache"}
    assert list((tmp_path / "cache" / "weights" / "incoming").iterdir()) == []
    assert agencies.weights.sent("authorization") == []


def test_weights_with_other_bytes_fail(agencies, tmp_path, monkeypatch, pth):  # noqa: F811
    monkeypatch.setenv("BANET_CACHE", str(tmp_path / "cache"))
    agencies.weights.add("/model/w-fold0.pth", pth[0][:-1] + b"?")
    with Client(agencies.settings(tmp_path)) as client:
        report = fetch_weights(client, plan_weights(client, ["w"], published={"w-fold0": pth[1]}))
    assert "its git checksum is not the one" in report.failed[0].reason
    assert not list((tmp_path / "cache" / "weights").glob("*.safetensors"))


def test_names_of_published_weights():
    assert len(published_members(["all"])) == 18
    assert published_members(["banetv0.20-val2012", "banetv0.20-val2012-fold1.pth"]) == tuple(
        f"banetv0.20-val2012-fold{fold}" for fold in range(3)
    )
    with pytest.raises(
        NotFoundError, match="no published weights named 'x'; known are all, banetv0.20-val2012"
    ):
        published_members(["x"])


def test_weights_from_an_address_of_ones_own(site, tmp_path, monkeypatch, capsys, pth):
    monkeypatch.setenv("BANET_CACHE", str(tmp_path / "cache"))
    url = site.weights.add("/mine/best.pth", pth[0])
    junk = site.weights.add("/mine/junk.pth", b"\x80\x02 no weights")
    assert run("download", "weights", "--url", url, "--name", "mine", "--dry-run") == 0
    assert site.weights.received == []
    assert run("download", "weights", "--url", url, "--name", "mine", "--sha256", "0" * 64) == 3
    left = tmp_path / "cache" / "weights" / "incoming" / "mine.pth"
    left.write_bytes(b"of a run that was killed, from elsewhere")
    digest = hashlib.sha256(pth[0]).hexdigest()
    assert run("download", "weights", "--url", url, "--name", "mine", "--sha256", digest) == 0
    (tmp_path / "cache" / "weights" / "mine.safetensors").unlink()
    assert run("download", "weights", "--url", url, "--name", "mine") == 0
    assert (tmp_path / "cache" / "weights" / "mine.safetensors").is_file()
    count = len(site.weights.received)
    assert run("download", "weights", "--url", url, "--name", "mine") == 0
    assert len(site.weights.received) == count
    assert run("download", "weights", "--url", junk) == 3
    assert "junk.pth" in capsys.readouterr().err
    assert list((tmp_path / "cache" / "weights" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--url", "ftp://h/a.pth"), "must be https"),
        (("--url", "https://h/a.zip"), "must be https"),
        (("--url", "https://h/a.pth", "--name", "../x"), "cannot name weights"),
        (("--url", "https://h/banetv0.20-val2017-fold0.pth"), "name of published weights"),
        (("--url", "https://h/a.pth", "--sha256", "12"), "no sha256 checksum"),
        (("--name", "x"), "go with --url"),
        (("all", "--url", "https://h/a.pth"), "not both"),
        (("nonesuch",), "no published weights named"),
    ],
)
def test_wrong_weights_arguments(site, tmp_path, monkeypatch, capsys, argv, words):
    monkeypatch.setenv("BANET_CACHE", str(tmp_path / "cache"))
    assert run("download", "weights", *argv) == 2
    assert words in capsys.readouterr().err


def test_threads_end_with_their_run(agencies, tmp_path):  # noqa: F811
    agencies.data.protect = None
    job = FileJob(agencies.data.add("/a.nc", BODY), tmp_path / "a.nc")
    with Client(agencies.settings(tmp_path)) as client:
        fetch_all(client, [job])
    assert not [t for t in threading.enumerate() if t.name.startswith("download")]
