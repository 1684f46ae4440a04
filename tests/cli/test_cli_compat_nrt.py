"""`banet_nrt_run` as the original had it: its folders, its files, its switches."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from scipy.io import loadmat

from banet import days
from banet.cli.compat_nrt import nrt_run
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
    assert run(*place, *at_hand, "--single_fold", "--area_epsg", "3763") == 0
    assert {one.name for one in project.iterdir() if one.is_dir()} == {
        *("config", "ladsweb", "hotspots", "dataset", "outputs", "web")
    }
    assert json.loads((project / "config" / "R_M.json").read_text())["bbox"] == [-8.0, 39.7, -7.76, 39.94]
    content = loadmat(project / "outputs" / "ba_20200701.mat")
    times = [str(day) for day in content["times"]]
    assert (len(times), times[0], times[-1]) == (64, "2020-04-29", "2020-07-01")
    burned = np.isfinite(content["date"])
    assert burned.sum() > 25
    assert (np.nan_to_num(content["burned"])[burned] >= 0.5).all()
    with rasterio.open(project / "web" / "ba_20200701.tif") as raster:
        fraction, day = raster.read()
        assert raster.crs.to_epsg() == 4326
    kept = day > 0
    assert kept.sum() > 25
    assert burned[kept].all()
    first = (np.datetime64("2020-04-29") - np.datetime64("2020-01-01")).astype(int) + 1
    np.testing.assert_array_equal(day[kept], content["date"][kept] + first)
    np.testing.assert_array_equal(fraction[kept], (content["burned"][kept] * 255).astype(int))
    fires = gpd.read_file(project / "web" / "ba_20200701.json")
    assert fires["cells"].sum() == kept.sum()
    assert fires["cells"].min() >= 25
    projected = fires.to_crs(3763).area / 1e4
    assert fires["area_ha"].to_numpy() == pytest.approx(projected.to_numpy(), rel=1e-3, abs=1)
    assert (project / "web" / "ba_20200701.shp").is_file()

    map_file = project / "outputs" / "ba_20200701.mat"
    before = map_file.stat().st_mtime_ns
    (project / "web" / "ba_20200701.tif").unlink()
    skipped = ["--skip_preprocess", "--skip_getpreds"]
    assert run(*place, *at_hand, *skipped) == 0
    assert map_file.stat().st_mtime_ns == before
    assert (project / "web" / "ba_20200701.tif").is_file()
    capsys.readouterr()
    assert run(*place, "--skip_hotspots", "--skip_ladsweb", "--skip_preprocess", "--skip_getpreds") == 2
    assert "ba_20200702.mat" in capsys.readouterr().err


def test_what_is_refused(project, capsys):
    place = ["M", "-8.0", "39.7", "-7.76", "39.94", project, "Europe"]
    assert run(*place, "--skip_hotspots", "perhaps") == 2
    assert "neither True nor False" in capsys.readouterr().err
    assert run("M", "-8.0", "39.7", "-8.5", "39.6", project, "Europe") == 2
    assert "error: region M" in capsys.readouterr().err
