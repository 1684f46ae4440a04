"""Options of the commands that score: names, days, places and numbers that were taken for others."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from banet.cli import main
from banet.export import write_products
from banet.io.manifest import Manifest
from made_maps import map_of

DAYS = np.where(np.arange(60).reshape(6, 10) < 25, 3, -1)
MANIFEST = Manifest(command="test", config={}, inputs=(), weights={})
QUIET = ("--draws", "0", "--no-pictures")


def written(folder, *, offset=DAYS, name="T", **options):
    """Write a map, and return its NetCDF file."""
    write_products(map_of(offset, **options), folder, name, manifest=MANIFEST, pictures=False)
    return folder / f"{name}.nc"


@pytest.fixture
def here(tmp_path):
    return written(tmp_path / "here")


def test_a_map_and_a_reference_of_one_name_are_told_apart(here, tmp_path, capsys):
    """The map was dropped without a word."""
    other = written(tmp_path / "other", offset=DAYS[::-1].copy())
    third = written(tmp_path / "third", name="third")
    assert main(["compare", str(here), str(third), "--reference", str(other), *QUIET]) == 2
    assert "are both called T; tell them apart with NAME=PATH" in capsys.readouterr().err
    assert main(["compare", f"a={here}", f"b={third}", "--reference", f"a={here}", *QUIET]) == 0


def test_options_of_zones_need_zones_and_choose_a_layer(here, tmp_path, capsys):
    words = ["evaluate", str(here), "--reference", str(here), *QUIET]
    assert main([*words, "--zone-field", "name"]) == 2
    assert "are of the polygons of --zones, and none are given" in capsys.readouterr().err
    area = box(*map_of(DAYS).region.bbox)
    for layer in ("a", "b"):
        table = gpd.GeoDataFrame({"Name": [layer]}, geometry=[area], crs=4326)
        table.to_file(tmp_path / "z.gpkg", layer=layer)
    assert main([*words, "--zones", str(tmp_path / "z.gpkg"), "--zone-layer", "b"]) == 0
    assert "| b | 1.000" in capsys.readouterr().out
