"""Inference by ONNX Runtime, the only file that imports it and onnx (extra `onnx`).

The graph is written down node by node with the normalisation folded, like that of OpenVINO. The memory of a
network, if it has one, is computed by torch before it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from banet.model.compiled import Compiled, CompiledMember
from banet.model.folding import fold
from banet.model.network import BANet, ConvNorm, PixelLSTM

__all__ = ["OnnxMember"]

_OPSET, _IR = 17, 8
"""Of the graph: old enough for any runtime that the extra allows."""

_GATES = (0, 3, 1, 2)
"""ONNX orders an LSTM's gates input, output, forget, cell; torch input, forget, cell, output."""


class OnnxMember(CompiledMember):
    """One network run by ONNX Runtime on processor cores, one session for every shape of tile.

    Args:
        model: the network; not changed.
        threads: processor threads to use.
    """

    def __init__(self, model: BANet, threads: int):
        super().__init__(model)
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads
        self._options.inter_op_num_threads = 1
        # Spinning threads would take cores from those that read the next tile.
        self._options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The plan that it makes in the first run takes half as much again in the second, and saves no time.
        self._options.enable_mem_pattern = False

    def _compile(self, shape: tuple[int, ...]) -> Compiled:
        graph = _Graph(self._model, shape).model().SerializeToString()
        session = onnxruntime.InferenceSession(graph, self._options, providers=["CPUExecutionProvider"])
        return lambda days: np.asarray(session.run(None, {"days": days})[0])


class _Graph:
    """The layers of a network after its memory, for an input (1, channels, T, H, W)."""

    def __init__(self, model: BANet, shape: tuple[int, ...]):
        self._network, self._shape = model, shape
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._names = (f"v{number}" for number in itertools.count())

    def model(self) -> Any:
        """Write the graph."""
        network, x, skips = self._network, "days", []
        t, h, w = self._shape[2:]
        for stage in network.stages:
            x = self._convolution(stage.space, x)
            h, w = (n // int(stage.space.conv.stride[1]) for n in (h, w))
            if stage.lstm is not None:
                x = self._lstm(stage.lstm, x, (t, h, w))
            x = self._convolution(stage.time, x)
            t //= int(stage.time.conv.stride[0])
            skips.append(x)
        below = self._convolution(network.bottom_up, self._convolution(network.bottom, x))
        x = self._node("Concat", skips.pop(), below, axis=1)
        for step in network.steps:
            below = self._convolution(step.time, self._convolution(step.space, x))
            x = self._node("Concat", skips.pop(), below, axis=1)
        x = self._convolution(network.head, x)
        last = network.logits
        bias = torch.zeros(network.config.classes) if last.bias is None else last.bias
        x = self._node("Conv", x, self._weight(last.weight), self._weight(bias))
        values = [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in (("days", self._shape), (x, [1, network.config.classes, *self._shape[2:]]))
        ]
        graph = helper.make_graph(self._nodes, "banet", values[:1], values[1:], self._weights)
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR)

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = next(self._names)
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _weight(self, values: Tensor | npt.NDArray[Any]) -> str:
        name = next(self._names)
        array = values.detach().float().cpu().numpy() if isinstance(values, Tensor) else values
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _convolution(self, layer: ConvNorm, x: str) -> str:
        weight, bias = (self._weight(values) for values in fold(layer))
        stride = list(layer.conv.stride)
        if isinstance(layer.conv, nn.ConvTranspose3d):
            y = self._node("ConvTranspose", x, weight, bias, strides=stride)
        else:
            pads = [size // 2 for size in layer.conv.kernel_size]
            y = self._node("Conv", x, weight, bias, strides=stride, pads=[*pads, *pads])
        return self._node("Relu", y)

    def _lstm(self, lstm: PixelLSTM, x: str, size: tuple[int, int, int]) -> str:
        """Run an LSTM over the days of (1, C, T, H, W), every cell a sequence."""
        c, (t, h, w) = lstm.hidden_size, size
        days = self._node("Transpose", x, perm=[2, 0, 3, 4, 1])
        series = self._node("Reshape", days, self._weight(np.array([t, h * w, c])))
        state = lstm.state_dict()
        weights = [self._weight(_gates(state[name], c)) for name in ("weight_ih_l0", "weight_hh_l0")]
        biases = [_gates(state[name][:, None], c)[..., 0] for name in ("bias_ih_l0", "bias_hh_l0")]
        y = self._node("LSTM", series, *weights, self._weight(torch.cat(biases, 1)), hidden_size=c)
        cells = self._node("Reshape", y, self._weight(np.array([1, t, h, w, c])))
        return self._node("Transpose", cells, perm=[0, 4, 1, 2, 3])


def _gates(weight: Tensor, c: int) -> Tensor:
    """Order the rows (4 c, inputs) as ONNX does, with a leading axis for the direction."""
    return weight.view(4, c, -1)[list(_GATES)].reshape(1, 4 * c, -1)
