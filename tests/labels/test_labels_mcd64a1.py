"""MCD64A1 and VNP64A1: hectares in are hectares out, dates right over months and years, nothing swallowed."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from pyhdf.SD import SD, SDC

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.evaluation.compare import compare
from banet.grid.region import Region
from banet.grid.sinusoidal import tile_grid
from banet.labels.mcd64a1 import read_mcd64a1
from banet.labels.monthly_files import MonthlyFile, find_monthly_files, read_layers, resolve_year
from banet.labels.quality import runs

SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m +no_defs"
REGION = Region("GR", (21.8, 37.17, 24.6, 38.5), 0.01)
SIZE = (
    600  # a quarter of the product's pixels along each axis keeps these tests quick; the layout is the same
)
PIXEL_HA = (1111950.5197 / SIZE) ** 2 / 1e4
KINDS = {
    "Burn Date": (SDC.INT16, np.int16),
    "Burn Date Uncertainty": (SDC.UINT8, np.uint8),
    "QA": (SDC.UINT8, np.uint8),
    "First Day": (SDC.INT16, np.int16),
    "Last Day": (SDC.INT16, np.int16),
}


def write_tile(folder, name, burn, *, uncertainty=2, qa=3, first=200, last=260, corner=None, skip=()):
    """Write an HDF4 tile with the names, types and attributes of the product (user guide, table 2)."""
    planes = {
        "Burn Date": burn,
        "Burn Date Uncertainty": np.where(burn > 0, uncertainty, 0),
        "QA": np.where(burn == -2, 0, qa),
        "First Day": np.where(burn < 0, burn, first),
        "Last Day": np.where(burn < 0, burn, last),
    }
    path = folder / name
    file = SD(str(path), SDC.WRITE | SDC.CREATE)
    if corner:
        file.attr("StructMetadata.0").set(SDC.CHAR, f"UpperLeftPointMtrs=({corner[0]:.6f},{corner[1]:.6f})")
    for key, (kind, dtype) in KINDS.items():
        if key in skip:
            continue
        data = file.create(key, kind, burn.shape)
        data[:] = planes[key].astype(dtype)
        data.endaccess()
    file.end()
    return path


def tile(burned=(), background=0, size=SIZE):
    burn = np.full((size, size), background, np.int16)
    for row, col, day in burned:
        burn[row, col] = day
    return burn


def block(lon, lat, n, day, rng=None):
    """A block of n x n pixels of tile h19v05 around a point."""
    row, col = (int(v) for v in tile_grid(19, 5, SIZE).pixel_of(lon, lat))
    return [(row + i, col + j, day) for i in range(n) for j in range(n)]


AUGUST = "MCD64A1.A2021213.h19v05.061.2021300000000.hdf"
SEPTEMBER = "MCD64A1.A2021244.h19v05.061.2021330000000.hdf"
JULY = "MCD64A1.A2021182.h19v05.061.2021270000000.hdf"


def test_hectares_in_are_hectares_out(tmp_path):
    """225 pixels on the sphere; their footprints on the ellipsoid are 0.04 % larger here."""
    path = write_tile(tmp_path, AUGUST, tile(block(22.5, 38.0, 15, 220)))
    got = read_mcd64a1(path, REGION, "2021-08", "2021-08")
    assert got.burned_area_ha == pytest.approx(225 * PIXEL_HA, rel=1e-3)
    ellipsoid = pyproj.Geod(ellps="WGS84")
    row, col, _ = np.array(block(22.5, 38.0, 15, 220)).T
    grid = tile_grid(19, 5, SIZE)
    to_degrees = pyproj.Transformer.from_crs(SINUSOIDAL, "EPSG:4326", always_xy=True)
    x = grid.left + np.array([col.min(), col.max() + 1, col.max() + 1, col.min()]) * grid.pixel
    y = grid.top - np.array([row.min(), row.min(), row.max() + 1, row.max() + 1]) * grid.pixel
    x, y = (np.concatenate([np.linspace(a, b, 50) for a, b in zip(v, np.roll(v, -1))]) for v in (x, y))
    area, _ = ellipsoid.polygon_area_perimeter(*to_degrees.transform(x, y))
    assert got.burned_area_ha == pytest.approx(abs(area) / 1e4, rel=1e-5)
    assert got.name == "MCD64A1.061"
    assert (got.start, got.stop) == (np.datetime64("2021-08-01"), np.datetime64("2021-09-01"))
    assert got.burn_date[got.burned_fraction > 0].max() == np.datetime64("2021-08-08")


def test_one_cell_holds_the_dates_of_its_pixels(tmp_path):
    row, col = (int(v) for v in tile_grid(19, 5, SIZE).pixel_of(22.505, 38.005))
    path = write_tile(tmp_path, AUGUST, tile([(row, col, 215), (row, col + 1, 217)]))
    got = read_mcd64a1(path, REGION, "2021-08", "2021-08")
    assert set(got.dates().day.astype(str)) == {"2021-08-03", "2021-08-05"}
    assert got.burned_area_ha == pytest.approx(2 * PIXEL_HA, rel=1e-3)
    assert set(np.unique(got.uncertainty)) == {2, 255}


def test_water_is_known_and_unburned_missing_is_not_known(tmp_path):
    burn = tile(block(22.5, 38.0, 4, 220))
    row, col = (int(v) for v in tile_grid(19, 5, SIZE).pixel_of(23.5, 38.0))
    burn[row - 5 : row, col - 5 : col] = -1
    burn[row + 2 : row + 7, col : col + 5] = -2
    got = read_mcd64a1(write_tile(tmp_path, AUGUST, burn), REGION, "2021-08", "2021-08")
    assert np.isnan(got.burned_fraction[~got.known]).all()
    assert 70 <= (~got.known).sum() <= 105  # 25 pixels of 343 ha in cells of 97.6 ha
    assert 70 <= got.water.sum() <= 105
    assert got.known[got.water].all()
    assert (got.burned_fraction[got.water] == 0).all()


def test_the_known_part_of_a_cell_decides_where_pixels_are_read_onto_coarse_cells(tmp_path):
    """A cell of 0.1 degree (about 28 pixels): a part is missing in August, where all that is known burned."""
    cells = Region("C", (22.4, 37.9, 22.6, 38.1), 0.1)
    grid = tile_grid(19, 5, SIZE)
    row, col = (int(v) for v in grid.pixel_of(22.4, 38.1))
    burn = tile()
    burn[row - 2 : row + 16, col - 4 : col + 16] = 220
    burn[row - 2 : row + 2, col - 4 : col + 16] = -1
    write_tile(tmp_path, AUGUST, burn)
    write_tile(tmp_path, SEPTEMBER, tile())
    got = read_mcd64a1(tmp_path, cells, "2021-08", "2021-09")
    share = got.known_share
    assert got.known.all() and (share[0] > 0.55).all() and (share[0] < 0.9).all() and (share[1] == 1).all()
    np.testing.assert_allclose(got.burned_fraction, share, atol=1e-3)
    assert got.burned_area_ha == pytest.approx((share * cells.cell_area_ha[:, None]).sum(), rel=1e-3)
    target = got.daily_fraction(np.array(["2021-08-08", "2021-09-08"], "datetime64[D]"))
    np.testing.assert_allclose(target[0], 1, atol=1e-3)
    assert (target[1] == 0).all()
    back = read_map(write_netcdf(got, tmp_path / "labels.nc"))
    np.testing.assert_array_equal(back.known_share, share)
    whole = BurnedArea.from_dates(cells, "2021-08-01", "2021-10-01", got.burn_date)
    held = compare(whole, got)
    np.testing.assert_allclose(held.reference_fraction, 1, atol=1e-3)
    np.testing.assert_allclose(held.area, share * cells.cell_area_ha[:, None], rtol=1e-6)
    fine = read_mcd64a1(tmp_path, Region("F", cells.bbox, 0.005), "2021-08", "2021-09").to(cells)
    np.testing.assert_allclose(fine.daily_fraction(got.burn_date[0, :1])[0], 1, atol=1e-2)
    assert (fine.known_share < 0.9).sum() == 2, "the part that was missing on the date, not in September"


def test_a_pixel_found_again_in_the_next_month_counts_once(tmp_path):
    row, col = (int(v) for v in tile_grid(19, 5, SIZE).pixel_of(22.5, 38.0))
    write_tile(tmp_path, AUGUST, tile([(row, col, 242), (row, col + 1, 214)]))
    write_tile(tmp_path, SEPTEMBER, tile([(row, col, 246), (row, col + 1, 260)]))
    got = read_mcd64a1(tmp_path, REGION, "2021-08", "2021-09")
    assert sorted(set(got.dates().day.astype(str))) == ["2021-08-02", "2021-08-30", "2021-09-17"]
    # September alone, with August's file at hand: the fire of 30 August is not September's.
    got = read_mcd64a1(tmp_path, REGION, "2021-09", "2021-09")
    assert sorted(set(got.dates().day.astype(str))) == ["2021-09-17"]
    got = read_mcd64a1(tmp_path, REGION, "2021-08", "2021-09", duplicate_days=0)
    assert got.dates().day.max() == np.datetime64("2021-09-17")
    assert np.datetime64("2021-09-03") in got.dates().day


def test_days_across_new_year(tmp_path):
    """January's file may date a pixel 31 December, and December's 1 January: the year follows the month."""
    row, col = (int(v) for v in tile_grid(19, 5, SIZE).pixel_of(22.5, 38.0))
    write_tile(
        tmp_path,
        "MCD64A1.A2020336.h19v05.061.2021100000000.hdf",
        tile([(row, col, 366), (row, col + 4, 1)]),
        first=330,
        last=20,
    )
    write_tile(
        tmp_path,
        "MCD64A1.A2021001.h19v05.061.2021130000000.hdf",
        tile([(row, col + 8, 365), (row, col + 12, 1)]),
        first=340,
        last=50,
    )
    got = read_mcd64a1(tmp_path, REGION, "2020-12", "2021-01")
    days = got.dates()
    by_cell = dict(zip(days.col, days.day.astype(str)))
    assert by_cell[min(by_cell)] == "2020-12-31"
    assert set(by_cell.values()) == {"2020-12-31", "2021-01-01", "2020-12-30"}
    at = got.burned_fraction > 0
    assert (got.quality.first_day[at] == np.datetime64("2020-11-25")).all()
    assert (got.quality.last_day[at] == np.datetime64("2021-02-19")).all()


@pytest.mark.parametrize(
    ("day", "month", "side", "expected"),
    [
        (366, "2020-12", "near", "2020-12-31"),
        (1, "2020-12", "near", "2021-01-01"),
        (365, "2021-01", "near", "2020-12-30"),  # 2020 had 366 days
        (213, "2021-08", "near", "2021-08-01"),
        (60, "2020-02", "near", "2020-02-29"),
        (330, "2021-01", "before", "2020-11-25"),
        (190, "2021-08", "before", "2021-07-09"),
        (20, "2020-12", "after", "2021-01-20"),
        (267, "2021-08", "after", "2021-09-24"),
        (366, "2021-01", "near", "2020-12-31"),
        (366, "2021-01", "before", "2020-12-31"),
        # No day of the calendar: it was 1 January of the next year.
        (366, "2019-12", "near", "NaT"),
        (366, "2020-01", "near", "NaT"),
        (366, "2019-12", "after", "NaT"),
        (366, "2020-01", "before", "NaT"),
    ],
)
def test_the_year_of_a_day(day, month, side, expected):
    got = resolve_year(np.array([day, 0, -1], np.int16), np.datetime64(month), side)
    assert str(got[0]) == expected
    assert np.isnat(got[1:]).all()


def test_a_month_that_lacks_a_file_voids_its_own_days_and_is_named(tmp_path):
    write_tile(tmp_path, AUGUST, tile(block(22.5, 38.0, 4, 220)))
    with pytest.warns(BanetWarning, match=r"no file of 2021-07, 2021-09; the days of those months are not"):
        got = read_mcd64a1(tmp_path, REGION, "2021-07", "2021-09")
    assert (got.start, got.stop) == (np.datetime64("2021-08-01"), np.datetime64("2021-09-01"))
    assert got.known.all()
    assert got.burned.any()
    assert "no file of 2021-07, 2021-09" in got.notes[0]
    assert read_mcd64a1(tmp_path, REGION, "2021-08", "2021-08").known.all()


def test_a_month_without_a_file_between_two_is_not_known(tmp_path):
    write_tile(tmp_path, AUGUST, tile(block(22.5, 38.0, 4, 220)))
    write_tile(tmp_path, AUGUST.replace("A2021213", "A2021274"), tile())
    with pytest.warns(BanetWarning, match="no file of 2021-09; the days of that month"):
        got = read_mcd64a1(tmp_path, REGION, "2021-08-10", "2021-10")
    assert (got.start, got.stop) == (np.datetime64("2021-08-10"), np.datetime64("2021-11-01"))
    assert [(one.start, one.stop) for one in got.unknown_days] == [
        (np.datetime64("2021-09-01"), np.datetime64("2021-10-01"))
    ]
    assert (got.observed_days == 22 + 31).all()
    days = np.array(["2021-08-31", "2021-09-01", "2021-09-30", "2021-10-01"], "datetime64[D]")
    assert np.isnan(got.daily_fraction(days)).all(axis=(1, 2)).tolist() == [False, True, True, False]


WIDE = Region("W", (19.8, 39.6, 20.4, 40.4), 0.02)  # h19v04 above the 40th parallel, h19v05 below
NAMES = {month: f"MCD64A1.A2021{day}.h19v{{v}}.061.2022001000000.hdf" for month, day in
         (("08", 213), ("09", 244), ("10", 274))}  # fmt: skip


def season(folder, lacks=("09", "05")):
    """Three months of two tiles, of which one lacks a month; the other burned on the 10th of it."""
    for month, name in NAMES.items():
        for v in ("04", "05"):
            if (month, v) != lacks:
                burned = tile(background=253) if (month, v) == ("09", "04") else tile()
                write_tile(folder, name.format(v=v), burned)
    with pytest.warns(BanetWarning, match=r"no file of 2021-09 for h19v05; .* are not known there"):
        return read_mcd64a1(folder, WIDE, "2021-08", "2021-10")


def test_a_tile_that_lacks_a_month_beside_one_that_has_it_is_not_known_in_that_month_alone(tmp_path):
    got = season(tmp_path)
    assert got.known.all()
    assert (got.observed_days[:20] == 92).all()
    assert (got.observed_days[20:] == 62).all()
    assert (got.status[:20] == 1).all()
    assert (got.status[20:] == 0).all()
    days = np.array(["2021-08-31", "2021-09-10", "2021-10-01"], "datetime64[D]")
    known = np.isfinite(got.daily_fraction(days))
    assert known[:, :20].all(axis=(1, 2)).tolist() == [True, True, True]
    assert known[:, 20:].any(axis=(1, 2)).tolist() == [True, False, True]
    # The month by itself, and what remains beside it.
    assert not got.between("2021-09-05", "2021-09-20").known[20:].any()
    assert got.between("2021-09-20", "2021-10-03").observed_days[20:].max() == 2
    coarse = got.to(Region("C", (19.8, 39.6, 20.4, 40.4), 0.04))
    assert (coarse.observed_days[:10] == 92).all()
    assert np.isnan(coarse.daily_fraction(days)[1, 10:]).all()
    part = got.crop(slice(15, 25), slice(0, 4))
    assert np.isnan(part.daily_fraction(days)[1, 5:]).all()


def test_unknown_days_survive_a_netcdf_file(tmp_path):
    got = season(tmp_path)
    back = read_map(write_netcdf(got, tmp_path / "got.nc"))
    assert len(back.unknown_days) == 1
    for one, other in zip(got.unknown_days, back.unknown_days, strict=True):
        assert (one.start, one.stop) == (other.start, other.stop)
        np.testing.assert_array_equal(one.cells, other.cells)


def test_what_a_map_shows_in_a_month_that_a_tile_lacks_is_no_error(tmp_path):
    """Below the parallel the map's burn of September has no judge, that of August is false."""
    reference = season(tmp_path)
    burned = np.full(WIDE.shape, "NaT", "datetime64[D]")
    burned[20:25] = np.datetime64("2021-09-12")
    burned[30:35] = np.datetime64("2021-08-12")
    burned[:5] = np.datetime64("2021-09-11")
    mapped = BurnedArea.from_dates(WIDE, "2021-08-01", "2021-11-01", burned)
    found = compare(mapped, reference)
    assert not found.valid[20:25].any()
    assert found.valid[:20].all()
    assert found.valid[25:].all()
    # In September alone nothing is known of the tile that lacks it.
    september = compare(mapped, reference, days=("2021-09-01", "2021-10-01"))
    assert not september.valid[20:].any()
    assert september.valid[:20].all()
    # The other way round the map lacks a month that the reference has.
    turned = compare(reference.named("map"), mapped.named("reference"))
    assert not turned.valid[20:25].any()


