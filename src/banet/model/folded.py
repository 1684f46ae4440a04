"""Layers of the network folded for inference, over blocks of rows that stay in the cache.

Activations lie as (days, rows, columns, channels). A convolution in space is then a 2-D one over days as a
batch, one in time a 2-D one over (days, cells), and a transposed one a matrix product, all without moving
data. The normalisation after a convolution is folded into it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from banet.model.device import ThreadTeam
from banet.model.network import BANet, ConvNorm, PixelLSTM
from banet.model.temporal_context import TemporalContext

__all__ = ["Down", "Head", "Remembering", "Up", "fold"]


def fold(layer: ConvNorm) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the one convolution that equals a convolution and its normalisation.

    Returns:
        Weight in the convolution's own layout and bias (channels out,), both float32.
    """
    norm, conv = layer.norm, layer.conv
    if norm.running_var is None or norm.running_mean is None:
        raise TypeError("a normalisation without running statistics cannot be folded")
    # In double: the variance of a dead channel is tiny and its factor large.
    factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    shape = (1, -1, 1, 1, 1) if isinstance(conv, nn.ConvTranspose3d) else (-1, 1, 1, 1, 1)
    weight = conv.weight.double() * factor.view(shape)
    bias = norm.bias.double() - norm.running_mean.double() * factor
    return weight.float().detach().cpu(), bias.float().detach().cpu()


