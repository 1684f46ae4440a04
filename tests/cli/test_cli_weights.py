"""`banet weights` and `banet doctor`."""

from __future__ import annotations

import json

import numpy as np
import torch

from banet.chips import ChipEntry, Chips, write_simulated_chips
from banet.chips.simulated import plan_simulated
from banet.cli import main
from banet.model import BANet, BANetConfig, load_model, save_weights
from training_scenes import toy_sample


def test_the_shipped_weights_are_listed_and_shown(capsys):
    assert main(["weights", "list"]) == 0
    assert capsys.readouterr().out.startswith("default ")
    assert main(["weights", "show", "default"]) == 0
    out = capsys.readouterr().out
    assert load_model("default").weights_sha256 in out
    assert "simulated" in out


def test_weights_are_converted_and_stay_the_same(tmp_path, capsys):
    torch.manual_seed(1)
    model = BANet(BANetConfig.lean(4))
    state = {f"x.{key}": value for key, value in model.state_dict().items()}
    torch.save(state, tmp_path / "not_published.pth")
    assert (
        main(["weights", "convert", str(tmp_path / "not_published.pth"), str(tmp_path / "a.safetensors")])
        == 2
    )
    assert main(["weights", "convert", "default", str(tmp_path / "a.safetensors")]) == 0
    same, default = load_model(tmp_path / "a.safetensors"), load_model("default")
    assert same.card == default.card and same.spec == default.spec
    for key, value in default.state_dict().items():
        assert torch.equal(same.state_dict()[key], value)


def test_doctor_finds_this_installation_well(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "all is well" in out and "engine" in out and "default weights default" in out


def test_the_card_names_no_place_of_a_machine():
    text = str(load_model("default").card)
    assert "/tmp" not in text and "/home" not in text and "/root" not in text


def test_weights_are_calibrated_on_tiles(tmp_path, capsys):
    chips = write_simulated_chips(
        tmp_path / "tiles", plan_simulated(2, ("a",), 0), days=20, size=40, sampler=toy_sample
    )
    small = BANetConfig(width=2, multipliers=(1, 2), space_kernels=(3, 3), time_kernels=(3, 3), lstm=False)
    raw, out = tmp_path / "raw.safetensors", tmp_path / "told.safetensors"
    save_weights(BANet(small), raw)
    assert main(["weights", "calibrate", str(raw), str(chips.folder), "--out", str(out)]) == 0
    told = load_model(out)
    assert told.calibration is not None
    assert told.card["calibrated_on"] == [{"tiles": 2, "index_sha256": chips.index_sha256}]
    assert "logits shifted by" in capsys.readouterr().out
    assert main(["weights", "show", str(out)]) == 0
    assert "date_mass" in capsys.readouterr().out
    assert main(["weights", "calibrate", "default", "--out", str(out)]) == 2
    save_weights(BANet(small), raw, card={"training_chips": [{"index_sha256": chips.index_sha256}]})
    capsys.readouterr()
    assert main(["weights", "calibrate", str(raw), str(chips.folder), "--out", str(out)]) == 2
    assert "trained on the tiles of" in capsys.readouterr().err


def unsure(folder, *days, scale=1.0):
    """Tiles of the toy simulator whose labels say nothing of some days."""
    chips = Chips.create(folder, 20, 40)
    for seed in range(2):
        planes, target = toy_sample(seed, days=20, size=40, climate="a")
        target *= scale
        target[list(days)] = np.nan
        chips.write(ChipEntry(f"t{seed}", source="cube", climate="a", start="2020-07-01"), planes, target)
    return str(folder)


def test_a_day_that_labels_lack_costs_cells_only_where_it_is_scored(tmp_path, capsys):
    small = BANetConfig(width=2, multipliers=(1, 2), space_kernels=(3, 3), time_kernels=(3, 3), lstm=False)
    raw, out = tmp_path / "raw.safetensors", tmp_path / "told.safetensors"
    torch.manual_seed(1)
    save_weights(BANet(small), raw, card={"scores": {"all": 0.5}, "name": "raw"})
    words = ["weights", "calibrate", str(raw), "--out", str(out)]
    assert main([*words, unsure(tmp_path / "edge", 0, 19)]) == 0
    told = load_model(out)
    assert told.calibration is not None
    assert "scores" not in told.card and told.card["name"] == "raw"
    assert main([*words, unsure(tmp_path / "sound")]) == 0
    assert load_model(out).calibration.burned == told.calibration.burned
    say_no = BANet(small)
    torch.nn.init.constant_(say_no.logits.bias, -40.0)
    save_weights(say_no, tmp_path / "no.safetensors")
    capsys.readouterr()
    no = [
        "weights",
        "calibrate",
        str(tmp_path / "no.safetensors"),
        str(tmp_path / "sound"),
        "--out",
        str(out),
    ]
    assert main(no) == 0
    assert "; nothing that burned was mapped, so no dates were measured\n" in capsys.readouterr().out
    out.unlink()
    capsys.readouterr()
    for folder in (unsure(tmp_path / "middle", 10), unsure(tmp_path / "unburned", scale=0.0)):
        assert main([*words, folder]) == 2
        said = capsys.readouterr().err
        assert "error: nothing burned in these tiles, in cells of which the labels tell every day" in said
        assert ("3,200 of 3,200 cells of the held-out tiles" in said) == ("middle" in folder)
    assert not out.exists()
    assert main([*words[:-1], str(tmp_path / "told.pth"), str(tmp_path / "edge")]) == 2
    said = capsys.readouterr().err
    assert said == "error: weights are written as .safetensors, asked for told.pth\n"


def test_the_mean_that_ships_is_listed_and_shown(capsys):
    assert main(["weights", "list"]) == 0
    assert "the mean of default, fold_2, fold_3" in capsys.readouterr().out
    assert main(["weights", "show", "best"]) == 0
    shown = capsys.readouterr().out
    assert "best: the mean of default, fold_2, fold_3" in shown and "calibration: " in shown
    assert main(["weights", "show", "best", "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["members"]["default"] == load_model("default").weights_sha256
    assert main(["weights", "convert", "best", "best.safetensors"]) == 2
    assert "one network is asked for" in capsys.readouterr().err
