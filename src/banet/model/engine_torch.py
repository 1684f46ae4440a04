"""Inference on processor cores by torch alone: blocks of rows that stay in the cache, one thread a block.

Activations lie as (days, rows, columns, channels). A convolution in space is then a 2-D one over days as a
batch, one in time a 2-D one over (days, cells), and a transposed one a matrix product, all without moving
data. Each stage is cut into blocks of rows small enough for the cache; a pool of threads works on the
blocks, each with torch on one thread, so nothing waits for a barrier inside an operation.
"""

from __future__ import annotations

import copy
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from banet.model.folding import fold
from banet.model.memory import Memory
from banet.model.network import BANet, ConvNorm, PixelLSTM

__all__ = ["Crew", "TorchMember"]

BLOCK_BYTES = 4 << 20
"""Aim for the largest array inside a block; measured, flat between 1 and 8 MB."""

_PARTS = 8
"""Rows are cut into at least so many blocks, so that up to so many threads are busy."""


class Crew:
    """Threads that each run torch on one core, and the memory that they work in, for networks in turn.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int):
        self.threads = threads
        self._pool, self._process = _start(threads), os.getpid()
        self._kept: dict[int, Tensor] = {}

    def room(self, key: int, shape: tuple[int, ...]) -> Tensor:
        """Give an uninitialised float32 array, in the memory that `key` had before if that is enough.

        Fresh memory costs more than filling it: the system hands it out page by page.
        """
        size = math.prod(shape)
        if key not in self._kept or self._kept[key].numel() < size:
            self._kept.pop(key, None)
            self._kept[key] = torch.empty(size)
        return self._kept[key][:size].view(shape)

    def blocks(self, rows: int, nbytes: int, work: Callable[[int, int], None], least: int = 1) -> None:
        """Run `work(start, stop)` over all rows, in blocks that fit the cache and keep every thread busy.

        Args:
            rows: how many.
            nbytes: size of the largest array that all rows together would take.
            work: called in any order, by any thread, in inference mode.
            least: rows of a block, where there are enough for all threads.
        """
        if self._process != os.getpid():
            # A forked process has this object but none of its threads.
            self._pool, self._process = _start(self.threads), os.getpid()
        # The same blocks for any usual number of threads: sums in another order are other bits.
        step = max(least, rows * BLOCK_BYTES // nbytes)
        step = max(1, min(step, -(-rows // max(_PARTS, self.threads))))

        def run(start: int) -> None:
            with torch.inference_mode():
                work(start, min(start + step, rows))

        jobs = [self._pool.submit(run, start) for start in range(0, rows, step)]
        # All must have stopped before an error goes up: they write to memory that the next tile uses.
        wait(jobs)
        for job in jobs:
            job.result()


def _start(threads: int) -> ThreadPoolExecutor:
    """Start the threads, leaving the caller's own setting of torch as it is."""
    before = torch.get_num_threads()
    ready = threading.Barrier(threads + 1)

    def start() -> None:
        torch.set_num_threads(1)
        ready.wait()

    pool = ThreadPoolExecutor(threads, thread_name_prefix="banet")
    for _ in range(threads):
        pool.submit(start)
    ready.wait()
    # The setting of a thread is also the default of threads to come: put that back.
    torch.set_num_threads(before)
    return pool


