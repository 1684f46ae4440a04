"""Held-out tiles are known again: after a folder grew, in a fine-tuning of a fine-tuning, after a stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.chips.store import ChipEntry, Chips
from banet.chips.stream import SimulatedStream
from banet.cli import main
from banet.cli.training import _settings
from banet.errors import InputError, UnreadableFileError
from banet.model.weights import load_model
from banet.training import TrainingConfig, train
from banet.training.origins import KnownChips, chips_of_card, origins, overlaps
from banet.training.sources import VALIDATION_SEEDS, check_not_trained_on, open_sources
from training_scenes import toy_sample


def tiles(folder: Path, count: int, seed: int) -> Chips:
    return write_simulated_chips(
        folder, plan_simulated(count, ("a", "bb"), seed), days=20, size=40, sampler=toy_sample
    )


def settings(*chips: Chips, held: Chips | None = None, **parts: dict[str, object]) -> TrainingConfig:
    fields = {
        "network": {
            "width": 2,
            "lstm": False,
            "multipliers": [1, 2],
            "space_kernels": [3, 3],
            "time_kernels": [3, 3],
        },
        "data": {
            "chips": [str(one.folder) for one in chips],
            "validation_chips": [] if held is None else [str(held.folder)],
            "crop_days": 16,
            "crop_size": 32,
        },
        "optimiser": {"steps": 1},
        "runtime": {"device": "cpu", "threads": 1, "workers": 0, "keep_memory": False},
        **parts,
    }
    return TrainingConfig.parse(fields, "test")


def test_a_card_tells_chips_of_cubes_and_of_the_simulator() -> None:
    cut = [
        ChipEntry(f"t{i}", source="cube", region="PT", start="2020-07-01", corner=(0, i)) for i in (0, 100)
    ]
    made = [ChipEntry("x", climate="a", seed=7)]
    told = [
        {"days": 20, "size": 40, "origins": origins(KnownChips(tuple(part), 20, 40))} for part in (cut, made)
    ]
    card = json.loads(json.dumps({"training_chips": told[:1], "earlier_chips": told[1:]}))
    known = list(chips_of_card(card))
    assert told[0]["origins"] == {"cube": {"PT": [["2020-07-01", 0, 0], ["2020-07-01", 0, 100]]}}
    assert told[1]["origins"] == {"simulated": {"a": [7]}}
    again = KnownChips((replace(cut[0], corner=(39, 0), start="2020-07-20"), made[0]), 20, 40, "these")
    assert [(one.name, other.name) for one, _, other, _ in overlaps(known, [again])] == [
        ("t0", "PT-20200701-r00000-c00000"),
        ("x", "a-00000007"),
    ]
    apart = replace(cut[0], corner=(40, 0)), replace(made[0], seed=8), replace(cut[0], region="ES")
    assert not list(overlaps(known, [KnownChips(apart, 20, 40)]))


def test_chips_are_held_against_each_other_by_place_not_by_name() -> None:
    def chip(region: str, corner: tuple[int, int], *box: float) -> ChipEntry:
        about = {"bbox": list(box)} if box else {}
        return ChipEntry(
            f"{region}{corner}",
            source="cube",
            region=region,
            start="2020-07-01",
            corner=corner,
            details=about,
        )

    one = chip("PT", (0, 0), -9.0, 40.0, -8.6, 40.4)
    told = {"days": 20, "size": 40, "origins": origins(KnownChips((one,), 20, 40))}
    known = list(chips_of_card(json.loads(json.dumps({"training_chips": [told]}))))
    same = chip("CENTRO", (120, 80), -8.61, 40.39, -8.21, 40.79)
    finer = chip("PT", (90, 90), -8.7, 40.1, -8.6, 40.2)
    turned = chip("PT", (70, 70), 351.0, 40.0, 351.4, 40.4)
    nameless = chip("PT", (39, 39))
    elsewhere = chip("PT", (0, 0), 20.0, 38.0, 20.4, 38.4)
    beside = chip("PT", (0, 39), -8.6, 40.0, -8.2, 40.4)
    for other in (same, finer, turned, nameless):
        found = [mine for mine, *_ in overlaps(known, [KnownChips((other,), 20, 40)])]
        assert found == [other]
    assert not list(overlaps(known, [KnownChips((elsewhere, beside), 20, 40)]))
    later = replace(same, start="2020-07-21")
    assert not list(overlaps(known, [KnownChips((later,), 20, 40)]))
    old = KnownChips((replace(one, details={}),), 20, 40)
    assert [mine for mine, *_ in overlaps([old], [KnownChips((same, elsewhere), 20, 40)])] == [elsewhere]


def test_tiles_that_were_trained_on_are_known_in_a_folder_that_grew(tmp_path: Path) -> None:
    first, more = tiles(tmp_path / "first", 2, 0), tiles(tmp_path / "more", 2, 50)
    trained = train(settings(first), tmp_path / "one")
    assert trained.weights is not None
    grown = tiles(tmp_path / "first", 3, 0)
    check_not_trained_on([more], load_model(trained.weights).card)
    with pytest.raises(
        InputError, match="were trained on the tile a-00000000, which a-00000000 of .*first over"
    ):
        check_not_trained_on([grown], load_model(trained.weights).card)
    further = settings(more, start={"weights": str(trained.weights)})
    second = train(further, tmp_path / "two")
    assert second.weights is not None
    card = load_model(second.weights).card
    assert [part["origins"] for part in card["earlier_chips"]] == [{"simulated": {"a": [0], "bb": [1]}}]
    third = settings(tiles(tmp_path / "new", 2, 90), held=grown, start={"weights": str(second.weights)})
    with pytest.raises(InputError, match="the weights to go on from were trained on the tile a-00000000"):
        train(third, tmp_path / "three")


def test_weights_whose_card_lists_no_tiles_are_held_out_by_their_index_as_before(tmp_path: Path) -> None:
    some = tiles(tmp_path / "some", 2, 0)
    card = {"training_chips": [{"index_sha256": some.index_sha256}, {"simulated": "one by one"}]}
    with pytest.raises(InputError, match="these weights were trained on the tiles of"):
        check_not_trained_on([some], card)
    check_not_trained_on([tiles(tmp_path / "some", 3, 0)], card)
    check_not_trained_on([some], load_model("default").card)
    train(settings(some, held=tiles(tmp_path / "held", 1, 50)), tmp_path / "run")


def test_a_run_goes_on_with_the_data_that_it_began_with(tmp_path: Path) -> None:
    some = tiles(tmp_path / "some", 2, 0)
    train(settings(some), tmp_path / "run")
    longer = settings(some, optimiser={"steps": 2})
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert saved["run"] == {"data": [some.index_sha256], "processes": 1}
    torch.save({**saved, "run": {**saved["run"], "processes": 2}}, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(InputError, match="began with 2 processes, now there are 1: start as many, or"):
        train(longer, tmp_path / "run", resume=True)
    torch.save(saved, tmp_path / "run" / "checkpoint.pt")
    tiles(tmp_path / "some", 3, 0)
    with pytest.raises(
        InputError, match=r"the tiles of .*some are not those that the run to go on with began"
    ):
        train(longer, tmp_path / "run", resume=True)
    del saved["run"]  # as checkpoints of before are
    torch.save(saved, tmp_path / "run" / "checkpoint.pt")
    assert train(longer, tmp_path / "run", resume=True).steps == 2


def test_a_checkpoint_that_is_cut_short_is_told(tmp_path: Path) -> None:
    some = tiles(tmp_path / "some", 2, 0)
    train(settings(some), tmp_path / "run")
    file = tmp_path / "run" / "checkpoint.pt"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match=r"checkpoint\.pt is damaged \(it is truncated"):
        train(settings(some), tmp_path / "run", resume=True)


def test_tiles_in_place_of_the_simulator_leave_its_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = tiles(tmp_path / "some", 2, 0)
    simulated = {"folder": str(tmp_path / "sim"), "climates": ["a"], "validation": 1, "days": 20, "size": 40}
    data = {"simulated": {**simulated, "fly": True}, "crop_days": 16, "crop_size": 32}
    TrainingConfig.parse({"data": data}, "test").save(tmp_path / "x.yaml")
    got = _settings(tmp_path / "x.yaml", [str(some.folder)], None)
    held = tiles(tmp_path / "held", 1, 50)
    monkeypatch.setattr("banet.training.sources.write_simulated", lambda data, part, progress: (held, part))
    training, validation = open_sources(got.data)
    assert [source.label for source in training] == [some.label]
    assert validation == [(held, "validation")]
    alone, _ = open_sources(TrainingConfig.parse({"data": data}, "test").data)
    assert isinstance(alone[0], SimulatedStream)
    with pytest.raises(InputError, match="there is nothing to train on"):
        TrainingConfig.parse({"data": {"simulated": {**simulated, "train": 0}}}, "test")


def test_a_run_takes_what_its_configuration_says_of_a_folder_that_others_share(tmp_path: Path) -> None:
    """Two runs simulate into one folder: none takes the tiles of the other, and each goes on as it began."""

    def run(first: int, steps: int, out: str) -> list[dict[str, object]]:
        for part, seed in (("train", first), ("validation", first + VALIDATION_SEEDS)):
            tiles(tmp_path / "sim" / part, 2, seed)
        simulated = {
            "folder": str(tmp_path / "sim"), "climates": ["a", "bb"], "train": 2, "validation": 2,
            "days": 20, "size": 40, "seed": first,
        }  # fmt: skip
        data = {"simulated": simulated, "crop_days": 16, "crop_size": 32}
        config = settings(data=data, optimiser={"steps": steps})
        made = train(config, tmp_path / out, resume=steps > 1)
        assert made.weights is not None and made.steps == steps
        card = load_model(made.weights).card
        return [part["origins"] for part in card["training_chips"]]

    assert run(0, 1, "one") == [{"simulated": {"a": [0], "bb": [1]}}]
    assert run(500, 1, "two") == [{"simulated": {"a": [500], "bb": [501]}}]
    assert run(0, 2, "one") == [{"simulated": {"a": [0], "bb": [1]}}]


def test_tiles_go_with_a_configuration_that_names_no_data(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("optimiser:\n  steps: 3\n")
    got = _settings(tmp_path / "x.yaml", ["tiles"], None)
    assert (got.data.chips, got.data.simulated, got.optimiser.steps) == (("tiles",), None, 3)
    (tmp_path / "x.yaml").write_text("data:\n  crop_days: 32\n")
    assert _settings(tmp_path / "x.yaml", ["tiles"], "default").data.crop_days == 32
    with pytest.raises(InputError, match="there is nothing to train on"):
        _settings(tmp_path / "x.yaml", [], None)


def test_a_run_without_validation_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    some, held = tiles(tmp_path / "some", 2, 0), tiles(tmp_path / "held", 1, 50)
    settings(some).save(tmp_path / "x.yaml")
    assert main(["train", "--config", str(tmp_path / "x.yaml"), "--out", str(tmp_path / "run")]) == 0
    assert "these weights are neither scored nor calibrated: give" in capsys.readouterr().err
    settings(some, held=held).save(tmp_path / "y.yaml")
    assert main(["train", "--config", str(tmp_path / "y.yaml"), "--out", str(tmp_path / "scored")]) == 0
    assert "calibrated" not in capsys.readouterr().err
    unburned = Chips.create(tmp_path / "unburned", 20, 40)
    planes, target = toy_sample(60, days=20, size=40, climate="a")
    unburned.write(ChipEntry("t", climate="a", seed=60), planes, target * 0)
    result = train(settings(some, held=unburned), tmp_path / "unburned_run")
    assert result.scores and not result.calibrated
    assert result.note.startswith("these weights are not calibrated: nothing burned in the validation tiles")


def test_the_first_process_alone_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tiles(tmp_path / "some", 2, 0)).save(tmp_path / "x.yaml")
    monkeypatch.setattr("banet.training.parallel.is_first", lambda: False)
    words = ["train", "--config", str(tmp_path / "x.yaml"), "--out", str(tmp_path / "run")]
    assert main(words) == 0
    assert capsys.readouterr().out == ""
