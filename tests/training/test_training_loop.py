"""Runs: the same numbers again, after a stop too; weights that load; starts from other weights."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.chips.store import ChipEntry, Chips
from banet.chips.stream import SimulatedStream
from banet.cli import main as banet_command
from banet.errors import BanetWarning, BusyError, InputError, NotFoundError, UnreadableFileError
from banet.model.config import InputSpec
from banet.model.network import BANet
from banet.model.weights import load_model, save_weights
from banet.training import TrainingConfig, fine_tuning, loop, train
from banet.training.__main__ import main
from banet.training.data import Episodes, batches, network_input
from banet.training.loop import DivergedError
from banet.training.memory import keep_freed_memory
from banet.training.sources import check_definition, definition_note, held_out
from banet.training.start import adapt_channels, parameter_groups, start_network
from banet.training.state import RunningMean
from banet.training.validation import VARIANTS, select_chips, validate
from training_scenes import toy_sample


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("chips")
    for part, count, seed in (("train", 6, 0), ("validation", 2, 100)):
        write_simulated_chips(
            root / part, plan_simulated(count, ("a", "bb"), seed), days=20, size=40, sampler=toy_sample
        )
    return str(root / "train"), str(root / "validation")


@pytest.fixture
def config(folders: tuple[str, str]) -> TrainingConfig:
    fields = {
        "seed": 3,
        "network": {
            "width": 4,
            "lstm": False,
            "dropout": 0.2,
            "multipliers": [1, 2],
            "space_kernels": [3, 3],
            "time_kernels": [3, 3],
        },
        "inputs": {"std": [0.1879, 0.166, 0.0547, 1.0], "mean": [0.2349, 0.3548, 0.1128, 0.0]},
        "data": {"chips": folders[:1], "validation_chips": folders[1:], "crop_days": 16, "crop_size": 32},
        "optimiser": {"steps": 10, "batch": 2, "learning_rate": 0.01, "ema": 0.9},
        "validation": {"every_steps": 4, "margin_days": 2},
        "runtime": {"device": "cpu", "threads": 1, "workers": 0, "log_steps": 1, "keep_memory": False},
    }
    return TrainingConfig.parse(fields, "test")


def events(folder: Path, kind: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


ENDED = """
import os, signal, sys
from banet.training.__main__ import main
from banet.training.state import Journal

steps, write = [], Journal.write

def writing(self, event, **fields):
    write(self, event, **fields)
    steps.extend([event] * (event == "train"))
    if event == "train" and len(steps) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGTERM)

