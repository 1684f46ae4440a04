"""Inference by OpenVINO, the only file that imports it (extra `openvino`).

The graph is written down operation by operation with the normalisation folded, instead of traced from the
network: that takes a tenth of a second instead of several, and depends on no tracer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops
from torch import Tensor, nn

from banet.model.compiled import Compiled, CompiledMember
from banet.model.folding import fold
from banet.model.network import BANet, ConvNorm, PixelLSTM

__all__ = ["OpenVinoMember"]

_GATES = (1, 0, 2, 3)
"""OpenVINO orders an LSTM's gates forget, input, cell, output; torch has input before forget."""


class OpenVinoMember(CompiledMember):
    """One network compiled by OpenVINO, once for every shape of tile.

    Args:
        model: the network; not changed.
        threads: processor threads to use.
    """

    def __init__(self, model: BANet, threads: int):
        super().__init__(model)
        self._options = {
            "INFERENCE_NUM_THREADS": threads,
            # Some processors would take bfloat16 by themselves.
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }

    def _compile(self, shape: tuple[int, ...]) -> Compiled:
        compiled = openvino.Core().compile_model(_graph(self._model, shape), "CPU", self._options)
        # A copy: the next tile is written to the same memory.
        return lambda days: np.array(compiled(days)[0])


def _graph(model: BANet, shape: tuple[int, ...]) -> Any:
    """Write the layers of a network after its memory, for an input (1, channels, T, H, W)."""
    x = inputs = ops.parameter(shape, np.float32)
    skips = []
    for stage in model.stages:
        x = _convolution(stage.space, x)
        if stage.lstm is not None:
            x = _lstm(stage.lstm, x)
        x = _convolution(stage.time, x)
        skips.append(x)
    below = _convolution(model.bottom_up, _convolution(model.bottom, x))
    x = ops.concat([skips.pop(), below], 1)
    for step in model.steps:
        x = ops.concat([skips.pop(), _convolution(step.time, _convolution(step.space, x))], 1)
    x = _convolution(model.head, x)
    weight, bias = model.logits.weight, model.logits.bias
    ones, none = [1, 1, 1], [0, 0, 0]
    x = ops.convolution(x, _constant(weight), ones, none, none, ones)
    if bias is not None:
        x = ops.add(x, _constant(bias.view(1, -1, 1, 1, 1)))
    return openvino.Model([x], [inputs], "banet")


def _constant(values: Tensor) -> Any:
    return ops.constant(values.detach().float().cpu().contiguous().numpy())


def _convolution(layer: ConvNorm, x: Any) -> Any:
    weight, bias = fold(layer)
    stride, ones = list(layer.conv.stride), [1, 1, 1]
    if isinstance(layer.conv, nn.ConvTranspose3d):
        y = ops.convolution_backprop_data(x, _constant(weight), stride)
    else:
        pads = [size // 2 for size in layer.conv.kernel_size]
        y = ops.convolution(x, _constant(weight), stride, pads, pads, ones)
    return ops.relu(ops.add(y, _constant(bias.view(1, -1, 1, 1, 1))))


def _lstm(lstm: PixelLSTM, x: Any) -> Any:
    """Run an LSTM over the days of (1, C, T, H, W), every cell a sequence."""
    _, c, t, h, w = (int(n) for n in x.shape)
    cells = h * w
    series = ops.reshape(ops.transpose(x, [0, 3, 4, 2, 1]), [cells, t, c], False)
    weights = lstm.state_dict()
    bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    state, lengths = np.zeros((cells, 1, c), np.float32), np.full(cells, t, np.int64)
    out = ops.lstm_sequence(
        series,
        ops.constant(state),
        ops.constant(state),
        ops.constant(lengths),
        _gates(weights["weight_ih_l0"], c),
        _gates(weights["weight_hh_l0"], c),
        _constant(bias.view(4, c)[list(_GATES)].reshape(1, 4 * c)),
        c,
        "forward",
    )
    y = ops.reshape(out.output(0), [1, h, w, t, c], False)
    return ops.transpose(y, [0, 4, 3, 1, 2])


def _gates(weight: Tensor, c: int) -> Any:
    """Order the rows (4 c, inputs) as OpenVINO does, with a leading axis for the direction."""
    return _constant(weight.view(4, c, -1)[list(_GATES)].reshape(1, 4 * c, -1))
