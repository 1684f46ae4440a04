"""Files of every kind on either side, classes of cells by area, months joined, and the commands."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import Point, box

from banet.burned_area.geotiff import read_geotiff
from banet.burned_area.joining import join
from banet.burned_area.quality import Quality
from banet.cli import main
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.evaluation.benchmark.stage import write_cube
from banet.evaluation.compare import compare
from banet.evaluation.scores import score
from banet.export import write_products
from banet.grid.region import Region
from banet.io.manifest import Manifest
from banet.labels.classes import read_classes, read_validity
from banet.labels.reading import named_paths, read_map_or_product, read_sources
from made_maps import map_of

REGION = Region("T", (10, 40, 10.2, 40.1), 0.01)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A burning season as files of agencies without their usual errors, and as truth."""
    from banet.simulation import simulate, write_scene
    from banet.simulation.writers.labels import LabelErrors
    from banet.simulation.writers.labels import write as write_tiles

    folder = tmp_path_factory.mktemp("scene")
    made = simulate(start="2019-08-01", days=31, size=40, seed=5, climate="mozambique")
    assert (made.burned_fraction >= 0.5).sum() > 20
    write_scene(made, folder, formats=("truth", "hotspots"))
    write_cube(made, folder / "cube.zarr")
    exact = LabelErrors(
        smallest=1, fire_omission=0, pixel_omission=0, commission=0, share=0.5, longest_gap=99, same_day=1
    )
    (tile,) = write_tiles(made, folder, exact)
    for product in ("MCD64A1", "VNP64A1"):
        (folder / product).mkdir()
        (folder / product / tile.name.replace("VNP64A1", product)).write_bytes(tile.read_bytes())
    _write_firecci(made, folder)
    _write_perimeters(made, folder)
    return folder


def _write_firecci(made, folder):
    """Burned cells as FireCCI pixels of a quarter of a cell."""
    burned = made.burned_fraction >= 0.5
    start = made.days[0].astype("datetime64[Y]").astype("datetime64[D]")
    day = np.where(burned, (made.burn_date - start).astype(np.int64) + 1, 0)
    region, size = made.region, made.region.pixel_size / 4
    path = folder / "20190801-ESACCI-L3S_FIRE-BA-MODIS-AREA_5-fv5.1-JD.tif"
    transform = Affine(size, 0, region.west, 0, -size, region.north)
    _write(path, np.kron(day, np.ones((4, 4), int)).astype(np.int16), transform=transform)


def _write_perimeters(made, folder):
    """Burned cells as squares, dated."""
    region = made.region
    row, col = np.nonzero(made.burned_fraction >= 0.5)
    west, north = region.west + col * region.pixel_size, region.north - row * region.pixel_size
    shapes = [box(x, y - region.pixel_size, x + region.pixel_size, y) for x, y in zip(west, north)]
    dates = made.burn_date[row, col].astype("datetime64[ns]")
    table = gpd.GeoDataFrame({"FIREDATE": dates}, geometry=shapes, crs="EPSG:4326")
    table.to_file(folder / "fires.gpkg")


@pytest.fixture(scope="module")
def truth(scene):
    return next((scene / "truth").glob("*_truth.nc"))


def _products(scene):
    return {
        "MCD64A1": scene / "MCD64A1",
        "VNP64A1": scene / "VNP64A1",
        "FireCCI": next(scene.glob("*-JD.tif")),
        "perimeters": scene / "fires.gpkg",
    }


def test_agencies_files_may_stand_on_either_side(scene, truth):
    """A product against the truth it was made from, and the truth against the product."""
    for kind, place in _products(scene).items():
        forward = score(*read_sources([place, truth]))
        back = score(*read_sources([truth, place]))
        assert forward.dice > 0.75, kind
        assert forward.dice == pytest.approx(back.dice, rel=1e-6), kind
        assert forward.commission == pytest.approx(back.omission, rel=1e-6), kind
        assert abs(forward.dating.median) <= 1, kind


