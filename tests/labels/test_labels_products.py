"""FireCCI and perimeters: files in their layout, hectares kept, dates as the agencies give them."""

from __future__ import annotations

import tracemalloc

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine

from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.labels import perimeters
from banet.labels.firecci import read_firecci
from banet.labels.perimeter_dates import fire_dates
from banet.labels.perimeters import burned_of_polygons, read_perimeters

REGION = Region("PT", (-8.5, 39.5, -7.5, 40.5), 0.01)
PIXEL = 0.00224573  # FireCCI51, degrees
JD = "20170601-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif"


def write_tif(path, values, transform, crs="EPSG:4326", nodata=None):
    height, width = values.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=height,
        width=width,
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=transform,
        nodata=nodata,
    ) as file:
        file.write(values, 1)
    return path


def firecci(folder, name=JD, *, day=168, confidence=80, west=-8.6):
    """A JD layer with a block of burned pixels, a block not observed and one not burnable; CL beside it."""
    dates = np.zeros((500, 500), np.int16)
    dates[100:150, 100:150] = day
    dates[300:340, 300:340] = -1
    dates[400:440, 100:140] = -2
    transform = Affine(PIXEL, 0, west, 0, -PIXEL, 40.55)
    path = write_tif(folder / name, dates, transform)
    level = np.where(dates > 0, confidence, 20).astype(np.uint8)
    level[100:150, 100:125][dates[100:150, 100:125] > 0] = confidence - 40
    write_tif(folder / name.replace("JD", "CL"), level, transform)
    write_tif(folder / name.replace("JD", "LC"), level, transform)
    return path


def block_area_ha(north, west, height, width):
    region = Region("b", (0, 0, 1, 1), 1)
    assert region.shape == (1, 1)
    geod = pyproj.Geod(ellps="WGS84")
    n = 40
    lon = np.concatenate([np.linspace(west, west + width, n), np.linspace(west + width, west, n)])
    lat = np.concatenate([np.full(n, north), np.full(n, north - height)])
    return abs(geod.polygon_area_perimeter(lon, lat)[0]) / 1e4


def test_firecci_keeps_hectares_dates_and_confidence(tmp_path):
    firecci(tmp_path)
    got = read_firecci(tmp_path, REGION, "2017-06", "2017-06")
    expected = block_area_ha(40.55 - 100 * PIXEL, -8.6 + 100 * PIXEL, 50 * PIXEL, 50 * PIXEL)
    assert got.burned_area_ha == pytest.approx(expected, rel=1e-5)
    assert set(np.unique(got.burn_date[got.burned_fraction > 0])) == {np.datetime64("2017-06-17")}
    assert got.name == "FireCCI MODIS.v5.1"
    assert (got.uncertainty == 255).all()
    burned = got.burned_fraction > 0.99
    assert set(np.unique(np.round(got.stated_confidence[burned]))) <= set(range(40, 81))
    assert np.nanmin(got.stated_confidence) == 40
    assert np.nanmax(got.stated_confidence) == 80
    # 40 pixels of 250 m are 8.98 cells along each edge.
    assert 64 <= (~got.known).sum() <= 100
    assert 64 <= got.water.sum() <= 100
    assert (got.burned_fraction[got.water] == 0).all()


def test_firecci_says_no_confidence_of_burns_outside_the_days_asked_for(tmp_path):
    firecci(tmp_path)
    got = read_firecci(tmp_path, REGION, "2017-06-01", "2017-06-10")
    assert not got.burned.any()
    assert got.stated_confidence is None or np.isnan(got.stated_confidence).all()


def test_firecci_below_a_confidence_is_unburned(tmp_path):
    firecci(tmp_path)
    whole = read_firecci(tmp_path, REGION, "2017-06", "2017-06")
    sure = read_firecci(tmp_path, REGION, "2017-06", "2017-06", minimum_confidence=60)
    assert sure.burned_area_ha == pytest.approx(whole.burned_area_ha / 2, rel=1e-3)
    (tmp_path / JD.replace("JD", "CL")).unlink()
    with pytest.raises(InputError, match="no CL file"):
        read_firecci(tmp_path, REGION, "2017-06", "2017-06", minimum_confidence=60)
    assert read_firecci(tmp_path, REGION, "2017-06", "2017-06").stated_confidence is None


def test_firecci_of_two_months_and_the_new_product(tmp_path):
    firecci(tmp_path, day=180)
    firecci(tmp_path, JD.replace("20170601", "20170701"), day=184)
    got = read_firecci(tmp_path, REGION, "2017-06", "2017-07")
    assert set(np.unique(got.dates().day)) == {np.datetime64("2017-06-29")}
    new = tmp_path / "new"
    new.mkdir()
    firecci(new, "20190601-ESACCI-L3S_FIRE-BA-SYN-AREA_3-fv1.1-JD.tif")
    assert read_firecci(new, REGION, "2019-06", "2019-06").name == "FireCCI SYN.v1.1"


