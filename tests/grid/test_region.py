"""Regions: exact grids, true areas, clear errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from banet.errors import BanetError, InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region

SHIPPED = {
    "PT": ((-10, 36, -6, 44), (800, 400)),
    "PI": ((-10, 36, 5, 44), (800, 1500)),
    "CA": ((-125, 32, -113, 43), (1100, 1200)),
    "BR": ((-58, -20, -44, -5), (1500, 1400)),
    "MZ": ((30, -27, 41, -10), (1700, 1100)),
    "AU": ((113, -27, 154, -10), (1700, 4100)),
    "AK": ((-169, 56, -129, 72), (1600, 4000)),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_regions_of_the_paper_ship_with_exact_boxes_and_shapes(name):
    box, shape = SHIPPED[name]
    region = Region.load(name)
    assert region.bbox == box
    assert region.shape == shape
    assert region.pixel_size == 0.01


def test_nothing_else_ships():
    assert set(Region.shipped()) == set(SHIPPED)


def test_a_file_written_by_the_original_is_read(tmp_path):
    file = tmp_path / "R_PI.json"
    file.write_text('{"name": "PI", "bbox": [-10, 36, 5, 44], "pixel_size": 0.01}')
    assert Region.load(file) == Region("PI", (-10, 36, 5, 44))


def test_save_then_load_is_the_identity_and_writes_the_fields_of_the_original(tmp_path):
    region = Region("A-1_x", (179.5, -1.25, -179.5, 1.25), 0.05)
    path = region.save(tmp_path)
    assert path.name == "R_A-1_x.json"
    assert Region.load(path) == region
    assert set(json.loads(path.read_text())) == {"name", "bbox", "pixel_size"}


def test_geobox_has_exact_corners():
    geobox = Region.load("PI").geobox
    assert geobox.shape == (800, 1500)
    assert geobox.transform * (0, 0) == (-10, 44)
    assert geobox.transform * (1500, 800) == pytest.approx((5, 36), abs=1e-12)
    assert geobox.crs.to_epsg() == 4326


def test_cell_centres_are_half_a_cell_inside():
    region = Region("a", (0, 10, 1, 12), 0.5)
    assert region.longitudes.tolist() == [0.25, 0.75]
    assert region.latitudes.tolist() == [11.75, 11.25, 10.75, 10.25]


def test_area_of_the_whole_earth_is_that_of_the_wgs84_ellipsoid():
    region = Region("earth", (-180, -90, 180, 90), 0.5)
    km2 = region.cell_area_ha.sum() * region.shape[1] / 100
    assert km2 == pytest.approx(510_065_621.724, rel=1e-9)


def test_area_of_one_cell_agrees_with_geodesic_polygons():
    from pyproj import Geod

    region = Region("a", (20, 37, 21, 38), 0.01)
    west, south, east, north = 20.0, 37.99, 20.01, 38.0
    n = 200  # parallels are no geodesics: follow them in small steps
    lon = np.concatenate([np.linspace(west, east, n), np.linspace(east, west, n)])
    lat = np.concatenate([np.full(n, south), np.full(n, north)])
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)
    assert region.cell_area_ha[0] == pytest.approx(abs(area) / 1e4, rel=1e-8)


def test_a_box_across_the_antimeridian_is_one_grid():
    region = Region("fiji", (177, -20, -178, -15), 0.01)
    assert region.bbox == (177, -20, 182, -15)
    assert region.shape == (500, 500)
    row, col, inside = region.cells_of([179.995, -179.995, -177.9, 176.9], [-15.005] * 4)
    assert inside.tolist() == [True, True, False, False]
    assert col[:2].tolist() == [299, 300]
    assert row[:2].tolist() == [0, 0]


@given(
    st.integers(-17900, 17000),
    st.integers(-8900, 8000),
    st.integers(1, 900),
    st.integers(1, 900),
    st.sampled_from([0.01, 0.005, 0.02]),
)
@example(0, 7200, 1, 900, 0.02)
def test_every_cell_centre_and_western_edge_falls_in_its_own_cell(west, south, cols, rows, size):
    bbox = (west / 100, south / 100, west / 100 + cols * size, south / 100 + rows * size)
    assume(bbox[3] <= 90)  # a region ends at the pole; another test says what happens beyond
    region = Region("h", bbox, size)
    assert region.shape == (rows, cols)
    found = region.cells_of(region.longitudes, np.full(cols, region.latitudes[0]))
    assert (found[1] == np.arange(cols)).all() and found[2].all()
    edges = np.round(bbox[0] + np.arange(cols) * size, 10)
    assert (region.cells_of(edges, np.full(cols, region.latitudes[0]))[1] == np.arange(cols)).all()
    found = region.cells_of(np.full(rows, region.longitudes[0]), region.latitudes)
    assert (found[0] == np.arange(rows)).all()


def test_points_outside_and_missing_points_are_told():
    region = Region("a", (0, 0, 1, 1), 0.1)
    _, _, inside = region.cells_of([0.0, 1.0, 0.5, np.nan, 0.5], [1.0, 0.5, 0.0, 0.5, np.nan])
    assert inside.tolist() == [True, False, False, False, False]


def test_a_window_lies_exactly_on_the_grid():
    region = Region.load("PI")
    part = region.window(slice(100, 228), slice(700, 900))
    assert part.shape == (128, 200)
    np.testing.assert_allclose(part.longitudes, region.longitudes[700:900], atol=1e-9)
    np.testing.assert_allclose(part.latitudes, region.latitudes[100:228], atol=1e-9)
    np.testing.assert_allclose(part.cell_area_ha, region.cell_area_ha[100:228], rtol=1e-9)


@pytest.mark.parametrize("rows", [3, slice(0, 8, 2), slice(4, 4), slice(90, 95), (0, 4)])
def test_what_is_no_block_of_cells_is_refused(rows):
    region = Region("a", (0, 0, 1, 1), 0.1)
    with pytest.raises(InputError, match=r"without a step|no cell of a"):
        region.window(rows, slice(0, 4))
    with pytest.raises(InputError, match=r"without a step|no cell of a"):
        region.window(slice(0, 4), rows)


def test_a_window_past_the_antimeridian_is_the_same_place():
    region = Region("fiji", (177, -20, -178, -15), 0.01)
    part = region.window(slice(0, 100), slice(400, 500))
    assert part.bbox == (-179, -16, -178, -15)
    assert part.cells_of([-178.995], [-15.005])[1] == region.cells_of([-178.995], [-15.005])[1] - 400


@pytest.mark.parametrize(
    ("bbox", "words"),
    [
        ((-6, 36, -10, 44), "swapped"),
        ((-10, 44, -6, 36), "swapped or empty"),
        ((-10, 36, -10, 44), "empty"),
        ((-10, 36, -6, 36), "empty"),
        ((-10, 36, -6, 91), "poles"),
        ((-10, -91, -6, 44), "poles"),
        ((-200, 36, -6, 44), "longitudes"),
        ((0, 0, 365, 1), "360"),
        ((-10, 36, -6), "four numbers"),
        ((-10, 36, "x", 44), "four numbers"),
        ((-10, 36, float("nan"), 44), "finite"),
        ((-10, 36, -6.005, 44), "whole number"),
    ],
)
def test_boxes_that_cannot_be(bbox, words):
    with pytest.raises(InputError, match=words):
        Region("a", bbox, 0.01)


@pytest.mark.parametrize("size", [0, -0.01, 20, float("inf"), "x", None])
def test_pixel_sizes_that_cannot_be(size):
    with pytest.raises(InputError, match="pixel size"):
        Region("a", (0, 0, 1, 1), size)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b"])
def test_names_that_would_not_be_file_names(name):
    with pytest.raises(InputError, match="name"):
        Region(name, (0, 0, 1, 1), 0.1)


def test_files_that_are_no_regions(tmp_path):
    with pytest.raises(NotFoundError, match="AK, AU"):
        Region.load("nowhere")
    page = tmp_path / "R_x.json"
    page.write_text("<html></html>")
    with pytest.raises(UnreadableFileError, match="not a region file"):
        Region.load(page)
    page.write_text("[1, 2]")
    with pytest.raises(UnreadableFileError, match="no JSON object"):
        Region.load(page)
    page.write_text('{"name": "x"}')
    with pytest.raises(InputError, match="bbox, pixel_size"):
        Region.load(page)


def test_errors_are_also_the_builtins_that_callers_expect():
    with pytest.raises(ValueError, match="empty"):
        Region("a", (0, 0, 0, 0))
    with pytest.raises(FileNotFoundError):
        Region.load("nowhere")
    assert issubclass(NotFoundError, BanetError)


def test_a_region_file_with_a_byte_order_mark(tmp_path):
    path = Region("PT", (-8, 36, -7, 37), 0.01).save(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Region.load(path).bbox == (-8, 36, -7, 37)


@pytest.mark.parametrize("box", [(-10, 36, 5, 44), (177.0, -19.0, 182.0, -16.0), (-8.13, 39.4, -6.4, 41.41)])
def test_a_geobox_gives_its_region_back(box):
    region = Region("T", box, 0.01)
    again = Region.from_geobox("T", region.geobox)
    assert again == region
    assert again.shape == region.shape


def test_other_geoboxes_are_refused():
    from affine import Affine
    from odc.geo.geobox import GeoBox

    with pytest.raises(InputError, match="EPSG:4326"):
        Region.from_geobox("T", GeoBox((10, 10), Affine(500, 0, 0, 0, -500, 0), "EPSG:32629"))
    with pytest.raises(InputError, match="north first"):
        Region.from_geobox("T", GeoBox((10, 10), Affine(0.01, 0, 0, 0, 0.01, 0), "EPSG:4326"))
    with pytest.raises(InputError, match="square"):
        Region.from_geobox("T", GeoBox((10, 10), Affine(0.01, 0, 0, 0, -0.02, 0), "EPSG:4326"))


@pytest.mark.parametrize("name", ["PI", "AK"])
def test_a_notebook_shows_a_region(name):
    region = Region.load(name)
    shown = region._repr_html_()
    assert f"Region {name}" in shown and "<svg" in shown and f"{region.area_km2:,.0f} km2" in shown
    assert "Region CK" in Region("CK", (179.8, 66, -179.8, 66.2), 0.01)._repr_html_()


def test_a_name_is_text():
    with pytest.raises(InputError, match="the name of a region is text, not 5"):
        Region(5, (0, 0, 1, 1))
