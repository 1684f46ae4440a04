"""Dates of perimeters: one order for a column, numbers of every kind, the fields of inventories."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.labels.date_columns import month_number, read_dates
from banet.labels.perimeter_dates import fire_dates

# Seconds since 1970 of June 2032 and later can be read as a calendar date with an hour.
DAYS = st.dates(dt.date(1985, 1, 1), dt.date(2032, 5, 31))


def column(values):
    return pd.Series(values, name="when")


def said(values, form=None):
    return read_dates(column(values), form=form).astype(str).tolist()


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WRITTEN = {
    "iso": lambda d: d.isoformat(),
    "slashes": lambda d: d.strftime("%Y/%m/%d"),
    "moment": lambda d: d.strftime("%Y-%m-%dT12:30:00Z"),
    "ordinal": lambda d: d.strftime("%Y-%j"),
    "digits": lambda d: d.strftime("%Y%m%d"),
    "english": lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    "yyyymmdd": lambda d: int(d.strftime("%Y%m%d")),
    "yyyyddd": lambda d: int(d.strftime("%Y%j")),
    "yyyymmddhhmm": lambda d: int(d.strftime("%Y%m%d1145")),
    "s": lambda d: (d - dt.date(1970, 1, 1)).days * 86_400 + 40_000,
    "ms": lambda d: ((d - dt.date(1970, 1, 1)).days * 86_400 + 40_000) * 1000,
    "excel": lambda d: (d - dt.date(1899, 12, 30)).days + 0.25,
    "float": lambda d: float(d.strftime("%Y%m%d")),
    "text of GDAL": lambda d: d.strftime("%Y/%m/%d 00:00:00+00"),
    "text of a database": lambda d: f"{d.day:02d}-{MONTHS[d.month - 1][:3].upper()}-{d.year % 100:02d}",
    "year, name, day": lambda d: f"{d.year} {MONTHS[d.month - 1]} {d.day}",
    "date": lambda d: d,
    "datetime": lambda d: pd.Timestamp(d, tz="UTC"),
}


@pytest.mark.parametrize("form", WRITTEN)
@settings(deadline=None)
@given(days=st.lists(DAYS, min_size=1, max_size=8))
def test_a_day_in_every_form_comes_back(form, days):
    got = read_dates(column([WRITTEN[form](day) for day in days]))
    assert got.astype(object).tolist() == days


@settings(deadline=None)
@given(days=st.lists(DAYS, min_size=1, max_size=8), first=st.booleans(), mark=st.sampled_from("/-."))
def test_one_order_holds_for_a_whole_column(days, first, mark):
    pattern = f"%d{mark}%m{mark}%Y" if first else f"%m{mark}%d{mark}%Y"
    values = [day.strftime(pattern) for day in days]
    if all(day.day <= 12 for day in days) and any(day.day != day.month for day in days):
        with pytest.raises(InputError, match="--date-format dmy or mdy"):
            read_dates(column(values))
    else:
        assert read_dates(column(values)).astype(object).tolist() == days
    assert read_dates(column(values), form="dmy" if first else "mdy").astype(object).tolist() == days


def test_eight_digits_with_the_year_last_need_an_order():
    with pytest.raises(InputError, match="the field when has dates such as '02082020', .* --date-format dmy"):
        read_dates(column(["02082020", "03082020"]))


def test_orders_that_contradict_each_other_are_refused():
    with pytest.raises(InputError, match="with the day first and with the month first"):
        read_dates(column(["21/08/2020", "08/21/2020"]))


def test_the_end_may_tell_the_order_of_the_start():
    table = pd.DataFrame(
        {"FIREDATE": ["03/08/2020", "05/08/2020"], "FINALDATE": ["04/08/2020", "28/08/2020"]}
    )
    got = fire_dates(table, "x")
    assert got.start.astype(str).tolist() == ["2020-08-03", "2020-08-05"]
    assert got.uncertainty.tolist() == [1, 23]


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        (["03.08.2020 14:30", "21.08.2020 01:00"], None, ["2020-08-03", "2020-08-21"]),
        (["8/3/2020 2:30 PM", "8/21/2020 12:00:00 AM"], None, ["2020-08-03", "2020-08-21"]),
        (["2020-08-05T23:30:00-07:00", "2020-08-05T00:30:00+02:00"], None, ["2020-08-06", "2020-08-04"]),
        (["Wed Aug 05 2020 10:00:00 GMT", "Aug. 21, 2020"], None, ["2020-08-05", "2020-08-21"]),
        (["5 de agosto de 2020", "21-Août-2020"], None, ["2020-08-05", "2020-08-21"]),
        (["05/08/20"], "%d/%m/%y", ["2020-08-05"]),
        (["05.08.2020.", "21.08.2020. 14:30"], None, ["2020-08-05", "2020-08-21"]),
        (["5. 8. 2020", "21. 8. 2020.", "2020. 08. 22."], None, ["2020-08-05", "2020-08-21", "2020-08-22"]),
        (["21/08/2020 02:30:00 p. m.", "05/08/2020 12:00 a.\u00a0m."], None, ["2020-08-21", "2020-08-05"]),
        (
            ["20200805T143000+0200", "20200805T0030+0200", "20200805T0000+02"],
            None,
            ["2020-08-05", "2020-08-04", "2020-08-05"],
        ),
        (["05AUG20", "05AUG20:14:30:00", "05AUG2014:30"], None, ["2020-08-05", "2020-08-05", "NaT"]),
        (["5 augustus 2020", "21 mei 2020"], None, ["2020-08-05", "2020-05-21"]),
        (["5 Αυγούστου 2020", "21 Μαΐου 2020"], None, ["2020-08-05", "2020-05-21"]),
        (["5 sierpnia 2020", "21 października 2020"], None, ["2020-08-05", "2020-10-21"]),
        (["5 Ağustos 2020", "21 KASIM 2020"], None, ["2020-08-05", "2020-11-21"]),
        (["5 августа 2020 г.", "21 мая 2020"], None, ["2020-08-05", "2020-05-21"]),
        (["5 listopada 2020", "5 sierpnia 2020"], None, ["NaT", "2020-08-05"]),
        # Eight digits are no year and day of year.
        (["02082020", "21082020"], None, ["2020-08-02", "2020-08-21"]),
        (["08022020", "08212020"], None, ["2020-08-02", "2020-08-21"]),
        (["02022020"], None, ["2020-02-02"]),
        (["02082020"], "mdy", ["2020-02-08"]),
        (["02082020"], "%d%m%Y", ["2020-08-02"]),
        ([200805], "%y%m%d", ["2020-08-05"]),
        ([18479], "excel", ["1950-08-04"]),
        ([1000], "s", ["NaT"]),
        ([100_000], "s", ["1970-01-02"]),
        (["2020-08-05", None, "", "n/a", "soon"], None, ["2020-08-05", "NaT", "NaT", "NaT", "NaT"]),
        ([20200805, 0, -1, 99999999, None], None, ["2020-08-05", "NaT", "NaT", "NaT", "NaT"]),
        ([20200805, 20200821, 20200800], None, ["2020-08-05", "2020-08-21", "NaT"]),
        (["0020-08-05", "2020-08-05", "3020-08-05"], None, ["NaT", "2020-08-05", "NaT"]),
        ([2020080512, 2020082100], None, ["2020-08-05", "2020-08-21"]),
    ],
)
def test_dates_as_people_write_them(values, form, expected):
    assert said(values, form) == expected


@pytest.mark.parametrize(
    ("values", "form", "expected", "told"),
    [
        (
            ["2019-12-01T00:00:00+11:00", "2020-06-21T00:00:00+10:00"],
            None,
            ["2019-12-01", "2020-06-21"],
            True,
        ),
        (["01/12/2019 00:00 +11:00", "21/12/2019"], None, ["2019-12-01", "2019-12-21"], True),
        (["1 Dec 2019 12:00:00 AM +11:00", None], None, ["2019-12-01", "NaT"], True),
        (["2019/12/01 0000 +1100"], "%Y/%m/%d %H%M %z", ["2019-12-01"], True),
        # Of a clock, also of a second, the day in UTC counts, and speaks of no other row.
        (
            ["2019-12-01T00:00:00+11:00", "2019-12-21T08:30:00+11:00"],
            None,
            ["2019-12-01", "2019-12-20"],
            True,
        ),
        (["2019-12-01T00:00:30+11:00"], None, ["2019-11-30"], False),
        (["2019/12/01 0030 +1100"], "%Y/%m/%d %H%M %z", ["2019-11-30"], False),
        (["2019-12-01T00:00:00-08:00", "2019-12-02T00:00:00Z"], None, ["2019-12-01", "2019-12-02"], False),
        (
            pd.to_datetime(["2019-12-01", None]).tz_localize("Australia/Sydney"),
            None,
            ["2019-12-01", "NaT"],
            True,
        ),
        (
            pd.to_datetime(["2019-12-01 00:00", "2019-12-01 00:30"]).tz_localize("Australia/Sydney"),
            None,
            ["2019-12-01", "2019-11-30"],
            True,
        ),
        (pd.to_datetime(["2019-12-01"]).tz_localize("America/Lima"), None, ["2019-12-01"], False),
        (pd.to_datetime(["2019-12-01"]), None, ["2019-12-01"], False),
    ],
)
def test_midnight_ahead_of_utc_is_a_day_alone(values, form, expected, told):
    lines: list[str] = []
    got = read_dates(pd.Series(values, name="FIREDATE"), form=form, notice=lines.append)
    assert got.astype(str).tolist() == expected
    assert bool(lines) is told
    table = pd.DataFrame({"FIREDATE": values})
    found = fire_dates(table, "x", date_format=form)
    assert found.start.astype(str).tolist() == expected
    assert any("00:00 ahead of UTC: taken as local days" in note for note in found.notes) is told


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1596549600000, 1597932000000], "14:00"),
        ([1580475600000, 1597932000000], "13:00 or 14:00"),
        ([1596549600, 1597932000], "14:00"),
        (["2020-08-04T22:00:00Z", "2020-08-20T22:00:00Z"], "22:00"),
        (["2020/08/04 22:00:00+00", "2020/12/20 23:00:00+00"], "22:00 or 23:00"),
        (pd.to_datetime(["2020-08-04 18:30", "2020-08-20 18:30"]), "18:30"),
        (["2020-08-04T11:00:00Z", "2020-08-20T12:00:00Z"], "11:00 or 12:00"),
        # A single time tells nothing, noon marks a day, and 07:00 is 00:00 of a zone behind, on the same day.
        ([1596549600000], None),
        ([1596549600000, 1596549600000], None),
        (["2020-08-04T12:00:00Z", "2020-08-20T12:00:00Z"], None),
        ([1596610800000, 1597993200000], None),
        (["2020-08-04T22:00:00Z", "2020-08-20T22:10:00Z"], None),
        (["2020-08-04T20:00:00Z", "2020-08-20T22:00:00Z"], None),
        (["2020-08-04T22:00:00", "2020-08-20T22:00:00"], None),
        (pd.to_datetime(["2020-08-05", "2020-08-21"]).tz_localize("Australia/Sydney"), None),
        (["20200805", "20200821"], None),
    ],
)
def test_times_that_look_like_local_midnights_in_utc_are_told(values, shown):
    lines: list[str] = []
    read_dates(pd.Series(values, name="x"), notice=lines.append)
    told = [line for line in lines if line.startswith("all times of the field x are ")]
    assert len(told) == (shown is not None)
    if shown:
        assert f"x are {shown} UTC, as 00:00 of a zone ahead" in told[0] and "a day early" in told[0]


@pytest.mark.parametrize(
    "text",
    [
        "5-8 August 2020",
        "5/8 August 2020",
        "August 5-8, 2020",
        "de 5 a 8 de agosto de 2020",
        "28 July to 2 August 2020",
        "5 August 2020 - 8 August 2020",
        "July - 2 August 2020",
        "until 5 August 2020",
        "2020 Aug 5-8",
        "2020-08-05 - 2020-08-09",
        "5 Aug 2020 10:30-14:30",
    ],
)
def test_text_of_two_days_is_no_date(text):
    assert said([text, "2020-08-21"]) == ["NaT", "2020-08-21"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05 Aug 2020 23:30 -0700", 6),
        ("Wed, 05 Aug 2020 23:30:00 -0700", 6),
        ("Wed Aug 05 2020 23:30:00 GMT-0700 (Pacific Daylight Time)", 6),
        ("5 August 2020 11:30 PM -07:00", 6),
        ("5 août 2020 à 0:30 +02", 4),
        ("05-AUG-20 23:30 -0700", 6),
        ("2020 Aug 5 23:30 -0700", 6),
        ("21.08.2020 23:30:00 -0700", 22),
        ("2020-08-05 11:30 PM -0700", 6),
        ("mercredi 5 août 2020 à 14h30", 5),
        ("quarta-feira, 5 de agosto de 2020 às 14:30", 5),
        ("Mittwoch, den 5. August 2020", None),
        ("am Mittwoch", None),
        ("05AUG2020:23:30:00", 5),
    ],
)
def test_a_zone_counts_in_every_way_of_writing(text, day):
    assert said([text]) == ["NaT" if day is None else f"2020-08-{day:02d}"]


def test_days_with_which_databases_fill_empty_fields_are_no_dates():
    days = ["1899-12-30", "1900-01-01", "1970-01-01", "9999-12-31", "2020-08-05"]
    expected = [*["NaT"] * 4, "2020-08-05"]
    assert said(days) == expected
    assert said(pd.to_datetime(pd.Series(days[:3] + days[4:]))) == [*expected[:3], expected[4]]
    assert said([19000101, 19700101, 20200805]) == ["NaT", "NaT", "2020-08-05"]


@pytest.mark.parametrize(
    "values", [[1, 2, 3], [218, 234], [2020, 2020], [18479], [200805], [20200805, 43951], [5082020, 21082020]]
)
def test_numbers_that_can_be_no_dates_are_refused(values):
    with pytest.raises(InputError, match=r"the field when holds numbers such as .* no dates of one form"):
        read_dates(column(values))


def test_a_form_that_is_none():
    with pytest.raises(InputError, match="no form of dates 'european'"):
        read_dates(column(["1/2/2020"]), form="european")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("March", 3),
        ("märz", 3),
        ("FEV", 2),
        ("Dez.", 12),
        ("ago", 8),
        ("jui", np.nan),
        ("13", np.nan),
        (8.0, 8),
    ],
)
def test_months_by_name(name, number):
    np.testing.assert_equal(month_number(name), number)


AUGUST_5 = 1596585600000


@pytest.mark.parametrize(
    ("inventory", "fields", "spread"),
    [
        (
            "WFIGS",
            {"attr_FireDiscoveryDateTime": [AUGUST_5], "attr_ContainmentDateTime": [AUGUST_5 + 2 * 864e5]},
            2,
        ),
        ("WFIGS shapefile", {"attr_FireD": ["2020-08-05"], "poly_DateC": ["2021-01-01"]}, np.nan),
        ("WFIGS, perimeter alone", {"poly_DateCurrent": [AUGUST_5]}, np.nan),
        ("NBAC", {"YEAR": [2020], "HS_SDATE": ["2020/08/05"], "HS_EDATE": ["2020/08/09"]}, 4),
        ("NBAC, agency", {"HS_SDATE": [None], "AG_SDATE": ["2020/08/05"], "AG_EDATE": ["2020/08/06"]}, 1),
        ("FRAP", {"ALARM_DATE": [dt.date(2020, 8, 5)], "CONT_DATE": [dt.date(2020, 8, 12)]}, 7),
        ("FEDS", {"fireID": [3], "t": ["2020-08-05T12:00:00"]}, np.nan),
        ("FIRED", {"ignition_date": ["2020-08-05"], "last_date": ["2020-08-15"]}, 10),
        ("FIRED days", {"did": ["1-2"], "ig_date": ["2020-08-01"], "date": ["2020-08-05"]}, np.nan),
        ("EFFIS", {"FIREDATE": ["2020-08-05 13:00:00"], "FINALDATE": ["2020-08-06"]}, 1),
        ("MTBS", {"Ig_Date": [dt.date(2020, 8, 5)]}, np.nan),
        ("MTBS, old", {"Year": [2020], "StartMonth": [8], "StartDay": [5]}, np.nan),
        ("ICNF", {"DHInicio": ["2020-08-05 02:00"], "DHFim": ["2020-08-07 01:00"]}, 2),
        ("GWIS", {"Id": [7], "IDate": ["2020-08-05"], "FDate": ["2020-08-11"]}, 6),
        ("Portugal", {"DataInicio": ["05-AUG-20"], "DataFim": ["06-AUG-20"]}, 1),
        ("CONAF", {"inicio": ["2020/08/05 14:32:00+00"], "extincion": ["2020/08/08 10:00:00+00"]}, 3),
        ("Australia", {"ignition_date": ["2020-08-05"], "extinguish_date": ["2020-08-06"]}, 1),
        ("France", {"date_debut": ["2020-08-05"], "date_fin": ["2020-08-07"]}, 2),
        ("banet", {"id": ["X"], "start": ["2020-08-05"], "end": ["2020-08-08"], "days": [4]}, 3),
        ("history", {"DATE_CUR": ["20200805"], "FIRE_YEAR": ["2020"]}, np.nan),
        ("Greece", {"Date_": ["05/08/2020"], "end": ["25/08/2020"]}, 20),
        ("MTBS, parts", {"Ig_Year": [2020], "Ig_Month": [8], "Ig_Day": [5]}, np.nan),
        ("FPA FOD", {"FIRE_YEAR": [2020], "DISCOVERY_DOY": [218]}, np.nan),
        (
            "USFS",
            {
                "DISCOVERY_DATETIME": ["2020/08/05 14:00:00+00"],
                "FIRE_OUT_DATETIME": ["2020/08/07 01:00:00+00"],
            },
            2,
        ),
        ("ICNF, alert", {"DataHoraAlerta": ["2020-08-05 13:00"], "DHFim": ["2020-08-06 13:00"]}, 1),
        ("ICNF, shapefile", {"DATA_ALERT": ["2020-08-05"], "ANO": [2020]}, np.nan),
        ("Spain", {"FECHAINI": ["2020-08-05"], "FECHAFIN": ["2020-08-06"]}, 1),
        ("outlines and parts", {"DATE_CUR": ["20210105"], "YEAR": [2020], "MONTH": [8], "DAY": [5]}, np.nan),
        ("parts in Spanish", {"ANO": [2020], "MES": [8], "DIA": [5]}, np.nan),
        ("start by day of year", {"year": [2020], "start_doy": [218]}, np.nan),
        ("month by name", {"year": [2020], "month": ["August"]}, 16),
        ("day of year", {"year": [2020], "month": ["August"], "julian_day": [218.0]}, np.nan),
        ("any", {"date": pd.to_datetime(["2020-08-05"]), "year": [2020]}, np.nan),
    ],
)
def test_fields_of_inventories(inventory, fields, spread):
    got = fire_dates(pd.DataFrame(fields), inventory)
    assert got.start.astype(str).tolist() == ["2020-08-16" if spread == 16 else "2020-08-05"]
    np.testing.assert_equal(got.uncertainty[0], spread)


@pytest.mark.parametrize("fields", [{"poly_DateCurrent": [AUGUST_5]}, {"DATE_CUR": ["20200805"]}])
def test_the_day_on_which_an_outline_was_drawn_is_told_to_be_no_start(fields):
    field = next(iter(fields))
    got = fire_dates(pd.DataFrame({**fields, "FIRE_YEAR": ["2020"]}), "x")
    assert got.fields == (field,)
    assert got.notes == (
        f"the field {field} says when an outline was drawn, not when the fire began: dates may be days to "
        "years late",
    )
    assert fire_dates(pd.DataFrame(fields), "x", field).notes == ()


def test_outlines_date_the_rows_without_parts():
    table = pd.DataFrame(
        {
            "poly_DateCurrent": ["2020-08-09", "2020-08-10", None, "2020-08-11"],
            "year": [2020, None, None, 2020],
            "month": [8, None, None, 8],
            "day": [3, None, None, 0],
            "end_date": ["2020-08-07", "2020-08-14", None, None],
        }
    )
    got = fire_dates(table, "x")
    assert got.start.astype(str).tolist() == ["2020-08-03", "2020-08-10", "NaT", "2020-08-16"]
    np.testing.assert_equal(got.uncertainty, [4, 4, np.nan, 16])
    assert got.fields == ("year", "month", "day", "poly_DateCurrent")
    assert got.notes[0] == "1 without a date in year, month, day: dated by poly_DateCurrent"
    assert "when an outline was drawn" in got.notes[1] and len(got.notes) == 2
    either = table.assign(poly_DateCurrent=["20/08/2020", "10/08/2020", None, None])
    assert fire_dates(either, "x").start[1] == np.datetime64("2020-08-10")
    alone = fire_dates(table[:1], "x")
    assert alone.fields == ("year", "month", "day") and alone.notes == () and alone.uncertainty[0] == 4


def test_parts_date_the_rows_without_a_whole_date():
    table = pd.DataFrame(
        {
            "REP_DATE": ["1900/01/01", "2020/08/21", None, None, None],
            "OUT_DATE": ["2020/08/07", None, None, None, "2020/08/01"],
            "YEAR": [2020] * 5,
            "MONTH": [8, 7, 8, 0, 8],
            "DAY": [5, 1, 6, 1, 0],
        }
    )
    got = fire_dates(table, "x")
    assert got.start.astype(str).tolist() == ["2020-08-05", "2020-08-21", "2020-08-06", "NaT", "2020-08-16"]
    np.testing.assert_equal(got.uncertainty, [2, np.nan, np.nan, np.nan, 16])
    assert got.month_only.tolist() == [False] * 4 + [True]
    assert got.fields == ("REP_DATE", "YEAR", "MONTH", "DAY")
    assert got.notes == ("3 without a date in REP_DATE: dated by YEAR, MONTH, DAY",)
    alone = fire_dates(table.assign(REP_DATE=None), "x")
    assert alone.fields == ("YEAR", "MONTH", "DAY") and str(alone.start[1]) == "2020-07-01"
    assert np.isnat(fire_dates(table, "x", "REP_DATE").start).tolist() == [True, False, True, True, True]


def test_the_fields_used_are_told():
    table = pd.DataFrame({"HS_SDATE": ["2020/08/05", None], "AG_SDATE": ["2020/08/01", "2020/08/06"]})
    assert fire_dates(table, "x").fields == ("HS_SDATE", "AG_SDATE")
    assert fire_dates(table[1:], "x").fields == ("AG_SDATE",)
    assert fire_dates(table[:1], "x").fields == ("HS_SDATE",)


def test_options_name_the_fields():
    table = pd.DataFrame({"FIREDATE": ["1999-01-01"], "seen": ["05/08/2020"], "out": ["07/08/2020"]})
    got = fire_dates(table, "x", "SEEN", end_field="out", date_format="dmy")
    assert (str(got.start[0]), got.uncertainty[0]) == ("2020-08-05", 2)
    with pytest.raises(InputError, match="no field gone"):
        fire_dates(table, "x", end_field="gone")


def test_an_end_before_the_start_is_told_and_not_used():
    table = pd.DataFrame(
        {"FIREDATE": ["2020-08-05", "2020-08-05"], "FINALDATE": ["2020-08-01", "2020-08-06"]}
    )
    got = fire_dates(table, "x")
    np.testing.assert_equal(got.uncertainty, [np.nan, 1])
    assert got.notes == ("1 end (FINALDATE) before they start: their end is not used",)


def test_other_dates_of_unknown_fields_do_not_stand_in_for_a_missing_start():
    got = fire_dates(pd.DataFrame({"start_date": ["2020-08-05", None], "date": ["2021-01-01"] * 2}), "x")
    assert got.start.astype(str).tolist() == ["2020-08-05", "NaT"]


@pytest.mark.parametrize("odd", [17, "contained"])
def test_an_end_that_nobody_named_and_that_is_none_is_left_out_and_told(odd):
    table = pd.DataFrame({"MyDate": ["2020-08-05"], "end": [odd]})
    got = fire_dates(table, "x", "MyDate")
    assert str(got.start[0]) == "2020-08-05" and np.isnan(got.uncertainty[0])
    assert got.fields == ("MyDate",)
    assert got.notes == (f"the field end holds no date, such as '{odd}': ends of fires are not known",)
    if odd == 17:
        with pytest.raises(InputError, match="the field end holds numbers such as 17"):
            fire_dates(table, "x", "MyDate", end_field="end")


def test_an_end_of_unknown_order_is_asked_for():
    table = pd.DataFrame({"MyDate": ["2020-08-05"], "end": ["07/08/2020"]})
    with pytest.raises(InputError, match="say --date-format dmy or mdy"):
        fire_dates(table, "x", "MyDate")


def test_a_form_for_a_field_of_dates_is_told_not_to_be_used():
    table = pd.DataFrame({"FIREDATE": pd.to_datetime(["2020-08-05"])})
    got = fire_dates(table, "x", date_format="%d/%m/%y")
    assert str(got.start[0]) == "2020-08-05"
    assert got.notes == ("the field FIREDATE is one of dates: --date-format is not used for it",)


def test_months_alone_are_marked():
    table = pd.DataFrame({"year": [2020, 2020], "month": [8, 8], "day": [0, 16]})
    got = fire_dates(table, "x")
    assert got.start.astype(str).tolist() == ["2020-08-16"] * 2
    assert got.month_only.tolist() == [True, False]
    assert got.only(np.array([False, True])).month_only.tolist() == [False]
