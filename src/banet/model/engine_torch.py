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
from banet.model.network import BANet, ConvNorm, PixelLSTM
from banet.model.part import Box, children, cut, parents, sizes, slices
from banet.model.temporal_context import TemporalContext
from banet.parallel.malloc import MMAP_THRESHOLD, TRIM_THRESHOLD, set_malloc

__all__ = ["Crew", "TorchMember"]

BLOCK_BYTES = 4 << 20
"""Aim for the largest array inside a block; measured, flat between 1 and 8 MB."""

_COLUMN = 64
"""Cells across of what a network with a memory works on at a time: high blocks carry few rows on."""

BAND_BYTES = 64 << 20
"""Aim for what the first stage gives at a time; measured, flat between 32 and 128 MB."""

_KEPT_BYTES = 32 << 20

_FINEST = -1
"""Key of what is kept of the first stage's output; that of the encoder is a stage's number, of the decoder
a hundred more."""

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

    def room(self, key: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Give an uninitialised array, in the memory that `key` had before if that is enough.

        Fresh memory costs more than filling it: the system hands it out page by page.
        """
        size = math.prod(shape)
        if key not in self._kept or self._kept[key].dtype != dtype or self._kept[key].numel() < size:
            self._kept.pop(key, None)
            self._kept[key] = torch.empty(size, dtype=dtype)
        return self._kept[key][:size].view(shape)

    def blocks(self, rows: int, nbytes: int, work: Callable[[int, int], None]) -> None:
        """Run `work(start, stop)` over all rows, in blocks that fit the cache and keep every thread busy.

        Args:
            rows: how many.
            nbytes: size of the largest array that all rows together would take.
            work: called in any order, by any thread, in inference mode.
        """
        if self._process != os.getpid():
            # A forked process has this object but none of its threads.
            self._pool, self._process = _start(self.threads), os.getpid()
        # The same blocks for any usual number of threads: sums in another order are other bits.
        step = max(1, min(rows * BLOCK_BYTES // nbytes, -(-rows // max(_PARTS, self.threads))))

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
    _keep_freed_memory()
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


def _keep_freed_memory() -> None:
    """Let glibc keep what blocks free for those that follow: pages from the system are cleared every time.

    Its threshold grows to the size of what was mapped and freed, up to 32 MB, unless the environment sets it.
    The workers of dask do, to 64 KB: there it is set anew.
    """
    torch.empty(_KEPT_BYTES // 4 - 4096)
    if "MALLOC_TRIM_THRESHOLD_" in os.environ:
        set_malloc({MMAP_THRESHOLD: _KEPT_BYTES, TRIM_THRESHOLD: 2 * _KEPT_BYTES})


def _last(x: Tensor) -> Tensor:
    """View (N, C, H, W) in channels-last layout as (N, H, W, C)."""
    return x.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class _Down:
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
    def of(
        cls, dtype: torch.dtype, space: ConvNorm, time: ConvNorm | None, lstm: PixelLSTM | None = None
    ) -> _Down:
        weight, bias = _folded(space, dtype)
        folded = None
        if time is not None:
            kernel, shift = _folded(time, dtype)
            folded = kernel[..., 0].contiguous(memory_format=torch.channels_last), shift
        stride, time_stride = int(space.conv.stride[1]), 1 if time is None else int(time.conv.stride[0])
        return cls(
            (weight[:, :, 0].contiguous(memory_format=torch.channels_last), bias),
            folded,
            # Of its own: the network may lie on another device, or be trained on.
            copy.deepcopy(lstm).to("cpu", dtype) if lstm is not None else None,
            stride,
            time_stride,
        )

    @property
    def dtype(self) -> torch.dtype:
        return self.space[0].dtype

    @property
    def inputs(self) -> int:
        """Channels that the convolution in space takes."""
        return int(self.space[0].shape[1])

    @property
    def half(self) -> int:
        """Rows that the convolution in space sees to either side."""
        return int(self.space[0].shape[-1]) // 2

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        t, h, w = shape[:3]
        return t // self.time_stride, h // self.stride, w // self.stride, len(self.space[1])

    def rows(self, x: Tensor, out: Tensor, start: int) -> None:
        """Compute `out` (T', r, W', no), the rows from `start` on, from `x` (T, H, W, ni)."""
        stop = start + out.shape[1]
        top, bottom = start * self.stride - self.half, (stop - 1) * self.stride + self.half + 1
        first, last = max(top, 0), min(bottom, x.shape[1])
        block = torch.empty(x.shape[0], bottom - top, *x.shape[2:], dtype=self.dtype)
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
class _Remembering:
    """The first stage of a network with a memory: what cells remember is made and used up on the spot."""

    memory: TemporalContext
    down: _Down

    @classmethod
    def of(cls, memory: TemporalContext, down: _Down) -> _Remembering:
        return cls(copy.deepcopy(memory).cpu(), down)

    def rows(self, x: Tensor, out: Tensor, start: int, stop: int) -> None:
        """Compute rows `start:stop` of `out` (T, H, W, no) from `x` (channels, T, H, W), column by column."""
        for left in range(0, x.shape[3], _COLUMN):
            self._column(x, out, range(start, stop), range(left, min(left + _COLUMN, x.shape[3])))

    def _column(self, x: Tensor, out: Tensor, rows: range, cols: range) -> None:
        """Compute some columns of some rows from the top down, remembering each row once."""
        half, days = self.down.half, x.shape[1]
        step = max(1, 2 * half, BLOCK_BYTES // (4 * days * len(cols) * self.down.inputs))
        shape = days, step + 2 * half, len(cols) + 2 * half, self.down.inputs
        block = torch.empty(shape, dtype=self.down.dtype)
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
        channel = 0
        for group in self.memory.remember(x[:, :, top:bottom, left:right].flatten(2)):
            part[..., channel : channel + len(group)] = group.permute(1, 2, 0).view(*part.shape[:3], -1)
            channel += len(group)


def _inside(cells: range, size: int) -> tuple[int, int]:
    """Return first and last + 1 of those of some cells that lie within a grid."""
    first = min(max(cells.start, 0), size)
    return first, max(first, min(cells.stop, size))


def _folded(layer: ConvNorm, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    weight, bias = fold(layer)
    return weight.to(dtype), bias.to(dtype)


def _product(layer: ConvNorm, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return a transposed convolution as matrix (ni, steps * no) and bias (steps * no,)."""
    weight, bias = _folded(layer, dtype)
    steps = weight[0, 0].numel()
    return weight.flatten(2).transpose(1, 2).flatten(1).contiguous(), bias.repeat(steps)


@dataclass(frozen=True)
class _Up:
    """A step of the decoder, folded: matrices that give every cell its four children, and two days each."""

    space: tuple[Tensor, Tensor]
    time: tuple[Tensor, Tensor] | None

    @classmethod
    def of(cls, dtype: torch.dtype, space: ConvNorm, time: ConvNorm | None) -> _Up:
        return cls(_product(space, dtype), None if time is None else _product(time, dtype))

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
        kernel, shift = _folded(model.head, up.space[0].dtype)
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


class TorchMember:
    """One network on processor cores.

    Args:
        model: the network; not changed.
        crew: who does the work; the members of an ensemble share it, one at a time.
        dtype: of what lies between the layers; the memory and the logits are float32 always.
    """

    def __init__(self, model: BANet, crew: Crew, dtype: torch.dtype = torch.float32):
        self._crew, self._dtype, steps = crew, dtype, model.steps
        self._downs = [_Down.of(dtype, s.space, s.time, s.lstm) for s in model.stages]
        self._memory = None if model.memory is None else _Remembering.of(model.memory, self._downs[0])
        self._bottom, self._bottom_up = (
            _Down.of(dtype, model.bottom, None),
            _Up.of(dtype, model.bottom_up, None),
        )
        self._ups = [_Up.of(dtype, s.space, s.time) for s in steps[:-1]]
        self._head = _Head.of(model, _Up.of(dtype, steps[-1].space, steps[-1].time))
        self._classes = model.config.classes

    def __call__(self, x: Tensor, part: Box) -> Tensor:
        """Map normalised days (channels, T, H, W) to the logits (classes, T', H', W') of a part of them.

        The encoder computes all; the decoder, at each depth, what the part is made from.
        """
        (first, last), *space = part
        days = max(0, first - self._head.reach), min(x.shape[1], last + self._head.reach)
        boxes: list[Box] = [parents((days, *space))]
        for _ in self._ups:
            boxes.append(parents(boxes[-1]))
        finest, skips = self._encoded(x, children(boxes[0]))
        below = self._down(len(skips) + 1, self._bottom, skips[-1])
        below = self._up(0, self._bottom_up, (below,))
        origin = None
        for i, up in enumerate(self._ups):
            box = boxes.pop()
            below = self._up(i + 1, up, (cut(skips.pop(), box), cut(below, box, origin)))
            origin = children(box)
        (box,) = boxes
        parts, origin = (cut(skips.pop(), box), cut(below, box, origin)), children(box)
        return cut(self._logits(parts, finest), part, origin).permute(3, 0, 1, 2)

    def _encoded(self, x: Tensor, box: Box) -> tuple[Tensor, list[Tensor]]:
        """Return a box of what the first stage gives, and all that every other gives, (T, H, W, c) each."""
        if self._memory is None:
            finest, second = self._in_bands(x.permute(1, 2, 3, 0), box)
        else:
            stage, shape = self._memory, self._downs[0].out_shape((*x.shape[1:], len(x)))
            whole = self._crew.room(0, shape, self._dtype)
            # As few blocks as there may be: each begins with rows that its neighbour remembers too.
            self._crew.blocks(x.shape[2], 1, lambda a, b: stage.rows(x, whole, a, b))
            finest, second = cut(whole, box), self._down(1, self._downs[1], whole)
        skips = [second]
        for down in self._downs[2:]:
            skips.append(self._down(len(skips) + 1, down, skips[-1]))
        return finest, skips

    def _in_bands(self, x: Tensor, box: Box) -> tuple[Tensor, Tensor]:
        """Return a box of what the first stage makes of `x` (T, H, W, channels), and all of the second's.

        What the first gives is the largest array of all: it is made by bands of rows, each with what the
        second sees above and below it, zeros beyond the grid.
        """
        first, second = self._downs[:2]
        t, h, w, c = shape = first.out_shape(x.shape)
        finest = self._crew.room(_FINEST, (*sizes(box), c), self._dtype)
        out = self._crew.room(1, second.out_shape(shape), self._dtype)
        row = second.stride * t * w * c * out.element_size()
        step = min(out.shape[1], max(1, second.half, BAND_BYTES // row))
        half, seen, known = second.half, 2 * second.half, 0
        band = self._crew.room(0, (t, step * second.stride + seen, w, c), self._dtype)
        for start in range(0, out.shape[1], step):
            stop = min(start + step, out.shape[1])
            top, bottom = start * second.stride - half, stop * second.stride + half
            band[:, :seen] = band[:, step * second.stride :] if start else 0
            band[:, min(bottom, h) - top : bottom - top] = 0
            self._first(x, known, band[:, known - top : min(bottom, h) - top], finest, box)
            known = min(bottom, h)
            self._second(band[:, : bottom - top], out[:, start:stop])
        return finest, out

    def _first(self, x: Tensor, top: int, out: Tensor, finest: Tensor, box: Box) -> None:
        """Compute rows of the first stage, from `top` on, and copy those of a box while they are in cache."""
        days, wanted, columns = slices(box)

        def work(start: int, stop: int) -> None:
            self._downs[0].rows(x, out[:, start:stop], top + start)
            begin, end = max(wanted.start, top + start), min(wanted.stop, top + stop)
            if begin < end:
                here = out[days, begin - top : end - top, columns]
                finest[:, begin - wanted.start : end - wanted.start] = here

        if out.shape[1]:
            self._crew.blocks(out.shape[1], out.nbytes, work)

    def _second(self, band: Tensor, out: Tensor) -> None:
        """Compute rows of the second stage from those of the first that they see."""
        down = self._downs[1]

        def work(start: int, stop: int) -> None:
            seen = band[:, start * down.stride : stop * down.stride + 2 * down.half]
            down.convolve(seen, (0, down.half), out[:, start:stop])

        self._crew.blocks(out.shape[1], max(out.nbytes * down.time_stride, band.nbytes), work)

    def _down(self, key: int, down: _Down, x: Tensor) -> Tensor:
        out = self._crew.room(key, down.out_shape(x.shape), self._dtype)
        size = max(out.nbytes * down.time_stride, x.nbytes // x.shape[-1] * down.inputs)
        self._crew.blocks(out.shape[1], size, lambda a, b: down.rows(x, out[:, a:b], a))
        return out

    def _up(self, key: int, up: _Up, parts: tuple[Tensor, ...]) -> Tensor:
        t, h, w = parts[0].shape[:3]
        out = self._crew.room(100 + key, (t * up.days, 2 * h, 2 * w, up.channels), self._dtype)
        self._crew.blocks(h, out.nbytes, lambda a, b: up.rows(parts, out, a, b))
        return out

    def _logits(self, parts: tuple[Tensor, ...], skip: Tensor) -> Tensor:
        out = torch.empty(*skip.shape[:3], self._classes)
        size = 2 * skip.element_size() * skip.numel()
        self._crew.blocks(parts[0].shape[1], size, lambda a, b: self._head.rows(parts, skip, out, a, b))
        return out
