"""BA-Net: a U-Net over days, rows and columns that tells the fraction of a cell that burned on each day.

Source: Pinto, Libonati, R. Trigo, I. Trigo, DaCamara (2020), doi 10.1016/j.isprsjprs.2019.12.014.

Every kernel is flat: either in space or along the days. Activations lie with the channels last, so that a
convolution in space is a two-dimensional one over days as a batch, one along the days a two-dimensional one
over (days, cells), and nothing is copied between them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import shorten

import torch
from torch import Tensor, nn
from torch.nn import functional

from banet.errors import InputError
from banet.io.tables import facts_html
from banet.model.config import BANetConfig, Calibration, InputSpec
from banet.model.temporal_context import TemporalContext, context_channels

__all__ = ["BANet", "ConvNorm", "EncoderStage", "PixelLSTM", "UpStage", "pad_to_multiple"]

Triple = tuple[int, int, int]


class ConvNorm(nn.Module):
    """A convolution without bias, normalised, through a ReLU; `up` makes it a transposed one.

    Args:
        ni, no: channels in and out.
        kernel, stride: (days, rows, columns).
        up: multiply the size by `stride` instead of dividing it.
    """

    def __init__(self, ni: int, no: int, kernel: Triple, stride: Triple = (1, 1, 1), *, up: bool = False):
        super().__init__()
        self.conv: nn.Conv3d | nn.ConvTranspose3d
        if up:
            self.conv = nn.ConvTranspose3d(ni, no, kernel, stride, bias=False)
        else:
            padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
            self.conv = nn.Conv3d(ni, no, kernel, stride, padding, bias=False)
        # The paper normalises frame by frame with statistics over batch and days: the same as in 3-D.
        self.norm = nn.BatchNorm3d(no)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, ni, T, H, W) to (batch, no, T', H', W')."""
        if self.conv.kernel_size[0] > 1 or self.conv.stride[0] > 1:
            return self._along_days(x)
        return self._in_space(x)

    def _in_space(self, x: Tensor) -> Tensor:
        conv, (b, _, t, _, _) = self.conv, x.shape
        frames = x.transpose(1, 2).flatten(0, 1)
        weight, stride = conv.weight[:, :, 0], tuple(conv.stride[1:])
        if isinstance(conv, nn.ConvTranspose3d):
            y = functional.conv_transpose2d(frames, weight, None, stride)
        else:
            y = functional.conv2d(frames, weight, None, stride, tuple(int(n) for n in conv.padding[1:]))
        y = self._normalised(y)
        return y.view(b, t, *y.shape[1:]).transpose(1, 2)

    def _along_days(self, x: Tensor) -> Tensor:
        conv = self.conv
        weight, stride = conv.weight.flatten(3), (conv.stride[0], 1)
        # By way of the channels last: cells flattened as they lie give a batch of one a stride by which torch
        # does not see that its channels are last, and every step from there on would copy.
        days = x.permute(0, 2, 3, 4, 1).flatten(2, 3).permute(0, 3, 1, 2)
        if isinstance(conv, nn.ConvTranspose3d):
            y = functional.conv_transpose2d(days, weight, None, stride)
        else:
            y = functional.conv2d(days, weight, None, stride, (int(conv.padding[0]), 0))
        cells = self._normalised(y).permute(0, 2, 3, 1)
        return cells.view(*cells.shape[:2], *x.shape[3:], -1).permute(0, 4, 1, 2, 3)

    def _normalised(self, y: Tensor) -> Tensor:
        norm = self.norm
        share = norm.momentum or 0.0
        if norm.training and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
            # Without momentum the statistics are the plain mean of all batches.
            share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        mean, var = norm.running_mean, norm.running_var
        y = functional.batch_norm(y, mean, var, norm.weight, norm.bias, norm.training, share, norm.eps)
        return torch.relu_(y)


