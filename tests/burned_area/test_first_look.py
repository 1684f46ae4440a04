"""Days to the first look after burning: found, kept through files and cuts, and held against references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dating import first_look
from banet.burned_area.meaning import meanings
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.evaluation.compare import compare
from banet.evaluation.measures.first_looks import FirstLooks
from banet.grid.region import Region

START = np.datetime64("2020-08-01")
REGION = Region("F", (10, 40, 10.05, 40.01), 0.01)
NOT = np.datetime64("NaT", "D")


def test_the_look_of_the_day_itself_does_not_count():
    looks = np.zeros((300, 1, 5), bool)
    looks[[3, 7, 9], 0, 0] = True
    looks[:, 0, 1] = True
    looks[:4, 0, 2] = True
    looks[299, 0, 4] = True
    day = np.array([[3, 3, 3, -1, 2]], np.int32)
    assert first_look(day, looks).tolist() == [[4, 1, 255, 255, 254]]


def a_map(wait=(1, 4, 255, 2, 255), dates=(0, 2, 4, 6, None)):
    date = np.array([[NOT if day is None else START + day for day in dates]])
    burned = ~np.isnat(date)
    return BurnedArea(
        REGION,
        START,
        START + 10,
        np.where(burned, np.float32(0.8), np.float32(0.1)),
        date,
        uncertainty=np.where(burned, 1, 255).astype(np.uint8),
        first_look=np.array([wait], np.uint8),
    )


def test_it_goes_through_a_file_and_says_what_it_means(tmp_path):
    import xarray as xr

    path = write_netcdf(a_map(), tmp_path / "map.nc")
    assert read_map(path).first_look.tolist() == [[1, 4, 255, 2, 255]]
    with xr.open_dataset(path) as dataset:
        assert "VNP64A1" in dataset["first_look"].attrs["long_name"]
        assert np.isnan(dataset["first_look"].values.ravel()[[2, 4]]).all()
    plain = replace(a_map(), first_look=None)
    assert read_map(write_netcdf(plain, tmp_path / "none.nc")).first_look is None
    assert "first_look" not in meanings(plain)


def test_it_goes_where_the_date_goes():
    made = a_map()
    assert made.between(START + 2, START + 5).first_look.tolist() == [[255, 4, 255, 255, 255]]
    assert made.at_threshold(0.9).first_look.tolist() == [[255] * 5]
    later = BurnedArea(REGION, START + 10, START + 20, np.full((1, 5), 0.1, np.float32), np.full((1, 5), NOT))
    assert made.join(later).first_look.tolist() == [[1, 4, 255, 2, 255]]
    assert made.crop(slice(0, 1), slice(1, 3)).first_look.tolist() == [[4, 255]]
    assert made.to(Region("G", (10, 40, 10.04, 40.02), 0.02)).first_look is None


def held_against(days):
    reference = BurnedArea.from_dates(
        REGION, START, START + 10, np.array([[NOT if day is None else START + day for day in days]])
    )
    return FirstLooks().of(compare(a_map(), reference))["first_look"]


def test_a_reference_of_the_first_look_lies_in_the_span_up_to_it():
    found = held_against((1, 6, 9, 5, None))  # the third was not seen again
    assert found == {"cells": 3, "covered": 1.0, "half_width_days": pytest.approx(5 / 3), "wait_days": 7 / 3}
    assert held_against((2, 7, 9, 4, None))["covered"] == 0
    assert held_against((1, 1, 9, 9, None))["covered"] == pytest.approx(2 / 3)
    nothing = held_against((None, None, 9, None, 1))
    assert nothing["cells"] == 0
    assert np.isnan(nothing["covered"])
