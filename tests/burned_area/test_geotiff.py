"""GeoTIFFs: valid, exact to the corner, each meaning its own value; and their QGIS styles."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rio_cogeo import cog_validate

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.colours import confidence_table, date_colours, hex_colour, uncertainty_table
from banet.burned_area.geotiff import layers, write_cog
from banet.days import day_of_year
from banet.errors import InputError, OutputError
from banet.export.qml import burn_date_style, confidence_style, days_style, write_style
from banet.grid.region import Region
from made_maps import map_of, random_map


def written(burnmap, folder):
    return {
        layer.name: write_cog(layer, burnmap.region, folder / f"{layer.name}.tif")
        for layer in layers(burnmap)
    }


@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (300, 700)])
def test_every_layer_is_a_valid_cog_with_the_values_of_the_map(tmp_path, shape):
    burnmap = random_map(shape)
    expected = {
        "burn_date": (burnmap.burn_doy, "int16", -1, "burn date", "day of year"),
        "confidence": (burnmap.confidence, "uint8", 255, "confidence", "%"),
        "uncertainty": (burnmap.uncertainty, "uint8", 255, "burn date uncertainty", "days"),
    }
    for name, path in written(burnmap, tmp_path).items():
        values, dtype, nodata, description, unit = expected[name]
        valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
        assert valid, (errors, warnings)
        with rasterio.open(path) as raster:
            np.testing.assert_array_equal(raster.read(1), values)
            assert raster.dtypes == (dtype,) and raster.nodata == nodata
            assert raster.descriptions == (description,) and raster.units == (unit,)
            assert raster.crs.to_epsg() == 4326
            assert raster.tags()["AREA_OR_POINT"] == "Area"
            assert bool(raster.overviews(1)) == (max(shape) > 512)


@pytest.mark.parametrize("name", Region.shipped())
def test_the_corner_is_the_region_s_corner_exactly(tmp_path, name):
    region = Region.load(name)
    corner = region.window(slice(0, 3), slice(0, 4))
    burnmap = random_map((3, 4), region=corner)
    with rasterio.open(written(burnmap, tmp_path)["burn_date"]) as raster:
        assert (raster.transform.c, raster.transform.f) == (region.west, region.north)
        assert raster.transform == corner.transform


def test_four_meanings_are_four_values(tmp_path):
    water, unseen = np.array([[True, False, False, False]]), np.array([[False, True, False, True]])
    burnmap = map_of([[3, -1, -1, 30]], start="2020-02-01", days=31, water=water, unseen=unseen)
    paths = written(burnmap, tmp_path)
    with rasterio.open(paths["burn_date"]) as raster:
        assert raster.read(1).tolist() == [[-2, -1, 0, 62]]
        tags = raster.tags()
    assert (
        "-1 = not observed" in tags["codes"]
        and "-2 = water" in tags["codes"]
        and "0 = unburned" in tags["codes"]
    )
    assert (tags["start"], tags["end"], tags["year"]) == ("2020-02-01", "2020-03-02", "2020")
    with rasterio.open(paths["confidence"]) as raster:
        assert raster.read(1).tolist() == [[255, 255, 10, 100]]
    with rasterio.open(paths["uncertainty"]) as raster:
        assert raster.read(1).tolist() == [[255, 255, 255, 2]]


def test_a_map_over_new_year_says_both_years(tmp_path):
    burnmap = map_of([[0, 31]], start="2020-12-31", days=32)
    with rasterio.open(written(burnmap, tmp_path)["burn_date"]) as raster:
        assert raster.read(1).tolist() == [[366, 31]]
        assert raster.tags()["year"] == "2020-2021"
        assert (raster.tags()["first_day_of_year"], raster.tags()["last_day_of_year"]) == ("366", "31")


def test_bytes_have_colours_and_overviews_make_no_new_value(tmp_path):
    burnmap = random_map((600, 800))
    paths = written(burnmap, tmp_path)
    for name, table in (("confidence", confidence_table()), ("uncertainty", uncertainty_table())):
        with rasterio.open(paths[name]) as raster:
            assert raster.colormap(1) == table
    for name, path in paths.items():
        with rasterio.open(path) as full, rasterio.open(path, overview_level=0) as half:
            assert half.shape == (300, 400), name
            assert set(np.unique(half.read(1))) <= set(np.unique(full.read(1)))
        with rasterio.open(path, overview_level=0) as half:
            assert (half.read(1) != half.nodata).any()


def test_overviews_of_burn_dates_keep_small_fires(tmp_path):
    offset = np.full((601, 800), -1)
    offset[301, 401] = 4  # one cell
    offset[100:102, 200:202] = [[9, 2], [2, 7]]  # the day of two of four cells
    offset[600, 0] = 5  # in the row that is left over
    unseen = np.zeros(offset.shape, bool)
    unseen[400:500, 100:200] = True
    burnmap = map_of(offset, unseen=unseen)
    path = written(burnmap, tmp_path)["burn_date"]
    doy = burnmap.burn_doy
    with rasterio.open(path) as full, rasterio.open(path, overview_level=0) as half:
        assert full.overviews(1) == [2, 4]
        overview = half.read(1)
        np.testing.assert_array_equal(full.read(1), doy)
    assert overview.shape == (301, 400) and (overview > 0).sum() == 3
    assert overview[150, 200] == doy[301, 401] and overview[300, 0] == doy[600, 0]
    assert overview[50, 100] == doy[100, 201]
    assert (overview == -1).sum() == 50 * 50
    with rasterio.open(path, overview_level=1) as quarter:
        assert (quarter.read(1) > 0).sum() == 3


def test_equal_maps_give_equal_bytes(tmp_path):
    one = written(random_map((40, 50)), tmp_path / "a")
    two = written(random_map((40, 50)), tmp_path / "b")
    assert all(one[name].read_bytes() == two[name].read_bytes() for name in one)


def test_a_map_across_the_antimeridian_keeps_going_east(tmp_path):
    burnmap = random_map((20, 40), region=Region("CK", (179.8, 66, -179.8, 66.2), 0.01))
    with rasterio.open(written(burnmap, tmp_path)["burn_date"]) as raster:
        assert raster.bounds.left == 179.8 and raster.bounds.right == pytest.approx(180.2)


def test_it_cannot_be_written_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write") as caught:
        written(random_map((4, 4)), tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_an_error_of_the_writer_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    import rasterio.shutil
    from rasterio.errors import RasterioIOError

    def full(*_, **__):
        raise RasterioIOError("no space left")

    monkeypatch.setattr(rasterio.shutil, "copy", full)
    with pytest.raises(OutputError, match=r"cannot write .*burn_date\.tif: no space left"):
        written(random_map((4, 4)), tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- styles


def entries(style, path, tag):
    """Read a style back from its file: label and colour by value."""
    text = write_style(style, path).read_text()
    assert text.startswith("<!DOCTYPE qgis ")
    root = ET.fromstring(text.split("\n", 1)[1])
    assert root.tag == "qgis" and root.get("version").startswith("3.")
    renderer = root.find("./pipe/rasterrenderer")
    assert renderer.get("band") == "1"
    return renderer.get("type"), {
        e.get("value"): (e.get("label"), e.get("color")) for e in renderer.iter(tag)
    }


def painted(found, value):
    """Return red, green, blue and alpha that QGIS gives a value between two entries."""
    values = sorted(found)
    parts = [[int(found[v][1][k : k + 2], 16) for k in (1, 3, 5)] + [found[v][2]] for v in values]
    return [np.interp(value, values, column) for column in np.transpose(parts)]


def shown(style):
    """Return label, colour and alpha by value of a style's entries."""
    return {
        int(e.get("value")): (e.get("label"), e.get("color"), int(e.get("alpha"))) for e in style.iter("item")
    }


