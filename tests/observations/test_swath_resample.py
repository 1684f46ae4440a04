"""Known patterns through the geometry of the instrument onto a grid: position, area, sharpness, holes."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from banet.grid.region import Region
from banet.observations.granules import IMG, MOD
from banet.observations.resample import place, resample
from writers_l1b import Geometry, viirs_geometry

# Pixels of a scan in the middle of each aggregation zone and at both edges of the swath.
PLACES = {"nadir": (1540, 1660), "joined in twos": (740, 860), "edge": (10, 110), "other edge": (3090, 3190)}


@functools.cache
def view(place_name: str = "nadir") -> Geometry:
    return viirs_geometry((40.0, 0.0), "2021-08-05T12:30", scans=9, columns=PLACES[place_name])


def box(geometry: Geometry, cell: float = 0.01, height: int = 40, width: int = 50) -> Region:
    """A region of whole cells around the pixel in the middle."""
    line, pixel = geometry.shape[0] // 2, geometry.shape[1] // 2
    south = round(geometry.latitude[line, pixel] / cell) * cell - height // 2 * cell
    west = round(geometry.longitude[line, pixel] / cell) * cell - width // 2 * cell
    return Region("box", (west, south, west + width * cell, south + height * cell), cell)


def onto(geometry: Geometry, region: Region, *bands: np.ndarray, delete: bool = True):
    kind = IMG if geometry.factor == 2 else MOD
    lon, lat = geometry.longitude.astype("f4"), geometry.latitude.astype("f4")
    placement = place(lon, lat, region, rows_per_scan=kind.rows_per_scan, pixel_km=kind.pixel_km)
    assert placement is not None
    block = placement.lines, placement.pixels
    deleted = geometry.deleted[block] if delete else np.zeros_like(geometry.deleted[block])
    planes = [np.where(deleted, np.nan, band[block]).astype("f4") for band in bands]
    return resample(placement, planes, deleted)


def nearest(geometry: Geometry, region: Region, *bands: np.ndarray):
    def xyz(lon, lat):
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)

    kept = ~geometry.deleted
    tree = cKDTree(xyz(geometry.longitude[kept], geometry.latitude[kept]))
    _, index = tree.query(xyz(*np.meshgrid(region.longitudes, region.latitudes)))
    return [band[kept][index] for band in bands]


def disc(lon: float, lat: float, radius: float):
    def scene(x, y):
        return (((x - lon) * np.cos(np.radians(lat))) ** 2 + (y - lat) ** 2 < radius**2).astype(float)

    return scene


def cell_means(scene, region: Region, parts: int = 10) -> np.ndarray:
    rows, cols = region.shape
    x = region.west + (np.arange(cols * parts) + 0.5) * region.pixel_size / parts
    y = region.north - (np.arange(rows * parts) + 0.5) * region.pixel_size / parts
    return scene(x[None], y[:, None]).reshape(rows, parts, cols, parts).mean((1, 3))


def test_geometry_is_that_of_the_instrument():
    """VIIRS Geolocation ATBD, table 2.2-1: pixels of 742 x 776 m at nadir, 1.60 x 1.58 km at the edge."""
    granule = viirs_geometry((40.0, 0.0), "2021-08-05T12:30", scans=3)
    line = 16 + 8
    lon, lat = np.radians(granule.longitude), np.radians(granule.latitude)

    def km(a, b):
        h = np.sin((lat[b] - lat[a]) / 2) ** 2
        h += np.cos(lat[a]) * np.cos(lat[b]) * np.sin((lon[b] - lon[a]) / 2) ** 2
        return 2 * 6371 * np.arcsin(np.sqrt(h))

    assert km((line, 1600), (line, 1601)) == pytest.approx(0.776, abs=0.01)
    assert km((line, 1600), (line + 1, 1600)) == pytest.approx(0.742, abs=0.005)
    assert km((line, 1), (line, 2)) == pytest.approx(1.6, abs=0.07)
    assert km((line, 1), (line + 1, 1)) == pytest.approx(1.6, abs=0.07)
    assert km((line, 0), (line, 3199)) == pytest.approx(3060, abs=10)
    assert km((line, 1600), (line + 16, 1600)) == pytest.approx(11.9, abs=0.1)
    assert granule.sensor_zenith[line, [0, 3199]] == pytest.approx(70, abs=0.2)
    # Four of sixteen rows are deleted in the outer zone, two in the next (L1B User Guide, section 2.3).
    assert [granule.deleted[:16, p].sum() for p in (0, 639, 640, 1007, 1008, 1600, 3199)] == [
        4,
        4,
        2,
        2,
        0,
        0,
        4,
    ]


@pytest.mark.parametrize("place_name", PLACES)
def test_positions_are_right_to_an_eighth_of_a_cell(place_name):
    granule = view(place_name)
    region = box(granule)
    lon, lat = onto(granule, region, granule.longitude, granule.latitude)
    east = (lon - region.longitudes[None]) / region.pixel_size
    north = (lat - region.latitudes[:, None]) / region.pixel_size
    assert np.isfinite(lon).all()
    assert np.abs([east.mean(), north.mean()]).max() < 0.005
    assert np.max([east.std(), north.std()]) < 0.125
    assert np.abs([east, north]).max() < 0.4


@pytest.mark.parametrize("place_name", ["nadir", "edge"])
def test_nearest_pixel_would_be_four_times_worse_in_position(place_name):
    granule = view(place_name)
    region = box(granule)
    ours = onto(granule, region, granule.longitude)[0] - region.longitudes[None]
    theirs = nearest(granule, region, granule.longitude)[0] - region.longitudes[None]
    assert theirs.std() > 4 * ours.std()


@pytest.mark.parametrize("place_name", PLACES)
def test_a_disc_keeps_its_area_and_place(place_name):
    granule = view(place_name)
    region = box(granule)
    rng = np.random.default_rng(7)
    ratios, shifts = [], []
    for _ in range(3):
        lon = region.west + region.pixel_size * rng.uniform(17, 33)
        lat = region.south + region.pixel_size * rng.uniform(17, 23)
        scene = disc(lon, lat, 0.06)
        truth = cell_means(scene, region)
        (seen,) = onto(granule, region, granule.mean_of(scene, 3))
        ratios.append(seen.sum() / truth.sum())
        east = (seen.sum(0) / seen.sum() - truth.sum(0) / truth.sum()) @ np.arange(region.shape[1])
        south = (seen.sum(1) / seen.sum() - truth.sum(1) / truth.sum()) @ np.arange(region.shape[0])
        shifts.append((east, south))
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)
    assert np.hypot(*np.mean(shifts, axis=0)) < 0.05


@pytest.mark.parametrize(("place_name", "most"), [("nadir", 0.062), ("joined in twos", 0.09), ("edge", 0.15)])
def test_sharpness_is_that_of_the_pixels(place_name, most):
    """Against the exact means of cells; taking the nearest pixel has 0.13, 0.14 and 0.17 here."""
    granule = view(place_name)
    region = box(granule)
    scene = disc(region.west + 0.25, region.south + 0.2, 0.08)
    values = granule.mean_of(scene, 3)
    truth = cell_means(scene, region)

    def error(seen):
        return np.sqrt(((seen - truth) ** 2).sum() / truth.sum())

    (ours,) = onto(granule, region, values)
    (theirs,) = nearest(granule, region, values)
    assert error(ours) < most
    assert error(ours) < error(theirs)


@pytest.mark.parametrize("place_name", PLACES)
def test_gaps_neither_grow_nor_shrink(place_name):
    granule = view(place_name)
    region = box(granule)
    scene = disc(region.west + 0.253, region.south + 0.196, 0.08)
    values = np.where(granule.mean_of(scene, 1) > 0, np.nan, 0.3)
    (seen,) = onto(granule, region, values)
    assert np.isnan(seen).sum() / cell_means(scene, region).sum() == pytest.approx(1, abs=0.06)
    assert np.nanmax(np.abs(seen - 0.3)) < 1e-6


def test_all_bands_come_from_the_same_pixels():
    granule = view()
    region = box(granule)
    rng = np.random.default_rng(1)
    base = rng.uniform(0.1, 0.5, granule.shape)
    base[rng.random(granule.shape) < 0.05] = np.nan
    red, nir = onto(
        granule, region, base, np.where(rng.random(granule.shape) < 0.05, np.nan, 2 * np.nan_to_num(base))
    )
    assert np.array_equal(np.isnan(red), np.isnan(nir))
    np.testing.assert_allclose(nir, 2 * red, rtol=1e-5)


def test_deleted_rows_leave_no_trace():
    granule = view("edge")
    region = box(granule)
    scene = disc(region.west + 0.25, region.south + 0.2, 0.12)
    values = granule.mean_of(scene, 3)
    (with_them,) = onto(granule, region, values, delete=False)
    (without,) = onto(granule, region, values)
    assert np.isfinite(without).all()
    assert without.sum() == pytest.approx(with_them.sum(), rel=0.01)


def test_blocks_give_what_the_whole_gives():
    granule = view("edge")
    region = box(granule, height=60, width=80)
    placement = place(
        granule.longitude.astype("f4"),
        granule.latitude.astype("f4"),
        region,
        rows_per_scan=16,
        pixel_km=0.742,
    )
    values = np.sin(granule.longitude * 60).astype("f4")[placement.lines, placement.pixels]
    (whole,) = resample(placement, [values], np.zeros(values.shape, bool))
    joined = np.full(region.shape, np.nan, "f4")
    blocks = list(placement.blocks(cells=80 * 7))
    for rows, part in blocks:
        lines = slice(part.lines.start - placement.lines.start, part.lines.stop - placement.lines.start)
        (joined[rows],) = resample(part, [values[lines]], np.zeros(values[lines].shape, bool))
    assert len(blocks) == 9
    assert [rows.stop - rows.start for rows, _ in blocks] == [7] * 8 + [4]
    assert min(part.rows.shape[0] for _, part in blocks) < placement.rows.shape[0]
    np.testing.assert_allclose(joined, whole, atol=2e-5)


def test_only_scans_and_pixels_near_the_region_are_taken():
    granule = view()
    region = box(granule, height=10, width=10)
    placement = place(
        granule.longitude.astype("f4"),
        granule.latitude.astype("f4"),
        region,
        rows_per_scan=16,
        pixel_km=0.742,
    )
    assert placement.lines.start % 16 == 0 and placement.lines.stop % 16 == 0
    assert placement.lines.stop - placement.lines.start <= 48
    assert 10 < placement.pixels.stop - placement.pixels.start < 45


def test_part_of_a_region_sees_what_the_region_sees():
    granule = view("edge")
    region = box(granule)
    part = region.window(slice(10, 30), slice(20, 45))
    values = np.sin(granule.longitude * 80) * np.cos(granule.latitude * 70)
    (whole,) = onto(granule, region, values)
    (piece,) = onto(granule, part, values)
    np.testing.assert_allclose(piece, whole[10:30, 20:45], atol=2e-4)


def test_a_region_elsewhere_has_no_placement():
    granule = view()
    lon, lat = granule.longitude.astype("f4"), granule.latitude.astype("f4")
    for bbox in ((0, -40, 1, -39), (170, 39.9, 171, 40.1), (-179, 39.9, -178, 40.1)):
        assert place(lon, lat, Region("away", bbox, 0.01), rows_per_scan=16, pixel_km=0.742) is None


def test_unknown_positions_are_left_out():
    granule = view()
    region = box(granule)
    lon, lat = granule.longitude.astype("f4"), granule.latitude.astype("f4")
    lon[64:80], lat[64:80] = np.nan, np.nan
    placement = place(lon, lat, region, rows_per_scan=16, pixel_km=0.742)
    values = np.ones(granule.shape, "f4")[placement.lines, placement.pixels]
    (seen,) = resample(placement, [values], np.zeros(values.shape, bool))
    missing = np.isnan(seen)
    # One scan of 11.9 km is 10.7 of the region's 40 rows.
    assert 0.2 < missing.mean() < 0.3
    assert (seen[~missing] == 1).all()


@pytest.mark.parametrize("shift", [180.0, -179.5, 90.0])
def test_the_antimeridian_changes_nothing(shift):
    here = viirs_geometry((-17.0, 0.0), "2021-08-05T12:30", scans=6, columns=(1400, 1800))
    there = viirs_geometry((-17.0, shift), "2021-08-05T12:30", scans=6, columns=(1400, 1800))
    region = Region("here", (-1.2, -17.2, 1.2, -16.8), 0.01)
    west = (-1.2 + shift + 180) % 360 - 180
    moved = Region("there", (west, -17.2, west + 2.4, -16.8), 0.01)
    pattern = np.sin(here.longitude * 50) * np.cos(here.latitude * 50)
    (first,) = onto(here, region, pattern)
    (second,) = onto(there, moved, pattern)
    assert np.isfinite(first).mean() > 0.8
    assert np.array_equal(np.isnan(first), np.isnan(second))
    # Longitudes are float32 in the files: 15e-6 degrees at the antimeridian, which tips a pixel into an
    # ellipse or out of it here and there.
    np.testing.assert_allclose(second, first, atol=0.03, equal_nan=True)
    assert np.nanmean(np.abs(second - first)) < 3e-4


def test_large_cells_take_all_their_pixels():
    """Cells of five pixels: the mean over them, not the pixel in their middle."""
    granule = view()
    region = box(granule, cell=0.05, height=12, width=16)
    rng = np.random.default_rng(3)
    noise = rng.normal(0.3, 0.1, granule.shape)
    (seen,) = onto(granule, region, noise)
    # About 40 pixels in a cell: their mean scatters by 0.1 / sqrt(40) = 0.016.
    assert np.nanstd(seen) < 0.02
    (lon,) = onto(granule, region, granule.longitude)
    assert np.nanmax(np.abs(lon - region.longitudes[None])) < 0.05 * region.pixel_size


@pytest.mark.parametrize(("cell", "most"), [(0.005, 0.1), (0.01, 0.06)])
def test_image_bands(cell, most):
    granule = viirs_geometry((60.0, 10.0), "2021-07-05T11:30", scans=8, resolution=375, columns=(150, 350))
    region = box(granule, cell=cell, height=round(0.3 / cell), width=round(0.6 / cell))
    lon, lat = onto(granule, region, granule.longitude, granule.latitude)
    assert np.isfinite(lon).all()
    # A cell is twice as high as wide at 60 degrees, and pixels at this edge are 0.8 km: 3 cells wide at
    # 0.005.
    assert np.std((lat - region.latitudes[:, None]) / cell) < most
    assert np.std((lon - region.longitudes[None]) / cell) < 2 * most


@settings(max_examples=12, deadline=None)
@given(lat=st.floats(-71, 71), lon=st.floats(-180, 180), ascending=st.booleans(), first=st.integers(0, 3080))
def test_anywhere_on_earth_without_holes_and_in_place(lat, lon, ascending, first):
    granule = viirs_geometry((lat, lon), ascending=ascending, scans=5, columns=(first, first + 120))
    middle = granule.longitude[40, 60], granule.latitude[40, 60]
    west, south = round(middle[0], 2) - 0.1, round(middle[1], 2) - 0.05
    west = (west + 180) % 360 - 180
    region = Region("any", (west, south, west + 0.2, south + 0.1), 0.01)
    # Longitudes turned such that those past the antimeridian do not jump.
    turned = region.west + (granule.longitude - region.west + 90) % 360 - 90
    found = onto(granule, region, turned, granule.latitude)
    assert all(np.isfinite(plane).all() for plane in found)
    east, north = found[0] - region.longitudes[None], found[1] - region.latitudes[:, None]
    # Along a row of cells, errors of a line of pixels average out, unless the line runs along the row too.
    along = np.cos(np.radians(middle[1])) * (turned[40, 70] - turned[40, 50])
    oblique = np.abs(granule.latitude[40, 70] - granule.latitude[40, 50]) > 0.1 * np.abs(along)
    assert np.abs(np.mean(north)) < (0.05 if oblique else 0.08) * 0.01
    assert np.std(north) < 0.15 * 0.01
    assert np.std(east) < 0.15 * 0.01 / np.cos(np.radians(middle[1]))
