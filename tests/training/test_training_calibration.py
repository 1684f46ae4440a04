"""Calibration: shares and intervals that are known beforehand are found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.confidence import with_neighbours
from banet.burned_area.dating import DatingRule, date_at, date_uncertainty, summarise
from banet.burned_area.evidence import CLASSES
from banet.grid.region import Region
from banet.model.config import BANetConfig, Calibration
from banet.model.network import BANet
from banet.model.weights import load_model, save_weights
from banet.training.calibration import (
    COVERAGE,
    HeldOut,
    _telling,
    best_shift,
    by_evidence,
    calibrate,
    short_record,
)

DAYS, SIZE = 21, 120
LINE = {"burned": (0, 1), "tenth": (0, 1)}


def scene(seed: int, burned_share: float, widest: float) -> tuple[np.ndarray, np.ndarray]:
    """Daily probabilities that are the chance of each day, scaled to a sum that overstates what burned."""
    rng = np.random.default_rng(seed)
    centre = rng.integers(6, DAYS - 6, (SIZE, SIZE))
    day = np.arange(DAYS)[:, None, None]
    spread = rng.uniform(0.5, widest, (SIZE, SIZE))
    shape = np.exp(-0.5 * ((day - centre) / spread) ** 2)
    shape /= shape.sum(0)
    sums = rng.uniform(0, 1, (SIZE, SIZE))
    burned = rng.random((SIZE, SIZE)) < burned_share * sums
    drawn = (rng.random((SIZE, SIZE)) > shape.cumsum(0)).sum(0).clip(max=DAYS - 1)
    truth = np.where(burned & (day == drawn), 0.9, 0.0)
    return (shape * sums).astype(np.float32), truth.astype(np.float32)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each cell tell of itself alone."""
    monkeypatch.setattr("banet.training.calibration._NEIGHBOURS", 0.0)


@pytest.mark.usefixtures("alone")
def test_the_share_burned_is_found_again() -> None:
    found = calibrate(scene(seed, 0.6, 2.0) for seed in range(4))
    assert found is not None
    np.testing.assert_allclose(found.burned, 0.6 * np.array(found.mapped), atol=0.05)
    # Cells burned by nine tenths or not at all: over a tenth is the same as over a half.
    assert found.tenth == found.burned


@pytest.mark.usefixtures("alone")
def test_cells_of_which_a_little_burned_count_for_the_tenth_alone() -> None:
    daily, truth = scene(5, 0.8, 2.0)
    found = calibrate([(daily, np.where(truth > 0, 0.2, 0).astype(np.float32))])
    assert found is not None
    assert found.burned[-1] < 0.1
    np.testing.assert_allclose(found.tenth, 0.8 * np.array(found.mapped), atol=0.1)


def test_neighbours_tell_whether_more_than_a_tenth_burned() -> None:
    """Cells of the same fraction burned beside a scar alone."""
    daily, truth = np.zeros((2, 2, 24, 24), np.float32)
    daily[0, 2:22, 2:10], daily[0, 2:22, 10], daily[0, 2:22, 16:22] = 1, 0.2, 0.2
    truth[0, 2:22, 2:10], truth[0, 2:22, 10] = 1, 0.2
    found = calibrate([(daily, truth)])
    assert found is not None
    region = Region("T", (0, 0, 0.24, 0.24), 0.01)
    told = BurnedArea.from_probabilities(
        region, np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), daily, np.ones(daily.shape, bool),
        attrs={"calibration": found.model_dump()},
    )  # fmt: skip
    likely = told.over_tenth
    assert likely is not None
    assert likely[5:19, 10].min() > 60
    assert likely[5:19, 17:21].max() < 20
    assert np.array_equal(told.confidence[5:19, 10], told.confidence[5:19, 18]), "a half: each by itself"


