"""What every cell remembers: the last clear looks before each day and the next ones from it on.

A burn shows as a lasting step between two clear looks that clouds and smoke may keep days apart. A network of
short kernels spends its first layers on finding them; here they are found in closed form. Every look at a
cell gets a weight from a small learned judge of how clear it is, and for each day the weighted means over the
days before it and over the day itself and later are taken, the weight falling with distance as
exp(-days / span). The means along the days are one matrix product for all cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from banet.errors import InputError
from banet.model.config import BANetConfig, InputSpec

__all__ = ["Memory", "memory_channels"]

_JUDGE_WIDTH = 8
_VALUES = 4
"""Remembered of each look: red, NIR, MIR, and the burn index (NIR - MIR) / (NIR + MIR)."""
_BANDS = ("red", "nir", "mir")
_LEAST = 2e-4
"""Reflectance below which all three bands together mean that nothing was observed."""
_PRIOR = 0.02
"""Weight of the mean reflectance, which stands where nothing clear was seen."""
_INDEX_FLOOR, _INDEX_SCALE, _HEAT_SCALE = 0.02, 2.0, 0.3


def memory_channels(spans: Sequence[float]) -> int:
    """Return how many channels the memory of so many spans adds: 4, and 12 a span."""
    return 4 + 2 * (_VALUES + 2) * len(spans) if spans else 0


class Memory(nn.Module):
    """Adds to the channels of each day what a cell remembers and foresees.

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
        lacking = {*_BANDS, "frp"} - set(spec.channels)
        if lacking:
            raise InputError(f"a memory needs the channels {sorted(lacking)}, found {spec.channels}")
        self.bands = [spec.channels.index(name) for name in _BANDS]
        self.heat = spec.channels.index("frp")
        order = [*self.bands, self.heat]
        self.register_buffer("scale", torch.tensor([spec.std[i] for i in order]), persistent=False)
        self.register_buffer("shift", torch.tensor([spec.mean[i] for i in order]), persistent=False)
        self.judge = nn.Linear(_VALUES, _JUDGE_WIDTH)
        self.weigh = nn.Linear(_JUDGE_WIDTH, 2)
        nn.init.constant_(self.weigh.bias, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, T, H, W) to (batch, channels + `memory_channels`, T, H, W), channels last."""
        return self.remember(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)

    def remember(self, x: Tensor) -> Tensor:
        """Do the same with the channels as the last axis, (batch, T, H, W, channels), in float32."""
        with torch.autocast(x.device.type, enabled=False):
            return self._remember(x.float())

    def _remember(self, x: Tensor) -> Tensor:
        bands = x[..., self.bands]
        light = bands * self.scale[:3] + self.shift[:3]
        observed = (light.amax(-1, keepdim=True) > _LEAST).float()
        heat = x[..., self.heat, None] * self.scale[3] + self.shift[3]
        nir, mir = light[..., 1:2], light[..., 2:]
        index = (nir - mir) / (nir + mir).clamp(min=_INDEX_FLOOR) * _INDEX_SCALE
        values = torch.cat((bands, index), -1)
        clear = observed * torch.sigmoid(self.weigh(torch.relu(self.judge(values))))
        kernels = self._kernels(x.shape[1], x)
        parts = [x, observed, index * observed, clear]
        for side, kernel in enumerate(kernels):
            weight = clear[..., side, None]
            kept = self._along_days(kernel, torch.cat((values * weight, weight, heat), -1))
            total = kept[..., _VALUES, None]
            parts += [
                (kept[..., :_VALUES] / (total + _PRIOR)).flatten(-2),
                (total / (1 + total)).flatten(-2),
                _HEAT_SCALE * kept[..., _VALUES + 1 :].flatten(-2),
            ]
        return torch.cat(parts, -1)

    def _kernels(self, days: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights (spans, T, T) of every day for every day: those before it; it and those after."""
        day = torch.arange(days, device=like.device)
        apart = (day[:, None] - day[None, :]).float()
        spans = torch.tensor(self.spans, device=like.device)[:, None, None]
        before = torch.exp((1 - apart.clamp(min=1)) / spans) * (apart > 0)
        after = torch.exp(apart.clamp(max=0) / spans) * (apart <= 0)
        return before, after

    @staticmethod
    def _along_days(kernel: Tensor, looks: Tensor) -> Tensor:
        """Map (batch, T, H, W, c) to (batch, T, H, W, spans, c)."""
        b, t, h, w, c = looks.shape
        kept = torch.matmul(kernel.flatten(0, 1), looks.flatten(2))
        return kept.view(b, len(kernel), t, h, w, c).permute(0, 2, 3, 4, 1, 5)