def test_maps_of_months_that_do_not_follow_each_other_know_nothing_of_those_between():
    burned = np.full(WIDE.shape, "NaT", "datetime64[D]")
    august = BurnedArea.from_dates(WIDE, "2021-08-01", "2021-09-01", burned)
    joined = august.join(BurnedArea.from_dates(WIDE, "2021-10-01", "2021-11-01", burned))
    assert np.isnan(joined.daily_fraction(np.array(["2021-09-15"], "datetime64[D]"))).all()
    assert (joined.observed_days == 62).all()
    assert not joined.between("2021-09-01", "2021-09-30").known.any()


def test_the_later_of_two_productions_is_taken(tmp_path):
    write_tile(tmp_path, AUGUST, tile())
    write_tile(tmp_path, AUGUST.replace("2021300", "2022001"), tile(block(22.5, 38.0, 4, 220)))
    with pytest.warns(BanetWarning, match=r"2021300.* and .*2022001.* both of 2021-08 of h19v05: the latter"):
        assert read_mcd64a1(tmp_path, REGION, "2021-08", "2021-08").burned_area_ha > 0


def test_a_small_region_in_two_tiles_and_quality_by_most_of_the_area(tmp_path):
    region = Region("E", (20.9, 39.9, 21.1, 40.1), 0.01)
    for v in (4, 5):
        for h in (18, 19):
            name = f"VNP64A1.A2021213.h{h}v{v:02d}.002.2023198172838.hdf"
            write_tile(tmp_path, name, tile(background=220 if v == 4 else 0), qa=3 if v == 4 else 7)
    got = read_mcd64a1(tmp_path, region, "2021-08", "2021-08")
    assert got.known.all()
    np.testing.assert_allclose(got.burned_fraction[:10], 1, atol=1e-6)
    np.testing.assert_allclose(got.burned_fraction[10:], 0, atol=1e-6)
    assert set(np.unique(got.quality.qa[:9])) == {3}
    assert set(np.unique(got.quality.qa[11:])) == {7}
    assert got.name == "VNP64A1.002"


