"""Observations of a morning: days are read again only where their content is new."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.cube import Cube
from banet.operations.looks import gaps_of, look, newest_images
from made_cubes import FIRST, made_cube

DAYS = 4
SHAPE = (3, 5)


@pytest.fixture
def cube(tmp_path):
    """Each day misses a cell of its own and shows a hot spot there, but for the last, which is the first."""

    def draw(rng, day):
        planes, frp = np.full((3, *SHAPE), 0.1, np.float32), np.zeros(SHAPE, np.float32)
        planes[:, 0, day % 3], frp[1, day % 3] = np.nan, 5
        return planes, frp

    return made_cube(tmp_path, SHAPE, range(DAYS), draw)


def a_map(cube, first=0):
    none = np.full(SHAPE, np.datetime64("NaT", "D"))
    return BurnedArea.from_dates(cube.region, FIRST + first, FIRST + DAYS, none)


def test_looks_at_days_of_known_content_are_taken_from_before(cube, monkeypatch):
    whole, before = look(cube, a_map(cube)), look(cube, a_map(cube, 1))
    assert whole.contents[0] == whole.contents[3]
    assert [whole.seen(day)[0, :3].tolist().index(False) for day in range(DAYS)] == [0, 1, 2, 0]
    monkeypatch.setattr(Cube, "read", None)  # nothing is read again
    again = look(cube, a_map(cube), before)
    assert (again.contents, again.weights) == (whole.contents, whole.weights)
    np.testing.assert_array_equal(again.observed, whole.observed)
    np.testing.assert_array_equal(again.hotspot, whole.hotspot)


def test_a_look_that_lacks_a_band_is_none(tmp_path):
    """A MIR band that is lost from some day on counted as images to the last."""

    def draw(rng, day):
        planes = np.full((3, *SHAPE), 0.1, np.float32)
        planes[2, :, : 2 + day] = np.nan
        return planes, np.zeros(SHAPE, np.float32)

    cube = made_cube(tmp_path, SHAPE, range(DAYS), draw)
    looks = look(cube, a_map(cube))
    assert [int(looks.seen(day).sum()) for day in range(DAYS)] == [9, 6, 3, 0]
    assert newest_images(cube, looks)[0] == FIRST + DAYS - 2
    assert list(gaps_of(cube, looks)) == [str(FIRST + DAYS - 1)]


def test_a_day_of_other_content_is_read(cube):
    whole = look(cube, a_map(cube))
    wrong = replace(whole, contents=("", "other", *whole.contents[2:]))
    wrong.observed[:], wrong.hotspot[:] = 0, 0
    again = look(cube, a_map(cube), wrong)
    assert again.seen(1).sum() == 14
    assert again.hot(1).sum() == 1
    assert not again.seen(2).any(), "its content is known"
