"""The fixed benchmark: always the same seasons, every method scored alike, work kept when it is killed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banet.cli import main
from banet.errors import BanetError, InputError, NotFoundError, UnreadableFileError
from banet.evaluation.benchmark import (
    SMALL,
    SUITE,
    baselines,
    benchmark,
    candidates,
    networks,
    stage,
)
from banet.evaluation.benchmark import cases as running
from banet.evaluation.benchmark.greek import find_real
from banet.evaluation.benchmark.methods import original_network
from banet.evaluation.benchmark.scenes import subset_named
from banet.evaluation.benchmark.stage import open_stage
from banet.evaluation.compare import compare
from banet.evaluation.convergence import Convergence
from banet.evaluation.measures import Pair
from banet.evaluation.measures.proportions import Shares
from banet.evaluation.measures.reliability import Reliability
from banet.evaluation.measures.sizes import Sizes
from banet.evaluation.measures.thresholds import Thresholds
from banet.evaluation.result import Result, load_sides
from banet.evaluation.result_files import write_result
from banet.evaluation.scores import Scores, score
from banet.evaluation.sums import Sums
from banet.evaluation.tables import NAMES, markdown, rows_of
from banet.io.arrays import load_arrays, save_arrays

TINY = tuple(replace(scene, size=48, days=24) for scene in SMALL[2:4])
CHEAP = tuple(m for m in baselines() if m.name in {"active fires", "grown and confirmed active fires"})


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
    with pytest.raises(InputError, match="full, small"):
        subset_named("large")


def test_no_configuration_draws_the_seeds_of_the_benchmark():
    """Training and validation of every shipped recipe stay far below, and below the choice seasons."""
    from banet.training import load_config

    folder = Path(__file__).parents[2] / "configs"
    plans = [load_config(file).data.simulated for file in sorted(folder.glob("*.yaml"))]
    found = [plan for plan in plans if plan is not None]
    assert found
    for plan in found:
        assert plan.seed + 1_000_000 + max(plan.train, plan.validation) < 1_900_000


def test_seasons_begin_in_the_climates_fire_season():
    """The seasons are fixed: boreal ones may begin in snow melt, before the simulator's days of fire."""
    from banet.simulation import CLIMATES

    for scene in SUITE:
        first, last = CLIMATES[scene.climate].season
        day = int((scene.start - scene.start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1
        assert first - (15 if scene.climate == "boreal" else 0) <= day <= last


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmark")


@pytest.fixture(scope="module")
def result(folder):
    calls = []
    found = benchmark(
        (), folder, scenes=TINY, methods=CHEAP, draws=20, progress=lambda *call: calls.append(call[:2])
    )
    assert calls == [(2, 4), (4, 4)]
    return found


def test_scores_add_up_over_seasons(result):
    each = [result.sums["active fires"][scene.name] for scene in TINY]
    whole = result.joined("active fires")
    total = result.scores["active fires"]
    assert total.cells == sum(Scores.of(one).cells for one in each)
    assert total.hard.both == pytest.approx(sum(Scores.of(one).hard.both for one in each))
    assert total.intervals["dice"][0] <= total.dice <= total.intervals["dice"][1]
    sizes = [one.total("sizes")["reference"] for one in each]
    np.testing.assert_allclose(whole.total("sizes")["reference"], sum(sizes))
    blocks = [one.value()["proportions"]["blocks"] for one in each]
    assert whole.value()["proportions"]["blocks"] == sum(blocks) > 0
    assert result.by_group[TINY[0].climate]["active fires"].cells == Scores.of(each[0]).cells
    assert set(result.worst("active fires")) <= {scene.name for scene in TINY}


def test_sums_give_what_the_comparison_gives(result, folder):
    """Whatever is read from the file is what the evaluation of the map itself says."""
    opened = open_stage(TINY[0], folder / "seasons")
    method = CHEAP[1]
    burnmap = method.mapper(opened.cube, opened.cube.days[0], opened.cube.days[-1])
    pair = compare(burnmap, opened.truth, **opened.settings)
    sums = result.sums[method.name][TINY[0].name]
    scores, got = Scores.of(sums), sums.value()
    direct = score(burnmap, opened.truth, **opened.settings)
    assert scores.cells == direct.cells == np.count_nonzero(~opened.truth.water), "water does not count"
    assert scores.dice == pytest.approx(direct.dice)
    assert scores.dating == direct.dating
    for measure in (Sizes(), Thresholds(), Reliability("confidence"), Reliability("fraction"), Shares()):
        for name, value in measure.of(pair).items():
            _assert_alike(value, got[name])
    widths = np.array(got["uncertainty"]["cells_and_covered_by_days"])
    assert widths[1, 0] == widths.sum(axis=0)[0] > 0, "baselines state one day"
    assert got["uncertainty"]["mean_days"] == 1
    assert sum(s["reference_ha"] for s in got["covers"].values()) == pytest.approx(
        direct.hard.reference_burned
    )
    assert sum(d["dated_cells"] for d in got["gaps"]) == direct.dating.cells


def _assert_alike(one, other):
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            _assert_alike(value, other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other):
            _assert_alike(*pair)
    else:
        assert one == other or one == pytest.approx(other, nan_ok=True)


def test_finished_work_is_not_done_again(result, folder, monkeypatch):
    monkeypatch.setattr(running, "open_stage", lambda *_: pytest.fail("a season was opened again"))
    again = benchmark((), folder, scenes=TINY, methods=CHEAP, draws=20)
    assert again.to_dict() == result.to_dict()
    cases = [running.Case(scene, method) for scene in TINY for method in CHEAP]
    place = running.Case(TINY[1], CHEAP[0]).place(folder)
    place.unlink()
    jobs = running.plan(cases, folder)
    assert [[(case.scene.name, case.method.name) for case in job] for job in jobs] == [
        [(TINY[1].name, "active fires")]
    ]
    monkeypatch.undo()
    benchmark((), folder, scenes=TINY, methods=CHEAP, draws=20)
    assert place.is_file()


def test_another_season_or_code_is_other_work(folder, monkeypatch, tmp_path):
    method = CHEAP[0]
    place = running.Case(TINY[0], method).place(folder)
    other = replace(TINY[0], days=23)
    assert running.Case(other, method).place(folder) != place
    assert running.Case(TINY[0], method).code == stage.code_hash()
    assert running.Case(TINY[0], method, code="another").place(folder) != place
    small = replace(TINY[0], size=16, days=3)
    first = open_stage(small, tmp_path).cube.path
    monkeypatch.setattr(stage, "simulator_hash", lambda: "another")
    assert open_stage(small, tmp_path).cube.path != first


def test_a_season_on_disk_is_the_simulated_one(tmp_path, monkeypatch):
    small = replace(TINY[0], days=16, size=32)
    opened = open_stage(small, tmp_path)
    simulated = small.simulate()
    window = opened.cube.read(simulated.days[0], simulated.days[-1] + 1)
    np.testing.assert_allclose(window.nir, simulated.nir, atol=2e-4)
    np.testing.assert_array_equal(window.frp > 0, simulated.frp > 0)
    np.testing.assert_array_equal(opened.cube.water, simulated.water)
    np.testing.assert_array_equal(opened.classes["cover"], simulated.land_cover)
    truth = simulated.truth()
    np.testing.assert_allclose(opened.truth.burned_fraction, truth.burned_fraction)
    np.testing.assert_array_equal(opened.truth.burn_date, truth.burn_date)
    assert (opened.truth.start, opened.truth.stop) == (truth.start, truth.stop)
    monkeypatch.setattr(type(small), "simulate", lambda self: pytest.fail("simulated again"))
    open_stage(small, tmp_path)


def test_a_damaged_season_is_removed(tmp_path):
    small = replace(TINY[0], size=16, days=3)
    folder = open_stage(small, tmp_path).cube.path.parent
    (folder / "truth.nc").write_bytes(b"no")
    with pytest.raises(BanetError, match="damaged and is removed"):
        open_stage(small, tmp_path)
    assert open_stage(small, tmp_path).cube.days.size == 3


def test_withheld_inputs(tmp_path):
    cube = open_stage(TINY[0], tmp_path).cube
    days = cube.days[0], cube.days[-1] + 1
    whole = cube.read(*days)
    assert cube.without() is cube
    cold = cube.without("hotspots").read(*days)
    assert whole.frp.max() > 0
    assert (cold.frp == 0).all()
    np.testing.assert_array_equal(cold.nir, whole.nir)
    blind = cube.without("images")
    window = blind.read(*days, slice(0, 8), slice(0, 8))
    assert not window.observed.any()
    assert window.count.sum() == 0
    np.testing.assert_array_equal(window.frp, whole.frp[:, :8, :8])
    assert blind.region == cube.region


def test_names_of_candidates(tmp_path):
    from banet.model.weights import find_weights

    content = find_weights("default").read_bytes()
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "weights.safetensors").write_bytes(content)
    paths = [str(tmp_path / run / "weights.safetensors") for run in ("a", "b")]
    got = candidates(["default", ",".join(paths), f"both={paths[0]}+default"])
    assert [one.name for one in got] == ["default", "a/weights", "b/weights", "both"]
    assert got[3].parameters == 2 * got[0].parameters > 0
    assert got[3].sha256 == (got[0].sha256[0],) * 2
    assert all(str(tmp_path) not in json.dumps(one.to_dict()) for one in got)
    assert [m.name for m in networks(got[0])] == ["default", "default, no hot spots", "default, no images"]
    assert len({running.Case(TINY[0], m).place(tmp_path) for one in got for m in networks(one)}) == 12
    with pytest.raises(InputError, match="two candidates are called default"):
        candidates(["default", f"default={paths[0]}"])
    with pytest.raises(NotFoundError):
        candidates(["nothing-of-this-name"])


def test_the_original_network_is_scored_where_its_weights_are(monkeypatch, tmp_path):
    monkeypatch.setenv("BANET_CACHE", str(tmp_path))
    assert original_network() is None
    with pytest.raises(NotFoundError):
        original_network("nothing-of-this-name")
    method = original_network("default")
    assert method.name == "original network, original rules"
    cube = open_stage(replace(TINY[0], size=32), tmp_path / "s").cube
    burnmap = method.mapper(cube, cube.days[0], cube.days[-1])
    assert burnmap.attrs["tiling"]["name"] == "original"


@pytest.fixture(scope="module")
def written(result, folder):
    return write_result(result, folder / "written", name="benchmark")


def test_files_of_a_benchmark(written, result):
    tree = json.loads(written["json"].read_text())
    assert set(tree["methods"]) == {m.name for m in CHEAP}
    assert tree["protocol"]["accuracy"] == "simulated"
    assert [s["seed"] for s in tree["protocol"]["seasons"]] == [s.seed for s in TINY]
    text = written["markdown"].read_text()
    assert "simulated accuracy" in text
    assert "## Greece" not in text
    header, first = (line.split(",") for line in written["scores_csv"].read_text().splitlines()[:2])
    assert float(first[header.index("dice")]) == pytest.approx(result.scores["active fires"].dice, rel=1e-5)
    assert "nan" not in written["climates_csv"].read_text()
    page = written["page"].read_text()
    assert page.count("<img") == sum(path.suffix == ".png" for path in written.values())
    assert "The worst seasons" in page


def test_tables_are_made_from_the_json_alone(written):
    tree = json.loads(written["json"].read_text())
    absent = {"convergence", "first_mapped", "greece", "zones", "months", "dates", "stress", "first_look"}
    for name in NAMES:
        assert bool(rows_of(tree, name)) == (name not in absent), name
    assert markdown(tree, ["overall"]).count("\n|") == 2 + len(CHEAP)
    dice = tree["methods"]["active fires"]["overall"]["scores"]["hard"]["dice"]
    assert f"| active fires | {dice:.3f} (" in markdown(tree, ["overall"])


def test_a_replay_of_a_season(tmp_path, monkeypatch):
    long = replace(TINY[0], name="cerrado-4", days=70)
    monkeypatch.setattr("banet.evaluation.benchmark.suite.REPLAYED", (long.name,))
    chosen = candidates(["default"])
    again = running.Case(long, baselines()[0], running.REPLAY)
    jobs = running.plan([again, *(running.Case(long, method) for method in CHEAP)], tmp_path)
    assert [len(job) for job in jobs] == [2, 1]
    running.run_jobs(jobs, tmp_path, tmp_path / "seasons")
    got = Convergence.load(again.place(tmp_path))
    assert got.curve["hectares"].sum() > 0
    assert np.nanmax(got.curve["dice_truth"]) <= 1
    assert all(long.start + 63 <= fire.started <= long.start + 69 for fire in got.fires)
    assert networks(chosen[0])[0].daily.keywords["weights"] == ("default",)


def test_a_method_without_maps_of_single_days_is_not_replayed(folder, result):
    opened = open_stage(TINY[0], folder / "seasons")
    with pytest.raises(InputError, match="grown active fires has no map of a single day"):
        running.follow(baselines()[1], opened.cube, opened.truth, opened.mapped, opened.cube.days)


def test_nothing_to_do(tmp_path):
    with pytest.raises(InputError, match="at least one method"):
        benchmark((), tmp_path, scenes=TINY, methods=())
    with pytest.raises(InputError, match="at least one method"):
        benchmark((), tmp_path, scenes=(), methods=CHEAP)
    with pytest.raises(InputError, match="nothing to join"):
        Sums.join([])


def test_damaged_sums_say_so(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"no")
    with pytest.raises(UnreadableFileError):
        Sums.load(tmp_path / "x.npz")
    with pytest.raises(UnreadableFileError):
        load_sides(tmp_path / "y.npz")
    with pytest.raises(UnreadableFileError):
        Convergence.load(tmp_path / "y.npz")
    save_arrays(tmp_path / "z.npz", {"a.b": np.arange(500.0)})
    whole = (tmp_path / "z.npz").read_bytes()
    for at in range(0, len(whole), 9):
        flipped = bytearray(whole)
        flipped[at] ^= 4
        for damaged in (whole[:at], bytes(flipped)):
            (tmp_path / "z.npz").write_bytes(damaged)
            try:
                got = load_arrays(tmp_path / "z.npz")
            except UnreadableFileError:
                continue
            np.testing.assert_array_equal(got["a.b"], np.arange(500.0))


def test_work_that_is_not_done_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("banet.evaluation.benchmark.suite.run_jobs", lambda *_, **__: None)
    with pytest.raises(InputError, match="was not scored on cerrado-1"):
        benchmark((), tmp_path, scenes=TINY, methods=CHEAP)


def test_a_perfect_map_has_perfect_sums(folder):
    opened = open_stage(TINY[0], folder / "seasons")
    pair = compare(opened.truth, opened.truth)
    sums = Sums.of(Pair.of(pair, 16))
    got = sums.value()
    assert Scores.of(sums).dice == 1
    assert got["fraction"]["brier"] == pytest.approx(0, abs=1e-12)
    assert got["proportions"]["slope"] == pytest.approx(Shares().of(pair)["proportions"]["slope"])
    assert got["uncertainty"]["mean_days"] == 0
    assert got["dating"].covered == 1
    assert got["covers"] == {}
    assert {row["recall"] for row in got["edges"] if row["cells"]} == {1}
    assert got["confounders"][-1]["false_per_10000"] == 0


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("banet.evaluation.benchmark.suite.subset_named", lambda name: TINY[:1])
    monkeypatch.setenv("BANET_REAL_DATA", str(tmp_path))
    monkeypatch.setenv("BANET_CACHE", str(tmp_path))
    words = ["benchmark", "--out", str(tmp_path / "out"), "--subset", "small", "--draws", "10"]
    assert main([*words, "--weights", "none", "--workers", "1", "--no-pictures"]) == 0
    said = capsys.readouterr().out
    assert "| index drop |" in said
    assert "original network is left out" in said
    assert set(json.loads((tmp_path / "out" / "benchmark.json").read_text())["methods"]) == {
        m.name for m in baselines()
    }
    assert main([*words, "--real", str(tmp_path)]) == 2
    assert find_real(tmp_path) is None


@pytest.mark.slow
def test_weights_are_scored_in_workers(tmp_path):
    chosen = candidates(["default"])
    tiny = tuple(replace(scene, size=32) for scene in TINY)
    got = benchmark(chosen, tmp_path, scenes=tiny, methods=CHEAP, workers=2, draws=10)
    assert isinstance(got, Result)
    assert list(got.sums)[-3:] == ["default", "default, no hot spots", "default, no images"]
    alone = benchmark(chosen, tmp_path / "alone", scenes=tiny[:1], methods=CHEAP, draws=10)
    for name in got.sums:
        one, other = (r.sums[name][tiny[0].name].arrays["agreement"]["hard"] for r in (got, alone))
        np.testing.assert_allclose(one, other)
    write_result(got, tmp_path, name="benchmark")


def _script():
    import importlib.util

    path = Path(__file__).parents[2] / "benchmarks" / "fill_evaluation.py"
    spec = importlib.util.spec_from_file_location("fill_evaluation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_filled_between_its_markers(written, tmp_path, monkeypatch):
    script = _script()
    page = tmp_path / "evaluation.md"
    page.write_text(script.PAGE.read_text())
    monkeypatch.setattr(script, "PAGE", page)
    monkeypatch.setattr(script, "RECORDED", tmp_path / "results" / "benchmark.json")
    monkeypatch.setattr(script, "SHOWN", tmp_path)
    assert script.main([str(written["json"].parent)]) == 0
    text = page.read_text()
    assert "### All seasons" in text
    assert "| active fires |" in text
    assert "pictures/benchmark_dice.png" in text
    assert (tmp_path / "benchmark_dice.png").is_file()
    assert "### Greece" not in text
    script.main([])
    assert page.read_text() == text, "filling twice changes nothing"


def test_the_page_shows_what_is_recorded():
    """The tables of the documentation are those of the recorded run."""
    script = _script()
    if not script.RECORDED.is_file():
        pytest.skip("no benchmark is recorded yet")
    text = script.PAGE.read_text(encoding="utf-8")
    tree = json.loads(script.RECORDED.read_text(encoding="utf-8"))
    assert script.filled(text, tree, script.shown_pictures()) == text