def write_tif(path, values, transform, crs, nodata=None):
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1}
    with rasterio.open(
        path, "w", **profile, dtype=values.dtype, crs=crs, transform=transform, nodata=nodata
    ) as file:
        file.write(values, 1)
    return path


def test_geotiff_windows_in_both_projections(tmp_path):
    grid = tile_grid(19, 5, SIZE)
    row, col = (int(v) for v in grid.pixel_of(22.5, 38.0))
    values = np.zeros((60, 70), np.int16)
    values[20:24, 30:34] = 220
    values[50:] = -2
    transform = Affine(
        grid.pixel, 0, grid.left + col * grid.pixel, 0, -grid.pixel, grid.top - row * grid.pixel
    )
    one, two = tmp_path / "sinu", tmp_path / "degrees"
    one.mkdir()
    two.mkdir()
    name = "MCD64A1.A2021213.h19v05.061.2021309001834_Burn_Date.tif"
    write_tif(one / name, values, transform, SINUSOIDAL, nodata=-1)
    write_tif(
        one / name.replace("Date", "Date_Uncertainty"),
        (values > 0).astype(np.uint8) * 4,
        transform,
        SINUSOIDAL,
    )
    region = Region("X", (22.6, 36.8, 24.2, 37.8), 0.01)
    got = read_mcd64a1(one, region, "2021-08", "2021-08")
    assert got.burned_area_ha == pytest.approx(16 * PIXEL_HA, rel=1e-3)
    assert set(np.unique(got.uncertainty)) == {4, 255}
    assert got.quality is None

    degrees = np.zeros((200, 200), np.int16)
    degrees[100:120, 100:120] = 220
    name = "MCD64monthly.A2021213.Win11.061.burndate.tif"
    write_tif(two / name, degrees, Affine(0.005, 0, 22, 0, -0.005, 38.5), "EPSG:4326")
    region = Region("X", (22, 37.5, 23, 38.5), 0.01)
    got = read_mcd64a1(two, region, "2021-08", "2021-08")
    assert got.burned_area_ha == pytest.approx(region.cell_area_ha[50:60].sum() * 10, rel=1e-9)
    assert got.name == "MCD64MONTHLY.061"
    assert (got.uncertainty == 255).all()


