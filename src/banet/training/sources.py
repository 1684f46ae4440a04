"""The folders of chips of a run, simulated first where the configuration asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from banet.chips import Chips, SimulatedStream, Source
from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.cube.sensor import band_fits, sensor_note, size_note
from banet.errors import InputError
from banet.io.progress import Progress
from banet.model.config import InputSpec
from banet.training.config import DataConfig, SimulatedData
from banet.training.origins import chips_of_card, overlaps, training_of

__all__ = [
    "VALIDATION_SEEDS",
    "check_definition",
    "check_not_trained_on",
    "definition_note",
    "held_out",
    "open_sources",
    "write_simulated",
]

VALIDATION_SEEDS = 1_000_000
"""How far the seeds of validation chips lie above those of training chips."""


def open_sources(data: DataConfig, progress: Progress | None = None) -> tuple[list[Source], list[Chips]]:
    """Open the folders of training and validation chips; simulate what is missing."""
    training: list[Source] = [Chips.open(folder) for folder in data.chips]
    validation = [Chips.open(folder) for folder in data.validation_chips]
    if data.simulated is not None:
        if data.simulated.train and data.simulated.fly:
            training.append(_stream(data))
        elif data.simulated.train:
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


def check_definition(sources: Sequence[Source], inputs: InputSpec) -> None:
    """Make sure that chips cut from cubes are of the sensor, band and size of cells that the inputs name.

    Weights carry the definition of their inputs, and a map is told by it where a cube is another.

    Raises:
        InputError: if a chip is of another sensor, has another band in the MIR slot or cells of another size.
    """
    if note := definition_note(sources, inputs):
        raise InputError(f"{note}: say what they are in a sensor definition (sensor, mir_band, pixel_size)")


def definition_note(sources: Sequence[Source], inputs: InputSpec) -> str | None:
    """Return a line on chips of another sensor, band or size than the inputs name, None where all fit.

    Simulated chips fit: they hold what their simulation mixes.
    """
    for chips in sources:
        for entry in chips.entries:
            band, sensor = entry.details.get("mir_band"), entry.details.get("sensor")
            if band is None or sensor is None:
                continue
            if not band_fits(band, inputs.mir_band) or sensor_note(sensor, inputs.sensor) is not None:
                return (
                    f"the tiles of {chips.label} are of {sensor} with {band} in the MIR slot, the inputs of "
                    f"these weights are said to be of {inputs.sensor} with {inputs.mir_band}"
                )
            size = entry.details.get("pixel_size", inputs.pixel_size)
            if size_note(size, inputs.pixel_size) is not None:
                return (
                    f"the tiles of {chips.label} have cells of {size:g} degrees, the inputs of these weights "
                    f"are said to have {inputs.pixel_size:g}"
                )
    return None


def check_not_trained_on(
    tiles: Sequence[Source], card: Mapping[str, Any], whose: str = "these weights"
) -> None:
    """Make sure that weights were not trained on any cell and day of some tiles, as far as their card tells.

    Args:
        tiles: folders that are to be held out.
        card: of the weights.
        whose: weights, in the error.

    Raises:
        InputError: if a folder or a tile of it is among those that the card names.
    """
    seen = {one["index_sha256"] for one in training_of(card) if one.get("index_sha256")}
    for source in tiles:
        if source.index_sha256 in seen:
            raise InputError(f"{whose} were trained on the tiles of {source.label}: give held-out ones")
    for entry, chips, other, _ in overlaps(chips_of_card(card), tiles):
        raise InputError(
            f"{whose} were trained on the tile {other.name}, which {entry.name} of {chips.label} overlaps: "
            "give held-out ones"
        )


def held_out(training: Sequence[Source], validation: Sequence[Chips]) -> list[Chips]:
    """Return the validation folders after making sure that no cell and day of theirs is trained on.

    Raises:
        InputError: if a chip of them overlaps one of training.
    """
    for entry, chips, other, source in overlaps(training, validation):
        raise InputError(
            f"the chip {entry.name} of {chips.label} is for training and for validation: it overlaps "
            f"{other.name} of {source.label}"
        )
    return list(validation)
