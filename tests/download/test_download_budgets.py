"""What a host may cost: bytes, requests, pages, time; and what one bad thing of it costs."""

from __future__ import annotations

import gzip
import hashlib
import json
import time

import pytest

from banet.days import as_day
from banet.download import fetch_all, load_settings, plan_archives, plan_labels, plan_viirs
from banet.download.client import Client
from banet.download.cmr import search
from banet.download.content import problem_with
from banet.download.credentials import find_login
from banet.download.errors import TransferError, TransientError
from banet.download.flights import flown
from banet.download.netrc_file import entry_of
from banet.download.transfer import FileJob, fetch
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from fake_agencies import HDF5, HEADER, HTML, Reply, agencies  # noqa: F401

PT = Region("PT", (-10, 36, -6, 42), 0.01)
BODY = HDF5 + bytes(range(256)) * 40
D1, D2 = as_day("2021-08-01"), as_day("2021-08-02")


def connected(agencies, tmp_path, **transfer):  # noqa: F811
    agencies.data.protect = None
    return Client(agencies.settings(tmp_path, transfer={**agencies.fields()["transfer"], **transfer}))


def job_for(host, tmp_path, name="a.nc", body=BODY, **fields):
    return FileJob(host.add(f"/{name}", body), tmp_path / "out" / name, **fields)


def nothing_kept(job):
    return not job.target.exists()


@pytest.mark.parametrize("size", [2000, None], ids=["announced", "never announced"])
def test_a_body_that_does_not_end_is_cut_off(agencies, tmp_path, size):  # noqa: F811
    with connected(agencies, tmp_path, excess_bytes=1000, largest_bytes=3000) as client:
        body = HDF5 + b"x" * 500_000
        job = job_for(agencies.data, tmp_path, size=size)
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        agencies.data.faults["/a.nc"] = [Reply(200, chunks, {"Transfer-Encoding": "chunked"})]
        with pytest.raises(TransferError, match="goes on after 3,000 bytes"):
            fetch(client, job)
    assert nothing_kept(job)
    assert len(agencies.data.received) == 1


def test_part_of_a_file_never_gets_its_name(agencies, tmp_path):  # noqa: F811
    short = BODY[4096:6000]
    with connected(agencies, tmp_path) as client:
        job = job_for(agencies.data, tmp_path)
        etag = f'"{hashlib.md5(BODY).hexdigest()}"'
        span = f"bytes 4096-5999/{len(BODY)}"
        agencies.data.faults["/a.nc"] = [
            Reply(200, BODY, {"ETag": etag}, keep=4096),
            Reply(206, short, {"ETag": etag, "Content-Range": span}),
            *[Reply(503)] * 9,
        ]
        with pytest.raises(TransientError):
            fetch(client, job)
        assert nothing_kept(job)
        agencies.data.faults.clear()
        assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY


@pytest.mark.parametrize(
    "span",
    [
        f"bytes 4096-{len(BODY) - 1}/5000",
        f"bytes 4096-4000/{len(BODY)}",
        "bytes 4096-99999/88888",
        "bytes */*",
    ],
)
def test_ranges_that_cannot_be_are_not_believed(agencies, tmp_path, span):  # noqa: F811
    with connected(agencies, tmp_path) as client:
        job = job_for(agencies.data, tmp_path, size=len(BODY))
        etag = f'"{hashlib.md5(BODY).hexdigest()}"'
        lie = Reply(206, BODY[4096:], {"ETag": etag, "Content-Range": span})
        agencies.data.faults["/a.nc"] = [Reply(200, BODY, {"ETag": etag}, keep=4096), lie]
        assert fetch(client, job) == "fetched"
    assert job.target.read_bytes() == BODY
    assert agencies.data.sent("range") == ["bytes=4096-"]


def test_a_total_that_shrinks_meanwhile_is_not_believed(agencies, tmp_path, monkeypatch):  # noqa: F811
    def shrinking(request, body):
        etag = {"ETag": '"a"'}
        if "range" in request.headers:
            return Reply(206, body[4096:4106], {**etag, "Content-Range": "bytes 4096-4105/4106"})
        return Reply(200, body, etag, keep=4096)

    with connected(agencies, tmp_path) as client:
        job = job_for(agencies.data, tmp_path)
        monkeypatch.setattr(agencies.data, "ranged", shrinking)
        with pytest.raises(TransientError):
            fetch(client, job)
    assert nothing_kept(job)


