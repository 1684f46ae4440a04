"""Names of fires from an agency's table, by overlap."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from banet.errors import InputError, UnreadableFileError
from banet.operations.incidents import Incidents

FIRES = gpd.GeoDataFrame(
    {
        "id": ["a", "b", "c"],
        "start": pd.to_datetime(["2021-08-03", "2021-08-05", "2021-08-09"]),
        "end": pd.to_datetime(["2021-08-06", "2021-08-05", "2021-08-12"]),
    },
    geometry=[shapely.box(0, 0, 0.2, 0.2), shapely.box(1, 1, 1.1, 1.1), shapely.box(3, 3, 3.1, 3.1)],
    crs="EPSG:4326",
)


def file_of(path, shapes, crs="EPSG:4326", **fields):
    gpd.GeoDataFrame(fields, geometry=shapes, crs="EPSG:4326").to_crs(crs).to_file(path)
    return path


def test_the_perimeter_with_the_largest_overlap_names_a_fire(tmp_path):
    shapes = [shapely.box(-1, -1, 0.05, 1), shapely.box(0.05, 0, 0.3, 0.3), shapely.box(1.05, 1.05, 2, 2)]
    names = ["Small", "Large", None]
    path = file_of(tmp_path / "p.gpkg", shapes, "EPSG:3857", Incid_Name=names)
    found = Incidents.read(path)
    named = found.named(FIRES)
    assert named["name"].tolist() == ["Large", "", ""]
    assert named.columns.tolist() == ["id", "name", "start", "end", "geometry"]
    assert (
        "2 incidents named by Incid_Name, of unknown days, 1 without name or place left out" in found.summary
    )


def test_a_point_names_the_fire_that_it_lies_near(tmp_path):
    points = [shapely.Point(0.21, 0.1), shapely.Point(1.2, 1.05), shapely.Point(3.05, 3.05)]
    path = file_of(tmp_path / "p.geojson", points, IncidentName=["Near", "Far", "In"])
    assert Incidents.read(path).named(FIRES)["name"].tolist() == ["Near", "", "In"]


def test_an_incident_of_another_year_names_nothing(tmp_path):
    shapes = [FIRES.geometry[0], FIRES.geometry[0], FIRES.geometry[2]]
    days = ["2019-08-03", "2021-08-01", "2021-08-21"]
    path = file_of(tmp_path / "p.geojson", shapes, name=["Old", "This", "Late"], ig_date=days)
    assert Incidents.read(path).named(FIRES)["name"].tolist() == ["This", "", ""]


def test_no_fire_and_no_names(tmp_path):
    path = file_of(tmp_path / "p.gpkg", [shapely.Point(0, 0)], label=["x"])
    with pytest.raises(InputError, match="no field of names .*it has label"):
        Incidents.read(path)
    assert Incidents.read(path, "Label").named(FIRES)["name"].tolist() == ["x", "", ""]
    assert Incidents.read(path, "label").named(FIRES[:0])["name"].tolist() == []
    with pytest.raises(InputError, match="other"):
        Incidents.read(path, "other")
    (tmp_path / "x.gpkg").write_text("none")
    with pytest.raises(UnreadableFileError):
        Incidents.read(tmp_path / "x.gpkg")


def test_shapes_that_are_odd(tmp_path):
    bow = shapely.Polygon([(0, 0), (0.2, 0.2), (0.2, 0), (0, 0.2)])
    lost = shapely.Point(float("inf"), 0)
    found = Incidents.read(file_of(tmp_path / "p.gpkg", [bow, lost, None], name=["Bow", "Lost", "None"]))
    assert found.names.tolist() == ["Bow"]
    assert "1 incidents named by name, of unknown days, 2 without name or place left out" in found.summary
    named = found.named(FIRES)
    assert named["name"].tolist() == ["Bow", "", ""]
    assert found.told(named) == "1 of 3 fires overlap an incident of their days"
    with pytest.raises(InputError, match="none of its 0 incidents"):
        Incidents.read(file_of(tmp_path / "none.gpkg", [], name=[]))
