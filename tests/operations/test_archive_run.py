"""Archive run: from files at hand to a page, twice the same, and resumed."""

from __future__ import annotations

import json
import os
import re
import shutil
import warnings

import numpy as np
import pytest

from banet import read_map
from banet.cli import main
from banet.cli.operations import Aside, Terminal
from banet.cli.progress import failure, quiet
from banet.errors import BanetWarning, BusyError, InputError, NotFoundError, OutputError
from banet.grid.region import Region
from banet.io.lock import lock
from banet.operations.archive_run import run_archive
from banet.operations.area import Area
from banet.operations.nrt import run_morning
from banet.operations.options import MorningOptions, RunOptions
from banet.operations.steps import CUBE_BYTES, Places, Silent, check_disk, days_needed

REGION = Region("T", (-8.0, 40.0, -7.6, 40.4), 0.01)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    from banet.simulation import simulate, write_scene

    folder = tmp_path_factory.mktemp("raw")
    write_scene(simulate(REGION, start="2020-07-15", days=64, seed=5), folder)
    return folder


def options(raw, out, **more):
    fields = {"region": str(raw / "R_T.json"), "start": "2020-08", "end": "2020-08", "out": out}
    return RunOptions(**fields, download=False, viirs=raw / "viirs", hotspots=raw / "hotspots", **more)


@pytest.fixture(scope="module")
def made(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    (out / ".unfinished" / "OTHER").mkdir(parents=True)  # of another region, whose run is not at its end
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BanetWarning)
        return run_archive(options(raw, out, min_hectares=50))


def test_it_leaves_a_map_fires_a_page_and_a_status(made):
    import geopandas as gpd

    burned = read_map(made.maps["2020-08"])
    assert made.hectares == {"2020-08": round(burned.burned_area_ha, 1)}
    fires = gpd.read_file(made.fires, layer="fires")
    assert (fires["area_ha"] >= 50).all()
    inside = re.search(r'id="data">(.*?)</script>', made.page.read_text(), re.DOTALL)
    data = json.loads(inside[1])
    assert [fire["properties"]["id"] for fire in data["fires"]] == fires["id"].tolist()
    assert sum(data["daily_ha"]) == pytest.approx(burned.burned_area_ha, abs=2)
    assert len([share for share in data["seen"] if share is not None]) > 20
    status = json.loads((made.folder / "status.json").read_text())
    assert status["hectares"] == made.hectares
    assert status["failed"] == []
    assert os.listdir(made.folder / ".unfinished") == ["OTHER"]


@pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")
def test_a_second_run_gives_the_same_and_builds_nothing_again(raw, made):
    days = {
        file: file.stat().st_mtime_ns for file in (made.folder / "T.zarr").rglob("c/**/*") if file.is_file()
    }
    maps = {file: file.stat().st_mtime_ns for file in (made.folder / "maps").iterdir()}
    again = run_archive(options(raw, made.folder, min_hectares=50))
    assert {file: file.stat().st_mtime_ns for file in maps} == maps  # nor mapped again
    assert again.hectares == made.hectares
    assert (read_map(again.maps["2020-08"]).burn_date == read_map(made.maps["2020-08"]).burn_date)[
        read_map(made.maps["2020-08"]).burned
    ].all()
    assert {file: file.stat().st_mtime_ns for file in days} == days


@pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")
def test_a_map_is_made_again_when_something_under_it_changed(raw, made, tmp_path, monkeypatch):
    shutil.copytree(made.folder / "maps", tmp_path / "maps")
    chosen = options(raw, tmp_path, min_hectares=50).model_copy(update={"cube": made.folder / "T.zarr"})
    file = tmp_path / "maps" / "T_202008.nc"
    said = []
    monkeypatch.setattr(Silent, "say", lambda self, text: said.append(text))
    run_archive(chosen)
    assert any("(was there)" in line for line in said)
    said.clear()
    run_archive(chosen.model_copy(update={"threshold": 0.6}))
    assert not any("(was there)" in line for line in said)
    assert read_map(file).threshold == 0.6
    file.write_bytes(file.read_bytes()[:-100])  # damaged: made again too
    run_archive(chosen.model_copy(update={"threshold": 0.6}))
    assert read_map(file).threshold == 0.6


@pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")
def test_maps_are_cut_to_a_polygon(raw, made, tmp_path):
    triangle = {"type": "Polygon", "coordinates": [[[-8, 40], [-8, 40.4], [-7.6, 40.4], [-8, 40]]]}
    shape = tmp_path / "half.geojson"
    shape.write_text(json.dumps(triangle))
    same = {"region": str(shape), "name": "T", "cube": made.folder / "T.zarr"}
    chosen = options(raw, tmp_path / "out").model_copy(update=same)
    burned = read_map(run_archive(chosen).maps["2020-08"])
    whole = read_map(made.maps["2020-08"])
    rows, cols = np.indices(burned.region.shape)
    inside = cols < burned.region.shape[0] - rows - 0.5
    assert (burned.status[~inside] == -1).all()
    np.testing.assert_array_equal(burned.status[inside], whole.status[inside])
    assert run_archive(chosen).hectares == {"2020-08": round(burned.burned_area_ha, 1)}


