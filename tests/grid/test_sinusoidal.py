"""The sinusoidal grid, and pixels cut along cells: no area gained or lost, each piece where it lies."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.grid.region import Region
from banet.grid.sinusoidal import (
    EARTH_RADIUS,
    TILE_SIZE,
    SinusoidalGrid,
    tile_grid,
    tile_of,
    tiles_of_region,
)
from banet.grid.sinusoidal_cuts import cut_runs, mask_fraction, pixels_under

SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m +no_defs"


def sphere_area_ha(region: Region) -> np.ndarray:
    """Area of a cell of each row on the products' sphere."""
    edges = np.radians(np.linspace(region.north, region.south, region.shape[0] + 1))
    return EARTH_RADIUS**2 * np.radians(region.pixel_size) * -np.diff(np.sin(edges)) / 1e4


def test_grid_constants_are_those_of_the_product_guide():
    assert pytest.approx(1111950.5197, abs=1e-4) == TILE_SIZE
    grid = tile_grid(0, 0)
    assert (grid.left, grid.top) == pytest.approx((-20015109.354, 10007554.677), abs=5e-3)
    assert grid.pixel == pytest.approx(463.3127165, abs=1e-6)
    assert tile_grid(0, 0, 1200).pixel == pytest.approx(926.6254331, abs=1e-6)


def test_corner_of_the_greek_tile_is_the_one_in_its_metadata():
    # UpperLeftPointMtrs in the StructMetadata of VNP64A1.A2021213.h19v05.002.
    grid = tile_grid(19, 5)
    assert (grid.left, grid.top) == pytest.approx((1111950.519677, 4447802.078664), abs=1e-3)


def test_pixel_of_agrees_with_proj():
    grid = tile_grid(19, 5)
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(12, 25, 50), rng.uniform(30, 40, 50)
    x, y = pyproj.Transformer.from_crs("EPSG:4326", SINUSOIDAL, always_xy=True).transform(lon, lat)
    row, col = grid.pixel_of(lon, lat)
    np.testing.assert_allclose(col, (x - grid.left) / grid.pixel, atol=1e-6)
    np.testing.assert_allclose(row, (grid.top - y) / grid.pixel, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "tile"),
    [
        ("MCD64A1.A2010244.h11v07.061.2021309001834.hdf", (11, 7)),
        ("VNP64A1.A2021213.h19v05.002.2023198172838.hdf", (19, 5)),
        ("VNP09GA_A2020001_h08v05_002.h5", (8, 5)),
    ],
)
def test_tile_of_names(name, tile):
    assert tile_of(name) == tile


@pytest.mark.parametrize("name", ["MCD64A1.A2010244.061.hdf", "h1v5.hdf", "xh11v07.hdf"])
def test_a_name_without_a_tile_is_refused(name):
    with pytest.raises(InputError, match="hHHvVV"):
        tile_of(name)


@pytest.mark.parametrize(("h", "v"), [(36, 0), (-1, 3), (3, 18)])
def test_no_such_tile(h, v):
    with pytest.raises(InputError, match="no tile"):
        tile_grid(h, v)


def test_tiles_of_regions():
    assert tiles_of_region(Region("GR", (21.8, 37.17, 24.6, 38.5), 0.01)) == ((19, 5),)
    assert tiles_of_region(Region("PI", (-10, 36, 5, 44), 0.01)) == ((17, 4), (18, 4), (17, 5), (18, 5))


def test_a_rotated_transform_is_refused():
    with pytest.raises(InputError, match="upright"):
        SinusoidalGrid.from_transform(Affine(463, 1, 0, 0, -463, 0), (3, 3))
    with pytest.raises(InputError, match="upright"):
        SinusoidalGrid.from_transform(Affine(463, 0, 0, 0, 463, 0), (3, 3))


REGIONS = {
    "Greece": ((19, 5), Region("a", (21.8, 37.17, 24.6, 38.5), 0.01)),
    "Alaska": ((11, 2), Region("b", (-150, 62, -147, 64), 0.01)),
    "equator": ((20, 8), Region("c", (20.5, -0.5, 21.5, 0.5), 0.01)),
    "fine": ((17, 4), Region("d", (-8.5, 40.2, -8.3, 40.3), 0.001)),
    "coarse": ((17, 4), Region("e", (-9, 40, -5, 42), 0.25)),
    "Australia": ((30, 10), Region("f", (128, -18, 130, -16), 0.01)),
}


@pytest.mark.parametrize("case", REGIONS)
def test_area_in_is_area_out(case):
    """Pixels inside the region keep their hectares to rounding, however slanted; single ones and runs."""
    tile, region = REGIONS[case]
    grid = tile_grid(*tile)
    rng = np.random.default_rng(1)
    margin = max(0.02 * (region.north - region.south), 0.012)
    lat = rng.uniform(region.south + margin, region.north - margin, 300)
    lon = rng.uniform(region.west + margin, region.east - margin, 300)
    row, col = (np.floor(part).astype(int) for part in grid.pixel_of(lon, lat))
    inside = (row >= 0) & (row < 2400) & (col >= 0) & (col < 2400)
    row, col = np.unique(np.stack([row[inside], col[inside]]), axis=1)
    cuts = cut_runs(grid, row, col, col + 1, region)
    area = cuts.fraction * sphere_area_ha(region)[cuts.row]
    # Midpoints of thin bands stand for the bands: the error is of the order of their height squared.
    np.testing.assert_allclose(np.bincount(cuts.run, area), grid.pixel_area_ha, rtol=1e-6)
    mask = np.zeros(grid.shape, bool)
    mask[row, col] = True
    dense = np.zeros(region.shape)
    np.add.at(dense, (cuts.row, cuts.col), cuts.fraction)
    np.testing.assert_allclose(mask_fraction(grid, mask, region), dense, atol=1e-9)


