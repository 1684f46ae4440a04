"""From files to maps by the commands that a user types, old and new, on a small simulated scene."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
import rasterio
from scipy.io import loadmat, savemat

from banet.cli import compat, main
from banet.cube import open_cube
from banet.export import read_map
from banet.grid.region import Region
from banet.model import BANet, BANetConfig, InputSpec
from banet.model.weights import save_weights
from banet.simulation import simulate, write_scene

REGION = Region("TINY", (-8, 40, -7.52, 40.4), 0.01)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    scene = simulate(REGION, "2020-08-25", 12, seed=4, climate="mediterranean")
    write_scene(scene, folder)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    import torch

    torch.manual_seed(0)
    model = BANet(BANetConfig.lean(4)).eval()
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(model, path, spec=InputSpec(), card={"data": "none: random numbers"})
    return path


@pytest.fixture(scope="module")
def cube(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("cube") / "TINY.zarr"
    assert _build(raw, out) == 0
    return out


def _build(raw, out, *more):
    region, viirs, hotspots = raw / "R_TINY.json", raw / "viirs", raw / "hotspots"
    return main(
        [
            "cube",
            "build",
            str(region),
            "--viirs",
            str(viirs),
            "--hotspots",
            str(hotspots),
            "--out",
            str(out),
            *more,
        ]
    )


def _map(cube, out, weights, *more):
    words = ["map", str(cube), "--start", "2020-08", "--end", "2020-09", "--out", str(out)]
    return main([*words, "--weights", str(weights), *more])


def test_files_become_a_cube_whose_days_are_those_of_the_scene(cube, capsys):
    opened = open_cube(cube)
    assert opened.region == REGION
    assert [str(day) for day in opened.days[[0, -1]]] == ["2020-08-25", "2020-09-05"]
    assert main(["cube", "info", str(cube)]) == 0
    assert "12 days (2020-08-25 to 2020-09-05)" in capsys.readouterr().out


def test_building_again_reads_nothing_again(raw, cube, capsys):
    before = {path: path.stat().st_mtime_ns for path in cube.rglob("c/*/*/*") if path.is_file()}
    assert _build(raw, cube) == 0
    after = {path: path.stat().st_mtime_ns for path in cube.rglob("c/*/*/*") if path.is_file()}
    assert before and before == after


def test_the_cube_holds_what_the_simulator_saw(raw, cube):
    """Independent of the readers: the arrays that the scene was written from."""
    scene = simulate(REGION, "2020-08-25", 12, seed=4, climate="mediterranean")
    window = open_cube(cube).read("2020-08-25", "2020-09-06")
    for name in ("red", "nir", "mir"):
        seen, true = getattr(window, name), getattr(scene, name)
        both = np.isfinite(seen) & np.isfinite(true)
        assert both.sum() > 0.95 * np.isfinite(true).sum()
        assert np.median(np.abs(seen - true)[both]) < 2e-4
    np.testing.assert_allclose(np.nan_to_num(window.frp), scene.frp, rtol=1e-4, atol=0.02)


def test_months_become_rasters_netcdf_picture_and_manifest(cube, weights, tmp_path, capsys):
    assert _map(cube, tmp_path, weights) == 0
    assert "2020-08-01" in capsys.readouterr().out
    for month in ("202008", "202009"):
        names = {path.name for path in tmp_path.iterdir() if month in path.name}
        for end in ("_burn_date.tif", "_confidence.tif", "_uncertainty.tif", ".nc", ".png", "_manifest.json"):
            assert f"TINY_{month}{end}" in names
        with rasterio.open(tmp_path / f"TINY_{month}_burn_date.tif") as raster:
            assert raster.bounds == pytest.approx(REGION.bbox)
            assert raster.shape == REGION.shape
            burned = read_map(tmp_path / f"TINY_{month}.nc")
            np.testing.assert_array_equal(raster.read(1), burned.burn_doy)
    assert not list(tmp_path.glob(".*")), "nothing of the work is left"
    manifest = json.loads((tmp_path / "TINY_202008_manifest.json").read_text())
    assert manifest["reproducible"]["weights"] and "random" in str(manifest["reproducible"]["weights"])


def test_the_original_tiling_can_be_asked_for(cube, weights, tmp_path):
    assert _map(cube, tmp_path, weights, "--tile", "32", "--step", "20", "--no-pictures") == 0
    tiling = read_map(tmp_path / "TINY_202008.nc").attrs["tiling"]
    assert "original" in str(tiling) and "20" in str(tiling)


def test_old_names_make_a_dataset_and_its_maps(raw, weights, tmp_path, monkeypatch, capsys):
    regions, fires, data, maps = (tmp_path / name for name in ("regions", "fires", "data", "maps"))
    for folder in (regions, fires, data, maps):
        folder.mkdir()
    shutil.copy(raw / "R_TINY.json", regions)
    shutil.copy(next((raw / "hotspots").glob("*.csv")), fires / "hotspotsTINY.csv")

    run(monkeypatch, compat.create_dataset, "TINY", raw / "viirs", fires, data, regions, "--year", 2020)
    assert len(open_cube(data / "TINY.zarr").days) == 12

    run(monkeypatch, compat.predict_monthly, "TINY", data, maps, 2020, "--weight_files", weights)
    august = loadmat(maps / "ba_TINY_202008.mat")
    assert august["burned"].shape == august["date"].shape == REGION.shape
    dates = august["date"][np.isfinite(august["date"])]
    assert ((dates >= 214) & (dates <= 244)).all()

    times = ("TINY", "2020-08-01", "2020-09-01", data, maps, regions)
    run(monkeypatch, compat.predict_times, *times, "--weight_files", weights)
    span = loadmat(maps / "data_TINY2020.mat")
    assert len(span["times"]) == 61
    assert span["times"][0].strip() == "2020-08-01" and span["times"][-1].strip() == "2020-09-30"
    found = np.isfinite(span["date"])
    assert (found == np.isfinite(span["burned"])).all()
    assert not found.any() or (np.nanmin(span["date"]) >= 0 and np.nanmax(span["date"]) <= 60)


def test_old_names_take_day_files_that_came_later(weights, tmp_path, monkeypatch):
    (tmp_path / "regions").mkdir()
    REGION.save(tmp_path / "regions")
    rng = np.random.default_rng(0)

    def day_file(day):
        planes = {name: rng.uniform(0.1, 0.4, REGION.shape) for name in ("Red", "NIR", "MIR")}
        savemat(tmp_path / f"VIIRS750TINY_{day}.mat", planes | {"FRP": np.zeros(REGION.shape)})

    span = ("2020-08-01", "2020-08-01", tmp_path, tmp_path / "maps", tmp_path / "regions")
    day_file("20200801")
    run(monkeypatch, compat.predict_times, "TINY", *span, "--weight_files", weights)
    day_file("20200802")
    run(monkeypatch, compat.predict_times, "TINY", *span, "--weight_files", weights)
    assert len(open_cube(tmp_path / "TINY.zarr").days) == 2
    day_file("20200803")
    months = ("TINY", tmp_path, tmp_path / "maps", 2020, "--weight_files", weights)
    run(monkeypatch, compat.predict_monthly, *months)
    assert len(open_cube(tmp_path / "TINY.zarr").days) == 3


def run(monkeypatch, command, *words):
    monkeypatch.setattr(sys, "argv", ["banet_old", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as end:
        command()
    assert end.value.code == 0


def test_old_names_say_what_is_missing_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["banet_predict_monthly", "X", str(tmp_path), str(tmp_path), "2020"])
    with pytest.raises(SystemExit) as end:
        compat.predict_monthly()
    assert end.value.code == 2
    assert capsys.readouterr().err.strip() == (
        f"error: no cube {tmp_path / 'X.zarr'}; make it with banet_create_dataset"
    )


class TestBadInput:
    """Each is one line on standard error and an exit status, never a traceback."""

    @pytest.fixture(autouse=True)
    def _one_line(self, capsys):
        yield
        err = [
            line
            for line in capsys.readouterr().err.splitlines()
            if not line.startswith(("cube:", "map:", "note: "))
        ]
        assert all(line.startswith("error: ") for line in err)

    def test_an_empty_folder(self, raw, tmp_path):
        (tmp_path / "viirs").mkdir()
        region, fires = str(raw / "R_TINY.json"), str(raw / "hotspots")
        words = ["--viirs", str(tmp_path / "viirs"), "--hotspots", fires, "--out", str(tmp_path / "c.zarr")]
        assert main(["cube", "build", region, *words]) == 2

    def test_hot_spots_without_frp(self, raw, tmp_path):
        fires = tmp_path / "fires.csv"
        fires.write_text("latitude,longitude,acq_date,acq_time\n40.1,-7.8,2020-08-26,0110\n")
        region, viirs = str(raw / "R_TINY.json"), str(raw / "viirs")
        words = ["--viirs", viirs, "--hotspots", str(fires), "--out", str(tmp_path / "c.zarr")]
        assert main(["cube", "build", region, *words]) == 2

    def test_a_page_and_a_cut_file_are_gaps_and_the_rest_is_built(self, raw, tmp_path, capsys):
        viirs = tmp_path / "viirs"
        shutil.copytree(raw / "viirs", viirs)
        files = sorted(viirs.glob("*A2020240*Reflectance_M5*"))
        files[0].write_text("<html><body>Please log in</body></html>")
        for file in viirs.glob("*A2020242*Radiance_M12*"):
            file.write_bytes(file.read_bytes()[:500])
        for file in viirs.glob("*A2020244*Radiance_M15*"):
            file.unlink()
        words = [
            "--viirs",
            str(viirs),
            "--hotspots",
            str(raw / "hotspots"),
            "--out",
            str(tmp_path / "c.zarr"),
        ]
        assert main(["cube", "build", str(raw / "R_TINY.json"), *words]) == 0
        gaps = {str(day): " ".join(lines) for day, lines in open_cube(tmp_path / "c.zarr").gaps.items()}
        assert "web page" in gaps["2020-08-27"]
        assert "2020-08-29" in gaps and "M12" in gaps["2020-08-29"]
        assert "2020-08-31" in gaps and "M15" in gaps["2020-08-31"]
        red = open_cube(tmp_path / "c.zarr").read("2020-08-31", "2020-09-01").red
        assert np.isnan(red).all()

    def test_not_one_day_that_can_be_read(self, raw, tmp_path, capsys):
        viirs = tmp_path / "viirs"
        shutil.copytree(raw / "viirs", viirs)
        for file in viirs.iterdir():
            file.write_text("<html><body>Please log in</body></html>")
        head = next((raw / "hotspots").glob("*.csv")).read_text().splitlines()[0]
        (tmp_path / "fires.csv").write_text(head)
        fires, out = str(tmp_path / "fires.csv"), str(tmp_path / "c.zarr")
        words = [str(raw / "R_TINY.json"), "--viirs", str(viirs), "--hotspots", fires, "--out", out]
        assert main(["cube", "build", *words]) == 2
        assert main(["cube", "build", *words, "--sensor", "viirs750-gridded"]) == 2
        assert not len(open_cube(out).days)
        said = capsys.readouterr().err.splitlines()
        assert sum(line.startswith("error: none of the") and "web page" in line for line in said) == 2

    def test_a_cube_of_another_region(self, raw, cube, tmp_path):
        other = Region("OTHER", (0, 40, 0.48, 40.4), 0.01).save(tmp_path)
        words = ["--viirs", str(raw / "viirs"), "--hotspots", str(raw / "hotspots"), "--out", str(cube)]
        assert main(["cube", "build", str(other), *words]) == 2

    def test_months_that_the_cube_has_not(self, cube, weights, tmp_path):
        words = ["map", str(cube), "--start", "2019-01", "--end", "2019-02", "--out", str(tmp_path)]
        assert main([*words, "--weights", str(weights)]) == 2
        assert main(["map", str(cube), "--start", "2020-09", "--end", "2020-08", "--out", str(tmp_path)]) == 2

    def test_weights_that_are_none(self, cube, tmp_path):
        assert _map(cube, tmp_path, "no-such-weights") == 2
        page = tmp_path / "w.safetensors"
        page.write_text("<html></html>")
        assert _map(cube, tmp_path, page) == 2

    def test_an_output_folder_that_cannot_be_written(self, cube, weights, tmp_path):
        (tmp_path / "file").write_text("")
        assert _map(cube, tmp_path / "file", weights) == 1
        assert _map(cube, "/proc/banet", weights) == 1


def test_a_map_is_evaluated_against_the_truth(raw, cube, weights, tmp_path, capsys):
    maps, out = tmp_path / "maps", tmp_path / "evaluation"
    assert _map(cube, maps, weights, "--no-pictures") == 0
    words = ["--reference", str(raw / "truth"), "--cube", str(cube), "--out", str(out), "--draws", "0"]
    assert main(["evaluate", str(maps / "TINY_202008.nc"), *words, "--no-pictures"]) == 0
    assert "active fires" in capsys.readouterr().out
    scores = json.loads((out / "evaluation.json").read_text())
    assert "dice" in str(scores)


def test_single_fires_are_written(cube, weights, tmp_path, capsys):
    assert _map(cube, tmp_path, weights, "--no-pictures", "--threshold", "0.2") == 0
    out = tmp_path / "fires.gpkg"
    assert main(["events", str(tmp_path / "TINY_202008.nc"), "--out", str(out), "--min-cells", "1"]) == 0
    import geopandas

    assert f"{len(geopandas.read_file(out, layer='fires'))} fires" in capsys.readouterr().out


@pytest.mark.real
def test_tiles_need_labels_with_fire(cube, real, tmp_path):
    """Labels of another year and place hold nothing to train on."""
    words = ["--labels", str(real / "labels" / "mcd64a1_2010_h11v07"), "--out", str(tmp_path / "tiles")]
    assert main(["tiles", str(cube), *words]) == 2
