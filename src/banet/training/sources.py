"""The folders of chips of a run, simulated first where the configuration asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from banet.chips import Chips, SimulatedStream, Source
from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.errors import InputError
from banet.io.progress import Progress
from banet.training.config import DataConfig, SimulatedData

__all__ = ["VALIDATION_SEEDS", "held_out", "open_sources", "write_simulated"]

VALIDATION_SEEDS = 1_000_000
"""How far the seeds of validation chips lie above those of training chips."""


def open_sources(data: DataConfig, progress: Progress | None = None) -> tuple[list[Source], list[Chips]]:
    """Open the folders of training and validation chips; simulate what is missing."""
    training: list[Source] = [Chips.open(folder) for folder in data.chips]
    validation = [Chips.open(folder) for folder in data.validation_chips]
    if data.simulated is not None:
        if data.simulated.fly:
            training.append(_stream(data))
        else:
            training.append(write_simulated(data.simulated, "train", progress))
        validation.append(write_simulated(data.simulated, "validation", progress))
    return training, validation


def write_simulated(
    data: SimulatedData, part: Literal["train", "validation"], progress: Progress | None = None
) -> Chips:
    """Simulate the training or the validation chips that are not there yet.

    Raises:
        InputError: if there are so many training chips that their seeds reach those of validation.
    """
    if data.train >= VALIDATION_SEEDS:
        raise InputError(f"data.simulated.train is {data.train}; at most {VALIDATION_SEEDS - 1} chips")
    held = part == "validation"
    plan = plan_simulated(
        data.validation if held else data.train,
        data.climates,
        data.seed + VALIDATION_SEEDS if held else data.seed,
    )
    return write_simulated_chips(
        Path(data.folder) / part,
        plan,
        days=data.days,
        size=data.size,
        workers=data.workers,
        progress=progress,
    )


def _stream(data: DataConfig) -> SimulatedStream:
    """The simulator as a source of episodes of the size of a crop."""
    assert data.simulated is not None
    first = data.simulated.seed
    return SimulatedStream(
        data.simulated.climates, first, first + VALIDATION_SEEDS, data.crop_days, data.crop_size
    )


def held_out(training: Sequence[Source], validation: Sequence[Chips]) -> list[Chips]:
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
