"""Classes of cells from polygons: names, layers, overlaps, and files of which a part alone lies here."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from banet.errors import BanetWarning, InputError
from banet.grid.region import Region
from banet.labels.classes import read_classes

REGION = Region("T", (10, 40, 10.2, 40.1), 0.01)
WEST, EAST, WHOLE = box(10, 40, 10.1, 40.1), box(10.1, 40, 10.2, 40.1), box(10, 40, 10.2, 40.1)


def written(path, shapes, layer="zones", **fields):
    gpd.GeoDataFrame(fields, geometry=shapes, crs=4326).to_file(path, layer=layer)
    return path


def test_polygons_that_get_no_cell_or_lose_some_are_named(tmp_path):
    shapes = [WHOLE, WEST, EAST.buffer(-0.03), box(0, 0, 1, 1), box(10.001, 40.001, 10.003, 40.003)]
    path = written(tmp_path / "z.gpkg", shapes, name=["state", "west", "east", "far", "tiny"])
    with pytest.warns(BanetWarning) as told:
        numbers, names = read_classes(path, REGION)
    none, lost = (str(one.message) for one in told)
    assert none.endswith("so that no cell is theirs: west, east, far, tiny")
    assert lost.endswith("cells under others: west lost 100, east lost 16")
    assert (numbers == 0).all() and names[0] == "state"


def test_a_cell_of_which_most_lies_under_no_polygon_has_no_class_where_two_overlap(tmp_path):
    shape = box(10, 40, 10.014, 40.1)
    path = written(tmp_path / "z.gpkg", [shape, shape], name=["a", "b"])
    with pytest.warns(BanetWarning) as told:
        numbers, _ = read_classes(path, REGION)
    assert str(told[1].message).endswith("b lost 10")
    assert (numbers[:, 0] == 0).all() and (numbers[:, 1:] == -1).all()


def test_neighbours_lose_nothing(tmp_path):
    path = written(tmp_path / "z.gpkg", [WEST, EAST], Name=["b", None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        numbers, names = read_classes(path, REGION)
    assert names == {0: "b", 1: "row 2"}
    assert (numbers[:, :10] == 0).all() and (numbers[:, 10:] == 1).all()


def test_classes_elsewhere_do_not_count(tmp_path):
    shapes = [WEST, EAST, *[box(20 + k, 0, 20.5 + k, 1) for k in range(70)]]
    path = written(tmp_path / "many.gpkg", shapes, name=[f"z{k}" for k in range(72)])
    with pytest.warns(BanetWarning, match="z11 and 60 more$"):
        numbers, names = read_classes(path, REGION)
    assert names == {0: "z0", 1: "z1"} and (numbers >= 0).all()
    strips = [box(10 + k * 0.002, 40, 10.002 + k * 0.002, 40.1) for k in range(70)]
    path = written(tmp_path / "strips.gpkg", strips, name=[f"z{k}" for k in range(70)])
    with pytest.raises(InputError, match="70 classes within the region; at most 64"):
        read_classes(path, REGION)


def test_one_of_two_layers_is_read(tmp_path):
    written(tmp_path / "z.gpkg", [WEST], layer="old", name=["a"])
    path = written(tmp_path / "z.gpkg", [EAST], layer="new", name=["b"])
    with pytest.raises(InputError, match=r"has 2 layers .*--zone-layer"):
        read_classes(path, REGION)
    numbers, names = read_classes(path, REGION, layer="new")
    assert names == {0: "b"} and np.count_nonzero(numbers == 0) == 100
