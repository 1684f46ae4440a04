"""Arguments of the simulator: each wrong one is one clear line, before any work."""

from __future__ import annotations

import pytest

from banet.cli import main
from banet.errors import InputError
from banet.simulation import sample, simulate


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
