"""Configuration of a training run: one frozen value, read from YAML and saved beside the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from banet.errors import InputError
from banet.io.files import PathLike
from banet.io.settings import Frozen, over, read_fields
from banet.model.config import BANetConfig, InputSpec

__all__ = [
    "AugmentConfig",
    "DataConfig",
    "LossConfig",
    "OptimiserConfig",
    "RuntimeConfig",
    "SimulatedData",
    "StartConfig",
    "TrainingConfig",
    "ValidationConfig",
    "load_config",
]

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SimulatedData(Frozen):
    """Chips to simulate before training, those that are not there yet.

    Attributes:
        folder: for training and validation chips, in `train` and `validation` below it.
        climates: of `banet.simulation`, in turn.
        train, validation: how many of each; seeds never overlap. With `train: 0` all are for validation.
        seed: first seed of the training chips; validation seeds start a million later.
        days, size: of each chip.
        workers: processes that simulate.
        fly: simulate every training episode anew, of the size of a crop, instead of keeping chips: no two
            are alike and nothing is stored, at about 0.2 s an episode of 64 days x 64 x 64 cells and core.
    """

    folder: str = "chips/simulated"
    climates: tuple[str, ...] = ("mediterranean",)
    train: Annotated[int, Field(ge=0)] = 400
    validation: Positive = 21
    seed: Annotated[int, Field(ge=0)] = 1000
    days: Positive = 64
    size: Positive = 128
    workers: Annotated[int, Field(ge=0)] = 1
    fly: bool = False


class DataConfig(Frozen):
    """Sources of episodes, and their cuts.

    Attributes:
        chips: folders to train on; each is drawn from equally often.
        validation_chips: folders held out.
        simulated: chips to simulate; added to the two lists above.
        crop_days, crop_size: of an episode; multiples of what the network needs.
        around_fire: share of episodes centred on a burned cell-day, the rest lie anywhere.
        balance: how chips are drawn: `climate` (each climate equally often, within it larger fires more often
            by the square root of their area) or `uniform`.
        min_burned_cells: an episode around a fire starts from a chip-day with more burned cells than this.
    """

    chips: tuple[str, ...] = ()
    validation_chips: tuple[str, ...] = ()
    simulated: SimulatedData | None = None
    crop_days: Positive = 64
    crop_size: Positive = 64
    around_fire: Share = 0.8
    balance: Literal["climate", "uniform"] = "climate"
    min_burned_cells: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _some_data(self) -> Self:
        if not self.chips and (self.simulated is None or not self.simulated.train):
            raise ValueError("there is nothing to train on: give data.chips or data.simulated")
        return self


class AugmentConfig(Frozen):
    """Variations of episodes; every probability is per episode, every amount an upper end.

    Attributes:
        flips: mirror and turn by quarters.
        frp_all: remove all hot spots.
        frp_days: remove the hot spots of a run of days.
        frp_squares: remove the hot spots in 1 to 5 squares of 5 to 50 cells.
        frp_thin: remove each hot spot by chance, at a rate drawn for the episode.
        frp_false: add hot spots that recur in a few cells without fire.
        frp_spill: light cells beside some of the hot spots, which did not burn for that.
        frp_unknown: share of the removals above (but thinning) after which nobody looked (NaN) instead of 0.
        most_thinned: most of the rate at which hot spots are thinned.
        images_all: withhold all reflectances.
        images_span: withhold the reflectances but for a run of days, as where a record begins or ends.
        images_fire: the same with a run of 4 days or more about a day of fire, short ones more often.
        most_late: such a run may begin so many days after that day, when burned ground alone can be seen.
        weeks_lost: withhold the reflectances of 1 to 3 runs of 4 to 14 days.
        band_lost: withhold one band, the MIR band most often, on a run of days, everywhere or in one square.
        frp_cells: remove all hot spots of up to 12 % of the single cells, as of burned cells that show none.
        frp_power: multiply the power of all hot spots by one factor of 0.05 to 1, and that of each cell by
            another.
        frp_span: make hot spots not known before the first image and after the last.
        days_dropped, most_days_dropped: drop whole days of reflectance, up to this share of them.
        constant_square: one square of 5 to 50 cells with the reflectances set to constants.
        scars: burn one or two large places more, of any contrast.
        decoys: change one or two large places as water, melting snow, drying, harvest or shade do.
        fields: turn what did not burn in 1 to 6 places into soil, stubble, litter or water from a day on.
        discs: lose, brighten or darken discs on some days, as clouds and shadows that nobody foresaw.
        gain, gain_spread: multiply each band by a factor of that logarithmic standard deviation.
        most_gain: multiply each band by a further factor between its inverse and itself; 1 for none.
        most_contrast: raise each band over its mean to a power between its inverse and itself; 1 for none.
        most_offset: add up to this much reflectance to each band, or take it off.
        mir_gain_spread, mir_offset: the same for the MIR band alone, wide, since its slot may hold 2.2 um.
        day_gain_spread: a common factor for each day, as view angles and haze give.
        noise, most_noise: add normal noise with a standard deviation up to this reflectance.
    """

    flips: bool = True
    frp_all: Share = 0.3
    frp_days: Share = 0.15
    frp_squares: Share = 0.2
    frp_thin: Share = 0.2
    frp_false: Share = 0.1
    frp_spill: Share = 0.0
    frp_unknown: Share = 0.0
    most_thinned: Share = 0.8
    images_all: Share = 0.05
    images_span: Share = 0.2
    images_fire: Share = 0.0
    most_late: Annotated[int, Field(ge=0)] = 5
    weeks_lost: Share = 0.0
    band_lost: Share = 0.0
    frp_cells: Share = 0.0
    frp_power: Share = 0.0
    frp_span: Share = 0.0
    days_dropped: Share = 0.3
    most_days_dropped: Share = 0.5
    constant_square: Share = 0.1
    scars: Share = 0.0
    decoys: Share = 0.0
    fields: Share = 0.0
    discs: Share = 0.0
    gain: Share = 0.5
    gain_spread: NonNegative = 0.08
    mir_gain_spread: NonNegative = 0.15
    mir_offset: NonNegative = 0.01
    most_gain: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    most_contrast: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    most_offset: NonNegative = 0.0
    day_gain_spread: NonNegative = 0.03
    noise: Share = 0.5
    most_noise: NonNegative = 0.015


class LossConfig(Frozen):
    """Weights of the terms of the loss.

    Attributes:
        bce: of binary cross-entropy over cell-days.
        positive_weight: of the burned part within it.
        dice: of 1 - soft Dice of the summed map.
        date: of the cross-entropy over days at burned cells.
        mapped: of 1 - Dice of the cells that a map shows burned and those of which at least half burned.
        date_spread: days over which a true date is smeared (standard deviation); 0 for none.
    """

    bce: NonNegative = 50.0
    positive_weight: NonNegative = 1.0
    dice: NonNegative = 1.0
    date: NonNegative = 0.1
    mapped: NonNegative = 0.0
    date_spread: NonNegative = 0.0

    @model_validator(mode="after")
    def _some_term(self) -> Self:
        if not any((self.bce, self.dice, self.date, self.mapped)):
            raise ValueError("there is nothing to learn from: bce, dice, date and mapped are all 0")
        return self


class OptimiserConfig(Frozen):
    """Settings of the optimiser.

    Attributes:
        steps: optimiser steps of the whole run.
        max_minutes: wall time after which the run ends, schedule and all; None for no limit. With a limit
            the learning rate follows the clock where that is ahead of the steps, so runs no longer repeat
            bit by bit.
        batch, accumulate: episodes a pass and passes a step.
        learning_rate: peak of the schedule.
        schedule: `one-cycle` (cosine up over `warmup` of the run, cosine down to nearly 0), `cosine` (linear
            up, cosine down), `constant`.
        warmup: share of the run.
        momentum: highest and lowest of AdamW's first beta, which falls as the rate climbs in `one-cycle`;
            None keeps it.
        weight_decay, betas: of AdamW; biases and normalisation do not decay.
        clip: largest norm of the gradient; 0 for none.
        ema: decay of the running mean of the weights that is validated and saved; 0 for none.
        slower: factor on the learning rate of parameters by the start of their name.
        frozen: starts of names of parameters that do not move.
        fixed_statistics: normalise by the statistics that the weights start with, as maps do, instead of by
            those of each batch. A batch of one episode normalises that episode by itself, and a network that
            learns so finds little in a record unlike the mean of all.
    """

    steps: Positive = 4000
    max_minutes: Above0 | None = None
    batch: Positive = 1
    accumulate: Positive = 1
    learning_rate: Above0 = 3e-3
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    warmup: Share = 0.1
    momentum: tuple[Decay, Decay] | None = None
    weight_decay: NonNegative = 1e-2
    betas: tuple[Decay, Decay] = (0.9, 0.99)
    clip: NonNegative = 1.0
    ema: Decay = 0.995
    slower: dict[str, Share] = Field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    fixed_statistics: bool = False


class ValidationConfig(Frozen):
    """Times and data on which the network is scored.

    Attributes:
        every_steps, every_minutes: score after so many steps or minutes, whichever comes first; 0 for never.
        chips: at most so many chips each time, the first of each climate in turn; 0 for all.
        margin_days: days at either end of a chip that are not scored, as a month's map leaves out its
            lead-in.
        patience: stop after so many validations without a better score; 0 for never.
    """

    every_steps: Annotated[int, Field(ge=0)] = 1000
    every_minutes: NonNegative = 0
    chips: Annotated[int, Field(ge=0)] = 0
    margin_days: Annotated[int, Field(ge=0)] = 8
    patience: Annotated[int, Field(ge=0)] = 0


class StartConfig(Frozen):
    """Weights from which a run starts.

    Attributes:
        weights: name or path of weights to go on from; None starts afresh.
        prior: share of cell-days that burn, which a fresh network says everywhere at first.
        images_alone: take the hot spots' part out of the first layer, so that the network knows images alone,
            whatever it is given. Its episodes should have none (`augment.frp_all`: 1).
    """

    weights: str | None = None
    prior: Annotated[float, Field(gt=0, lt=1)] | None = 0.005
    images_alone: bool = False


class TeacherConfig(Frozen):
    """Networks from which a run learns beside the truth.

    Attributes:
        weights: names or paths; what they say in the mean of an episode is learned. None are the default.
        share: of what they say in the target; the rest is the truth.
    """

    weights: tuple[str, ...] = ()
    share: Share = 0.5


class RuntimeConfig(Frozen):
    """Settings that do not change what is learned.

    Attributes:
        device: `cpu`, `cuda`, or `auto`.
        threads: of torch on the CPU; 0 leaves it alone.
        amp: half precision on CUDA.
        bfloat16: convolutions in bfloat16; about twice as fast on processors that know it; float32 on others.
        keep_memory: let the process keep freed memory on the CPU (`banet.training.memory`); faster, larger.
        workers: processes that read and vary episodes; 0 does it between steps.
        checkpoint_steps, checkpoint_minutes: save the state after so many; 0 for never.
        log_steps: steps between lines of the log.
        tensorboard: write TensorBoard files too (extra `tensorboard`).
    """

    device: str = "auto"
    threads: Annotated[int, Field(ge=0)] = 0
    amp: bool = True
    bfloat16: bool = False
    keep_memory: bool = True
    workers: Annotated[int, Field(ge=0)] = 1
    checkpoint_steps: Annotated[int, Field(ge=0)] = 500
    checkpoint_minutes: NonNegative = 5
    log_steps: Positive = 20
    tensorboard: bool = False


class TrainingConfig(Frozen):
    """A training run."""

    name: str = "banet"
    seed: Annotated[int, Field(ge=0)] = 0
    network: BANetConfig = BANetConfig()
    inputs: InputSpec = InputSpec()
    data: DataConfig
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    validation: ValidationConfig = ValidationConfig()
    start: StartConfig = StartConfig()
    teacher: TeacherConfig = TeacherConfig()
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.network.channels != len(self.inputs.channels):
            raise ValueError(
                f"the network takes {self.network.channels} channels, "
                f"inputs.channels names {self.inputs.channels}"
            )
        days, rows, _ = self.network.multiple
        if self.data.crop_days % days or self.data.crop_size % rows:
            raise ValueError(
                f"data.crop_days and data.crop_size must be multiples of {days} and {rows} for this network, "
                f"found {self.data.crop_days} and {self.data.crop_size}"
            )
        return self

    def changed(self, **parts: dict[str, Any]) -> Self:
        """Return a copy with fields of parts replaced, as in `changed(optimiser={"steps": 10})`.

        Raises:
            InputError: if a field does not exist or a value does not fit.
        """
        fields = self.model_dump()
        for part, changes in parts.items():
            fields[part] = {**(fields.get(part) or {}), **changes} if isinstance(changes, dict) else changes
        return type(self).parse(fields, "the changed settings")


def load_config(path: PathLike, *, chips: Sequence[str] = ()) -> TrainingConfig:
    """Read a configuration from YAML.

    A file that says `extends: other.yaml`, beside it, states what differs from that one alone.

    Args:
        path: of the file.
        chips: folders to train on in place of those of the file and of what it simulates for training; what
            it holds out stays.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is not YAML with named fields.
        InputError: if a field does not exist or a value does not fit, or a file extends itself in the end.
    """
    fields = _extended(Path(path), ())
    data = fields.get("data") or {}
    if chips and isinstance(data, dict):
        simulated = data.get("simulated")
        held = {**simulated, "train": 0, "fly": False} if isinstance(simulated, dict) else simulated
        fields = {**fields, "data": {**data, "chips": list(chips), "simulated": held}}
    return TrainingConfig.parse(fields, str(path))


def _extended(path: Path, met: tuple[Path, ...]) -> dict[str, Any]:
    """Return the fields of a file over those of the file that it extends; `met` are files that extend it."""
    if path.resolve() in met:
        raise InputError(f"{met[0]} extends itself in the end, by way of {path}")
    fields = read_fields(path, "training configuration")
    base = fields.pop("extends", None)
    if base is None:
        return fields
    if not isinstance(base, str):
        raise InputError(f"{path}: extends must name a file beside it, found {base!r}")
    merged: dict[str, Any] = over(_extended(path.parent / base, (*met, path.resolve())), fields)
    return merged