def test_an_etag_that_changes_at_every_request_ends(agencies, tmp_path, monkeypatch):  # noqa: F811
    count = 0

    def restless(request, body):
        nonlocal count
        count += 1
        etag = {"ETag": f'"{count}"'}
        if "range" in request.headers:
            span = f"bytes 3000-{len(body) - 1}/{len(body)}"
            return Reply(206, body[3000:], {**etag, "Content-Range": span})
        return Reply(200, body, etag, keep=3000)

    with connected(agencies, tmp_path) as client:
        job = job_for(agencies.data, tmp_path)
        monkeypatch.setattr(agencies.data, "ranged", restless)
        with pytest.raises(TransientError):
            fetch(client, job)
        assert count <= 2 * client.settings.transfer.attempts
    assert nothing_kept(job)


def test_a_file_in_crumbs_ends_after_the_requests_of_the_settings(agencies, tmp_path, monkeypatch):  # noqa: F811
    real = agencies.data.ranged

    def crumbs(request, body):
        reply = real(request, body)
        reply.keep = 600 if "range" not in request.headers else 1
        return reply

    with connected(agencies, tmp_path, requests=12) as client:
        job = job_for(agencies.data, tmp_path)
        monkeypatch.setattr(agencies.data, "ranged", crumbs)
        with pytest.raises(TransferError, match=r"a\.nc: not whole after 12 requests"):
            fetch(client, job)
    assert len(agencies.data.received) == 12


def dripping(agencies):  # noqa: F811
    """Have the data host send the headers of its answers byte by byte, without an end."""

    def send(handler, reply):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        for _ in range(600):
            time.sleep(0.05)
            handler.wfile.write(b"x")

    return send


@pytest.mark.parametrize("reused", [False, True])
def test_headers_that_come_byte_by_byte_end(agencies, tmp_path, monkeypatch, reused):  # noqa: F811
    limits = {"read_timeout_s": 5, "header_timeout_s": 0.8, "attempts": 2, "first_wait_s": 0}
    with connected(agencies, tmp_path, **limits) as client:
        if reused:  # on a line that was good before
            assert fetch(client, job_for(agencies.data, tmp_path, "good.nc")) == "fetched"
        monkeypatch.setattr(agencies.data, "_send", dripping(agencies))
        began = time.monotonic()
        with pytest.raises(TransientError, match="127.0.0.1 did not answer in time"):
            fetch(client, job_for(agencies.data, tmp_path))
        assert time.monotonic() - began < 25  # an answer drips for 30 s
    assert nothing_kept(job_for(agencies.data, tmp_path))


def test_a_body_may_take_longer_than_the_headers(agencies, tmp_path, monkeypatch):  # noqa: F811
    def send(handler, reply):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[:2000])
        time.sleep(1.2)
        handler.wfile.write(BODY[2000:])

    with connected(agencies, tmp_path, header_timeout_s=0.9) as client:
        monkeypatch.setattr(agencies.data, "_send", send)
        assert fetch(client, job_for(agencies.data, tmp_path)) == "fetched"


def test_an_encoding_that_was_not_asked_for_is_refused(agencies, tmp_path):  # noqa: F811
    bomb = gzip.compress(HDF5 + b"\0" * 5_000_000)
    with connected(agencies, tmp_path) as client:
        job = job_for(agencies.data, tmp_path)
        agencies.data.faults["/a.nc"] = [Reply(200, bomb, {"Content-Encoding": "gzip"})]
        with pytest.raises(TransferError, match="'gzip' content, which was not asked for"):
            fetch(client, job)
        agencies.catalogue.faults["*"] = [Reply(200, bomb, {"Content-Encoding": "br"})]
        with pytest.raises(TransferError, match="'br' content"):
            search(client, "VNP02MOD/2", PT, D1, D2)
    assert nothing_kept(job)
    assert set(agencies.data.sent("accept-encoding")) == {"identity"}
    assert set(agencies.catalogue.sent("accept-encoding")) == {"identity"}


