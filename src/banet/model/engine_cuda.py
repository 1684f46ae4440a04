"""Inference on a CUDA device: channels last, in float32 or, where torch holds it safe, in bfloat16."""

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
        dtype: of convolutions and LSTM: float32, for which cuDNN's own rounding of it to ten bits (TF32) is
            switched off, or bfloat16. The memory is float32 either way.
        device: where to compute; `cpu` does the same there.
    """

    def __init__(self, model: BANet, dtype: torch.dtype = torch.float32, device: str = "cuda"):
        self._brief = dtype is torch.bfloat16
        self._device = torch.device(device)
        self._model = copy.deepcopy(model).eval().to(self._device)
        for module in self._model.modules():
            if isinstance(module, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
                module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last_3d)

    def __call__(self, x: Tensor, part: Box) -> Tensor:
        """Map normalised days (channels, T, H, W) to the logits (classes, T', H', W') of a part of them."""
        batch = x[None].to(self._device).contiguous(memory_format=torch.channels_last_3d)
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._brief),
        ):
            logits: Tensor = self._model.layers(batch)
        return logits[0][:, *slices(part)].float().cpu()
