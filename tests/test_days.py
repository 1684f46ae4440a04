"""Days and months, over the edges of months and years."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banet.days import as_day, as_month, day_of_year, day_range, from_day_of_year, month_range
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


def test_ranges():
    assert len(day_range("2019-12-15", "2020-02-17")) == 64
    assert month_range("2019-12", "2020-02").astype(str).tolist() == ["2019-12", "2020-01", "2020-02"]
    assert as_month("2020-02-29") == np.datetime64("2020-02", "M")
    with pytest.raises(InputError, match="before"):
        month_range("2020-02", "2020-01")
    with pytest.raises(InputError, match="month"):
        as_month("2020-13")
