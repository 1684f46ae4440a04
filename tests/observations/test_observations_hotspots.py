"""Hot spots: every dialect of FIRMS, every broken table, and FRP on the grid against a plain loop."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.observations.hotspots import COLUMNS, coverage, covers, fires_of, grid_frp, read_hotspots

PLACE = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite"
SP = f"{PLACE},instrument,confidence,version,bright_ti5,frp,daynight,type"
NRT = f"{PLACE},confidence,version,bright_ti5,frp,daynight"
REGION = Region("T", (21, 37, 22, 38), 0.01)
DAY = np.datetime64("2021-08-06")


def table_of(tmp_path: Path, text: str, name: str = "fires.csv") -> pd.DataFrame:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_hotspots(path)


def sp(
    date: str = "2021-08-06", time: str = "5", frp: str = "1.5", kind: str = "0", lat: str = "37.5"
) -> str:
    return f"{lat},21.5,310,0.4,0.4,{date},{time},N,VIIRS,n,2,290,{frp},N,{kind}"


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


# Dialects.


@pytest.mark.parametrize(
    ("written", "minute"),
    [
        ("5", 5),
        ("55", 55),
        ("110", 70),
        ("0005", 5),
        ("2359", 1439),
        ("0", 0),
        ("01:10", 70),
        ("1:10", 70),
        ("01:10:30", 70),
    ],
)
def test_times_in_every_form(tmp_path: Path, written: str, minute: int) -> None:
    table = table_of(tmp_path, lines(SP, sp(time=written)))
    assert table["time"][0] == np.datetime64("2021-08-06T00:00") + np.timedelta64(minute, "m")
    assert table["time"].dtype == "datetime64[ns]"


@pytest.mark.parametrize("written", ["2021-08-06", "2021/08/06", "20210806"])
def test_dates_in_every_form(tmp_path: Path, written: str) -> None:
    assert table_of(tmp_path, lines(SP, sp(date=written)))["time"][0] == np.datetime64("2021-08-06T00:05")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("l", 10),
        ("n", 50),
        ("h", 90),
        ("low", 10),
        ("Nominal", 50),
        ("high", 90),
        ("0", 0),
        ("87", 87),
        ("", np.nan),
    ],
)
def test_confidence_in_every_form(tmp_path: Path, written: str, value: float) -> None:
    row = f"37.5,21.5,310,0.4,0.4,2021-08-06,00:05,N,{written},2.0NRT,290,1.5,N"
    np.testing.assert_equal(table_of(tmp_path, lines(NRT, row))["confidence"][0], float(value))


@pytest.mark.parametrize(
    ("written", "satellite", "instrument"),
    [
        ("N", "N", "VIIRS"),
        ("1", "N20", "VIIRS"),
        ("N21", "N21", "VIIRS"),
        ("Aqua", "Aqua", "MODIS"),
        ("T", "Terra", "MODIS"),
        ("Suomi-NPP", "N", "VIIRS"),
        ("noaa 21", "N21", "VIIRS"),
        ("VIIRS_SNPP", "N", "VIIRS"),
        ("viirs_noaa20", "N20", "VIIRS"),
        ("VIIRS_NOAA21", "N21", "VIIRS"),
        ("Suomi NPP", "N", "VIIRS"),
        ("SNPP", "N", "VIIRS"),
        ("npp", "N", "VIIRS"),
        ("NOAA-20 VIIRS", "N20", "VIIRS"),
        ("n20", "N20", "VIIRS"),
        ("J1", "N20", "VIIRS"),
        ("JPSS-1", "N20", "VIIRS"),
        ("JPSS-2", "N21", "VIIRS"),
        ("VNP", "N", "VIIRS"),
        ("VJ1", "N20", "VIIRS"),
        ("VJ2", "N21", "VIIRS"),
        ("NPP-375", "N", "VIIRS"),
        ("NPP-375D", "N", "VIIRS"),
        ("NOAA-20D", "N20", "VIIRS"),
        ("NOAA-21D", "N21", "VIIRS"),
        ("AQUA_M-T", "Aqua", "MODIS"),
        ("TERRA_M-M", "Terra", "MODIS"),
        ("MODIS_Terra", "Terra", "MODIS"),
        ("GOES-16", "GOES-16", ""),
        ("VIIRS", "VIIRS", ""),
    ],
)
def test_satellites_in_every_form(tmp_path: Path, written: str, satellite: str, instrument: str) -> None:
    row = f"37.5,21.5,310,0.4,0.4,2021-08-06,00:05,{written},n,2.0NRT,290,1.5,N"
    table = table_of(tmp_path, lines(NRT, row))
    assert (table["satellite"][0], table["instrument"][0]) == (satellite, instrument)
    assert table["type"].isna().all()


def test_the_columns_are_always_the_same(tmp_path: Path) -> None:
    for name, text in (
        ("sp", lines(SP, sp())),
        ("short", "Lat,Lon,FRP,datetime\n37.5,21.5,2,2021-08-06 10:00:00\n"),
    ):
        table = table_of(tmp_path, text, f"{name}.csv")
        assert tuple(table.columns) == COLUMNS
        assert [str(table[c].dtype) for c in ("longitude", "latitude", "frp", "confidence")] == [
            "float64"
        ] * 4
        assert str(table["type"].dtype) == "Int8"
        assert table["time"].dt.tz is None


def test_capitals_and_a_moment_in_one_column(tmp_path: Path) -> None:
    table = table_of(
        tmp_path, "Lat,Lon,FRP,datetime\n37.5,21.5,2.5,2020-09-05 10:48:30\n37.5,21.6,3,2020-09-05T11:00Z\n"
    )
    assert table["time"].tolist() == [pd.Timestamp("2020-09-05 10:48:30"), pd.Timestamp("2020-09-05 11:00")]
    assert table["satellite"].tolist() == ["", ""]


def test_a_table_that_was_saved_comes_back(tmp_path: Path) -> None:
    first = table_of(tmp_path, lines(SP, sp(), sp(time="110", kind="2")))
    first.to_csv(tmp_path / "again.csv", index=False)
    again = read_hotspots(tmp_path / "again.csv")
    pd.testing.assert_frame_equal(first, again, check_like=True)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_decimal_commas(tmp_path: Path, separator: str, quote: str) -> None:
    header = separator.join(["latitude", "longitude", "frp", "acq_date", "acq_time"])
    row = separator.join([f"{quote}37,5{quote}", "21,25", f"{quote}-0,5{quote}", "2021-08-06", "0105"])
    other = separator.join(["37,6", "21", "1,25", "2021-08-06", "0105"])
    table = table_of(tmp_path, lines(header, row, other))
    assert table["latitude"].tolist() == [37.5, 37.6]
    assert table["longitude"].tolist() == [21.25, 21.0]
    assert table["frp"][1] == 1.25


def test_quoted_decimal_commas_in_a_comma_separated_file(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'latitude,longitude,frp,acq_date\n"37,5","21,25","1,5",2021-08-06\n')
    assert table.loc[0, ["latitude", "longitude", "frp"]].tolist() == [37.5, 21.25, 1.5]


def test_a_mark_of_byte_order_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert len(table_of(tmp_path, "\ufeff" + lines(SP, sp()))) == 1


# Files and folders.


def test_a_folder_is_read_whole_but_for_its_readme(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(lines(SP, sp(time="30")))
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.TXT").write_text(
        lines(NRT, "37.5,21.5,1,1,1,2021-08-06,00:10,1,low,2.0NRT,2,3,N")
    )
    (tmp_path / "Readme.txt").write_text("Thank you for using FIRMS")
    (tmp_path / "map.png").write_bytes(b"\x89PNG")
    table = read_hotspots(tmp_path)
    assert table["satellite"].tolist() == ["N20", "N"]
    assert table.attrs["inputs"] == ("a.csv", "b.TXT")
    assert (
        read_hotspots([tmp_path / "a.csv", str(tmp_path / "below")])["frp"].tolist() == table["frp"].tolist()
    )


def test_exact_copies_are_removed_and_the_one_that_knows_its_type_stays(tmp_path: Path) -> None:
    bare = "latitude,longitude,acq_date,acq_time,satellite,frp\n37.5,21.5,2021-08-06,5,N,1.5\n"
    (tmp_path / "a.csv").write_text(bare)
    (tmp_path / "b.csv").write_text(lines(SP, sp(kind="2"), sp(kind="2"), sp(frp="2")))
    table = read_hotspots(tmp_path)
    assert table["frp"].tolist() == [1.5, 2.0]
    assert table["type"].tolist() == [2, 0]
    assert table.attrs["notes"] == ("2 duplicate rows left out",)


def test_a_copy_that_does_not_name_its_satellite_counts_once(tmp_path: Path) -> None:
    head = "latitude,longitude,acq_date,acq_time,satellite,frp\n"
    (tmp_path / "a.csv").write_text(f"{head}37.5,21.5,2021-08-06,5,,1.5\n37.6,21.5,2021-08-06,5,,1.5\n")
    (tmp_path / "b.csv").write_text(f"{head}37.5,21.5,2021-08-06,5,N,1.5\n37.5,21.5,2021-08-06,5,1,1.5\n")
    table = read_hotspots(tmp_path)
    assert sorted(zip(table["latitude"], table["satellite"], strict=True)) == [
        (37.5, "N"),
        (37.5, "N20"),
        (37.6, ""),
    ]
    assert table.attrs["notes"] == ("1 duplicate rows left out",)


def test_near_real_time_rows_give_way_to_standard_ones(tmp_path: Path) -> None:
    near = "37.503,21.498,310,0.4,0.4,2021-08-06,00:05,N,nominal,2.0NRT,290,1.4,N"
    other_overpass = "37.503,21.498,310,0.4,0.4,2021-08-06,01:46,N,nominal,2.0NRT,290,1.4,N"
    other_satellite = "37.503,21.498,310,0.4,0.4,2021-08-06,00:05,1,nominal,2.0NRT,290,1.4,N"
    elsewhere = "37.6,21.498,310,0.4,0.4,2021-08-06,00:05,N,nominal,2.0NRT,290,1.4,N"
    (tmp_path / "nrt.txt").write_text(lines(NRT, near, other_overpass, other_satellite, elsewhere))
    assert len(read_hotspots(tmp_path)) == 4
    (tmp_path / "sp.csv").write_text(lines(SP, sp()))
    table = read_hotspots(tmp_path)
    assert len(table) == 4
    assert table["frp"].tolist().count(1.4) == 3
    assert table.attrs["notes"] == ("1 other versions of a detection in another file left out",)


# What cannot be used.


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", UnreadableFileError, "is empty"),
        ("\n\n", UnreadableFileError, "is empty"),
        ("<html><body>Login</body></html>", UnreadableFileError, "is a web page"),
        ("Invalid MAP_KEY.", UnreadableFileError, "is no table; it begins with 'Invalid MAP_KEY.'"),
        ("lat,lon,acq_date\n1,2,2021-08-06\n", InputError, "lacks the column frp; it holds latitude"),
        ("a,b\n1,2\n", InputError, "lacks the column latitude, longitude, frp, acq_date"),
        ("latitude,longitude,frp,acq_date\n37,5,21,5,1,2021-08-06\n", UnreadableFileError, "decimal commas"),
        (lines(SP, sp(lat="abc")), InputError, "line 2: latitude 'abc' is no number"),
        (lines(SP, sp(lat='"1.234,5"')), InputError, "line 2: latitude '1.234,5' is no number"),
        (lines(SP, sp(lat="137.5")), InputError, "line 2: latitude 137.5 is not in -90..90"),
        (lines(SP, sp(frp="inf")), InputError, "line 2: frp inf"),
        (lines(SP, sp(date="06.08.2021")), InputError, "acq_date '06.08.2021' is no date"),
        (lines(SP, sp(date="2021-13-01")), InputError, "acq_date '2021-13-01' is no date"),
        (lines(SP, sp(time="2460")), InputError, "acq_time .*2460.* is no time"),
        (lines(SP, sp(time="noon")), InputError, "acq_time 'noon' is no time"),
        (lines(SP, sp(kind="7")), InputError, "type .*7.* is not 0"),
        (lines(SP, sp().replace(",n,2,", ",maybe,2,")), InputError, "confidence 'maybe' is neither"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_in_one_line(tmp_path: Path, text: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message) as told:
        table_of(tmp_path, text)
    assert "fires.csv" in str(told.value)
    assert "\n" not in str(told.value)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    head = SP.encode() + b"\n"
    for content in (b"\xff\xfe\x00\x01" * 10, head + b"\xff\xfe,\x00\n" * 3, b"\xff\xfe" + head, b"\xe9\x00"):
        (tmp_path / "fires.csv").write_bytes(content)
        with pytest.raises(UnreadableFileError, match=r"fires\.csv"):
            read_hotspots(tmp_path / "fires.csv")


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no hot-spot table"):
        read_hotspots(tmp_path)
    with pytest.raises(NotFoundError, match="does not exist"):
        read_hotspots(tmp_path / "none.csv")
    with pytest.raises(InputError, match="no hot-spot file was given"):
        read_hotspots([])


def test_rows_without_position_date_or_power_are_noted(tmp_path: Path) -> None:
    table = table_of(
        tmp_path, lines(SP, sp(), sp(lat=""), sp(date=""), sp(frp="", time="6"), sp(frp="-3", time="7"))
    )
    assert len(table) == 3
    assert table["frp"].isna().tolist() == [False, True, True]
    assert table.attrs["notes"] == (
        "2 without position or time (fires.csv) left out",
        "fires.csv: 2 rows without a fire radiative power count as 0 MW",
    )
    assert grid_frp(table, REGION, DAY).sum() == np.float32(1.5)


def test_a_header_alone_is_a_table_that_covers_no_day(tmp_path: Path) -> None:
    table = table_of(tmp_path, SP + "\n")
    assert len(table) == 0
    assert not covers(table, DAY)
    with pytest.raises(InputError, match="holds no row"):
        coverage(table)
    assert fires_of(table, REGION, DAY)[0] is None
    both = read_hotspots([tmp_path / "fires.csv", _write(tmp_path / "b.csv", lines(SP, sp()))])
    assert coverage(both) == (DAY, DAY)


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_days_between_two_files_are_unknown(tmp_path: Path) -> None:
    for name, date in (("a", "2020-07-01"), ("b", "2020-07-20"), ("c", "2021-08-06")):
        _write(tmp_path / f"{name}.csv", lines(SP, sp(date=date)))
    table = read_hotspots(tmp_path)
    assert coverage(table) == (np.datetime64("2020-07-01"), DAY)
    assert covers(table, np.datetime64("2020-07-20"))
    assert not covers(table, np.datetime64("2020-07-10"))
    assert fires_of(table, REGION, np.datetime64("2021-01-01")) == (
        None,
        ["the hot spots do not cover this day"],
    )
    assert fires_of(None, REGION, DAY) == (None, ["no hot spots were given"])


# The grid.

points = st.tuples(
    st.floats(20.9, 22.1),
    st.floats(36.9, 38.1),
    st.integers(-60, 25 * 60),
    st.floats(0, 500),
    st.sampled_from([None, 0, 1, 2, 3]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(points, max_size=30), st.booleans())
def test_power_is_summed_as_a_loop_would(rows: list[tuple], vegetation_only: bool) -> None:
    table = pd.DataFrame(
        {
            "longitude": np.array([row[0] for row in rows], float),
            "latitude": np.array([row[1] for row in rows], float),
            "time": np.array([DAY.astype("M8[m]") + np.timedelta64(row[2], "m") for row in rows], "M8[ns]"),
            "frp": np.array([row[3] for row in rows], float),
            "type": pd.array([row[4] for row in rows], dtype="Int8"),
        }
    )
    small = Region("S", (21, 37, 22, 38), 0.25)
    expected = np.zeros(small.shape)
    for lon, lat, minute, frp, kind in rows:
        burns = kind in (None, 0) or not vegetation_only
        row, col, inside = (value[()] for value in small.cells_of(lon, lat))
        if burns and inside and 0 <= minute < 24 * 60:
            expected[row, col] += frp
    result = grid_frp(table, small, DAY, vegetation_only=vegetation_only)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-30)


def test_a_day_is_a_utc_day(tmp_path: Path) -> None:
    rows = [
        sp(date="2021-08-05", time="2359"),
        sp(time="0"),
        sp(time="2359", frp="2"),
        sp(date="2021-08-07", time="0"),
    ]
    table = table_of(tmp_path, lines(SP, *rows))
    assert grid_frp(table, REGION, DAY).sum() == 3.5
    assert grid_frp(table, REGION, "2021-08-08").sum() == 0


def test_both_halves_of_a_region_across_the_antimeridian_burn(tmp_path: Path) -> None:
    fiji = Region("F", (179.5, -17, -179.5, -16), 0.1)
    text = "latitude,longitude,frp,acq_date\n-16.55,179.95,1,2021-08-06\n-16.55,-179.95,2,2021-08-06\n"
    plane = grid_frp(table_of(tmp_path, text), fiji, DAY)
    assert plane[5].tolist() == [0, 0, 0, 0, 1, 2, 0, 0, 0, 0]


# Real files.


@pytest.mark.real
def test_real_files_have_every_row_and_every_megawatt(real: Path) -> None:
    for path in sorted((real / "firms").iterdir()):
        with path.open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        table = read_hotspots(path)
        assert len(table) == len(rows), path.name
        key = "frp" if "frp" in rows[0] else "FRP"
        assert table["frp"].sum() == pytest.approx(sum(float(row[key]) for row in rows)), path.name
        if "acq_time" in rows[0]:
            clock = [row["acq_time"].replace(":", "").zfill(4) for row in rows]
            written = sorted(
                f"{row['acq_date']}T{time[:2]}:{time[2:]}" for row, time in zip(rows, clock, strict=True)
            )
            assert written == sorted(table["time"].dt.strftime("%Y-%m-%dT%H:%M"))
            assert table["confidence"].notna().all()
            assert set(table["instrument"]) == {"MODIS" if "MODIS" in path.name else "VIIRS"}
        if "type" in rows[0]:
            assert sorted(int(row["type"]) for row in rows) == sorted(table["type"].astype(int))


@pytest.mark.real
def test_real_fires_of_a_day_on_a_grid(real: Path) -> None:
    paths = sorted((real / "firms").glob("VIIRS_*_SP_2021-08-06.csv"))
    greece = Region("GR", (21.8, 37.17, 24.6, 38.5), 0.01)
    table = read_hotspots(paths)
    total = {True: 0.0, False: 0.0}
    for path in paths:
        with path.open() as stream:
            for row in csv.DictReader(stream):
                inside = 21.8 <= float(row["longitude"]) < 24.6 and 37.17 < float(row["latitude"]) <= 38.5
                if inside and row["acq_date"] == "2021-08-07":
                    total[False] += float(row["frp"])
                    total[True] += float(row["frp"]) * (row["type"] == "0")
    for vegetation_only, expected in total.items():
        plane = grid_frp(table, greece, "2021-08-07", vegetation_only=vegetation_only)
        assert plane.sum(dtype=float) == pytest.approx(expected, rel=1e-6)
    assert total[True] > 0
    assert total[False] > total[True]
