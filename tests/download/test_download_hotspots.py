"""Active fires: pieces of days, standard before near real time, refusals in plain text."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from banet.days import as_day
from banet.download import fetch_all, load_settings, plan_archives, plan_hotspots, remove_superseded
from banet.download.client import Client
from banet.download.errors import CredentialsError, TransferError, TransientError
from banet.download.firms import _pieces, _Span
from banet.errors import BanetWarning, InputError, NotFoundError
from banet.grid.region import Region
from banet.observations.hotspots import covers, read_hotspots
from fake_agencies import HEADER, HTML, KEY, Reply, agencies  # noqa: F401

PT = Region("PT", (-10, 36, -6, 42), 0.01)
SECRET = SecretStr(KEY)
TODAY = as_day("2024-06-12")


@pytest.fixture
def client(agencies, tmp_path):  # noqa: F811
    agencies.firms.days = {
        "VIIRS_SNPP_SP": ("2012-01-20", "2024-02-29"),
        "VIIRS_SNPP_NRT": ("2024-03-01", "2024-06-12"),
        "VIIRS_NOAA21_NRT": ("2024-01-17", "2024-06-12"),
    }
    with Client(agencies.settings(tmp_path)) as made:
        yield made


def plan(client, start, end, out, satellites=("snpp",), region=PT, today=TODAY):
    return plan_hotspots(
        client, SECRET, region, as_day(start), as_day(end), out, satellites=satellites, today=today
    )


def spans(jobs):
    """(source, first, last, open) of each file."""
    found = []
    for job in jobs:
        stem = job.target.stem
        last = -2 if stem.endswith("_open") else -1
        parts = stem.split("_")
        source = stem.removeprefix("firms_").split("_PT")[0]
        found.append((source, parts[last - 1], parts[last], stem.endswith("_open")))
    return found


def test_standard_rows_where_they_exist_and_near_real_time_after(agencies, client, tmp_path):  # noqa: F811
    made = plan(client, "2024-02-23", "2024-03-04", tmp_path)
    report = fetch_all(client, made.jobs)
    assert report.complete
    assert spans(made.jobs) == [
        ("VIIRS_SNPP_SP", "20240222", "20240226", False),
        ("VIIRS_SNPP_SP", "20240227", "20240229", False),
        ("VIIRS_SNPP_NRT", "20240301", "20240302", False),
        ("VIIRS_SNPP_NRT", "20240303", "20240307", False),
    ]
    assert sorted(agencies.firms.areas()) == [
        ("VIIRS_SNPP_NRT", "-10,36,-6,42", "2", "2024-03-01"),
        ("VIIRS_SNPP_NRT", "-10,36,-6,42", "5", "2024-03-03"),
        ("VIIRS_SNPP_SP", "-10,36,-6,42", "3", "2024-02-27"),
        ("VIIRS_SNPP_SP", "-10,36,-6,42", "5", "2024-02-22"),
    ]
    table = read_hotspots(tmp_path)
    assert len(table) == 4
    assert made.notes == ()


def test_a_second_run_asks_only_for_days_that_may_still_get_rows(agencies, client, tmp_path):  # noqa: F811
    first = plan(client, "2024-06-01", "2024-06-12", tmp_path)
    report = fetch_all(client, first.jobs)
    assert [is_open for *_, is_open in spans(first.jobs)] == [False, False, True]
    remove_superseded(report.fetched)
    before = len(agencies.firms.areas())
    again = fetch_all(client, plan(client, "2024-06-02", "2024-06-12", tmp_path).jobs)
    assert [file.name.endswith("_open.csv") for file in again.fetched] == [True]
    assert len(agencies.firms.areas()) == before + 1


def test_later_the_open_piece_is_final_and_then_standard(agencies, client, tmp_path):  # noqa: F811
    def run(today):
        report = fetch_all(client, plan(client, "2024-06-11", "2024-06-12", tmp_path, today=today).jobs)
        remove_superseded((*report.fetched, *report.present))
        return sorted(path.name for path in tmp_path.glob("firms_*.csv"))

    (name,) = run(as_day("2024-06-12"))
    assert name.endswith("_20240611_20240612_open.csv")
    agencies.firms.days["VIIRS_SNPP_NRT"] = ("2024-03-01", "2024-07-01")
    later = run(as_day("2024-07-01"))
    assert [name.split("_", 4)[-1][-21:] for name in later] == ["20240611_20240615.csv"]
    count = len(agencies.firms.areas())
    assert run(as_day("2024-07-02")) == later
    assert len(agencies.firms.areas()) == count
    agencies.firms.days["VIIRS_SNPP_SP"] = ("2012-01-20", "2024-06-30")
    last = run(as_day("2025-01-01"))
    assert last and all("_SP_" in name for name in last)


@settings(deadline=None)
@given(
    start=st.integers(0, 400),
    length=st.integers(0, 60),
    standard=st.integers(-50, 500),
    days=st.integers(1, 10),
)
def test_pieces_cover_each_day_once_within_the_limit(start, length, standard, days):
    settings = load_settings(environ={}).firms.model_copy(update={"max_days": days})
    zero = as_day("2023-12-20")
    first, today = zero + start, zero + start + length + 3
    last = first + length
    known = {"VIIRS_SNPP_SP": _Span(None, zero + standard), "VIIRS_SNPP_NRT": _Span(None, today)}
    pieces = list(_pieces(settings, settings.sources["snpp"], known, first, last, today))
    seen = [day for piece in pieces for day in np.arange(piece.first, piece.last + 1)]
    assert len(seen) == len(set(seen))
    assert set(np.arange(first, last + 1)) <= set(seen)
    for piece in pieces:
        assert 1 <= (piece.last - piece.first).astype(int) + 1 <= days
        assert (piece.source == "VIIRS_SNPP_SP") == (piece.last <= zero + standard)
        ends = {today: "_open", today - 1: "_early"}
        assert piece.mark == (ends.get(piece.last, "") if piece.source == "VIIRS_SNPP_NRT" else "")


def test_the_last_day_of_a_table_counts_once_it_has_ended(agencies, client, tmp_path):  # noqa: F811
    def run(today, end):
        agencies.firms.days["VIIRS_SNPP_NRT"] = ("2024-03-01", today)
        made = plan(client, "2024-06-11", end, tmp_path, today=as_day(today))
        report = fetch_all(client, made.jobs)
        remove_superseded(report.fetched)
        (name,) = (path.name for path in tmp_path.glob("firms_*.csv"))
        return name.partition("_20240611_")[2], covers(read_hotspots(tmp_path), as_day("2024-06-15"))

    assert run("2024-06-15", "2024-06-15") == ("20240615_open.csv", False)
    assert run("2024-06-16", "2024-06-15") == ("20240615_early.csv", True)
    assert run("2024-06-17", "2024-06-15") == ("20240615.csv", True)


def test_days_that_no_source_has_are_noted(client, tmp_path):
    made = plan(client, "2024-01-10", "2024-01-20", tmp_path, ["noaa21"])
    assert made.notes == ("noaa21: FIRMS has nothing of 7 days from 2024-01-10 to 2024-01-16",)
    with pytest.raises(NotFoundError, match="FIRMS has no hot spots from 2023-01-01"):
        plan(client, "2023-01-01", "2023-01-03", tmp_path, ["noaa21"])


def test_a_flying_satellite_that_the_list_of_sources_lacks_counts_as_failed(agencies, client, tmp_path):  # noqa: F811
    del agencies.firms.days["VIIRS_SNPP_NRT"]
    made = plan(client, "2024-06-01", "2024-06-12", tmp_path, ["snpp", "noaa21"])
    assert [job.name.split("_PT")[0] for job in made.jobs] == ["firms_VIIRS_NOAA21_NRT"] * 3
    (failed,) = made.failed
    assert failed.name == "snpp"
    assert failed.reason == (
        "FIRMS has nothing of 12 days from 2024-06-01 to 2024-06-12: its list of sources lacks VIIRS_SNPP_NRT"
    )
    assert made.notes == ()


def test_without_the_availability_service(agencies, tmp_path):  # noqa: F811
    settings = agencies.settings(tmp_path, firms={"availability": None, "standard_lag_days": 100})
    agencies.firms.days = {"VIIRS_SNPP_SP": ("x", "x"), "VIIRS_SNPP_NRT": ("x", "x")}
    with Client(settings) as client:
        made = plan(client, "2024-03-04", "2024-03-06", tmp_path)
        assert spans(made.jobs) == [
            ("VIIRS_SNPP_SP", "20240303", "20240304", False),
            ("VIIRS_SNPP_NRT", "20240305", "20240307", False),
        ]
        assert fetch_all(client, made.jobs).complete
    assert not any("data_availability" in path for path in agencies.firms.paths())


def test_two_boxes_across_the_antimeridian(client, tmp_path):
    fiji = Region("FJ", (177, -20, 183, -15), 0.01)
    made = plan(client, "2024-02-22", "2024-02-23", tmp_path, region=fiji)
    assert len({job.name for job in made.jobs}) == 2
    assert [job.url.split("/")[-3] for job in made.jobs] == ["177,-20,180,-15", "-180,-20,-177,-15"]


def test_regions_of_one_name_and_other_boxes_do_not_share_files(client, tmp_path):
    other = Region("PT", (-10, 36, -5, 42), 0.01)
    days = ("2024-02-22", "2024-02-23")
    one, two = plan(client, *days, tmp_path), plan(client, *days, tmp_path, region=other)
    assert one.jobs[0].name != two.jobs[0].name


def test_a_wrong_key_is_known_first_and_not_shown(agencies, client, tmp_path, caplog):  # noqa: F811
    caplog.set_level(logging.DEBUG)
    agencies.firms.key = "f" * 32
    with pytest.raises(CredentialsError, match="FIRMS does not accept the key in FIRMS_MAP_KEY") as caught:
        plan(client, "2024-02-21", "2024-02-22", tmp_path)
    assert KEY not in str(caught.value) + caplog.text
    assert len(agencies.firms.received) == 1


@pytest.mark.parametrize("status", [200, 400, 403])
def test_the_transaction_limit_is_waited_out(agencies, client, tmp_path, status):  # noqa: F811
    made = plan(client, "2024-02-21", "2024-02-22", tmp_path)
    agencies.firms.faults["*"] = [Reply(status, b"Exceeding allowed transaction limit")] * 2
    waits = []
    client.pause = waits.append
    assert fetch_all(client, made.jobs).complete
    assert waits == [0.05, 0.05]


def test_refusals_in_text_become_failures_without_the_key(agencies, client, tmp_path, caplog):  # noqa: F811
    caplog.set_level(logging.DEBUG)
    made = plan(client, "2024-02-21", "2024-02-29", tmp_path)
    agencies.firms.faults["*"] = [Reply(400, b"Invalid day range. Expects [1..3]."), Reply(200, HTML)]
    report = fetch_all(client, made.jobs)
    reasons = sorted(failure.reason for failure in report.failed)
    assert "FIRMS answers 'Invalid day range. Expects [1..3].'; see firms" in reasons[1]
    assert "a web page" in reasons[0]
    assert KEY not in caplog.text + repr(report) + repr(made)
    assert list(tmp_path.glob("*.part*")) == []


@pytest.mark.parametrize("end", ["40.0,-7.5,33", "<html><body>Service Unavailable</body></html>\n"])
def test_a_table_that_ends_within_a_row_is_not_kept(agencies, client, tmp_path, end):  # noqa: F811
    made = plan(client, "2024-02-21", "2024-02-22", tmp_path)
    broken = f"latitude,longitude,acq_date,acq_time,frp\n40.0,-7.5,2024-02-21,0230,5\n{end}".encode()
    agencies.firms.faults["*"] = [Reply(200, broken)] * 40
    client.pause = lambda seconds: None
    report = fetch_all(client, made.jobs)
    assert not report.fetched and "not in a whole row" in report.failed[0].reason
    assert not list(tmp_path.glob("*.csv"))
    agencies.firms.faults.clear()
    assert fetch_all(client, made.jobs).complete


def test_answers_of_the_availability_service_that_are_no_table(agencies, client, tmp_path):  # noqa: F811
    agencies.firms.faults["*"] = [Reply(200, HTML)]
    with pytest.raises(TransferError, match="found a web page .*; set firms.availability to null"):
        plan(client, "2024-02-21", "2024-02-22", tmp_path)
    agencies.firms.faults["*"] = [Reply(200, b"Exceeding allowed transaction limit")] * 9
    client.pause = lambda seconds: None
    with pytest.raises(TransientError, match="transactions are used up"):
        plan(client, "2024-02-21", "2024-02-22", tmp_path)


def test_wrong_satellites_and_days(client, tmp_path):
    with pytest.raises(InputError, match="no hot spots of landsat here; known are snpp"):
        plan(client, "2024-02-21", "2024-02-22", tmp_path, ["landsat"])
    with pytest.raises(InputError, match="today is 2024-06-12"):
        plan(client, "2024-06-13", "2024-06-14", tmp_path)


def test_yearly_archives_need_no_key(agencies, client, tmp_path):  # noqa: F811
    body = f"{HEADER},type\n40.1,-8.2,320,0.4,0.4,2019-07-01,1230,N,VIIRS,n,2,290,5.5,D,0\n".encode()
    for year in (2019, 2020):
        path = f"/data/country/viirs-snpp/{year}/viirs-snpp_{year}_South_Africa.csv"
        agencies.firms.archives[path] = body
    made = plan_archives(client, "South Africa", as_day("2019-07-01"), as_day("2020-07-01"), tmp_path)
    assert [job.name for job in made.jobs] == [f"viirs-snpp_{y}_South_Africa.csv" for y in (2019, 2020)]
    assert len(fetch_all(client, made.jobs).fetched) == 2
    assert len(fetch_all(client, made.jobs).present) == 2
    missing = plan_archives(client, "Narnia", as_day("2019-07-01"), as_day("2019-07-01"), tmp_path)
    assert "is the country written as on its page" in fetch_all(client, missing.jobs).failed[0].reason
    with pytest.raises(InputError, match="no country"):
        plan_archives(client, "../etc", as_day("2019-07-01"), as_day("2019-07-01"), tmp_path)
    with pytest.raises(InputError, match="known are snpp, modis"):
        plan_archives(client, "Spain", TODAY, TODAY, tmp_path, satellites=["noaa21"])


def test_a_table_without_rows_takes_the_place_of_none_with_rows(agencies, client, tmp_path):  # noqa: F811
    def run(answer):
        agencies.firms.answer = answer
        report = fetch_all(client, plan(client, "2024-02-27", "2024-03-02", tmp_path, today=today).jobs)
        remove_superseded((*report.fetched, *report.present))
        return sorted(path.name.partition("SNPP_")[2][:3] for path in tmp_path.glob("firms_*.csv"))

    whole, today = type(agencies.firms).answer.__get__(agencies.firms), as_day("2024-04-01")
    agencies.firms.days = {"VIIRS_SNPP_NRT": ("2024-01-01", "2024-04-01")}
    assert run(whole) == ["NRT"]
    agencies.firms.days["VIIRS_SNPP_SP"] = ("2012-01-20", "2024-03-20")

    def header(request):
        return Reply(200, f"{HEADER}\n".encode()) if "_SP/" in request.path else whole(request)

    for _ in range(2):
        with pytest.warns(BanetWarning, match="_SP_.* holds no hot spot where .*_NRT_.* holds some"):
            assert run(header) == ["NRT", "SP_"]
        assert len(read_hotspots(tmp_path)) == 1
    assert run(whole) == ["SP_"]
    assert not list(tmp_path.glob("*_early.csv"))


@pytest.mark.parametrize("place", ["PT-abcdef", "NORTH_AFRICA-abcdef"])
def test_only_own_tables_are_removed(tmp_path, place):
    keep = [
        "hotspotsPT.csv",
        "firms_VIIRS_SNPP_NRT_PT-123456_20240602_20240603.csv",
        f"firms_VIIRS_NOAA20_NRT_{place}_20240602_20240603.csv",
        f"firms_VIIRS_SNPP_NRT_{place}_20240531_20240602.csv",
        f"firms_VIIRS_SNPP_NRT_{place}_20240601_20240605.csv",
    ]
    gone = [
        f"firms_VIIRS_SNPP_NRT_{place}_20240601_20240603_open.csv",
        f"firms_VIIRS_SNPP_NRT_{place}_20240602_20240604.csv",
    ]
    for name in [*keep, *gone]:
        (tmp_path / name).write_text("")
    removed = remove_superseded([tmp_path / keep[-1], tmp_path / keep[0]])
    assert sorted(path.name for path in removed) == sorted(gone)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(keep)
