"""Mornings end to end against agencies on 127.0.0.1, with all that goes wrong between them and the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from banet import days
from banet.cli import main
from banet.cube import open_cube
from banet.download import firms
from banet.operations.identity import Status
from banet.operations.state import MorningState
from fake_agencies import KEY, TOKEN, Reply, agencies  # noqa: F401
from played_season import REGION, Morning, Season

pytestmark = pytest.mark.filterwarnings("ignore::banet.errors.BanetWarning")

SNPP, NOAA20 = "VNP", "VJ1"


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    return Season(tmp_path_factory.mktemp("season"))


class Place:
    """A region's folders, and the command that runs its mornings."""

    def __init__(self, folder, agencies, season, monkeypatch, capsys):  # noqa: F811
        self.folder, self.agencies, self.season = folder, agencies, season
        self._patch, self._caps = monkeypatch, capsys
        self.data, self.out = folder / "data", folder / "out"
        self.data.mkdir(parents=True)
        REGION.save(self.data)
        monkeypatch.setenv("BANET_DOWNLOAD_CONFIG", str(agencies.config(folder / "download.yaml")))
        monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
        monkeypatch.setenv("FIRMS_MAP_KEY", KEY)

    def words(self, *more):
        words = ["nrt", str(self.data / "R_M.json"), "--data", str(self.data), "--out", str(self.out)]
        return [*words, "--product", "surface", "--min-hectares", "50", "--json", *more]

    def clock(self, today):
        for module in (days, firms):
            self._patch.setattr(module, "today_utc", lambda: np.datetime64(today))

    def run(self, morning, *more):
        """Run the morning after a day, as far as the agencies have it; return exit code, status, messages."""
        self.clock(np.datetime64(morning.day) + 1)
        self.season.serve(self.agencies, morning)
        code = main(self.words(*more))
        said = self._caps.readouterr()
        assert TOKEN not in said.out + said.err
        assert KEY not in said.out + said.err
        status = json.loads(said.out) if said.out.strip() else {}
        return code, status, said.err

    def inputs(self, day):
        return open_cube(self.data / "M.zarr").record(np.datetime64(day)).inputs


@pytest.fixture
def place(agencies, season, tmp_path, monkeypatch, capsys):  # noqa: F811
    return Place(tmp_path / "place", agencies, season, monkeypatch, capsys)


def plain(place, day):
    code, status, err = place.run(Morning(day))
    assert code == 0, err
    assert (status["day"], status["newest_images"], status["failed"]) == (day, day, [])
    assert status["newest_images_by_satellite"] == place.season.newest(day)
    assert set(status["newest_hotspots_by_satellite"]) <= {"S-NPP", "NOAA-20"}
    assert status["seconds"]["fetch"] > 0


def a_late_granule(place, day):
    before = Morning(day, lacking=((SNPP, day), (NOAA20, day)))
    code, status, _ = place.run(before, "--max-age", "0")
    assert code == 3
    assert status["gaps"][day] == ["no file"]
    assert "1 days before" in status["failed"][0]
    later = str(np.datetime64(day) + 1)
    code, status, _ = place.run(Morning(later), "--max-age", "0")
    assert code == 0
    assert day not in status["gaps"]
    causes = {
        cause for kind in ("added", "re-dated", "withdrawn") for cause in status["revisions"].get(kind, {})
    }
    assert "late granule" in causes


def a_missing_satellite(place, day):
    code, status, _ = place.run(Morning(day, lacking=((NOAA20, day),)))
    assert code == 0
    assert status["newest_images_by_satellite"]["S-NPP"] == day
    assert status["newest_images_by_satellite"]["NOAA-20"] < day


def early_files_replaced(place, day):
    before = str(np.datetime64(day) - 1)
    early = place.inputs(before)
    assert early
    assert all("09GA_NRT" in name for name in early)
    values = open_cube(place.data / "M.zarr").read(np.datetime64(before), np.datetime64(day)).nir
    code, _, _ = place.run(Morning(day, standard=0))
    assert code == 0
    assert all("09GA." in name for name in place.inputs(before))
    now = open_cube(place.data / "M.zarr").read(np.datetime64(before), np.datetime64(day)).nir
    assert np.nanmean(now - values) > 0.001


def a_login_that_expires(place, day):
    place.agencies.login.token = "another"
    code, status, _ = place.run(Morning(day))
    place.agencies.login.token = TOKEN
    assert code == 3
    assert status["gaps"][day] == ["no file"]
    assert any("EARTHDATA_TOKEN" in line for line in status["failed"])
    assert status["hectares"] > 0


def a_host_that_is_down(place, day):
    place.agencies.catalogue.faults["*"] += [Reply(503, b"maintenance")] * 40
    code, status, _ = place.run(Morning(day))
    place.agencies.catalogue.faults.clear()
    assert code == 3
    assert any(line.startswith("download: ") for line in status["failed"])
    assert status["day"] == day


