"""Hot spots as people have them: containers, versions, quiet days, other places, impossible values."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import h5py
import numpy as np
import pandas as pd
import pytest

from banet.days import Days
from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.grid.region import Region
from banet.io.counts import Counts
from banet.observations.hotspots import covers, fires_of, grid_frp, read_hotspots, tell_placed

REGION = Region("PT", (-8.0, 39.5, -7.0, 40.5), 0.01)
DAY = np.datetime64("2020-08-05")
HEAD = (
    "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,"
    "bright_ti5,frp,daynight"
)


def row(lat=40.0012, lon=-7.5012, day="2020-08-05", time="0230", satellite="N", version="2.0NRT", frp=5.5):
    return f"{lat},{lon},340.1,0.39,0.36,{day},{time},{satellite},VIIRS,n,{version},295.1,{frp},N"


def write(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def placed(table: pd.DataFrame, region: Region, days: Days, **how: bool) -> Counts:
    return tell_placed(table, region, days, lambda note: None, **how)


def total(*paths: Path, day=DAY, region=REGION) -> float:
    return float(grid_frp(read_hotspots(paths), region, day).sum())


# Containers and dialects.

TWO = (row(), row(40.0112, time="1330", frp=10.25))


def frame() -> gpd.GeoDataFrame:
    table = pd.read_csv(io.StringIO("\n".join([HEAD, *TWO])), dtype={"acq_time": str})
    return gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(table.longitude, table.latitude), crs="EPSG:4326"
    )


def as_shapefile(folder: Path) -> Path:
    held = frame().rename(columns={name: name.upper() for name in frame().columns if name != "geometry"})
    held["ACQ_DATE"] = pd.to_datetime(held["ACQ_DATE"]).dt.date
    held.to_file(folder / "fire_archive.shp")
    (folder / "Readme.txt").write_text("Thank you")
    return folder


def as_vector(ending: str):
    def make(folder: Path) -> Path:
        bare = frame().drop(columns=["latitude", "longitude"])
        bare.to_file(folder / f"fires.{ending}", **({"driver": "GeoJSON"} if "json" in ending else {}))
        return folder / f"fires.{ending}"

    return make


def as_json(folder: Path) -> Path:
    path = folder / "fires.json"
    path.write_text(json.dumps(frame().drop(columns="geometry").to_dict("records")))
    return path


def as_zip(folder: Path) -> Path:
    path = folder / "DL_FIRE.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fire_archive.csv", "\n".join([HEAD, *TWO]))
        archive.writestr("Readme.txt", "Thank you for using FIRMS")
    return path


def as_gzip(folder: Path) -> Path:
    path = folder / "fires.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEAD, *TWO]).encode()))
    return path


def as_plain_parquet(folder: Path) -> Path:
    held = pd.DataFrame(frame().drop(columns="geometry"))
    held["acq_date"] = pd.to_datetime(held["acq_date"])
    held.to_parquet(folder / "fires.parquet")
    return folder / "fires.parquet"


def as_old_mac_text(folder: Path) -> Path:
    (folder / "fires.csv").write_bytes("\r".join([HEAD, *TWO]).encode())
    return folder / "fires.csv"


def as_monthly_viirs(folder: Path) -> Path:
    return write(
        folder / "VNP14IMGML.202008.C2.03.csv",
        "20200805,0230,N,40.0012,-7.5012,340.1,295.1,3200,5.5,8,0,n",
        "20200805,1330,N,40.0112,-7.5012,345,296,3300,10.25,9,0,d",
        head="YYYYMMDD,HHMM,Sat,Lat,Lon,T_I4,T_I5,Sample,FRP,Confidence,Type,DNFlag",
    )


def as_monthly_modis(folder: Path) -> Path:
    path = folder / "MCD14ML.202008.006.03.txt.gz"
    text = (
        "YYYYMMDD   HHMM sat  lat     lon     T21   T31  sample    FRP conf type dn\n"
        "20200805   0230  T  40.0012  -7.5012  320.1 295.1  320    5.5   8  0  N\n"
        "20200805   1330  A  40.0112  -7.5012  325.1 296.1  330   10.25  90  0  D\n"
    )
    path.write_bytes(gzip.compress(text.encode()))
    return path


def as_granule(folder: Path) -> Path:
    path = folder / "VJ114IMG.A2020218.0230.002.2020218090000.nc"
    with h5py.File(path, "w") as file:
        file["FP_latitude"], file["FP_longitude"] = np.float32([40.0012, 40.0112]), np.float32([-7.5012] * 2)
        file["FP_power"], file["FP_confidence"] = np.float32([5.5, 10.25]), np.uint8([8, 9])
    return path


FORMS = [
    as_shapefile, as_vector("geojson"), as_vector("json"), as_vector("gpkg"), as_json, as_zip, as_gzip,
    as_monthly_viirs, as_monthly_modis, as_granule, as_plain_parquet, as_old_mac_text,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_fires(tmp_path, form):
    path = form(tmp_path)
    assert total(path) == pytest.approx(15.75)
    table = read_hotspots(path)
    assert np.count_nonzero(grid_frp(table, REGION, DAY)) == 2
    assert table["time"].iloc[0] == pd.Timestamp("2020-08-05 02:30")


def test_confidence_and_satellite_of_the_monthly_files(tmp_path):
    viirs, modis = read_hotspots(as_monthly_viirs(tmp_path)), read_hotspots(as_monthly_modis(tmp_path))
    assert viirs["confidence"].tolist() == [50, 90]
    assert modis["confidence"].tolist() == [8, 90]
    assert modis["satellite"].tolist() == ["Terra", "Aqua"]
    assert viirs["daynight"].tolist() == ["N", "D"]


def test_a_granule_without_a_fire_and_one_without_a_time(tmp_path):
    path = tmp_path / "VNP14IMG.A2020218.0230.002.2020218090000.nc"
    h5py.File(path, "w").close()
    assert len(read_hotspots(path)) == 0
    path = path.rename(tmp_path / "fires.nc")
    with pytest.raises(InputError, match="its time is not known"):
        read_hotspots(path)


def test_a_granule_of_a_day_that_no_year_has_is_named_and_left_out_of_a_folder(tmp_path):
    odd = tmp_path / "VNP14IMG.A2020400.0100.002.x.nc"
    h5py.File(odd, "w").close()
    for alone in (odd, tmp_path):
        with pytest.raises(InputError, match="VNP14IMG.A2020400.0100.002.x.nc is not named like"):
            read_hotspots(alone)
    write(tmp_path / "a.csv", row())
    table = read_hotspots(tmp_path)
    assert len(table) == 1
    assert [note for note in table.attrs["notes"] if "VNP14IMG.A2020400" in note and "left out" in note]
    assert covers(table, DAY, REGION)


@pytest.mark.parametrize(
    "name", ["x.zip", "x.csv.gz", "x.shp", "x.json", "x.gpkg", "VNP14IMG.A2020218.0230.nc.nc"]
)
def test_damaged_files_are_told_in_one_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04 half of something")
    with pytest.raises((UnreadableFileError, InputError)) as told:
        read_hotspots(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["x.geojson", "x.json"])
def test_a_part_of_a_servers_answer_is_not_taken_for_all_of_it(tmp_path, name):
    path = tmp_path / name
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [-7.5, 40]}}
    held = {"type": "FeatureCollection", "features": [point], "numberMatched": 2}
    path.write_text(json.dumps(held))
    with pytest.raises(UnreadableFileError, match=rf"{name} holds 1 of the 2 features .* startIndex"):
        read_hotspots(path)
    if name == "x.json":
        path.write_text(json.dumps({"data": [{"latitude": 40}], "exceededTransferLimit": True}))
        with pytest.raises(UnreadableFileError, match=r"more than these 1 features .* resultOffset"):
            read_hotspots(path)


QUIET = (
    ("quiet.geojson", '{"type": "FeatureCollection", "features": []}'),
    ("quiet.json", '{"type": "FeatureCollection", "features": []}'),
    ("quiet.json", "[]"),
    ("quiet.json", '{"data": []}'),
)


@pytest.mark.parametrize(("name", "text"), QUIET)
def test_a_quiet_file_that_names_columns_in_its_rows_alone_is_as_good_as_a_header(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    table, header = read_hotspots(tmp_path / name), read_hotspots(write(tmp_path / "header.csv"))
    pd.testing.assert_frame_equal(table, header)
    assert (len(table), table.attrs["inputs"], covers(table, DAY)) == (0, (name,), False)
    write(tmp_path / "full.csv", *TWO)
    both = read_hotspots(tmp_path)
    assert len(both) == 2
    assert name in both.attrs["inputs"]


def test_a_quiet_file_that_names_other_columns_is_refused(tmp_path):
    bare = gpd.GeoDataFrame({"name": ["x"]}, geometry=gpd.points_from_xy([-7.5], [40]), crs="EPSG:4326")
    for name, part in (("rows.geojson", bare), ("none.gpkg", bare[:0]), ("bare.geojson", bare[["geometry"]])):
        part.to_file(tmp_path / name)
        with pytest.raises(InputError, match="lacks the column frp, acq_date"):
            read_hotspots(tmp_path / name)


def test_a_file_of_two_layers_says_how_to_save_them(tmp_path):
    for layer in ("viirs", "modis"):
        frame().to_file(tmp_path / "two.gpkg", layer=layer)
    with pytest.raises(
        InputError, match=r"two.gpkg has 2 layers \(viirs, modis\); hot spots .*save each"
    ) as told:
        read_hotspots(tmp_path / "two.gpkg")
    assert "--layer" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("above", [[""], ["", " ", ",,,,"], ["", "sep=,", ""], [""] * 5000])
def test_lines_that_say_nothing_above_the_header_are_none_of_the_table(tmp_path, above, end):
    text = end.join([*above, HEAD, *TWO, row(lat=95.5)])
    (tmp_path / "x.csv").write_bytes((text + end).encode())
    table = read_hotspots(tmp_path / "x.csv")
    assert table["frp"].tolist() == [5.5, 10.25]
    assert f"(x.csv, line {len(above) + 4}: latitude 95.5" in table.attrs["notes"][0]
    (tmp_path / "x.csv").write_bytes(text[:-8].encode())
    assert read_hotspots(tmp_path / "x.csv").attrs["counts"].left_out == (
        ("cut off at the end of the file (x.csv)", 1),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_in_the_encoding_of_its_mark_or_in_latin_1(tmp_path, encoding, end):
    place = "Cañón – 5" if encoding == "cp1252" else "Cañón"
    rows = [f"{HEAD},place", f"{row()},{place}", f"{row(40.2, frp=10.25)},{place}", f"{row(95.5)},x"]
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "x.csv").write_bytes((mark + end.join(rows) + end).encode(encoding))
    table = read_hotspots(tmp_path / "x.csv")
    assert table["frp"].tolist() == [5.5, 10.25]
    assert "x.csv, line 4: latitude 95.5" in table.attrs["notes"][0]
    guessed = encoding in ("latin-1", "cp1252")
    assert ("x.csv: it is not in UTF-8, and is read as Latin-1" in table.attrs["notes"]) is guessed
    (tmp_path / "x.csv").write_bytes((mark + end.join(rows[:3])[:-12]).encode(encoding))
    cut = read_hotspots(tmp_path / "x.csv")
    assert cut["frp"].tolist() == [5.5]
    assert cut.attrs["counts"].left_out == (("cut off at the end of the file (x.csv)", 1),)


def test_bars_between_fields_and_comments_above_the_header(tmp_path):
    rows = [HEAD, *TWO, row(95.5)]
    path = tmp_path / "x.txt"
    path.write_text(
        "\n".join(["# FIRMS, fires of 2020", "#", "", *(each.replace(",", "|") for each in rows)])
    )
    table = read_hotspots(path)
    assert table["frp"].tolist() == [5.5, 10.25]
    assert "x.txt, line 7: latitude 95.5" in table.attrs["notes"][0]
    path.write_text(path.read_text()[:-8])
    assert read_hotspots(path).attrs["counts"].left_out == (("cut off at the end of the file (x.txt)", 1),)


def test_a_comment_that_may_be_the_header_is_not_guessed(tmp_path):
    with pytest.raises(InputError, match="lacks the column latitude; it holds #latitude"):
        read_hotspots(write(tmp_path / "x.csv", *TWO, head=f"#{HEAD}"))


@pytest.mark.parametrize("text", ["\n \n\n", ",,,\n", "sep=;\n\n", "# none\n", "|||\n"])
def test_a_file_of_lines_that_say_nothing_is_empty(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UnreadableFileError, match=r"x\.csv is empty"):
        read_hotspots(tmp_path / "x.csv")


# Versions.


@pytest.mark.parametrize("shift", [0.0, 0.0003, -0.004])
def test_of_several_versions_in_several_files_the_best_stays(tmp_path, shift):
    powers = {"2.0URT": 5.5, "2.0RT": 5.6, "2.0NRT": 5.53, "2": 5.1}
    for number, count in enumerate((2, 3, 4)):
        folder = tmp_path / str(number)
        for k, (version, frp) in enumerate(list(powers.items())[:count]):
            write(folder / f"{k}.csv", row(40.0012 + shift * k, version=version, frp=frp))
        assert total(folder) == pytest.approx(list(powers.values())[count - 1])
        table = read_hotspots(folder)
        assert table.attrs["counts"].left_out[0][1] == count - 1


@pytest.mark.parametrize(
    ("lower", "better"),
    [
        ((-17.5, 179.9995), (-17.5001, -179.9992)),
        ((-17.5, -179.9995), (-17.5001, 179.9999)),
        # Far from Greenwich and the equator, where meridians run together.
        ((62.0, -150.0), (62.008, -150.004)),
        ((-72.0, 179.998), (-72.004, -179.99)),
    ],
)
def test_versions_are_one_detection_anywhere_on_the_globe(tmp_path, lower, better):
    write(tmp_path / "urt.csv", row(*lower, version="2.0URT", frp=1))
    write(tmp_path / "nrt.csv", row(*better, frp=5))
    assert read_hotspots(tmp_path)["frp"].tolist() == [5]


@pytest.mark.parametrize("east", [-179.985, -179.0, 0.0])
def test_detections_apart_across_180_degrees_are_two(tmp_path, east):
    write(tmp_path / "urt.csv", row(-17.5, 179.9995, version="2.0URT", frp=1))
    write(tmp_path / "nrt.csv", row(-17.5, east, frp=5))
    assert len(read_hotspots(tmp_path)) == 2


def test_rows_of_one_file_are_never_versions_of_each_other(tmp_path):
    near = row(40.0016, version="2.0RT", frp=1)
    path = write(tmp_path / "a.csv", row(), near, row(40.0019, frp=2))
    assert total(path) == pytest.approx(8.5)


def test_one_row_stands_for_one_row(tmp_path):
    write(tmp_path / "rt.csv", *(row(lat, version="2.0RT", frp=1) for lat in (40.001, 40.009)))
    write(tmp_path / "nrt.csv", row(40.0012, frp=5))
    assert total(tmp_path) == pytest.approx(6)


@pytest.mark.parametrize(
    "other", [{"satellite": "N20"}, {"time": "0410"}, {"lat": 40.05}, {"day": "2020-08-06"}]
)
def test_another_satellite_time_or_place_is_another_detection(tmp_path, other):
    write(tmp_path / "rt.csv", row(**{"version": "2.0RT", "frp": 1, **other}))
    write(tmp_path / "nrt.csv", row(frp=5))
    assert len(read_hotspots(tmp_path)) == 2


def test_a_rounded_copy_of_another_file_counts_once_and_a_neighbour_twice(tmp_path):
    write(tmp_path / "firms.csv", row(40.00123, -7.50117), row(40.0049, -7.50117))
    write(tmp_path / "lance.csv", row(40.001, -7.501, frp=5.5))
    assert len(read_hotspots(tmp_path)) == 2


# Days and places.


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        ("firms_VIIRS_SNPP_SP_PT-a1b2c3_20200801_20200805.csv", ("2020-08-01", "2020-08-05"), "2020-08-06"),
        ("firms_VIIRS_NOAA21_NRT_X-Y-0a9f00_20200805_20200805.csv", ("2020-08-05",), "2020-08-04"),
        ("firms_MODIS_NRT_PT-a1b2c3_20200803_20200806_open.csv", ("2020-08-03", "2020-08-05"), "2020-08-06"),
        ("firms_MODIS_NRT_PT-a1b2c3_20200803_20200806_early.csv", ("2020-08-06",), "2020-08-07"),
    ],
)
def test_a_quiet_table_of_our_own_download_covers_its_days(tmp_path, name, known, unknown):
    write(tmp_path / name)
    table = read_hotspots(tmp_path)
    for day in known:
        frp, _ = fires_of(table, REGION, np.datetime64(day))
        assert frp.shape == REGION.shape
        assert not frp.any()
    assert fires_of(table, REGION, np.datetime64(unknown))[0] is None


@pytest.mark.parametrize("rows", [(), (row(),)])
def test_an_open_table_of_one_day_covers_none(tmp_path, rows):
    write(tmp_path / "firms_MODIS_NRT_PT-a1b2c3_20200805_20200805_open.csv", *rows)
    assert not covers(read_hotspots(tmp_path), DAY)


def test_a_table_fetched_for_another_region_says_nothing_of_this_one(tmp_path):
    elsewhere = row(-17.0, 131.0), row(-17.1, 131.1)
    other = write(tmp_path / "firms_VIIRS_SNPP_SP_AU-abcdef_20200801_20200805.csv", *elsewhere)
    with pytest.raises(InputError, match="FRP known on 0 of 1 days"):
        placed(read_hotspots(other), REGION, np.array([DAY]))
    quiet = write(tmp_path / "firms_VIIRS_SNPP_SP_AU-abcdef_20200806_20200810.csv")
    assert not covers(read_hotspots([other, quiet]), DAY + 1, REGION)
    own = write(tmp_path / "firms_VIIRS_SNPP_SP_PT-a1b2c3_20200811_20200815.csv")
    table = read_hotspots(tmp_path)
    assert [covers(table, DAY + days, REGION) for days in (0, 1, 6)] == [False, False, True]
    alone = placed(read_hotspots(quiet), REGION, np.array([DAY + 1]))
    assert "tables named for AU hold no hot spot and are taken for PT" in str(alone)
    assert "taken for" not in str(placed(read_hotspots(own), REGION, np.array([DAY + 6])))
    named = Region("NORTH_AFRICA", REGION.bbox, REGION.pixel_size)
    quiet = write(tmp_path / "firms_VIIRS_SNPP_NRT_NORTH_AFRICA-abcdef_20200805_20200805.csv")
    assert "taken for" not in str(placed(read_hotspots(quiet), named, np.array([DAY])))


def test_files_do_not_lend_each_other_their_days_or_places(tmp_path):
    here = write(tmp_path / "here.csv", row(day="2020-07-01"), row(40.1, day="2020-07-02"))
    there = write(tmp_path / "there.csv", row(-17.0, 131.0, "2020-08-01"), row(-17.1, 131.1, "2020-08-09"))
    with pytest.raises(InputError, match="FRP known on 0 of 1 days"):
        placed(read_hotspots([here, there]), REGION, np.array([DAY]))
    islands = row(38.0, -28.0, "2020-08-01"), row(41.0, 20.0, "2020-08-01")
    pair = [write(tmp_path / f"{number}.csv", one) for number, one in enumerate(islands)]
    assert not covers(read_hotspots(pair), np.datetime64("2020-08-01"), REGION)


@pytest.mark.parametrize("name", ["firms_VIIRS_SNPP_SP_PT-a1b2c3_20200803_20200807.csv", "mine.csv"])
def test_of_the_day_on_which_a_table_was_cut_off_nothing_is_known(tmp_path, name):
    file = write(
        tmp_path / name, row(day="2020-08-03"), row(day="2020-08-05"), row(day="2020-08-05", time="1330")
    )
    file.write_text(file.read_text()[:-40])
    table = read_hotspots(file)
    assert [covers(table, DAY + days, REGION) for days in (-2, -1, 0, 1)] == [True, True, False, False]


def test_granules_speak_of_their_days_and_of_the_place_of_all(tmp_path):
    for doy, lat, lon in (("214", [39.0], [-9.0]), ("215", [], []), ("218", [41.0], [-6.0])):
        with h5py.File(tmp_path / f"VNP14IMG.A2020{doy}.0230.002.2020220000000.nc", "w") as file:
            if lat:
                for field, value in (
                    ("latitude", lat),
                    ("longitude", lon),
                    ("power", [5.0]),
                    ("confidence", [8]),
                ):
                    file[f"FP_{field}"] = np.array(value, np.float32)
    table, first = read_hotspots(tmp_path), np.datetime64("2020-08-01")
    assert [covers(table, first + days, REGION) for days in range(6)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_line_of_excel_above_the_header_is_none_of_the_table(tmp_path):
    text = "\n".join([HEAD, row(), row(40.1)]).replace(",", ";").replace(".", ",")
    (tmp_path / "x.csv").write_text("sep=;\n" + text.replace("2,0NRT", "2.0NRT") + "\n")
    table = read_hotspots(tmp_path / "x.csv")
    assert len(table) == 2 and list(table["frp"]) == [5.5, 5.5]
    assert table["latitude"].max() == 40.1


def test_a_power_that_may_be_thousands_is_left_out(tmp_path):
    table = read_hotspots(write(tmp_path / "x.csv", row(), row(40.1, frp='"1,234"'), row(40.2, frp='"1,5"')))
    assert sorted(table["frp"]) == [1.5, 5.5]
    assert "may be thousands or a decimal comma" in " ".join(table.attrs["notes"])
    text = "\n".join([HEAD, row(40.123, frp="12.345")]).replace(",", ";").replace(".", ",")
    (tmp_path / "y.csv").write_text(text.replace("2,0NRT", "2.0NRT") + "\n")
    assert read_hotspots(tmp_path / "y.csv")[["latitude", "frp"]].to_numpy().tolist() == [[40.123, 12.345]]


@pytest.mark.parametrize(("lat", "lon", "day"), [(37.2, -119.3, "2020-08-05"), (40.0, -7.5, "2019-08-05")])
def test_hot_spots_of_another_place_or_year_are_refused(tmp_path, lat, lon, day):
    rows = [row(lat + 0.01 * k, lon, day, f"{k:02d}30") for k in range(5)]
    table = read_hotspots(write(tmp_path / "x.csv", *rows))
    days = np.arange("2020-08-01", "2020-08-13", dtype="datetime64[D]")
    with pytest.raises(InputError, match=r"0 of 5|5 of 5") as told:
        placed(table, REGION, days)
    assert "FRP known on 0 of 12 days" in str(told.value)
    assert fires_of(table, REGION, DAY)[0] is None


REACH = "a table speaks of what lies within about a degree of its rows"


def test_hot_spots_around_a_quiet_region_say_that_nothing_burned(tmp_path):
    rows = [row(38.9, -8.4), row(41.2, -6.6), row(38.9, -6.6), row(41.2, -8.4)]
    table = read_hotspots(write(tmp_path / "x.csv", *rows))
    counts = placed(table, REGION, np.array([DAY]))
    assert str(counts) == "0 of 4 hot spots lie in PT; FRP known on 1 of 1 days"
    assert not fires_of(table, REGION, DAY)[0].any()


def test_of_a_region_between_distant_rows_nothing_is_known(tmp_path):
    table = read_hotspots(write(tmp_path / "x.csv", row(37.0, -10.0), row(43.0, -5.0)))
    counts = placed(table, REGION, np.array([DAY]))
    assert str(counts) == f"0 of 2 hot spots lie in PT; FRP known on 0 of 1 days; {REACH}"
    assert fires_of(table, REGION, DAY)[0] is None


@pytest.mark.parametrize("edge", [-9, 178, -180])
def test_a_table_of_the_west_says_nothing_of_the_east(tmp_path, edge):
    wide = Region("WIDE", (edge, 39, edge + 6, 41), 0.05)
    table = read_hotspots(write(tmp_path / "x.csv", row(39.1, edge + 0.01), row(40.9, edge + 0.3)))
    frp, notes = fires_of(table, wide, DAY)
    known, east = np.isfinite(frp), wide.longitudes - edge
    assert known[:, east < 1.3].all()
    assert not known[:, east > 1.6].any()
    assert np.nansum(frp) == 11
    assert notes[-1] == f"the hot spots speak of {known.mean():.0%} of the cells"
    with pytest.warns(BanetWarning, match=f"on 1 of 1 days, in {known.mean():.0%} of the cells; {REACH}"):
        tell_placed(table, wide, np.array([DAY]))


def test_a_table_of_a_country_says_nothing_far_beyond_its_border(tmp_path):
    """Rows below a diagonal, as of a country, in the box of two."""
    wide = Region("TWO", (0, 40, 6, 46), 0.05)
    rows = [
        row(lat, lon) for lat in np.arange(40.1, 46, 0.4) for lon in np.arange(0.1, 6, 0.4) if lon > lat - 40
    ]
    known = np.isfinite(fires_of(read_hotspots(write(tmp_path / "x.csv", *rows)), wide, DAY)[0])
    above = (wide.latitudes[:, None] - 40) - wide.longitudes
    assert known[above <= 0].all()
    assert not known[above > 3].any()


def test_a_download_speaks_of_the_whole_region_that_it_was_for(tmp_path):
    wide = Region("WIDE", (-9, 39, -3, 41), 0.05)
    own = write(tmp_path / "firms_VIIRS_SNPP_SP_WIDE-a1b2c3_20200805_20200805.csv", row(39.1, -8.99))
    assert np.isfinite(fires_of(read_hotspots(own), wide, DAY)[0]).all()
    other = own.rename(tmp_path / "firms_VIIRS_SNPP_SP_WEST-a1b2c3_20200805_20200805.csv")
    frp, _ = fires_of(read_hotspots(other), wide, DAY)
    assert (np.isfinite(frp).any(0) == (wide.longitudes < -7.99)).all()


def test_daily_tables_of_one_region_share_their_places_within_their_boxes(tmp_path):
    wide = Region("WIDE", (0, 40, 6, 41), 0.05)
    for day, places in (("2020-08-05", (0.1, 5.9)), ("2020-08-06", (0.1, 2.0, 4.0, 5.9))):
        write(tmp_path / f"{day}.csv", *(row(40.5, lon, day) for lon in places))
    assert np.isfinite(fires_of(read_hotspots(tmp_path), wide, DAY)[0]).all()
    assert not np.isfinite(fires_of(read_hotspots(tmp_path / "2020-08-05.csv"), wide, DAY)[0]).all()


def test_a_fire_of_a_day_that_is_not_whole_is_known_where_it_was_seen(tmp_path):
    wide = Region("WIDE", (-9, 39, -3, 41), 0.05)
    write(tmp_path / "a.csv", row(39.1, -8.99), row(39.1, -8.7, day="2020-08-06"))
    cut = write(tmp_path / "b.csv", row(40.0, -3.5, "2020-08-04"), row(40.0, -3.5), row(40.0, -3.4))
    cut.write_text(cut.read_text()[:-40])
    frp, _ = fires_of(read_hotspots(tmp_path), wide, DAY)
    assert (np.nansum(frp), np.isfinite(frp[:, -20:]).sum()) == (11, 1)


def test_real_tables_of_a_season_leave_nothing_unknown(real):
    scene = Region("GREECE", (21.8, 37.17, 24.6, 38.5), 0.01)
    table = read_hotspots(sorted((real / "firms").glob("VIIRS_*_SP_*.csv")))
    days = np.arange("2021-08-01", "2021-08-25", dtype="datetime64[D]")
    assert "FRP known on 24 of 24 days;" in f"{placed(table, scene, days)};"


def test_what_is_placed_is_told(tmp_path):
    table = read_hotspots(write(tmp_path / "x.csv", row(), row(41.0), row(day="2020-08-08")))
    days = np.arange("2020-08-01", "2020-08-13", dtype="datetime64[D]")
    heard: list[str] = []
    tell_placed(table, REGION, days, heard.append)
    assert heard == ["2 of 3 hot spots lie in PT; FRP known on 4 of 12 days"]
    tell_placed(table, REGION, days)
    odd = read_hotspots(write(tmp_path / "odd.csv", row(), row(frp="1e39"), row(day="2020-08-08")))
    with pytest.warns(
        BanetWarning, match="2 of 3 hot spots lie in PT; left out: 1 with .* known on 4 of 12 days"
    ):
        tell_placed(odd, REGION, days)


def test_what_is_left_out_for_its_type_is_told(tmp_path):
    table = read_hotspots(write(tmp_path / "x.csv", row(), row(41.0), row(day="2020-08-08")))
    table["type"] = pd.array([2, 3, 3], "Int8")
    told = "2 not of vegetation (types 1 to 3) left out"
    assert told in placed(table, REGION, np.array([DAY])).notes
    assert told not in placed(table, REGION, np.array([DAY]), vegetation_only=False).notes
    with pytest.warns(BanetWarning, match="2 not of vegetation"):
        tell_placed(table, REGION, np.array([DAY]))


# Impossible values.


@pytest.mark.parametrize("lost", [1, 3, 8, 20])
def test_a_row_that_the_file_does_not_hold_whole_is_left_out_and_counted(tmp_path, lost):
    """The last number of a cut table may have lost digits; a whole table may lack its last end of line."""
    path = write(tmp_path / "x.csv", row(), row(40.2), row(40.3))
    text = path.read_text().rstrip("\n")
    path.write_text(text)
    assert len(read_hotspots(path)) == 3
    path.write_text(text[:-lost])
    table = read_hotspots(path)
    assert table["latitude"].tolist() == [40.0012, 40.2]
    assert table.attrs["counts"].left_out == (("cut off at the end of the file (x.csv)", 1),)


@pytest.mark.parametrize(
    "odd",
    [
        {"frp": "1e30"}, {"frp": "1e39"}, {"frp": "inf"}, {"lat": "140"}, {"lat": "-91.5"}, {"lon": "400"},
        {"lat": "north"}, {"day": "2020-13-05"}, {"time": "2560"}, {"frp": "much"}, {"day": "05.08.2020"},
        {"day": "0020-08-05"}, {"day": "2920-08-05"},
    ],
)  # fmt: skip
def test_an_odd_row_is_left_out_and_counted(tmp_path, odd):
    table = read_hotspots(write(tmp_path / "x.csv", row(), row(**odd), row(40.2)))
    assert float(grid_frp(table, REGION, DAY).sum()) == pytest.approx(11)
    (reason, number), *_ = table.attrs["counts"].left_out
    assert number == 1
    assert reason.startswith("with values that cannot be (x.csv, line 3: ")
    assert "1 with values that cannot be (x.csv, line 3" in table.attrs["notes"][0]


def test_a_power_that_the_monthly_file_could_not_print_is_unknown(tmp_path):
    head = "YYYYMMDD HHMM sat   lat      lon     T21    T31   sample  FRP  conf type dn"
    rows = [f"20200805 0230 T 40.001 -7.501 330.1 300.2 678 {power} 77 0 D" for power in ("15.25", "******")]
    (tmp_path / "MCD14ML.202008.006.03.txt").write_text("\n".join([head, *rows]) + "\n")
    table = read_hotspots(tmp_path)
    np.testing.assert_equal(table["frp"].to_numpy(), [15.25, np.nan])
    assert any("1 rows without a fire radiative power" in note for note in table.attrs["notes"])
