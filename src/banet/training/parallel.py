"""Several processes that train one network together, as `torchrun` starts them.

Each process takes its share of a step's episodes and holds the whole network; after the backward passes the
gradients are averaged, so that every process makes the same step. Only the first validates and writes.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeVar

import torch
from torch import Tensor, distributed, nn

__all__ = ["Crowd", "is_first", "local_device"]

Word = TypeVar("Word", str, float)


_PATIENCE = datetime.timedelta(hours=12)
"""How long processes wait for the first, which simulates and validates alone."""


class Crowd:
    """The processes of a run; one alone where `torchrun` started none.

    Attributes:
        rank: number of this process.
        size: how many there are.
        device: on which they exchange tensors.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.rank = _rank()
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        if self.size > 1:
            backend = "nccl" if device.type == "cuda" else "gloo"
            distributed.init_process_group(backend, timeout=_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def average_gradients(self, model: nn.Module) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size > 1:
            self._average(p.grad for p in model.parameters() if p.grad is not None)

    def average_statistics(self, model: nn.Module) -> None:
        """Replace the running statistics of normalisations by their mean over the processes."""
        if self.size > 1:
            self._average(b for b in model.buffers() if b.is_floating_point())

    def average(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes, on the CPU."""
        if self.size > 1:
            values = values.to(self.device, copy=True)
            self._average([values])
        return values.cpu()

    def agree(self, word: Word) -> Word:
        """Return what the first process says; every process must ask at the same place."""
        words = [word]
        if self.size > 1:
            distributed.broadcast_object_list(words, src=0)
        return words[0]

    def _average(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            distributed.all_reduce(tensor)
            tensor.div_(self.size)


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this process is the first of those that `torchrun` started, or alone."""
    return _rank() == 0


def local_device(device: torch.device) -> torch.device:
    """Return the device of this process among those of its machine."""
    if device.type != "cuda" or "LOCAL_RANK" not in os.environ:
        return device
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
