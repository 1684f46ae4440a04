"""`banet weights` and `banet doctor`."""

from __future__ import annotations

from banet.cli import main
from banet.model import load_model


def test_the_shipped_weights_are_listed_and_shown(capsys):
    assert main(["weights", "list"]) == 0
    assert capsys.readouterr().out.startswith("default ")
    assert main(["weights", "show", "default"]) == 0
    out = capsys.readouterr().out
    assert load_model("default").weights_sha256 in out
    assert "simulated" in out


def test_weights_are_converted_and_stay_the_same(tmp_path, capsys):
    import torch

    from banet.model import BANet, BANetConfig

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
