"""Faults that were silent or misnamed: odd names, unknown choices, other days, code that is not hashed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import banet
from banet.burned_area.quality import Quality
from banet.cli import main
from banet.errors import BanetWarning, InputError
from banet.evaluation import compare, evaluate, score
from banet.evaluation.benchmark import stage
from banet.evaluation.result_files import write_result
from banet.export import write_products
from banet.grid.region import Region
from banet.io.lock import lock
from banet.io.manifest import Manifest
from made_maps import map_of

DAYS = np.where(np.arange(20).reshape(4, 5) < 9, 3, -1)


@pytest.mark.parametrize("name", ["a|b  $x$ <i>&", "_hidden"])
def test_a_map_may_have_any_name(tmp_path, name):
    """Names with a pipe ended the evaluation after all work was done, since Markdown was read back."""
    here = map_of(DAYS)
    found = evaluate(here, replace(here, name="re|f"), name=name, baselines={"o|ther": here}, draws=5)
    paths = write_result(found, tmp_path)
    held = json.loads(paths["json"].read_text())
    assert list(held["scores"]) == [name, "o|ther"]
    table = [line for line in paths["markdown"].read_text().splitlines() if line.startswith("|")]
    assert table
    assert "<i>" not in paths["page"].read_text()
    assert name in paths["scores_csv"].read_text()
    assert name in [one["name"] for one in held["scores"].values()]


def test_a_baseline_takes_no_place_of_the_map_and_hot_spots_may_be_a_file(tmp_path):
    here = map_of(DAYS)
    with pytest.raises(InputError, match="a baseline is called 'map', as is the map; give one of them"):
        evaluate(here, here, baselines={"map": here}, draws=0)
    with pytest.raises(InputError, match=r"baselines are maps by their names, \{name: map\}, not a list"):
        evaluate(here, here, baselines=[here], draws=0)
    row, col = np.argwhere(here.burned)[0]
    lat, lon, day = here.region.latitudes[row], here.region.longitudes[col], here.burn_date[row, col]
    text = f"latitude,longitude,frp,acq_date\n{lat:.5f},{lon:.5f},3.0,{day}\n"
    (tmp_path / "f.csv").write_text(text)
    table = pd.DataFrame({"latitude": [lat], "longitude": [lon], "frp": 3.0, "time": [day], "type": "0"})
    table["time"] = table["time"].astype("datetime64[ns]")
    for spots in (tmp_path / "f.csv", table):
        assert evaluate(here, here, hotspots=spots, draws=0).fires["map"].cells > 0


def test_the_command_takes_a_map_of_any_name(tmp_path, capsys):
    manifest = Manifest(command="test", config={}, inputs=(), weights={})
    write_products(map_of(DAYS), tmp_path / "m", "a|b", manifest=manifest, pictures=False)
    file = str(tmp_path / "m" / "a|b.nc")
    assert main(["evaluate", file, "--reference", file, "--out", str(tmp_path / "out"), "--draws", "5"]) == 0
    assert r"| a\|b | 1.000" in capsys.readouterr().out
    assert (tmp_path / "out" / "evaluation.html").is_file()


def test_an_unknown_choice_names_those_that_there_are():
    here = map_of(DAYS)
    for judge in (score, compare, evaluate):
        with pytest.raises(InputError, match="'exclude' or 'unburned'"):
            judge(here, here, unobserved="typo")
        with pytest.raises(InputError, match="reference_threshold"):
            judge(here, here, reference_threshold=50)
        told = rf"^{judge.__name__}\(\) got .* 'treshold'; did you mean 'threshold'\?"
        with pytest.raises(TypeError, match=told):
            judge(here, here, treshold=0.1)
    for judge in (score, evaluate):
        with pytest.raises(TypeError, match=r"did you mean 'draws'\?"):
            judge(here, here, drawz=10)


def test_days_are_named_where_it_is_days_and_the_place_where_it_is_the_place():
    august, may = map_of(DAYS), map_of(DAYS, start="2021-05-01")
    with pytest.raises(InputError, match=r"2021-08-01 to 2021-08-\d\d.*no day in common"):
        score(august, may)
    with pytest.raises(InputError, match=r"days to compare \(2021-09-01 to 2021-09-29\) have no day"):
        score(august, august, days=("2021-09-01", "2021-09-30"))
    far = map_of(DAYS, west=50.0)
    with pytest.raises(InputError, match="same place"):
        score(august, far)
    # On the same ground, but never seen: neither another place nor other days.
    unseen = replace(
        august,
        burned_fraction=np.full(DAYS.shape, np.nan, np.float32),
        burn_date=np.full(DAYS.shape, np.datetime64("NaT", "D")),
        uncertainty=np.full(DAYS.shape, 255, np.uint8),
        observed_days=np.zeros(DAYS.shape, np.int16),
    )
    with pytest.raises(InputError, match="the reference knows 0") as caught:
        score(august, unseen)
    assert "same place" not in str(caught.value)
    with pytest.raises(InputError, match="the mask allows 0$"):
        score(august, august, valid=np.zeros(DAYS.shape, bool))
    never = np.full(DAYS.shape, np.datetime64("NaT", "D"))
    product = replace(august, quality=Quality(never, never, np.zeros(DAYS.shape, np.uint8)))
    with pytest.raises(InputError, match="the reference knows 20, the reference saw reliably 0$"):
        score(august, product, reliable=True)


def test_hot_spots_of_another_place_are_told():
    here = map_of(DAYS)
    table = pd.DataFrame({"latitude": [0.0], "longitude": [0.0], "frp": 3.0, "type": "0"})
    table["time"] = np.array(["2021-08-04"], "datetime64[ns]")
    with pytest.warns(BanetWarning, match="no hot spot lies near what burned within 30 days"):
        assert evaluate(here, here, hotspots=table, draws=0).fires["map"].cells == 0


def test_days_beyond_what_both_cover_are_not_compared():
    august = map_of(DAYS)
    pair = compare(august, august, days=("2021-07-15", "2021-08-10"))
    assert (str(pair.start), str(pair.stop)) == ("2021-08-01", "2021-08-10")


def test_one_region_may_be_given_in_other_longitudes():
    from banet.evaluation.compare import _meet

    one, other = Region("A", (179, 0, 181, 1), 0.5), Region("B", (-180, 0, -179, 1), 0.5)
    assert _meet(one, other)
    assert not _meet(one, Region("C", (-170, 0, -169, 1), 0.5))
    assert not _meet(one, Region("D", (179, 5, 181, 6), 0.5))


def test_another_run_in_the_folder_is_one_error(tmp_path, capsys):
    words = ["benchmark", "--out", str(tmp_path / "b"), "--weights", "none", "--subset", "small"]
    with lock(tmp_path / "b", "this benchmark"):
        assert main(words) == 1
    assert "another run" in capsys.readouterr().err


def _rooms():
    top = Path(banet.__file__).parent
    return sorted(p.name for p in top.iterdir() if (p.is_dir() and "__" not in p.name) or p.suffix == ".py")


def test_a_change_of_any_room_is_other_code(tmp_path):
    """The package is walked: whichever file changes, appears or goes, scores are made anew."""
    for room in _rooms():
        (tmp_path / room).parent.mkdir(exist_ok=True)
        file = tmp_path / room if room.endswith(".py") else tmp_path / room / "part.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text("x = 1\n")

    def hashed(left_out=stage.ABOVE):
        stage._hash_of.cache_clear()
        return stage._hash_of(left_out, tmp_path)

    before = hashed()
    for room in _rooms():
        file = tmp_path / room if room.endswith(".py") else tmp_path / room / "part.py"
        file.write_text("x = 2\n")
        assert (hashed() == before) == (room in stage.ABOVE), room
        file.write_text("x = 1\n")
        assert hashed() == before
    (tmp_path / "a_new_room").mkdir()
    (tmp_path / "a_new_room" / "part.yaml").write_text("x: 1\n")
    assert hashed() != before
    stage._hash_of.cache_clear()


def test_rooms_that_are_left_out_cannot_be_imported_by_what_is_hashed():
    """No score can depend on a room that nothing at or below this one imports."""
    top = Path(banet.__file__).parent
    for file in top.rglob("*.py"):
        if file.relative_to(top).parts[0] in stage.ABOVE or file.parent == top:
            continue
        text = file.read_text(encoding="utf-8")
        for room in stage.ABOVE:
            assert f"from banet.{room}" not in text, (file, room)
            assert f"import banet.{room}" not in text, (file, room)


@pytest.mark.parametrize("judge", [score, evaluate])
def test_fewer_draws_than_none_are_refused(judge):
    with pytest.raises(InputError, match="-1 draws; give 0 for no intervals, or more"):
        judge(map_of(DAYS), map_of(DAYS), draws=-1)
