"""The real Greek scene: the active-fire baseline scores what the project's documents say it does."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from banet.errors import NotFoundError
from banet.evaluation.baselines import active_fires
from banet.evaluation.benchmark.greek import (
    GREEK_DAYS,
    GREEK_REGION,
    greek_cube,
    greek_hotspots,
    greek_reference,
    greek_scores,
)
from banet.observations.hotspots import of_vegetation


@pytest.fixture(scope="module")
def reference(real):
    return greek_reference(real)


@pytest.fixture(scope="module")
def cube(real, tmp_path_factory):
    return greek_cube(real, tmp_path_factory.mktemp("greek") / "greek.zarr")


@pytest.mark.real
def test_active_fires_against_vnp64a1(cube, reference):
    got = greek_scores(active_fires(cube, GREEK_DAYS[0], GREEK_DAYS[1] - 1), reference, draws=0)
    assert got.dice == pytest.approx(0.760, abs=0.0005)
    assert got.dating.median == -1
    assert got.dating.mean_absolute == pytest.approx(0.72, abs=0.005)


@pytest.mark.real
def test_the_cube_of_the_scene_holds_the_same_fires(real, cube):
    assert cube.region.bbox == GREEK_REGION.bbox
    assert len(cube.days) == 14
    fires = active_fires(cube, "2021-08-02", "2021-08-09")
    table = greek_hotspots(real)
    days = table["time"].to_numpy().astype("datetime64[D]")
    table = table[(days >= GREEK_DAYS[0]) & (days < GREEK_DAYS[1]) & of_vegetation(table)]
    rows, cols, inside = GREEK_REGION.cells_of(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    hot = np.zeros(GREEK_REGION.shape, bool)
    hot[rows[inside], cols[inside]] = True
    np.testing.assert_array_equal(fires.burned, hot)
    without = cube.without("hotspots")
    assert not active_fires(without, "2021-08-01", "2021-08-14").burned.any()
    blind = cube.without("images")
    window = blind.read("2021-08-01", "2021-08-15")
    assert not window.observed.any()
    assert (window.frp > 0).any()


@pytest.mark.real
def test_the_reference_against_itself(reference):
    got = greek_scores(reference, reference, draws=0)
    assert got.dice == 1
    assert got.dating.mean_absolute == 0
    assert got.cells < 133 * 280


def test_without_the_real_data_it_says_so(tmp_path):
    with pytest.raises(NotFoundError, match="VNP64A1"):
        greek_reference(tmp_path)
    with pytest.raises(NotFoundError, match="hot spots"):
        greek_hotspots(tmp_path)


def script():
    path = Path(__file__).parents[2] / "benchmarks" / "greek_scene.py"
    spec = importlib.util.spec_from_file_location("greek_scene", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.real
def test_the_script_prints_a_table_and_writes_json(real, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert script().main(["--real", str(real), "--out", str(out)]) == 0
    assert "| active fires | 0.760" in capsys.readouterr().out
    assert json.loads(out.read_text())["scores"][0]["name"] == "active fires"


def test_the_script_without_data_ends_in_one_line(tmp_path, capsys):
    assert script().main(["--real", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
