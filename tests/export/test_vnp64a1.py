"""Maps in the layout of VNP64A1: read back by our reader and by a look-up in closed form."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.netcdf import write_netcdf
from banet.burned_area.unknown import UnknownDays
from banet.cli import main
from banet.days import day_of_year
from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.export.vnp64a1 import write_vnp64a1
from banet.io.hdf4 import file_attributes, read_arrays
from banet.labels import read_mcd64a1
from made_maps import map_of, random_map, region_of

LAYERS = ("Burn Date", "Burn Date Uncertainty", "QA", "First Day", "Last Day")
RADIUS, PIXELS = 6371007.181, 2400


def inland(source: BurnedArea) -> BurnedArea:
    """Leave no burn at the rim, whose pixels reach beyond the region."""
    rim = np.ones(source.region.shape, bool)
    rim[2:-2, 2:-2] = False
    return replace(
        source,
        burn_date=np.where(rim, np.datetime64("NaT", "D"), source.burn_date),
        burned_fraction=np.where(rim & source.burned, np.float32(0), source.burned_fraction),
        uncertainty=np.where(rim, np.uint8(255), source.uncertainty),
    )


def seen(source: BurnedArea) -> BurnedArea:
    """Leave no cell without an answer: into those, readers count nothing."""
    return replace(
        source,
        water=np.zeros(source.region.shape, bool),
        observed_days=np.full(source.region.shape, 9, np.int16),
        burned_fraction=np.nan_to_num(source.burned_fraction),
    )


@pytest.fixture(scope="module")
def burned() -> BurnedArea:
    return inland(random_map((40, 60), seed=3, north=40.2))  # two tiles meet at 40 degrees


@pytest.fixture(scope="module")
def tiles(burned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    return write_vnp64a1(burned, folder)


def centres(path):
    """Longitude and latitude of the pixels of a tile, from its name alone."""
    h, v = (int(part) for part in re.search(r"h(\d\d)v(\d\d)", path.name).groups())
    edge = 2 * math.pi * RADIUS / 36
    steps = (np.arange(PIXELS) + 0.5) / PIXELS
    lat = (math.pi / 2) - (v + steps) * math.pi / 18
    x = (h - 18 + steps) * edge
    return np.degrees(x[None, :] / (RADIUS * np.cos(lat)[:, None])), np.degrees(lat)[:, None]


def looked_up(path, plane, region, outside):
    lon, lat = centres(path)
    row = np.floor((region.north - lat) / 0.01 + 1e-9).astype(int) + np.zeros(lon.shape, int)
    col = np.floor((lon - region.west) / 0.01 + 1e-9).astype(int)
    inside = (row >= 0) & (row < region.shape[0]) & (col >= 0) & (col < region.shape[1])
    return np.where(
        inside, plane[row.clip(0, region.shape[0] - 1), col.clip(0, region.shape[1] - 1)], outside
    )


def test_our_reader_gives_back_dates_and_what_is_known(burned, tiles):
    assert [path.name for path in tiles] == [
        "VNP64A1.A2021213.h17v04.002.2021243000000.hdf",
        "VNP64A1.A2021213.h17v05.002.2021243000000.hdf",
    ]
    read = read_mcd64a1(tiles, burned.region, "2021-08", "2021-08")
    whole = burned.burned & (read.burned_fraction > 0.2)
    assert whole.sum() > 0.95 * burned.burned.sum()
    assert (read.burn_date[whole] == burned.burn_date[whole]).mean() > 0.95
    inner = slice(1, -1), slice(1, -1)
    unseen = burned.status == -1
    assert (~read.known & ~read.water)[inner][unseen[inner]].mean() > 0.9


def test_our_reader_gives_back_the_hectares(burned, tmp_path):
    source = seen(burned)
    read = read_mcd64a1(write_vnp64a1(source, tmp_path), burned.region, "2021-08", "2021-08")
    assert read.burned_area_ha == pytest.approx(source.burned_area_ha, rel=0.005)


def test_a_look_up_in_closed_form_finds_the_same_days_codes_and_hectares(burned, tiles):
    total = 0
    for path in tiles:
        held = {name: one.values for name, one in read_arrays(path, LAYERS).items()}
        doy = looked_up(path, burned.burn_doy, burned.region, -1)
        burn = held["Burn Date"]
        assert (burn[burn > 0] == doy[burn > 0]).all()
        np.testing.assert_array_equal(burn[doy <= 0], doy[doy <= 0])
        assert set(np.unique(held["Burn Date Uncertainty"][burn > 0])) == {2}
        assert not held["Burn Date Uncertainty"][burn <= 0].any()
        assert (held["QA"][burn >= 0] == 3).all() and (held["QA"][burn == -2] == 0).all()
        for name, day in (("First Day", 213), ("Last Day", 243)):
            assert (held[name][burn >= 0] == day).all() and (held[name][burn < 0] == burn[burn < 0]).all()
        total += (burn > 0).sum()
    assert total * 21.4659 == pytest.approx(burned.burned_area_ha, rel=0.005)


def test_equal_maps_give_equal_layers_and_no_file_tells_where_it_was_written(burned, tiles, tmp_path):
    for mine, first in zip(write_vnp64a1(burned, tmp_path), tiles, strict=True):
        assert file_attributes(mine) == file_attributes(first)
        for name, layer in read_arrays(mine, LAYERS).items():
            np.testing.assert_array_equal(layer.values, read_arrays(first, LAYERS)[name].values)
        assert str(tmp_path).encode() not in mine.read_bytes()


def test_layers_and_their_attributes_are_those_of_a_real_file(real, tiles):
    theirs = next((real / "labels").glob("VNP64A1*.hdf"))
    mine = read_arrays(tiles[0], LAYERS)
    for name, layer in read_arrays(theirs, LAYERS).items():
        assert (mine[name].values.dtype, mine[name].values.shape) == (layer.values.dtype, layer.values.shape)
        assert mine[name].attributes == layer.attributes
    about, other = file_attributes(tiles[0]), file_attributes(theirs)
    assert about["RangeBeginningDate"] == other["RangeBeginningDate"]
    assert about["ShortName"] == other["ShortName"] and "no product of NASA" in about["LongName"]


@pytest.mark.parametrize("fraction", [0.5, 0.75, 1.0])
def test_as_many_pixels_burn_as_the_burned_fraction_asks_for(tmp_path, fraction):
    offset = np.full((30, 30), -1)
    offset[5:25, 5:25] = 3
    source = map_of(offset, fraction=fraction, north=12.0, west=20.0)
    (path,) = write_vnp64a1(source, tmp_path)
    count = (read_arrays(path, LAYERS[:1])["Burn Date"].values > 0).sum()
    # Where all of a fire burned, the share of the pixels at its rim decides.
    near = 0.006 if fraction < 1 else 0.02
    assert count * 21.4659 == pytest.approx(fraction * source.daily_area_ha(weighted=False).sum(), rel=near)
    read = read_mcd64a1(path, source.region, "2021-08", "2021-08")
    assert read.burned_area_ha == pytest.approx(source.burned_area_ha, rel=near)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("size", "north"), [(0.01, 78.2), (0.005, 60.2), (0.005, 40.2), (0.0025, 40.2), (0.00125, 0.1)]
)
def test_hectares_and_days_are_kept_where_cells_hold_no_centre_of_a_pixel(tmp_path, size, north, apart):
    cells = round(0.25 / size)
    row, col = np.mgrid[:cells, :cells]
    burned = np.hypot(row - cells / 2, col - cells / 2) < 0.4 * cells
    if apart:
        burned &= (row % 3 == 0) & (col % 2 == 0)
    offset = np.where(burned, 4 * (4 * row // cells), -1)
    source = map_of(offset, fraction=0.9, region=region_of(offset.shape, size=size, north=north))
    with rasterio.open(write_vnp64a1(source, tmp_path, form="tif")[0]) as file:
        burn = file.read(1)
    daily = source.daily_area_ha()[:16:4].to_numpy()
    mine = np.bincount(burn[burn > 0] - 213, minlength=16)
    assert set(np.flatnonzero(mine)) == {0, 4, 8, 12}
    # A pixel is of the sphere, and days meet within pixels.
    assert mine.sum() * 21.4659 == pytest.approx(source.burned_area_ha, rel=0.01)
    assert np.abs(mine[::4] * 21.4659 - daily).max() < 0.1 * daily.max()
    read = read_mcd64a1(tmp_path, source.region, "2021-08", "2021-08")
    assert read.burned_area_ha == pytest.approx(source.burned_area_ha, rel=0.006)


def test_a_map_over_new_year_gives_its_months_and_days_of_both_years(tmp_path):
    source = seen(inland(random_map((20, 20), seed=4, start="2020-12-20", days=30)))
    paths = write_vnp64a1(source, tmp_path, form="tif")
    dates = [path for path in paths if "Burn_Date_doy" in path.name]
    assert [path.name for path in dates] == [
        "VNP64A1.002_Burn_Date_doy2020336000000_aid0001.tif",
        "VNP64A1.002_Burn_Date_doy2021001000000_aid0001.tif",
    ]
    read = read_mcd64a1(tmp_path, source.region, "2020-12-20", "2021-01-18")
    assert read.burned_area_ha == pytest.approx(source.burned_area_ha, rel=0.005)
    both = source.burned & read.burned
    assert (read.burn_date[both] == source.burn_date[both]).mean() > 0.9
    with rasterio.open(dates[0]) as file:
        days = file.read(1)
        assert set(np.unique(days[days > 0])) <= set(range(355, 367))
    with rasterio.open(next(path for path in paths if "QA" in path.name)) as file:
        assert set(np.unique(file.read(1))) == {0, 7}  # neither month is whole


def test_days_that_no_map_covers_are_told(tmp_path):
    offset = np.full((20, 20), 3)
    part = np.zeros((20, 20), bool)
    part[:10] = True
    july, rest = map_of(offset, start="2020-07-01", days=10), map_of(offset, start="2020-07-20", days=12)
    late = replace(
        rest,
        unknown_days=(UnknownDays(np.datetime64("2020-07-30"), np.datetime64("2020-08-01"), part),),
    )
    with pytest.warns(BanetWarning, match="no map of 2020-07-11 to 2020-07-19"):
        paths = write_vnp64a1([july, late], tmp_path / "hole", form="tif")
    burn, _, qa, first, last = (rasterio.open(path).read(1) for path in paths)
    north = np.arange(len(burn))[:, None] < len(burn) // 2
    assert (qa[burn >= 0] == 7).all() and (first[burn >= 0] == 183).all()
    assert set(last[(burn >= 0) & north]) == {211} and set(last[(burn >= 0) & ~north]) == {213}
    early = replace(july, unknown_days=(UnknownDays(july.start, july.start + 2, part),))
    september = map_of(offset, start="2020-09-01", days=30)
    with pytest.warns(BanetWarning, match="no map of 2020-07-11 to 2020-08-31"):
        paths = write_vnp64a1([early, september], tmp_path / "months", form="tif")
    assert len(paths) == 10
    assert set(np.unique(rasterio.open(paths[3]).read(1))) == {-1, 183, 185}
    assert set(np.unique(rasterio.open(paths[7]).read(1))) == {0, 3}


def test_windows_hold_the_pixels_of_the_tiles(burned, tiles, tmp_path):
    paths = write_vnp64a1(burned, tmp_path, form="tif")
    assert len(paths) == 5
    with rasterio.open(paths[0]) as file:
        window, transform = file.read(1), file.transform
        assert "inusoidal" in file.crs.to_wkt() and file.nodata == -1
    edge = 2 * math.pi * RADIUS / 36
    assert transform.a == pytest.approx(edge / PIXELS)
    stacked = np.concatenate([read_arrays(path, LAYERS[:1])["Burn Date"].values for path in tiles])
    top, left = round((5 * edge - transform.f) / transform.a), round((transform.c + edge) / transform.a)
    part = stacked[top : top + window.shape[0], left : left + window.shape[1]]
    np.testing.assert_array_equal(window, part)
    assert (window > 0).sum() == (stacked > 0).sum()


def test_a_region_across_180_degrees_has_tiles_on_both_sides_and_no_window(tmp_path):
    region = region_of((20, 20), west=179.9, north=52.0)
    source = inland(map_of(np.full((20, 20), 5), region=region))
    paths = write_vnp64a1(source, tmp_path)
    assert len(paths) == 2
    read = read_mcd64a1(paths, region, "2021-08", "2021-08")
    # Pixels cut by the meridian of 180 degrees have their centre on no side, as in the product.
    assert read.burned_area_ha == pytest.approx(source.burned_area_ha, rel=0.05)
    with pytest.raises(InputError, match="both sides of 180"):
        write_vnp64a1(source, tmp_path, form="tif")


def test_the_command_writes_what_it_is_asked_for(burned, tmp_path, capsys):
    write_netcdf(burned, tmp_path / "m.nc")
    words = ["export", str(tmp_path / "m.nc"), "--out", str(tmp_path / "out"), "--as"]
    assert main([*words, "vnp64a1-tif"]) == 0
    assert "Burn_Date_doy2021213" in capsys.readouterr().out
    assert main([*words, "mcd45"]) == 2
    assert "vnp64a1" in capsys.readouterr().err
    assert day_of_year(np.array(["2021-08-01"], "datetime64[D]"))[0] == 213


@pytest.mark.parametrize("form", ["hdf", "tif"])
def test_a_file_of_another_region_is_not_written_over(tmp_path, form):
    """Tiles and windows do not carry the name of the region: two of one tile and month have one name."""
    offset = np.full((8, 8), -1)
    offset[2:5, 2:5] = 3
    mine = map_of(offset, fraction=1, north=12.0, west=20.0)
    beside = map_of(offset, fraction=1, north=12.0, west=19.0, name="U")
    before = {path: path.read_bytes() for path in write_vnp64a1(mine, tmp_path, form=form)}
    with pytest.raises(InputError, match=r"is of Region\(name='T'.*write Region\(name='U'.*own"):
        write_vnp64a1(beside, tmp_path, form=form)
    # Nor is one put beside it: of a tile and month, readers take the one whose maps end later.
    longer = [beside, map_of(offset, fraction=1, start="2021-09-01", days=30, region=beside.region)]
    with pytest.raises(InputError, match="own"):
        write_vnp64a1(longer, tmp_path, form=form)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    write_vnp64a1(mine, tmp_path, form=form)


def test_windows_of_two_regions_in_a_folder_are_refused_in_any_month(tmp_path):
    mine, beside = (
        map_of(np.full((8, 8), 3), start=start, name=name)
        for start, name in (("2021-08-01", "T"), ("2021-10-01", "U"))
    )
    first = write_vnp64a1(mine, tmp_path, form="tif")[0]
    with pytest.raises(InputError, match="own"):
        write_vnp64a1(beside, tmp_path, form="tif")
    # A series that another source began goes on in its folder.
    with rasterio.open(first) as file:
        profile = file.profile
    with rasterio.open(first, "w", **profile):
        pass
    with pytest.raises(InputError, match="another source"):
        write_vnp64a1(mine, tmp_path, form="tif")
    for path in set(tmp_path.iterdir()) - {first}:
        path.unlink()
    write_vnp64a1(beside, tmp_path, form="tif")
    first.write_bytes(b"broken")
    with pytest.raises(UnreadableFileError, match="no readable GeoTIFF"):
        write_vnp64a1(beside, tmp_path, form="tif")


@pytest.mark.parametrize("form", ["hdf", "tif"])
def test_a_later_export_of_a_month_takes_the_place_of_an_earlier_one(tmp_path, form):
    offset = np.full((20, 20), -1)
    offset[5:9, 5:9] = 3
    after = map_of(offset, start="2021-09-01", days=30)
    write_vnp64a1([map_of(offset), after], tmp_path, form=form)
    offset[5:15, 5:15] = 3
    better = map_of(offset)
    write_vnp64a1(better, tmp_path, form=form)
    dates = [path for path in tmp_path.iterdir() if form == "hdf" or "Burn_Date_doy" in path.name]
    assert len(dates) == 2
    read = read_mcd64a1(tmp_path, better.region, "2021-08", "2021-08")
    assert read.burned_area_ha == pytest.approx(better.burned_area_ha, rel=0.02)
