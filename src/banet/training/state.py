"""The state of a run, whole enough to go on to the same numbers, and its files."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from banet.errors import CorruptError, InputError, OutputError, UnreadableFileError, one_line
from banet.io.files import existing_file, writing
from banet.io.integrity import zip_fault
from banet.model.network import BANet
from banet.training.config import TrainingConfig, load_config

__all__ = ["Journal", "RunningMean", "State", "check_same_run"]

_MAY_CHANGE = {"runtime", "validation", "name"}
_MAY_CHANGE_OPTIMISER = {"steps", "max_minutes"}


class RunningMean:
    """Exponential running mean of a network's weights and statistics.

    Attributes:
        model: the network with the mean; in evaluation mode.
    """

    def __init__(self, model: BANet, decay: float):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after step number `step`; early on the mean is short, to forget the start."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


@dataclass
class State:
    """State that changes while a run goes on.

    Attributes:
        model, mean, optimiser, scaler: with their tensors.
        step: optimiser steps behind.
        seconds: wall time of training behind.
        best: best score of a validation, and `best_weights` of the network then.
        stale: validations since the best.
        ended_by: what ended the run, empty while it goes on.
        data: checksum of the index of each source of training, by its label.
        processes: how many train together.
    """

    model: BANet
    mean: RunningMean | None
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_step: int = 0
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    stale: int = 0
    ended_by: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1

    @property
    def judged(self) -> BANet:
        """The network that is validated and saved: the running mean where there is one."""
        return self.model if self.mean is None else self.mean.model

    def save(self, path: Path) -> None:
        """Write everything, chance included, to one file."""
        fields = {
            "model": self.model.state_dict(),
            "mean": None if self.mean is None else self.mean.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "progress": {name: getattr(self, name) for name in _PLAIN},
            "best_weights": self.best_weights,
            "run": {"data": list(self.data.values()), "processes": self.processes},
            "card": dict(self.model.card),
            "chance": torch.get_rng_state(),
            "chance_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        with writing(path) as part:
            torch.save(fields, part)

    def load(self, path: Path) -> bool:
        """Read what `save` wrote; tell whether it holds the card of the network, as those of before do not.

        Raises:
            NotFoundError: if there is no such file.
            UnreadableFileError: if it is damaged, or no state of this network.
            InputError: if its run had other training chips, or another number of processes.
        """
        file = existing_file(path, "checkpoint")
        if fault := zip_fault(file) if file.stat().st_size else "it is empty":
            raise CorruptError(f"{file} is damaged ({fault}): train anew in another folder")
        device = next(self.model.parameters()).device
        try:
            fields = torch.load(file, map_location=device, weights_only=True)
            before = fields.get("run")
            self.model.load_state_dict(fields["model"])
            if self.mean is not None:
                self.mean.model.load_state_dict(fields["mean"])
            self.optimiser.load_state_dict(fields["optimiser"])
            self.scaler.load_state_dict(fields["scaler"])
            for name in _PLAIN:
                setattr(self, name, fields["progress"][name])
            self.best_weights = fields["best_weights"]
            self.model.card = fields.get("card", {})
            torch.set_rng_state(fields["chance"].cpu())
            if fields["chance_cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all([state.cpu() for state in fields["chance_cuda"]])
        except _BROKEN as error:
            raise UnreadableFileError(f"{file} is no state of this run: {one_line(error)}") from error
        if before is not None:  # a checkpoint of before does not say
            self._check_same_run(before)
        return "card" in fields

    def _check_same_run(self, before: Mapping[str, Any]) -> None:
        """Make sure that a run goes on with the chips and the number of processes that it began with.

        Raises:
            InputError: if one of them is another.
        """
        for (label, checksum), known in zip(self.data.items(), before["data"], strict=False):
            if checksum != known:
                raise InputError(
                    f"the tiles of {label} are not those that the run to go on with began with: bring them "
                    "back, or choose another folder"
                )
        if before["processes"] != self.processes:
            raise InputError(
                f"the run to go on with began with {before['processes']} processes, now there are "
                f"{self.processes}: start as many, or choose another folder"
            )


_BROKEN = (
    RuntimeError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
    OSError,
    pickle.UnpicklingError,
)
_PLAIN = ("step", "seconds", "best", "best_step", "stale", "ended_by")


def check_same_run(config: TrainingConfig, saved: Path) -> None:
    """Make sure that a run that goes on has the configuration it began with, as far as learning goes.

    Raises:
        InputError: if another field differs than what validates, logs, or ends the run.
    """
    old, new = load_config(saved).model_dump(), config.model_dump()
    differ = []
    for part in old.keys() - _MAY_CHANGE:
        before, after = old[part], new[part]
        if part == "optimiser":
            before, after = (
                {k: v for k, v in fields.items() if k not in _MAY_CHANGE_OPTIMISER}
                for fields in (before, after)
            )
        if before != after:
            keys = [k for k in before if before[k] != after.get(k)] if isinstance(before, dict) else []
            differ += [f"{part}.{key}" for key in keys] or [part]
    if differ:
        raise InputError(
            f"the run to go on with was started with other values of {', '.join(sorted(differ))}; "
            "choose another folder, or the configuration saved in it"
        )


class Journal:
    """A file of one JSON object a line; without a path nothing is written."""

    def __init__(self, path: Path | None):
        self.path = path

    def write(self, event: str, **fields: Any) -> None:
        """Append one line."""
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"event": event, **fields}) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
