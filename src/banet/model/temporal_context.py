"""Temporal context of every cell: the last clear looks before each day and the next ones from it on.

A burn shows as a lasting step between two clear looks that clouds and smoke may keep days apart. A network of
short kernels spends its first layers on finding them; here they are found in closed form. Every look at a
cell gets a weight from a small learned judge of how clear it is, and for each day the weighted means over the
days before it and over the day itself and later are taken, the weight falling with distance as
exp(-days / span). The means along the days are one matrix product for all cells.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from banet.errors import InputError
from banet.model.config import BANetConfig, InputSpec
from banet.model.inputs import BANDS

__all__ = ["Plane", "TemporalContext", "context_channels", "context_planes"]

_JUDGE_WIDTH = 8
_VALUES = 4
"""Kept of each look: red, NIR, MIR, and the burn index (NIR - MIR) / (NIR + MIR)."""
_OF_A_LOOK = 4
"""Channels of the look itself: whether there was one, its index, two weights."""
_LEAST = 2e-4
"""Reflectance below which all three bands together mean that nothing was observed."""
_PRIOR = 0.02
"""Weight of the mean reflectance, which stands where nothing clear was seen."""
_INDEX_FLOOR, _INDEX_SCALE, _HEAT_SCALE = 0.02, 2.0, 0.3


Plane = tuple[str, str, float, int]
"""What one added channel tells: of what, on which side, over which span, and which of its kind."""


def context_planes(spans: Sequence[float]) -> list[Plane]:
    """Return what each channel tells that a context of these spans (days) adds, in their order.

    Of the look itself whether there was one, its index and two weights; then of each side, before the day and
    from it on, the mean values over each span, how much was seen in each, and how much fire.
    """
    if not spans:
        return []
    kinds = (("values", _VALUES), ("seen", 1), ("heat", 1))
    look = [("look", "", 0.0, i) for i in range(_OF_A_LOOK)]
    sides = itertools.product(("before", "after"), kinds, spans)
    return look + [(kind, side, span, i) for side, (kind, count), span in sides for i in range(count)]


def context_channels(spans: Sequence[float]) -> int:
    """Return how many channels a context of these spans (days) adds."""
    return len(context_planes(spans))


class TemporalContext(nn.Module):
    """Adds to the channels of each day those of the looks before and after it.

    Args:
        config: with `memory`, the spans in days.
        spec: scaling of the input, whose channels must hold red, nir, mir and frp.

    Raises:
        InputError: if they do not.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, config: BANetConfig, spec: InputSpec):
        super().__init__()
        self.spans = tuple(config.memory)
        lacking = {*BANDS, "frp"} - set(spec.channels)
        if lacking:
            raise InputError(
                f"a temporal context needs the channels {sorted(lacking)}, found {spec.channels}"
            )
        self.bands = [spec.channels.index(name) for name in BANDS]
        self.heat = spec.channels.index("frp")
        order = [*self.bands, self.heat]
        self.register_buffer("scale", torch.tensor([spec.std[i] for i in order]), persistent=False)
        self.register_buffer("shift", torch.tensor([spec.mean[i] for i in order]), persistent=False)
        self.judge = nn.Linear(_VALUES, _JUDGE_WIDTH)
        self.weigh = nn.Linear(_JUDGE_WIDTH, 2)
        nn.init.constant_(self.weigh.bias, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, T, H, W) to (batch, channels + `context_channels`, T, H, W) in float32."""
        planes = self.remember(x.transpose(0, 1).flatten(-2))
        batch, _, *days = x.shape
        return torch.cat(planes).view(-1, batch, *days).transpose(0, 1)

    def remember(self, x: Tensor) -> list[Tensor]:
        """Return the same channel by channel: of (channels, ..., T, cells) groups of (some, ..., T, cells).

        Whole planes of a channel are what the arithmetic is fast on.
        """
        with torch.autocast(x.device.type, enabled=False):
            return self._remember(x.float())

    def _remember(self, x: Tensor) -> list[Tensor]:
        red, nir, mir, heat = self._physical(x)
        observed = (torch.maximum(torch.maximum(red, nir), mir) > _LEAST).float()[None]
        index = ((nir - mir) / (nir + mir).clamp(min=_INDEX_FLOOR) * _INDEX_SCALE)[None]
        values = torch.cat((*(x[i, None] for i in self.bands), index))
        clear = observed * torch.sigmoid(_of_each(self.weigh, torch.relu(_of_each(self.judge, values))))
        groups = [x, observed, index * observed, clear]
        hot = (_HEAT_SCALE * heat)[None]
        for weight, kernel in zip(clear[:, None], self._kernels(x.shape[-2], x), strict=True):
            looks = torch.cat((values * weight, weight, hot))
            kept = torch.matmul(kernel.flatten(0, 1), looks)
            sums = kept.chunk(len(kernel), -2)
            totals = [span[_VALUES, None] for span in sums]
            groups += [s[:_VALUES] / (total + _PRIOR) for s, total in zip(sums, totals, strict=True)]
            groups += [total / (1 + total) for total in totals]
            groups += [s[_VALUES + 1 :] for s in sums]
        return groups

    def _physical(self, x: Tensor) -> list[Tensor]:
        """Return reflectance red, nir, mir and the logarithm of the power, without their channel's axis."""
        order = (*self.bands, self.heat)
        return [x[i] * scale + shift for i, scale, shift in zip(order, self.scale, self.shift, strict=True)]

    def _kernels(self, days: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights (spans, T, T) of every day for every day: those before it; it and those after."""
        day = torch.arange(days, device=like.device)
        apart = (day[:, None] - day[None, :]).float()
        spans = torch.tensor(self.spans, device=like.device)[:, None, None]
        before = torch.exp((1 - apart.clamp(min=1)) / spans) * (apart > 0)
        after = torch.exp(apart.clamp(max=0) / spans) * (apart <= 0)
        return before, after


def _of_each(layer: nn.Linear, x: Tensor) -> Tensor:
    """Apply a layer to the channels of every cell, (channels, ...)."""
    y = torch.addmm(layer.bias[:, None], layer.weight, x.flatten(1))
    return y.view(-1, *x.shape[1:])
