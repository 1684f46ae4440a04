"""Simulated files: read back they are the scene, to the quantum of their integers."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from pyhdf.SD import SD

from banet.errors import InputError, OutputError
from banet.grid.region import Region
from banet.observations import source
from banet.observations.hotspots import grid_frp, read_hotspots
from banet.observations.reflectance import mir_reflectance
from banet.simulation import simulate, write_scene
from banet.simulation.climates import climate_named
from banet.simulation.heat import M12_LIMIT, mir_limit, radiances
from banet.simulation.writers.gridded import _packed
from banet.simulation.writers.pixels import PROBES, TILE, PixelWindow, tiles_under

PLACE = Region("SMALL", (-8.2, 39.4, -7.8, 39.72), 0.01)


@pytest.fixture(scope="module")
def scene():
    burning = dataclasses.replace(climate_named("australia"), fires=300)
    return simulate(PLACE, start="2020-12-29", days=6, seed=4, climate=burning)


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp("scene")
    write_scene(scene, path)
    return path


def test_the_region_is_beside_the_files(folder):
    assert Region.load(folder / "R_SMALL.json") == PLACE


def test_every_overpass_has_seven_files(folder):
    names = sorted(p.name for p in (folder / "viirs").glob("*.hdf"))
    assert len(names) % 7 == 0
    assert len({n.split(".")[1] for n in names}) == 6
    first = names[0]
    assert first.startswith("NPP_VMAES_L1.A2020364.")
    assert ".001." in first and ".psrpgscs_000501412525." in first
    # Granules start every six minutes.
    assert all(int(n.split(".")[2]) % 100 % 6 == 0 for n in names)


@pytest.mark.real
def test_layout_is_that_of_the_real_files(folder, real):
    for true in sorted((real / "viirs_l1_gridded").glob("*.hdf")):
        band = true.name.split(".")[-2]
        made = next((folder / "viirs").glob(f"*.{band}.hdf"))
        a, b = SD(str(true)), SD(str(made))
        ((name, (dims, _, kind, _)),) = a.datasets().items()
        ((name2, (dims2, shape2, kind2, _)),) = b.datasets().items()
        assert (name, dims, kind) == (name2, dims2, kind2)
        assert shape2 == PLACE.shape
        # All but the order in which they were written.
        typed = [{k: (v[0], *v[2:]) for k, v in f.select(0).attributes(full=1).items()} for f in (a, b)]
        assert typed[0] == typed[1]
        assert set(b.attributes()) - {"StructMetadata.0"} <= set(a.attributes())
        a.end()
        b.end()


def test_files_read_back_are_the_scene(scene, folder):
    reader = source("viirs750-gridded")
    days = reader.days(folder / "viirs")
    assert np.isin(days, scene.days).all()
    assert len(days) >= 5
    for day in days:
        planes = reader.read_day(folder / "viirs", day, PLACE)
        i = int((day - scene.days[0]).astype(int))
        for name, quantum in (("red", 1.3e-5), ("nir", 1.3e-5), ("mir", 2e-4)):
            np.testing.assert_allclose(
                getattr(planes, name), getattr(scene, name)[i], atol=quantum, err_msg=name
            )
        np.testing.assert_allclose(planes.view_zenith, scene.view_zenith[i], atol=1e-4)


def test_hot_spots_read_back_are_the_scene(scene, folder):
    files = sorted((folder / "hotspots").glob("*.csv"))
    assert [f.name for f in files] == ["VIIRS_NOAA20_SP_2020-12-29.csv", "VIIRS_SNPP_SP_2020-12-29.csv"]
    table = read_hotspots(files)
    assert len(table) == len(scene.hotspots) > 20
    for i, day in enumerate(scene.days):
        np.testing.assert_allclose(grid_frp(table, PLACE, day), scene.frp[i], rtol=1e-5, atol=1e-4)


@pytest.mark.real
def test_hot_spot_columns_are_those_of_the_real_files(folder, real):
    def head(path):
        with path.open() as stream:
            return next(csv.reader(stream))

    assert head(next((folder / "hotspots").glob("*SNPP*"))) == head(
        next((real / "firms").glob("VIIRS_SNPP_SP*.csv"))
    )


def test_truth_file_holds_the_truth(scene, folder):
    with xr.open_dataset(folder / "truth" / "SMALL_truth.nc") as truth:
        np.testing.assert_array_equal(truth.burned_fraction.squeeze("time"), scene.burned_fraction)
        dates = truth.burn_date.squeeze("time").values.astype("datetime64[D]")
        np.testing.assert_array_equal(np.isnat(dates), np.isnat(scene.burn_date))
        np.testing.assert_array_equal(dates[~np.isnat(dates)], scene.burn_date[~np.isnat(dates)])
        daily = np.zeros_like(scene.burned_fraction_daily)
        day = (truth.entry_day.values.astype("datetime64[D]") - scene.days[0]).astype(int)
        daily[day, truth.entry_row.values, truth.entry_column.values] = truth.entry_fraction.values
        np.testing.assert_array_equal(daily, scene.burned_fraction_daily)
        assert truth.land_cover.attrs["flag_meanings"].startswith("water evergreen")


def test_radiances_invert_to_the_reflectance():
    rng = np.random.default_rng(0)
    reflectance = rng.uniform(0, 0.5, 1000)
    warm, sun = rng.uniform(270, 325, 1000), rng.uniform(0, 65, 1000)
    mir, tir = radiances(reflectance, warm, sun)
    np.testing.assert_allclose(mir_reflectance(mir, tir, sun), reflectance, atol=2e-6)


def test_the_limit_is_where_the_integers_end():
    warm, sun = np.array([300.0, 320.0]), np.array([20.0, 40.0])
    mir, _ = radiances(mir_limit(warm, sun), warm, sun)
    np.testing.assert_allclose(mir, M12_LIMIT, rtol=1e-5)
    assert np.isnan(mir_limit(np.array([300.0]), np.array([89.0])))[0]


@pytest.mark.parametrize(
    ("degrees", "packed"), [(-10, "-10000000.000000"), (44.5, "44030000.000000"), (0.01, "36.000000")]
)
def test_angles_are_packed_as_hdf_eos_does(degrees, packed):
    assert _packed(degrees) == packed


def test_some_formats_alone(scene, tmp_path):
    written = write_scene(scene, tmp_path, formats=("hotspots",))
    assert set(written) == {"region", "hotspots"}
    assert not (tmp_path / "viirs").exists()
    assert json.loads(written["region"][0].read_text())["name"] == "SMALL"


def test_an_unknown_format_is_refused(scene, tmp_path):
    with pytest.raises(InputError, match=r"cannot write a scene as 'geotiff'; choose among viirs750-gridded"):
        write_scene(scene, tmp_path, formats=("geotiff",))


def test_a_folder_of_other_satellites_is_refused(scene, tmp_path):
    """They were written side by side, and read as one season."""
    write_scene(scene, tmp_path, formats=("hotspots",))
    other = dataclasses.replace(scene, world=dataclasses.replace(scene.world, image_satellites=("N21",)))
    with pytest.raises(InputError, match=r"holds another scene \(satellites"):
        write_scene(other, tmp_path, formats=("hotspots",))


def test_a_file_in_the_way_is_an_output_error(scene, tmp_path):
    (tmp_path / "taken").write_text("here")
    with pytest.raises(OutputError):
        write_scene(scene, tmp_path / "taken")


@pytest.mark.parametrize(
    "box", [(179.7, -17.0, -179.7, -16.4), (-8.0, 40.0, -7.4, 40.6), (150, 60, 150.6, 60.6)]
)
def test_tiles_hold_all_of_a_region_once_also_across_the_antimeridian(box):
    region = Region("T", box, 0.01)
    windows = [PixelWindow.sinusoidal(region, h, v, 2400) for h, v in tiles_under(region)]
    places = sum(window.inside.sum() for window in windows)
    pixel_km2 = (TILE / 2400 / 1000) ** 2
    assert places / PROBES**2 * pixel_km2 == pytest.approx(region.area_km2, rel=0.01)
    east = [np.unique(np.floor(window.col[window.inside])) for window in windows]
    assert set(np.concatenate(east)) == set(range(60))
