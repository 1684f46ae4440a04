"""Perimeters in the containers that agencies deliver, with the geometry that real files have."""

from __future__ import annotations

import gzip
import json
import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import box

from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.grid.polygons import unwrapped, within_180
from banet.grid.region import Region
from banet.grid.vectors import read_polygons, read_shapes, read_vector
from banet.io.containers import Member
from banet.labels.perimeters import read_perimeters

REGION = Region("PT", (-8.5, 39.5, -7.5, 40.5), 0.01)
A, B = box(-8.2, 40.0, -8.1, 40.1), box(-7.9, 40.2, -7.8, 40.3)


def write(path, geometry=(A, B), crs="EPSG:4326", layer=None, **fields):
    fields = fields or {"FIREDATE": ["2020-08-05", "2020-08-21"]}
    frame = gpd.GeoDataFrame(fields, geometry=list(geometry), crs=crs)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, **({"layer": layer} if layer else {}))
    return path


def hectares(path, region=REGION, start="2020-08", end="2020-08", **options):
    got = read_perimeters(path, region, start, end, **options)
    return float(np.nansum(got.burned_fraction * region.cell_area_ha[:, None])), got


def expected(*shapes):
    rows = [slice(round((40.5 - s.bounds[3]) * 100), round((40.5 - s.bounds[1]) * 100)) for s in shapes]
    return sum(float(REGION.cell_area_ha[r].sum() * 10) for r in rows)


@pytest.mark.parametrize(
    "name", ["f.shp", "f.gpkg", "f.geojson", "f.json", "f.fgb", "f.parquet", "f.gml", "f.geojsonl", "f.kml"]
)
@pytest.mark.parametrize("packing", ["plain", "zip", "folder in zip", "gz", "folder"])
def test_every_container_holds_the_same_hectares(tmp_path, name, packing):
    drivers = {"json": "GeoJSON", "geojsonl": "GeoJSONSeq", "kml": "KML"}
    path = tmp_path / "made" / name
    frame = gpd.GeoDataFrame({"FIREDATE": ["2020-08-05", "2020-08-21"]}, geometry=[A, B], crs="EPSG:4326")
    path.parent.mkdir()
    driver = drivers.get(name.split(".")[1])
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_file(path, driver=driver)
    if packing == "gz":
        if name == "f.shp":
            pytest.skip("a shapefile is several files")
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / "made" / name).read_bytes()))
    elif packing in ("zip", "folder in zip"):
        files = sorted(path.parent.iterdir())
        path = tmp_path / "perimeters.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("__MACOSX/._f.shp", b"no")
            archive.writestr("metadata.xml", "<m/>")
            for file in files:
                archive.write(file, ("inside/" if packing != "zip" else "") + file.name)
    elif packing == "folder":
        path = path.parent
    found, got = hectares(path)
    assert found == pytest.approx(expected(A, B), rel=1e-6)
    assert got.notes == ("2 of 2 perimeters burned in PT from 2020-08-01 to 2020-08-31, dated by FIREDATE",)


def test_a_kmz_is_read_and_a_damaged_kml_is_told(tmp_path):
    frame = gpd.GeoDataFrame({"FIREDATE": ["2020-08-05", "2020-08-21"]}, geometry=[A, B], crs="EPSG:4326")
    frame.to_file(tmp_path / "doc.kml", driver="KML")
    with zipfile.ZipFile(tmp_path / "fires.kmz", "w") as archive:
        archive.write(tmp_path / "doc.kml", "doc.kml")
    found, got = hectares(tmp_path / "fires.kmz")
    assert found == pytest.approx(expected(A, B), rel=1e-6)
    assert set(got.dates().day.astype(str)) == {"2020-08-05", "2020-08-21"}
    text = (tmp_path / "doc.kml").read_text()
    comma = text.index(",", text.index("<coordinates>"))
    (tmp_path / "doc.kml").write_text(f"{text[:comma]}${text[comma + 1 :]}")
    with pytest.raises(UnreadableFileError, match=r"doc\.kml is damaged: coordinates hold '\$"):
        hectares(tmp_path / "doc.kml")