def test_names():
    file = MonthlyFile.from_name("MCD64A1.061_Burn_Date_doy2010244_aid0001.tif")
    assert (file.source, str(file.month), file.place) == ("MCD64A1.061", "2010-09", "aid0001")
    assert MonthlyFile.from_name(AUGUST).source == "MCD64A1.061"
    for name, month in (
        ("MCD64A1.A2020306.h29v12.061.2020336112233.hdf", "2020-11"),
        ("MCD64A1_061_2020001T000000_Burn_Date.tif", "2020-01"),
        ("VNP64A1_2019_12_01_BurnDate.tif", "2019-12"),
        ("MCD64A1_20201101_burndate.tif", "2020-11"),
    ):
        assert str(MonthlyFile.from_name(name).month) == month
    with pytest.raises(InputError, match="not named like"):
        MonthlyFile.from_name("burned.hdf")
    with pytest.raises(
        InputError, match=r"^MCD64A1.A2020400.h19v05.061.x.hdf: the year 2020 has no day 400$"
    ):
        MonthlyFile.from_name("MCD64A1.A2020400.h19v05.061.x.hdf")


def test_runs_of_equal_values_end_with_their_row():
    values = np.array([[1, 1, 2], [2, 2, 2], [3, 2, 2]])
    row, start, stop, value = runs(values)
    back = np.zeros_like(values)
    for r, a, b, v in zip(row, start, stop, value):
        back[r, a:b] = v
    np.testing.assert_array_equal(back, values)
    assert row.size == 5


