"""Inference on a CUDA device: channels last, bfloat16 where torch holds it safe."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from banet.model.network import BANet
from banet.model.part import Box, slices

__all__ = ["CudaMember"]


class CudaMember:
    """One network on a CUDA device.

    Args:
        model: the network; not changed.
        exact: compute in float32 instead of bfloat16.
    """

    def __init__(self, model: BANet, *, exact: bool = False):
        self._exact = exact
        self._model = copy.deepcopy(model).eval().to("cuda")
        for module in self._model.modules():
            if isinstance(module, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
                module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last_3d)

    def __call__(self, x: Tensor, part: Box) -> Tensor:
        """Map normalised days (channels, T, H, W) to the logits (classes, T', H', W') of a part of them."""
        batch = x[None].to("cuda", non_blocking=True).contiguous(memory_format=torch.channels_last_3d)
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=not self._exact):
            logits: Tensor = self._model.layers(batch)
        return logits[0][:, *slices(part)].float().cpu()