def test_two_products_meet_on_a_region(scene):
    region = next(scene.glob("R_*.json"))
    one, other = (_products(scene)[name] for name in ("MCD64A1", "FireCCI"))
    mine, theirs = read_sources([one, other], region=region, start="2019-08", end="2019-08")
    assert mine.region == theirs.region
    assert score(mine, theirs).dice > 0.75
    with pytest.raises(InputError, match="no grid of its own"):
        read_sources([one, other])


def test_a_raster_of_another_name(tmp_path):
    path = tmp_path / "anything.tif"
    values = np.zeros((10, 20), np.int16)
    values[2, 3], values[4] = 215, -1
    _write(path, values)
    with pytest.raises(UnreadableFileError, match="give the first and last day"):
        read_geotiff(path)
    with pytest.raises(UnreadableFileError, match="anything.tif holds days of year that .* has twice"):
        read_geotiff(path, days=("2021-08", "2022-08"))
    with pytest.raises(
        UnreadableFileError, match="anything.tif: 1 burn dates lie outside 2021-09-01 to 2021-09-30"
    ):
        read_geotiff(path, days=("2021-09", "2021-09"))
    assert str(read_geotiff(path, days=("2021-08", "2022-07")).burn_date[2, 3]) == "2021-08-03"
    got, _ = read_sources([path, path], start="2021-08", end="2021-08")
    assert str(got.burn_date[2, 3]) == "2021-08-03"
    assert not got.known[4].any()
    _write(path, values, crs="EPSG:32634", transform=Affine(1000, 0, 5e5, 0, -1000, 4e6))
    with pytest.raises(UnreadableFileError, match="square cells in degrees"):
        read_geotiff(path, days=("2021-08", "2021-08"))


def test_a_raster_of_a_year_is_cut_to_the_days_that_are_asked(tmp_path):
    values = np.zeros((10, 20), np.int16)
    values[2, 3:6], values[4], values[5, 5] = (100, 215, 366), -1, -2
    for name in ("burned_2020.tif", "burned_2020_01.tif"):
        _write(tmp_path / name, values)
    path = tmp_path / "burned_2020.tif"
    with pytest.warns(BanetWarning, match="burned_2020.tif is of the year 2020: 2 of 3 burn dates are left"):
        got = read_geotiff(path, days=("2020-08", "2020-08"))
    assert (str(got.start), str(got.stop)) == ("2020-08-01", "2020-09-01")
    assert got.burned.sum() == 1 and str(got.burn_date[2, 4]) == "2020-08-02"
    assert not got.known[4].any() and got.known[2].all() and got.water[5, 5]
    whole = read_geotiff(path)
    assert whole.burned.sum() == 3 and (str(whole.start), str(whole.stop)) == ("2020-01-01", "2021-01-01")
    with pytest.warns(BanetWarning, match="left out, outside 2020-08-01 to 2020-08-31"):
        (read,) = read_sources([path], start="2020-08", end="2020-08")
    assert read.burned.sum() == 1
    for name, days in (("burned_2020_01.tif", "2020-08"), ("burned_2020.tif", "2019-08")):
        with pytest.raises(UnreadableFileError, match="2 burn dates lie outside .* if it is named NAME_YYYY"):
            read_geotiff(tmp_path / name, days=(days, days))


