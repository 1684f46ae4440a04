"""Fires as files: what was written is read again by others."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.fires import find_events, trace_events
from banet.errors import InputError, OutputError
from banet.export import write_events, write_growth
from banet.export.vectors import write_perimeters
from banet.grid.region import Region
from made_maps import map_of, random_map

KML = "{http://www.opengis.net/kml/2.2}"

SUFFIXES = (".gpkg", ".parquet", ".geoparquet", ".geojson", ".json", ".shp")


def read(path, layer="fires"):
    if "parquet" in path.suffix:
        return gpd.read_parquet(path)
    return gpd.read_file(path, layer=layer) if path.suffix == ".gpkg" else gpd.read_file(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_fires_come_back_from_every_format(tmp_path, suffix):
    table = find_events(random_map((60, 60), seed=5), min_cells=4)
    assert len(table) > 3
    back = read(write_events(table, tmp_path / f"fires{suffix}"))
    assert back.crs.to_epsg() == 4326
    assert back.columns.tolist() == table.columns.tolist()
    assert back["id"].tolist() == table["id"].tolist() and back["cells"].tolist() == table["cells"].tolist()
    assert pd.to_datetime(back["start"]).tolist() == table["start"].tolist()
    np.testing.assert_allclose(back["area_ha"], table["area_ha"], rtol=1e-9)
    areas = [shapely.area(frame.geometry.to_numpy()) for frame in (back, table)]
    np.testing.assert_allclose(*areas, rtol=1e-9)
    assert back.is_valid.all()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_fire_is_a_file_with_columns(tmp_path, suffix):
    table = find_events(map_of(np.full((5, 5), -1)))
    path = write_events(table, tmp_path / f"fires{suffix}")
    back = read(path)
    assert len(back) == 0
    if suffix not in (".geojson", ".json"):  # GeoJSON holds columns only with its features
        assert back.columns.tolist() == table.columns.tolist()


def test_geojson_is_after_its_standard(tmp_path):
    region = Region("CK", (179.8, 66, -179.8, 66.2), 0.01)
    grid = np.full((20, 40), -1)
    grid[2:7, 17:22] = 0
    path = write_events(find_events(map_of(grid, region=region)), tmp_path / "fires.geojson")
    (feature,) = json.loads(path.read_text())["features"]
    assert feature["geometry"]["type"] == "MultiPolygon" and len(feature["geometry"]["coordinates"]) == 2
    assert feature["properties"]["start"] == "2021-08-01"
    longitudes = np.array([x for polygon in feature["geometry"]["coordinates"] for x, _ in polygon[0]])
    assert np.abs(longitudes).max() <= 180
    shapes = json.loads(
        write_events(find_events(random_map((40, 40), seed=2)), tmp_path / "b.json").read_text()
    )
    rings = [polygon[0] for one in shapes["features"] for polygon in one["geometry"]["coordinates"]]
    rings += [polygon[0] for polygon in feature["geometry"]["coordinates"]]
    assert len(rings) > 5 and all(shapely.LinearRing(ring).is_ccw for ring in rings)


def test_a_second_file_replaces_the_first(tmp_path):
    for suffix in SUFFIXES:
        path = tmp_path / f"fires{suffix}"
        write_events(find_events(random_map((60, 60), seed=5), min_cells=1), path)
        write_events(find_events(map_of(np.full((6, 6), 1))), path)
        assert len(read(path)) == 1


def test_growth_is_a_table_of_days(tmp_path):
    events = trace_events(random_map((60, 60), seed=5), min_cells=4)
    back = pd.read_csv(write_growth(events, tmp_path / "growth.csv"), parse_dates=["day"])
    assert back["id"].tolist() == events.growth["id"].tolist()
    assert back["day"].tolist() == events.growth["day"].tolist()
    np.testing.assert_allclose(back["total_ha"], events.growth["total_ha"], atol=1e-3)


def test_events_may_be_given_whole(tmp_path):
    events = trace_events(map_of(np.full((6, 6), 1)))
    assert len(read(write_events(events, tmp_path / "a.gpkg"))) == 1


def test_a_day_is_a_date_in_every_format(tmp_path):
    import pyarrow.parquet

    events = trace_events(random_map((60, 60), seed=5), min_cells=4)
    first = str(events.table["start"].iloc[0])[:10]
    for suffix in (".gpkg", ".geojson", ".shp"):
        path = write_events(events, tmp_path / f"fires{suffix}")
        info = pyogrio.read_info(path, **({"layer": "fires"} if suffix == ".gpkg" else {}))
        assert dict(zip(info["fields"], info["ogr_types"]))["peak_day"] == "OFTDate", suffix
    for layer in ("fires", "perimeters", "growth"):
        info = pyogrio.read_info(tmp_path / "fires.gpkg", layer=layer)
        days = {name for name, kind in zip(info["fields"], info["ogr_types"]) if kind == "OFTDate"}
        assert days == {"start", "end", "peak_day", "day"} & set(info["fields"]), layer
        assert "OFTDateTime" not in info["ogr_types"], layer
    schema = pyarrow.parquet.read_schema(write_events(events, tmp_path / "fires.parquet"))
    assert [str(schema.field(name).type) for name in ("start", "end", "peak_day")] == ["date32[day]"] * 3
    assert f'"start": "{first}"' in (tmp_path / "fires.geojson").read_text()
    table = pd.read_csv(write_events(events, tmp_path / "fires.csv"))
    assert table["start"].iloc[0] == first and table["id"].tolist() == events.table["id"].tolist()
    np.testing.assert_allclose(table["area_ha"], events.table["area_ha"])
    places = ET.parse(write_events(events, tmp_path / "fires.kml")).getroot().iter(f"{KML}Placemark")
    fires = list(places)
    assert [fire.find(f"{KML}name").text for fire in fires] == events.table["id"].tolist()
    assert fires[0].find(f".//{KML}begin").text.startswith(first)
    ends = [fire.find(f".//{KML}end").text for fire in fires]
    assert ends == [f"{day}T23:59:59" for day in events.table["end"].dt.strftime("%Y-%m-%d")]


def test_a_geopackage_holds_perimeters_by_day_growth_and_styles(tmp_path):
    events = trace_events(random_map((60, 60), seed=5), min_cells=4)
    path = write_events(events, tmp_path / "fires.gpkg")
    lines, growth = read(path, "perimeters"), read(path, "growth")
    assert len(lines) == len(growth) == len(events.growth)
    last = lines.sort_values("day").groupby("id").last()
    fires = events.table.set_index("id")
    for name, outline in last["geometry"].items():
        assert outline.symmetric_difference(fires.geometry[name]).area == pytest.approx(0, abs=1e-12)
    styles = gpd.read_file(path, layer="layer_styles")
    assert styles["f_table_name"].tolist() == ["fires", "perimeters"] and styles["useAsDefault"].all()
    assert all(
        ET.fromstring(text.split("\n", 1)[1]).find("renderer-v2") is not None for text in styles["styleQML"]
    )
    again = write_events(events, tmp_path / "again.gpkg")
    assert again.read_bytes() == path.read_bytes()
    alone = gpd.read_file(write_perimeters(events, tmp_path / "lines.geojson"))
    assert alone["id"].tolist() == lines["id"].tolist() and (tmp_path / "lines.qml").is_file()


@pytest.mark.parametrize("name", ["fires.xyz", "fires", "fires.tif"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"choose one of \.gpkg"):
        write_events(find_events(map_of([[1]])), tmp_path / name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_it_cannot_be_written_below_a_file(tmp_path, suffix):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_events(find_events(map_of(np.full((6, 6), 1))), tmp_path / "file" / f"a{suffix}")
    assert "\n" not in str(caught.value)
