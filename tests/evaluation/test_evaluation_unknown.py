"""What is not known is neither zero nor silent: grids, days and water."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.evaluation import compare, score
from banet.grid.region import Region

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
