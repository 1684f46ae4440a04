"""Sinusoidal tiles to cells by area: exact means, nothing lost, mosaics without seams."""

from __future__ import annotations

import itertools

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.grid.region import Region
from banet.grid.sinusoidal import tile_grid
from banet.observations.cell_means import CellMeans, nearest_pixels


def window(region: Region, h: int, v: int):
    whole = tile_grid(h, v, 1200)
    block = whole.window_on(region)
    return block, whole.window(*block)


def brute(grid, values: np.ndarray, region: Region, parts: int = 24) -> np.ndarray:
    """Means by many points in each cell, projected by PROJ."""
    rows, cols = region.shape
    lon = region.west + (np.arange(cols * parts) + 0.5) * region.pixel_size / parts
    lat = region.north - (np.arange(rows * parts) + 0.5) * region.pixel_size / parts
    to = pyproj.Transformer.from_crs(
        "+proj=longlat +R=6371007.181", "+proj=sinu +R=6371007.181", always_xy=True
    )
    x, y = to.transform(*np.meshgrid(lon, lat))
    col = np.floor((x - grid.left) / grid.pixel).astype(int)
    row = np.floor((grid.top - y) / grid.pixel).astype(int)
    weight = np.broadcast_to(np.cos(np.radians(lat))[:, None], x.shape)
    shape = rows, parts, cols, parts
    total = (values[row, col] * weight).reshape(shape).sum((1, 3))
    return total / weight.reshape(shape).sum((1, 3))


@pytest.mark.parametrize(
    ("region", "tile"),
    [
        (Region("Evia", (23.2, 38.6, 23.5, 38.8)), (19, 5)),
        (Region("Alaska", (-150.3, 63.2, -150.0, 63.4)), (11, 2)),
        (Region("Brazil", (-55.3, -12.2, -55.0, -12.0)), (12, 10)),
        (Region("fine", (23.2, 38.6, 23.3, 38.65), 0.0025), (19, 5)),
        (Region("coarse", (22.5, 38.0, 23.5, 38.5), 0.05), (19, 5)),
    ],
    ids=lambda value: value.name if isinstance(value, Region) else "",
)
def test_means_are_those_of_many_points(region, tile):
    _, grid = window(region, *tile)
    values = np.random.default_rng(5).uniform(0, 1, grid.shape)
    means = CellMeans(region, 1)
    means.add(grid, values[None])
    (found,) = means.result()
    # The points' own error: each counts whole to one pixel, in a cell of 24 x 24.
    difference = found - brute(grid, values, region)
    assert np.abs(difference).max() < 0.03
    assert np.sqrt(np.mean(difference**2)) < 0.006
    assert np.abs(np.mean(difference)) < 5e-4


def test_nothing_is_lost_or_made():
    """The sum over cells of value x area is that over the pixels, for pixels wholly inside."""
    region = Region("Evia", (22.0, 38.0, 24.0, 39.5))
    _, grid = window(region, 19, 5)
    row, col = grid.pixel_of(np.array(23.0), np.array(38.7))
    values = np.zeros(grid.shape)
    values[int(row) : int(row) + 20, int(col) : int(col) + 30] = np.random.default_rng(2).uniform(
        0.1, 1, (20, 30)
    )
    means = CellMeans(region, 1)
    means.add(grid, values[None])
    (found,) = means.result()
    edges = np.radians(np.linspace(region.north, region.south, region.shape[0] + 1))
    area = 6371007.181**2 * np.radians(region.pixel_size) * -np.diff(np.sin(edges))
    assert (found * area[:, None]).sum() == pytest.approx(values.sum() * grid.pixel**2, rel=2e-6)