def test_of_several_layers_one_is_named(tmp_path):
    path = write(tmp_path / "two.gpkg", [B], layer="prescribed", FIREDATE=["1999-08-21"])
    write(path, layer="perimeters")
    with pytest.raises(InputError, match=r"2 layers \(prescribed, perimeters\); name one with --layer"):
        hectares(path)
    assert hectares(path, layer="perimeters")[0] == pytest.approx(expected(A, B), rel=1e-6)
    with pytest.raises(InputError, match="no layer fires; it has"):
        hectares(path, layer="fires")


def test_a_layer_may_have_the_name_of_its_file(tmp_path):
    path = write(tmp_path / "fires.gpkg", [B], layer="fires", FIREDATE=["2020-08-21"])
    write(path, layer="perimeters")
    assert hectares(path, layer="fires")[0] == pytest.approx(expected(B), rel=1e-6)
    assert len(read_shapes(path, layer="fires")[0]) == 1


def test_outlines_of_fires_by_day_are_no_perimeters(tmp_path):
    fields = {"id": ["A"], "day": ["2020-08-05"], "area_ha": [1.0], "total_ha": [1.0], "front_km": [1.0]}
    path = write(tmp_path / "p.geojson", [A], **fields)
    with pytest.raises(InputError, match="outlines of fires day by day.* the layer fires"):
        hectares(path, date_field="day")


def test_of_several_files_in_an_archive_one_is_named(tmp_path):
    write(tmp_path / "a.geojson")
    write(tmp_path / "b.geojson", [A], FIREDATE=["2020-08-05"])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in "ab":
            archive.write(tmp_path / f"{name}.geojson", f"{name}.geojson")
    with pytest.raises(InputError, match="2 vector files"):
        hectares(tmp_path / "all.zip")
    assert hectares(tmp_path / "all.zip", layer="b")[0] == pytest.approx(expected(A), rel=1e-6)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"<html>sign in</html>"])
@pytest.mark.parametrize(
    "name", ["x.zip", "x.gpkg", "x.geojson", "x.geojson.gz", "x.shp", "x.parquet", "x.kml"]
)
def test_damaged_containers_are_told_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises((UnreadableFileError, InputError)) as told:
        hectares(path)
    assert name in str(told.value)
    assert "\n" not in str(told.value)


def feature(geometry, day="2020-08-05"):
    return {"type": "Feature", "properties": {"FIREDATE": day}, "geometry": geometry}