def test_pages_and_refusals_have_a_length(agencies, tmp_path):  # noqa: F811
    with connected(agencies, tmp_path, answer_bytes=10_000, refusal_bytes=1000) as client:
        agencies.catalogue.faults["*"] = [Reply(200, b'{"items": [' + b"1," * 10_000)]
        with pytest.raises(TransferError, match="sends more than 10,000 bytes"):
            search(client, "VNP02MOD/2", PT, D1, D2)
        agencies.catalogue.faults["*"] = [Reply(400, b"no " * 1_000_000)]
        with pytest.raises(TransferError, match=r"answered 400: no no .*\.\.\."):
            search(client, "VNP02MOD/2", PT, D1, D2)


def test_a_line_slower_than_the_settings_is_given_up(agencies, tmp_path):  # noqa: F811
    with connected(agencies, tmp_path, slow_window_s=1e-9, slowest_bytes_per_s=1e15) as client:
        job = job_for(agencies.data, tmp_path)
        with pytest.raises(TransientError, match="bytes in 0 s; try later"):
            fetch(client, job)
    assert nothing_kept(job)


def test_pages_that_bring_nothing_new_end(agencies, tmp_path):  # noqa: F811
    page = json.dumps({"items": [{"umm": {"RelatedUrls": []}}]}).encode()
    headers = {"CMR-Hits": "99999", "CMR-Search-After": "again"}
    agencies.catalogue.faults["*"] = [Reply(200, page, headers)] * 50
    with connected(agencies, tmp_path) as client, pytest.raises(TransferError, match="brought nothing new"):
        search(client, "VNP02MOD/2", PT, D1, D2)
    assert len(agencies.catalogue.received) == 3


GOOD = "VNP02MOD.A2021213.1142.002.2021213184222.nc"
NAMES = {
    "nul": "VNP02MOD.A2021213.1000.002%00.nc",
    "long": f"VNP02MOD.A2021213.1006.002.{'7' * 300}.nc",
    "control": "VNP02MOD.A2021213.1012.002%1b%5b2J.nc",
    "windows path": "..%5c..%5cVNP02MOD.A2021213.1018.002.nc",
    "device": "NUL.A2021213.1024.nc",
    "hidden": ".VNP02MOD.A2021213.1030.002.nc",
    "not utf-8": "VNP02MOD.A2021213.1036.%ff%fe.nc",
    "line break": "VNP02MOD.A2021213.1042%0aok.nc",
}


@pytest.mark.parametrize("bad", NAMES.values(), ids=NAMES)
def test_a_name_that_no_file_can_have_costs_that_file(agencies, tmp_path, bad):  # noqa: F811
    told = []
    agencies.catalogue.add("VNP02MOD/2", f"{agencies.data.url}/x/{bad}", start="2021-08-01T11:42:00Z")
    agencies.catalogue.add("VNP02MOD/2", f"{agencies.data.url}/x/{GOOD}")
    with connected(agencies, tmp_path) as client:
        found = search(client, "VNP02MOD/2", PT, D1, D2, broken=lambda name, why: told.append((name, why)))
    assert [granule.name for granule in found] == [GOOD]
    assert len(told) == 1
    assert "cannot be read" in told[0][1]
    assert all(text.isprintable() for text in told[0])


def _entry(**changes):
    umm = {
        "RelatedUrls": [{"URL": "http://127.0.0.1:9/x/VNP02MOD.A2021213.1200.002.nc", "Type": "GET DATA"}],
        "DataGranule": {"ArchiveAndDistributionInformation": [{"SizeInBytes": 5}]},
    }
    return {"umm": {**umm, **changes}}