def test_cells_that_were_kept_know_their_neighbours() -> None:
    daily, truth = scene(3, 0.6, 2.0)
    daily[:, 5:9, 5:9], truth[:, 5:9, 5:9] = 0, 0
    daily[:, 0, 3], truth[2, 0, 3] = 0.01, np.nan
    logits = np.log(daily.clip(1e-9, 1 - 1e-6) / (1 - daily.clip(1e-9, 1 - 1e-6))).astype(np.float32)
    kept = _telling(logits, truth, np.zeros(truth.shape[1:], np.uint8))
    told = with_neighbours(np.where(np.isnan(truth).any(0), 0, daily.sum(0)).clip(max=1), 0.25)
    order = np.isfinite(truth).all(0)
    order[6:8, 6:8] = False
    assert kept.logits.shape[1] == order.sum() == SIZE**2 - 5
    np.testing.assert_allclose(kept.mapped(0.0).blended[:, 0], told[order], atol=1e-4)


@pytest.mark.parametrize("widest", [3.0, 5.0])
def test_four_true_days_in_five_lie_within_the_interval(widest: float) -> None:
    found = calibrate(scene(seed, 1.0, widest) for seed in range(4))
    assert found is not None
    daily, truth = scene(99, 1.0, widest)
    both = (daily.sum(0) >= 0.5) & (truth.sum(0) > 0)
    cells = daily[:, both]
    day = date_at(cells, found.date_quantile)
    assert abs((day - truth[:, both].argmax(0)).mean()) < 0.1
    held = np.abs(truth[:, both].argmax(0) - day) <= date_uncertainty(cells, day, found.date_mass)
    assert held.mean() == pytest.approx(COVERAGE, abs=0.06)


@pytest.mark.parametrize("shift", [-0.5, 0.0, 1.3])
def test_the_shift_that_was_taken_off_is_found_again(shift: float) -> None:
    rng = np.random.default_rng(2)
    truth = np.where(rng.random((1, SIZE, SIZE)) < 0.3, 0.8, 0.0).astype(np.float32)
    logits = (np.where(truth > 0, 1.0, -1.0) + rng.normal(0, 0.8, truth.shape)).astype(np.float32)
    # Where as many burned as mapped cells lie at the threshold, Dice is largest a little below it.
    found = best_shift([[(logits - np.float32(shift), truth)]])
    assert found == pytest.approx(shift + best_shift([[(logits, truth)]]), abs=0.11)
    assert abs(best_shift([[(logits, truth)]])) < 0.4


def test_scenes_that_tell_nothing_shift_nothing() -> None:
    logits = np.full((3, 4, 4), -9, np.float32)
    found = best_shift([[(logits, np.zeros_like(logits))]])
    assert f"{found:+.1f}" == "+0.0"


def test_a_date_is_the_day_by_which_its_share_is_reached() -> None:
    daily = np.array([0.1, 0.2, 0.0, 0.4, 0.3], np.float32)[:, None, None]
    found = {q: int(date_at(daily[:, 0], q)[0]) for q in (0.05, 0.1, 0.3, 0.31, 0.7, 0.71, 0.99)}
    assert found == {0.05: 0, 0.1: 0, 0.3: 1, 0.31: 3, 0.7: 3, 0.71: 4, 0.99: 4}
    assert summarise(daily).day.item() == 3
    told = summarise(daily, dating=DatingRule(0.7, 0.3))
    assert (told.day.item(), told.uncertainty.item()) == (1, 2)


def test_unknown_cells_and_empty_scenes_tell_nothing() -> None:
    daily, truth = scene(0, 0.6, 2.0)
    assert calibrate([(daily, np.full_like(truth, np.nan))]) is None
    assert calibrate([]) is None


def test_a_calibration_travels_with_the_weights(tmp_path: Path) -> None:
    model = BANet(BANetConfig(width=2, lstm=False))
    model.calibration = Calibration(mapped=(0, 0.5, 1), burned=(0, 0.7, 0.9), date_mass=0.71)
    save_weights(model, tmp_path / "w.safetensors")
    assert load_model(tmp_path / "w.safetensors").calibration == model.calibration
    model.calibration = None
    save_weights(model, tmp_path / "w.safetensors")
    assert load_model(tmp_path / "w.safetensors").calibration is None


