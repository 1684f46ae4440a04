"""Arguments of the simulator: each wrong one is one clear line, before any work."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from banet.cli import main
from banet.download.settings import load_settings
from banet.errors import InputError
from banet.evaluation.benchmark.scenes import SUITE
from banet.simulation import sample, simulate
from banet.simulation.overpasses import FLIGHTS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 100_000}, "100000 x 100000 cells of 0.01 degrees do not fit into the 8 x 36 degrees"),
        ({"size": 16.5}, "size 16.5 is neither a number of cells nor"),
        ({"size": (8, 20, 3)}, r"size \(8, 20, 3\) is neither"),
        ({"size": 4}, "size 4 is neither .* at least 8"),
        ({"pixel_size": 2.0}, "16 x 16 cells of 2 degrees do not fit"),
        ({"pixel_size": 0}, "pixel size 0 is no number of degrees above 0"),
        ({"start": "0001-01-01"}, "periods lie between"),
    ],
)
def test_wrong_scenes_are_refused_in_one_line(wrong, message):
    with pytest.raises(InputError, match=message) as told:
        simulate(**({"size": 16, "days": 2} | wrong))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 2000}, "2000 x 2000 cells of 0.01 degrees do not fit"),
        ({"size": 16.5}, "size 16.5 is no whole number"),
        ({"days": 2.5}, "days 2.5 is no whole number"),
        ({"seed": 1.5}, "seed 1.5 is no whole number"),
        ({"mir_band": "M9"}, "the MIR slot cannot be filled by 'M9'; choose M12, M11 or M10"),
    ],
)
def test_wrong_samples_are_refused_in_one_line(wrong, message):
    with pytest.raises(InputError, match=message):
        sample(**({"seed": 1, "days": 2, "size": 16, "climate": "mediterranean"} | wrong))


def test_a_misspelt_format_is_told_before_the_scene_is_simulated(tmp_path, capsys):
    assert main(["simulate", "--out", str(tmp_path / "a"), "--formats", "truth,tuth", "--days", "2"]) == 2
    told = capsys.readouterr().err
    assert "cannot write a scene as 'tuth'" in told
    assert "simulate: " not in told
    assert not (tmp_path / "a").exists()


def test_a_second_scene_does_not_go_into_the_folder_of_the_first(tmp_path, capsys):
    words = ["simulate", "--out", str(tmp_path), "--days", "2", "--formats", "truth"]
    first = [*words, "--seed", "3", "--size", "16"]
    assert main(first) == 0
    assert main(first) == 0  # the same scene again
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    for other in (
        ["--seed", "4"],
        ["--climate", "cerrado", "--seed", "3"],
        ["--start", "2020-08-01", "--seed", "3"],
    ):
        assert main([*words, *other]) == 2
        told = capsys.readouterr().err
        assert "holds another scene" in told and "simulate: " not in told
    assert main([*words, "--seed", "3", "--size", "24"]) == 2
    assert "region" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_a_folder_whose_note_cannot_be_read_is_refused(tmp_path):
    from banet.simulation import write_scene

    (tmp_path / "scene.json").write_text("{}")
    with pytest.raises(InputError, match="does not say which scene"):
        write_scene(simulate(size=16, days=1), tmp_path, formats=("truth",))


def test_flights_are_those_of_the_downloads():
    held = [
        tuple(day and np.datetime64(day) for day in flight) for flight in load_settings().flights.values()
    ]
    assert list(FLIGHTS.values()) == held


@pytest.mark.parametrize(
    ("start", "asked", "message"),
    [
        ("2012-07-01", {"satellites": ("N21",)}, "N21 gives data from 2023-02-10, none from 2012-07-01 to"),
        ("2013-08-01", {"fire_satellites": ("N", "N20")}, "N20 gives data from 2018-01-05, none"),
        ("2026-11-02", {"satellites": ("N",)}, "N gives data from 2012-01-19 to 2026-11-01, none"),
        (
            "2005-08-01",
            {},
            "no VIIRS flew from 2005-08-01 to 2005-08-10; the first gives data from 2012-01-19",
        ),
    ],
)
def test_a_satellite_that_does_not_fly_then_is_refused(start, asked, message):
    with pytest.raises(InputError, match=message):
        simulate(start=start, days=10, size=16, **asked)


@pytest.mark.parametrize(
    ("start", "images", "fires"),
    [
        ("2013-08-01", "N", {"N"}),
        ("2018-01-01", "N", {"N", "N20"}),
        ("2026-10-28", "N20", {"N", "N20"}),
        ("2026-12-01", "N20", {"N20"}),
    ],
)
def test_satellites_that_nobody_names_are_those_that_fly(start, images, fires):
    world = simulate(start=start, days=10, size=16, climate="cerrado").world
    assert {p.satellite for p in world.image_overpasses} == {images}
    assert {p.satellite for p in world.fire_overpasses} == fires
    assert world.fire_satellites == tuple(sorted(fires))
    assert len({int(p.time_h // 24) for p in world.image_overpasses}) == 10


def test_a_satellite_is_not_seen_before_and_after_its_flight():
    last = simulate(start="2026-10-28", days=10, size=16, satellites=("N",)).world
    assert max(int(p.time_h // 24) for p in last.image_overpasses) == 4
    assert last.with_bands(last.bands[:2]).image_overpasses == last.image_overpasses
    early = simulate(start="2018-01-01", days=10, size=16).world
    assert min(int(p.time_h // 24) for p in early.fire_overpasses if p.satellite == "N20") == 4


def test_fixed_seasons_and_samples_keep_satellites_of_any_time():
    early = next(one for one in SUITE if one.start < np.datetime64("2017"))
    world = dataclasses.replace(early, days=4, size=16).simulate().world
    assert {p.satellite for p in world.fire_overpasses} == {"N", "N20"}
    assert world.with_bands(world.bands[:2]).fire_overpasses == world.fire_overpasses


def test_a_sample_of_2014_holds_the_hot_spots_of_noaa_20():
    planes, _ = sample(9, days=8, size=32, climate="mozambique")
    # Networks were trained on these; without NOAA-20 it would be 3017 MW.
    assert planes[3].sum() == pytest.approx(8193.4, rel=1e-3)
