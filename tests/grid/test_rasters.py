"""Windows of rasters: what a mask or an alpha band hides is missing; of several bands one is meant."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from banet.errors import InputError, UnreadableFileError
from banet.grid.average import LatLonGrid
from banet.grid.projected import ProjectedGrid
from banet.grid.rasters import centre_of, grid_of, read_described, read_window, same_cells
from banet.grid.region import Region
from banet.grid.sinusoidal import SinusoidalGrid
from banet.labels.shares import read_shares
from made_rasters import fill

REGION = Region("PT", (-8.0, 39.0, -7.6, 39.4), 0.01)
PART = Region("P", (-7.895, 39.105, -7.705, 39.295), 0.01)
NORTH = Affine(0.01, 0, -8.0, 0, -0.01, 39.4)
SOUTH = Affine(0.01, 0, -8.0, 0, 0.01, 39.0)
HIDDEN = np.zeros((40, 40), bool)
HIDDEN[3:20, 12:] = True


def write(path, planes, transform=NORTH, *, nodata=None, names=(), alpha=None, mask=None, outside=False):
    """Write bands, the last of them alpha if asked for, and a mask: inside the file, or in one beside it."""
    planes = [np.asarray(plane) for plane in planes]
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=not outside),
        rasterio.open(
            path, "w", driver="GTiff", height=40, width=40, count=len(planes), dtype=planes[0].dtype,
            crs="EPSG:4326", transform=transform, nodata=nodata, photometric="minisblack",
        ) as file,
    ):  # fmt: skip
        if alpha:
            file.colorinterp = [*[ColorInterp.gray] * (len(planes) - 1), ColorInterp.alpha]
        fill(file, planes, names, mask)
    return path


def dates(kind="int16"):
    return np.arange(1600).reshape(40, 40).astype(kind) % 300


def turned(plane, transform):
    return plane[::-1] if transform is SOUTH else plane


@pytest.mark.parametrize("transform", [NORTH, SOUTH])
@pytest.mark.parametrize("nodata", [None, -1])
@pytest.mark.parametrize("outside", [False, True])
def test_what_the_mask_hides_is_missing(tmp_path, transform, nodata, outside):
    values = dates()
    values[30, 30] = -1
    hidden = turned(HIDDEN, transform)
    path = write(
        tmp_path / "a.tif",
        [turned(values, transform)],
        transform,
        nodata=nodata,
        mask=hidden,
        outside=outside,
    )
    assert (tmp_path / "a.tif.msk").exists() == outside
    expected = HIDDEN | ((values == -1) & (nodata == -1))
    for region, part in ((REGION, np.s_[:, :]), (PART, np.s_[10:30, 10:30]), (None, np.s_[:, :])):
        window = read_window(path, region)
        np.testing.assert_array_equal(window.values, values[part])
        np.testing.assert_array_equal(window.missing((0,)), expected[part])
    whole = read_window(path, REGION).whole(-9, (0,), "a", what="dates", expected=(-1, 366))
    np.testing.assert_array_equal(whole, np.where(expected, -9, values))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("nodata", [None, 77])
def test_what_an_alpha_band_hides_is_missing(tmp_path, kind, nodata):
    values = dates("int64") % 200
    alpha = np.where(HIDDEN, 0, 1)
    path = write(tmp_path / "a.tif", [values.astype(kind), alpha.astype(kind)], alpha=True, nodata=nodata)
    window = read_window(path, PART)
    np.testing.assert_array_equal(window.values, values[10:30, 10:30])
    expected = HIDDEN | ((values == 77) & (nodata == 77))
    np.testing.assert_array_equal(window.missing((0,)), expected[10:30, 10:30])


def test_a_raster_without_mask_has_none(tmp_path):
    assert read_window(write(tmp_path / "a.tif", [dates()]), REGION).masked is None
    assert read_window(write(tmp_path / "b.tif", [dates()], nodata=-1), REGION).masked is None


def test_of_several_bands_the_one_of_the_name_is_read(tmp_path):
    planes = [dates(), dates() + 1, dates() + 2]
    path = write(tmp_path / "a.tif", planes, names=("QA", "BurnDate", "Uncertainty"))
    np.testing.assert_array_equal(read_window(path, REGION, ("Burn_Date",)).values, planes[1])
    found = read_described(path, REGION, {"u": ("days", "uncertainty"), "first": ("First_Day",)})
    assert list(found) == ["u"]
    np.testing.assert_array_equal(found["u"].values, planes[2])
    with pytest.raises(
        InputError, match=r"a\.tif holds 3 bands \(QA, BurnDate, Uncertainty\), of which one called JD"
    ):
        read_window(path, REGION, ("JD",))
    with pytest.raises(InputError, match="holds 3 bands"):
        read_window(path, REGION)
    same = write(tmp_path / "b.tif", planes, names=("BurnDate", "BurnDate"))
    with pytest.raises(InputError, match=r"\(BurnDate, BurnDate, no name\)"):
        read_window(same, REGION, ("BurnDate",))


@pytest.mark.parametrize(
    ("crs", "kind"),
    [
        ("+proj=sinu +R=6371007.181 +units=m +no_defs", SinusoidalGrid),
        ("+proj=sinu +lon_0=100 +R=6371007.181 +units=m +no_defs", ProjectedGrid),
        ("+proj=sinu +x_0=1000000 +R=6371007.181 +units=m +no_defs", ProjectedGrid),
        ("EPSG:4326", LatLonGrid),
        ("EPSG:4326+5773", LatLonGrid),  # with heights
        ("EPSG:4807", ProjectedGrid),  # in grads, from Paris
    ],
)
def test_only_the_land_grid_and_degrees_from_greenwich_are_taken_for_such(tmp_path, crs, kind):
    """Others were placed by their numbers alone, hundreds of kilometres off, and nothing said so."""
    step = 0.01 if crs.startswith("EPSG") else 1000
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", height=40, width=40, count=1, dtype="uint8",
        crs=crs, transform=Affine(step, 0, 0, 0, -step, 50 if step < 1 else 4e6),
    ) as file:  # fmt: skip
        file.write(np.ones((40, 40), np.uint8), 1)
    assert isinstance(grid_of(tmp_path / "a.tif"), kind)
    lon, lat = (round(value, 1) for value in centre_of(tmp_path / "a.tif"))
    region = Region("C", (lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05), 0.05)
    np.testing.assert_allclose(read_shares(tmp_path / "a.tif", region, "mask"), 1)


def test_a_file_cut_short_is_told_where_it_is_read(tmp_path):
    path = write(tmp_path / "a.tif", [dates()])
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(UnreadableFileError, match=r"a\.tif is no readable GeoTIFF"):
        read_window(path, REGION)


@pytest.mark.parametrize("transform", [NORTH, SOUTH])
def test_the_place_of_a_raster(tmp_path, transform):
    path = write(tmp_path / "a.tif", [dates()], transform)
    assert centre_of(path) == pytest.approx((-7.8, 39.2))
    grid = grid_of(path)
    assert isinstance(grid, LatLonGrid) and grid.shape == (40, 40)
    assert (grid.west, grid.north, grid.height) == pytest.approx((-8.0, 39.4, 0.01))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SOUTH, True),
        (Affine(0.01, 0, -8.0 + 1e-9, 0, -0.01, 39.4), True),
        (Affine(0.01, 0, -7.99, 0, -0.01, 39.4), False),
        (Affine(0.011, 0, -8.0, 0, -0.01, 39.4), False),
    ],
)
def test_rasters_on_the_same_cells(tmp_path, other, same):
    one = write(tmp_path / "a.tif", [dates()])
    assert same_cells(one, write(tmp_path / "b.tif", [dates()], other)) is same


@pytest.mark.parametrize("size", [5e-324, 1e-100, 1e-16, 1e13, np.inf, np.nan])
@pytest.mark.parametrize("both", [True, False])
def test_cells_that_can_lie_nowhere_are_told(tmp_path, size, both):
    path = write(tmp_path / "a.tif", [dates()])
    scale = struct.pack("<dd", NORTH.a, NORTH.a)
    bad = struct.pack("<dd", size, size if both else NORTH.a)
    whole = path.read_bytes()
    assert whole.count(scale) == 1
    path.write_bytes(whole.replace(scale, bad))
    for reader in (grid_of, centre_of, lambda file: read_window(file, REGION)):
        with pytest.raises(UnreadableFileError, match="cells cannot lie where it says"):
            reader(path)


def test_a_damaged_reference_system_is_told(tmp_path):
    path = write(tmp_path / "a.tif", [dates()])
    model = struct.pack("<4H", 1024, 0, 1, 2)  # the key that says that coordinates are degrees
    path.write_bytes(path.read_bytes().replace(model, struct.pack("<4H", 1, 0, 1, 2)))
    with pytest.raises(UnreadableFileError, match=r"a.tif: its coordinate reference system is damaged"):
        read_window(path, REGION)