# Input that is not what it should be.


def test_faults_of_a_folder(tmp_path):
    with pytest.raises(NotFoundError, match="does not exist"):
        find_monthly_files(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="no MCD64A1 or VNP64A1 file"):
        find_monthly_files(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "MCD64A1.A2021213.h19v05.061.2021309001834_QA.tif").write_text("x")
    with pytest.raises(NotFoundError, match="no MCD64A1 or VNP64A1 file"):
        find_monthly_files([tmp_path])
    for name in (AUGUST, SEPTEMBER.replace("061", "006")):
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"MCD64A1\.006, MCD64A1\.061"):
        find_monthly_files(tmp_path)


def test_a_file_of_another_place_or_month(tmp_path):
    path = write_tile(tmp_path, AUGUST, tile())
    with pytest.raises(NotFoundError, match="2022-01"):
        read_mcd64a1(path, REGION, "2022-01", "2022-01")
    with pytest.raises(NotFoundError, match="touches BR"):
        read_mcd64a1(path, Region("BR", (-50, -10, -49, -9), 0.01), "2021-08", "2021-08")


def test_damaged_files(tmp_path):
    path = write_tile(tmp_path, AUGUST, tile(), skip=("QA",))
    with pytest.raises(UnreadableFileError, match="lacks QA"):
        read_mcd64a1(path, REGION, "2021-08", "2021-08")
    whole = write_tile(tmp_path, SEPTEMBER, tile())
    cut = tmp_path / JULY
    cut.write_bytes(whole.read_bytes()[:4000])
    with pytest.raises(UnreadableFileError, match="A2021182"):
        read_mcd64a1(cut, REGION, "2021-07", "2021-07")
    cut.write_text("<html>Earthdata login</html>")
    with pytest.raises(UnreadableFileError, match="A2021182"):
        read_mcd64a1(cut, REGION, "2021-07", "2021-07")