def test_a_disk_without_room_is_told_before_anything_is_fetched(tmp_path, monkeypatch):
    from banet.download import FileJob, Plan, pool

    places = Places(Area(REGION), tmp_path / "viirs", None, tmp_path / "T.zarr")
    plan = Plan((FileJob("http://127.0.0.1/a", tmp_path / "viirs" / "a", size=5_000_000),))
    need = 5_000_000 + 40 * 40 * 64 * CUBE_BYTES
    monkeypatch.setattr(pool, "room", lambda folder: need)
    assert check_disk(places, [plan], 64).startswith("disk: downloads need 5.0 MB, the cube at most 512.0 kB")
    monkeypatch.setattr(pool, "room", lambda folder: need - 1)
    with pytest.raises(OutputError, match="make room"):
        check_disk(places, [plan], 64)


def test_hot_spots_of_a_file_that_was_named_are_not_fetched(raw, tmp_path, monkeypatch):
    from banet.operations import archive_run

    asked = []
    monkeypatch.setattr(archive_run, "fetch", lambda *_, hotspots: asked.append(hotspots) or ())
    monkeypatch.setattr(archive_run, "build", lambda *_: 1 / 0)
    table = tmp_path / "archive.csv"
    table.write_text("latitude,longitude,acq_date,acq_time,frp\n")
    for given in (table, tmp_path, None):
        chosen = options(raw, tmp_path / "out").model_copy(update={"download": True, "hotspots": given})
        with pytest.raises(ZeroDivisionError):
            run_archive(chosen)
        assert any("none are fetched" in note for note in chosen.notes) == (given == table)
    assert asked == [False, True, True]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("750", "viirs750-swath"),
        ("VIIRS750", "viirs750-swath"),
        ("VIIRS375", "viirs375-swath"),
        ("swath375", "viirs375-swath"),
        ("surface", "surface"),
        ("VIIRS-Surface", "surface"),
    ],
)
def test_a_product_has_one_name_whichever_is_given(asked, name):
    assert RunOptions(region="T", start="2020-08", end="2020-09", out="x", product=asked).product == name
    assert MorningOptions(region="T", data="d", out="x", product=asked).product == name


@pytest.mark.parametrize("asked", ["viirs750-gridded", "modis", "viirs750-swaths"])
def test_a_product_that_cannot_be_fetched_is_refused_at_once(asked, tmp_path, capsys):
    words = ["--start", "2020-08", "--end", "2020-08", "--out", str(tmp_path), "--no-download"]
    assert main(["run", "0,0,1,1", *words, "--product", asked]) == 2
    assert f"no VIIRS product '{asked}' to fetch" in capsys.readouterr().err


def test_days_before_and_after_the_period_are_needed():
    needed = days_needed(RunOptions(region="T", start="2020-08", end="2020-09", out="x"))
    assert needed == (np.datetime64("2020-07-15"), np.datetime64("2020-10-17"))


def test_one_run_at_a_time(raw, made):
    with lock(made.folder / "T", "the test"), pytest.raises(BusyError, match="run of T"):
        run_archive(options(raw, made.folder))


def test_the_folder_of_another_region_is_refused_and_stays(raw, made):
    before = {file: file.read_bytes() for file in (made.folder / "run.yaml", made.folder / "status.json")}
    asked = options(raw, made.folder).model_copy(update={"region": "-8,40,-7.6,40.4", "name": "U"})
    with pytest.raises(InputError, match=r"holds the run of T, not of U; give each region its own folder"):
        run_archive(asked)
    assert {file: file.read_bytes() for file in before} == before
    assert not list(made.folder.glob("U*"))


def test_a_folder_of_mornings_is_refused_and_keeps_its_status(raw, tmp_path):
    asked = options(raw, tmp_path)
    morning = MorningOptions(region=asked.region, data=tmp_path / "no", out=tmp_path, download=False)
    with pytest.raises(NotFoundError):
        run_morning(morning.model_copy(update={"day": "2020-08-31"}))
    before = (tmp_path / "status.json").read_bytes()
    with pytest.raises(InputError, match=r"holds mornings \(banet nrt\); give the run its own folder"):
        run_archive(asked)
    (tmp_path / "status.json").unlink()
    (tmp_path / "2020-08-31").mkdir()
    (tmp_path / "2020-08-31" / "T_state.npz").touch()
    with pytest.raises(InputError, match="holds mornings"):
        run_archive(asked)
    assert before and not (tmp_path / "run.yaml").exists() and not (tmp_path / "status.json").exists()


