"""`banet_nrt_run` as the original had it: its folders, its files, its switches."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from scipy.io import loadmat, savemat

from banet import days
from banet.cli.compat_nrt import nrt_run
from banet.cube import Cube
from banet.grid.region import Region

REGION = Region("M", (-8.0, 39.7, -7.76, 39.94), 0.01)


@pytest.fixture
def project(tmp_path, monkeypatch):
    from dataclasses import replace

    from banet.simulation import simulate, write_scene
    from banet.simulation.climates import climate_named

    climate = replace(climate_named("mediterranean"), clouds=0.15, fires=400)
    write_scene(simulate(REGION, "2020-06-20", 12, 2, climate), tmp_path / "made")
    (tmp_path / "p").mkdir()
    (tmp_path / "made" / "viirs").rename(tmp_path / "p" / "ladsweb")
    (tmp_path / "made" / "hotspots").rename(tmp_path / "p" / "hotspots")
    monkeypatch.setattr(days, "today_utc", lambda: np.datetime64("2020-07-02"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "p"


def run(*words):
    with pytest.raises(SystemExit) as ended:
        nrt_run([str(word) for word in words])
    return ended.value.code


@pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")
def test_a_day_from_files_at_hand(project, capsys):
    place = ["M", "-8.0", "39.7", "-7.76", "39.94", project, "Europe"]
    at_hand = ["--time", "yesterday", "--skip_hotspots", "--skip_ladsweb", "True"]
    assert run(*place, *at_hand, "--single_fold") == 0
    assert {one.name for one in project.iterdir() if one.is_dir()} == {
        *("config", "ladsweb", "hotspots", "dataset", "outputs", "web")
    }
    assert json.loads((project / "config" / "R_M.json").read_text())["bbox"] == [-8.0, 39.7, -7.76, 39.94]
    content = loadmat(project / "outputs" / "ba_20200701.mat")
    times = [str(day) for day in content["times"]]
    assert (len(times), times[0], times[-1]) == (64, "2020-04-29", "2020-07-01")
    burned = np.isfinite(content["date"])
    assert burned.any()
    assert (np.nan_to_num(content["burned"])[burned] >= 0.5).all()
    assert content["observed"].astype(bool).any()
    assert (project / "web" / "ba_20200701.tif").is_file()
    capsys.readouterr()
    skipped = ["--skip_hotspots", "--skip_ladsweb", "--skip_preprocess", "--skip_getpreds"]
    assert run(*place, *skipped) == 2
    assert "ba_20200702.mat" in capsys.readouterr().err


def test_fires_of_25_cells_and_more_become_raster_and_outlines(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(days, "today_utc", lambda: np.datetime64("2021-01-20"))
    (tmp_path / "outputs").mkdir()
    times = np.arange("2020-11-18", "2021-01-21", dtype="datetime64[D]").astype(str).tolist()
    burned, date = (np.full(REGION.shape, np.nan, np.float32) for _ in range(2))
    burned[3:9, 4:9], date[3:9, 4:9] = 0.6, 20.0  # 30 cells of 8 December
    date[8, 4:9] = 45.0  # apart in time: 2 January
    burned[12:18, 12:18], date[12:18, 12:18] = 1.0, 45.0  # 36 cells of 2 January
    savemat(tmp_path / "outputs" / "ba_20210120.mat", {"burned": burned, "date": date, "times": times})
    place = ["M", "-8.0", "39.7", "-7.76", "39.94", tmp_path, "Europe"]
    assert run(*place, "--skip_hotspots", "--skip_ladsweb", "--skip_preprocess", "--skip_getpreds") == 0
    area = REGION.cell_area_ha
    hectares = 5 * 0.6 * area[3:8].sum() + 6 * area[12:18].sum()
    small = f"1 smaller left out, {5 * 0.6 * area[8]:,.0f} ha"
    assert f"2 fires, {hectares:,.0f} ha; {small}" in capsys.readouterr().out
    with rasterio.open(tmp_path / "web" / "ba_20210120.tif") as raster:
        fraction, day = raster.read()
        assert (raster.crs.to_epsg(), raster.transform) == (4326, REGION.transform)
    wanted = np.zeros(REGION.shape, int)
    wanted[3:8, 4:9] = 343  # 8 December 2020
    wanted[12:18, 12:18] = 366 + 2
    np.testing.assert_array_equal(day, wanted)
    np.testing.assert_array_equal(fraction, np.select([wanted == 343, wanted > 343], [153, 255]))
    fires = gpd.read_file(tmp_path / "web" / "ba_20210120.json")
    assert fires["cells"].tolist() == [25, 36]
    assert fires["area_ha"].tolist() == pytest.approx((fires.to_crs(3763).area / 1e4).round().tolist(), abs=1)
    assert len(gpd.read_file(tmp_path / "web" / "ba_20210120.shp")) == 2


def test_a_day_on_which_nothing_was_seen_has_no_fires_that_are_known(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(days, "today_utc", lambda: np.datetime64("2021-01-20"))
    (tmp_path / "outputs").mkdir()
    nothing = np.full(REGION.shape, np.nan, np.float32)
    times = np.arange("2020-11-18", "2021-01-21", dtype="datetime64[D]").astype(str).tolist()
    content = {"burned": nothing, "date": nothing, "times": times}
    place = ["M", "-8.0", "39.7", "-7.76", "39.94", tmp_path, "Europe"]
    for more, told in (({"observed": np.zeros(REGION.shape, bool)}, "not observed"), ({}, "0 fires, 0 ha")):
        savemat(tmp_path / "outputs" / "ba_20210120.mat", content | more)
        assert run(*place, "--skip_hotspots", "--skip_ladsweb", "--skip_preprocess", "--skip_getpreds") == 0
        assert told in capsys.readouterr().out


def test_what_is_refused(project, capsys):
    place = ["M", "-8.0", "39.7", "-7.76", "39.94", project, "Europe"]
    assert run(*place, "--skip_hotspots", "perhaps") == 2
    assert "neither True nor False" in capsys.readouterr().err
    assert run(*place, "--threshold", "4") == 2
    assert "threshold" in capsys.readouterr().err
    made = Region("M", (-8.0, 39.7, -7.8, 39.9), 0.01)
    Cube.create(project / "dataset" / "M.zarr", made, sensor="VIIRS S-NPP", mir_band="M12")
    skipped = ["--skip_hotspots", "--skip_ladsweb", "--skip_preprocess"]
    assert run(*place, *skipped) == 2
    assert "is of Region(name='M', bbox=(-8.0, 39.7, -7.8, 39.9)" in capsys.readouterr().err
    assert run("M", "-8.0", "39.7", "-8.5", "39.6", project, "Europe") == 2
    assert "error: region M" in capsys.readouterr().err