def _last(x: Tensor) -> Tensor:
    """View (N, C, H, W) in channels-last layout as (N, H, W, C)."""
    return x.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class _Down:
    """A stage of the encoder, folded.

    Attributes:
        space: weight (no, ni, k, k) channels-last, and its bias.
        time: weight (no, no, k, 1) channels-last, and its bias; None in the bottom.
        memory: what the first stage adds to its input, if it does.
    """

    space: tuple[Tensor, Tensor]
    time: tuple[Tensor, Tensor] | None
    lstm: PixelLSTM | None
    stride: int
    time_stride: int
    memory: Memory | None = None

    @classmethod
    def of(
        cls,
        space: ConvNorm,
        time: ConvNorm | None,
        lstm: PixelLSTM | None = None,
        memory: Memory | None = None,
    ) -> _Down:
        weight, bias = fold(space)
        folded = None
        if time is not None:
            kernel, shift = fold(time)
            folded = kernel[..., 0].contiguous(memory_format=torch.channels_last), shift
        stride, time_stride = int(space.conv.stride[1]), 1 if time is None else int(time.conv.stride[0])
        return cls(
            (weight[:, :, 0].contiguous(memory_format=torch.channels_last), bias),
            folded,
            # Of its own: the network may lie on another device, or be trained on.
            copy.deepcopy(lstm).cpu() if lstm is not None else None,
            stride,
            time_stride,
            copy.deepcopy(memory).cpu() if memory is not None else None,
        )

    @property
    def inputs(self) -> int:
        """Channels that the convolution in space takes."""
        return int(self.space[0].shape[1])

    @property
    def least(self) -> int:
        """Rows below which a block would mostly compute, once more, the memory of its neighbours' rows."""
        return 1 if self.memory is None else 3 * int(self.space[0].shape[-1] - 1)

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        t, h, w = shape[:3]
        return t // self.time_stride, h // self.stride, w // self.stride, len(self.space[1])

    def rows(self, x: Tensor, out: Tensor, start: int, stop: int) -> None:
        """Compute rows `start:stop` of `out` (T', H', W', no) from `x` (T, H, W, ni)."""
        weight, bias = self.space
        half = weight.shape[-1] // 2
        top, bottom = start * self.stride - half, (stop - 1) * self.stride + half + 1
        first, last = max(top, 0), min(bottom, x.shape[1])
        x = x[:, first:last]
        if self.memory is not None:
            x = self.memory.remember(x[None])[0]
        block = x.new_empty(x.shape[0], bottom - top, *x.shape[2:])
        block[:, : first - top] = 0
        block[:, last - top :] = 0
        block[:, first - top : last - top] = x
        y = F.conv2d(block.permute(0, 3, 1, 2), weight, bias, (self.stride, self.stride), (0, half))
        cells = _last(y).relu_().flatten(1, 2)
        if self.lstm is not None:
            cells = nn.LSTM.forward(self.lstm, cells)[0]
        if self.time is not None:
            kernel, shift = self.time
            padding = (kernel.shape[2] // 2, 0)
            y = F.conv2d(cells.permute(2, 0, 1)[None], kernel, shift, (self.time_stride, 1), padding)
            cells = _last(y)[0].relu_()
        out[:, start:stop] = cells.view(len(out), stop - start, *out.shape[2:])


def _product(layer: ConvNorm) -> tuple[Tensor, Tensor]:
    """Return a transposed convolution as matrix (ni, steps * no) and bias (steps * no,)."""
    weight, bias = fold(layer)
    steps = weight[0, 0].numel()
    return weight.flatten(2).transpose(1, 2).flatten(1).contiguous(), bias.repeat(steps)


@dataclass(frozen=True)
class _Up:
    """A step of the decoder, folded: matrices that give every cell its four children, and two days each."""

    space: tuple[Tensor, Tensor]
    time: tuple[Tensor, Tensor] | None

    @classmethod
    def of(cls, space: ConvNorm, time: ConvNorm | None) -> _Up:
        return cls(_product(space), None if time is None else _product(time))

    @property
    def days(self) -> int:
        return 1 if self.time is None else 2

    @property
    def channels(self) -> int:
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
class _Head:
    """The last step of the decoder, the head and the logits in one, so that nothing wide leaves the cache."""

    up: _Up
    time: tuple[Tensor, Tensor]
    logits: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, model: BANet, up: _Up) -> _Head:
        kernel, shift = fold(model.head)
        last = model.logits
        bias = (
            torch.zeros(model.config.classes)
            if last.bias is None
            else last.bias.detach().float().cpu().clone()
        )
        return cls(
            up,
            (kernel[..., 0].contiguous(memory_format=torch.channels_last), shift),
            (last.weight.detach().float().cpu().flatten(1).t().clone(), bias),
        )

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
        hidden = _last(F.conv2d(flat, kernel, shift, padding=(kernel.shape[2] // 2, 0)))[0].relu_()
        logits = torch.addmm(self.logits[1], hidden.flatten(0, 1), self.logits[0])
        classes = out.shape[-1]
        view = out.view(t, days, skip.shape[1] // 2, 2, w, 2, classes)[:, :, start:stop]
        view.copy_(logits.view(t, days, r, w, 2, 2, classes).permute(0, 1, 2, 4, 3, 5, 6))


class TorchMember:
    """One network on processor cores.

    Args:
        model: the network; not changed.
        crew: who does the work; the members of an ensemble share it, one at a time.
    """

    def __init__(self, model: BANet, crew: Crew):
        self._crew, steps = crew, model.steps
        memories = [model.memory, *[None] * len(model.stages)]
        self._downs = [_Down.of(s.space, s.time, s.lstm, m) for s, m in zip(model.stages, memories)]
        self._bottom, self._bottom_up = _Down.of(model.bottom, None), _Up.of(model.bottom_up, None)
        self._ups = [_Up.of(s.space, s.time) for s in steps[:-1]]
        self._head = _Head.of(model, _Up.of(steps[-1].space, steps[-1].time))
        self._classes = model.config.classes

    def __call__(self, x: Tensor) -> Tensor:
        """Map normalised days (channels, T, H, W) to logits (classes, T, H, W)."""
        x = x.permute(1, 2, 3, 0)
        skips: list[Tensor] = []
        for down in self._downs:
            x = self._down(len(skips), down, x)
            skips.append(x)
        below = self._down(len(skips), self._bottom, x)
        below = self._up(0, self._bottom_up, (below,))
        for i, up in enumerate(self._ups):
            below = self._up(i + 1, up, (skips.pop(), below))
        parts, skip = (skips.pop(), below), skips.pop()
        out = x.new_empty(*skip.shape[:3], self._classes)
        rows, size = parts[0].shape[1], 2 * skip.nbytes
        self._crew.blocks(rows, size, lambda a, b: self._head.rows(parts, skip, out, a, b))
        return out.permute(3, 0, 1, 2)

    def _down(self, key: int, down: _Down, x: Tensor) -> Tensor:
        out = self._crew.room(key, down.out_shape(x.shape))
        size = max(out.nbytes * down.time_stride, x.nbytes // x.shape[-1] * down.inputs)
        self._crew.blocks(out.shape[1], size, lambda a, b: down.rows(x, out, a, b), down.least)
        return out

    def _up(self, key: int, up: _Up, parts: tuple[Tensor, ...]) -> Tensor:
        t, h, w = parts[0].shape[:3]
        out = self._crew.room(100 + key, (t * up.days, 2 * h, 2 * w, up.channels))
        self._crew.blocks(h, out.nbytes, lambda a, b: up.rows(parts, out, a, b))
        return out
