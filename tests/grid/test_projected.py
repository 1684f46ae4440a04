"""Rasters in other projections: area kept, pieces where they belong."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine

from banet.errors import InputError
from banet.grid.average import LatLonGrid
from banet.grid.cutting import covered, covered_by_class, cut_pixels
from banet.grid.projected import ProjectedGrid, cut_projected, lookup_fraction
from banet.grid.region import Region

UTM = "EPSG:32629"
PORTUGAL = Region("PT", (-8.4, 39.8, -8.0, 40.2), 0.01)
REGION = Region("AU", (131.2, -13.8, 131.8, -13.2), 0.01)
ALBERS = "EPSG:3577"


def albers(pixel=250.0, size=600):
    x, y = pyproj.Transformer.from_crs("EPSG:4326", ALBERS, always_xy=True).transform(131.5, -13.5)
    transform = Affine(pixel, 0, x - size / 2 * pixel, 0, -pixel, y + size / 2 * pixel)
    return ProjectedGrid.from_transform(ALBERS, transform, (size, size))


def around(region, pixel, crs=UTM, turned=0.0):
    """A grid whose pixels cover a region and some beyond."""
    west, south, east, north = region.bbox
    ends = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        (west, east), (north, south)
    )
    middle, reach = np.mean(ends, axis=1), 1.2 * np.hypot(*np.ptp(ends, axis=1)) / 2
    size = int(2 * reach / pixel) + 2
    a, b = pixel * np.cos(np.radians(turned)), pixel * np.sin(np.radians(turned))
    x, y = middle - size / 2 * np.array([a + b, b - a])
    return ProjectedGrid.from_transform(crs, Affine(a, b, x, b, -a, y), (size, size))


def filled(grid, mask, region):
    cuts = cut_projected(grid, *np.nonzero(mask), region)
    return np.bincount(cuts.row * region.shape[1] + cuts.col, cuts.fraction, np.prod(region.shape)).reshape(
        region.shape
    )


def shares_of(shape, region):
    """Share of every cell inside a polygon in degrees, cut on an equal-area map."""
    ahead = pyproj.Transformer.from_crs("EPSG:4326", "+proj=cea +ellps=WGS84", always_xy=True)
    flat = shapely.transform(shape, lambda xy: np.stack(ahead.transform(*xy.T), 1))
    lon = np.linspace(region.west, region.east, region.shape[1] + 1)
    lat = np.linspace(region.north, region.south, region.shape[0] + 1)
    x, y = ahead.transform(lon, np.zeros_like(lon))[0], ahead.transform(np.zeros_like(lat), lat)[1]
    cells = shapely.box(x[None, :-1], y[1:, None], x[None, 1:], y[:-1, None])
    return shapely.area(shapely.intersection(cells, flat)) / shapely.area(cells)


@pytest.mark.parametrize("pixel", [100, 300, 463.3, 1000, 4000])
def test_a_raster_that_burned_everywhere_fills_every_cell(pixel):
    grid = around(PORTUGAL, pixel)
    np.testing.assert_allclose(filled(grid, np.ones(grid.shape, bool), PORTUGAL), 1, rtol=1e-9)


def test_a_turned_raster_fills_every_cell_and_so_do_cells_of_other_sizes():
    for size in (0.002, 0.05, 0.4):
        region = Region("PT", PORTUGAL.bbox, size)
        grid = around(region, 463.3, turned=27)
        np.testing.assert_allclose(filled(grid, np.ones(grid.shape, bool), region), 1, rtol=1e-9)


@pytest.mark.parametrize("pixel", [100, 463.3, 1000])
def test_half_a_plane_agrees_with_the_cut_of_a_polygon(pixel):
    """The edge of what burned runs along the projection's axis, aslant over the cells."""
    grid = around(PORTUGAL, pixel)
    mask = np.zeros(grid.shape, bool)
    edge = grid.shape[1] // 2
    mask[:, edge:] = True
    along, last = np.linspace(0, grid.shape[0], 2001), np.full(2001, float(grid.shape[1]))
    begin, end = (np.stack(grid.lonlat(along, col), 1) for col in (np.full(2001, float(edge)), last))
    expected = shares_of(shapely.Polygon(np.concatenate([begin, end[::-1]])), PORTUGAL)
    got = filled(grid, mask, PORTUGAL)
    assert 0.3 < expected.mean() < 0.7 and ((expected > 0.01) & (expected < 0.99)).sum() > 20
    np.testing.assert_allclose(got, expected, atol=1e-4)
    area = PORTUGAL.cell_area_ha[:, None]
    assert (got * area).sum() == pytest.approx((expected * area).sum(), rel=1e-6)