class PixelLSTM(nn.LSTM):
    """An LSTM along the days of every cell, each cell a sequence of its own."""

    def __init__(self, channels: int):
        super().__init__(channels, channels)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Map (batch, C, T, H, W) to the same shape."""
        b, c, t, h, w = x.shape
        days = x.permute(2, 0, 3, 4, 1).reshape(t, b * h * w, c)
        out: Tensor = super().forward(days)[0]
        cells = out.reshape(t, b, h, w, c).permute(1, 4, 0, 2, 3)
        return cells.contiguous(memory_format=torch.channels_last_3d)


class EncoderStage(nn.Module):
    """One step of the encoder: convolve in space, run along the days if asked, convolve in time."""

    def __init__(
        self, ni: int, no: int, kernels: tuple[int, int], stride: int, *, lstm: bool, dropout: float
    ):
        super().__init__()
        space, time = kernels
        self.space = ConvNorm(ni, no, (1, space, space), (1, stride, stride))
        self.lstm = PixelLSTM(no) if lstm else None
        self.time = ConvNorm(no, no, (time, 1, 1), (stride, 1, 1))
        self.drop = nn.Dropout3d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, ni, T, H, W) to (batch, no, T / stride, H / stride, W / stride)."""
        x = self.space(x)
        if self.lstm is not None:
            x = self.lstm(x)
        out: Tensor = self.drop(self.time(x))
        return out


class UpStage(nn.Module):
    """One step of the decoder: double rows and columns, then days."""

    def __init__(self, ni: int, no: int, *, dropout: float):
        super().__init__()
        self.space = ConvNorm(ni, no, (1, 2, 2), (1, 2, 2), up=True)
        self.time = ConvNorm(no, no, (2, 1, 1), (2, 1, 1), up=True)
        self.drop = nn.Dropout3d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, ni, T, H, W) to (batch, no, 2 T, 2 H, 2 W)."""
        out: Tensor = self.drop(self.time(self.space(x)))
        return out


class BANet(nn.Module):
    """The network of a `BANetConfig`.

    Attributes:
        config: its shape.
        spec: how its input must be scaled.
        name: what its weights are called; empty for fresh ones.
        weights_sha256: SHA-256 of the file its weights came from; empty for fresh ones.
        card: what is known of its weights: data, command, seed, scores, limits.
        calibration: what its numbers mean, None where that was not measured.
    """

    def __init__(self, config: BANetConfig | None = None, spec: InputSpec | None = None):
        super().__init__()
        self.config = config or BANetConfig.original()
        self.spec = spec or InputSpec()
        self.name = ""
        self.weights_sha256 = ""
        self.card: dict[str, object] = {}
        self.calibration: Calibration | None = None
        c, widths = self.config, self.config.widths
        self.memory = TemporalContext(c, self.spec) if c.memory else None
        kernels = zip(c.space_kernels, c.time_kernels, strict=True)
        first = c.channels + context_channels(c.memory)
        self.encoder = nn.ModuleList(
            EncoderStage(ni, no, k, 1 if i == 0 else 2, lstm=c.lstm and i == 0, dropout=c.dropout)
            for i, (ni, no, k) in enumerate(zip((first, *widths[:-1]), widths, kernels, strict=True))
        )
        self.bottom = ConvNorm(widths[-1], widths[-1], (1, 3, 3), (1, 2, 2))
        self.bottom_up = ConvNorm(widths[-1], widths[-1], (1, 2, 2), (1, 2, 2), up=True)
        # From the deepest to the first: a step's input is its stage's output beside what came from below.
        self.decoder = nn.ModuleList(
            UpStage(2 * ni, no, dropout=c.dropout)
            for ni, no in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = ConvNorm(2 * widths[0], 2 * widths[0], (c.head_kernel, 1, 1))
        self.logits = nn.Conv3d(2 * widths[0], c.classes, 1)

    def __repr__(self) -> str:
        count = sum(one.numel() for one in self.parameters())
        return f"BANet({self.name or 'fresh'!r}, {count:,} parameters, {', '.join(self.spec.channels)})"

    def _repr_html_(self) -> str:
        facts = {"file": self.weights_sha256 and f"SHA-256 {self.weights_sha256[:16]}"}
        facts |= {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in self.card.items()
        }
        return facts_html(repr(self), {name: shorten(text, 300) for name, text in facts.items()})

    @property
    def stages(self) -> list[EncoderStage]:
        """The steps of the encoder, from the widest grid to the narrowest."""
        return [stage for stage in self.encoder if isinstance(stage, EncoderStage)]

    @property
    def steps(self) -> list[UpStage]:
        """The steps of the decoder, from the narrowest grid to the widest."""
        return [step for step in self.decoder if isinstance(step, UpStage)]

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised days (batch, channels, T, H, W) to logits (batch, classes, T, H, W).

        The sigmoid of a logit is the fraction of the cell that burned on that day.

        Raises:
            InputError: if the number of dimensions or channels is another, or T, H, W are not multiples of
                what the strides need (16, 32, 32 in the original).
        """
        check_input(x, self.config)
        return self.layers(x)

    def layers(self, x: Tensor) -> Tensor:
        """Do what `forward` does without looking at the shape, for tools that trace a network."""
        if self.memory is not None:
            x = _to_convolve(self.memory(x))
        x = x.contiguous(memory_format=torch.channels_last_3d)
        skips: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        x = torch.cat((skips.pop(), self.bottom_up(self.bottom(x))), 1)
        for step in self.decoder:
            x = torch.cat((skips.pop(), step(x)), 1)
        out: Tensor = self.logits(self.head(x))
        return out