def geojson(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def ring(shape, stop=None, last=None):
    points = [list(point) for point in shape.exterior.coords][:stop]
    return {"type": "Polygon", "coordinates": [[*points, last] if last else points]}


WHOLE = feature(shapely.geometry.mapping(B), "2020-08-21")


@pytest.mark.parametrize(
    ("odd", "area", "told"),
    [
        (None, (B,), "left out: 1 without geometry (row 1)"),
        (ring(A, -1), (A, B), "1 with rings that were not closed: closed (row 1)"),
        (ring(A, -1, [0, 0]), (B,), "left out: 1 with a ring that is not closed or too short (row 1)"),
        (ring(A, 2), (B,), "left out: 1 with"),
        (
            {"type": "Point", "coordinates": [-8, 40]},
            (B,),
            "left out: 1 without an area (points, lines) (row 1)",
        ),
        ({"type": "Polygon", "coordinates": []}, (B,), "left out: 1 without"),
        (
            {
                "type": "GeometryCollection",
                "geometries": [shapely.geometry.mapping(A), {"type": "Point", "coordinates": [-8, 40]}],
            },
            (A, B),
            "",
        ),
        ({"type": "Polygon", "coordinates": [[[1, 95], [2, 95], [2, 96], [1, 95]]]}, (B,), "are no place"),
    ],
)
def test_odd_geometry_is_repaired_or_left_out_and_told(tmp_path, odd, area, told):
    path = geojson(tmp_path / "odd.geojson", feature(odd), WHOLE)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found, got = hectares(path)
    assert found == pytest.approx(expected(*area), rel=1e-6)
    assert told in got.notes[0]
    assert [w.category for w in heard] == ([BanetWarning] if told else [])
    assert all("odd.geojson: " in str(w.message) and told in str(w.message) for w in heard)


def test_a_ring_that_crosses_itself_keeps_both_halves(tmp_path):
    bow = {
        "type": "Polygon",
        "coordinates": [[[-8.2, 40], [-8.1, 40.1], [-8.1, 40], [-8.2, 40.1], [-8.2, 40]]],
    }
    path = geojson(tmp_path / "bow.geojson", feature(bow), WHOLE)
    with pytest.warns(BanetWarning, match="cross themselves: repaired"):
        found, _ = hectares(path)
    assert found == pytest.approx(expected(A) / 2 + expected(B), rel=1e-3)


def test_dates_inside_outside_and_none_are_counted(tmp_path):
    days = ["2020-08-05", "2020-07-31", None, "soon"]
    path = write(tmp_path / "x.geojson", [A, B, A, B], FIREDATE=days)
    with pytest.warns(
        BanetWarning, match="1 of 4 perimeters burned in PT .* 2 without a date that can be read"
    ):
        found, _ = hectares(path)
    assert found == pytest.approx(expected(A), rel=1e-6)


def test_filled_dates_count_as_none(tmp_path):
    path = write(tmp_path / "x.gpkg", [A, B, A], FIREDATE=["2020-08-05", "1970-01-01", "1900-01-01"])
    with pytest.warns(BanetWarning, match="1 of 3 perimeters .* 2 without a date that can be read"):
        assert hectares(path)[0] == pytest.approx(expected(A), rel=1e-6)


@pytest.mark.parametrize(
    ("days", "found", "told"),
    [
        (("2020-08-01", "2020-08-31"), 2, ""),
        (("2020-08-01", "2020-08-10"), 1, "1 with a month alone for a date, whose 16th is outside"),
        (("2020-08-01", "2020-08-20"), 2, "1 with a month alone for a date, partly outside"),
        (("2020-09-01", "2020-09-30"), 0, ""),
    ],
)
def test_a_month_alone_against_a_part_of_it_is_told(tmp_path, days, found, told):
    far = box(10, 10, 10.1, 10.1)
    fields = {"year": [2020] * 4, "month": [8, 8, 8, 11], "day": [0, 5, 0, 1]}
    path = write(tmp_path / "x.gpkg", [A, B, far, B], **fields)
    heard: list[str] = []
    hectares(path, start=days[0], end=days[1], notice=heard.append)
    assert f"{found} of 4 perimeters" in heard[0]
    assert told in heard[0] and ("month alone" in heard[0]) == bool(told)


def lines(path, between="", **fields):
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]
    held = [
        {"type": "Feature", "properties": row, "geometry": shapely.geometry.mapping(shape)}
        for row, shape in zip(rows, (A, B), strict=False)
    ]
    path.write_text("".join(f"{between}{json.dumps(each)}\n" for each in held))
    return path


JSONS = {
    "x.geojson": lambda path, days: write(path, FIREDATE=days),
    "x.geojsonl": lambda path, days: lines(path, FIREDATE=days),
    "x.json": lambda path, days: lines(path, "\x1e", FIREDATE=days),
    "x.gpkg": lambda path, days: write(path, FIREDATE=days),
}


@pytest.mark.parametrize("name", JSONS)
def test_a_year_of_two_digits_is_read_as_it_is_said_and_never_guessed(tmp_path, name):
    path = JSONS[name](tmp_path / name, ["20/08/15", "21/08/20"])
    with pytest.raises(InputError, match="holds no date, such as '20/08/15'; say --date-format"):
        hectares(path)
    for start, day in (("2020-08", "2020-08-21"), ("2015-08", "2015-08-20")):
        got = hectares(path, start=start, end=start, date_format="%d/%m/%y")[1]
        assert set(got.dates().day.astype(str)) == {day}