def test_single_pixels_agree_with_the_cut_of_polygons():
    region = Region("PT", PORTUGAL.bbox, 0.004)
    grid = around(region, 1000, turned=18)
    for at in ((20.0, 25.0), (30.0, 21.0)):
        mask = np.zeros(grid.shape, bool)
        mask[int(at[0]), int(at[1])] = True
        lon, lat = grid.lonlat(at[0] + np.array([0, 1, 1, 0]), at[1] + np.array([0, 0, 1, 1]))
        expected = shares_of(shapely.Polygon(np.stack([lon, lat], 1)), region)
        assert (expected > 0).sum() > 8
        np.testing.assert_allclose(filled(grid, mask, region), expected, atol=1e-8)


@pytest.mark.parametrize(
    "bbox", [(179.8, -17, 180.2, -16.6), (-180, -17, -179.8, -16.6), (-180, -20, 180, 0)]
)
def test_the_antimeridian_splits_no_pixel(bbox):
    region = Region("FJ", bbox, 0.2)
    here = Region("FJ", (179.8, -17, 180.2, -16.6), 0.2)
    grid = around(here, 700, "EPSG:32701")
    got = filled(grid, np.ones(grid.shape, bool), region)
    inside = region.latitudes[:, None] + 0 * region.longitudes
    far = np.abs((region.longitudes - 180 + 180) % 360 - 180) > 0.2
    inside = (inside > -17) & (inside < -16.6) & ~far
    assert inside.any()
    np.testing.assert_allclose(got[inside], 1, rtol=1e-9)


def test_pixels_beyond_the_map_are_nowhere():
    grid = ProjectedGrid.from_transform(
        "+proj=ortho +lat_0=40 +lon_0=-8", Affine(1e5, 0, 7e6, 0, -1e5, 0), (2, 2)
    )
    assert cut_projected(grid, np.array([0, 1]), np.array([0, 1]), PORTUGAL).run.size == 0


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


@pytest.mark.parametrize("bbox", [(160, -50, 180, -30), (170, -10, 190, 10), (-180, 50, -170, 70)])
def test_the_window_of_a_world_map_reaches_180_degrees(bbox):
    """The walk along the edges ended a fortieth of the region before it."""
    edge, size = 17367530.445161376, 36032.220840584
    world = ProjectedGrid.from_transform(
        "EPSG:6933", Affine(size, 0, -edge, 0, -size, 7314540.83), (406, 964)
    )
    region = Region("W", bbox, 0.5)
    rows, cols = world.window_on(region)
    part = world.window(rows, cols)
    np.testing.assert_allclose(covered(part, np.ones(part.shape, bool), region), 1)
    if bbox[2] <= 180:
        assert cols.stop - cols.start < 70, "nothing is read of the other end of the world"


def test_classes_looked_up_together_have_the_shares_of_each():
    grid = albers()
    numbers = np.random.default_rng(0).integers(-1, 3, grid.shape)
    together = covered_by_class(grid, numbers, numbers >= 0, range(3), REGION)
    for number in range(3):
        np.testing.assert_array_equal(together[number], covered(grid, numbers == number, REGION))


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
