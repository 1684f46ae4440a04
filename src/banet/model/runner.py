"""One network on a processor or a CUDA device, the inference of all engines."""

from __future__ import annotations

import torch
from torch import Tensor

from banet.model.device import ThreadTeam
from banet.model.folded import Down, Head, Remembering, Up
from banet.model.network import BANet
from banet.model.part import Box, children, cut, parents, sizes, slices

__all__ = ["Runner"]

_FINEST = -1
"""Key of what is kept of the first stage's output; that of the encoder is a stage's number, of the decoder
a hundred more."""


class Runner:
    """One network ready to run.

    Args:
        model: the network; not changed.
        crew: where it runs; the members of an ensemble share it, one at a time.
        dtype: of what lies between the layers; the temporal context and the logits are float32 always.
    """

    def __init__(self, model: BANet, crew: ThreadTeam, dtype: torch.dtype = torch.float32):
        self._crew, self._dtype, steps = crew, dtype, model.steps
        like = torch.empty(0, dtype=dtype, device=crew.device)
        self._downs = [Down.of(like, s.space, s.time, s.lstm) for s in model.stages]
        self._memory = None if model.memory is None else Remembering.of(model.memory, self._downs[0], crew)
        self._bottom, self._bottom_up = (
            Down.of(like, model.bottom, None),
            Up.of(like, model.bottom_up, None),
        )
        self._ups = [Up.of(like, s.space, s.time) for s in steps[:-1]]
        self._head = Head.of(model, Up.of(like, steps[-1].space, steps[-1].time))
        self._classes = model.config.classes

    def __call__(self, x: Tensor, part: Box) -> Tensor:
        """Map normalised days (channels, T, H, W) to the logits (classes, T', H', W') of a part of them.

        The encoder computes all; the decoder, at each depth, what the part is made from.
        """
        with self._crew.exact():
            return self._logits_of(x.to(self._crew.device), part).float().cpu()

    def _logits_of(self, x: Tensor, part: Box) -> Tensor:
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
        step = min(out.shape[1], max(1, second.half, self._crew.band_bytes // row))
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

    def _down(self, key: int, down: Down, x: Tensor) -> Tensor:
        out = self._crew.room(key, down.out_shape(x.shape), self._dtype)
        size = max(out.nbytes * down.time_stride, x.nbytes // x.shape[-1] * down.inputs)
        self._crew.blocks(out.shape[1], size, lambda a, b: down.rows(x, out[:, a:b], a))
        return out

    def _up(self, key: int, up: Up, parts: tuple[Tensor, ...]) -> Tensor:
        t, h, w = parts[0].shape[:3]
        out = self._crew.room(100 + key, (t * up.days, 2 * h, 2 * w, up.channels), self._dtype)
        self._crew.blocks(h, out.nbytes, lambda a, b: up.rows(parts, out, a, b))
        return out

    def _logits(self, parts: tuple[Tensor, ...], skip: Tensor) -> Tensor:
        out = torch.empty(*skip.shape[:3], self._classes, device=skip.device)
        size = 2 * skip.element_size() * skip.numel()
        self._crew.blocks(parts[0].shape[1], size, lambda a, b: self._head.rows(parts, skip, out, a, b))
        return out
