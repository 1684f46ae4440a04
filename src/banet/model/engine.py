"""One call from normalised days to probabilities of burning, whatever computes it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from banet.errors import BanetError, InputError
from banet.model.config import BANetConfig, InputSpec
from banet.model.device import ThreadTeam
from banet.model.network import BANet, pad_to_multiple
from banet.model.part import Box, Part, sizes
from banet.model.runner import Runner
from banet.parallel.malloc import give_back

__all__ = ["BACKENDS", "Backend", "Engine", "choose_backend", "knows_bfloat16"]

Array = npt.NDArray[np.float32]
Member = Callable[[Tensor, Box], Tensor]
"""From normalised (channels, T, H, W) to the logits (classes, T', H', W') of a part, float32 on the host."""

BACKENDS = ("torch", "bfloat16", "cuda", "cuda-bfloat16")
"""All are torch: on a processor or on a CUDA device, in float32 unless the name says bfloat16."""


@dataclass(frozen=True)
class Backend:
    """Device that computes, and the reason why it was chosen.

    Attributes:
        name: one of `BACKENDS`.
        threads: processor threads that it uses.
        reason: one line for people.
    """

    name: str
    threads: int
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.threads} threads): {self.reason}"


def choose_backend(asked: str = "auto", threads: int | None = None) -> Backend:
    """Choose what computes.

    Args:
        asked: `auto`, or one of `BACKENDS`.
        threads: processor threads to use; by default as many as torch would.

    Raises:
        InputError: if there is no such back end, it cannot run here, or `threads` is below 1.
    """
    count = torch.get_num_threads() if threads is None else threads
    if count < 1:
        raise InputError(f"an engine needs at least one thread, asked for {count}")
    if asked == "auto":
        if torch.cuda.is_available():
            return Backend("cuda", count, f"found {torch.cuda.get_device_name()}; exact float32 on it")
        return Backend("torch", count, "no CUDA device; exact float32 on processor cores, nothing to install")
    if asked not in BACKENDS:
        raise InputError(f"no engine named {asked!r}; known engines: auto, {', '.join(BACKENDS)}")
    if asked == "bfloat16" and not knows_bfloat16():
        raise InputError("the bfloat16 engine needs a processor that knows bfloat16; this one does not")
    if asked.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            f"the {asked} engine needs a CUDA device and torch's CUDA build; this torch finds none"
        )
    return Backend(asked, count, "asked for")


def knows_bfloat16() -> bool:
    """Tell whether the processor computes in bfloat16 itself, and torch's build makes use of it."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False


class Engine:
    """An ensemble of networks ready to map; safe to share between threads, one tile runs at a time.

    Args:
        models: members of the ensemble; they must want the same input. They are not changed. One network
            several times is one member.
        backend: `auto` or one of `BACKENDS`.
        threads: processor threads to use; by default as many as torch would.

    Attributes:
        spec: how the input must be scaled.
        multiple: what days, rows and columns are padded to.
        backend: what computes, and why.

    Raises:
        InputError: if there is no model, the members disagree, or the back end cannot run here.
    """

    def __init__(self, models: Sequence[BANet], backend: str = "auto", *, threads: int | None = None):
        self._models = tuple(models)
        _check_members(self._models)
        if all(_alike(self._models[0], other) for other in self._models[1:]):
            self._models = self._models[:1]
        self.config: BANetConfig = self._models[0].config
        self.spec: InputSpec = self._models[0].spec
        # Powers of two all, so the largest is a multiple of each.
        days, rows, columns = (max(n) for n in zip(*(m.config.multiple for m in self._models), strict=True))
        self.multiple = days, rows, columns
        self.backend = choose_backend(backend, threads)
        device = "cuda" if self.backend.name.startswith("cuda") else "cpu"
        self._crew = ThreadTeam(self.backend.threads, device)
        self._members = _build(self._models, self.backend, self._crew)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._members)

    @property
    def models(self) -> tuple[BANet, ...]:
        """The members of the ensemble."""
        return self._models

    def __reduce__(self) -> tuple[Any, ...]:
        # Pools, locks and compiled networks stay at home; another process builds its own.
        return _rebuild, (self._models, self.backend.name, self.backend.threads)

    def rest(self) -> None:
        """Give back the memory that is kept for the next tile, which then takes it anew."""
        with self._lock:
            self._crew.rest()
        give_back()

    def logits(self, x: Array | Tensor, part: Part | None = None) -> Array:
        """Return every member's logits.

        Args:
            x: normalised (channels, T, H, W) float32; padded with missing values to what the network needs.
            part: days, rows and columns of which the answer is wanted, all by default. It is the same as
                that part of the whole answer, to rounding, and takes less work.

        Returns:
            (members, T, H, W) float32, of the part.

        Raises:
            InputError: if the shape is another, the input holds NaN or infinity, or the part is empty.
            BanetError: if the memory does not suffice for so large a tile.
        """
        days = _checked(x, self.config.channels)
        box = _box(days, part)
        whole = pad_to_multiple(days, self.multiple, self.spec.missing)
        out = np.empty((len(self._members), *sizes(box)), np.float32)
        with self._lock, torch.inference_mode(), _enough_memory(days):
            for target, member in zip(out, self._members, strict=True):
                target[...] = member(whole, box)[0].numpy()
        return out

    def probabilities(self, x: Array | Tensor, part: Part | None = None) -> Array:
        """Return the probability of burning on each day: the mean over the ensemble of the sigmoids.

        Args:
            x: normalised (channels, T, H, W) float32; padded with missing values to what the network needs.
            part: days, rows and columns of which the answer is wanted, all by default.

        Returns:
            (T, H, W) float32, of the part.

        Raises:
            InputError: as `logits`.
        """
        members = torch.from_numpy(self.logits(x, part)).sigmoid_()
        mean: Array = (members[0] if len(members) == 1 else members.mean(0)).numpy()
        return mean


@contextlib.contextmanager
def _enough_memory(days: Tensor) -> Iterator[None]:
    """Say what to do when a tile is too large: torch's own message is about bytes."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        size = " x ".join(map(str, days.shape[1:]))
        raise BanetError(
            f"not enough memory for a tile of {size} (days x rows x columns): ask for smaller tiles"
        ) from error


