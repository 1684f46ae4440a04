"""What the simulator writes as surface reflectance, gridded 375 m and FireCCI, the readers of these read."""

from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest
import rasterio

from banet.grid.region import Region
from banet.grid.sinusoidal import tile_grid
from banet.ingest.folder import build_cube
from banet.labels import read_firecci
from banet.observations import source
from banet.simulation import simulate, write_scene
from banet.simulation.climates import climate_named
from banet.simulation.writers.firecci import PIXEL
from banet.simulation.writers.firecci import write as write_firecci
from banet.simulation.writers.labels import LabelErrors
from banet.simulation.writers.pixels import PixelWindow

# Across the edge of tiles v04 and v05, and across the turn of the year.
PLACE = Region("BOTH", (-8.2, 39.84, -7.8, 40.16), 0.01)
HONEST = LabelErrors(0, 0.0, 0.0, 0.0, 0.5, 10_000, 1.0)


@pytest.fixture(scope="module")
def scene():
    burning = dataclasses.replace(climate_named("california"), fires=120, clouds=0.4)
    return simulate(
        PLACE, start="2020-12-29", days=5, seed=4, climate=burning, mir_band="M11", satellites=("N", "N20")
    )


@pytest.fixture(scope="module")
def surface(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp("surface")
    write_scene(scene, path, formats=("surface", "hotspots"))
    return path


def test_tiles_are_named_after_satellite_day_and_place(surface):
    names = sorted(path.name for path in (surface / "surface").iterdir())
    assert {name[:5] for name in names} == {"VNP09", "VJ109"}
    assert {name.split(".")[2] for name in names} == {"h17v04", "h17v05"}
    assert {"A2020366", "A2021001"} <= {name.split(".")[1] for name in names}


def test_layout_is_that_of_the_guide(surface):
    with h5py.File(next((surface / "surface").iterdir())) as file:
        km = file["HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields"]
        expected = {f"SurfReflect_{band}_1": np.int16 for band in ("M5", "M7", "M8", "M10", "M11")}
        expected |= {f"SurfReflect_QF{n}_1": np.uint8 for n in range(1, 8)}
        expected |= {"SensorZenith_1": np.int16, "SolarZenith_1": np.int16}
        assert {name: data.dtype.type for name, data in km.items()} == expected
        assert {data.shape for data in km.values()} == {(1200, 1200)}
        half = file["HDFEOS/GRIDS/VIIRS_Grid_500m_2D/Data Fields"]
        assert {data.shape for data in half.values()} == {(2400, 2400)}
        assert km["SurfReflect_M5_1"].attrs["scale_factor"] == 1e-4
        assert (km["SurfReflect_M8_1"][()] == -28672).all()


def test_tiles_read_back_are_the_scene_without_its_air(scene, surface):
    """Red is darker by the light of the clear air, NIR and M11 nearly as they were."""
    reader = source("surface")
    agreement = []
    for day in reader.days(surface / "surface"):
        planes = reader.read_day(surface / "surface", day, PLACE)
        i = int((day - scene.days[0]).astype(int))
        same = np.isfinite(planes.nir) & np.isfinite(scene.nir[i])
        # Means of cells over pixels as large as cells: half a cell of smear, no shift.
        same &= np.abs(planes.view_zenith - scene.view_zenith[i]) < 1
        if same.mean() > 0.9:
            for name, least, most in (("red", 0.01, 0.05), ("nir", 0.0, 0.02), ("mir", -0.002, 0.006)):
                a, b = getattr(planes, name)[same], getattr(scene, name)[i][same]
                assert least <= np.median(b - a) <= most, name
                agreement.append(np.corrcoef(a, b)[0, 1])
    assert len(agreement) >= 6
    assert np.median(agreement) > 0.95


def test_a_cube_of_tiles_keeps_the_clouds_as_flags(scene, surface, tmp_path):
    cube = build_cube(PLACE, surface / "surface", surface / "hotspots", tmp_path / "c.zarr", source="surface")
    assert cube.mir_band == "M11"
    assert cube.info().satellites.keys() == {"S-NPP", "NOAA-20"}
    window = cube.read(scene.days[0], scene.days[-1] + 1, flags=("qf1", "qf2"))
    cloud = window.flags["qf1"] >> 2 & 3
    seen = window.observed & (window.flags["qf1"] != 255)
    assert 0.01 < (cloud[seen] == 3).mean() < 0.8
    assert window.red[seen & (cloud == 3)].mean() > window.red[seen & (cloud == 0)].mean() + 0.05
    wet = window.flags["qf2"] == 3
    # A cell takes the flags of one pixel, and a pixel those of parts of up to four cells.
    assert (wet == scene.water)[seen].mean() > 0.9


def test_gridded_375_read_back_is_the_scene(tmp_path):
    fine = Region("FINE", (-8.0, 39.4, -7.7, 39.6), 0.005)
    made = simulate(fine, start="2020-08-01", days=2, seed=5)
    written = write_scene(made, tmp_path, formats=("gridded375",))["viirs375-gridded"]
    assert len(written) % 7 == 0
    assert {path.name.split(".")[0] for path in written} == {"NPP_VIAES_L1", "NPP_VMAES_L1"}
    reader = source("viirs375-gridded")
    days = reader.days(tmp_path / "viirs375")
    assert len(days) == 2
    for day in days:
        planes = reader.read_day(tmp_path / "viirs375", day, fine)
        i = int((day - made.days[0]).astype(int))
        # Angles are interpolated between centres of cells of a tenth of a degree, and constant beyond them.
        same = np.abs(planes.view_zenith - made.view_zenith[i]) < 0.1
        assert same[10:-10, 10:-10].all()
        np.testing.assert_allclose(planes.red[same], made.red[i][same], atol=1.3e-5)
        np.testing.assert_allclose(planes.nir[same], made.nir[i][same], atol=1.3e-5)
        assert np.abs(planes.mir[same] - made.mir[i][same]).mean() < 2e-3
    assert planes.satellites == ("S-NPP",)


def test_firecci_without_errors_is_the_truth_by_area(scene, tmp_path):
    written = write_firecci(scene, tmp_path, HONEST)
    assert [path.name for path in written[:3]] == [
        f"20201201-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-{layer}.tif" for layer in ("JD", "CL", "LC")
    ]
    labels = read_firecci(tmp_path, PLACE, scene.days[0], scene.days[-1])
    truth = scene.truth()
    assert labels.burned_area_ha == pytest.approx(truth.burned_area_ha, rel=0.05)
    both = (labels.burned_fraction > 0.9) & (truth.burned_fraction > 0.9)
    assert both.sum() > 10
    apart = (labels.burn_date - truth.burn_date)[both].astype(int)
    assert np.abs(apart).mean() < 0.5
    assert {day.astype("datetime64[Y]") for day in labels.burn_date[both]} == {
        np.datetime64("2020"),
        np.datetime64("2021"),
    }
    assert labels.stated_confidence is not None
    assert (labels.stated_confidence[labels.burned_fraction > 0] > 0).all()


def test_firecci_files_lie_on_the_products_lattice(scene, tmp_path):
    path = write_firecci(scene, tmp_path)[0]
    with rasterio.open(path) as raster:
        assert raster.crs.to_epsg() == 4326
        for edge, corner in ((raster.bounds.left, -180), (raster.bounds.top, 90)):
            pixels = (edge - corner) / PIXEL
            assert pixels == pytest.approx(round(pixels), abs=1e-5)
        values = raster.read(1)
    assert values.dtype == np.int16
    assert {-1, -2, 0} <= set(np.unique(values)) <= {-2, -1, 0, 364, 365, 366}


def test_probes_fall_where_the_grid_says(scene):
    """The writers' own arithmetic against the readers': pixel by pixel the same place."""
    window = PixelWindow.sinusoidal(PLACE, 17, 4, 1200, probes=1)
    grid = tile_grid(17, 4, 1200)
    longitude = PLACE.west + window.col[window.inside] * PLACE.pixel_size
    latitude = PLACE.north - window.row[window.inside] * PLACE.pixel_size
    row, col = grid.pixel_of(longitude, latitude)
    i, j = np.nonzero(window.inside)
    np.testing.assert_allclose(row, i + window.rows.start + 0.5, atol=1e-6)
    np.testing.assert_allclose(col, j + window.cols.start + 0.5, atol=1e-6)