def _to_convolve(x: Tensor) -> Tensor:
    """Return planes in the precision that convolutions take, whose gradients come back plane by plane.

    Both are to spare moving 45 channels in float32, a fifth of a step of training.
    """
    if torch.is_autocast_enabled(x.device.type):
        x = x.to(torch.get_autocast_dtype(x.device.type))
    if x.requires_grad:
        x.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]
    return x


def check_input(x: Tensor, config: BANetConfig) -> None:
    """Make sure that (batch, channels, T, H, W) fits a network of `config`.

    Raises:
        InputError: if it does not.
    """
    shape = tuple(x.shape)
    if len(shape) != 5 or shape[1] != config.channels:
        raise InputError(f"the network takes (batch, {config.channels}, days, rows, columns), found {shape}")
    if any(n == 0 or n % m for n, m in zip(shape[2:], config.multiple, strict=True)):
        raise InputError(
            f"days, rows and columns must be multiples of {config.multiple}, found {shape[2:]}: "
            "pad the input with banet.model.network.pad_to_multiple"
        )


def pad_to_multiple(x: Tensor, multiple: Triple, fill: Sequence[float] | float = 0.0) -> Tensor:
    """Pad days, rows and columns at their ends up to the next multiple; crop the output to the old shape.

    Args:
        x: (..., channels, T, H, W).
        multiple: of days, rows and columns, such as `BANetConfig.multiple`.
        fill: value of the new cells, one for all or one a channel, such as `InputSpec.missing`.

    Returns:
        `x` itself where nothing is to be done.

    Raises:
        InputError: if there are fewer than four dimensions or `fill` is not one number a channel.
    """
    if x.ndim < 4:
        raise InputError(f"padding takes (..., channels, days, rows, columns), found {tuple(x.shape)}")
    fills = x.new_tensor(fill)
    if fills.ndim and fills.shape != x.shape[-4:-3]:
        raise InputError(f"fill must be one number or {x.shape[-4]}, one a channel, found {len(fills)}")
    *outer, t, h, w = x.shape
    whole = [-(-n // m) * m for n, m in zip((t, h, w), multiple, strict=True)]
    if whole == [t, h, w]:
        return x
    padded = fills.reshape(-1, 1, 1, 1).expand(*outer, *whole).clone()
    padded[..., :t, :h, :w] = x
    return padded