@pytest.mark.parametrize("name", JSONS)
def test_moments_in_text_are_days_of_utc(tmp_path, name):
    path = JSONS[name](tmp_path / name, ["2020-08-05T23:30:00-07:00", "2020-08-21 00:30:00+00"])
    assert set(hectares(path)[1].dates().day.astype(str)) == {"2020-08-06", "2020-08-21"}


def topology(path, day):
    points = [list(point) for point in A.exterior.coords]
    shape = {"type": "Polygon", "arcs": [[0]], "properties": {"FIREDATE": day}}
    held = {"x": {"type": "GeometryCollection", "geometries": [shape]}}
    path.write_text(json.dumps({"type": "Topology", "objects": held, "arcs": [points]}))
    return path


def test_where_gdal_would_guess_the_year_the_file_is_refused(tmp_path):
    short, long = (
        topology(tmp_path / "short.json", "20/08/15"),
        topology(tmp_path / "long.json", "2020-08-05"),
    )
    with pytest.raises(InputError, match="'20/08/15', whose year cannot be told in TopoJSON"):
        read_vector(Member(short, short.name))
    frame, _ = read_vector(Member(long, long.name))
    assert str(frame["FIREDATE"][0])[:10] == "2020-08-05"


def test_dates_of_arcgis_are_dates(tmp_path):
    rings = [[list(point) for point in A.exterior.coords[::-1]]]
    held = {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4326},
        "fields": [{"name": "FIREDATE", "type": "esriFieldTypeDate"}],
        "features": [{"attributes": {"FIREDATE": 1596585600000}, "geometry": {"rings": rings}}],
    }
    (tmp_path / "esri.json").write_text(json.dumps(held))
    assert set(hectares(tmp_path / "esri.json")[1].dates().day.astype(str)) == {"2020-08-05"}


@pytest.mark.parametrize("between", ["", "\x1e"])
def test_a_sequence_that_was_cut_off_is_damaged(tmp_path, between):
    path = lines(tmp_path / "x.geojsonl", between, FIREDATE=["2020-08-05", "2020-08-21"])
    whole = path.read_bytes()
    path.write_bytes(whole.rstrip())
    assert len(read_polygons(path).geometry) == 2
    path.write_bytes(whole[:-40])
    with pytest.raises(UnreadableFileError, match=r"x\.geojsonl: its feature 2 is cut off or damaged"):
        read_polygons(path)


def test_collections_and_bare_shapes_in_a_sequence_are_features(tmp_path):
    shape = shapely.geometry.mapping(A)
    held = [{"type": "FeatureCollection", "features": [WHOLE, feature(shape)]}, shape, WHOLE]
    path = tmp_path / "x.geojsonl"
    path.write_text("".join(f"\x1e{json.dumps(each)}\n" for each in (WHOLE, *held)))
    found = read_polygons(path)
    assert found.read == 5
    assert found.table["FIREDATE"].isna().tolist() == [False, False, False, True, False]


