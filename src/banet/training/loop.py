"""The training loop."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from banet.chips import Chips, Source
from banet.errors import BanetError, BanetWarning, InputError
from banet.io.files import PathLike, output_folder, write_json
from banet.io.lock import lock
from banet.io.progress import Progress
from banet.model.engine import knows_bfloat16
from banet.model.weights import load_model, save_weights
from banet.training.calibration import calibrate_model
from banet.training.card import model_card
from banet.training.config import TrainingConfig, load_config
from banet.training.data import Batch, Episodes, batches
from banet.training.losses import Losses, total_loss
from banet.training.memory import keep_freed_memory
from banet.training.parallel import Crowd, local_device
from banet.training.schedule import run_progress, set_rates
from banet.training.sources import check_definition, check_not_trained_on, held_out, open_sources
from banet.training.start import (
    card_of_start,
    fix_statistics,
    freeze,
    parameter_groups,
    start_network,
)
from banet.training.state import Journal, RunningMean, State, check_same_run
from banet.training.teacher import Teacher
from banet.training.validation import VARIANTS, overall, validate

__all__ = ["DivergedError", "TrainingResult", "train"]


class DivergedError(BanetError, ArithmeticError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class TrainingResult:
    """Outcome of a run.

    Attributes:
        folder: of the run.
        weights: the safetensors file; None if the run was interrupted.
        steps, minutes: behind.
        reason: why it ended: `steps`, `time`, `patience`, `interrupted`.
        scores: of the final validation; empty where there were no chips for it.
        calibrated: whether the weights were calibrated on the chips of validation.
    """

    folder: Path
    weights: Path | None
    steps: int
    minutes: float
    reason: str
    scores: dict[str, Any]
    calibrated: bool = False

    @property
    def note(self) -> str:
        """Line on an interrupted run, or on weights that no validation calibrated; empty where one did."""
        if self.reason == "interrupted":
            return f"interrupted after {self.steps} steps; give --resume to go on in {self.folder}"
        if self.weights is None or self.calibrated:
            return ""
        if self.scores:
            return (
                "these weights are not calibrated: nothing burned in the validation tiles, in cells of which "
                "the labels tell every day that is scored; use banet weights calibrate with others"
            )
        return (
            "without validation tiles these weights are neither scored nor calibrated: give "
            "data.validation_chips, or use banet weights calibrate"
        )


def train(
    config: TrainingConfig | PathLike,
    out: PathLike,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a network and leave weights, log and checkpoint in a folder.

    The folder gets `config.yaml`, `log.jsonl`, `checkpoint.pt`, and at the end `validation.json` and
    `weights.safetensors`. An interrupt ends the run after the step in hand, with a checkpoint to go on from.

    Args:
        config: the configuration, or a YAML file with it.
        out: folder of the run.
        resume: go on from the checkpoint in `out`, if there is one.
        progress: called with (done, total, message) while chips are simulated and then step by step.

    Raises:
        InputError: if the folder holds a run and `resume` is not set, or that run had another configuration,
            other training chips or another number of processes.
        BusyError: if another run trains in the folder.
        DivergedError: if the loss is no longer a number.

    Warns:
        BanetWarning: where `resume` finds no checkpoint, no tile of a folder burns enough to draw around its
            fire, or bfloat16 is asked for and the processor only imitates it, so that float32 is taken.
    """
    if not isinstance(config, TrainingConfig):
        config = load_config(config)
    folder = output_folder(out)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists() and not resume:
        raise InputError(f"{folder} holds a run already; give --resume to go on with it, or another folder")
    if checkpoint.exists():
        check_same_run(config, folder / "config.yaml")
    if config.runtime.threads:
        torch.set_num_threads(config.runtime.threads)
    if config.runtime.keep_memory and _device(config.runtime.device).type == "cpu":
        keep_freed_memory()
    device = local_device(_device(config.runtime.device))
    with Crowd(device) as crowd, _alone_in(folder, crowd):
        if crowd.first:
            if resume and not checkpoint.exists():
                told = f"{folder} holds no run to go on with: a new one begins"
                warnings.warn(told, BanetWarning, stacklevel=2)
            config.save(folder / "config.yaml")
        # One process simulates what is missing; the others find it there.
        if not crowd.first:
            crowd.agree("")
        training, validation = open_sources(config.data, progress if crowd.first else None)
        if crowd.first:
            crowd.agree("ready")
        return _Run(config, folder, training, validation, progress, device, crowd).go()