def test_a_tile_that_was_renamed(tmp_path):
    path = write_tile(tmp_path, AUGUST, tile(), corner=(0.0, 4447802.0))
    with pytest.raises(UnreadableFileError, match="renamed"):
        read_layers(MonthlyFile.from_name(path), REGION)
    whole = write_tile(tmp_path, SEPTEMBER, tile(), corner=(1111950.519677, 4447802.078664))
    assert read_layers(MonthlyFile.from_name(whole), REGION).burn.size


def test_a_name_is_no_region(tmp_path):
    write_tile(tmp_path, AUGUST, tile())
    with pytest.raises(InputError, match="a str is no region; banet.Region.load reads one"):
        read_mcd64a1(tmp_path, "GR", "2021-08", "2021-08")


def test_a_month_that_was_renamed(tmp_path):
    """Some products date a few pixels into the month beside; none of them dates all of them far off."""
    write_tile(tmp_path, AUGUST, tile(block(22.5, 38.0, 2, 190)))
    with pytest.raises(UnreadableFileError, match=r"of 2021-07-09 to 2021-07-09, none of 2021-08.*renamed"):
        read_mcd64a1(tmp_path, REGION, "2021-08", "2021-08")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    write_tile(mixed, AUGUST, tile([*block(22.5, 38.0, 2, 190), *block(22.7, 38.0, 2, 220)]))
    assert read_mcd64a1(mixed, REGION, "2021-08", "2021-08").burned.any()