def test_a_gml_that_was_cut_off_is_damaged(tmp_path):
    path = write(tmp_path / "x.gml")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnreadableFileError, match=r"x\.gml is cut off or damaged"):
        read_polygons(path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"exceededTransferLimit": True}, "more than these 2 features .* resultOffset"),
        ({"properties": {"exceededTransferLimit": True}}, "more than these 2 features .* resultOffset"),
        ({"numberMatched": 5000, "numberReturned": 2}, "2 of the 5,000 features .* startIndex"),
        ({"totalFeatures": 5000}, "2 of the 5,000 features .* startIndex"),
        ({"exceededTransferLimit": False}, None),
        ({"numberMatched": 2, "numberReturned": 2, "totalFeatures": 2}, None),
        ({"numberMatched": 2, "numberReturned": 1}, None),
        ({"numberMatched": "unknown", "totalFeatures": "unknown"}, None),
        ({"links": [{"rel": "self"}, {"rel": "next", "href": "x"}]}, "names a next page"),
        ({"next": "http://x", "previous": None}, "names a next page"),
        ({"next": None, "links": [{"rel": "prev"}]}, None),
        ({"numberMatched": 2, "links": [{"rel": "next"}]}, None),
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_a_part_of_a_servers_answer_is_no_inventory(tmp_path, said, told, before):
    path = tmp_path / "page.geojson"
    geojson(path, WHOLE, WHOLE)
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**said, **held} if before else {**held, **said}))
    if told is None:
        assert len(read_polygons(path).geometry) == 2
    else:
        with pytest.raises(UnreadableFileError, match=f"page.geojson .*{told}.* join all in one file"):
            read_polygons(path)


def test_what_stands_in_features_says_nothing_of_an_answer(tmp_path):
    odd = {"totalFeatures": 5000, "of": [{"numberMatched": 5000}], "text": '}],"numberMatched":5000}'}
    path = geojson(tmp_path / "x.geojson", *[{**WHOLE, "properties": {**WHOLE["properties"], **odd}}] * 500)
    assert read_polygons(path).read == 500
    path.write_text(json.dumps({**json.loads(path.read_text()), "numberMatched": 501}))
    with pytest.raises(UnreadableFileError, match="500 of the 501 features"):
        read_polygons(path)


@pytest.mark.parametrize("end", [b',"x":"\xe9"}', b",}"])
def test_json_that_gdal_takes_is_read_where_it_says_how_much_it_is(tmp_path, end):
    path = geojson(tmp_path / "x.geojson", WHOLE, WHOLE)
    path.write_bytes(path.read_bytes().rstrip()[:-1] + b',"totalFeatures":2' + end)
    assert read_polygons(path).read == 2


def test_a_part_of_a_servers_answer_in_gml_is_no_inventory(tmp_path):
    path = write(tmp_path / "page.gml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<ogr:FeatureCollection", '<ogr:FeatureCollection numberMatched="2"'))
    assert len(read_polygons(path).geometry) == 2
    path.write_text(text.replace("<ogr:FeatureCollection", '<ogr:FeatureCollection numberMatched="5000"'))
    with pytest.raises(UnreadableFileError, match="2 of the 5,000 features"):
        read_polygons(path)
    unknown = '<ogr:FeatureCollection numberMatched="unknown" next="http://x"'
    path.write_text(text.replace("<ogr:FeatureCollection", unknown))
    with pytest.raises(UnreadableFileError, match="names a next page"):
        read_polygons(path)


@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_a_shapefile_that_was_cut_off_is_damaged(tmp_path, kept):
    path = write(tmp_path / "f.shp", [A, B] * 20, FIREDATE=["20200805"] * 40)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(UnreadableFileError, match=r"f.shp is cut off \([\d,]+ of 5,540 bytes\)"):
        read_polygons(path)


@pytest.mark.parametrize("end", [".shp", ".shx"])
def test_a_shapefile_of_which_a_half_is_zeros_is_damaged(tmp_path, end):
    path = write(tmp_path / "f.shp", [A, B] * 20, FIREDATE=["20200805"] * 40)
    file = path.with_suffix(end)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    with pytest.raises(UnreadableFileError, match=r"f.shp is damaged: its record \d+ is not what f.shx says"):
        read_polygons(path)


def test_zeros_in_an_index_are_padding_or_no_shape(tmp_path):
    path = write(tmp_path / "f.shp", [A, None, B], FIREDATE=["20200805"] * 3)
    index = path.with_suffix(".shx")
    whole = index.read_bytes()
    index.write_bytes(whole[:108] + bytes(8) + whole[116:] + bytes(80))
    found = read_polygons(path)
    assert found.rows.tolist() == [1, 3]
    assert found.left_out == (("without geometry (row 2)", 1),)