@pytest.mark.parametrize(("value", "day"), [(1, "01-01"), (100, "04-09"), (254, "09-10"), (255, "09-11")])
def test_a_mask_is_doubted_whatever_its_one_value_and_a_fire_of_one_day_is_not(tmp_path, value, day):
    values = np.zeros((10, 20), np.uint8)
    values[2:8, 3:9] = value
    _write(tmp_path / "mask.tif", values)
    with pytest.warns(BanetWarning, match=f"mask.tif: it looks like a mask of 0 and {value}, which tells no"):
        got = read_geotiff(tmp_path / "mask.tif", days=(f"2020-{day}", f"2020-{day}"))
    assert got.burned.sum() == 36
    _write(tmp_path / "mask_2020.tif", values)
    with pytest.raises(UnreadableFileError, match="does not say which days it covers"):
        read_geotiff(tmp_path / "mask_2020.tif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for other in ({"start": "2020-01-01", "end": "2020-12-31"}, {}):
            _write(tmp_path / "fire.tif", values if other else np.where(values > 0, 216, 0), tags=other)
            assert read_geotiff(tmp_path / "fire.tif", days=("2020-01", "2020-12")).burned.sum() == 36
        values[2, 3] = 253
        _write(tmp_path / "dates.tif", values)
        assert read_geotiff(tmp_path / "dates.tif", days=("2020-01", "2020-12")).burned.sum() == 36


def test_the_tag_of_a_year_places_days_of_year(tmp_path):
    values = np.zeros((10, 20), np.int16)
    values[2, 3:5] = 215, 250
    _write(tmp_path / "labels.tif", values, tags={"year": "2016"})
    whole = read_geotiff(tmp_path / "labels.tif")
    assert str(whole.burn_date[2, 3]) == "2016-08-02" and whole.stop - whole.start == np.timedelta64(366, "D")
    with pytest.warns(BanetWarning, match="labels.tif is of the year 2016: 1 of 2 burn dates are left out"):
        part = read_geotiff(tmp_path / "labels.tif", days=("2016-09", "2016-09"))
    assert part.burned.sum() == 1 and str(part.start) == "2016-09-01"
    with pytest.raises(InputError, match=r"is of the year 2016 \(its tag year\); asked for are 2020-07-01"):
        read_geotiff(tmp_path / "labels.tif", days=("2020-07", "2020-09"))
    _write(tmp_path / "winter.tif", values, tags={"year": "2016-2017"})
    got = read_geotiff(tmp_path / "winter.tif", days=("2016-08", "2017-02"))
    assert str(got.burn_date[2, 4]) == "2016-09-06" and str(got.stop) == "2017-03-01"
    with pytest.raises(InputError, match="is of the year 2016-2017"):
        read_geotiff(tmp_path / "winter.tif", days=("2020-07", "2020-09"))


def test_first_and_last_day_of_the_tag_of_a_year_are_a_period(tmp_path):
    values = np.zeros((10, 20), np.int16)
    values[2, 3:5] = 366, 31
    tags = {"year": "2020-2021", "first_day_of_year": "366", "last_day_of_year": "31"}
    _write(tmp_path / "map.tif", values, tags=tags)
    got = read_geotiff(tmp_path / "map.tif")
    assert (str(got.start), str(got.stop)) == ("2020-12-31", "2021-02-01")
    assert got.burn_date[2, 3:5].astype(str).tolist() == ["2020-12-31", "2021-01-31"]
    _write(tmp_path / "map.tif", values, tags=tags | {"year": "2021"})
    with pytest.raises(InputError, match=r"map.tif: the year 2021 has no day 366, which its tags name"):
        read_geotiff(tmp_path / "map.tif")
    _write(tmp_path / "far.tif", values, tags=tags, transform=Affine(0.01, 0, 1090, 0, -0.01, 40.1))
    with pytest.raises(UnreadableFileError, match=r"far.tif is damaged.*1090"):
        read_geotiff(tmp_path / "far.tif")


def _write(path, values, crs="EPSG:4326", transform=None, nodata=None, tags=None):
    transform = transform or Affine(0.01, 0, 10, 0, -0.01, 40.1)
    kind = {"driver": "GTiff", "count": 1, "dtype": values.dtype.name, "crs": crs, "nodata": nodata}
    with rasterio.open(
        path, "w", height=values.shape[0], width=values.shape[1], transform=transform, **kind
    ) as raster:
        raster.write(values, 1)
        raster.update_tags(**(tags or {}))


# Months joined.


def test_months_are_joined(tmp_path):
    first, second = np.full((4, 5), -1), np.full((4, 5), -1)
    first[0, :2], second[0, 1], second[2] = 3, 5, 7
    august = map_of(first, fraction=np.array([0.6] * 5))
    september = map_of(second, start="2021-09-01", days=30, fraction=np.array([0.6, 0.9, 0.6, 0.6, 0.6]))
    got = join([september, august])
    assert (str(got.start), str(got.stop)) == ("2021-08-01", "2021-10-01")
    assert [str(d) for d in got.burn_date[0, :3]] == ["2021-08-04", "2021-09-06", "NaT"]
    assert got.burned.sum() == 7
    np.testing.assert_array_equal(got.observed_days, august.observed_days + september.observed_days)
    assert join([august]).burned_area_ha == august.burned_area_ha
    for part in (august, september):
        manifest = Manifest(command=("test",), config={}, inputs=(), weights={})
        write_products(part, tmp_path, f"T_{part.start}", manifest=manifest, pictures=False)
    whole, _ = read_sources([tmp_path, tmp_path])
    np.testing.assert_array_equal(whole.burn_date, got.burn_date)
    with pytest.raises(InputError, match="overlaps"):
        join([august, august])
    with pytest.raises(InputError, match="differ in grid"):
        join([august, map_of(np.full((4, 4), -1), start="2021-09-01")])
    with pytest.raises(InputError, match="no map"):
        join([])


# Classes and masks.


def test_a_period_cuts_maps_and_truths_as_well(scene, truth):
    whole, _ = read_sources([truth, truth])
    day = whole.burn_date[whole.burned].min()
    mine, theirs = read_sources([truth, _products(scene)["MCD64A1"]], start=day, end=day + 3)
    assert (mine.start, mine.stop) == (day, day + 4) == (theirs.start, theirs.stop)
    assert mine.burned.sum() == (whole.burned & (whole.burn_date <= day + 3)).sum()
    with pytest.raises(InputError, match="covers .* no day from 2022-01-01 to 2022-01-31"):
        read_sources([truth, truth], start="2022-01", end="2022-01")


def test_a_period_of_which_one_end_is_open_ends_with_the_maps(scene, truth):
    """A start alone was a period of one day."""
    whole, product = read_sources([truth, truth])[0], _products(scene)["MCD64A1"]
    day = whole.start + 5
    late, theirs = read_sources([truth, product], start=day)
    assert (late.start, late.stop) == (theirs.start, theirs.stop) == (day, whole.stop)
    early, theirs = read_sources([truth, product], end=day)
    assert (early.start, early.stop) == (theirs.start, theirs.stop) == (whole.start, day + 1)
    for far in ({"start": "2022-01"}, {"end": "2009-01"}):
        with pytest.raises(InputError, match="covers .* no day from"):
            read_sources([truth, truth], **far)
    with pytest.raises(InputError, match="2019-08: no map tells the other end of the period; give start"):
        read_sources([product], region=next(scene.glob("R_*.json")), start="2019-08")


def test_a_region_of_which_nothing_is_read_is_refused(scene, truth, tmp_path):
    assert len(read_sources([truth, truth], region=next(scene.glob("R_*.json")))) == 2
    REGION.save(tmp_path)
    with pytest.raises(InputError, match="all have grids of their own, none of them Region.*leave --region"):
        read_sources([truth, truth], region=tmp_path / "R_T.json")


def test_what_a_killed_run_left_is_no_map(tmp_path):
    """A folder of maps may hold the half of one that a killed run was writing."""
    for name in (
        ".T_202107.nc.x1.part/T_202107.nc",
        ".T_202107_burn_date.tif.x2.part/T_202107_burn_date.tif",
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"half")
    with pytest.raises(NotFoundError, match="of no kind"):
        read_map_or_product(tmp_path)
    made = map_of(np.full(REGION.shape, 3), region=REGION)
    write_products(made, tmp_path, "T_202108", manifest=Manifest(), pictures=False)
    assert read_map_or_product(tmp_path).burned.all()


def test_classes_of_a_raster_go_by_area(tmp_path):
    """Pixels of a third of a cell: two of class 1 and one of class 2 make class 1, whatever is nearest."""
    path = tmp_path / "cover.tif"
    values = np.tile(np.array([1, 2, 1], np.uint8), (30, 20))
    values[:, 30:] = 255
    _write(path, values, transform=Affine(0.01 / 3, 0, 10, 0, -0.01 / 3, 40.1), nodata=255)
    got, names = read_classes(path, REGION)
    assert names == {1: "1", 2: "2"}
    assert (got[:, :10] == 1).all()
    assert (got[:, 10:] == -1).all()
    _write(path, values.astype(np.float32))
    with pytest.raises(InputError, match="whole numbers"):
        read_classes(path, REGION)
    many = np.arange(200, dtype=np.int16).reshape(10, 20)
    _write(path, many)
    with pytest.raises(InputError, match="200 classes"):
        read_classes(path, REGION)


def test_a_cell_of_which_most_has_no_class_has_none(tmp_path):
    west, north = REGION.west + 0.0202, REGION.north - 0.0202  # 2 % of a cell off its corners
    zone = box(west, north - 0.03, west + 0.03, north)
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[zone], crs=4326).to_file(tmp_path / "z.gpkg")
    got, _ = read_classes(tmp_path / "z.gpkg", REGION)
    assert (got >= 0).sum() == 9 and (got[2:5, 2:5] == 0).all()


