"""Which days serve which month."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from banet.days import day_range, period_label, period_stem, whole_months
from banet.errors import InputError
from banet.mapping.windows import Window, kept_days, month_window, month_windows, nrt_window, period_windows


def days(start, stop):
    return day_range(np.datetime64(start), np.datetime64(stop))


@pytest.mark.parametrize(
    ("month", "start", "stop", "first", "last"),
    [
        ("2021-03", "2021-02-15", "2021-04-20", "2021-03-01", "2021-03-31"),
        ("2020-03", "2020-02-15", "2020-04-19", "2020-03-01", "2020-03-31"),
        ("2020-02", "2020-01-15", "2020-03-19", "2020-02-01", "2020-02-29"),
        ("2021-02", "2021-01-15", "2021-03-20", "2021-02-01", "2021-02-28"),
        ("2021-01", "2020-12-15", "2021-02-17", "2021-01-01", "2021-01-31"),
        ("2020-12", "2020-11-15", "2021-01-18", "2020-12-01", "2020-12-31"),
        ("2017-10", "2017-09-15", "2017-11-18", "2017-10-01", "2017-10-31"),
    ],
)
def test_a_month_starts_on_the_15th_before_and_keeps_all_its_days(month, start, stop, first, last):
    window = month_window(month)
    assert (window.start, window.stop) == (np.datetime64(start), np.datetime64(stop))
    assert window.length == 64
    assert (window.kept[0], window.kept[-1]) == (np.datetime64(first), np.datetime64(last))


@given(
    month=st.dates().map(lambda d: np.datetime64(d, "M")).filter(lambda m: "0002" < str(m) < "9998"),
    length=st.sampled_from([32, 48, 64, 80, 128]),
)
def test_the_kept_slice_of_the_window_is_the_month(month, length):
    window = month_window(month, length)
    assert window.length == length == window.days.size
    assert np.array_equal(window.days[window.keep], window.kept)
    assert (window.kept.astype("datetime64[M]") == month).all()
    assert np.array_equal(window.kept, days(month.astype("M8[D]"), (month + 1).astype("M8[D]")))


def test_another_length_puts_the_month_in_the_middle():
    window = month_window("2021-04", 48)
    assert (window.start, window.stop) == (np.datetime64("2021-03-23"), np.datetime64("2021-05-10"))


def test_near_real_time_keeps_the_last_days():
    window = nrt_window("2021-01-10", 32)
    assert np.array_equal(window.kept, days("2020-12-10", "2021-01-11"))
    assert window.keep == slice(0, 32)


def test_months_join_over_the_year():
    windows = month_windows("2020-11", "2021-03")
    assert np.array_equal(kept_days(windows), days("2020-11-01", "2021-04-01"))


@pytest.mark.parametrize("length", [0, -16, 8, 63, 65])
def test_a_length_that_the_network_cannot_take(length):
    with pytest.raises(InputError, match="multiple of 16"):
        nrt_window("2021-01-10", length)
    with pytest.raises(InputError, match="multiple of 16"):
        month_window("2021-01", length)


def test_a_length_that_cannot_hold_the_month():
    with pytest.raises(InputError, match="cannot hold the 31 days"):
        month_window("2021-01", 16)


@pytest.mark.parametrize(
    ("keep_start", "keep_stop"),
    [
        ("2021-01-05", "2021-01-05"),
        ("2020-12-31", "2021-01-05"),
        ("2021-01-05", "2021-01-18"),
        ("2021-01-06", "2021-01-05"),
    ],
)
def test_kept_days_must_lie_in_the_window(keep_start, keep_stop):
    with pytest.raises(InputError, match="at least a day"):
        Window("2021-01-01", "2021-01-17", keep_start, keep_stop)


def test_a_window_by_hand_has_the_right_length():
    with pytest.raises(InputError, match="window of 15 days"):
        Window("2021-01-01", "2021-01-16", "2021-01-01", "2021-01-16")


def test_windows_must_follow_one_another():
    with pytest.raises(InputError, match="2021-01-31"):
        kept_days([month_window("2021-01"), month_window("2021-03")])
    with pytest.raises(InputError, match="no window"):
        kept_days([])


# Days that are no whole months.


@given(
    first=st.dates(dt.date(1999, 1, 1), dt.date(2060, 1, 1)),
    count=st.integers(1, 200),
    length=st.sampled_from([16, 32, 64, 80]),
    there=st.tuples(st.integers(-300, 300), st.integers(0, 400)),
)
def test_windows_of_any_days_keep_them_all_once_with_context_on_both_sides(first, count, length, there):
    start = np.datetime64(first, "D")
    stop = start + count
    assume(not whole_months(start, stop))
    cube = days(start + there[0], start + there[0] + there[1])
    windows = period_windows(start, stop, cube, length)
    assert np.array_equal(kept_days(windows), days(start, stop))
    assert len(windows) == -(-count // (length // 2))
    for window in windows:
        assert window.length == length
        before, after = window.keep.start, length - window.keep.stop
        if not cube.size or cube.size < length:
            assert abs(before - after) <= 1
            continue
        if abs(before - after) > 1:  # moved: only to where the cube holds days, and no further than it must
            assert window.start == cube[0] or window.stop == cube[-1] + 1 or 0 in (before, after)
        if cube[0] <= window.keep_start and window.keep_stop <= cube[-1] + 1:
            assert cube[0] <= window.start
            assert window.stop <= cube[-1] + 1
        if cube[0] <= window.keep_start - length // 4 and window.keep_stop + length // 4 <= cube[-1] + 1:
            assert min(before, after) >= length // 4


def test_whole_months_have_the_windows_of_months():
    got = period_windows(
        np.datetime64("2020-11-01"), np.datetime64("2021-02-01"), days("2020-01-01", "2022-01-01")
    )
    assert got == month_windows("2020-11", "2021-01")
    with pytest.raises(InputError, match="no day"):
        period_windows(
            np.datetime64("2021-02-01"), np.datetime64("2021-02-01"), days("2021-01-01", "2021-02-01")
        )


def test_days_at_the_end_of_a_cube_have_the_days_before_them_in_their_window():
    there = days("2021-05-01", "2021-08-21")
    (window,) = period_windows(np.datetime64("2021-08-15"), np.datetime64("2021-08-21"), there)
    assert (window.start, window.stop) == (np.datetime64("2021-06-18"), np.datetime64("2021-08-21"))


@pytest.mark.parametrize(
    ("start", "stop", "label", "stem"),
    [
        ("2020-08-15", "2020-08-21", "2020-08-15 to 2020-08-20", "20200815-20200820"),
        ("2020-12-01", "2021-01-01", "2020-12", "202012"),
        ("2020-02-01", "2020-03-01", "2020-02", "202002"),
        ("2020-02-01", "2020-02-29", "2020-02-01 to 2020-02-28", "20200201-20200228"),
        ("2020-11-01", "2021-01-01", "2020-11-01 to 2020-12-31", "20201101-20201231"),
        ("2020-08-15", "2020-08-16", "2020-08-15 to 2020-08-15", "20200815-20200815"),
    ],
)
def test_periods_have_names(start, stop, label, stem):
    period = np.datetime64(start), np.datetime64(stop)
    assert (period_label(*period), period_stem(*period)) == (label, stem)


@pytest.mark.parametrize("length", [None, "64", 64.0])
def test_a_length_that_is_no_number_of_days_is_told(length):
    with pytest.raises(InputError, match=f"a window of {length} days; the network needs a multiple of 16"):
        nrt_window("2021-08-01", length)
