"""The best view of a day against a plain loop over cells, and its memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from banet.errors import InputError
from banet.observations.mosaic import BestView
from banet.observations.planes import DayPlanes, Overpass

SHAPE = (3, 4)
# Few different values, so that ties and missing bands are common.
reflectances = npst.arrays(np.float32, SHAPE, elements=st.sampled_from([np.nan, 0.0, 0.1, 0.25]))
zeniths = npst.arrays(np.float32, SHAPE, elements=st.sampled_from([np.nan, 0.0, 10.0, 55.0, 70.0]))
overpasses = st.lists(st.tuples(reflectances, reflectances, reflectances, zeniths), min_size=1, max_size=5)


def make(index: int, planes: tuple[np.ndarray, ...]) -> Overpass:
    time = np.datetime64("2020-07-01T10:00", "m") + np.timedelta64(index, "h")
    return Overpass(time, *planes, inputs=(f"file{index}",))


def best_view(views: Sequence[Overpass], gaps: Sequence[str] = ()) -> DayPlanes:
    best = BestView(views[0].red.shape)
    for view in views:
        best.add(view)
    return best.result(gaps)


def choose(cell: tuple[int, int], views: list[Overpass]) -> Overpass | None:
    """The rule in words: whole before partial, small zenith before large, unknown last, first of ties."""
    best, best_key = None, None
    for view in views:
        seen = [np.isfinite(plane[cell]) for plane in (view.red, view.nir, view.mir)]
        if not any(seen):
            continue
        zenith = view.view_zenith[cell]
        key = (not all(seen), bool(np.isnan(zenith)), float(np.nan_to_num(zenith)))
        if best_key is None or key < best_key:
            best, best_key = view, key
    return best


@settings(max_examples=60, deadline=None)
@given(overpasses)
def test_each_cell_is_chosen_as_a_loop_would(planes: list[tuple[np.ndarray, ...]]) -> None:
    views = [make(index, each) for index, each in enumerate(planes)]
    day = best_view(views, gaps=["one was lost"])
    for cell in np.ndindex(SHAPE):
        chosen = choose(cell, views)
        for name in ("red", "nir", "mir", "view_zenith"):
            expected = np.nan if chosen is None else getattr(chosen, name)[cell]
            np.testing.assert_equal(getattr(day, name)[cell], np.float32(expected))
        whole = sum(
            all(np.isfinite(getattr(view, name)[cell]) for name in ("red", "nir", "mir")) for view in views
        )
        assert day.count[cell] == whole
    assert day.inputs == tuple(f"file{index}" for index in range(len(views)))
    assert day.gaps == ("one was lost",)


@settings(max_examples=20, deadline=None)
@given(reflectances, zeniths)
def test_one_overpass_is_itself_where_it_saw_anything(red: np.ndarray, zenith: np.ndarray) -> None:
    day = best_view([make(0, (red, red, red, zenith))])
    np.testing.assert_array_equal(day.red, red)
    np.testing.assert_array_equal(day.view_zenith, np.where(np.isnan(red), np.nan, zenith))


def test_the_inputs_are_not_changed_nor_shared() -> None:
    view = make(0, tuple(np.full(SHAPE, value, np.float32) for value in (0.1, 0.2, 0.3, 10.0)))
    later = make(1, tuple(np.full(SHAPE, value, np.float32) for value in (0.4, 0.5, 0.6, 5.0)))
    day = best_view([view, later])
    assert (view.red == np.float32(0.1)).all()
    assert (day.red == np.float32(0.4)).all()


def test_many_overpasses_do_not_overflow_the_count() -> None:
    view = BestView((1, 1))
    for index in range(300):
        view.add(make(index, tuple(np.full((1, 1), 0.1, np.float32) for _ in range(4))))
    assert view.overpasses == 300
    assert view.result().count[0, 0] == 255


def test_another_grid_is_told() -> None:
    small, large = (
        make(0, tuple(np.zeros(shape, np.float32) for _ in range(4))) for shape in (SHAPE, (4, 4))
    )
    with pytest.raises(InputError, match=r"has shape \(4, 4\), not \(3, 4\)"):
        best_view([small, large])