def test_values_that_are_no_dates(tmp_path):
    path = write_tile(tmp_path, AUGUST, tile(block(22.5, 38.0, 1, 400)))
    with pytest.raises(UnreadableFileError, match="expected -2 to 366"):
        read_layers(MonthlyFile.from_name(path), REGION)


def test_rasters_without_a_place_on_earth(tmp_path):
    name = "MCD64A1.A2021213.h19v05.061.2021309001834_Burn_Date.tif"
    values = np.zeros((5, 5), np.int16)
    with pytest.warns(UserWarning, match="NotGeoreferenced|no geotransform|transform"):
        path = write_tif(tmp_path / name, values, Affine.identity(), None)
        with pytest.raises(UnreadableFileError, match="no coordinate reference"):
            read_layers(MonthlyFile.from_name(path), REGION)
    path.write_text("not a tiff")
    with pytest.raises(UnreadableFileError, match="no readable GeoTIFF"):
        read_layers(MonthlyFile.from_name(path), REGION)


# The real tile.

REAL = "VNP64A1.A2021213.h19v05.002.2023198172838.hdf"


@pytest.mark.real
def test_hectares_of_the_real_tile(real):
    """Within 0.5 % of the count of pixels times 21.4656 ha, over the Greek scene and over the whole tile."""
    got = read_mcd64a1(real / "labels" / REAL, REGION, "2021-08", "2021-08")
    grid = tile_grid(19, 5)
    row, col = np.nonzero(SD(str(real / "labels" / REAL)).select("Burn Date").get() > 0)
    lat = np.degrees((grid.top - (row + 0.5) * grid.pixel) / 6371007.181)
    lon = np.degrees((grid.left + (col + 0.5) * grid.pixel) / 6371007.181 / np.cos(np.radians(lat)))
    inside = (lon > 21.8) & (lon < 24.6) & (lat > 37.17) & (lat < 38.5)
    assert got.burned_area_ha == pytest.approx(inside.sum() * 21.4656, rel=5e-3)
    whole = Region("tile", (11.5, 29.9, 26.2, 40.1), 0.1)
    total = read_mcd64a1(real / "labels" / REAL, whole, "2021-08", "2021-08", quality=False).dates()
    assert row.size == 7293  # BurnedCells in the file's attributes
    assert total.burned_area_ha == pytest.approx(7293 * 21.4656, rel=1e-3)