def test_firecci_faults(tmp_path):
    with pytest.raises(NotFoundError, match="FireCCI file"):
        read_firecci(tmp_path, REGION, "2017-06", "2017-06")
    path = firecci(tmp_path)
    with pytest.raises(NotFoundError, match="2016-01"):
        read_firecci(path, REGION, "2016-01", "2016-01")
    with pytest.raises(InputError, match="not named like"):
        read_firecci(
            write_tif(tmp_path / "x.tif", np.zeros((2, 2), np.int16), Affine(0.1, 0, -8, 0, -0.1, 40)),
            REGION,
            "2017-06",
            "2017-06",
        )
    bad = np.full((500, 500), 999, np.int16)
    write_tif(path, bad, Affine(PIXEL, 0, -8.6, 0, -PIXEL, 40.55))
    with pytest.raises(UnreadableFileError, match="999"):
        read_firecci(path, REGION, "2017-06", "2017-06")


# Perimeters.


def square(west, south, size):
    return shapely.box(west, south, west + size, south + size)


def write_shapes(path, fields, geometries, crs="EPSG:4326"):
    gpd.GeoDataFrame(fields, geometry=geometries, crs=crs).to_file(path)
    return path


def test_a_polygon_keeps_its_hectares():
    rng = np.random.default_rng(0)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 60))
    radius = rng.uniform(0.05, 0.12, 60)
    polygon = shapely.Polygon(np.stack([-8 + radius * np.cos(angles), 40 + radius * np.sin(angles)], axis=1))
    dates = fire_dates(pd.DataFrame({"FIREDATE": ["2017-06-17"]}), "x")
    got = burned_of_polygons(gpd.GeoSeries([polygon], crs=4326), dates, REGION)
    exact = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(polygon)[0]) / 1e4
    assert exact > 5000
    assert got.burned_area_ha == pytest.approx(exact, rel=1e-3)


def test_cells_of_a_rectangle_by_hand():
    """A box over 2.5 by 1.5 cells: whole cells 1, halves 0.5, the corner 0.25."""
    polygon = shapely.box(-8.0, 40.0, -7.975, 40.015)
    dates = fire_dates(pd.DataFrame({"FIREDATE": ["2017-06-17"]}), "x")
    got = burned_of_polygons(gpd.GeoSeries([polygon], crs=4326), dates, REGION, resolution=0.0005).total()
    np.testing.assert_allclose(got[48:50, 50:53], [[0.5, 0.5, 0.25], [1, 1, 0.5]], atol=1e-6)
    assert got.sum() == pytest.approx(3.75, abs=1e-5)


@pytest.mark.parametrize("size", [0.05, 0.1, 0.25])
def test_drawing_takes_the_memory_of_a_block_whatever_the_size_of_cells(monkeypatch, size):
    region = Region("X", (-9.0, 39.0, -7.0, 41.0), size)
    shapes = [shapely.Point(-8, 40).buffer(0.06), shapely.box(-8.02, 39.7, -7.7, 40.01)]
    dates = fire_dates(pd.DataFrame({"FIREDATE": ["2017-06-17", "2017-06-18"]}), "x")

    def drawn(finest):
        monkeypatch.setattr(perimeters, "_FINEST", finest)
        tracemalloc.start()
        try:
            got = burned_of_polygons(gpd.GeoSeries(shapes, crs=4326), dates, region)
            return got, tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()

    got, peak = drawn(perimeters._FINEST)
    whole, more = drawn(10**6)
    assert peak < 110 < more
    for name in ("row", "col", "day", "fraction", "uncertainty"):
        np.testing.assert_array_equal(getattr(got, name), getattr(whole, name))


def test_where_perimeters_overlap_the_earliest_counts(tmp_path):
    path = write_shapes(
        tmp_path / "fires.shp",
        {"FIREDATE": ["2017-08-01", "2017-06-17 14:00:00", None]},
        [square(-8.0, 40.0, 0.1), square(-8.05, 40.0, 0.1), square(-8.3, 40.3, 0.05)],
    )
    with pytest.warns(BanetWarning, match="1 without a date"):
        got = read_perimeters(path, REGION, "2017-01", "2017-12", name="ICNF")
    by_day = {str(d): (got.dates().day == d).sum() for d in np.unique(got.dates().day)}
    assert by_day == {"2017-06-17": 100, "2017-08-01": 50}
    assert got.burned_fraction.max() <= 1
    assert got.name == "ICNF"
    assert (
        "2 of 3 perimeters burned in PT from 2017-01-01 to 2017-12-31, dated by FIREDATE; left out: 1"
        in got.notes[0]
    )
    with pytest.warns(BanetWarning, match="1 without a date"):
        june = read_perimeters(tmp_path, REGION, "2017-06", "2017-06")
    assert june.burned_area_ha == pytest.approx(REGION.cell_area_ha[40:50].sum() * 10, rel=1e-9)
    assert june.name == "fires"


