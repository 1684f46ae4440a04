"""Fires as files: what was written is read again by others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.fires import find_events, trace_events
from banet.errors import InputError, OutputError
from banet.export import write_events, write_growth
from banet.grid.region import Region
from made_maps import map_of, random_map

SUFFIXES = (".gpkg", ".parquet", ".geoparquet", ".geojson", ".json", ".shp")


def read(path):
    return gpd.read_parquet(path) if "parquet" in path.suffix else gpd.read_file(path)


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


@pytest.mark.parametrize("name", ["fires.kml", "fires", "fires.csv"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"choose one of \.gpkg"):
        write_events(find_events(map_of([[1]])), tmp_path / name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_it_cannot_be_written_below_a_file(tmp_path, suffix):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_events(find_events(map_of(np.full((6, 6), 1))), tmp_path / "file" / f"a{suffix}")
    assert "\n" not in str(caught.value)