def test_classes_of_another_place_are_refused(tmp_path):
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(100, 0, 101, 1)], crs=4326).to_file(tmp_path / "c.gpkg")
    with pytest.raises(InputError, match="gives no cell of Region.* a class"):
        read_classes(tmp_path / "c.gpkg", REGION)


def test_classes_of_polygons(tmp_path):
    path = tmp_path / "zones.gpkg"
    shapes = [box(10, 40, 10.064, 40.1), box(10.064, 40, 10.12, 40.1)]
    gpd.GeoDataFrame({"name": ["west", "east"]}, geometry=shapes, crs="EPSG:4326").to_file(path)
    got, names = read_classes(path, REGION)
    west, east = (next(k for k, v in names.items() if v == name) for name in ("west", "east"))
    assert (got[:, :6] == west).all()
    assert (got[:, 7:12] == east).all()
    assert (got[:, 6] == east).all(), "four tenths west, six east"
    assert (got[:, 12:] == -1).all()
    with pytest.raises(InputError, match="no field zone"):
        read_classes(path, REGION, field="zone")
    with pytest.raises(NotFoundError):
        read_classes(tmp_path / "none.gpkg", REGION)
    (tmp_path / "bad.gpkg").write_text("x")
    with pytest.raises(UnreadableFileError):
        read_classes(tmp_path / "bad.gpkg", REGION)