ODD = {
    "null": None,
    "text": "granule",
    "number": 7,
    "list": [[]],
    "umm null": {"umm": None},
    "umm list": {"umm": [1]},
    "urls null": _entry(RelatedUrls=None),
    "urls number": _entry(RelatedUrls=5),
    "urls of text": _entry(RelatedUrls=["http://x"]),
    "data list": _entry(DataGranule=[1]),
    "files text": _entry(DataGranule={"ArchiveAndDistributionInformation": "abc"}),
    "file null": _entry(DataGranule={"ArchiveAndDistributionInformation": [None]}),
    "size text": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"SizeInBytes": "many"}]}),
    "size list": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"SizeInBytes": [1]}]}),
    "size negative": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"SizeInBytes": -4}]}),
    "size endless": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"SizeInBytes": 1e400}]}),
    "size of a world": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"SizeInBytes": 10**18}]}),
    "size none": _entry(DataGranule={"ArchiveAndDistributionInformation": [{"Size": [3], "SizeUnit": "MB"}]}),
    "checksum text": _entry(
        DataGranule={"ArchiveAndDistributionInformation": [{"Checksum": "abc", "SizeInBytes": 5}]}
    ),
    "port": _entry(RelatedUrls=[{"URL": "http://h:99999/VNP02MOD.A2021213.1200.nc", "Type": "GET DATA"}]),
    "bracket": _entry(RelatedUrls=[{"URL": "http://[::1/VNP02MOD.A2021213.1200.nc", "Type": "GET DATA"}]),
    "no host": _entry(RelatedUrls=[{"URL": "http:///VNP02MOD.A2021213.1200.nc", "Type": "GET DATA"}]),
    "no day": _entry(RelatedUrls=[{"URL": "http://h/VNP02MOD.nc", "Type": "GET DATA"}]),
    "day 999": _entry(RelatedUrls=[{"URL": "http://h/VNP02MOD.A2021999.1200.nc", "Type": "GET DATA"}]),
    "times text": _entry(
        RelatedUrls=[{"URL": "http://h/a.nc", "Type": "GET DATA"}], TemporalExtent={"SingleDateTime": 5}
    ),
    "links null": {"links": None},
    "links of null": {"links": [None]},
    "half a surrogate": _entry(
        RelatedUrls=[{"URL": "http://h/VNP02MOD.A2021213.1200\ud800.nc", "Type": "GET DATA"}]
    ),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_entry_of_the_catalogue_costs_that_entry(agencies, tmp_path, odd):  # noqa: F811
    told = []
    url = f"{agencies.data.url}/x/{GOOD}"
    good = {"umm": {"RelatedUrls": [{"URL": url, "Type": "GET DATA"}]}}
    agencies.catalogue.faults["*"] = [Reply(200, json.dumps({"items": [odd, good]}).encode())]
    with connected(agencies, tmp_path) as client:
        found = search(client, "VNP02MOD/2", PT, D1, D2, broken=lambda name, why: told.append((name, why)))
    assert [granule.name for granule in found] == [GOOD]
    assert len(told) == 1
    assert "cannot be read" in told[0][1]
    assert all(text.isprintable() and len(text) < 300 for text in told[0])


@pytest.mark.parametrize(
    "page",
    [
        b"null",
        b"5",
        b'"x"',
        b'{"items": null}',
        b'{"items": {}}',
        b'{"feed": 5}',
        b'{"feed": {"entry": 1}}',
        b"[" * 100_000,
        b"\xff\xfe",
        HTML,
        b"",
    ],
    ids=range(11),
)
def test_an_odd_page_of_the_catalogue_is_an_error_in_one_line(agencies, tmp_path, page):  # noqa: F811
    agencies.catalogue.faults["*"] = [Reply(200, page)] * 9
    with connected(agencies, tmp_path) as client, pytest.raises(TransferError) as caught:
        search(client, "VNP02MOD/2", PT, D1, D2)
    assert "\n" not in str(caught.value)


def test_one_byte_that_is_no_text_and_one_endless_number_do_not_cost_the_page(agencies, tmp_path):  # noqa: F811
    url = f"{agencies.data.url}/x/{GOOD}"
    good = json.dumps({"umm": {"RelatedUrls": [{"URL": url, "Type": "GET DATA"}]}}).encode()
    page = b'{"items": [{"umm": {"RelatedUrls": ["\xe9"]}}, {"x": ' + b"9" * 5000 + b"}, " + good + b"]}"
    agencies.catalogue.faults["*"] = [Reply(200, page)]
    with connected(agencies, tmp_path) as client:
        found = search(client, "VNP02MOD/2", PT, D1, D2)
    assert [granule.name for granule in found] == [GOOD]