def _rebuild(models: tuple[BANet, ...], backend: str, threads: int) -> Engine:
    return Engine(models, backend, threads=min(threads, os.cpu_count() or threads))


def _check_members(models: tuple[BANet, ...]) -> None:
    if not models:
        raise InputError("an engine needs at least one model, none given")
    first = models[0]
    for model in models:
        if model.config.classes != 1 or model.config.channels != len(model.spec.channels):
            raise InputError(
                f"{model.name or 'a model'} has {model.config.classes} outputs and {model.config.channels} "
                f"inputs; mapping needs 1 output and the {len(model.spec.channels)} inputs of its spec"
            )
        if first.spec.scaling != model.spec.scaling:
            raise InputError(
                f"{first.name or 'the first model'} and {model.name or 'another'} want differently scaled "
                "input: they cannot be one ensemble"
            )


def _alike(one: BANet, other: BANet) -> bool:
    """Tell whether two networks give the same numbers, which mean the same."""
    said, same = ((model.config, model.spec, model.calibration) for model in (one, other))
    tensors = other.state_dict()
    return said == same and all(torch.equal(each, tensors[name]) for name, each in one.state_dict().items())


def _checked(x: Array | Tensor, channels: int) -> Tensor:
    days = torch.as_tensor(x).to("cpu", torch.float32)
    if days.ndim != 4 or days.shape[0] != channels or 0 in days.shape:
        raise InputError(f"the engine takes ({channels}, days, rows, columns), found {tuple(days.shape)}")
    # The sum is a cheap witness: any NaN or infinity reaches it.
    if not torch.isfinite(days.sum()) and not torch.isfinite(days).all():
        raise InputError("the input holds NaN or infinity: scale it with banet.model.normalise first")
    return days


def _box(days: Tensor, part: Part | None) -> Box:
    """Return first and last + 1 of the days, rows and columns of a part."""
    shape = days.shape[1:]
    if part is None:
        return tuple((0, size) for size in shape)
    box = tuple(wanted.indices(size) for wanted, size in zip(part, shape, strict=True))
    if any(stop <= start or step != 1 for start, stop, step in box):
        raise InputError(f"part {part} of {tuple(shape)} days, rows and columns is empty or has steps")
    return tuple((start, stop) for start, stop, _ in box)


def _build(models: tuple[BANet, ...], backend: Backend, crew: ThreadTeam) -> list[Member]:
    dtype = torch.bfloat16 if backend.name.endswith("bfloat16") else torch.float32
    return [Runner(model, crew, dtype) for model in models]
