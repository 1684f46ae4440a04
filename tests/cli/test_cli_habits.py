"""Habits of the command line: JSON, quiet, completion, names of what is given by its place."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet import read_map
from banet.burned_area.fires import trace_events
from banet.cli import main
from banet.cli.compat_download import run
from banet.cli.progress import caution, progress, quiet
from banet.errors import InputError
from banet.export import write_products
from banet.export.vectors import write_growth
from banet.grid.region import Region
from banet.io.terminal import can_ask
from banet.observations.hotspots import LEFT_OUT
from banet.operations.options import RunOptions
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


def test_events_write_each_output_to_a_path_of_its_own(maps, tmp_path, capsys):
    out = str(tmp_path / "fires.csv")
    assert main(["events", str(maps), "--out", out, "--growth", out]) == 2
    assert "two outputs have the same path" in capsys.readouterr().err
    assert main(["events", str(maps), "--out", out, "--growth", str(tmp_path / "growth.txt")]) == 2
    assert "cannot write the growth as growth.txt" in capsys.readouterr().err
    lines = str(tmp_path / "lines.txt")
    assert main(["events", str(maps), "--out", out, "--perimeters", lines]) == 2
    assert "cannot write perimeters as lines.txt" in capsys.readouterr().err
    shapes, lines = str(tmp_path / "fires.shp"), str(tmp_path / "fires.geojson")
    assert main(["events", str(maps), "--out", shapes, "--perimeters", lines]) == 2
    said = capsys.readouterr().err
    assert "fires.shp and fires.geojson would both have the style fires.qml" in said
    assert not list(tmp_path.iterdir())


def test_what_is_given_by_its_place_has_the_name_of_the_help(capsys):
    assert main(["cube", "info"]) == 2
    said = capsys.readouterr().err.replace('"', "")
    assert "CUBE requires" in said, said
    assert main(["cube", "info", "a.zarr", "b.zarr"]) == 2
    assert "nothing takes 'b.zarr'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["simulate", "--days", "2.5"], "--days takes a whole number, found 2.5"),
        (["demo", "--seed", "1.5"], "--seed takes a whole number, found 1.5"),
        (["tiles", "x.zarr", "--labels", "y", "--out", "z", "--workers", "1.5"], "--workers takes a whole"),
        (["nrt", "x", "--data", "y", "--out", "z", "--keep-days=0.5"], "--keep-days takes a whole number"),
    ],
)
def test_a_fraction_is_no_whole_number(words, told, capsys):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"error: {told}" in said and said.count("\n") == 1


def test_whole_numbers_and_fractions_are_taken_where_they_belong(tmp_path, capsys):
    words = ["simulate", "--days", "8.0", "--size", "16", "--out", str(tmp_path / "s"), "--formats", "truth"]
    assert main(words) == 0, capsys.readouterr().err
    assert (
        main(["region", "new", "A", "--bbox", "0.5,0,1,1", "--dir", str(tmp_path), "--pixel-size", "0.1"])
        == 0
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["cube", "build", "PT", "--viirs", "", "--hotspots", "h", "--out", "c.zarr"],
            "what follows --viirs is empty",
        ),
        (
            ["map", "c.zarr", "--start", "2020-08", "--end", "2020-08", "--out="],
            "what follows --out is empty",
        ),
        (["simulate", "--out", "s", "--region", " "], "what follows --region is empty"),
        (["", "--help"], "an argument is empty"),
    ],
)
def test_what_is_empty_is_refused(words, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert f"error: {told}; a variable of the shell may not be set" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_names_of_the_original_refuse_what_is_empty(tmp_path, capsys):
    words = ["P", "2020-08-01", "2020-08-01", str(tmp_path), ""]
    with pytest.raises(SystemExit) as ended:
        run("750", words)
    assert ended.value.code == 2 and "an argument is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["simulate", "--region", "PT", "--size", "24"], "give --region or --size, not both"),
        (["benchmark", "--subset", "small", "--draws", "-1"], "-1 draws; give 0 for no intervals"),
        (["benchmark", "--subset", "small", "--workers", "0"], "0 workers; give at least one"),
    ],
)
def test_options_that_are_out_of_range_or_have_no_effect(words, told, tmp_path, capsys):
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [["evaluate", "m", "--empty-reference"], ["nrt", "R", "--data", "d", "--out", "o", "--empty-replay"]],
)
def test_nothing_stands_for_an_empty_list(words, capsys):
    assert main(words) == 2
    assert main([words[0], "--help"]) == 0
    assert "--empty" not in capsys.readouterr().out


def test_the_home_folder_is_known_however_it_is_given(tmp_path, capsys, monkeypatch):
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert main(["region", "new", "A", "--bbox", "0,0,1,1", "--dir=~/regions"]) == 0
    assert (home / "regions" / "R_A.json").is_file()
    assert main(["region", "show", "~/regions/R_A.json"]) == 0
    file = work / "run.yaml"
    file.write_text(
        "region: ~/regions/R_A.json\nstart: 2020-08\nend: 2020-08\nout: ~/run\nweights: ~/a.pt,~/b.pt\n"
    )
    options = RunOptions.load(file, hotspots="x~/y")
    assert options.out == home / "run" and options.region == str(home / "regions" / "R_A.json")
    assert options.weights == f"{home}/a.pt,{home}/b.pt" and options.hotspots == Path("x~/y")
    assert not (work / "~").exists()
    with pytest.raises(InputError, match="out: is empty"):
        RunOptions.load(file, out="")


def test_a_picture_of_an_earlier_map_does_not_stay_beside_the_new_one(tmp_path):
    one = random_map((8, 8), start="2021-07-01", days=31)
    paths = write_products(one, tmp_path, "T_202107")
    assert paths["picture"].is_file() and paths["stac"].is_file()
    write_products(one, tmp_path, "T_202107", pictures=False, stac=False)
    assert not paths["picture"].exists() and not paths["stac"].exists()


def test_a_folder_named_like_the_home_folder_is_written_to_and_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = random_map((8, 8), start="2021-07-01", days=31)
    paths = write_products(one, "~/maps", "T_202107", pictures=False)
    assert read_map(Path("~/maps/T_202107.nc")).region == one.region and paths["netcdf"].is_file()
    write_growth(trace_events([one], min_hectares=0), "~/maps/growth.csv")
    assert (tmp_path / "~" / "maps" / "growth.csv").is_file()


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
    for wrong in (["--where", "nam=A"], ["--where", "name=C"], ["--layer", "x"], ["--bbox", "0,0,1,1"]):
        assert main([*words, "--force", *wrong]) == 2
    assert "--bbox" in capsys.readouterr().err
    for choice in (["--where", "name=Aland"], ["--layer", "countries"]):
        assert main(["region", "new", "B", "--bbox", "0,0,1,1", *choice]) == 2
        assert "give them with --polygon" in capsys.readouterr().err
    for layer, drawn in (("one", shapes), ("two", shapes[::-1])):
        gpd.GeoDataFrame(table, geometry=drawn, crs="EPSG:4326").to_file(tmp_path / "t.gpkg", layer=layer)
    words = ["region", "new", "C", "--polygon", str(tmp_path / "t.gpkg"), "--dir", str(tmp_path)]
    assert main(words) == 2
    assert "name one with --layer" in capsys.readouterr().err
    assert main([*words, "--layer", "two", "--where", "name=Aland"]) == 0
    assert Region.load(tmp_path / "R_C.json").bbox == (1, 1, 2, 2)


def test_weights_fit_a_screen_or_are_json(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["weights", "show", "default"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert main(["weights", "show", "default", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["parameters"] > 1000 and whole["card"] and whole["input"]["channels"][0] == "red"


def said(capsys, *words):
    """Run a command that prints nothing but a line of JSON, and return it."""
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_script_reads_regions_and_weights(capsys, tmp_path):
    facts = said(capsys, "region", "new", "A", "--bbox", "-8.123,40,-7,41", "--dir", tmp_path)
    assert facts["path"] == str(tmp_path / "R_A.json") and facts["bbox"] == [-8.13, 40, -7, 41]
    assert (facts["rows"], facts["columns"]) == (100, 113)
    assert said(capsys, "region", "show", "PI")["columns"] == 1500
    assert main(["weights", "list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(Path(one["path"]).stat().st_size == one["bytes"] for one in listed) and listed


def test_a_script_reads_scores(maps, tmp_path, capsys):
    one = min(maps.glob("*.nc"))
    found = said(capsys, "evaluate", one, "--reference", one, "--draws", 0)
    (tree,) = found["references"].values()
    assert tree["methods"][one.stem]["overall"]["scores"]["hard"]["dice"] == 1 and found["files"] == []
    words = ["--draws", 0, "--no-pictures", "--out", tmp_path]
    found = said(capsys, "compare", f"a={one}", f"b={one}", *words)
    assert list(found["references"]) == ["a", "b"] and all(Path(file).is_file() for file in found["files"])


def test_a_script_reads_hectares_of_zones(maps, tmp_path, capsys):
    zones = tmp_path / "zones.geojson"
    gpd.GeoDataFrame({"name": ["z"]}, geometry=[shapely.box(-8, 39, -7, 40)], crs="EPSG:4326").to_file(zones)
    found = said(capsys, "summarise", maps, "--zones", zones, "--out", tmp_path / "a.csv")
    (row,) = found["rows"]
    assert row["zone"] == "z" and row["burned_ha"] > 0
    assert (row["start"], row["end"]) == ("2021-07-01", "2021-08-31")
    zones = tmp_path / "unburned.geojson"
    gpd.GeoDataFrame({"name": ["u"]}, geometry=[shapely.box(-8, 39.99, -7.999, 40)], crs=4326).to_file(zones)
    (row,) = said(capsys, "summarise", maps, "--zones", zones, "--out", tmp_path / "b.csv")["rows"]
    assert row["burned_ha"] == 0 and row["first_day"] is None and row["last_day"] is None


def test_a_script_reads_a_season_and_its_cube_and_months_stand_for_days(tmp_path, capsys):
    folder, cube = tmp_path / "season", tmp_path / "a.zarr"
    words = ["--days", 33, "--size", 24, "--seed", 2, "--start", "2020-07-30"]
    assert main(["simulate", "--out", str(folder), *map(str, words), "--json"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert all(Path(file).is_file() for files in found["files"].values() for file in files)
    assert "simulate: 0/33" in told.err
    (region,) = found["files"]["region"]
    build = ["cube", "build", region, "--viirs", folder / "viirs", "--hotspots", folder / "hotspots"]
    held = said(capsys, *build, "--out", cube, "--start", "2020-08", "--end", "2020-08")
    assert (held["days"][0], held["days"][-1]) == ("2020-08-01", "2020-08-31")
    assert said(capsys, "cube", "check", cube) == {"days": len(held["days"]), "damaged": {}, "grid": {}}
    period = ["--start", "2020-08-03", "--end", "2020-08-09"]
    mapped = said(capsys, "baseline", cube, "--method", "active-fires", *period, "--out", tmp_path / "m")
    assert (mapped["start"], mapped["end"]) == ("2020-08-03", "2020-08-09")
    assert "A_20200803-20200809_burn_date.tif" in mapped["files"]["burn_date"].replace(
        "SIM_mediterranean", "A"
    )


@pytest.mark.parametrize(("answer", "there"), [("y", 2), ("", 1)])
def test_a_region_that_is_there_is_replaced_where_the_user_agrees(tmp_path, answer, there):
    words = [sys.executable, "-m", "banet", "region", "new", "A", "--dir", str(tmp_path), "--bbox"]
    assert subprocess.run([*words, "0,0,1,1"], check=False, capture_output=True).returncode == 0
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [*words, "0,0,1,2"], stdin=theirs, stderr=theirs, stdout=subprocess.PIPE
    ) as process:
        os.write(mine, f"{answer}\n".encode())
        assert process.wait(60) == (0 if there == 2 else 2)
    assert "replace it? [y/N]" in os.read(mine, 10_000).decode()
    assert Region.load(tmp_path / "R_A.json").bbox[3] == there


def test_periods_are_asked_for_in_the_same_words(capsys):
    commands = ["map", "run", "evaluate", "compare", "baseline", "tiles", "cube build"]
    commands += [f"download {what}" for what in ("viirs", "hotspots", "labels")]
    for command in commands:
        assert main([*command.split(), "--help"]) == 0
        words = " ".join(capsys.readouterr().out.replace("│", " ").split())
        assert "first day or month, YYYY-MM-DD or YYYY-MM" in words, command
        assert "last day or month, included" in words, command


def test_nobody_is_asked_where_standard_input_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert not can_ask()


def test_a_build_advises_the_option_that_takes_what_was_left_out(monkeypatch, tmp_path, capsys):
    def build(*_, notice, **__):
        notice(f"2 of 4 hot spots lie in PI; 2 {LEFT_OUT}")
        raise InputError("enough")

    monkeypatch.setattr("banet.ingest.folder.build_cube", build)
    words = ["--viirs", str(tmp_path), "--hotspots", str(tmp_path), "--out", str(tmp_path / "c.zarr")]
    assert main(["cube", "build", "PI", *words]) == 2
    assert f"2 {LEFT_OUT} (--all-hotspots takes them)" in " ".join(capsys.readouterr().err.split())
