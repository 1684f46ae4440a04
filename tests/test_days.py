"""Days and months, over the edges of months and years."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banet.days import (
    as_day,
    as_month,
    day_of_name,
    day_of_year,
    day_range,
    from_day_of_year,
    month_range,
    parse_period,
)
from banet.errors import InputError


@pytest.mark.parametrize(
    "value",
    [
        "2020-02-29",
        "20200229",
        dt.date(2020, 2, 29),
        dt.datetime(2020, 2, 29, 23, 59),
        np.datetime64("2020-02-29T23:59:59"),
        dt.datetime(2020, 3, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    ],
)
def test_every_way_to_say_a_day(value):
    assert as_day(value) == np.datetime64("2020-02-29", "D")


@pytest.mark.parametrize(
    "value", ["2021-02-29", "20211301", "today", "2021-2-3", "", "NaT", np.datetime64("NaT")]
)
def test_what_is_no_day(value):
    with pytest.raises(InputError):
        as_day(value)


@given(st.dates(dt.date(1999, 1, 1), dt.date(2101, 1, 1)))
def test_day_of_year_and_back(date):
    day = as_day(date)
    number = day_of_year(np.array([day]))[0]
    assert number == date.timetuple().tm_yday
    assert from_day_of_year(date.year, int(number)) == day


def test_day_of_year_of_missing_is_zero():
    assert day_of_year(np.array(["NaT"], "datetime64[D]"))[0] == 0


@pytest.mark.parametrize(("year", "day"), [(2021, 366), (2021, 0), (2020, 367), (2020, -1)])
def test_days_that_a_year_has_not(year, day):
    with pytest.raises(InputError, match="no day"):
        from_day_of_year(year, day)


def test_the_day_in_a_name_is_none_where_the_year_has_no_such_day():
    assert day_of_name("2020", "366") == np.datetime64("2020-12-31")
    assert day_of_name("2021", "366") is None
    assert day_of_name("2020", "000") is None


def test_ranges():
    assert len(day_range("2019-12-15", "2020-02-17")) == 64
    assert month_range("2019-12", "2020-02").astype(str).tolist() == ["2019-12", "2020-01", "2020-02"]
    assert as_month("2020-02-29") == np.datetime64("2020-02", "M")
    with pytest.raises(InputError, match="before"):
        month_range("2020-02", "2020-01")
    with pytest.raises(InputError, match="month"):
        as_month("2020-13")


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2020-08-15", "2020-08-20", "2020-08-15", "2020-08-20"),
        ("20200815", None, "2020-08-15", "2020-08-15"),
        ("2020-08", None, "2020-08-01", "2020-08-31"),
        ("2019-12", "2020-02", "2019-12-01", "2020-02-29"),
        ("2020-12-30", "2021-01", "2020-12-30", "2021-01-31"),
        (np.datetime64("2021-02"), np.datetime64("2021-02"), "2021-02-01", "2021-02-28"),
        (dt.date(2020, 2, 28), dt.datetime(2020, 3, 1, 23), "2020-02-28", "2020-03-01"),
    ],
)
def test_a_typed_period_includes_both_ends(start, end, first, last):
    begin, stop = parse_period(start, end)
    assert (str(begin), str(stop - 1)) == (first, last)
    assert begin.dtype == stop.dtype == np.dtype("datetime64[D]")


@given(st.dates(dt.date(1999, 1, 1), dt.date(2101, 1, 1)), st.integers(0, 900))
def test_a_period_of_days_has_so_many_days(date, more):
    begin, stop = parse_period(date, str(date + dt.timedelta(more)))
    assert (stop - begin).astype(int) == more + 1
    assert begin == as_day(date)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("2020/08", "write it as 2020-08$"),
        ("2020/08/05", "write it as 2020-08-05$"),
        ("2020-8-5", "write it as 2020-08-05$"),
        ("202008", "write it as 2020-08$"),
        ("2020-08-05T12:00", "write it as 2020-08-05$"),
        ("August", "a day as YYYY-MM-DD or a month as YYYY-MM"),
        ("2020", "a day as YYYY-MM-DD or a month as YYYY-MM"),
        ("", "a day as YYYY-MM-DD or a month as YYYY-MM"),
        ("2020-13", "not a month"),
        ("2021-02-29", "not a calendar day"),
        (8, "YYYY-MM-DD"),
        (np.int64(20200815), "YYYY-MM-DD"),
        (8.0, "YYYY-MM-DD"),
        (True, "YYYY-MM-DD"),
        (np.datetime64("NaT"), "not a calendar day"),
        (np.datetime64("2020", "Y"), "a day as YYYY-MM-DD or a month as YYYY-MM"),
    ],
)
def test_a_period_that_is_not_understood_is_refused_with_advice(value, advice):
    with pytest.raises(InputError, match=advice):
        parse_period(value, "2020-12-31")
    with pytest.raises(InputError, match=advice):
        parse_period("2000-01-01", value)


def test_a_period_that_ends_before_it_starts():
    with pytest.raises(InputError, match=r"ends \(2020-07\) before it starts \(2020-08-15\)"):
        parse_period("2020-08-15", "2020-07")


def test_a_period_of_no_year_that_satellites_saw():
    with pytest.raises(InputError, match="between 1900-01-01 and 2200-01-01"):
        parse_period("0020-08", "0020-09")


def test_numbers_name_no_day_and_no_month():
    for value in (8, 20200815, 8.5):
        with pytest.raises(InputError, match="YYYY-MM-DD"):
            as_day(value)
        with pytest.raises(InputError, match="YYYY-MM-DD"):
            as_month(value)
    with pytest.raises(InputError, match="write it as 2020-08"):
        as_month("2020/08")
