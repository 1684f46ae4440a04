"""Settings for what is done often."""

from __future__ import annotations

from collections.abc import Sequence

from banet.files import PathLike
from banet.model.weights import load_model
from banet.training.config import TrainingConfig

__all__ = ["fine_tuning"]


def fine_tuning(weights: PathLike, chips: Sequence[PathLike]) -> TrainingConfig:
    """Return settings to go on from weights with chips of another region or sensor.

    Network and inputs are those of the weights. The rate is a quarter of that of a fresh run, and the
    encoder, which sees what is alike everywhere, moves at a third of it.

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
        "loss": {"bce": 20.0, "dice": 1.0, "date": 0.1},
        "optimiser": {"steps": 400, "learning_rate": 1e-3, "ema": 0.99, "slower": {"encoder": 0.3}},
        "validation": {"every_steps": 200},
        "start": {"weights": str(weights)},
    }
    return TrainingConfig.parse(fields, "the settings for fine-tuning")