def test_features_that_are_no_polygons_are_counted(tmp_path):
    shapes = [box(10, 40, 10.1, 40.1), Point(10.15, 40.05), None]
    table = gpd.GeoDataFrame({"name": ["west", "mast", "lost"]}, geometry=shapes, crs="EPSG:4326")
    table.to_file(tmp_path / "zones.gpkg")
    with pytest.warns(BanetWarning, match=r"zones.*without an area.*left out"):
        got, names = read_classes(tmp_path / "zones.gpkg", REGION)
    assert names == {0: "west"}
    assert (got[:, :10] == 0).all()
    assert (got[:, 10:] == -1).all()


def test_a_mask_of_what_may_count(tmp_path):
    shape = box(10, 40, 10.055, 40.1)
    gpd.GeoDataFrame({"id": [1]}, geometry=[shape], crs="EPSG:4326").to_file(tmp_path / "m.gpkg")
    got = read_validity(tmp_path / "m.gpkg", REGION)
    assert got[:, :6].all()
    assert not got[:, 6:].any()
    values = np.zeros((10, 20), np.uint8)
    values[3:] = 1
    _write(tmp_path / "m.tif", values)
    np.testing.assert_array_equal(read_validity(tmp_path / "m.tif", REGION), values == 1)


def test_cells_that_the_product_did_not_see_reliably_are_left_out():
    truth = map_of(np.zeros((2, 3), int))
    first = np.full((2, 3), np.datetime64("2021-07-25"))
    last = np.full((2, 3), np.datetime64("2021-08-31"))
    first[0, 0], last[0, 1], last[0, 2] = "2021-08-02", "2021-08-30", "NaT"
    product = replace(truth, quality=Quality(first, last, np.ones((2, 3), np.uint8)))
    burned = map_of(np.zeros((2, 3), int))
    assert compare(burned, product).valid.all()
    assert compare(burned, product, reliable=True).valid.tolist() == [[False] * 3, [True] * 3]
    assert compare(burned, truth, reliable=True).valid.all()
    shorter = compare(burned, product, days=("2021-08-02", "2021-08-30"), reliable=True)
    assert shorter.valid[0].tolist() == [True, True, False]