def test_confidence_is_what_the_burned_fraction_means() -> None:
    region = Region("T", (0, 0, 0.03, 0.01), 0.01)
    probability = np.array([[[0.2, 0.5, 1.0]]], np.float32)
    days = np.array(["2020-01-01"], "datetime64[D]")
    curve = {"mapped": [0, 0.5, 1], "burned": [0, 0.7, 0.9], "date_mass": 0.8}
    plain, told = (
        BurnedArea.from_probabilities(region, days, probability, probability > 0, attrs=attrs)
        for attrs in ({}, {"calibration": curve})
    )
    assert plain.confidence.tolist() == [[20, 50, 100]]
    assert told.confidence.tolist() == [[28, 70, 90]]


@pytest.mark.parametrize(
    "fields",
    [
        {"mapped": (0, 1), "burned": (0.2, 0.1)},
        {"mapped": (0, 0.4), "burned": (0, 1)},
        {"mapped": (0, 0.5, 0.5, 1), "burned": (0, 0, 0, 1)},
        {"mapped": (0, 1), "burned": (0, 0.5, 1)},
        {"mapped": (0, 1), "burned": (0, 1), "tenth": (1, 0)},
        {"mapped": (0, 1), "burned": (0, 1), "tenth": (0, 0.5, 1)},
        {"mapped": (0, 1), "burned": (0, 1), "by_evidence": ({"evidence": CLASSES[0], "cells": 1, **LINE},)},
        {
            "mapped": (0, 1),
            "burned": (0, 1),
            "by_evidence": tuple({"evidence": n, "cells": 1, **LINE, "tenth": (1, 0)} for n in CLASSES),
        },
    ],
)
def test_knots_that_make_no_curve_are_refused(fields: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValidationError):
        Calibration(**fields)


def test_a_variant_of_more_weight_decides_the_shift() -> None:
    truth = np.zeros((2, 4, 4), np.float32)
    truth[0, :2] = 1
    low = np.where(truth > 0, -0.85, -6).astype(np.float32)
    high = np.where(truth > 0, 6, -0.55).astype(np.float32)
    pair = [[(low, truth)], [(high, truth)]]
    toward_low, toward_high = (best_shift(pair, weights) for weights in ([9, 1], [1, 9]))
    assert toward_low > toward_high


def test_a_short_record_knows_nothing_of_other_days() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1, (20, 3, 3)).astype(np.float32)
    truth = rng.random((20, 3, 3)).astype(np.float32)
    truth[2, 0, 0] = np.nan
    short, burned = short_record(logits, truth, slice(5, 9))
    np.testing.assert_array_equal(short[5:9], logits[5:9])
    np.testing.assert_array_equal(burned[5:9], truth[5:9])
    assert short[:5].max() == short[9:].max() == -30
    assert np.nansum(burned[:5]) == np.nansum(burned[9:]) == 0
    assert np.isfinite(burned).all()
    assert np.nansum(truth[:5]) > 0


def test_shares_are_found_again_by_class_of_evidence() -> None:
    scenes = []
    for number, share in ((1, 0.9), (4, 0.3)):
        daily, truth = scene(number, share, 2.0)
        flat = daily.reshape(DAYS, -1, 1).clip(1e-6, 1 - 1e-6)
        logits = np.log(flat / (1 - flat)).astype(np.float32)
        evidence = np.full(flat.shape[1], number, np.uint8)
        alone = np.zeros((2 * SIZE, 2 * SIZE), bool)
        alone[::2, ::2] = True
        scenes.append(HeldOut(logits, truth.reshape(DAYS, -1, 1), evidence, alone))
    known = calibrate(scene(seed, 0.6, 2.0) for seed in range(2))
    assert known is not None
    tables = by_evidence(scenes, 0.0, known)
    assert tuple(table.evidence for table in tables) == CLASSES
    np.testing.assert_allclose(tables[1].burned, 0.9 * np.array(known.mapped), atol=0.08)
    np.testing.assert_allclose(tables[4].burned, 0.3 * np.array(known.mapped), atol=0.08)
    assert tables[0].cells == 0
    np.testing.assert_allclose(tables[0].burned, known.burned, atol=1e-3)
    assert Calibration.model_validate(known.model_dump() | {"by_evidence": tables}).by_evidence == tables
