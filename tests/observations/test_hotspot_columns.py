"""Columns of hot-spot tables that say one thing twice, or in other words than those of another file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from banet.errors import InputError, UnreadableFileError
from banet.observations.hotspots import read_hotspots

HEAD = "latitude,longitude,acq_date,acq_time,satellite,version,frp"


def read(path: Path, *rows: str, head: str = HEAD) -> pd.DataFrame:
    path.write_text("\n".join([head, *rows]) + "\n")
    return read_hotspots(path)


def dated(date: str, time: str, longitude: str = "-8.155", satellite: str = "N", version: str = "2") -> str:
    return f"39.655,{longitude},{date},{time},{satellite},{version},10.5"


# Time of day.


@pytest.mark.parametrize(
    ("date", "time", "moment"),
    [
        ("2020-08-05 13:40", "1340", "2020-08-05 13:40"),
        ("2020-08-05T13:40:00Z", "1340", "2020-08-05 13:40"),
        ("2020-08-05T13:40:25", "13:40", "2020-08-05 13:40:25"),
        ("2020-08-05T13:39:59.9", "1340", "2020-08-05 13:39:59.9"),
        ("2020-08-05T15:40+02:00", "1340", "2020-08-05 13:40"),
        ("2020-08-05 22:10:00-0330", "0140", "2020-08-06 01:40"),
        ("2020-08-05T00:30+02", "2230", "2020-08-04 22:30"),
        ("2020-08-05T02:00+02:00", "1340", "2020-08-05 13:40"),
        ("2020-08-05 00:00:00", "1340", "2020-08-05 13:40"),
        ("2020-08-05", "1340", "2020-08-05 13:40"),
        ("2020-08-05 13:40", "", "2020-08-05 13:40"),
        ("2020-08-05 13:40", "0000", "2020-08-05 13:40"),
    ],
)
def test_a_time_of_day_counts_once(tmp_path: Path, date: str, time: str, moment: str) -> None:
    table = read(tmp_path / "x.csv", dated(date, time))
    assert table["time"].tolist() == [pd.Timestamp(moment)]
    assert table.attrs["notes"] == ()


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("2020-08-05 13:40", "0230"),
        ("2020-08-05 13:40", "1341"),
        ("2020-08-05T13:40+02:00", "1340"),
        ("2020-08-05T00:00+02:00", "1340"),
    ],
)
def test_two_times_of_day_are_refused(tmp_path: Path, date: str, time: str) -> None:
    with pytest.raises(InputError, match="different times of day") as told:
        read(tmp_path / "x.csv", dated("2020-08-04", "10"), dated(date, time))
    assert f"x.csv, line 3: acq_date {date} and acq_time {int(time)} " in str(told.value)
    assert "\n" not in str(told.value)


def test_a_moment_without_a_time_takes_that_of_the_column_beside_it(tmp_path: Path) -> None:
    head = "latitude,longitude,acq_datetime,acq_time,frp"
    table = read(tmp_path / "x.csv", "40,-8,2020-08-05,1340,1", "40,-8,2020-08-06T02:30Z,230,1", head=head)
    assert table["time"].tolist() == [pd.Timestamp("2020-08-05 13:40"), pd.Timestamp("2020-08-06 02:30")]


@pytest.mark.parametrize("date", ["2020-08-05+02:00", "2020-08-05T13:40+15:00", "2020-08-05T13:40+01:75"])
def test_an_offset_that_can_not_be_is_no_date(tmp_path: Path, date: str) -> None:
    with pytest.raises(InputError, match="is no date that can be"):
        read(tmp_path / "x.csv", dated(date, "1340"))


@pytest.mark.parametrize("milliseconds", [1596634800000, 1596585600000])
def test_a_date_of_arcgis_with_and_without_a_time(tmp_path: Path, milliseconds: int) -> None:
    kinds = {"acq_date": "Date", "acq_time": "String", "frp": "Double"}
    held = {
        "geometryType": "esriGeometryPoint",
        "spatialReference": {"wkid": 4326},
        "fields": [{"name": name, "type": f"esriFieldType{kind}"} for name, kind in kinds.items()],
        "features": [
            {
                "attributes": {"acq_date": milliseconds, "acq_time": "1340", "frp": 10.5},
                "geometry": {"x": -8.155, "y": 39.655},
            }
        ],
    }
    (tmp_path / "x.json").write_text(json.dumps(held))
    assert read_hotspots(tmp_path / "x.json")["time"].tolist() == [pd.Timestamp("2020-08-05 13:40")]


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_a_moment_of_a_vector_file_counts_once(tmp_path: Path, ending: str) -> None:
    held = {
        "acq_date": pd.to_datetime(["2020-08-05 13:40", "2020-08-06 00:00"]),
        "acq_time": ["1340", "0230"],
    }
    points = gpd.points_from_xy([-8.155, -8.1], [39.655, 39.7])
    gpd.GeoDataFrame({**held, "frp": [1.0, 2.0]}, geometry=points, crs=4326).to_file(tmp_path / f"x.{ending}")
    times = read_hotspots(tmp_path / f"x.{ending}")["time"].tolist()
    assert times == [pd.Timestamp("2020-08-05 13:40"), pd.Timestamp("2020-08-06 02:30")]


# Names of columns.


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ("date", "2021-02-01"),
        ("yyyymmdd", "20210201"),
        ("time", "10:00"),
        ("hhmm", "1000"),
        ("Lat", "40"),
        ("lon", "-8"),
        ("sat", "N20"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_the_column_of_that_very_name_wins(tmp_path: Path, other: str, value: str, before: bool) -> None:
    row, names = dated("2020-08-05", "1340"), (other, HEAD)
    plain = read(tmp_path / "plain.csv", row)
    held = (value, row)
    step = 1 if before else -1
    table = read(tmp_path / "x.csv", ",".join(held[::step]), head=",".join(names[::step]))
    pd.testing.assert_frame_equal(table, plain)


def test_of_two_other_words_for_a_column_neither_is_guessed(tmp_path: Path) -> None:
    head = "lat,long,lon,date,frp"
    with pytest.raises(InputError, match="columns long and lon, which differ and may each be longitude"):
        read(tmp_path / "x.csv", "40,-8,-8.5,2020-08-05,1", head=head)
    assert read(tmp_path / "x.csv", "40,-8,-8,2020-08-05,1", head=head)["longitude"].tolist() == [-8]


# One detection in two spellings.


@pytest.mark.parametrize("version", ["2", "2.0NRT"])
def test_a_copy_in_longitudes_from_0_to_360_counts_once(tmp_path: Path, version: str) -> None:
    for name, longitude, kind in (("a", "-8.155", "2"), ("b", "351.845", version)):
        read(tmp_path / f"{name}.csv", dated("2020-08-05", "1340", longitude, version=kind))
    table = read_hotspots(tmp_path)
    assert table["longitude"].tolist() == [-8.155]
    assert table.attrs["counts"].left_out[0][1] == 1


def test_a_copy_in_one_file_counts_once_and_the_antimeridian_is_one_line(tmp_path: Path) -> None:
    rows = [
        dated("2020-08-05", "1340", place) for place in ("-8.15512", "351.84488", "180", "-180", "179.99")
    ]
    table = read(tmp_path / "x.csv", *rows)
    assert sorted(table["longitude"]) == [-180, -8.15512, 179.99]


def test_a_copy_under_another_name_of_its_satellite_counts_once(tmp_path: Path) -> None:
    for number, name in enumerate(("N", "VIIRS_SNPP", "suomi npp", "NPP-375D")):
        read(tmp_path / f"{number}.csv", dated("2020-08-05", "1340", satellite=name))
    read(tmp_path / "other.csv", dated("2020-08-05", "1340", satellite="NOAA-20"))
    assert sorted(read_hotspots(tmp_path)["satellite"]) == ["N", "N20"]


ROWS = (
    {"latitude": 40.3012, "longitude": -7.7012, "acq_date": 1596585600000, "acq_time": "0230", "frp": 5.5},
    {"latitude": 40.3112, "longitude": -7.7012, "acq_date": 1596585600000, "acq_time": "1330", "frp": 10.25},
)
TIMES = ["2020-08-05T02:30", "2020-08-05T13:30"]


def times(table) -> list[str]:
    return [str(time)[:16] for time in table["time"].to_numpy()]


@pytest.mark.parametrize("ending", ["ndjson", "jsonl", "ndjson.gz"])
def test_a_row_a_line_of_json(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    text = "".join(f"{json.dumps(row)}\r\n" for row in ROWS).encode()
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    for given in (path, tmp_path):
        assert times(read_hotspots(given)) == TIMES
    features = [
        {
            "type": "Feature",
            "properties": {name: row[name] for name in ("acq_date", "acq_time", "frp")},
            "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
        }
        for row in ROWS
    ]
    text = "\n".join(map(json.dumps, features)).encode()
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    assert times(read_hotspots(path)) == TIMES
    for cut in (text[:-20], b""):
        path.write_bytes(gzip.compress(cut) if ending.endswith("gz") else cut)
        with pytest.raises(UnreadableFileError, match="is no JSON"):
            read_hotspots(path)


def test_milliseconds_of_arcgis_and_the_columns_of_inpe(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ROWS))
    assert times(read_hotspots(path)) == TIMES
    path = tmp_path / "focos.csv"
    head = "lat,lon,data_hora_gmt,satelite,municipio,frp"
    rows = ("40.3,-7.7,2020-08-05 02:30:00,NPP-375D,X,5.5", "40.3,-7.7,2020-08-05 13:30:00,AQUA_M-T,X,1")
    table = read(path, *rows, head=head)
    assert times(table) == TIMES
    assert table["satellite"].tolist() == ["N", "Aqua"]


def test_a_web_page_is_told_as_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("<html>")
    with pytest.raises(UnreadableFileError, match=r"^the hot-spot file a.csv is a web page"):
        read_hotspots(path)
