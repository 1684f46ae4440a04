"""AusCover: known by name and place, dated by months, and silent on parts of months."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine

from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.labels.auscover import read_auscover
from banet.labels.reading import read_map_or_product, sniff


def write_tif(path, values, transform, crs="EPSG:4326", nodata=None):
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype=values.dtype, crs=crs,
        transform=transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


NT = Region("NT", (131.3, -13.7, 131.7, -13.3), 0.01)


def auscover(folder, year, month, crs="EPSG:3577"):
    values = np.zeros((700, 700), np.uint8)
    values[300:340, 300:340] = month
    if crs == "EPSG:3577":
        x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(131.5, -13.5)
        transform = Affine(250, 0, x - 350 * 250, 0, -250, y + 350 * 250)
    else:
        transform = Affine(0.0025, 0, 130.8, 0, -0.0025, -12.8)
    return write_tif(folder / f"burnt_{year}_albers.tif", values, transform, crs, nodata=255)


@pytest.mark.parametrize("crs", ["EPSG:3577", "EPSG:4326"])
def test_auscover_is_dated_to_the_middle_of_the_month(tmp_path, crs):
    auscover(tmp_path, 2012, 9, crs)
    got = read_auscover(tmp_path, NT, "2012-01", "2012-12")
    dates = got.dates()
    assert set(np.unique(dates.day)) == {np.datetime64("2012-09-16")}
    assert got.uncertainty[got.burned_fraction > 0].max() == 16
    assert got.known.all()
    if crs == "EPSG:3577":
        assert dates.burned_area_ha == pytest.approx(1600 * 6.25, rel=1e-4)
    assert read_auscover(tmp_path, NT, "2012-01", "2012-06").burned_area_ha == 0


def test_the_known_part_of_a_cell_decides(tmp_path):
    """Columns without data in 2012 are a tenth of a cell's width, all else of the cell burned then."""
    cells = Region("C", (131.5, -13.6, 131.6, -13.5), 0.1)
    transform = Affine(0.0025, 0, 130.8, 0, -0.0025, -12.8)
    for year, month in ((2012, 9), (2013, 0)):
        values = np.full((700, 700), month, np.uint8)
        values[:, 280:284] = 255 if month else 0
        write_tif(tmp_path / f"burnt_{year}_albers.tif", values, transform, "EPSG:4326", nodata=255)
    got = read_auscover(tmp_path, cells, "2012-01", "2013-12")
    assert got.burned_fraction[0, 0] == pytest.approx(0.9, abs=1e-6)
    assert got.burned_area_ha == pytest.approx(0.9 * cells.cell_area_ha[0], rel=1e-6)
    assert got.known_share[0, 0] == pytest.approx(0.9, abs=1e-6)
    assert got.daily_fraction(np.array(["2012-09-16"], "datetime64[D]"))[0, 0, 0] == pytest.approx(1)


def test_auscover_of_several_years_and_of_none(tmp_path):
    auscover(tmp_path, 2012, 12)
    auscover(tmp_path, 2013, 1)
    got = read_auscover(tmp_path, NT, "2012-12", "2013-01")
    assert got.known.all()
    assert len(set(got.dates().day)) == 2
    with pytest.warns(BanetWarning, match="nothing of 2014; not known"):
        later = read_auscover(tmp_path, NT, "2013-01", "2014-02")
    assert set(np.unique(later.observed_days)) <= {0, 365}
    days = np.array(["2013-12-31", "2014-01-01"], "datetime64[D]")
    assert np.isfinite(later.daily_fraction(days)).any(axis=(1, 2)).tolist() == [True, False]
    with pytest.raises(NotFoundError, match="there are 2012, 2013"):
        read_auscover(tmp_path, NT, "2001-01", "2001-12")
    with pytest.raises(NotFoundError, match="AusCover file"):
        read_auscover([], NT, "2012-01", "2012-12")


def test_auscover_faults(tmp_path):
    path = auscover(tmp_path, 2012, 13)
    with pytest.raises(UnreadableFileError, match="months from 0 to 13; expected 0 to 12"):
        read_auscover(path, NT, "2012-01", "2012-12")
    with pytest.raises(InputError, match="both of 2012"):
        read_auscover([path, path], NT, "2012-01", "2012-12")
    nameless = tmp_path / "burnt.tif"
    nameless.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="no year"):
        read_auscover(nameless, NT, "2012-01", "2012-12")