def test_an_archive_run_says_what_it_will_fetch_and_fetches_it_once(place, tmp_path, capsys):
    place.clock("2020-06-30")
    place.season.serve(place.agencies, Morning("2020-06-28"))
    words = ["run", str(place.data / "R_M.json"), "--start", "2020-06-27", "--end", "2020-06-28"]
    words += ["--out", str(place.out), "--product", "surface", "--min-hectares", "50"]
    assert main(words) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    fetched = len(list((place.out / "viirs").glob("*.h5")))
    assert fetched > 10
    about = [
        next(line for line in lines if line.startswith(name)) for name in ("satellite", "hot spots", "disk")
    ]
    assert f"{fetched} files" in about[0], about
    assert "free" in about[2]
    assert lines.index(about[2]) < next(n for n, line in enumerate(lines) if line.endswith(" s  fetch"))
    assert TOKEN not in said.out + said.err
    asked = len(place.agencies.data.received)
    assert main(words) == 0
    assert len(place.agencies.data.received) == asked  # of what is there nothing is asked for again
    assert "(was there)" in capsys.readouterr().out
    place.agencies.login.token = "another"
    place.season.serve(place.agencies, Morning("2020-06-29"))
    assert main([str(tmp_path) if word == str(place.out) else word for word in words]) == 2
    said = capsys.readouterr()
    assert "files were not fetched; the first: VNP09GA.A2020170" in said.out
    assert "EARTHDATA_TOKEN" in said.out
    assert "no satellite file" in said.err
    place.agencies.login.token = TOKEN


def registers(place):
    """Return the register of each morning, the earliest first."""
    files = sorted(place.out.glob("2020-*/M_state.npz"))
    return [MorningState.load(file).register for file in files]


def check_names(place):
    """Make sure that no name is used again and none changes but by a merge."""
    known: dict[str, tuple[str, int]] = {}
    found = registers(place)
    for one in found:
        for name, fire in one.fires.items():
            born = known.setdefault(name, (str(fire.first_seen), fire.cells.place.min()))
            assert born[0] == str(fire.first_seen)
            assert (fire.into is None) == (fire.status is not Status.MERGED)
        assert set(known) == set(one.fires)
    assert found[-1].fires


def test_mornings_with_late_granules_and_a_login_that_expires(place):
    plain(place, "2020-06-27")
    a_late_granule(place, "2020-06-28")
    early_files_replaced(place, "2020-06-30")
    a_login_that_expires(place, "2020-07-01")
    check_names(place)


@pytest.mark.slow
def test_ten_mornings(place):
    plain(place, "2020-06-27")
    a_late_granule(place, "2020-06-28")
    a_missing_satellite(place, "2020-06-30")
    plain(place, "2020-07-01")
    early_files_replaced(place, "2020-07-02")
    a_login_that_expires(place, "2020-07-03")
    plain(place, "2020-07-04")
    a_host_that_is_down(place, "2020-07-05")
    plain(place, "2020-07-06")
    check_names(place)
    assert len(registers(place)) == 10


def test_hot_spots_of_the_last_day_where_a_piece_ends_with_it(place):
    plain(place, "2020-06-26")  # pieces of five days: one ends on this day
    assert list((place.data / "hotspots").glob("*_20200626_early.csv"))
    day = np.datetime64("2020-06-26")
    frp = open_cube(place.data / "M.zarr").read(day, day + 1).frp
    assert np.isfinite(frp).all()
    assert (frp > 0).any()


@pytest.mark.slow
def test_a_damaged_file_is_in_the_status_and_fetched_again(place, capsys):
    def broken(body):
        return body[:2000] + bytes(len(body) - 2000)

    def run(day, damage):
        place.clock(np.datetime64(day) + 1)
        place.season.serve(place.agencies, Morning(day))
        files = place.agencies.data.files
        files |= {path: broken(body) for path, body in files.items() if damage in path}
        code = main(place.words())
        return code, json.loads(capsys.readouterr().out)["failed"]

    name = "VNP09GA_NRT.A2020178"
    code, (line,) = run("2020-06-26", name)
    assert code == 3
    assert line.startswith("2020-06-26: tile S-NPP h17v05: ")
    assert name in line
    assert line.endswith("has no 1 km grid under HDFEOS/GRIDS; set aside, to be fetched again")
    (aside,) = (place.data / "viirs").rglob(f"{name}*")
    assert aside.name.endswith(".h5.damaged")
    code, (line,) = run("2020-06-27", name)  # the host still has it so
    assert (code, line.endswith("under HDFEOS/GRIDS")) == (3, True)
    aside.with_suffix("").unlink()
    assert run("2020-06-28", "no file") == (0, [])
    assert any(name in one for one in place.inputs("2020-06-26"))
    # New files that cannot be read at all leave the day as it is, and are told.
    before = place.inputs("2020-06-26")
    code, failed = run("2020-06-29", "09GA.A2020178")
    assert (code, len(failed)) == (3, 2), failed
    assert place.inputs("2020-06-26") == before and all("09GA_NRT" in name for name in before)


