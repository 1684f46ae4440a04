"""Rasters in other projections: area kept, pieces where they belong."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from affine import Affine

from banet.errors import InputError
from banet.grid.average import LatLonGrid
from banet.grid.cutting import covered, cut_pixels
from banet.grid.projected import ProjectedGrid, cut_projected, lookup_fraction
from banet.grid.region import Region

REGION = Region("AU", (131.2, -13.8, 131.8, -13.2), 0.01)
ALBERS = "EPSG:3577"


def albers(pixel=250.0, size=600):
    x, y = pyproj.Transformer.from_crs("EPSG:4326", ALBERS, always_xy=True).transform(131.5, -13.5)
    transform = Affine(pixel, 0, x - size / 2 * pixel, 0, -pixel, y + size / 2 * pixel)
    return ProjectedGrid.from_transform(ALBERS, transform, (size, size))


def test_pixels_of_an_equal_area_projection_keep_their_hectares():
    grid = albers()
    rows, cols = (part.ravel() for part in np.mgrid[250:270, 300:330])
    cuts = cut_projected(grid, rows, cols, REGION)
    area = np.bincount(cuts.run, cuts.fraction * REGION.cell_area_ha[cuts.row])
    np.testing.assert_allclose(area, 6.25, rtol=1e-4)  # 250 m x 250 m


def test_pieces_lie_in_the_cells_of_the_pixels():
    grid = albers()
    cuts = cut_pixels(grid, np.array([300]), np.array([300]), REGION)
    lon, lat = grid.lonlat(np.array([300.5]), np.array([300.5]))
    row, col, _ = REGION.cells_of(lon, lat)
    assert (row[0], col[0]) in set(zip(cuts.row, cuts.col))


def test_pixel_of_undoes_lonlat():
    grid = albers().window(slice(100, 200), slice(50, 90))
    rows, cols = np.array([0.0, 33.3]), np.array([1.5, 20.0])
    back = grid.pixel_of(*grid.lonlat(rows, cols))
    np.testing.assert_allclose(back[0], rows, atol=1e-6)
    np.testing.assert_allclose(back[1], cols, atol=1e-6)


def test_cover_of_a_mask_agrees_with_the_cut():
    grid = albers()
    rng = np.random.default_rng(0)
    mask = np.zeros(grid.shape, bool)
    mask[200:400, 200:400] = rng.random((200, 200)) < 0.5
    rows, cols = np.nonzero(mask)
    cuts = cut_projected(grid, rows, cols, REGION)
    expected = np.zeros(REGION.shape)
    np.add.at(expected, (cuts.row, cuts.col), cuts.fraction)
    got = covered(grid, mask, REGION)
    assert np.abs(got - expected).mean() < 0.03
    assert got.sum() == pytest.approx(expected.sum(), rel=0.01)
    full = covered(grid, np.ones(grid.shape, bool), REGION)
    np.testing.assert_allclose(full, 1)


def test_the_window_reaches_as_far_as_the_region():
    grid = albers(size=1200)
    rows, cols = grid.window_on(REGION)
    part = lookup_fraction(
        grid.window(rows, cols), np.ones((rows.stop - rows.start, cols.stop - cols.start), bool), REGION
    )
    np.testing.assert_allclose(part, 1)
    assert (rows.stop - rows.start) < 700
    far = grid.window_on(Region("EU", (10, 40, 11, 41), 0.01))
    assert far[0].start >= far[0].stop or far[1].start >= far[1].stop
    assert cut_projected(grid, np.zeros(0, int), np.zeros(0, int), REGION).run.size == 0


def test_a_utm_raster_across_cells_of_another_size():
    """In UTM areas are a little off; the footprint on the ellipsoid is what counts."""
    x, y = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32629", always_xy=True).transform(-8.5, 40.0)
    grid = ProjectedGrid.from_transform("EPSG:32629", Affine(1000, 0, x, 0, -1000, y), (20, 20))
    region = Region("PT", (-9, 39, -8, 40.5), 0.05)
    cuts = cut_projected(grid, np.array([5]), np.array([5]), region)
    corners = grid.lonlat(np.array([5.0, 6, 6, 5]), np.array([5.0, 5, 6, 6]))
    area, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(*corners)
    assert (cuts.fraction * region.cell_area_ha[cuts.row]).sum() == pytest.approx(abs(area) / 1e4, rel=1e-4)


def test_shapes_must_agree():
    with pytest.raises(InputError, match="does not fit"):
        lookup_fraction(albers(), np.ones((2, 2), bool), REGION)


def test_cover_of_a_raster_in_degrees_is_its_area_mean():
    grid = LatLonGrid(131.2, -13.2, 0.005, 0.005, (200, 200))
    mask = np.zeros(grid.shape, bool)
    mask[:2, :1] = True
    assert covered(grid, mask, REGION)[0, 0] == pytest.approx(0.5, abs=1e-6)
