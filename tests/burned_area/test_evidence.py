"""Evidence: looks counted on both sides of a day, and confidence by what was known."""

from __future__ import annotations

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.confidence import with_neighbours
from banet.burned_area.evidence import CLASSES, NO_EVIDENCE, WITHIN, classes_of
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.grid.region import Region

START = np.datetime64("2020-08-01")
REGION = Region("E", (10, 40, 10.06, 40.01), 0.01)


def class_of(before: int, after: int, *, looked: bool, days: int = 64, day: int = 30) -> str:
    observed = np.zeros((days, 1, 1), bool)
    observed[day - before : day] = True
    observed[day : day + after] = True
    told = np.full((days, 1, 1), looked)
    return CLASSES[int(classes_of(observed, told, np.array([[day]]))[0, 0])]


@pytest.mark.parametrize(
    ("before", "after", "looks"),
    [
        (0, 9, "under_2"),
        (1, 1, "under_2"),
        (2, 9, "2_to_4"),
        (9, 4, "2_to_4"),
        (5, 5, "5_or_more"),
        (16, 16, "5"),
    ],
)
def test_the_poorer_side_decides(before, after, looks):
    assert class_of(before, after, looked=True).startswith(f"hot_spots_known_{looks}")
    assert class_of(before, after, looked=False).startswith(f"nobody_looked_{looks}")


def test_looks_far_from_the_day_do_not_count():
    observed = np.ones((64, 1, 1), bool)
    observed[40 - WITHIN : 40] = False
    known = np.ones_like(observed)
    assert CLASSES[int(classes_of(observed, known, np.array([[40]]))[0, 0])].endswith("under_2_looks")
    assert CLASSES[int(classes_of(observed, known, np.array([[20]]))[0, 0])].endswith("2_to_4_looks")


@pytest.mark.parametrize("day", [0, 5, 63])
def test_hot_spots_are_known_where_somebody_looked_on_half_of_the_days_near(day):
    observed, looked = np.ones((64, 1, 2), bool), np.ones((64, 1, 2), bool)
    near = slice(max(day - WITHIN, 0), day + WITHIN)
    count = len(range(*near.indices(64)))
    looked[near, 0, 0] = np.arange(count) >= count // 2 + 1
    classes = classes_of(observed, looked, np.full((1, 2), day))
    assert [CLASSES[c].startswith("hot_spots_known") for c in classes[0]] == [False, True]


def curve(top: float) -> dict:
    return {"burned": [0, top], "tenth": [0, min(1, 1.1 * top)], "cells": 9}


def a_map(evidence, tables=True):
    fraction = np.array([[0.8, 0.8, 0.8, 0.8, 0.2, np.nan]], np.float32)
    calibration = {"mapped": [0, 1], "burned": [0, 0.5], "tenth": [0, 0.6], "date_mass": 0.5}
    if tables:
        calibration["by_evidence"] = [{"evidence": n, **curve(k / 10 + 0.4)} for k, n in enumerate(CLASSES)]
    date = np.where(fraction >= 0.5, START + 3, np.datetime64("NaT", "D"))
    return BurnedArea(
        REGION, START, START + 10, fraction, date, evidence=evidence, attrs={"calibration": calibration}
    )


def test_confidence_is_read_from_the_table_of_the_evidence():
    evidence = np.array([[0, 2, 5, NO_EVIDENCE, 5, NO_EVIDENCE]], np.uint8)
    made = a_map(evidence)
    assert made.confidence.tolist() == [[32, 48, 72, 40, 18, 255]]
    assert made.over_tenth.tolist() == [[35, 53, 79, 48, 20, 255]]
    assert a_map(evidence, tables=False).confidence.tolist() == [[40, 40, 40, 40, 10, 255]]
    assert a_map(None).confidence.tolist() == [[40, 40, 40, 40, 10, 255]]


def test_a_neighbour_that_nobody_saw_tells_nothing_of_a_cell():
    fraction = np.array([[0.8, np.nan, 0.4]], np.float32)
    np.testing.assert_allclose(with_neighbours(fraction, 0.25), [[0.6, np.nan, 0.3]], rtol=1e-6)


def test_evidence_goes_through_a_file_and_says_what_it_means(tmp_path):
    import xarray as xr

    made = a_map(np.array([[0, 2, 5, NO_EVIDENCE, 5, NO_EVIDENCE]], np.uint8))
    path = write_netcdf(made, tmp_path / "map.nc")
    back = read_map(path)
    np.testing.assert_array_equal(back.evidence, made.evidence)
    assert back.confidence.tolist() == made.confidence.tolist()
    with xr.open_dataset(path) as dataset:
        assert dataset["evidence"].attrs["flag_meanings"].split() == list(CLASSES)
        assert np.isnan(dataset["evidence"].values[0, 0, 3])
    assert read_map(write_netcdf(a_map(None), tmp_path / "none.nc")).evidence is None


def test_a_join_takes_the_evidence_of_the_stronger_burn():
    first = a_map(np.full((1, 6), 1, np.uint8))
    later = BurnedArea(
        REGION,
        START + 20,
        START + 30,
        np.array([[0.9, 0.1, 0, 0, 0.3, 0.1]], np.float32),
        np.array([[START + 22, *(5 * [np.datetime64("NaT")])]], "datetime64[D]"),
        evidence=np.full((1, 6), 4, np.uint8),
        attrs=first.attrs,
    )
    assert first.join(later).evidence.tolist() == [[4, 1, 1, 1, 4, 4]]
    plain = BurnedArea(REGION, START + 20, START + 30, later.burned_fraction, later.burn_date)
    assert first.join(plain).evidence.tolist() == [[255, 1, 1, 1, 255, 255]]
    assert first.crop(slice(0, 1), slice(1, 3)).evidence.tolist() == [[1, 1]]
