"""Areas to map: a box, a polygon whose outside is cut away, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from banet.burned_area.evidence import NO_EVIDENCE
from banet.cli import main
from banet.errors import InputError, NotFoundError
from banet.grid.region import Region
from banet.operations.area import Area
from made_maps import map_of

SHAPE = shapely.Polygon([(-8.004, 39.9), (-7.95, 39.953), (-7.9, 39.9), (-7.95, 39.868)])


def polygon_file(path, *shapes):
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def test_a_polygon_gives_the_whole_cells_around_it_and_its_cells_by_their_centre(tmp_path):
    area = Area.of(polygon_file(tmp_path / "park.geojson", SHAPE), "PARK")
    assert area.region == Region("PARK", (-8.01, 39.86, -7.9, 39.96), 0.01)
    lon, lat = np.meshgrid(area.region.longitudes, area.region.latitudes)
    inside = shapely.contains_xy(SHAPE, lon, lat)
    np.testing.assert_array_equal(area.inside, inside)
    assert "[-8.01,39.86,-7.9,39.96], 10 x 11 cells" in area.notes[0]
    assert f"{inside.sum()} of 110 cells" in area.notes[1]


def test_outside_of_the_polygon_nothing_is_said(tmp_path):
    area = Area.of(polygon_file(tmp_path / "park.json", SHAPE), "PARK")
    offset = np.full(area.region.shape, -1)
    offset[0, 0] = offset[5, 5] = 2
    whole = map_of(offset, west=-8.01, north=39.96)
    whole = replace(whole, evidence=np.full(offset.shape, 4, np.uint8))
    cut = area.cut(whole)
    assert (cut.evidence[~area.inside] == NO_EVIDENCE).all() and (cut.evidence[area.inside] == 4).all()
    assert set(np.unique(cut.status[~area.inside])) == {-1}
    assert (cut.status[area.inside] == whole.status[area.inside]).all()
    assert cut.burned.sum() == 1
    assert np.isnan(cut.burned_fraction[~area.inside]).all()
    assert f"{(~area.inside).sum()} cells outside the polygon" in cut.notes[-1]
    box = Area.of("-8.01,39.86,-7.9,39.96", "BOX")
    assert box.cut(whole) is whole


def test_a_polygon_across_the_antimeridian(tmp_path):
    west, east = shapely.box(179.8, -17, 180, -16.8), shapely.box(-180, -17, -179.9, -16.8)
    area = Area.of(polygon_file(tmp_path / "taveuni.geojson", west, east), "FJ")
    assert area.region.bbox == (179.8, -17, 180.1, -16.8)
    assert area.inside.all()


@pytest.mark.parametrize(
    "shape",
    [
        shapely.MultiPolygon([shapely.box(179.8, -17, 180, -16.8), shapely.box(-180, -17, -179.9, -16.8)]),
        shapely.Polygon([(179.8, -17), (-179.9, -17), (-179.9, -16.8), (179.8, -16.8)]),
    ],
    ids=["split", "not split"],
)
def test_one_feature_across_the_antimeridian_gives_both_commands_the_small_box(tmp_path, capsys, shape):
    file = polygon_file(tmp_path / "taveuni.geojson", shape)
    assert main(["region", "new", "FJ", "--polygon", file, "--dir", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert ("not split at 180 degrees" in told) == (shape.geom_type == "Polygon")
    area = Area.of(file, "FJ")
    assert area.region == Region.load(tmp_path / "R_FJ.json")
    assert area.region.bbox == (179.8, -17, 180.1, -16.8)
    assert area.inside.all()


def test_a_box_grows_to_whole_cells():
    assert Area.of("-8.123,39.4,-6.4,41.407", "T").region.bbox == (-8.13, 39.4, -6.4, 41.41)


@pytest.mark.parametrize(
    "words",
    [
        ["nrt", "-8,39,-7.9,39.1", "--data", "d", "--out", "o", "--no-download"],
        ["nrt", "--data", "d", "--out", "o", "-8,39,-7.9,39.1"],
        ["run", "-8.0,-39.1,-7.9,-39", "--start", "2020-08", "--end", "2020-08", "--out", "o"],
    ],
)
def test_a_box_of_the_west_is_no_option(words, capsys):
    assert main(words) == 2
    assert "a box needs a name for its files: give --name" in capsys.readouterr().err
    assert main([*words, "-x", "1"]) == 2
    assert "-x" in capsys.readouterr().err


def layered_file(path):
    for layer, south in (("north", 40), ("south", 37)):
        shape = shapely.box(-8, south, -7.9, south + 0.1)
        gpd.GeoDataFrame({"name": ["a"]}, geometry=[shape], crs="EPSG:4326").to_file(path, layer=layer)
    return str(path)


def test_of_several_layers_one_is_named(tmp_path):
    file = layered_file(tmp_path / "parks.gpkg")
    with pytest.raises(InputError, match=r"2 layers \(north, south\); name one with --layer"):
        Area.of(file, "P")
    assert Area.of(file, "P", "south").region.bbox == (-8, 37, -7.9, 37.1)
    with pytest.raises(InputError, match="no layer east; it has north, south"):
        Area.of(file, "P", "east")
    for asked, name in (("PT", None), ("-8,39,-7,40", "P")):
        with pytest.raises(InputError, match="--layer north goes with a file of polygons"):
            Area.of(asked, name, "north")


@pytest.mark.parametrize("command", ["run", "nrt"])
def test_commands_take_the_layer(command, tmp_path, capsys):
    file = layered_file(tmp_path / "parks.gpkg")
    days = ["--start", "2020-08", "--end", "2020-08"] if command == "run" else ["--data", str(tmp_path / "d")]
    words = [command, file, "--name", "P", *days, "--out", str(tmp_path / "o"), "--no-download"]
    assert main([*words, "--layer", "east"]) == 2
    assert "no layer east" in capsys.readouterr().err
    assert main([*words, "--layer", "north"]) != 0
    assert "viirs does not exist" in capsys.readouterr().err


def test_what_is_refused(tmp_path):
    file = polygon_file(tmp_path / "park.geojson", SHAPE)
    tiny = polygon_file(tmp_path / "tiny.geojson", shapely.box(-8.001, 39.9, -8.0, 39.901))
    for asked, name, words in (
        (file, None, "--name"),
        ("-8,39,-7,40", None, "--name"),
        ("-8,39,-7", "T", "four"),
        ("PT", "T", "has a name already"),
        (tiny, "T", "too small"),
    ):
        with pytest.raises(InputError, match=words):
            Area.of(asked, name)
    for missing, name in (("none.gpkg", "T"), ("none.geojson", None), ("R_none.json", None)):
        with pytest.raises(NotFoundError, match=f"{missing} does not exist"):
            Area.of(str(tmp_path / missing), name)
    region = Region("R", (-8, 39, -7, 40)).save(tmp_path)
    assert Area.of(str(region)).region.name == "R"


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ([], "holds no polygon that can be used: it is empty"),
        ([shapely.box(500_000, 4_200_000, 550_000, 4_250_000)], "1 with coordinates that are no place"),
    ],
)
def test_a_file_without_a_polygon_that_can_be_used(tmp_path, shapes, told):
    with pytest.raises(InputError, match=told):
        Area.of(polygon_file(tmp_path / "p.geojson", *shapes), "P")


def test_a_box_without_commas_is_told_as_what_is_not_there():
    with pytest.raises(NotFoundError, match="no region file 20;38;21;39"):
        Area.of("20;38;21;39", "P")
