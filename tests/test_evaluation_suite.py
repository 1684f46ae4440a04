"""The fixed benchmark: always the same seasons, every method scored alike."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banet.errors import InputError
from banet.evaluation import suite
from banet.evaluation.suite import BASELINES, SMALL, SUITE, SuiteResult, run_suite, scene_cube

TINY = tuple(replace(scene, size=48, days=24) for scene in SMALL[:2])


def test_the_suite_is_what_it_was():
    """Six climates, four seasons each; a change of these makes published tables wrong."""
    assert len(SUITE) == 24
    assert len({scene.seed for scene in SUITE}) == 24
    assert len({scene.climate for scene in SUITE}) == 6
    assert {scene.days for scene in SUITE} == {64, 80, 96, 112}
    assert min(scene.seed for scene in SUITE) == 77_000_000
    first = SUITE[0]
    assert (first.name, str(first.start), first.days) == ("mediterranean-1", "2013-08-05", 64)
    assert [scene.name for scene in SMALL] == [f"{c}-1" for c in dict.fromkeys(s.climate for s in SUITE)]


def test_seasons_begin_in_the_climates_fire_season():
    from banet.simulation import CLIMATES

    for scene in SUITE:
        first, last = CLIMATES[scene.climate].season
        day = int((scene.start - scene.start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1
        assert first <= day <= last


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    methods = {name: BASELINES[name] for name in ("active fires", "grown and confirmed active fires")}
    calls = []
    found = run_suite(
        methods, TINY, draws=20, folder=tmp_path_factory.mktemp("cubes"), progress=lambda *c: calls.append(c)
    )
    assert [c[0] for c in calls] == [1, 2, 3, 4]
    return found


def test_scores_of_every_method_and_season(result):
    overall = result.overall()
    assert list(overall) == ["active fires", "grown and confirmed active fires"]
    cells = sum(s["active fires"].cells for s in result.by_scene().values())
    assert overall["active fires"].cells == cells
    parts = [s["active fires"].hard.both for s in result.by_scene().values()]
    assert overall["active fires"].hard.both == pytest.approx(sum(parts))
    assert set(result.by_climate()) == {"mediterranean", "california"}
    assert set(result.worst("active fires")) <= {scene.name for scene in TINY}


def test_tables_of_the_suite(result):
    lines = result.markdown().splitlines()
    assert lines[5] == "| Dice | mediterranean | california |"
    assert lines[2].startswith("| active fires |")
    held = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(held) == {"overall", "climates", "scenes"}


def test_a_cube_of_a_scene_holds_what_was_seen(tmp_path):
    scene = replace(TINY[0], days=16, size=32).simulate()
    cube = scene_cube(scene, tmp_path / "c.zarr")
    window = cube.read(scene.days[0], scene.days[-1] + 1)
    np.testing.assert_allclose(window.nir, scene.nir, atol=2e-4)
    np.testing.assert_array_equal(window.frp > 0, scene.frp > 0)
    np.testing.assert_array_equal(cube.water, scene.water)
    assert scene_cube(scene, tmp_path / "c.zarr").path == cube.path
    with pytest.raises(InputError, match="something else"):
        scene_cube(replace(TINY[1], days=16, size=32).simulate(), tmp_path / "c.zarr")


def test_nothing_to_do():
    with pytest.raises(InputError, match="at least one method"):
        run_suite({}, TINY)
    with pytest.raises(InputError, match="at least one method"):
        run_suite(BASELINES, ())


def test_the_script(monkeypatch, tmp_path, capsys):
    path = Path(__file__).parents[1] / "benchmarks" / "simulated_suite.py"
    spec = importlib.util.spec_from_file_location("simulated_suite", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SMALL", TINY[:1])
    out = tmp_path / "suite.json"
    assert module.main(["--small", "--out", str(out)]) == 0
    assert "| index drop |" in capsys.readouterr().out
    assert set(json.loads(out.read_text())["overall"]) == set(suite.BASELINES)


def test_an_empty_result_has_no_scores():
    assert SuiteResult({}, {}).overall() == {}