def _last(x: Tensor) -> Tensor:
    """View (N, C, H, W) in channels-last layout as (N, H, W, C)."""
    return x.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class Down:
    """A stage of the encoder, folded.

    Attributes:
        space: weight (no, ni, k, k) channels-last, and its bias.
        time: weight (no, no, k, 1) channels-last, and its bias; None in the bottom.
    """

    space: tuple[Tensor, Tensor]
    time: tuple[Tensor, Tensor] | None
    lstm: PixelLSTM | None
    stride: int
    time_stride: int

    @classmethod
    def of(cls, like: Tensor, space: ConvNorm, time: ConvNorm | None, lstm: PixelLSTM | None = None) -> Down:
        """Fold a stage, in the type and on the device of `like`."""
        weight, bias = _folded(space, like)
        folded = None
        if time is not None:
            kernel, shift = _folded(time, like)
            folded = kernel[..., 0].contiguous(memory_format=torch.channels_last), shift
        stride, time_stride = int(space.conv.stride[1]), 1 if time is None else int(time.conv.stride[0])
        return cls(
            (weight[:, :, 0].contiguous(memory_format=torch.channels_last), bias),
            folded,
            # Of its own: the network may lie on another device, or be trained on.
            copy.deepcopy(lstm).to(like.device, like.dtype) if lstm is not None else None,
            stride,
            time_stride,
        )

    @property
    def inputs(self) -> int:
        """Channels that the convolution in space takes."""
        return int(self.space[0].shape[1])

    @property
    def half(self) -> int:
        """Rows that the convolution in space sees to either side."""
        return int(self.space[0].shape[-1]) // 2

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return the shape (T', H', W', no) of what comes of (T, H, W, ...)."""
        t, h, w = shape[:3]
        return t // self.time_stride, h // self.stride, w // self.stride, len(self.space[1])

    def rows(self, x: Tensor, out: Tensor, start: int) -> None:
        """Compute `out` (T', r, W', no), the rows from `start` on, from `x` (T, H, W, ni)."""
        stop = start + out.shape[1]
        top, bottom = start * self.stride - self.half, (stop - 1) * self.stride + self.half + 1
        first, last = max(top, 0), min(bottom, x.shape[1])
        block = self.space[0].new_empty(x.shape[0], bottom - top, *x.shape[2:])
        block[:, : first - top] = 0
        block[:, last - top :] = 0
        block[:, first - top : last - top] = x[:, first:last]
        self.convolve(block, (0, self.half), out)

    def convolve(self, block: Tensor, padding: tuple[int, int], out: Tensor) -> None:
        """Compute `out` (T', r, W', no) from the cells (T, .., .., ni) that it sees, padded with zeros."""
        weight, bias = self.space
        cells = _last(F.conv2d(block.permute(0, 3, 1, 2), weight, bias, (self.stride, self.stride), padding))
        if self.time is not None:
            cells = cells.relu_().flatten(1, 2)
            if self.lstm is not None:
                cells = nn.LSTM.forward(self.lstm, cells)[0]
            kernel, shift = self.time
            padding = (kernel.shape[2] // 2, 0)
            y = F.conv2d(cells.permute(2, 0, 1)[None], kernel, shift, (self.time_stride, 1), padding)
            cells = _last(y)[0]
        torch.clamp(cells.view(out.shape), min=0, out=out)


@dataclass(frozen=True)
class Remembering:
    """The first stage of a network with a temporal context, which is made and used up on the spot.

    Attributes:
        memory: the temporal context.
        down: the stage.
        columns: cells across to work on at a time.
        nbytes: aim for the size of a block.
    """

    memory: TemporalContext
    down: Down
    columns: int
    nbytes: int

    @classmethod
    def of(cls, memory: TemporalContext, down: Down, crew: ThreadTeam) -> Remembering:
        """Put a copy of the temporal context where the stage is."""
        return cls(copy.deepcopy(memory).to(crew.device), down, crew.columns, crew.block_bytes)

    def rows(self, x: Tensor, out: Tensor, start: int, stop: int) -> None:
        """Compute rows `start:stop` of `out` (T, H, W, no) from `x` (channels, T, H, W), column by column."""
        for left in range(0, x.shape[3], self.columns):
            self._column(x, out, range(start, stop), range(left, min(left + self.columns, x.shape[3])))

    def _column(self, x: Tensor, out: Tensor, rows: range, cols: range) -> None:
        """Compute some columns of some rows from the top down, remembering each row once."""
        half, days = self.down.half, x.shape[1]
        step = max(1, 2 * half, self.nbytes // (4 * days * len(cols) * self.down.inputs))
        shape = days, step + 2 * half, len(cols) + 2 * half, self.down.inputs
        block = self.down.space[0].new_empty(shape)
        seen = range(cols.start - half, cols.stop + half)
        known = rows.start - half
        for top in range(rows.start, rows.stop, step):
            end = min(top + step, rows.stop)
            if top > rows.start:  # what the rows before saw below them is what these see above
                block[:, : 2 * half] = block[:, step:]
            self._remember(x, range(known, end + half), seen, block[:, known - top + half :])
            known = end + half
            part = out[:, top:end, cols.start : cols.stop]
            self.down.convolve(block[:, : end - top + 2 * half], (0, 0), part)

    def _remember(self, x: Tensor, rows: range, cols: range, block: Tensor) -> None:
        """Write what cells remember, nothing where they lie outside, to `block` (T, rows, columns, ni)."""
        (top, bottom), (left, right) = _inside(rows, x.shape[2]), _inside(cols, x.shape[3])
        part = block[:, top - rows.start : bottom - rows.start, left - cols.start : right - cols.start]
        if part.shape[1:3] != (len(rows), len(cols)):
            block[:, : len(rows)] = 0
        if 0 in part.shape:
            return
        # In one copy: group by group each would write a few channels of every cell.
        planes = torch.cat(self.memory.remember(x[:, :, top:bottom, left:right].flatten(2)))
        part.copy_(planes.permute(1, 2, 0).view(part.shape))


def _inside(cells: range, size: int) -> tuple[int, int]:
    """Return first and last + 1 of those of some cells that lie within a grid."""
    first = min(max(cells.start, 0), size)
    return first, max(first, min(cells.stop, size))


def _folded(layer: ConvNorm, like: Tensor) -> tuple[Tensor, Tensor]:
    weight, bias = fold(layer)
    return weight.to(like), bias.to(like)


def _product(layer: ConvNorm, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return a transposed convolution as matrix (ni, steps * no) and bias (steps * no,)."""
    weight, bias = _folded(layer, like)
    steps = weight[0, 0].numel()
    return weight.flatten(2).transpose(1, 2).flatten(1).contiguous(), bias.repeat(steps)


@dataclass(frozen=True)
class Up:
    """A step of the decoder, folded: matrices that give every cell its four children, and two days each."""

    space: tuple[Tensor, Tensor]
    time: tuple[Tensor, Tensor] | None

    @classmethod
    def of(cls, like: Tensor, space: ConvNorm, time: ConvNorm | None) -> Up:
        """Fold a step, in the type and on the device of `like`."""
        return cls(_product(space, like), None if time is None else _product(time, like))

    @property
    def days(self) -> int:
        """Days that come of one."""
        return 1 if self.time is None else 2

    @property
    def channels(self) -> int:
        """Channels of each child."""
        return len(self.space[1]) // 4

    def children(self, parts: tuple[Tensor, ...]) -> Tensor:
        """Map parts (T, r, W, c), one beside the other, to (T, r, W, dy, dx, dt, no)."""
        matrix, bias = self.space
        begin, y = 0, bias
        for part in parts:
            end = begin + part.shape[-1]
            y = torch.addmm(y, part.reshape(-1, part.shape[-1]), matrix[begin:end])
            begin = end
        y.relu_()
        if self.time is not None:
            y = torch.addmm(self.time[1], y.view(-1, self.channels), self.time[0]).relu_()
        return y.view(*parts[0].shape[:3], 2, 2, self.days, self.channels)

    def rows(self, parts: tuple[Tensor, ...], out: Tensor, start: int, stop: int) -> None:
        """Compute the children of rows `start:stop` of `parts` into `out` (T', H', W', no)."""
        y = self.children(tuple(part[:, start:stop] for part in parts))
        t, h, w, c = parts[0].shape[0], parts[0].shape[1], parts[0].shape[2], self.channels
        view = out.view(t, self.days, h, 2, w, 2, c)[:, :, start:stop]
        view.copy_(y.permute(0, 5, 1, 3, 2, 4, 6))


@dataclass(frozen=True)
class Head:
    """The last step of the decoder, the head and the logits in one, so that nothing wide leaves the cache."""

    up: Up
    time: tuple[Tensor, Tensor]
    logits: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, model: BANet, up: Up) -> Head:
        """Fold the head and the logits of a network behind its last step."""
        kernel, shift = _folded(model.head, up.space[0])
        last, device = model.logits, kernel.device
        bias = torch.zeros(model.config.classes) if last.bias is None else last.bias.detach().clone()
        return cls(
            up,
            (kernel[..., 0].contiguous(memory_format=torch.channels_last), shift),
            (last.weight.detach().flatten(1).t().clone().to(device).float(), bias.to(device).float()),
        )

    @property
    def reach(self) -> int:
        """Days that the head sees to either side."""
        return int(self.time[0].shape[2]) // 2

    def rows(self, parts: tuple[Tensor, ...], skip: Tensor, out: Tensor, start: int, stop: int) -> None:
        """Compute the logits `out` (T, H, W, classes) of the children of rows `start:stop` of `parts`."""
        y = self.up.children(tuple(part[:, start:stop] for part in parts))
        t, r, w, *_, days, c = y.shape
        both = y.new_empty(t, days, r, w, 2, 2, 2 * c)
        fine = skip[:, 2 * start : 2 * stop].view(t, days, r, 2, w, 2, c)
        both[..., :c] = fine.permute(0, 1, 2, 4, 3, 5, 6)
        both[..., c:] = y.permute(0, 5, 1, 2, 3, 4, 6)
        kernel, shift = self.time
        flat = both.view(t * days, -1, 2 * c).permute(2, 0, 1)[None]
        hidden = _last(F.conv2d(flat, kernel, shift, padding=(self.reach, 0)))[0].relu_()
        logits = torch.addmm(self.logits[1], hidden.flatten(0, 1).float(), self.logits[0])
        classes = out.shape[-1]
        view = out.view(t, days, skip.shape[1] // 2, 2, w, 2, classes)[:, :, start:stop]
        view.copy_(logits.view(t, days, r, w, 2, 2, classes).permute(0, 1, 2, 4, 3, 5, 6))