@pytest.mark.real
def test_dates_of_the_real_tile_agree_with_an_independent_reprojection(real):
    """Cell by cell against 50 x 50 look-ups through PROJ: fraction, and the day that most of it burned."""
    import pyhdf.SD

    burn = pyhdf.SD.SD(str(real / "labels" / REAL)).select("Burn Date").get()
    got = read_mcd64a1(real / "labels" / REAL, REGION, "2021-08", "2021-08")
    n = 50
    transformer = pyproj.Transformer.from_crs("EPSG:4326", SINUSOIDAL, always_xy=True)
    offset = (np.arange(n) + 0.5) / n * 0.01
    rows, cols = np.nonzero(got.burned_fraction > 0)
    agree = clear = 0
    for row, col in zip(rows, cols):
        lon = 21.8 + col * 0.01 + offset
        lat = 38.5 - row * 0.01 - offset
        x, y = transformer.transform(*np.meshgrid(lon, lat))
        at = burn[
            ((4447802.078664 - y) / 463.31271653).astype(int),
            ((x - 1111950.519677) / 463.31271653).astype(int),
        ]
        days, count = np.unique(at[at > 0], return_counts=True)
        assert count.sum() / n**2 == pytest.approx(got.burned_fraction[row, col], abs=0.02)
        ranked = np.sort(count)[::-1] / n**2
        if ranked.size and (ranked.size == 1 or ranked[0] - ranked[1] > 0.04):
            clear += 1
            expected = np.datetime64("2021-01-01") + int(days[count.argmax()]) - 1
            agree += got.burn_date[row, col] == expected
    assert clear > 450
    assert agree == clear


@pytest.mark.real
def test_real_geotiffs_of_a_year(real):
    """The crop of h11v07 in 2010 holds 30 burned pixels, all of March (days 68 to 89)."""
    region = Region("HT", (-72.0, 18.56, -71.5, 18.7), 0.01)
    got = read_mcd64a1(real / "labels" / "mcd64a1_2010_h11v07", region, "2010-03", "2010-03")
    assert got.name == "MCD64A1.061"
    wide = Region("HT", (-72.3, 18.5, -71.3, 18.8), 0.01)
    total = read_mcd64a1(real / "labels" / "mcd64a1_2010_h11v07", wide, "2010-03", "2010-03").dates()
    count = 0
    with rasterio.open(next((real / "labels" / "mcd64a1_2010_h11v07").glob("*A2010060*"))) as raster:
        values = raster.read(1)
        count = ((values > 0) & (values != 255)).sum()
    # At 18 degrees the footprint of a pixel on the ellipsoid is 0.31 % smaller than on the sphere.
    assert total.burned_area_ha == pytest.approx(count * 21.4656 * 0.99689, rel=2e-4)
    assert total.day.min() == np.datetime64("2010-03-09")
    assert total.day.max() == np.datetime64("2010-03-30")
