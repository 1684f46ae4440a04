"""Networks that teach: what they say of an episode in the mean becomes part of what is to be learned.

A mean of networks maps better than each of them, and takes as many times longer. One network that learns what
the mean says, beside the truth, comes near it (Hinton, Vinyals, Dean 2015, arXiv 1503.02531).
"""

from __future__ import annotations

import torch
from torch import Tensor

from banet.errors import InputError
from banet.model.means import Mean
from banet.model.weights import load_models
from banet.training.config import TrainingConfig

__all__ = ["Teacher"]


class Teacher:
    """Says what the networks of `config.teacher` say; leaves the truth alone where there are none.

    Args:
        config: of the run.
        device: where to compute.

    Raises:
        NotFoundError, UnreadableFileError: if the weights cannot be read.
        InputError: if a network wants another input than the run's.
    """

    def __init__(self, config: TrainingConfig, device: torch.device):
        asked = list(config.teacher.weights)
        self._share = config.teacher.share
        models = load_models(asked, str(device)) if asked else ()
        self._mean = Mean(models) if models else None
        for model in models:
            if model.spec.scaling != config.inputs.scaling:
                raise InputError(f"the teacher {model.name} wants another input than the run's")

    @torch.no_grad()
    def __call__(self, inputs: Tensor, target: Tensor) -> Tensor:
        """Return the mean of truth and of what the networks say, by the share.

        Args:
            inputs: (batch, channels, T, H, W), normalised.
            target: (batch, T, H, W) true fractions; NaN, where they are not known, stays.
        """
        if self._mean is None:
            return target
        return (1 - self._share) * target + self._share * self._mean.probability(inputs).squeeze(1)