def test_a_first_file_that_cannot_be_read_is_fetched_again(place, capsys):
    place.clock("2020-06-19")
    place.season.serve(place.agencies, Morning("2020-06-18"))
    whole = dict(place.agencies.data.files)
    place.agencies.data.files |= {path: body[:2000] + bytes(len(body) - 2000) for path, body in whole.items()}
    assert main(place.words()) == 2
    assert "could be read" in capsys.readouterr().err
    place.agencies.data.files |= whole
    assert main(place.words()) == 0


def test_a_last_day_without_hot_spots_is_told(place):
    place.season.serve(place.agencies, Morning("2020-06-27"))
    for source in ("VIIRS_SNPP_NRT", "VIIRS_NOAA20_NRT"):
        place.agencies.firms.days[source] = (place.agencies.firms.days[source][0], "2020-06-26")
    place.clock("2020-06-28")
    assert main(place.words()) == 0
    notes = " ".join(json.loads((place.out / "status.json").read_text())["notes"])
    assert "hot spots are not known of 1 of the 64 days that are mapped, the last of them 2020-06-27" in notes


def test_a_clock_on_another_day(place, capsys):
    plain(place, "2020-06-27")
    place.clock("2020-06-30")  # two days ahead of what the agencies have
    assert main(place.words("--max-age", "1")) == 3
    status = json.loads(capsys.readouterr().out)
    assert (status["day"], status["newest_images"]) == ("2020-06-29", "2020-06-27")
    assert set(status["gaps"]) >= {"2020-06-28", "2020-06-29"}
    place.clock("2020-06-29")  # right again
    place.season.serve(place.agencies, Morning("2020-06-28"))
    assert main(place.words()) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["newest_images"] == "2020-06-28"
    assert "later mornings went on from what was here before" in said.err
    assert json.loads((place.out / "status.json").read_text())["day"] == "2020-06-29"
    assert main(place.words("--day", "2020-06-30")) == 2
    assert "has not come" in capsys.readouterr().err


def quiet_mornings(place, tmp_path, names):
    place.season = Season(tmp_path / "quiet", quiet=True)
    for day in names:
        code, status, _ = place.run(Morning(day))
        assert (code, status["fires"], status["newest_hotspots"], status["failed"]) == (0, 0, None, [])
        assert status["newest_images"] == day
        assert "FRP" not in " ".join(status["notes"])
    frp = open_cube(place.data / "M.zarr").read(np.datetime64(names[-1]), np.datetime64(names[-1]) + 1).frp
    assert (frp == 0).all()  # looked at and without a fire, which is not unknown


@pytest.mark.slow
def test_a_quiet_week(place, tmp_path):
    quiet_mornings(place, tmp_path, [f"2020-06-{number}" for number in range(24, 31)])


def trials(place, tmp_path, *tries):
    """Run the morning of 28 June from that of 27 June undisturbed and then as each trial disturbs it."""
    place.season.serve(place.agencies, Morning("2020-06-28"))
    task = {
        "before": str(place.folder),
        "place": str(tmp_path / "work"),
        "words": [word.replace(str(place.folder), str(tmp_path / "work")) for word in place.words()],
        "today": "2020-06-29",
        "trials": [{}, *tries],
    }
    program = Path(__file__).parents[1] / "killed_mornings.py"
    done = subprocess.run(
        [sys.executable, program, json.dumps(task)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=os.environ,
    )
    first, *others = (json.loads(line) for line in done.stdout.splitlines())
    messages = (tmp_path / "messages").read_text()
    assert (first["ended"], first["again"], first["differs"]) == ([0], [0], []), messages
    assert len(others) == len(tries)
    return int(first["changes"]), others


def check_trials(found):
    for one in found:
        assert (one["again"], one["differs"]) == ([0], []), one
        if "kill" in one:
            assert one["ended"] == [-9]
        elif "size" in one:
            assert one["ended"][0] in {1, 3}
        else:
            assert sorted(one["ended"]) == [0, 1]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_morning_and_two_at_once(place, tmp_path):
    plain(place, "2020-06-27")
    _, found = trials(place, tmp_path, {"kill": 40}, {"twice": True})
    check_trials(found)


PARTS = 4  # some 460 steps, in tests that may run side by side


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1, PARTS + 1))
def test_killed_at_every_step(place, tmp_path, first):
    plain(place, "2020-06-27")
    changes, _ = trials(place, tmp_path)
    tries = [{"kill": number} for number in range(first, changes + 1, PARTS)]
    assert tries
    _, found = trials(place, tmp_path, *tries)
    check_trials(found)


@pytest.mark.slow
def test_every_size_of_a_full_disk(place, tmp_path):
    plain(place, "2020-06-27")
    _, found = trials(place, tmp_path, *({"size": size} for size in (0, 200, 2_000, 10_000, 40_000, 100_000)))
    for one in found:
        assert (one["again"], one["differs"]) == ([0], []), one
        assert one["ended"][0] in {1, 3}, one
    assert found[0]["ended"] == [1]
