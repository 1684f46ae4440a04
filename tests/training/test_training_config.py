"""Settings of a run: what they accept, and the rates that follow from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from banet.errors import InputError, NotFoundError, UnreadableFileError
from banet.model import load_model
from banet.training import TrainingConfig, fine_tuning, load_config, original
from banet.training.config import OptimiserConfig
from banet.training.presets import with_sensor
from banet.training.schedule import rate_factor, run_progress, set_rates
from banet.training.start import start_network
from banet.training.widen import holds

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(FOLDER.glob("*.yaml"))
SMALL = {"data": {"chips": ["x"]}, "network": {"width": 4, "lstm": False}}


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("data: {chips: [x]}\noptimiser: {steps: 4000}\noptimiser: {steps: 2}\n")
    with pytest.raises(
        InputError, match=r"twice\.yaml: the key optimiser stands twice, on lines 2 and 3; keep"
    ):
        load_config(path)
    path.write_text("data: {chips: [x]}\noptimiser: {steps: 4000, steps: 2}\n")
    with pytest.raises(InputError, match="the key steps stands twice, on lines 2 and 2"):
        load_config(path)
    path.write_text("data: &d {chips: [x], crop_days: 32}\noptimiser: {steps: 3}\n")
    assert load_config(path).optimiser.steps == 3


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid_and_survive_saving(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    config.save(tmp_path / "again.yaml")
    assert load_config(tmp_path / "again.yaml") == config


def test_a_sensor_definition_changes_what_it_names() -> None:
    config = fine_tuning("default", ["x"])
    told = with_sensor(
        config, {"mir_band": "M11", "mean": {"mir": 0.2}, "sensor": "VIIRS surface reflectance"}
    )
    assert told.inputs.channels == config.inputs.channels and told.inputs.mir_band == "M11"
    assert dict(zip(told.inputs.channels, told.inputs.mean, strict=True)) == {
        **dict(zip(config.inputs.channels, config.inputs.mean, strict=True)),
        "mir": 0.2,
    }
    assert told.inputs.std == config.inputs.std
    more = {
        "channels": [*config.inputs.channels, "observed"],
        "mean": {"observed": 0.5},
        "std": {"observed": 0.5},
    }
    wider = with_sensor(config, more)
    assert wider.network.channels == len(wider.inputs.channels) == 6
    assert start_network(wider).config.channels == 6
    with pytest.raises(InputError, match="mean lacks observed"):
        with_sensor(config, {"channels": [*config.inputs.channels, "observed"]})
    with pytest.raises(InputError, match="std names swir"):
        with_sensor(config, {"std": {"swir": 1.0}})
    with pytest.raises(InputError, match=r"inputs\.bands"):
        with_sensor(config, {"bands": 3})
    for odd in (5, "red", ["red", ["nir"], "mir", "frp"]):
        with pytest.raises(InputError, match="channels is a list of names, found"):
            with_sensor(config, {"channels": odd})


def test_a_loss_without_a_term_is_refused() -> None:
    with pytest.raises(InputError, match="loss: there is nothing to learn from"):
        fine_tuning("default", ["x"]).changed(loss={"bce": 0, "dice": 0, "date": 0})


def test_there_are_shipped_configurations() -> None:
    assert {"default", "original", "quick"} <= {path.stem for path in CONFIGS}


def test_the_original_s_recipe() -> None:
    config = load_config(next(path for path in CONFIGS if path.stem == "original"))
    assert config.network.width == 32 and config.network.lstm
    assert config.optimiser.steps == 8 * 2000 and config.optimiser.batch == 1
    assert config.loss.bce == 100 and config.loss.dice == config.loss.date == 0
    assert config.inputs.std == (0.1879, 0.1660, 0.0547, 0.0776)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {}}, "nothing to train on"),
        ({"data": {"chips": ["x"], "crop_days": 20}}, "multiples of 16 and 32"),
        ({"data": {"chips": ["x"], "crop_size": 50}}, "multiples of 16 and 32"),
        ({"optimiser": {"stepz": 3}}, "optimiser.stepz: Extra inputs"),
        ({"optimiser": {"steps": 0}}, "optimiser.steps: Input should be greater than 0"),
        ({"augment": {"frp_all": 1.5}}, "augment.frp_all"),
        ({"network": {"channels": 5}}, "5 channels"),
        ({"loss": {"bce": float("nan")}}, "loss.bce"),
        ({"optimiser": {"learning_rate": float("inf")}}, "optimiser.learning_rate"),
        ({"optimiser": {"max_minutes": float("inf")}}, "optimiser.max_minutes"),
        ({"optimiser": {"betas": [1.0, 0.99]}}, "optimiser.betas"),
        ({"optimiser": {"steps": True}}, "steps is no yes or no, found yes"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        TrainingConfig.parse({**SMALL, **changes}, "run.yaml")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("run.yaml")


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_config(tmp_path / "none.yaml")
    for text in ("- 1\n- 2\n", "a: [", "", "\x00"):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(UnreadableFileError):
            load_config(tmp_path / "bad.yaml")


def test_a_file_states_what_differs_from_the_one_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("data: {chips: [x]}\nloss: {bce: 2, dice: 3}\nseed: 4\n")
    (tmp_path / "one.yaml").write_text("extends: all.yaml\nloss: {dice: 5}\noptimiser: {steps: 7}\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\nseed: 6\n")
    config = load_config(tmp_path / "two.yaml")
    assert (config.seed, config.loss.bce, config.loss.dice, config.optimiser.steps) == (6, 2, 5, 7)
    assert config.data.chips == ("x",)
    with pytest.raises(InputError, match="extends"):
        TrainingConfig.parse({**SMALL, "extends": "all.yaml"}, "fields")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("extends: none.yaml\n", NotFoundError, "none.yaml"),
        ("extends: back.yaml\n", InputError, "extends itself"),
        ("extends: here.yaml\n", InputError, "extends itself"),
        ("extends: [a, b]\n", InputError, "must name a file"),
        ("extends: all.yaml\nloss: {bcee: 1}\n", InputError, "loss.bcee"),
    ],
)
def test_what_cannot_be_extended_is_named(
    text: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    (tmp_path / "all.yaml").write_text("data: {chips: [x]}\n")
    (tmp_path / "back.yaml").write_text("extends: here.yaml\n")
    (tmp_path / "here.yaml").write_text(text)
    with pytest.raises(error, match=message):
        load_config(tmp_path / "here.yaml")


def test_changed_replaces_fields_of_parts() -> None:
    config = TrainingConfig.parse(SMALL, "x")
    other = config.changed(optimiser={"steps": 7}, seed=3)
    assert other.optimiser.steps == 7 and other.seed == 3
    assert other.optimiser.batch == config.optimiser.batch and config.optimiser.steps == 4000
    with pytest.raises(InputError, match=r"optimiser\.nothing"):
        config.changed(optimiser={"nothing": 7})


def test_one_cycle_climbs_from_a_25th_and_ends_near_nothing() -> None:
    config = OptimiserConfig(warmup=0.25)
    assert rate_factor(0, config) == pytest.approx(1 / 25)
    assert rate_factor(0.125, config) == pytest.approx((1 + 1 / 25) / 2)
    assert rate_factor(0.25, config) == pytest.approx(1)
    assert rate_factor(0.625, config) == pytest.approx(0.5, abs=1e-4)
    assert rate_factor(1, config) == pytest.approx(1e-5)
    assert rate_factor(0.05, OptimiserConfig(schedule="cosine")) == pytest.approx(0.52)
    assert rate_factor(0.7, OptimiserConfig(schedule="constant")) == 1
    assert rate_factor(1, OptimiserConfig(warmup=1)) == pytest.approx(1e-5)
    assert rate_factor(0, OptimiserConfig(warmup=0)) == pytest.approx(1)


def test_progress_follows_steps_or_the_clock() -> None:
    assert run_progress(500, 99, OptimiserConfig(steps=1000)) == 0.5
    assert run_progress(500, 9, OptimiserConfig(steps=1000, max_minutes=10)) == 0.9
    assert run_progress(2000, 99, OptimiserConfig(steps=1000, max_minutes=10)) == 1


def test_momentum_falls_as_the_rate_climbs() -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    groups = [{"params": [weight], "factor": 0.5}]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99))
    config = OptimiserConfig(learning_rate=0.1, warmup=0.5, momentum=(0.95, 0.85))
    assert set_rates(optimiser, 0.5, config) == pytest.approx(0.1)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.05)
    assert optimiser.param_groups[0]["betas"] == pytest.approx((0.85, 0.99))


def test_the_file_of_the_published_recipe_is_the_preset() -> None:
    assert load_config(FOLDER / "original.yaml") == original(["chips"])


def test_the_recipe_of_the_shipped_weights_is_in_their_card() -> None:
    recipe = load_config(FOLDER / "default.yaml").model_dump(mode="json")
    # Settings that came after the run stand at their defaults, by which nothing changes.
    kept = TrainingConfig.parse(load_model("default").card["config"], "card").model_dump(mode="json")
    for part in ("seed", "network", "inputs", "augment", "loss", "optimiser"):
        assert kept[part] == recipe[part], part


def test_each_run_of_the_recipe_goes_on_from_the_one_before() -> None:
    names = [*(f"default_{run}" for run in range(1, 16)), "default"]
    runs = [load_config(FOLDER / f"{name}.yaml") for name in names]
    assert runs[0].start.weights is None
    wide = {f"default_{run}" for run in range(12, 16)}
    for name, run in zip(names[:-1], runs[1:], strict=True):
        assert run.start.weights == f"runs/{name}/weights.safetensors"
        assert run.network.channels == 5
        assert holds(run.network, runs[0].network)
        assert (run.network == runs[1].network) == (name not in wide)
        assert run.optimiser.fixed_statistics
    assert not runs[0].optimiser.fixed_statistics