def test_a_file_that_cannot_be_named_counts_as_failed_and_the_rest_comes(agencies, tmp_path):  # noqa: F811
    for prefix in ("VNP02MOD", "VNP03MOD"):
        name = f"{prefix}.A2021213.1142.002.2021213184222.nc"
        agencies.catalogue.add(f"{prefix}/2", agencies.data.add(f"/x/{name}", BODY), size=len(BODY))
    agencies.catalogue.add("VNP02MOD/2", f"{agencies.data.url}/x/{NAMES['control']}")
    with connected(agencies, tmp_path) as client:
        plan = plan_viirs(client, PT, D1, D1, tmp_path / "out", satellites=["snpp"], stream="standard")
        assert len(plan.jobs) == 2
        report = fetch_all(client, plan.jobs).with_failures(*plan.failed)
    assert (len(report.fetched), len(report.failed)) == (2, 1)
    assert "failed: VNP02MOD.A2021213.1012" in report.lines()[0]
    assert plan.summary().startswith("2 files, 20.5 kB; 0 to fetch")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(302, headers={"Location": "http://127.0.0.1:99999/a"}),
        Reply(302, headers={"Location": "http://[::1/a"}),
        Reply(302, headers={"Location": "ftp://127.0.0.1/a"}),
        Reply(302, headers={"Location": "\xff\xfe"}),
        Reply(200, BODY, {"Content-Length": "-5"}),
        Reply(200, BODY, {"Content-Length": "9" * 400}),
        Reply(999, b"?"),
        Reply(200, BODY, {"ETag": "\xe9" * 10}, keep=10),
    ],
    ids=["port", "bracket", "scheme", "bytes", "negative", "endless", "status", "etag"],
)
def test_an_odd_header_costs_that_file(agencies, tmp_path, reply):  # noqa: F811
    with connected(agencies, tmp_path) as client:
        odd = job_for(agencies.data, tmp_path, "odd.nc")
        agencies.data.faults["/odd.nc"] = [reply] * 30
        report = fetch_all(client, [odd, job_for(agencies.data, tmp_path, "good.nc")])
    assert [file.name for file in report.fetched] == ["good.nc"]
    assert [item.name for item in report.failed] == ["odd.nc"]
    assert "\n" not in report.failed[0].reason


@pytest.mark.parametrize(
    ("satellite", "first", "last", "expected"),
    [
        ("snpp", "2026-10-30", "2026-11-05", ("2026-10-30", "2026-11-01")),
        ("snpp", "2026-10-30", "2026-11-01", ("2026-10-30", "2026-11-01")),
        ("noaa20", "2017-12-31", "2018-01-06", ("2018-01-05", "2018-01-06")),
        ("noaa21", "2026-11-01", "2026-11-05", ("2026-11-01", "2026-11-05")),
        ("terra", "1999-01-01", "2030-01-01", ("1999-01-01", "2030-01-01")),
    ],
)
def test_days_on_which_satellites_flew(satellite, first, last, expected):
    start, stop, line = flown(load_settings(environ={}), satellite, as_day(first), as_day(last))
    assert (str(start), str(stop)) == expected
    assert bool(line) == (expected != (first, last))


def test_the_defaults_of_the_original_s_commands_and_archives_follow_the_flights(agencies, tmp_path):  # noqa: F811
    from banet.cli.compat_download import _satellites

    settings = load_settings(environ={})
    assert _satellites("", settings, as_day("2026-10-20"), as_day("2026-11-01")) == ("snpp",)
    assert _satellites("", settings, as_day("2026-10-20"), as_day("2026-11-02")) == ()
    assert _satellites("noaa21,snpp", settings, D1, D2) == ("noaa21", "snpp")
    with connected(agencies, tmp_path) as client:
        plan = plan_archives(client, "Spain", as_day("2025-05-01"), as_day("2027-02-01"), tmp_path)
        assert [job.name[-15:] for job in plan.jobs] == ["_2025_Spain.csv", "_2026_Spain.csv"]
        assert len(plan.notes) == 1
        assert plan_archives(client, "Spain", D1, D2, tmp_path).notes == ()
        with pytest.raises(NotFoundError, match="no archive of these years: snpp has data from"):
            plan_archives(client, "Spain", as_day("2027-05-01"), as_day("2027-06-01"), tmp_path)