def test_areas_sum_to_the_hectares_of_the_region():
    """The cells of a comparison have the area of the region's outline on the ellipsoid to 1e-6."""
    from pyproj import Geod

    burned = map_of(np.zeros((300, 200), int), west=-8.0, north=60.0)
    west, south, east, north = burned.region.bbox
    n = 2000  # parallels are no geodesics: follow them in small steps
    lon = np.concatenate([np.linspace(west, east, n), np.linspace(east, west, n)])
    lat = np.concatenate([np.full(n, south), np.full(n, north)])
    exact = abs(Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]) / 1e4
    got = score(burned, burned)
    assert got.hectares == pytest.approx(exact, rel=1e-6)
    assert got.hard.both == pytest.approx(exact, rel=1e-6)


# The commands.


def test_everything_that_evaluate_is_asked_for(scene, truth, tmp_path, capsys):
    cube, maps, out = str(scene / "cube.zarr"), tmp_path / "maps", tmp_path / "out"
    months = ["--start", "2019-08", "--end", "2019-08"]
    assert main(["map", cube, *months, "--out", str(maps), "--no-pictures"]) == 0
    path = next(maps.glob("*.nc"))
    cover = tmp_path / "cover.tif"
    region, _ = read_sources([path, truth])
    west, north, size = region.region.west, region.region.north, region.region.pixel_size
    halves = np.ones((40, 40), np.uint8)
    halves[20:] = 2
    _write(cover, halves, transform=Affine(size, 0, west, 0, -size, north))
    words = ["evaluate", str(path), "--reference", str(truth), "--out", str(out), "--draws", "20"]
    words += ["--cube", cube, "--hotspots", str(scene / "hotspots"), "--weights", "default", "--no-pictures"]
    words += ["--also", f"MCD64A1={scene / 'MCD64A1'}", "--cover", str(cover), "--zones", str(cover)]
    assert main([*words, "--valid", str(cover), "--reliable"]) == 0
    text = capsys.readouterr().out
    held = json.loads((out / "evaluation.json").read_text())
    names = list(held["scores"])
    assert names[:2] == [path.stem, "MCD64A1"]
    assert {"active fires", "index drop", f"{path.stem}, no hot spots"} <= set(names)
    assert set(held["dates_to_active_fires"]) == set(names)
    assert set(held["covers"]) == set(held["zones"]) == {"1", "2"}
    assert held["dates_by_gap"]
    assert "against active fires" in text
    assert (out / "zones.csv").is_file()
    words = ["evaluate", str(path), "--reference", str(truth), "--cube", cube]
    assert main([*words, "--also", f"active fires={scene / 'MCD64A1'}"]) == 2
    assert "--cube makes methods of the names active fires" in capsys.readouterr().err


