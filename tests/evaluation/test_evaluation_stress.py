"""Stress, thick scars and confounders: what is changed, what stays, and what is counted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation import compare
from banet.evaluation.benchmark import SMALL, baselines, benchmark
from banet.evaluation.benchmark.stage import open_stage
from banet.evaluation.benchmark.stress import STRESSES, Seen, apply
from banet.evaluation.measures.confounders import PREFIX, Confounders
from banet.evaluation.measures.edges import Edges
from banet.evaluation.result_files import write_result
from banet.evaluation.tables import rows_of
from banet.grid.region import Region

TINY = replace(SMALL[2], size=48, days=32)
BY_NAME = STRESSES
START = np.datetime64("2020-08-01")


def burned(fraction):
    region = Region("T", (10, 40, 10 + fraction.shape[1] / 100, 40 + fraction.shape[0] / 100), 0.01)
    date = np.where(fraction > 0, START + 3, np.datetime64("NaT", "D"))
    return BurnedArea(
        region=region,
        start=START,
        stop=START + 10,
        burned_fraction=fraction.astype(np.float32),
        burn_date=date,
        observed_days=np.full(fraction.shape, 10, np.int16),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    return open_stage(TINY, tmp_path_factory.mktemp("season"))


@pytest.fixture(scope="module")
def seen(stage):
    return Seen(stage.cube.read(stage.cube.days[0], stage.cube.days[-1] + 1), stage.truth)


def test_the_columns_that_were_asked_for():
    assert {f"MIR x{f:g}" for f in (0.5, 0.7, 1.5, 2)} <= BY_NAME.keys()
    assert {f"{band} x{f}" for band in ("NIR", "red") for f in (0.7, 1.4)} <= BY_NAME.keys()
    assert {"6 days", "12 days", "20 days", "MIR x0.7, 12 days", "one satellite"} <= BY_NAME.keys()
    assert {f"hot spots {share} %" for share in (50, 10, 2, 0)} <= BY_NAME.keys()
    assert {"other land", "other land, 12 days"} <= BY_NAME.keys()


def test_other_land_shows_the_same_burns_and_hot_spots_in_other_images(seen):
    got, again = BY_NAME["other land"](seen), BY_NAME["other land"](seen)
    np.testing.assert_array_equal(got.planes.red, again.planes.red)
    np.testing.assert_array_equal(got.planes.frp, seen.planes.frp)
    assert got.truth is seen.truth
    land = ~seen.truth.water
    same = np.isin(got.planes.nir[:, land], seen.planes.nir[:, land])
    assert same.mean() < 0.05, "but for chance"
    np.testing.assert_array_equal(got.planes.count > 0, np.isfinite(got.planes.nir))


def test_gains_change_one_band_alone(seen):
    got = BY_NAME["MIR x0.5"](seen).planes
    np.testing.assert_array_equal(got.mir, seen.planes.mir * np.float32(0.5))
    for band in ("red", "nir", "frp", "view_zenith", "count"):
        assert getattr(got, band) is getattr(seen.planes, band)


@pytest.mark.parametrize(("days", "scored"), [(6, 4), (12, 6), (20, 10)])
def test_a_short_record_holds_the_fires_in_its_middle(seen, days, scored):
    got = BY_NAME[f"{days} days"](seen)
    first, stop = got.settings["days"]
    assert len(got.planes.days) == days
    assert stop - first == scored
    assert first - got.planes.days[0] == got.planes.days[-1] + 1 - stop
    at = int((got.planes.days[0] - seen.planes.days[0]).astype(int))
    np.testing.assert_array_equal(got.planes.nir, seen.planes.nir[at : at + days])
    whole = seen.truth.burn_date[np.nan_to_num(seen.truth.burned_fraction) >= 0.5]
    inside = np.count_nonzero((whole >= first) & (whole < stop))
    others = [np.count_nonzero((whole >= d) & (whole < d + scored)) for d in seen.planes.days[days // 4 :]]
    assert inside > 0
    ends = int((seen.planes.days[-1] + 1 - stop).astype(int))
    assert ends >= 0
    assert inside == max(others[: len(seen.planes.days) - days + 1])


def test_hot_spots_are_thinned_by_the_share_and_none_are_added(seen):
    whole = seen.planes.frp > 0
    half, none = (BY_NAME[f"hot spots {share} %"](seen).planes.frp for share in (50, 0))
    assert not (half > 0)[~whole].any()
    count = whole.sum()
    assert abs((half > 0).sum() - count / 2) < 4 * np.sqrt(count / 4)
    assert (none[np.isfinite(seen.planes.frp)] == 0).all(), "known, and quiet"
    np.testing.assert_array_equal(np.isnan(none), np.isnan(seen.planes.frp))


def test_a_lost_band_is_gone_while_most_burned(seen):
    got = BY_NAME["no MIR for 21 days"](seen).planes
    gone = np.isnan(got.mir).all((1, 2))
    first = int(gone.argmax())
    assert gone.sum() == 21
    assert gone[first : first + 21].all()
    np.testing.assert_array_equal(got.mir[~gone], seen.planes.mir[~gone])
    assert got.nir is seen.planes.nir
    dates = seen.truth.burn_date[np.nan_to_num(seen.truth.burned_fraction) >= 0.5]
    starts = seen.planes.days[: TINY.days - 20]
    counts = [np.count_nonzero((dates >= day) & (dates < day + 21)) for day in starts]
    assert counts[first] == max(counts) > 0


def test_one_satellite_sees_every_second_day(seen):
    got = BY_NAME["one satellite"](seen).planes
    assert np.isnan(got.nir[1::2]).all()
    assert (got.count[1::2] == 0).all()
    np.testing.assert_array_equal(got.nir[::2], seen.planes.nir[::2])


def test_a_stressed_scene_is_a_cube_of_its_own(stage, seen, tmp_path):
    cube, settings = apply(BY_NAME["MIR x0.7, 6 days"], stage.cube, stage.truth, tmp_path / "c.zarr")
    assert len(cube.days) == 6
    got = cube.read(cube.days[0], cube.days[-1] + 1)
    at = int((cube.days[0] - stage.cube.days[0]).astype(int))
    np.testing.assert_allclose(got.mir, seen.planes.mir[at : at + 6] * 0.7, atol=2e-4)
    np.testing.assert_array_equal(cube.water, stage.cube.water)
    assert settings["exclude_within"] == 2
    assert stage.cube.days.size == TINY.days, "the scene itself is as it was"


def test_scores_under_stress(tmp_path, monkeypatch):
    few = {name: BY_NAME[name] for name in ("MIR x0.5", "hot spots 50 %", "hot spots 0 %")}
    for module in ("cases", "suite"):
        monkeypatch.setattr(f"banet.evaluation.benchmark.{module}.STRESSES", few)
    chosen = tuple(m for m in baselines() if m.name == "active fires")
    result = benchmark(
        (), tmp_path, scenes=[replace(TINY, size=32, days=24)], methods=chosen, stress=True, draws=0
    )
    paths = write_result(result, tmp_path, name="benchmark", pictures=False)
    tree = json.loads(paths["json"].read_text())
    fires = tree["stress"]["active fires"]
    assert list(fires) == list(few)
    whole = tree["methods"]["active fires"]["overall"]["scores"]["hard"]["dice"]
    assert fires["MIR x0.5"]["dice"] == pytest.approx(whole), "no baseline of fires alone sees a gain"
    assert fires["hot spots 0 %"]["dice"] == 0
    assert fires["hot spots 50 %"]["omission"] > fires["MIR x0.5"]["omission"]
    row = rows_of(tree, "stress")[0]
    assert row["worst"].value == min(one["dice"] for one in fires.values())
    assert row["which"] == "hot spots 0 %"
    assert list(row)[:4] == ["map", "mean", "worst", "which"]
    assert "worst" in paths["stress_csv"].read_text()


def test_recall_by_cells_from_the_edge():
    """A square of 21 cells in a grid with a margin: rings of 80, 72 ... cells, one alone in the middle."""
    truth = np.zeros((25, 25))
    truth[2:23, 2:23] = 1
    mapped = truth.copy()
    mapped[7:18, 7:18] = 0  # all that lies deeper than five cells
    got = {r["cells_from_edge"]: r for r in Edges().of(compare(burned(mapped), burned(truth)))["edges"]}
    assert [(r["cells"], r["recall"]) for r in got.values()] == [
        (80, 1.0), (72 + 64 + 56, 1.0), (48 + 40 + 32 + 24, 48 / 144), (5 * 5, 0.0),
    ]  # fmt: skip
    assert list(got) == ["1", "2-4", "5-8", "over 8"]


def test_the_edge_of_the_grid_is_no_edge_of_a_scar():
    whole = np.ones((6, 30))
    got = Edges().of(compare(burned(whole), burned(whole)))["edges"]
    assert [r["cells"] for r in got] == [0, 0, 0, 180]
    half = whole.copy()
    half[:, 15:] = 0
    got = Edges().of(compare(burned(half), burned(half)))["edges"]
    assert [r["cells"] for r in got] == [6, 18, 24, 42]
    lost = np.zeros(half.shape, bool)
    lost[:, 5] = True  # what nobody knows is no edge either
    unknown = replace(burned(np.where(lost, 0, half)), observed_days=np.where(lost, 0, 10).astype(np.int16))
    got = Edges().of(compare(burned(half), unknown))["edges"]
    assert [r["cells"] for r in got] == [6, 18, 24, 36]


def test_false_cells_by_confounder():
    truth, mapped = np.zeros((20, 50)), np.zeros((20, 50))
    truth[0, :5] = mapped[0, :5] = 1
    mapped[1, :3] = 1
    plough, snow = np.zeros((20, 50), bool), np.zeros((20, 50), bool)
    plough[:2] = True
    snow[10:] = True
    masks = {PREFIX + "ploughing": plough, PREFIX + "first snow": snow}
    said = Confounders().of(compare(burned(mapped), burned(truth)), classes=masks)["confounders"]
    got = {row["confounder"]: row for row in said}
    assert got["ploughing"]["cells"] == 95
    assert got["ploughing"]["false_per_10000"] == pytest.approx(1e4 * 3 / 95)
    assert got["first snow"]["false_per_10000"] == 0
    assert got["all unburned cells"]["false_per_10000"] == pytest.approx(1e4 * 3 / 995)


def test_masks_of_confounders_come_with_the_season(tmp_path, monkeypatch):
    scene = replace(TINY, size=16, days=4)
    mask = np.zeros((16, 16), bool)
    mask[3:5] = True
    made = scene.simulate()
    monkeypatch.setattr(type(made), "confounders", property(lambda self: {"harvest": mask}))
    monkeypatch.setattr(type(scene), "simulate", lambda self: made)
    np.testing.assert_array_equal(open_stage(scene, tmp_path).classes[PREFIX + "harvest"], mask)
