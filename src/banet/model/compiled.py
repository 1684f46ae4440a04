"""What the engines share that compile a network for every shape of tile."""

from __future__ import annotations

import abc
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from banet.model.network import BANet
from banet.model.part import Box, slices

__all__ = ["Compiled", "CompiledMember"]

Compiled = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]
"""From (1, channels, T, H, W) after the memory to logits (1, classes, T, H, W)."""

_KEPT_SHAPES = 2
"""Compiled networks kept; edge tiles of another shape must not pile up."""


class CompiledMember(abc.ABC):
    """One network on processor cores, compiled once for every shape of tile.

    The memory of a network, if it has one, is computed by torch before what is compiled.

    Args:
        model: the network; not changed.
    """

    def __init__(self, model: BANet):
        self._model = copy.deepcopy(model).cpu()
        self._compiled: dict[tuple[int, ...], Compiled] = {}

    @abc.abstractmethod
    def _compile(self, shape: tuple[int, ...]) -> Compiled:
        """Compile the layers after the memory for an input (1, channels, T, H, W)."""

    def __call__(self, x: Tensor, part: Box) -> Tensor:
        """Map normalised days (channels, T, H, W) to the logits (classes, T', H', W') of a part of them.

        All are computed: another part, as at the border of a region, would have to be compiled anew.
        """
        x = x[None]
        if self._model.memory is not None:
            with torch.inference_mode():
                x = self._model.memory(x)
        shape = tuple(x.shape)
        if shape not in self._compiled:
            if len(self._compiled) >= _KEPT_SHAPES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[shape] = self._compile(shape)
        logits = torch.from_numpy(self._compiled[shape](x.contiguous().numpy())[0])
        return logits[:, *slices(part)]