def test_a_satellite_that_ended_is_not_searched_for(agencies, tmp_path):  # noqa: F811
    for prefix in ("VJ102MOD", "VJ103MOD"):
        name = f"{prefix}.A2026320.1142.021.2026320184222.nc"
        agencies.catalogue.add(f"{prefix}/2.1", agencies.data.add(f"/x/{name}", BODY), size=len(BODY))
    day = as_day("2026-11-16")
    with connected(agencies, tmp_path) as client:
        plan = plan_viirs(client, PT, day, day, tmp_path, satellites=["snpp", "noaa20"])
        assert len(plan.jobs) == 2
        assert [note for note in plan.notes if note.startswith("snpp")] == [
            "snpp has data from 2012-01-19 to 2026-11-01; other days are not searched for "
            "(flights in the settings)"
        ]
        with pytest.raises(NotFoundError, match="VNP64A1 ends with its satellite"):
            plan_labels(client, PT, "2026-12", "2027-01", tmp_path, product="VNP64A1")
    assert not any(r.query["short_name"].startswith("VNP") for r in agencies.catalogue.received)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (HEADER.encode(), True),
        (b"\xef\xbb\xbfLatitude, Longitude ,ACQ_DATE, frp\r\n1,2,2020-01-01,5", True),
        (b'"lat","lon","date","FRP"\n', True),
        (b"latitude,longitude,acq_date\n", False),
        (b"Invalid area. Use west,south,east,north with longitude -180..180 and latitude -90..90.", False),
        (b"Sorry, latitude, longitude, acq_date are needed to answer", False),
        (b"latitude,longitude", False),
        (b"latitude,longitude,<b>frp</b>", False),
        (HTML, False),
        (b"[" * 200_000, False),
        (b"Invalid MAP_KEY.", False),
        (b"Exceeding allowed transaction limit.", False),
    ],
)
def test_a_table_is_one_whose_header_has_its_columns(body, fits):
    assert (problem_with(body, "csv") is None) == fits


@pytest.mark.parametrize(
    ("text", "password", "doubtful"),
    [
        (b"machine h login u password ab\\cd\n", "ab\\cd", True),
        (b"machine h login u password ab\\\\cd\n", "ab\\cd", False),
        (b'machine h login u password "ab\\cd"\n', "ab\\cd", False),
        (b'machine h login u password "ab\\\\c\\"d e"\n', 'ab\\c"d e', False),
        (b'machine h login u password p"w\n', 'p"w', False),
        (b'machine h login u password "open\nmachine o login x password y\n', '"open', False),
        (b"machine h login u password #1#\n# machine h login z password z\n", "#1#", False),
        (b"machine h login u password it's$%&! # a remark: 'x\n", "it's$%&!", False),
        (b"machine o login a password \xe9\xff\nmachine h login u password s\n", "s", False),
        (b"machine h login u password \xe9t\xe9\n", b"\xe9t\xe9".decode("utf-8", "surrogateescape"), False),
        ("machine h\n\tlogin u\n\tpassword pä\u00a0ß\r\n".encode(), "pä\u00a0ß", False),
        (b"default login u password d\n", "d", False),
        (b"default login x password d\nmachine h login u password m\n", "m", False),
        (b"macdef init\ncd machine\nls\n\nmachine h account q login u password m\n", "m", False),
        (b"\xef\xbb\xbfmachine h login u password m", "m", False),
        (b"machine h login u password machine\n", "machine", False),
    ],
)
def test_every_byte_of_a_password_survives(agencies, tmp_path, text, password, doubtful):  # noqa: F811
    entry = entry_of(text, "h")
    assert entry is not None
    assert (entry.user, entry.password, entry.doubtful) == ("u", password, doubtful)
    file = tmp_path / "netrc"
    file.write_bytes(text.replace(b"machine h", b"machine 127.0.0.1"))
    settings = agencies.settings(tmp_path)
    found = find_login(settings.earthdata, {"NETRC": str(file)}, lambda host: None)
    assert found.password.get_secret_value() == password
    assert ("backslash" in found.source) == doubtful


def test_limits_must_be_numbers_that_limit():
    for name in ("requests", "excess_bytes", "answer_bytes", "idle_pages", "slow_window_s"):
        with pytest.raises(InputError, match=name):
            fields = load_settings(environ={}).model_dump(mode="json")
            load_settings(environ={}).parse({**fields, "transfer": {**fields["transfer"], name: 0}}, "x")
