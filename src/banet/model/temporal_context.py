"""Temporal context of every cell: the last clear looks before each day and the next ones from it on.

A burn shows as a lasting step between two clear looks that clouds and smoke may keep days apart. A network of
short kernels spends its first layers on finding them; here they are found in closed form. Every look at a
cell gets a weight from a small learned judge of how clear it is, and for each day the weighted means over the
days before it and over the day itself and later are taken, the weight falling with distance as
exp(-days / span). The means along the days are one matrix product for all cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from banet.errors import InputError
from banet.model.config import BANetConfig, InputSpec

__all__ = ["TemporalContext", "context_channels", "relative_to_level"]

_JUDGE_WIDTH = 8
_VALUES = 4
"""Kept of each look: red, NIR, MIR, and the burn index (NIR - MIR) / (NIR + MIR)."""
_BANDS = ("red", "nir", "mir")
_LEAST = 2e-4
"""Reflectance below which all three bands together mean that nothing was observed."""
_PRIOR = 0.02
"""Weight of the mean reflectance, which stands where nothing clear was seen."""
_INDEX_FLOOR, _INDEX_SCALE, _HEAT_SCALE = 0.02, 2.0, 0.3


_USUAL = (0.08, 0.25, 0.09)
"""Level to which relative reflectances bring every cell: red, NIR and MIR of usual land."""
_DARKEST = (0.004, 0.005, 0.004)
_BRIGHTER, _STEEPNESS = 1.7, 4
"""A look this many times as bright in red as the darkest ones counts by half, brighter ones ever less."""
_LEVEL_PRIOR, _MOST, _LEVELS, _LOOKS = 0.05, 1.2, 2, 4.0
_WET, _WET_STEEPNESS = -0.6, 8.0
"""Logarithm of NIR over red of a level that is as likely water as land, and how steeply that turns."""


def context_channels(spans: Sequence[float], *, relative: bool = False) -> int:
    """Return how many channels a context of these spans (days) adds: 4, 12 a span, and 2 with `relative`."""
    return 4 + 2 * (_VALUES + 2) * len(spans) + _LEVELS * relative if spans else 0


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
        self.spans, self.relative = tuple(config.memory), config.relative
        lacking = {*_BANDS, "frp"} - set(spec.channels)
        if lacking:
            raise InputError(
                f"a temporal context needs the channels {sorted(lacking)}, found {spec.channels}"
            )
        self.bands = [spec.channels.index(name) for name in _BANDS]
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
        levels: list[Tensor] = []
        if self.relative:
            (red, nir, mir), levels = relative_to_level((red, nir, mir), observed[0])
            x = self._normalised(x, (red, nir, mir))
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
        return groups + [level[None] for level in levels]

    def _normalised(self, x: Tensor, bands: tuple[Tensor, ...]) -> Tensor:
        """Return the channels with other reflectances in them."""
        planes = list(x)
        for i, band, scale, shift in zip(self.bands, bands, self.scale, self.shift, strict=False):
            planes[i] = (band - shift) / scale
        return torch.stack(planes)

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


def relative_to_level(
    bands: tuple[Tensor, Tensor, Tensor], observed: Tensor
) -> tuple[tuple[Tensor, ...], list[Tensor]]:
    """Bring every cell to the level of usual land by the geometric mean of its own clear looks.

    A look is clear by how dark it is in red against the darkest of the cell (their mean of power -2), so that
    a gain of a band changes neither which looks are clear nor what is relative to them.

    Args:
        bands: red, NIR and MIR reflectance, (..., T, cells), 0 where not observed.
        observed: (..., T, cells) 1 or 0.

    Returns:
        The reflectances at the level of usual land, at most 1.2; and of every cell and day how far its level
        is that of water, of which NIR is darker than red, and how many looks it rests on, both 0 to 1.
    """
    looks = [band.clamp(min=floor) for band, floor in zip(bands, _DARKEST, strict=True)]
    count = observed.sum(-2, keepdim=True)
    dark = (count.clamp(min=1) / (observed * looks[0] ** -2).sum(-2, keepdim=True).clamp(min=1e-6)).sqrt()
    clear = observed / (1 + (looks[0] / (_BRIGHTER * dark)) ** _STEEPNESS)
    total = clear.sum(-2, keepdim=True)
    levels = [
        ((clear * torch.log(look / usual)).sum(-2, keepdim=True)) / (total + _LEVEL_PRIOR)
        for look, usual in zip(looks, _USUAL, strict=True)
    ]
    changed = tuple(
        (band * torch.exp(-level)).clamp(max=_MOST) for band, level in zip(bands, levels, strict=True)
    )
    ratio = levels[1] - levels[0] + math.log(_USUAL[1] / _USUAL[0])
    tell = [torch.sigmoid(_WET_STEEPNESS * (_WET - ratio)), total / (total + _LOOKS)]
    return changed, [value.expand_as(observed) for value in tell]


def _of_each(layer: nn.Linear, x: Tensor) -> Tensor:
    """Apply a layer to the channels of every cell, (channels, ...)."""
    y = torch.addmm(layer.bias[:, None], layer.weight, x.flatten(1))
    return y.view(-1, *x.shape[1:])