def test_a_shapefile_without_records_is_whole(tmp_path):
    frame = gpd.GeoDataFrame({"FIREDATE": ["20200805"]}, geometry=[A], crs="EPSG:4326")[:0]
    frame.to_file(tmp_path / "f.shp", geometry_type="Polygon")
    assert read_polygons(tmp_path / "f.shp").read == 0


def test_an_empty_file_holds_no_feature(tmp_path):
    with pytest.raises(InputError, match=r"empty\.geojson holds no feature that can be used"):
        hectares(geojson(tmp_path / "empty.geojson"))


def test_a_file_of_another_place_or_time_is_refused_or_told(tmp_path):
    path = write(tmp_path / "x.geojson")
    far = Region("GR", (22.0, 37.0, 23.0, 38.0), 0.01)
    words = "0 of 2 perimeters burned in GR .* lie in"
    with pytest.raises(InputError, match=words):
        hectares(path, far, required=True)
    with pytest.warns(BanetWarning, match=words):
        assert hectares(path, far)[0] == 0
    for month in ("2019-08", "2020-10"):
        words = "0 of 2 perimeters .* its dates are of 2020-08-05 to 2020-08-21"
        with pytest.raises(InputError, match=words):
            hectares(path, start=month, end=month, required=True)
        with pytest.warns(BanetWarning, match=words):
            assert hectares(path, start=month, end=month)[0] == 0


def test_a_quiet_time_and_place_within_an_inventory_are_an_answer(tmp_path):
    path = write(tmp_path / "x.geojson", FIREDATE=["2020-06-05", "2020-09-21"])
    assert hectares(path)[0] == 0
    corner = Region("corner", (-8.08, 40.12, -7.92, 40.18), 0.01)
    assert hectares(path, corner, "2020-06", "2020-06")[0] == 0


ALASKA = "EPSG:3338"


@pytest.mark.parametrize(
    ("west", "east", "crs", "south"),
    [
        (-181.0, -178.0, ALASKA, 52.0),
        (178.5, 181.25, ALASKA, 55.0),
        (178.5, 181.25, "EPSG:3832", -17.0),
        (179.0, 182.0, "EPSG:4326", -17.0),
        (-181.0, -179.5, "EPSG:4326", 60.0),
        (-180.0, -178.0, ALASKA, 52.0),
        (177.0, 180.0, ALASKA, 52.0),
    ],
)
def test_a_perimeter_at_180_degrees_keeps_its_hectares_there_and_nowhere_else(
    tmp_path, west, east, crs, south
):
    shape = shapely.segmentize(box(west, south, east, south + 1), 0.1)
    turned = gpd.GeoSeries([shape], crs="EPSG:4326").to_crs(crs)
    path = write(tmp_path / "x.gpkg", turned, crs, FIREDATE=["2020-08-05"])
    there = Region("there", (176.5, south - 0.5, -176.5, south + 1.5), 0.05)
    rows = slice(10, 30)
    right = float(there.cell_area_ha[rows].sum() * (east - west) / 0.05)
    assert hectares(path, there, resolution=0.005)[0] == pytest.approx(right, rel=2e-4)
    with pytest.warns(BanetWarning, match="0 of 1 perimeters"):
        # A shape drawn around the globe would burn here.
        assert hectares(path, Region("zero", (0.0, south, 1.0, south + 1), 0.05))[0] == 0


def test_turns_of_shapes():
    for turn in (-360, 0, 360):
        assert within_180(box(10 + turn, 0, 11 + turn, 1)).bounds == pytest.approx((10, 0, 11, 1))
        cut = within_180(box(179 + turn, 0, 181 + turn, 1))
        assert cut.bounds == (-180, 0, 180, 1)
        assert cut.area == pytest.approx(2)
    world = box(-180, -90, 180, 90)
    assert unwrapped(world).equals(world)
    holed = shapely.Polygon(
        [(179, 0), (-179, 0), (-179, 2), (179, 2)],
        [[(179.5, 0.5), (-179.5, 0.5), (-179.5, 1.5), (179.5, 1.5)]],
    )
    assert unwrapped(holed).area == pytest.approx(3)


