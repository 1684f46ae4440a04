"""The whole evaluation from files to a page, and every kind of file on either side."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.geotiff import read_geotiff
from banet.burned_area.netcdf import read_map
from banet.cube import Cube
from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.evaluation.beside import beside, write_beside
from banet.evaluation.compare import compare
from banet.evaluation.convergence import replay
from banet.evaluation.evaluate import evaluate
from banet.evaluation.result_files import write_result
from banet.export import write_products
from banet.grid.region import Region
from banet.io.manifest import Manifest
from banet.io.tables import to_csv, to_markdown
from banet.labels.reading import read_map_or_product, sniff
from banet.observations.planes import DayPlanes

REGION = Region("T", (10, 40, 10.3, 40.2), 0.01)
START, STOP = np.datetime64("2020-12-15"), np.datetime64("2021-01-15")
NAT = np.datetime64("NaT", "D")


def a_map(seed=0, late=0):
    rng = np.random.default_rng(seed)
    fraction = np.zeros(REGION.shape, np.float32)
    fraction[4:12, 5:20] = rng.uniform(0.3, 1, (8, 15))
    date = np.full(REGION.shape, np.datetime64("2020-12-30")) + np.arange(30) // 6 + late
    burned = fraction >= 0.5
    water = np.zeros(REGION.shape, bool)
    water[18:] = True
    observed = np.full(REGION.shape, 20, np.int16)
    observed[16:18] = 0
    known = ~water & (observed > 0)
    return BurnedArea(
        region=REGION,
        start=START,
        stop=STOP,
        burned_fraction=np.where(known, fraction, np.nan).astype(np.float32),
        burn_date=np.where(burned, date, NAT),
        uncertainty=np.where(burned, 2, 255).astype(np.uint8),
        observed_days=observed,
        water=water,
        attrs={"method": "test"},
    )


def a_truth():
    fraction = np.zeros(REGION.shape, np.float32)
    fraction[3:12, 5:21] = np.linspace(0.05, 1, 16)
    date = np.where(fraction > 0, np.datetime64("2020-12-30") + np.arange(30) // 6, NAT)
    return BurnedArea(REGION, START, STOP, fraction, date, threshold=0, name="truth")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    cube = Cube.create(tmp_path_factory.mktemp("c") / "c.zarr", REGION, sensor="test", mir_band="M12")
    rng = np.random.default_rng(0)
    for day in np.arange(START, STOP):
        plane = np.where(rng.random(REGION.shape) < 0.5, np.nan, 0.2).astype(np.float32)
        count = np.isfinite(plane).astype(np.uint8)
        cube.write_day(day, DayPlanes(plane, plane, plane, plane, count), np.zeros(REGION.shape, np.float32))
    spots = pd.DataFrame(
        {
            "longitude": [10.105],
            "latitude": [40.145],
            "time": pd.to_datetime(["2020-12-31"]),
            "frp": [9.0],
            "type": pd.array([0], "Int8"),
        }
    )
    final, truth = a_map(), a_truth()
    cover = np.zeros(REGION.shape, int)
    cover[:, 12:] = 1
    return evaluate(
        final,
        truth,
        name="banet",
        baselines={"late": a_map(late=2)},
        hotspots=spots,
        cube=cube,
        cover=(cover, {0: "forest", 1: "shrub"}),
        convergence=replay(lambda day: final, ["2021-01-01", "2021-01-05"], final, truth, oldest=8),
        draws=50,
        block=5,
    )


def test_everything_is_there(evaluation):
    e = evaluation
    assert list(e.scores) == ["banet", "late"]
    assert e.scores["late"].dating.mean == 2
    assert set(e.cell_groups["months"]) == {"2020-12", "2021-01"}
    assert set(e.cell_groups["covers"]) == {"forest", "shrub"}
    assert set(e.fires) == {"banet", "late"}
    assert e.fires["banet"].cells > 0
    gaps = e.wholes["banet"]["dates_by_gap"]
    assert gaps
    assert sum(d["cells"] for d in gaps.values()) == e.scores["banet"].dating.cells
    assert "dice" in e.scores["banet"].intervals
    assert 0 < e.wholes["banet"]["proportions"]["slope"] < 1.5
    assert e.scores["banet"].unseen_ha > 0


def test_a_cloud_is_no_clear_look(tmp_path):
    """Clear on 29 December and 2 January, bright cloud between: what burned then lies in 4 days."""
    cube = Cube.create(tmp_path / "c.zarr", REGION, sensor="test", mir_band="M12")
    cloudy = np.arange("2020-12-30", "2021-01-02", dtype="datetime64[D]")
    none = np.zeros(REGION.shape, np.float32)
    for day in np.arange(START, STOP):
        plane = np.full(REGION.shape, 0.6 if day in cloudy else 0.2, np.float32)
        cube.write_day(day, DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8)), none)
    got = evaluate(a_map(), a_truth(), cube=cube, draws=0).wholes["map"]["dates_by_gap"]
    inside = compare(a_map(), a_truth())
    both = inside.valid & inside.map_burned & inside.reference_burned
    within = np.isin(inside.reference_date[both], np.append(cloudy, np.datetime64("2021-01-02")))
    assert got["3-4"]["cells"] == within.sum() > 0
    assert sum(each["cells"] for each in got.values()) == both.sum()


def test_files_of_an_evaluation(evaluation, tmp_path):
    paths = write_result(evaluation, tmp_path / "out")
    assert all(path.is_file() for path in paths.values())
    held = json.loads(paths["json"].read_text())
    assert held["scores"]["banet"]["hard"]["dice"] == pytest.approx(evaluation.scores["banet"].dice)
    assert held["region"]["name"] == "T"
    assert held["days"] == ["2020-12-15", "2021-01-15"]
    table = pd.read_csv(paths["scores_csv"])
    assert table["name"].tolist() == ["banet", "late"]
    assert {"dice", "dice_low", "within_2_days", "reference_ha"} <= set(table.columns)
    text = paths["markdown"].read_text()
    for title in ("Low fractions", "Fires found, by size", "By land cover", "Near real time"):
        assert title in text
    page = paths["page"].read_text()
    assert page.count("data:image/png") >= 9
    assert "http://" not in page.replace("http://www.w3.org", "")
    for name in ("maps", "dice", "dates", "proportions", "thresholds", "calibration", "convergence"):
        assert paths[name].read_bytes()[:4] == b"\x89PNG"


def test_without_pictures_there_are_tables_alone(evaluation, tmp_path):
    paths = write_result(evaluation, tmp_path, pictures=False)
    assert "page" not in paths
    assert not list(tmp_path.glob("*.png"))


def test_a_result_takes_the_place_of_an_earlier_one(evaluation, tmp_path):
    """Tables and pictures of the first stayed beside those of the second, as if they were its own."""
    (tmp_path / "dates.txt").write_text("mine")
    first = set(write_result(evaluation, tmp_path).values())
    assert tmp_path / "covers.csv" in first and tmp_path / "covers.png" in first
    (tmp_path / "stress.csv").write_text("of another hand")
    small = evaluate(a_map(), a_truth(), draws=0)
    second = set(write_result(small, tmp_path, pictures=False).values())
    mine = {tmp_path / "dates.txt", tmp_path / "stress.csv"}
    assert set(tmp_path.iterdir()) == second | mine
    assert set(write_result(small, tmp_path).values()) | mine == set(tmp_path.iterdir())
    (tmp_path / "evaluation.json").write_text("[]")
    assert write_result(small, tmp_path, pictures=False)


def test_a_comparison_takes_the_place_of_an_earlier_one(tmp_path):
    sides = {"a": a_map(), "b": a_truth(), "c": a_map()}
    write_beside(beside(sides, sides, draws=0), tmp_path)
    del sides["c"]
    paths = write_beside(beside(sides, sides, draws=0), tmp_path)
    assert set(tmp_path.iterdir()) == {*paths.values(), tmp_path / "maps_1.png"}
    paths = write_beside(beside(sides, sides, draws=0), tmp_path, pictures=False)
    assert set(tmp_path.iterdir()) == set(paths.values())


def test_the_least_evaluation_of_nothing_burned(tmp_path):
    nothing = np.zeros(REGION.shape, np.float32)
    empty = BurnedArea(REGION, START, STOP, nothing, np.full(REGION.shape, NAT), threshold=0, name="none")
    got = evaluate(empty, empty, draws=5)
    assert got.wholes["map"]["dates_by_gap"] == {}
    assert got.fires == {}
    paths = write_result(got, tmp_path)
    assert json.loads(paths["json"].read_text())["scores"]["map"]["hard"]["dice"] is None
    assert "months_csv" not in paths


def test_rows_as_text():
    rows = [{"name": "a", "dice": 0.12345, "ha": 12345.6}, {"name": "b", "dice": float("nan"), "cells": 7}]
    assert to_csv(rows).splitlines() == ["name,dice,ha,cells", "a,0.12345,12345.6,", "b,,,7"]
    assert to_markdown(rows).splitlines()[2:] == ["| a | 0.123 | 12,346 | - |", "| b | - | - | 7 |"]


# Files on either side.


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    manifest = Manifest(command=("test",), config={}, inputs=(), weights={})
    write_products(a_map(), folder, "T_202012", manifest=manifest, pictures=False)
    return folder


def test_a_map_as_netcdf_and_as_raster_score_alike(products):
    assert sniff(products) == "map"
    whole = read_map_or_product(products)
    raster = read_map_or_product(products / "T_202012_burn_date.tif")
    assert isinstance(whole, BurnedArea)
    assert raster.name == "T_202012"
    assert (raster.start, raster.stop) == (START, STOP)
    np.testing.assert_array_equal(raster.burn_date, whole.burn_date)
    truth = a_truth()
    one, two = evaluate(whole, truth, draws=0), evaluate(raster, truth, draws=0)
    assert one.scores["map"].dice == pytest.approx(two.scores["map"].dice)
    assert one.scores["map"].dating == two.scores["map"].dating
    one, two = (each.wholes["map"]["confidence"]["brier"] for each in (one, two))
    assert one == pytest.approx(two), "of confidence, which both hold"
    assert evaluate(whole, raster, draws=0).scores["map"].dice == 1


def test_a_raster_without_its_neighbours(products, tmp_path):
    lone = tmp_path / "T_202012_burn_date.tif"
    lone.write_bytes((products / lone.name).read_bytes())
    got = read_geotiff(lone)
    assert set(np.unique(got.burned_fraction[got.known])) == {0, 1}
    assert (got.uncertainty == 255).all()
    assert sniff(tmp_path) == "raster"


def test_truth_of_the_simulator(tmp_path):
    from banet.simulation import simulate, write_scene

    scene = simulate(days=16, size=32, seed=3)
    write_scene(scene, tmp_path, formats=("truth",))
    path = next(tmp_path.rglob("*_truth.nc"))
    assert sniff(path) == "truth"
    got, expected = read_map(path), scene.truth()
    assert got.region.shape == expected.region.shape
    assert got.region.bbox == pytest.approx(expected.region.bbox, abs=1e-6)
    np.testing.assert_array_equal(got.burn_date, expected.burn_date)
    np.testing.assert_allclose(got.burned_fraction, expected.burned_fraction, atol=1e-6)
    np.testing.assert_array_equal(got.known, expected.known)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MCD64A1.A2021213.h19v05.061.2021309001834.hdf", "mcd64a1"),
        ("MCD64monthly.A2021213.Win11.061.burndate.tif", "mcd64a1"),
        ("20170601-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif", "firecci"),
        ("burnt_2012_albers.tif", "auscover"),
        ("fires.shp", "perimeters"),
        ("PT_202108.nc", "map"),
        ("PT_truth.nc", "truth"),
        ("PT_202108_burn_date.tif", "raster"),
    ],
)
def test_kinds_by_name(tmp_path, name, kind):
    (tmp_path / name).write_text("x")
    assert sniff(tmp_path / name) == kind
    assert sniff(tmp_path) == kind


def test_faults_of_sources(tmp_path, products):
    with pytest.raises(NotFoundError, match="does not exist"):
        sniff(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="of no kind"):
        sniff(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="is no map"):
        sniff(tmp_path / "notes.txt")
    (tmp_path / "a.shp").write_text("x")
    (tmp_path / "a.nc").write_text("x")
    with pytest.raises(InputError, match="several kinds"):
        sniff(tmp_path)
    with pytest.raises(InputError, match="no grid of its own"):
        read_map_or_product(tmp_path / "a.shp")
    with pytest.raises(InputError, match="no kind 'x'"):
        read_map_or_product(tmp_path / "a.shp", kind="x", region=REGION, days=("2020-01", "2020-02"))
    with pytest.raises(NotFoundError, match="truth"):
        read_map(tmp_path / "b_truth.nc")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "c_truth.nc", engine="h5netcdf")
    with pytest.raises(UnreadableFileError, match="not a map of banet"):
        read_map(tmp_path / "c_truth.nc")
    with pytest.raises(NotFoundError, match="raster"):
        read_geotiff(tmp_path / "d_burn_date.tif")
    (tmp_path / "d_burn_date.tif").write_text("x")
    with pytest.raises(UnreadableFileError, match="no readable"):
        read_geotiff(tmp_path / "d_burn_date.tif")
    (tmp_path / "e_burn_date.tif").write_text("x")
    with pytest.raises(InputError, match="name one of them"):
        read_map_or_product(tmp_path, kind="raster")
    with pytest.raises(UnreadableFileError, match=r"a\.nc"):
        read_map_or_product(tmp_path, kind="map")
