"""Coverage of the interval: how many simulated zones hold their true hectares between its ends."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

import banet
from banet.evaluation.benchmark.stage import write_cube
from banet.summary.zones import read_zones

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")]

SEASONS = (
    ("mediterranean", "2018-07-01"),
    ("california", "2019-08-01"),
    ("cerrado", "2016-07-15"),
    ("mozambique", "2017-07-15"),
    ("australia", "2015-06-01"),
    ("boreal", "2014-06-20"),
) * 2
EDGE = 24


def zones_of(region, path: Path) -> Path:
    """Squares of a quarter of the scene's edge, drawn beside the edges of cells."""
    steps = np.arange(0, 96, EDGE)
    shapes = [
        box(
            region.west + (x + 0.3) * 0.01,
            region.north - (y + EDGE + 0.3) * 0.01,
            region.west + (x + EDGE + 0.3) * 0.01,
            region.north - (y + 0.3) * 0.01,
        )
        for y in steps
        for x in steps
    ]
    gpd.GeoDataFrame({"name": range(len(shapes))}, geometry=shapes, crs="EPSG:4326").to_file(path)
    return path


def test_the_interval_holds_the_truth_in_four_zones_of_five(tmp_path):
    held, expected, true = [], 0.0, 0.0
    for number, (climate, start) in enumerate(SEASONS):
        scene = banet.simulate(
            start=start, days=64, seed=91_000_000 + number, climate=climate, size=96, any_time=True
        )
        cube = write_cube(scene, tmp_path / f"{number}.zarr")
        burned = banet.map_burned(cube, cube.days[0], cube.days[-1])
        zones = zones_of(scene.region, tmp_path / f"{number}.gpkg")
        table = banet.summarise(burned, zones, min_hectares=0, draws=100, seed=number)
        part = np.where(scene.water, 0, scene.burned_fraction)
        area = part * scene.region.cell_area_ha[:, None]
        truth = read_zones(zones, scene.region).shares @ area.ravel()
        counted = np.maximum(table["expected_ha"], truth) >= 200
        inside = (truth >= table["low_ha"]) & (truth <= table["high_ha"])
        held += list(inside[counted])
        expected += table["expected_ha"].sum()
        true += truth.sum()
    assert len(held) > 60
    assert np.mean(held) == pytest.approx(0.8, abs=0.12)
    assert expected == pytest.approx(true, rel=0.2)
