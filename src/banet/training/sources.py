"""The folders of chips of a run, simulated first where the configuration asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from banet.chips import Chips
from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.errors import InputError
from banet.training.config import DataConfig, SimulatedData

__all__ = ["VALIDATION_SEEDS", "held_out", "open_sources", "write_simulated"]

Progress = Callable[[int, int, str], None]

VALIDATION_SEEDS = 1_000_000
"""How far the seeds of validation chips lie above those of training chips."""


def open_sources(data: DataConfig, progress: Progress | None = None) -> tuple[list[Chips], list[Chips]]:
    """Open the folders of training and validation chips; simulate what is missing."""
    training = [Chips.open(folder) for folder in data.chips]
    validation = [Chips.open(folder) for folder in data.validation_chips]
    if data.simulated is not None:
        more, held = write_simulated(data.simulated, progress)
        training.append(more)
        validation.append(held)
    return training, validation


def write_simulated(data: SimulatedData, progress: Progress | None = None) -> tuple[Chips, Chips]:
    """Simulate the training and validation chips that are not there yet.

    Raises:
        InputError: if there are so many training chips that their seeds reach those of validation.
    """
    if data.train >= VALIDATION_SEEDS:
        raise InputError(f"data.simulated.train is {data.train}; at most {VALIDATION_SEEDS - 1} chips")
    folders = []
    for part, count, seed in (
        ("validation", data.validation, data.seed + VALIDATION_SEEDS),
        ("train", data.train, data.seed),
    ):
        plan = plan_simulated(count, data.climates, seed)
        folders.append(
            write_simulated_chips(
                Path(data.folder) / part,
                plan,
                days=data.days,
                size=data.size,
                workers=data.workers,
                progress=progress,
            )
        )
    validation, training = folders
    return training, validation


def held_out(training: Sequence[Chips], validation: Sequence[Chips]) -> list[Chips]:
    """Return the validation folders after making sure that no chip of theirs is trained on.

    Raises:
        InputError: if a folder or a chip is in both.
    """
    seen = {(e.source, e.climate, e.region, e.seed, e.start, e.corner) for c in training for e in c.entries}
    for chips in validation:
        for e in chips.entries:
            if (e.source, e.climate, e.region, e.seed, e.start, e.corner) in seen:
                raise InputError(f"the chip {e.name} of {chips.folder} is for training and for validation")
    return list(validation)