def test_two_tiles_join_without_a_seam():
    region = Region("seam", (19.0, 39.9, 19.6, 40.1))  # h18 and h19, v4 and v5
    means, parts = CellMeans(region, 1), 0
    for h in (18, 19):
        for v in (4, 5):
            _, grid = window(region, h, v)
            if 0 not in grid.shape:
                lon = np.degrees(
                    (grid.left + (np.arange(grid.shape[1]) + 0.5) * grid.pixel)[None]
                    / (
                        6371007.181
                        * np.cos(np.radians((grid.latitude_edges[:-1] + grid.latitude_edges[1:]) / 2))
                    )[:, None]
                )
                means.add(grid, lon[None])
                parts += 1
    (found,) = means.result()
    assert parts >= 2
    assert np.isfinite(found).all()
    np.testing.assert_allclose(
        found, np.broadcast_to(region.longitudes, region.shape), atol=0.6 * region.pixel_size
    )
    assert np.abs((found - region.longitudes).mean()) < 0.02 * region.pixel_size


def test_missing_pixels_do_not_count_and_do_not_spread():
    region = Region("Evia", (23.2, 38.6, 23.6, 38.9))
    _, grid = window(region, 19, 5)
    bands = np.stack([np.full(grid.shape, 0.3), np.full(grid.shape, 0.4)])
    lat = (grid.latitude_edges[:-1] + grid.latitude_edges[1:]) / 2
    bands[0, lat > 38.75] = np.nan
    means = CellMeans(region, 2)
    means.add(grid, bands)
    red, nir = means.result()
    assert np.array_equal(np.isnan(red), np.isnan(nir))
    assert np.isnan(red).mean() == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(red[np.isfinite(red)], 0.3, rtol=1e-6)


def test_across_the_antimeridian():
    region = Region("Chukotka", (179.6, 66.0, 180.4, 66.2))
    means = CellMeans(region, 1)
    for h in range(36):
        _, grid = window(region, h, 2)
        if 0 not in grid.shape:
            means.add(grid, np.full((1, *grid.shape), 7.0 if h < 18 else 3.0))
    (found,) = means.result()
    assert np.isfinite(found).all()
    assert (found[:, :40] == 3).all() and (found[:, 40:] == 7).all()


def test_a_grid_elsewhere_adds_nothing():
    region = Region("Evia", (23.2, 38.6, 23.6, 38.9))
    means = CellMeans(region, 1)
    grid = tile_grid(2, 9, 1200)
    means.add(grid, np.ones((1, *grid.shape)))
    assert np.isnan(means.result()[0]).all()
    with pytest.raises(InputError, match="do not fit 1"):
        means.add(grid, np.ones((2, *grid.shape)))


@settings(max_examples=25, deadline=None)
@given(lat=st.floats(-75, 75), lon=st.floats(-175, 175), cell=st.sampled_from([0.005, 0.01, 0.03]))
def test_constants_stay_and_cells_are_covered(lat, lon, cell):
    south, west = round(lat, 2), round(lon, 2)
    region = Region("any", (west, south, west + 4 * cell, south + 3 * cell), cell)
    means = CellMeans(region, 1)
    nearest = np.zeros(region.shape, int)
    bands = {int((90 - south - 3 * cell) // 10), int((90 - south) // 10)}
    for h, v in itertools.product(range(36), bands):
        _, grid = window(region, h, v)
        if 0 not in grid.shape:
            means.add(grid, np.full((1, *grid.shape), 0.25))
            nearest += nearest_pixels(grid, region)[2]
    (found,) = means.result()
    np.testing.assert_allclose(found, 0.25, rtol=1e-6)
    assert (nearest == 1).all()


def test_nearest_pixel_is_the_one_under_the_middle():
    region = Region("Evia", (23.2, 38.6, 23.6, 38.9))
    _, grid = window(region, 19, 5)
    rows, cols, inside = nearest_pixels(grid, region)
    to = pyproj.Transformer.from_crs(
        "+proj=longlat +R=6371007.181", "+proj=sinu +R=6371007.181", always_xy=True
    )
    x, y = to.transform(*np.meshgrid(region.longitudes, region.latitudes))
    assert inside.all()
    assert np.array_equal(cols, np.floor((x - grid.left) / grid.pixel).astype(int))
    assert np.array_equal(rows, np.floor((grid.top - y) / grid.pixel).astype(int))