def _alone_in(folder: Path, crowd: Crowd) -> contextlib.AbstractContextManager[None]:
    """Hold the folder of a run, once for all its processes."""
    return lock(folder / "run", f"the training in {folder}") if crowd.first else contextlib.nullcontext()


def _brief(config: TrainingConfig, device: torch.device) -> bool:
    """Tell whether a run computes in bfloat16: not where a processor imitates it, in nine times the time."""
    if not config.runtime.bfloat16:
        return False
    if device.type != "cpu" or knows_bfloat16():
        return True
    said = "runtime.bfloat16: this processor does not compute in bfloat16, the run takes float32"
    warnings.warn(said, BanetWarning, stacklevel=4)
    return False


class _Run:
    def __init__(
        self,
        config: TrainingConfig,
        folder: Path,
        training: list[Source],
        validation: list[Chips],
        progress: Progress | None,
        device: torch.device,
        crowd: Crowd,
    ):
        self.config, self.folder, self.progress = config, folder, progress if crowd.first else None
        check_definition([*training, *validation], config.inputs)
        self.training, self.validation = training, held_out(training, validation)
        self.device, self.crowd = device, crowd
        self.brief = _brief(config, device)
        self.journal = Journal(folder / "log.jsonl" if crowd.first else None)
        self.board = _board(folder) if config.runtime.tensorboard and crowd.first else None
        self.episodes = Episodes(
            training,
            config.data,
            config.augment,
            config.inputs,
            batch=config.optimiser.batch,
            seed=config.seed,
        )
        self.teacher = Teacher(config, device)
        self.state = self._state(folder / "checkpoint.pt")
        check_not_trained_on(self.validation, self.state.model.card, "the weights to go on from")
        self.began = time.monotonic() - self.state.seconds
        self.last_validation = self.last_checkpoint = self.state.seconds
        self.message = ""

    def _state(self, checkpoint: Path) -> State:
        """Return the state of the checkpoint, if there is one, in which the weights to start from are."""
        if not checkpoint.exists():
            return self._fresh_state(self.config)
        state = self._fresh_state(self.config.changed(start={"weights": None}))
        start = self.config.start.weights
        if not state.load(checkpoint) and start is not None:
            state.model.card = card_of_start(load_model(start))
        return state

    def _fresh_state(self, config: TrainingConfig) -> State:
        model = start_network(config).to(self.device)
        optimiser = torch.optim.AdamW(
            parameter_groups(model, config.optimiser),
            lr=config.optimiser.learning_rate,
            betas=config.optimiser.betas,
        )
        mean = RunningMean(model, config.optimiser.ema) if config.optimiser.ema else None
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.half)
        data = {source.label: source.index_sha256 for source in self.training}
        return State(model, mean, optimiser, scaler, data=data, processes=self.crowd.size)

    @property
    def half(self) -> bool:
        """Whether gradients need scaling: half precision, on CUDA alone."""
        return self.config.runtime.amp and self.device.type == "cuda" and not self.brief

    def go(self) -> TrainingResult:
        state = self.state
        self.journal.write(
            "start", step=state.step, training=_contents(self.training), device=str(self.device)
        )
        reason = state.ended_by if self._at_its_end() else self._steps()
        state.ended_by = "" if reason == "interrupted" else reason
        self._checkpoint()
        scores: dict[str, Any] = {}
        weights = None
        if state.ended_by and self.crowd.first:
            scores, weights = self._finish(reason)
        minutes = round(state.seconds / 60, 2)
        self.journal.write("end", step=state.step, reason=reason, minutes=minutes)
        calibrated = weights is not None and state.judged.calibration is not None
        return TrainingResult(self.folder, weights, state.step, minutes, reason, scores, calibrated)

    def _at_its_end(self) -> bool:
        """Tell whether the run had ended before, and is not asked for more steps or minutes than then."""
        state, config = self.state, self.config.optimiser
        late = config.max_minutes is not None and state.seconds >= 60 * config.max_minutes
        ends = {"steps": state.step >= config.steps, "time": late or state.step >= config.steps}
        return ends.get(state.ended_by, bool(state.ended_by))

    def _steps(self) -> str:
        """Step until something ends the run; return what it was."""
        state, config = self.state, self.config.optimiser
        a_step = config.accumulate * self.crowd.size
        numbers = range(state.step * a_step + self.crowd.rank, config.steps * a_step, self.crowd.size)
        stream = batches(self.episodes, numbers, self.config.runtime.workers)
        with _stop_flag() as stopped:
            while state.step < config.steps:
                began = time.monotonic()
                # Every process takes the rate that the clock of the first asks for.
                state.seconds = self.crowd.agree(state.seconds)
                fields = self._step(stream)
                state.step += 1
                state.seconds = time.monotonic() - self.began
                self._report(fields | {"seconds_per_step": round(time.monotonic() - began, 4)})
                reason = self.crowd.agree("interrupted" if stopped() else self._after_step())
                if reason:
                    return reason
        return "steps"

    def _step(self, stream: Iterator[Batch]) -> dict[str, float]:
        state, config = self.state, self.config.optimiser
        rate = set_rates(state.optimiser, run_progress(state.step, state.seconds / 60, config), config)
        state.model.train()
        freeze(state.model, config.frozen)
        if config.fixed_statistics:
            fix_statistics(state.model)
        terms = torch.zeros(len(Losses._fields))
        for _ in range(config.accumulate):
            losses = self._pass(next(stream))
            terms += torch.stack([term.detach().float().cpu() for term in losses]) / config.accumulate
        terms = self.crowd.average(terms)
        if not torch.isfinite(terms).all():
            raise DivergedError(
                f"the loss is {terms[0]:g} at step {state.step}; lower optimiser.learning_rate"
            )
        state.scaler.unscale_(state.optimiser)
        self.crowd.average_gradients(state.model)
        norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip or float("inf"))
        state.scaler.step(state.optimiser)
        state.scaler.update()
        state.optimiser.zero_grad(set_to_none=True)
        self.crowd.average_statistics(state.model)
        if state.mean is not None:
            state.mean.update(state.model, state.step)
        names = ("loss", *Losses._fields[1:])
        fields = {name: round(float(term), 5) for name, term in zip(names, terms, strict=True)}
        return fields | {"rate": rate, "gradient": round(float(norm), 4)}

    def _pass(self, batch: Batch) -> Losses:
        inputs, target = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        kind = torch.bfloat16 if self.brief else None
        with torch.autocast(self.device.type, kind, enabled=self.brief or self.half):
            logits = self.state.model(inputs)
            target = self.teacher(inputs, target)
        # The terms add up hundreds of thousands of cells: in full precision.
        losses = total_loss(logits.float().squeeze(1), target, self.config.loss)
        self.state.scaler.scale(losses.total / self.config.optimiser.accumulate).backward()  # type: ignore[no-untyped-call]
        return losses

    def _report(self, fields: dict[str, float]) -> None:
        state = self.state
        if state.step % self.config.runtime.log_steps == 0 or state.step == 1:
            self.journal.write("train", step=state.step, minutes=round(state.seconds / 60, 3), **fields)
            if self.board is not None:
                for name, value in fields.items():
                    self.board.add_scalar(f"train/{name}", value, state.step)
        if self.progress is not None:
            self.progress(state.step, self.config.optimiser.steps, f"loss {fields['loss']:.4f}{self.message}")

    def _after_step(self) -> str:
        """Validate and checkpoint if it is time; return why the run ends, or nothing."""
        state, config = self.state, self.config
        when = config.validation
        due = _due(state.step, when.every_steps, state.seconds - self.last_validation, when.every_minutes)
        if due and self.validation and state.step < config.optimiser.steps and self.crowd.first:
            self._validate()
        often, since = config.runtime, state.seconds - self.last_checkpoint
        if _due(state.step, often.checkpoint_steps, since, often.checkpoint_minutes):
            self._checkpoint()
        if when.patience and state.stale >= when.patience:
            return "patience"
        limit = config.optimiser.max_minutes
        return "time" if limit and state.seconds >= 60 * limit else ""

    def _checkpoint(self) -> None:
        if self.crowd.first:
            self.state.save(self.folder / "checkpoint.pt")
        self.last_checkpoint = self.state.seconds

    def _validate(self) -> dict[str, Any]:
        state = self.state
        scores = validate(
            state.judged, self.validation, self.config.inputs, self.config.validation, self.device
        )
        score = overall(scores)
        if score > state.best:
            state.best, state.best_step, state.stale = score, state.step, 0
            state.best_weights = {k: v.detach().cpu().clone() for k, v in state.judged.state_dict().items()}
        else:
            state.stale += 1
        state.seconds = time.monotonic() - self.began
        self.last_validation = state.seconds
        brief = {variant: by_climate["overall"] for variant, by_climate in scores.items()}
        self.journal.write(
            "validation",
            step=state.step,
            minutes=round(state.seconds / 60, 3),
            score=round(score, 4),
            **brief,
        )
        if self.board is not None:
            for variant, values in brief.items():
                for name, value in values.items():
                    if value is not None:
                        self.board.add_scalar(f"{variant}/{name}", value, state.step)
        dice = "/".join(_figure(brief[variant]["dice"]) for variant in VARIANTS)
        self.message = f", Dice {dice}, date error {_figure(brief['all']['date_error'])} d"
        return scores

    def _finish(self, reason: str) -> tuple[dict[str, Any], Path]:
        """Choose and calibrate the weights, and write them with their scores and card."""
        state, judged = self.state, self.state.judged
        scores: dict[str, Any] = {}
        if self.validation:
            scores = self._choose()
            write_json(self.folder / "validation.json", scores, indent=1)
        else:
            state.best_step = state.step
        card = model_card(self.config, state, reason, scores, self.training, self.validation, self.device)
        spec = self.config.inputs.model_copy(update={"sequence_length": self.config.data.crop_days})
        weights = save_weights(judged, self.folder / "weights.safetensors", spec=spec, card=card)
        return scores, weights

    def _choose(self) -> dict[str, Any]:
        """Calibrate the last weights and the best on the way; keep those that then score better on all chips.

        On the way the threshold is not yet set, which can make the last weights look worse than they are.
        """
        state, judged = self.state, self.state.judged
        last = {name: tensor.detach().cpu().clone() for name, tensor in judged.state_dict().items()}
        self._validate()
        whole = self.config.validation.model_copy(update={"chips": 0})
        kept: tuple[float, dict[str, Any], Any, dict[str, torch.Tensor]] | None = None
        for step, weights in {state.best_step: state.best_weights, state.step: last}.items():
            judged.load_state_dict(weights)
            calibrate_model(judged, self.validation, self.config.inputs, whole, self.device)
            scores = validate(judged, self.validation, self.config.inputs, whole, self.device)
            if kept is None or overall(scores) > kept[0]:
                state.best_step = step
                tensors = {name: tensor.detach().clone() for name, tensor in judged.state_dict().items()}
                kept = overall(scores), scores, judged.calibration, tensors
        assert kept is not None
        judged.load_state_dict(kept[3])
        judged.calibration = kept[2]
        return kept[1]


@contextlib.contextmanager
def _stop_flag() -> Iterator[Callable[[], bool]]:
    """Turn the first interrupt or termination into a flag; a second interrupt is raised as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event.is_set
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before[signal.SIGINT])

    for number in before:
        signal.signal(number, stop)
    try:
        yield event.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _due(step: int, steps: int, seconds: float, minutes: float) -> bool:
    """Tell whether something that happens every so many steps or minutes is due; 0 is never."""
    return bool(steps and step % steps == 0) or bool(minutes and seconds >= 60 * minutes)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"runtime.device {name!r} is not a device of torch") from error
    if device.type == "meta":
        raise InputError("runtime.device 'meta' holds no numbers; use cpu, cuda or auto")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"runtime.device is {name!r}, but torch finds no CUDA device; use cpu or auto")
    return device


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError("runtime.tensorboard needs pip install 'banet[tensorboard]>=1'") from error
    return SummaryWriter(folder / "tensorboard")


def _contents(sources: list[Source]) -> dict[str, Any]:
    return {source.label: {"chips": len(source), "sha256": source.index_sha256} for source in sources}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
