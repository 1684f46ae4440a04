"""One detection in several collections, in files without a version, and in rows that name no satellite."""

from __future__ import annotations

import pytest

from banet.observations.hotspots import read_hotspots

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
