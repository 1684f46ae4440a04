"""Card of a set of weights: what its users should know, written into the file."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from banet.chips import Chips, SimulatedStream, Source
from banet.training.config import TrainingConfig
from banet.training.origins import origins
from banet.training.state import State

__all__ = ["model_card"]


def model_card(
    config: TrainingConfig,
    state: State,
    reason: str,
    scores: dict[str, Any],
    training: Sequence[Source],
    validation: Sequence[Chips],
    device: torch.device,
) -> dict[str, Any]:
    """Describe trained weights: data, command, seed, hashes, time, scores and limits."""
    simulated = all(entry.source == "simulated" for source in training for entry in source.entries)
    kind = "simulated data only" if simulated else "chips made of observations and labels"
    return {
        "name": config.name,
        "data": kind,
        "limits": (
            "Trained on simulated scenes; its maps of real fires need checking against a reference."
            if simulated
            else "Trained on the chips named here; elsewhere its maps need checking against a reference."
        ),
        "training_chips": [_describe(chips) | _origins(chips) for chips in training],
        "earlier_chips": state.model.card.get("earlier_chips", []),
        "validation_chips": [_describe(chips) for chips in validation],
        "command": "banet train --config config.yaml",
        "config": _without_places(config),
        "seed": config.seed,
        "started_from": state.model.card.get("started_from"),
        "steps": state.step,
        "weights_of_step": state.best_step or state.step,
        "ended_by": reason,
        "minutes": round(state.seconds / 60, 1),
        "hardware": _hardware(device),
        "torch": torch.__version__,
        "scores": {variant: by_climate["overall"] for variant, by_climate in scores.items()},
    }


def _without_places(config: TrainingConfig) -> dict[str, Any]:
    """Return the configuration as plain values, files and folders by their names alone."""
    fields = config.model_dump(mode="json")
    data, start = fields["data"], fields["start"]
    for part in ("chips", "validation_chips"):
        data[part] = [Path(folder).name for folder in data[part]]
    if data["simulated"] is not None:
        data["simulated"]["folder"] = Path(data["simulated"]["folder"]).name
    if start["weights"] is not None:
        start["weights"] = Path(start["weights"]).name
    fields["teacher"]["weights"] = [Path(one).name for one in fields["teacher"]["weights"]]
    return fields


def _describe(chips: Source) -> dict[str, Any]:
    if isinstance(chips, SimulatedStream):
        return chips.describe()
    climates = Counter(entry.climate or entry.region for entry in chips.entries)
    return {
        "chips": len(chips),
        "days": chips.days,
        "size": chips.size,
        "groups": dict(sorted(climates.items())),
        "index_sha256": chips.index_sha256,
    }


def _origins(chips: Source) -> dict[str, Any]:
    return {} if isinstance(chips, SimulatedStream) else {"origins": origins(chips)}


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} thread(s), {platform.machine()}"
