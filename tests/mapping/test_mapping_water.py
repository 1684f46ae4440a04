"""Water found in the images themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from banet.errors import CorruptError, InputError, NotFoundError
from banet.grid.region import Region
from banet.mapping.water import WaterCounts, read_water, water_of, water_share


@dataclass
class Planes:
    red: np.ndarray
    nir: np.ndarray
    mir: np.ndarray
    frp: np.ndarray


def planes(days=16, cells=1, red=0.05, nir=0.03, mir=0.01):
    shape = (days, 1, cells)
    return Planes(*(np.full(shape, value, np.float32) for value in (red, nir, mir, 0)))


def evidence(window):
    counts = WaterCounts(window.red.shape[1:])
    for planes in zip(window.red, window.nir, window.mir, window.frp):
        counts.add(*planes)
    return counts.evidence(len(window.red))


@pytest.mark.parametrize(
    ("red", "nir", "mir", "water"),
    [
        (0.05, 0.03, 0.01, True),  # sea from the top of the atmosphere
        (0.0, 0.0, 0.0, True),  # sea after atmospheric correction
        (0.05, 0.03, np.nan, True),  # MIR missing
        (0.05, 0.25, 0.04, False),  # vegetation
        (0.06, 0.09, 0.15, False),  # fresh char
        (0.04, 0.05, 0.03, False),  # darker than the limit, yet brighter than in red
        (0.065, 0.053, 0.13, False),  # conifer char in haze: as dark as the sea but in MIR
        (0.12, 0.07, 0.02, False),  # turbid water or glint: too bright to be sure
    ],
)
def test_spectra(red, nir, mir, water):
    assert (evidence(planes(red=red, nir=nir, mir=mir)).item() > 0) is water


def test_clouds_do_not_count():
    window = planes()
    window.red[:10], window.nir[:10] = 0.6, 0.6
    assert evidence(window).item() == 1
    window.red[10:12], window.nir[10:12] = 0.05, 0.2
    assert evidence(window).item() == 1  # 4 of 6 clear days
    window.red[12], window.nir[12] = 0.05, 0.2
    assert evidence(window).item() == -1  # 3 of 6: no majority


def test_missing_days_do_not_count():
    window = planes()
    window.nir[4:] = np.nan
    assert evidence(window).item() == 0
    window.nir[4] = 0.03
    assert evidence(window).item() == 1
    window.red[:] = np.nan
    assert evidence(window).item() == 0


def test_a_short_window_needs_three_days():
    assert evidence(planes(days=3)).item() == 1
    assert evidence(planes(days=2)).item() == 0


def test_a_hot_spot_makes_it_land():
    window = planes()
    window.frp[3] = 5
    assert evidence(window).item() == -1
    window.red[:] = np.nan
    assert evidence(window).item() == -1
    window.frp[:] = np.nan
    assert evidence(window).item() == 0


class Coast:
    """Cube of a coast: columns of sea, one column of cells of both, and land with clouds and a late burn."""

    water = None

    def __init__(self, count=92, mixed=0.6, seed=0):
        rng = np.random.default_rng(seed)
        self.region = Region("C", (20, 37, 20.3, 37.2), 0.01)
        self.days = np.datetime64("2021-07-01") + np.arange(count)
        self.share = np.zeros((20, 30), np.float32)
        self.share[:, :10], self.share[:, 10] = 1, mixed
        land_red, land_nir = 0.08, 0.25
        nir = np.repeat(land_nir * (1 - self.share)[None], count, 0) + 0.01 * self.share
        red = np.repeat(land_red * (1 - self.share)[None], count, 0) + 0.03 * self.share
        nir[60:, 5:9, 10:15], red[60:, 5:9, 10:15] = 0.5 * nir[60:, 5:9, 10:15], 0.05
        cloud = rng.random(nir.shape) < 0.5
        red[cloud], nir[cloud] = 0.6, 0.6
        none = np.zeros(nir.shape, np.float32)
        self.planes = red.astype(np.float32), nir.astype(np.float32), none, none

    def has_images(self, day):
        return True

    def read(self, start, stop, rows=slice(None), cols=slice(None), *, variables=None):
        first = int((start - self.days[0]).astype(int))
        return Planes(
            *(plane[first : first + int((stop - start).astype(int)), rows, cols] for plane in self.planes)
        )


@pytest.mark.parametrize("mixed", [0.25, 0.6, 0.85])
def test_a_shore_is_as_much_water_as_it_is_dark(mixed):
    share = water_share(Coast(mixed=mixed))
    assert (share[:, :10] == 1).all() and (share[:, 12:] == 0).all()
    np.testing.assert_allclose(share[:, 10], mixed, atol=0.06)  # also where it burned in the last month


def test_the_mask_is_of_the_record_and_long_records_are_sampled():
    cube = Coast(count=300)
    read, asked = cube.read, []
    cube.read = lambda start, *rest, **more: asked.append(start) or read(start, *rest, **more)
    share = water_share(cube)
    assert len(asked) == 101 and (share[:, :10] == 1).all()
    before = Coast(count=299)  # a day more does not change which days are read
    np.testing.assert_allclose(water_share(before), share, atol=1e-6)


@pytest.mark.parametrize("first", [0, 1])
def test_a_long_record_of_every_second_day_is_sampled_too(first):
    cube = Coast(count=300)
    cube.days = cube.days[first::2]
    assert (water_share(cube)[:, :10] == 1).all()
    # Also where the days between are in the cube with their hot spots alone.
    cube = Coast(count=300)
    for plane in cube.planes[:3]:
        plane[1 - first :: 2] = np.nan
    cube.has_images = lambda day: int((day - cube.days[0]).astype(int)) % 2 == first
    assert (water_share(cube)[:, :10] == 1).all()


def test_a_damaged_day_is_left_out_of_the_search_for_water():
    cube = Coast()
    whole, read = water_share(cube), cube.read

    def damaged(start, *rest, **more):
        if start == cube.days[5]:
            raise CorruptError("damaged")
        return read(start, *rest, **more)

    cube.read = damaged
    np.testing.assert_allclose(water_share(cube), whole, atol=0.02)


def test_a_shore_with_a_hot_spot_stays_land_and_an_empty_cube_is_all_land():
    cube = Coast(mixed=0.85)
    cube.planes[2][70, 6, 10] = 30
    assert water_share(cube)[6, 10] == 0.5 and water_of(cube, "auto").mask[5, 10]
    assert not water_of(cube, "auto").mask[6, 10]
    cube.days = cube.days[:0]
    assert not water_share(cube).any()


@pytest.mark.parametrize("kind", ["shares", "mask", "polygons"])
def test_a_user_s_file_of_water_wins(tmp_path, kind):
    import geopandas as gpd
    import rasterio
    import shapely

    cube = Coast(mixed=0.6)
    if kind == "polygons":
        path = tmp_path / "lake.geojson"
        lake = shapely.box(20.0, 37.0, 20.106, 37.2)
        gpd.GeoDataFrame({"id": [1]}, geometry=[lake], crs="EPSG:4326").to_file(path)
    else:
        path = tmp_path / "lake.tif"
        plane = cube.share if kind == "shares" else (cube.share > 0.5).astype(np.uint8)
        form = {
            "driver": "GTiff",
            "height": 20,
            "width": 30,
            "count": 1,
            "dtype": plane.dtype,
            "crs": "EPSG:4326",
        }
        with rasterio.open(path, "w", **form, transform=cube.region.transform) as raster:
            raster.write(plane, 1)
    cube.water = np.zeros((20, 30), bool)
    found = water_of(cube, path)
    expected = (cube.share > 0.5).astype(float) if kind == "mask" else cube.share
    assert found.source == "given"
    np.testing.assert_allclose(found.share, expected, atol=0.02 if kind == "polygons" else 1e-6)
    elsewhere = Region("E", (30, 37, 30.3, 37.2), 0.01)
    with pytest.raises(InputError, match="no water in region E"):
        read_water(path, elsewhere)
    with pytest.raises(NotFoundError):
        read_water(tmp_path / "none.tif", elsewhere)


@pytest.mark.real
def test_the_sea_around_greece_is_found_and_nothing_burned_is(real):
    """Against the water and burn dates of VNP64A1 for August 2021, sampled three by three in each cell."""
    import xarray as xr

    pyhdf = pytest.importorskip("pyhdf.SD")
    with xr.open_dataset(real / "scenes" / "greece_south_2021-08.nc") as scene:
        red, nir, swir = (scene[name].values.astype(np.float32) for name in ("red", "nir", "swir"))
        lat, lon = scene.lat.values, scene.lon.values
    file = next((real / "labels").glob("VNP64A1.A2021213.h19v05.*.hdf"))
    dates = pyhdf.SD(str(file)).select("Burn Date")[:]
    sea, burned = np.zeros((lat.size, lon.size)), np.zeros((lat.size, lon.size))
    pixel, radius = 1111950.5197 / 2400, 6371007.181
    for dy in (-1 / 300, 0, 1 / 300):
        for dx in (-1 / 300, 0, 1 / 300):
            y = np.radians(lat + dy)[:, None] * np.ones(lon.size)
            x = np.radians(lon + dx) * np.cos(y)
            row = ((10007554.677 - radius * y) / pixel - 5 * 2400).astype(int)
            col = ((radius * x + 20015109.354) / pixel - 19 * 2400).astype(int)
            sea += dates[row, col] == -2
            burned += dates[row, col] > 0
    found = evidence(Planes(red, nir, swir, np.zeros_like(red))) > 0
    assert found[sea == 9].mean() > 0.9
    assert not found[sea == 0].any()
    assert not found[burned > 0].any()