def test_options_that_need_others(truth, capsys):
    assert main(["evaluate", str(truth), "--reference", str(truth), "--replay"]) == 2
    assert "--cube" in capsys.readouterr().err
    words = ["evaluate", str(truth), "--reference", str(truth), "--cube", "c.zarr", "--replay"]
    assert main(words) == 2
    assert "--weights" in capsys.readouterr().err


def test_names_of_further_maps(scene, truth):
    mine, _ = read_sources([truth, truth])
    paths = named_paths([str(truth), f"P={scene / 'MCD64A1'}"])
    assert list(paths) == [truth.stem, "P"]
    again, product = read_sources(list(paths.values()))
    assert (product.region, product.start, product.stop) == (mine.region, mine.start, mine.stop)
    np.testing.assert_array_equal(again.burn_date, mine.burn_date)
    with pytest.raises(InputError, match="two maps or products are called P"):
        named_paths(["P=a", "P=b"])
    for nothing in ("P=", "", "P= "):  # the working folder was read
        with pytest.raises(InputError, match="names no file or folder"):
            named_paths([nothing])


def test_maps_and_products_stand_beside_each_other(scene, truth, tmp_path, capsys):
    """The truth, a product and perimeters, each held against each other."""
    out, places = tmp_path / "out", _products(scene)
    words = [f"truth={truth}", f"MCD64A1={places['MCD64A1']}", f"fires={places['perimeters']}"]
    assert main(["compare", *words, "--out", str(out), "--draws", "5"]) == 0
    assert "| MCD64A1 | truth |" in capsys.readouterr().out
    tree = json.loads((out / "comparison.json").read_text())["references"]
    assert list(tree) == ["truth", "MCD64A1", "fires"]
    assert list(tree["MCD64A1"]["methods"]) == ["truth", "fires"]
    mine, theirs = read_sources([places["MCD64A1"], truth])
    one, back = (
        tree[reference]["methods"][name]["overall"]["scores"]["hard"]
        for name, reference in (("MCD64A1", "truth"), ("truth", "MCD64A1"))
    )
    assert one["omission"] == pytest.approx(score(mine, theirs).omission, rel=1e-5)
    assert (one["omission"], one["commission"]) == pytest.approx((back["commission"], back["omission"]))
    lines = (out / "comparison.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:3]] == [["MCD64A1", "truth"], ["fires", "truth"]]
    page = (out / "comparison.html").read_text()
    assert page.count("<img") == 3, "each pair once"
    assert len(list(out.glob("maps_*.png"))) == 3


def test_several_references_are_one_evaluation_each(scene, truth, tmp_path, capsys):
    words = ["evaluate", str(truth), "--draws", "0", "--no-pictures", "--out", str(tmp_path)]
    for place in ("MCD64A1", "FireCCI"):
        words += ["--reference", f"{place}={_products(scene)[place]}"]
    assert main(words) == 0
    assert "| reference |" in capsys.readouterr().out
    for place in ("MCD64A1", "FireCCI"):
        assert json.loads((tmp_path / place / "evaluation.json").read_text())["reference"]
    held = json.loads((tmp_path / "comparison.json").read_text())
    assert list(held["references"]) == ["MCD64A1", "FireCCI"]
    assert main(["compare", f"one={truth}"]) == 2
    assert "stands beside nothing" in capsys.readouterr().err


def test_tables_are_no_wider_than_the_terminal(scene, truth, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["evaluate", str(truth), "--reference", str(scene / "MCD64A1"), "--draws", "5"]) == 0
    said = capsys.readouterr().out
    rows = [line for line in said.splitlines() if "  " in line]
    assert len(rows) > 10
    assert max(map(len, rows)) <= 80
    assert "within 2 days" in said, "what does not fit beside stands below"
    assert "| map |" not in said


@pytest.mark.parametrize("method", ["active-fires", "grown-fires", "confirmed-fires", "index-drop"])
def test_baselines_are_maps_like_any_other(scene, truth, tmp_path, capsys, method):
    words = ["--method", method, "--start", "2019-08", "--end", "2019-08", "--out", str(tmp_path)]
    assert main(["baseline", str(scene / "cube.zarr"), *words, "--no-pictures"]) == 0
    assert "ha burned" in capsys.readouterr().out
    files = sorted(path.name.split("_201908")[-1] for path in tmp_path.iterdir())
    assert {".nc", "_burn_date.tif", "_confidence.tif", "_uncertainty.tif"} <= set(files)
    assert score(*read_sources([tmp_path, truth])).hard.map_burned > 0


def test_a_baseline_of_days_that_the_cube_lacks_is_refused_or_told(scene, tmp_path, capsys):
    words = ["baseline", str(scene / "cube.zarr"), "--method", "active-fires", "--no-pictures"]
    assert main([*words, "--start", "2018-08", "--end", "2018-08", "--out", str(tmp_path / "none")]) == 2
    assert "has no day from 2018-08-01 to 2018-08-31" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    assert main([*words, "--start", "2019-08-30", "--end", "2019-09-09", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert "note: 2019-08-30 to 2019-09-09: the cube lacks" in told and "of the 11 days" in told


def test_a_map_does_not_take_the_place_of_one_by_another_method(scene, tmp_path, capsys):
    cube, period = str(scene / "cube.zarr"), ["--start", "2019-08-10", "--end", "2019-08-12"]
    words = [*period, "--out", str(tmp_path), "--no-pictures"]
    assert main(["baseline", cube, "--method", "index-drop", *words]) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["baseline", cube, "--method", "active-fires", *words]) == 2
    assert "holds a map by another method (banet: index drop, not banet: " in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert main(["baseline", cube, "--method", "index-drop", *words]) == 0
    assert main(["baseline", cube, "--method", "index-drop", *words, "--weights", "default"]) == 2
    assert "index-drop has no weights" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["map"], ["baseline", "--method", "index-drop"]])