def test_a_file_without_polygons_or_place(tmp_path):
    lines = write(tmp_path / "l.geojson", [shapely.LineString([(0, 0), (1, 1)])], FIREDATE=["2020-08-05"])
    with pytest.raises(InputError, match="LineString; perimeters must be polygons"):
        read_polygons(lines)
    bare = write(tmp_path / "bare.shp")
    bare.with_suffix(".prj").unlink()
    with pytest.raises(UnreadableFileError, match="no coordinate reference system"):
        read_polygons(bare)


def test_zones_in_degrees_may_be_wider_than_half_the_globe(tmp_path):
    path = write(tmp_path / "zones.geojson", [box(-170, 50, 170, 70)], name=["boreal"])
    assert read_polygons(path, wide=True).geometry[0].bounds == (-170, 50, 170, 70)
    assert read_polygons(path).geometry[0].area == pytest.approx(20 * 20)


ISLE = [(179.5, -17), (-179, -17), (-179, -16), (179.5, -16)]


@pytest.mark.parametrize(
    ("ring", "area", "told"),
    [
        (ISLE, 1.5, "1 with a ring that is not split at 180 degrees: taken to cross there (row 1)"),
        ([ISLE[0], (180, -17), (-180, -17), *ISLE[1:3], (-180, -16), (180, -16), ISLE[3]], 1.5, "to cross"),
        (box(-170, 50, 170, 70).exterior.coords, 340 * 20, "of longitude: taken as drawn"),
        (box(-10, 0, 180, 70).exterior.coords, 190 * 70, "of longitude: taken as drawn"),
        (box(-179.9, -60, 179.9, 80).exterior.coords, 359.8 * 140, "of longitude: taken as drawn"),
        (box(-180, 50, 180, 70).exterior.coords, 360 * 20, ""),
        (box(0, 50, 360, 70).exterior.coords, 360 * 20, ""),
        ([(-180, -90), (180, -90), (180, -70), (0, -60), (-180, -70)], 360 * 25, ""),
        (shapely.segmentize(box(-170, 50, 170, 70), 10).exterior.coords, 340 * 20, ""),
    ],
)
def test_a_zone_is_as_wide_as_drawn_unless_it_steps_across_180_degrees(tmp_path, ring, area, told):
    path = geojson(
        tmp_path / "zones.geojson", feature({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    )
    found = read_polygons(path, wide=True)
    assert found.geometry[0].area == pytest.approx(area)
    assert any(told in note for note in found.notes) if told else not found.notes


@pytest.mark.parametrize("wide", [True, False])
def test_an_unsplit_ring_that_crosses_180_degrees_often_is_no_ring_that_crosses_itself(tmp_path, wide):
    lon, lat = [179, 181, 179.5, 180.5, 179.2, 182, 178], [0, 0.2, 0.4, 0.6, 1, 3, 2]
    split = [[(x + 180) % 360 - 180, y] for x, y in zip(lon, lat, strict=True)]
    path = geojson(tmp_path / "r.geojson", feature({"type": "Polygon", "coordinates": [[*split, split[0]]]}))
    found = read_polygons(path, wide=wide)
    assert found.geometry[0].area == pytest.approx(shapely.Polygon(list(zip(lon, lat, strict=True))).area)
    assert not any("cross themselves" in note for note in found.notes)


def test_one_line_counts_the_perimeters(tmp_path):
    heard: list[str] = []
    hectares(write(tmp_path / "x.geojson"), notice=heard.append)
    assert heard == [
        "x.geojson: 2 of 2 perimeters burned in PT from 2020-08-01 to 2020-08-31, dated by FIREDATE"
    ]
