"""Shares of cells inside polygons, held against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import MultiPolygon, Polygon, box

from banet.grid.polygons import within_180
from banet.grid.region import Region
from banet.grid.shares import cell_shares, hectares_of

GRID = Region("T", (-8, 39.6, -7.4, 40), 0.01)


def plane(shape, region=GRID):
    out = np.zeros(region.shape)
    row, col, share = cell_shares(shape, region)
    assert np.unique(row * region.shape[1] + col).size == row.size
    out[row, col] = share
    return out


def test_a_box_takes_exact_parts_of_the_cells_on_its_edge():
    found = plane(box(-7.955, 39.7, -7.9, 39.8025))
    want = np.zeros(GRID.shape)
    want[20:30, 5:10] = 1
    want[20:30, 4] = 0.5
    want[19, 5:10] = 0.25
    want[19, 4] = 0.125
    np.testing.assert_allclose(found, want, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    middle=st.tuples(st.floats(-8.1, -7.3), st.floats(39.5, 40.1)),
    size=st.floats(0.003, 0.4),
    corners=st.integers(3, 40),
    turn=st.floats(0, 6.2),
)
def test_the_shares_of_any_polygon_sum_to_its_part_in_the_box(middle, size, corners, turn):
    angle = turn + np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = size * (1 + 0.5 * np.sin(5 * angle))
    shape = Polygon(
        np.stack([middle[0] + reach * np.cos(angle), middle[1] + reach * np.sin(angle)], 1)
    ).buffer(0)
    found = plane(shape)
    assert found.max(initial=0) <= 1
    want = shape.intersection(box(*GRID.bbox)).area / 1e-4
    assert found.sum() == pytest.approx(want, abs=1e-6 * max(want, 1))


def test_a_hole_and_parts_apart_are_minded():
    ring = box(-7.9, 39.7, -7.6, 39.9).difference(box(-7.8, 39.75, -7.7, 39.85))
    found = plane(MultiPolygon([ring, box(-7.77, 39.78, -7.73, 39.82)]))
    assert found.sum() == pytest.approx(30 * 20 - 10 * 10 + 4 * 4)
    assert found[22, 25] == 0 and found[20, 25] == pytest.approx(1)


def test_a_polygon_across_the_antimeridian_lies_on_both_sides():
    region = Region("A", (179.9, 52, 180.1, 52.1), 0.01)
    shape = within_180(box(179.955, 52.02, 180.035, 52.06))
    found = plane(shape, region)
    assert found.sum() == pytest.approx(8 * 4)
    np.testing.assert_allclose(found[5], [0] * 5 + [0.5] + [1] * 7 + [0.5] + [0] * 6, atol=1e-9)


def test_nothing_is_found_outside():
    assert cell_shares(box(10, 10, 11, 11), GRID)[0].size == 0


def test_hectares_are_those_of_the_ellipsoid():
    shape = shapely.Point(10, 60).buffer(0.5, quad_segs=64)
    geodesic = abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 1e4
    assert hectares_of(shape) == pytest.approx(geodesic, rel=1e-5)
    row, _, share = cell_shares(shape, Region("B", (9, 59, 11, 61), 0.01))
    cells = (Region("B", (9, 59, 11, 61), 0.01).cell_area_ha[row] * share).sum()
    assert cells == pytest.approx(geodesic, rel=1e-5)