@pytest.mark.parametrize(
    ("days", "burned", "silent"),
    [
        (("2012-09-01", "2012-09-10"), False, 10),
        (("2012-09-20", "2012-09-30"), False, 11),
        (("2012-08-15", "2012-09-20"), False, 20),
        (("2012-08-15", "2012-10-10"), True, 0),
        (("2012-09", "2012-09"), True, 0),
        (("2012-09-11", "2013-01-31"), False, 20),
        (("2012-03-05", "2012-08-20"), False, 0),
    ],
)
def test_a_month_asked_in_part_is_not_told_where_it_burned(tmp_path, recwarn, days, burned, silent):
    auscover(tmp_path, 2012, 9)
    auscover(tmp_path, 2013, 12)
    whole = read_auscover(tmp_path, NT, "2012-09", "2012-09")
    cells = whole.burned_fraction > 1e-6
    assert 0 < cells.sum() < cells.size
    recwarn.clear()
    got = read_auscover(tmp_path, NT, *days)
    length = int((got.stop - got.start).astype(int))
    assert (got.burned_area_ha > 0) == burned
    assert np.unique(length - got.observed_days[cells]).tolist() == [silent]
    assert (got.observed_days[~cells] == length).all()
    assert (got.known[cells]).all() == (silent < length)
    told = [str(one.message) for one in recwarn]
    if silent:
        first = max(str(got.start), "2012-09-01")
        match = (
            f"{cells.sum()} cells burned in 2012-09, of which no day is told; they are not known from {first}"
        )
        assert [match in line for line in told] == [True]
        assert got.notes == tuple(told)
    else:
        assert told == [] and got.notes == ()


PT = Region("PT", (-8.2, 39.6, -7.8, 40.0), 0.01)
IBERIA, NORTHERN = Affine(0.01, 0, -8.2, 0, -0.01, 40.0), Affine(0.01, 0, 131.3, 0, -0.01, -13.3)


@pytest.mark.parametrize(
    ("name", "transform", "kind"),
    [
        ("auscover_2020.tif", NORTHERN, "auscover"),
        ("burned_2020_albers.tif", NORTHERN, "auscover"),
        ("burned_2020_250m_albers.tif", NORTHERN, "auscover"),
        ("burned_2020_albers.tif", IBERIA, "raster"),
        ("burned_2020_214_albers.tif", NORTHERN, "raster"),
        ("burnt_2020_01_albers.tif", NORTHERN, "raster"),
        ("burned_202008_albers.tif", NORTHERN, "raster"),
        ("EMSR_burned_2020.tif", NORTHERN, "raster"),
        ("EMSR_burned_2020.tif", IBERIA, "raster"),
        ("burned_area_202008.tif", IBERIA, "raster"),
        ("conus_albers_2020.tif", IBERIA, "raster"),
        ("auscover_2020_burn_date.tif", NORTHERN, "raster"),
    ],
)
def test_auscover_is_known_by_its_full_name_or_by_name_year_and_place(tmp_path, name, transform, kind):
    assert sniff(write_tif(tmp_path / name, np.zeros((40, 40), np.uint8), transform)) == kind


def test_other_rasters_of_its_folder_are_none_of_it(tmp_path):
    auscover(tmp_path, 2012, 9)
    write_tif(tmp_path / "EMSR_burned_2013.tif", np.ones((40, 40), np.uint8), NORTHERN)
    with pytest.warns(BanetWarning, match="nothing of 2013; not known"):
        read_auscover(tmp_path, NT, "2012-09", "2013-02")


def test_days_of_year_in_a_raster_called_burned_are_days(tmp_path):
    values = np.zeros((40, 40), np.int16)
    values[5:10, 5:10] = 8
    path = write_tif(tmp_path / "burned_doy_2020_01.tif", values, IBERIA)
    got = read_map_or_product(path, region=PT, days=("2020-01", "2020-01"))
    assert set(got.burn_date[got.burned]) == {np.datetime64("2020-01-08")}
    with pytest.raises(UnreadableFileError, match="25 burn dates lie outside 2020-08-01.*may be months"):
        read_map_or_product(path, region=PT, days=("2020-08", "2020-08"))
    with pytest.warns(BanetWarning, match="may be months.*taken for days of the year"):
        read_map_or_product(path, region=PT, days=("2020-01", "2020-08"))


def test_a_mask_of_0_and_1_tells_no_dates(tmp_path):
    values = np.zeros((40, 40), np.uint8)
    values[5:10, 5:10] = 1
    path = write_tif(tmp_path / "EMSR_burned_2020.tif", values, IBERIA)
    with pytest.raises(UnreadableFileError, match="25 burn dates lie outside .* like a mask of 0 and 1"):
        read_map_or_product(path, region=PT, days=("2020-08", "2020-08"))
    with pytest.warns(BanetWarning, match="like a mask of 0 and 1"):
        read_map_or_product(path, region=PT, days=("2020-01", "2020-01"))
