"""Settings for what is done often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from banet.errors import InputError
from banet.io.files import PathLike
from banet.model.weights import load_model
from banet.training.config import TrainingConfig

__all__ = ["fine_tuning", "original", "with_sensor"]


def fine_tuning(weights: PathLike, chips: Sequence[PathLike]) -> TrainingConfig:
    """Return settings to go on from weights with chips of another region or sensor.

    Network and inputs are those of the weights, and so are the statistics of its normalisation. The rate is
    a quarter of that of a fresh run, and the encoder, which sees what is alike everywhere, moves at a third
    of it. Hot spots that are withheld are not known, as maps take them.

    Args:
        weights: name or path.
        chips: folders to train on.

    Raises:
        NotFoundError, UnreadableFileError: if the weights cannot be read.
    """
    model = load_model(weights)
    fields = {
        "name": "fine-tuned",
        "network": model.config.model_dump(),
        "inputs": model.spec.model_dump(),
        "data": {"chips": [str(folder) for folder in chips]},
        "augment": {"frp_all": 0.5, "frp_unknown": 1.0},
        "loss": {"bce": 20.0, "dice": 1.0, "date": 0.1},
        "optimiser": {
            "steps": 400,
            "learning_rate": 1e-3,
            "ema": 0.99,
            "slower": {"encoder": 0.3},
            "fixed_statistics": True,
        },
        "validation": {"every_steps": 200},
        "start": {"weights": str(weights)},
    }
    return TrainingConfig.parse(fields, "the settings for fine-tuning")


def with_sensor(config: TrainingConfig, definition: Mapping[str, Any]) -> TrainingConfig:
    """Return settings whose inputs are as a sensor definition says; what it leaves out stays.

    Args:
        config: settings to change.
        definition: fields of `InputSpec`; `mean` and `std` name their channels, or give one number for each.

    Raises:
        InputError: if a field or channel does not exist, a channel has no mean or deviation, or a value does
            not fit.
    """
    inputs = config.inputs.model_dump() | dict(definition)
    channels = inputs["channels"] or ()
    if not isinstance(channels, (list, tuple)) or not all(isinstance(name, str) for name in channels):
        raise InputError(f"the sensor definition: channels is a list of names, found {channels!r}")
    for part in ("mean", "std"):
        given = definition.get(part, {})
        if isinstance(given, Mapping):
            known = dict(zip(config.inputs.channels, getattr(config.inputs, part), strict=True)) | dict(given)
            lacking = [name for name in channels if name not in known]
            other = [name for name in given if name not in channels]
            if lacking or other:
                wrong = f"lacks {', '.join(lacking)}" if lacking else f"names {', '.join(map(str, other))}"
                raise InputError(f"the sensor definition: {part} {wrong}; the channels are {channels}")
            inputs[part] = [known[name] for name in channels]
    return config.changed(inputs=inputs, network={"channels": len(channels)})


def original(
    chips: Sequence[PathLike], validation_chips: Sequence[PathLike] = (), *, epochs: int = 8
) -> TrainingConfig:
    """Return the recipe of BA-Net as published: network, scaling, episodes, variations, loss and schedule.

    Args:
        chips: folders to train on.
        validation_chips: folders held out, such as those of the left-out year.
        epochs: of 2000 episodes.

    Source: Pinto et al. (2020), doi 10.1016/j.isprsjprs.2019.12.014, and its public code.
    """
    without = ("frp_all", "frp_days", "frp_thin", "frp_false", "images_all", "images_span")
    others = ("days_dropped", "gain", "noise")
    fields = {
        "name": "original",
        "network": {"width": 32, "lstm": True, "dropout": 0.2},
        "inputs": {"whole_looks": False},
        "data": {
            "chips": [str(folder) for folder in chips],
            "validation_chips": [str(folder) for folder in validation_chips],
            "crop_days": 64,
            "crop_size": 128,
            "around_fire": 1.0,
            "balance": "uniform",
            "min_burned_cells": 10,
        },
        "augment": {
            **dict.fromkeys((*without, *others), 0.0),
            "flips": False,
            "frp_squares": 0.5,
            "constant_square": 0.5,
        },
        "loss": {"bce": 100.0, "dice": 0.0, "date": 0.0},
        "optimiser": {
            "steps": 2000 * epochs,
            "batch": 1,
            "learning_rate": 1e-2,
            "schedule": "one-cycle",
            "warmup": 0.25,
            "momentum": [0.95, 0.85],
            "weight_decay": 1e-2,
            "betas": [0.95, 0.99],
            "clip": 1.0,
            "ema": 0.0,
        },
        "validation": {"every_steps": 2000, "margin_days": 0},
        "start": {"prior": None},
    }
    return TrainingConfig.parse(fields, "the published recipe")