Journal.write = writing
sys.exit(main(sys.argv[2:]))
"""


def terminated_after(steps: int, config: TrainingConfig, folder: Path) -> None:
    """Train in a process of its own that is asked to end once so many steps are in its log."""
    config.save(folder.with_suffix(".yaml"))
    words = [sys.executable, "-c", ENDED, str(steps), str(folder.with_suffix(".yaml")), "--out", str(folder)]
    ended = subprocess.run(words, stderr=subprocess.PIPE, text=True, timeout=200, check=False)
    assert ended.returncode == 130
    assert f"steps; give --resume to go on in {folder}" in ended.stderr


def test_a_run_that_was_ended_goes_on_to_the_same_numbers(config: TrainingConfig, tmp_path: Path) -> None:
    config = config.changed(optimiser={"steps": 14}, validation={"every_steps": 6})
    straight = train(config, tmp_path / "straight")
    terminated_after(5, config, tmp_path / "twice")
    done = len(events(tmp_path / "twice", "train"))
    assert 5 <= done < 14 and not (tmp_path / "twice" / "weights.safetensors").exists()
    second = train(config, tmp_path / "twice", resume=True)
    assert (second.reason, second.steps) == ("steps", 14)
    one, two = weights_of(tmp_path / "straight"), weights_of(tmp_path / "twice")
    for part in ("model", "mean", "best_weights"):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, two[part][name]), (part, name)
    assert torch.equal(one["chance"], two["chance"])
    for name in ("loss", "gradient", "rate"):
        losses = [[e[name] for e in events(tmp_path / run, "train")] for run in ("straight", "twice")]
        assert losses[0] == losses[1] and len(losses[0]) == 14
    assert straight.scores == second.scores


def test_a_finished_run_resumed_only_writes_its_weights_again(config: TrainingConfig, tmp_path: Path) -> None:
    first = train(config, tmp_path)
    assert first.weights is not None
    before = load_model(first.weights).state_dict()
    first.weights.unlink()
    again = train(config, tmp_path, resume=True)
    assert again.steps == 10 and again.weights is not None
    after = load_model(again.weights).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_weights_carry_their_card_and_learn_the_toy(config: TrainingConfig, tmp_path: Path) -> None:
    longer = config.changed(optimiser={"steps": 60}, augment={"frp_all": 0.0}, validation={"every_steps": 0})
    result = train(longer, tmp_path / "run")
    assert result.weights is not None
    model = load_model(result.weights)
    assert model.spec == config.inputs.model_copy(update={"sequence_length": 16})
    assert model.config == config.network
    card = model.card
    assert card["data"] == "simulated data only" and card["seed"] == 3 and card["steps"] == 60
    assert card["training_chips"][0]["chips"] == 6 and len(card["training_chips"][0]["index_sha256"]) == 64
    assert set(card["scores"]) == {*VARIANTS, "active_fires"}
    assert result.scores["all"]["overall"]["dice"] > 0.6
    assert set(result.scores["all"]) == {"overall", "a", "bb"}
    assert json.loads((tmp_path / "run" / "validation.json").read_text()) == result.scores
    assert str(tmp_path.parent) not in json.dumps(card)


def test_a_run_is_not_overwritten_and_not_mixed(config: TrainingConfig, tmp_path: Path) -> None:
    train(config.changed(optimiser={"steps": 1}), tmp_path)
    with pytest.raises(InputError, match="--resume"):
        train(config, tmp_path)
    with pytest.raises(InputError, match=r"loss\.bce, optimiser\.learning_rate, seed"):
        train(
            config.changed(seed=9, loss={"bce": 3.0}, optimiser={"learning_rate": 0.5}), tmp_path, resume=True
        )
    longer = train(config.changed(optimiser={"steps": 2}), tmp_path, resume=True)
    assert (longer.steps, longer.reason) == (2, "steps")
    assert longer.weights is not None and load_model(longer.weights).card["steps"] == 2


def test_a_folder_without_a_run_to_resume_is_told(config: TrainingConfig, tmp_path: Path) -> None:
    one = config.changed(optimiser={"steps": 1}, data={"validation_chips": []})
    with pytest.warns(BanetWarning, match="holds no run to go on with: a new one begins"):
        assert train(one, tmp_path, resume=True).steps == 1


def test_two_runs_in_one_folder_are_told(config: TrainingConfig, tmp_path: Path) -> None:
    told: list[str] = []

    def second(done: int, total: int, message: str) -> None:
        if not told:
            with pytest.raises(BusyError, match="at work on the training in") as raised:
                train(config, tmp_path, resume=True)
            told.append(str(raised.value))

    assert train(config.changed(optimiser={"steps": 2}), tmp_path, progress=second).steps == 2
    assert len(told) == 1


def test_the_clock_and_patience_end_a_run_with_weights(config: TrainingConfig, tmp_path: Path) -> None:
    timed = train(config.changed(optimiser={"max_minutes": 1e-6}), tmp_path / "a")
    assert (timed.reason, timed.steps) == ("time", 1) and timed.weights is not None
    still = config.changed(
        optimiser={"learning_rate": 1e-30, "ema": 0.0, "steps": 9},
        validation={"every_steps": 1, "patience": 2},
    )
    stuck = train(still, tmp_path / "b")
    assert stuck.reason == "patience" and stuck.steps == 3
    for folder, settings, ended in (
        ("a", config.changed(optimiser={"max_minutes": 1e-6}), timed),
        ("b", still, stuck),
    ):
        again = train(settings, tmp_path / folder, resume=True)
        assert (again.reason, again.steps) == (ended.reason, ended.steps)


def test_without_validation_chips_the_last_weights_are_saved(config: TrainingConfig, tmp_path: Path) -> None:
    result = train(config.changed(data={"validation_chips": []}, optimiser={"steps": 2}), tmp_path)
    assert result.scores == {} and result.weights is not None
    assert load_model(result.weights).card["weights_of_step"] == 2


def test_where_the_processor_does_not_know_bfloat16_a_run_takes_float32_and_says_so(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = train(config, tmp_path / "plain")
    monkeypatch.setattr(loop, "knows_bfloat16", lambda: False)
    with pytest.warns(BanetWarning, match="does not compute in bfloat16, the run takes float32"):
        brief = train(config.changed(runtime={"bfloat16": True}), tmp_path / "brief")
    assert plain.weights is not None and brief.weights is not None
    one, two = (load_model(path).state_dict() for path in (plain.weights, brief.weights))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_it_runs_outside_the_main_thread(config: TrainingConfig, tmp_path: Path) -> None:
    steps: list[int] = []
    one = config.changed(optimiser={"steps": 1}, data={"validation_chips": []})
    thread = threading.Thread(target=lambda: steps.append(train(one, tmp_path).steps))
    thread.start()
    thread.join()
    assert steps == [1]


def test_accumulating_two_passes_is_one_step_of_both(config: TrainingConfig, tmp_path: Path) -> None:
    twice = config.changed(optimiser={"steps": 2, "batch": 1, "accumulate": 2}, data={"validation_chips": []})
    result = train(twice, tmp_path)
    assert result.steps == 2 and len(events(tmp_path, "train")) == 2


def test_a_loss_that_is_no_number_is_an_error(config: TrainingConfig, tmp_path: Path) -> None:
    wild = config.changed(optimiser={"learning_rate": 1e30, "clip": 0.0, "warmup": 0.0})
    with pytest.raises(DivergedError, match="learning_rate"):
        train(wild, tmp_path)


def test_a_broken_checkpoint_is_named(config: TrainingConfig, tmp_path: Path) -> None:
    one = config.changed(optimiser={"steps": 1}, data={"validation_chips": []})
    train(one, tmp_path)
    for content, told in ((b"nothing", r"checkpoint\.pt is no state of this run: \w"), (b"", "it is empty")):
        (tmp_path / "checkpoint.pt").write_bytes(content)
        with pytest.raises(UnreadableFileError, match=told):
            train(one, tmp_path, resume=True)


def test_an_interrupted_command_says_how_to_go_on(
    config: TrainingConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.save(tmp_path / "run.yaml")
    monkeypatch.setattr(loop._Run, "_after_step", lambda run: "interrupted")
    words = ["train", "--config", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run"), "--quiet"]
    assert banet_command(words) == 130
    told = f"interrupted after 1 steps; give --resume to go on in {tmp_path / 'run'}\n"
    assert capsys.readouterr() == ("", told)


def test_the_command_prints_one_line_of_error(
    config: TrainingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.changed(optimiser={"steps": 1}).save(tmp_path / "run.yaml")
    assert main([str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run")]) == 0
    assert "weights:" in capsys.readouterr().out
    assert main([str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert main([str(tmp_path / "none.yaml"), "--out", str(tmp_path / "x")]) == 2


def test_the_command_trains_to_its_end_in_the_home_folder_whoever_reads_it(
    config: TrainingConfig, tmp_path: Path
) -> None:
    config.changed(optimiser={"steps": 1}).save(tmp_path / "run.yaml")
    command = 'set -o pipefail; "$0" -m banet.training run.yaml "--out=~/run" 2>&1 | true'
    words = ["bash", "-c", command, sys.executable]
    ended = subprocess.run(words, cwd=tmp_path, env=os.environ | {"HOME": str(tmp_path)}, check=False)
    assert ended.returncode == 0 and (tmp_path / "run").is_dir() and not (tmp_path / "~").exists()


# Episodes.


def test_an_episode_is_known_by_its_number(config: TrainingConfig, folders: tuple[str, str]) -> None:
    def make(batch: int) -> Episodes:
        return Episodes(
            [Chips.open(folders[0])], config.data, config.augment, config.inputs, batch=batch, seed=1
        )

    one, two = make(1), make(2)
    pair = two[3]
    torch.testing.assert_close(pair.inputs[0], one[6].inputs[0], rtol=0, atol=0)
    torch.testing.assert_close(pair.target[1], one[7].target[0], rtol=0, atol=0)
    assert pair.inputs.shape == (2, 4, 16, 32, 32) and pair.target.shape == (2, 16, 32, 32)
    state = torch.get_rng_state()
    stream = list(batches(two, range(3, 5), 0))
    assert torch.equal(stream[0].inputs, pair.inputs) and len(stream) == 2
    assert torch.equal(state, torch.get_rng_state())


def test_crops_around_fire_burn(config: TrainingConfig, folders: tuple[str, str]) -> None:
    around = config.data.model_copy(update={"around_fire": 1.0})
    episodes = Episodes([Chips.open(folders[0])], around, None, config.inputs)
    rng = np.random.default_rng(0)
    crops = [episodes.crop(rng) for _ in range(40)]
    assert all((np.nan_to_num(crop.target) > 0).any() for crop in crops)
    assert {crop.entry.climate for crop in crops} == {"a", "bb"}
    never = config.data.model_copy(update={"around_fire": 1.0, "min_burned_cells": 10**6})
    with pytest.warns(BanetWarning, match="no tile of .* more than 1000000 burned cells on a day"):
        anywhere = Episodes([Chips.open(folders[0])], never, None, config.inputs)
    assert anywhere.crop(rng).planes.shape == (4, 16, 32, 32)


def test_climates_are_drawn_alike_however_many_chips_they_have(
    tmp_path: Path, config: TrainingConfig
) -> None:
    chips = write_simulated_chips(
        tmp_path, plan_simulated(9, ("a",), 0), days=20, size=40, sampler=toy_sample
    )
    write_simulated_chips(tmp_path, plan_simulated(1, ("bb",), 50), days=20, size=40, sampler=toy_sample)
    chips.refresh()
    episodes = Episodes([chips], config.data, None, config.inputs)
    rng = np.random.default_rng(0)
    drawn = [episodes.crop(rng).entry.climate for _ in range(200)]
    assert 70 < drawn.count("bb") < 130


def test_what_cannot_be_trained_on(config: TrainingConfig, folders: tuple[str, str], tmp_path: Path) -> None:
    empty = Chips.create(tmp_path / "empty", 20, 40)
    with pytest.raises(InputError, match="no chips to train on"):
        Episodes([empty], config.data, None, config.inputs)
    with pytest.raises(InputError, match="do not fit"):
        Episodes(
            [Chips.open(folders[0])], config.data.model_copy(update={"crop_days": 32}), None, config.inputs
        )
    chips = Chips.open(folders[0])
    with pytest.raises(InputError, match="for training and for validation"):
        held_out([chips], [chips])
    with pytest.raises(NotFoundError):
        train(config.changed(data={"chips": [str(tmp_path / "nowhere")]}), tmp_path / "run")
    with pytest.raises(InputError, match="'meta' holds no numbers"):
        train(config.changed(runtime={"device": "meta"}), tmp_path / "run")
    zenith = InputSpec(channels=("red", "view_zenith"), mean=(0, 0), std=(1, 1))
    with pytest.raises(InputError, match="no view zenith"):
        network_input(np.zeros((4, 2, 2, 2), np.float32), zenith)


class Tiles:
    """Chips that were cut from a cube, as far as their index tells."""

    label, days, size = "tiles", 20, 40

    def __init__(self, *places: tuple[str, int, int], **details: str | float):
        made = ({"start": start, "corner": (row, col)} for start, row, col in places)
        self.entries = tuple(
            ChipEntry(f"t{i}", source="cube", details=details, **one) for i, one in enumerate(made)
        )

    folder = label


def test_validation_overlaps_no_training(config: TrainingConfig) -> None:
    training = Tiles(("2020-07-01", 0, 0))
    for apart in (("2020-07-21", 0, 0), ("2020-06-11", 0, 0), ("2020-07-01", 40, 0), ("2020-07-01", 0, 40)):
        assert held_out([training], [Tiles(apart)])
    for near in (("2020-07-20", 0, 0), ("2020-06-12", 39, 0), ("2020-07-01", 20, 39)):
        with pytest.raises(InputError, match="it overlaps t0 of tiles"):
            held_out([training], [Tiles(near)])
    grouped = Tiles(("2020-07-01", 0, 0))
    grouped.entries = tuple(dataclasses.replace(one, climate="validation") for one in grouped.entries)
    with pytest.raises(InputError, match="it overlaps t0 of tiles"):
        held_out([training], [grouped])


@pytest.mark.parametrize(
    ("band", "sensor", "fits"),
    [
        ("M12", "VIIRS S-NPP", True),
        ("M12", "VIIRS NOAA-20/NOAA-21", True),
        ("M11", "VIIRS S-NPP", False),
        ("M12", "VIIRS S-NPP surface reflectance", False),
        ("M12", "my own camera", False),
    ],
)
def test_tiles_are_of_the_sensor_and_band_of_the_inputs(band: str, sensor: str, fits: bool) -> None:
    tiles = Tiles(("2020-07-01", 0, 0), mir_band=band, sensor=sensor)
    told = pytest.raises(InputError, match="say what they are in a sensor definition")
    with contextlib.nullcontext() if fits else told:
        check_definition([tiles], InputSpec())
    assert (definition_note([tiles], InputSpec()) is None) == fits
    check_definition([tiles], InputSpec(mir_band="M11/M12", sensor=sensor))


def test_tiles_have_cells_of_the_size_of_the_inputs() -> None:
    tiles = Tiles(("2020-07-01", 0, 0), mir_band="M12", sensor="VIIRS", pixel_size=0.0025)
    with pytest.raises(InputError, match=r"of tiles have cells of 0.0025 degrees, .* said to have 0.01"):
        check_definition([tiles], InputSpec())
    check_definition([tiles], InputSpec(pixel_size=0.0025))
    check_definition(
        [Tiles(("2020-07-01", 0, 0), mir_band="M12", sensor="VIIRS")], InputSpec(pixel_size=0.05)
    )


@pytest.mark.slow
def test_a_worker_process_gives_the_same_run(config: TrainingConfig, tmp_path: Path) -> None:
    short = config.changed(optimiser={"steps": 3}, data={"validation_chips": []})
    train(short, tmp_path / "a")
    train(short.changed(runtime={"workers": 2}), tmp_path / "b")
    one, two = weights_of(tmp_path / "a")["model"], weights_of(tmp_path / "b")["model"]
    assert all(torch.equal(one[name], two[name]) for name in one)


# Starting weights.


def test_the_prior_is_what_a_fresh_network_says(config: TrainingConfig) -> None:
    model = start_network(config.changed(start={"prior": 0.01}))
    assert torch.sigmoid(model.logits.bias).item() == pytest.approx(0.01)
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            model.parameters(), start_network(config.changed(start={"prior": 0.01})).parameters(), strict=True
        )
    )


def test_rescaled_channels_answer_alike(config: TrainingConfig) -> None:
    torch.manual_seed(0)
    old = config.inputs
    new = InputSpec(
        channels=("observed", "nir", "red", "mir", "frp"),
        mean=(0.0, 0.1, 0.3, 0.2, 0.5),
        std=(1.0, 0.3, 0.2, 0.1, 2.0),
    )
    source = BANet(config.network, old).eval()
    fitted = BANet(config.network.model_copy(update={"channels": 5}), new).eval()
    fitted.load_state_dict(adapt_channels(source.state_dict(), old, new))
    planes = np.random.default_rng(0).uniform(0.01, 0.5, (4, 16, 48, 48)).astype(np.float32)
    with torch.inference_mode():
        a = source(torch.from_numpy(network_input(planes, old)).unsqueeze(0))
        b = fitted(torch.from_numpy(network_input(planes, new)).unsqueeze(0))
    inner = (..., slice(4, 12), slice(16, 32), slice(16, 32))
    torch.testing.assert_close(a[inner], b[inner], rtol=1e-4, atol=1e-4)


def test_going_on_from_weights(config: TrainingConfig, tmp_path: Path) -> None:
    torch.manual_seed(1)
    source = BANet(config.network, config.inputs)
    path = save_weights(source, tmp_path / "w.safetensors", card={})
    start = config.changed(start={"weights": str(path)})
    model = start_network(start)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), source.parameters(), strict=True))
    tuned = train(start.changed(optimiser={"steps": 1, "frozen": ["encoder"], "ema": 0.0}), tmp_path / "run")
    assert tuned.weights is not None
    after = load_model(tuned.weights)
    assert after.card["started_from"] == load_model(path).weights_sha256
    for name, tensor in source.state_dict().items():
        moved = not torch.equal(tensor, after.state_dict()[name])
        assert moved == (not name.startswith("encoder.")), name
    with pytest.raises(InputError, match="of the network"):
        start_network(start.changed(network={"width": 2}))


def test_a_run_goes_on_without_the_weights_it_started_from(config: TrainingConfig, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(BANet(config.network, config.inputs), path, card={"training_chips": [{"chips": 3}]})
    start = config.changed(start={"weights": str(path)}, data={"validation_chips": []})
    train(start.changed(optimiser={"steps": 1}), tmp_path / "run")
    told = {"started_from": load_model(path).weights_sha256, "earlier_chips": [{"chips": 3}]}
    save_weights(BANet(config.network, config.inputs), path, card={})
    for steps in (2, 3):
        longer = train(start.changed(optimiser={"steps": steps}), tmp_path / "run", resume=True)
        assert longer.weights is not None and longer.steps == steps
        card = load_model(longer.weights).card
        assert {name: card[name] for name in told} == told
        path.unlink(missing_ok=True)
    # A checkpoint of before holds no card: the file tells it.
    fields = weights_of(tmp_path / "run")
    del fields["card"]
    torch.save(fields, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(NotFoundError, match=r"w\.safetensors"):
        train(start.changed(optimiser={"steps": 4}), tmp_path / "run", resume=True)
    save_weights(BANet(config.network, config.inputs), path, card={"training_chips": [{"chips": 5}]})
    last = train(start.changed(optimiser={"steps": 4}), tmp_path / "run", resume=True)
    assert last.weights is not None and load_model(last.weights).card["earlier_chips"] == [{"chips": 5}]


def test_fixed_statistics_train_what_maps_will_run(config: TrainingConfig, tmp_path: Path) -> None:
    torch.manual_seed(1)
    source = BANet(config.network, config.inputs)
    for module in source.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.running_mean, -0.5, -0.1)
    path = save_weights(source, tmp_path / "w.safetensors", card={})
    fixed = config.changed(
        start={"weights": str(path)}, optimiser={"steps": 2, "ema": 0.0, "fixed_statistics": True}
    )
    tuned = train(fixed, tmp_path / "run")
    assert tuned.weights is not None
    after, before = load_model(tuned.weights).state_dict(), source.state_dict()
    statistics = [name for name in before if "running" in name]
    assert statistics
    assert all(torch.equal(after[name], before[name]) for name in statistics)
    assert not torch.equal(after["encoder.0.space.norm.weight"], before["encoder.0.space.norm.weight"])


def test_groups_by_rate(config: TrainingConfig) -> None:
    model = start_network(config)
    groups = parameter_groups(
        model, config.changed(optimiser={"slower": {"encoder": 0.1, "encoder.0": 0.01}}).optimiser
    )
    factors = {id(p): group["factor"] for group in groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        expected = 0.01 if name.startswith("encoder.0.") else 0.1 if name.startswith("encoder.") else 1.0
        assert factors[id(parameter)] == expected
    assert all(group["weight_decay"] == 0 for group in groups if group["params"][0].ndim == 1)
    with pytest.raises(InputError, match="no parameter's name"):
        parameter_groups(model, config.changed(optimiser={"frozen": ["enc"]}).optimiser)
    roots = sorted({name.split(".")[0] for name, _ in model.named_parameters()})
    with pytest.raises(InputError, match="nothing to train"):
        parameter_groups(model, config.changed(optimiser={"frozen": roots}).optimiser)


# Parts.


def test_the_running_mean_by_hand(config: TrainingConfig) -> None:
    model = BANet(config.network)
    torch.nn.init.constant_(model.logits.bias, 1.0)
    mean = RunningMean(model, 0.9)
    torch.nn.init.constant_(model.logits.bias, 2.0)
    mean.update(model, 0)
    assert mean.model.logits.bias.item() == pytest.approx(1.9)
    mean.update(model, 1000)
    assert mean.model.logits.bias.item() == pytest.approx(0.9 * 1.9 + 0.1 * 2)


def test_validation_scores_the_variants_beside_the_baseline(
    config: TrainingConfig, folders: tuple[str, str]
) -> None:
    chips = [Chips.open(folders[1])]
    seen: list[torch.Tensor] = []
    model = BANet(config.network, config.inputs)
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    scores = validate(model, chips, config.inputs, config.validation, torch.device("cpu"))
    assert set(scores) == {"all", "no_hotspots", "no_images", "active_fires"}
    # The toy's fires are detected each, on their day: the baseline is perfect.
    assert (
        scores["active_fires"]["overall"]["dice"] == 1
        and scores["active_fires"]["overall"]["date_error"] == 0
    )
    whole, no_hotspots, no_images = (x[0, :, :20, :40, :40] for x in seen[:3])
    assert torch.equal(whole[:3], no_hotspots[:3]) and torch.equal(whole[3], no_images[3])
    assert (no_hotspots[3] == config.inputs.missing[3]).all()
    for band in range(3):
        assert (no_images[band] == no_images[band].flatten()[0]).all()


def test_a_few_chips_are_of_every_climate(folders: tuple[str, str]) -> None:
    chips = Chips.open(folders[0])
    few = select_chips([chips], 2)
    assert {chips.entries[number].climate for _, number in few} == {"a", "bb"}
    assert len(select_chips([chips], 0)) == 6


def test_keeping_memory_is_a_choice_of_the_c_library() -> None:
    assert keep_freed_memory() in (True, False)


# Several processes, and the simulator itself as a source.


@pytest.mark.slow
def test_two_processes_step_as_one_with_twice_the_episodes(config: TrainingConfig, tmp_path: Path) -> None:
    fields = {"steps": 3, "batch": 1, "ema": 0.0, "accumulate": 2}
    alone = config.changed(optimiser=fields, network={"dropout": 0.0}, data={"validation_chips": ()})
    train(alone, tmp_path / "alone")
    alone.changed(optimiser={"accumulate": 1}).save(tmp_path / "config.yaml")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "banet.training"]
    command += [str(tmp_path / "config.yaml"), "--out", str(tmp_path / "together")]
    ended = subprocess.run(
        [sys.executable, *command], check=False, capture_output=True, text=True, timeout=200
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    one, two = (weights_of(tmp_path / run)["model"] for run in ("alone", "together"))
    for name, tensor in one.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(tensor, two[name], atol=2e-5, rtol=1e-3, msg=name)
    steps = [events(tmp_path / run, "train") for run in ("alone", "together")]
    for name in ("loss", "bce", "dice", "date"):
        assert [one[name] for one in steps[1]] == pytest.approx([one[name] for one in steps[0]], rel=1e-3), (
            name
        )
    assert len(steps[1]) == 3 and ended.stdout.count("3 steps in") == 1


def test_the_simulator_can_be_the_source(config: TrainingConfig) -> None:
    stream = SimulatedStream(("a", "bb"), 10, 1000, 16, 32, sampler=toy_sample)
    episodes = Episodes([stream], config.data, None, config.inputs, batch=2, seed=4)
    first, again, other = episodes[0], episodes[0], episodes[1]
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.target, again.target)
    assert not torch.equal(first.inputs, other.inputs)
    assert first.inputs.shape == (2, 4, 16, 32, 32) and (first.target > 0).any()
    assert stream.index_sha256 != SimulatedStream(("a",), 10, 1000, 16, 32).index_sha256


def test_fine_tuning_takes_network_and_inputs_of_the_weights(config: TrainingConfig, tmp_path: Path) -> None:
    model = start_network(config)
    model.spec = config.inputs
    save_weights(model, tmp_path / "start.safetensors")
    tuned = fine_tuning(tmp_path / "start.safetensors", config.data.chips)
    # As maps take them: the weights were never told that nobody saw what is not known.
    assert tuned.augment.frp_unknown == 1
    assert (tuned.network, tuned.inputs, tuned.data.chips) == (
        config.network,
        config.inputs,
        config.data.chips,
    )
    torch.testing.assert_close(start_network(tuned).state_dict(), model.state_dict())