@pytest.mark.parametrize("case", ["Greece", "Alaska", "fine"])
def test_pieces_lie_where_an_independent_lookup_puts_them(case):
    """Fraction of each cell by 80 x 80 look-ups through PROJ, against the cut."""
    tile, region = REGIONS[case]
    region = region.window(slice(20, 32), slice(20, 32))
    grid = tile_grid(*tile)
    rng = np.random.default_rng(2)
    mask = rng.random(grid.shape) < 0.3
    n = 80
    step = region.pixel_size / n
    lon = region.west + (np.arange(region.shape[1] * n) + 0.5) * step
    lat = region.north - (np.arange(region.shape[0] * n) + 0.5) * step
    x, y = pyproj.Transformer.from_crs("EPSG:4326", SINUSOIDAL, always_xy=True).transform(
        *np.meshgrid(lon, lat)
    )
    found = mask[
        np.floor((grid.top - y) / grid.pixel).astype(int), np.floor((x - grid.left) / grid.pixel).astype(int)
    ]
    expected = found.reshape(region.shape[0], n, region.shape[1], n).mean(axis=(1, 3))
    got = mask_fraction(grid, mask, region)
    assert np.abs(got - expected).max() < 0.015
    assert np.abs(got - expected).mean() < 0.003


def test_a_full_mask_covers_cells_wholly_and_beyond_the_tile_nothing():
    region = Region("x", (21.8, 39.0, 22.8, 41.0), 0.01)  # tile v05 ends at 40 degrees
    got = mask_fraction(tile_grid(19, 5), np.ones((2400, 2400), bool), region)
    np.testing.assert_allclose(got[100:], 1, atol=1e-9)
    assert (got[:100] == 0).all()


def test_two_tiles_share_a_cell_without_gap_or_overlap():
    region = Region("x", (19.9, 39.905, 21.9, 40.105), 0.01)  # a row of cells lies across 40 degrees
    full = np.ones((2400, 2400), bool)
    parts = [mask_fraction(tile_grid(19, v), full, region) for v in (4, 5)]
    parts += [mask_fraction(tile_grid(18, v), full, region) for v in (4, 5)]
    np.testing.assert_allclose(sum(parts), 1, atol=1e-9)


def test_across_the_antimeridian():
    region = Region("x", (179.5, -17.5, 180.5, -16.5), 0.01)
    east, west = tile_grid(35, 10), tile_grid(0, 10)
    full = np.ones((2400, 2400), bool)
    both = mask_fraction(east, full, region) + mask_fraction(west, full, region)
    np.testing.assert_allclose(both, 1, atol=1e-9)
    row, col = (int(np.floor(v)) for v in west.pixel_of(-179.8, -17.0))
    cuts = cut_runs(west, np.array([row]), np.array([col]), np.array([col + 1]), region)
    lon = region.longitudes[cuts.col]
    assert cuts.fraction.sum() > 0
    assert ((lon > 180.15) & (lon < 180.25)).all()


def test_a_region_outside_the_tile_gets_nothing():
    region = Region("x", (-60, -20, -59, -19), 0.01)
    grid = tile_grid(19, 5)
    rows, cols = grid.window_on(region)
    assert rows.start >= rows.stop or cols.start >= cols.stop
    assert not mask_fraction(grid, np.ones(grid.shape, bool), region).any()
    one = np.array([5])
    assert cut_runs(grid, one, one, one + 1, region).run.size == 0


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match="does not fit"):
        mask_fraction(tile_grid(19, 5), np.ones((3, 3), bool), REGIONS["Greece"][1])


@settings(max_examples=25, deadline=None)
@given(
    west=st.integers(-1790, 1780),
    south=st.integers(-750, 740),
    size=st.sampled_from([0.01, 0.05, 0.003125]),
    seed=st.integers(0, 99),
)
def test_a_window_cuts_like_the_whole_tile(west, south, size, seed):
    """Reading only the window that a region needs changes nothing, anywhere on Earth."""
    region = Region("x", (west / 10, south / 10, west / 10 + 0.1, south / 10 + 0.1), size)
    for h, v in tiles_of_region(region):
        grid = tile_grid(h, v, 600)
        mask = np.random.default_rng(seed).random(grid.shape) < 0.5
        rows, cols = grid.window_on(region)
        part = mask_fraction(grid.window(rows, cols), mask[rows, cols], region)
        np.testing.assert_allclose(part, mask_fraction(grid, mask, region), atol=1e-6)


@pytest.mark.parametrize("west", [-8.0, 179.9])
def test_cells_cut_along_pixels_are_pixels_cut_along_cells(west):
    region = Region("C", (west, 60.0, west + 0.2, 60.1), 0.005)
    globe = SinusoidalGrid(-18 * TILE_SIZE, 9 * TILE_SIZE, TILE_SIZE / 2400, (43200, 86400))
    grid = globe.window(*globe.window_on(region))
    row, col = (part.ravel() for part in np.indices(region.shape))
    cell, pixel, part = pixels_under(grid, region, row, col)
    np.testing.assert_allclose(np.bincount(cell, part), 1)
    touched = np.unique(pixel)
    y, x = np.divmod(touched, grid.shape[1])
    cuts = cut_runs(grid, y, x, x + 1, region)
    area = sphere_area_ha(region)
    theirs = np.bincount(cuts.run, cuts.fraction * area[cuts.row], minlength=touched.size)
    mine = np.bincount(np.searchsorted(touched, pixel), part * area[row[cell]])
    np.testing.assert_allclose(mine, theirs, atol=0.01 * grid.pixel_area_ha)