def test_dates_are_labelled_by_the_calendar_and_by_the_week(tmp_path):
    days = np.arange("2021-08-01", "2021-09-01", dtype="datetime64[D]")
    style = burn_date_style(days[0], days[-1] + 1)
    kind, found = entries(style, tmp_path / "a.qml", "item")
    assert (
        kind == "singlebandpseudocolor"
        and style.find(".//colorrampshader").get("colorRampType") == "INTERPOLATED"
    )
    assert list(found) == ["-2", "0", "213", "220", "227", "234", "241", "243"]
    assert found["220"] == ("2021-08-08 (220)", hex_colour(date_colours(days)[7]))
    assert found["-2"][0] == "water" and found["0"][0] == "not burned"


def test_dates_over_new_year_keep_their_order(tmp_path):
    start = np.datetime64("2020-12-30")
    _, found = entries(burn_date_style(start, start + 4), tmp_path / "a.qml", "item")
    assert {value: found[value][0] for value in ("365", "366", "1", "2")} == {
        "365": "2020-12-30 (365)",
        "366": "2020-12-31 (366)",
        "1": "2021-01-01 (1)",
        "2": "2021-01-02 (2)",
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20_000), st.integers(1, 500))
def test_every_day_of_a_period_has_its_colour_and_what_did_not_burn_has_none(first, length):
    days = np.arange(first, first + length) + np.datetime64("1990-01-01")
    style = burn_date_style(days[0], days[-1] + 1)
    found = shown(style)
    assert found[0][2] == 0 and found[-2][2] == 255
    numbers, place = np.unique(day_of_year(days), return_index=True)
    for number, colour in zip(numbers, date_colours(days)[place].astype(int), strict=True):
        *rgb, alpha = painted(found, number)
        assert alpha == 255 and np.abs(rgb - colour).max() <= 14
    assert len(found) <= 22
    assert any("+" in label for label, *_ in found.values()) == (length > len(numbers))


def test_an_empty_period_has_no_style():
    with pytest.raises(InputError, match="empty period"):
        burn_date_style(np.datetime64("2021-08-01"), np.datetime64("2021-08-01"))


def test_confidence_and_uncertainty_styles_agree_with_the_colour_tables(tmp_path):
    kind, found = entries(confidence_style(), tmp_path / "c.qml", "item")
    assert kind == "singlebandpseudocolor"
    assert all(colour == hex_colour(confidence_table()[int(v)][:3]) for v, (_, colour) in found.items())
    assert {"0", "50", "100"} <= set(found) and found["50"][0] == "50 %"
    assert [shown(confidence_style())[value][2] for value in (0, 20, 100)] == [0, 255, 255]
    _, found = entries(days_style(), tmp_path / "u.qml", "item")
    assert found["1"] == ("1 day", hex_colour(uncertainty_table()[1][:3]))
    assert found["14"][0] == "8 to 14 days" and found["254"][0] == "31 days or more"
