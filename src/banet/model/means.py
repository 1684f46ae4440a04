"""Means of networks that ship under a name: their members, and what the mean turned out to mean."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from banet.io.settings import Frozen
from banet.model.config import Calibration
from banet.model.network import BANet

__all__ = ["Mean", "NamedMean", "calibration_of_mean", "file_of_mean", "named_means", "shipped_folder"]


class Mean(torch.nn.Module):
    """Networks that want the same input as one: its logits are those of their mean probability."""

    def __init__(self, models: Sequence[BANet]):
        super().__init__()
        self.members = torch.nn.ModuleList(models)
        self.config = models[0].config

    def probability(self, x: torch.Tensor) -> torch.Tensor:
        """Map normalised (batch, channels, T, H, W) to the mean probability (batch, 1, T, H, W)."""
        return torch.stack([model(x).float().sigmoid() for model in self.members]).mean(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map the same to logits."""
        return torch.logit(self.probability(x), 1e-6)


class NamedMean(Frozen):
    """Weights whose daily probabilities are averaged under one name.

    Attributes:
        name: what to ask for.
        members: names of the weights, and SHA-256 of their files.
        calibration: of the mean, measured on chips held out from the training of all.
        card: how it was made.
    """

    name: str
    members: Annotated[dict[str, str], Field(min_length=2)]
    calibration: Calibration
    card: dict[str, Any] = Field(default_factory=dict)


@functools.cache
def named_means() -> dict[str, NamedMean]:
    """Return the means that ship with the package, by name."""
    found = {file.stem: file.read_text(encoding="utf-8") for file in sorted(shipped_folder().glob("*.json"))}
    return {name: NamedMean.model_validate_json(text) for name, text in found.items()}


def file_of_mean(name: str) -> Path:
    """Return the file that describes a mean that ships."""
    return shipped_folder() / f"{name}.json"


def shipped_folder() -> Path:
    """Return the folder of the weights that ship with the package."""
    return Path(str(importlib.resources.files("banet"))) / "data" / "weights"


def calibration_of_mean(sha256: Iterable[str | None]) -> Calibration | None:
    """Return the calibration of the mean of these files; None where it was not measured."""
    asked = sorted(map(str, sha256))
    return next(
        (one.calibration for one in named_means().values() if sorted(one.members.values()) == asked), None
    )
