"""Inference by OpenVINO, the only file that imports it (extra `openvino`)."""

from __future__ import annotations

import warnings
from typing import Any

import openvino
import torch
from torch import Tensor, nn

from banet.model.network import BANet

__all__ = ["OpenVinoMember"]

_KEPT_SHAPES = 2
"""Compiled networks kept; edge tiles of another shape must not pile up."""


class _Layers(nn.Module):
    """The network without the check of its input's shape, which cannot be traced."""

    def __init__(self, model: BANet):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.layers(x)


class OpenVinoMember:
    """One network compiled by OpenVINO, once for every shape of tile.

    Args:
        model: the network; not changed.
        threads: processor threads to use.
    """

    def __init__(self, model: BANet, threads: int):
        self._model, self._channels = _Layers(model).eval(), model.config.channels
        self._options = {
            "INFERENCE_NUM_THREADS": threads,
            # Some processors would take bfloat16 by themselves.
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._multiple = model.config.multiple
        self._compiled: dict[tuple[int, ...], Any] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Map normalised days (channels, T, H, W) to logits (classes, T, H, W)."""
        shape = (1, *x.shape)
        if shape not in self._compiled:
            if len(self._compiled) >= _KEPT_SHAPES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[shape] = self._compile(shape)
        compiled = self._compiled[shape]
        return torch.from_numpy(compiled(x[None].contiguous().numpy())[0][0].copy())

    def _compile(self, shape: tuple[int, ...]) -> Any:
        example = torch.zeros(1, self._channels, *self._multiple)
        with torch.no_grad(), warnings.catch_warnings():
            # Tracing warns that sizes become constants, which they are for OpenVINO.
            warnings.simplefilter("ignore")
            traced = openvino.convert_model(self._model, example_input=example, input=list(shape))
        return openvino.Core().compile_model(traced, "CPU", self._options)