def test_maps_are_not_written_into_a_cube(scene, capsys, words):
    cube = str(scene / "cube.zarr")
    before = sorted(scene.rglob("*"))
    for out in (cube, f"{cube}/red"):
        period = ["--start", "2019-08-10", "--end", "2019-08-12", "--out", out]
        assert main([words[0], cube, *words[1:], *period]) == 2
        assert "cube.zarr is a cube or another Zarr store" in capsys.readouterr().err
    assert sorted(scene.rglob("*")) == before


def test_draws_count_something(truth, scene, capsys):
    words = ["evaluate", str(truth), "--reference", str(scene / "MCD64A1"), "--draws"]
    for draws in ("-3", "1"):
        assert main([*words, draws]) == 2 and f"{draws} draws; give 0" in capsys.readouterr().err


def test_the_original_needs_its_weights(scene, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BANET_CACHE", str(tmp_path))
    words = ["--method", "original", "--start", "2019-08", "--end", "2019-08", "--out", str(tmp_path)]
    assert main(["baseline", str(scene / "cube.zarr"), *words]) == 2
    assert "banet download weights" in capsys.readouterr().err
    assert main(["baseline", str(scene / "cube.zarr"), *words, "--weights", "default", "--no-pictures"]) == 0


def test_maps_from_the_cube_are_cut_to_the_days_of_the_map(monkeypatch):
    from banet.cli import evaluation
    from banet.evaluation import benchmark

    month = map_of(np.full(REGION.shape, 3), region=REGION)
    whole = SimpleNamespace(name="whole months", mapper=lambda cube, first, last: month)
    monkeypatch.setattr(benchmark, "baselines", lambda: [])
    monkeypatch.setattr(benchmark, "networks", lambda *_: [whole])
    mine = month.between("2021-08-10", "2021-08-20")
    (cut,) = evaluation._from_cube(None, mine, "default", "mine").values()
    assert (cut.start, cut.stop) == (mine.start, mine.stop) and not cut.burned.any() and month.burned.all()
