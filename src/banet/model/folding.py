"""Folding a normalisation into the convolution before it, once its statistics are fixed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from banet.model.network import ConvNorm

__all__ = ["fold"]


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
