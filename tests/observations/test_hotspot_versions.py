"""One detection in several collections, in files without a version, and in rows that name no satellite."""

from __future__ import annotations

import pytest

from banet.observations.hotspots import read_hotspots
from banet.observations.superseded import rank_of, rank_of_name

HEAD = "latitude,longitude,acq_date,acq_time,satellite,version,frp"
UMD = "YYYYMMDD,HHMM,Sat,Lat,Lon,T_I4,T_I5,Sample,FRP,Confidence,Type,DNFlag"


def write(path, head, *rows):
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def row(frp, *, north=0.0, satellite="N", version="2"):
    return f"{40.3012 + north:.4f},-7.7012,2020-08-05,0230,{satellite},{version},{frp}"


@pytest.mark.parametrize("north", [0.0004, 0.003])
@pytest.mark.parametrize(
    ("old", "new"),
    [("1", "2"), ("1.0NRT", "2.0NRT"), ("6.03", "61.03"), ("6.0NRT", "6.1NRT"), ("2.0NRT", "1")],
)
def test_of_two_collections_the_newer_stays_and_standard_rows_before_others(tmp_path, old, new, north):
    write(tmp_path / "a.csv", HEAD, row(20.5, version=old))
    write(tmp_path / "b.csv", HEAD, row(21.5, version=new, north=north))
    table = read_hotspots(tmp_path)
    assert table["frp"].tolist() == [21.5]
    assert table.attrs["notes"] == ("1 other versions of a detection in another file left out",)


def test_revisions_of_a_collection_are_copies_and_not_versions(tmp_path):
    write(tmp_path / "a.csv", HEAD, row(20.5, version="6.02"))
    write(tmp_path / "b.csv", HEAD, row(21.5, version="6.03", north=0.003))
    assert read_hotspots(tmp_path)["frp"].sum() == 42


def test_names_of_files_tell_the_version_where_rows_do_not(tmp_path):
    place = "20200805,0230,N,{lat},-7.7012,340.1,295.1,3200,{frp},8,0,n"
    write(tmp_path / "VNP14IMGML.202008.C1.05.csv", UMD, place.format(lat=40.3012, frp=5.5))
    write(tmp_path / "VNP14IMGML.202008.C2.03.csv", UMD, place.format(lat=40.3042, frp=5.6))
    bare = HEAD.replace(",version", "")
    write(tmp_path / "fire_nrt.csv", bare, "40.3062,-7.7012,2020-08-05,0230,N,5.7")
    assert read_hotspots(tmp_path)["frp"].tolist() == [5.6]


def test_a_row_that_names_no_satellite_may_be_of_any_and_of_one_alone(tmp_path):
    write(tmp_path / "sp.csv", HEAD, row(5.5), row(9.5, satellite="Terra", north=0.002))
    write(tmp_path / "nrt.csv", HEAD, row(5.7, satellite="", version="2.0NRT", north=0.001))
    assert read_hotspots(tmp_path)["frp"].tolist() == [5.5, 9.5]
    write(tmp_path / "sp.csv", HEAD, row(5.7, satellite="", north=0.001))
    write(tmp_path / "nrt.csv", HEAD, row(5.5, version="2.0NRT"))
    write(tmp_path / "modis.csv", HEAD, row(9.5, satellite="Terra", version="6.1NRT", north=0.002))
    # One better row stands for one row of each other file.
    assert read_hotspots(tmp_path)["frp"].tolist() == [5.7]
    (tmp_path / "modis.csv").unlink()
    terra = row(9.5, satellite="Terra", version="2.0NRT", north=0.003)
    write(tmp_path / "nrt.csv", HEAD, row(5.5, version="2.0NRT"), terra)
    assert sorted(read_hotspots(tmp_path)["frp"]) == [5.7, 9.5]


@pytest.mark.parametrize(
    "names",
    [("tile_C1.csv", "tile_C2.csv"), ("fires.2020.012.csv", "fires.2020.013.csv"), ("a.csv", "a_C2.csv")],
)
def test_other_names_of_files_tell_no_version(tmp_path, names):
    bare = HEAD.replace(",version", "")
    for k, name in enumerate(names):
        write(tmp_path / name, bare, f"{40.3012 + 0.003 * k:.4f},-7.7012,2020-08-05,0230,N,5.{k}")
    assert sorted(read_hotspots(tmp_path)["frp"]) == [5.0, 5.1]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("fire_archive_SV-C2_1.csv", "2"),
        ("fire_nrt_J1V-C2_1.csv", "2NRT"),
        ("fire_archive_M-C61_1.csv", "6.1"),
        ("VJ114IMGML.202008.C2.03.txt", "2"),
        ("MCD14ML.202008.006.03.txt", "6"),
        ("VIIRS_C2.csv", ""),
        ("fires-C2.csv", ""),
    ],
)
def test_names_that_tell_a_collection(name, version):
    assert rank_of_name(name) == rank_of(version)


@pytest.mark.parametrize(("instrument", "kept"), [("VIIRS", [5.7]), ("MODIS", [5.5, 5.7]), ("", [5.5, 5.7])])
def test_collections_rank_within_an_instrument(tmp_path, instrument, kept):
    write(tmp_path / "named.csv", HEAD, row(5.5))
    plain = row(5.7, satellite="", version="61.03", north=0.003)
    write(tmp_path / "other.csv", f"{HEAD},instrument", f"{plain},{instrument}")
    assert sorted(read_hotspots(tmp_path)["frp"]) == kept


def test_rows_of_two_instruments_are_never_one(tmp_path):
    write(tmp_path / "a.csv", f"{HEAD},instrument", f"{row(5.5, satellite='')},VIIRS")
    write(tmp_path / "b.csv", f"{HEAD},instrument", f"{row(5.7, satellite='', version='6.1NRT')},MODIS")
    assert sorted(read_hotspots(tmp_path)["frp"]) == [5.5, 5.7]