def test_mornings_refuse_the_folder_of_a_run_and_leave_its_status(raw, made):
    before = (made.folder / "status.json").read_bytes()
    asked = MorningOptions(region=str(raw / "R_T.json"), data=raw, out=made.folder, download=False)
    with pytest.raises(
        InputError, match=r"holds a run of banet run \(run\.yaml\); give the mornings their own"
    ):
        run_morning(asked.model_copy(update={"day": "2020-08-31"}))
    assert (made.folder / "status.json").read_bytes() == before


def test_options_come_from_a_file_and_a_wrong_one_is_told(tmp_path, capsys):
    path = tmp_path / "run.yaml"
    words = ["run", "PT", "--start", "2020-08", "--end", "2020-08", "--out", str(tmp_path / "o")]
    assert main([*words, "--threshold", "0.4", "--write-config", str(path)]) == 0
    assert RunOptions.load(path).threshold == 0.4
    assert RunOptions.load(path, threshold=0.6).threshold == 0.6
    path.write_text(path.read_text() + "treshold: 0.3\n")
    with pytest.raises(InputError, match="treshold"):
        RunOptions.load(path)
    capsys.readouterr()
    assert main(["run", "PT", "--start", "2020-08", "--end", "2020-08"]) == 2
    assert "out" in capsys.readouterr().err
    assert main([*words, "--satellites", "noaa20,terra"]) == 2
    assert "'snpp', 'noaa20' or 'noaa21'" in capsys.readouterr().err


def test_a_file_of_options_may_say_days_and_lists_as_the_command_line_does(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("region: PT\nstart: 2020-08-01\nend: 2020-08-31\nout: o\nsatellites: noaa20, noaa21\n")
    asked = RunOptions.load(path)
    assert (asked.start, asked.end) == ("2020-08-01", "2020-08-31")
    assert asked.satellites == ("noaa20", "noaa21")
    path.write_text(path.read_text() + "threshold: yes\n")
    with pytest.raises(InputError, match="threshold is no yes or no, found yes"):
        RunOptions.load(path)


def test_quiet_leaves_out_steps_and_notes_and_keeps_what_failed(capsys):
    for reporter in (Aside(), Terminal()):
        reporter.say("61.1 s  build the cube")
        said = capsys.readouterr()
        assert "build the cube" in said.out + said.err
        with quiet():
            reporter.say("61.1 s  build the cube")
            failure("a host is down")
        assert capsys.readouterr() == ("", "failed: a host is down\n")


def test_satellites_have_no_effect_on_files_at_hand_and_that_is_said():
    fields = {"region": "T", "start": "2020-08", "end": "2020-08", "out": "x", "satellites": ("snpp",)}
    assert RunOptions(**fields).notes == ()
    assert "of the files at hand all are used" in RunOptions(**fields, download=False).notes[0]
    product = RunOptions(**fields, download=False, product="375").notes[1]
    assert product == "product chooses what is fetched; of the files at hand all are used"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--incidents-field", "NAME"], "incidents_field NAME goes with a file of incidents"),
        (["--replay", "2020-08-01", "2020-08-02", "--download"], "give --download or --replay, not both"),
    ],
)
def test_options_of_mornings_that_do_not_go_together(more, told, tmp_path, capsys):
    words = ["nrt", "PT", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *more]
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_the_file_of_options_that_was_written_is_told_as_json(tmp_path, capsys):
    file = tmp_path / "run.yaml"
    words = ["run", "PT", "--start", "2020-08", "--end", "2020-08", "--out", str(tmp_path)]
    words += ["--write-config", str(file)]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"config": str(file)}
    assert main(words) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_hot_spots_that_the_cube_holds_are_told(raw, made):
    told = []

    class Told(Silent):
        def say(self, text):
            told.append(text)

    fields = options(raw, made.folder, min_hectares=50).model_copy(update={"hotspots": None})
    run_archive(fields, Told())
    folder = made.folder / "hotspots"
    assert any(
        line.startswith(f"note: no hot spots in {folder}; FRP of earlier builds is known on ")
        for line in told
    )


def test_a_folder_without_files_is_wrong_input(tmp_path, capsys):
    (tmp_path / "viirs").mkdir()
    words = ["run", "PT", "--start", "2020-08", "--end", "2020-08", "--no-download", "--out", str(tmp_path)]
    assert main(words) == 2
    assert "no satellite file" in capsys.readouterr().err


def test_weights_that_are_not_there_are_told_before_anything_is_fetched(raw, tmp_path):
    with pytest.raises(NotFoundError, match="no weights named 'nope'"):
        run_archive(options(raw, tmp_path / "o", weights="nope"))
    assert not list((tmp_path / "o").glob("*.zarr"))
