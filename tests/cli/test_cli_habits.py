"""Habits of the command line: JSON, quiet, completion, names of what is given by its place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.cli import main
from banet.cli.progress import caution, progress, quiet
from banet.export import write_products
from banet.grid.region import Region
from made_maps import random_map


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    whole = random_map((40, 60), start="2021-07-01", days=62)
    for part in (whole.between("2021-07-01", "2021-08-01"), whole.between("2021-08-01", "2021-09-01")):
        write_products(part, folder, f"T_{str(part.start)[:7]}", pictures=False)
    return folder


def test_events_take_folders_and_say_what_they_found_as_json(maps, tmp_path, capsys):
    out = tmp_path / "fires.gpkg"
    more = ["--perimeters", str(tmp_path / "lines.kml"), "--growth", str(tmp_path / "growth.csv")]
    assert main(["events", str(maps), "--out", str(out), "--json", *more]) == 0
    said = json.loads(capsys.readouterr().out)
    fires = gpd.read_file(out, layer="fires")
    assert said["fires"] == len(fires) > 0 and set(said["left_out"]) == {"fires", "hectares"}
    assert said["hectares"] == pytest.approx(fires["area_ha"].sum(), abs=0.1)
    assert all(Path(file).is_file() for file in said["files"]) and len(said["files"]) == 3
    single = tmp_path / "single.gpkg"
    assert main(["events", *map(str, sorted(maps.glob("*.nc"))), "--out", str(single)]) == 0
    assert gpd.read_file(single, layer="fires")["id"].tolist() == fires["id"].tolist()


def test_what_is_given_by_its_place_has_the_name_of_the_help(capsys):
    assert main(["cube", "info"]) == 2
    assert "CUBE requires" in capsys.readouterr().err
    assert main(["cube", "info", "a.zarr", "b.zarr"]) == 2
    assert "nothing takes 'b.zarr'" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "events" in script and "weights" in script
    if shell == "bash":
        (tmp_path / "banet").write_text(script)
        assert subprocess.run(["bash", "-n", str(tmp_path / "banet")], check=False).returncode == 0


def test_quiet_says_results_and_errors_alone(capsys, tmp_path):
    with quiet(), progress("map") as report:
        caution("a note")
        report(1, 2, "tile")
    assert capsys.readouterr().err == ""
    caution("a note")
    assert "a note" in capsys.readouterr().err
    words = ["region", "new", "A", "--bbox", "0.003,0,1,1", "--dir", str(tmp_path)]
    assert main([*words, "--quiet"]) == 0
    told = capsys.readouterr()
    assert "R_A.json" in told.out and told.err == ""
    assert main(["region", "new", "B", "--bbox", "1,0,0", "--quiet"]) == 2
    assert "error:" in capsys.readouterr().err


def test_a_region_lies_around_the_polygons_of_a_file(tmp_path, capsys):
    file, table = tmp_path / "countries.geojson", {"name": ["Aland", "Bland"]}
    shapes = [shapely.box(-8.123, 39.4, -6.4, 41.407), shapely.box(1, 1, 2, 2)]
    gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326").to_file(file)
    words = ["region", "new", "A", "--polygon", str(file), "--dir", str(tmp_path)]
    assert main([*words, "--where", "name=Aland"]) == 0
    assert Region.load(tmp_path / "R_A.json").bbox == (-8.13, 39.4, -6.4, 41.41)
    assert main([*words, "--force"]) == 0
    assert Region.load(tmp_path / "R_A.json").bbox == (-8.13, 1.0, 2.0, 41.41)
    for wrong in (["--where", "nam=A"], ["--where", "name=C"], ["--bbox", "0,0,1,1"]):
        assert main([*words, "--force", *wrong]) == 2
    assert "--bbox" in capsys.readouterr().err


def test_weights_fit_a_screen_or_are_json(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["weights", "show", "default"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    assert main(["weights", "show", "default", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["parameters"] > 1000 and whole["card"] and whole["input"]["channels"][0] == "red"
