"""What is not known is neither zero nor silent: grids, days, months, intervals, water, and words."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.quality import Quality
from banet.burned_area.unknown import UnknownDays
from banet.cli import main
from banet.errors import BanetWarning
from banet.evaluation import compare, score
from banet.evaluation.beside import beside, tables_beside, write_beside
from banet.evaluation.evaluate import by_month, evaluate
from banet.evaluation.result_files import write_result
from banet.evaluation.tables import markdown, numbers_of, words
from banet.export import write_products
from banet.grid.region import Region
from banet.io.manifest import Manifest
from banet.io.tables import Number, to_csv, to_markdown

pytestmark = pytest.mark.usefixtures("dots")
NAT = np.datetime64("NaT", "D")
START, STOP = np.datetime64("2021-08-01"), np.datetime64("2021-10-01")
AUGUST, SEPTEMBER = np.datetime64("2021-08-10"), np.datetime64("2021-09-10")
REGION = Region("R", (10, 40, 10.4, 40.4), 0.01)
FIRE = np.zeros(REGION.shape, np.float32)
FIRE[:5, :5] = 1


def area_of(fraction, date=SEPTEMBER, *, region=REGION, threshold=0.5, **fields):
    fraction = np.asarray(fraction, np.float32)
    burned = (fraction >= threshold) & (fraction > 0)
    when = np.where(burned, np.broadcast_to(date, fraction.shape), NAT)
    known = {"region": region, "start": START, "stop": STOP, "threshold": threshold} | fields
    return BurnedArea(burned_fraction=fraction, burn_date=when, **known)


def months_of(result):
    return {row["name"]: row for row in numbers_of(result.to_dict())["months"]}


# Another grid.


def quarters(*values):
    """One coarse cell of four fine ones, and a coarse reference that burned whole."""
    bbox = (10, 0, 10.02, 0.02)
    fine, coarse = Region("F", bbox, 0.01), Region("C", bbox, 0.02)
    mapped = area_of(np.reshape(values, (2, 2)), region=fine)
    return mapped, area_of([[1.0]], region=coarse, threshold=0)


def test_the_known_part_of_a_cell_decides():
    nan = np.nan
    two_of_three = compare(*quarters(1, 1, 0, nan))
    assert two_of_three.map_fraction[0, 0] == pytest.approx(2 / 3, rel=1e-4)
    assert two_of_three.map_burned.all(), "two thirds of what is known burned, half of the cell"
    third = compare(*quarters(1, 0, 0, nan))
    assert third.map_fraction[0, 0] == pytest.approx(1 / 3, rel=1e-4) and not third.map_burned.any()
    least = compare(*quarters(nan, 1, 1, nan))
    assert least.map_burned.all() and least.valid.all()
    unknown = compare(*quarters(nan, 1, nan, nan))
    assert not unknown.valid.any() and unknown.unseen.all()
    whole = compare(*quarters(1, 1, 0, 0))
    assert whole.map_fraction[0, 0] == pytest.approx(0.5, rel=1e-4)


def test_hectares_of_a_cell_known_in_part_are_those_that_are_known():
    mapped, reference = quarters(1, 1, 0, np.nan)
    got = score(mapped, reference)
    assert got.soft.map_burned == pytest.approx(mapped.burned_area_ha, rel=1e-6)
    assert got.hectares == pytest.approx(1.5 * mapped.burned_area_ha, rel=1e-4)
    back = score(reference, mapped)
    assert back.soft.reference_burned == pytest.approx(mapped.burned_area_ha, rel=1e-6)
    counted = score(mapped, reference, unobserved="unburned")
    assert counted.hectares == pytest.approx(reference.burned_area_ha, rel=1e-6)
    assert counted.soft.map_burned == pytest.approx(mapped.burned_area_ha, rel=1e-6)


def test_of_two_parts_of_a_cell_the_smaller_counts():
    mapped, reference = quarters(1, 1, 0, np.nan)
    coarse = mapped.to(reference.region)
    assert score(coarse, coarse).hectares == pytest.approx(1.5 * mapped.burned_area_ha, rel=1e-4)
    assert score(mapped, coarse).soft.both == pytest.approx(mapped.burned_area_ha, rel=1e-4)
    half = replace(reference, known_share=np.array([[0.5]], np.float32))
    for pair in ((coarse, half), (half, coarse)):
        assert score(*pair).hectares == pytest.approx(mapped.burned_area_ha, rel=1e-4)


def test_confidence_on_another_grid_is_that_of_the_known_part():
    mapped, reference = quarters(1, np.nan, 1, np.nan)
    stated = np.array([[80, np.nan], [80, np.nan]], np.float32)
    for one, expected in ((mapped, 1), (replace(mapped, stated_confidence=stated), 0.8)):
        assert compare(one, reference).map_confidence[0, 0] == pytest.approx(expected, abs=0.01)


# Water.


def test_water_of_either_side_is_known_and_unburned():
    water = np.zeros(REGION.shape, bool)
    water[20:] = True
    fraction = np.where(water, np.nan, FIRE)
    unseen = np.where(water, 0, 9).astype(np.int16)
    wet = area_of(fraction, water=water, observed_days=unseen)
    burning = FIRE.copy()
    burning[30, 30] = 1
    dry = area_of(burning)
    forward, back = score(wet, dry), score(dry, wet)
    assert forward.cells == back.cells == 1600
    assert forward.omission == back.commission > 0, "a burn in the other's water is an error"
    assert (forward.unseen_ha, back.unseen_ha) == (0, 0)


# Days.


def test_a_cut_does_not_count_what_burned_on_days_that_nobody_knows():
    low = FIRE + np.where(FIRE > 0, 0, np.float32(0.3))
    season, truth = area_of(low, AUGUST), area_of(FIRE, AUGUST, threshold=0)
    week = "2021-09-01", "2021-09-08"
    cut = season.between(*week)
    for mapped, days in ((cut, None), (season, week)):
        got = score(mapped, truth, days=days)
        assert got.soft.map_burned == 0, "not the low fractions of two months"
        assert got.soft.total == pytest.approx(got.hectares)
    assert score(season, truth).soft.map_burned > truth.burned_area_ha, "of the whole period they count"
    assert cut.attrs["undated_days"] == ["2021-08-01", "2021-10-01"]
    assert cut.between("2021-09-02", "2021-09-04").attrs["undated_days"] == ["2021-08-01", "2021-10-01"]
    assert "undated_days" not in truth.between(*week).attrs
    rest = season.between("2021-09-08", "2021-10-01")
    assert cut.join(rest).attrs["undated_days"] == ["2021-08-01", "2021-10-01"]


def test_what_a_cut_map_does_not_date_is_told():
    season, truth = area_of(FIRE * 0.4), area_of(FIRE, threshold=0)
    week = "2021-09-08", "2021-09-15"
    cut = season.between(*week)
    got = evaluate(cut, truth.between(*week), draws=0, threshold=0.3)
    assert (got.scores["map"].soft.map_burned, got.scores["map"].hard.map_burned) == (0, 0)
    assert got.to_dict()["undated_days"] == {"map": ["2021-08-01", "2021-10-01"]}
    said = words(got.to_dict())
    assert "without a date are of 2021-08-01 up to, not including, 2021-10-01 in map." in said
    back = score(truth.between(*week), cut, reference_threshold=0.3)
    assert (back.soft.reference_burned, back.hard.reference_burned) == (0, 0)
    whole = evaluate(season, truth, draws=0, threshold=0.3)
    assert whole.to_dict()["undated_days"] == {}
    assert whole.scores["map"].hard.map_burned == pytest.approx(truth.burned_area_ha)


# Months.


def test_months_and_what_is_undated_add_up_to_the_total():
    low = FIRE + np.where(FIRE > 0, 0, np.float32(0.3))
    truth = FIRE.copy()
    truth[10, 10] = 1
    date = np.where(np.arange(40)[:, None] < 3, AUGUST, SEPTEMBER)
    got = evaluate(area_of(low, date), area_of(truth, date, threshold=0), threshold=0.2, draws=0)
    months = months_of(got)
    assert list(months) == ["2021-08", "2021-09", "undated"]
    total = got.scores["map"].hard
    for side, whole in (("map_ha", total.map_burned), ("reference_ha", total.reference_burned)):
        assert sum(month[side] for month in months.values()) == pytest.approx(whole)
    here = months["2021-09"]
    cells = got.cell_groups["months"]["2021-09"]
    assert cells.hard.both == pytest.approx(11 * REGION.cell_area_ha[:11].mean(), rel=1e-2), (
        "in the truth's month"
    )
    assert here["map_ha"] == pytest.approx(here["reference_ha"])
    assert "dated by neither" in markdown(got.to_dict())
    assert list(months_of(evaluate(area_of(low, date), area_of(truth, date, threshold=0), draws=0))) == [
        "2021-08",
        "2021-09",
    ]


@pytest.mark.parametrize("side", ["map", "reference"])
def test_a_month_of_which_a_side_says_nothing_is_not_zero(side, tmp_path):
    both = FIRE + np.roll(FIRE, 20)
    date = np.where(FIRE > 0, AUGUST, SEPTEMBER)
    whole = area_of(both, date)
    nothing = UnknownDays(SEPTEMBER - 9, STOP, np.ones(REGION.shape, bool))
    august = replace(area_of(FIRE, AUGUST), unknown_days=(nothing,))
    pair = (august, whole) if side == "map" else (whole, august)
    got = evaluate(*pair, draws=0)
    months = months_of(got)
    assert months["2021-08"]["map_ha"] == pytest.approx(august.burned_area_ha)
    assert months["2021-08"]["reference_ha"] == pytest.approx(august.burned_area_ha)
    empty = months["2021-09"]
    assert (empty["cells"], empty["map_ha"], empty["reference_ha"], empty["hectares"]) == (
        0,
        None,
        None,
        None,
    )
    burned = (np.roll(FIRE, 20) * REGION.cell_area_ha[:, None]).sum()
    assert empty["unseen_burned_ha"] == pytest.approx(burned if side == "map" else 0)
    paths = write_result(got, tmp_path, pictures=False)
    with paths["months_csv"].open() as file:
        (_, row) = csv.DictReader(file)
    assert (row["name"], row["map_ha"], row["reference_ha"]) == ("2021-09", "", "")
    held = json.loads(paths["json"].read_text())["months"]["2021-09"]["hard"]
    assert held["both_ha"] is held["map_only_ha"] is held["neither_ha"] is None
    assert "| 2021-09 | - | - | - |" in paths["markdown"].read_text()


def test_a_month_is_scored_where_both_sides_say_something_in_it():
    south = np.zeros(REGION.shape, bool)
    south[20:] = True
    reference = replace(
        area_of(FIRE, threshold=0), unknown_days=(UnknownDays(np.datetime64("2021-09-01"), STOP, south),)
    )
    months = by_month(compare(area_of(FIRE), reference))
    assert months["2021-09"].cells == 800
    assert score(area_of(FIRE), reference).cells == 1600


def test_an_evaluation_of_which_no_cell_counts_is_written(tmp_path):
    unseen = np.zeros(REGION.shape, np.int16)
    got = evaluate(area_of(FIRE * np.nan, observed_days=unseen), area_of(FIRE), draws=5)
    paths = write_result(got, tmp_path)
    assert json.loads(paths["json"].read_text())["scores"]["map"]["hectares"] is None
    assert "0 of them valid (0 ha)" in paths["markdown"].read_text()
    (row,) = numbers_of(got.to_dict())["scores"]
    assert (row["map_ha"], row["reference_ha"]) == (None, None)


# Intervals.


def test_one_block_bears_no_interval(tmp_path):
    zones = np.zeros(REGION.shape, int)
    zones[:, 20:] = 1
    burning = np.maximum(FIRE, np.roll(FIRE, 4, axis=1))
    far = FIRE + np.roll(FIRE, 30, axis=0)
    got = evaluate(area_of(burning), area_of(FIRE), zones=(zones, {0: "west", 1: "east"}), draws=50)
    assert got.scores["map"].dice == pytest.approx(5 / 7, rel=1e-3)
    assert all(math.isnan(end) for end in got.scores["map"].intervals["dice"]), "all burned in one block"
    assert "0.714 (-)" in markdown(got.to_dict())
    held = got.to_dict()
    assert held["zones"]["west"]["intervals"]["dice"] == [None, None]
    assert held["months"]["2021-09"]["intervals"]["commission"] == [None, None]
    paths = write_result(got, tmp_path)
    with paths["zones_csv"].open() as file:
        west = next(csv.DictReader(file))
    assert float(west["dice"]) > 0 and (west["dice_low"], west["dice_high"]) == ("", "")
    assert "(-)" in paths["page"].read_text()
    low, high = score(area_of(far + np.roll(FIRE, 4, axis=1)), area_of(far), draws=50).intervals["dice"]
    assert low < high, "two blocks tell how far they differ"


def test_a_number_shows_a_dash_for_an_interval_that_it_lacks():
    row = [{"a": Number(0.5, interval=(None, None)), "b": Number(0.5), "c": Number(None, interval=(0, 1))}]
    assert to_markdown(row).endswith("| 0.500 (-) | 0.500 | - |")
    assert to_csv(row).splitlines()[1] == "0.5,,,0.5,,0,1"


# Words.


def test_thresholds_and_options_are_recorded_and_told(tmp_path):
    mapped, late = area_of(FIRE * 0.8), area_of(FIRE * 0.8, threshold=0.7)
    whole = [np.full(REGION.shape, day) for day in (START, STOP)]
    sure = Quality(*whole, np.ones(REGION.shape, np.uint8))
    truth = area_of(FIRE * 0.35, threshold=0, quality=sure)
    valid = np.ones(REGION.shape, bool)
    valid[39] = False
    asked = {"reference_threshold": 0.3, "exclude_within": 2, "reliable": True, "valid": valid}
    got = evaluate(mapped, truth, baselines={"late": late}, draws=0, **asked)
    assert got.to_dict()["settings"] == {
        "threshold": {"map": 0.5, "late": 0.7},
        "reference_threshold": 0.3,
        "exclude_within": 2,
        "unobserved": "exclude",
        "reliable": True,
        "valid_cells": 1560,
        "block": 20,
        "draws": 0,
    }
    text = words(got.to_dict()) + markdown(got.to_dict())
    for told in (
        "from this part on: half or 0.7 in the map and 0.3 in the reference.",
        "Cells within 2 cells of what the reference dates on other days are left out.",
        "did not see reliably",
        "A mask lets 1,560 cells count.",
        "Confidence against cells of which at least 0.3 burned.",
        "to show cells of which half or 0.7 burned:",
    ):
        assert told in text
    assert json.loads(write_result(got, tmp_path)["json"].read_text())["settings"]["draws"] == 0
    with pytest.warns(BanetWarning, match="does not say what it saw reliably: --reliable"):
        got = evaluate(mapped, area_of(FIRE), reliable=True, draws=0)
    assert "reliably" not in words(got.to_dict())
    sides = {"one": mapped, "other": area_of(FIRE)}
    found = beside(sides, sides, draws=0, threshold=0.3, reference_threshold=0.3)
    shown = {table.name: table.words for table in tables_beside({n: r.to_dict() for n, r in found.items()})}
    assert shown["hectares"].startswith("Cells of which at least 0.3 burned, each whole")


def test_files_by_group_name_the_reference(tmp_path):
    zones = np.zeros(REGION.shape, int)
    truth = area_of(FIRE, threshold=0, name="VNP64A1.002")
    got = evaluate(area_of(FIRE), truth, zones=(zones, {}), cover=(zones, {}), draws=0)
    paths = write_result(got, tmp_path, pictures=False)
    for name in ("months", "zones", "covers", "scores"):
        with paths[f"{name}_csv"].open() as file:
            assert {row["reference"] for row in csv.DictReader(file)} == {"VNP64A1.002"}, name


def test_a_label_names_the_reference_in_all_files(tmp_path, capsys):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        write_products(area_of(FIRE), tmp_path / name, "R", manifest=Manifest(), pictures=False)
    out = tmp_path / "out"
    asked = ["--reference", f"ICNF={tmp_path / 'theirs'}", "--out", str(out), "--draws", "0", "--no-pictures"]
    assert main(["evaluate", str(tmp_path / "mine"), *asked]) == 0
    assert "mine against ICNF" in capsys.readouterr().out
    for name in ("months", "scores"):
        assert "ICNF" in (out / f"{name}.csv").read_text()


def test_a_map_that_covers_other_days_says_so(tmp_path):
    truth, mapped = area_of(FIRE, threshold=0), area_of(FIRE)
    short = mapped.between("2021-09-01", "2021-10-01")
    tree = evaluate(mapped, truth, baselines={"short": short, "same": mapped}, draws=0).to_dict()
    assert tree["other_days"] == {"short": ["2021-09-01", "2021-10-01"]}
    assert "short was compared on other days: 2021-09-01 up to, not including, 2021-10-01." in words(tree)
    text = markdown(tree)
    assert "| short | 2021-09-01 to 2021-09-30 |" in text and "| map | 2021-08-01 to 2021-09-30 |" in text
    rows = {row["name"]: (row["start"], row["stop"]) for row in numbers_of(tree)["scores"]}
    assert rows["short"] == ("2021-09-01", "2021-10-01") and rows["same"] == ("2021-08-01", "2021-10-01")
    alike = evaluate(mapped, truth, baselines={"same": mapped}, draws=0).to_dict()
    assert alike["other_days"] == {} and "| days |" not in markdown(alike)
    found = beside({"mapped": mapped, "short": short}, {"truth": truth}, draws=0)
    paths = write_beside(found, tmp_path, pictures=False)
    assert "| short | truth | 2021-09-01 to 2021-09-30 |" in paths["md"].read_text()
    assert ",2021-09-01,2021-10-01" in paths["csv"].read_text()
