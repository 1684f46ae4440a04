"""Rasters of labels as programs write them: masks, bands, pieces, neighbours, values that are no dates."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine

from banet.burned_area.geotiff import read_geotiff
from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.grid.region import Region
from banet.labels.classes import read_classes, read_validity
from banet.labels.firecci import read_firecci
from banet.labels.mcd64a1 import read_mcd64a1
from banet.labels.shares import read_shares
from made_rasters import fill

REGION = Region("PT", (-8.0, 39.0, -7.6, 39.4), 0.01)
NORTH = Affine(0.01, 0, -8.0, 0, -0.01, 39.4)
SOUTH = Affine(0.01, 0, -8.0, 0, 0.01, 39.0)
AUGUST = ("2020-08", "2020-08")
MCD = "MCD64A1.061_Burn_Date_doy2020214_aid0001.tif"
JD = "20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif"


def write(path, *planes, names=(), transform=NORTH, nodata=None, hidden=None):
    height, width = planes[0].shape
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", height=height, width=width, count=len(planes), crs="EPSG:4326",
            dtype=planes[0].dtype, transform=transform, nodata=nodata,
        ) as file,
    ):  # fmt: skip
        fill(file, planes, names, hidden)
    return path


def burned_in_utm(path, pixel):
    size = int(60_000 / pixel) + 2
    values = np.full((size, size), 218, np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", height=size, width=size, count=1, crs="EPSG:32629", dtype="int16",
        transform=Affine(pixel, 0, 575_000, 0, -pixel, 4_375_000),
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


@pytest.mark.parametrize("pixel", [300.0, 463.3, 1000.0])
def test_a_projected_raster_that_burned_everywhere_burns_every_cell_whole(tmp_path, pixel):
    got = read_mcd64a1(burned_in_utm(tmp_path / MCD, pixel), REGION, *AUGUST)
    assert got.known.all()
    np.testing.assert_allclose(got.burned_fraction, 1, rtol=1e-6)
    assert got.burned_area_ha == pytest.approx(REGION.cell_area_ha.sum() * REGION.shape[1], rel=1e-6)


def moved(cols):
    return Affine(0.01, 0, -8.0 + 0.01 * cols, 0, -0.01, 39.4)


def block(kind="int16", day=218, rest=0):
    values = np.full((40, 40), rest, kind)
    values[30:35, 10:15] = day
    return values


def right():
    hidden = np.zeros((40, 40), bool)
    hidden[:, 20:] = True
    return hidden


def test_what_a_mask_hides_is_not_known_in_every_reader(tmp_path):
    read = (
        read_mcd64a1(write(tmp_path / MCD, block(), hidden=right()), REGION, *AUGUST),
        read_firecci(write(tmp_path / JD, block(), hidden=right()), REGION, *AUGUST),
        read_geotiff(write(tmp_path / "a.tif", block(), hidden=right()), days=AUGUST),
    )
    for got in read:
        np.testing.assert_array_equal(got.known, ~right())
        assert int(got.burned.sum()) == 25


def test_what_a_mask_hides_is_not_valid_covers_nothing_and_has_no_class(tmp_path):
    path = write(tmp_path / "a.tif", np.ones((40, 40), np.uint8), hidden=right())
    np.testing.assert_array_equal(read_validity(path, REGION), ~right())
    assert read_shares(path, REGION, "cover").sum() == pytest.approx(800)
    numbers, _ = read_classes(path, REGION)
    np.testing.assert_array_equal(numbers, np.where(right(), -1, 1))


def test_a_tag_of_0_beside_a_mask_leaves_0_unburned_where_the_mask_shows_it(tmp_path):
    with pytest.warns(BanetWarning, match="names 0 as its value for nothing"):
        got = read_mcd64a1(write(tmp_path / MCD, block(), nodata=0, hidden=right()), REGION, *AUGUST)
    np.testing.assert_array_equal(got.known, ~right())


def test_layers_of_one_raster_are_told_by_the_names_of_its_bands(tmp_path):
    """As Earth Engine exports an image of MCD64A1."""
    planes = (block(day=3), block(), block(day=2), block(day=200), block(day=260))
    path = write(
        tmp_path / "MCD64A1_2020_08_01.tif",
        *planes,
        names=("QA", "BurnDate", "Uncertainty", "FirstDay", "LastDay"),
    )
    got = read_mcd64a1(path, REGION, *AUGUST)
    assert set(got.burn_date[got.burned]) == {np.datetime64("2020-08-05")}
    assert set(got.uncertainty[got.burned]) == {2}
    assert got.quality is not None


@pytest.mark.parametrize("name", [MCD, JD, "a.tif"])
def test_bands_that_are_not_told_apart_are_refused(tmp_path, name):
    path = write(tmp_path / name, block(), block(day=220))
    with pytest.raises(InputError, match=r"holds 2 bands \(no name, no name\)"):
        if name == "a.tif":
            read_geotiff(path, days=AUGUST)
        else:
            (read_mcd64a1 if name == MCD else read_firecci)(path, REGION, *AUGUST)


def test_pieces_of_an_export_are_joined(tmp_path, recwarn):
    values = block()
    values[30:35, 22:25] = 220
    names = [f"MCD64A1_BurnDate_2020_08_01-0000000000-00000000{col}.tif" for col in ("00", "20")]
    write(tmp_path / names[0], values[:, :20])
    write(tmp_path / names[1], values[:, 20:], transform=moved(20))
    got = read_mcd64a1(tmp_path, REGION, *AUGUST)
    assert got.known.all()
    np.testing.assert_array_equal(got.burned, values > 0)
    assert not [one for one in recwarn if issubclass(one.category, BanetWarning)]


def test_a_pixel_found_again_next_month_counts_once_in_its_piece(tmp_path):
    for month, day in (("08", 243), ("09", 247)):
        for col in (0, 20):
            write(
                tmp_path / f"MCD64A1_BurnDate_2020_{month}_01-0000000000-00000000{col:02d}.tif",
                block(day=day)[:, :20] if not col else block(day=day)[:, 20:],
                transform=moved(col),
            )
    got = read_mcd64a1(tmp_path, REGION, "2020-08", "2020-09")
    assert set(got.dates().day.astype(str)) == {"2020-08-30"}
    assert got.known.all()


def test_parts_of_a_raster_that_are_not_named_as_such_are_refused(tmp_path):
    write(tmp_path / "MCD64A1_BurnDate_2020_08_01_east.tif", block(), transform=NORTH)
    west = write(tmp_path / "MCD64A1_BurnDate_2020_08_01_west.tif", block(), transform=SOUTH)
    with pytest.warns(BanetWarning, match="the latter is taken"):
        read_mcd64a1(tmp_path, REGION, *AUGUST)  # on the same cells: two productions
    write(west, block(), transform=moved(-40))
    with pytest.raises(InputError, match="both of 2020-08 but do not lie on the same cells; merge them"):
        read_mcd64a1(tmp_path, REGION, *AUGUST)


@pytest.mark.parametrize(("kind", "rest"), [("uint16", 65535), ("int32", 2020218), ("float64", 1e9)])
def test_values_that_are_no_dates_are_told_as_they_are(tmp_path, kind, rest):
    said = f"burn dates from 218 to {rest:.0f}; expected -2 to 366"
    values = block(kind, rest=rest)
    with pytest.raises(UnreadableFileError, match=said):
        read_mcd64a1(write(tmp_path / MCD, values), REGION, *AUGUST)
    with pytest.raises(UnreadableFileError, match=said):
        read_firecci(write(tmp_path / JD, values), REGION, *AUGUST)
    with pytest.raises(UnreadableFileError, match=said):
        read_geotiff(write(tmp_path / "a.tif", values), days=AUGUST)


def test_a_layer_beside_that_does_not_fit_a_byte_is_refused(tmp_path):
    path = write(tmp_path / MCD, block())
    write(tmp_path / MCD.replace("Burn_Date", "Burn_Date_Uncertainty"), block(day=300))
    with pytest.raises(UnreadableFileError, match=r"values of Burn_Date_Uncertainty from 0 to 300"):
        read_mcd64a1(path, REGION, *AUGUST)


# Scale and offset.


def by(path, scale=1.0, offset=0.0):
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [scale] * file.count, [offset] * file.count
    return path


@pytest.mark.parametrize(
    ("day", "rest", "nodata", "scale", "offset"),
    [
        (2180, 0, -1, 0.1, 0.0),
        (2190, 0, None, 0.1, 0.0),
        (40, -178, -179, 1.0, 178.0),
        (109, 0, 0, 2.0, 0.0),
        (218, 0, -1, 1.0, 0.0),
    ],
)
def test_burn_dates_are_read_by_the_scale_and_offset_of_the_file(tmp_path, day, rest, nodata, scale, offset):
    values = block("int16", day, rest=rest)
    if nodata and nodata < 0:
        values[:, 20:] = nodata
    for name, read in (
        (MCD, lambda path: read_mcd64a1(path, REGION, *AUGUST)),
        (JD, lambda path: read_firecci(path, REGION, *AUGUST)),
        ("a.tif", lambda path: read_geotiff(path, days=AUGUST)),
    ):
        path = by(write(tmp_path / name, values, nodata=nodata), scale, offset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BanetWarning)  # of 0 as a value for nothing
            got = read(path)
        assert int(got.burned.sum()) == 25
        dates = np.unique(got.burn_date[got.burned]).astype(str).tolist()
        assert dates == ["2020-08-06" if day == 2190 else "2020-08-05"]
        np.testing.assert_array_equal(got.known, ~right() if nodata and nodata < 0 else True)


@pytest.mark.parametrize(
    ("day", "rest", "scale", "offset", "told"),
    [
        (
            217,
            0,
            1.0,
            1.0,
            "0 is stored, a code of this product, and is 1 by the file's scale 1 and offset 1",
        ),
        (40, 0, 1.0, 178.0, "0 is stored, a code of this product, and is 178 by"),
        (109, -1, 2.0, 0.0, "-1 is stored, a code of this product, and is -2 by"),
        (217, -2, 1.0, 1.0, "-2 is stored, a code of this product, and is -1 by"),
    ],
)
def test_a_code_that_scale_and_offset_make_another_is_refused(tmp_path, day, rest, scale, offset, told):
    """All that did not burn, stored as 0 under an offset of 1, burned on 1 January."""
    for name, read in (
        (MCD, lambda path: read_mcd64a1(path, REGION, *AUGUST)),
        (JD, lambda path: read_firecci(path, REGION, *AUGUST)),
        ("a.tif", lambda path: read_geotiff(path, days=AUGUST)),
    ):
        path = by(write(tmp_path / name, block("int16", day, rest=rest)), scale, offset)
        with pytest.raises(UnreadableFileError, match=f"{name}: {told}"):
            read(path)


def test_a_burned_fraction_is_read_by_the_scale_of_its_file(tmp_path):
    date = tmp_path / "c_gls_BA300-DOB-NTC_202008010000_GLOBE_S3_V4.0.1.tiff"
    write(date, block())
    beside = tmp_path / date.name.replace("-DOB", "-BF")
    by(write(beside, block("uint8", 100), nodata=255), 0.005)
    got = read_firecci(date, REGION, *AUGUST)
    np.testing.assert_allclose(got.burned_fraction[30:35, 10:15], 0.5)


def test_shares_are_read_by_the_scale_of_their_file(tmp_path):
    path = by(write(tmp_path / "cover.tif", block("uint8", 100, rest=255), nodata=255), 0.005)
    assert read_shares(path, REGION, "cover").sum() == pytest.approx(12.5)


# Rasters beside a burn date.


@pytest.mark.parametrize("transform", [NORTH, SOUTH])
def test_rasters_beside_a_burn_date_are_turned_as_it_is(tmp_path, transform):
    step = -1 if transform is SOUTH else 1
    spread, percent = block("uint8", 3, rest=255), block("uint8", 90, rest=255)
    spread[30, 10], percent[30, 11] = 77, 66
    for name, values, nodata in (
        ("burn_date", block(), -1),
        ("uncertainty", spread, 77),
        ("confidence", percent, 66),
    ):
        write(tmp_path / f"a_{name}.tif", values[::step], transform=transform, nodata=nodata)
    got = read_geotiff(tmp_path / "a_burn_date.tif", days=AUGUST)
    assert got.uncertainty[30, 10] == 255 and got.uncertainty[30, 11] == 3
    assert sorted(np.unique(got.uncertainty[got.burned])) == [3, 255]
    assert np.isnan(got.stated_confidence[30, 11]) and got.stated_confidence[30, 10] == 90
    assert np.nanmin(got.stated_confidence) == 90


def test_a_raster_beside_a_burn_date_that_is_damaged_or_elsewhere_is_refused(tmp_path):
    path = write(tmp_path / "a_burn_date.tif", block())
    other = tmp_path / "a_confidence.tif"
    other.write_text("x")
    with pytest.raises(UnreadableFileError, match=r"a_confidence\.tif is no readable GeoTIFF"):
        read_geotiff(path, days=AUGUST)
    write(other, block("uint8", 90), transform=moved(1))
    with pytest.raises(
        UnreadableFileError, match=r"a_confidence\.tif does not lie on the cells of a_burn_date"
    ):
        read_geotiff(path, days=AUGUST)


# Longitudes and grids.


@pytest.mark.parametrize(
    ("west", "inside"), [(214.0, -146.0), (352.0, -8.0), (-180.2, 179.8), (179.8, 179.8), (0.0, 0.0)]
)
def test_a_burn_date_on_longitudes_of_any_branch_is_turned(tmp_path, west, inside):
    path = write(tmp_path / "a_burn_date.tif", block(), transform=Affine(0.01, 0, west, 0, -0.01, 39.4))
    write(tmp_path / "a_confidence.tif", block("uint8", 90), transform=Affine(0.01, 0, west, 0, -0.01, 39.4))
    got = read_geotiff(path, days=AUGUST)
    assert got.region.bbox == pytest.approx((inside, 39.0, inside + 0.4, 39.4))
    np.testing.assert_array_equal(got.burned, block() > 0)
    assert np.nanmax(got.stated_confidence) == 90


@pytest.mark.parametrize(
    "transform", [Affine(0.01, 0, -8.0, 0, -0.01, 90.2), Affine(0.01, 0.001, -8.0, 0.001, -0.01, 39.4)]
)
def test_a_burn_date_on_a_grid_that_cannot_be_is_told_by_its_name(tmp_path, transform):
    path = write(tmp_path / "burned.tif", block(), transform=transform)
    with pytest.raises(InputError, match=r"^burned\.tif: .*(poles|rotated)"):
        read_geotiff(path, days=AUGUST)


def test_a_burn_date_whose_tags_are_no_days_is_told_by_its_name(tmp_path):
    path = write(tmp_path / "burned.tif", block())
    with rasterio.open(path, "r+") as file:
        file.update_tags(start="then", end="now")
    with pytest.raises(InputError, match=r"^burned\.tif: .*then"):
        read_geotiff(path, days=AUGUST)