def test_mtbs_in_its_old_and_new_form_and_its_own_projection(tmp_path):
    geometry = gpd.GeoSeries([square(-8.0, 40.0, 0.1)], crs="EPSG:4326").to_crs("EPSG:3763")
    old = write_shapes(
        tmp_path / "old.shp", {"Year": [2017], "StartMonth": [6], "StartDay": [17]}, geometry, "EPSG:3763"
    )
    new = write_shapes(
        tmp_path / "new.gpkg", {"Ig_Date": pd.to_datetime(["2017-06-17"])}, geometry, "EPSG:3763"
    )
    for path in (old, new):
        got = read_perimeters(path, REGION, "2017-06", "2017-06")
        assert set(np.unique(got.dates().day)) == {np.datetime64("2017-06-17")}
        assert got.burned_area_ha == pytest.approx(REGION.cell_area_ha[40:50].sum() * 10, rel=2e-3)


def test_an_end_gives_an_uncertainty(tmp_path):
    path = write_shapes(
        tmp_path / "effis.geojson",
        {"FIREDATE": ["2017-06-17"], "FINALDATE": ["2017-06-21"], "AREA_HA": ["1"]},
        [square(-8.0, 40.0, 0.02)],
    )
    got = read_perimeters(path, REGION, "2017-06", "2017-06")
    assert got.uncertainty[got.burned_fraction > 0].tolist() == [4] * 4


@pytest.mark.parametrize(
    ("fields", "start", "spread"),
    [
        ({"FIREDATE": ["2017-06-17T10:00:00"]}, "2017-06-17", np.nan),
        ({"ig_date": [1497657600000]}, "2017-06-17", np.nan),
        ({"YEAR": [2017], "MONTH": [6]}, "2017-06-16", 16),
        ({"Year": ["2017"], "StartMonth": ["6"], "StartDay": ["0"]}, "2017-06-16", 16),
        ({"when": ["2017/06/17"]}, "2017-06-17", np.nan),
    ],
)
def test_dates_in_the_fields_of_agencies(fields, start, spread):
    got = fire_dates(pd.DataFrame(fields), "x", "when" if "when" in fields else None)
    assert got.start[0] == np.datetime64(start)
    np.testing.assert_equal(got.uncertainty[0], spread)


def test_a_perimeter_across_the_antimeridian():
    region = Region("FJ", (179.5, -17.5, 180.5, -16.5), 0.01)
    polygon = shapely.box(-179.9, -17, -179.8, -16.9)
    dates = fire_dates(pd.DataFrame({"FIREDATE": ["2017-06-17"]}), "x")
    got = burned_of_polygons(gpd.GeoSeries([polygon], crs=4326), dates, region)
    assert set(got.col) == set(range(60, 70))


def test_perimeter_faults(tmp_path):
    with pytest.raises(NotFoundError, match="does not exist"):
        read_perimeters(tmp_path / "x.shp", REGION, "2017-06", "2017-06")
    with pytest.raises(NotFoundError, match="no vector file"):
        read_perimeters(tmp_path, REGION, "2017-06", "2017-06")
    broken = tmp_path / "broken.gpkg"
    broken.write_text("no")
    with pytest.raises(UnreadableFileError, match="no readable vector file"):
        read_perimeters(broken, REGION, "2017-06", "2017-06")
    box = [square(-8, 40, 0.1)]
    nameless = write_shapes(tmp_path / "nameless.geojson", {"a": [1]}, box)
    with pytest.raises(InputError, match="no field with dates"):
        read_perimeters(nameless, REGION, "2017-06", "2017-06")
    with pytest.raises(InputError, match="no field when"):
        read_perimeters(nameless, REGION, "2017-06", "2017-06", date_field="when")
    text = write_shapes(tmp_path / "text.geojson", {"FIREDATE": ["in summer"]}, box)
    with pytest.raises(InputError, match="holds no date"):
        read_perimeters(text, REGION, "2017-06", "2017-06")
    points = write_shapes(tmp_path / "points.geojson", {"FIREDATE": ["2017-06-17"]}, [shapely.Point(-8, 40)])
    with pytest.raises(InputError, match="must be polygons"):
        read_perimeters(points, REGION, "2017-06", "2017-06")
    with pytest.raises(InputError, match="vector files"):
        read_perimeters(tmp_path, REGION, "2017-06", "2017-06")
    dates = fire_dates(pd.DataFrame({"FIREDATE": ["2017-06-17"]}), "x")
    with pytest.raises(InputError, match="must be positive"):
        burned_of_polygons(gpd.GeoSeries(box, crs=4326), dates, REGION, resolution=0)
